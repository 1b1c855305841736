/* curvature.c - the Laplace precision of a recurrent layer's read-out, input by input or by Gram
 * blocks.  Layouts are those of the weights, so nothing is transposed: row j of S' and of J' comes
 * from row j of u, and J J' is a product of J' with itself. */
#include "hunch/kit/curvature.h"
#include "cell.h"
#include "curvature_kernels.h"
#include "kernels.h"
#include <string.h>

const HnCurvatureKernels *hn_curvature_kernels(void) {
  static const HnCurvatureKernels *const tables[] = HN_VARIANTS(hn_curvature_kernels);
  return tables[hn_isa_level()];
}

/* Rows of S' computed at a time; rows of a batch whose state sums are computed at a time. */
enum { MIX_ROWS = 24, CHUNK = 32 };

/* ---- Gram blocks ---- */

static int64_t lines_of(int64_t floats) {
  return (floats + HN_BLOCK - 1) / HN_BLOCK;
}

int64_t hn_core_gram_count(const HnCore *core) {
  return core->hidden * lines_of(core->hidden) * HN_BLOCK * 16;
}

size_t hn_core_gram_work_size(const HnCore *core) {
  return (size_t)(20 * core->hidden * core->hidden) * sizeof(float);
}

/* From [4 H, 4 H] to the order of HnBlend.gram. */
static void order_gram(int64_t n, const float *from, float *gram) {
  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < lines_of(n) * HN_BLOCK; l += HN_BLOCK)
      for (int64_t gate = 0; gate < 16; gate++, gram += HN_BLOCK)
        for (int64_t i = 0; i < HN_BLOCK; i++)
          gram[i] = l + i < n ? from[(gate / 4 * n + k) * 4 * n + gate % 4 * n + l + i] : 0;
}

/* u'u, u [H, 4 H] with the identity as a leak's gate. */
void hn_core_gram(const HnCore *core, float *gram, void *work) {
  const int64_t n = core->hidden, width = hn_core_width(core);
  float *square = work, *whole = square + 16 * n * n;
  for (int64_t j = 0; j < n; j++) {
    float *row = whole + 4 * j * n;
    memcpy(row, core->u + j * width, (size_t)width * sizeof *row);
    memset(row + width, 0, (size_t)(4 * n - width) * sizeof *row);
    if (hn_cell(core->cell)->leaks) row[width + j] = 1;
  }
  hn_gemm(4 * n, 4 * n, n, whole, 1, 4 * n, whole, 4 * n, 0, square, 4 * n);
  order_gram(n, square, gram);
}

/* Counts multiplications: J' and the lower half of J J' for each input, against half of Q, half of
 * its product with w, and w' times that.  Those of Q cost more, because gram is read as it is used:
 * the factor 24 was measured. */
bool hn_core_gram_is_cheaper(const HnCore *core, int64_t window) {
  const int64_t n = core->hidden, f = core->latent;
  const int64_t single = window * (n * n * f + n * f * f / 2 + 4 * n * n);
  return n * n * f / 2 + n * f * f + 24 * n * n * (window + 1) < single;
}

/* ---- work ---- */

typedef struct Work {
  float *sums;   /* [CHUNK, 4 H] the state's share of the gates' sums */
  float *d;      /* [the larger of window and HN_MIXED, 4 H] */
  float *s;      /* [HN_MIXED, MIX_ROWS, H], or Q [H, H] */
  float *j;      /* [HN_MIXED, H, F] J', or Q w */
  float *outer;  /* [F, F], and some */
  float *packed; /* its lower triangle, and some */
} Work;

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t work_floats(const HnCore *core, int64_t rows, int64_t window, int64_t at[6]) {
  const int64_t n = core->hidden, f = core->latent;
  const int64_t count[] = {(rows < CHUNK ? rows : CHUNK) * 4 * n,
                           HN_MIXED * larger(window, 1) * 4 * n,
                           HN_MIXED * larger(n, MIX_ROWS) * n,
                           HN_MIXED * n * f,
                           f * f + HN_BLOCK,
                           f * (f + 1) / 2 + HN_BLOCK};
  int64_t total = 0;
  for (int i = 0; i < 6; i++) {
    at[i] = total;
    total += lines_of(count[i]) * HN_BLOCK;
  }
  return total;
}

size_t hn_curvature_work_size(const HnCore *core, int64_t rows, int64_t window) {
  int64_t at[6];
  return (size_t)work_floats(core, rows, window, at) * sizeof(float);
}

static Work place(const HnCore *core, const HnCarry *carry, void *work) {
  int64_t at[6];
  float *base = work;
  work_floats(core, carry->rows, carry->window, at);
  return (Work){base + at[0], base + at[1], base + at[2], base + at[3], base + at[4], base + at[5]};
}

