/* maml.h - what learners of model-agnostic meta-learning share: acting by weights that a row has
 * adapted, and the tasks that an iteration's windows hold.
 *
 * An iteration has K + 1 phases, windows of the same rows.  In the first, rows act by the weights
 * theta; between two phases each takes an inner gradient step on the window just collected, in row
 * memory; on the last the meta-gradient is taken.  A row is a task, and a window should hold whole
 * episodes of it.  What a row adapts on are the steps of its window since a task began in it, so
 * that tasks that begin amid an iteration are adapted to by what was seen of them alone; of the
 * last window the steps count until a task begins.  Weights adapted from a theta that has since
 * been learnt from are dropped: an iteration that begins amid a task begins with theta.
 *
 * With a posterior (posterior.h), a row that has adapted draws an action head when an episode
 * begins, and after each inner step, and acts by it; greedy actions are those of the adapted
 * weights. Precisions add up over the inner steps of a task.  Before any inner step rows act by
 * theta itself. Draws are named by seeds in aux, from which inner steps and learning make them
 * again: derivatives are then those of the heads that acted, with draws and precisions for
 * constants.
 *
 * Source: Finn, Abbeel & Levine 2017; Rothfuss et al. 2019. */
#ifndef TRPO_MAML_H
#define TRPO_MAML_H
#include "learner.h"
#include "posterior.h"
#include "region.h"

/* Their tables begin with these rows. */
#define MAML_PARAMS(X, form)                                                                       \
  ACTOR_CRITIC_PARAMS(X)                                                                           \
  X(int, inner_steps, "", "Inner gradient steps K, each on a window of its own.", 1, 1, 15)        \
  X(real, inner_lr, "",                                                                            \
    "Size of an inner gradient step, alpha; it belongs to the scale of advantages.", 0.1, 0, 100)  \
  X(choice, inner_form, "",                                                                        \
    "Inner loss: minus the mean of log pi(a) A, or of pi(a) / pi_acted(a) A, whose Hessian holds " \
    "what theta does to the actions drawn as well. Their gradients are the same where they act.",  \
    form, "logp|ratio")                                                                            \
  X(flag, first_order, "", "Leaves out the derivative of inner steps (FOMAML).", 0)                \
  RETURN_PARAMS(X, 1)                                                                              \
  X(choice, posterior, "",                                                                         \
    "What rows act by once they have adapted: the adapted weights (none), or an action head that " \
    "an episode draws from their Laplace posterior.",                                              \
    "none", "none|laplace")                                                                        \
  X(real, prior_precision, "",                                                                     \
    "Precision of each weight of the head before any step; the larger, the nearer draws are to "   \
    "the adapted weights.",                                                                        \
    1, 1e-12, 1e12)                                                                                \
  X(real, temperature, "", "Curvature of the steps adapted on is divided by this.", 1, 1e-12, 1e12)
enum { POSTERIOR_NONE, POSTERIOR_LAPLACE };
enum { INNER_LOGP, INNER_RATIO };
typedef struct MamlParams {
  MAML_PARAMS(HN_FIELD, "")
} MamlParams;

typedef struct Maml {
  const MamlParams *p;
  Learner learner;
  int64_t K;
  int64_t *version; /* [1] how often theta has been learnt */
  bool draws;       /* posterior: laplace */
  HeadPosterior posterior;
} Maml;

/* Errors: HN_E_PARAM, HN_E_SHAPE, HN_E_UNSUPPORTED.  [create] */
HnStatus maml_create(Maml *m, const HnHost *host, const MamlParams *p, HnPolicySpec *spec);
/* As in HnPolicy; self is a Maml, or begins with one. */
HnStatus maml_act(void *self, HnActBatch *a);
HnStatus maml_adapt(void *self, const HnHistory *h, void *state);

/* Their tables of metrics end with these rows. */
#define MAML_METRICS(X)                                                                            \
  X(inner_steps_taken, "", "Inner steps that a row took in the task of its last window.", HN_MEAN) \
  X(entropy, "nats", "Entropy of the adapted policies, before squashing.", HN_MEAN)                \
  X(advantage_stddev, "", "Standard deviation of a task's last advantages before scaling.",        \
    HN_MEAN)                                                                                       \
  X(explained_variance, "",                                                                        \
    "Fraction of the variance of a task's last returns that its baseline explains.", HN_MEAN)

/* What there is to say of an iteration's tasks. */
typedef struct MamlSums {
  double stddev, explained; /* of advantages; of returns in the last window by the baseline */
  double inner_steps;       /* that tasks took, on average */
  double entropy;
} MamlSums;
/* Makes the tasks of the batch, adapts them and remembers the policies along the way; everything is
 * in the calling learn's scratch.  r's actor is set up but for its clip range.  [instance] */
HnStatus maml_open(Maml *m, const HnTrainBatch *l, Region *r, MamlSums *sums);
/* Takes over theta [P] (NULL: as it is) and input statistics. */
void maml_close(Maml *m, const HnTrainBatch *l, const float *theta);
#endif
