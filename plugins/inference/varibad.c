/* VariBAD: a recurrent encoder turns experience into a Gaussian over a latent, and is trained so
 * that its belief at every time explains the whole trial, past and future.
 *
 * The belief is that Gaussian, mean then log-variance.  No gradient of the policy reaches it; the
 * variant varibad_joint lets it through.  Every term of the evidence bound may be left out, drawn
 * or averaged; the defaults are those of the paper's MuJoCo environments.  The reference code's
 * defects are settings, off by default, except one that the host's contract rules out: it encodes
 * the last step of a task into the belief about the next.
 *
 * Source: Zintgraf et al. 2020, arXiv 1910.08348. */
#include "varibad/varibad.h"

HN_PARAMS_OF(VaribadParams, VARIBAD_PARAMS);
HN_INFO(VARIBAD_INFO);
HN_METRICS(VARIBAD_METRICS);

static const HnInference methods = {sizeof(HnInference), .create = varibad_create,
                                    .infer = varibad_infer, .learn = varibad_learn,
                                    .map = varibad_map};
HN_PLUGIN(
    varibad, HN_KIND_INFERENCE, Varibad, &methods, .version = "1.0", .license = "MIT",
    .info = hn_this_info, .metrics = hn_this_metrics, .renamed = VARIBAD_RENAMED,
    .summary = "Recurrent variational posterior over a latent task, trained to decode trials.",
    .source = "arXiv 1910.08348");
