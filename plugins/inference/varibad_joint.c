/* varibad_joint.c - VariBAD whose encoder is trained by the policy's loss too: minibatches of
 * sequences, through the belief and back through time.  With reward_weight, state_weight and
 * kl_weight at 0 only the policy trains it.  Source: the ablation in arXiv 1910.08348. */
#include "varibad/varibad.h"

HN_PARAMS_OF(VaribadParams, VARIBAD_PARAMS);
HN_INFO(VARIBAD_INFO);
HN_METRICS(VARIBAD_METRICS);

static const HnInference methods = {sizeof(HnInference),          .create = varibad_create,
                                    .infer = varibad_infer,       .forward = varibad_forward,
                                    .backward = varibad_backward, .step = varibad_step,
                                    .learn = varibad_learn,       .map = varibad_map};
HN_PLUGIN(varibad_joint, HN_KIND_INFERENCE, Varibad, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .renamed = VARIBAD_RENAMED,
          .summary = "VariBAD whose encoder is trained by the policy's loss too.",
          .source = "arXiv 1910.08348");
