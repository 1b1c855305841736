/* windows.c - see transformer.h.
 *
 * Windows do not depend on one another, so they are cut into pieces whose tape stays in the cache,
 * and pieces are handed out to a fixed number of tasks: the same bits for any number of workers.
 * backward runs each piece again, because a tape of all windows would stream from memory. */
#include "transformer.h"
#include <math.h>
#include <string.h>

enum { PIECE = 32, MOST_TASKS = 32 }; /* windows; gradients that are added up */

typedef struct Pass {
  const Transformer *m;
  const Windows *w;
  int64_t pieces, tasks;
  float *out;         /* [n, width] */
  const float *d_out; /* likewise */
  float *flat;        /* [tasks, store.size] */
} Pass;

static Pass pass_of(const Transformer *m, const Windows *w) {
  const int64_t pieces = (w->n + PIECE - 1) / PIECE;
  return (Pass){
      .m = m, .w = w, .pieces = pieces, .tasks = pieces < MOST_TASKS ? pieces : MOST_TASKS};
}

/* Runs pieces from .. to - 1 one after another in the same memory. */
static void run_pieces(const Pass *p, int64_t from, int64_t to, float *flat) {
  const Transformer *m = p->m;
  const int64_t width = m->p->width;
  HnReuse reuse;
  hn_reuse_begin(&reuse, m->host, NULL, 0);
  for (int64_t k = from; k < to; k++) {
    const int64_t first = k * PIECE, left = p->w->n - first, count = left < PIECE ? left : PIECE;
    HnTape t = hn_tape_begin(&reuse.host, flat != NULL);
    HnVar *y = transformer_run(m, &t, p->w, first, count, flat);
    if (flat)
      hn_tape_backward_from(&t, y, p->d_out + first * width);
    else
      memcpy(p->out + first * width, y->data, (size_t)(count * width) * sizeof(float));
    hn_reuse_reset(&reuse);
  }
}

static HnStatus run_task(void *arg, int64_t task) {
  const Pass *p = arg;
  float *flat = p->flat ? p->flat + task * p->m->store.size : NULL;
  run_pieces(p, task * p->pieces / p->tasks, (task + 1) * p->pieces / p->tasks, flat);
  return HN_OK;
}

void transformer_values(const Transformer *m, const Windows *w, float *out) {
  Pass p = pass_of(m, w);
  p.out = out;
  run_pieces(&p, 0, p.pieces, NULL);
}

HnStatus transformer_forward(const Transformer *m, const Windows *w, float *out) {
  Pass p = pass_of(m, w);
  p.out = out;
  return m->host->parallel(m->host, p.tasks, run_task, &p);
}

HnStatus transformer_backward(Transformer *m, const Windows *w, const float *d_out) {
  Pass p = pass_of(m, w);
  p.d_out = d_out, p.flat = hn_store_flat(&m->store, p.tasks);
  const HnStatus status = m->host->parallel(m->host, p.tasks, run_task, &p);
  if (!status) hn_store_reduce(&m->store, p.tasks, p.flat);
  return status;
}

void transformer_norm(Transformer *m, double *norm2) {
  *norm2 = m->norm2 = hn_store_norm2(&m->store);
  m->host->metric(m->host, transformer_metric_grad_norm, sqrt(m->norm2));
}

HnStatus transformer_step(void *self, double scale, double rate) {
  Transformer *m = self;
  const TransformerParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, p->weight_decay};
  if (p->max_grad_norm > 0) scale *= hn_clip_scale(scale * scale * m->norm2, p->max_grad_norm);
  hn_adam_step(&m->store, &adam, scale, rate);
  return HN_OK;
}
