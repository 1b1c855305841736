/* encoder_naive.h - a transformer encoder as it is defined, one number at a time in float64, over
 * the weights that a fake host holds: the reference of attention_test and of the plugins' tests. */
#ifndef HN_TESTS_ENCODER_NAIVE_H
#define HN_TESTS_ENCODER_NAIVE_H
#include "fake_host.h"
#include <glib.h>
#include <math.h>

enum { NAIVE_TOKENS = 16, NAIVE_WIDTH = 48 };

/* All weights as one float64 vector, in the order in which the host holds them. */
typedef struct Weights {
  FakeHost *fake;
  int64_t size, at[FAKE_ARRAYS]; /* numbers; where each array begins, -1: no weight */
  double *x;
} Weights;

static inline Weights *weights_new(FakeHost *fake) {
  Weights *z = g_new0(Weights, 1);
  z->fake = fake;
  for (int64_t k = 0; k < fake->array_count; k++) {
    z->at[k] = fake->array[k].grad ? z->size : -1;
    if (fake->array[k].grad) z->size += fake->array[k].count;
  }
  z->x = g_new0(double, (gsize)z->size);
  for (int64_t k = 0; k < fake->array_count; k++)
    for (int64_t j = 0; z->at[k] >= 0 && j < fake->array[k].count; j++)
      z->x[z->at[k] + j] = (double)((const float *)fake->array[k].data)[j];
  return z;
}

static inline void weights_free(Weights *z) {
  g_free(z->x), g_free(z);
}

static inline const double *weights_of(const Weights *z, const char *name, int64_t layer,
                                       const char *part) {
  char text[96];
  if (part)
    g_snprintf(text, sizeof text, "%s.%d.%s", name, (int)layer, part);
  else
    g_snprintf(text, sizeof text, "%s", name);
  for (int64_t k = 0; k < z->fake->array_count; k++)
    if (!strcmp(z->fake->array[k].spec.name, text)) return z->x + z->at[k];
  g_error("no array %s", text);
}

/* Holds every gradient that the host has to central differences of f(arg), a function of z->x;
 * returns the largest. */
static inline double check_slopes(Weights *z, double (*f)(const Weights *z, void *arg), void *arg,
                                  double tolerance) {
  const double h = 1e-6;
  double most = 0;
  for (int64_t a = 0; a < z->fake->array_count; a++)
    for (int64_t j = 0; z->at[a] >= 0 && j < z->fake->array[a].count; j++) {
      double *w = &z->x[z->at[a] + j], was = *w, value[2];
      for (int k = 0; k < 2; k++) *w = was + (k ? h : -h), value[k] = f(z, arg);
      *w = was;
      const double slope = (value[1] - value[0]) / (2 * h);
      const double mine = (double)z->fake->array[a].grad[j];
      g_assert_cmpfloat_with_epsilon(mine, slope, tolerance * fmax(1, fabs(slope)));
      most = fmax(most, fabs(slope));
    }
  return most;
}

enum { QKV_W, QKV_B, OUT_W, OUT_B, FF0_W, FF0_B, FF1_W, FF1_B, LAYER_PARTS };
typedef struct EncoderShape {
  const char *name;
  int64_t layers, width, heads, hidden;
  int64_t span; /* a token sees the last `span` up to itself; 0: all of them */
  const double *part[8][LAYER_PARTS];
} EncoderShape;

/* Finds its weights. */
static inline void encoder_find(const Weights *z, EncoderShape *s) {
  static const char *const part[LAYER_PARTS] = {"qkv.weight",  "qkv.bias",    "out.weight",
                                                "out.bias",    "ff.0.weight", "ff.0.bias",
                                                "ff.1.weight", "ff.1.bias"};
  for (int64_t l = 0; l < s->layers; l++)
    for (int k = 0; k < LAYER_PARTS; k++) s->part[l][k] = weights_of(z, s->name, l, part[k]);
}

/* y [m] = b + x [n] w, w [n, m]. */
static inline void naive_affine(int64_t n, int64_t m, const double *x, const double *w,
                                const double *b, double *y) {
  for (int64_t j = 0; j < m; j++) {
    y[j] = b ? b[j] : 0;
    for (int64_t i = 0; i < n; i++) y[j] += x[i] * w[i * m + j];
  }
}

/* What token i hears of the tokens that it sees: y [d], from qkv [n, 3 d]. */
static inline void naive_attention(const EncoderShape *s, int64_t i, const double *qkv, double *y) {
  const int64_t d = s->width, size = d / s->heads, first = s->span ? MAX(0, i + 1 - s->span) : 0;
  for (int64_t from = 0; from < d; from += size) {
    double p[NAIVE_TOKENS], sum = 0;
    for (int64_t j = first; j <= i; j++) {
      double score = 0;
      for (int64_t c = from; c < from + size; c++)
        score += qkv[i * 3 * d + c] * qkv[j * 3 * d + d + c];
      sum += p[j] = exp(score / sqrt((double)size));
    }
    for (int64_t c = from; c < from + size; c++) {
      y[c] = 0;
      for (int64_t j = first; j <= i; j++) y[c] += p[j] / sum * qkv[j * 3 * d + 2 * d + c];
    }
  }
}

/* x [n, width] becomes what all layers, causal, make of it. */
static inline void naive_encoder(const EncoderShape *s, int64_t n, double *x) {
  const int64_t d = s->width;
  double qkv[NAIVE_TOKENS * 3 * NAIVE_WIDTH], heard[NAIVE_WIDTH], more[NAIVE_WIDTH];
  double hidden[4 * NAIVE_WIDTH];
  for (int64_t l = 0; l < s->layers; l++) {
    const double *const *w = s->part[l];
    for (int64_t i = 0; i < n; i++)
      naive_affine(d, 3 * d, x + i * d, w[QKV_W], w[QKV_B], qkv + i * 3 * d);
    for (int64_t i = 0; i < n; i++) {
      naive_attention(s, i, qkv, heard);
      naive_affine(d, d, heard, w[OUT_W], w[OUT_B], more);
      for (int64_t c = 0; c < d; c++) x[i * d + c] += more[c];
      naive_affine(d, s->hidden, x + i * d, w[FF0_W], w[FF0_B], hidden);
      for (int64_t c = 0; c < s->hidden; c++) hidden[c] = fmax(0, hidden[c]);
      naive_affine(s->hidden, d, hidden, w[FF1_W], w[FF1_B], more);
      for (int64_t c = 0; c < d; c++) x[i * d + c] += more[c];
    }
  }
}

/* Adds position i of [.., d] to x [d]. */
static inline void naive_position(int64_t i, int64_t d, double *x) {
  for (int64_t c = 0; c < d; c++) {
    const double angle = (double)i / pow(10000, (double)(c - c % 2) / (double)d);
    x[c] += c % 2 ? cos(angle) : sin(angle);
  }
}
#endif
