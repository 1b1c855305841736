/* network.c - see network.h. */
#include "network.h"
#include "posterior.h"

HnVar *vrnn_embed(HnTape *t, const VrnnEmbedding *e, HnVar *x, float *flat) {
  return hn_layer_norm_by(t, &e->norm, hn_mlp(t, &e->net, x, flat), flat);
}

HnVar *vrnn_head(HnTape *t, const VrnnHead *head, HnVar *z, HnVar *context, HnVar *act,
                 float *flat) {
  HnVar *part[3] = {z, context ? context : act, act};
  HnVar *x = hn_concat(t, context ? 3 : 2, part);
  return hn_mlp(t, &head->net, hn_layer_norm_by(t, &head->norm, x, flat), flat);
}

HnVar *vrnn_signal_stddev(HnTape *t, const Vrnn *m, float *flat) {
  HnVar *x = hn_add(t, hn_param(t, m->head.sigma_w, flat), hn_param(t, m->head.sigma_b, flat));
  if (m->p->upstream_sigma) return hn_softplus(t, hn_clamp(t, x, 0.001f, 5));
  return hn_clamp(t, hn_softplus(t, x), 0.001f, 5);
}

/* ---- inputs ---- */

VrnnUnroll vrnn_unroll_open(const Vrnn *m, const HnBeliefUpdate *q, int64_t first, int64_t n,
                            float *flat) {
  const HnHistory *h = q->history;
  VrnnUnroll u = {.m = m, .q = q, .first = first, .n = n, .count = h->steps + 1, .flat = flat};
  u.tape = hn_tape_begin(m->host, flat != NULL);
  if (flat) memset(flat, 0, (size_t)m->store.size * sizeof *flat);
  u.fresh = m->host->scratch(m->host, 2 * u.count * n, 1), u.masked = u.fresh + u.count * n;
  for (int64_t t = 0; t < u.count; t++)
    for (int64_t i = 0; i < n; i++) {
      bool fresh = h->begin[hn_at(h, t, first + i)] == HN_NEW_TASK;
      u.fresh[t * n + i] = fresh, u.masked[t * n + i] = fresh && !m->p->see_first;
    }
  return u;
}

float *vrnn_unroll_carries(const VrnnUnroll *u) {
  const Vrnn *m = u->m;
  float *carries = vrnn_floats(m, u->n * m->rnn.carry);
  for (int64_t i = 0; i < u->n; i++)
    memcpy(carries + i * m->rnn.carry, vrnn_unroll_row(u, i) + m->row.carry,
           (size_t)m->rnn.carry * sizeof *carries);
  return carries;
}

/* [.., obs.in] */
static float *observations(VrnnUnroll *u) {
  const Vrnn *m = u->m;
  const HnHistory *h = u->q->history;
  float *x = hn_tape_room(&u->tape, u->count * u->n * m->obs.in, sizeof *x), *to = x;
  for (int64_t t = 0; t < u->count; t++)
    for (int64_t i = 0; i < u->n; i++) {
      int64_t at = hn_at(h, t, u->first + i);
      bool fresh = u->fresh[t * u->n + i];
      memcpy(to, h->obs + at * m->obs_dim, (size_t)m->obs_dim * sizeof *to), to += m->obs_dim;
      if (m->p->see_reward) *to++ = fresh ? 0 : h->reward[at - h->stride];
      if (m->p->see_episodes) *to++ = h->begin[at] == HN_NEW_EPISODE;
    }
  return x;
}

/* The action of element `at` of h as the network reads it; to: zeroed. */
static void put_action(const Vrnn *m, const HnHistory *h, int64_t at, float *to) {
  if (!m->discrete)
    memcpy(to, h->action + at * m->action_dim, (size_t)m->action_dim * sizeof *to);
  else if (m->p->act_input == ACT_INDEX)
    *to = (float)h->action_index[at];
  else
    to[h->action_index[at]] = 1;
}

/* [.., act.in], of the step before each observation; 0 where a task begins, unless a head needs the
 * action that ended the task before. */
static float *actions(VrnnUnroll *u) {
  const Vrnn *m = u->m;
  const HnHistory *h = u->q->history;
  float *x = hn_tape_room(&u->tape, u->count * u->n * m->act.in, sizeof *x);
  for (int64_t k = 0; k < u->count * u->n; k++)
    if (!u->fresh[k] || (k >= u->n && m->head.net.layers))
      put_action(m, h, hn_at(h, k / u->n - 1, u->first + k % u->n), x + k * m->act.in);
  return x;
}

