/* transformer_naive.h - tokens and the transformer over them as TrMRL and ECET define them, one
 * number at a time in float64; a pass of either plugin, and its gradient against differences. */
#ifndef HN_TESTS_TRANSFORMER_NAIVE_H
#define HN_TESTS_TRANSFORMER_NAIVE_H
#include "../../plugins/inference/transformer/transformer.h"
#include "encoder_naive.h"
#include "experience.h"
#include "inference_fixture.h"
#include "window_law.h"

/* Learning takes minutes under a sanitizer, and shows it nothing that shorter runs do not. */
static inline bool skips_learning(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_test_skip("learning is judged without a sanitizer");
  return true;
#else
  return false;
#endif
}

extern const HnPlugin gridworld_LTX_hn_plugin, ppo_LTX_hn_plugin;

/* A grid of three by three: who knows the goal gets 3.02 an episode, who searches at best 1.7.  So
 * the second episode, whose return this is after learning, shows whether the first is remembered.
 */
static inline double second_episode(const HnPlugin *plugin, const char *settings) {
  HnCell c = cell_of_parts(
      part_of(&gridworld_LTX_hn_plugin, "size: 3, horizon: 5"), part_of(plugin, settings),
      part_of(&ppo_LTX_hn_plugin,
              "n_epochs: 2, n_minibatches: 4, lr: 2e-3, anneal: false, see_obs: false, "
              "clip_range_vf: 0, ent_coef: 0.03, gamma: 0.95, normalise_belief: false, "
              "width: 32, layers: 1"));
  c.run.rows = 16, c.run.steps = 20, c.run.frames = 120000, c.run.checkpoint_every = 0;
  c.evaluation.every = 0, c.evaluation.tasks = 5;
  char *dir = folder_new();
  run_whole(&c, dir);
  g_autofree double *second = metrics_column(dir, "eval.return_2");
  g_test_message("%.3f", second[0]);
  folder_free(dir), cell_clear(&c);
  return second[0];
}

enum { TOKEN_MOST = 12 };

typedef struct NaiveNet {
  const Experience *xp;
  const TransformerParams *p;
  EncoderShape steps;
  int64_t in;
  const double *embed, *position; /* position NULL: sinusoidal */
} NaiveNet;

static inline NaiveNet naive_net(const Weights *z, const Experience *xp,
                                 const TransformerParams *p) {
  NaiveNet s = {.xp = xp,
                .p = p,
                .steps = {.name = "encoder",
                          .layers = p->layers,
                          .width = p->width,
                          .heads = p->heads,
                          .hidden = p->feed_forward}};
  s.in = xp->obs_dim + (xp->action_count ? xp->action_count : xp->action_dim) + 1;
  s.in += p->persist_memory;
  s.embed = weights_of(z, "embed.weight", 0, NULL);
  if (p->positions) s.position = weights_of(z, "position.weight", 0, NULL);
  encoder_find(z, &s.steps);
  return s;
}

/* Observation; action and reward of element `past` of all experience (below 0: none); the flag. */
static inline void naive_token(const NaiveNet *s, const float *obs, int64_t past, bool flag,
                               double *to) {
  const Experience *xp = s->xp;
  const int64_t actions = xp->action_count ? xp->action_count : xp->action_dim;
  memset(to, 0, (size_t)s->in * sizeof *to);
  for (int64_t k = 0; k < xp->obs_dim; k++) to[k] = (double)obs[k];
  for (int64_t k = 0; k < actions && past >= 0; k++)
    to[xp->obs_dim + k] =
        xp->action_count ? xp->action_index[past] == k : (double)xp->action[past * actions + k];
  if (past >= 0) to[xp->obs_dim + actions] = (double)xp->reward[past];
  if (s->p->persist_memory) to[xp->obs_dim + actions + 1] = flag;
}

/* What n tokens [n, in] say at the last: y [width]. */
static inline void naive_steps(const NaiveNet *s, int64_t n, const double *token, double *y) {
  const int64_t d = s->p->width;
  double x[NAIVE_TOKENS * NAIVE_WIDTH];
  for (int64_t i = 0; i < n; i++) {
    naive_affine(s->in, d, token + i * s->in, s->embed, NULL, x + i * d);
    for (int64_t c = 0; s->position && c < d; c++) x[i * d + c] += s->position[i * d + c];
    if (!s->position) naive_position(i, d, x + i * d);
  }
  naive_encoder(&s->steps, n, x);
  memcpy(y, x + (n - 1) * d, (size_t)d * sizeof *y);
}

/* ---- the plugin ---- */

