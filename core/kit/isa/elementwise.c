/* elementwise.c - passes over arrays, compiled once per instruction set, and the set's table. */
#include "activate.h"
#include "isa.h"
#include "kernels.h"
#include "product.h"

static void map_tanh(int64_t n, const float *x, float *y) {
  HN_MAP(v_tanh, n, x, y);
}
static void map_sigmoid(int64_t n, const float *x, float *y) {
  HN_MAP(v_sigmoid, n, x, y);
}
static void map_exp(int64_t n, const float *x, float *y) {
  HN_MAP(v_exp, n, x, y);
}
static void map_log(int64_t n, const float *x, float *y) {
  HN_MAP(v_log, n, x, y);
}
static void map_softplus(int64_t n, const float *x, float *y) {
  HN_MAP(v_softplus, n, x, y);
}
static void map_relu(int64_t n, const float *x, float *y) {
  HN_MAP(v_relu, n, x, y);
}
static void map_leaky_relu(int64_t n, const float *x, float *y) {
  HN_MAP(v_leaky_relu, n, x, y);
}

HN_INLINE HnV slope(HnActivation act, HnV y, HnV g) {
  if (act == HN_TANH) return g * v_fma(-y, y, v_all(1.0f));
  if (act == HN_SIGMOID) return g * (y * (v_all(1.0f) - y));
  if (act == HN_RELU) return (HnV)((HnVi)g & (y > v_all(0.0f)));
  if (act == HN_LEAKY_RELU) return v_pick(y > v_all(0.0f), g, v_all(0.01f) * g);
  return g;
}

/* One vector of columns: each column's sum takes the rows in order. */
HN_INLINE void back_column(HnActivation act, int64_t rows, int64_t cols, const float *y, float *g,
                           float *sum, int64_t n) {
  const HnLaneMask part = v_lane_mask(n);
  HnV total = sum ? v_load_part(sum, part) : v_all(0.0f);
  for (int64_t i = 0; i < rows; i++) {
    HnV d = v_load_part(g + i * cols, part);
    if (act != HN_LINEAR) {
      d = slope(act, v_load_part(y + i * cols, part), d);
      v_store_part(g + i * cols, d, part);
    }
    total += d;
  }
  if (sum) v_store_part(sum, total, part);
}

/* Four whole vectors of columns at a time. */
HN_INLINE void back_columns(HnActivation act, int64_t rows, int64_t cols, const float *y, float *g,
                            float *sum) {
  int64_t j = 0;
  for (; j + 4 * HN_LANES <= cols; j += 4 * HN_LANES) {
    HnV total[4];
    for (int v = 0; v < 4; v++) total[v] = sum ? v_load(sum + j + v * HN_LANES) : v_all(0.0f);
    for (int64_t i = 0; i < rows; i++)
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) {
        const int64_t at = i * cols + j + v * HN_LANES;
        HnV d = v_load(g + at);
        if (act != HN_LINEAR) {
          d = slope(act, v_load(y + at), d);
          v_store(g + at, d);
        }
        total[v] += d;
      }
    for (int v = 0; sum && v < 4; v++) v_store(sum + j + v * HN_LANES, total[v]);
  }
  for (; j < cols; j += HN_LANES)
    back_column(act, rows, cols, y + j, g + j, sum ? sum + j : NULL,
                cols - j < HN_LANES ? cols - j : HN_LANES);
}

static void activate_back(HnActivation act, int64_t rows, int64_t cols, const float *y, float *g,
                          float *sum) {
  if (act == HN_TANH)
    back_columns(HN_TANH, rows, cols, y, g, sum);
  else if (act == HN_RELU)
    back_columns(HN_RELU, rows, cols, y, g, sum);
  else if (act == HN_SIGMOID)
    back_columns(HN_SIGMOID, rows, cols, y, g, sum);
  else if (act == HN_LEAKY_RELU)
    back_columns(HN_LEAKY_RELU, rows, cols, y, g, sum);
  else if (sum)
    back_columns(HN_LINEAR, rows, cols, y, g, sum);
}

/* ---- over parameters ---- */

