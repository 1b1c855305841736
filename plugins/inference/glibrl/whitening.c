/* whitening.c - see whitening.h. */
#include "whitening.h"
#include "model.h"
#include "view.h"
#include <string.h>

enum { STEPS = 512 };

/* Added to the diagonal, relative to its sum, which bounds the largest eigenvalue: so a root can be
 * found however few directions the features have. */
static const double ridge = 1e-6;

static void keep_frame(const HnHost *host, GlibrlModel *k, const char *moment, const char *root) {
  const int64_t d = k->d;
  k->moment = host->keep(host, HN_ARRAY(moment, HN_LEARNER, HN_F64, .rank = 2, .dim = {d, d}));
  k->root = host->keep(host, HN_ARRAY(root, HN_WEIGHT, HN_F32, .rank = 2, .dim = {d, d}));
  for (int64_t i = 0; i < d; i++) k->root[i * d + i] = 1;
}

void glibrl_keep_whitening(Glibrl *g) {
  if (glibrl_policy_sees(g, &g->transition))
    keep_frame(g->host, &g->transition, "moment.transition", "root.transition");
  if (glibrl_policy_sees(g, &g->reward))
    keep_frame(g->host, &g->reward, "moment.reward", "root.reward");
}

/* moment = (1 - rate) moment + rate C'C / n, c [n, d]. */
static void renew_moment(const GlibrlModel *k, int64_t n, const float *c, double rate) {
  const int64_t d = k->d;
  for (int64_t j = 0; j < d * d; j++) k->moment[j] *= 1 - rate;
  for (int64_t i = 0; i < n; i++, c += d)
    for (int64_t j = 0; j < d; j++) {
      const double weight = rate / (double)n * (double)c[j];
      double *row = k->moment + j * d;
      for (int64_t l = 0; l < d; l++) row[l] += weight * (double)c[l];
    }
}

static HnStatus move_frame(const Glibrl *g, const GlibrlModel *k, const float *steps, double rate) {
  const HnHost *host = g->host;
  const int64_t d = k->d;
  double *a = host->scratch(host, d * d, sizeof *a),
         *root = host->scratch(host, d * d, sizeof *root);
  void *work = host->scratch(host, (int64_t)hn_nearest_root_size(d), 1);
  renew_moment(k, STEPS, glibrl_step_features(g, k, STEPS, steps), rate);
  double trace = 0;
  for (int64_t i = 0; i < d; i++) trace += k->moment[i * (d + 1)];
  for (int64_t i = 0; i < d * d; i++) {
    a[i] = k->moment[i] + (i % (d + 1) ? 0 : ridge * trace);
    root[i] = (double)k->root[i];
  }
  HnStatus status = hn_nearest_root(d, a, root, work);
  if (status) return host->fail(host, status, "view: whitened: features without a second moment");
  for (int64_t i = 0; i < d * d; i++) k->root[i] = (float)root[i];
  return HN_OK;
}

HnStatus glibrl_update_whitening(Glibrl *g, HnRng *rng) {
  const GlibrlModel *model[] = {&g->transition, &g->reward};
  const float *steps = glibrl_draw_steps(g, STEPS, rng);
  const double rate = g->iterations[0] == 1 ? 1 : g->p->whitening_rate;
  HnStatus status = HN_OK;
  for (int i = 0; i < 2 && !status; i++)
    if (model[i]->root) status = move_frame(g, model[i], steps, rate);
  return status;
}
