/* curvature_test.c - the Laplace precision: central differences of a float64 cell, the plain
 * product form, and the kit's two forms, all of the same numbers. */
#include <glib.h>
#include <hunch/kit/curvature.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A core, carries and windows of inputs, in float64 and, rounded to float32 first, for the kit. */
typedef struct Fixture {
  HnCore core;
  HnCarry carry;
  double *u, *c, *w, *h, *m, *x;
  float *u32, *c32, *w32, *h32, *m32, *x32;
} Fixture;

static double *fill(HnRng *rng, int64_t count, double scale, float **rounded) {
  double *a = g_new(double, (gsize)count);
  *rounded = g_new(float, (gsize)count);
  for (int64_t i = 0; i < count; i++)
    a[i] = (double)((*rounded)[i] = (float)(scale * hn_rng_normal(rng)));
  return a;
}

static Fixture fixture_new(HnRnnCell kind, int64_t f, int64_t n, int64_t rows, int64_t window) {
  HnRng rng = hn_rng(7, (uint64_t)(kind * 1000 + f * 100 + n));
  Fixture it = {.core = {.cell = kind, .hidden = n, .latent = f},
                .carry = {.rows = rows, .window = window, .h_row = n, .m_row = n}};
  const int64_t width = hn_core_width(&it.core);
  it.u = fill(&rng, n * width, 1 / sqrt((double)n), &it.u32);
  it.c = fill(&rng, width, 0.3, &it.c32);
  it.w = fill(&rng, n * f, 1 / sqrt((double)n), &it.w32);
  it.h = fill(&rng, rows * n, 0.6, &it.h32);
  it.m = fill(&rng, rows * n, 1, &it.m32);
  it.x = fill(&rng, rows * window * width, 1, &it.x32);
  it.core.u = it.u32, it.core.c = it.c32, it.core.w = it.w32;
  it.carry.h = it.h32, it.carry.m = it.m32, it.carry.x = it.x32;
  it.carry.x_row = window * width;
  return it;
}

static void fixture_free(Fixture *it) {
  g_free(it->u), g_free(it->c), g_free(it->w), g_free(it->h), g_free(it->m), g_free(it->x);
  g_free(it->u32), g_free(it->c32), g_free(it->w32), g_free(it->h32), g_free(it->m32);
  g_free(it->x32);
}

/* ---- float64 twins ---- */

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

/* Share of the state in gate column j. */
static double state_sum(const Fixture *it, const double *h, int64_t j) {
  const int64_t n = it->core.hidden, width = hn_core_width(&it->core);
  double sum = it->c[j];
  for (int64_t p = 0; p < n; p++) sum += h[p] * it->u[p * width + j];
  return sum;
}

/* mean [F] of one more step, without the read-out's bias. */
static void mean_after(const Fixture *it, const double *h, const double *m, const double *x,
                       double *mean) {
  const int64_t n = it->core.hidden, f = it->core.latent;
  for (int64_t i = 0; i < f; i++) mean[i] = 0;
  for (int64_t k = 0; k < n; k++) {
    double next;
    if (it->core.cell == HN_RNN_LSTM) {
      const double in = sigmoid(x[k] + state_sum(it, h, k));
      const double keep = sigmoid(x[n + k] + state_sum(it, h, n + k));
      const double candidate = tanh(x[2 * n + k] + state_sum(it, h, 2 * n + k));
      const double out = sigmoid(x[3 * n + k] + state_sum(it, h, 3 * n + k));
      next = out * tanh(keep * m[k] + in * candidate);
    } else {
      const double r = sigmoid(x[k] + state_sum(it, h, k));
      const double z = sigmoid(x[n + k] + state_sum(it, h, n + k));
      next = (1 - z) * tanh(x[2 * n + k] + r * state_sum(it, h, 2 * n + k)) + z * h[k];
    }
    for (int64_t i = 0; i < f; i++) mean[i] += next * it->w[k * f + i];
  }
}

