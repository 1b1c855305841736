/* actor.c - see actor.h. */
#include "actor.h"
#include <math.h>
#include <string.h>

enum { CHUNK = 512 }; /* whose activations stay in the second-level cache */

static void *room(const ActorCritic *net, int64_t count, size_t size) {
  return count > 0 ? net->host->scratch(net->host, count, size) : NULL;
}

int64_t actor_features(const ActorCritic *net) {
  return net->actor.head.w[0]->rows;
}
int64_t actor_head_size(const ActorCritic *net) {
  return (actor_features(net) + 1) * net->A;
}

Sample actor_sample(const ActorCritic *net, int64_t n) {
  const int64_t A = net->A;
  return (Sample){.n = n,
                  .obs = room(net, n * net->O, sizeof(float)),
                  .belief = room(net, n * net->D, sizeof(float)),
                  .action = net->discrete ? NULL : room(net, n * A, sizeof(float)),
                  .action_index = net->discrete ? room(net, n, sizeof(int32_t)) : NULL,
                  .advantage = room(net, n, sizeof(float)),
                  .logp = room(net, n, sizeof(float)),
                  .head = room(net, n * A, sizeof(float)),
                  .logstd = net->discrete ? NULL : room(net, A, sizeof(float))};
}

Sample actor_part(const ActorCritic *net, const Sample *s, int64_t from, int64_t count) {
  Sample part = *s;
  part.n = count, part.offsets = 0;
  if (s->obs) part.obs += from * net->O;
  if (s->belief) part.belief += from * net->D;
  if (s->action) part.action += from * net->A;
  if (s->action_index) part.action_index += from;
  part.advantage += from, part.logp += from, part.head += from * net->A;
  return part;
}

/* ---- a chunk of a sample on a tape ---- */

typedef struct Pass {
  const Actor *a;
  const float *weights;
  HnReuse *memory, own; /* chunks use the same memory */
  ActorCritic view;
  HnTape t;
  Sample part;
  Heads heads;
} Pass;

/* Must not move. */
static void pass_begin(Pass *x, const Actor *a, const float *weights) {
  x->a = a, x->weights = weights;
  x->memory = a->memory ? a->memory : &x->own;
  if (!a->memory) hn_reuse_begin(&x->own, a->net->host, NULL, 0);
  actor_critic_view(a->net, &x->view);
  actor_critic_view_weights(&x->view, weights);
}

/* Which of the sample's heads acts at step `from`. */
static HeadOffset offset_at(const Sample *s, int64_t from) {
  for (int64_t k = 0; k < s->offsets; k++)
    if (from < s->offset[k].end) return s->offset[k];
  return (HeadOffset){s->n, NULL};
}

/* Lets the view read the weights' own head plus the offset, on this tape. */
static void move_head(Pass *x, const float *offset) {
  const ActorCritic *net = x->a->net;
  HnTensor *own[] = {net->actor.head.w[0], net->actor.head.b[0]};
  HnTensor *moved[] = {x->view.actor.head.w[0], x->view.actor.head.b[0]};
  for (int k = 0; k < 2; k++) {
    const int64_t n = own[k]->rows * own[k]->cols;
    const float *from = x->weights + own[k]->offset;
    float *to = moved[k]->data = hn_tape_room(&x->t, n, sizeof *to);
    for (int64_t j = 0; j < n; j++) to[j] = from[j] + (offset ? *offset++ : 0);
  }
}

/* Runs the actor on the steps from `from` on; false: there are none.  flat: as in
 * actor_critic_forward. */
static bool pass_next(Pass *x, const Sample *s, int64_t from, float *flat) {
  const ActorCritic *net = x->a->net;
  if (from >= s->n) return false;
  const HeadOffset own = offset_at(s, from);
  const int64_t n = own.end - from < CHUNK ? own.end - from : CHUNK;
  x->part = actor_part(net, s, from, n);
  hn_reuse_reset(x->memory);
  x->t = hn_tape_begin(&x->memory->host, flat != NULL);
  if (s->offsets) move_head(x, own.offset);
  HnVar *obs = net->O > 0 ? hn_constant(&x->t, n, net->O, x->part.obs) : NULL;
  HnVar *belief = net->D > 0 ? hn_constant(&x->t, n, net->D, x->part.belief) : NULL;
  x->heads = actor_critic_forward(&x->view, &x->t, obs, &belief, 1, HEADS_ACTION, flat);
  return true;
}

