/* gemm_test.c - products and vector math: exact chains, errors against libm in float64, and the
 * same bits on every instruction set that has FMA. */
#include <glib.h>
#include <hunch/kit/gemm.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *noise(HnRng *rng, int64_t count) {
  float *x = g_new(float, (gsize)count + 1);
  for (int64_t i = 0; i < count; i++) x[i] = (float)hn_rng_normal(rng);
  return x;
}

static bool exact(void) {
  return strcmp(hn_kit_isa(), "base") != 0;
}

typedef struct Shape {
  int64_t m, n, k;
} Shape;

static const Shape shapes[] = {{1, 1, 1},
                               {1, 7, 3},
                               {7, 5, 9},
                               {13, 64, 33},
                               {16, 192, 64},
                               {64, 8, 256},
                               {65, 71, 300},
                               {12, 47, 600},
                               {25, 113, 17},
                               {3, 96, 257},
                               {64, 1, 31},
                               {31, 33, 0},
                               /* last panels of 8 and of 4 vectors, cut short */
                               {1, 29, 40},
                               {1, 61, 40},
                               {1, 125, 300},
                               {2, 29, 33},
                               {2, 61, 300},
                               /* panels of 3 vectors, with others behind them */
                               {4, 41, 33},
                               {8, 77, 13},
                               /* enough columns for rows to be packed; tiles of unequal rows */
                               {5, 208, 19},
                               {7, 200, 135},
                               {8, 233, 130},
                               {271, 197, 141},
                               {530, 193, 9}};

/* The chain an element is defined as; without FMA, the float64 sum and a tolerance instead. */
static void check_element(double init, const float *a, int64_t a_col, const float *b, int64_t ldb,
                          int64_t k, float got) {
  float chain = (float)init;
  double sum = init, size = fabs(init);
  for (int64_t p = 0; p < k; p++) {
    chain = fmaf(a[p * a_col], b[p * ldb], chain);
    sum += (double)a[p * a_col] * (double)b[p * ldb];
    size += fabs((double)a[p * a_col] * (double)b[p * ldb]);
  }
  if (exact()) g_assert_true(memcmp(&chain, &got, sizeof got) == 0);
  g_assert_cmpfloat(fabs(sum - (double)got), <=, 1e-6 * size);
}

/* transposed: a is stored [k, m]; pad: slack in the row strides. */
static void check_product(Shape s, bool transposed, bool accumulate, int64_t pad) {
  HnRng rng = hn_rng(1, (uint64_t)(s.m * 1000 + s.n));
  const int64_t lda = (transposed ? s.m : s.k) + pad, ldb = s.n + pad, ldc = s.n + pad;
  float *a = noise(&rng, (transposed ? s.k : s.m) * lda), *b = noise(&rng, s.k * ldb),
        *c = noise(&rng, s.m * ldc);
  float *before = g_memdup2(c, sizeof(float) * (gsize)(s.m * ldc));
  const int64_t a_row = transposed ? 1 : lda, a_col = transposed ? lda : 1;
  hn_gemm(s.m, s.n, s.k, a, a_row, a_col, b, ldb, accumulate, c, ldc);
  for (int64_t i = 0; i < s.m; i++)
    for (int64_t j = 0; j < ldc; j++) {
      const double init = accumulate ? (double)before[i * ldc + j] : 0;
      if (j < s.n)
        check_element(init, a + i * a_row, a_col, b + j, ldb, s.k, c[i * ldc + j]);
      else
        g_assert_cmpfloat(c[i * ldc + j], ==, before[i * ldc + j]);
    }
  g_free(a), g_free(b), g_free(c), g_free(before);
}

static void test_product(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++)
    for (int way = 0; way < 8; way++) check_product(shapes[i], way & 1, way & 2, way & 4 ? 5 : 0);
}

static void check_batch(Shape all) {
  const int64_t M = all.m, N = all.n, K = all.k;
  HnRng rng = hn_rng(2, 0);
  float *a = noise(&rng, M * K), *b = noise(&rng, K * N), *whole = noise(&rng, M * N);
  hn_gemm(M, N, K, a, K, 1, b, N, 0, whole, N);
  const int64_t splits[] = {1, 2, 7, 64};
  for (gsize s = 0; s < G_N_ELEMENTS(splits); s++) {
    float *parts = noise(&rng, M * N);
    for (int64_t i = 0; i < M; i += splits[s])
      hn_gemm(MIN(splits[s], M - i), N, K, a + i * K, K, 1, b, N, 0, parts + i * N, N);
    g_assert_cmpmem(parts, sizeof(float) * (gsize)(M * N), whole, sizeof(float) * (gsize)(M * N));
    g_free(parts);
  }
  g_free(a), g_free(b), g_free(whole);
}

/* A row's bits do not depend on how many rows share the call. */
static void test_batch(void) {
  check_batch((Shape){64, 83, 300});
  check_batch((Shape){290, 199, 150});
}

