/* TrMRL: a transformer over the last few steps, whose output at the newest is the belief, trained
 * through the policy's loss.
 *
 * The memory is the tokens themselves, as they were read, not what the weights made of them: so
 * nothing in it goes stale, a training window's gradient reaches every token that acting saw, and
 * acting costs the same at every step of a trial.  As published the memory is emptied when an
 * episode begins, so nothing is carried over to the next; `persist_memory` keeps it for the trial.
 *
 * Source: Melo 2022 (arXiv 2206.06614) and its code, a fork of garage. */
#include "transformer/trmrl.h"

#define TRMRL_PARAMS(X) \
  TRANSFORMER_NETWORK_PARAMS(X) TRANSFORMER_TRMRL_PARAMS(X) TRANSFORMER_OPTIMISER_PARAMS(X)
HN_PARAMS_OF(TransformerParams, TRMRL_PARAMS);
HN_METRICS(TRANSFORMER_METRICS);

static const HnInference methods = {sizeof(HnInference),        .create = trmrl_create,
                                    .infer = trmrl_infer,       .forward = trmrl_forward,
                                    .backward = trmrl_backward, .step = transformer_step};
HN_PLUGIN(trmrl, HN_KIND_INFERENCE, Trmrl, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "A transformer over the last few steps, trained through the policy.",
          .source = "arXiv 2206.06614");
