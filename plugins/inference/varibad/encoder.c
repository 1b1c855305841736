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

HnVar *varibad_encode(const Varibad *v, HnTape *t, int64_t steps, int64_t rows,
                      const VaribadSteps *s, const float *h0, const uint8_t *reset, float *flat) {
  HnVar *part[3];
  int64_t n = steps * rows, count = 0;
  if (v->embed_action.layers)
    part[count++] = hn_mlp(t, &v->embed_action, hn_constant(t, n, v->action_dim, s->action), flat);
  if (v->embed_state.layers)
    part[count++] = hn_mlp(t, &v->embed_state, hn_constant(t, n, v->state_dim, s->state), flat);
  if (v->embed_reward.layers)
    part[count++] = hn_mlp(t, &v->embed_reward, hn_constant(t, n, 1, s->reward), flat);
  HnVar *x = count == 1 ? part[0] : hn_concat(t, count, part);
  return hn_rnn(t, &v->gru, steps, x, hn_constant(t, rows, v->hidden, h0), reset, flat).state[0];
}

HnVar *varibad_moments(const Varibad *v, HnTape *t, HnVar *h, float *flat) {
  return hn_linear(t, h, hn_param(t, v->head, flat), hn_param(t, v->bias, flat), HN_LINEAR);
}
