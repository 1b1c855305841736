/* serve_page_test.c - the page of `hunch serve` in a browser without a network, while a study runs:
 * its cells, the curves that grow, logs; what it asks for, and that nothing in it is refused.
 * HUNCH_SCREENSHOTS=FOLDER leaves pictures of it. */
#include "browser_fixture.h"
#include "serve_fixture.h"
#include <signal.h>

/* Cells that wait in every step, so that they are still at work when they are looked at. */
static const char study[] = "hunch: 1\nname: watched\nseeds: {root: 3, count: 2}\nbase:\n"
                            "  env: {plugin: trouble, delay: 2000}\n"
                            "  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
                            "  run: {frames: 3000, rows: 4}\n  evaluation: {tasks: 4, every: 2}\n"
                            "arms:\n  plain: {}\n  a.arm_with-quite-a-long-name: {run: {rows: 8}}\n"
                            "report: {baseline: plain}\n";

static Folder *dir;
static Browser *browser;
static GSubprocess *server;
static int port;

static void expect_value(const char *expression, const char *value) {
  g_autofree char *is = browser_fixture_value(browser, expression);
  if (!g_str_equal(is, value)) g_error("%s: expected '%s', is '%s'", expression, value, is);
}

static double number_of(const char *expression) {
  g_autofree char *value = browser_fixture_value(browser, expression);
  return g_ascii_strtod(value, NULL);
}

static void picture(const char *name) {
  browser_fixture_picture(browser, g_getenv("HUNCH_SCREENSHOTS"), name);
}

/* The cells are there, and what is drawn of them grows without anything being done. */
static void test_grows(void) {
  static const char points[] = "[...document.querySelectorAll('.mean')].reduce((n, line) => n + "
                               "(line.points || []).length, 0)";
  static const char width[] = "Math.max(...[...document.querySelectorAll('#cells progress')]"
                              ".map((bar) => bar.value))";
  browser_fixture_until(browser, "document.querySelectorAll('#cells tr').length === 4");
  browser_fixture_until(browser, "document.querySelectorAll('#drawing .mean').length > 0");
  const double first = number_of(points), update = number_of(width);
  g_autofree char *more = g_strdup_printf("%s > %g && %s > %g", points, first + 3, width, update);
  browser_fixture_until(browser, more);
  expect_value("document.querySelectorAll('#drawing .curve:not(.mean)').length <= 4", "true");
  expect_value("document.title.endsWith(' watched - hunch')", "true");
  expect_value("document.getElementById('metric').textContent",
               "Return on training tasks [reward per episode]");
  expect_value("document.getElementById('counts').textContent.includes(' of 4 cells done')",
               "true");
  expect_value("[...document.querySelectorAll('thead th')].every((h) => h.scope === 'col')",
               "true");
  expect_value("document.querySelector('#cells th').textContent", "plain / 0");
  expect_value("document.getElementById('plot-words').textContent.includes('plain ')", "true");
}

/* What the means are where the pointer is. */
static void test_pointer(void) {
  expect_value("document.getElementById('plot').dispatchEvent(new PointerEvent('pointermove', "
               "{clientX: document.getElementById('plot').getBoundingClientRect().right - 60}))",
               "true");
  expect_value("document.querySelectorAll('#drawing .cursor').length", "1");
  browser_fixture_until(browser,
                        "document.getElementById('readout').textContent"
                        ".match(/^Means of the seeds at .*k? steps: .*plain 0\\.\\d+/) !== null");
  expect_value("document.getElementById('plot').dispatchEvent(new PointerEvent('pointerleave'))",
               "true");
  expect_value("document.querySelectorAll('#drawing .cursor').length", "0");
}

/* An arm can be left out of the plot, by a button that says so. */
static void test_legend(void) {
  expect_value("document.querySelectorAll('#legend button[aria-pressed=true]').length", "2");
  expect_value("document.querySelector('#legend button').click()", "undefined");
  expect_value("document.querySelector('#legend button').getAttribute('aria-pressed')", "false");
  expect_value("document.querySelectorAll('#drawing .slot-0').length", "0");
  expect_value("document.querySelector('#legend button').click()", "undefined");
  browser_fixture_until(browser, "document.querySelectorAll('#drawing .slot-0').length > 0");
}

