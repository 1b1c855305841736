/* group_body.h - the kernels of group.h for one element type: group.c defines REAL, VEC, WIDTH and
 * the operations on VEC, and includes this twice. */

/* Lanes are taken WIDTH at a time, each through the whole factorisation. */
#define AT(a, i, j) ((a) + (hn_triangle(i) + (j)) * HN_GROUP)

typedef double NAME(Source) __attribute__((vector_size(WIDTH * sizeof(double))));

/* Numbers at .. at + WIDTH of WIDTH lanes. */
HN_INLINE void NAME(gather_block)(const double *const *src, int64_t at, REAL *dst) {
  VEC x[WIDTH];
#pragma GCC unroll 16
  for (int l = 0; l < WIDTH; l++) {
    NAME(Source) row;
    memcpy(&row, src[l] + at, sizeof row);
    x[l] = __builtin_convertvector(row, VEC);
  }
  TRANSPOSE(x);
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) STORE(dst + i * HN_GROUP, x[i]);
}

HN_INLINE void NAME(scatter_block)(const REAL *src, int64_t at, REAL *const *dst) {
  VEC x[WIDTH];
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) x[i] = LOAD(src + i * HN_GROUP);
  TRANSPOSE(x);
#pragma GCC unroll 16
  for (int l = 0; l < WIDTH; l++) STORE(dst[l] + at, x[l]);
}

/* By whole cache lines, so that few streams are open at a time. */
static void NAME(scatter)(int64_t n, const REAL *src, REAL *const *dst) {
  enum { STRETCH = 32 };
  int64_t from = 0;
  for (; from + STRETCH <= n; from += STRETCH) {
    for (int l = 0; l < HN_GROUP; l += WIDTH)
      for (int64_t i = from; i < from + STRETCH; i += WIDTH)
        NAME(scatter_block)(src + i * HN_GROUP + l, i, dst + l);
  }
  for (int64_t i = from; i < n; i++)
    for (int l = 0; l < HN_GROUP; l++) dst[l][i] = src[i * HN_GROUP + l];
}

/* The triangles, with jitter on the diagonal, and rows of the identity below them. */
static void NAME(gather)(int64_t n, const double *const *src, double jitter, REAL *dst) {
  const int64_t count = hn_triangle(n), padded = hn_group_order(n);
  enum { STRETCH = 16 };
  int64_t e = 0;
  for (; e + STRETCH <= count; e += STRETCH) {
    for (int l = 0; l < HN_GROUP; l += WIDTH)
      for (int64_t i = e; i < e + STRETCH; i += WIDTH)
        NAME(gather_block)(src + l, i, dst + i * HN_GROUP + l);
  }
  for (; e < count; e++)
    for (int l = 0; l < HN_GROUP; l++) dst[e * HN_GROUP + l] = (REAL)src[l][e];
  memset(dst + count * HN_GROUP, 0,
         (size_t)((hn_triangle(padded) - count) * HN_GROUP) * sizeof *dst);
  for (int64_t i = 0; i < padded; i++)
    for (int l = 0; l < HN_GROUP; l++) AT(dst, i, i)[l] += (REAL)(i < n ? jitter : 1);
}

/* ---- factor ---- */

/* c -= L[i0 .., 0 .. j0) L[j0 .., 0 .. j0)' */
HN_INLINE void NAME(update)(int64_t i0, int64_t j0, const REAL *a, VEC c[4][4]) {
  const REAL *left[4], *right[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) left[i] = AT(a, i0 + i, 0), right[i] = AT(a, j0 + i, 0);
  for (int64_t k = 0; k < j0 * HN_GROUP; k += HN_GROUP) {
    VEC r[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) r[j] = LOAD(right[j] + k);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const VEC l = -LOAD(left[i] + k);
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) c[i][j] = FMA(l, r[j], c[i][j]);
    }
  }
}

/* A block below the diagonal against the factored one at the top of its columns. */
HN_INLINE void NAME(below)(const REAL *a, int64_t j0, VEC c[4][4]) {
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const VEC inverse = ALL(1) / LOAD(AT(a, j0 + j, j0 + j));
#pragma GCC unroll 4
    for (int k = 0; k < j; k++) {
      const VEC l = -LOAD(AT(a, j0 + j, j0 + k));
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) c[i][j] = FMA(c[i][k], l, c[i][j]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) c[i][j] = c[i][j] * inverse;
  }
}

/* The block on the diagonal; lowest takes the smallest pivot, NaN for good if one is not finite. */
HN_INLINE void NAME(diagonal)(VEC c[4][4], VEC *lowest) {
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
    for (int k = 0; k < j; k++) c[j][j] = FMA(-c[j][k], c[j][k], c[j][j]);
    *lowest = LOWEST(*lowest, c[j][j] + (c[j][j] - c[j][j]));
    c[j][j] = SQRT(c[j][j]);
    const VEC inverse = ALL(1) / c[j][j];
#pragma GCC unroll 4
    for (int i = j + 1; i < 4; i++) {
#pragma GCC unroll 4
      for (int k = 0; k < j; k++) c[i][j] = FMA(-c[i][k], c[j][k], c[i][j]);
      c[i][j] = c[i][j] * inverse;
    }
  }
}

