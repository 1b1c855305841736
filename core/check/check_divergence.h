/* check_divergence.h - the law of what a policy says of its own actions (HnPolicy.divergence). */
#ifndef HN_CHECK_DIVERGENCE_H
#define HN_CHECK_DIVERGENCE_H
#include "check.h"

HnVerdict hn_check_divergence(const HnCell *cell, GString *why);
#endif
