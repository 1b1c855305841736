/* check_policy.c - see check_policy.h. */
#include "check_policy.h"
#include "apart.h"
#include "check_divergence.h"
#include "check_ignores.h"
#include "check_process.h"
#include "check_run.h"
#include "check_weights.h"
#include <math.h>
#include <string.h>

/* One observation of every row, and what the policy makes of it. */
typedef struct Act {
  HnSession *s;
  int64_t t;
  bool greedy;
  float *action, *aux;
  int32_t *action_index;
  char *state;
  HnRng *rng;
} Act;

static Act act_new(HnSession *s, int64_t t, bool greedy) {
  const gsize B = (gsize)s->rollouts.rows;
  Act a = {.s = s,
           .t = t,
           .greedy = greedy,
           .action = g_new(float, B *(gsize)s->shape.action + 1),
           .aux = g_new0(float, B *(gsize)s->shape.aux + 1),
           .action_index = g_new(int32_t, B),
           .state = g_aligned_alloc0(1, B * s->shape.policy_row + 1, 64),
           .rng = g_memdup2(s->rollouts.policy_rng, B * sizeof(HnRng))};
  memset(a.action, 0xff, B * (gsize)s->shape.action * sizeof(float)); /* NaN where not written */
  memset(a.action_index, 0xff, B * sizeof(int32_t));                  /* -1 */
  if (s->shape.policy_row) memcpy(a.state, s->rollouts.policy, B * s->shape.policy_row);
  return a;
}

static void act_free(Act *a) {
  g_free(a->action), g_free(a->aux), g_free(a->action_index), g_free(a->rng);
  g_aligned_free(a->state);
}

/* Rows first .. first + rows - 1 act. */
static bool act_part(Act *a, int64_t first, int64_t rows, GString *why) {
  const HnSession *s = a->s;
  const HnExperience *w = &s->phase[0];
  HnActBatch b = {.struct_size = sizeof b,
                  .rows = rows,
                  .samples = s->cell->run.samples,
                  .begin = hn_experience_at(w, HN_F_BEGIN, a->t, first),
                  .episode_step = s->rollouts.episode_step + first,
                  .trial_step = s->rollouts.trial_step + first,
                  .reward = hn_experience_at(w, HN_F_REWARD, a->t - 1, first),
                  .obs = hn_experience_at(w, HN_F_OBS, a->t, first),
                  .belief = hn_experience_at(w, HN_F_BELIEF, a->t, first),
                  .state = a->state + (gsize)first * s->shape.policy_row,
                  .rng = a->greedy ? NULL : a->rng + first,
                  .action = a->action + first * s->shape.action,
                  .action_index = a->action_index + first,
                  .aux = a->aux + first * s->shape.aux};
  HnStatus status;
  hn_apart_doing(a->greedy ? "asked for the greedy action, with rng NULL" : NULL);
  HN_CALL(status, POLICY_act, HN_POLICY(s)->act(s->policy->self, &b));
  hn_apart_doing(NULL);
  if (status) g_string_append_printf(why, "act: %s", hn_fail_text());
  return !status;
}

static bool same_acts(const Act *a, const Act *b, const char *differs, GString *why) {
  const HnShape *shape = &a->s->shape;
  const gsize B = (gsize)a->s->rollouts.rows;
  const struct {
    const char *name;
    const void *a, *b;
    gsize row;
  } part[] = {
      {"action", a->action, b->action, (gsize)shape->action * sizeof(float)},
      {"action_index", a->action_index, b->action_index, shape->action ? 0 : sizeof(int32_t)},
      {"aux", a->aux, b->aux, (gsize)shape->aux * sizeof(float)},
      {"row memory", a->state, b->state, shape->policy_row},
      {"random stream", a->rng, b->rng, sizeof(HnRng)},
  };
  for (guint k = 0; k < G_N_ELEMENTS(part); k++)
    for (gsize i = 0; i < B; i++) {
      if (!memcmp((const char *)part[k].a + i * part[k].row,
                  (const char *)part[k].b + i * part[k].row, part[k].row))
        continue;
      g_string_append_printf(why, "act: %s of row %d %s%s", part[k].name, (int)i, differs,
                             a->greedy ? ", greedily" : "");
      return false;
    }
  return true;
}

