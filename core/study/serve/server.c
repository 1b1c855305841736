/* server.c - see server.h. */
#include "server.h"
#include "broadcast.h"
#include "error.h"
#include "feed.h"
#include "http_library.h"
#include "request.h"
#include "run_dir.h"
#include "serve_page.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  PERIOD_MS = 1000,             /* between two looks at the folder */
  QUIET_LOOKS = 10,             /* without news, after which watchers hear that all is well */
  CONNECTIONS = 200,            /* at once; others wait to be accepted */
  CONNECTION_MEMORY = 16 << 10, /* of a request's line and headers, and of what is being sent */
  IDLE_SECONDS = 30,            /* without a byte, after which a connection is closed */
  STREAM_PART = 4 << 10,
  LOG_END = 64 << 10, /* bytes of a log that are shown */
  RUNS_MOST = 64,     /* rounds of answering before anything else has its turn */
};

struct HnServer {
  const HnHttp *http;
  struct MHD_Daemon *daemon;
  HnFeed *feed;
  HnBroadcast *broadcast;
  GPtrArray *waiting; /* connections of watchers who have had all events */
  GMainLoop *loop;
  char *html, *style, *script, *icon;
  int folder, port;
  gint64 looked; /* microseconds, monotonic */
  int quiet;     /* looks without news */
};

/* ---- answers ---- */

typedef enum MHD_Result Result;
typedef struct MHD_Connection Connection;
typedef struct MHD_Response Response;

#define TEXT         "text/plain; charset=utf-8"
#define NOTHING_ELSE "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
static const char page_policy[] = "default-src 'self'" NOTHING_ELSE;
/* A report has its style in it, and runs nothing. */
static const char file_policy[] =
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'" NOTHING_ELSE;

/* Takes over r; NULL: there was no memory, and the connection ends. */
static Result answer(const HnServer *s, Connection *c, unsigned status, const char *type,
                     const char *policy, Response *r) {
  const char *const headers[][2] = {{"Content-Type", type},
                                    {"Content-Security-Policy", policy},
                                    {"Cache-Control", "no-store"},
                                    {"Cross-Origin-Resource-Policy", "same-origin"},
                                    {"Referrer-Policy", "no-referrer"},
                                    {"X-Content-Type-Options", "nosniff"}};
  if (!r) return MHD_NO;
  for (guint i = 0; i < G_N_ELEMENTS(headers); i++)
    s->http->add_response_header(r, headers[i][0], headers[i][1]);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) s->http->add_response_header(r, "Allow", "GET, HEAD");
  const Result queued = s->http->queue_response(c, status, r);
  s->http->destroy_response(r);
  return queued;
}

static Result answer_text(const HnServer *s, Connection *c, unsigned status, const char *type,
                          const char *text) {
  void *copied = (void *)(guintptr)text;
  return answer(s, c, status, type, page_policy,
                s->http->create_response_from_buffer(strlen(text), copied, MHD_RESPMEM_MUST_COPY));
}

static Result answer_missing(const HnServer *s, Connection *c) {
  return answer_text(s, c, MHD_HTTP_NOT_FOUND, TEXT, "There is nothing of that name.\n");
}

static Result answer_file(const HnServer *s, Connection *c, const HnRoute *route) {
  const int fd = hn_request_open(s->folder, route->file);
  struct stat file;
  if (fd < 0 || fstat(fd, &file) != 0) return answer_missing(s, c);
  Response *r = s->http->create_response_from_fd((size_t)file.st_size, fd); /* closes it */
  return answer(s, c, MHD_HTTP_OK, route->type, file_policy, r);
}

/* The last lines of a cell's log, from the beginning of one; "" where it has none yet. */
static char *end_of_log(const HnServer *s, int64_t index) {
  const HnLiveCell *cell = hn_feed_live(s->feed)->cells->pdata[index];
  g_autofree char *folder = hn_run_dir("", cell->arm, cell->seed_index);
  g_autofree char *path = hn_run_file(folder, HN_FILE_LOG);
  const int fd = hn_request_open(s->folder, path);
  struct stat file;
  if (fd < 0 || fstat(fd, &file) != 0) return g_strdup("");
  const off_t from = MAX(file.st_size - LOG_END, 0);
  g_autofree char *text = g_malloc(LOG_END);
  const ssize_t got = pread(fd, text, LOG_END, from);
  close(fd);
  const char *line = from > 0 && got > 0 ? memchr(text, '\n', (gsize)got) : NULL;
  const gsize cut = line ? (gsize)(line + 1 - text) : 0;
  return g_utf8_make_valid(text + cut, MAX(got, 0) - (gssize)cut);
}

