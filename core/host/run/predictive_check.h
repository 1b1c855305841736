/* predictive_check.h - in evaluation, what a belief predicts is set against what the environment
 * answers: about the same actions for every row, at every percept of the trial.  Where one of the
 * two does not offer it, or actions are discrete, there is nothing here and it costs nothing. */
#ifndef HN_PREDICTIVE_H
#define HN_PREDICTIVE_H
#include <hunch/env.h>
#include <hunch/inference.h>
#include <stdbool.h>

/* Of a row at a percept, over Q questions:
 *   cross_entropy  - mean log N(answer; mean, stddev^2), nats, summed over columns of an answer
 *   perplexity     exp of it, at most 1e6
 *   l1, l2         mean absolute, mean squared error of the mean, over columns too
 * Source: Laplace VRNN (arXiv 2505.18591), the regression study. */
enum {
  HN_PREDICTIVE_CE,
  HN_PREDICTIVE_PERPLEXITY,
  HN_PREDICTIVE_L1,
  HN_PREDICTIVE_L2,
  HN_PREDICTIVE_SCORES
};
extern const char *const hn_predictive_name[HN_PREDICTIVE_SCORES]; /* "predict.cross_entropy" .. */

/* Pictures of some rows at some percepts, where an action and an answer are one number each: the
 * answer, the mean, the stddev and the first few samples' means along a grid. */
enum { HN_BAND_POINTS = 101, HN_BAND_STEPS = 7, HN_BAND_MEMBERS = 10, HN_BAND_FIXED = 3 };
extern const int64_t hn_band_step[HN_BAND_STEPS];

typedef struct HnSession HnSession;
typedef struct HnPredictiveCheck {
  int64_t questions, percepts, rows, kept, members; /* members: of a picture, 0 without samples */
  float *action;                                    /* [Q, action_dim] */
  float *score; /* [percepts, rows, HN_PREDICTIVE_SCORES], NaN: not asked, or nothing to say */
  float *band;  /* [kept, HN_BAND_STEPS, HN_BAND_FIXED + members, HN_BAND_POINTS], or NULL */
  double *step; /* [percepts, HN_PREDICTIVE_SCORES] mean over rows, once summed */
  double mean[HN_PREDICTIVE_SCORES]; /* over percepts and rows */
} HnPredictiveCheck;

/* Whether this session's evaluations ask, and whether they keep pictures. */
bool hn_predictive_offered(const HnSession *s);
bool hn_predictive_pictures(const HnSession *s);

/* rows and percepts of an evaluation, of which `kept` rows are drawn; an empty one if not offered.
 * Questions are uniform in [-1, 1] and depend on the cell's seed alone. */
HnPredictiveCheck hn_predictive_new(const HnSession *s, int64_t rows, int64_t kept,
                                    int64_t percepts);
void hn_predictive_free(HnPredictiveCheck *a);
/* One row at one percept: env row memory, belief [max(samples, 1), D].  Rows may be asked at once.
 * HN_E_NUMERIC: a prediction is no distribution. */
HnStatus hn_predictive_row(const HnSession *s, HnPredictiveCheck *a, int64_t row, int64_t percept,
                           const void *state, const float *belief, int64_t samples);
/* Means, from the scores. */
void hn_predictive_sum(HnPredictiveCheck *a);
/* What was kept of the k-th kept row at hn_band_step[i], [HN_BAND_FIXED + members, HN_BAND_POINTS].
 */
const float *hn_predictive_band(const HnPredictiveCheck *a, int64_t k, int64_t i);
/* The x of point j of the grid. */
float hn_band_x(int64_t j);
#endif
