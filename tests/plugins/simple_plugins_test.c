/* The controls: no belief, the true task as belief, and uniformly random actions. */
#include "fake_host.h"
#include <glib.h>
#include <hunch/inference.h>
#include <hunch/policy.h>
#include <math.h>

extern const HnPlugin none_LTX_hn_plugin, oracle_LTX_hn_plugin, uniform_LTX_hn_plugin;

static FakeHost fake;
static union {
  double align;
  char bytes[64];
} self;

static const HnInference *inference(const HnPlugin *p, HnBeliefSpec *spec, HnStatus expected) {
  const HnInference *f = p->methods;
  memset(&self, 0, sizeof self);
  g_assert_cmpuint(p->self_size, <=, sizeof self);
  spec->struct_size = sizeof *spec;
  g_assert_cmpint(f->create(&self, &fake.host, NULL, spec), ==, expected);
  return f;
}

static const HnPolicy *policy(HnPolicySpec *spec, const char *regions, HnStatus expected) {
  const HnPolicy *f = uniform_LTX_hn_plugin.methods;
  union {
    const char *text;
    char bytes[32];
  } params = {.bytes = {0}};
  g_assert_cmpuint(uniform_LTX_hn_plugin.params_size, <=, sizeof params);
  g_assert_cmpstr(uniform_LTX_hn_plugin.params[0].name, ==, "regions");
  memcpy(params.bytes + uniform_LTX_hn_plugin.params[0].offset, &regions, sizeof regions);
  memset(&self, 0, sizeof self);
  g_assert_cmpuint(uniform_LTX_hn_plugin.self_size, <=, sizeof self);
  spec->struct_size = sizeof *spec;
  g_assert_cmpint(f->create(&self, &fake.host, &params, spec), ==, expected);
  return f;
}

static void test_none(void) {
  HnBeliefSpec spec = {.obs_dim = 3, .action_count = 2, .belief_dim = 9, .latent_dim = 9};
  const HnInference *f = inference(&none_LTX_hn_plugin, &spec, HN_OK);
  g_assert_cmpint(spec.belief_dim, ==, 0);
  g_assert_cmpint(spec.latent_dim, ==, 0);
  g_assert_cmpuint(spec.row_size, ==, 0);
  HnHistory h = {.struct_size = sizeof h, .rows = 2, .stride = 2};
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h};
  g_assert_cmpint(f->infer(&self, &q), ==, HN_OK);
  g_assert_null(f->forward);
  g_assert_null(f->learn);
  g_assert_cmpuint(none_LTX_hn_plugin.flags, ==, 0);
}

/* Rows 1 and 2 of four: the stride is wider than the call. */
static void test_oracle(void) {
  HnBeliefSpec spec = {.obs_dim = 3, .action_count = 2, .task_dim = 2};
  const HnInference *f = inference(&oracle_LTX_hn_plugin, &spec, HN_OK);
  g_assert_cmpint(spec.belief_dim, ==, 2);
  g_assert_cmpint(spec.latent_dim, ==, 2);
  g_assert_cmpuint(oracle_LTX_hn_plugin.flags, ==, HN_PRIVILEGED);
  const float task[] = {0, 0, 10, 11, 20, 21, 0, 0, 0, 0, 30, 31, 40, 41, 0, 0};
  const float once[] = {10, 11, 20, 21, 30, 31, 40, 41};
  const float twice[] = {10, 11, 10, 11, 20, 21, 20, 21, 30, 31, 30, 31, 40, 41, 40, 41};
  float belief[16];
  HnHistory h = {.struct_size = sizeof h, .steps = 1, .rows = 2, .stride = 4, .task = task + 2};
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .belief = belief};
  g_assert_cmpint(f->infer(&self, &q), ==, HN_OK);
  g_assert_cmpmem(belief, sizeof once, once, sizeof once);
  q.samples = 2;
  g_assert_cmpint(f->infer(&self, &q), ==, HN_OK);
  g_assert_cmpmem(belief, sizeof twice, twice, sizeof twice);
}

static void test_oracle_needs_task(void) {
  HnBeliefSpec spec = {.obs_dim = 3, .action_count = 2};
  inference(&oracle_LTX_hn_plugin, &spec, HN_E_SHAPE);
  g_assert_nonnull(strstr(fake.error, "task_dim"));
}

enum { ROWS = 20000 };
static HnRng rng[ROWS];
static float move[2 * ROWS], note[ROWS];
static int32_t action_index[ROWS];

static HnActBatch rows_of_uniform(void) {
  for (int i = 0; i < ROWS; i++) rng[i] = hn_rng(5, (uint64_t)i);
  return (HnActBatch){.struct_size = sizeof(HnActBatch),
                      .rows = ROWS,
                      .rng = rng,
                      .action = move,
                      .action_index = action_index,
                      .aux = note};
}

static void test_uniform_continuous(void) {
  HnPolicySpec spec = {.obs_dim = 1, .action_dim = 2};
  const HnPolicy *f = policy(&spec, "", HN_OK);
  g_assert_cmpint(spec.aux_dim, ==, 1);
  HnActBatch a = rows_of_uniform();
  g_assert_cmpint(f->act(&self, &a), ==, HN_OK);
  double mean[2] = {0}, square[2] = {0}, cross = 0;
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < 2; k++) {
      double x = (double)move[2 * i + k];
      g_assert_cmpfloat(fabs(x), <=, 1);
      mean[k] += x / ROWS, square[k] += x * x / ROWS;
    }
    cross += (double)move[2 * i] * (double)move[2 * i + 1] / ROWS;
    g_assert_cmpfloat_with_epsilon(note[i], -1.3862943611, 1e-6); /* log(1/4) */
  }
  /* four standard errors: sqrt(1/3 n), sqrt(4/45 n), 1/3 sqrt(1/n) */
  for (int k = 0; k < 2; k++) {
    g_assert_cmpfloat_with_epsilon(mean[k], 0, 4 * sqrt(1.0 / 3 / ROWS));
    g_assert_cmpfloat_with_epsilon(square[k], 1.0 / 3, 4 * sqrt(4.0 / 45 / ROWS));
  }
  g_assert_cmpfloat_with_epsilon(cross, 0, 4 / 3.0 / sqrt(ROWS));
}

