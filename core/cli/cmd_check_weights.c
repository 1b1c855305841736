/* cmd_check_weights.c - `hunch check-weights`, which the verbs that take a study start for arms
 * that begin with the weights of a checkpoint: reads the question from stdin, prints what does not
 * fit. */
#include "arm_weights_check.h"
#include "verbs.h"
#include <stdio.h>

int hn_cmd_check_weights(int argc, char **argv) {
  (void)argv;
  if (argc != 1) return HN_EXIT_USAGE;
  g_autoptr(GString) text = g_string_new(NULL);
  char part[4096];
  for (gsize n; (n = fread(part, 1, sizeof part, stdin)) > 0;)
    g_string_append_len(text, part, (gssize)n);
  return hn_arm_weights_check_answer(text->str, text->len) ? HN_EXIT_DONE : HN_EXIT_FAILED;
}