/* J [F, H] of a row and input by central differences with respect to h, m held. */
static void differences(const Fixture *it, int64_t row, int64_t input, double *j) {
  const int64_t n = it->core.hidden, f = it->core.latent;
  const double *x = it->x + row * it->carry.x_row + input * hn_core_width(&it->core);
  double *h = g_memdup2(it->h + row * n, (gsize)n * sizeof(double)), e = 1e-5;
  double *up = g_new(double, (gsize)f), *down = g_new(double, (gsize)f);
  for (int64_t k = 0; k < n; k++) {
    const double at = h[k];
    h[k] = at + e, mean_after(it, h, it->m + row * n, x, up);
    h[k] = at - e, mean_after(it, h, it->m + row * n, x, down);
    h[k] = at;
    for (int64_t i = 0; i < f; i++) j[i * n + k] = (up[i] - down[i]) / (2 * e);
  }
  g_free(h), g_free(up), g_free(down);
}

/* A gate's slope at unit k: the card's D_g, in float64. */
static void slopes(const Fixture *it, int64_t row, int64_t input, int64_t k, double *d) {
  const int64_t n = it->core.hidden;
  const double *x = it->x + row * it->carry.x_row + input * hn_core_width(&it->core);
  const double *h = it->h + row * n, *m = it->m + row * n;
  if (it->core.cell == HN_RNN_LSTM) {
    const double i = sigmoid(x[k] + state_sum(it, h, k));
    const double f = sigmoid(x[n + k] + state_sum(it, h, n + k));
    const double g = tanh(x[2 * n + k] + state_sum(it, h, 2 * n + k));
    const double o = sigmoid(x[3 * n + k] + state_sum(it, h, 3 * n + k));
    const double t = tanh(f * m[k] + i * g), a = o * (1 - t * t);
    d[0] = a * g * i * (1 - i), d[1] = a * m[k] * f * (1 - f);
    d[2] = a * i * (1 - g * g), d[3] = t * o * (1 - o);
  } else {
    const double r = sigmoid(x[k] + state_sum(it, h, k));
    const double z = sigmoid(x[n + k] + state_sum(it, h, n + k));
    const double q = state_sum(it, h, 2 * n + k), c = tanh(x[2 * n + k] + r * q);
    d[0] = (1 - z) * (1 - c * c) * q * r * (1 - r), d[1] = (h[k] - c) * z * (1 - z);
    d[2] = (1 - z) * (1 - c * c) * r, d[3] = z;
  }
}

/* J [F, H] = sum_g (W D_g) U_g: the plain form. */
static void plain(const Fixture *it, int64_t row, int64_t input, double *j) {
  const int64_t n = it->core.hidden, f = it->core.latent, width = hn_core_width(&it->core);
  memset(j, 0, (gsize)(f * n) * sizeof(double));
  for (int64_t k = 0; k < n; k++) {
    double d[4];
    slopes(it, row, input, k, d);
    for (int64_t i = 0; i < f; i++)
      for (int64_t g = 0; g < 4; g++)
        for (int64_t p = 0; p < n; p++) {
          const double u = g * n < width ? it->u[p * width + g * n + k] : p == k;
          j[i * n + p] += it->w[k * f + i] * d[g] * u;
        }
  }
}

/* p (packed) += scale J J' */
static void add_square(const Fixture *it, const double *j, double scale, double *p) {
  const int64_t n = it->core.hidden;
  for (int64_t a = 0; a < it->core.latent; a++)
    for (int64_t b = 0; b <= a; b++, p++)
      for (int64_t k = 0; k < n; k++) *p += scale * j[a * n + k] * j[b * n + k];
}

static double distance(const double *a, const double *b, int64_t count) {
  double wrong = 0, size = 0;
  for (int64_t i = 0; i < count; i++) wrong += pow(a[i] - b[i], 2), size += b[i] * b[i];
  return sqrt(wrong / size);
}

/* ---- cases ---- */

static void *work_of(const HnCore *core, int64_t rows, int64_t window) {
  return aligned_alloc(64, (hn_curvature_work_size(core, rows, window) + 63) / 64 * 64);
}

static float *gram_of(const HnCore *core) {
  float *gram = g_new(float, (gsize)hn_core_gram_count(core));
  void *work = g_malloc(hn_core_gram_work_size(core));
  hn_core_gram(core, gram, work);
  g_free(work);
  return gram;
}

typedef struct Size {
  HnRnnCell kind;
  int64_t f, n, rows, window;
} Size;
static const Size sizes[] = {{HN_RNN_LSTM, 4, 6, 3, 2},    {HN_RNN_GRU, 4, 6, 3, 2},
                             {HN_RNN_LSTM, 1, 1, 1, 1},    {HN_RNN_GRU, 1, 1, 1, 1},
                             {HN_RNN_LSTM, 5, 29, 4, 3},   {HN_RNN_GRU, 33, 26, 2, 5},
                             {HN_RNN_LSTM, 32, 64, 2, 10}, {HN_RNN_GRU, 32, 64, 2, 10},
                             {HN_RNN_LSTM, 64, 128, 2, 3}, {HN_RNN_LSTM, 70, 53, 2, 1}};

