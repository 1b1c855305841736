/* serve_test.c - what `hunch serve` answers to requests that are as browsers make them, and to
 * those that are not: raw bytes over sockets of the test's own. */
#include "serve_fixture.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  WATCHERS = 50,
  SECONDS = 20, /* that an answer may take */
  LARGE = 40 << 10,
  KILOBYTES = 60 << 10, /* of memory that a server of a small study may hold */
};
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
static const bool shadow_memory = true;
#else
static const bool shadow_memory = false;
#endif

static const FakeArm arms[] = {{.name = "belief", .inference = "gridworld_belief", .level = 8},
                               {.name = "none", .inference = "none", .level = 4}};
static const FakeStudy study = {.name = "s",
                                .arms = arms,
                                .arm_count = 2,
                                .seeds = 2,
                                .updates = 10,
                                .every = 5,
                                .aggregate = "mean"};

static Folder *dir;
static char *folder_of_study;
static GSubprocess *server;
static int port;

/* ---- a client of bytes ---- */

static int connect_to(int at) {
  const struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)at),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), ==, 0);
  return fd;
}

static void say(int fd, const char *bytes) {
  for (gsize n = strlen(bytes); n > 0;) {
    const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
    if (sent <= 0) return; /* it has heard enough */
    bytes += sent, n -= (gsize)sent;
  }
}

/* Reads until `part` has come, or the end where it is NULL; returns all. */
static char *hear(int fd, const char *part) {
  GString *all = g_string_new(NULL);
  const gint64 end = g_get_monotonic_time() + SECONDS * G_USEC_PER_SEC;
  char bytes[4096];
  while (!part || !strstr(all->str, part)) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    const gint64 left = (end - g_get_monotonic_time()) / 1000;
    if (left <= 0 || poll(&ready, 1, (int)left) != 1)
      g_error("no answer; expected '%s' in: %s", part ? part : "the end", all->str);
    const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) break;
    g_string_append_len(all, bytes, got);
  }
  return g_string_free(all, FALSE);
}

static char *ask_raw(const char *request) {
  const int fd = connect_to(port);
  say(fd, request);
  char *text = hear(fd, NULL);
  close(fd);
  return text;
}

