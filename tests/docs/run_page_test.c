/* run_page_test.c - docs/run-folder.md knows what a study leaves: its files, the members of its
 * JSON and of checkpoints' metadata, and the tensors of every plugin; and names no tensor that no
 * plugin keeps.  Columns and the host's tensors are held to the page by run_folder_test. */
#include "cell_fixture.h"
#include "checkpoint.h"
#include "cli_fixture.h"
#include "json.h"
#include "run_dir.h"
#include "stand_in.h"
#include <hunch/kit/rnn.h>

static char *page;

static char *section(const char *heading) {
  g_autofree char *from = g_strdup_printf("\n## %s\n", heading);
  const char *start = strstr(page, from);
  g_assert_nonnull(start);
  const char *end = strstr(start + 4, "\n## ");
  return end ? g_strndup(start, (gsize)(end - start)) : g_strdup(start);
}

/* ---- a study ---- */

static void expect_named(const char *text, const char *where, const char *name) {
  g_autofree char *quoted = g_strdup_printf("`%s`", name);
  if (!strstr(text, quoted)) g_error("docs/run-folder.md does not have %s of %s", name, where);
}

static void check_members(const char *dir, const char *file) {
  g_autofree char *path = g_build_filename(dir, file, NULL), *known = section(file);
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  g_assert_nonnull(o);
  GList *names = json_object_get_members(o);
  for (GList *n = names; n; n = n->next) {
    JsonNode *value = json_object_get_member(o, n->data);
    expect_named(known, file, n->data);
    if (!JSON_NODE_HOLDS_OBJECT(value)) continue;
    GList *inner = json_object_get_members(json_node_get_object(value));
    for (GList *i = inner; i; i = i->next) expect_named(page, file, i->data);
    g_list_free(inner);
  }
  g_list_free(names);
}

static void check_metadata(const char *dir) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(dir, NULL);
  g_autofree char *known = section("Checkpoints");
  g_assert_cmpuint(all->len, >, 0);
  HnStoredTensors *t = hn_stored_tensors_open(all->pdata[all->len - 1], NULL);
  GHashTableIter each;
  gpointer key;
  g_hash_table_iter_init(&each, t->meta);
  while (g_hash_table_iter_next(&each, &key, NULL))
    if (!g_str_has_suffix(key, ".csv")) expect_named(known, "a checkpoint's metadata", key);
  hn_stored_tensors_free(t);
}

static void check_run(const char *dir) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name(d));)
    if (!g_str_equal(name, "ckpt")) expect_named(page, dir, name);
  check_metadata(dir);
  check_members(dir, "run.json");
}

/* Two splits and a belief with a map; then supervised predictions. */
static void test_study(void) {
  static const char *const studies[] = {
      "env: {plugin: gridworld}, inference: {plugin: gridworld_belief}, policy: {plugin: ppo},"
      " evaluation: {tasks: 21, split: test|train, protocol: sdvt}",
      "env: {plugin: fourier}, inference: {plugin: recurrent, head: signal, see_first: false},"
      " policy: {plugin: uniform}, evaluation: {tasks: 4}"};
  for (guint i = 0; i < G_N_ELEMENTS(studies); i++) {
    g_autoptr(Folder) dir = folder();
    g_autofree char *text =
        g_strdup_printf("hunch: 1\nname: s\nseeds: {count: 1}\nbase: {%s, run: {frames: 40, rows: "
                        "2, episodes: 1}}\n",
                        studies[i]);
    g_autofree char *study = g_build_filename(dir, "runs/s", NULL);
    g_autofree char *cell = g_build_filename(study, "base/0", NULL);
    fake_write(dir, "s.yaml", text);
    g_auto(Run) run = hunch(dir, "run s.yaml");
    if (run.code != 0) g_error("%s", run.err);
    check_run(cell);
    check_members(study, "study.json");
    g_autoptr(GDir) d = g_dir_open(study, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));)
      if (!strstr(page, name) && !g_str_equal(name, "base")) g_error("no file %s", name);
  }
}

/* ---- tensors ---- */

/* A row of the table of tensors. */
typedef struct Row {
  char **plugins, **patterns;
  bool *used; /* of each pattern */
} Row;
static GArray *rows;

/* The texts in backticks of a cell. */
static char **quoted(const char *cell) {
  g_auto(GStrv) parts = g_strsplit(cell, "`", -1);
  g_autoptr(GStrvBuilder) b = g_strv_builder_new();
  for (guint k = 1; k < g_strv_length(parts); k += 2) g_strv_builder_add(b, parts[k]);
  return g_strv_builder_end(b);
}

