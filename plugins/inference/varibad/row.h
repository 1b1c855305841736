/* row.h - what a row remembers beside its hidden state, where beliefs are mixtures or rewards may
 * be virtual: the stream of its draws, where it stands in its trial, and what its virtual rewards
 * are decoded from.  Draws come from a stream for each time of a trial, so that they do not depend
 * on how often the belief is asked for samples. */
#ifndef HN_VARIBAD_ROW_H
#define HN_VARIBAD_ROW_H
#include "varibad.h"

typedef struct VaribadRow {
  uint64_t seed;              /* of the trial's draws */
  int64_t time, episode_time; /* steps of the trial, of its episode so far */
  int64_t drawn;              /* whether the code is drawn; behind it max(K, d) floats: the code */
} VaribadRow;

/* Bytes of row memory. */
size_t varibad_row_size(const Varibad *v);

static inline float *varibad_hidden_of(const Varibad *v, const void *state, int64_t i) {
  return (float *)(void *)((char *)(uintptr_t)state + (size_t)i * v->row_size);
}
/* If v->follows. */
static inline VaribadRow *varibad_row_of(const Varibad *v, const void *state, int64_t i) {
  size_t hidden = ((size_t)v->hidden * sizeof(float) + 7) / 8 * 8;
  return (VaribadRow *)(void *)((char *)varibad_hidden_of(v, state, i) + hidden);
}
/* y [K] of a virtual trial, or its z [d]. */
static inline float *varibad_code_of(const Varibad *v, const void *state, int64_t i) {
  return (float *)(void *)(varibad_row_of(v, state, i) + 1);
}

/* The stream of a row's draws at its time: y's Gumbel noise [K], then z's normals [S, d]. */
static inline HnRng varibad_draws_of(const VaribadRow *r) {
  return hn_rng(r->seed, (uint64_t)r->time);
}

/* Follows rows along a window, in row memory; place [T+1, B]: what each was at each time, its code
 * aside. */
void varibad_follow(const Varibad *v, HnBeliefUpdate *q, VaribadRow *place);
/* Writes the mixture's beliefs and info of hidden states h [(T+1) B, hidden].
 * Errors: HN_E_NUMERIC. */
HnStatus varibad_put_mixture(const Varibad *v, HnBeliefUpdate *q, HnTape *t, HnVar *h,
                             const VaribadRow *place);
#endif
