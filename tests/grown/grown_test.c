/* grown_test.c - plugins of this ABI under a host of the next minor version, whose structs are
 * longer: compiled with the headers that hunch/grow.awk makes.  The same plugins, not compiled
 * again, leave the same bits; and what they do not have is zero to the host. */
#include "cell_fixture.h"
#include "check.h"
#include "registry.h"
#include "widen.h"
#include <gio/gio.h>
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

/* What a struct of this program has more than that of the plugins. */
#define GROWN(Type) (sizeof(Type) - offsetof(Type, grown))

static const HnPlugin *load(const char *name) {
  g_autoptr(GError) error = NULL;
  const HnPlugin *plugin = hn_plugins_load(name, 0, &error);
  g_assert_no_error(error);
  return plugin;
}

/* This program does have longer structs, and a later version than its plugins. */
static void test_grown(void) {
  g_assert_cmpuint(GROWN(HnArray) + GROWN(HnHost) + GROWN(HnParam) + GROWN(HnColumn) +
                       GROWN(HnPlugin) + GROWN(HnHistory) + GROWN(HnTrainBatch) + GROWN(HnEnvSpec) +
                       GROWN(HnEnvBatch) + GROWN(HnEnv) + GROWN(HnInner) + GROWN(HnBeliefSpec) +
                       GROWN(HnBeliefUpdate) + GROWN(HnInference) + GROWN(HnPolicySpec) +
                       GROWN(HnActBatch) + GROWN(HnPolicy),
                   ==, 17 * sizeof(int64_t));
  const HnPlugin *env = load("toy_env");
  g_assert_cmphex(env->abi, ==, HN_ABI - 1);
  g_assert_cmpuint(env->history_size, ==, sizeof(HnHistory) - sizeof(int64_t));
  g_assert_cmpuint(env->env_batch_size, ==, sizeof(HnEnvBatch) - sizeof(int64_t));
}

static void expect_columns(const HnColumn *c, const char *const *names) {
  for (; *names; c++, names++) {
    g_assert_cmpstr(c->name, ==, *names);
    g_assert_cmpint(c->grown, ==, 0);
  }
  g_assert_null(c->name);
}

/* Descriptor, methods and tables: all rows, in their order, the last field of each zero. */
static void test_descriptors(void) {
  static const char *const params[] = {"horizon", "quit", "poison_at", "fail"};
  static const char *const info[] = {"speed", "success", NULL}, *const belief[] = {"belief", NULL};
  const HnPlugin *env = load("toy_env"), *policy = load("old_policy"), *q = load("toy_memory");
  g_assert_cmpint(env->grown | policy->grown | q->grown, ==, 0);
  g_assert_cmpint(((const HnEnv *)env->methods)->grown, ==, 0);
  g_assert_cmpint(((const HnPolicy *)policy->methods)->grown, ==, 0);
  g_assert_cmpint(((const HnInference *)q->methods)->grown, ==, 0);
  g_assert_true(((const HnEnv *)env->methods)->task_name && !((const HnEnv *)env->methods)->query);
  g_assert_cmpuint(env->param_count, ==, 4);
  g_assert_cmpuint(env->param_stride, ==, sizeof(HnParam));
  for (guint i = 0; i < env->param_count; i++) {
    g_assert_cmpstr(env->params[i].name, ==, params[i]);
    g_assert_cmpint(env->params[i].grown, ==, 0);
  }
  expect_columns(env->info, info), expect_columns(policy->metrics, belief);
}

/* A method struct that ends where it says, whatever lies behind. */
static void test_methods(void) {
  const HnPlugin *env = load("toy_env");
  struct {
    HnEnv methods;
    int64_t behind;
  } old = {.methods = *(const HnEnv *)env->methods, .behind = -1};
  HnPlugin p = *env;
  old.methods.grown = -1, old.methods.struct_size = offsetof(HnEnv, grown), p.methods = &old;
  g_autofree char *reason = NULL;
  const HnPlugin *wide = hn_plugin_widen(&p, &reason);
  g_assert_cmpstr(reason, ==, NULL);
  const HnEnv *methods = wide->methods;
  g_assert_cmpuint(methods->struct_size, ==, sizeof(HnEnv));
  g_assert_cmpint(methods->grown, ==, 0);
  g_assert_true(methods->step == old.methods.step && methods->task_name);
  hn_plugin_widened_free(wide, &p);
}

