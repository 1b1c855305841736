/* encoder.c - see encoder.h. */
#include "encoder.h"
#include <hunch/encode.h>

VaribadSteps varibad_steps_new(const Varibad *v, int64_t n) {
  return (VaribadSteps){
      .state = varibad_zeros(v, n * v->state_dim),
      .action = v->reads_actions ? varibad_zeros(v, n * v->action_dim) : NULL,
      .reward = varibad_zeros(v, n),
  };
}

void varibad_put_step(const Varibad *v, const HnHistory *h, int64_t t, int64_t row,
                      const VaribadSteps *s, int64_t to) {
  int64_t at = hn_at(h, t - 1, row), n = v->state_dim;
  memcpy(s->state + to * n, h->next_obs + at * v->obs_dim, (size_t)v->obs_dim * sizeof(float));
  if (n > v->obs_dim) s->state[to * n + v->obs_dim] = h->begin[hn_at(h, t, row)] == HN_NEW_EPISODE;
  if (s->action)
    hn_encode_action(h, at, v->action_dim, v->discrete, s->action + to * v->action_dim);
  s->reward[to] = h->reward[at];
}

void varibad_put_before(const Varibad *v, const HnHistory *h, int64_t t, int64_t row, float *to) {
  int64_t o = v->obs_dim, at = hn_at(h, t, row), past = hn_at(h, t - 1, row);
  bool crosses = v->p->cross_resets && h->begin[at] == HN_NEW_EPISODE;
  memcpy(to, crosses ? h->next_obs + past * o : h->obs + at * o, (size_t)o * sizeof *to);
  if (v->state_dim > o) to[o] = crosses;
}

/* The n steps side by side as [action; state; reward], what is not read left out. */
static float *join_steps(HnTape *t, int64_t n, const VaribadSteps *s, const int64_t *width,
                         int64_t all) {
  const float *part[] = {s->action, s->state, s->reward};
  float *x = hn_tape_room(t, n * all, sizeof *x), *to = x;
  for (int64_t i = 0; i < n; i++)
    for (int k = 0; k < 3; to += width[k++])
      if (width[k]) memcpy(to, part[k] + i * width[k], (size_t)width[k] * sizeof *to);
  return x;
}

/* What the GRU reads of n steps joined. */
static HnVar *embed_steps(const Varibad *v, HnTape *t, int64_t n, const float *joined,
                          const int64_t *width, int64_t all, float *flat) {
  const HnMlp *const net[] = {&v->embed_action, &v->embed_state, &v->embed_reward};
  HnVar *x = hn_constant(t, n, all, joined), *part[3];
  int64_t count = 0;
  for (int64_t k = 0, from = 0; k < 3; from += width[k++])
    if (width[k]) part[count++] = hn_mlp(t, net[k], hn_columns(t, x, from, width[k]), flat);
  return count == 1 ? part[0] : hn_concat(t, count, part);
}

HnVar *varibad_encode(const Varibad *v, HnTape *t, int64_t steps, int64_t rows,
                      const VaribadSteps *s, const float *h0, const uint8_t *reset, float *flat) {
  const int64_t n = steps * rows, width[] = {v->embed_action.layers ? v->action_dim : 0,
                                             v->embed_state.layers ? v->state_dim : 0,
                                             v->embed_reward.layers ? 1 : 0};
  const int64_t all = width[0] + width[1] + width[2];
  const float *joined = join_steps(t, n, s, width, all);
  HnVar *carry = hn_constant(t, rows, v->hidden, h0);
  const float *distinct;
  const int32_t *row;
  const int64_t count = hn_shared_rows(t, n, all, joined, &distinct, &row);
  HnVar *x = embed_steps(v, t, count, distinct, width, all, flat);
  return hn_rnn_picked(t, &v->gru, steps, x, row, carry, reset, flat).state[0];
}

HnVar *varibad_moments(const Varibad *v, HnTape *t, HnVar *h, float *flat) {
  return hn_linear(t, h, hn_param(t, v->head, flat), hn_param(t, v->bias, flat), HN_LINEAR);
}
