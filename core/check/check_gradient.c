/* check_gradient.c - see check_gradient.h.
 *
 * Of a random linear function of the beliefs the gradient is held against central differences,
 * along itself and across it, array by array of the weights.  Of the method's own loss, which may
 * stop gradients where its authors do, it is only asked that it is a direction in which the loss
 * grows as fast as it says, within a factor. */
#include "check_gradient.h"
#include "belief_window.h"
#include <math.h>
#include <string.h>

static const double tolerance = 0.03; /* of a derivative, in norms of the gradient */
static const double factor = 3;       /* of the own loss's */
static const double noise = 4e-6;     /* relative error of a loss in single precision */
static const double width[] = {3e-2, 1e-2, 3e-3, 1e-3}; /* of differences; one must agree */
static const float larger = 3; /* times the initial weights, at which all is judged once more */

typedef struct Descent {
  HnSession *s;
  GPtrArray *arrays;               /* HnArrayRecord * of the weights that have a gradient */
  int64_t weights;                 /* numbers of them all, one array after another */
  int64_t numbers;                 /* of the beliefs */
  float *belief, *d_belief, *none; /* none: zeros instead of d_belief */
  char *state;
  HnRng *rng;
  double norm2;             /* of the last backward */
  double linear, own, size; /* the two losses of the last pass; the size of their terms */
  bool scaled;              /* weights are `larger` */
} Descent;

static int64_t count_of(const HnArrayRecord *a) {
  return a->array.dim[0] * (int64_t)(a->item_bytes / sizeof(float));
}

static Descent descent_new(HnSession *s) {
  const gsize B = (gsize)s->rollouts.rows;
  const int64_t S = MAX(s->cell->run.samples, 1);
  Descent d = {.s = s,
               .arrays = g_ptr_array_new(),
               .numbers = (s->steps + 1) * s->rollouts.rows * S * s->bs.belief_dim};
  HnRng rng = hn_rng(31, 0);
  d.belief = g_new0(float, d.numbers + 1), d.d_belief = g_new0(float, d.numbers + 1);
  d.none = g_new0(float, d.numbers + 1);
  for (int64_t k = 0; k < d.numbers; k++)
    d.d_belief[k] = (float)(hn_rng_normal(&rng) / sqrt((double)d.numbers));
  d.state = g_aligned_alloc0(1, B * s->bs.row_size + 1, 64);
  d.rng = g_new0(HnRng, B);
  for (guint k = 0; k < s->inference->kept->len; k++) {
    HnArrayRecord *a = s->inference->kept->pdata[k];
    if (a->grad) g_ptr_array_add(d.arrays, a), d.weights += count_of(a);
  }
  return d;
}

static void descent_free(Descent *d) {
  g_free(d->belief), g_free(d->d_belief), g_free(d->none), g_free(d->rng);
  g_aligned_free(d->state), g_ptr_array_unref(d->arrays);
}

/* Copies what the arrays hold, weights or gradients, to x [weights], or back. */
static void copy_all(const Descent *d, float *x, bool gradients, bool back) {
  for (guint k = 0; k < d->arrays->len; k++) {
    const HnArrayRecord *a = d->arrays->pdata[k];
    float *own = gradients ? a->grad : a->data;
    const gsize bytes = (gsize)count_of(a) * sizeof(float);
    memcpy(back ? own : x, back ? x : own, bytes);
    x += count_of(a);
  }
}

/* One forward from the window's start under the present weights, with the same draws each time,
 * and a backward of d_belief, unless that is NULL. */
