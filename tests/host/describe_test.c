/* describe_test.c - what `hunch inspect` says of a plugin, and that its YAML is ready to paste. */
#include "describe.h"
#include "json.h"
#include "params.h"
#include "registry.h"
#include <hunch/policy.h>
#include <math.h>
#include <string.h>

#define PARAMS(X)                                        \
  X(real, rate, "1/s", "Step size.", 3e-4, 0, 1)         \
  X(real, scale, "", "Unbounded above.", 1, 0, HUGE_VAL) \
  X(int, count, "", "How many.", 100000, 1, 1e9)         \
  X(flag, noisy, "", "Adds noise.", 1)                   \
  X(text, path, "", "A\nfile.", "")                      \
  X(text, odd, "", "Needs quotes.", "no: \"yes\"")       \
  X(choice, mode, "", "Which way, one|other.", "accurate", "fast|accurate")
HN_PARAMS(PARAMS);
#define INFO(X) X(success, "", "Goal reached.", HN_MAX) X(cost, "J", "Energy.", HN_SUM)
HN_INFO(INFO);
#define METRICS(X) X(loss, "nats", "A loss.", HN_MEAN)
HN_METRICS(METRICS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}
static HnStatus act(void *self, HnActBatch *a) {
  (void)self, (void)a;
  return HN_OK;
}
static HnStatus learn(void *self, const HnTrainBatch *l) {
  (void)self, (void)l;
  return HN_OK;
}
static const HnPolicy policy_methods = {sizeof(HnPolicy), .create = create, .act = act,
                                        .learn = learn};
HN_PLUGIN(described, HN_KIND_POLICY, int, &policy_methods, .version = "1.2", .license = "MIT",
          .summary = "All there is to describe.", .source = "A paper.",
          .flags = HN_PRIVILEGED | HN_STOCHASTIC, .info = hn_this_info, .metrics = hn_this_metrics);

static void test_text(void) {
  g_autofree char *text = hn_describe_text(&described_LTX_hn_plugin);
  g_assert_cmpstr(text, ==,
                  "# described 1.2 (policy) - All there is to describe.\n"
                  "# source:  A paper.\n"
                  "# license: MIT\n"
                  "# file:    linked in\n"
                  "# optional methods:\n"
                  "#   learn       Updates the policy from an iteration's experience.\n"
                  "# PRIVILEGED: reads the true task, which a learner is not shown\n"
                  "# STOCHASTIC: draws its actions in greedy evaluation too\n"
                  "policy:\n"
                  "  plugin: described\n"
                  "  rate: 0.0003        # a number in [0, 1] 1/s. Step size.\n"
                  "  scale: 1            # a number of at least 0. Unbounded above.\n"
                  "  count: 100000       # an integer in [1, 1e9]. How many.\n"
                  "  noisy: true         # true or false. Adds noise.\n"
                  "  path: \"\"            # text. A file.\n"
                  "  odd: \"no: \\\"yes\\\"\"  # text. Needs quotes.\n"
                  "  mode: accurate      # one of fast, accurate. Which way, one|other.\n"
                  "# info, per step; the fold makes one number of an episode:\n"
                  "#   success  max   Goal reached.\n"
                  "#   cost     sum   J. Energy.\n"
                  "# metrics, per update:\n"
                  "#   loss  mean  nats. A loss.\n");
}

static void test_markdown(void) {
  g_autofree char *text = hn_describe_markdown(&described_LTX_hn_plugin);
  g_assert_cmpstr(text, ==,
                  "# described\n\nAll there is to describe.\n\n"
                  "| | |\n|---|---|\n"
                  "| kind | policy |\n| version | 1.2 |\n| license | MIT |\n"
                  "| source | A paper. |\n| optional methods | `learn` |\n"
                  "| privileged | reads the true task, which a learner is not shown |\n"
                  "| stochastic | draws its actions in greedy evaluation too |\n\n"
                  "| parameter | default | expected | meaning |\n|---|---|---|---|\n"
                  "| `rate` | `0.0003` | a number in [0, 1] 1/s | Step size. |\n"
                  "| `scale` | `1` | a number of at least 0 | Unbounded above. |\n"
                  "| `count` | `100000` | an integer in [1, 1e9] | How many. |\n"
                  "| `noisy` | `true` | true or false | Adds noise. |\n"
                  "| `path` | `\"\"` | text | A file. |\n"
                  "| `odd` | `no: \"yes\"` | text | Needs quotes. |\n"
                  "| `mode` | `accurate` | one of fast, accurate | Which way, one\\|other. |\n\n"
                  "| info, per step | unit | fold | meaning |\n|---|---|---|---|\n"
                  "| `success` |  | max | Goal reached. |\n| `cost` | J | sum | Energy. |\n\n"
                  "| metric, per update | unit | fold | meaning |\n|---|---|---|---|\n"
                  "| `loss` | nats | mean | A loss. |\n");
}

