/* check_weights.c - see check_weights.h. */
#include "check_weights.h"
#include "check_run.h"
#include "evaluate.h"
#include <string.h>

enum { UPDATES = 2 };

/* What an array of a plugin held at some time. */
typedef struct Held {
  const HnArrayRecord *array;
  int64_t used;
  char *bytes;
} Held;

static void held_clear(gpointer p) {
  g_free(((Held *)p)->bytes);
}

/* Held, of the arrays that only learning may read. */
static GArray *learning_of(const HnInstance *x) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(Held));
  g_array_set_clear_func(all, held_clear);
  for (guint k = 0; k < x->kept->len; k++) {
    const HnArrayRecord *a = x->kept->pdata[k];
    const Held held = {a, a->array.used ? *a->array.used : 0,
                       g_memdup2(a->data, hn_array_record_bytes(a))};
    if (a->array.role != HN_WEIGHT)
      g_array_append_val(all, held);
    else
      g_free(held.bytes);
  }
  return all;
}

static void put_back(const Held *held) {
  const HnArrayRecord *a = held->array;
  if (a->array.used) *a->array.used = held->used;
  if (held->bytes) memcpy(a->data, held->bytes, hn_array_record_bytes(a));
}

static bool evaluate(HnSession *s, bool drawn, HnEvaluation *e, GString *why) {
  HnEvaluationPass pass = s->pass[0];
  pass.drawn = drawn;
  const HnStatus status = hn_evaluate(s, &pass, e, NULL, NULL);
  if (status) g_string_append_printf(why, "evaluating: %s", hn_fail_text());
  return !status;
}

/* The first thing that comes from such a plugin and in which two evaluations differ, or NULL. */
static const char *differing(HnKind kind, const HnEvaluation *a, const HnEvaluation *b) {
  static const struct {
    HnKind kind;
    HnExperienceField field;
    const char *name;
    int steps; /* fewer than observations */
  } part[] = {{HN_KIND_INFERENCE, HN_F_BELIEF, "the belief", 0},
              {HN_KIND_POLICY, HN_F_ACTION, "the action", 1},
              {HN_KIND_POLICY, HN_F_ACTION_INDEX, "the action", 1},
              {HN_KIND_POLICY, HN_F_AUX, "aux", 1}};
  const HnExperience *x = &a->trial, *y = &b->trial;
  for (guint k = 0; k < G_N_ELEMENTS(part); k++) {
    const gsize elements = (gsize)((a->observations - part[k].steps) * x->h.rows);
    if (part[k].kind == kind &&
        memcmp(hn_experience_at(x, part[k].field, 0, 0), hn_experience_at(y, part[k].field, 0, 0),
               elements * x->size[part[k].field]))
      return part[k].name;
  }
  return NULL;
}

/* One plugin after some updates, and how held-out tasks are acted in then. */
typedef struct Trained {
  HnSession *s;
  HnKind kind;
  bool drawn;
  HnEvaluation before;
  GArray *early, *now; /* Held: after create, and after the updates */
} Trained;

/* Whether it acts as before with `count` arrays from `first` as create left them; else *what says
 * what differs, or why holds an error. */
static bool same_without(const Trained *x, guint first, guint count, const char **what,
                         GString *why) {
  HnEvaluation after;
  for (guint k = first; k < first + count; k++) put_back(&g_array_index(x->early, Held, k));
  const bool ok = evaluate(x->s, x->drawn, &after, why);
  *what = ok ? differing(x->kind, &x->before, &after) : NULL;
  hn_evaluation_free(&after);
  for (guint k = 0; k < x->now->len; k++) put_back(&g_array_index(x->now, Held, k));
  return ok && !*what;
}

static bool suffice(Trained *x, GString *why) {
  const char *what = NULL, *of = NULL;
  bool same =
      evaluate(x->s, x->drawn, &x->before, why) && same_without(x, 0, x->early->len, &what, why);
  for (guint k = 0; k < x->early->len && what && !why->len; k++) { /* which of them is it? */
    if (same_without(x, k, 1, &of, why) || !of) continue;
    g_string_append_printf(why, "%s depends on kept array %s, which is not HN_WEIGHT", of,
                           g_array_index(x->early, Held, k).array->array.name);
  }
  if (what && !why->len)
    g_string_append_printf(why, "%s depends on kept arrays that are not HN_WEIGHT", what);
  hn_evaluation_free(&x->before);
  return same;
}

HnVerdict hn_check_weights_suffice(const HnCell *cell, HnKind kind, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  HnCell twin = *cell;
  twin.evaluation.record_rows = twin.evaluation.tasks;
  HnSession *s = hn_check_session(&twin, &verdict, why);
  if (!s) return verdict;
  const HnInstance *x = kind == HN_KIND_POLICY ? s->policy : s->inference;
  g_autoptr(GArray) early = learning_of(x);
  if (!early->len) {
    g_string_append(why, "it keeps nothing for learning alone");
    hn_session_free(s);
    return HN_LAW_SKIPPED;
  }
  bool kept = true;
  for (int k = 0; k < UPDATES && kept; k++) kept = hn_check_update(s, why);
  g_autoptr(GArray) now = learning_of(x);
  Trained trained = {.s = s, .kind = kind, .drawn = s->pass[0].drawn, .early = early, .now = now};
  kept = kept && suffice(&trained, why);
  trained.drawn = true;
  kept = kept && suffice(&trained, why);
  hn_session_free(s);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}