static void add(int64_t n, const float *restrict x, float *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

static void axpy(int64_t n, float a, const float *restrict x, float *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

/* The last part of a sum that ran in sixteen whatever the vector width: a fixed tree. */
static inline float tree(float sum[16]) {
  for (int width = 8; width > 0; width /= 2)
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  return sum[0];
}

static float dot(int64_t n, const float *x, const float *y) {
  float sum[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int l = 0; l < 16; l++) sum[l] += x[i + l] * y[i + l];
  for (int l = 0; i + l < n; l++) sum[l] += x[i + l] * y[i + l];
  return tree(sum);
}

/* Sixteen running sums whatever the vector width, then a fixed tree. */
static double norm2(int64_t n, const float *x) {
  double sum[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int l = 0; l < 16; l++) sum[l] += (double)x[i + l] * (double)x[i + l];
  for (int l = 0; i + l < n; l++) sum[l] += (double)x[i + l] * (double)x[i + l];
  for (int width = 8; width > 0; width /= 2)
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  return sum[0];
}

/* ---- layer normalisation ---- */

/* dot(n, x, 1, 1, ..), which it is to the bit */
static float sum_of(int64_t n, const float *x) {
  float sum[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int l = 0; l < 16; l++) sum[l] += x[i + l];
  for (int l = 0; i + l < n; l++) sum[l] += x[i + l];
  return tree(sum);
}

static float norm(int64_t n, const float *restrict x, const float *restrict gain,
                  const float *restrict bias, float eps, float *restrict z, float *restrict y) {
  const float share = 1 / (float)n, mean = share * sum_of(n, x);
  for (int64_t j = 0; j < n; j++) z[j] = x[j] - mean;
  const float inverse = 1 / sqrtf(share * dot(n, z, z) + eps);
  for (int64_t j = 0; j < n; j++) {
    z[j] *= inverse;
    y[j] = (gain ? z[j] * gain[j] : z[j]) + (bias ? bias[j] : 0);
  }
  return inverse;
}

static void norm_back(int64_t n, const float *restrict g, const float *restrict z,
                      const float *restrict gain, float inverse, float *restrict d,
                      float *restrict dx) {
  for (int64_t j = 0; j < n; j++) d[j] = gain ? g[j] * gain[j] : g[j];
  const float share = 1 / (float)n, mean = share * sum_of(n, d), slope = share * dot(n, d, z);
  for (int64_t j = 0; j < n; j++) dx[j] += inverse * (d[j] - mean - slope * z[j]);
}

static void multiply_add(int64_t n, const float *restrict x, const float *restrict y,
                         float *restrict sum) {
  for (int64_t j = 0; j < n; j++) sum[j] += x[j] * y[j];
}

/* ---- columns ---- */

static void column_sums(int64_t rows, int64_t cols, const float *x, int64_t ld,
                        double *restrict sum) {
  for (int64_t i = 0; i < rows; i++, x += ld)
    for (int64_t j = 0; j < cols; j++) sum[j] += (double)x[j];
}

static void column_squares(int64_t rows, int64_t cols, const float *x, int64_t ld,
                           const double *mean, double *restrict squares) {
  for (int64_t i = 0; i < rows; i++, x += ld)
    for (int64_t j = 0; j < cols; j++) {
      const double d = (double)x[j] - mean[j];
      squares[j] += d * d;
    }
}

static void standardise(int64_t rows, int64_t cols, const float *x, int64_t ldx, const double *mean,
                        const double *inverse, float clip, float *y, int64_t ldy) {
  for (int64_t i = 0; i < rows; i++, x += ldx, y += ldy)
    for (int64_t j = 0; j < cols; j++) {
      const float v = (float)(((double)x[j] - mean[j]) * inverse[j]);
      const float above = v < -clip ? -clip : v;
      y[j] = above > clip ? clip : above;
    }
}

static void adam(int64_t n, const HnAdamRates *rates, float *restrict w, float *restrict g,
                 float *restrict m1, float *restrict m2) {
  const HnAdamRates r = *rates;
  for (int64_t i = 0; i < n; i++) {
    const float d = r.scale * g[i];
    m1[i] += r.mix1 * (d - m1[i]);
    m2[i] += r.mix2 * (d * d - m2[i]);
    w[i] = r.keep * w[i] - r.step * m1[i] / (sqrtf(m2[i]) * r.spread + r.eps);
    g[i] = 0.0f;
  }
}

const HnKernels HN_VARIANT(hn_kernels) = {.product = HN_VARIANT(hn_product),
                                          .transpose = HN_VARIANT(hn_product_transpose),
                                          .tanh = map_tanh,
                                          .sigmoid = map_sigmoid,
                                          .exp = map_exp,
                                          .log = map_log,
                                          .softplus = map_softplus,
                                          .relu = map_relu,
                                          .leaky_relu = map_leaky_relu,
                                          .activate_back = activate_back,
                                          .add = add,
                                          .axpy = axpy,
                                          .dot = dot,
                                          .norm2 = norm2,
                                          .norm = norm,
                                          .norm_back = norm_back,
                                          .multiply_add = multiply_add,
                                          .column_sums = column_sums,
                                          .column_squares = column_squares,
                                          .standardise = standardise,
                                          .adam = adam};
