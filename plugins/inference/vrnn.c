/* A variational recurrent agent: z is Gaussian, with mean and covariance read out of the memory,
 * and the posterior before as its prior.  Its covariance, diagonal or full (by log-eigenvalues and
 * a Cayley transform), is what it has beyond `recurrent`; all else has the same tensors.
 *
 * Source: the VRNN baselines of arXiv 2505.18591; Chung et al. 2015, arXiv 1506.02216. */
#include "vrnn_tables.h"
#define PARAMS(X) VRNN_PARAMS(X) VRNN_BAYES_PARAMS(X) VRNN_GAUSSIAN_PARAMS(X)
HN_PARAMS(PARAMS);
#define INFO(X) VRNN_INFO(X) VRNN_BAYES_INFO(X)
HN_INFO(INFO);
HN_METRICS(VRNN_METRICS);
#include "vrnn_gaussian.h"
#include "vrnn_learn.h"

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  const HnThisParams *p = params;
  if (p->logvar_low > p->logvar_high)
    return host->fail(host, HN_E_PARAM, "logvar_low (%g) must not be above logvar_high (%g)",
                      p->logvar_low, p->logvar_high);
  HnStatus status =
      create_model(self, host, params, spec, spread_width(p), p->model_samples, p->beta);
  return status ? status : finish(self, spec, (size_t)spread_width(p) * sizeof(float));
}

static const HnInference methods = {sizeof(HnInference), .create = create,     .infer = believe,
                                    .forward = forward,  .backward = backward, .step = step,
                                    .learn = learn,      .predict = predict};
HN_PLUGIN(vrnn, HN_KIND_INFERENCE, Vrnn, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "A recurrent agent's latent with a learnt Gaussian posterior.",
          .source = "arXiv 2505.18591");
