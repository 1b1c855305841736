/* check_gradient.c - see check_gradient.h.  The gradient of a random linear function of the beliefs
 * plus the method's own loss, against central differences along two directions of each array of
 * weights: its own gradient, and a random one. */
#include "check_gradient.h"
#include "belief_window.h"
#include <math.h>
#include <string.h>

static const double tolerance = 0.03;     /* of a derivative, in norms of the gradient */
static const double noise = 4e-6;         /* relative error of a loss in single precision */
static const double width[] = {1e-2, 3e-3, 3e-2, 1e-3}; /* of differences; one must agree */

typedef struct Descent {
  HnSession *s;
  int64_t numbers;
  float *belief, *d_belief;
  char *state;
  HnRng *rng;
  double norm2, size; /* of the last backward; size of the terms of the loss */
} Descent;

static Descent descent_new(HnSession *s) {
  const gsize B = (gsize)s->rollouts.rows;
  const int64_t S = MAX(s->cell->run.samples, 1);
  Descent d = {.s = s, .numbers = (s->steps + 1) * s->rollouts.rows * S * s->bs.belief_dim};
  HnRng rng = hn_rng(31, 0);
  d.belief = g_new0(float, d.numbers + 1), d.d_belief = g_new0(float, d.numbers + 1);
  for (int64_t k = 0; k < d.numbers; k++)
    d.d_belief[k] = (float)(hn_rng_normal(&rng) / sqrt((double)d.numbers));
  d.state = g_aligned_alloc0(1, B * s->bs.row_size + 1, 64);
  d.rng = g_new0(HnRng, B);
  return d;
}

static void descent_free(Descent *d) {
  g_free(d->belief), g_free(d->d_belief), g_free(d->rng), g_aligned_free(d->state);
}

static void clear_gradients(const HnSession *s) {
  for (guint k = 0; k < s->inference->kept->len; k++) {
    const HnArrayRecord *a = s->inference->kept->pdata[k];
    if (a->grad) memset(a->grad, 0, (gsize)a->array.dim[0] * a->item_bytes);
  }
}

/* The loss under the present weights; its gradient is added to theirs.  The same draws each time. */
static bool descend_further(Descent *d, double *loss, GString *why) {
  HnSession *s = d->s;
  const HnExperience *w = &s->phase[0];
  const gsize B = (gsize)w->h.rows;
  HnHistory h = hn_experience_view(w, s->inference, 0, 0, w->h.steps, w->h.rows);
  if (s->bs.row_size) memcpy(d->state, h.state, B * s->bs.row_size);
  for (gsize i = 0; i < B; i++) d->rng[i] = hn_rng(32, i);
  double own = 0;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = d->state,
                      .samples = s->cell->run.samples,
                      .rng = d->rng,
                      .belief = d->belief,
                      .loss = &own};
  HnStatus status;
  hn_arena_reset(&s->forward, (HnMark){0}); /* what forward leaves must outlive it */
  HnArena *before = hn_arena_enter(&s->forward);
  HN_RECORD_CALL(INFERENCE_forward, status = HN_INFERENCE(s)->forward(s->inference->self, &q));
  if (!status)
    HN_RECORD_CALL(INFERENCE_backward, status = HN_INFERENCE(s)->backward(s->inference->self, &q,
                                                                          d->d_belief, &d->norm2));
  hn_arena_enter(before);
  *loss = own, d->size = fabs(own);
  for (int64_t k = 0; k < d->numbers; k++) {
    const double term = (double)d->d_belief[k] * (double)d->belief[k];
    *loss += term, d->size += fabs(term) / sqrt((double)d->numbers);
  }
  if (status) g_string_append_printf(why, "backward: %s", hn_fail_text());
  return !status;
}

/* The same, its gradient in those of the weights. */
static bool descend(Descent *d, double *loss, GString *why) {
  clear_gradients(d->s);
  return descend_further(d, loss, why);
}

static int64_t count_of(const HnArrayRecord *a) {
  return a->array.dim[0] * (int64_t)(a->item_bytes / sizeof(float));
}

/* (L(w + h v) - L(w - h v)) / 2h */
static bool difference(Descent *d, const HnArrayRecord *a, const double *v, double h,
                       double *slope, GString *why) {
  const int64_t n = count_of(a);
  float *x = a->data;
  g_autofree float *was = g_memdup2(x, (gsize)n * sizeof *x);
  double loss[2] = {0, 0};
  bool ok = true;
  for (int side = 0; side < 2 && ok; side++) {
    for (int64_t k = 0; k < n; k++) x[k] = (float)((double)was[k] + (side ? -h : h) * v[k]);
    ok = descend(d, &loss[side], why);
  }
  memcpy(x, was, (gsize)n * sizeof *x);
  *slope = (loss[0] - loss[1]) / (2 * h);
  return ok;
}

/* Whether the slope along v is what the gradient says, but for `off`. */
static bool agrees(Descent *d, const HnArrayRecord *a, const double *v, double said, double off,
                   GString *why) {
  double slope = 0;
  for (guint k = 0; k < G_N_ELEMENTS(width); k++) {
    if (!difference(d, a, v, width[k], &slope, why)) return false;
    if (fabs(slope - said) <= off + noise * (1 + d->size) / width[k]) return true;
  }
  g_string_append_printf(why,
                         "backward: along %s of %s the gradient says %g, differences of the loss "
                         "say %g",
                         said > 0 ? "the gradient" : "a direction across it", a->array.name, said,
                         slope);
  return false;
}

