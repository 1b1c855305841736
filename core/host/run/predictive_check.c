/* predictive_check.c - see predictive_check.h. */
#include "predictive_check.h"
#include "env_layers.h"
#include "episodes.h"
#include "outputs.h"
#include "pages.h"
#include "session.h"
#include <math.h>
#include <string.h>

static const double half_log_2pi = 0.91893853320467274178, most_perplexity = 1e6;

const int64_t hn_band_step[HN_BAND_STEPS] = {0, 1, 3, 5, 10, 30, 100};

bool hn_predictive_offered(const HnSession *s) {
  const HnInference *q = HN_INFERENCE(s);
  return s->cell->evaluation.questions > 0 && s->es.action_dim > 0 && s->es.obs_dim > 0 &&
         hn_env_can_query(s->env) && HN_CAN(q, predict);
}

bool hn_predictive_has_curves(const HnSession *s) {
  return hn_predictive_offered(s) && s->es.action_dim == 1 && s->es.obs_dim == 1;
}

float hn_band_x(int64_t j) {
  return (float)(2.0 * (double)j / (HN_BAND_POINTS - 1) - 1);
}

HnPredictiveCheck hn_predictive_new(const HnSession *s, int64_t rows, int64_t kept,
                                    int64_t observations) {
  if (!hn_predictive_offered(s)) return (HnPredictiveCheck){.queries = 0};
  HnPredictiveCheck a = {.queries = s->cell->evaluation.questions,
                         .observations = observations,
                         .rows = rows,
                         .kept = hn_predictive_has_curves(s) ? kept : 0,
                         .members = MIN(s->eval_samples, HN_BAND_MEMBERS)};
  gsize numbers = (gsize)(a.queries * s->es.action_dim),
        scores = (gsize)observations * HN_PREDICTIVE_SCORES;
  gsize band = (gsize)a.kept * HN_BAND_STEPS * (gsize)(HN_BAND_FIXED + a.members) * HN_BAND_POINTS;
  HnRng rng = hn_stream(s->cell->seed, HN_FOR_QUERIES, 0);
  a.action = g_new(float, numbers);
  for (gsize k = 0; k < numbers; k++) a.action[k] = (float)hn_rng_uniform(&rng, -1, 1);
  a.score = hn_zeros(scores * (gsize)rows * sizeof(float));
  for (gsize k = 0; k < scores * (gsize)rows; k++) a.score[k] = NAN;
  a.band = hn_zeros(band * sizeof(float));
  for (gsize k = 0; k < band; k++) a.band[k] = NAN;
  a.step = g_new0(double, scores);
  return a;
}

void hn_predictive_free(HnPredictiveCheck *a) {
  g_free(a->action), g_free(a->step), hn_zeros_free(a->score), hn_zeros_free(a->band);
  *a = (HnPredictiveCheck){.queries = 0};
}

/* ---- one row ---- */

/* True responses to n query actions and what is predicted of them. */
typedef struct Responses {
  float *truth, *mean, *stddev; /* [n, obs_dim] */
  float *member;                /* [max(S, 1), n, obs_dim], or NULL: not wanted */
} Responses;

/* Who asks: a row, and after how many steps of its trial. */
typedef struct Asked {
  const HnSession *s;
  int64_t row, at, samples;
  const void *state; /* row memory of the environment, of hn_env_row */
  const float *belief;
} Asked;

/* The actions for one call, which might write to them. */
static const float *query_actions(const Asked *a, int64_t n, const float *action) {
  const gsize bytes = (gsize)(n * a->s->es.action_dim) * sizeof *action;
  return memcpy(hn_arena_take(hn_arena_current(), bytes), action, bytes);
}

static HnStatus query(const Asked *a, int64_t n, const float *action, bool members,
                      Responses *out) {
  const HnSession *s = a->s;
  HnArena *arena = hn_arena_current();
  gsize bytes = (gsize)(n * s->es.obs_dim) * sizeof(float);
  *out = (Responses){.truth = hn_arena_take(arena, bytes),
                     .mean = hn_arena_take(arena, bytes),
                     .stddev = hn_arena_take(arena, bytes)};
  if (members) out->member = hn_arena_take(arena, bytes * (gsize)MAX(a->samples, 1));
  const float *asked = query_actions(a, n, action);
  HnStatus status = hn_env_query(s->env, a->state, n, asked, out->truth);
  if (status) return status;
  const HnOutputs o = {.of = s->env, .call = "query", .first = a->row, .rows = 1, .step = &a->at};
  status = hn_outputs_finite(&o, "response", out->truth, n * s->es.obs_dim);
  if (status) return status;
  asked = query_actions(a, n, action);
  HN_CALL(status, INFERENCE_predict,
          HN_INFERENCE(s)->predict(s->inference->self, a->belief, a->samples, n, asked, out->mean,
                                   out->stddev, out->member));
  return status;
}