/* The closed form against differences, both in float64, and the kit's Jacobian against it. */
static void test_jacobian(void) {
  for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
    const Size z = sizes[s];
    if (z.n > 64) continue;
    Fixture it = fixture_new(z.kind, z.f, z.n, z.rows, z.window);
    const int64_t size = z.f * z.n;
    double *want = g_new(double, (gsize)size), *j = g_new(double, (gsize)size);
    float *kit = g_new(float, (gsize)(size * z.rows * z.window)), *at = kit;
    void *work = work_of(&it.core, z.rows, z.window);
    hn_curvature_jacobian(&it.core, &it.carry, kit, work);
    for (int64_t row = 0; row < z.rows; row++)
      for (int64_t i = 0; i < z.window; i++, at += size) {
        differences(&it, row, i, want);
        plain(&it, row, i, j);
        g_assert_cmpfloat(distance(j, want, size), <=, 1e-8);
        for (int64_t a = 0; a < z.f; a++)
          for (int64_t k = 0; k < z.n; k++) j[a * z.n + k] = (double)at[k * z.f + a];
        g_assert_cmpfloat(distance(j, want, size), <=, 2e-6);
      }
    g_free(want), g_free(j), g_free(kit), free(work);
    fixture_free(&it);
  }
}

/* One size, filled slots and normalisation as given, all four ways through the kit. */
static void check_forms(Size z, const int32_t *filled, bool normalise) {
  Fixture it = fixture_new(z.kind, z.f, z.n, z.rows, z.window);
  const int64_t count = hn_precision_count(z.f, false), all = count * z.rows;
  double *want = g_new(double, (gsize)all), *p = g_new(double, (gsize)all);
  double *j = g_new(double, (gsize)(z.f * z.n));
  float *gram = gram_of(&it.core);
  void *work = work_of(&it.core, z.rows, z.window);
  it.carry.filled = filled, it.carry.normalise = normalise;
  for (int64_t row = 0; row < z.rows; row++) {
    const int64_t inputs = filled ? filled[row] : z.window;
    hn_precision_set(z.f, false, 0.75, want + row * count);
    for (int64_t i = 0; i < inputs; i++) {
      plain(&it, row, i, j);
      add_square(&it, j, normalise ? 1 / (double)inputs : 1, want + row * count);
    }
  }
  for (int way = 0; way < 2; way++) {
    it.core.gram = way ? gram : NULL;
    for (int64_t row = 0; row < z.rows; row++) hn_precision_set(z.f, false, 0.75, p + row * count);
    hn_curvature_add(&it.core, &it.carry, false, p, count, work);
    g_assert_cmpfloat(distance(p, want, all), <=, 2e-6);
    /* the diagonal variant, with room between rows */
    for (int64_t row = 0; row < z.rows; row++)
      hn_precision_set(z.f, true, 0.75, p + row * (z.f + 3) * (count > z.f + 3));
    if (count <= z.f + 3) continue;
    hn_curvature_add(&it.core, &it.carry, true, p, z.f + 3, work);
    for (int64_t row = 0; row < z.rows && (z.f + 3) * z.rows <= all; row++)
      for (int64_t a = 0; a < z.f; a++)
        g_assert_cmpfloat(fabs(p[row * (z.f + 3) + a] / want[row * count + a * (a + 3) / 2] - 1),
                          <=, 4e-6);
  }
  g_free(want), g_free(p), g_free(j), g_free(gram), free(work);
  fixture_free(&it);
}

static void test_forms(void) {
  const int32_t filled[] = {1, 0, 2, 1};
  for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
    check_forms(sizes[s], NULL, false);
    check_forms(sizes[s], NULL, true);
    if (sizes[s].window >= 2) check_forms(sizes[s], filled, true);
  }
}

