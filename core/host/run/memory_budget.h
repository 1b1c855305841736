/* memory_budget.h - estimates the memory of a cell before it is allocated, so that a study that
 * asks for too much gets an error and is not killed. */
#ifndef HN_MEMORY_BUDGET_H
#define HN_MEMORY_BUDGET_H
#include "session.h"

/* HN_E_SHAPE, naming the sizes to lower, if experience and evaluation take more than `limit` bytes
 * by the shapes that `s` knows so far, and with what its plugins keep. */
HnStatus hn_memory_budget_check(const HnSession *s, double limit);
/* "1.2 GB of experience, 0.44 GB kept by varibad once full, most of it replay.obs"; g_free. */
char *hn_memory_budget_text(const HnSession *s);
#endif
