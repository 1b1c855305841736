/* memory_budget.h - how much memory a cell will touch, told before it is taken: a study that asks
 * for too much is to be told so, not killed. */
#ifndef HN_MEMORY_BUDGET_H
#define HN_MEMORY_BUDGET_H
#include "session.h"

/* HN_E_SHAPE, with the sizes to lower, if experience and evaluation as far as `s` knows their
 * shapes take more than `limit` bytes.  What plugins keep is not counted. */
HnStatus hn_memory_budget_check(const HnSession *s, double limit);
#endif