static char *ask_as(const char *method, const char *path, const char *host) {
  g_autofree char *request = g_strdup_printf(
      "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, path, host);
  return ask_raw(request);
}

static char *ask(const char *path) {
  g_autofree char *host = g_strdup_printf("127.0.0.1:%d", port);
  return ask_as("GET", path, host);
}

static int code_of(const char *answer) {
  int code = 0;
  return sscanf(answer, "HTTP/1.%*d %d", &code) == 1 ? code : 0;
}

static void expect_code(char *answer, int code) {
  if (code_of(answer) != code) g_error("expected %d: %s", code, answer);
  g_free(answer);
}

/* ---- what is answered ---- */

static void test_page(void) {
  static const char *const headers[] = {
      "Content-Security-Policy: default-src 'self'; ", "X-Content-Type-Options: nosniff\r\n",
      "Cross-Origin-Resource-Policy: same-origin\r\n", "Cache-Control: no-store\r\n"};
  g_autofree char *page = ask("/"), *style = ask("/page.css"), *script = ask("/page.js?x=1");
  for (guint i = 0; i < G_N_ELEMENTS(headers); i++) expect(page, headers[i]);
  expect(page, "<html lang=\"en\">");
  expect(page, "aria-live=\"polite\"");
  g_assert_null(strstr(page, "//")); /* nothing of elsewhere */
  expect(style, "Content-Type: text/css");
  expect(style, "--slot-1:#");
  expect(script, "Content-Type: text/javascript");
  expect(script, "new EventSource('events')");
  g_autofree char *head = NULL, *host = g_strdup_printf("LOCALHOST:%d", port);
  head = ask_as("HEAD", "/", host);
  g_assert_cmpint(code_of(head), ==, 200);
  g_assert_true(g_str_has_suffix(head, "\r\n\r\n"));
}

/* Ends of logs, whole lines of them, and files of the folder. */
static void test_files(void) {
  GString *log = g_string_new("first line\n");
  while (log->len < 100000) g_string_append(log, "a line \xff of the log\n");
  g_string_append(log, "last line\n");
  g_autofree char *cell = fake_cell_dir(folder_of_study, "none", 1);
  fake_write(cell, "log.txt", log->str);
  g_autofree char *long_log = ask("/log/3"), *no_log = ask("/log/0");
  expect(long_log, "\r\n\r\na line \xef\xbf\xbd of the log\n");
  g_assert_true(g_str_has_suffix(long_log, "last line\n"));
  g_assert_cmpuint(strlen(long_log), <, 80000);
  g_assert_true(g_str_has_suffix(no_log, "Content-Length: 0\r\n\r\n"));
  fake_write(folder_of_study, "report.html", "<p>report</p>");
  g_autofree char *report = ask("/report.html"), *table = ask("/belief/0/metrics.csv");
  expect(report, "Content-Security-Policy: default-src 'none'; ");
  expect(report, "\r\n\r\n<p>report</p>");
  expect(table, "\r\n\r\nupdate,frames,train.return");
  g_string_free(log, TRUE);
}

/* Names of other hosts, which is how pages of elsewhere come to ask this one. */
static void test_hosts(void) {
  static const char *const refused[] = {
      "evil.example",  "localhost.evil.example:%d", "127.0.0.1", "localhost:1", "0.0.0.0:%d",
      "localhost:%d0", "127.0.0.1:%d.evil.example"};
  static const char *const taken[] = {"localhost:%d", "127.0.0.1:%d", "[::1]:%d"};
  for (guint i = 0; i < G_N_ELEMENTS(refused) + G_N_ELEMENTS(taken); i++) {
    const bool ok = i >= G_N_ELEMENTS(refused);
    g_auto(GStrv) parts = g_strsplit(ok ? taken[i - G_N_ELEMENTS(refused)] : refused[i], "%d", 2);
    g_autofree char *number = g_strdup_printf("%d", port), *host = g_strjoinv(number, parts);
    expect_code(ask_as("GET", "/", host), ok ? 200 : 403);
    expect_code(ask_as("GET", "/events/", host), ok ? 404 : 403);
  }
  expect_code(ask_raw("GET / HTTP/1.0\r\n\r\n"), 403);
  g_autofree char *two = g_strdup_printf(
      "GET / HTTP/1.1\r\nHost: localhost:%d\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      port);
  g_autofree char *answer = ask_raw(two);
  g_assert_cmpint(code_of(answer) / 100, ==, 4);
}

static void test_methods(void) {
  static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"};
  g_autofree char *host = g_strdup_printf("127.0.0.1:%d", port);
  for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
    g_autofree char *answer = ask_as(methods[i], "/", host);
    g_assert_cmpint(code_of(answer), ==, 405);
    expect(answer, "Allow: GET, HEAD\r\n");
  }
  g_autofree char *body =
      g_strdup_printf("POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 9999999999\r\n\r\n", host);
  expect_code(ask_raw(body), 405); /* at once, without its body */
}

/* Everything that would lead out of the folder; the secret is beside it, and behind links in it. */
static void test_traversal(void) {
  static const char *const paths[] = {"/../secret.txt",
                                      "/belief/../../secret.txt",
                                      "/%2e%2e/secret.txt",
                                      "/..%2fsecret.txt",
                                      "/..%5csecret.txt",
                                      "//secret.txt",
                                      "/./secret.txt",
                                      "/link.txt",
                                      "/away/secret.txt",
                                      "/belief/0/link.csv",
                                      "/secret.txt%00.csv",
                                      "/report.html%00",
                                      "/belief/0/../../../secret.txt",
                                      "http://127.0.0.1/secret.txt",
                                      "secret.txt",
                                      "/log/4",
                                      "/log/-1",
                                      "/log/0/",
                                      "/log/99999999999999999999",
                                      "/log/",
                                      "/lock",
                                      "/.hidden.txt",
                                      "/pipe.txt",
                                      "/belief",
                                      "/belief/0",
                                      "/study.json/",
                                      "/belief//0/metrics.csv"};
  g_autofree char *absolute = g_strconcat("/", dir, "/secret.txt", NULL);
  g_autofree char *line =
      g_strdup_printf("echo secret > secret.txt; ln -s ../secret.txt s/link.txt; ln -s .. s/away; "
                      "ln -s ../../../secret.txt s/belief/0/link.csv; echo secret > s/.hidden.txt; "
                      "mkfifo s/pipe.txt; rm -f s/belief/1/log.txt; "
                      "ln -s ../../../secret.txt s/belief/1/log.txt");
  g_assert_cmpint(shell(dir, line), ==, 0);
  for (guint i = 0; i <= G_N_ELEMENTS(paths); i++) {
    g_autofree char *answer = ask(i < G_N_ELEMENTS(paths) ? paths[i] : absolute);
    if (code_of(answer) / 100 != 4 || strstr(answer, "secret\n"))
      g_error("%s: %s", i < G_N_ELEMENTS(paths) ? paths[i] : absolute, answer);
  }
  g_autofree char *log = ask("/log/1");
  g_assert_cmpint(code_of(log), ==, 200);
  g_assert_null(strstr(log, "secret"));
}

/* Lines and headers that are too long, and bytes that are no request. */
static void test_oversized(void) {
  g_autofree char *long_text = g_strnfill(LARGE, 'a');
  g_autofree char *path = g_strconcat("/", long_text, NULL), *answer = ask(path);
  g_assert_cmpint(code_of(answer), ==, 414);
  g_autofree char *header =
      g_strdup_printf("GET / HTTP/1.1\r\nHost: localhost:%d\r\nX: %s\r\n\r\n", port, long_text);
  g_autofree char *too_large = ask_raw(header);
  g_assert_cmpint(code_of(too_large), ==, 431);
  g_autofree char *noise = ask_raw("\x16\x03\x01\x02\r\n\r\n\r\n");
  g_assert_true(!*noise || code_of(noise) / 100 == 4);
  expect_code(ask("/"), 200);
}

/* ---- watchers ---- */

static int watch(void) {
  const int fd = connect_to(port);
  g_autofree char *request =
      g_strdup_printf("GET /events HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", port);
  say(fd, request);
  return fd;
}

/* Every watcher is told of the whole, then of what comes; while one reads nothing and others send
 * their requests byte by byte, and some go away. */
static void test_watchers(void) {
  int fd[WATCHERS];
  const int slow = watch(), slower = connect_to(port);
  say(slower, "GET / HT");
  for (int i = 0; i < WATCHERS; i++) fd[i] = watch();
  for (int i = 0; i < WATCHERS; i++) {
    g_autofree char *text = hear(fd[i], "\"values\":[");
    expect(text, "Content-Type: text/event-stream\r\n");
    expect(text, "event: study\ndata: {\"study\":\"s\"");
  }
  for (int i = 0; i < WATCHERS; i += 10) close(fd[i]);
  g_autofree char *cell = fake_cell_dir(folder_of_study, "belief", 0);
  g_autofree char *run = fake_read(cell, "run.json");
  g_assert_cmpint(shell(cell, "echo 11,17600,1,1,123.25,1,1,1 >>metrics.csv"), ==, 0);
  fake_write(cell, "run.json", run); /* a cell that is done is looked at again for that alone */
  for (int i = 0; i < WATCHERS; i++) {
    if (i % 10 == 0) continue;
    g_autofree char *text = hear(fd[i], "123.25");
    expect(text, "event: change\ndata: {");
    expect(text, "\"from\":2,\"steps\":[17600.0],\"values\":[123.25]");
    close(fd[i]);
  }
  close(slow), close(slower);
  expect_code(ask("/"), 200);
}

/* After all that came before it has never held much. */
static void test_memory(void) {
  g_autofree char *status = g_strdup_printf("/proc/%s/status", g_subprocess_get_identifier(server));
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(status, &text, NULL, NULL));
  const char *peak = strstr(text, "VmHWM:");
  g_assert_nonnull(peak);
  if (shadow_memory)
    g_test_skip("a sanitizer's own memory counts");
  else
    g_assert_cmpint(atoi(peak + strlen("VmHWM:")), <, KILOBYTES);
}