static bool pass(Descent *d, const float *d_belief, GString *why) {
  HnSession *s = d->s;
  const HnInference *methods = HN_INFERENCE(s);
  const HnExperience *w = &s->phase[0];
  const gsize B = (gsize)w->h.rows;
  HnHistory h = hn_experience_view(w, s->inference, 0, 0, w->h.steps, w->h.rows);
  if (s->bs.row_size) memcpy(d->state, h.state, B * s->bs.row_size);
  for (gsize i = 0; i < B; i++) d->rng[i] = hn_rng(32, i);
  d->own = 0;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = d->state,
                      .samples = s->cell->run.samples,
                      .rng = d->rng,
                      .belief = d->belief,
                      .loss = &d->own};
  HnStatus status;
  hn_arena_reset(&s->forward, (HnMark){0}); /* what forward leaves must outlive it */
  HnArena *before = hn_arena_enter(&s->forward);
  hn_fail_text()[0] = '\0';
  int32_t at = hn_call_at(HN_CALL_INFERENCE_forward, 0);
  HN_RECORD_CALL(INFERENCE_forward, status = methods->forward(s->inference->self, &q));
  if (!status && d_belief) {
    at = hn_call_at(HN_CALL_INFERENCE_backward, 0);
    HN_RECORD_CALL(INFERENCE_backward,
                   status = methods->backward(s->inference->self, &q, d_belief, &d->norm2));
  }
  hn_arena_enter(before);
  d->linear = 0, d->size = fabs(d->own);
  for (int64_t k = 0; k < d->numbers; k++) {
    const double term = (double)d->d_belief[k] * (double)d->belief[k];
    d->linear += term, d->size += fabs(term) / sqrt((double)d->numbers);
  }
  if (!status) return true;
  hn_fail_untold(at, status);
  g_string_append_printf(why, "%s: %s", hn_call_method(at), hn_fail_text());
  return false;
}

/* The gradient [weights] that a backward of d_belief leaves where there was none; g_free. */
static float *gradient_of(Descent *d, const float *d_belief, GString *why) {
  float *g = g_new0(float, d->weights + 1);
  copy_all(d, g, true, true);
  if (!pass(d, d_belief, why)) return g_free(g), NULL;
  copy_all(d, g, true, false);
  return g;
}

/* (L(w + h v) - L(w - h v)) / 2h of the linear loss, or of the method's own. */
static bool difference(Descent *d, const double *v, double h, bool own, double *slope,
                       GString *why) {
  g_autofree float *was = g_new(float, d->weights + 1);
  g_autofree float *x = g_new(float, d->weights + 1);
  double loss[2] = {0, 0};
  bool ok = true;
  copy_all(d, was, false, false);
  for (int side = 0; side < 2 && ok; side++) {
    for (int64_t k = 0; k < d->weights; k++)
      x[k] = (float)((double)was[k] + (side ? -h : h) * v[k]);
    copy_all(d, x, false, true);
    ok = pass(d, own ? d->none : NULL, why);
    loss[side] = own ? d->own : d->linear;
  }
  copy_all(d, was, false, true);
  *slope = (loss[0] - loss[1]) / (2 * h);
  return ok;
}

static double norm_of(const float *g, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += (double)g[k] * (double)g[k];
  return sqrt(sum);
}

/* ---- the beliefs' gradient ---- */

/* Whether the slope along v is what the gradient says, but for `off`.  With larger weights a loss
 * may bend within every width: there, differences speak where those of three widths agree. */
