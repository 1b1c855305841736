/* request.c - see request.h. */
#include "request.h"
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool hn_request_host_is_local(const char *host, int port) {
  static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *with_port = g_strdup_printf("%s:%d", names[i], port);
    if (g_ascii_strcasecmp(host, with_port) == 0) return true;
    if (port == 80 && g_ascii_strcasecmp(host, names[i]) == 0) return true;
  }
  return false;
}

/* ---- what a path stands for ---- */

#define HTML "text/html; charset=utf-8"
#define TEXT "text/plain; charset=utf-8"

static const struct {
  const char *path;
  HnRouteKind kind;
  const char *type;
} things[] = {
    {"/", HN_ROUTE_PAGE, HTML},
    {"/page.css", HN_ROUTE_STYLE, "text/css; charset=utf-8"},
    {"/page.js", HN_ROUTE_SCRIPT, "text/javascript; charset=utf-8"},
    {"/favicon.ico", HN_ROUTE_ICON, "image/svg+xml"}, /* the name that browsers ask for */
    {"/events", HN_ROUTE_EVENTS, "text/event-stream"},
};

/* Of files, by the end of their names. */
static const struct {
  const char *end, *type;
} types[] = {
    {".html", HTML},
    {".svg", "image/svg+xml"},
    {".pdf", "application/pdf"},
    {".csv", TEXT},
    {".json", TEXT},
    {".yaml", TEXT},
    {".txt", TEXT},
    {".md", TEXT},
    {".tex", TEXT},
};

static HnRoute log_route(const char *index, int64_t cells) {
  const gsize digits = strspn(index, G_CSET_DIGITS);
  const int64_t cell =
      digits && digits < 10 && !index[digits] ? g_ascii_strtoll(index, NULL, 10) : -1;
  if (cell < 0 || cell >= cells) return (HnRoute){.kind = HN_ROUTE_NONE};
  return (HnRoute){.kind = HN_ROUTE_LOG, .cell = cell, .type = TEXT};
}

/* Whether every part is a name. */
static bool is_plain(const char *path) {
  g_auto(GStrv) part = g_strsplit(path, "/", -1);
  for (int i = 0; part[i]; i++) {
    const gsize known = strspn(part[i], G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");
    if (part[i][0] == '.' || !known || part[i][known]) return false;
  }
  return true;
}

static HnRoute file_route(const char *file) {
  for (guint i = 0; is_plain(file) && i < G_N_ELEMENTS(types); i++)
    if (g_str_has_suffix(file, types[i].end))
      return (HnRoute){.kind = HN_ROUTE_FILE, .file = file, .type = types[i].type};
  return (HnRoute){.kind = HN_ROUTE_NONE};
}

HnRoute hn_request_route(const char *path, int64_t cells) {
  for (guint i = 0; i < G_N_ELEMENTS(things); i++)
    if (g_str_equal(path, things[i].path))
      return (HnRoute){.kind = things[i].kind, .type = things[i].type};
  if (g_str_has_prefix(path, "/log/")) return log_route(path + strlen("/log/"), cells);
  return path[0] == '/' ? file_route(path + 1) : (HnRoute){.kind = HN_ROUTE_NONE};
}

/* ---- files ---- */

static bool is_file(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

int hn_request_open(int folder, const char *path) {
  g_auto(GStrv) part = g_strsplit(path, "/", -1);
  int at = fcntl(folder, F_DUPFD_CLOEXEC, 0);
  for (int i = 0; part[i] && at >= 0; i++) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    const bool up = g_str_equal(part[i], "..");
    const int next = up ? -1 : openat(at, part[i], part[i + 1] ? flags | O_DIRECTORY : flags);
    close(at);
    at = next;
  }
  if (at < 0 || is_file(at)) return at;
  close(at);
  return -1;
}
