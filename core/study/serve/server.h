/* server.h - the page of a study on its way, for browsers on this machine: the deciding metric's
 * curves, the cells, the ends of their logs, and the report's files. */
#ifndef HN_SERVER_H
#define HN_SERVER_H
#include <glib.h>

typedef struct HnServer HnServer;

/* Listens on 127.0.0.1 alone; port 0: any that is free.  NULL with an error: as hn_feed_new;
 * HN_ERROR_REFUSED where the port is taken; HN_ERROR_MISSING, saying what, without libmicrohttpd.
 */
HnServer *hn_server_new(const char *dir, int port, GError **error);
/* Ends all connections. */
void hn_server_free(HnServer *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnServer, hn_server_free)
int hn_server_port(const HnServer *s);
/* Answers until SIGINT, SIGTERM or SIGHUP.  All in this thread: the folder is looked at once a
 * second, while anybody watches. */
void hn_server_run(HnServer *s);
#endif
