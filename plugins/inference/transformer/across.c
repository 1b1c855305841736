/* across.c - see ecet.h. */
#include "ecet.h"
#include <string.h>

enum { MOST_TASKS = 32, GROUP = 64 }; /* gradients that are added up; windows of a group of rows */

HnStatus ecet_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Ecet *m = self;
  const TransformerParams *p = params;
  const HnStatus status = transformer_create(&m->net, host, p, spec);
  if (status) return status;
  const bool fewer = spec->episodes > 0 && spec->episodes < p->episodes;
  m->episodes = fewer ? spec->episodes : p->episodes, m->kept = m->episodes - 1;
  m->across = hn_encoder_make(&m->net.store, "across", p->episode_layers, p->width, p->heads,
                              p->feed_forward, spec->rng);
  m->position = host->alloc(host, ECET_POSITIONS * p->width, sizeof(float));
  hn_positions(0, ECET_POSITIONS, p->width, m->position);
  m->row_size = spec->row_size = ecet_row_size(m);
  spec->refresh = true; /* keys and values are made by weights */
  return HN_OK;
}

/* ---- the network on a few rows ---- */

/* Rows from .. from + rows - 1 of B, whose windows are n from `first`. */
typedef struct Group {
  const EcetPlan *plan;
  int64_t all, from, rows, first, n; /* all: B */
} Group;

static Group group_of(const EcetPlan *plan, int64_t all, int64_t from, int64_t to) {
  const int64_t first = plan->first[from];
  return (Group){plan, all, from, to - from, first, plan->first[to] - first};
}

/* The vectors of its windows, and the positions of their episodes, [n, width]; gradients go to
 * d_vector if it is not NULL. */
static HnVar *read_vectors(const Ecet *m, HnTape *t, const Group *g, float *d_vector) {
  const int64_t width = m->net.p->width;
  float *position = hn_tape_room(t, g->n * width, sizeof *position);
  for (int64_t k = 0; k < g->n; k++) {
    const int64_t e = g->plan->episode[g->first + k];
    if (e < ECET_POSITIONS)
      memcpy(position + k * width, m->position + e * width, (size_t)width * sizeof *position);
    else
      hn_positions(e, 1, width, position + k * width);
  }
  HnVar *x = hn_leaf(t, g->n, width, g->plan->vector + g->first * width,
                     d_vector ? d_vector + g->first * width : NULL);
  return hn_add(t, x, hn_constant(t, g->n, width, position));
}

/* A layer's keys and values of row memory as rows of projections [rows kept, 3 width]. */
static HnVar *read_kept(const Ecet *m, HnTape *t, const Group *g, int64_t layer) {
  const int64_t width = m->net.p->width, layers = m->net.p->episode_layers;
  float *to = hn_tape_room(t, g->rows * m->kept * 3 * width, sizeof *to);
  for (int64_t k = 0; k < g->rows * m->kept; k++) {
    const int64_t row = g->from + k / m->kept, place = k % m->kept;
    memcpy(to + k * 3 * width + width,
           g->plan->start + ((row * layers + layer) * m->kept + place) * 2 * width,
           (size_t)(2 * width) * sizeof *to);
  }
  return hn_constant(t, g->rows * m->kept, 3 * width, to);
}

/* Who is attended to, as rows of those kept and then of the windows. */
static int32_t *read_keys(const Ecet *m, HnTape *t, const Group *g) {
  const int64_t E = m->episodes, windows = g->all * m->kept;
  int32_t *key = hn_tape_room(t, g->n * E, sizeof *key);
  for (int64_t k = 0; k < g->n * E; k++) {
    const int64_t who = g->plan->key[g->first * E + k];
    key[k] = (int32_t)(who < 0          ? -1
                       : who >= windows ? g->rows * m->kept + who - windows - g->first
                                        : who - g->from * m->kept);
  }
  return key;
}

/* Keys and values of a layer, of a row's episodes that have ended since the last task began, to its
 * memory. */
static void keep_keys(const Ecet *m, const Group *g, int64_t row, int64_t layer, const HnVar *qkv,
                      float *memory) {
  const EcetPlan *plan = g->plan;
  const int64_t width = m->net.p->width, last = plan->first[row + 1];
  int64_t from = plan->first[row];
  for (int64_t k = from + 1; k < last; k++)
    if (plan->episode[k] < plan->episode[k - 1]) from = k;
  for (int64_t k = from; k < last && m->kept; k++) {
    if (plan->time[k] >= 0) continue;
    const int64_t place = plan->episode[k] % m->kept;
    memcpy(memory + (layer * m->kept + place) * 2 * width,
           qkv->data + (k - g->first) * 3 * width + width, (size_t)(2 * width) * sizeof *memory);
  }
}

/* What the windows say, [n, width]; what is to be kept goes to the row memory of q if not NULL. */
static HnVar *run_group(const Ecet *m, HnTape *t, const Group *g, float *d_vector, float *flat,
                        const HnBeliefUpdate *q) {
  const int32_t *key = read_keys(m, t, g);
  const HnSequences *s = hn_sequences(t, g->n, m->episodes, key, HN_ATTEND_LAST);
  HnVar *x = read_vectors(m, t, g, d_vector);
  for (int64_t l = 0; l < m->net.p->episode_layers; l++) {
    HnVar *own = hn_encoder_qkv(t, m->across, l, x, flat);
    HnVar *all[] = {read_kept(m, t, g, l), own};
    for (int64_t row = g->from; q && row < g->from + g->rows; row++)
      keep_keys(m, g, row, l, own, ecet_keys(m, ecet_row(m, q, row)));
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

/* Copies between a group's windows and a belief's [T+1, B, width]; windows of ended episodes have
 * none. */
static void copy_beliefs(const Pass *p, const Group *g, const float *d_belief, float *seed,
                         const HnVar *y) {
  const int64_t width = p->m->net.p->width;
  for (int64_t row = g->from; row < g->from + g->rows; row++)
    for (int64_t k = p->plan->first[row]; k < p->plan->first[row + 1]; k++) {
      const int64_t t = p->plan->time[k], at = (t * g->all + row) * width;
      if (t < 0) continue;
      if (seed)
        memcpy(seed + (k - g->first) * width, d_belief + at, (size_t)width * sizeof *seed);
      else
        memcpy(p->q->belief + at, y->data + (k - g->first) * width, (size_t)width * sizeof(float));
    }
}

/* Rows from .. to - 1, a few at a time in the same memory. */
static void run_rows(const Pass *p, int64_t from, int64_t to, float *flat) {
  const Ecet *m = p->m;
  const int64_t *first = p->plan->first;
  HnReuse reuse;
  hn_reuse_begin(&reuse, m->net.host, NULL, 0);
  for (int64_t next; from < to; from = next) {
    for (next = from + 1; next < to && first[next + 1] - first[from] <= GROUP;) next++;
    const Group g = group_of(p->plan, p->q->history->rows, from, next);
    HnTape t = hn_tape_begin(&reuse.host, flat != NULL);
    HnVar *y = run_group(m, &t, &g, p->d_vector, flat, flat ? NULL : p->q);
    if (flat) {
      float *seed = hn_tape_room(&t, y->rows * y->cols, sizeof *seed);
      copy_beliefs(p, &g, p->d_belief, seed, NULL);
      hn_tape_backward_from(&t, y, seed);
    } else
      copy_beliefs(p, &g, NULL, NULL, y);
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
