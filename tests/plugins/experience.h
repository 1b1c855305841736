/* experience.h - experience made up for tests of inference methods. */
#ifndef HN_TESTS_EXPERIENCE_H
#define HN_TESTS_EXPERIENCE_H
#include <glib.h>
#include <hunch/inference.h>

/* Steps -1 .. T of B rows, made up; time step 0 may be in mid-trial, so step -1 is there. */
typedef struct Experience {
  int64_t T, B, obs_dim, action_dim, action_count;
  uint8_t *begin;                      /* [T+2, B], as all: element 0 is step -1 */
  float *obs, *next, *action, *reward; /* next: where a step led, before any reset */
  int32_t *action_index;
} Experience;

static inline Experience *experience_new(int64_t T, int64_t B, int64_t obs_dim, int64_t action_dim,
                                         int64_t action_count, uint64_t seed) {
  gsize n = (gsize)((T + 2) * B);
  Experience *xp = g_new0(Experience, 1);
  *xp = (Experience){T,    B,    obs_dim, action_dim, action_count, g_new0(uint8_t, n),
                     NULL, NULL, NULL,    NULL,       NULL};
  xp->next = g_new0(float, n *(gsize)obs_dim + 1), xp->obs = g_new0(float, n *(gsize)obs_dim + 1),
  xp->action = g_new0(float, n *(gsize)action_dim + 1);
  xp->reward = g_new0(float, n), xp->action_index = g_new0(int32_t, n);
  for (int64_t i = 0; i < B; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    for (int64_t t = -1; t <= T; t++) {
      int64_t k = (t + 1) * B + i, age = t + 5 * i;
      xp->begin[k] = age % 11 == 0 ? HN_NEW_TASK : age % 4 == 0 ? HN_NEW_EPISODE : HN_KEEP;
      for (int64_t d = 0; d < obs_dim; d++) xp->obs[k * obs_dim + d] = (float)hn_rng_normal(&rng);
      for (int64_t d = 0; d < action_dim; d++)
        xp->action[k * action_dim + d] = (float)hn_rng_normal(&rng);
      if (action_count) xp->action_index[k] = (int32_t)hn_rng_below(&rng, action_count);
      xp->reward[k] = (float)hn_rng_normal(&rng);
    }
    for (int64_t k = i; k < T * B + B; k += B) /* steps -1 .. T - 1 */
      for (int64_t d = 0; d < obs_dim; d++)
        xp->next[k * obs_dim + d] =
            xp->begin[k + B] ? (float)hn_rng_normal(&rng) : xp->obs[(k + B) * obs_dim + d];
  }
  return xp;
}

static inline void experience_free(Experience *xp) {
  g_free(xp->begin), g_free(xp->obs), g_free(xp->next), g_free(xp->action), g_free(xp->reward),
      g_free(xp->action_index);
  g_free(xp);
}

/* Time steps from .. from + steps of rows first .. first + rows - 1. */
static inline HnHistory experience_window(const Experience *xp, int64_t from, int64_t steps,
                                          int64_t first, int64_t rows) {
  int64_t at = (from + 1) * xp->B + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = xp->B,
                     .begin = xp->begin + at,
                     .obs = xp->obs + at * xp->obs_dim,
                     .action = xp->action_count ? NULL : xp->action + at * xp->action_dim,
                     .action_index = xp->action_count ? xp->action_index + at : NULL,
                     .reward = xp->reward + at,
                     .next_obs = xp->next + at * xp->obs_dim};
}
#endif
