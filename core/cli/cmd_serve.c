/* cmd_serve.c - `hunch serve DIR`: a study as it runs, on a page of this machine alone. */
#include "message.h"
#include "options.h"
#include "server.h"
#include "verbs.h"
#include <stdio.h>

#define PORT 6016 /* by default */
enum { PORT_MOST = 65535 };

int hn_cmd_serve(int argc, char **argv) {
  int port = PORT;
  GOptionEntry entries[] = {
      {"port", 0, 0, G_OPTION_ARG_INT, &port,
       "Where it listens on 127.0.0.1; default: " G_STRINGIFY(PORT) ", 0: any port that is free",
       "N"},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one study folder");
  if (port < 0 || port > PORT_MOST)
    return hn_options_refuse(verb, "--port %d: expected 0 to %d", port, PORT_MOST);
  g_autoptr(GError) error = NULL;
  g_autoptr(HnServer) server = hn_server_new(argv[1], port, &error);
  if (!server) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  printf("http://127.0.0.1:%d/\n", hn_server_port(server));
  fflush(stdout);
  hn_server_run(server);
  return HN_EXIT_DONE;
}