static bool same_at(HnSession *s, int64_t t, bool greedy, GString *why) {
  Act all = act_new(s, t, greedy), alone = act_new(s, t, greedy);
  bool same = act_part(&all, 0, s->rollouts.rows, why);
  for (int64_t i = s->rollouts.rows - 1; i >= 0 && same; i--) same = act_part(&alone, i, 1, why);
  same = same && same_acts(&all, &alone, "differs where it acts alone", why);
  act_free(&all), act_free(&alone);
  return same;
}

static bool is_valid(HnSession *s, int64_t t, bool greedy, GString *why) {
  Act a = act_new(s, t, greedy);
  const int64_t B = s->rollouts.rows, n = B * s->shape.action;
  bool ok = act_part(&a, 0, B, why);
  for (int64_t k = 0; k < n && ok; k++) {
    ok = isfinite(a.action[k]);
    if (!ok) g_string_append(why, "an action is not written, or not finite");
  }
  for (int64_t k = 0; k < B * s->shape.aux && ok; k++) {
    ok = isfinite(a.aux[k]);
    if (!ok) g_string_append_printf(why, "aux[%d] is not finite", (int)(k % s->shape.aux));
  }
  for (int64_t i = 0; i < B && ok && s->es.action_count; i++) {
    ok = a.action_index[i] >= 0 && a.action_index[i] < s->es.action_count;
    if (!ok)
      g_string_append_printf(why, "action_index is %d of %d", (int)a.action_index[i],
                             (int)s->es.action_count);
  }
  act_free(&a);
  return ok;
}

/* ---- what an action may depend on ---- */

/* Whether all rows act as `before` once something has been changed. */
static bool same_after(const Act *before, const char *differs, GString *why) {
  Act again = act_new(before->s, before->t, before->greedy);
  const bool same =
      act_part(&again, 0, before->s->rollouts.rows, why) && same_acts(before, &again, differs, why);
  act_free(&again);
  return same;
}

static bool repeats_at(HnSession *s, int64_t t, bool greedy, GString *why) {
  Act first = act_new(s, t, greedy);
  const bool same = act_part(&first, 0, s->rollouts.rows, why) &&
                    same_after(&first, "differs where it acts again", why);
  act_free(&first);
  return same;
}

static bool is_blind_at(HnSession *s, int64_t t, bool greedy, GString *why) {
  HnExperience *w = &s->phase[0];
  const int64_t n = (w->h.steps + 2) * w->h.rows * s->shape.task;
  float *task = hn_experience_at(w, HN_F_TASK, -1, 0);
  Act first = act_new(s, t, greedy);
  bool same = act_part(&first, 0, s->rollouts.rows, why);
  for (int64_t k = 0; k < n; k++) task[k] = 3 - 2 * task[k];
  same = same && same_after(&first, "depends on the true task", why);
  act_free(&first);
  return same;
}

static bool ignores_belief_at(HnSession *s, int64_t t, bool greedy, GString *why) {
  Act first = act_new(s, t, greedy);
  bool same = act_part(&first, 0, s->rollouts.rows, why);
  hn_check_change_beliefs(&s->phase[0]);
  same = same && same_after(&first, "depends on the belief", why);
  act_free(&first);
  return same;
}

/* The reward before a task's first step is the task before's. */
static bool begins_anew_at(HnSession *s, int64_t t, bool greedy, GString *why) {
  HnExperience *w = &s->phase[0];
  Act first = act_new(s, t, greedy);
  bool same = act_part(&first, 0, s->rollouts.rows, why);
  for (int64_t i = 0; i < s->rollouts.rows; i++) {
    const uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, t, i);
    float *reward = hn_experience_at(w, HN_F_REWARD, t - 1, i);
    if (*begin == HN_NEW_TASK) *reward = 1e3f + 2 * *reward;
  }
  same = same && same_after(&first, "depends on the task before", why);
  act_free(&first);
  return same;
}

