/* check_run.c - see check_run.h. */
#include "check_run.h"
#include "checkpoint.h"
#include "error.h"
#include "learn.h"
#include <string.h>

HnSession *hn_check_session(const HnCell *cell, HnVerdict *verdict, GString *why) {
  g_autoptr(GError) error = NULL;
  HnSession *s = hn_session_new(cell, NULL, &error);
  if (s) return s;
  bool refused = error->code == HN_ERROR_REFUSED || error->code == HN_ERROR_PLUGIN;
  *verdict = refused ? HN_LAW_SKIPPED : HN_LAW_BROKEN;
  g_string_append(why, error->message);
  return NULL;
}

bool hn_check_update(HnSession *s, GString *why) {
  HnStatus status = hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases);
  s->frames += s->phases * s->rollouts.rows * s->steps;
  if (!status) status = hn_learn_policy(s);
  if (!status) status = hn_learn_inference(s);
  if (!status) status = hn_learn_refresh(s);
  s->update++;
  if (status) g_string_append_printf(why, "update %d: %s", (int)s->update, hn_fail_text());
  return !status;
}

/* ---- what a run leaves ---- */

typedef struct Left {
  char *name;
  GBytes *bytes;
  int64_t used;
} Left;

static void left_free(void *p) {
  Left *x = p;
  g_bytes_unref(x->bytes), g_free(x->name), g_free(x);
}

/* Everything that a checkpoint would save; Left *. */
static GPtrArray *copy_states(const GPtrArray *states) {
  GPtrArray *left = g_ptr_array_new_with_free_func(left_free);
  for (guint k = 0; k < states->len; k++) {
    const HnState *state = states->pdata[k];
    Left *x = g_new0(Left, 1);
    x->name = g_strdup(state->name);
    x->bytes = g_bytes_new(state->data, hn_state_bytes(state));
    x->used = state->used ? *state->used : 0;
    g_ptr_array_add(left, x);
  }
  return left;
}

static void restore_states(const GPtrArray *states, const GPtrArray *left) {
  for (guint k = 0; k < left->len; k++) {
    const HnState *state = states->pdata[k];
    const Left *x = left->pdata[k];
    const gsize size = g_bytes_get_size(x->bytes);
    if (size) memcpy(state->data, g_bytes_get_data(x->bytes, NULL), size);
    if (state->used) *state->used = x->used;
  }
}

enum { UPDATES = 3 };

/* What updates from .. UPDATES - 1 leave, begun with what `start` holds (NULL: from the start).
 * middle: out, what the first of them left, or NULL.  NULL with the verdict. */
static GPtrArray *run(const HnCell *cell, const GPtrArray *start, GPtrArray **middle,
                      HnVerdict *verdict, GString *why) {
  HnSession *s = hn_check_session(cell, verdict, why);
  if (!s) return NULL;
  HnEpisodeStats stats;
  hn_episode_stats_make(&stats, s->rollouts.rows, s->shape.env_infos, &s->trial);
  g_autoptr(GPtrArray) states = hn_states_of(s, &stats);
  bool ok = true;
  if (start) {
    restore_states(states, start);
    s->update = 1, s->frames = s->phases * s->rollouts.rows * s->steps;
  }
  while (s->update < UPDATES && ok) {
    ok = hn_check_update(s, why);
    if (middle && s->update == 1) *middle = copy_states(states);
  }
  GPtrArray *left = ok ? copy_states(states) : NULL;
  hn_episode_stats_free(&stats), hn_session_free(s);
  if (!ok) *verdict = HN_LAW_BROKEN;
  return left;
}

/* Names the first thing that differs. */
static HnVerdict compare(const GPtrArray *a, const GPtrArray *b, const char *doing, GString *why) {
  for (guint k = 0; k < a->len; k++) {
    const Left *x = a->pdata[k], *y = b->pdata[k];
    if (g_bytes_equal(x->bytes, y->bytes)) continue;
    g_string_append_printf(why, "%s: %s differs after %d updates", doing, x->name, UPDATES);
    return HN_LAW_BROKEN;
  }
  return HN_LAW_KEPT;
}

/* Two runs of three updates, the second by so many workers or, where `resumed`, from what the first
 * had after one. */
static HnVerdict judge_twice(const HnCell *cell, int workers, bool resumed, const char *doing,
                             GString *why) {
  HnCell second = *cell;
  HnVerdict verdict = HN_LAW_BROKEN;
  GPtrArray *middle = NULL, *a = run(cell, NULL, &middle, &verdict, why), *b = NULL;
  second.run.workers = workers;
  if (a) b = run(&second, resumed ? middle : NULL, NULL, &verdict, why);
  if (b) verdict = compare(a, b, doing, why);
  if (a) g_ptr_array_unref(a);
  if (b) g_ptr_array_unref(b);
  if (middle) g_ptr_array_unref(middle);
  return verdict;
}

HnVerdict hn_check_repeats(const HnCell *cell, GString *why) {
  return judge_twice(cell, 1, false, "run twice", why);
}
HnVerdict hn_check_workers(const HnCell *cell, GString *why) {
  return judge_twice(cell, 3, false, "with three workers", why);
}
HnVerdict hn_check_resumes(const HnCell *cell, GString *why) {
  return judge_twice(cell, 1, true, "saved and resumed after one update", why);
}
