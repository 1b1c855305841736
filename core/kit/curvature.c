/* curvature.c - the Laplace precision of a recurrent read-out, input by input or by blended Gram
 * blocks.  Layouts are those of the weights, so nothing is transposed: the rows of S' and of J' are
 * what u's rows turn into, and J J' is a product of J' with itself. */
#include "hunch/kit/curvature.h"
#include "curvature_kernels.h"
#include "isa.h"
#include "kernels.h"
#include <string.h>

const HnCurvatureKernels *hn_curvature_kernels(void) {
#if defined(__x86_64__)
  static const HnCurvatureKernels *const tables[] = {
      &hn_curvature_kernels_base, &hn_curvature_kernels_v3, &hn_curvature_kernels_v4};
  return tables[hn_isa_level()];
#else
  return &hn_curvature_kernels_base;
#endif
}

/* Rows of S' made and used while they are in the first-level cache; columns of a panel of J J'. */
enum { MIX_ROWS = 24, PANEL = 32 };

/* ---- Gram blocks ---- */

int64_t hn_core_gram_count(const HnCore *core) {
  return 16 * core->hidden * core->hidden;
}

size_t hn_core_gram_work_size(const HnCore *core) {
  return (size_t)(4 * core->hidden * core->hidden) * sizeof(float);
}

/* gram [4 H, 4 H] = u'u, u [H, 4 H] with the identity as a GRU's fourth gate. */
void hn_core_gram(const HnCore *core, float *gram, void *work) {
  const int64_t n = core->hidden, width = hn_core_width(core);
  const float *u = core->u;
  if (core->kind == HN_CORE_GRU) {
    float *whole = work;
    for (int64_t j = 0; j < n; j++, whole += 4 * n) {
      memcpy(whole, core->u + j * width, (size_t)width * sizeof *whole);
      memset(whole + width, 0, (size_t)n * sizeof *whole);
      whole[width + j] = 1;
    }
    u = work;
  }
  hn_gemm(4 * n, 4 * n, n, u, 1, 4 * n, u, 4 * n, 0, gram, 4 * n);
}

bool hn_core_pays(const HnCore *core, int64_t window) {
  (void)core;
  return window >= 2;
}

/* ---- work ---- */

typedef struct Work {
  float *sums;  /* [rows, 4 H] the state's share of the gates' sums */
  float *d;     /* [window, 4 H] */
  float *s;     /* [MIX_ROWS, H], or Q [H, H] */
  float *j;     /* J' [H, F], or Q w */
  float *outer; /* [F, F] */
} Work;

static int64_t line(int64_t floats) {
  return (floats + 15) / 16 * 16;
}

/* Floats of the five arrays. */
static int64_t work_floats(const HnCore *core, int64_t rows, int64_t window, int64_t at[5]) {
  const int64_t n = core->hidden, f = core->latent;
  const int64_t count[] = {rows * 4 * n, window * 4 * n, (n > MIX_ROWS ? n : MIX_ROWS) * n, n * f,
                           f * f};
  int64_t total = 0;
  for (int i = 0; i < 5; i++) {
    at[i] = total;
    total += line(count[i]);
  }
  return total;
}

size_t hn_curvature_work_size(const HnCore *core, int64_t rows, int64_t window) {
  int64_t at[5];
  return (size_t)work_floats(core, rows, window, at) * sizeof(float);
}

static Work place(const HnCore *core, const HnCarry *carry, void *work) {
  int64_t at[5];
  float *base = work;
  work_floats(core, carry->rows, carry->window, at);
  return (Work){base + at[0], base + at[1], base + at[2], base + at[3], base + at[4]};
}

/* ---- slopes ---- */

/* The state's share of all rows at once. */
static void state_sums(const HnCore *core, const HnCarry *carry, float *sums) {
  const int64_t n = core->hidden, width = hn_core_width(core);
  hn_kernels()->product(&(HnProduct){.m = carry->rows,
                                     .n = width,
                                     .k = n,
                                     .a = carry->h,
                                     .a_row = carry->h_row,
                                     .a_col = 1,
                                     .b = core->u,
                                     .ldb = width,
                                     .init = core->c,
                                     .c = sums,
                                     .ldc = width});
}

/* Inputs of a row that count. */
static int64_t inputs_of(const HnCarry *carry, int64_t row) {
  return carry->filled ? carry->filled[row] : carry->window;
}

static void slopes(const HnCore *core, const HnCarry *carry, int64_t row, int64_t input,
                   const float *sums, float *d) {
  const HnCurvatureKernels *k = hn_curvature_kernels();
  const int64_t n = core->hidden, width = hn_core_width(core);
  const float *x = carry->x + row * carry->x_row + input * width;
  if (core->kind == HN_CORE_LSTM)
    k->lstm_slopes(n, sums + row * width, x, carry->m + row * carry->m_row, d);
  else
    k->gru_slopes(n, sums + row * width, x, carry->h + row * carry->h_row, d);
}

