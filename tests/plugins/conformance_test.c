/* conformance_test.c - every plugin of the build is judged by the laws of its kind (core/check),
 * with stand-ins for the plugins that it runs with. */
#include "cell_fixture.h"
#include "check.h"
#include "checked.h"
#include "env_rows.h"
#include "stand_in.h"

/* What a plugin is to be judged with, where defaults or stand-ins will not do. */
static const struct {
  const char *plugin, *settings;
  const char *env; /* NULL: the stand-in */
} special[] = {
    /* draws in steps as well */
    {"cheetah_vel", "reward_noise_low: 0.1, reward_noise_high: 2", NULL},
    {"gridworld_belief", "", "gridworld"}, /* reads the grid's observations */
    /* learns from the first finished trial on */
    {"sac", "hidden: '16 16', learning_starts: 4, batch_size: 150", NULL},
};

/* Laws that need not be judged.  One that is kept all the same is an error of this list. */
static const struct {
  const char *plugin, *law, *reason;
} excused[] = {
    {"bandit", "episodes", "nothing but the task is remembered"},
    {"fourier", "episodes", "nothing but the task is remembered"},
    {"gp_bandit", "episodes", "nothing but the task is remembered"},
};

/* Why a law may have nothing to judge in a plugin. */
static const struct {
  const char *law, *why;
} inapplicable[] = {
    {"weights", "it keeps nothing for learning alone"},
    {"leaks", "a sanitizer has memory of its own"},
    {"metrics", "it has no metrics"},
    {"blind", "it says that it is privileged"},
    {"divergence", "it has no divergence"},
    {"gradients", "it has no backward"},
    {"ignores", "it does not say that it ignores beliefs"},
    {"predict", "it does not predict under these parameters"},
    {"predict", "it has no predict"},
    {"predict", "it scores no step"},
    {"predict", "predictions are of continuous actions"},
    {"query", "it has no query of continuous actions"},
    {"plain", "a sanitizer has memory nearly everywhere: all numbers look like addresses"},
    {"samples", "it has no samples"},
    {"samples", "all samples are the same: its beliefs are certain"},
};

/* Plugins all of whose laws are skipped where create cannot find the files that it needs. */
static const char *const with_files[] = {"metaworld"};

/* How a plugin has fared: what is recorded of its file, so that studies of this build can say that
 * their plugins are checked. */
enum { LAWS_MAX = 64 };
typedef struct Tally {
  const HnPlugin *plugin;
  int cases, judged;
  HnVerdict of[LAWS_MAX]; /* each law, of both kinds of actions, as `hunch check` counts them */
  int laws;               /* as far as they were judged */
} Tally;

static GPtrArray *tallies;

typedef struct Case {
  Tally *tally;
  const HnPlugin *plugin;
  const HnLaw *law;
  bool discrete;
} Case;

/* Why the law need not be judged, or NULL. */
static const char *excuse(const Case *c) {
  for (guint k = 0; k < G_N_ELEMENTS(excused); k++)
    if (!strcmp(excused[k].plugin, c->plugin->name) && !strcmp(excused[k].law, c->law->name))
      return excused[k].reason;
  return NULL;
}

static bool is_inapplicable(const HnLaw *law, const char *why) {
  for (guint k = 0; k < G_N_ELEMENTS(inapplicable); k++)
    if (!strcmp(inapplicable[k].law, law->name) && !strcmp(inapplicable[k].why, why)) return true;
  return false;
}

static bool needs_files(const HnPlugin *plugin) {
  for (guint k = 0; k < G_N_ELEMENTS(with_files); k++)
    if (!strcmp(with_files[k], plugin->name)) return true;
  return false;
}

static HnCell cell_new(const HnPlugin *plugin, bool discrete) {
  const char *settings = "", *env = NULL;
  for (guint k = 0; k < G_N_ELEMENTS(special); k++)
    if (!strcmp(special[k].plugin, plugin->name))
      settings = special[k].settings, env = special[k].env;
  HnCell cell = hn_stand_in_cell(part_of(plugin, settings), discrete);
  if (!env) return cell;
  GError *error = NULL;
  const HnPlugin *other = hn_plugins_load(env, HN_KIND_ENV, &error);
  g_assert_no_error(error);
  g_free(cell.env.params);
  cell.env = part_of(other, "");
  return cell;
}

