/* browser_fixture.h - a page in headless Chromium, spoken to through pipes: what it shows, what it
 * asked for, what it complained of.
 * Source: Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol */
#ifndef HN_BROWSER_FIXTURE_H
#define HN_BROWSER_FIXTURE_H
#include "json.h"
#include "results_fixture.h"
#include <gio/gio.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { BROWSER_SECONDS = 60 /* that an answer, or something to become true, may take */ };

typedef struct Browser {
  GSubprocess *process;
  int to, from;
  char *profile, *session;
  int64_t sent;        /* commands */
  GString *unread;     /* bytes behind the last message */
  GPtrArray *requests; /* char *: URLs that were asked for */
  GPtrArray *errors;   /* char *: exceptions, and what the console holds as errors */
} Browser;

/* The program, or NULL where there is none; g_free. */
static inline char *browser_fixture_program(void) {
  return g_find_program_in_path("chromium");
}

/* The next message; json_object_unref. */
static inline JsonObject *browser_fixture_next(Browser *b) {
  char bytes[1 << 14];
  for (;;) {
    const char *end = memchr(b->unread->str, '\0', b->unread->len);
    if (end) {
      GError *error = NULL;
      const gssize length = end - b->unread->str;
      JsonObject *o = hn_json_parse("Chromium", b->unread->str, (gsize)length, &error);
      g_assert_no_error(error);
      g_string_erase(b->unread, 0, length + 1);
      return o;
    }
    struct pollfd ready = {.fd = b->from, .events = POLLIN};
    g_assert_cmpint(poll(&ready, 1, BROWSER_SECONDS * 1000), ==, 1);
    const ssize_t got = read(b->from, bytes, sizeof bytes);
    g_assert_cmpint(got, >, 0);
    g_string_append_len(b->unread, bytes, got);
  }
}

static inline void browser_fixture_note(Browser *b, JsonObject *event) {
  const char *method = hn_json_string(event, "method", "");
  JsonObject *params = hn_json_object(event, "params");
  JsonObject *request = hn_json_object(params, "request"), *entry = hn_json_object(params, "entry");
  if (g_str_equal(method, "Network.requestWillBeSent"))
    g_ptr_array_add(b->requests, g_strdup(hn_json_string(request, "url", "?")));
  if (g_str_equal(method, "Runtime.exceptionThrown"))
    g_ptr_array_add(b->errors, g_strdup(hn_json_string(hn_json_object(params, "exceptionDetails"),
                                                       "text", "exception")));
  if (g_str_equal(method, "Log.entryAdded") &&
      g_str_equal(hn_json_string(entry, "level", ""), "error"))
    g_ptr_array_add(b->errors, g_strdup(hn_json_string(entry, "text", "?")));
}

/* Sends a command, params as JSON, and returns its result; json_object_unref. */
static inline JsonObject *browser_fixture_call(Browser *b, const char *method, const char *params) {
  const int64_t id = ++b->sent;
  g_autofree char *session =
      b->session ? g_strdup_printf(",\"sessionId\":\"%s\"", b->session) : NULL;
  g_autofree char *text =
      g_strdup_printf("{\"id\":%" G_GINT64_FORMAT ",\"method\":\"%s\",\"params\":%s%s}", id, method,
                      params, session ? session : "");
  g_assert_cmpint(write(b->to, text, strlen(text) + 1), ==, (gssize)strlen(text) + 1);
  for (;;) {
    g_autoptr(JsonObject) o = browser_fixture_next(b);
    if (hn_json_int(o, "id", -1) != id) {
      browser_fixture_note(b, o);
      continue;
    }
    JsonObject *result = hn_json_object(o, "result");
    if (!result) g_error("%s: %s", text, hn_json_string(hn_json_object(o, "error"), "message", ""));
    return json_object_ref(result);
  }
}

static inline void browser_fixture_do(Browser *b, const char *method, const char *params) {
  json_object_unref(browser_fixture_call(b, method, params));
}

