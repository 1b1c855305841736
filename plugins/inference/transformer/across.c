/* across.c - see ecet.h. */
#include "ecet.h"
#include <string.h>

enum { MOST_TASKS = 32 }; /* gradients that are added up */

HnStatus ecet_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Ecet *m = self;
  const TransformerParams *p = params;
  const HnStatus status = transformer_create(&m->net, host, p, spec);
  if (status) return status;
  const bool fewer = spec->episodes > 0 && spec->episodes < p->episodes;
  m->episodes = fewer ? spec->episodes : p->episodes, m->kept = m->episodes - 1;
  m->across = hn_encoder_make(&m->net.store, "across", p->episode_layers, p->width, p->heads,
                              p->feed_forward, spec->rng);
  m->row_size = spec->row_size = ecet_row_size(m);
  spec->refresh = true; /* keys and values are made by weights */
  return HN_OK;
}

/* ---- the network on one row ---- */

/* The vectors of a row's windows n from `first`, and the positions of their episodes, [n, width];
 * gradients go to d_vector if it is not NULL. */
static HnVar *read_vectors(const Ecet *m, HnTape *t, const EcetPlan *plan, int64_t first, int64_t n,
                           float *d_vector) {
  const int64_t width = m->net.p->width;
  float *position = hn_tape_room(t, n * width, sizeof *position);
  for (int64_t k = 0; k < n; k++) {
    const int64_t e = plan->episode[first + k];
    if (k && e == plan->episode[first + k - 1])
      memcpy(position + k * width, position + (k - 1) * width, (size_t)width * sizeof *position);
    else
      hn_positions(e, 1, width, position + k * width);
  }
  HnVar *x = hn_leaf(t, n, width, plan->vector + first * width,
                     d_vector ? d_vector + first * width : NULL);
  return hn_add(t, x, hn_constant(t, n, width, position));
}

/* A layer's keys and values of row memory as rows of projections [kept, 3 width]. */
static HnVar *read_kept(const Ecet *m, HnTape *t, const EcetPlan *plan, int64_t row,
                        int64_t layer) {
  const int64_t width = m->net.p->width, layers = m->net.p->episode_layers;
  const float *from = plan->start + (row * layers + layer) * m->kept * 2 * width;
  float *to = hn_tape_room(t, m->kept * 3 * width, sizeof *to);
  for (int64_t k = 0; k < m->kept; k++)
    memcpy(to + k * 3 * width + width, from + k * 2 * width, (size_t)(2 * width) * sizeof *to);
  return hn_constant(t, m->kept, 3 * width, to);
}

/* Who is attended to, as rows of kept and then of the row's own windows. */
static int32_t *read_keys(const Ecet *m, HnTape *t, const EcetPlan *plan, int64_t rows, int64_t row,
                          int64_t first, int64_t n) {
  const int64_t E = m->episodes, windows = rows * m->kept;
  int32_t *key = hn_tape_room(t, n * E, sizeof *key);
  for (int64_t k = 0; k < n * E; k++) {
    const int64_t who = plan->key[first * E + k];
    key[k] = (int32_t)(who < 0          ? -1
                       : who >= windows ? m->kept + who - windows - first
                                        : who - row * m->kept);
  }
  return key;
}

/* Keys and values of a layer, of episodes that have ended since the last task began, to memory. */
static void keep_keys(const Ecet *m, const EcetPlan *plan, int64_t first, int64_t n, int64_t layer,
                      const HnVar *qkv, float *memory) {
  const int64_t width = m->net.p->width;
  int64_t from = 0;
  for (int64_t k = 1; k < n; k++)
    if (plan->episode[first + k] < plan->episode[first + k - 1]) from = k;
  for (int64_t k = from; k < n && m->kept; k++) {
    if (plan->time[first + k] >= 0) continue;
    const int64_t place = plan->episode[first + k] % m->kept;
    memcpy(memory + (layer * m->kept + place) * 2 * width, qkv->data + k * 3 * width + width,
           (size_t)(2 * width) * sizeof *memory);
  }
}

/* What the windows of a row say, [n, width]; what is to be kept goes to memory if not NULL. */
static HnVar *run_row(const Ecet *m, HnTape *t, const EcetPlan *plan, int64_t rows, int64_t row,
                      float *d_vector, float *flat, float *memory) {
  const int64_t first = plan->first[row], n = plan->first[row + 1] - first;
  const int32_t *key = read_keys(m, t, plan, rows, row, first, n);
  const HnSequences *s = hn_sequences(t, n, m->episodes, key, HN_ATTEND_LAST);
  HnVar *x = read_vectors(m, t, plan, first, n, d_vector);
  for (int64_t l = 0; l < m->net.p->episode_layers; l++) {
    HnVar *own = hn_encoder_qkv(t, m->across, l, x, flat);
    HnVar *all[] = {read_kept(m, t, plan, row, l), own};
    if (memory) keep_keys(m, plan, first, n, l, own, memory);
    x = hn_encoder_layer(t, m->across, l, x, hn_stack(t, 2, all), s, flat);
  }
  return x;
}