/* ---- plugins of the new version, which see what an old one hands on ---- */

#define NOTHING(X)
HN_PARAMS(NOTHING);

static int64_t calls; /* of those that saw a window or batch of an old plugin */

static HnStatus create_belief(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->belief_dim = 1;
  return HN_OK;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  (void)self;
  g_assert_cmpint(q->history->grown | q->grown, ==, 0);
  if (q->history->steps > 0) g_atomic_pointer_add(&calls, 1);
  for (int64_t k = 0; k < (q->history->steps + 1) * q->history->rows; k++) q->belief[k] = 1;
  return HN_OK;
}
static const HnInference new_inference = {
    .struct_size = sizeof(HnInference), .create = create_belief, .infer = infer};
HN_PLUGIN(next_inference, HN_KIND_INFERENCE, char, &new_inference, .version = "1",
          .summary = "Looks at windows.");

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)params;
  g_assert_cmpint(host->grown | spec->grown, ==, 0);
  spec->obs_dim = 1, spec->action_dim = 1, spec->horizon = 5, spec->row_size = 1;
  return HN_OK;
}
static HnStatus reset(void *self, HnEnvBatch *b) {
  (void)self;
  g_assert_cmpint(b->grown, ==, 0);
  g_assert_cmpuint(b->struct_size, ==, sizeof *b);
  return HN_OK;
}
static HnStatus step(void *self, HnEnvBatch *b) {
  (void)self;
  g_atomic_pointer_add(&calls, 1);
  g_assert_cmpint(b->grown, ==, 0);
  g_assert_cmpuint(b->struct_size, ==, sizeof *b);
  for (int64_t i = 0; i < b->rows; i++) b->reward[i] = b->action[i];
  return HN_OK;
}
static const HnEnv new_env = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step};
HN_PLUGIN(next_env, HN_KIND_ENV, char, &new_env, .version = "1", .summary = "Looks at batches.");

static void run(const HnCell *cell, const char *dir) {
  g_autoptr(GError) error = NULL;
  hn_run_cell(cell, dir, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
}

/* What lies behind a struct that an old plugin hands on is not of it. */
static void test_handed_on(void) {
  HnCell cell =
      cell_of_parts(around(part_of(load("old_wrapper"), ""), part_of(&next_env_LTX_hn_plugin, "")),
                    part_of(&next_inference_LTX_hn_plugin, ""), part_of(load("old_policy"), ""));
  char *dir = folder_new();
  run(&cell, dir);
  g_assert_cmpint(calls, >, 100);
  folder_free(dir), cell_clear(&cell);
}

/* ---- the same bits ---- */

static const struct {
  const char *name, *config;
} cells[] = {
    {"toys", "env: {plugin: toy_env}\ninference: {plugin: toy_memory}\n"
             "policy: {plugin: old_policy}\n"},
    {"wrapped", "env: {plugin: old_wrapper, inner: {plugin: reward_noise, stddev_low: 0.1, "
                "stddev_high: 1, inner: {plugin: point_robot}}}\n"
                "inference: {plugin: varibad}\npolicy: {plugin: ppo}\n"},
    {"trained through", "env: {plugin: gridworld}\ninference: {plugin: laplace_vrnn}\n"
                        "policy: {plugin: ppo}\n"},
    {"tapes kept", "env: {plugin: point_robot}\ninference: {plugin: rl2}\npolicy: {plugin: ppo}\n"},
    {"supervised",
     "env: {plugin: fourier}\ninference: {plugin: vrnn}\npolicy: {plugin: uniform}\n"},
};

static char *config_of(guint k) {
  return g_strconcat("study: test\narm: only\nseed: 12345\nseed_index: 0\n", cells[k].config,
                     "run: {frames: 480, rows: 8, steps: 20, checkpoint_every: 2, "
                     "determinism: fast}\n" /* this process is not held to kernels */
                     "evaluation: {every: 2, tasks: 4}\n",
                     NULL);
}

/* This hunch, as it is installed. */
static void run_apart(const char *config, const char *dir) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) p =
      g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error,
                       HUNCH, "cell", dir, "-", NULL);
  g_autofree char *err = NULL;
  g_assert_true(g_subprocess_communicate_utf8(p, config, NULL, NULL, &err, &error));
  if (!g_subprocess_get_successful(p)) g_error("%s", err);
}