static HnStatus score(const HnSession *s, const Responses *x, int64_t n, float *out) {
  int64_t O = s->es.obs_dim;
  double nats = 0, l1 = 0, l2 = 0;
  for (int64_t k = 0; k < n * O; k++) {
    double off = (double)x->truth[k] - (double)x->mean[k], sd = (double)x->stddev[k], z = off / sd;
    if (!(sd > 0) || !isfinite(sd) || !isfinite(off))
      return s->inference->host.fail(&s->inference->host, HN_E_NUMERIC,
                                     "predicts mean %g, stddev %g for a response of %g",
                                     (double)x->mean[k], sd, (double)x->truth[k]);
    nats += 0.5 * z * z + log(sd) + half_log_2pi;
    l1 += fabs(off), l2 += off * off;
  }
  nats /= (double)n;
  out[HN_PREDICTIVE_CE] = (float)nats;
  out[HN_PREDICTIVE_PERPLEXITY] = (float)fmin(exp(nats), most_perplexity);
  out[HN_PREDICTIVE_L1] = (float)(l1 / (double)(n * O)),
  out[HN_PREDICTIVE_L2] = (float)(l2 / (double)(n * O));
  return HN_OK;
}

/* Index of an evaluated row among the kept ones, or -1. */
static int64_t kept_index(const HnPredictiveCheck *a, int64_t row) {
  for (int64_t k = 0; k < a->kept; k++)
    if (hn_kept_row(a->rows, a->kept, k) == row) return k;
  return -1;
}

static float *band_at(const HnPredictiveCheck *a, int64_t k, int64_t i) {
  return a->band + (k * HN_BAND_STEPS + i) * (HN_BAND_FIXED + a->members) * HN_BAND_POINTS;
}

const float *hn_predictive_band(const HnPredictiveCheck *a, int64_t k, int64_t i) {
  return band_at(a, k, i);
}

static HnStatus keep_curves(const Asked *w, const HnPredictiveCheck *a) {
  int64_t i = 0, k = kept_index(a, w->row);
  while (i < HN_BAND_STEPS && hn_band_step[i] != w->at) i++;
  if (k < 0 || i == HN_BAND_STEPS) return HN_OK;
  float x[HN_BAND_POINTS], *out = band_at(a, k, i);
  for (int64_t j = 0; j < HN_BAND_POINTS; j++) x[j] = hn_band_x(j);
  Responses got;
  HnStatus status = query(w, HN_BAND_POINTS, x, a->members > 0, &got);
  if (status) return status;
  memcpy(out, got.truth, sizeof x);
  memcpy(out + HN_BAND_POINTS, got.mean, sizeof x);
  memcpy(out + 2 * HN_BAND_POINTS, got.stddev, sizeof x);
  if (a->members)
    memcpy(out + HN_BAND_FIXED * HN_BAND_POINTS, got.member, (gsize)a->members * sizeof x);
  return HN_OK;
}

HnStatus hn_predictive_row(const HnSession *s, HnPredictiveCheck *a, int64_t row, int64_t at,
                           const void *state, const float *belief, int64_t samples) {
  const Asked w = {s, row, at, samples, state, belief};
  HnMark mark = hn_arena_mark(hn_arena_current());
  Responses got;
  HnStatus status = query(&w, a->queries, a->action, false, &got);
  if (!status)
    status = score(s, &got, a->queries, a->score + (at * a->rows + row) * HN_PREDICTIVE_SCORES);
  if (!status) status = keep_curves(&w, a);
  hn_arena_reset(hn_arena_current(), mark);
  return status == HN_E_UNSUPPORTED ? HN_OK : status;
}

/* ---- means ---- */

void hn_predictive_sum(HnPredictiveCheck *a) {
  double sum[HN_PREDICTIVE_SCORES] = {0}, count[HN_PREDICTIVE_SCORES] = {0};
  for (int64_t t = 0; t < a->observations; t++)
    for (int k = 0; k < HN_PREDICTIVE_SCORES; k++) {
      double here = 0, used = 0;
      for (int64_t i = 0; i < a->rows; i++)
        hn_fold(HN_MEAN, (double)a->score[(t * a->rows + i) * HN_PREDICTIVE_SCORES + k], &here,
                &used);
      a->step[t * HN_PREDICTIVE_SCORES + k] = hn_mean_of(here, used);
      sum[k] += here, count[k] += used;
    }
  for (int k = 0; k < HN_PREDICTIVE_SCORES; k++) a->mean[k] = hn_mean_of(sum[k], count[k]);
}
