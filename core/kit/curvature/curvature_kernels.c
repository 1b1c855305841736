/* curvature_kernels.c - see curvature_kernels.h; compiled once per instruction set. */
#include "curvature_kernels.h"
#include "isa.h"
#include "vector_math.h"

/* ---- one input: S' ---- */

/* One vector of columns in `rows` rows of S', from where u, d and to point. */
HN_INLINE void mix_at(int gates, int slopes, int rows, const HnMix *s, const float *u,
                      const float *d, float *to, bool whole, HnLaneMask part) {
  const int64_t n = s->hidden;
  HnV slope[HN_MIXED][4];
#pragma GCC unroll 4
  for (int i = 0; i < slopes; i++)
#pragma GCC unroll 4
    for (int g = 0; g < gates; g++) slope[i][g] = v_load_any(d + (4 * i + g) * n, whole, part);
#pragma GCC unroll 2
  for (int j = 0; j < rows; j++) {
    HnV row[4];
#pragma GCC unroll 4
    for (int g = 0; g < gates; g++) row[g] = v_load_any(u + (j * gates + g) * n, whole, part);
#pragma GCC unroll 4
    for (int i = 0; i < slopes; i++) {
      HnV sum = slope[i][0] * row[0];
#pragma GCC unroll 4
      for (int g = 1; g < gates; g++) sum = v_fma(slope[i][g], row[g], sum);
      v_store_any(to + (i * s->count + j) * n, sum, whole, part);
    }
  }
}

HN_INLINE void mix_rows(int gates, int slopes, int rows, const HnMix *s, int64_t first, int64_t j) {
  const int64_t n = s->hidden;
  const float *u = s->u + (s->from + j) * gates * n, *d = s->d + 4 * first * n;
  float *to = s->s + (first * s->count + j) * n;
  int64_t k = 0;
  for (; k + HN_LANES <= n; k += HN_LANES)
    mix_at(gates, slopes, rows, s, u + k, d + k, to + k, true, v_lane_mask(HN_LANES));
  if (k < n) mix_at(gates, slopes, rows, s, u + k, d + k, to + k, false, v_lane_mask(n - k));
}

HN_INLINE void mix_some(int gates, int slopes, const HnMix *s, int64_t first) {
  int64_t j = 0;
  for (; j + 2 <= s->count; j += 2) mix_rows(gates, slopes, 2, s, first, j);
  if (j < s->count) mix_rows(gates, slopes, 1, s, first, j);
}

HN_INLINE void mix_all(int gates, const HnMix *s) {
  int64_t i = 0;
  for (; i + HN_MIXED <= s->slopes; i += HN_MIXED) mix_some(gates, HN_MIXED, s, i);
  for (; i < s->slopes; i++) mix_some(gates, 1, s, i);
}

static void mix(const HnMix *s) {
  const int64_t n = s->hidden;
  if (s->gates == 4)
    mix_all(4, s);
  else if (s->gates == 3)
    mix_all(3, s);
  else if (s->gates == 2)
    mix_all(2, s);
  else
    mix_all(1, s);
  for (int64_t i = 0; s->leaks && i < s->slopes; i++)
    for (int64_t j = 0; j < s->count; j++)
      s->s[(i * s->count + j) * n + s->from + j] += s->d[(4 * i + s->gates) * n + s->from + j];
}

/* ---- many inputs: Q ---- */

/* Rows of a tile: as many as registers allow beside four vectors of slopes. */
#if defined(__AVX512F__)
enum { ROWS = 4 };
#else
enum { ROWS = 2 };
#endif

/* The position of some rows and one vector of columns of Q, and their Gram blocks. */
typedef struct Spot {
  int64_t n, k, l, next; /* next: from a row of gram to the next */
  const float *gram;
} Spot;

/* For each gate, the products of slopes summed over inputs, then weighed by their Gram blocks. */
HN_INLINE void blend_many(int rows, const Spot *s, int64_t inputs, const float *d, HnV *q,
                          bool whole, HnLaneMask part) {
  for (int g = 0; g < 4; g++) {
    HnV sum[ROWS][4];
    const float *left = d + g * s->n + s->k, *right = d + s->l;
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
      for (int h = 0; h < 4; h++) sum[r][h] = v_all(0.0f);
    for (int64_t i = 0; i < inputs; i++, left += 4 * s->n, right += 4 * s->n) {
      HnV slope[4];
#pragma GCC unroll 4
      for (int h = 0; h < 4; h++) slope[h] = v_load_any(right + h * s->n, whole, part);
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        const HnV x = v_all(left[r]);
#pragma GCC unroll 4
        for (int h = 0; h < 4; h++) sum[r][h] = v_fma(x, slope[h], sum[r][h]);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      const float *gram = s->gram + r * s->next + g * 4 * HN_BLOCK;
#pragma GCC unroll 4
      for (int h = 0; h < 4; h++) q[r] = v_fma(sum[r][h], v_load(gram + h * HN_BLOCK), q[r]);
    }
  }
}

