/* check_inference.c - see check_inference.h. */
#include "check_inference.h"
#include "belief_window.h"
#include "check_gradient.h"
#include "check_ignores.h"
#include "check_process.h"
#include "check_query.h"
#include "check_run.h"
#include "check_weights.h"
#include "check_window.h"
#include <math.h>
#include <string.h>

enum { SAMPLES = 3 };

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
  HnSession *s = hn_belief_session(cell, &verdict, why);
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

/* ---- what a belief may depend on ---- */

/* A session and the point beliefs along its window; false with the verdict. */
typedef struct Look {
  HnSession *s;
  HnBeliefs first, second; /* before something was changed, and after */
} Look;

static bool look_begin(Look *l, const HnCell *cell, HnVerdict *verdict, GString *why) {
  *l = (Look){.s = hn_belief_session(cell, verdict, why)};
  return l->s && hn_beliefs_infer(l->s, 0, &l->first, why);
}

static void look_end(Look *l) {
  hn_beliefs_free(&l->first), hn_beliefs_free(&l->second);
  if (l->s) hn_session_free(l->s);
}

/* Infers again; whether nothing differs in any row at times up to `last`. */
static bool same_again(Look *l, int64_t last, const char *of, GString *why) {
  hn_beliefs_free(&l->second);
  bool same = hn_beliefs_infer(l->s, 0, &l->second, why);
  for (int64_t i = 0; i < l->s->rollouts.rows && same; i++)
    if (!(same = hn_beliefs_same(l->s, &l->first, &l->second, i, last, why)))
      g_string_append(why, of);
  return same;
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

static HnVerdict judge_prior(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnSession *s = hn_belief_session(cell, &verdict, why);
  if (!s) return verdict;
  Look l = {.s = s};
  int64_t windows = s->trial.lifetime / s->steps + 1;
  bool kept = true;
  while (kept && !has_new_task(&s->phase[0]) && windows-- > 0) kept = hn_belief_collect(s, why);
  kept = kept && hn_beliefs_infer(s, 0, &l.first, why);
  spoil_last_steps(&s->phase[0]);
  kept = kept && same_again(&l, s->steps, "the task before", why);
  look_end(&l);
  return kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
}

/* Gives every row what the next row sees after time t, so that it is something that can be seen. */
static void swap_future(HnExperience *w, int64_t t) {
  const int64_t B = w->h.rows;
  for (HnExperienceField f = 0; f < HN_FIELDS; f++) {
    const bool of_time = f == HN_F_BEGIN || f == HN_F_OBS || f == HN_F_TASK || f == HN_F_BELIEF;
    const gsize size = w->size[f];
    for (int64_t u = of_time ? t + 1 : t; u <= w->h.steps && size; u++) {
      char *row = hn_experience_at(w, f, u, 0);
      g_autofree char *first = g_memdup2(row, size);
      memmove(row, row + size, (gsize)(B - 1) * size);
      memcpy(row + (gsize)(B - 1) * size, first, size);
    }
  }
}

static HnVerdict judge_causal(const HnCell *cell, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  Look l;
  if (look_begin(&l, cell, &verdict, why)) {
    bool kept = true;
    for (int64_t t = l.s->steps - 1; t >= 0 && kept; t -= 2) {
      g_autofree char *of = g_strdup_printf("what comes after time step %d", (int)t);
      swap_future(&l.s->phase[0], t);
      kept = same_again(&l, t, of, why);
    }
    verdict = kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
    if (!kept && !strstr(why->str, "depends on")) verdict = HN_LAW_SKIPPED; /* no such future */
  }
  look_end(&l);
  return verdict;
}

static HnVerdict judge_blind(const HnCell *cell, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  Look l = {.s = NULL};
  if (cell->inference.plugin->flags & HN_PRIVILEGED) {
    g_string_append(why, "it says that it is privileged");
    verdict = HN_LAW_SKIPPED;
  } else if (look_begin(&l, cell, &verdict, why)) {
    HnExperience *w = &l.s->phase[0];
    const int64_t n = (w->h.steps + 2) * w->h.rows * l.s->shape.task;
    float *task = hn_experience_at(w, HN_F_TASK, -1, 0);
    for (int64_t k = 0; k < n; k++) task[k] = 3 - 2 * task[k];
    verdict = same_again(&l, w->h.steps, "the true task", why) ? HN_LAW_KEPT : HN_LAW_BROKEN;
  }
  look_end(&l);
  return verdict;
}

static HnVerdict judge_outputs(const HnCell *cell, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  Look l;
  if (look_begin(&l, cell, &verdict, why)) {
    const int64_t n = (l.s->steps + 1) * l.s->rollouts.rows * l.s->bs.belief_dim;
    bool kept = true;
    for (int64_t k = 0; k < n && kept; k++) {
      kept = isfinite(l.first.belief[k]);
      if (!kept)
        g_string_append_printf(why, "infer: belief[%d] is not written, or not finite",
                               (int)(k % l.s->bs.belief_dim));
    }
    verdict = kept ? HN_LAW_KEPT : HN_LAW_BROKEN;
  }
  look_end(&l);
  return verdict;
}

/* ---- samples ---- */

enum { DRAWS = 1000 };

/* Of the draws of latent number k of an element of the window. */
typedef struct Moments {
  double mean, stddev, range; /* range: of their distance from the point belief */
} Moments;

static Moments moments_of(const Look *l, int64_t at, int64_t k) {
  const int64_t D = l->s->bs.belief_dim;
  const float *x = l->second.belief + at * DRAWS * D + k;
  const double point = (double)l->first.belief[at * D + k];
  Moments m = {.mean = 0};
  for (int64_t j = 0; j < DRAWS; j++) {
    m.mean += (double)x[j * D] / DRAWS;
    m.range = MAX(m.range, fabs((double)x[j * D] - point));
  }
  for (int64_t j = 0; j < DRAWS; j++)
    m.stddev += ((double)x[j * D] - m.mean) * ((double)x[j * D] - m.mean) / (DRAWS - 1);
  m.stddev = sqrt(m.stddev);
  return m;
}

/* Samples may not vary where they are to, by the log-variances that a belief of 2 Z numbers has. */
static bool is_to_vary(const Look *l, int64_t at, int64_t k) {
  const HnBeliefSpec *b = &l->s->bs;
  return b->belief_dim == 2 * b->latent_dim &&
         l->first.belief[at * b->belief_dim + b->latent_dim + k] > -20;
}

/* How far the mean of draws may be off, with the range of all numbers of the latent, since a rare
 * value may be missing among the draws of one. */
static double most_off(double stddev, double range, double point) {
  return hn_check_most_off(DRAWS, stddev, range) + 1e-5 * (1 + fabs(point));
}

static bool samples_agree(const Look *l, bool *any_spread, GString *why) {
  const int64_t D = l->s->bs.belief_dim, Z = l->s->bs.latent_dim, B = l->s->rollouts.rows;
  g_autofree Moments *m = g_new(Moments, Z);
  for (int64_t at = 0; at < (l->s->steps + 1) * B; at++) {
    double range = 0;
    for (int64_t k = 0; k < Z; k++) {
      m[k] = moments_of(l, at, k), range = MAX(range, m[k].range);
      *any_spread |= m[k].stddev > 1e-7 * (1 + fabs(m[k].mean));
    }
    for (int64_t k = 0; k < Z; k++) {
      const double point = (double)l->first.belief[at * D + k];
      const bool stuck = m[k].stddev == 0 && is_to_vary(l, at, k);
      if (!stuck && fabs(m[k].mean - point) <= most_off(m[k].stddev, range, point)) continue;
      g_string_append_printf(why,
                             "infer: %d samples of belief[%d] of row %d at time step %d have mean "
                             "%g and standard deviation %g, but the point belief is %g%s",
                             DRAWS, (int)k, (int)(at % B), (int)(at / B), m[k].mean, m[k].stddev,
                             point, stuck ? " with a variance" : "");
      return false;
    }
  }
  return true;
}

static HnVerdict judge_samples(const HnCell *cell, GString *why) {
  HnVerdict verdict = HN_LAW_BROKEN;
  Look l;
  if (look_begin(&l, cell, &verdict, why)) {
    if (l.s->bs.latent_dim == 0) {
      g_string_append(why, "it has no samples");
      verdict = HN_LAW_SKIPPED;
    } else if (hn_beliefs_infer(l.s, DRAWS, &l.second, why)) {
      bool any_spread = false;
      verdict = samples_agree(&l, &any_spread, why) ? HN_LAW_KEPT : HN_LAW_BROKEN;
      if (verdict == HN_LAW_KEPT && !any_spread) {
        g_string_append(why, "all samples are the same: its beliefs are certain");
        verdict = HN_LAW_SKIPPED;
      }
    }
  }
  look_end(&l);
  return verdict;
}

/* ---- what no world shows ---- */

static HnVerdict judge_survives(const HnCell *cell, GString *why) {
  static const HnExperienceField field[] = {HN_F_OBS, HN_F_ACTION, HN_F_REWARD, HN_F_NEXT_OBS};
  static const float value[] = {NAN, 1e30f, -1e30f, INFINITY};
  HnVerdict verdict = HN_LAW_BROKEN;
  Look l;
  g_autoptr(GString) ignored = g_string_new(NULL); /* an error is an answer */
  if (look_begin(&l, cell, &verdict, why)) {
    HnExperience *w = &l.s->phase[0];
    for (guint f = 0; f < G_N_ELEMENTS(field); f++)
      for (guint v = 0; v < G_N_ELEMENTS(value); v++) {
        const gsize n = (gsize)((w->h.steps + 2) * w->h.rows) * w->size[field[f]] / sizeof(float);
        float *x = hn_experience_at(w, field[f], -1, 0);
        g_autofree float *was = g_memdup2(x, n * sizeof *x);
        for (gsize k = 0; k < n; k++) x[k] = value[v];
        hn_beliefs_free(&l.second);
        hn_beliefs_infer(l.s, 0, &l.second, ignored);
        if (n) memcpy(x, was, n * sizeof *x);
      }
    verdict = HN_LAW_KEPT;
  }
  look_end(&l);
  return verdict;
}

static HnVerdict judge_ignores(const HnCell *cell, GString *why) {
  return hn_check_learns_without_belief(cell, HN_KIND_INFERENCE, why);
}

static HnVerdict judge_weights(const HnCell *cell, GString *why) {
  return hn_check_weights_suffice(cell, HN_KIND_INFERENCE, why);
}

HN_CHECK_PROCESS_FUNCTIONS(HN_KIND_INFERENCE)

const HnLaw hn_check_inference_laws[] = {
    HN_CHECK_PROCESS_LAWS,
    {"window", "How experience is cut into calls changes nothing.", judge_window},
    {"prior", "Where a task begins, the belief does not depend on the step before.", judge_prior},
    {"causal", "A belief does not depend on what comes after it.", judge_causal},
    {"blind", "Without HN_PRIVILEGED no belief depends on the true task.", judge_blind},
    {"ignores", "With HN_IGNORES_BELIEF what is learnt does not depend on the beliefs acted on.",
     judge_ignores},
    {"weights", "Of what is kept, beliefs depend on arrays of role HN_WEIGHT alone.",
     judge_weights},
    {"outputs", "Every belief is written, and finite.", judge_outputs},
    {"samples", "Samples differ, and their mean is the point belief.", judge_samples},
    {"predict", "The column log_predictive is the log-density of what was shown, by predict.",
     hn_check_predict},
    {"gradients",
     "Backward adds the gradient of the loss by every weight, and norm2 is its squared norm.",
     hn_check_gradients},
    {"survives", "Numbers that no environment gives end in an error, or are survived.",
     judge_survives},
    HN_CHECK_RUN_LAWS,
    {NULL, NULL, NULL},
};
