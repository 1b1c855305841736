/* vrnn_pass.h - a window of some rows through the agent's networks, and what its head answers. */
#ifndef VRNN_PASS_H
#define VRNN_PASS_H
#include "vrnn_model.h"

/* Percepts 0 .. count - 1 of rows first .. first + n - 1 of a thought; arrays are by percept, so
 * element (t, i) is at t n + i. */
typedef struct Pass {
  const Vrnn *m;
  const HnBeliefUpdate *q;
  int64_t first, n, count;
  bool idle; /* nobody asks for anything but means */
  HnTape tape;
  float *flat;           /* gradients; NULL: values only */
  const float *start;    /* [n, carry] */
  uint8_t *fresh, *dark; /* where a task begins; where that shows nothing */
  HnVar *read;           /* [.., width] what gradients come back through: mean, spread, context,
                            embedded action, of which there are those that are asked for */
  float *mean, *context; /* [.., F], [.., C]; 0 where dark */
  const float *spread;   /* [.., W] */
  const float *act;      /* [.., E] of the action before the percept */
  const float *h, *cells,
      *gates; /* [.., H] after each; [.., gates] the inputs' share of the sums */
} Pass;

/* Columns of `read`. */
static int64_t context_at(const Vrnn *m) {
  return m->F + m->W;
}
static int64_t act_at(const Vrnn *m) {
  return m->F + m->W + m->C;
}
static int64_t read_width(const Vrnn *m) {
  return act_at(m) + (m->head.net.layers ? m->E : 0);
}

static char *row_of(const Pass *s, int64_t i) {
  return (char *)s->q->state + (size_t)(s->first + i) * s->m->row.size;
}

/* ---- what goes in ---- */

static void open_pass(Pass *s) {
  const HnHistory *h = s->q->history;
  const HnHost *host = s->m->host;
  s->fresh = host->scratch(host, 2 * s->count * s->n, 1), s->dark = s->fresh + s->count * s->n;
  for (int64_t t = 0; t < s->count; t++)
    for (int64_t i = 0; i < s->n; i++) {
      bool fresh = h->begin[hn_at(h, t, s->first + i)] == HN_NEW_TASK;
      s->fresh[t * s->n + i] = fresh, s->dark[t * s->n + i] = fresh && !s->m->p->see_first;
    }
}

/* Carries that rows begin with, [n, carry]. */
static float *recall(const Pass *s) {
  const Vrnn *m = s->m;
  float *start = floats(m->host, s->n * m->carry);
  for (int64_t i = 0; i < s->n; i++)
    memcpy(start + i * m->carry, row_of(s, i) + m->row.carry, (size_t)m->carry * sizeof(float));
  return start;
}

/* [.., obs.in] */
static float *observations(Pass *s) {
  const Vrnn *m = s->m;
  const HnHistory *h = s->q->history;
  float *x = hn_tape_room(&s->tape, s->count * s->n * m->obs.in, sizeof *x), *to = x;
  for (int64_t t = 0; t < s->count; t++)
    for (int64_t i = 0; i < s->n; i++) {
      int64_t at = hn_at(h, t, s->first + i);
      bool fresh = s->fresh[t * s->n + i];
      memcpy(to, h->obs + at * m->obs_dim, (size_t)m->obs_dim * sizeof *to), to += m->obs_dim;
      if (m->p->see_reward) *to++ = fresh ? 0 : h->reward[at - h->stride];
      if (m->p->see_episodes) *to++ = h->begin[at] == HN_NEW_EPISODE;
    }
  return x;
}

/* n actions as the network sees them, from element `at` of h; to: zeroed. */
static void put_action(const Vrnn *m, const HnHistory *h, int64_t at, float *to) {
  if (!m->discrete)
    memcpy(to, h->action + at * m->action_dim, (size_t)m->action_dim * sizeof *to);
  else if (m->p->act_input == ACT_INDEX)
    *to = (float)h->action_index[at];
  else
    to[h->action_index[at]] = 1;
}

