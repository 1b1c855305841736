/* mixture_elbo.c - the loss of a shard of trials under a mixture of subtasks, and its gradient.
 *
 * Posteriors are computed only at the times that were drawn, since none is the prior of another. */
#include "elbo.h"
#include "mixture.h"

/* The hidden state after x->time[k] steps and, if grad, where its gradient goes: state and grad of
 * the segment that has it; NULL before any step. */
typedef struct States {
  const VaribadShard *s;
  const VaribadSegment *segment;
  float **grad; /* [segments] of [count n, hidden] */
  int64_t cut;
} States;

static float *state_of(const States *x, int64_t k, bool grad) {
  const VaribadTerms *terms = &x->s->terms;
  int64_t step = terms->time[k] - 1;
  if (step < 0) return NULL;
  int64_t of = step / x->cut, at = step % x->cut * terms->n + k % terms->n;
  return (grad ? x->grad[of] : x->segment[of].states->data) + at * x->s->v->hidden;
}

/* Noise of every latent: Gumbel [K n, subtasks], normal [K n, d]. */
static void draw_noise(const VaribadShard *s, float *gumbel, float *normal) {
  const Varibad *v = s->v;
  int64_t n = s->terms.n, d = v->d, K = v->mixture.K;
  for (int64_t j = 0; j < n; j++)
    for (int64_t k = j; k < s->terms.K * n; k += n) {
      varibad_gumbel(&s->rng[j], K, gumbel + k * K);
      for (int64_t i = 0; i < d; i++)
        normal[k * d + i] = v->p->draw_latent ? (float)hn_rng_normal(&s->rng[j]) : 0;
    }
}

/* Adds weight times a part of the loss, [1, 1], to the sum (NULL: nothing yet); notes its value. */
static HnVar *add_part(HnTape *t, HnVar *sum, HnVar *part, double weight, double *value) {
  if (value) *value = (double)part->data[0];
  HnVar *x = hn_affine(t, part, (float)weight, 0);
  return sum ? hn_add(t, sum, x) : x;
}

/* What is added to the loss of decoders. */
static HnVar *regularise(const VaribadShard *s, HnTape *t, const VaribadPosterior *q, HnVar *z,
                         const float *weight, double *parts) {
  const Varibad *v = s->v;
  const VaribadParams *p = v->p;
  HnVar *prior = hn_mlp(t, &v->mixture.prior, q->y, s->decoder_flat), *sum = NULL;
  HnVar *mean = hn_columns(t, prior, 0, v->d);
  HnVar *variance = hn_softplus(t, hn_columns(t, prior, v->d, v->d));
  sum = add_part(t, sum, varibad_gauss_loss(t, z, q->mean, q->variance, mean, variance, weight),
                 p->gauss_weight, &parts[VARIBAD_PART_GAUSS]);
  sum = add_part(t, sum, varibad_cat_loss(t, q->logits, weight), p->cat_weight,
                 &parts[VARIBAD_PART_CAT]);
  return add_part(t, sum, varibad_occ_loss(t, q->y, weight), p->occ_weight,
                  &parts[VARIBAD_PART_OCC]);
}

/* Decodes from a copy of a variable, whose gradient then goes through hn_dot: returns that product,
 * of which the gradient by x is that of the decoders' losses. */
static HnVar *decode_from(const VaribadShard *s, HnTape *t, HnVar *x, bool reward, double *parts) {
  float *grad = varibad_zeros(s->v, x->rows * x->cols);
  HnTape own = hn_tape_begin(s->v->host, true);
  HnVar *copy = hn_leaf(&own, x->rows, x->cols, x->data, grad);
  if (reward)
    parts[VARIBAD_PART_REWARD] = varibad_decode_reward(&s->terms, copy, s->decoder_flat);
  else
    parts[VARIBAD_PART_STATE] = varibad_decode_state(&s->terms, copy, s->decoder_flat);
  return hn_dot(t, x, grad);
}

/* The loss on a tape, of hidden states h [K n, hidden] at the times drawn. */
static HnVar *loss_of(const VaribadShard *s, HnTape *t, HnVar *h, double *parts) {
  const Varibad *v = s->v;
  const VaribadTerms *x = &s->terms;
  int64_t rows = x->K * x->n;
  float *gumbel = v->host->scratch(v->host, rows * v->mixture.K, sizeof *gumbel);
  float *normal = v->host->scratch(v->host, rows * v->d, sizeof *normal);
  float *weight = v->host->scratch(v->host, rows, sizeof *weight);
  for (int64_t k = 0; k < rows; k++)
    weight[k] = x->time[k] > x->length[k % x->n] ? 0 : (float)x->weight[k % x->n];
  draw_noise(s, gumbel, normal);
  VaribadPosterior q = {.logits = varibad_logits(v, t, h, s->encoder_flat)};
  varibad_latent_of(v, t, h, varibad_draw_subtask(v, t, q.logits, gumbel), s->encoder_flat, &q);
  HnVar *z = varibad_draw_latent(t, &q, normal), *code = z;
  HnVar *sum = regularise(s, t, &q, z, weight, parts);
  if (v->mixture.disperse.layers) {
    code = hn_mlp(t, &v->mixture.disperse, z, s->decoder_flat);
    sum = add_part(t, sum, varibad_ext_loss(t, h, code, weight), v->p->dispersion_weight,
                   &parts[VARIBAD_PART_EXT]);
  }
  if (v->reward.net.layers) sum = hn_add(t, sum, decode_from(s, t, code, true, parts));
  if (v->state.net.layers) sum = hn_add(t, sum, decode_from(s, t, z, false, parts));
  return sum;
}

void varibad_mixture_shard(VaribadShard *s, int64_t count, VaribadSegment *segment, double *parts) {
  const Varibad *v = s->v;
  const HnHost *host = v->host;
  const VaribadTerms *x = &s->terms;
  int64_t rows = x->K * x->n, H = v->hidden;
  States states = {.s = s, .segment = segment, .cut = v->p->truncate ? v->p->truncate : x->T};
  states.grad = host->scratch(host, count, sizeof *states.grad);
  for (int64_t i = 0; i < count; i++)
    states.grad[i] = varibad_zeros(v, segment[i].count * x->n * H);
  float *h = varibad_zeros(v, rows * H), *dh = varibad_zeros(v, rows * H);
  for (int64_t k = 0; k < rows; k++)
    if (x->time[k]) memcpy(h + k * H, state_of(&states, k, false), (size_t)H * sizeof *h);
  HnTape t = hn_tape_begin(host, true);
  hn_tape_backward(&t, loss_of(s, &t, hn_leaf(&t, rows, H, h, dh), parts));
  for (int64_t k = 0; k < rows; k++) {
    float *to = state_of(&states, k, true);
    for (int64_t i = 0; to && i < H; i++) to[i] += dh[k * H + i];
  }
  for (int64_t i = count; i-- > 0;)
    hn_tape_backward_from(&segment[i].tape, segment[i].states, states.grad[i]);
}
