/* ecet_test.c - ECET-style inference against a naive network and its central differences, which
 * steps of an episode are sampled, the promises of the ABI, and PPO training it in the run loop. */
#include "../../plugins/inference/transformer/ecet.h"
#include "../fakes/toy.h"
#include "transformer_naive.h"

extern const HnPlugin ecet_LTX_hn_plugin;

/* Episodes of the experience have 4 steps at most, and so 5 tokens: a memory of 6 samples all. */
#define SMALL "width: 8, heads: 2, feed_forward: 7, layers: 1, "
static const Case cases[] = {
    {"last", SMALL "memory: 3, episodes: 9, sampling: last", 2, 3, 0},
    {"all", SMALL "memory: 6, episodes: 9, episode_layers: 3", 2, 0, 4},
    {"two", SMALL "memory: 3, episodes: 2, episode_layers: 2, sampling: last", 2, 2, 0},
    {"alone", SMALL "memory: 3, episodes: 1, sampling: last", 2, 0, 3},
    {"random", SMALL "memory: 3, episodes: 9", 2, 3, 0},
    {"learned", SMALL "memory: 4, episodes: 4, positions: learned, sampling: last", 2, 1, 0},
};

/* A trial so far: vectors of the episodes that have ended, tokens of the current one. */
typedef struct Trial {
  int64_t past, tokens;
  double vector[NAIVE_TOKENS * NAIVE_WIDTH], token[32 * TOKEN_MOST];
  int64_t sampled[32]; /* the current one's, in the places of the reservoir */
} Trial;

/* A place in 0 .. steps, of the hash (FNV-1a) of a token's numbers in float32, on the stream that
 * is numbered by its step. */
static int64_t place_of(const double *token, int64_t in, int64_t steps) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (int64_t k = 0; k < in; k++) {
    const union {
      float x;
      uint32_t bits;
    } number = {(float)token[k]};
    hash = (hash ^ number.bits) * UINT64_C(1099511628211);
  }
  HnRng rng = hn_rng(hash, (uint64_t)steps);
  return hn_rng_below(&rng, steps + 1);
}

static void add_token(Trial *trial, const NaiveNet *s, const float *obs, int64_t past) {
  double *token = trial->token + trial->tokens * s->in;
  naive_token(s, obs, past, false, token);
  const int64_t step = trial->tokens++;
  const int64_t place = step < s->p->memory ? step : place_of(token, s->in, step);
  if (place < s->p->memory) trial->sampled[place] = step;
}

/* What the current episode's last tokens say. */
static void current(const Trial *trial, const NaiveNet *s, double *y) {
  const int64_t n = MIN(s->p->memory, trial->tokens);
  naive_steps(s, n, trial->token + (trial->tokens - n) * s->in, y);
}

/* What the steps that were sampled of it say, in their order. */
static void ended(const Trial *trial, const NaiveNet *s, double *y) {
  double token[32 * TOKEN_MOST];
  int64_t n = 0;
  for (int64_t t = 0; t < trial->tokens; t++)
    for (int64_t k = 0; k < MIN(s->p->memory, trial->tokens); k++)
      if (trial->sampled[k] == t)
        memcpy(token + n++ * s->in, trial->token + t * s->in, (size_t)s->in * sizeof *token);
  if (s->p->sampling == TRANSFORMER_LAST)
    current(trial, s, y);
  else
    naive_steps(s, n, token, y);
}

static void naive_belief(const Weights *z, const Experience *xp, const TransformerParams *p,
                         double *belief) {
  const NaiveNet s = naive_net(z, xp, p);
  const int64_t d = p->width;
  EncoderShape across = s.steps;
  across.name = "across", across.layers = p->episode_layers, across.span = p->episodes;
  encoder_find(z, &across);
  for (int64_t i = 0; i < xp->B; i++) {
    Trial trial = {0};
    for (int64_t t = 0; t <= xp->T; t++) {
      const int64_t at = (t + 1) * xp->B + i;
      if (xp->begin[at] == HN_NEW_EPISODE && trial.tokens) {
        /* closed by what the last step led to */
        add_token(&trial, &s, xp->next + (at - xp->B) * xp->obs_dim, at - xp->B);
        ended(&trial, &s, trial.vector + trial.past++ * d);
      }
      if (xp->begin[at] == HN_NEW_TASK) trial.past = 0;
      if (xp->begin[at]) trial.tokens = 0;
      add_token(&trial, &s, xp->obs + at * xp->obs_dim, xp->begin[at] ? -1 : at - xp->B);
      double x[NAIVE_TOKENS * NAIVE_WIDTH];
      memcpy(x, trial.vector, sizeof x);
      current(&trial, &s, x + trial.past * d);
      for (int64_t e = 0; e <= trial.past; e++) naive_position(e, d, x + e * d);
      naive_encoder(&across, trial.past + 1, x);
      memcpy(belief + (t * xp->B + i) * d, x + trial.past * d, (size_t)d * sizeof *x);
    }
  }
}

