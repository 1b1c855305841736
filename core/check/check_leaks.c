/* check_leaks.c - see check_leaks.h. */
#include "check_leaks.h"
#include "check_run.h"
#include "env_rows.h"
#include <malloc.h>

/* A leak grows in every round; what fills a cache, or doubles a list, does not. */
enum { WARM_UP = 4, ROUNDS = 8, STEPS = 20, ROWS = 3, UPDATES = 3 };

/* Bytes that this thread's calls of malloc hold.  Laws are judged by one thread. */
static gsize held(void) {
  const struct mallinfo2 m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

typedef bool Round(void *arg, GString *why);

static HnVerdict judge_rounds(Round *round, void *arg, const char *what, GString *why) {
  gsize before = 0, first = 0;
  for (int k = 0; k < WARM_UP + ROUNDS; k++) {
    if (!round(arg, why)) return HN_LAW_BROKEN;
    const gsize now = held();
    if (k >= WARM_UP && now <= before) return HN_LAW_KEPT;
    before = now;
    if (k < WARM_UP) first = now;
  }
  g_string_append_printf(why, "%s: memory grows each time, by %.3g KB on average", what,
                         1e-3 * (double)(before - first) / ROUNDS);
  return HN_LAW_BROKEN;
}

static bool update(void *arg, GString *why) {
  return hn_check_update(arg, why);
}

/* An episode of every row in a new task. */
static bool episode(void *arg, GString *why) {
  HnEnvRows *r = arg;
  HnRng rng = hn_rng(21, 0);
  HnStatus status = hn_env_rows_reset(r, HN_NEW_TASK, -1);
  for (int t = 0; t < STEPS && !status; t++) {
    for (int64_t i = 0; i < r->b.rows; i++) hn_env_rows_act(r, i, &rng);
    status = hn_env_rows_step(r, r->b);
  }
  if (status) g_string_append(why, hn_fail_text());
  return !status;
}

static HnVerdict judge_episodes(const HnCell *cell, GString *why) {
  HnStatus status;
  HnEnvRows *r = hn_env_rows_new(cell, ROWS, &status);
  HnVerdict verdict = HN_LAW_SKIPPED;
  if (status)
    g_string_append(why, hn_fail_text());
  else
    verdict = judge_rounds(episode, r, "an episode in a new task", why);
  hn_env_rows_free(r);
  return verdict;
}

HnVerdict hn_check_leaks(const HnCell *cell, HnKind kind, GString *why) {
#ifdef __SANITIZE_ADDRESS__
  g_string_append(why, "a sanitizer has memory of its own");
  return HN_LAW_SKIPPED;
#endif
  HnVerdict verdict = HN_LAW_BROKEN;
  if (kind == HN_KIND_ENV) return judge_episodes(cell, why);
  HnSession *s = hn_check_session(cell, &verdict, why);
  if (!s) return verdict;
  verdict = judge_rounds(update, s, "an update", why);
  hn_session_free(s);
  return verdict;
}

HnVerdict hn_check_metrics(const HnCell *cell, HnKind kind, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  const HnPlugin *plugin = hn_cell_plugin(cell, kind)->plugin;
  if (!hn_column_count(plugin->metrics)) {
    g_string_append(why, "it has no metrics");
    return HN_LAW_SKIPPED;
  }
  HnSession *s = hn_check_session(cell, &verdict, why);
  if (!s) return verdict;
  const HnInstance *x = kind == HN_KIND_ENV         ? s->env
                        : kind == HN_KIND_INFERENCE ? s->inference
                                                    : s->policy;
  bool kept = true;
  for (int k = 0; k < UPDATES && kept; k++) kept = hn_check_update(s, why);
  if (kept && x->odd_metric) {
    g_string_append_printf(why, "metric %s is not finite", x->odd_metric);
    kept = false;
  }
  hn_session_free(s);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}