HN_INLINE void blend_spot(int rows, const HnBlend *b, const Spot *s, bool whole, HnLaneMask part) {
  for (int64_t row = 0; row < b->rows; row++) {
    HnV q[ROWS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) q[r] = v_all(0.0f);
    blend_many(rows, s, b->inputs[row], b->d[row], q, whole, part);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
      v_store_any(b->q[row] + (s->k + r) * s->n + s->l, q[r], whole, part);
  }
}

HN_INLINE void blend_rows(int rows, const HnBlend *b, int64_t k) {
  const int64_t n = b->hidden, next = (n + HN_BLOCK - 1) / HN_BLOCK * 16 * HN_BLOCK;
  for (int64_t l = k / HN_LANES * HN_LANES; l < n; l += HN_LANES) {
    const Spot s = {n, k, l, next,
                    b->gram + k * next + l / HN_BLOCK * 16 * HN_BLOCK + l % HN_BLOCK};
    if (l + HN_LANES <= n)
      blend_spot(rows, b, &s, true, v_lane_mask(HN_LANES));
    else
      blend_spot(rows, b, &s, false, v_lane_mask(n - l));
  }
}

static void blend(const HnBlend *b) {
  int64_t k = 0;
  for (; k + ROWS <= b->hidden; k += ROWS) blend_rows(ROWS, b, k);
  for (; k < b->hidden; k++) blend_rows(1, b, k);
}

/* ---- into the precision ---- */

/* SQUARE_ROWS rows and `vecs` vectors of x'x; the last vector may be partial. */
enum { SQUARE_ROWS = HN_LANES == 16 ? 8 : 4, SQUARE_VECS = HN_LANES == 16 ? 3 : 2 };

HN_INLINE void square_tile(int count, int vecs, int64_t rows, int64_t cols, const float *left,
                           const float *right, bool whole, HnLaneMask part, float *y) {
  HnV sum[8][SQUARE_VECS];
#pragma GCC unroll 8
  for (int i = 0; i < count; i++)
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) sum[i][v] = v_all(0.0f);
  for (int64_t k = 0; k < rows; k++, left += cols, right += cols) {
    HnV x[SQUARE_VECS];
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++)
      x[v] = v_load_any(right + v * HN_LANES, whole || v + 1 < vecs, part);
#pragma GCC unroll 8
    for (int i = 0; i < count; i++) {
      const HnV a = v_all(left[i]);
#pragma GCC unroll 4
      for (int v = 0; v < vecs; v++) sum[i][v] = v_fma(a, x[v], sum[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < count; i++)
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++)
      v_store_any(y + i * cols + v * HN_LANES, sum[i][v], whole || v + 1 < vecs, part);
}

/* Rows i .. i + count up to the vector that holds the last one's diagonal. */
HN_INLINE void square_rows(int count, int64_t rows, int64_t cols, int64_t i, const float *x,
                           float *y) {
  const int64_t end = i + count;
  for (int64_t j = 0; j < end;) {
    const int64_t left = (end - j + HN_LANES - 1) / HN_LANES;
    const bool three = SQUARE_VECS >= 3 && left % SQUARE_VECS == 0;
    const int64_t vecs = three ? 3 : left % 2 == 0 || left >= 3 ? 2 : 1;
    const bool whole = j + vecs * HN_LANES <= cols;
    const HnLaneMask part = v_lane_mask(whole ? HN_LANES : cols - j - (vecs - 1) * HN_LANES);
    if (three)
      square_tile(count, SQUARE_VECS, rows, cols, x + i, x + j, whole, part, y + i * cols + j);
    else if (vecs == 2)
      square_tile(count, 2, rows, cols, x + i, x + j, whole, part, y + i * cols + j);
    else
      square_tile(count, 1, rows, cols, x + i, x + j, whole, part, y + i * cols + j);
    j += vecs * HN_LANES;
  }
}

static void square(int64_t rows, int64_t cols, const float *x, float *y) {
  int64_t i = 0;
  for (; i + SQUARE_ROWS <= cols; i += SQUARE_ROWS) square_rows(SQUARE_ROWS, rows, cols, i, x, y);
  for (; i < cols; i++) square_rows(1, rows, cols, i, x, y);
}

/* Packs rows by whole vectors: what is written past the end of a row, the next overwrites. */
static void add_triangle(int64_t n, double scale, const float *x, float *room, double *p) {
  float *to = room;
  for (int64_t i = 0; i < n; i++, x += n, to += i)
    for (int64_t j = 0; j <= i; j += HN_LANES) v_store(to + j, v_load(x + j));
  for (int64_t e = 0; e < n * (n + 1) / 2; e++) p[e] += scale * (double)room[e];
}

static void squares(int64_t rows, int64_t cols, const float *x, float *y) {
  for (int64_t j = 0; j < cols; j += HN_LANES) {
    const bool whole = cols - j >= HN_LANES;
    const HnLaneMask part = v_lane_mask(whole ? HN_LANES : cols - j);
    HnV sum = v_all(0.0f);
    for (int64_t i = 0; i < rows; i++) {
      const HnV v = v_load_any(x + i * cols + j, whole, part);
      sum = v_fma(v, v, sum);
    }
    v_store_any(y + j, sum, whole, part);
  }
}

const HnCurvatureKernels HN_VARIANT(hn_curvature_kernels) = {
    .mix = mix, .blend = blend, .squares = squares, .square = square, .add_triangle = add_triangle};
