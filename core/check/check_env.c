/* check_env.c - see check_env.h. */
#include "check_env.h"
#include "check_process.h"
#include "check_query.h"
#include "check_run.h"
#include "env_rows.h"
#include <math.h>
#include <string.h>

enum { STEPS = 60, TASKS_MAX = 25 };

/* Rows of the cell's environment, or NULL with the verdict: parameters that it refuses, or files
 * that it does not find, are no fault of its own. */
static HnEnvRows *open_rows(const HnCell *cell, int64_t rows, HnVerdict *verdict, GString *why) {
  HnStatus status;
  HnEnvRows *r = hn_env_rows_new(cell, rows, &status);
  if (!status) return r;
  *verdict = status == HN_E_PARAM || status == HN_E_IO ? HN_LAW_SKIPPED : HN_LAW_BROKEN;
  g_string_append_printf(why, "create: %s", hn_fail_text());
  hn_env_rows_free(r);
  return NULL;
}

static bool went_well(HnStatus status, const char *doing, GString *why) {
  if (status) g_string_append_printf(why, "%s: %s", doing, hn_fail_text());
  return !status;
}

static bool step_all(HnEnvRows *r, HnRng *rng, GString *why) {
  for (int64_t i = 0; i < r->b.rows; i++) hn_env_rows_act(r, i, rng);
  return went_well(hn_env_rows_step(r, r->b), "step", why);
}

/* ---- batches ---- */

/* How a run is cut into calls: `chunk` rows each, the last ones first where `backward`. */
typedef struct Cut {
  int64_t rows, watched, chunk;
  bool backward;
  int64_t slot; /* of row 0 in caches */
} Cut;

/* Two episodes of one task under random actions.  record [STEPS] out: those of the watched row,
 * whose streams are those of row 0. */
static bool run_cut(HnEnvRows *r, Cut cut, GByteArray **record, GString *why) {
  g_autofree HnRng *action = g_new(HnRng, (gsize)cut.rows);
  for (int64_t i = 0; i < cut.rows; i++) {
    uint64_t stream = (uint64_t)((i + cut.rows - cut.watched) % cut.rows);
    hn_env_rows_stream(r, i, 7, stream), action[i] = hn_rng(8, stream);
  }
  const int64_t chunks = (cut.rows + cut.chunk - 1) / cut.chunk;
  for (int t = 0; t < STEPS; t++) {
    uint8_t begin = t ? HN_NEW_EPISODE : HN_NEW_TASK;
    if (t % (STEPS / 2) == 0 && !went_well(hn_env_rows_reset(r, begin, -1), "reset", why))
      return false;
    for (int64_t i = 0; i < cut.rows; i++) hn_env_rows_act(r, i, &action[i]);
    for (int64_t c = 0; c < chunks; c++) {
      int64_t first = (cut.backward ? chunks - 1 - c : c) * cut.chunk;
      HnEnvBatch part = hn_env_rows_part(r, first, MIN(cut.chunk, cut.rows - first));
      if (!went_well(hn_env_rows_step(r, part), "step", why)) return false;
    }
    record[t] = hn_env_rows_record(r, cut.watched);
  }
  return true;
}

static void clear_records(GByteArray **record) {
  for (int t = 0; t < STEPS; t++)
    if (record[t]) g_byte_array_unref(record[t]), record[t] = NULL;
}

/* Whether a run so cut shows in its watched row what `alone` shows. */
static bool same_when_cut(const HnCell *cell, Cut cut, GByteArray **alone, GString *why) {
  HnVerdict verdict;
  HnEnvRows *r = open_rows(cell, cut.rows + cut.slot, &verdict, why);
  if (!r) return false;
  r->b.rows = cut.rows, r->b.first = cut.slot;
  GByteArray *record[STEPS] = {NULL};
  bool same = run_cut(r, cut, record, why);
  for (int t = 0; t < STEPS && same; t++) {
    const char *part = hn_env_rows_difference(r, record[t], alone[t]);
    same = !part;
    if (part)
      g_string_append_printf(why,
                             "%s of step %d: row %d of %d, in calls of %d rows from slot %d on, "
                             "differs from the same row alone",
                             part, t, (int)cut.watched, (int)cut.rows, (int)cut.chunk,
                             (int)cut.slot);
  }
  clear_records(record), hn_env_rows_free(r);
  return same;
}

