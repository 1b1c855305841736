/* network.h - the agent's networks, and a window of some rows through them. */
#ifndef VRNN_NETWORK_H
#define VRNN_NETWORK_H
#include "vrnn.h"

/* The network unrolled over observations 0 .. count - 1 of rows first .. first + n - 1; arrays are
 * by time, so element (t, i) is at t n + i. */
typedef struct VrnnUnroll {
  const Vrnn *m;
  const HnBeliefUpdate *q;
  int64_t first, n, count;
  bool mean_only; /* nothing but posterior means will be asked for */
  HnTape tape;
  float *flat;             /* gradients of the weights; NULL: values only */
  uint8_t *fresh, *masked; /* where a task begins; where its first observation is not read */
  HnVar *out;              /* [.., vrnn_output_width] what gradients come back through */
  float *mean, *context;   /* [.., F], [.., C]; 0 where masked */
  const float *cov_params; /* [.., W] */
  const float *act;        /* [.., E] embedded action of the step before; NULL: no head */
  HnRnnRun run;            /* states after each observation */
  const float *gates;      /* [.., gates] the inputs' share of the gates' sums */
} VrnnUnroll;

/* Columns of `out`: mean, covariance parameters, context, embedded action; the last if there is a
 * head. */
static inline int64_t vrnn_context_column(const Vrnn *m) {
  return m->F + m->W;
}
static inline int64_t vrnn_act_column(const Vrnn *m) {
  return m->F + m->W + m->C;
}
static inline int64_t vrnn_output_width(const Vrnn *m) {
  return vrnn_act_column(m) + (m->head.net.layers ? m->E : 0);
}

/* flat: gradients [store.size], set to 0; NULL: values only. */
VrnnUnroll vrnn_unroll_open(const Vrnn *m, const HnBeliefUpdate *q, int64_t first, int64_t n,
                            float *flat);
/* What the cell carries of each row, [n, carry], from row memory. */
float *vrnn_unroll_carries(const VrnnUnroll *u);
/* Runs the networks from these carries. */
void vrnn_unroll(VrnnUnroll *u, const float *carries);
/* Leaves the last carries in row memory. */
void vrnn_unroll_keep(const VrnnUnroll *u);
static inline char *vrnn_unroll_row(const VrnnUnroll *u, int64_t i) {
  return (char *)u->q->state + (size_t)(u->first + i) * u->m->row.size;
}

HnVar *vrnn_embed(HnTape *t, const VrnnEmbedding *e, HnVar *x, float *flat);
/* What the head predicts from S draws of z, each [n, F], the context [n, C] (NULL: none) and
 * embedded actions [n, E] that they share: y, one for each. */
void vrnn_heads(HnTape *t, const VrnnHead *head, int64_t S, HnVar *const *z, HnVar *context,
                HnVar *act, float *flat, HnVar **y);
/* The signal's standard deviation, [1, 1]. */
HnVar *vrnn_signal_stddev(HnTape *t, const Vrnn *m, float *flat);
#endif