static bool agrees(Descent *d, const char *name, const double *v, double said, double off,
                   GString *why) {
  double slope = 0, wider = (double)NAN;
  guint same = 1; /* widths in a row that agree */
  bool speaks = !d->scaled;
  for (guint k = 0; k < G_N_ELEMENTS(width); k++, wider = slope) {
    const double rounding = noise * (1 + d->size) / width[k];
    if (!difference(d, v, width[k], false, &slope, why)) return false;
    if (fabs(slope - said) <= off + rounding) return true;
    same = fabs(slope - wider) <= tolerance * fabs(slope) + rounding ? same + 1 : 1;
    speaks |= same == 3;
  }
  if (!speaks) return true;
  g_string_append_printf(why,
                         "backward: along %s of %s the gradient says %g, differences of the loss "
                         "say %g%s",
                         said > 0 ? "the gradient" : "a direction across it", name, said, slope,
                         d->scaled ? ", with weights three times the initial ones" : "");
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

/* g [weights], of which the array's part begins at `first`. */
static bool is_right(Descent *d, const HnArrayRecord *a, const float *g, int64_t first, HnRng *rng,
                     GString *why) {
  const int64_t n = count_of(a);
  const char *name = a->array.name;
  const double norm = norm_of(g + first, n);
  g_autofree double *v = g_new0(double, d->weights + 1);
  for (int64_t k = 0; k < n && norm > 0; k++) v[first + k] = (double)g[first + k] / norm;
  if (norm > 0 && !agrees(d, name, v, norm, tolerance * norm, why)) return false;
  for (int turn = 0; turn < 2; turn++) {
    draw_across(g + first, norm, n, rng, v + first);
    if (!agrees(d, name, v, 0, tolerance * norm, why)) return false;
  }
  return true;
}

/* both: gradient with the linear loss; own: without it. */
static bool are_right(Descent *d, const float *both, const float *own, HnRng *rng, GString *why) {
  g_autofree float *g = g_new(float, d->weights + 1);
  int64_t first = 0;
  for (int64_t k = 0; k < d->weights; k++) g[k] = both[k] - own[k];
  for (guint k = 0; k < d->arrays->len; k++) {
    const HnArrayRecord *a = d->arrays->pdata[k];
    if (a->array.role == HN_WEIGHT && !is_right(d, a, g, first, rng, why)) return false;
    first += count_of(a);
  }
  return true;
}

/* ---- the own loss's, norms, sums ---- */

static bool is_ascent(Descent *d, const float *own, HnRng *rng, GString *why) {
  const double norm = norm_of(own, d->weights);
  g_autofree double *v = g_new0(double, d->weights + 1);
  double slope = 0;
  if (norm > 0)
    for (int64_t k = 0; k < d->weights; k++) v[k] = (double)own[k] / norm;
  else
    draw_across(own, 0, d->weights, rng, v);
  for (guint k = 0; k < G_N_ELEMENTS(width); k++) {
    if (!difference(d, v, width[k], true, &slope, why)) return false;
    const double off = noise * (1 + d->size) / width[k];
    if (slope >= norm / factor - off && slope <= norm * factor + off && (norm > 0 || slope >= -off))
      return true;
  }
  g_string_append_printf(why,
                         "backward: of the loss of its own the gradient says %g, differences say "
                         "%g",
                         norm, slope);
  return false;
}

static bool is_norm(const Descent *d, const float *g, GString *why) {
  const double sum = pow(norm_of(g, d->weights), 2);
  if (fabs(sum - d->norm2) <= 1e-3 * sum + 1e-12) return true;
  g_string_append_printf(why, "backward: norm2 is %g, the gradients' squares sum up to %g",
                         d->norm2, sum);
  return false;
}

/* Whether a second backward adds to what the first has left. */
static bool adds(Descent *d, const float *once, GString *why) {
  g_autofree float *twice = g_memdup2(once, (gsize)(d->weights + 1) * sizeof *twice);
  double off = 0;
  copy_all(d, twice, true, true);
  if (!pass(d, d->d_belief, why)) return false;
  copy_all(d, twice, true, false);
  for (int64_t k = 0; k < d->weights; k++) off += pow((double)twice[k] - 2 * (double)once[k], 2);
  if (sqrt(off) <= 1e-3 * norm_of(once, d->weights)) return true;
  g_string_append(why, "backward: does not add to the gradients that are there");
  return false;
}

/* Initial biases are 0, where a rectifier has no derivative. */
static void leave_kinks(const Descent *d, HnRng *rng) {
  for (guint k = 0; k < d->arrays->len; k++) {
    const HnArrayRecord *a = d->arrays->pdata[k];
    float *x = a->data;
    for (int64_t i = 0; a->array.role == HN_WEIGHT && i < count_of(a); i++)
      x[i] += (float)(0.03 * hn_rng_normal(rng));
  }
}

/* Once more far from the initial weights, near which saturation, say, is hardly felt.  Weights that
 * the method refuses there are no fault. */
static bool are_right_at_larger(Descent *d, HnRng *rng, GString *why) {
  g_autoptr(GString) refused = g_string_new(NULL);
  for (guint k = 0; k < d->arrays->len; k++) {
    const HnArrayRecord *a = d->arrays->pdata[k];
    float *x = a->data;
    for (int64_t i = 0; a->array.role == HN_WEIGHT && i < count_of(a); i++) x[i] *= larger;
  }
  d->scaled = true;
  g_autofree float *own = gradient_of(d, d->none, refused);
  g_autofree float *both = own ? gradient_of(d, d->d_belief, refused) : NULL;
  return !both || !isfinite(norm_of(both, d->weights)) || are_right(d, both, own, rng, why);
}

static bool judge(Descent *d, GString *why) {
  HnRng rng = hn_rng(33, 0);
  leave_kinks(d, &rng);
  g_autofree float *own = gradient_of(d, d->none, why);
  g_autofree float *both = own ? gradient_of(d, d->d_belief, why) : NULL;
  return both && is_norm(d, both, why) && adds(d, both, why) &&
         are_right(d, both, own, &rng, why) && is_ascent(d, own, &rng, why) &&
         are_right_at_larger(d, &rng, why);
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
  const bool right = judge(&d, why);
  descent_free(&d), hn_session_free(s);
  return right ? HN_LAW_KEPT : HN_LAW_BROKEN;
}