HN_INLINE void NAME(block)(bool diagonal, int64_t i0, int64_t j0, REAL *a, VEC *lowest) {
  VEC c[4][4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) c[i][j] = LOAD(AT(a, i0 + i, j0 + (diagonal && j > i ? i : j)));
  NAME(update)(i0, j0, a, c);
  if (diagonal)
    NAME(diagonal)(c, lowest);
  else
    NAME(below)(a, j0, c);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++)
      if (!diagonal || j <= i) STORE(AT(a, i0 + i, j0 + j), c[i][j]);
}

static uint32_t NAME(factor_part)(int64_t n, REAL *a) {
  VEC lowest = ALL(1);
  for (int64_t j0 = 0; j0 < n; j0 += 4) {
    NAME(block)(true, j0, j0, a, &lowest);
    for (int64_t i0 = j0 + 4; i0 < n; i0 += 4) NAME(block)(false, i0, j0, a, &lowest);
  }
  uint32_t bad = 0;
  for (int l = 0; l < WIDTH; l++)
    if (!(lowest[l] > 0)) bad |= 1u << l;
  return bad;
}

static uint32_t NAME(factor)(int64_t n, REAL *a) {
  uint32_t bad = 0;
  for (int part = 0; part < HN_GROUP; part += WIDTH)
    bad |= NAME(factor_part)(hn_group_order(n), a + part) << part;
  return bad;
}

/* ---- solve ---- */

static void NAME(solve_back)(int64_t n, const REAL *l, REAL *z) {
  for (int part = 0; part < HN_GROUP; part += WIDTH, l += WIDTH, z += WIDTH)
    for (int64_t i = n - 1; i >= 0; i--) {
      const REAL *row = AT(l, i, 0);
      const VEC x = LOAD(z + i * HN_GROUP) / LOAD(row + i * HN_GROUP);
      STORE(z + i * HN_GROUP, x);
      for (int64_t k = 0; k < i * HN_GROUP; k += HN_GROUP)
        STORE(z + k, FMA(-LOAD(row + k), x, LOAD(z + k)));
    }
}

/* c -= L[i0 .., from .. to) x[from .. to, j0 ..]; in the block of x's own diagonal (from = j0)
 * column j starts at row j. */
HN_INLINE void NAME(solve_update)(bool diagonal, int64_t i0, int64_t j0, int64_t from, int64_t to,
                                  const REAL *l, const REAL *x, VEC c[4][4]) {
  for (int64_t k = from; k < to; k++) {
    const REAL *row = AT(x, k, j0);
    VEC r[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) r[j] = diagonal && k < j0 + j ? ALL(0) : LOAD(row + j * HN_GROUP);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const VEC a = -LOAD(AT(l, i0 + i, k));
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) c[i][j] = FMA(a, r[j], c[i][j]);
    }
  }
}

HN_INLINE void NAME(solve_block)(bool diagonal, int64_t i0, int64_t j0, const REAL *l, REAL *x) {
  VEC c[4][4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) c[i][j] = diagonal && j > i ? ALL(0) : LOAD(AT(x, i0 + i, j0 + j));
  if (!diagonal) {
    NAME(solve_update)(true, i0, j0, j0, j0 + 4, l, x, c);
    NAME(solve_update)(false, i0, j0, j0 + 4, i0, l, x, c);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const VEC pivot = LOAD(AT(l, i0 + i, i0 + i));
#pragma GCC unroll 4
    for (int k = 0; k < i; k++) {
      const VEC a = -LOAD(AT(l, i0 + i, i0 + k));
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) c[i][j] = FMA(a, c[k][j], c[i][j]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      c[i][j] = c[i][j] / pivot;
      if (!diagonal || j <= i) STORE(AT(x, i0 + i, j0 + j), c[i][j]);
    }
  }
}

static void NAME(solve)(int64_t n, const REAL *l, REAL *x) {
  for (int part = 0; part < HN_GROUP; part += WIDTH, l += WIDTH, x += WIDTH)
    for (int64_t i0 = 0; i0 < n; i0 += 4) {
      for (int64_t j0 = 0; j0 < i0; j0 += 4) NAME(solve_block)(false, i0, j0, l, x);
      NAME(solve_block)(true, i0, i0, l, x);
    }
}

static void NAME(squares)(int64_t n, const REAL *x, REAL *y) {
  memset(y, 0, (size_t)(n * HN_GROUP) * sizeof *y);
  for (int64_t i = 0; i < n; i++) {
    const REAL *row = AT(x, i, 0);
    for (int64_t e = 0; e < (i + 1) * HN_GROUP; e += WIDTH)
      STORE(y + e, FMA(LOAD(row + e), LOAD(row + e), LOAD(y + e)));
  }
}
#undef AT
