/* cmd_complete.c - `hunch complete WORD..`, which shells ask (shells/): what the last word may
 * become, given the words of the command line before it, without `hunch` itself. */
#include "complete.h"
#include "verbs.h"
#include <stdio.h>

int hn_cmd_complete(int argc, char **argv) {
  if (argc < 2) return HN_EXIT_USAGE;
  g_autofree char *text = hn_complete((const char *const *)argv + 1);
  fputs(text, stdout);
  return HN_EXIT_DONE;
}