static HnVar *log_density(Pass *x) {
  const Mixture policy = {.heads = &x->heads,
                          .S = 1,
                          .A = x->a->net->A,
                          .squash = x->a->net->p->squash == SQUASH_SAMPLE};
  return mixture_logp(&policy, &x->t, x->part.action_index, x->part.action);
}

/* KL(acted || now), [n, 1].  Squashing changes no divergence. */
static HnVar *divergence(Pass *x) {
  const int64_t A = x->a->net->A;
  HnVar *acted = hn_constant(&x->t, x->part.n, A, x->part.head);
  if (x->a->net->discrete) return hn_categorical_kl(&x->t, acted, x->heads.action[0]);
  HnVar *logstd = hn_constant(&x->t, 1, A, x->part.logstd);
  return hn_normal_kl(&x->t, acted, logstd, x->heads.action[0], x->heads.logstd);
}

static HnVar *ratio_of(Pass *x) {
  HnVar *acted = hn_constant(&x->t, x->part.n, 1, x->part.logp);
  return hn_exp(&x->t, hn_sub(&x->t, log_density(x), acted));
}

/* The sum over the chunk of the gain that a loss is the negative of, given the ratios. */
static HnVar *surrogate(Pass *x, HnVar *ratio, bool clipped) {
  HnTape *t = &x->t;
  if (!clipped) return hn_dot(t, ratio, x->part.advantage);
  const float eps = (float)x->a->clip_range;
  HnVar *advantage = hn_constant(t, x->part.n, 1, x->part.advantage);
  HnVar *near = hn_clamp(t, ratio, 1 - eps, 1 + eps);
  return hn_sum(t, hn_min(t, hn_mul(t, ratio, advantage), hn_mul(t, near, advantage)));
}

/* The chunk's part of scale times the loss's sum. */
static HnVar *loss_of(Pass *x, ActorLoss loss, double scale) {
  HnTape *t = &x->t;
  switch (loss) {
  case LOSS_LOGP:
    return hn_affine(t, hn_dot(t, log_density(x), x->part.advantage), (float)-scale, 0);
  case LOSS_KL:
    return hn_affine(t, hn_sum(t, divergence(x)), (float)scale, 0);
  default:
    return hn_affine(t, surrogate(x, ratio_of(x), loss == LOSS_CLIP), (float)-scale, 0);
  }
}

/* ---- what is asked ---- */

void actor_remember(const Actor *a, const float *weights, Sample *s) {
  Pass x;
  pass_begin(&x, a, weights);
  const size_t A = (size_t)a->net->A;
  for (int64_t from = 0; pass_next(&x, s, from, NULL); from += x.part.n) {
    const size_t n = (size_t)x.part.n;
    memcpy(x.part.head, x.heads.action[0]->data, n * A * sizeof(float));
    memcpy(x.part.logp, log_density(&x)->data, n * sizeof(float));
    if (s->logstd) memcpy(s->logstd, x.heads.logstd->data, A * sizeof(float));
  }
}

void actor_read_heads(const Actor *a, const float *weights, const Sample *s, float *features,
                      float *head, float *logstd) {
  Pass x;
  pass_begin(&x, a, weights);
  const int64_t A = a->net->A, F = actor_features(a->net);
  for (int64_t from = 0; pass_next(&x, s, from, NULL); from += x.part.n) {
    const size_t n = (size_t)x.part.n;
    memcpy(features + from * F, x.heads.features->data, n * (size_t)F * sizeof *features);
    memcpy(head + from * A, x.heads.action[0]->data, n * (size_t)A * sizeof *head);
    if (x.heads.logstd) memcpy(logstd, x.heads.logstd->data, (size_t)A * sizeof *logstd);
  }
}

void actor_gradient(const Actor *a, const float *weights, const Sample *s, ActorLoss loss,
                    double weight, float *grad) {
  Pass x;
  pass_begin(&x, a, weights);
  for (int64_t from = 0; pass_next(&x, s, from, grad); from += x.part.n)
    hn_tape_backward(&x.t, loss_of(&x, loss, weight / (double)s->n));
}

void actor_hessian_product(const Actor *a, const float *weights, const Sample *s, ActorLoss loss,
                           const float *v, double weight, float *out) {
  Pass x;
  pass_begin(&x, a, weights);
  const HnTangent d = {.size = a->net->store.size, .base = out, .v = v};
  for (int64_t from = 0; pass_next(&x, s, from, out); from += x.part.n)
    hn_tape_hvp(&x.t, loss_of(&x, loss, weight / (double)s->n), d);
}