static void test_transpose(void) {
  for (int64_t rows = 1; rows < 50; rows += 7)
    for (int64_t cols = 1; cols < 70; cols += 11) {
      HnRng rng = hn_rng(3, 0);
      float *a = noise(&rng, rows * cols), *t = noise(&rng, rows * cols);
      hn_transpose(rows, cols, a, t);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) g_assert_cmpfloat(t[j * rows + i], ==, a[i * cols + j]);
      g_free(a), g_free(t);
    }
}

typedef void Map(int64_t n, const float *x, float *y);
static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

/* Worst error over a sweep: relative, or absolute where |exact| < floor. */
static double worst(Map *map, double (*exact_map)(double), double from, double to, double floor) {
  enum { N = 200003 };
  float *x = g_new(float, N), *y = g_new(float, N);
  for (int64_t i = 0; i < N; i++) x[i] = (float)(from + (to - from) * (double)i / (N - 1));
  map(N, x, y);
  double most = 0;
  for (int64_t i = 0; i < N; i++) {
    const double want = exact_map((double)x[i]);
    most = fmax(most, fabs((double)y[i] - want) / fmax(fabs(want), floor));
  }
  g_free(x), g_free(y);
  return most;
}

static void test_accuracy(void) {
  const double none = 1e-300;
  g_assert_cmpfloat(worst(hn_vec_exp, exp, -87, 88.7, none), <=, 1.2e-7);
  g_assert_cmpfloat(worst(hn_vec_exp, exp, -104, -87, 0x1p-126), <=, 1.2e-7);
  g_assert_cmpfloat(worst(hn_vec_log, log, 1e-30, 0.3, 1), <=, 1e-7);
  g_assert_cmpfloat(worst(hn_vec_log, log, 0.3, 3, 1), <=, 1e-7);
  g_assert_cmpfloat(worst(hn_vec_log, log, 3, 3e38, 1), <=, 1e-7);
  g_assert_cmpfloat(worst(hn_vec_log, log, 1e-44, 1e-37, 1), <=, 1e-7);
  g_assert_cmpfloat(worst(hn_vec_tanh, tanh, -1e-3, 1e-3, none), <=, 2.5e-7);
  g_assert_cmpfloat(worst(hn_vec_tanh, tanh, -12, 12, none), <=, 3.5e-7);
  g_assert_cmpfloat(worst(hn_vec_sigmoid, sigmoid, -87, 30, none), <=, 2.5e-7);
  if (g_test_verbose())
    g_test_message("exp %.2e log %.2e tanh %.2e sigmoid %.2e",
                   worst(hn_vec_exp, exp, -87, 88.7, none), worst(hn_vec_log, log, 0.3, 3, 1),
                   worst(hn_vec_tanh, tanh, -12, 12, none),
                   worst(hn_vec_sigmoid, sigmoid, -87, 30, none));
}

static void test_special(void) {
  const float x[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1e30f, -1e30f};
  float y[G_N_ELEMENTS(x)];
  const int64_t n = G_N_ELEMENTS(x);
  hn_vec_exp(n, x, y);
  g_assert_true(y[0] == 1 && y[2] == INFINITY && y[3] == 0 && isnan(y[4]) && y[6] == 0);
  hn_vec_log(n, x, y);
  g_assert_true(y[0] == -INFINITY && y[2] == INFINITY && isnan(y[3]) && isnan(y[4]));
  hn_vec_tanh(n, x, y);
  g_assert_true(y[0] == 0 && y[2] == 1 && y[3] == -1 && isnan(y[4]) && y[5] == 1 && y[6] == -1);
  hn_vec_sigmoid(n, x, y);
  g_assert_true(y[0] == 0.5f && y[2] == 1 && y[3] == 0 && isnan(y[4]) && y[5] == 1 && y[6] == 0);
}

static void test_norm2(void) {
  for (int64_t n = 0; n < 70; n += 3) {
    HnRng rng = hn_rng(4, 0);
    float *x = noise(&rng, n);
    double want = 0;
    for (int64_t i = 0; i < n; i++) want += (double)x[i] * (double)x[i];
    g_assert_cmpfloat(fabs(hn_vec_norm2(n, x) - want), <=, 1e-14 * want);
    g_free(x);
  }
}

/* Every position in an array gives the same bits: whole vectors and tails alike. */
static void test_tails(void) {
  Map *const maps[] = {hn_vec_tanh, hn_vec_sigmoid, hn_vec_exp, hn_vec_log};
  HnRng rng = hn_rng(5, 0);
  float *x = noise(&rng, 40), all[40], some[40];
  for (gsize f = 0; f < G_N_ELEMENTS(maps); f++) {
    maps[f](40, x, all);
    for (int64_t n = 1; n < 40; n++) {
      some[n] = 7;
      maps[f](n, x, some);
      g_assert_cmpmem(some, sizeof(float) * (gsize)n, all, sizeof(float) * (gsize)n);
      g_assert_cmpfloat(some[n], ==, 7);
    }
  }
  g_free(x);
}