static void read_rows(void) {
  g_autofree char *table = section("Tensors of the plugins");
  g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
  rows = g_array_new(FALSE, FALSE, sizeof(Row));
  for (char **line = lines; *line; line++) {
    if (!g_str_has_prefix(*line, "| `")) continue;
    g_auto(GStrv) cells = g_strsplit(*line, "|", 4);
    Row row = {.plugins = quoted(cells[1]), .patterns = quoted(cells[2])};
    row.used = g_new0(bool, g_strv_length(row.patterns));
    g_array_append_val(rows, row);
  }
}

/* Whether the table has the tensor; Adam's moments go by what they belong to. */
static bool is_in_table(const char *plugin, const char *name) {
  g_autofree char *stem = g_strdup(name);
  if (g_str_has_suffix(stem, ".m1") || g_str_has_suffix(stem, ".m2")) stem[strlen(stem) - 3] = '\0';
  bool found = false;
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index(rows, Row, i);
    if (!g_strv_contains((const char *const *)row->plugins, plugin)) continue;
    for (guint k = 0; row->patterns[k]; k++)
      if (g_pattern_match_simple(row->patterns[k], name) ||
          g_pattern_match_simple(row->patterns[k], stem))
        found = row->used[k] = true;
  }
  return found;
}

static void check_plugin(const char *name, HnKind kind, const char *settings, bool discrete) {
  GError *error = NULL;
  const HnPlugin *plugin = hn_plugins_load(name, kind, &error);
  g_assert_no_error(error);
  HnCell cell = hn_stand_in_cell(part_of(plugin, settings), discrete);
  HnSession *s = hn_session_new(&cell, NULL, &error);
  g_assert_no_error(error);
  HnEpisodeStats none = {.rows = 0};
  g_autoptr(GPtrArray) states = hn_states_of(s, &none);
  g_autofree char *room = g_strconcat(hn_kind_name(plugin->kind), "/", NULL);
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    if (g_str_has_prefix(x->name, room) && !is_in_table(name, x->name))
      g_error("docs/run-folder.md does not have %s of %s", x->name, name);
  }
  hn_session_free(s), cell_clear(&cell);
}

/* Settings under which plugins keep more than by default. */
static const struct {
  const char *plugin, *settings;
} special[] = {
    {"a2c", "obs_embed: 4, belief_embed: 4, input_norm: layer"},
    {"glibrl", "view: predictions, ema_decay: 0.99, transition_target: next"},
    {"glibrl", "view: whitened"},
    {"laplace_vrnn", "head: signal"},
    {"maml_trpo", "obs_embed: 4, belief_embed: 4"},
    {"ppo", "obs_embed: 4, belief_embed: 4, input_norm: layer"},
    {"promp", "obs_embed: 4, belief_embed: 4"},
    {"recurrent", "head: reward"},
    {"rl2", "bottleneck: 4"},
    {"sac", "normalise_obs: true"},
    {"trpo", "obs_embed: 4, belief_embed: 4"},
    {"trmrl", "positions: learned"},
    {"varibad", "state_weight: 1, reward_weight: 1"},
    {"vrnn", "covariance: diagonal"},
};

static void test_tensors(void) {
  g_autoptr(GPtrArray) found = hn_plugins_scan();
  read_rows();
  for (guint i = 0; i < found->len; i++) {
    const HnPlugin *p = ((const HnFound *)found->pdata[i])->plugin;
    if (p->kind == HN_KIND_ENV || g_str_equal(p->name, "gridworld_belief")) continue;
    check_plugin(p->name, p->kind, "", false);
    check_plugin(p->name, p->kind, "", true);
  }
  for (guint i = 0; i < G_N_ELEMENTS(special); i++)
    check_plugin(special[i].plugin, 0, special[i].settings, false);
  g_auto(GStrv) cells = g_strsplit(HN_RNN_CHOICES, "|", -1);
  for (char **cell = cells; *cell; cell++) {
    g_autofree char *settings = g_strconcat("cell: ", *cell, NULL);
    check_plugin("rl2", 0, settings, false), check_plugin("recurrent", 0, settings, false);
  }
  for (guint i = 0; i < rows->len; i++) {
    Row *row = &g_array_index(rows, Row, i);
    for (guint k = 0; row->patterns[k]; k++)
      if (!row->used[k]) g_error("no plugin keeps %s", row->patterns[k]);
    g_strfreev(row->plugins), g_strfreev(row->patterns), g_free(row->used);
  }
  g_array_unref(rows);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  page = fake_read(SOURCE, "docs/run-folder.md");
  g_test_add_func("/run_page/study", test_study);
  g_test_add_func("/run_page/tensors", test_tensors);
  const int result = g_test_run();
  g_free(page);
  return result;
}