/* Row by row (diag(p) - p p') u for p the softmax of logit, all [n, A]. */
static void weigh_categorical(int64_t n, int64_t A, const float *logit, const float *u,
                              double scale, float *weighed) {
  for (int64_t i = 0; i < n; i++, logit += A, u += A, weighed += A) {
    double top = (double)logit[0], sum = 0, mean = 0;
    for (int64_t k = 1; k < A; k++) top = fmax(top, (double)logit[k]);
    for (int64_t k = 0; k < A; k++) sum += exp((double)logit[k] - top);
    for (int64_t k = 0; k < A; k++) mean += exp((double)logit[k] - top) / sum * (double)u[k];
    for (int64_t k = 0; k < A; k++)
      weighed[k] = (float)(scale * exp((double)logit[k] - top) / sum * ((double)u[k] - mean));
  }
}

/* Row by row u / sigma^2. */
static void weigh_normal(int64_t n, int64_t A, const float *logstd, const float *u, double scale,
                         float *weighed) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < A; k++)
      weighed[i * A + k] = (float)(scale * exp(-2 * (double)logstd[k]) * (double)u[i * A + k]);
}

/* A function whose gradient is the chunk's part of the product. */
static HnVar *fisher_slope(Pass *x, HnTangent d, double scale) {
  HnTape *t = &x->t;
  const int64_t n = x->part.n, A = x->a->net->A;
  HnVar *head = x->heads.action[0], *logstd = x->heads.logstd;
  const HnVar *u = hn_tape_jvp(t, head, d);
  float *weighed = hn_tape_room(t, n * A, sizeof *weighed);
  if (u && logstd) weigh_normal(n, A, logstd->data, u->data, scale, weighed);
  if (u && !logstd) weigh_categorical(n, A, head->data, u->data, scale, weighed);
  HnVar *slope = hn_dot(t, head, weighed);
  const HnVar *w = logstd && logstd->jvp == t->jvps ? logstd->tangent : NULL; /* of the same pass */
  if (!w) return slope;
  float *twice = hn_tape_room(t, A, sizeof *twice);
  for (int64_t k = 0; k < A; k++) twice[k] = (float)(2 * scale * (double)n * (double)w->data[k]);
  return hn_add(t, slope, hn_dot(t, logstd, twice));
}

void actor_fisher_product(const Actor *a, const float *weights, const Sample *s, const float *v,
                          float *out) {
  Pass x;
  pass_begin(&x, a, weights);
  memset(out, 0, (size_t)a->net->store.size * sizeof *out);
  const HnTangent d = {.size = a->net->store.size, .base = out, .v = v};
  for (int64_t from = 0; pass_next(&x, s, from, out); from += x.part.n)
    hn_tape_backward(&x.t, fisher_slope(&x, d, 1 / (double)s->n));
}

ActorValue actor_value(const Actor *a, const float *weights, const Sample *s, bool clipped) {
  Pass x;
  ActorValue sum = {0, 0, 0};
  const double n = (double)s->n;
  pass_begin(&x, a, weights);
  for (int64_t from = 0; pass_next(&x, s, from, NULL); from += x.part.n) {
    HnVar *ratio = ratio_of(&x);
    const HnVar *gain = surrogate(&x, ratio, clipped), *kl = hn_sum(&x.t, divergence(&x));
    sum.loss -= (double)gain->data[0] / n, sum.kl += (double)kl->data[0] / n;
    for (int64_t i = 0; i < x.part.n; i++)
      sum.clipped += fabs((double)ratio->data[i] - 1) > a->clip_range ? 1 / n : 0;
  }
  return sum;
}

double actor_entropy(const Actor *a, const Sample *s) {
  const int64_t A = a->net->A;
  double sum = 0;
  if (s->logstd) {
    for (int64_t k = 0; k < A; k++)
      sum += (double)s->logstd[k] + 1.41893853320467274178; /* log(2 pi e) / 2 */
    return sum;
  }
  for (int64_t i = 0; i < s->n; i++) {
    const float *logit = s->head + i * A;
    double top = (double)logit[0], total = 0, mean = 0;
    for (int64_t k = 1; k < A; k++) top = fmax(top, (double)logit[k]);
    for (int64_t k = 0; k < A; k++) total += exp((double)logit[k] - top);
    for (int64_t k = 0; k < A; k++)
      mean += exp((double)logit[k] - top) / total * ((double)logit[k] - top);
    sum += (log(total) - mean) / (double)s->n;
  }
  return sum;
}
