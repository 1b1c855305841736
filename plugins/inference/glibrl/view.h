/* view.h - what the policy sees of a row's posteriors: of each model that it sees the means, then
 * of each how sure they are, then ln(1 + N).
 *
 *   means        M [D, obs_dim] (the reward's: [D, 1]), nothing else
 *   compact      M; ln diag V [D], ln diag(Psi / nu) [obs_dim]
 *   full         M; V and Psi / nu as packed lower triangles
 *   whitened     M'R [obs_dim, D], R R' = E[cc'] (see whitening.h); ln |V| / D, ln diag(Psi / nu)
 *   predictions  M'c [anchors, obs_dim] at the anchors' features c (see anchors.h);
 *                ln sqrt(1 + c'V c) [anchors], ln sqrt(diag E[Sigma]) [obs_dim]: their sum is the
 *                log standard deviation of the target
 *
 * Everything is of scaled targets.  Columns of s' that are not predicted are 0. */
#ifndef HN_GLIBRL_VIEW_H
#define HN_GLIBRL_VIEW_H
#include "glibrl.h"

/* Whether the policy sees the model's posterior. */
bool glibrl_policy_sees(const Glibrl *g, const GlibrlModel *k);

/* Width of the view.  [create] */
int64_t glibrl_view_dim(const Glibrl *g);

/* A model that the policy sees. */
typedef struct GlibrlViewPart {
  const GlibrlModel *model;
  int64_t m, whole;    /* predicted targets; all of them */
  const int32_t *live; /* [whole] which are predicted, NULL: all */
  int64_t means;       /* numbers of its means in the view */
  double nu0;
} GlibrlViewPart;

/* A view and the memory that writing it takes, in scratch. */
typedef struct GlibrlView {
  const Glibrl *g;
  int64_t dim, means; /* numbers of it; of the means of all parts */
  int parts;
  GlibrlViewPart part[2];
  double *mean, *square; /* [D, m]; [side, side], the largest D or m */
  float *product;        /* [capacity, D] */
} GlibrlView;

/* For at most `capacity` rows at once. */
GlibrlView glibrl_view_open(const Glibrl *g, int64_t capacity);

/* Writes the view of a row, as far as rows can be seen alone.  to [dim]. */
void glibrl_view_write(const GlibrlView *v, const char *row, float *to);

/* Completes n <= capacity written views, `stride` floats from one to the next. */
void glibrl_view_finish(const GlibrlView *v, int64_t n, float *views, int64_t stride);
#endif
