/* trmrl.h - TrMRL as a library: the windows of a row's newest tokens, and beliefs that are what the
 * transformer says of them.
 * Source: Melo 2022, arXiv 2206.06614; see docs/methods/trmrl.md. */
#ifndef HN_TRMRL_H
#define HN_TRMRL_H
#include "transformer.h"

typedef struct Trmrl {
  Transformer net;
  size_t row_size; /* of a row's memory; a plugin may have more behind the tokens */
  Windows windows; /* of the last forward, until its backward */
} Trmrl;

/* A row's memory: its newest tokens, one fewer than a window has, the oldest first. */
typedef struct TrmrlRow {
  int64_t count;
  float token[]; /* [count, in] */
} TrmrlRow;

TrmrlRow *trmrl_row(const Trmrl *m, const HnBeliefUpdate *q, int64_t i);
/* Whether row i remembers nothing at time t but what it sees there. */
bool trmrl_begins(const Trmrl *m, const HnHistory *h, int64_t t, int64_t i);
/* The windows of all times, row by row: number i (T + 1) + t is row i's at time t.  In scratch;
 * rows then remember what they have seen. */
Windows trmrl_windows(const Trmrl *m, const HnBeliefUpdate *q);

/* The plugin's methods, as in hunch/inference.h; self is a Trmrl, or begins with one. */
HnStatus trmrl_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);
HnStatus trmrl_infer(void *self, HnBeliefUpdate *q);
HnStatus trmrl_forward(void *self, HnBeliefUpdate *q);
HnStatus trmrl_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2);
#endif