/* ---- over all rows ---- */

typedef struct Pass {
  const Ecet *m;
  const HnBeliefUpdate *q;
  const EcetPlan *plan;
  int64_t tasks;
  const float *d_belief; /* [T+1, B, width] */
  float *d_vector, *flat;
} Pass;

static Pass pass_of(const Ecet *m, const HnBeliefUpdate *q, const EcetPlan *plan) {
  const int64_t B = q->history->rows;
  return (Pass){.m = m, .q = q, .plan = plan, .tasks = B < MOST_TASKS ? B : MOST_TASKS};
}

/* Copies between a row's windows and a belief's [T+1, B, width]; windows of ended episodes have
 * none. */
static void read_seed(const Pass *p, int64_t row, float *seed) {
  const int64_t width = p->m->net.p->width, first = p->plan->first[row];
  for (int64_t k = first; k < p->plan->first[row + 1]; k++) {
    const int64_t t = p->plan->time[k];
    if (t < 0) continue;
    memcpy(seed + (k - first) * width, p->d_belief + (t * p->q->history->rows + row) * width,
           (size_t)width * sizeof *seed);
  }
}

static void write_belief(const Pass *p, int64_t row, const HnVar *y) {
  const int64_t width = y->cols, first = p->plan->first[row];
  for (int64_t k = 0; k < y->rows; k++) {
    const int64_t t = p->plan->time[first + k];
    if (t < 0) continue;
    memcpy(p->q->belief + (t * p->q->history->rows + row) * width, y->data + k * width,
           (size_t)width * sizeof(float));
  }
}

static void run_rows(const Pass *p, int64_t from, int64_t to, float *flat) {
  const Ecet *m = p->m;
  const int64_t B = p->q->history->rows;
  HnReuse reuse;
  hn_reuse_begin(&reuse, m->net.host, NULL, 0);
  for (int64_t row = from; row < to; row++) {
    HnTape t = hn_tape_begin(&reuse.host, flat != NULL);
    float *memory = flat ? NULL : ecet_keys(m, ecet_row(m, p->q, row));
    HnVar *y = run_row(m, &t, p->plan, B, row, p->d_vector, flat, memory);
    if (flat) {
      float *seed = hn_tape_room(&t, y->rows * y->cols, sizeof *seed);
      read_seed(p, row, seed);
      hn_tape_backward_from(&t, y, seed);
    } else
      write_belief(p, row, y);
    hn_reuse_reset(&reuse);
  }
}

static HnStatus run_task(void *arg, int64_t task) {
  const Pass *p = arg;
  const int64_t B = p->q->history->rows;
  float *flat = p->flat ? p->flat + task * p->m->net.store.size : NULL;
  run_rows(p, task * B / p->tasks, (task + 1) * B / p->tasks, flat);
  return HN_OK;
}

/* ---- methods ---- */

HnStatus ecet_infer(void *self, HnBeliefUpdate *q) {
  const Ecet *m = self;
  const EcetPlan plan = ecet_plan(m, q);
  const Pass p = pass_of(m, q, &plan);
  transformer_values(&m->net, &plan.windows, plan.vector);
  run_rows(&p, 0, q->history->rows, NULL);
  return HN_OK;
}

HnStatus ecet_forward(void *self, HnBeliefUpdate *q) {
  Ecet *m = self;
  m->plan = ecet_plan(m, q);
  Pass p = pass_of(m, q, &m->plan);
  const HnStatus status = transformer_forward(&m->net, &m->plan.windows, m->plan.vector);
  return status ? status : m->net.host->parallel(m->net.host, p.tasks, run_task, &p);
}

HnStatus ecet_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2) {
  Ecet *m = self;
  const HnHost *host = m->net.host;
  Pass p = pass_of(m, q, &m->plan);
  const int64_t n = m->plan.windows.n * m->net.p->width;
  hn_store_refresh(&m->net.store); /* a resumed run overwrites weights */
  p.d_belief = d_belief, p.flat = hn_store_flat(&m->net.store, p.tasks);
  p.d_vector = host->scratch(host, n, sizeof *p.d_vector);
  memset(p.d_vector, 0, (size_t)n * sizeof *p.d_vector);
  HnStatus status = host->parallel(host, p.tasks, run_task, &p);
  if (status) return status;
  hn_store_reduce(&m->net.store, p.tasks, p.flat);
  status = transformer_backward(&m->net, &m->plan.windows, p.d_vector);
  if (!status) transformer_norm(&m->net, norm2);
  return status;
}
