/* mixture.c - see mixture.h. */
#include "mixture.h"
#include <math.h>

/* ---- networks ---- */

/* Layers of the widths in `text` between in and out, on store s. */
static HnStatus make_net(Varibad *v, HnStore *s, HnMlp *net, const char *name, const char *key,
                         const char *text, int64_t in, int64_t out, HnRng *rng) {
  int64_t width[HN_MLP_MAX + 1], count = hn_widths(text, HN_MLP_MAX - 1, width + 1);
  if (count < 0)
    return v->host->fail(v->host, HN_E_PARAM, "%s: '%s' is not 1 to %d widths, e.g. '64 32'", key,
                         text, HN_MLP_MAX - 1);
  width[0] = in, width[count + 1] = out;
  *net = hn_mlp_make(s, name, count + 1, width, HN_RELU, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, rng);
  return HN_OK;
}

HnStatus varibad_make_posterior(Varibad *v, HnRng *rng) {
  VaribadMixture *m = &v->mixture;
  const char *layers = v->p->head_layers;
  HnStatus status =
      make_net(v, &v->encoder, &m->subtask, "subtask", "head_layers", layers, v->hidden, m->K, rng);
  if (!status)
    status = make_net(v, &v->encoder, &m->latent, "latent", "head_layers", layers, v->hidden + m->K,
                      2 * v->d, rng);
  return status;
}

HnStatus varibad_make_prior(Varibad *v, HnRng *rng) {
  VaribadMixture *m = &v->mixture;
  m->prior = hn_mlp_make(&v->decoders, "prior", 1, (int64_t[]){m->K, 2 * v->d}, HN_LINEAR,
                         HN_LINEAR, HN_INIT_FAN_IN, 1, 1, rng);
  if (!(v->p->dispersion_weight > 0)) return HN_OK;
  return make_net(v, &v->decoders, &m->disperse, "disperse", "dispersion_layers",
                  v->p->dispersion_layers, v->d, v->hidden, rng);
}

/* ---- the posterior ---- */

void varibad_gumbel(HnRng *rng, int64_t K, float *noise) {
  for (int64_t k = 0; k < K; k++)
    noise[k] = (float)-log(-log(hn_rng_uniform(rng, 0, 1) + 1e-20) + 1e-20);
}

HnVar *varibad_logits(const Varibad *v, HnTape *t, HnVar *h, float *flat) {
  return hn_mlp(t, &v->mixture.subtask, h, flat);
}

HnVar *varibad_draw_subtask(const Varibad *v, HnTape *t, HnVar *logits, const float *noise) {
  HnVar *x = hn_add(t, logits, hn_constant(t, logits->rows, logits->cols, noise));
  return hn_softmax(t, hn_affine(t, x, (float)(1 / v->p->temperature), 0));
}

void varibad_latent_of(const Varibad *v, HnTape *t, HnVar *h, HnVar *y, float *flat,
                       VaribadPosterior *q) {
  HnVar *x = hn_mlp(t, &v->mixture.latent, hn_concat(t, 2, (HnVar *[]){h, y}), flat);
  q->y = y, q->mean = hn_columns(t, x, 0, v->d);
  q->variance = hn_softplus(t, hn_columns(t, x, v->d, v->d));
}

HnVar *varibad_draw_latent(HnTape *t, const VaribadPosterior *q, const float *noise) {
  HnVar *logvar = hn_log(t, hn_affine(t, q->variance, 1, VARIBAD_DRAW_FLOOR));
  return hn_normal_sample(t, q->mean, hn_affine(t, logvar, 0.5f, 0), noise);
}

/* ---- losses ---- */

/* Sum of x [n, cols], row i times scale * weight[i]. */
static HnVar *weigh(HnTape *t, HnVar *x, const float *weight, float scale) {
  float *w = hn_tape_room(t, x->rows * x->cols, sizeof *w);
  for (int64_t i = 0; i < x->rows * x->cols; i++) w[i] = scale * weight[i / x->cols];
  return hn_dot(t, x, w);
}

/* -2 ln N(z; mean, variance) of each number, but for ln 2 pi. */
static HnVar *surprise(HnTape *t, HnVar *z, HnVar *mean, HnVar *variance) {
  HnVar *logvar = hn_log(t, hn_affine(t, variance, 1, VARIBAD_LOGP_FLOOR));
  HnVar *square = hn_square(t, hn_sub(t, z, mean));
  return hn_add(t, logvar, hn_mul(t, square, hn_exp(t, hn_affine(t, logvar, -1, 0))));
}

HnVar *varibad_gauss_loss(HnTape *t, HnVar *z, HnVar *mean, HnVar *variance, HnVar *prior_mean,
                          HnVar *prior_variance, const float *weight) {
  HnVar *q = surprise(t, z, mean, variance), *p = surprise(t, z, prior_mean, prior_variance);
  return weigh(t, hn_sub(t, p, q), weight, 0.5f);
}

HnVar *varibad_cat_loss(HnTape *t, HnVar *logits, const float *weight) {
  HnVar *gap = hn_affine(t, hn_categorical_entropy(t, logits), -1, logf((float)logits->cols));
  return weigh(t, gap, weight, 1);
}

HnVar *varibad_occ_loss(HnTape *t, HnVar *y, const float *weight) {
  int64_t K = y->cols;
  float *w = hn_tape_room(t, y->rows * K, sizeof *w);
  for (int64_t i = 0; i < y->rows * K; i++)
    w[i] = weight[i / K] * (float)(log((double)K) * exp((double)(i % K + 1 - K)));
  return hn_dot(t, y, w);
}

HnVar *varibad_ext_loss(HnTape *t, const HnVar *h, HnVar *dispersed, const float *weight) {
  HnVar *error = hn_sub(t, dispersed, hn_stop(t, h));
  return weigh(t, hn_square(t, error), weight, 1 / (float)h->cols);
}
