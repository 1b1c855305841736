/* RL2: a recurrent network whose state is the belief, trained through the policy's loss.
 *
 * At each time step it reads the observation to act from, whether an episode has just ended, and
 * the action and reward before.  Its state lasts a whole trial; only a new task empties it, and is
 * met with action, reward and flag 0.
 *
 * A window that begins in mid-trial starts from the state that acting left behind, made by the
 * weights of the time, and no gradient flows back past it: so it is published, and nothing need be
 * computed again.  `refresh` has the host replay unfinished trials under the new weights instead.
 *
 * Source: Duan et al. 2016 (arXiv 1611.02779); sizes and bottleneck as in VariBAD's comparison
 * (arXiv 1910.08348). */
#include "rl2/rl2.h"

HN_PARAMS_OF(Rl2Params, RL2_PARAMS);
HN_METRICS(RL2_METRICS);

static const HnInference methods = {sizeof(HnInference),      .create = rl2_create,
                                    .infer = rl2_infer,       .forward = rl2_forward,
                                    .backward = rl2_backward, .step = rl2_step};
HN_PLUGIN(rl2, HN_KIND_INFERENCE, Rl2, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics, .renamed = "grad_norm:max_grad_norm",
          .summary = "A recurrent memory of the whole trial, trained through the policy.",
          .source = "arXiv 1611.02779");
