/* A variational recurrent agent: z is Gaussian, with mean and covariance read out of the recurrent
 * state, and the posterior before as its prior.  Its covariance, diagonal or full (by
 * log-eigenvalues and a Cayley transform), is what it has beyond `recurrent`.
 *
 * Source: the VRNN baselines of arXiv 2505.18591; Chung et al. 2015, arXiv 1506.02216. */
#include "vrnn/posterior.h"
#define PARAMS(X) VRNN_PARAMS(X) VRNN_BAYES_PARAMS(X) VRNN_GAUSSIAN_PARAMS(X)
HN_PARAMS_OF(VrnnParams, PARAMS);
#define INFO(X) VRNN_INFO(X) VRNN_BAYES_INFO(X)
HN_INFO(INFO);
HN_METRICS(VRNN_METRICS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  return vrnn_create(self, host, params, spec, &vrnn_posterior_gaussian, info_count);
}

static const HnInference methods = VRNN_METHODS(create);
HN_PLUGIN(vrnn, HN_KIND_INFERENCE, Vrnn, &methods, .version = "1.0", .license = "MIT",
          .flags = HN_IGNORES_BELIEF, .info = hn_this_info, .metrics = hn_this_metrics,
          .renamed = VRNN_BAYES_RENAMED,
          .summary = "A recurrent agent's latent with a learnt Gaussian posterior.",
          .source = "arXiv 2505.18591");
