/* abi_test.c - the layout of every struct that crosses the plugin boundary, against a golden file.
 * A difference means another ABI: raise HN_ABI_MINOR, then run this program with --regenerate. */
#include "layout_fixture.h"
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

/* X(field) for every field of a struct, in order.  Filled by hand: clang-format never comes to rest
 * on such lists. */
/* clang-format off */
#define RNG(X)   X(key) X(counter) X(word) X(used)
#define ARRAY(X) X(struct_size) X(name) X(role) X(type) X(rank) X(dim) X(grad) X(used) X(low) X(end)
#define HOST(X) \
  X(struct_size) X(abi) X(impl) X(alloc) X(keep) X(scratch) X(parallel) X(fail) X(log) X(metric)
#define PARAM(X) \
  X(name) X(unit) X(doc) X(kind) X(offset) X(preset) X(low) X(high) X(text) X(choices)
#define COLUMN(X) X(name) X(unit) X(doc) X(fold)
#define PLUGIN(X) \
  X(struct_size) X(abi) X(kind) X(name) X(summary) X(source) X(version) X(license) X(methods) \
  X(self_size) X(params_size) X(params) X(param_count) X(param_stride) X(flags) X(info) X(metrics) \
  X(renamed) X(kit_layout)
#define HISTORY(X) \
  X(struct_size) X(steps) X(rows) X(stride) X(begin) X(obs) X(action) X(action_index) X(reward) \
  X(true_reward) X(next_obs) X(terminated) X(truncated) X(task) X(state) X(samples) X(belief) X(aux)
#define TRAIN_BATCH(X) \
  X(struct_size) X(impl) X(iteration) X(frames) X(frames_total) X(rng) X(phases) X(phase) X(rows) \
  X(infer) X(backward) X(step)
#define ENV_SPEC(X) \
  X(struct_size) X(rows) X(obs_dim) X(action_dim) X(action_count) X(task_dim) X(horizon) X(row_size) \
  X(splits) X(step_seconds) X(inner)
#define ENV_BATCH(X) \
  X(struct_size) X(rows) X(first) X(state) X(rng) X(begin) X(split) X(task_index) X(action) X(chosen) X(action_index) \
  X(obs) X(reward) X(terminated) X(truncated) X(task) X(info) X(inner)
#define INNER(X)     X(struct_size) X(env) X(self) X(spec)
#define METHOD(name, required, doc) FIELD(This, name);
#define ENV(X)       X(struct_size) HN_ENV_METHODS(METHOD)
#define BELIEF_SPEC(X) \
  X(struct_size) X(obs_dim) X(action_dim) X(action_count) X(task_dim) X(horizon) X(lifetime) X(episodes) X(rows) \
  X(steps) X(rng) X(belief_dim) X(latent_dim) X(row_size) X(refresh) X(map_width) X(map_height)
#define BELIEF_UPDATE(X) X(struct_size) X(history) X(state) X(samples) X(rng) X(belief) X(info) X(loss)
#define INFERENCE(X) X(struct_size) HN_INFERENCE_METHODS(METHOD)
#define POLICY_SPEC(X) \
  X(struct_size) X(obs_dim) X(action_dim) X(action_count) X(task_dim) X(horizon) X(lifetime) \
  X(belief_dim) X(latent_dim) X(samples) X(rows) X(steps) X(rng) X(aux_dim) X(row_size) X(phases)
#define ACT_BATCH(X) \
  X(struct_size) X(rows) X(samples) X(begin) X(episode_step) X(trial_step) X(reward) X(obs) \
  X(belief) X(state) X(rng) X(action) X(action_index) X(aux) X(info)
#define POLICY(X)    X(struct_size) HN_POLICY_METHODS(METHOD)
/* clang-format on */

static char *layout(void) {
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "ABI %d.%d\n", HN_ABI_MAJOR, HN_ABI_MINOR);
  LAYOUT(HnRng, RNG);
  LAYOUT(HnArray, ARRAY);
  LAYOUT(HnHost, HOST);
  LAYOUT(HnParam, PARAM);
  LAYOUT(HnColumn, COLUMN);
  LAYOUT(HnPlugin, PLUGIN);
  LAYOUT(HnHistory, HISTORY);
  LAYOUT(HnTrainBatch, TRAIN_BATCH);
  LAYOUT(HnEnvSpec, ENV_SPEC);
  LAYOUT(HnEnvBatch, ENV_BATCH);
  LAYOUT(HnEnv, ENV);
  LAYOUT(HnInner, INNER);
  LAYOUT(HnBeliefSpec, BELIEF_SPEC);
  LAYOUT(HnBeliefUpdate, BELIEF_UPDATE);
  LAYOUT(HnInference, INFERENCE);
  LAYOUT(HnPolicySpec, POLICY_SPEC);
  LAYOUT(HnActBatch, ACT_BATCH);
  LAYOUT(HnPolicy, POLICY);
  return g_string_free(out, FALSE);
}

static void test_layout(void) {
  g_autofree char *now = layout();
  g_autofree char *golden = NULL;
  g_autoptr(GError) error = NULL;
  g_file_get_contents(GOLDEN "/abi.txt", &golden, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(now, ==, golden);
}

static void test_no_field_forgotten(void) {
  g_autofree char *text = layout();
  check_no_field_forgotten(strchr(text, '\n') + 1);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--regenerate") == 0) {
    g_autofree char *now = layout();
    return !g_file_set_contents(GOLDEN "/abi.txt", now, -1, NULL);
  }
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/abi/layout", test_layout);
  g_test_add_func("/abi/no_field_forgotten", test_no_field_forgotten);
  return g_test_run();
}