/* Prints a hash of many results; test_isa compares runs on different sets. */
static int print_bits(void) {
  enum { N = 100001 };
  Map *const maps[] = {hn_vec_tanh, hn_vec_sigmoid, hn_vec_exp, hn_vec_log};
  float *x = g_new(float, N), *y = g_new(float, N);
  for (int64_t i = 0; i < N; i++) x[i] = 100 * (float)(i - N / 3) / N;
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (gsize f = 0; f < G_N_ELEMENTS(maps); f++) {
    maps[f](N, x, y);
    g_checksum_update(sum, (const guchar *)y, sizeof(float) * N);
  }
  double norm = hn_vec_norm2(N, x);
  g_checksum_update(sum, (const guchar *)&norm, sizeof norm);
  printf("%s\n", g_checksum_get_string(sum));
  g_checksum_free(sum), g_free(x), g_free(y);
  return 0;
}

static char *bits_on(const char *isa) {
  char *argv[] = {g_file_read_link("/proc/self/exe", NULL), g_strdup("--bits"), NULL};
  char **env = g_environ_setenv(g_get_environ(), "HUNCH_ISA", isa, TRUE), *out = NULL;
  int status = -1;
  g_assert_true(g_spawn_sync(NULL, argv, env, 0, NULL, NULL, &out, NULL, &status, NULL));
  g_assert_cmpint(status, ==, 0);
  g_strfreev(env), g_free(argv[0]), g_free(argv[1]);
  return out;
}

static void test_isa(void) {
  char *v3 = bits_on("v3"), *v4 = bits_on("v4");
  g_assert_cmpuint(strlen(v3), ==, 65);
  g_assert_cmpstr(v3, ==, v4);
  g_free(v3), g_free(v4);
  const char *pinned = g_getenv("HUNCH_ISA");
  if (pinned && strcmp(pinned, "base") == 0) g_assert_cmpstr(hn_kit_isa(), ==, "base");
  g_assert_cmpuint(strlen(hn_kit_blas()), >, 0);
}

static void test_normals(void) {
  enum { N = 200001 };
  float *x = g_new0(float, N);
  HnRng rng = hn_rng(3, 4);
  hn_normals(&rng, N, x);
  double moment[4] = {0}, beyond = 0, pair = 0;
  for (int i = 0; i < N; i++) {
    double v = (double)x[i];
    moment[0] += v / N, moment[1] += v * v / N, moment[2] += v * v * v / N;
    moment[3] += v * v * v * v / N, beyond += fabs(v) > 1.959964;
    if (i < N / 2) pair += v * (double)x[i + N / 2 + 1] / (N / 2.0); /* of the same radius */
  }
  g_assert_cmpfloat_with_epsilon(moment[0], 0, 4 / sqrt(N));
  g_assert_cmpfloat_with_epsilon(moment[1], 1, 4 * sqrt(2.0 / N));
  g_assert_cmpfloat_with_epsilon(moment[2], 0, 4 * sqrt(15.0 / N));
  g_assert_cmpfloat_with_epsilon(moment[3], 3, 4 * sqrt(96.0 / N));
  g_assert_cmpfloat_with_epsilon(beyond / N, 0.05, 4 * sqrt(0.05 / N));
  g_assert_cmpfloat_with_epsilon(pair, 0, 4 / sqrt(N / 2.0));
  /* the polynomials, against the library's sine and cosine */
  rng = hn_rng(3, 5);
  hn_normals(&rng, 2000, x);
  rng = hn_rng(3, 5);
  for (int i = 0; i < 1000; i++) {
    double u = ((hn_rng_u32(&rng) >> 8) + 0.5) * 0x1p-24, a = (hn_rng_u32(&rng) >> 8) * 0x1p-24;
    double r = sqrt(-2 * log(u)), angle = 2 * G_PI * (a - 0.5);
    g_assert_cmpfloat_with_epsilon((double)x[i], r * sin(angle), 3e-6);
    g_assert_cmpfloat_with_epsilon((double)x[1000 + i], r * cos(angle), 3e-6);
  }
  /* half a pair, and nothing else, is left out; nothing is written past the end */
  rng = hn_rng(3, 5), x[1999] = 7;
  float first = x[0], middle = x[999], second = x[1000];
  hn_normals(&rng, 1999, x);
  g_assert_true(x[0] == first && x[999] == middle && x[1000] == second && x[1999] == 7);
  g_free(x);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--bits") == 0) return print_bits();
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/gemm/product", test_product);
  g_test_add_func("/gemm/batch", test_batch);
  g_test_add_func("/gemm/transpose", test_transpose);
  g_test_add_func("/vec/accuracy", test_accuracy);
  g_test_add_func("/vec/special", test_special);
  g_test_add_func("/vec/norm2", test_norm2);
  g_test_add_func("/vec/tails", test_tails);
  g_test_add_func("/vec/normals", test_normals);
  g_test_add_func("/kit/isa", test_isa);
  return g_test_run();
}