/* The end of a log, as it grows. */
static void test_log(void) {
  g_autofree char *cell = g_build_filename(dir, "runs", "watched", "plain", "0", NULL);
  g_assert_cmpint(shell(cell, "echo '<b>first</b> words' >>log.txt"), ==, 0);
  expect_value("document.querySelector('#cells button').click()", "undefined");
  browser_fixture_until(browser, "document.getElementById('log').open && "
                                 "document.getElementById('log-text').textContent"
                                 ".includes('<b>first</b> words')");
  g_assert_cmpint(shell(cell, "echo later words >>log.txt"), ==, 0);
  browser_fixture_until(browser,
                        "document.getElementById('log-text').textContent.includes('later words')");
  picture("log");
  expect_value("document.querySelector('#log button').click()", "undefined");
  browser_fixture_until(browser, "!document.getElementById('log').open");
}

/* On paper of three kinds nothing is wider than the window. */
static void test_looks(void) {
  static const struct {
    const char *name, *paper;
    int width, height;
    bool dark;
  } looks[] = {{"desktop", "rgb(255, 255, 255)", 1280, 1000, false},
               {"dark", "rgb(20, 20, 20)", 1280, 1000, true},
               {"phone", "rgb(255, 255, 255)", 390, 1200, false}};
  for (guint i = 0; i < G_N_ELEMENTS(looks); i++) {
    browser_fixture_look(browser, looks[i].width, looks[i].height, looks[i].dark);
    browser_fixture_until(browser, "document.querySelector('#plot').viewBox.baseVal.width === "
                                   "document.querySelector('#plot').clientWidth");
    g_autofree char *width = g_strdup_printf("%d", looks[i].width);
    expect_value("document.documentElement.scrollWidth", width);
    expect_value("getComputedStyle(document.body).backgroundColor", looks[i].paper);
    picture(looks[i].name);
  }
  browser_fixture_look(browser, 1280, 1000, false);
}

/* At the end all is done; a server that has gone is said to have. */
static void test_end(GSubprocess *run) {
  g_auto(Run) finished = end(run);
  g_assert_cmpint(finished.code, ==, 0);
  browser_fixture_until(browser, "document.querySelectorAll('#cells tr.done').length === 4");
  browser_fixture_until(browser, "!document.getElementById('report').hidden");
  expect_value("document.getElementById('counts').textContent", "4 of 4 cells done");
  picture("done");
  g_autofree char *own = g_strdup_printf("http://127.0.0.1:%d/", port);
  g_autofree char *report = g_strconcat(own, "report.html", NULL);
  browser_fixture_open(browser, report);
  browser_fixture_until(browser, "location.pathname === '/report.html' && "
                                 "document.readyState === 'complete'");
  expect_value("document.querySelectorAll('svg').length > 0", "true");
  expect_value("getComputedStyle(document.body).fontFamily.startsWith('system-ui')", "true");
  browser_fixture_open(browser, own);
  browser_fixture_until(browser, "document.querySelectorAll('#cells tr.done').length === 4");
  for (guint i = 0; i < browser->requests->len; i++)
    g_assert_true(g_str_has_prefix(browser->requests->pdata[i], own));
  g_assert_cmpuint(browser->requests->len, >=, 4);
  for (guint i = 0; i < browser->errors->len; i++) g_error("%s", (char *)browser->errors->pdata[i]);
  serve_fixture_end(server, SIGTERM);
  browser_fixture_until(browser, "document.body.classList.contains('lost')");
}

static void test_page(void) {
  g_autofree char *cell = g_build_filename(dir, "runs/watched/plain/0", NULL);
  GSubprocess *run = begin(dir, "run watched.yaml -j 2");
  wait_for_cell(run, cell);
  server = serve_fixture_begin(dir, "runs/watched", &port);
  g_autofree char *url = g_strdup_printf("http://127.0.0.1:%d/", port);
  browser_fixture_open(browser, url);
  test_grows();
  test_pointer();
  test_legend();
  test_log();
  test_looks();
  test_end(run);
}

/* The browser knows no other machine, and would have told of a page that asks for one. */
static void test_no_network(void) {
  browser_fixture_open(browser, "http://hunch.example/");
  browser_fixture_until(browser, "location.protocol === 'chrome-error:'");
  bool told = false; /* beside what the page of the error is made of */
  for (guint i = 0; i < browser->requests->len; i++)
    told |= g_str_equal(browser->requests->pdata[i], "http://hunch.example/");
  g_assert_true(told);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dir = folder();
  fake_write(dir, "watched.yaml", study);
  const char *why = serve_fixture_reason_to_skip(dir);
  if (!why && !(browser = browser_fixture_new())) why = "Chromium is not installed";
  if (why) {
    g_print("1..0 # SKIP %s\n", why);
    return 0;
  }
  g_test_add_func("/serve-page/page", test_page);
  g_test_add_func("/serve-page/no-network", test_no_network);
  const int result = g_test_run();
  browser_fixture_free(browser);
  remove_folder(dir);
  return result;
}
