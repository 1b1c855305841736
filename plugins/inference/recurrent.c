/* A deterministic recurrent agent: embedders, LSTM or GRU, and a bottleneck that is the belief,
 * with the tensors of laplace_vrnn and vrnn, so that their posteriors can be laid over what this
 * one has learnt.  z is its mean, with any number of samples.
 *
 * Source: the deterministic baseline of arXiv 2505.18591. */
#include "vrnn_tables.h"
HN_PARAMS(VRNN_PARAMS);
HN_INFO(VRNN_INFO);
HN_METRICS(VRNN_METRICS);
#include "vrnn_dirac.h"
#include "vrnn_learn.h"

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  HnStatus status = create_model(self, host, params, spec, 0, 0, 0);
  return status ? status : finish(self, spec, 0);
}

static const HnInference methods = {sizeof(HnInference), .create = create,     .infer = believe,
                                    .forward = forward,  .backward = backward, .step = step,
                                    .learn = learn,      .predict = predict};
HN_PLUGIN(recurrent, HN_KIND_INFERENCE, Vrnn, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "A recurrent memory read out as a point estimate of the latent.",
          .source = "arXiv 2505.18591");