/* ---- J' and J J' ---- */

/* j [H, F] = S' w, S' by rows that stay in the cache. */
static void jacobian(const HnCore *core, const float *d, float *s, float *j) {
  const int64_t n = core->hidden, f = core->latent;
  for (int64_t from = 0; from < n; from += MIX_ROWS) {
    const int64_t count = n - from < MIX_ROWS ? n - from : MIX_ROWS;
    const HnMix mix = {.hidden = n,
                       .from = from,
                       .count = count,
                       .u = core->u,
                       .gru = core->kind == HN_CORE_GRU,
                       .s = s};
    hn_curvature_kernels()->mix(&mix, d);
    hn_gemm(count, f, n, s, n, 1, core->w, f, 0, j + from * f, f);
  }
}

/* outer [F, F] = a' b for a, b [H, F] where the product is symmetric: its lower triangle, and some
 * above it. */
static void lower_product(int64_t n, int64_t f, const float *a, const float *b, float *outer) {
  for (int64_t from = 0; from < f; from += PANEL)
    hn_gemm(f - from, f - from < PANEL ? f - from : PANEL, n, a + from, 1, f, b + from, f, 0,
            outer + from * f + from, f);
}

static void add_lower(int64_t f, double scale, const float *outer, double *p) {
  for (int64_t i = 0; i < f; i++, outer += f)
    for (int64_t j = 0; j <= i; j++) *p++ += scale * (double)outer[j];
}

static void add_diagonal(int64_t f, double scale, const float *values, double *p) {
  for (int64_t i = 0; i < f; i++) p[i] += scale * (double)values[i];
}

/* p += scale J J' */
static void add_square(const HnCore *core, bool diagonal, double scale, const Work *w, double *p) {
  const int64_t n = core->hidden, f = core->latent;
  if (diagonal) {
    hn_curvature_kernels()->squares(n, f, w->j, w->outer);
    add_diagonal(f, scale, w->outer, p);
  } else {
    lower_product(n, f, w->j, w->j, w->outer);
    add_lower(f, scale, w->outer, p);
  }
}

/* p += scale w' Q w, Q of all inputs */
static void add_blend(const HnCore *core, bool diagonal, double scale, int64_t inputs,
                      const Work *w, double *p) {
  const int64_t n = core->hidden, f = core->latent;
  hn_curvature_kernels()->blend(
      &(HnBlend){.hidden = n, .inputs = inputs, .d = w->d, .gram = core->gram, .q = w->s});
  hn_gemm(n, f, n, w->s, n, 1, core->w, f, 0, w->j, f);
  if (!diagonal) {
    lower_product(n, f, core->w, w->j, w->outer);
    add_lower(f, scale, w->outer, p);
    return;
  }
  memset(w->outer, 0, (size_t)f * sizeof(float));
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = 0; i < f; i++) w->outer[i] += core->w[k * f + i] * w->j[k * f + i];
  add_diagonal(f, scale, w->outer, p);
}

void hn_curvature_add(const HnCore *core, const HnCarry *carry, bool diagonal, double *p,
                      int64_t p_row, void *work) {
  const Work w = place(core, carry, work);
  state_sums(core, carry, w.sums);
  for (int64_t row = 0; row < carry->rows; row++, p += p_row) {
    const int64_t inputs = inputs_of(carry, row), n = core->hidden;
    const double scale = carry->normalise && inputs > 0 ? 1 / (double)inputs : 1;
    const bool blend = core->gram && hn_core_pays(core, inputs);
    for (int64_t i = 0; i < inputs; i++) {
      float *d = w.d + (blend ? i * 4 * n : 0);
      slopes(core, carry, row, i, w.sums, d);
      if (blend) continue;
      jacobian(core, d, w.s, w.j);
      add_square(core, diagonal, scale, &w, p);
    }
    if (blend) add_blend(core, diagonal, scale, inputs, &w, p);
  }
}

void hn_curvature_jacobian(const HnCore *core, const HnCarry *carry, float *j, void *work) {
  const Work w = place(core, carry, work);
  const int64_t size = core->hidden * core->latent;
  state_sums(core, carry, w.sums);
  for (int64_t row = 0; row < carry->rows; row++)
    for (int64_t i = 0; i < carry->window; i++, j += size) {
      if (i >= inputs_of(carry, row)) {
        memset(j, 0, (size_t)size * sizeof *j);
        continue;
      }
      slopes(core, carry, row, i, w.sums, w.d);
      jacobian(core, w.d, w.s, j);
    }
}
