/* checkpoint_range_test.c - a checkpoint whose checksums are right, but which holds an integer out
 * of its range, is refused by the name of the tensor and changes nothing: for every tensor of
 * integers of the host and of every plugin. */
#include "cell_fixture.h"
#include "checkpoint.h"
#include "stand_in.h"

/* Integers of which any value is valid: row memory belongs to the plugin that wrote it, and with
 * continuous actions nobody reads their indices. */
static const char *const any[] = {"host/row.*", "host/*.action_index", NULL};

static bool is_free(const char *name, bool discrete) {
  for (int i = 0; any[i]; i++)
    if (g_pattern_match_simple(any[i], name)) return i == 0 || !discrete;
  return false;
}

static void put_integer(HnType type, char *data, gsize i, int64_t value) {
  const int32_t narrow = (int32_t)value;
  if (type == HN_U8) data[i] = (char)value;
  if (type == HN_I32) memcpy(data + i * sizeof narrow, &narrow, sizeof narrow);
  if (type == HN_I64) memcpy(data + i * sizeof value, &value, sizeof value);
}

static bool can_hold(HnType type, int64_t value) {
  return type == HN_I64 || (type == HN_I32 ? value == (int32_t)value : value == (uint8_t)value);
}

/* The states as they are, but with `value` at element `at` of state x. */
static void write_changed(const char *path, GPtrArray *states, const HnState *x, gsize at,
                          int64_t value) {
  HnStoredTensors *t = hn_states_tensors(states, NULL);
  HnStoredTensor *tensor = g_hash_table_lookup(t->find, x->name);
  g_autofree char *copy = g_memdup2(tensor->data, tensor->bytes);
  put_integer(x->type, copy, at, value);
  tensor->data = copy;
  g_assert_true(hn_stored_tensors_write(t, path, NULL));
  hn_stored_tensors_free(t);
}

static void check_value(const char *path, GPtrArray *states, const HnState *x, gsize at,
                        int64_t value) {
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GError) error = NULL;
  const gsize bytes = hn_state_bytes(x);
  g_autofree char *before = g_memdup2(x->data, bytes);
  g_autofree char *says = g_strdup_printf(
      "%s holds %" G_GINT64_FORMAT " at element %" G_GSIZE_FORMAT ", expected", x->name, value, at);
  if (!can_hold(x->type, value)) return;
  write_changed(path, states, x, at, value);
  if (hn_checkpoint_read(path, states, meta, &error))
    g_error("%s: %" G_GINT64_FORMAT " is taken", x->name, value);
  g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
  if (!strstr(error->message, says)) g_error("%s: %s", says, error->message);
  g_assert_cmpmem(x->data, bytes, before, bytes);
}

static void check_state(const char *path, GPtrArray *states, const HnState *x, bool discrete) {
  const gsize count = hn_state_bytes(x) / hn_type_size(x->type);
  const gsize first = x->last_column ? (gsize)x->dim[x->rank - 1] - 1 : 0;
  if ((x->type != HN_U8 && x->type != HN_I32 && x->type != HN_I64) || count == 0) return;
  if (x->low == x->end) {
    if (!is_free(x->name, discrete)) g_error("%s: no range is declared", x->name);
    return;
  }
  if (x->low > INT64_MIN) check_value(path, states, x, first, x->low - 1);
  if (x->end < INT64_MAX) check_value(path, states, x, count - 1, x->end);
  check_value(path, states, x, count - 1, INT64_MIN);
  if (x->end <= INT32_MAX) check_value(path, states, x, count - 1, INT32_MAX);
}

/* Tensors of the plugin itself, and those of the host too where `host` says so. */
static void check_plugin(const HnPlugin *plugin, const char *settings, bool discrete, bool host) {
  HnCell cell = hn_stand_in_cell(part_of(plugin, settings), discrete);
  g_autoptr(GError) error = NULL;
  HnSession *s = hn_session_new(&cell, NULL, &error);
  g_assert_no_error(error);
  HnEpisodeStats stats;
  hn_episode_stats_make(&stats, s->rollouts.rows, s->shape.env_infos, &s->trial);
  g_autoptr(GPtrArray) states = hn_states_of(s, &stats);
  g_autofree char *room = g_strconcat(hn_kind_name(plugin->kind), "/", NULL);
  char *dir = folder_new();
  g_autofree char *path = g_build_filename(dir, "x.safetensors", NULL);
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    if (g_str_has_prefix(x->name, host ? "host/" : room)) check_state(path, states, x, discrete);
  }
  folder_free(dir);
  hn_episode_stats_free(&stats), hn_session_free(s);
  g_free(hn_cell_plugin(&cell, plugin->kind)->params);
  hn_stand_in_clear(&cell, plugin->kind);
}

static const HnPlugin *plugin_named(const char *name) {
  g_autoptr(GError) error = NULL;
  const HnPlugin *plugin = hn_plugins_load(name, 0, &error);
  g_assert_no_error(error);
  return plugin;
}

/* With the history of unfinished trials, which glibrl asks for; with and without indices. */
static void test_host(void) {
  check_plugin(plugin_named("glibrl"), "buffer: 3, start: 2", true, true);
  check_plugin(plugin_named("none"), "", false, true);
}

static void test_plugins(void) {
  g_autoptr(GPtrArray) found = hn_plugins_scan();
  g_assert_cmpuint(found->len, >, 10);
  for (guint i = 0; i < found->len; i++) {
    const HnPlugin *p = ((const HnFound *)found->pdata[i])->plugin;
    if (p->kind == HN_KIND_ENV || g_str_equal(p->name, "gridworld_belief")) continue;
    const bool glibrl = g_str_equal(p->name, "glibrl");
    check_plugin(p, glibrl ? "start: 2, buffer: 3" : "", i % 2, false);
  }
}

/* What a plugin itself puts out of range is not written: no later process could go on from it. */
static void test_write(void) {
  int64_t cursor[2] = {0, 4};
  HnState x = {.name = (char *)"policy/cursor",
               .type = HN_I64,
               .rank = 1,
               .dim = {2},
               .data = cursor,
               .end = 4};
  g_autoptr(GPtrArray) states = g_ptr_array_new();
  g_autoptr(GError) error = NULL;
  char *dir = folder_new();
  g_autofree char *path = g_build_filename(dir, "x.safetensors", NULL);
  g_ptr_array_add(states, &x);
  g_assert_false(hn_checkpoint_write(path, states, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_PLUGIN);
  g_assert_nonnull(strstr(error->message, "policy/cursor holds 4 at element 1, expected 0 to 3"));
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  cursor[1] = 3;
  g_assert_true(hn_checkpoint_write(path, states, NULL, NULL));
  folder_free(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/checkpoint_range/host", test_host);
  g_test_add_func("/checkpoint_range/plugins", test_plugins);
  g_test_add_func("/checkpoint_range/write", test_write);
  return g_test_run();
}