/* [.., act.in]: what was done before each percept; 0 where a task begins, unless a head is to be
 * asked about what ended the one before. */
static float *actions(Pass *s) {
  const Vrnn *m = s->m;
  const HnHistory *h = s->q->history;
  float *x = hn_tape_room(&s->tape, s->count * s->n * m->act.in, sizeof *x);
  for (int64_t k = 0; k < s->count * s->n; k++)
    if (!s->fresh[k] || (k >= s->n && m->head.net.layers))
      put_action(m, h, hn_at(h, k / s->n - 1, s->first + k % s->n), x + k * m->act.in);
  return x;
}

/* Embedded actions as the cell takes them: of action 0 where a task begins. */
static HnVar *forget_actions(Pass *s, HnVar *act) {
  const Vrnn *m = s->m;
  HnTape *t = &s->tape;
  int64_t rows = act->rows, found = 0;
  for (int64_t k = s->n; k < rows; k++) found += s->fresh[k];
  if (!found || !m->head.net.layers) return act;
  float *keep = hn_tape_room(t, rows * m->E, sizeof *keep);
  float *begin = hn_tape_room(t, rows, sizeof *begin);
  for (int64_t k = 0; k < rows; k++) begin[k] = k >= s->n && s->fresh[k];
  for (int64_t k = 0; k < rows * m->E; k++) keep[k] = 1 - begin[k / m->E];
  const float *none = hn_tape_room(t, m->act.in, sizeof *none);
  HnVar *zero = embed(t, &m->act, hn_constant(t, 1, m->act.in, none), s->flat);
  HnVar *kept = hn_mul(t, act, hn_constant(t, rows, m->E, keep));
  return hn_add(t, kept, hn_matmul(t, hn_constant(t, rows, 1, begin), zero));
}

/* ---- the networks ---- */

/* Where the cell starts from nothing: a new task, and the percept after a dark one.  NULL: never.
 */
static uint8_t *resets(Pass *s) {
  int64_t rows = s->count * s->n, any = 0;
  uint8_t *reset = hn_tape_room(&s->tape, rows, 1);
  for (int64_t k = 0; k < rows; k++) {
    reset[k] = s->fresh[k] || (k >= s->n && s->dark[k - s->n]);
    any += reset[k];
  }
  return any ? reset : NULL;
}

/* The state's bias in the kit's shape. */
static HnVar *state_bias(Pass *s) {
  const Vrnn *m = s->m;
  HnTape *t = &s->tape;
  int64_t none = m->c ? m->gates - m->H : m->gates;
  HnVar *zero = hn_constant(t, 1, none, hn_tape_room(t, none, sizeof(float)));
  return m->c ? hn_concat(t, 2, (HnVar *const[]){zero, hn_param(t, m->c, s->flat)}) : zero;
}

/* States [.., H] after each percept, of inputs x [.., 2 E]. */
static HnVar *recur(Pass *s, HnVar *x) {
  const Vrnn *m = s->m;
  HnTape *t = &s->tape;
  HnVar *w = hn_param(t, m->w, s->flat), *u = hn_param(t, m->u, s->flat);
  HnVar *b = hn_param(t, m->b, s->flat), *c = state_bias(s), *cells = NULL;
  HnVar *start = hn_constant(t, s->n, m->carry, s->start), *h0 = hn_columns(t, start, 0, m->H);
  const uint8_t *reset = resets(s);
  if (m->p->cell == CELL_GRU) return hn_gru(t, s->count, x, h0, w, u, b, c, reset);
  HnVar *y =
      hn_lstm(t, s->count, x, h0, hn_columns(t, start, m->H, m->H), w, u, b, c, reset, &cells);
  s->cells = cells->data;
  return y;
}

