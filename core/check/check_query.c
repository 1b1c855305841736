/* check_query.c - see check_query.h. */
#include "check_query.h"
#include "belief_window.h"
#include "env_rows.h"
#include <math.h>
#include <string.h>

double hn_check_most_off(int64_t n, double stddev, double range) {
  const double log_odds = 19;
  return stddev * sqrt(2 * log_odds / (double)n) + 7 * range * log_odds / (3 * (double)(n - 1));
}

/* ---- what an environment answers ---- */

enum { DRAWS = 200, POINTS = 12, NEW_TASK_EVERY = 4, ASKED = 5 };

/* What was asked of one row. */
typedef struct Answers {
  float *action, *obs, *again; /* [ASKED, action_dim], [ASKED, obs_dim] */
} Answers;

/* Every row of the batch becomes what row 0 is, but for its random streams. */
static void copy_first_row(const HnEnvRows *r) {
  for (const HnInstance *x = r->instance; x; x = x->inner) {
    char *state = hn_env_state(r->instance, &r->memory, x);
    for (int64_t i = 1; i < r->b.rows; i++)
      memcpy(state + (gsize)i * x->own.row_size, state, x->own.row_size);
  }
  for (int64_t k = r->spec.action_dim; k < r->b.rows * r->spec.action_dim; k++)
    r->action[k] = r->action[k - r->spec.action_dim];
}

/* Asks about actions, the first of which is row 0's; each must be answered alike alone. */
static HnStatus ask(const HnEnvRows *r, HnRng *rng, Answers *a, GString *why) {
  const int64_t A = r->spec.action_dim, O = r->spec.obs_dim;
  const void *row = hn_env_row(r->instance, &r->memory, 0);
  for (int64_t k = 0; k < ASKED * A; k++)
    a->action[k] = k < A ? r->action[k] : (float)hn_rng_uniform(rng, -1, 1);
  HnStatus status = hn_env_query(r->instance, row, ASKED, a->action, a->obs);
  for (int64_t k = ASKED - 1; k >= 0 && !status && !why->len; k--) {
    status = hn_env_query(r->instance, row, 1, a->action + k * A, a->again);
    if (!status && memcmp(a->again, a->obs + k * O, (gsize)O * sizeof(float)) != 0)
      g_string_append_printf(why, "query: action %d of %d is answered otherwise than alone", (int)k,
                             ASKED);
  }
  return status;
}

/* Whether what step shows in all rows has the answer as its mean. */
static bool mean_is_answer(const HnEnvRows *r, const float *answer, GString *why) {
  const int64_t O = r->spec.obs_dim, n = r->b.rows;
  for (int64_t d = 0; d < O; d++) {
    double mean = 0, square = 0, range = 0;
    for (int64_t i = 0; i < n; i++) {
      const double off = (double)r->b.obs[i * O + d] - (double)answer[d];
      mean += off / (double)n, range = fmax(range, fabs(off));
    }
    for (int64_t i = 0; i < n; i++) {
      const double off = (double)r->b.obs[i * O + d] - (double)answer[d] - mean;
      square += off * off / (double)(n - 1);
    }
    const double most = hn_check_most_off(n, sqrt(square), range);
    if (fabs(mean) <= most + 1e-5 * (1 + fabs((double)answer[d]))) continue;
    g_string_append_printf(why,
                           "query: obs[%d] of an action is %g, but %d steps with it show %g on "
                           "average, with standard deviation %g",
                           (int)d, (double)answer[d], (int)n, (double)answer[d] + mean,
                           sqrt(square));
    return false;
  }
  return true;
}

static HnStatus judge_points(HnEnvRows *r, Answers *a, GString *why) {
  HnRng rng = hn_rng(12, 0);
  HnStatus status = HN_OK;
  for (int p = 0; p < POINTS && !status && !why->len; p++) {
    if (p % NEW_TASK_EVERY == 0) status = hn_env_rows_reset(r, HN_NEW_TASK, -1);
    hn_env_rows_act(r, 0, &rng);
    copy_first_row(r);
    if (!status) status = ask(r, &rng, a, why);
    if (!status && !why->len) status = hn_env_rows_step(r, r->b);
    if (!status && !why->len) mean_is_answer(r, a->obs, why);
  }
  return status;
}

