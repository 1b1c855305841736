/* learn.c - one iteration's learning: moments, replay, and Adam on the evidence. */
#include "learn.h"
#include "anchors.h"
#include "evidence.h"
#include "model.h"
#include "scaling.h"
#include "whitening.h"
#include "worth.h"
#include <math.h>
#include <string.h>

void glibrl_confine_prior(const GlibrlModel *k) {
  const double low[2] = {1e-3, 1e-6}, high = 1e6;
  for (int i = 0; i < 2; i++)
    k->prior->data[i] = (float)fmin(fmax((double)k->prior->data[i], log(low[i])), log(high));
}

/* Reports an update over n steps. */
static void report(const Glibrl *g, double n, double norm2) {
  const HnHost *host = g->host;
  double sum[GLIBRL_STATS] = {0};
  for (int64_t i = 0; i < g->p->batch; i++)
    for (int s = 0; s < GLIBRL_STATS; s++) sum[s] += g->stats[i * GLIBRL_STATS + s];
  static const int32_t evidence[] = {glibrl_metric_evidence_transition,
                                     glibrl_metric_evidence_reward},
                       norm[] = {glibrl_metric_feature_norm_transition,
                                 glibrl_metric_feature_norm_reward},
                       saturated[] = {glibrl_metric_saturated_transition,
                                      glibrl_metric_saturated_reward},
                       xi[] = {glibrl_metric_xi_transition, glibrl_metric_xi_reward},
                       psi[] = {glibrl_metric_psi_transition, glibrl_metric_psi_reward};
  const GlibrlModel *model[] = {&g->transition, &g->reward};
  for (int w = glibrl_live_columns(g) ? 0 : 1; w < 2; w++) {
    host->metric(host, evidence[w], sum[GLIBRL_STAT_EVIDENCE + w] / n);
    host->metric(host, norm[w], sqrt(sum[GLIBRL_STAT_SQUARES + w] / n));
    host->metric(host, saturated[w], sum[GLIBRL_STAT_SATURATED + w] / n);
    host->metric(host, xi[w], exp((double)model[w]->prior->data[0]));
    host->metric(host, psi[w], exp((double)model[w]->prior->data[1]));
  }
  host->metric(host, glibrl_metric_grad_norm, sqrt(norm2));
  host->metric(host, glibrl_metric_potrf_retries, sum[GLIBRL_STAT_RETRIES]);
}

HnStatus glibrl_update(Glibrl *g, HnRng *rng) {
  const GlibrlParams *p = g->p;
  const HnTrialReplay *r = &g->replay;
  GlibrlBatch b = {.g = g};
  for (int64_t i = 0; i < p->batch; i++) {
    g->slot[i] = hn_trial_replay_draw(r, rng);
    b.steps += r->steps[g->slot[i]];
  }
  HnStatus status = g->host->parallel(g->host, p->batch, glibrl_train_trial, &b);
  if (status) return status;
  hn_store_reduce(&g->store, p->batch, g->flat);
  double norm2 = hn_store_norm2(&g->store);
  if (!isfinite(norm2))
    return g->host->fail(g->host, HN_E_NUMERIC, "the gradient of the evidence is not finite");
  HnAdam adam = {.lr = p->lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  hn_adam_step(&g->store, &adam, hn_clip_scale(norm2, p->max_grad_norm), 1);
  glibrl_confine_prior(&g->transition), glibrl_confine_prior(&g->reward);
  glibrl_average_weights(g);
  report(g, (double)b.steps, norm2);
  return HN_OK;
}

int64_t glibrl_planned_updates(const GlibrlParams *p, int64_t iteration) {
  if (p->updates_decay <= 0) return p->updates;
  const double first = (double)p->updates, last = (double)p->updates_final;
  return llround(last + (first - last) * exp(-(double)(iteration - 1) / p->updates_decay));
}

HnStatus glibrl_learn(void *self, const HnTrainBatch *l) {
  Glibrl *g = self;
  const HnHost *host = g->host;
  const GlibrlParams *p = g->p;
  hn_store_refresh(&g->store);
  for (int64_t k = 0; k < l->phases; k++) {
    HnStatus status = hn_trial_replay_append(&g->replay, l->phase[k]);
    if (status) return status;
    glibrl_update_moments(g, l->phase[k]);
  }
  glibrl_set_scale(g);
  host->metric(host, glibrl_metric_live_columns, (double)glibrl_live_columns(g));
  host->metric(host, glibrl_metric_trials, (double)hn_trial_replay_count(&g->replay));
  if (hn_trial_replay_count(&g->replay) < p->start) return HN_OK;
  const int64_t iteration = ++g->iterations[0], updates = glibrl_planned_updates(p, iteration);
  if (p->view == GLIBRL_VIEW_PREDICTIONS) glibrl_choose_anchors(g, iteration, l->rng);
  for (int64_t u = 0; u < updates; u++) {
    HnStatus status = glibrl_update(g, l->rng);
    if (status) return status;
  }
  if (updates) glibrl_report_features(g);
  if (p->view == GLIBRL_VIEW_PREDICTIONS) glibrl_update_anchors(g);
  return p->view == GLIBRL_VIEW_WHITENED ? glibrl_update_whitening(g, l->rng) : HN_OK;
}