/* A copy of values [.., n], 0 where dark. */
static float *shown(Pass *s, const HnVar *x) {
  int64_t rows = x->rows, n = x->cols;
  float *y = floats(s->m->host, rows * n);
  memcpy(y, x->data, (size_t)(rows * n) * sizeof *y);
  for (int64_t k = 0; k < rows; k++)
    if (s->dark[k]) memset(y + k * n, 0, (size_t)n * sizeof *y);
  return y;
}

/* Fills in what the networks read out.  Tape, first, n, count, start are set, and open_pass was
 * called. */
static void encode(Pass *s) {
  const Vrnn *m = s->m;
  HnTape *t = &s->tape;
  int64_t rows = s->count * s->n, parts = 0;
  HnVar *obs = embed(t, &m->obs, hn_constant(t, rows, m->obs.in, observations(s)), s->flat);
  HnVar *act = embed(t, &m->act, hn_constant(t, rows, m->act.in, actions(s)), s->flat);
  HnVar *x = hn_concat(t, 2, (HnVar *const[]){obs, forget_actions(s, act)});
  HnVar *h = recur(s, x), *part[4];
  HnVar *mean = part[parts++] = read_out(t, h, m->mean_w, m->mean_b, s->flat);
  HnVar *spread = NULL, *context = m->p->context == CONTEXT_RSSM ? h : obs;
  if (m->W) spread = part[parts++] = read_out(t, h, m->spread_w, m->spread_b, s->flat);
  if (m->C) part[parts++] = context;
  if (m->head.net.layers) part[parts++] = act;
  s->read = parts > 1 ? hn_concat(t, parts, part) : mean;
  s->mean = shown(s, mean), s->context = m->C ? shown(s, context) : NULL;
  s->spread = spread ? spread->data : NULL;
  s->act = act->data, s->h = h->data;
  if (!m->needs_gates || (s->idle && !m->follows)) return;
  HnTape values = hn_tape_begin(m->host, false);
  HnVar *same = hn_constant(&values, rows, x->cols, x->data);
  s->gates = hn_linear(&values, same, hn_param(&values, m->w, NULL), hn_param(&values, m->b, NULL),
                       HN_LINEAR)
                 ->data;
}

/* Leaves the last carries in row memory. */
static void retain(const Pass *s) {
  const Vrnn *m = s->m;
  int64_t last = (s->count - 1) * s->n;
  size_t bytes = (size_t)m->H * sizeof(float);
  for (int64_t i = 0; i < s->n; i++) {
    float *to = floats_at(row_of(s, i), m->row.carry);
    if (s->dark[last + i]) {
      memset(to, 0, (size_t)m->carry * sizeof *to);
      continue;
    }
    memcpy(to, s->h + (last + i) * m->H, bytes);
    if (s->cells) memcpy(to + m->H, s->cells + (last + i) * m->H, bytes);
  }
}

/* ---- what the head answers, in numbers ---- */

static double log_normal(double x, double mean, double stddev) {
  double z = (x - mean) / stddev;
  return -0.5 * z * z - log(stddev) - 0.91893853320467274; /* ln sqrt(2 pi) */
}

/* Mean and deviation of a signal of which S members [S] (at `stride`) expect so much, each with the
 * same deviation. */
static void aggregate(const Vrnn *m, int64_t S, const float *member, int64_t stride, double stddev,
                      double *mean, double *deviation) {
  double sum = 0, apart = 0;
  for (int64_t k = 0; k < S; k++) sum += (double)member[k * stride];
  *mean = sum / (double)S;
  for (int64_t k = 0; k < S; k++) {
    double d = (double)member[k * stride] - *mean;
    apart += d * d;
  }
  if (m->p->upstream_aggregate)
    *deviation = S > 1 ? stddev * stddev : stddev;
  else
    *deviation = sqrt(stddev * stddev + apart / (double)S);
}

/* Log-probability of class `action_index`, the mean of S members' (logits [S], at `stride`, of 2).
 */
