/* check_inference.c - see check_inference.h. */
#include "check_inference.h"
#include "check_process.h"
#include "check_run.h"
#include "check_window.h"
#include <math.h>
#include <string.h>

enum { SAMPLES = 3 };

static bool collect(HnSession *s, GString *why) {
  HnStatus status = hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases);
  if (status) g_string_append_printf(why, "collecting: %s", hn_fail_text());
  return !status;
}

/* A session after one update and another window, which begins within trials. */
static HnSession *open_session(const HnCell *cell, HnVerdict *verdict, GString *why) {
  HnSession *s = hn_check_session(cell, verdict, why);
  if (!s) return NULL;
  *verdict = HN_LAW_BROKEN;
  if (hn_check_update(s, why) && collect(s, why)) return s;
  hn_session_free(s);
  return NULL;
}

static const char *call(void *arg, HnInferMethod *method, void *self, HnBeliefUpdate *q) {
  HnStatus status;
  (void)arg;
  HN_CALL(status, INFERENCE_infer, method(self, q));
  return status ? hn_fail_text() : NULL;
}

static HnWindowCheck window_of(const HnSession *s, int64_t samples) {
  HnHistory h =
      hn_experience_view(&s->phase[0], s->inference, 0, 0, s->phase[0].h.steps, s->rollouts.rows);
  return (HnWindowCheck){.methods = HN_INFERENCE(s),
                         .self = s->inference->self,
                         .spec = &s->bs,
                         .whole = h,
                         .state = h.state,
                         .samples = samples,
                         .info_count = s->inference->infos,
                         .call = call};
}

static HnVerdict judge_window(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnSession *s = open_session(cell, &verdict, why);
  if (!s) return verdict;
  bool kept = true;
  for (int64_t samples = 0; samples <= (s->bs.latent_dim ? SAMPLES : 0) && kept;
       samples += SAMPLES) {
    HnWindowCheck w = window_of(s, samples);
    kept = hn_check_window(&w, why);
  }
  hn_session_free(s);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

/* ---- one call for all rows of the window ---- */

/* Beliefs [T+1, B, D] of the point belief; info [T+1, B, columns]; both to g_free. */
static bool infer_all(HnSession *s, float **belief, float **info, GString *why) {
  const HnExperience *w = &s->phase[0];
  const gsize B = (gsize)w->h.rows, n = (gsize)(w->h.steps + 1) * B;
  HnHistory h = hn_experience_view(w, s->inference, 0, 0, w->h.steps, w->h.rows);
  g_autofree void *state = g_memdup2(h.state, B * s->bs.row_size);
  g_autofree HnRng *rng = g_memdup2(s->rollouts.belief_rng, B * sizeof(HnRng));
  *belief = g_new(float, n *(gsize)s->bs.belief_dim + 1);
  *info = g_new(float, n * s->inference->infos + 1);
  memset(*belief, 0xff, n * (gsize)s->bs.belief_dim * sizeof(float)); /* NaN where not written */
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .rng = rng,
                      .belief = *belief,
                      .info = *info};
  const char *failure = call(NULL, HN_INFERENCE(s)->infer, s->inference->self, &q);
  if (failure) g_string_append(why, failure);
  return !failure;
}

static bool has_new_task(const HnExperience *w) {
  return memchr(w->h.begin, HN_NEW_TASK, (gsize)((w->h.steps + 1) * w->h.rows));
}

/* Writes nonsense to the steps that end a task, which the next task's prior may not depend on. */
static void spoil_last_steps(HnExperience *w) {
  static const HnExperienceField field[] = {HN_F_ACTION, HN_F_REWARD, HN_F_TRUE_REWARD,
                                            HN_F_NEXT_OBS};
  for (int64_t t = 0; t <= w->h.steps; t++)
    for (int64_t i = 0; i < w->h.rows; i++) {
      const uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, t, i);
      for (guint f = 0; f < G_N_ELEMENTS(field) && *begin == HN_NEW_TASK; f++)
        memset(hn_experience_at(w, field[f], t - 1, i), 0xff, w->size[field[f]]);
    }
}

static bool same_beliefs(const HnSession *s, const float *a, const float *b, GString *why) {
  const int64_t D = s->bs.belief_dim, B = s->rollouts.rows, n = (s->steps + 1) * B * D;
  for (int64_t k = 0; k < n; k++) {
    if (!memcmp(a + k, b + k, sizeof *a)) continue;
    g_string_append_printf(why, "belief[%d] of row %d at time step %d depends on the task before",
                           (int)(k % D), (int)(k / D % B), (int)(k / D / B));
    return false;
  }
  return true;
}

static HnVerdict judge_prior(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnSession *s = open_session(cell, &verdict, why);
  if (!s) return verdict;
  float *belief[2] = {NULL}, *info[2] = {NULL};
  int64_t windows = s->trial.lifetime / s->steps + 1;
  bool kept = true;
  while (kept && !has_new_task(&s->phase[0]) && windows-- > 0) kept = collect(s, why);
  kept = kept && infer_all(s, &belief[0], &info[0], why);
  spoil_last_steps(&s->phase[0]);
  kept =
      kept && infer_all(s, &belief[1], &info[1], why) && same_beliefs(s, belief[0], belief[1], why);
  for (int k = 0; k < 2; k++) g_free(belief[k]), g_free(info[k]);
  hn_session_free(s);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

static HnVerdict judge_outputs(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnSession *s = open_session(cell, &verdict, why);
  if (!s) return verdict;
  float *belief = NULL, *info = NULL;
  const int64_t n = (s->steps + 1) * s->rollouts.rows * s->bs.belief_dim;
  bool kept = infer_all(s, &belief, &info, why);
  for (int64_t k = 0; k < n && kept; k++) {
    kept = isfinite(belief[k]);
    if (!kept)
      g_string_append_printf(why, "belief[%d] is not written, or not finite",
                             (int)(k % s->bs.belief_dim));
  }
  g_free(belief), g_free(info);
  hn_session_free(s);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

HN_CHECK_PROCESS_FUNCTIONS(HN_KIND_INFERENCE)

const HnLaw hn_check_inference_laws[] = {
    HN_CHECK_PROCESS_LAWS,
    {"window", "How experience is cut into calls changes nothing.", judge_window},
    {"prior", "Where a task begins, the belief does not depend on the step before.", judge_prior},
    {"outputs", "Every belief is written, and finite.", judge_outputs},
    HN_CHECK_RUN_LAWS,
    {NULL, NULL, NULL},
};
