/* learn.c - VariBAD's updates in one iteration: see varibad.h. */
#include "elbo.h"
#include <math.h>

/* Trials of a shard: few, so that a batch keeps several workers busy, but enough for products that
 * are worth their while. */
static int64_t shard_size(int64_t trials) {
  int64_t half = (trials + 1) / 2;
  return half < 13 ? half : 13;
}

static HnStatus descend(Varibad *v, const VaribadBatch *b, int64_t shards) {
  const VaribadParams *p = v->p;
  const HnHost *host = v->host;
  const HnAdam adam = {.lr = p->lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  HnStore *store[] = {&v->encoder, &v->decoders};
  const double most[] = {p->encoder_max_grad_norm, p->decoder_max_grad_norm};
  const float *flat[] = {b->encoder_flat, b->decoder_flat};
  const int32_t metric[] = {varibad_metric_encoder_grad_norm, varibad_metric_decoder_grad_norm};
  for (int k = 0; k < 2; k++) {
    hn_store_reduce(store[k], shards, flat[k]);
    double norm2 = hn_store_norm2(store[k]);
    if (!isfinite(norm2))
      return host->fail(host, HN_E_NUMERIC, "the gradient of the evidence bound is not finite");
    hn_adam_step(store[k], &adam, hn_clip_scale(norm2, most[k]), 1);
    host->metric(host, metric[k], sqrt(norm2));
  }
  return HN_OK;
}

static void report(const Varibad *v, const VaribadBatch *b, int64_t shards) {
  static const int32_t metric[VARIBAD_PARTS] = {
      varibad_metric_kl,        varibad_metric_reward_loss, varibad_metric_state_loss,
      varibad_metric_task_loss, varibad_metric_gauss_loss,  varibad_metric_cat_loss,
      varibad_metric_occ_loss,  varibad_metric_ext_loss};
  const VaribadParams *p = v->p;
  const bool mixture = v->mixture.K > 1;
  const double weight[VARIBAD_PARTS] = {mixture ? 0 : p->kl_weight,
                                        v->reward.weight,
                                        v->state.weight,
                                        v->task.weight,
                                        mixture ? p->gauss_weight : 0,
                                        mixture ? p->cat_weight : 0,
                                        mixture ? p->occ_weight : 0,
                                        mixture ? p->dispersion_weight : 0};
  const HnHost *host = v->host;
  double loss = 0;
  for (int i = 0; i < VARIBAD_PARTS; i++) {
    double sum = 0;
    for (int64_t k = 0; k < shards; k++) sum += b->parts[k * VARIBAD_PARTS + i];
    loss += weight[i] * sum;
    if (weight[i] > 0) host->metric(host, metric[i], sum);
  }
  host->metric(host, varibad_metric_loss, loss);
}

static HnStatus update(Varibad *v, HnRng *rng, int64_t usable) {
  const HnHost *host = v->host;
  VaribadBatch b = {.v = v, .trials = usable < v->p->batch ? usable : v->p->batch};
  hn_trial_replay_draw_distinct(&v->replay, rng, usable, b.trials, v->slot);
  for (int64_t i = 0; i < b.trials; i++)
    if (v->replay.steps[v->slot[i]] > b.steps) b.steps = v->replay.steps[v->slot[i]];
  b.shard_size = shard_size(b.trials);
  int64_t shards = (b.trials + b.shard_size - 1) / b.shard_size;
  b.seed = hn_rng_u64(rng);
  b.encoder_flat = host->scratch(host, shards * v->encoder.size, sizeof(float));
  b.decoder_flat = host->scratch(host, shards * v->decoders.size, sizeof(float));
  b.parts = host->scratch(host, shards * VARIBAD_PARTS, sizeof *b.parts);
  HnStatus status = host->parallel(host, shards, varibad_train_shard, &b);
  if (!status) status = descend(v, &b, shards);
  if (!status) report(v, &b, shards);
  return status;
}

HnStatus varibad_train(Varibad *v, const HnTrainBatch *batch) {
  const VaribadParams *p = v->p;
  hn_store_refresh(&v->encoder), hn_store_refresh(&v->decoders);
  int64_t usable = hn_trial_replay_count(&v->replay), rows = v->replay.shape.rows;
  v->host->metric(v->host, varibad_metric_trials, (double)usable);
  if (p->lagged_buffer && usable < p->buffer) usable = usable > rows ? usable - rows : 0;
  if (!batch->iteration || batch->frames < p->start || !usable) return HN_OK;
  for (int64_t u = 0; u < p->updates; u++) {
    HnStatus status = update(v, batch->rng, usable);
    if (status) return status;
  }
  return HN_OK;
}

HnStatus varibad_learn(void *self, const HnTrainBatch *batch) {
  Varibad *v = self;
  for (int64_t k = 0; k < batch->phases; k++) {
    HnStatus status = hn_trial_replay_append(&v->replay, batch->phase[k]);
    if (status) return status;
  }
  return varibad_train(v, batch);
}
