/* check_weights.h - the law that weights suffice to act, which is what packages and warm starts
 * rely on. */
#ifndef HN_CHECK_WEIGHTS_H
#define HN_CHECK_WEIGHTS_H
#include "check.h"

/* Whether held-out tasks are acted in, to the bit, as before, once what the plugin keeps for
 * learning is as create left it; skipped where it keeps nothing for that. */
HnVerdict hn_check_weights_suffice(const HnCell *cell, HnKind kind, GString *why);
#endif