/* ---- slopes ---- */

/* The state's share of the gates' sums, for `count` rows. */
static void state_sums(const HnCore *core, const HnCarry *carry, int64_t from, int64_t count,
                       float *sums) {
  const int64_t n = core->hidden, width = hn_core_width(core);
  hn_kernels()->product(&(HnProduct){.m = count,
                                     .n = width,
                                     .k = n,
                                     .a = carry->h + from * carry->h_row,
                                     .a_row = carry->h_row,
                                     .a_col = 1,
                                     .b = core->u,
                                     .ldb = width,
                                     .init = core->c,
                                     .c = sums,
                                     .ldc = width});
}

/* The number of inputs of a row. */
static int64_t inputs_of(const HnCarry *carry, int64_t row) {
  return carry->filled ? carry->filled[row] : carry->window;
}

/* sums: the row's state sums. */
static void slopes(const HnCore *core, const HnCarry *carry, int64_t row, int64_t input,
                   const float *sums, float *d) {
  const HnCell *cell = hn_cell(core->cell);
  const int64_t n = core->hidden, made = (cell->gates + cell->leaks) * n;
  const float *x = carry->x + row * carry->x_row + input * cell->gates * n;
  const float *const states[] = {carry->h + row * carry->h_row,
                                 carry->m ? carry->m + row * carry->m_row : NULL};
  cell->slopes(n, sums, x, states, d);
  memset(d + made, 0, (size_t)(4 * n - made) * sizeof *d);
}

/* ---- J' and J J' ---- */

/* j [slopes, H, F] = S' w, S' by rows while they are in the cache. */
static void jacobians(const HnCore *core, const Work *w, int64_t slopes, float *j) {
  const HnCell *cell = hn_cell(core->cell);
  const int64_t n = core->hidden, f = core->latent;
  for (int64_t from = 0; from < n; from += MIX_ROWS) {
    const int64_t count = n - from < MIX_ROWS ? n - from : MIX_ROWS;
    hn_curvature_kernels()->mix(&(HnMix){.hidden = n,
                                         .from = from,
                                         .count = count,
                                         .slopes = slopes,
                                         .gates = cell->gates,
                                         .leaks = cell->leaks,
                                         .u = core->u,
                                         .d = w->d,
                                         .s = w->s});
    for (int64_t i = 0; i < slopes; i++)
      hn_gemm(count, f, n, w->s + i * count * n, n, 1, core->w, f, 0, j + (i * n + from) * f, f);
  }
}

static void add_diagonal(int64_t f, double scale, const float *values, double *p) {
  for (int64_t i = 0; i < f; i++) p[i] += scale * (double)values[i];
}

/* p += scale J J' */
static void add_square(const HnCore *core, bool diagonal, double scale, const Work *w,
                       const float *j, double *p) {
  const int64_t n = core->hidden, f = core->latent;
  if (diagonal) {
    hn_curvature_kernels()->squares(n, f, j, w->outer);
    add_diagonal(f, scale, w->outer, p);
    return;
  }
  hn_curvature_kernels()->square(n, f, j, w->outer);
  hn_curvature_kernels()->add_triangle(f, scale, w->outer, w->packed, p);
}

/* j [H, F] = Q w for the upper triangle of Q with half its diagonal, so that w'Q w is w'j and its
 * transpose; zeros are put below the diagonal only where a product meets them. */
static void half_product(const HnCore *core, float *q, float *j) {
  const int64_t n = core->hidden, f = core->latent;
  for (int64_t from = 0; from < n; from += MIX_ROWS) {
    const int64_t count = n - from < MIX_ROWS ? n - from : MIX_ROWS;
    for (int64_t k = from; k < from + count; k++) {
      for (int64_t l = from; l < k; l++) q[k * n + l] = 0;
      q[k * n + k] *= 0.5f;
    }
    hn_gemm(count, f, n - from, q + from * n + from, n, 1, core->w + from * f, f, 0, j + from * f,
            f);
  }
}

/* x += x', its lower triangle only */
static void fold(int64_t f, float *x) {
  for (int64_t i = 0; i < f; i += HN_BLOCK)
    for (int64_t j = 0; j <= i; j += HN_BLOCK)
      for (int64_t r = i; r < i + HN_BLOCK && r < f; r++)
        for (int64_t c = j; c < j + HN_BLOCK && c <= r; c++) x[r * f + c] += x[c * f + r];
}

