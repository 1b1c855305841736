/* request.h - what a request to the page of a study may be: whose host it names, which thing its
 * path stands for, and files that do not lie elsewhere. */
#ifndef HN_REQUEST_H
#define HN_REQUEST_H
#include <stdbool.h>
#include <stdint.h>

/* Whether a Host header names this machine's own address and the port: localhost, 127.0.0.1 or
 * [::1].  A page of another site whose name resolves to 127.0.0.1 says its own name. */
bool hn_request_host_is_local(const char *host, int port);

typedef enum HnRouteKind {
  HN_ROUTE_NONE,
  HN_ROUTE_PAGE,   /* the page itself */
  HN_ROUTE_STYLE,  /* its CSS */
  HN_ROUTE_SCRIPT, /* its JavaScript */
  HN_ROUTE_ICON,
  HN_ROUTE_EVENTS, /* server-sent events */
  HN_ROUTE_LOG,    /* the end of a cell's log.txt */
  HN_ROUTE_FILE,   /* a file of the folder: the report, its figures, tables of cells */
} HnRouteKind;

typedef struct HnRoute {
  HnRouteKind kind;
  int64_t cell;     /* of a log: its index, arm-major */
  const char *file; /* of a file: its path from the study's folder, a part of the request's; of
                       names that begin with no dot */
  const char *type; /* of what is answered, "text/html; charset=utf-8" */
} HnRoute;

/* path: as it stands in the request, nothing decoded; paths with a % stand for nothing. */
HnRoute hn_request_route(const char *path, int64_t cells);

/* Opens a regular file for reading by its path from an open folder, within it: follows no link at
 * all, and no "..".  Returns -1 where there is none. */
int hn_request_open(int folder, const char *path);
#endif