static inline float *random_floats(int64_t n, uint64_t seed) {
  float *x = g_new(float, (gsize)n);
  HnRng rng = hn_rng(seed, 4);
  for (int64_t k = 0; k < n; k++) x[k] = (float)hn_rng_normal(&rng);
  return x;
}

/* forward over all experience from the prior, and backward of d if not NULL: belief [T+1, B, D]. */
static inline void pass(Fixture *b, const Experience *xp, float *belief, const float *d,
                        double *norm2) {
  HnHistory h = experience_window(xp, 0, xp->T, 0, xp->B);
  char *state = g_malloc0((gsize)xp->B * b->spec.row_size);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .belief = belief};
  g_assert_cmpint(b->methods->forward(b->self, &q), ==, HN_OK);
  if (d) g_assert_cmpint(b->methods->backward(b->self, &q, d, norm2), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_free(state);
}

/* Beliefs by the definition, [T+1, B, D]. */
typedef void NaiveBelief(const Weights *z, const Experience *xp, const TransformerParams *p,
                         double *belief);
typedef struct NaiveSum {
  NaiveBelief *belief;
  const Experience *xp;
  const TransformerParams *p;
  const float *weight;
  double *room;
} NaiveSum;

static inline double naive_sum(const Weights *z, void *arg) {
  const NaiveSum *s = arg;
  double sum = 0;
  s->belief(z, s->xp, s->p, s->room);
  for (int64_t k = 0; k < (s->xp->T + 1) * s->xp->B * s->p->width; k++)
    sum += (double)s->weight[k] * s->room[k];
  return sum;
}

/* Beliefs, and every derivative of sum(c . belief), on rows that meet new tasks and episodes at
 * different times. */
static inline void check_against(const HnPlugin *plugin, const Case *c, NaiveBelief *naive) {
  Fixture *b = fixture_new(plugin, c, "");
  Experience *xp = experience_new(17, 4, c->obs_dim, c->action_dim, c->action_count, 5);
  const int64_t n = (xp->T + 1) * xp->B * b->spec.belief_dim;
  Weights *z = weights_new(&b->fake);
  float *d = random_floats(n, 6), *belief = g_new0(float, (gsize)n);
  double *want = g_new0(double, (gsize)n), norm2, sum = 0;
  NaiveSum s = {naive, xp, b->part.params, d, want};
  naive(z, xp, b->part.params, want);
  pass(b, xp, belief, d, &norm2);
  for (int64_t k = 0; k < n; k++)
    g_assert_cmpfloat_with_epsilon((double)belief[k], want[k], 1e-5 * fmax(1, fabs(want[k])));
  g_assert_cmpfloat(check_slopes(z, naive_sum, &s, 5e-5), >, 1);
  for (int64_t a = 0; a < b->fake.array_count; a++)
    for (int64_t j = 0; z->at[a] >= 0 && j < b->fake.array[a].count; j++)
      sum += (double)b->fake.array[a].grad[j] * (double)b->fake.array[a].grad[j];
  g_assert_cmpfloat_with_epsilon(norm2, sum, 1e-5 * sum);
  g_free(d), g_free(belief), g_free(want);
  weights_free(z), experience_free(xp), fixture_free(b);
}

/* One call on a window and calls on its parts, and infer and forward, agree to the bit. */
static inline void check_windows(const HnPlugin *plugin, const Case *c) {
  Fixture *b = fixture_new(plugin, c, "");
  Experience *xp = experience_new(23, 6, c->obs_dim, c->action_dim, c->action_count, 5);
  char *state = g_malloc0((gsize)xp->B * b->spec.row_size);
  assert_window_law((HnWindowCheck){.methods = b->methods,
                                    .self = b->self,
                                    .spec = &b->spec,
                                    .whole = experience_window(xp, 0, xp->T, 0, xp->B),
                                    .state = state,
                                    .forward_leaves_state = true},
                    &b->fake);
  g_free(state), experience_free(xp), fixture_free(b);
}

/* What plugins are refused for, and what they say. */
static inline void check_refusal(const HnPlugin *plugin, const char *settings, const char *part) {
  Fixture *b = g_new0(Fixture, 1);
  const Case c = {"", settings, 2, 1, 0};
  g_assert_cmpint(fixture_try(b, plugin, &c, ""), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(b->fake.error, part));
  fixture_free(b);
}

static inline int64_t parameters_of(const HnPlugin *plugin, const Case *c) {
  Fixture *b = fixture_new(plugin, c, "");
  int64_t count = 0;
  for (int64_t k = 0; k < b->fake.array_count; k++)
    if (b->fake.array[k].grad) count += b->fake.array[k].count;
  fixture_free(b);
  return count;
}
#endif
