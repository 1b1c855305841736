/* rotation.c - see rotation.h; compiled once per instruction set.
 *
 * S is skew, so the symmetric part of I + S is I, also at least of what remains of it after
 * eliminations: no pivot is below 1, and none is looked for. */
#include "rotation.h"
#include "product.h"
#include "vector.h"

enum { BLOCK = HN_ROTATION_BLOCK, VECTORS = BLOCK / HN_LANES };

static void product(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col,
                    const float *b, const float *init, float *c, int64_t ldc) {
  HN_VARIANT(hn_product)
  (&(HnProduct){.m = m,
                .n = n,
                .k = k,
                .a = a,
                .a_row = a_row,
                .a_col = a_col,
                .b = b,
                .ldb = n,
                .init = init,
                .init_row = n,
                .c = c,
                .ldc = ldc});
}

/* c = a b, or a' b */
static void square(int64_t n, const float *a, bool flipped, const float *b, float *c) {
  product(n, n, n, a, flipped ? 1 : n, flipped ? n : 1, b, NULL, c, n);
}

/* ---- inverse ---- */

/* Lane k of the vectors of a row set to one number, whole vectors at a time: a store of one number
 * would hold up the loads behind it. */
HN_INLINE HnV with_lane(HnV x, HnVi lane, int32_t k, float value) {
  return v_pick(lane == k, v_all(value), x);
}

/* d, whose first `count` rows and columns count, = its inverse by Gauss-Jordan. */
static void invert_block(int64_t count, float d[BLOCK][BLOCK]) {
  HnVi lane[VECTORS];
  for (int32_t l = 0; l < BLOCK; l++) lane[l / HN_LANES][l % HN_LANES] = l;
  for (int32_t k = 0; k < count; k++) {
    const HnV inverse = v_all(1 / d[k][k]);
    HnV pivot[VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) {
      pivot[v] = with_lane(v_load(d[k] + v * HN_LANES), lane[v], k, 1) * inverse;
      v_store(d[k] + v * HN_LANES, pivot[v]);
    }
    for (int64_t i = 0; i < count; i++) {
      if (i == k) continue;
      const HnV factor = v_all(-d[i][k]);
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) {
        const HnV row = with_lane(v_load(d[i] + v * HN_LANES), lane[v], k, 0);
        v_store(d[i] + v * HN_LANES, v_fma(factor, pivot[v], row));
      }
    }
  }
}

/* Moves columns k .. k + count of the rows from .. to, negated, to left [n, count], and leaves 0.
 */
static void take_columns(int64_t n, int64_t from, int64_t to, int64_t k, int64_t count, float *a,
                         float *left) {
  for (int64_t i = from; i < to; i++)
    for (int64_t c = 0; c < count; c++) {
      left[i * count + c] = -a[i * n + k + c];
      a[i * n + k + c] = 0;
    }
}

/* a = its inverse, Gauss-Jordan by blocks: the rows at k are multiplied by the inverse of their
 * diagonal block, which it replaces; then their multiple is subtracted from every other row. */
static void invert(int64_t n, float *a, float *room) {
  float(*d)[BLOCK] = (float(*)[BLOCK])room, *rows = room + BLOCK * BLOCK, *left = rows + BLOCK * n;
  for (int64_t k = 0; k < n; k += BLOCK) {
    const int64_t count = n - k < BLOCK ? n - k : BLOCK, end = k + count;
    float *at = a + k * n;
    for (int64_t i = 0; i < count; i++) {
      memcpy(rows + i * n, at + i * n, (size_t)n * sizeof *rows);
      memcpy(d[i], at + i * n + k, (size_t)count * sizeof *rows);
      memset(d[i] + count, 0, (size_t)(BLOCK - count) * sizeof *rows);
      for (int64_t c = 0; c < count; c++) rows[i * n + k + c] = i == c ? 1.0f : 0.0f;
    }
    invert_block(count, d);
    product(count, n, count, d[0], BLOCK, 1, rows, NULL, at, n);
    take_columns(n, 0, k, k, count, a, left), take_columns(n, end, n, k, count, a, left);
    product(k, n, count, left, count, 1, at, a, a, n);
    product(n - end, n, count, left + end * count, count, 1, at, a + end * n, a + end * n, n);
  }
}

/* ---- Cayley ---- */

static void cayley(int64_t n, const float *angle, float *q, float *room) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < i; j++) {
      const float half = 0.5f * *angle++;
      q[i * n + j] = half, q[j * n + i] = -half;
    }
    q[i * n + i] = 1;
  }
  invert(n, q, room);
  for (int64_t k = 0; k < n * n; k++) q[k] *= -2;
  for (int64_t i = 0; i < n; i++) q[i * n + i] += 1;
}

/* x -= y */
static void subtract(int64_t count, const float *restrict y, float *restrict x) {
  for (int64_t k = 0; k < count; k++) x[k] -= y[k];
}

/* d_angle = scale (x' - x), or adds that; room [n, n]. */
static void skew_part(int64_t n, float scale, const float *x, bool adds, float *d_angle,
                      float *room) {
  HN_VARIANT(hn_product_transpose)(n, n, x, room);
  for (int64_t i = 0; i < n; d_angle += i, i++) {
    const float *a = x + i * n, *b = room + i * n;
    for (int64_t j = 0; adds && j < i; j++) d_angle[j] += scale * (b[j] - a[j]);
    for (int64_t j = 0; !adds && j < i; j++) d_angle[j] = scale * (b[j] - a[j]);
  }
}

