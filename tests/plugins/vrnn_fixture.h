/* vrnn_fixture.h - what tests of the recurrent agents of the VRNN family stand on: made-up
 * experience, and calls with it. */
#ifndef HN_TESTS_VRNN_FIXTURE_H
#define HN_TESTS_VRNN_FIXTURE_H
#include "../../plugins/inference/vrnn/posterior.h"
#include "inference_fixture.h"

/* ---- experience ---- */

/* Steps -1 .. T of B rows, [T+2, B, ..]: element 0 is step -1. */
typedef struct Experience {
  int64_t T, B, obs_dim, action_dim, action_count;
  uint8_t *begin;
  float *obs, *action, *reward, *next;
  int32_t *action_index;
} Experience;

/* Tasks begin at observation 0 and then every `task` steps, at other times in each row unless they
 * go `together`; episodes of four. */
static inline Experience *experience_new(int64_t T, int64_t B, int64_t obs_dim, int64_t action_dim,
                                         int64_t action_count, int64_t task, bool together) {
  gsize n = (gsize)((T + 2) * B);
  Experience *xp = g_new0(Experience, 1);
  *xp = (Experience){T,    B,    obs_dim, action_dim, action_count, g_new0(uint8_t, n),
                     NULL, NULL, NULL,    NULL,       NULL};
  xp->obs = g_new0(float, n *(gsize)obs_dim + 1), xp->next = g_new0(float, n *(gsize)obs_dim + 1);
  xp->action = g_new0(float, n *(gsize)action_dim + 1), xp->reward = g_new0(float, n);
  xp->action_index = g_new0(int32_t, n);
  for (int64_t i = 0; i < B; i++) {
    HnRng rng = hn_rng(5, (uint64_t)i);
    for (int64_t t = -1; t <= T; t++) {
      int64_t k = (t + 1) * B + i, age = t + (together ? 0 : 5 * i);
      bool fresh = t == 0 || age % task == 0;
      xp->begin[k] = fresh ? HN_NEW_TASK : age % 4 == 0 ? HN_NEW_EPISODE : HN_KEEP;
      for (int64_t d = 0; d < obs_dim; d++) {
        xp->obs[k * obs_dim + d] = (float)hn_rng_normal(&rng);
        xp->next[k * obs_dim + d] = (float)hn_rng_normal(&rng);
      }
      for (int64_t d = 0; d < action_dim; d++)
        xp->action[k * action_dim + d] = (float)hn_rng_normal(&rng);
      if (action_count) xp->action_index[k] = (int32_t)hn_rng_below(&rng, action_count);
      xp->reward[k] = (float)hn_rng_normal(&rng);
    }
  }
  return xp;
}

static inline void experience_free(Experience *xp) {
  g_free(xp->begin), g_free(xp->obs), g_free(xp->next), g_free(xp->action), g_free(xp->reward);
  g_free(xp->action_index), g_free(xp);
}

/* Observations from .. from + steps of rows first .. first + rows - 1. */
static inline HnHistory experience_window(const Experience *xp, int64_t from, int64_t steps,
                                          int64_t first, int64_t rows) {
  int64_t at = (from + 1) * xp->B + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = xp->B,
                     .begin = xp->begin + at,
                     .obs = xp->obs + at * xp->obs_dim,
                     .next_obs = xp->next + at * xp->obs_dim,
                     .action = xp->action_count ? NULL : xp->action + at * xp->action_dim,
                     .action_index = xp->action_count ? xp->action_index + at : NULL,
                     .reward = xp->reward + at};
}

static inline Experience *experience_for(const Case *c, int64_t T, int64_t B, int64_t task) {
  return experience_new(T, B, c->obs_dim, c->action_dim, c->action_count, task, false);
}

/* ---- calls ---- */

/* Infers observations 0 .. steps of all rows; outputs [steps + 1, B, ..], either may be NULL. */
static inline void infer_window(Fixture *b, const Experience *xp, int64_t steps, int64_t samples,
                                char *state, HnRng *rng, float *belief, float *info) {
  HnHistory h = experience_window(xp, 0, steps, 0, xp->B);
  float *spare = g_new0(float, (steps + 1) * xp->B * MAX(samples, 1) * b->spec.belief_dim);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = samples,
                      .rng = rng,
                      .belief = belief ? belief : spare,
                      .info = info};
  HnStatus status = b->methods->infer(b->self, &q);
  g_assert_cmpstr(b->fake.error, ==, "");
  g_assert_cmpint(status, ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_free(spare);
}

/* Row memory before observation `from` of every row, as acting leaves it. */
static inline char *state_before(Fixture *b, const Experience *xp, int64_t from, int64_t samples) {
  char *state = g_malloc0((gsize)xp->B * b->spec.row_size);
  HnRng *rng = streams_new(xp->B);
  if (from > 0) infer_window(b, xp, from - 1, samples, state, rng, NULL, NULL);
  g_free(rng);
  return state;
}

/* forward and backward over observations from .. T, from these row memories.  d: gradient of the
 * beliefs; NULL: 0. */
static inline void forward_backward(Fixture *b, const Experience *xp, int64_t from, int64_t samples,
                                    const char *memory, const float *d, double *norm2) {
  HnHistory h = experience_window(xp, from, xp->T - from, 0, xp->B);
  char *state = g_memdup2(memory, (gsize)xp->B * b->spec.row_size);
  HnRng *rng = streams_new(xp->B);
  int64_t n = (h.steps + 1) * h.rows * MAX(samples, 1) * b->spec.belief_dim;
  float *belief = g_new0(float, n), *none = g_new0(float, n);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .samples = samples};
  q.rng = rng, q.belief = belief;
  g_assert_cmpint(b->methods->forward(b->self, &q), ==, HN_OK);
  g_assert_cmpint(b->methods->backward(b->self, &q, d ? d : none, norm2), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_free(belief), g_free(none), g_free(state), g_free(rng);
}

static inline float *random_floats(int64_t n, uint64_t seed) {
  float *x = g_new(float, (gsize)n);
  HnRng rng = hn_rng(seed, 4);
  for (int64_t k = 0; k < n; k++) x[k] = (float)hn_rng_normal(&rng);
  return x;
}
#endif
