/* check.h - conformance: the promises of the ABI's headers as laws, by which a plugin of any origin
 * is judged within seconds.
 *
 * A law is judged on a cell: the plugin in question and those it runs with, which are stand-ins
 * (stand_in.h) where none are named. */
#ifndef HN_CHECK_H
#define HN_CHECK_H
#include "cell.h"

typedef enum HnVerdict { HN_LAW_KEPT, HN_LAW_BROKEN, HN_LAW_SKIPPED } HnVerdict;

typedef struct HnLaw {
  const char *name;    /* "batch-invariance" */
  const char *promise; /* what the headers say, in one sentence */
  /* why: the first difference found, or why the law could not be judged; unchanged where it is
   * kept. */
  HnVerdict (*judge)(const HnCell *cell, GString *why);
} HnLaw;

/* Grows with every change of what the laws ask. */
enum { HN_LAWS_VERSION = 6 };

/* The laws of a kind of plugin; the table ends at name == NULL. */
const HnLaw *hn_check_laws(HnKind kind);
/* Whether the law of repeated runs lets a second pass between them, so that a plugin that reads the
 * clock is found out; true unless it is set, as by tests that judge much. */
extern bool hn_check_lets_time_pass;

/* Whether plugins of every kind have this law. */
bool hn_check_is_common(const HnLaw *law);
/* Judges in a fork, within hn_apart_limits (apart.h): a plugin that crashes, exits, loops or takes
 * too much breaks the law, for a reason that names the call.  The process should not have called
 * the plugin before, and must have no other threads. */
HnVerdict hn_check_judge(const HnLaw *law, const HnCell *cell, GString *why);
/* One verdict of two about the same law: broken in one is broken, kept in one is kept. */
HnVerdict hn_check_both(HnVerdict a, HnVerdict b);
/* "kept", "broken", "skipped". */
const char *hn_verdict_name(HnVerdict verdict);
#endif