HnVerdict hn_check_query(const HnCell *cell, GString *why) {
  HnStatus status;
  HnVerdict verdict = HN_LAW_SKIPPED;
  HnEnvRows *r = hn_env_rows_new(cell, DRAWS, &status);
  if (status) {
    if (status != HN_E_PARAM && status != HN_E_IO) verdict = HN_LAW_BROKEN;
    g_string_append_printf(why, "create: %s", hn_fail_text());
  } else if (!hn_env_can_query(r->instance) || r->spec.action_dim == 0) {
    g_string_append(why, "it has no query of continuous actions");
  } else {
    const int64_t A = r->spec.action_dim, O = r->spec.obs_dim;
    Answers a = {g_new0(float, ASKED *A), g_new0(float, ASKED *O), g_new0(float, O)};
    status = judge_points(r, &a, why);
    verdict = status || why->len ? HN_LAW_BROKEN : HN_LAW_KEPT;
    if (status == HN_E_UNSUPPORTED) verdict = HN_LAW_SKIPPED;
    if (status == HN_E_UNSUPPORTED)
      g_string_append(why, "it has no query under these parameters");
    else if (status)
      g_string_append(why, hn_fail_text());
    g_free(a.action), g_free(a.obs), g_free(a.again);
  }
  hn_env_rows_free(r);
  return verdict;
}

/* ---- what an inference method predicts ---- */

/* Beliefs along a window, and who predicts. */
typedef struct Scored {
  const HnSession *s;
  HnBeliefs b;
  guint column; /* log_predictive */
  int64_t scores;
} Scored;

/* Log-density of what step t of row i showed, as predict has it; HN_OK or what predict says. */
static HnStatus predicted(const Scored *x, int64_t t, int64_t i, double *log_density) {
  const HnSession *s = x->s;
  const int64_t O = s->es.obs_dim, at = t * s->rollouts.rows + i;
  const float *shown = hn_experience_at(&s->phase[0], HN_F_NEXT_OBS, t, i);
  const float *action = hn_experience_at(&s->phase[0], HN_F_ACTION, t, i);
  g_autofree float *mean = g_new0(float, O), *stddev = g_new0(float, O);
  HnStatus status;
  HN_CALL(status, INFERENCE_predict,
          HN_INFERENCE(s)->predict(s->inference->self, x->b.belief + at * s->bs.belief_dim, 0, 1,
                                   action, mean, stddev, NULL));
  *log_density = 0;
  for (int64_t d = 0; d < O && !status; d++) {
    const double z = ((double)shown[d] - (double)mean[d]) / (double)stddev[d];
    *log_density -= 0.5 * z * z + log((double)stddev[d]) + 0.5 * log(2 * G_PI);
  }
  return status;
}

static HnStatus compare_scores(Scored *x, GString *why) {
  const HnSession *s = x->s;
  const int64_t B = s->rollouts.rows;
  HnStatus status = HN_OK;
  for (int64_t t = 0; t < s->steps && !status && !why->len; t++)
    for (int64_t i = 0; i < B && !status && !why->len; i++) {
      const uint8_t *begin = hn_experience_at(&s->phase[0], HN_F_BEGIN, t + 1, i);
      const double score = (double)x->b.info[((t + 1) * B + i) * s->inference->infos + x->column];
      double log_density;
      if (*begin == HN_NEW_TASK || isnan(score)) continue;
      status = predicted(x, t, i, &log_density), x->scores++;
      if (status || fabs(score - log_density) <= 1e-3 * (1 + fabs(log_density))) continue;
      g_string_append_printf(why,
                             "infer: log_predictive of row %d at time step %d is %g, but by "
                             "predict the log-density of what was shown is %g",
                             (int)i, (int)(t + 1), score, log_density);
    }
  return status;
}

static HnVerdict judge_scores(Scored *x, GString *why) {
  if (!hn_beliefs_infer((HnSession *)(guintptr)x->s, 0, &x->b, why)) return HN_LAW_BROKEN;
  const HnStatus status = compare_scores(x, why);
  if (status == HN_E_UNSUPPORTED) {
    g_string_append(why, "it does not predict under these parameters");
    return HN_LAW_SKIPPED;
  }
  if (status) g_string_append_printf(why, "predict: %s", hn_fail_text());
  if (why->len) return HN_LAW_BROKEN;
  if (!x->scores) g_string_append(why, "it scores no step");
  return x->scores ? HN_LAW_KEPT : HN_LAW_SKIPPED;
}

HnVerdict hn_check_predict(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnSession *s = hn_belief_session(cell, &verdict, why);
  if (!s) return verdict;
  const HnInference *q = HN_INFERENCE(s);
  Scored x = {.s = s};
  while (x.column < s->inference->infos &&
         strcmp(s->inference->info[x.column].name, "log_predictive") != 0)
    x.column++;
  verdict = HN_LAW_SKIPPED;
  if (!HN_CAN(q, predict))
    g_string_append(why, "it has no predict");
  else if (x.column == s->inference->infos)
    g_string_append(why, "it has no column log_predictive");
  else if (s->es.action_dim == 0)
    g_string_append(why, "predictions are of continuous actions");
  else
    verdict = judge_scores(&x, why);
  hn_beliefs_free(&x.b), hn_session_free(s);
  return verdict;
}
