/* memory_budget.h - estimates the memory of a cell before it is allocated, so that a study that
 * asks for too much gets an error and is not killed. */
#ifndef HN_MEMORY_BUDGET_H
#define HN_MEMORY_BUDGET_H
#include "session.h"

/* HN_E_SHAPE, naming the sizes to lower, if experience and evaluation take more than `limit` bytes
 * by the shapes that `s` knows so far.  What plugins keep is not counted. */
HnStatus hn_memory_budget_check(const HnSession *s, double limit);
#endif
