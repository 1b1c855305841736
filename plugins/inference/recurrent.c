/* A deterministic recurrent agent: embeddings, LSTM or GRU, and a bottleneck that is the belief,
 * with the tensors of laplace_vrnn and vrnn, so that their posteriors can be laid over what this
 * one has learnt.  z is its mean, with any number of samples.
 *
 * Source: the deterministic baseline of arXiv 2505.18591. */
#include "vrnn/posterior.h"
HN_PARAMS_OF(VrnnParams, VRNN_PARAMS);
HN_INFO(VRNN_INFO);
HN_METRICS(VRNN_METRICS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  return vrnn_create(self, host, params, spec, &vrnn_posterior_point, info_count);
}

static const HnInference methods = VRNN_METHODS(create);
HN_PLUGIN(recurrent, HN_KIND_INFERENCE, Vrnn, &methods, .version = "1.0", .license = "MIT",
          .flags = HN_IGNORES_BELIEF, .info = hn_this_info, .metrics = hn_this_metrics,
          .renamed = VRNN_RENAMED,
          .summary = "A recurrent memory read out as a point estimate of the latent.",
          .source = "arXiv 2505.18591");
