/* predictive_check.h - scores what beliefs predict in supervised tasks: at every observation of an
 * evaluated trial the environment's responses to the same query actions are compared with the
 * inference's predictive distribution.  Empty, at no cost, where one of the two does not offer it
 * or actions are discrete. */
#ifndef HN_PREDICTIVE_CHECK_H
#define HN_PREDICTIVE_CHECK_H
#include <hunch/env.h>
#include <hunch/inference.h>
#include <stdbool.h>

/* Of a row at an observation, over Q query actions:
 *   cross_entropy  - mean log N(response; mean, stddev^2), nats, summed over the response's columns
 *   perplexity     exp of it, at most 1e6
 *   l1, l2         mean absolute and mean squared error of the mean, over columns too
 * Source: Laplace VRNN (arXiv 2505.18591), the regression study. */
enum {
  HN_PREDICTIVE_CE,
  HN_PREDICTIVE_PERPLEXITY,
  HN_PREDICTIVE_L1,
  HN_PREDICTIVE_L2,
  HN_PREDICTIVE_SCORES
};

/* Curves of some rows at some observations, where action and response are one number each: the
 * response, the mean, the stddev and the means under the first few samples, along a grid. */
enum { HN_BAND_POINTS = 101, HN_BAND_STEPS = 7, HN_BAND_MEMBERS = 10, HN_BAND_FIXED = 3 };
extern const int64_t hn_band_step[HN_BAND_STEPS];

typedef struct HnSession HnSession;
typedef struct HnPredictiveCheck {
  int64_t queries, observations, rows;
  int64_t kept, members; /* rows with curves; samples of each, 0 where there are none */
  float *action;         /* [Q, action_dim] */
  float *score; /* [observations, rows, HN_PREDICTIVE_SCORES], NaN: not asked, or no prediction */
  float *band;  /* [kept, HN_BAND_STEPS, HN_BAND_FIXED + members, HN_BAND_POINTS], or NULL */
  double *step; /* [observations, HN_PREDICTIVE_SCORES] mean over rows, once summed */
  double mean[HN_PREDICTIVE_SCORES]; /* over observations and rows */
} HnPredictiveCheck;

/* Whether this session's evaluations score predictions, and whether they keep curves. */
bool hn_predictive_offered(const HnSession *s);
bool hn_predictive_has_curves(const HnSession *s);

/* For an evaluation of so many rows and observations, `kept` of the rows with curves; an empty one
 * if not offered.  Query actions are uniform in [-1, 1] and depend on the cell's seed alone. */
HnPredictiveCheck hn_predictive_new(const HnSession *s, int64_t rows, int64_t kept,
                                    int64_t observations);
void hn_predictive_free(HnPredictiveCheck *a);
/* Scores one row at one observation: env row memory, belief [max(samples, 1), D].  Several rows may
 * be scored at once.  HN_E_NUMERIC: a prediction is not a distribution. */
HnStatus hn_predictive_row(const HnSession *s, HnPredictiveCheck *a, int64_t row, int64_t at,
                           const void *state, const float *belief, int64_t samples);
/* Fills in the means. */
void hn_predictive_sum(HnPredictiveCheck *a);
/* Curves of the k-th kept row at hn_band_step[i], [HN_BAND_FIXED + members, HN_BAND_POINTS]. */
const float *hn_predictive_band(const HnPredictiveCheck *a, int64_t k, int64_t i);
/* The x of point j of the grid. */
float hn_band_x(int64_t j);
#endif