/* What differs from run to run. */
static const char *const of_its_run[] = {"run.json", "timing.csv", "log.txt", "lock", NULL};

/* Names in `dir` and below it, with what is in the files. */
static void add_files(GHashTable *files, const char *dir, const char *below) {
  g_autofree char *path = g_build_filename(dir, below, NULL);
  g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
  for (const char *name; (name = g_dir_read_name(d));) {
    g_autofree char *inside = g_build_filename(below, name, NULL);
    g_autofree char *full = g_build_filename(dir, inside, NULL);
    char *text;
    gsize length;
    if (g_file_test(full, G_FILE_TEST_IS_DIR)) {
      add_files(files, dir, inside);
    } else if (!g_strv_contains(of_its_run, name)) {
      g_assert_true(g_file_get_contents(full, &text, &length, NULL));
      g_hash_table_insert(files, g_steal_pointer(&inside), g_bytes_new_take(text, length));
    }
  }
}

static GHashTable *files_of(const char *dir) {
  GHashTable *files =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  add_files(files, dir, "");
  return files;
}

static void test_same_bits(gconstpointer data) {
  const guint k = GPOINTER_TO_UINT(data);
  g_autofree char *config = config_of(k);
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) map = hn_yaml_parse("cell", config, strlen(config), d);
  HnCell *cell = map ? hn_cell_read(map, d) : NULL;
  g_autofree char *findings = hn_diag_text(d);
  if (!cell) g_error("%s", findings);
  char *here = folder_new(), *there = folder_new();
  run(cell, here), run_apart(config, there);
  g_autoptr(GHashTable) a = files_of(here), b = files_of(there);
  GHashTableIter iter;
  gpointer name, bytes;
  g_hash_table_iter_init(&iter, a);
  while (g_hash_table_iter_next(&iter, &name, &bytes)) {
    const GBytes *other = g_hash_table_lookup(b, name);
    if (!other || !g_bytes_equal(bytes, other)) g_error("%s: %s", cells[k].name, (char *)name);
  }
  g_assert_cmpuint(g_hash_table_size(a), ==, g_hash_table_size(b));
  g_assert_cmpuint(g_hash_table_size(a), >, 5);
  hn_cell_free(cell), folder_free(here), folder_free(there);
}

/* ---- conformance ---- */

/* Laws look at every call of a plugin, through structs of the new version. */
static void test_laws(void) {
  HnCell cell = cell_of_parts(part_of(load("toy_env"), ""), part_of(load("toy_memory"), ""),
                              part_of(load("old_policy"), ""));
  int kept = 0;
  hn_check_lets_time_pass = false;
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    for (const HnLaw *law = hn_check_laws(kind); law->name; law++) {
      g_autoptr(GString) why = g_string_new(NULL);
      const HnVerdict verdict = hn_check_judge(law, &cell, why);
      kept += verdict == HN_LAW_KEPT;
      if (verdict == HN_LAW_BROKEN) g_error("%s %s: %s", hn_kind_name(kind), law->name, why->str);
    }
  g_assert_cmpint(kept, >, 30);
  cell_clear(&cell);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_setenv("HUNCH_PLUGIN_PATH", OLD, TRUE);
#ifndef __SANITIZE_ADDRESS__
  g_test_add_func("/grown/laws", test_laws); /* first: it forks */
#endif
  g_test_add_func("/grown/grown", test_grown);
  g_test_add_func("/grown/descriptors", test_descriptors);
  g_test_add_func("/grown/methods", test_methods);
  g_test_add_func("/grown/handed_on", test_handed_on);
  for (guint k = 0; k < G_N_ELEMENTS(cells); k++) {
    g_autofree char *path = g_strdup_printf("/grown/same_bits/%s", cells[k].name);
    g_test_add_data_func(g_strdelimit(path, " ", '_'), GUINT_TO_POINTER(k), test_same_bits);
  }
  return g_test_run();
}
