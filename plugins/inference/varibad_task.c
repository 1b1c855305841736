/* varibad_task.c - VariBAD that also decodes the true task, and so is privileged: in training only,
 * for beliefs never read it.  Source: the task decoder of arXiv 1910.08348's code. */
#include "varibad/varibad.h"

#define PARAMS(X) VARIBAD_PARAMS(X) VARIBAD_TASK_PARAMS(X)
HN_PARAMS_OF(VaribadParams, PARAMS);
HN_INFO(VARIBAD_INFO);
HN_METRICS(VARIBAD_METRICS);

static const HnInference methods = {sizeof(HnInference), .create = varibad_create,
                                    .infer = varibad_infer, .learn = varibad_learn,
                                    .map = varibad_map};
HN_PLUGIN(varibad_task, HN_KIND_INFERENCE, Varibad, &methods, .version = "1.0", .license = "MIT",
          .flags = HN_PRIVILEGED, .info = hn_this_info, .metrics = hn_this_metrics,
          .renamed = VARIBAD_RENAMED, .summary = "VariBAD that learns to decode the true task too.",
          .source = "arXiv 1910.08348");