/* A random direction across g, of length 1. */
static void draw_across(const float *g, double norm, int64_t n, HnRng *rng, double *v) {
  double along = 0, length = 0;
  for (int64_t k = 0; k < n; k++) v[k] = hn_rng_normal(rng);
  for (int64_t k = 0; k < n && norm > 0; k++) along += v[k] * (double)g[k] / norm;
  for (int64_t k = 0; k < n; k++) {
    if (norm > 0) v[k] -= along * (double)g[k] / norm;
    length += v[k] * v[k];
  }
  for (int64_t k = 0; k < n; k++) v[k] = length > 1e-12 ? v[k] / sqrt(length) : 0;
}

static bool is_right(Descent *d, const HnArrayRecord *a, HnRng *rng, GString *why) {
  const int64_t n = count_of(a);
  g_autofree float *g = g_memdup2(a->grad, (gsize)n * sizeof *g);
  g_autofree double *v = g_new(double, n);
  double norm = 0;
  for (int64_t k = 0; k < n; k++) norm += (double)g[k] * (double)g[k];
  norm = sqrt(norm);
  for (int64_t k = 0; k < n; k++) v[k] = norm > 0 ? (double)g[k] / norm : 0;
  if (norm > 0 && !agrees(d, a, v, norm, tolerance * norm, why)) return false;
  for (int turn = 0; turn < 2; turn++) {
    draw_across(g, norm, n, rng, v);
    if (!agrees(d, a, v, 0, tolerance * norm, why)) return false;
  }
  return true;
}

/* Every gradient after another. */
static GArray *all_gradients(const HnSession *s) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(float));
  for (guint k = 0; k < s->inference->kept->len; k++) {
    const HnArrayRecord *a = s->inference->kept->pdata[k];
    if (a->grad) g_array_append_vals(all, a->grad, (guint)count_of(a));
  }
  return all;
}

/* Whether a second backward adds to what the first has left. */
static bool adds(Descent *d, GString *why) {
  double loss, off = 0, sum = 0;
  g_autoptr(GArray) once = all_gradients(d->s);
  if (!descend_further(d, &loss, why)) return false;
  g_autoptr(GArray) twice = all_gradients(d->s);
  for (guint k = 0; k < once->len; k++) {
    const double x = (double)g_array_index(once, float, k);
    off += pow((double)g_array_index(twice, float, k) - 2 * x, 2), sum += x * x;
  }
  if (off <= 1e-6 * sum) return true;
  g_string_append(why, "backward: does not add to the gradients that are there");
  return false;
}

static bool is_norm(const Descent *d, GString *why) {
  double sum = 0;
  for (guint k = 0; k < d->s->inference->kept->len; k++) {
    const HnArrayRecord *a = d->s->inference->kept->pdata[k];
    for (int64_t i = 0; a->grad && i < count_of(a); i++)
      sum += (double)a->grad[i] * (double)a->grad[i];
  }
  if (fabs(sum - d->norm2) <= 1e-3 * sum + 1e-12) return true;
  g_string_append_printf(why, "backward: norm2 is %g, the gradients' squares sum up to %g",
                         d->norm2, sum);
  return false;
}

/* Initial biases are 0, where a rectifier has no derivative. */
static void leave_kinks(const HnSession *s, HnRng *rng) {
  for (guint k = 0; k < s->inference->kept->len; k++) {
    const HnArrayRecord *a = s->inference->kept->pdata[k];
    float *x = a->data;
    for (int64_t i = 0; a->grad && a->array.role == HN_WEIGHT && i < count_of(a); i++)
      x[i] += (float)(0.03 * hn_rng_normal(rng));
  }
}

static bool are_right(Descent *d, HnRng *rng, GString *why) {
  const HnSession *s = d->s;
  double loss;
  for (guint k = 0; k < s->inference->kept->len; k++) {
    const HnArrayRecord *a = s->inference->kept->pdata[k];
    if (a->grad && a->array.role == HN_WEIGHT &&
        !(descend(d, &loss, why) && is_right(d, a, rng, why)))
      return false;
  }
  return true;
}

HnVerdict hn_check_gradients(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  const HnInference *q = cell->inference.plugin->methods;
  if (!HN_CAN(q, backward)) {
    g_string_append(why, "it has no backward");
    return HN_LAW_SKIPPED;
  }
  HnSession *s = hn_belief_session(cell, &verdict, why);
  if (!s) return verdict;
  Descent d = descent_new(s);
  HnRng rng = hn_rng(33, 0);
  double loss;
  leave_kinks(s, &rng);
  bool right = descend(&d, &loss, why) && is_norm(&d, why) && adds(&d, why) &&
               are_right(&d, &rng, why);
  memset(d.d_belief, 0, (gsize)d.numbers * sizeof(float)); /* the method's own loss alone */
  if (right && !(right = are_right(&d, &rng, why))) g_string_append(why, " of its own");
  descent_free(&d), hn_session_free(s);
  return right ? HN_LAW_KEPT : HN_LAW_BROKEN;
}
