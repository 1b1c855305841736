/* region.h - a step within a trust region for a loss that is a weighted sum over tasks, each
 * perhaps behind inner gradient steps of its own:
 *
 *   L(theta) = sum_i w_i L_i(theta_i),  theta_i = U_K( .. U_1(theta)),  U_k(x) = x - alpha grad
 * l_ik(x)
 *
 * TRPO is this with no inner step and pieces of the batch for tasks; MAML-TRPO has rows for tasks.
 * With J_k = I - alpha H_k, H_k the Hessian of l_ik at theta_i after k steps,
 *
 *   gradient       sum_i w_i J_0 .. J_{K-1} grad L_i         one Hessian product a task and inner
 * step KL curvature   sum_i w_i J_0 .. J_{K-1} F_i J_{K-1} .. J_0
 *
 * exactly, at the weights that acted: there the KL and its gradient vanish, so that its Hessian has
 * no third derivatives.  The line search takes first derivatives alone.
 *
 * Tasks are what host->parallel runs, and sums run in their order: the same bits for any number of
 * workers.  Source: Schulman et al. 2015; Finn, Abbeel & Levine 2017; Rothfuss et al. 2019. */
#ifndef TRPO_REGION_H
#define TRPO_REGION_H
#include "actor.h"
#include <hunch/kit/solve.h>

#define REGION_PARAMS(X)                                                                           \
  X(real, target_kl, "nats", "Largest mean KL(old || new) of a step, delta.", 0.01, 1e-12, 1e6)    \
  X(int, cg_max_steps, "", "Steps of conjugate gradients, at most.", 10, 1, 1000)                  \
  X(real, cg_tolerance, "", "Squared norm of the residual at which conjugate gradients end.",      \
    1e-10, 0, 1)                                                                                   \
  X(real, cg_damping, "", "Multiple of the identity that is added to the curvature.", 1e-5, 0,     \
    1e6)                                                                                           \
  X(real, line_search_shrinking_factor, "", "Factor between the steps that are tried.", 0.8, 0.01, \
    0.99)                                                                                          \
  X(int, line_search_max_iter, "", "Steps that are tried, at most.", 15, 1, 1000)
typedef struct RegionParams {
  REGION_PARAMS(HN_FIELD)
} RegionParams;

/* Of a plugin's parameters that have these rows. */
#define REGION_PARAMS_OF(p)                                                              \
  ((RegionParams){(p)->target_kl, (p)->cg_max_steps, (p)->cg_tolerance, (p)->cg_damping, \
                  (p)->line_search_shrinking_factor, (p)->line_search_max_iter})

typedef struct Task {
  double weight;
  int64_t steps; /* K, inner steps */
  Sample *inner; /* [K] */
  Sample outer;
  float *adapted; /* [K, P] the weights after each inner step, where theta is what acted */
} Task;

typedef struct Region {
  Actor actor;
  double inner_lr;      /* alpha */
  ActorLoss inner_loss; /* LOSS_LOGP or LOSS_RATIO */
  bool first_order;     /* J = I */
  int64_t P, count;
  Task *task;   /* [count] */
  float *theta; /* [P] the weights that acted */
  /* Work space, by region_begin. */
  float *out, *at, *v; /* [count, P], [P], [P] */
  ActorValue *value;   /* [count] */
  bool clipped;        /* region_evaluate's loss is LOSS_CLIP */
} Region;

/* Takes theta from the network and work space from the host's scratch; task, count and what stands
 * above them are the caller's. */
void region_begin(Region *r, const ActorCritic *net);

/* r for one task on one thread, whose tapes share `memory`, begun here. */
Region region_on_thread(const Region *r, HnReuse *memory);

/* to = from - inner_lr grad l(from): an inner step on one sample; to may not be from. */
void region_inner_step(const Region *r, const float *from, const Sample *s, float *to);
/* Of a task that is adapted from theta: remembers in its sample k what the policy says after k
 * inner steps, and takes the next; k = steps: in the outer sample. */
void region_adapt_step(const Region *r, Task *task, int64_t k);
/* All of these of task i, one after another. */
void region_adapt(const Region *all, int64_t i);

/* v becomes J_0 .. J_{K-1} v, with the inner steps' Hessians at the weights that `adapted` [K, P]
 * and `theta` hold; after each inner step's factor adds kl_weight times the gradient of LOSS_KL on
 * its sample (0: none).  work [P]. */
void region_pull_back(const Region *r, const Task *task, const float *theta, const float *adapted,
                      double kl_weight, float *v, float *work);

/* grad [P] of the loss, LOSS_RATIO, at theta.  [instance] */
HnStatus region_gradient(Region *r, double *grad);
/* y = (KL curvature) v at theta.  [instance] */
HnStatus region_curvature(Region *r, const double *v, double *y);
/* Loss and KL at other weights, summed over tasks: each adapts anew on its samples.  [instance] */
HnStatus region_evaluate(Region *r, const float *weights, ActorValue *sum);

typedef struct RegionStep {
  double loss, change, kl; /* before the step; its change; KL(old || new) */
  double grad_norm, norm;  /* of the step */
  int64_t tries;           /* steps tried, the accepted one included */
  bool accepted;
} RegionStep;
/* Leaves in `next` [P] the weights after a step against `grad`, or theta to the bit where none is
 * accepted: a step must lower the loss and keep the KL within target_kl.  [instance] */
HnStatus region_step(Region *r, const RegionParams *p, const double *grad, float *next,
                     RegionStep *step);
#endif
