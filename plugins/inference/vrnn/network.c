/* network.c - see network.h. */
#include "network.h"
#include "posterior.h"

HnVar *vrnn_embed(HnTape *t, const VrnnEmbedding *e, HnVar *x, float *flat) {
  return hn_layer_norm_by(t, &e->norm, hn_mlp(t, &e->net, x, flat), flat);
}

/* ---- the head ---- */

/* What several draws share of the head's first layer.  With draws z, the common inputs c, and the
 * first layer's weights W cut accordingly, it puts out
 *
 *   f(((c - k) g W_c + (z - k) g W_z - s g W) / d + (e W + b)),
 *
 * where g and e are the norm's gain and bias, s and d^2 the mean and the variance of [c, z] - k,
 * and k is the mean of c, about which all is taken so that nothing cancels.  No gradient passes k,
 * on which the result does not depend. */
typedef struct Shared {
  HnVar *k;            /* [n, 1] */
  HnVar *sum, *square; /* [n, 1]: of c - k, which is 0 but has a gradient, and of its square */
  HnVar *product;      /* [n, H]: (c - k) g W_c */
  HnVar *w_z, *g_z;    /* [F, H], [1, F] */
  HnVar *gain, *bias;  /* [1, H]: g W, e W + b */
  float count;         /* of inputs: of c and z */
} Shared;

static Shared share(HnTape *t, const VrnnHead *head, int64_t F, HnVar *c, float *flat) {
  const int64_t C = c->cols;
  HnVar *w = hn_param(t, head->net.w[0], flat), *g = hn_param(t, head->norm.gain, flat);
  HnVar *e = hn_param(t, head->norm.bias, flat), *b = hn_param(t, head->net.b[0], flat);
  HnVar *k = hn_affine(t, hn_sum_columns(t, hn_stop(t, c)), 1 / (float)C, 0);
  HnVar *centred = hn_sub(t, c, k), *scaled = hn_mul(t, centred, hn_columns(t, g, F, C));
  HnVar *w_z = hn_rows_of(t, w, 0, F);
  if (flat) { /* each draw's gradient reads the transpose */
    float *flip = hn_tape_room(t, F * w->cols, sizeof *flip);
    hn_transpose(F, w->cols, w_z->data, flip);
    w_z->flip = flip;
  }
  return (Shared){.k = k,
                  .sum = hn_sum_columns(t, centred),
                  .square = hn_sum_columns(t, hn_square(t, centred)),
                  .product = hn_matmul(t, scaled, hn_rows_of(t, w, F, C)),
                  .w_z = w_z,
                  .g_z = hn_columns(t, g, 0, F),
                  .gain = hn_matmul(t, g, w),
                  .bias = hn_add(t, hn_matmul(t, e, w), b),
                  .count = (float)(F + C)};
}

/* The first layer's output before its activation. */
static HnVar *first_layer(HnTape *t, const Shared *x, HnVar *z, float eps) {
  HnVar *centred = hn_sub(t, z, x->k);
  HnVar *sum = hn_add(t, hn_sum_columns(t, centred), x->sum);
  HnVar *mean = hn_affine(t, sum, 1 / x->count, 0);
  HnVar *square = hn_add(t, hn_sum_columns(t, hn_square(t, centred)), x->square);
  HnVar *variance = hn_sub(t, hn_affine(t, square, 1 / x->count, eps), hn_square(t, mean));
  HnVar *inverse = hn_exp(t, hn_affine(t, hn_log(t, variance), -0.5f, 0)); /* 1 / d */
  HnVar *y = hn_add(t, hn_matmul(t, hn_mul(t, centred, x->g_z), x->w_z), x->product);
  y = hn_sub(t, y, hn_matmul(t, mean, x->gain));
  return hn_add(t, hn_mul(t, y, inverse), x->bias);
}

