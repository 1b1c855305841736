/* nn.c - named parameters, their initial values, and layers made of them. */
#include "hunch/kit/nn.h"
#include "store_chunks.h"
#include "tape_record.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- initial values ---- */

/* In eight running sums, so that the compiler may use vectors. */
static double dot(int64_t n, const double *x, const double *y) {
  double sum[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int l = 0; l < 8; l++) sum[l] += x[i + l] * y[i + l];
  for (; i < n; i++) sum[0] += x[i] * y[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* Makes the rows of q [count, n], count <= n, orthonormal by Gram-Schmidt, done twice because once
 * loses orthogonality. */
static void orthonormalise(int64_t count, int64_t n, double *q) {
  for (int64_t j = 0; j < count; j++) {
    double *x = q + j * n;
    for (int64_t k = 0; k < 2 * j; k++) {
      const double *y = q + k % j * n, share = dot(n, x, y);
      for (int64_t i = 0; i < n; i++) x[i] -= share * y[i];
    }
    const double scale = 1 / sqrt(dot(n, x, x));
    for (int64_t i = 0; i < n; i++) x[i] *= scale;
  }
}

/* Orthonormal rows of a wide matrix, columns of a tall one, times gain; ld: of x. */
static void orthogonal(const HnHost *host, int64_t rows, int64_t cols, float *x, int64_t ld,
                       double gain, HnRng *rng) {
  const bool wide = cols > rows;
  const int64_t count = wide ? rows : cols, n = wide ? cols : rows;
  double *q = host->scratch(host, count * n, sizeof *q);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < count; j++) q[j * n + i] = hn_rng_normal(rng);
  orthonormalise(count, n, q);
  for (int64_t j = 0; j < count; j++)
    for (int64_t i = 0; i < n; i++)
      x[wide ? j * ld + i : i * ld + j] = (float)(gain * q[j * n + i]);
}

static void orthogonal_each(const HnHost *host, HnTensor *p, double gain, HnRng *rng) {
  if (p->cols % p->rows)
    hn_bug("%s: %lld columns are no blocks of %lld", p->name, (long long)p->cols,
           (long long)p->rows);
  for (int64_t at = 0; at < p->cols; at += p->rows)
    orthogonal(host, p->rows, p->rows, p->data + at, p->cols, gain, rng);
}

static void normc(HnTensor *p, double gain, HnRng *rng) {
  for (int64_t i = 0; i < p->rows * p->cols; i++) p->data[i] = (float)hn_rng_normal(rng);
  for (int64_t j = 0; j < p->cols; j++) {
    double norm2 = 0;
    for (int64_t i = 0; i < p->rows; i++)
      norm2 += (double)p->data[i * p->cols + j] * (double)p->data[i * p->cols + j];
    for (int64_t i = 0; i < p->rows; i++) p->data[i * p->cols + j] *= (float)(gain / sqrt(norm2));
  }
}

static void uniform(HnTensor *p, double bound, HnRng *rng) {
  for (int64_t i = 0; i < p->rows * p->cols; i++)
    p->data[i] = (float)hn_rng_uniform(rng, -bound, bound);
}

/* Scaled so that the variance is 1 / rows after the cut (Klambauer et al. 2017, as Flax has it). */
static void lecun(HnTensor *p, double gain, HnRng *rng) {
  const double cut_stddev = 0.87962566103423978; /* of a standard normal within +-2 */
  const double scale = gain / sqrt((double)p->rows) / cut_stddev;
  for (int64_t i = 0; i < p->rows * p->cols; i++) {
    double x = hn_rng_normal(rng);
    while (fabs(x) > 2) x = hn_rng_normal(rng);
    p->data[i] = (float)(scale * x);
  }
}

static void fill(const HnHost *host, HnTensor *p, HnInit init, double gain, HnRng *rng) {
  if (init == HN_INIT_ORTHOGONAL)
    orthogonal(host, p->rows, p->cols, p->data, p->cols, gain, rng);
  else if (init == HN_INIT_ORTHOGONAL_EACH)
    orthogonal_each(host, p, gain, rng);
  else if (init == HN_INIT_FAN_IN)
    uniform(p, gain / sqrt((double)p->rows), rng);
  else if (init == HN_INIT_NORMC)
    normc(p, gain, rng);
  else if (init == HN_INIT_LECUN)
    lecun(p, gain, rng);
  else if (init == HN_INIT_XAVIER)
    uniform(p, gain * sqrt(6 / (double)(p->rows + p->cols)), rng);
  else if (init == HN_INIT_NORMAL)
    for (int64_t i = 0; i < p->rows * p->cols; i++) p->data[i] = (float)(gain * hn_rng_normal(rng));
  else if (init == HN_INIT_CONSTANT)
    for (int64_t i = 0; i < p->rows * p->cols; i++) p->data[i] = (float)gain;
}

/* ---- parameters ---- */

/* "prefix" "name" "suffix", for the life of the instance. */
static const char *join(const HnHost *host, const char *prefix, const char *name,
                        const char *suffix) {
  const size_t size = strlen(prefix) + strlen(name) + strlen(suffix) + 1;
  char *text = host->alloc(host, (int64_t)size, 1);
  snprintf(text, size, "%s%s%s", prefix, name, suffix);
  return text;
}

void hn_store_begin(HnStore *s, const HnHost *host, const char *prefix) {
  *s = (HnStore){.host = host, .prefix = join(host, prefix, "", "")};
  s->clock = host->keep(host, HN_ARRAY(join(host, prefix, "clock", ""), HN_LEARNER, HN_I64,
                                       .rank = 1, .dim = {1}, .end = INT64_MAX));
}

void hn_store_begin_target(HnStore *s, const HnHost *host, const char *prefix) {
  *s = (HnStore){.host = host, .prefix = join(host, prefix, "", "")};
}

static float *keep_floats(const HnHost *host, const HnTensor *p, const char *suffix) {
  return host->keep(host, HN_ARRAY(join(host, p->name, suffix, ""), HN_LEARNER, HN_F32, .rank = 2,
                                   .dim = {p->rows, p->cols}));
}

HnTensor *hn_store_add(HnStore *s, const char *name, int64_t rows, int64_t cols, HnInit init,
                       double gain, HnRng *rng) {
  const HnHost *host = s->host;
  if (s->count == HN_STORE_MAX) hn_bug("a store holds %d tensors, no more", (int)HN_STORE_MAX);
  HnTensor *p = &s->tensor[s->count++];
  *p = (HnTensor){
      .name = join(host, s->prefix, name, ""), .rows = rows, .cols = cols, .offset = s->size};
  s->size += (rows * cols + 15) / 16 * 16; /* tensors start on cache lines */
  if (s->clock) {
    p->data = host->keep(host, HN_ARRAY(p->name, HN_WEIGHT, HN_F32, .rank = 2, .dim = {rows, cols},
                                        .grad = &p->grad));
    p->m1 = keep_floats(host, p, ".m1"), p->m2 = keep_floats(host, p, ".m2");
  } else
    p->data = keep_floats(host, p, ""); /* a target */
  /* a single row or column is its own transpose */
  p->flip = rows == 1 || cols == 1 ? p->data : host->alloc(host, rows * cols, sizeof(float));
  fill(host, p, init, gain, rng);
  if (p->flip != p->data) hn_transpose(rows, cols, p->data, p->flip);
  return p;
}

float *hn_store_flat(const HnStore *s, int64_t shards) {
  float *flat = s->host->scratch(s->host, shards * s->size, sizeof(float));
  memset(flat, 0, (size_t)(shards * s->size) * sizeof(float));
  return flat;
}

/* ---- one parameter at a time ---- */

/* Elements of a task: 64 KB, so that a chunk's gradient stays in the cache while shards are added
 * to it.  Of fewer than LEAST elements waking a worker would cost more than it saves. */
enum { CHUNK = 1 << 14, LEAST = 4 * CHUNK };

typedef struct Each {
  const HnStore *s;
  HnChunk *on;
  const void *arg;
} Each;

static int64_t chunks_of(const HnTensor *p) {
  return (p->rows * p->cols + CHUNK - 1) / CHUNK;
}

static HnStatus run_chunk(void *arg, int64_t k) {
  const Each *e = arg;
  const HnTensor *p = e->s->tensor;
  while (k >= chunks_of(p)) k -= chunks_of(p++);
  const int64_t left = p->rows * p->cols - k * CHUNK;
  e->on(e->arg, p, k * CHUNK, left < CHUNK ? left : CHUNK);
  return HN_OK;
}

/* on(arg, 0) .. on(arg, count - 1), in tasks where the store is large. */
static void run_all(const HnStore *s, int64_t count, HnTask *on, void *arg) {
  if (s->size >= LEAST)
    s->host->parallel(s->host, count, on, arg);
  else
    for (int64_t i = 0; i < count; i++) on(arg, i);
}

void hn_store_each(const HnStore *s, HnChunk *on, const void *arg) {
  int64_t chunks = 0;
  for (int64_t i = 0; i < s->count; i++) chunks += chunks_of(&s->tensor[i]);
  run_all(s, chunks, run_chunk, &(Each){s, on, arg});
}

static HnStatus refresh_tensor(void *arg, int64_t i) {
  const HnTensor *p = (const HnTensor *)arg + i;
  if (p->flip != p->data) hn_transpose(p->rows, p->cols, p->data, p->flip);
  return HN_OK;
}

void hn_store_refresh(HnStore *s) {
  run_all(s, s->count, refresh_tensor, s->tensor);
}

typedef struct Shards {
  int64_t count, size;
  const float *flat;
} Shards;

static void add_shards(const void *arg, const HnTensor *p, int64_t from, int64_t count) {
  const Shards *x = arg;
  for (int64_t k = 0; k < x->count; k++)
    hn_kernels()->add(count, x->flat + k * x->size + p->offset + from, p->grad + from);
}

void hn_store_reduce(HnStore *s, int64_t shards, const float *flat) {
  hn_store_each(s, add_shards, &(Shards){shards, s->size, flat});
}

typedef struct Norms {
  const HnTensor *tensor;
  double *square; /* of each tensor */
} Norms;

static HnStatus norm_of(void *arg, int64_t i) {
  const Norms *x = arg;
  const HnTensor *p = &x->tensor[i];
  x->square[i] = hn_vec_norm2(p->rows * p->cols, p->grad);
  return HN_OK;
}

double hn_store_norm2(const HnStore *s) {
  double square[HN_STORE_MAX], sum = 0;
  run_all(s, s->count, norm_of, &(Norms){s->tensor, square});
  for (int64_t i = 0; i < s->count; i++) sum += square[i];
  return sum;
}

static void clamp_chunk(const void *bound, const HnTensor *p, int64_t from, int64_t count) {
  const float most = *(const float *)bound;
  float *g = p->grad + from;
  for (int64_t k = 0; k < count; k++) g[k] = g[k] > most ? most : g[k] < -most ? -most : g[k];
}

void hn_store_clamp(HnStore *s, double bound) {
  const float most = (float)bound;
  if (bound > 0) hn_store_each(s, clamp_chunk, &most);
}

typedef struct Mix {
  const HnStore *target, *online;
  double tau;
} Mix;

static void mix_chunk(const void *arg, const HnTensor *to, int64_t from, int64_t count) {
  const Mix *x = arg;
  const double tau = x->tau;
  const float *online = x->online->tensor[to - x->target->tensor].data + from;
  float *target = to->data + from;
  for (int64_t k = 0; k < count; k++)
    target[k] = (float)((1 - tau) * (double)target[k] + tau * (double)online[k]);
}

void hn_store_mix(HnStore *target, const HnStore *online, double tau) {
  if (target->count != online->count || target->size != online->size)
    hn_bug("hn_store_mix: %lld tensors cannot follow %lld others", (long long)target->count,
           (long long)online->count);
  hn_store_each(target, mix_chunk, &(Mix){target, online, tau});
  hn_store_refresh(target);
}

HnVar *hn_param(HnTape *t, const HnTensor *p, float *flat) {
  HnVar *v = hn_leaf(t, p->rows, p->cols, p->data, flat ? flat + p->offset : NULL);
  v->flip = p->flip;
  return v;
}

/* ---- layers ---- */

HnMlp hn_mlp_make(HnStore *s, const char *name, int64_t layers, const int64_t *width,
                  HnActivation hidden, HnActivation output, HnInit init, double gain,
                  double output_gain, HnRng *rng) {
  if (layers < 1 || layers > HN_MLP_MAX)
    hn_bug("hn_mlp_make: %lld layers, where 1 to %d are possible", (long long)layers,
           (int)HN_MLP_MAX);
  HnMlp mlp = {.layers = layers, .hidden = hidden, .output = output};
  for (int64_t i = 0; i < layers; i++) {
    char text[256];
    const double g = i + 1 == layers ? output_gain : gain;
    snprintf(text, sizeof text, "%s.%lld.weight", name, (long long)i);
    mlp.w[i] = hn_store_add(s, text, width[i], width[i + 1], init, g, rng);
    snprintf(text, sizeof text, "%s.%lld.bias", name, (long long)i);
    mlp.b[i] = hn_store_add(s, text, 1, width[i + 1], HN_INIT_ZERO, 0, rng);
    if (init == HN_INIT_FAN_IN) uniform(mlp.b[i], g / sqrt((double)width[i]), rng);
  }
  return mlp;
}

HnVar *hn_mlp_from(HnTape *t, const HnMlp *mlp, int64_t first, HnVar *x, float *flat) {
  for (int64_t i = first; i < mlp->layers; i++)
    x = hn_linear(t, x, hn_param(t, mlp->w[i], flat), hn_param(t, mlp->b[i], flat),
                  i + 1 == mlp->layers ? mlp->output : mlp->hidden);
  return x;
}

HnVar *hn_mlp(HnTape *t, const HnMlp *mlp, HnVar *x, float *flat) {
  return hn_mlp_from(t, mlp, 0, x, flat);
}

int64_t hn_widths(const char *text, int64_t most, int64_t *width) {
  int64_t count = 0;
  for (char *end; *text; text = end) {
    const long units = strtol(text, &end, 10);
    if (end == text || units < 1 || units > 65536 || count == most) return -1;
    width[count++] = units;
    end += strspn(end, " ,");
  }
  return count > 0 ? count : -1;
}

HnLayerNorm hn_layer_norm_make(HnStore *s, const char *name, int64_t n, float eps) {
  char text[256];
  HnLayerNorm norm = {.eps = eps};
  snprintf(text, sizeof text, "%s.weight", name);
  norm.gain = hn_store_add(s, text, 1, n, HN_INIT_CONSTANT, 1, NULL);
  snprintf(text, sizeof text, "%s.bias", name);
  norm.bias = hn_store_add(s, text, 1, n, HN_INIT_ZERO, 0, NULL);
  return norm;
}

HnVar *hn_layer_norm_by(HnTape *t, const HnLayerNorm *norm, HnVar *x, float *flat) {
  return hn_layer_norm(t, x, hn_param(t, norm->gain, flat), hn_param(t, norm->bias, flat),
                       norm->eps);
}
