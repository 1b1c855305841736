/* check_process.h - the laws of plugins of every kind about memory and the process, on short runs
 * in which every call is watched. */
#ifndef HN_CHECK_PROCESS_H
#define HN_CHECK_PROCESS_H
#include "check.h"
#include "check_leaks.h"
#include "watch.h"

HnVerdict hn_check_watched(const HnCell *cell, HnKind kind, HnWatchFor what, GString *why);
HnVerdict hn_check_loads(const HnCell *cell, HnKind kind, GString *why);
HnVerdict hn_check_plain(const HnCell *cell, HnKind kind, GString *why);

/* The functions behind HN_CHECK_PROCESS_LAWS, for a table of this kind's laws. */
#define HN_CHECK_PROCESS_FUNCTIONS(KIND)                             \
  static HnVerdict judge_loads(const HnCell *cell, GString *why) {   \
    return hn_check_loads(cell, KIND, why);                          \
  }                                                                  \
  static HnVerdict judge_spec(const HnCell *cell, GString *why) {    \
    return hn_check_watched(cell, KIND, HN_WATCH_SPEC, why);         \
  }                                                                  \
  static HnVerdict judge_memory(const HnCell *cell, GString *why) {  \
    return hn_check_watched(cell, KIND, HN_WATCH_MEMORY, why);       \
  }                                                                  \
  static HnVerdict judge_self(const HnCell *cell, GString *why) {    \
    return hn_check_watched(cell, KIND, HN_WATCH_SELF, why);         \
  }                                                                  \
  static HnVerdict judge_process(const HnCell *cell, GString *why) { \
    return hn_check_watched(cell, KIND, HN_WATCH_PROCESS, why);      \
  }                                                                  \
  static HnVerdict judge_leaks(const HnCell *cell, GString *why) {   \
    return hn_check_leaks(cell, KIND, why);                          \
  }                                                                  \
  static HnVerdict judge_metrics(const HnCell *cell, GString *why) { \
    return hn_check_metrics(cell, KIND, why);                        \
  }                                                                  \
  static HnVerdict judge_plain(const HnCell *cell, GString *why) {   \
    return hn_check_plain(cell, KIND, why);                          \
  }

#define HN_CHECK_PROCESS_LAWS                                                                     \
  {"loads", "Loading it starts no thread or process, opens no file, and sets no signal handler.", \
   judge_loads},                                                                                  \
      {"spec",                                                                                    \
       "What create says of dimensions, splits and tasks is possible, and columns have "          \
       "names of their own.",                                                                     \
       judge_spec},                                                                               \
      {"memory",                                                                                  \
       "Calls write every output to its end and not beyond, write to nothing that is "            \
       "const, and touch nothing once they have returned.",                                       \
       judge_memory},                                                                             \
      {"self", "Calls for rows do not write to the instance, nor to what it allocated.",          \
       judge_self},                                                                               \
      {"process",                                                                                 \
       "Calls leave no thread, process, file, signal handler, folder, umask, locale "             \
       "or floating-point control changed, and after create draw from no randomness "             \
       "of the process.",                                                                         \
       judge_process},                                                                            \
      {"leaks", "Calls give back the memory that they take.", judge_leaks},                       \
      {"metrics", "What is reported to host->metric is finite.", judge_metrics}, {                \
    "plain", "Row memory, and what is kept, holds no addresses.", judge_plain                     \
  }
#endif