/* ---- watchers ---- */

typedef struct Watch {
  HnServer *server;
  Connection *connection;
  HnWatcher *watcher;
} Watch;

static void watch_free(void *arg) {
  Watch *w = arg;
  hn_watcher_free(w->watcher);
  g_free(w);
}

/* What a watcher has not had; who has had all waits for what comes. */
static ssize_t read_events(void *arg, uint64_t position, char *out, size_t most) {
  Watch *w = arg;
  (void)position;
  const gsize n = hn_watcher_read(w->watcher, out, most);
  if (n) return (ssize_t)n;
  w->server->http->suspend_connection(w->connection);
  g_ptr_array_add(w->server->waiting, w->connection);
  return 0;
}

static void wake(HnServer *s) {
  for (guint i = 0; i < s->waiting->len; i++) s->http->resume_connection(s->waiting->pdata[i]);
  g_ptr_array_set_size(s->waiting, 0);
}

/* Takes over what is to be sent. */
static void tell(HnServer *s, GBytes *event) {
  hn_broadcast_send(s->broadcast, event);
  s->quiet = 0;
  wake(s);
}

static void look(HnServer *s) {
  static const char nothing[] = ":\n\n"; /* a comment; who has gone away is noticed by it */
  GBytes *event = hn_feed_look(s->feed);
  s->looked = g_get_monotonic_time();
  if (event)
    tell(s, event);
  else if (++s->quiet >= QUIET_LOOKS)
    tell(s, g_bytes_new_static(nothing, sizeof nothing - 1));
}

static Result answer_events(HnServer *s, Connection *c, const char *type) {
  const gint64 since = g_get_monotonic_time() - s->looked;
  if (since > 2 * PERIOD_MS * G_TIME_SPAN_MILLISECOND) look(s); /* nobody has been watching */
  Watch *w = g_new0(Watch, 1);
  w->server = s, w->connection = c, w->watcher = hn_watcher_new(s->broadcast);
  Response *r = s->http->create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PART, read_events,
                                                       w, watch_free);
  if (!r) watch_free(w);
  return answer(s, c, MHD_HTTP_OK, type, page_policy, r);
}

/* ---- requests ---- */

typedef struct Hosts {
  const HnServer *server;
  int all, ours;
} Hosts;

static Result count_host(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
  Hosts *h = arg;
  (void)kind;
  if (g_ascii_strcasecmp(name, "Host") != 0) return MHD_YES;
  h->all++;
  if (value && hn_request_host_is_local(value, h->server->port)) h->ours++;
  return MHD_YES;
}

/* Whether the request names one host, and that is this one. */
static bool is_for_us(const HnServer *s, Connection *c) {
  Hosts h = {.server = s};
  s->http->get_connection_values(c, MHD_HEADER_KIND, count_host, &h);
  return h.all == 1 && h.ours == 1;
}

static Result answer_route(HnServer *s, Connection *c, const HnRoute *route) {
  g_autofree char *log = NULL;
  switch (route->kind) {
  case HN_ROUTE_PAGE:
    return answer_text(s, c, MHD_HTTP_OK, route->type, s->html);
  case HN_ROUTE_STYLE:
    return answer_text(s, c, MHD_HTTP_OK, route->type, s->style);
  case HN_ROUTE_SCRIPT:
    return answer_text(s, c, MHD_HTTP_OK, route->type, s->script);
  case HN_ROUTE_ICON:
    return answer_text(s, c, MHD_HTTP_OK, route->type, s->icon);
  case HN_ROUTE_EVENTS:
    return answer_events(s, c, route->type);
  case HN_ROUTE_LOG:
    log = end_of_log(s, route->cell);
    return answer_text(s, c, MHD_HTTP_OK, route->type, log);
  case HN_ROUTE_FILE:
    return answer_file(s, c, route);
  case HN_ROUTE_NONE:
    break;
  }
  return answer_missing(s, c);
}

/* Called when a request's headers are there, for each part of its body, and at its end.  An answer
 * to the first closes the connection, so that what is refused sends no body. */
static Result on_request(void *arg, Connection *c, const char *path, const char *method,
                         const char *version, const char *body, size_t *body_size, void **own) {
  static char begun;
  HnServer *s = arg;
  (void)version, (void)body;
  if (!is_for_us(s, c))
    return answer_text(s, c, MHD_HTTP_FORBIDDEN, TEXT,
                       "Only requests to localhost, 127.0.0.1 or [::1], with the port, are "
                       "answered.\n");
  if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
    return answer_text(s, c, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT, "Only GET and HEAD.\n");
  if (!*own || *body_size) {
    *own = &begun, *body_size = 0;
    return MHD_YES;
  }
  const HnRoute route = hn_request_route(path, hn_feed_live(s->feed)->cells->len);
  return answer_route(s, c, &route);
}

