/* GLiBRL: transitions and rewards are linear in learnt features; the posterior over the weights and
 * the noise of a task is exact, and the features are trained on the exact evidence.
 *
 * The posterior is updated by rank one at every step and kept over a whole task.  What the policy
 * sees of it is `view`: its flattened parameters, as in the paper, or what they stand for, the
 * predictions at remembered steps.  No gradient of the policy reaches the features.  Source: arXiv
 * 2512.20974.
 *
 * The defaults are ours where the paper is silent.  Closest to its text: reward_features 256,
 * transition_target next, next_input next, reward_scaling none, normalise_targets false,
 * target_columns all, learn_prior false, view full.  Its ablation of noise inference is `fixed`
 * or `fixed_unscaled`; which of the two is not said. */
#include "glibrl/glibrl.h"

HN_PARAMS_OF(GlibrlParams, GLIBRL_PARAMS);
HN_INFO(GLIBRL_INFO);
HN_METRICS(GLIBRL_METRICS);

static const HnInference methods = {sizeof(HnInference), .create = glibrl_create,
                                    .infer = glibrl_infer, .learn = glibrl_learn};
HN_PLUGIN(glibrl, HN_KIND_INFERENCE, Glibrl, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .renamed = "grad_norm:max_grad_norm belief:view",
          .summary = "Exact posterior of models that are linear in learnt features.",
          .source = "arXiv 2512.20974");