/* Three intervals of unequal length: a third of the actions in each, uniform there. */
static void test_uniform_regions(void) {
  static const double low[] = {-1, -0.2, 0.8}, high[] = {-0.8, 0.2, 1};
  HnPolicySpec spec = {.obs_dim = 1, .action_dim = 2};
  const HnPolicy *f = policy(&spec, " -1 -0.8\n-0.2 .2 0.8 1 ", HN_OK);
  HnActBatch a = rows_of_uniform();
  g_assert_cmpint(f->act(&self, &a), ==, HN_OK);
  double count[3] = {0}, place[3] = {0}, pair = 0;
  for (int i = 0; i < ROWS; i++) {
    int in[2];
    for (int d = 0; d < 2; d++) {
      double x = (double)move[2 * i + d];
      for (in[d] = 0; in[d] < 3 && !(x >= low[in[d]] && x <= high[in[d]]);) in[d]++;
      g_assert_cmpint(in[d], <, 3);
    }
    int k = in[0];
    count[k]++, place[k] += ((double)move[2 * i] - low[k]) / (high[k] - low[k]);
    pair += in[0] == in[1];
    double logp = 0;
    for (int d = 0; d < 2; d++) logp -= log(3 * (high[in[d]] - low[in[d]]));
    g_assert_cmpfloat_with_epsilon(note[i], logp, 1e-6);
  }
  for (int k = 0; k < 3; k++) { /* four standard errors */
    g_assert_cmpfloat_with_epsilon(count[k] / ROWS, 1 / 3.0, 4 * sqrt(2 / 9.0 / ROWS));
    g_assert_cmpfloat_with_epsilon(place[k] / count[k], 0.5, 4 * sqrt(1 / 12.0 / count[k]));
  }
  g_assert_cmpfloat_with_epsilon(pair / ROWS, 1 / 3.0, 4 * sqrt(2 / 9.0 / ROWS));
}

static void test_uniform_bad_regions(void) {
  static const struct {
    const char *text, *says;
  } bad[] = {{"0", "pairs"},          {"-1 0 1", "pairs"},
             {"0 x", "pairs"},        {"-1,1", "pairs"},
             {"0 0", "0 to 0"},       {"0.5 0.2", "0.5 to 0.2"},
             {"-1.5 0", "-1.5 to 0"}, {"0.5 1.5", "0.5 to 1.5"},
             {"nan 1", "ascend"},     {"-1 0 -0.5 1", "-0.5 to 1"}};
  for (size_t k = 0; k < G_N_ELEMENTS(bad); k++) {
    HnPolicySpec spec = {.obs_dim = 1, .action_dim = 2};
    policy(&spec, bad[k].text, HN_E_PARAM);
    g_assert_nonnull(strstr(fake.error, bad[k].says));
  }
  HnPolicySpec discrete = {.obs_dim = 1, .action_count = 2};
  policy(&discrete, "0 1", HN_E_PARAM);
  g_assert_nonnull(strstr(fake.error, "discrete"));
}

static void test_uniform_discrete(void) {
  HnPolicySpec spec = {.obs_dim = 1, .action_count = 5};
  const HnPolicy *f = policy(&spec, "", HN_OK);
  HnActBatch a = rows_of_uniform();
  g_assert_cmpint(f->act(&self, &a), ==, HN_OK);
  double count[5] = {0}, chi2 = 0;
  for (int i = 0; i < ROWS; i++) {
    g_assert_cmpint(action_index[i], >=, 0);
    g_assert_cmpint(action_index[i], <, 5);
    count[action_index[i]]++;
    g_assert_cmpfloat_with_epsilon(note[i], -1.6094379124, 1e-6); /* log(1/5) */
  }
  for (int k = 0; k < 5; k++) chi2 += pow(count[k] - ROWS / 5.0, 2) / (ROWS / 5.0);
  g_assert_cmpfloat(chi2, <, 18.47); /* 4 degrees of freedom, p = 0.001 */
  g_assert_cmpuint(uniform_LTX_hn_plugin.flags, ==, HN_STOCHASTIC | HN_IGNORES_BELIEF);
  HnPolicySpec nothing = {.obs_dim = 1};
  policy(&nothing, "", HN_E_SHAPE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  fake_host_open(&fake);
  g_test_add_func("/simple/none", test_none);
  g_test_add_func("/simple/oracle", test_oracle);
  g_test_add_func("/simple/oracle_needs_task", test_oracle_needs_task);
  g_test_add_func("/simple/uniform_continuous", test_uniform_continuous);
  g_test_add_func("/simple/uniform_regions", test_uniform_regions);
  g_test_add_func("/simple/uniform_bad_regions", test_uniform_bad_regions);
  g_test_add_func("/simple/uniform_discrete", test_uniform_discrete);
  int failed = g_test_run();
  fake_host_close(&fake);
  return failed;
}