/* Rejected ones are not in the list of pages. */
static void test_markdown_list(void) {
  HnFound found[] = {{.name = (char[]){"described"}, .plugin = &described_LTX_hn_plugin},
                     {.name = (char[]){"broken"}, .reason = (char[]){"why"}}};
  gpointer both[] = {&found[0], &found[1]};
  const GPtrArray all = {both, G_N_ELEMENTS(both)};
  g_autofree char *text = hn_describe_markdown_list(&all);
  g_assert_cmpstr(text, ==,
                  "## Environments\n\n| plugin | |\n|---|---|\n"
                  "\n## Inference methods\n\n| plugin | |\n|---|---|\n"
                  "\n## Policy learners\n\n| plugin | |\n|---|---|\n"
                  "| [described](described.md) | All there is to describe. (privileged) |\n");
}

static JsonObject *row(JsonObject *o, const char *table, guint i) {
  return json_array_get_object_element(json_object_get_array_member(o, table), i);
}

static void test_json(void) {
  JsonBuilder *b = hn_json_begin();
  hn_describe_json(b, &described_LTX_hn_plugin);
  g_autofree char *text = hn_json_end(b);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) o = hn_json_parse("it", text, strlen(text), &error);
  g_assert_no_error(error);
  g_assert_cmpstr(json_object_get_string_member(o, "name"), ==, "described");
  g_assert_cmpstr(json_object_get_string_member(o, "kind"), ==, "policy");
  g_assert_true(json_object_get_boolean_member(o, "privileged"));
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(o, "params")), ==, 7);
  g_assert_cmpfloat(json_object_get_double_member(row(o, "params", 0), "default"), ==, 3e-4);
  g_assert_false(json_object_has_member(row(o, "params", 1), "high"));
  g_assert_cmpint(json_object_get_int_member(row(o, "params", 2), "default"), ==, 100000);
  g_assert_true(json_object_get_boolean_member(row(o, "params", 3), "default"));
  g_assert_cmpstr(json_object_get_string_member(row(o, "params", 5), "default"), ==, "no: \"yes\"");
  JsonArray *choices = json_object_get_array_member(row(o, "params", 6), "choices");
  g_assert_cmpstr(json_array_get_string_element(choices, 1), ==, "accurate");
  g_assert_cmpstr(json_object_get_string_member(row(o, "info", 1), "fold"), ==, "sum");
  g_assert_cmpstr(json_object_get_string_member(row(o, "metrics", 0), "unit"), ==, "nats");
}

/* The text of a plugin, read as part of a study, is valid and gives the defaults again. */
static void expect_pasteable(const HnPlugin *p) {
  static const char *const except[] = {"plugin", "inner", NULL};
  g_autofree char *text = hn_describe_text(p);
  HnDiag *d = hn_diag_new();
  HnNode *root = hn_yaml_parse("inspect", text, strlen(text), d);
  HnSchema schema = hn_schema_of(p);
  g_autofree void *pasted = g_malloc0(schema.size), *preset = g_malloc0(schema.size);
  if (root) hn_params_fill(&schema, hn_node_get(root, hn_kind_name(p->kind)), except, pasted, d);
  g_autofree char *findings = hn_diag_text(d);
  g_assert_cmpstr(findings, ==, "");
  hn_params_fill(&schema, NULL, NULL, preset, d);
  HnNode *a = hn_params_node(&schema, pasted), *b = hn_params_node(&schema, preset);
  g_autofree char *first = hn_node_write(a), *second = hn_node_write(b);
  g_assert_cmpstr(first, ==, second);
  hn_node_free(a);
  hn_node_free(b);
  hn_node_free(root);
  hn_diag_free(d);
}

static void test_pasteable(void) {
  expect_pasteable(&described_LTX_hn_plugin);
  g_unsetenv("HUNCH_PLUGIN_PATH");
  g_autoptr(GPtrArray) all = hn_plugins_scan();
  g_assert_cmpuint(all->len, >=, 3);
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (!found->plugin) g_error("%s", found->reason); /* ours must all load where they are built */
    expect_pasteable(found->plugin);
  }
}

/* Methods that were appended to their struct are listed as well. */
static void test_appended_methods(void) {
  static const char *const offered[][2] = {
      {"fourier", "query"}, {"gridworld_belief", "map"}, {"vrnn", "predict"}};
  for (guint i = 0; i < G_N_ELEMENTS(offered); i++) {
    const HnPlugin *p = hn_plugins_load(offered[i][0], 0, NULL);
    g_autofree char *text = hn_describe_text(p), *line = g_strconcat("\n#   ", offered[i][1], NULL);
    if (!strstr(text, line)) g_error("%s: %s is not listed", offered[i][0], offered[i][1]);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/describe/text", test_text);
  g_test_add_func("/describe/markdown", test_markdown);
  g_test_add_func("/describe/markdown_list", test_markdown_list);
  g_test_add_func("/describe/json", test_json);
  g_test_add_func("/describe/pasteable", test_pasteable);
  g_test_add_func("/describe/appended_methods", test_appended_methods);
  return g_test_run();
}