/* p += scale w' Q w */
static void add_blend(const HnCore *core, bool diagonal, double scale, const Work *w, float *q,
                      double *p) {
  const int64_t n = core->hidden, f = core->latent;
  half_product(core, q, w->j);
  if (!diagonal) {
    hn_gemm(f, f, n, core->w, 1, f, w->j, f, 0, w->outer, f);
    fold(f, w->outer);
    hn_curvature_kernels()->add_triangle(f, scale, w->outer, w->packed, p);
    return;
  }
  memset(w->outer, 0, (size_t)f * sizeof(float));
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = 0; i < f; i++) w->outer[i] += core->w[k * f + i] * w->j[k * f + i];
  add_diagonal(f, 2 * scale, w->outer, p);
}

/* ---- rows ---- */

/* Gathers up to HN_MIXED pieces of work of one kind, which then share the reading of u or of its
 * Gram blocks; a piece is one input of a row, or all of them. */
typedef struct Adder {
  const HnCore *core;
  const Work *w;
  bool diagonal, blends;
  int64_t waiting, stride;  /* stride: floats from a piece's slopes to the next's */
  int64_t inputs[HN_MIXED]; /* of each piece */
  double scale[HN_MIXED], *p[HN_MIXED];
} Adder;

static void flush_blends(const Adder *a) {
  const int64_t n = a->core->hidden;
  HnBlend b = {.hidden = n, .rows = a->waiting, .gram = a->core->gram};
  for (int64_t i = 0; i < a->waiting; i++) {
    b.inputs[i] = a->inputs[i];
    b.d[i] = a->w->d + i * a->stride;
    b.q[i] = a->w->s + i * n * n;
  }
  hn_curvature_kernels()->blend(&b);
  for (int64_t i = 0; i < a->waiting; i++)
    add_blend(a->core, a->diagonal, a->scale[i], a->w, b.q[i], a->p[i]);
}

static void flush_squares(const Adder *a) {
  const int64_t size = a->core->hidden * a->core->latent;
  jacobians(a->core, a->w, a->waiting, a->w->j);
  for (int64_t i = 0; i < a->waiting; i++)
    add_square(a->core, a->diagonal, a->scale[i], a->w, a->w->j + i * size, a->p[i]);
}

static void flush(Adder *a) {
  if (a->waiting > 0) {
    if (a->blends)
      flush_blends(a);
    else
      flush_squares(a);
  }
  a->waiting = 0;
}

static void add_row(Adder *a, const HnCarry *carry, int64_t row, const float *sums, double *p) {
  const int64_t inputs = inputs_of(carry, row), n = a->core->hidden;
  const double scale = carry->normalise && inputs > 0 ? 1 / (double)inputs : 1;
  const bool blends = a->core->gram && inputs > 0 && hn_core_gram_is_cheaper(a->core, inputs);
  const int64_t pieces = blends ? 1 : inputs, each = blends ? inputs : 1;
  if (blends != a->blends) flush(a);
  a->blends = blends;
  a->stride = blends ? 4 * n * carry->window : 4 * n;
  for (int64_t k = 0; k < pieces; k++) {
    float *d = a->w->d + a->waiting * a->stride;
    for (int64_t i = 0; i < each; i++)
      slopes(a->core, carry, row, k * each + i, sums, d + 4 * i * n);
    a->inputs[a->waiting] = each, a->scale[a->waiting] = scale, a->p[a->waiting] = p;
    if (++a->waiting == HN_MIXED) flush(a);
  }
}

void hn_curvature_add(const HnCore *core, const HnCarry *carry, bool diagonal, double *p,
                      int64_t p_row, void *work) {
  const Work w = place(core, carry, work);
  Adder a = {.core = core, .w = &w, .diagonal = diagonal};
  for (int64_t from = 0; from < carry->rows; from += CHUNK) {
    const int64_t count = carry->rows - from < CHUNK ? carry->rows - from : CHUNK;
    state_sums(core, carry, from, count, w.sums);
    for (int64_t i = 0; i < count; i++)
      add_row(&a, carry, from + i, w.sums + i * hn_core_width(core), p + (from + i) * p_row);
    flush(&a);
  }
}

void hn_curvature_jacobian(const HnCore *core, const HnCarry *carry, float *j, void *work) {
  const Work w = place(core, carry, work);
  const int64_t size = core->hidden * core->latent;
  for (int64_t row = 0; row < carry->rows; row++) {
    state_sums(core, carry, row, 1, w.sums);
    for (int64_t i = 0; i < carry->window; i++, j += size) {
      if (i >= inputs_of(carry, row)) {
        memset(j, 0, (size_t)size * sizeof *j);
        continue;
      }
      slopes(core, carry, row, i, w.sums, w.d);
      jacobians(core, &w, 1, j);
    }
  }
}
