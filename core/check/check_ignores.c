/* check_ignores.c - see check_ignores.h. */
#include "check_ignores.h"
#include "check_run.h"
#include "learn.h"
#include <string.h>

enum { UPDATES = 2 }; /* the second begins with what the first has learnt */

/* What a plugin has learnt: its kept arrays, one after another. */
typedef struct Learnt {
  GPtrArray *names; /* of each array */
  GPtrArray *bytes; /* GBytes */
} Learnt;

static void learnt_clear(Learnt *x) {
  g_clear_pointer(&x->names, g_ptr_array_unref);
  g_clear_pointer(&x->bytes, g_ptr_array_unref);
}

static Learnt learnt_by(const HnInstance *x) {
  Learnt a = {g_ptr_array_new_with_free_func(g_free),
              g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
  for (guint k = 0; k < x->kept->len; k++) {
    const HnArrayRecord *kept = x->kept->pdata[k];
    g_ptr_array_add(a.names, g_strdup(kept->array.name));
    g_ptr_array_add(a.bytes, g_bytes_new(kept->data, hn_array_record_bytes(kept)));
  }
  return a;
}

void hn_check_change_beliefs(const HnExperience *w) {
  float *x = hn_experience_at(w, HN_F_BELIEF, -1, 0);
  const gsize n = (gsize)((w->h.steps + 2) * w->h.rows) * w->size[HN_F_BELIEF] / sizeof(float);
  for (gsize i = 0; i < n; i++) x[i] = 1 - x[i] / 2;
}

/* Of the last windows. */
static void change_beliefs(HnSession *s) {
  for (int64_t k = 0; k < s->phases; k++) hn_check_change_beliefs(&s->phase[k]);
}

static bool update(HnSession *s, HnKind changed_for, GString *why) {
  HnStatus status = hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases);
  s->frames += hn_session_frames(s);
  if (changed_for == HN_KIND_POLICY) change_beliefs(s);
  if (!status) status = hn_learn_policy(s);
  if (changed_for == HN_KIND_INFERENCE) change_beliefs(s);
  if (!status) status = hn_learn_inference(s);
  if (!status) status = hn_learn_refresh(s);
  s->update++;
  if (status) g_string_append_printf(why, "update %d: %s", (int)s->update, hn_fail_text());
  return !status;
}

/* False with the verdict.  changed_for: whose learn finds other beliefs; 0: nobody's. */
static bool learn(const HnCell *cell, HnKind kind, HnKind changed_for, Learnt *out,
                  HnVerdict *verdict, GString *why) {
  HnSession *s = hn_check_session(cell, verdict, why);
  if (!s) return false;
  bool ok = true;
  for (int k = 0; k < UPDATES && ok; k++) ok = update(s, changed_for, why);
  if (ok) *out = learnt_by(kind == HN_KIND_POLICY ? s->policy : s->inference);
  *verdict = ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
  hn_session_free(s);
  return ok;
}

HnVerdict hn_check_learns_without_belief(const HnCell *cell, HnKind kind, GString *why) {
  const HnPlugin *p = kind == HN_KIND_POLICY ? cell->policy.plugin : cell->inference.plugin;
  HnVerdict verdict = HN_LAW_SKIPPED;
  Learnt plain = {.names = NULL}, changed = {.names = NULL};
  if (!(p->flags & HN_IGNORES_BELIEF)) {
    g_string_append(why, "it does not say that it ignores beliefs");
    return verdict;
  }
  if (learn(cell, kind, 0, &plain, &verdict, why) &&
      learn(cell, kind, kind, &changed, &verdict, why))
    for (guint k = 0; k < plain.names->len && verdict == HN_LAW_KEPT; k++) {
      if (g_bytes_equal(plain.bytes->pdata[k], changed.bytes->pdata[k])) continue;
      g_string_append_printf(why, "learn: %s depends on the belief acted on",
                             (const char *)plain.names->pdata[k]);
      verdict = HN_LAW_BROKEN;
    }
  learnt_clear(&plain), learnt_clear(&changed);
  return verdict;
}