static void test_gradient(gconstpointer c) {
  check_against(&ecet_LTX_hn_plugin, c, naive_belief);
}
static void test_windows(gconstpointer c) {
  check_windows(&ecet_LTX_hn_plugin, c);
}

/* Of ten steps each is sampled as often as the others: chi-squared of 9 degrees of freedom is below
 * 27.88 with probability .999.  The streams are fixed. */
static void test_sampling(void) {
  enum { B = 3000, LENGTH = 10 };
  const Case c = {"", SMALL "memory: 1", 1, 1, 0};
  Fixture *b = fixture_new(&ecet_LTX_hn_plugin, &c, "");
  Experience *xp = experience_new(LENGTH - 1, B, 1, 1, 0, 5);
  memset(xp->begin, HN_KEEP, (gsize)(LENGTH + 1) * B), memset(xp->begin + B, HN_NEW_TASK, B);
  HnHistory h = experience_window(xp, 0, xp->T, 0, B);
  char *state = g_malloc0((gsize)B * b->spec.row_size);
  float *belief = g_new0(float, LENGTH *B * 8);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .belief = belief};
  g_assert_cmpint(b->methods->infer(b->self, &q), ==, HN_OK);
  int64_t count[LENGTH] = {0};
  for (int64_t i = 0; i < B; i++) {
    EcetRow *row = ecet_row(b->self, &q, i);
    g_assert_cmpint(row->steps, ==, LENGTH);
    g_assert_cmpint(row->step[0], <, LENGTH);
    count[row->step[0]]++;
    const float *sampled = ecet_sampled(b->self, row);
    g_assert_cmpfloat(sampled[0], ==, h.obs[row->step[0] * B + i]);
  }
  double chi2 = 0;
  for (int k = 0; k < LENGTH; k++)
    chi2 += pow((double)count[k] - B / LENGTH, 2) / ((double)B / LENGTH);
  g_test_message("%.2f", chi2);
  g_assert_cmpfloat(chi2, <, 27.88);
  g_free(state), g_free(belief), experience_free(xp), fixture_free(b);
}

/* Under random sampling too a window agrees with its parts, and a trial that is played again is
 * sampled as before. */
static void test_replays(void) {
  const Case c = {"", SMALL "memory: 2, episodes: 3", 2, 2, 0};
  check_windows(&ecet_LTX_hn_plugin, &c);
}

/* No more episodes are remembered than a trial has. */
static void test_episodes(void) {
  static const int64_t own[] = {0, 3, 12}, remembered[] = {9, 3, 9};
  for (int k = 0; k < 3; k++) {
    FakeHost *fake = g_new(FakeHost, 1);
    HnPluginChoice part = part_of(&ecet_LTX_hn_plugin, SMALL "episodes: 9");
    HnRng rng = hn_rng(3, 1);
    HnBeliefSpec spec = {.struct_size = sizeof spec, .obs_dim = 2, .action_dim = 1, .rng = &rng};
    spec.episodes = own[k];
    Ecet m = {0};
    g_assert_cmpint(ecet_create(&m, fake_host_open(fake), part.params, &spec), ==, HN_OK);
    const Case c = {"", SMALL, 2, 1, 0};
    g_autofree char *episodes = g_strdup_printf("episodes: %d", (int)remembered[k]);
    Fixture *b = fixture_new(&ecet_LTX_hn_plugin, &c, episodes);
    g_assert_cmpint(m.episodes, ==, remembered[k]);
    g_assert_cmpint(spec.row_size, ==, b->spec.row_size);
    fixture_free(b), fake_host_close(fake), g_free(fake), g_free(part.params);
  }
}

static void test_refusals(void) {
  check_refusal(&ecet_LTX_hn_plugin, "width: 10, heads: 4", "no multiple");
}

/* ---- in the run loop ---- */

static void test_bits(void) {
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""),
                           part_of(&ecet_LTX_hn_plugin, SMALL "memory: 3"),
                           part_of(&ppo_LTX_hn_plugin, "n_epochs: 2, n_minibatches: 2, lr: 0.01"));
  assert_same_bits(&c);
  cell_clear(&c);
}

static void test_learns(void) {
  if (skips_learning()) return;
  g_assert_cmpfloat(
      second_episode(&ecet_LTX_hn_plugin,
                     "width: 16, heads: 2, feed_forward: 32, layers: 2, memory: 5, lr: 2e-3"),
      >, 2.4);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *gradient = g_strdup_printf("/ecet/gradient/%s", cases[k].name);
    g_autofree char *windows = g_strdup_printf("/ecet/windows/%s", cases[k].name);
    g_test_add_data_func(gradient, &cases[k], test_gradient);
    g_test_add_data_func(windows, &cases[k], test_windows);
  }
  g_test_add_func("/ecet/sampling", test_sampling);
  g_test_add_func("/ecet/replays", test_replays);
  g_test_add_func("/ecet/episodes", test_episodes);
  g_test_add_func("/ecet/refusals", test_refusals);
  g_test_add_func("/ecet/run/bits", test_bits);
  g_test_add_func("/ecet/run/learns", test_learns);
  return g_test_run();
}