/* A row's bits do not depend on which rows share the call. */
static void test_rows(void) {
  enum { ROWS = 9, F = 20, N = 40, B = 4 };
  for (int kind = 0; kind < 2; kind++)
    for (int way = 0; way < 2; way++) {
      Fixture it = fixture_new(kind, F, N, ROWS, B);
      const int64_t count = hn_precision_count(F, false);
      double *all = g_new0(double, (gsize)(ROWS * count)), *part = g_new0(double, (gsize)count);
      float *gram = gram_of(&it.core);
      void *work = work_of(&it.core, ROWS, B);
      if (way) it.core.gram = gram;
      hn_curvature_add(&it.core, &it.carry, false, all, count, work);
      HnCarry one = it.carry;
      one.rows = 1;
      for (int64_t row = 0; row < ROWS; row++) {
        memset(part, 0, (gsize)count * sizeof *part);
        hn_curvature_add(&it.core, &one, false, part, count, work);
        g_assert_cmpmem(part, (gsize)count * sizeof *part, all + row * count,
                        (gsize)count * sizeof *part);
        one.h += N, one.m += N, one.x += one.x_row;
      }
      g_free(all), g_free(part), g_free(gram), free(work);
      fixture_free(&it);
    }
}

/* ---- bits ---- */

static uint64_t mix_bits(uint64_t hash, const void *data, gsize size) {
  const uint8_t *at = data;
  for (gsize i = 0; i < size; i++) hash = (hash ^ at[i]) * 1099511628211u;
  return hash;
}

/* Of everything that the precision and its Gaussian come to, at odd sizes, by both forms. */
static uint64_t hash_all(void) {
  enum { ROWS = 21, F = 35, N = 45, B = 3 };
  const int64_t count = hn_precision_count(F, false);
  uint64_t hash = 14695981039346656037u;
  for (int kind = 0; kind < 2; kind++)
    for (int way = 0; way < 2; way++) {
      Fixture it = fixture_new(kind, F, N, ROWS, B);
      double *p = g_new(double, (gsize)(ROWS * count));
      float *gram = gram_of(&it.core), z[ROWS * F], pull[ROWS * F];
      HnPrecisionStats facts[ROWS];
      void *work = work_of(&it.core, ROWS, B);
      void *room = aligned_alloc(64, (hn_precision_work_size(F) + 63) / 64 * 64);
      if (way) it.core.gram = gram;
      for (int row = 0; row < ROWS; row++) hn_precision_set(F, false, 1, p + row * count);
      hn_curvature_add(&it.core, &it.carry, false, p, count, work);
      const HnPrecision q = {ROWS, F, false, p, count, HN_JITTER};
      hn_precision_sample(&q, it.h32, N, 1, it.m32, z, NULL, room);
      hn_precision_stats(&q, z, F, &q, it.h32, N, facts, NULL, room);
      hn_precision_mahalanobis(&q, z, F, it.h32, N, pull, NULL);
      hash = mix_bits(hash, p, (gsize)(ROWS * count) * sizeof *p);
      hash = mix_bits(hash, z, sizeof z);
      hash = mix_bits(hash, facts, sizeof facts);
      hash = mix_bits(hash, pull, sizeof pull);
      g_free(p), g_free(gram), free(work), free(room);
      fixture_free(&it);
    }
  return hash;
}

static const char *program;

/* This program again on the instruction set below, which has FMA too. */
static void test_bits(void) {
  if (strcmp(hn_kit_isa(), "v4") != 0) {
    g_test_skip("needs a processor with v4");
    return;
  }
  g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "HUNCH_ISA", "v3", TRUE);
  gchar *arguments[] = {g_strdup(program), g_strdup("--hash"), NULL};
  g_autofree gchar *out = NULL,
                   *mine = g_strdup_printf("v3 %016" G_GINT64_MODIFIER "x", hash_all());
  g_assert_true(g_spawn_sync(NULL, arguments, environment, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                             NULL, NULL));
  g_assert_cmpstr(out, ==, mine);
  g_free(arguments[0]), g_free(arguments[1]);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--hash") == 0) {
    g_print("%s %016" G_GINT64_MODIFIER "x", hn_kit_isa(), hash_all());
    return 0;
  }
  program = argv[0];
  g_test_init(&argc, &argv, NULL);
  if (!g_getenv("HUNCH_ISA")) g_test_add_func("/curvature/bits", test_bits);
  g_test_add_func("/curvature/jacobian", test_jacobian);
  g_test_add_func("/curvature/forms", test_forms);
  g_test_add_func("/curvature/rows", test_rows);
  return g_test_run();
}
