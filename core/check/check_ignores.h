/* check_ignores.h - the law of plugins that say HN_IGNORES_BELIEF. */
#ifndef HN_CHECK_IGNORES_H
#define HN_CHECK_IGNORES_H
#include "check.h"
#include "experience.h"

/* Whether what a policy or an inference learns is the same, to the bit, where every belief of the
 * window has become another before its learn; skipped where it does not say that it ignores them.
 */
HnVerdict hn_check_learns_without_belief(const HnCell *cell, HnKind kind, GString *why);
/* Every belief of a window becomes another number. */
void hn_check_change_beliefs(const HnExperience *w);
#endif
