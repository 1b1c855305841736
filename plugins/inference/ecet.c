/* ECET-style: a transformer over the steps of each episode and one over the trial's episodes,
 * trained through the policy's loss.
 *
 * The paper's code and appendix were not at hand: the structure is the paper's, the sizes are ours.
 * Acting costs the same at every step of a trial, because past episodes' keys and values are kept
 * in row memory; weights that have changed make them stale, so the host then computes those of
 * unfinished trials again.
 *
 * Source: arXiv 2402.06402. */
#include "transformer/ecet.h"

#define ECET_PARAMS(X) \
  TRANSFORMER_NETWORK_PARAMS(X) TRANSFORMER_ECET_PARAMS(X) TRANSFORMER_OPTIMISER_PARAMS(X)
HN_PARAMS_OF(TransformerParams, ECET_PARAMS);
HN_METRICS(TRANSFORMER_METRICS);

static const HnInference methods = {sizeof(HnInference),       .create = ecet_create,
                                    .infer = ecet_infer,       .forward = ecet_forward,
                                    .backward = ecet_backward, .step = transformer_step};
HN_PLUGIN(ecet, HN_KIND_INFERENCE, Ecet, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "Transformers over the steps of each episode and over episodes (ECET-style).",
          .source = "arXiv 2402.06402");
