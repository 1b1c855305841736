/* yaml_fixture.h - three kinds of plugin that do nothing, for tests of configuration. */
#ifndef HN_YAML_FIXTURE_H
#define HN_YAML_FIXTURE_H
#include <cell.h>
#include <string.h>

#define TOY(X)                                 \
  X(int, size, "", "Cells a side.", 5, 2, 100) \
  X(text, map, "", "Map.", "open")
HN_PARAMS(TOY);

typedef struct Filter {
  double kl_weight;
  int32_t noise;
} Filter;
static const HnParam filter_params[] = {{.name = "kl_weight",
                                         .unit = "",
                                         .doc = "Weight.",
                                         .kind = HN_REAL,
                                         .preset = 0.1,
                                         .high = 10,
                                         .offset = offsetof(Filter, kl_weight)},
                                        {.name = "noise",
                                         .unit = "",
                                         .doc = "Noise.",
                                         .kind = HN_CHOICE,
                                         .text = "inferred",
                                         .choices = "inferred|fixed",
                                         .offset = offsetof(Filter, noise)}};

static HnStatus no_env(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}
static HnStatus no_batch(void *self, HnEnvBatch *b) {
  (void)self, (void)b;
  return HN_OK;
}
static HnStatus no_belief(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}
static HnStatus no_infer(void *self, HnBeliefUpdate *q) {
  (void)self, (void)q;
  return HN_OK;
}
static HnStatus no_policy(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}
static HnStatus no_act(void *self, HnActBatch *a) {
  (void)self, (void)a;
  return HN_OK;
}
static const HnEnv env_methods = {sizeof(HnEnv), .create = no_env, .reset = no_batch,
                                  .step = no_batch};
static const HnInference inference_methods = {sizeof(HnInference), .create = no_belief,
                                              .infer = no_infer};
static const HnPolicy policy_methods = {sizeof(HnPolicy), .create = no_policy, .act = no_act};

#define FAKE(name_, kind_, methods_, type_, params_, count_)                                  \
  {                                                                                           \
    HN_PLUGIN_SIZES, .kind = kind_, .name = #name_, .summary = "Does nothing.", .source = "", \
                     .version = "1", .license = "MIT", .methods = methods_, .self_size = 1,   \
                     .params_size = sizeof(type_), .params = params_, .param_count = count_   \
  }
static const HnPlugin fakes[] = {
    FAKE(toy, HN_KIND_ENV, &env_methods, HnThisParams, hn_this_params, 2),
    FAKE(filter, HN_KIND_INFERENCE, &inference_methods, Filter, filter_params, 2),
    FAKE(other_filter, HN_KIND_INFERENCE, &inference_methods, Filter, filter_params + 1, 1),
    FAKE(walk, HN_KIND_POLICY, &policy_methods, char, hn_this_params, 0)};

static const HnPlugin fake_wrapper = {HN_PLUGIN_SIZES,         .kind = HN_KIND_ENV,
                                      .name = "wrap",          .summary = "Holds another.",
                                      .version = "1",          .methods = &env_methods,
                                      .self_size = 1,          .params_size = sizeof(Filter),
                                      .params = filter_params, .param_count = 1,
                                      .flags = HN_WRAPPER};

static void add_fakes(void) {
  GError *wrong = NULL;
  hn_plugins_add(&fake_wrapper, &wrong);
  g_assert_no_error(wrong);
  for (guint i = 0; i < G_N_ELEMENTS(fakes); i++) {
    GError *error = NULL;
    hn_plugins_add(&fakes[i], &error);
    g_assert_no_error(error);
  }
}
#endif