/* Numbers that no environment gives; an error is an answer. */
static bool survives_at(HnSession *s, int64_t t, bool greedy, GString *why) {
  static const HnExperienceField field[] = {HN_F_OBS, HN_F_BELIEF, HN_F_REWARD};
  static const float value[] = {NAN, 1e30f, -1e30f, INFINITY};
  HnExperience *w = &s->phase[0];
  g_autoptr(GString) ignored = g_string_new(NULL);
  (void)why;
  for (guint f = 0; f < G_N_ELEMENTS(field); f++)
    for (guint v = 0; v < G_N_ELEMENTS(value); v++) {
      const int64_t at = field[f] == HN_F_REWARD ? t - 1 : t;
      const gsize bytes = (gsize)w->h.rows * w->size[field[f]];
      float *x = hn_experience_at(w, field[f], at, 0);
      g_autofree float *was = g_memdup2(x, bytes);
      for (gsize k = 0; k < bytes / sizeof *x; k++) x[k] = value[v];
      Act a = act_new(s, t, greedy);
      act_part(&a, 0, s->rollouts.rows, ignored);
      act_free(&a);
      if (bytes) memcpy(x, was, bytes);
    }
  return true;
}

/* At every observation of the window after one update. */
static HnVerdict judge_acts(const HnCell *cell, GString *why,
                            bool (*holds)(HnSession *s, int64_t t, bool greedy, GString *why)) {
  HnVerdict verdict;
  HnSession *s = hn_check_session(cell, &verdict, why);
  if (!s) return verdict;
  const bool has_greedy = !(s->policy->plugin->flags & HN_STOCHASTIC);
  bool kept = hn_check_update(s, why);
  for (int64_t t = 0; t <= s->steps && kept; t++)
    kept = holds(s, t, false, why) && (!has_greedy || holds(s, t, true, why));
  hn_session_free(s);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

static HnVerdict judge_batches(const HnCell *cell, GString *why) {
  return judge_acts(cell, why, same_at);
}
static HnVerdict judge_outputs(const HnCell *cell, GString *why) {
  return judge_acts(cell, why, is_valid);
}
static HnVerdict judge_same(const HnCell *cell, GString *why) {
  return judge_acts(cell, why, repeats_at);
}
static HnVerdict judge_prior(const HnCell *cell, GString *why) {
  return judge_acts(cell, why, begins_anew_at);
}
static HnVerdict judge_survives(const HnCell *cell, GString *why) {
  return judge_acts(cell, why, survives_at);
}
static HnVerdict judge_blind(const HnCell *cell, GString *why) {
  if (!(cell->policy.plugin->flags & HN_PRIVILEGED)) return judge_acts(cell, why, is_blind_at);
  g_string_append(why, "it says that it is privileged");
  return HN_LAW_SKIPPED;
}

static HnVerdict judge_weights(const HnCell *cell, GString *why) {
  return hn_check_weights_suffice(cell, HN_KIND_POLICY, why);
}

static HnVerdict judge_ignores(const HnCell *cell, GString *why) {
  const HnVerdict verdict = hn_check_learns_without_belief(cell, HN_KIND_POLICY, why);
  return verdict == HN_LAW_KEPT ? judge_acts(cell, why, ignores_belief_at) : verdict;
}

HN_CHECK_PROCESS_FUNCTIONS(HN_KIND_POLICY)

const HnLaw hn_check_policy_laws[] = {
    HN_CHECK_PROCESS_LAWS,
    {"batches", "A row's action does not depend on which rows share a call.", judge_batches},
    {"same", "Acting again on the same, with the same random streams, is the same.", judge_same},
    {"prior", "Where a task begins, the action does not depend on the reward before.", judge_prior},
    {"blind", "Without HN_PRIVILEGED no action depends on the true task.", judge_blind},
    {"ignores", "With HN_IGNORES_BELIEF neither actions nor what is learnt depend on the belief.",
     judge_ignores},
    {"weights", "Of what is kept, acting reads arrays of role HN_WEIGHT alone.", judge_weights},
    {"divergence",
     "The divergence of actions is 0 between equal beliefs, and no less than actions show.",
     hn_check_divergence},
    {"outputs", "Actions are written and valid, the greedy ones too, and aux is finite.",
     judge_outputs},
    {"survives", "Numbers that no environment gives end in an error, or are survived.",
     judge_survives},
    HN_CHECK_RUN_LAWS,
    {NULL, NULL, NULL},
};
