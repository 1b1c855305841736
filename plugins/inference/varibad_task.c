/* varibad_task.c - VariBAD that also decodes the true task, and so is told it: in training only,
 * for beliefs never read it.  Source: the task decoder of arXiv 1910.08348's code. */
#include "varibad/varibad.h"
#define PARAMS(X) VARIBAD_PARAMS(X) VARIBAD_TASK_PARAMS(X)
HN_PARAMS(PARAMS);
#include "varibad/belief.c"
#include "varibad/elbo.c"

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Varibad *v = self;
  const HnThisParams *p = params;
  HnStatus status = create_model(v, host, params, spec);
  if (status) return status;
  if (spec->task_dim < 1) return host->fail(host, HN_E_SHAPE, "the environment's task is nothing");
  v->task = (Decoder){.weight = p->task_weight, .outputs = spec->task_dim};
  v->task_loss = p->task_loss;
  if ((status = make_decoder(v, &v->task, "task", p->task_layers, spec->rng))) return status;
  make_replay(v, spec, spec->task_dim);
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = believe,
                                    .learn = learn, .map = map};
HN_PLUGIN(varibad_task, HN_KIND_INFERENCE, Varibad, &methods, .version = "1.0", .license = "MIT",
          .flags = HN_PRIVILEGED, .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "VariBAD that learns to decode the true task too.",
          .source = "arXiv 1910.08348");
