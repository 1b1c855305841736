/* unusual_test.c - no law is broken by correct plugins of unusual shape (unusual.h), nor in runs of
 * unusual sizes. */
#include "apart.h"
#include "cell_fixture.h"
#include "check.h"
#include "faulty.h"
#include "stand_in.h"
#include "unusual.h"
#include <stdio.h>

typedef struct Shape {
  const char *name;
  const HnPlugin *plugin; /* NULL: the one in C++ */
  int64_t rows, samples;  /* of the run; 0: as usual, and none */
  const char *skipped;    /* laws that have nothing to judge */
} Shape;

#define UNUSUAL(name, skipped) \
  { #name, &unusual_##name##_LTX_hn_plugin, 0, 0, "loads " skipped }
static const Shape shapes[] = {
    UNUSUAL(supervised, ""),
    UNUSUAL(bare, "episodes query"),
    UNUSUAL(one_action, "query"),
    UNUSUAL(cache, "query"),
    UNUSUAL(recurrent, "weights samples predict"),
    UNUSUAL(empty, "weights samples gradients predict"),
    UNUSUAL(privileged, "blind weights samples gradients predict"),
    UNUSUAL(stochastic, "weights divergence"),
    UNUSUAL(adapter, "weights divergence"),
    {"one_row", &faulty_env_LTX_hn_plugin, 1, 0, "loads"},
    {"one_row_belief", &faulty_inference_LTX_hn_plugin, 1, 0, "loads"},
    {"one_row_policy", &faulty_policy_LTX_hn_plugin, 1, 0, "loads"},
    {"4096_rows", &faulty_env_LTX_hn_plugin, 4096, 0, "loads"},
    {"4096_rows_belief", &faulty_inference_LTX_hn_plugin, 4096, 0, "loads"},
    {"50_samples", &faulty_inference_LTX_hn_plugin, 0, 50, "loads"},
    {"50_samples_policy", &faulty_policy_LTX_hn_plugin, 0, 50, "loads"},
    {"cplusplus", NULL, 0, 0, "weights samples gradients predict"},
};

static void test_shape(gconstpointer data) {
  const Shape *s = data;
  const HnPlugin *plugin = s->plugin;
  g_autoptr(GError) error = NULL;
  if (!plugin && !(plugin = hn_plugins_load(CPLUSPLUS "/mean_reward.so", 0, &error))) {
    g_test_skip(error->message);
    return;
  }
  g_auto(GStrv) skipped = g_strsplit(s->skipped, " ", -1);
  for (int discrete = 0; discrete < (plugin->kind == HN_KIND_ENV ? 1 : 2); discrete++)
    for (const HnLaw *law = hn_check_laws(plugin->kind); law->name; law++) {
      HnCell cell = hn_stand_in_cell(part_of(plugin, ""), discrete);
      g_autoptr(GString) why = g_string_new(NULL);
      if (s->rows) cell.run.rows = s->rows;
      cell.run.samples = s->samples;
      const HnVerdict verdict = hn_check_judge(law, &cell, why);
      const bool may_skip =
          g_strv_contains((const char *const *)skipped, law->name) ||
          (discrete && strcmp(law->name, "predict") == 0) ||
          (strcmp(law->name, "ignores") == 0 && !(plugin->flags & HN_IGNORES_BELIEF)) ||
          (strcmp(law->name, "metrics") == 0 && !(plugin->metrics && plugin->metrics[0].name));
      if (verdict != (may_skip ? HN_LAW_SKIPPED : HN_LAW_KEPT)) {
        g_test_message("%s is %s: %s", law->name, hn_verdict_name(verdict), why->str);
        g_test_fail();
      }
      cell_clear(&cell);
    }
}

int main(int argc, char **argv) {
#ifdef __SANITIZE_ADDRESS__
  /* which has addresses, signals and time of its own */
  puts("1..1\nok 1 /unusual # SKIP laws are judged without a sanitizer");
  return 0;
#endif
  g_test_init(&argc, &argv, NULL);
  hn_check_lets_time_pass = false;
  for (guint k = 0; k < G_N_ELEMENTS(shapes); k++) {
    g_autofree char *path = g_strconcat("/unusual/", shapes[k].name, NULL);
    g_test_add_data_func(path, &shapes[k], test_shape);
  }
  return g_test_run();
}