/* What dS = 2 M' dQ M' gives to the angles, from e = (2 M' dQ)': an angle adds 1/2 to its element
 * of S and -1/2 to the mirrored one.  Spoils e; room [2, n, n]. */
static void angles_back(int64_t n, const float *q, float *e, bool adds, float *d_angle,
                        float *room) {
  square(n, q, false, e, room);
  subtract(n * n, room, e);
  skew_part(n, 0.25f, e, adds, d_angle, room + n * n);
}

static void cayley_back(int64_t n, const float *q, const float *dq, float *d_angle, float *room) {
  float *left = room, *e = room + n * n;
  square(n, q, true, dq, left);
  for (int64_t k = 0; k < n * n; k++) left[k] = dq[k] - left[k];
  HN_VARIANT(hn_product_transpose)(n, n, left, e);
  angles_back(n, q, e, true, d_angle, e + n * n);
}

/* ---- divergence ---- */

enum { ROWS_ADDED = 8 }; /* in float32, before a sum goes on in float64 */

/* Rows k .. end of W = diag(inverse0) R diag(spread1).  part [n] = the sums of their columns of
 * W R. */
static void weigh_rows(const HnRotatedPair *p, int64_t k, int64_t end, const float *r, float *w,
                       float *sum) {
  const int64_t n = p->n;
  HN_FOR_VECTORS(n, {
    const HnV spread = v_load_any(p->spread1 + j, whole, part);
    HnV total = v_all(0);
    for (int64_t i = k; i < end; i++) {
      const HnV x = v_load_any(r + i * n + j, whole, part);
      const HnV y = v_all(p->inverse0[i]) * spread * x;
      v_store_any(w + i * n + j, y, whole, part);
      total = v_fma(y, x, total);
    }
    v_store_any(sum + j, total, whole, part);
  });
}

/* Returns the trace, the sum of all of W R; column [n] of float64 and sum [n] are room. */
static double weigh(const HnRotatedPair *p, const float *r, float *w, double *column, float *sum) {
  const int64_t n = p->n;
  double total = 0;
  memset(column, 0, (size_t)n * sizeof *column);
  for (int64_t k = 0; k < n; k += ROWS_ADDED) {
    weigh_rows(p, k, k + ROWS_ADDED < n ? k + ROWS_ADDED : n, r, w, sum);
    for (int64_t j = 0; j < n; j++) column[j] += (double)sum[j];
  }
  for (int64_t j = 0; j < n; j++) {
    total += column[j];
    p->d_logvar[j] = (float)(0.5 * (column[j] - 1));
  }
  return total;
}

/* Of u = Q0' shift, whose squares over the variances are the Mahalanobis distance; flip = Q0'. */
static double distance(const HnRotatedPair *p, const float *flip, float *u) {
  const int64_t n = p->n;
  double sum = 0;
  product(1, n, n, p->shift, n, 1, p->q0, NULL, u, n);
  for (int64_t k = 0; k < n; k++) {
    const float by = u[k] * p->inverse0[k];
    sum += (double)by * (double)u[k];
    u[k] = by;
  }
  product(1, n, n, u, n, 1, flip, NULL, p->d_shift, n);
  return sum;
}

/* With R = Q0' Q1 and W as above, dQ1 = Q0 W, so that 2 M1' dQ1 = (Q0 - R') W needs no product by
 * Q0. */
static double divergence(const HnRotatedPair *p, float *room) {
  const int64_t n = p->n, size = n * n;
  double *column = (double *)(void *)room;
  float *flip = room + 2 * n, *r = flip + size, *w = r + size, *e = w + size, *u = e + size;
  HN_VARIANT(hn_product_transpose)(n, n, p->q0, flip);
  square(n, flip, false, p->q1, r);
  const double sum = distance(p, flip, u) + weigh(p, r, w, column, u);
  subtract(size, r, flip);
  square(n, w, true, flip, e);
  angles_back(n, p->q1, e, false, p->d_angle, flip);
  return sum;
}

/* ---- draws ---- */

/* y = Q x, [draws, n]; room [n, n]. */
static void turn(int64_t n, int64_t draws, const float *q, const float *x, float *y, float *room) {
  HN_VARIANT(hn_product_transpose)(n, n, q, room);
  product(draws, n, n, x, n, 1, room, NULL, y, n);
}

/* dQ is the sum of d_y x' over the draws, so that M' dQ M' is that of (M' d_y) (M x)'. */
static void turn_back(const HnRotatedDraws *d, float *room) {
  const int64_t n = d->n, count = d->draws * n;
  float *sum = room, *flip = sum + n * n, *left = flip + n * n, *right = left + count;
  product(d->draws, n, n, d->d_y, n, 1, d->q, NULL, left, n);
  turn(n, d->draws, d->q, d->x, right, flip);
  for (int64_t s = 0; s < count; s += n)
    for (int64_t j = 0; j < n; j++) d->d_logvar[j] += 0.5f * d->x[s + j] * left[s + j];
  for (int64_t k = 0; k < count; k++) {
    left[k] = d->d_y[k] - left[k];
    right[k] = d->x[k] - right[k];
  }
  product(n, n, d->draws, left, 1, n, right, NULL, sum, n);
  skew_part(n, -0.25f, sum, true, d->d_angle, flip);
}

const HnRotationKernels HN_VARIANT(hn_rotation) = {cayley, cayley_back, divergence, turn,
                                                   turn_back};