static double log_mixture(const Vrnn *m, int64_t S, const float *logits, int64_t stride,
                          int action_index) {
  double probability = 0, logs = 0;
  for (int64_t k = 0; k < S; k++) {
    double other =
        (double)logits[k * stride + !action_index] - (double)logits[k * stride + action_index];
    double logp = other > 0 ? -other - log1p(exp(-other)) : -log1p(exp(other));
    probability += exp(logp), logs += logp;
  }
  return m->p->upstream_mixture ? logs / (double)S : log(probability / (double)S);
}

/* What S members expect of n rows, [S, n, outputs]: z [S, n, F], context [n, C], act [n, E]. */
static float *members(HnTape *t, const Vrnn *m, int64_t S, int64_t n, const float *z,
                      const float *context, const float *act) {
  int64_t size = n * m->head.outputs;
  float *y = hn_tape_room(t, S * size, sizeof *y);
  HnVar *c = m->C ? hn_constant(t, n, m->C, context) : NULL, *a = hn_constant(t, n, m->E, act);
  for (int64_t k = 0; k < S; k++) {
    HnVar *out = ask(t, &m->head, hn_constant(t, n, m->F, z + k * n * m->F), c, a, NULL);
    memcpy(y + k * size, out->data, (size_t)size * sizeof *y);
  }
  return y;
}

/* Log-density of what the step before each of n percepts showed; element (i, d) of member k is at
 * (k n + i) outputs + d.  at: of those steps in h. */
static double log_shown(const Vrnn *m, const HnHistory *h, int64_t at, int64_t S, int64_t n,
                        const float *member, double stddev) {
  int64_t outputs = m->head.outputs, stride = n * outputs;
  double sum = 0, mean, deviation;
  if (m->p->head == HEAD_REWARD) return log_mixture(m, S, member, stride, h->reward[at] > 0.5f);
  for (int64_t d = 0; d < outputs; d++) {
    aggregate(m, S, member + d, stride, stddev, &mean, &deviation);
    sum += log_normal((double)h->next_obs[at * outputs + d], mean, deviation);
  }
  return sum;
}

/* As HnInference asks. */
static HnStatus predict(void *self, const float *belief, int64_t samples, int64_t n,
                        const float *act, float *mean, float *stddev, float *member) {
  const Vrnn *m = self;
  const HnHost *host = m->host;
  if (m->p->head != HEAD_SIGNAL || m->discrete)
    return host->fail(host, HN_E_UNSUPPORTED,
                      "predictions need head: signal and continuous actions");
  HnTape t = hn_tape_begin(host, false);
  int64_t S = samples > 1 ? samples : 1, O = m->obs_dim;
  HnVar *a = embed(&t, &m->act, hn_constant(&t, n, m->act.in, act), NULL);
  float *all = hn_tape_room(&t, S * n * O, sizeof *all);
  float *z = hn_tape_room(&t, n * m->F, sizeof *z), *c = hn_tape_room(&t, n * m->C, sizeof *c);
  for (int64_t k = 0; k < S; k++) {
    const float *b = belief + k * m->D;
    for (int64_t i = 0; i < n; i++) {
      memcpy(z + i * m->F, b, (size_t)m->F * sizeof *z);
      memcpy(c + i * m->C, b + m->F, (size_t)m->C * sizeof *c);
    }
    memcpy(all + k * n * O, members(&t, m, 1, n, z, c, a->data), (size_t)(n * O) * sizeof *all);
  }
  double sigma = (double)signal_stddev(&t, m, NULL)->data[0], value, deviation;
  for (int64_t i = 0; i < n * O; i++) {
    aggregate(m, S, all + i, n * O, sigma, &value, &deviation);
    mean[i] = (float)value, stddev[i] = (float)deviation;
  }
  if (member) memcpy(member, all, (size_t)(S * n * O) * sizeof *all);
  return HN_OK;
}
#endif
