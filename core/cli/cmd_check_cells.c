/* cmd_check_cells.c - `hunch check-cells METRIC`, which the verbs that take a study start to make
 * the plugins of its arms once: reads cells from stdin, says what is wrong with each. */
#include "session_check.h"
#include "verbs.h"

int hn_cmd_check_cells(int argc, char **argv) {
  if (argc != 2) return HN_EXIT_USAGE;
  hn_session_check_answer(argv[1]);
  return HN_EXIT_DONE;
}
