/* evaluation_tasks.c - see evaluation_tasks.h. */
#include "evaluation_tasks.h"
#include "error.h"
#include <inttypes.h>
#include <string.h>

/* ---- which tasks ---- */

/* The tasks of a split by name: an array of arrays of their numbers, in the order in which names
 * first appear; a task without a name stands alone. */
static GPtrArray *tasks_by_name(const HnTaskList *tasks) {
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  g_autoptr(GHashTable) named = g_hash_table_new(g_direct_hash, g_direct_equal);
  for (int64_t k = 0; k < tasks->count; k++) {
    const char *name = tasks->called[k]; /* interned */
    GArray *list = name ? g_hash_table_lookup(named, name) : NULL;
    if (!list) {
      list = g_array_new(false, false, sizeof k);
      g_ptr_array_add(all, list);
      if (name) g_hash_table_insert(named, (gpointer)(guintptr)name, list);
    }
    g_array_append_val(list, k);
  }
  return all;
}

int64_t hn_evaluation_tasks(const HnSession *s, int64_t split, int64_t rows, int64_t *task) {
  const HnTaskList *tasks = &s->tasks[split];
  if (!tasks->called) {
    for (int64_t i = 0; i < rows; i++) task[i] = tasks->count ? i % tasks->count : -1;
    return MAX(tasks->count, 1);
  }
  g_autoptr(GPtrArray) all = tasks_by_name(tasks);
  int64_t names = all->len;
  for (int64_t i = 0; i < rows; i++) {
    const GArray *list = names ? all->pdata[i % names] : NULL;
    task[i] = list ? g_array_index(list, int64_t, i / names % list->len) : -1;
  }
  return MAX(names, 1);
}

HnTasksTaken hn_evaluation_taken(const HnSession *s, int64_t split) {
  const HnTaskList *tasks = &s->tasks[split];
  const int64_t rows = s->cell->evaluation.tasks;
  if (!tasks->count) return (HnTasksTaken){rows, rows, rows};
  if (!tasks->called) return (HnTasksTaken){rows, MIN(rows, tasks->count), 1};
  g_autoptr(GPtrArray) all = tasks_by_name(tasks);
  HnTasksTaken taken = {rows, 0, rows};
  for (int64_t name = 0; name < MIN(rows, (int64_t)all->len); name++) {
    const int64_t takes = (rows - name - 1) / all->len + 1; /* names take turns */
    const int64_t own = MIN(takes, (int64_t)((const GArray *)all->pdata[name])->len);
    taken.distinct += own, taken.by_name = MIN(taken.by_name, own);
  }
  return taken;
}

/* ---- may it be followed? ---- */

static bool refuse(const HnSession *s, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool refuse(const HnSession *s, GError **error, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *why = g_strdup_vprintf(format, list);
  va_end(list);
  return hn_error_set(error, HN_ERROR_REFUSED, "evaluation.%s (environment %s)", why,
                      s->cell->env.plugin->name);
}

/* Success at any step needs a column that says so. */
static bool find_success(HnSession *s, GError **error) {
  const HnColumn *info = s->env->info;
  s->success = -1;
  for (guint k = 0; k < s->env->infos; k++)
    if (!strcmp(info[k].name, "success")) s->success = k;
  if (!(s->protocol.flags & HN_COUNTS_SUCCESS)) return true;
  if (s->success < 0)
    return refuse(s, error,
                  "protocol counts successes, and there is no column 'success': use trial");
  if (info[s->success].fold != HN_MAX)
    return refuse(
        s, error,
        "protocol counts success at any step, and the column 'success' is not the largest "
        "of an episode: use trial");
  return true;
}

/* Every name has the same number of rows, so that a mean over rows is one over names. */
static bool check_rows(const HnSession *s, int64_t split, GError **error) {
  const HnProtocol *p = &s->protocol;
  int64_t rows = s->cell->evaluation.tasks, share = MAX(p->parallel, 1);
  if (!(p->flags & HN_COUNTS_SUCCESS)) return true;
  int64_t *task = g_new(int64_t, rows);
  int64_t names = hn_evaluation_tasks(s, split, rows, task), multiple = names * share;
  g_free(task);
  if (rows % multiple == 0) return true;
  return refuse(s, error,
                "tasks: %" PRId64 " rows do not give each of the %" PRId64
                " tasks of split %s the same number of "
                "goals%s: use a multiple of %" PRId64,
                rows, names, s->splits[split],
                share > 1 ? ", in groups of evaluation.parallel" : "", multiple);
}

/* Adds the deciding split once more, under another name. */
static bool add_again(HnSession *s, const char *key, HnEvaluationPass pass, GError **error) {
  if (g_strv_contains((const char *const *)s->splits, pass.name))
    return refuse(s, error, "%s names columns as those of the split %s", key, pass.name);
  pass.split = s->pass[0].split;
  s->pass[s->passes++] = pass;
  return true;
}

static bool add_drawn(HnSession *s, GError **error) {
  if (!(s->protocol.flags & HN_AS_IN_TRAINING) || !s->cell->evaluation.greedy)
    return refuse(s, error,
                  "also_drawn adds sampled actions to greedy ones: it needs protocol: "
                  "trial and greedy: true");
  return add_again(s, "also_drawn", (HnEvaluationPass){.drawn = true, .name = "drawn"}, error);
}

static bool add_shuffled(HnSession *s, GError **error) {
  if (!s->shape.belief)
    return refuse(s, error, "also_shuffled exchanges beliefs: %s has none",
                  s->inference->plugin->name);
  if (s->cell->evaluation.tasks < 2)
    return refuse(s, error, "also_shuffled exchanges beliefs: it needs two tasks");
  return add_again(s, "also_shuffled", (HnEvaluationPass){.shuffled = true, .name = "shuffled"},
                   error);
}

bool hn_evaluation_check(HnSession *s, GError **error) {
  const char *wanted = s->cell->evaluation.split;
  guint all = g_strv_length(s->splits);
  g_auto(GStrv) names = g_strsplit(wanted && *wanted ? wanted : s->splits[all - 1], "|", -1);
  s->pass = g_new0(HnEvaluationPass, g_strv_length(names) + 2);
  if (!find_success(s, error)) return false;
  for (; names[s->passes]; s->passes++) {
    const guint i = s->passes;
    int64_t split;
    if (!hn_session_find_split(s, names[i], &split, error)) {
      g_prefix_error(error, "evaluation.split: ");
      return false;
    }
    s->pass[i] = (HnEvaluationPass){.split = split, .name = s->splits[split]};
    for (guint k = 0; k < i; k++)
      if (s->pass[k].split == split) return refuse(s, error, "split names %s twice", names[i]);
    if (!check_rows(s, split, error)) return false;
  }
  const HnEvaluationParams *p = &s->cell->evaluation;
  return (!p->also_drawn || add_drawn(s, error)) && (!p->also_shuffled || add_shuffled(s, error));
}
