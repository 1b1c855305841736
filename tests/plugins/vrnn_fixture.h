/* vrnn_fixture.h - what tests of the recurrent agents of the VRNN family stand on: experience made
 * up here, and calls with it.  Include it after the plugin's source, with PLUGIN defined. */
#ifndef VRNN_SUBJECT_H
#define VRNN_SUBJECT_H
#define METHOD Vrnn
#include "inference_fixture.h"

/* ---- experience ---- */

/* Steps -1 .. T of B rows, [T+2, B, ..]: element 0 is step -1. */
typedef struct Life {
  int64_t T, B, obs_dim, action_dim, action_count;
  uint8_t *begin;
  float *obs, *action, *reward, *next;
  int32_t *action_index;
} Life;

/* Tasks begin at percept 0 and then every `life` steps of a row's age, which differs by row unless
 * they go `together`; episodes of four. */
static Life *life_new(int64_t T, int64_t B, int64_t obs_dim, int64_t action_dim,
                      int64_t action_count, int64_t life, bool together) {
  gsize n = (gsize)((T + 2) * B);
  Life *l = g_new0(Life, 1);
  *l = (Life){T,    B,    obs_dim, action_dim, action_count, g_new0(uint8_t, n),
              NULL, NULL, NULL,    NULL,       NULL};
  l->obs = g_new0(float, n *(gsize)obs_dim + 1), l->next = g_new0(float, n *(gsize)obs_dim + 1);
  l->action = g_new0(float, n *(gsize)action_dim + 1), l->reward = g_new0(float, n);
  l->action_index = g_new0(int32_t, n);
  for (int64_t i = 0; i < B; i++) {
    HnRng rng = hn_rng(5, (uint64_t)i);
    for (int64_t t = -1; t <= T; t++) {
      int64_t k = (t + 1) * B + i, age = t + (together ? 0 : 5 * i);
      bool fresh = t == 0 || age % life == 0;
      l->begin[k] = fresh ? HN_NEW_TASK : age % 4 == 0 ? HN_NEW_EPISODE : HN_KEEP;
      for (int64_t d = 0; d < obs_dim; d++) {
        l->obs[k * obs_dim + d] = (float)hn_rng_normal(&rng);
        l->next[k * obs_dim + d] = (float)hn_rng_normal(&rng);
      }
      for (int64_t d = 0; d < action_dim; d++)
        l->action[k * action_dim + d] = (float)hn_rng_normal(&rng);
      if (action_count) l->action_index[k] = (int32_t)hn_rng_below(&rng, action_count);
      l->reward[k] = (float)hn_rng_normal(&rng);
    }
  }
  return l;
}

static void life_free(Life *l) {
  g_free(l->begin), g_free(l->obs), g_free(l->next), g_free(l->action), g_free(l->reward);
  g_free(l->action_index), g_free(l);
}

/* Percepts from .. from + steps of rows first .. first + rows - 1. */
static HnHistory life_window(const Life *l, int64_t from, int64_t steps, int64_t first,
                             int64_t rows) {
  int64_t at = (from + 1) * l->B + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = l->B,
                     .begin = l->begin + at,
                     .obs = l->obs + at * l->obs_dim,
                     .next_obs = l->next + at * l->obs_dim,
                     .action = l->action_count ? NULL : l->action + at * l->action_dim,
                     .action_index = l->action_count ? l->action_index + at : NULL,
                     .reward = l->reward + at};
}

static Life *life_for(const Case *c, int64_t T, int64_t B, int64_t life) {
  return life_new(T, B, c->obs_dim, c->action_dim, c->action_count, life, false);
}

/* ---- calls ---- */

/* One call for percepts from .. from + steps of rows first ..; outputs go into arrays of all,
 * [T+1, B, S, D] and [T+1, B, info_count] (or NULL); `state` and `rng` are of all rows. */
typedef struct Call {
  const Life *l;
  int64_t from, steps, first, rows, samples;
  char *state;
  HnRng *rng;
  float *belief, *info;
} Call;

static void spread_rows(const Call *k, const float *part, int64_t size, float *whole) {
  for (int64_t t = 0; whole && t <= k->steps; t++)
    memcpy(whole + ((k->from + t) * k->l->B + k->first) * size, part + t * k->rows * size,
           (size_t)(k->rows * size) * sizeof *part);
}

static void call_part(Subject *b, Believe *how, const Call *k) {
  HnHistory h = life_window(k->l, k->from, k->steps, k->first, k->rows);
  int64_t S = MAX(k->samples, 1), D = S * b->spec.belief_dim;
  float *belief = g_new0(float, (k->steps + 1) * k->rows * D);
  float *info = g_new0(float, (k->steps + 1) * k->rows * info_count);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = k->state + (gsize)k->first * b->spec.row_size,
                      .samples = k->samples,
                      .rng = k->rng + k->first,
                      .belief = belief,
                      .info = k->info ? info : NULL};
  HnStatus status = how(b->m, &q);
  g_assert_cmpstr(b->fake.error, ==, "");
  g_assert_cmpint(status, ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  spread_rows(k, belief, D, k->belief), spread_rows(k, info, info_count, k->info);
  g_free(belief), g_free(info);
}

static HnRng *streams_new(int64_t n) {
  HnRng *rng = g_new0(HnRng, n);
  for (int64_t i = 0; i < n; i++) rng[i] = hn_rng(21, (uint64_t)i);
  return rng;
}

/* Row memory before percept `from` of every row, as acting leaves it. */
static char *live_until(Subject *b, const Life *l, int64_t from, int64_t samples) {
  char *state = g_malloc0((gsize)l->B * b->spec.row_size);
  HnRng *rng = streams_new(l->B);
  Call k = {.l = l, .steps = from - 1, .rows = l->B, .samples = samples, .state = state};
  k.rng = rng;
  if (from > 0) call_part(b, believe, &k);
  g_free(rng);
  return state;
}

static float *random_floats(int64_t n, uint64_t seed) {
  float *x = g_new(float, (gsize)n);
  HnRng rng = hn_rng(seed, 4);
  for (int64_t k = 0; k < n; k++) x[k] = (float)hn_rng_normal(&rng);
  return x;
}
#endif
