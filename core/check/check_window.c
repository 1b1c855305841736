/* check_window.c - see check_window.h. */
#include "check_window.h"
#include <string.h>

/* What calls that together cover the whole experience gave. */
typedef struct Output {
  float *belief, *info;
  char *state;
  HnRng *rng;
} Output;

static int64_t width(const HnWindowCheck *w) {
  return MAX(w->samples, 1) * w->spec->belief_dim;
}

static Output output_new(const HnWindowCheck *w) {
  const int64_t B = w->whole.rows;
  const gsize n = (gsize)((w->whole.steps + 1) * B), held = (gsize)B * w->spec->row_size;
  Output out = {.belief = g_new0(float, n *(gsize)width(w)),
                .info = g_new0(float, n *(gsize)w->info_count + 1),
                .state = g_aligned_alloc0(1, held + 1, 64),
                .rng = g_new0(HnRng, (gsize)B)};
  if (w->state) memcpy(out.state, w->state, held);
  for (int64_t i = 0; i < B; i++) out.rng[i] = hn_rng(21, (uint64_t)i);
  return out;
}

static void output_free(Output *out) {
  g_free(out->belief), g_free(out->info), g_aligned_free(out->state), g_free(out->rng);
}

/* Time steps from .. from + steps of rows first .. first + rows - 1. */
static HnHistory part_of(const HnWindowCheck *w, int64_t from, int64_t steps, int64_t first,
                         int64_t rows) {
  const HnBeliefSpec *s = w->spec;
  HnHistory h = w->whole;
  const int64_t at = from * h.stride + first;
  h.steps = steps, h.rows = rows, h.belief = h.aux = NULL;
  h.begin += at;
  if (h.obs) h.obs += at * s->obs_dim;
  if (h.action) h.action += at * s->action_dim;
  if (h.action_index) h.action_index += at;
  if (h.reward) h.reward += at;
  if (h.true_reward) h.true_reward += at;
  if (h.next_obs) h.next_obs += at * s->obs_dim;
  if (h.terminated) h.terminated += at;
  if (h.truncated) h.truncated += at;
  if (h.task) h.task += at * s->task_dim;
  return h;
}

/* One call, whose outputs go to their places in those of the whole. */
static bool call_part(const HnWindowCheck *w, HnInferMethod *method, int64_t from, int64_t steps,
                      int64_t first, int64_t rows, Output *out, GString *why) {
  HnHistory h = part_of(w, from, steps, first, rows);
  const int64_t wide = width(w), infos = method == w->methods->infer ? w->info_count : 0;
  const gsize n = (gsize)((steps + 1) * rows);
  g_autofree float *belief = g_new0(float, n *(gsize)wide);
  g_autofree float *info = g_new0(float, n *(gsize)infos + 1);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = out->state + (gsize)first * w->spec->row_size,
                      .samples = w->samples,
                      .rng = out->rng + first,
                      .belief = belief,
                      .info = infos ? info : NULL};
  const char *failure = w->call(w->arg, method, w->self, &q);
  if (failure) g_string_append(why, failure);
  for (int64_t t = 0; t <= steps; t++) {
    const int64_t at = (from + t) * w->whole.rows + first;
    /* what has no columns has no array either */
    if (wide) memcpy(out->belief + at * wide, belief + t * rows * wide, (gsize)(rows * wide) * 4);
    if (infos) memcpy(out->info + at * infos, info + t * rows * infos, (gsize)(rows * infos) * 4);
  }
  return !failure;
}

static bool same_numbers(const HnWindowCheck *w, const char *what, const float *a, const float *b,
                         int64_t columns, GString *why) {
  const int64_t B = w->whole.rows, n = (w->whole.steps + 1) * B * columns;
  for (int64_t k = 0; k < n; k++) {
    if (!memcmp(a + k, b + k, sizeof *a)) continue;
    g_string_append_printf(why, "%s[%d] of row %d at time step %d is %.9g, in one call %.9g", what,
                           (int)(k % columns), (int)(k / columns % B), (int)(k / columns / B),
                           (double)b[k], (double)a[k]);
    return false;
  }
  return true;
}

/* Frees `other`, which must equal `whole`, info and row memory only where asked. */
static bool compare(const HnWindowCheck *w, const char *doing, const Output *whole, Output *other,
                    bool called, bool info, bool state, GString *why) {
  const gsize held = (gsize)w->whole.rows * w->spec->row_size;
  bool same = called && same_numbers(w, "belief", whole->belief, other->belief, width(w), why) &&
              (!info || same_numbers(w, "info", whole->info, other->info, w->info_count, why));
  if (same && state && memcmp(whole->state, other->state, held)) {
    g_string_append(why, "row memory differs");
    same = false;
  }
  if (!same) g_string_append_printf(why, " (%s)", doing);
  output_free(other);
  return same;
}

static bool same_in_cuts(const HnWindowCheck *w, const Output *whole, GString *why) {
  const int64_t T = w->whole.steps, B = w->whole.rows;
  HnInferMethod *infer = w->methods->infer;
  for (int64_t cut = 0; cut < T; cut++) {
    g_autofree char *doing = g_strdup_printf("in two calls, cut after time step %d", (int)cut);
    Output other = output_new(w);
    bool called = call_part(w, infer, 0, cut, 0, B, &other, why) &&
                  call_part(w, infer, cut + 1, T - cut - 1, 0, B, &other, why);
    if (!compare(w, doing, whole, &other, called, true, true, why)) return false;
  }
  Output other = output_new(w);
  bool called = true;
  for (int64_t t = 0; t <= T && called; t++) called = call_part(w, infer, t, 0, 0, B, &other, why);
  return compare(w, "in one call a time step", whole, &other, called, true, true, why);
}

static bool same_in_rows(const HnWindowCheck *w, const Output *whole, GString *why) {
  Output other = output_new(w);
  bool called = true;
  for (int64_t i = 0; i < w->whole.rows && called; i++)
    called = call_part(w, w->methods->infer, 0, w->whole.steps, i, 1, &other, why);
  return compare(w, "each row alone", whole, &other, called, true, true, why);
}

static bool same_in_forward(const HnWindowCheck *w, const Output *whole, GString *why) {
  if (!HN_CAN(w->methods, forward)) return true;
  Output other = output_new(w);
  bool called = call_part(w, w->methods->forward, 0, w->whole.steps, 0, w->whole.rows, &other, why);
  return compare(w, "in forward", whole, &other, called, false, w->forward_leaves_state, why);
}

bool hn_check_window(const HnWindowCheck *w, GString *why) {
  Output whole = output_new(w);
  bool kept = call_part(w, w->methods->infer, 0, w->whole.steps, 0, w->whole.rows, &whole, why) &&
              same_in_cuts(w, &whole, why) && same_in_rows(w, &whole, why) &&
              same_in_forward(w, &whole, why);
  output_free(&whole);
  return kept;
}
