/* curvature_kernels.c - see curvature_kernels.h; compiled once per instruction set. */
#include "curvature_kernels.h"
#include "isa.h"
#include "vector_math.h"

/* ---- slopes ---- */

HN_INLINE HnV load_sum(const float *a, const float *b, bool whole, HnPart part) {
  return v_load_any(a, whole, part) + v_load_any(b, whole, part);
}

/* m' = f m + i g, h' = o tanh m' */
HN_INLINE void lstm_at(int64_t n, const float *a, const float *x, const float *m, float *d,
                       bool whole, HnPart part) {
  const HnV one = v_all(1.0f), cells = v_load_any(m, whole, part);
  const HnV in = v_sigmoid(load_sum(a, x, whole, part));
  const HnV keep = v_sigmoid(load_sum(a + n, x + n, whole, part));
  const HnV candidate = v_tanh(load_sum(a + 2 * n, x + 2 * n, whole, part));
  const HnV out = v_sigmoid(load_sum(a + 3 * n, x + 3 * n, whole, part));
  const HnV bent = v_tanh(v_fma(keep, cells, in * candidate));
  const HnV by_cell = out * v_fma(-bent, bent, one);
  v_store_any(d, by_cell * candidate * (in * (one - in)), whole, part);
  v_store_any(d + n, by_cell * cells * (keep * (one - keep)), whole, part);
  v_store_any(d + 2 * n, by_cell * in * v_fma(-candidate, candidate, one), whole, part);
  v_store_any(d + 3 * n, bent * (out * (one - out)), whole, part);
}

/* h' = (1 - z) n + z h, n = tanh(x_n + r q) */
HN_INLINE void gru_at(int64_t n, const float *a, const float *x, const float *h, float *d,
                      bool whole, HnPart part) {
  const HnV one = v_all(1.0f), q = v_load_any(a + 2 * n, whole, part);
  const HnV r = v_sigmoid(load_sum(a, x, whole, part));
  const HnV z = v_sigmoid(load_sum(a + n, x + n, whole, part));
  const HnV candidate = v_tanh(v_fma(r, q, v_load_any(x + 2 * n, whole, part)));
  const HnV by_sum = (one - z) * v_fma(-candidate, candidate, one);
  v_store_any(d, by_sum * q * (r * (one - r)), whole, part);
  v_store_any(d + n, (v_load_any(h, whole, part) - candidate) * (z * (one - z)), whole, part);
  v_store_any(d + 2 * n, by_sum * r, whole, part);
  v_store_any(d + 3 * n, z, whole, part);
}

#define SLOPES(NAME, AT)                                                                      \
  static void NAME(int64_t n, const float *a, const float *x, const float *state, float *d) { \
    int64_t j = 0;                                                                            \
    for (; j + HN_LANES <= n; j += HN_LANES)                                                  \
      AT(n, a + j, x + j, state + j, d + j, true, v_part(HN_LANES));                          \
    if (j < n) AT(n, a + j, x + j, state + j, d + j, false, v_part(n - j));                   \
  }
SLOPES(lstm_slopes, lstm_at)
SLOPES(gru_slopes, gru_at)

/* ---- one input: S' ---- */

/* One vector of columns: the slopes stay in registers over the rows. */
HN_INLINE void mix_columns(int gates, const HnMix *s, const float *d, int64_t k, bool whole,
                           HnPart part) {
  const int64_t n = s->hidden, width = gates * n;
  const float *u = s->u + s->from * width + k;
  float *to = s->s + k;
  HnV slope[4];
#pragma GCC unroll 4
  for (int g = 0; g < gates; g++) slope[g] = v_load_any(d + g * n + k, whole, part);
  for (int64_t j = 0; j < s->count; j++, u += width, to += n) {
    HnV sum = slope[0] * v_load_any(u, whole, part);
#pragma GCC unroll 4
    for (int g = 1; g < gates; g++) sum = v_fma(slope[g], v_load_any(u + g * n, whole, part), sum);
    v_store_any(to, sum, whole, part);
  }
}

HN_INLINE void mix_all(int gates, const HnMix *s, const float *d) {
  int64_t k = 0;
  for (; k + HN_LANES <= s->hidden; k += HN_LANES)
    mix_columns(gates, s, d, k, true, v_part(HN_LANES));
  if (k < s->hidden) mix_columns(gates, s, d, k, false, v_part(s->hidden - k));
}

static void mix(const HnMix *s, const float *d) {
  const int64_t n = s->hidden;
  if (!s->gru) {
    mix_all(4, s, d);
    return;
  }
  mix_all(3, s, d);
  for (int64_t j = 0; j < s->count; j++) s->s[j * n + s->from + j] += d[3 * n + s->from + j];
}

/* ---- many inputs: Q ---- */

static void blend(const HnBlend *b) {
  const int64_t n = b->hidden;
  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < n; l++) {
      float sum = 0;
      for (int64_t g = 0; g < 4; g++)
        for (int64_t h = 0; h < 4; h++) {
          float o = 0;
          for (int64_t i = 0; i < b->inputs; i++)
            o += b->d[(4 * i + g) * n + k] * b->d[(4 * i + h) * n + l];
          sum += o * b->gram[(g * n + k) * 4 * n + h * n + l];
        }
      b->q[k * n + l] = sum;
    }
}

static void squares(int64_t rows, int64_t cols, const float *x, float *y) {
  for (int64_t j = 0; j < cols; j += HN_LANES) {
    const bool whole = cols - j >= HN_LANES;
    const HnPart part = v_part(whole ? HN_LANES : cols - j);
    HnV sum = v_all(0.0f);
    for (int64_t i = 0; i < rows; i++) {
      const HnV v = v_load_any(x + i * cols + j, whole, part);
      sum = v_fma(v, v, sum);
    }
    v_store_any(y + j, sum, whole, part);
  }
}

const HnCurvatureKernels HN_VARIANT(hn_curvature_kernels) = {.lstm_slopes = lstm_slopes,
                                                             .gru_slopes = gru_slopes,
                                                             .mix = mix,
                                                             .blend = blend,
                                                             .squares = squares};
