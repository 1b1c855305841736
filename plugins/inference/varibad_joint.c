/* varibad_joint.c - VariBAD whose encoder is trained by the policy's loss too: minibatches of
 * sequences, through the belief and back through time.  With reward_weight, state_weight and
 * kl_weight at 0 only the policy trains it.  Source: the ablation in arXiv 1910.08348. */
#include "varibad/varibad.h"
HN_PARAMS(VARIBAD_PARAMS);
#include "varibad/belief.c"
#include "varibad/elbo.c"

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  HnStatus status = create_model(self, host, params, spec);
  if (!status) make_replay(self, spec, 0);
  return status;
}

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  Varibad *v = self;
  hn_store_refresh(&v->encoder); /* the policy learns first, after a resume too */
  return think(v, q, &v->memo);
}

/* d(belief) to d(moments), [(T+1) B, 2 d]: draws, if any, moved with both. */
static float *moments_back(const Varibad *v, const HnBeliefUpdate *q, const float *d_belief) {
  int64_t n = v->memo.belief->rows, d = v->d, S = q->samples, draws = S > 0 ? S : 1;
  float *g = v->host->scratch(v->host, n * 2 * d, sizeof *g);
  memset(g, 0, (size_t)(n * 2 * d) * sizeof *g);
  for (int64_t k = 0; k < n * draws; k++) {
    float *to = g + k / draws * 2 * d;
    const float *from = d_belief + k * v->belief_dim;
    const float *m = v->memo.belief->data + k / draws * 2 * d;
    for (int64_t j = 0; j < v->belief_dim; j++) to[j] += from[j];
    for (int64_t j = 0; S > 0 && j < d; j++)
      to[d + j] += 0.5f * from[j] * expf(0.5f * m[d + j]) * v->memo.noise[k * d + j];
  }
  return g;
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  Varibad *v = self;
  Memo *m = &v->memo;
  const HnHistory *h = q->history;
  hn_tape_backward_from(&m->head, m->belief, moments_back(v, q, d_belief));
  for (int64_t k = 0; k < m->h->rows; k++) /* where a task begins, nothing came before */
    if (h->begin[k] == HN_NEW_TASK)
      memset(m->h->grad + k * v->hidden, 0, (size_t)v->hidden * sizeof(float));
  hn_tape_backward_from(&m->unroll, m->y, m->h->grad);
  hn_store_reduce(&v->encoder, 1, m->flat);
  if (norm2) *norm2 = hn_store_norm2(&v->encoder);
  return HN_OK;
}

static HnStatus step(void *self, double scale, double rate) {
  Varibad *v = self;
  const HnAdam adam = {.lr = v->p->lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  hn_adam_step(&v->encoder, &adam, scale, rate);
  return HN_OK;
}

static const HnInference methods = {
    sizeof(HnInference),  .create = create, .infer = believe, .forward = forward,
    .backward = backward, .step = step,     .learn = learn,   .map = map};
HN_PLUGIN(varibad_joint, HN_KIND_INFERENCE, Varibad, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "VariBAD whose encoder is trained by the policy's loss too.",
          .source = "arXiv 1910.08348");
