/* server_absent.c - server.h where libmicrohttpd was not there to build with. */
#include "error.h"
#include "server.h"

HnServer *hn_server_new(const char *dir, int port, GError **error) {
  (void)dir, (void)port;
  hn_error_set(error, HN_ERROR_MISSING,
               "this hunch was built without libmicrohttpd (Debian: libmicrohttpd-dev); `hunch "
               "status --watch` does without");
  return NULL;
}

/* Without a server there is nothing to do. */
void hn_server_free(HnServer *s) {
  g_assert(!s);
}

int hn_server_port(const HnServer *s) {
  g_assert(s);
  return 0;
}

void hn_server_run(HnServer *s) {
  g_assert(s);
}
