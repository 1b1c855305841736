/* draws.c - see draws.h.  With features c that all draws of a row share, z that they do not, and
 * the first layer's weights W cut accordingly:
 *
 *   no norm      h = f(c W_c + z W_z + b)
 *   layer norm   h = f(((c - k) g W_c + (z - k) g W_z - (m - k) g W) / d + (e W + b))
 *
 * g and e are the norm's gain and bias, m and d mean and deviation of [c, z], and k the mean of c,
 * about which all is taken so that nothing cancels. */
#include "draws.h"
#include <hunch/kit/gemm.h>
#include <math.h>
#include <string.h>

/* Columns .. of what the trunks read: a block of numbers that a row's draws share, or not. */
typedef struct Block {
  int64_t at, width; /* first column, columns */
  const float *x;    /* [.., width], row stride ld */
  int64_t ld;
} Block;

typedef struct Draws {
  int64_t n, S, N; /* N: columns of all blocks */
  Block shared[2]; /* [n, ..]: the observation; the belief behind z; width 0: none */
  Block z;         /* [S, n, ..] */
} Draws;

bool draws_share(const ActorCritic *net, int64_t S) {
  return S > 1 && net->Z > 0 && !net->belief_embed.layers && net->actor.hidden.layers > 0 &&
         (net->O > 0 || net->Z < net->D);
}

static Draws draws_of(const ActorCritic *net, HnTape *t, const HnVar *obs, HnVar *const *belief,
                      int64_t S) {
  int64_t n = belief[0]->rows, O = obs ? obs->cols : 0, Z = net->Z, D = net->D;
  float *z = hn_tape_room(t, S * n * Z, sizeof *z);
  for (int64_t k = 0; k < S * n; k++)
    memcpy(z + k * Z, belief[k / n]->data + k % n * D, (size_t)Z * sizeof *z);
  return (Draws){
      .n = n,
      .S = S,
      .N = O + D,
      .shared = {{0, O, obs ? obs->data : NULL, O}, {O + Z, D - Z, belief[0]->data + Z, D}},
      .z = {O, Z, z, Z}};
}

/* y [rows, H] += x W of a block. */
static void add_product(int64_t rows, const Block *b, const HnTensor *w, float *y) {
  if (b->width)
    hn_gemm(rows, w->cols, b->width, b->x, b->ld, 1, w->data + b->at * w->cols, w->cols, 1, y,
            w->cols);
}

/* y [S n, H] = x W + b, given y's first rows [n, H] with the share of all draws. */
static void add_draws(const Draws *d, const Block *z, const HnTensor *w, float *y) {
  for (int64_t k = d->n; k < d->S * d->n; k += d->n)
    memcpy(y + k * w->cols, y, (size_t)(d->n * w->cols) * sizeof *y);
  add_product(d->S * d->n, z, w, y);
}

static void plain_layer(const Draws *d, const HnTensor *w, const HnTensor *b, float *y) {
  for (int64_t i = 0; i < d->n; i++) memcpy(y + i * w->cols, b->data, (size_t)w->cols * sizeof *y);
  for (int k = 0; k < 2; k++) add_product(d->n, &d->shared[k], w, y);
  add_draws(d, &d->z, w, y);
}

/* A copy of a block's rows, (x - k) g with a k for each; row r has that of r % n.  Adds up x - k
 * and its square. */
static Block centred(const Draws *d, HnTape *t, const Block *b, int64_t rows, const float *k,
                     const float *gain, double *sum, double *square) {
  float *y = hn_tape_room(t, rows * b->width, sizeof *y);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < b->width; j++) {
      float x = b->x[r * b->ld + j] - k[r % d->n];
      sum[r] += (double)x, square[r] += (double)x * (double)x;
      y[r * b->width + j] = x * gain[b->at + j];
    }
  return (Block){b->at, b->width, y, b->width};
}

