/* ppo_fixture.h - settings of PPO to be tested, an instance with each, and experience made up. */
#ifndef PPO_FIXTURE_H
#define PPO_FIXTURE_H
#include "policy_fixture.h"
#include <math.h>

extern const HnPlugin ppo_LTX_hn_plugin;

typedef struct Case {
  const char *name, *settings;
  int64_t O, D, S, action_dim, action_count;
} Case;

#define COMMON \
  "max_grad_norm 0 n_minibatches 1 anneal 0 lr 0.05 layers 2 width 5 head_gain 1 ent_coef 0.1 "
/* Those of the Laplace VRNN, but for their size; alone or on the point belief. */
#define HEADS                                                                            \
  "hidden 5,4 input_norm 1 activation 2 init 2 loss_belief 1 clip_range_vf 0 vf_coef 1 " \
  "advantages 2 normalise_obs 0 normalise_belief 0 normalise_reward 0"
static const Case cases[] = {
    {"discrete", COMMON "obs_embed 4 belief_embed 3", 3, 2, 0, 0, 4},
    {"relu_raw_inputs", COMMON "activation 1 normalise_obs 0 normalise_belief 0", 3, 2, 0, 0, 4},
    {"linear_no_belief", COMMON "lr 0.3 layers 0 advantages 2 normalise_reward 0", 3, 0, 0, 0, 3},
    {"belief_alone", COMMON "init 1 clip_range_vf 0", 0, 3, 0, 0, 3},
    {"continuous", COMMON "std_init 0.7 belief_embed 3", 3, 2, 0, 2, 0},
    {"softclip_mean", COMMON "squash 1 std_bounds 1 huber 0.3", 3, 2, 0, 2, 0},
    {"squashed", COMMON "squash 2 obs_embed 4", 3, 2, 0, 2, 0},
    {"limits", COMMON "time_limit_bootstrap 1 episode_boundary 1", 3, 2, 0, 0, 4},
    {"mixture", COMMON "belief_embed 3", 3, 2, 3, 0, 4},
    {"mixture_continuous", COMMON "squash 2", 3, 2, 3, 2, 0},
    {"laplace_heads", COMMON HEADS, 3, 2, 0, 0, 4},
    {"upstream_critic", COMMON "upstream_critic 1 belief_embed 3", 3, 2, 0, 0, 4},
    {"upstream_mixture", COMMON "upstream_mixture 1", 3, 2, 3, 0, 4},
    {"point", COMMON HEADS, 3, 2, 3, 0, 4},
    {"point_upstream", COMMON "loss_belief 1 upstream_mixture 1 upstream_critic 1", 3, 2, 3, 2, 0},
    {"point_squashed", COMMON "loss_belief 1 squash 2", 3, 2, 3, 2, 0},
};

/* Of a window of 4 rows: the first case fills two shards. */
static inline int64_t steps_of(const Case *c) {
  return c == cases ? 33 : 8;
}

static inline PolicyFixture *open_case(const Case *c, uint64_t seed) {
  PolicyFixture *f = policy_fixture_open(&ppo_LTX_hn_plugin, seed);
  policy_fixture_set_all(f, c->settings);
  f->spec.obs_dim = c->O, f->spec.belief_dim = c->D, f->spec.samples = c->S;
  f->spec.action_dim = c->action_dim, f->spec.action_count = c->action_count;
  f->spec.rows = 4, f->spec.steps = 8;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_OK);
  return f;
}

/* create must fail with `status` and a reason that has `part` in it. */
static inline void expect_refusal(const Case *c, HnStatus status, const char *part) {
  PolicyFixture *f = policy_fixture_open(&ppo_LTX_hn_plugin, 1);
  policy_fixture_set_all(f, c->settings);
  f->spec.obs_dim = c->O, f->spec.belief_dim = c->D, f->spec.rows = 4;
  f->spec.action_dim = c->action_dim, f->spec.action_count = c->action_count;
  g_assert_cmpint(policy_fixture_create(f), ==, status);
  g_assert_nonnull(strstr(f->fake.error, part));
  policy_fixture_close(f);
}

/* Random experience: row 1 meets a new task, row 2 a time limit, row 3 a true end; in row 0 the
 * window ends with a task. */
static inline Log *experience(PolicyFixture *f, int64_t T, int64_t B, int64_t S) {
  Log *g = log_new(f, T, B, S, 3);
  HnRng rng = hn_rng(11, 0);
  const HnPolicySpec *s = &f->spec;
  for (int64_t k = 0; k < (T + 1) * B * s->obs_dim; k++)
    g->obs[k] = (float)(0.5 + 2 * hn_rng_normal(&rng));
  for (int64_t k = 0; k < (T + 1) * B * (S > 1 ? S : 1) * s->belief_dim; k++)
    g->belief[k] = (float)(-1 + 0.3 * hn_rng_normal(&rng));
  memset(g->begin, HN_NEW_TASK, (size_t)B);
  g->begin[3 * B + 1] = HN_NEW_TASK;
  g->begin[4 * B + 2] = HN_NEW_EPISODE, g->truncated[3 * B + 2] = 1;
  g->begin[2 * B + 3] = HN_NEW_EPISODE, g->terminated[B + 3] = 1;
  g->begin[T * B] = HN_NEW_TASK, g->truncated[(T - 1) * B] = 1;
  for (int64_t t = 0; t < T; t++) {
    g_assert_cmpint(policy_fixture_act(f, g, t, 0, B, false), ==, HN_OK);
    for (int64_t i = 0; i < B; i++) {
      g->true_reward[t * B + i] = (float)hn_rng_normal(&rng);
      g->reward[t * B + i] = g->true_reward[t * B + i] + (t == 2 ? 1 : 0); /* relabelled */
    }
  }
  return g;
}

static inline void add_cases(const char *folder, const int *which, int count, GTestDataFunc test) {
  for (int k = 0; k < count; k++) {
    const Case *c = &cases[which ? which[k] : k];
    char *path = g_strdup_printf("/ppo/%s/%s", folder, c->name);
    g_test_add_data_func(path, c, test);
    g_free(path);
  }
}
#endif