void vrnn_heads(HnTape *t, const VrnnHead *head, int64_t S, HnVar *const *z, HnVar *context,
                HnVar *act, float *flat, HnVar **y) {
  const HnMlp *net = &head->net;
  if (S == 1) {
    HnVar *const part[3] = {z[0], context ? context : act, act};
    HnVar *x = hn_concat(t, context ? 3 : 2, part);
    y[0] = hn_mlp(t, net, hn_layer_norm_by(t, &head->norm, x, flat), flat);
    return;
  }
  HnVar *c = context ? hn_concat(t, 2, (HnVar *const[]){context, act}) : act;
  const Shared shared = share(t, head, z[0]->cols, c, flat);
  for (int64_t d = 0; d < S; d++) {
    HnVar *x = first_layer(t, &shared, z[d], head->norm.eps);
    y[d] = hn_mlp_from(t, net, 1, hn_activate(t, x, net->hidden), flat);
  }
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

/* [.. + 1, act.in], of the step before each observation; 0 where a task begins, unless a head needs
 * the action that ended the task before.  The last row is 0. */
static float *actions(VrnnUnroll *u) {
  const Vrnn *m = u->m;
  const HnHistory *h = u->q->history;
  float *x = hn_tape_room(&u->tape, (u->count * u->n + 1) * m->act.in, sizeof *x);
  for (int64_t k = 0; k < u->count * u->n; k++)
    if (!u->fresh[k] || (k >= u->n && m->head.net.layers))
      put_action(m, h, hn_at(h, k / u->n - 1, u->first + k % u->n), x + k * m->act.in);
  return x;
}

/* Embedded inputs, each distinct one once where they are few, as those of a bandit or a grid are.
 */
typedef struct Embedded {
  HnVar *y;           /* [.., E] */
  const int32_t *row; /* of y for each input; NULL: one each, in order */
} Embedded;

static Embedded embed_inputs(VrnnUnroll *u, const VrnnEmbedding *e, int64_t rows, const float *x) {
  HnTape *t = &u->tape;
  const float *distinct;
  const int32_t *row;
  const int64_t count = hn_shared_rows(t, rows, e->in, x, &distinct, &row);
  return (Embedded){vrnn_embed(t, e, hn_constant(t, count, e->in, distinct), u->flat), row};
}

/* One row for each of the first `rows` inputs. */
static HnVar *spread(HnTape *t, const Embedded *e, int64_t rows) {
  if (e->row) return hn_pick_rows(t, e->y, rows, e->row);
  return e->y->rows == rows ? e->y : hn_rows_of(t, e->y, 0, rows);
}

/* For each observation the input among `act` that the cell reads: where a task begins the last one,
 * which is 0.  NULL: its own. */
static const int32_t *cell_actions(VrnnUnroll *u, const Embedded *act) {
  int64_t rows = u->count * u->n, last = rows;
  int32_t *row = hn_tape_room(&u->tape, rows, sizeof *row);
  bool own = !act->row;
  for (int64_t k = 0; k < rows; k++) {
    bool begins = k >= u->n && u->fresh[k] && u->m->head.net.layers;
    int64_t at = begins ? last : k;
    row[k] = act->row ? act->row[at] : (int32_t)at;
    own &= !begins;
  }
  return own ? NULL : row;
}

/* The inputs of the cell: those that differ, where observations and actions are few, and which of
 * them each observation is; row NULL: one each. */
typedef struct CellInputs {
  HnVar *x; /* [.., 2 E] */
  const int32_t *row;
} CellInputs;

static CellInputs cell_inputs(VrnnUnroll *u, const Embedded *obs, const Embedded *act) {
  HnTape *t = &u->tape;
  int64_t rows = u->count * u->n;
  const int32_t *of_act = cell_actions(u, act);
  if (!obs->row || !act->row) {
    HnVar *a = of_act ? hn_pick_rows(t, act->y, rows, of_act) : spread(t, act, rows);
    return (CellInputs){hn_concat(t, 2, (HnVar *const[]){spread(t, obs, rows), a}), NULL};
  }
  float *pair = hn_tape_room(t, rows * 2, sizeof *pair);
  for (int64_t k = 0; k < rows; k++)
    pair[2 * k] = (float)obs->row[k], pair[2 * k + 1] = (float)of_act[k];
  const float *distinct;
  const int32_t *row;
  const int64_t count = hn_distinct_rows(t, rows, 2, pair, &distinct, &row);
  int32_t *o = hn_tape_room(t, count, sizeof *o), *a = hn_tape_room(t, count, sizeof *a);
  for (int64_t k = 0; k < count; k++)
    o[k] = (int32_t)distinct[2 * k], a[k] = (int32_t)distinct[2 * k + 1];
  HnVar *const part[] = {hn_pick_rows(t, obs->y, count, o), hn_pick_rows(t, act->y, count, a)};
  return (CellInputs){hn_concat(t, 2, part), row};
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

/* The inputs' share of the gates for a posterior that reads it, computed once for both. */
static void run_on_shares(VrnnUnroll *u, const CellInputs *in, HnVar *carry) {
  const Vrnn *m = u->m;
  HnTape *t = &u->tape;
  int64_t rows = u->count * u->n;
  HnVar *sums = hn_rnn_input(t, &m->rnn, in->x, u->flat);
  u->run = hn_rnn_shared(t, &m->rnn, u->count, sums, in->row, carry, resets(u), u->flat);
  HnTape values = hn_tape_begin(m->host, false);
  u->gates = (in->row ? hn_pick_rows(&values, sums, rows, in->row) : sums)->data;
}

static void run_cell(VrnnUnroll *u, const CellInputs *in, const float *carries) {
  const Vrnn *m = u->m;
  HnTape *t = &u->tape;
  HnVar *carry = hn_constant(t, u->n, m->rnn.carry, carries);
  if (m->posterior->reads_gates && !(u->mean_only && !m->p->track))
    run_on_shares(u, in, carry);
  else
    u->run = hn_rnn_picked(t, &m->rnn, u->count, in->x, in->row, carry, resets(u), u->flat);
}

void vrnn_unroll(VrnnUnroll *u, const float *carries) {
  const Vrnn *m = u->m;
  HnTape *t = &u->tape;
  int64_t rows = u->count * u->n, parts = 0;
  const Embedded obs = embed_inputs(u, &m->obs, rows, observations(u));
  const Embedded act = embed_inputs(u, &m->act, rows + 1, actions(u));
  const CellInputs in = cell_inputs(u, &obs, &act);
  run_cell(u, &in, carries);
  HnVar *h = u->run.state[0], *context = h, *part[4];
  HnVar *mean = part[parts++] = hn_mlp(t, &m->mean, h, u->flat), *cov = NULL;
  if (m->W) cov = part[parts++] = hn_mlp(t, &m->cov, h, u->flat);
  if (m->C && m->p->context != CONTEXT_RSSM) context = spread(t, &obs, rows);
  if (m->C) part[parts++] = context;
  if (m->head.net.layers) part[parts++] = spread(t, &act, rows);
  u->act = m->head.net.layers ? part[parts - 1]->data : NULL;
  u->out = parts > 1 ? hn_concat(t, parts, part) : mean;
  u->mean = unmasked(u, mean), u->context = m->C ? unmasked(u, context) : NULL;
  u->cov_params = cov ? cov->data : NULL;
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