static HnVerdict judge_batches(const HnCell *cell, GString *why) {
  static const Cut cuts[] = {{1, 0, 1, false, 0},   {7, 0, 7, false, 0}, {7, 6, 7, false, 0},
                             {7, 4, 3, true, 0},    {7, 2, 1, true, 0},  {3, 1, 3, false, 4},
                             {17, 11, 17, false, 0}};
  HnVerdict verdict = HN_LAW_BROKEN;
  HnEnvRows *r = open_rows(cell, 1, &verdict, why);
  if (!r) return verdict;
  GByteArray *alone[STEPS] = {NULL};
  bool same = run_cut(r, (Cut){1, 0, 1, false, 0}, alone, why);
  for (guint k = 0; k < G_N_ELEMENTS(cuts) && same; k++)
    same = same_when_cut(cell, cuts[k], alone, why);
  clear_records(alone), hn_env_rows_free(r);
  return same ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

/* ---- reset ---- */

/* Resets the middle one of three rows in the midst of an episode.  before, after [3] out. */
static bool reset_middle(HnEnvRows *r, GByteArray *before[3], GByteArray *after[3], GString *why) {
  HnRng rng = hn_rng(9, 0);
  bool ok = went_well(hn_env_rows_reset(r, HN_NEW_TASK, -1), "reset", why);
  for (int t = 0; t < 5 && ok; t++) ok = step_all(r, &rng, why);
  for (int64_t i = 0; i < 3; i++) before[i] = hn_env_rows_record(r, i);
  r->begin[0] = HN_KEEP, r->begin[1] = HN_NEW_EPISODE, r->begin[2] = HN_KEEP;
  ok = ok && went_well(hn_env_rows_reset_some(r), "reset", why);
  for (int64_t i = 0; i < 3; i++) after[i] = hn_env_rows_record(r, i);
  return ok;
}

static HnVerdict judge_reset(const HnCell *cell, GString *why, bool kept_rows) {
  HnVerdict verdict = HN_LAW_BROKEN;
  HnEnvRows *r = open_rows(cell, 3, &verdict, why);
  if (!r) return verdict;
  GByteArray *before[3], *after[3];
  bool ok = reset_middle(r, before, after, why);
  for (int64_t i = 0; i < 3 && ok && kept_rows; i += 2) {
    const char *part = hn_env_rows_difference(r, before[i], after[i]);
    ok = !part;
    if (part) g_string_append_printf(why, "reset changed the %s of a row that is HN_KEEP", part);
  }
  verdict = ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
  if (ok && !kept_rows && !hn_env_rows_difference(r, before[1], after[1])) {
    g_string_append(why, "HN_NEW_EPISODE changes nothing: episodes go on where the last one ended");
    verdict = HN_LAW_SKIPPED;
  }
  for (int64_t i = 0; i < 3; i++) g_byte_array_unref(before[i]), g_byte_array_unref(after[i]);
  hn_env_rows_free(r);
  return verdict;
}

static HnVerdict judge_keep(const HnCell *cell, GString *why) {
  return judge_reset(cell, why, true);
}

static HnVerdict judge_episodes(const HnCell *cell, GString *why) {
  return judge_reset(cell, why, false);
}

/* ---- tasks ---- */

/* Whether the first row has this task; one of no numbers, which has no address, is always the same.
 */
static bool has_task(const HnEnvRows *a, const float *task) {
  const gsize bytes = sizeof *task * (gsize)a->spec.task_dim;
  return bytes == 0 || memcmp(a->b.task, task, bytes) == 0;
}

/* Task k of a split in two instances, whose rows' streams differ; `next` another task for a, of
 * which `apart` says whether it is another.  Tasks of a list may repeat, but not all be one. */
static bool same_numbered(HnEnvRows *a, HnEnvRows *b, int64_t k, int64_t next, bool *apart,
                          GString *why) {
  if (!went_well(hn_env_rows_reset(a, HN_NEW_TASK, next), "reset", why) ||
      !went_well(hn_env_rows_reset(b, HN_NEW_TASK, k), "reset", why))
    return false;
  *apart |= !has_task(a, b->b.task);
  if (!went_well(hn_env_rows_reset(a, HN_NEW_TASK, k), "reset", why)) return false;
  if (has_task(a, b->b.task)) return true;
  g_string_append_printf(why, "task %d of split %d differs between two instances", (int)k,
                         (int)a->b.split);
  return false;
}

static bool judge_split(HnEnvRows *a, HnEnvRows *b, GString *why) {
  if (!went_well(hn_env_rows_reset(a, HN_NEW_TASK, -1), "reset", why)) return false;
  g_autofree float *task = g_memdup2(a->b.task, sizeof(float) * (gsize)a->spec.task_dim);
  if (!went_well(hn_env_rows_reset(a, HN_NEW_EPISODE, -1), "reset", why)) return false;
  if (!has_task(a, task)) {
    g_string_append(why, "HN_NEW_EPISODE changed the task");
    return false;
  }
  const int64_t count = hn_env_rows_tasks(a);
  if (!count && a->b.task_index[0] != -1) {
    g_string_append(why, "a drawn task was numbered, but no task has a number");
    return false;
  }
  bool ok = true, apart = false;
  for (int64_t k = 0; k < MIN(count, TASKS_MAX) && ok; k++)
    ok = same_numbered(a, b, k, (k + 1) % count, &apart, why);
  if (!ok || apart || count < 2 || !a->spec.task_dim) return ok;
  g_string_append_printf(why, "tasks 0 to %d of split %d are the same",
                         (int)MIN(count - 1, TASKS_MAX), (int)a->b.split);
  return false;
}

static HnVerdict judge_tasks(const HnCell *cell, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  HnEnvRows *a = open_rows(cell, 1, &verdict, why), *b = a ? open_rows(cell, 1, &verdict, why) : a;
  bool ok = b != NULL;
  if (ok) {
    g_auto(GStrv) splits = g_strsplit(a->spec.splits ? a->spec.splits : "train", "|", -1);
    hn_env_rows_stream(b, 0, 99, 99);
    for (int64_t k = 0; splits[k] && ok; k++) {
      a->b.split = b->b.split = k;
      ok = judge_split(a, b, why);
    }
    verdict = ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
  }
  if (a) hn_env_rows_free(a);
  if (b) hn_env_rows_free(b);
  return verdict;
}

/* ---- threads ---- */

typedef struct Half {
  const HnEnvRows *r;
  HnEnvBatch part;
  HnStatus status;
} Half;

static gpointer step_half(gpointer arg) {
  Half *half = arg;
  HnArena arena = {.chunks = 0}, *before = hn_arena_enter(&arena);
  for (int t = 0; t < STEPS && !half->status; t++)
    half->status = hn_env_rows_step(half->r, half->part);
  hn_arena_enter(before);
  hn_arena_clear(&arena);
  return NULL;
}

/* The same actions all along, in two halves at once where `threads`. */
static bool step_halves(HnEnvRows *r, bool threads, GString *why) {
  const int64_t first = threads ? 3 : r->b.rows;
  Half half[2] = {{r, hn_env_rows_part(r, 0, first), HN_OK},
                  {r, hn_env_rows_part(r, first, r->b.rows - first), HN_OK}};
  HnRng rng = hn_rng(10, 0);
  if (!went_well(hn_env_rows_reset(r, HN_NEW_TASK, -1), "reset", why)) return false;
  for (int64_t i = 0; i < r->b.rows; i++) hn_env_rows_act(r, i, &rng);
  GThread *thread = threads ? g_thread_new("half", step_half, &half[1]) : NULL;
  step_half(&half[0]);
  if (thread) g_thread_join(thread);
  return went_well(half[0].status ? half[0].status : half[1].status, "step", why);
}

static HnVerdict judge_threads(const HnCell *cell, GString *why) {
  enum { ROWS = 8 };
  HnVerdict verdict = HN_LAW_BROKEN;
  HnEnvRows *one = open_rows(cell, ROWS, &verdict, why),
            *two = one ? open_rows(cell, ROWS, &verdict, why) : NULL;
  bool ok = two && step_halves(one, false, why) && step_halves(two, true, why);
  for (int64_t i = 0; i < ROWS && ok; i++) {
    g_autoptr(GByteArray) a = hn_env_rows_record(one, i), b = hn_env_rows_record(two, i);
    const char *part = hn_env_rows_difference(one, a, b);
    ok = !part;
    if (part)
      g_string_append_printf(why, "%s of row %d: two calls at once differ from one", part, (int)i);
  }
  if (two) verdict = ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
  if (one) hn_env_rows_free(one);
  if (two) hn_env_rows_free(two);
  return verdict;
}

/* ---- outputs ---- */

/* A NaN that no computation yields: what an output holds that was not written. */
static const uint32_t unwritten = 0x7fdeadbe;

static void spoil(float *x, int64_t count) {
  for (int64_t k = 0; k < count; k++) memcpy(x + k, &unwritten, sizeof *x);
}

static bool is_written(const char *name, const float *x, int64_t count, bool finite, GString *why) {
  for (int64_t k = 0; k < count; k++) {
    bool written = memcmp(x + k, &unwritten, sizeof *x) != 0;
    if (written && (!finite || isfinite(x[k]))) continue;
    g_string_append_printf(why, "%s[%d] is %s", name, (int)k,
                           written ? "not finite" : "not written");
    return false;
  }
  return true;
}

static bool is_flag(const char *name, const uint8_t *x, int64_t count, GString *why) {
  for (int64_t k = 0; k < count; k++) {
    if (x[k] <= 1) continue;
    g_string_append_printf(why, "%s[%d] is %d, not 0 or 1", name, (int)k, x[k]);
    return false;
  }
  return true;
}

static bool outputs_are_written(HnEnvRows *r, GString *why) {
  const HnEnvBatch *b = &r->b;
  const int64_t O = b->rows * r->spec.obs_dim, N = b->rows * r->instance->infos;
  HnRng rng = hn_rng(11, 0);
  spoil(b->obs, O), spoil(b->task, b->rows * r->spec.task_dim);
  if (!went_well(hn_env_rows_reset(r, HN_NEW_TASK, -1), "reset", why) ||
      !is_written("reset: obs", b->obs, O, true, why) ||
      !is_written("reset: task", b->task, b->rows * r->spec.task_dim, true, why))
    return false;
  for (int t = 0; t < STEPS; t++) {
    spoil(b->obs, O), spoil(b->reward, b->rows), spoil(b->info, N);
    if (!step_all(r, &rng, why) || !is_written("step: obs", b->obs, O, true, why) ||
        !is_written("step: reward", b->reward, b->rows, true, why) ||
        !is_written("step: info", b->info, N, false, why) ||
        !is_flag("step: terminated", b->terminated, b->rows, why) ||
        !is_flag("step: truncated", b->truncated, b->rows, why))
      return false;
  }
  return true;
}

static HnVerdict judge_outputs(const HnCell *cell, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  HnEnvRows *r = open_rows(cell, 3, &verdict, why);
  if (!r) return verdict;
  bool ok = outputs_are_written(r, why);
  hn_env_rows_free(r);
  return ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

/* ---- actions that the host never hands on ---- */

static void set_actions(HnEnvRows *r, float continuous, int32_t discrete) {
  for (int64_t k = 0; k < r->b.rows * r->spec.action_dim; k++) r->action[k] = continuous;
  for (int64_t i = 0; i < r->b.rows; i++) r->action_index[i] = discrete;
}

static HnVerdict judge_survives(const HnCell *cell, GString *why) {
  static const float continuous[] = {NAN, 1e30f, -1e30f, INFINITY, 1.5f};
  HnVerdict verdict = HN_LAW_BROKEN;
  for (guint k = 0; k < G_N_ELEMENTS(continuous); k++) {
    HnEnvRows *r = open_rows(cell, 3, &verdict, why);
    if (!r) return verdict;
    const int32_t n = (int32_t)r->spec.action_count;
    const int32_t discrete[] = {-1, n, INT32_MAX, INT32_MIN, n + 1};
    const bool ok = went_well(hn_env_rows_reset(r, HN_NEW_TASK, -1), "reset", why);
    set_actions(r, continuous[k], n ? discrete[k] : 0);
    for (int t = 0; t < 3 && ok; t++)
      if (hn_env_rows_step(r, r->b)) break; /* an error is an answer */
    hn_env_rows_free(r);
    if (!ok) return HN_LAW_BROKEN;
  }
  return HN_LAW_KEPT;
}

HN_CHECK_PROCESS_FUNCTIONS(HN_KIND_ENV)

const HnLaw hn_check_env_laws[] = {
    HN_CHECK_PROCESS_LAWS,
    {"batches", "A row's results do not depend on which rows share a call, and repeat.",
     judge_batches},
    {"keep", "Reset leaves HN_KEEP rows untouched.", judge_keep},
    {"episodes", "HN_NEW_EPISODE starts an episode anew.", judge_episodes},
    {"tasks",
     "A new episode keeps the task, and task k of a split is the same in every instance and for "
     "every stream.",
     judge_tasks},
    {"threads", "Calls at once on rows of their own leave what one call leaves.", judge_threads},
    {"outputs",
     "Reset and step write every output, finite but for info, and flags that are 0 or 1.",
     judge_outputs},
    {"query", "What step shows has the answer of query as its mean, whatever else is asked.",
     hn_check_query},
    {"survives", "Actions that are none end in an error, or are survived.", judge_survives},
    HN_CHECK_RUN_LAWS,
    {NULL, NULL, NULL},
};
