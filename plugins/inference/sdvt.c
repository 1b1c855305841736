/* sdvt.c - subtask decomposition with virtual training: VariBAD whose belief is a mixture of K
 * subtasks, and whose policy also trains on rewards that the decoder makes up for mixtures of
 * subtasks that no task has shown.
 *
 * The belief is mean and log-variance of z under a drawn y, then the probabilities of the subtasks.
 * Defaults are SDVT's on Meta-World's ML10.  What it is compared with in the paper are settings:
 *   SD       dispersion_weight 0, virtual_growth 0
 *   -LW      subtasks 5, cat_weight 0.5, occ_weight 0
 *   LDM      subtasks 1, virtual_source latents, virtual_probability 0.1, virtual_growth 0
 * Source: Lee, Cho & Sung 2023, "Parameterizing non-parametric meta-reinforcement learning tasks
 * via subtask decomposition". */
#include "varibad/varibad.h"

#define PARAMS(X)                             \
  VARIBAD_READS(X, VARIBAD_METAWORLD)         \
  VARIBAD_BOUND(X)                            \
  VARIBAD_REWARD_WEIGHT(X, VARIBAD_METAWORLD) \
  VARIBAD_REWARD_READS(X, VARIBAD_METAWORLD)  \
  VARIBAD_LEARNING(X, VARIBAD_METAWORLD)      \
  VARIBAD_SUBTASK_PARAMS(X)
HN_PARAMS_OF(VaribadParams, PARAMS);

#define INFO(X)    VARIBAD_INFO(X) VARIBAD_SUBTASK_INFO(X)
#define METRICS(X) VARIBAD_METRICS(X) VARIBAD_SUBTASK_METRICS(X)
HN_INFO(INFO);
HN_METRICS(METRICS);

static const HnInference methods = {sizeof(HnInference), .create = varibad_create,
                                    .infer = varibad_infer, .learn = varibad_learn_virtual,
                                    .relabel = varibad_relabel};
HN_PLUGIN(
    sdvt, HN_KIND_INFERENCE, Varibad, &methods, .version = "1.0", .license = "MIT",
    .info = hn_this_info, .metrics = hn_this_metrics,
    .summary = "Posterior over mixtures of subtasks, and training on rewards imagined for others.",
    .source = "Lee, Cho & Sung 2023 (NeurIPS)");