/* ---- the verb ---- */

static void test_taken(void) {
  g_autofree char *line = g_strdup_printf("serve s --port %d", port);
  g_auto(Run) taken = hunch(dir, line), none = hunch(dir, "serve"),
              far = hunch(dir, "serve s --port 65536");
  g_auto(Run) wrong = hunch(dir, "serve nowhere --port 0");
  g_assert_cmpint(taken.code, ==, 2);
  g_autofree char *words = g_strdup_printf("port %d is taken; give another one, or --port 0", port);
  expect(taken.err, words);
  g_assert_cmpstr(taken.out, ==, "");
  g_assert_cmpint(none.code, ==, 2);
  g_assert_cmpint(far.code, ==, 2);
  g_assert_cmpint(wrong.code, ==, 2);
  expect(wrong.err, "nowhere: not a study folder");
}

/* It is reached through the loopback interface alone. */
static void test_loopback(void) {
  g_autofree char *tcp = NULL, *local = g_strdup_printf(" 0100007F:%04X 00000000:0000 0A ", port);
  g_autofree char *any = g_strdup_printf(" 00000000:%04X ", port);
  g_assert_true(g_file_get_contents("/proc/net/tcp", &tcp, NULL, NULL));
  expect(tcp, local);
  g_assert_null(strstr(tcp, any));
}

static void test_signals(void) {
  int at;
  GSubprocess *other = serve_fixture_begin(dir, "s", &at);
  g_assert_cmpint(at, !=, port);
  const int watcher = connect_to(at);
  g_autofree char *request =
      g_strdup_printf("GET /events HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", at);
  say(watcher, request);
  g_free(hear(watcher, "event: study"));
  serve_fixture_end(other, SIGTERM);
  g_free(hear(watcher, NULL)); /* ends */
  close(watcher);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dir = folder();
  folder_of_study = g_build_filename(dir, "s", NULL);
  fake_study(&study, folder_of_study);
  const char *why = serve_fixture_reason_to_skip(dir);
  if (why) {
    g_print("1..0 # SKIP %s\n", why);
    return 0;
  }
  server = serve_fixture_begin(dir, "s", &port);
  g_test_add_func("/serve/page", test_page);
  g_test_add_func("/serve/files", test_files);
  g_test_add_func("/serve/hosts", test_hosts);
  g_test_add_func("/serve/methods", test_methods);
  g_test_add_func("/serve/traversal", test_traversal);
  g_test_add_func("/serve/oversized", test_oversized);
  g_test_add_func("/serve/watchers", test_watchers);
  g_test_add_func("/serve/memory", test_memory);
  g_test_add_func("/serve/taken", test_taken);
  g_test_add_func("/serve/loopback", test_loopback);
  g_test_add_func("/serve/signals", test_signals);
  const int result = g_test_run();
  serve_fixture_end(server, SIGINT);
  g_free(folder_of_study);
  remove_folder(dir);
  return result;
}