/* Paths stay as they were sent. */
static size_t leave_escaped(void *arg, Connection *c, char *text) {
  (void)arg, (void)c;
  return strlen(text);
}

/* ---- its life ---- */

static int listen_at(int port, GError **error) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
  const struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (const struct sockaddr *)(const void *)&at, sizeof at) == 0 &&
      listen(fd, SOMAXCONN) == 0)
    return fd;
  if (errno == EADDRINUSE)
    hn_error_set(error, HN_ERROR_REFUSED,
                 "port %d is taken; give another one, or --port 0 for any that is free", port);
  else
    hn_error_set(error, HN_ERROR_REFUSED, "port %d: %s", port, g_strerror(errno));
  if (fd >= 0) close(fd);
  return -1;
}

static int port_of(int fd) {
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  return getsockname(fd, (struct sockaddr *)(void *)&at, &size) == 0 ? ntohs(at.sin_port) : 0;
}

static GBytes *state(void *arg) {
  HnServer *s = arg;
  return hn_feed_state(s->feed);
}

static bool start(HnServer *s, int port, GError **error) {
  const int fd = listen_at(port, error);
  if (fd < 0) return false;
  s->port = port_of(fd);
  const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
  s->daemon = s->http->start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
                                    fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                                    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                                    MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
                                    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (s->daemon) return true;
  close(fd);
  return hn_error_set(error, HN_ERROR_PROGRAM, "libmicrohttpd could not start: %s",
                      g_strerror(errno));
}

HnServer *hn_server_new(const char *dir, int port, GError **error) {
  HnServer *s = g_new0(HnServer, 1);
  s->folder = -1;
  s->waiting = g_ptr_array_new();
  s->loop = g_main_loop_new(NULL, FALSE);
  s->html = hn_serve_page_html(), s->style = hn_serve_page_style();
  s->script = hn_serve_page_script(), s->icon = hn_serve_page_icon();
  s->broadcast = hn_broadcast_new(state, s);
  s->looked = g_get_monotonic_time();
  if ((s->http = hn_http_library(error)) && (s->feed = hn_feed_new(dir, error))) {
    s->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (start(s, port, error)) return s;
  }
  hn_server_free(s);
  return NULL;
}

void hn_server_free(HnServer *s) {
  if (!s) return;
  wake(s);
  if (s->daemon) s->http->stop_daemon(s->daemon);
  hn_broadcast_free(s->broadcast);
  hn_feed_free(s->feed);
  if (s->folder >= 0) close(s->folder);
  g_ptr_array_unref(s->waiting);
  g_main_loop_unref(s->loop);
  g_free(s->html), g_free(s->style), g_free(s->script), g_free(s->icon);
  g_free(s);
}

int hn_server_port(const HnServer *s) {
  return s->port;
}

/* Answers what can be answered without waiting; where that is much, the rest in its turn. */
static void serve(gpointer arg) {
  HnServer *s = arg;
  MHD_UNSIGNED_LONG_LONG wait = 1;
  for (int i = 0; i < RUNS_MOST; i++) {
    s->http->run(s->daemon);
    if (s->http->get_timeout(s->daemon, &wait) != MHD_YES || wait > 0) return;
  }
  g_idle_add_once(serve, s);
}

static gboolean on_traffic(gint fd, GIOCondition condition, gpointer arg) {
  (void)fd, (void)condition;
  serve(arg);
  return G_SOURCE_CONTINUE;
}

static gboolean on_tick(gpointer arg) {
  HnServer *s = arg;
  if (hn_broadcast_watchers(s->broadcast)) look(s);
  serve(s); /* closes what has been idle, too */
  return G_SOURCE_CONTINUE;
}

static gboolean on_signal(gpointer arg) {
  HnServer *s = arg;
  g_main_loop_quit(s->loop);
  return G_SOURCE_CONTINUE;
}

void hn_server_run(HnServer *s) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  const int fd = s->http->get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  guint source[G_N_ELEMENTS(signals) + 2];
  for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
    source[i] = g_unix_signal_add(signals[i], on_signal, s);
  source[G_N_ELEMENTS(signals)] = g_unix_fd_add(fd, G_IO_IN, on_traffic, s);
  source[G_N_ELEMENTS(signals) + 1] = g_timeout_add(PERIOD_MS, on_tick, s);
  g_main_loop_run(s->loop);
  for (guint i = 0; i < G_N_ELEMENTS(source); i++) g_source_remove(source[i]);
}
