/* memory_budget.h - estimates the memory of a cell before it is allocated, so that a study that
 * asks for too much gets an error and is not killed. */
#ifndef HN_MEMORY_BUDGET_H
#define HN_MEMORY_BUDGET_H
#include "session.h"

/* HN_E_SHAPE, naming the sizes to lower, if experience and evaluation take more than `limit` bytes
 * by the shapes that `s` knows so far, and with what its plugins keep. */
HnStatus hn_memory_budget_check(const HnSession *s, double limit);
/* Bytes of memory that the cell comes to before scratch: all that its plugins allocated in create
 * (kept arrays, their gradients, room to work in), its experience and an evaluation by their
 * shapes. Not the program, simulators' own models and threads either. */
double hn_memory_budget_bytes(const HnSession *s);
/* "1.20 GB of experience, 440 MB kept by varibad once full, most of it replay.obs"; g_free. */
char *hn_memory_budget_text(const HnSession *s);
#endif
