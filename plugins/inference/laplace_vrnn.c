/* Laplace VRNN: a posterior for a recurrent agent from its own curvature, while it learns or laid
 * over a deterministic one's weights afterwards (`recurrent` keeps the same tensors; there are none
 * of its own).
 *
 * z's mean is read out of the recurrent state; its precision is the sum of what was known before
 * and of what the last inputs say, by the Jacobians of one more step in the state.  Policies act on
 * samples of z; where a policy trains it, on its mean.
 *
 * Source: arXiv 2505.18591. */
#include "vrnn/posterior.h"
#define PARAMS(X) VRNN_PARAMS(X) VRNN_BAYES_PARAMS(X) VRNN_LAPLACE_PARAMS(X)
HN_PARAMS_OF(VrnnParams, PARAMS);
#define INFO(X) VRNN_INFO(X) VRNN_BAYES_INFO(X) VRNN_LAPLACE_INFO(X)
HN_INFO(INFO);
HN_METRICS(VRNN_METRICS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  return vrnn_create(self, host, params, spec, &vrnn_posterior_laplace, info_count);
}

static const HnInference methods = VRNN_METHODS(create);
HN_PLUGIN(laplace_vrnn, HN_KIND_INFERENCE, Vrnn, &methods, .version = "1.0", .license = "MIT",
          .flags = HN_IGNORES_BELIEF, .info = hn_this_info, .metrics = hn_this_metrics,
          .renamed = VRNN_BAYES_RENAMED,
          .summary = "A recurrent agent's latent with the posterior of its own curvature.",
          .source = "arXiv 2505.18591");