static void test_law(gconstpointer data) {
  const Case *c = data;
  HnCell cell = cell_new(c->plugin, c->discrete);
  g_autoptr(GString) why = g_string_new(NULL);
  HnVerdict verdict = hn_check_judge(c->law, &cell, why);
  Tally *tally = c->tally;
  const int law = (int)(c->law - hn_check_laws(c->plugin->kind));
  tally->judged += verdict != HN_LAW_BROKEN;
  tally->of[law] = c->discrete ? hn_check_both(tally->of[law], verdict) : verdict;
  tally->laws = MAX(tally->laws, law + 1);
  if (excuse(c)) {
    g_assert_cmpint(verdict, ==, HN_LAW_SKIPPED);
    g_test_skip(excuse(c));
  } else if (verdict == HN_LAW_SKIPPED &&
             (needs_files(c->plugin) || is_inapplicable(c->law, why->str))) {
    g_test_skip(why->str);
  } else if (verdict != HN_LAW_KEPT)
    g_test_fail_printf("%s %s", c->law->promise, why->str);
  cell_clear(&cell);
}

/* No two tasks of a split have the same name, unless a name is that of a family of tasks. */
static void test_names(gconstpointer data) {
  const HnPlugin *plugin = data;
  const HnEnv *env = plugin->methods;
  HnCell cell = cell_new(plugin, false);
  HnStatus status;
  HnArena arena = {.chunks = 0};
  hn_arena_enter(&arena);
  HnEnvRows *r = hn_env_rows_new(&cell, 1, &status);
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  if (status)
    g_test_skip(hn_fail_text());
  else
    for (int64_t k = 0; k < hn_env_rows_tasks(r); k++)
      g_assert_true(
          g_hash_table_add(seen, (char *)(guintptr)env->task_name(r->instance->self, 0, k)));
  hn_env_rows_free(r);
  hn_arena_enter(NULL), hn_arena_clear(&arena);
  cell_clear(&cell);
}

/* What was judged whole, without a fault, is on record beside the plugins. */
static void test_record(gconstpointer data) {
  const Tally *t = data;
  HnCheckRecord all = {HN_LAWS_VERSION, 0, 0, NULL, NULL}, found;
  for (int k = 0; k < t->laws; k++)
    all.kept += t->of[k] == HN_LAW_KEPT, all.skipped += t->of[k] == HN_LAW_SKIPPED;
  if (!all.kept || t->judged < t->cases) {
    g_test_skip("its laws were not all judged and kept");
    return;
  }
  g_autoptr(GError) error = NULL;
  g_autofree char *path = hn_checked_write(PLUGINS "/checked", t->plugin, &all, &error);
  g_assert_no_error(error);
  g_assert_nonnull(path);
  g_assert_true(hn_checked_find(t->plugin, &found));
  hn_checked_clear(&found);
}

static void add_laws(Tally *tally, bool discrete) {
  const HnPlugin *plugin = tally->plugin;
  for (const HnLaw *law = hn_check_laws(plugin->kind); law->name; law++) {
    g_autofree char *path = g_strdup_printf("/%s/%s/%s%s", hn_kind_name(plugin->kind), plugin->name,
                                            law->name, discrete ? "/discrete" : "");
    Case *c = g_new(Case, 1);
    *c = (Case){tally, plugin, law, discrete};
    tally->cases++;
    g_test_add_data_func_full(path, c, test_law, g_free);
  }
}

static void add_plugin(const HnPlugin *plugin) {
  Tally *tally = g_new0(Tally, 1);
  tally->plugin = plugin;
  add_laws(tally, false);
  if (plugin->kind != HN_KIND_ENV || plugin->flags & HN_WRAPPER) add_laws(tally, true);
  g_ptr_array_add(tallies, tally);
  if (plugin->kind != HN_KIND_ENV) return;
  const HnEnv *env = plugin->methods;
  if (!HN_CAN(env, task_name) || !strcmp(plugin->name, "metaworld")) return;
  g_autofree char *path = g_strdup_printf("/env/%s/names", plugin->name);
  g_test_add_data_func(path, plugin, test_names);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_autoptr(GPtrArray) found = hn_plugins_scan();
  guint built = 0;
  tallies = g_ptr_array_new_with_free_func(g_free);
  for (guint k = 0; k < found->len; k++) {
    const HnFound *f = found->pdata[k];
    if (!f->plugin) g_error("%s", f->reason);
    const char *file = hn_plugins_file(f->plugin);
    g_autofree char *folder = file ? g_path_get_dirname(file) : NULL;
    if (g_strcmp0(folder, PLUGINS) != 0) continue;
    add_plugin(f->plugin), built++;
  }
  g_assert_cmpuint(built, >, 0);
  for (guint k = 0; k < tallies->len; k++) { /* when all has been judged */
    const HnPlugin *plugin = ((const Tally *)tallies->pdata[k])->plugin;
    g_autofree char *path = g_strdup_printf("/record/%s", plugin->name);
    g_test_add_data_func(path, tallies->pdata[k], test_record);
  }
  const int result = g_test_run();
  g_ptr_array_unref(tallies);
  return result;
}
