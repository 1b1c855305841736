/* cmd_check_weights.c - `hunch check-weights`, which the verbs that take a study start for arms
 * that begin with the weights of a checkpoint: reads the question from stdin, prints what does not
 * fit. */
#include "arm_weights_check.h"
#include "verbs.h"

int hn_cmd_check_weights(int argc, char **argv) {
  (void)argv;
  if (argc != 1) return HN_EXIT_USAGE;
  hn_arm_weights_check_answer();
  return HN_EXIT_DONE;
}
