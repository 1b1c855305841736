/* Laplace VRNN: a posterior for a recurrent agent from its own curvature, while it learns or laid
 * over a deterministic one's weights afterwards (`recurrent` keeps the same tensors; there are none
 * of its own).
 *
 * z's mean is read out of the memory; its precision is the sum of what the Jacobians of one more
 * step, by the memory, say of the last inputs, and of what was known before.  Policies act on draws
 * of z; where a policy trains it, on its mean.
 *
 * Source: arXiv 2505.18591. */
#include "vrnn_tables.h"
#define PARAMS(X) VRNN_PARAMS(X) VRNN_BAYES_PARAMS(X) LAPLACE_PARAMS(X)
HN_PARAMS(PARAMS);
#define INFO(X) VRNN_INFO(X) VRNN_BAYES_INFO(X) LAPLACE_INFO(X)
HN_INFO(INFO);
HN_METRICS(VRNN_METRICS);
#include "laplace_posterior.h"
#include "vrnn_learn.h"

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Vrnn *m = self;
  const HnThisParams *p = params;
  HnStatus status = create_model(m, host, params, spec, 0, p->model_samples, p->beta);
  if (status) return status;
  Laplace *own = m->own = host->alloc(host, 1, sizeof *own);
  m->needs_gates = true, m->follows = p->track;
  own->keep = keep_of(m);
  make_gram(m, &own->gram, p->buffer);
  return finish(m, spec, own->keep.size);
}

/* As the family's, once the gates' products fit the weights. */
static HnStatus forward_fresh(void *self, HnBeliefUpdate *q) {
  const Vrnn *m = self;
  refresh_gram(m, &((const Laplace *)m->own)->gram);
  return forward(self, q);
}
static HnStatus step_fresh(void *self, double scale, double rate) {
  const Vrnn *m = self;
  HnStatus status = step(self, scale, rate);
  refresh_gram(m, &((const Laplace *)m->own)->gram);
  return status;
}
static HnStatus learn_fresh(void *self, const HnTrainBatch *l) {
  const Vrnn *m = self;
  refresh_gram(m, &((const Laplace *)m->own)->gram);
  HnStatus status = learn(self, l);
  refresh_gram(m, &((const Laplace *)m->own)->gram);
  return status;
}

static const HnInference methods = {
    sizeof(HnInference),  .create = create,   .infer = believe,     .forward = forward_fresh,
    .backward = backward, .step = step_fresh, .learn = learn_fresh, .predict = predict};
HN_PLUGIN(laplace_vrnn, HN_KIND_INFERENCE, Vrnn, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "A recurrent agent's latent with the posterior of its own curvature.",
          .source = "arXiv 2505.18591");