/* A browser without a network but this machine's, with an empty page; NULL: none is installed. */
static inline Browser *browser_fixture_new(void) {
  g_autofree char *program = browser_fixture_program();
  int in[2], out[2];
  if (!program) return NULL;
  g_assert_true(pipe(in) == 0 && pipe(out) == 0);
  Browser *b = g_new0(Browser, 1);
  b->profile = g_dir_make_tmp("hunch-browser-XXXXXX", NULL);
  g_autofree char *profile = g_strconcat("--user-data-dir=", b->profile, NULL);
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_take_fd(launcher, in[0], 3);
  g_subprocess_launcher_take_fd(launcher, out[1], 4);
  GError *error = NULL;
  /* a proxy that nobody is; this machine's own addresses need none */
  b->process = g_subprocess_launcher_spawn(
      launcher, &error, program, "--headless=new", "--no-sandbox", "--disable-gpu",
      "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
      "--hide-scrollbars", "--proxy-server=127.0.0.1:1", "--remote-debugging-pipe", profile,
      "about:blank", NULL);
  g_assert_no_error(error);
  b->to = in[1], b->from = out[0];
  b->unread = g_string_new(NULL);
  b->requests = g_ptr_array_new_with_free_func(g_free);
  b->errors = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(JsonObject) target =
      browser_fixture_call(b, "Target.createTarget", "{\"url\":\"about:blank\"}");
  g_autofree char *which = g_strdup_printf("{\"targetId\":\"%s\",\"flatten\":true}",
                                           hn_json_string(target, "targetId", ""));
  g_autoptr(JsonObject) attached = browser_fixture_call(b, "Target.attachToTarget", which);
  b->session = g_strdup(hn_json_string(attached, "sessionId", NULL));
  for (const char *const *domain = (const char *const[]){"Network", "Log", "Runtime", "Page", NULL};
       *domain; domain++) {
    g_autofree char *enable = g_strconcat(*domain, ".enable", NULL);
    browser_fixture_do(b, enable, "{}");
  }
  return b;
}

static inline void browser_fixture_look(Browser *b, int width, int height, bool dark) {
  g_autofree char *size = g_strdup_printf(
      "{\"width\":%d,\"height\":%d,\"deviceScaleFactor\":1,\"mobile\":false}", width, height);
  g_autofree char *media =
      g_strdup_printf("{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"%s\"}]}",
                      dark ? "dark" : "light");
  browser_fixture_do(b, "Emulation.setDeviceMetricsOverride", size);
  browser_fixture_do(b, "Emulation.setEmulatedMedia", media);
}

static inline void browser_fixture_open(Browser *b, const char *url) {
  g_autofree char *where = g_strdup_printf("{\"url\":\"%s\"}", url);
  browser_fixture_do(b, "Page.navigate", where);
}

/* The value of an expression of JavaScript as text; g_free. */
static inline char *browser_fixture_value(Browser *b, const char *expression) {
  JsonBuilder *params = hn_json_begin();
  g_autofree char *as_text = g_strdup_printf("String(%s)", expression);
  hn_json_add_string(params, "expression", as_text);
  g_autofree char *text = hn_json_end_line(params);
  g_autoptr(JsonObject) o = browser_fixture_call(b, "Runtime.evaluate", text);
  return g_strdup(hn_json_string(hn_json_object(o, "result"), "value", "?"));
}

/* Waits until an expression is true. */
static inline void browser_fixture_until(Browser *b, const char *expression) {
  const gint64 end = g_get_monotonic_time() + BROWSER_SECONDS * G_USEC_PER_SEC;
  for (;; g_usleep(100000)) {
    g_autofree char *value = browser_fixture_value(b, expression);
    if (g_str_equal(value, "true")) return;
    if (g_get_monotonic_time() < end) continue;
    g_autofree char *page = browser_fixture_value(b, "document.body.innerText");
    g_error("'%s' is %s in: %s", expression, value, page);
  }
}

/* Writes what is seen to FOLDER/NAME.png; folder may be NULL, then not. */
static inline void browser_fixture_picture(Browser *b, const char *folder, const char *name) {
  if (!folder) return;
  g_autoptr(JsonObject) o = browser_fixture_call(b, "Page.captureScreenshot", "{}");
  gsize length;
  g_autofree guchar *png = g_base64_decode(hn_json_string(o, "data", ""), &length);
  g_autofree char *file = g_strconcat(name, ".png", NULL),
                  *path = g_build_filename(folder, file, NULL);
  g_assert_true(g_file_set_contents(path, (const char *)png, (gssize)length, NULL));
}

static inline void browser_fixture_free(Browser *b) {
  g_clear_pointer(&b->session, g_free); /* it is asked as a whole */
  browser_fixture_do(b, "Browser.close", "{}");
  g_subprocess_wait(b->process, NULL, NULL);
  g_object_unref(b->process);
  close(b->to), close(b->from);
  g_string_free(b->unread, TRUE);
  g_ptr_array_unref(b->requests), g_ptr_array_unref(b->errors);
  fake_remove(b->profile);
  g_free(b->profile);
  g_free(b);
}
#endif
