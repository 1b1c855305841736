/* window_law.h - the window law, which every inference method must obey (see HnInference.infer):
 * how experience is cut into calls changes nothing.
 *
 * One call, one call a time step, two calls cut anywhere, a call for each row alone, and forward
 * where there is one give the same bits of beliefs, info and row memory. */
#ifndef HN_TESTS_WINDOW_LAW_H
#define HN_TESTS_WINDOW_LAW_H
#include "fake_host.h"
#include <glib.h>
#include <hunch/inference.h>

typedef struct WindowLaw {
  const HnInference *methods;
  void *self;
  const HnBeliefSpec *spec;
  FakeHost *fake;                 /* its scratch is reset after every call */
  HnHistory whole;                /* the experience, dense: steps, rows and its arrays */
  const void *state;              /* [rows] row memory before it; NULL: zeros */
  int64_t samples, info_count;    /* S; columns of info, 0: not asked */
  bool forward_leaves_row_memory; /* as infer does, though no one reads it */
} WindowLaw;

/* What calls that together cover the whole experience gave. */
typedef struct WindowOutput {
  float *belief, *info;
  char *state;
  HnRng *rng;
} WindowOutput;

static inline WindowOutput window_output_new(const WindowLaw *w) {
  int64_t B = w->whole.rows, n = (w->whole.steps + 1) * B * MAX(w->samples, 1);
  size_t held = (size_t)B * w->spec->row_size;
  WindowOutput out = {.belief = g_new0(float, n * w->spec->belief_dim),
                      .info = g_new0(float, n * w->info_count),
                      .state = g_aligned_alloc0(1, held + 1, 64),
                      .rng = g_new0(HnRng, B)};
  if (w->state) memcpy(out.state, w->state, held);
  for (int64_t i = 0; i < B; i++) out.rng[i] = hn_rng(21, (uint64_t)i);
  return out;
}

static inline void window_output_free(WindowOutput *out) {
  g_free(out->belief), g_free(out->info), g_aligned_free(out->state), g_free(out->rng);
}

/* Time steps from .. from + steps of rows first .. first + rows - 1. */
static inline HnHistory window_part(const WindowLaw *w, int64_t from, int64_t steps, int64_t first,
                                    int64_t rows) {
  const HnBeliefSpec *s = w->spec;
  HnHistory h = w->whole;
  int64_t at = from * h.stride + first;
  h.steps = steps, h.rows = rows;
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
static inline void window_call(const WindowLaw *w, HnStatus (*method)(void *, HnBeliefUpdate *),
                               int64_t from, int64_t steps, int64_t first, int64_t rows,
                               WindowOutput *out) {
  FakeMark mark = fake_host_mark(w->fake);
  HnHistory h = window_part(w, from, steps, first, rows);
  int64_t wide = MAX(w->samples, 1) * w->spec->belief_dim, n = (steps + 1) * rows;
  float *belief = g_new0(float, n *wide), *info = g_new0(float, n * w->info_count);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = out->state + (size_t)first * w->spec->row_size,
                      .samples = w->samples,
                      .rng = out->rng + first,
                      .belief = belief,
                      .info = w->info_count ? info : NULL};
  HnStatus status = method(w->self, &q);
  g_assert_cmpstr(w->fake->error, ==, "");
  g_assert_cmpint(status, ==, HN_OK);
  for (int64_t t = 0; t <= steps; t++) {
    int64_t at = (from + t) * w->whole.rows + first;
    memcpy(out->belief + at * wide, belief + t * rows * wide, (size_t)(rows * wide) * 4);
    if (w->info_count)
      memcpy(out->info + at * w->info_count, info + t * rows * w->info_count,
             (size_t)(rows * w->info_count) * 4);
  }
  g_free(belief), g_free(info);
  fake_host_reset(w->fake, mark);
}

/* Frees `other`, which must equal `whole`; info and row memory only where asked. */
static inline void window_compare(const WindowLaw *w, const WindowOutput *whole,
                                  WindowOutput *other, bool info, bool state) {
  int64_t n = (w->whole.steps + 1) * w->whole.rows;
  size_t bytes = (size_t)(n * MAX(w->samples, 1) * w->spec->belief_dim) * sizeof(float);
  size_t told = (size_t)(n * w->info_count) * sizeof(float);
  size_t held = (size_t)w->whole.rows * w->spec->row_size;
  g_assert_cmpmem(whole->belief, bytes, other->belief, bytes);
  if (info) g_assert_cmpmem(whole->info, told, other->info, told);
  if (state) g_assert_cmpmem(whole->state, held, other->state, held);
  window_output_free(other);
}

static inline void check_window_law(const WindowLaw *w) {
  int64_t T = w->whole.steps, B = w->whole.rows;
  HnStatus (*infer)(void *, HnBeliefUpdate *) = w->methods->infer;
  g_assert_cmpint(w->whole.stride, ==, B);
  WindowOutput whole = window_output_new(w), other = window_output_new(w);
  window_call(w, infer, 0, T, 0, B, &whole);

  for (int64_t t = 0; t <= T; t++) window_call(w, infer, t, 0, 0, B, &other);
  window_compare(w, &whole, &other, true, true);

  for (int64_t cut = 0; cut < T; cut++) {
    other = window_output_new(w);
    window_call(w, infer, 0, cut, 0, B, &other);
    window_call(w, infer, cut + 1, T - cut - 1, 0, B, &other);
    window_compare(w, &whole, &other, true, true);
  }

  other = window_output_new(w);
  for (int64_t i = 0; i < B; i++) window_call(w, infer, 0, T, i, 1, &other);
  window_compare(w, &whole, &other, true, true);

  if (HN_CAN(w->methods, forward)) {
    WindowLaw quiet = *w; /* learning asks for no info */
    quiet.info_count = 0;
    other = window_output_new(w);
    window_call(&quiet, w->methods->forward, 0, T, 0, B, &other);
    window_compare(w, &whole, &other, false, w->forward_leaves_row_memory);
  }
  window_output_free(&whole);
}
#endif