/* Embedded actions as the cell reads them: of action 0 where a task begins. */
static HnVar *cell_actions(VrnnUnroll *u, HnVar *act) {
  const Vrnn *m = u->m;
  HnTape *t = &u->tape;
  int64_t rows = act->rows, found = 0;
  for (int64_t k = u->n; k < rows; k++) found += u->fresh[k];
  if (!found || !m->head.net.layers) return act;
  float *keep = hn_tape_room(t, rows * m->E, sizeof *keep);
  float *begin = hn_tape_room(t, rows, sizeof *begin);
  for (int64_t k = 0; k < rows; k++) begin[k] = k >= u->n && u->fresh[k];
  for (int64_t k = 0; k < rows * m->E; k++) keep[k] = 1 - begin[k / m->E];
  const float *none = hn_tape_room(t, m->act.in, sizeof *none);
  HnVar *zero = vrnn_embed(t, &m->act, hn_constant(t, 1, m->act.in, none), u->flat);
  HnVar *kept = hn_mul(t, act, hn_constant(t, rows, m->E, keep));
  return hn_add(t, kept, hn_matmul(t, hn_constant(t, rows, 1, begin), zero));
}

/* Where the state is reset: at a new task, and after a masked observation.  NULL: nowhere. */
static uint8_t *resets(VrnnUnroll *u) {
  int64_t rows = u->count * u->n, any = 0;
  uint8_t *reset = hn_tape_room(&u->tape, rows, 1);
  for (int64_t k = 0; k < rows; k++) {
    reset[k] = u->fresh[k] || (k >= u->n && u->masked[k - u->n]);
    any += reset[k];
  }
  return any ? reset : NULL;
}

/* ---- the window ---- */

/* A copy of values [.., n], 0 where masked. */
static float *unmasked(VrnnUnroll *u, const HnVar *x) {
  int64_t rows = x->rows, n = x->cols;
  float *y = vrnn_floats(u->m, rows * n);
  memcpy(y, x->data, (size_t)(rows * n) * sizeof *y);
  for (int64_t k = 0; k < rows; k++)
    if (u->masked[k]) memset(y + k * n, 0, (size_t)n * sizeof *y);
  return y;
}

void vrnn_unroll(VrnnUnroll *u, const float *carries) {
  const Vrnn *m = u->m;
  HnTape *t = &u->tape;
  int64_t rows = u->count * u->n, parts = 0;
  HnVar *obs = vrnn_embed(t, &m->obs, hn_constant(t, rows, m->obs.in, observations(u)), u->flat);
  HnVar *act = vrnn_embed(t, &m->act, hn_constant(t, rows, m->act.in, actions(u)), u->flat);
  HnVar *x = hn_concat(t, 2, (HnVar *const[]){obs, cell_actions(u, act)});
  HnVar *carry = hn_constant(t, u->n, m->rnn.carry, carries), *part[4];
  u->run = hn_rnn(t, &m->rnn, u->count, x, carry, resets(u), u->flat);
  HnVar *h = u->run.state[0];
  HnVar *mean = part[parts++] = hn_mlp(t, &m->mean, h, u->flat);
  HnVar *cov = NULL, *context = m->p->context == CONTEXT_RSSM ? h : obs;
  if (m->W) cov = part[parts++] = hn_mlp(t, &m->cov, h, u->flat);
  if (m->C) part[parts++] = context;
  if (m->head.net.layers) part[parts++] = act;
  u->out = parts > 1 ? hn_concat(t, parts, part) : mean;
  u->mean = unmasked(u, mean), u->context = m->C ? unmasked(u, context) : NULL;
  u->cov_params = cov ? cov->data : NULL;
  u->act = act->data;
  if (!m->posterior->reads_gates || (u->mean_only && !m->p->track)) return;
  HnTape values = hn_tape_begin(m->host, false);
  HnVar *same = hn_constant(&values, rows, x->cols, x->data);
  u->gates = hn_rnn_input(&values, &m->rnn, same, NULL)->data;
}

void vrnn_unroll_keep(const VrnnUnroll *u) {
  const Vrnn *m = u->m;
  int64_t last = (u->count - 1) * u->n;
  for (int64_t i = 0; i < u->n; i++) {
    float *to = vrnn_row_floats(vrnn_unroll_row(u, i), m->row.carry);
    if (u->masked[last + i])
      memset(to, 0, (size_t)m->rnn.carry * sizeof *to);
    else
      hn_rnn_carries(&u->run, last + i, 1, to);
  }
}
