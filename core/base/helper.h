/* helper.h - another process, for what may crash, exit or never return: code of plugins that nobody
 * has tried yet.  It is this program once more, as an internal verb, or a fork of it. */
#ifndef HN_HELPER_H
#define HN_HELPER_H
#include "call_record.h"
#include <stdio.h>

typedef struct HnHelper {
  char *out;           /* what it said */
  char *death;         /* "killed by signal 11 (Segmentation fault)"; NULL: it ended by itself */
  HnCallRecord record; /* where it was */
} HnHelper;

/* Runs `hunch ARGV..` with `input` on stdin until it ends, or is killed because it did not advance
 * its record's `update` for so many seconds (as HnHelperLimits counts them) or took all memory.
 * False with the reason if it cannot be started. */
bool hn_helper_run(const char *const *argv, const GString *input, double seconds, HnHelper *h,
                   GError **error);
void hn_helper_clear(HnHelper *h);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HnHelper, hn_helper_clear)

/* What a process may take. */
typedef struct HnHelperLimits {
  double seconds;     /* without advancing its record's `update`, less those that its first thread
                         waits for a processor: a busy machine is not a plugin's fault */
  double cpu_seconds; /* of a processor, whole ones; 0: any */
  double bytes;       /* of memory; 0: what the machine has */
} HnHelperLimits;

/* Runs `act` in a fork of this process.  Why it did not return, within so many seconds, in the
 * words of `death`; NULL: it did.  Free with g_free.  For a process without other threads. */
char *hn_helper_try(void (*act)(void *arg), void *arg, double seconds);
/* The same within limits.  where: out, the calls that it was in at its end, or NULL. */
char *hn_helper_try_within(void (*act)(void *arg), void *arg, const HnHelperLimits *limits,
                           HnCallRecord *where);

/* For the verb itself: all of stdin, free with g_string_free; and where to say what becomes `out`,
 * since plugins may print to stdout, which from here on goes nowhere.  Calls into plugins are
 * recorded from here on. */
GString *hn_helper_input(void);
FILE *hn_helper_begin(void);
/* Notes that the process ends by itself from here on. */
void hn_helper_end(void);
#endif