/* The means of what each row's draws share. */
static float *shared_means(const Draws *d, HnTape *t) {
  float *mean = hn_tape_room(t, d->n, sizeof *mean);
  for (int64_t i = 0; i < d->n; i++) {
    double sum = 0;
    for (int k = 0; k < 2; k++)
      for (int64_t j = 0; j < d->shared[k].width; j++)
        sum += (double)d->shared[k].x[i * d->shared[k].ld + j];
    mean[i] = (float)(sum / (double)(d->N - d->z.width));
  }
  return mean;
}

static void normed_layer(const Draws *d, HnTape *t, const HnLayerNorm *norm, const HnTensor *w,
                         const HnTensor *b, float *y) {
  int64_t n = d->n, rows = d->S * n, H = w->cols;
  const float *mean = shared_means(d, t);
  memset(y, 0, (size_t)(n * H) * sizeof *y);
  double *sum = hn_tape_room(t, rows, sizeof *sum), *square = hn_tape_room(t, rows, sizeof *square);
  for (int k = 0; k < 2; k++) {
    const Block c = centred(d, t, &d->shared[k], n, mean, norm->gain->data, sum, square);
    add_product(n, &c, w, y);
  }
  for (int64_t r = n; r < rows; r++) sum[r] = sum[r % n], square[r] = square[r % n];
  const Block z = centred(d, t, &d->z, rows, mean, norm->gain->data, sum, square);
  add_draws(d, &z, w, y);

  float *gain = hn_tape_room(t, H, sizeof *gain), *bias = hn_tape_room(t, H, sizeof *bias);
  memcpy(bias, b->data, (size_t)H * sizeof *bias);
  hn_gemm(1, H, d->N, norm->gain->data, d->N, 1, w->data, H, 0, gain, H);
  hn_gemm(1, H, d->N, norm->bias->data, d->N, 1, w->data, H, 1, bias, H);
  for (int64_t r = 0; r < rows; r++) {
    const double shift = sum[r] / (double)d->N, spread = square[r] / (double)d->N - shift * shift;
    const float s = (float)shift, inverse = (float)(1 / sqrt(spread + (double)norm->eps));
    for (int64_t j = 0; j < H; j++) y[r * H + j] = (y[r * H + j] - s * gain[j]) * inverse + bias[j];
  }
}

/* What a trunk says of all draws, [S n, outputs]. */
static HnVar *run_trunk(const Draws *d, HnTape *t, const ActorCriticTrunk *trunk) {
  const HnMlp *hidden = &trunk->hidden;
  const HnTensor *w = hidden->w[0], *b = hidden->b[0];
  float *y = t->host->scratch(t->host, d->S * d->n * w->cols, sizeof *y);
  if (trunk->norm.gain)
    normed_layer(d, t, &trunk->norm, w, b, y);
  else
    plain_layer(d, w, b, y);
  HnVar *x = hn_constant(t, d->S * d->n, w->cols, y);
  x = hn_activate(t, x, hidden->layers > 1 ? hidden->hidden : hidden->output);
  return hn_mlp(t, &trunk->head, hn_mlp_from(t, hidden, 1, x, NULL), NULL);
}

static HnVar *draw(const Draws *d, HnTape *t, const HnVar *all, int64_t s) {
  return hn_constant(t, d->n, all->cols, all->data + s * d->n * all->cols);
}

Heads draws_forward(const ActorCritic *net, HnTape *t, HnVar *obs, HnVar *const *belief, int64_t S,
                    int asked) {
  Heads y = {.action = hn_tape_room(t, S, sizeof *y.action)};
  const Draws d = draws_of(net, t, obs, belief, S);
  if (asked & HEADS_ACTION) {
    HnVar *all = run_trunk(&d, t, &net->actor);
    if (net->p->squash == SQUASH_MEAN) all = hn_activate(t, all, HN_TANH);
    for (int64_t s = 0; s < S; s++) y.action[s] = draw(&d, t, all, s);
  }
  if (asked & HEADS_VALUE) {
    const HnVar *all = run_trunk(&d, t, &net->critic);
    for (int64_t s = 0; s < S; s++) {
      HnVar *value = draw(&d, t, all, s);
      y.value = y.value ? hn_add(t, y.value, value) : value;
    }
    y.value = hn_affine(t, y.value, 1 / (float)S, 0);
  }
  return y;
}
