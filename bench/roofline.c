/* roofline.c - what share of this machine's peak the kit's float32 products reach at the shapes
 * that learning has, and how long those of one update take: docs/performance.md says where the
 * shapes come from.
 *
 *   bench_roofline [PART]     rows whose first column holds PART; without it: all
 *   HUNCH_ISA=v3 bench_roofline
 *
 * The peak is that of multiply-adds on registers, in vectors of the instruction set in use; the
 * bandwidths are those of reading arrays that fit the first cache, the second, and neither.  Peak
 * and products alternate, and each is the fastest of its rounds in processor time of one thread:
 * what else runs on the machine slows both.  Operands walk through arrays as large as the real
 * ones. */
#include <hunch/kit/gemm.h>
#include <hunch/rng.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#  include <immintrin.h>
#endif

enum { ROUNDS = 15 };

static double busy(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the machine ---- */

enum { LINKS = 20000 };

/* LINKS multiply-adds in each of CHAINS vectors, as many as hide a multiply-add's latency and leave
 * registers for two operands; returns their floating point operations. */
#define PEAK(NAME, TARGET, VEC, ALL, FMA, LANES, CHAINS)                                    \
  __attribute__((target(TARGET))) static double NAME(float *sink) {                         \
    VEC x[CHAINS], a = ALL(0.999f), b = ALL(0.001f);                                        \
    _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) x[i] = ALL((float)i);         \
    for (int k = 0; k < LINKS; k++) {                                                       \
      _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) x[i] = FMA(x[i], a, b);     \
      __asm__ volatile("" : "+x"(a), "+x"(b)); /* or whole loops might be computed ahead */ \
    }                                                                                       \
    _Pragma("GCC unroll 16") for (int i = 1; i < CHAINS; i++) x[0] = FMA(x[i], a, x[0]);    \
    memcpy(sink, &x[0], sizeof x[0]);                                                       \
    return 2.0 * LANES * CHAINS * LINKS;                                                    \
  }
#if defined(__x86_64__)
PEAK(peak_v4, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16, 16)
PEAK(peak_v3, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8, 12)
#  define BASE_FMA(x, a, b) ((x) * (a) + (b))
PEAK(peak_base, "sse2", __m128, _mm_set1_ps, BASE_FMA, 4, 12)
#else
#  define SCALAR(x)         (x)
#  define BASE_FMA(x, a, b) ((x) * (a) + (b))
static double peak_base(float *sink) {
  enum { CHAINS = 16 };
  float x[CHAINS], a = 0.999f, b = 0.001f;
  for (int i = 0; i < CHAINS; i++) x[i] = (float)i;
  for (int k = 0; k < LINKS; k++)
    for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a + b;
  memcpy(sink, x, sizeof x);
  return 2.0 * CHAINS * LINKS;
}
#endif

static double peak_pass(void) {
  static float sink[16];
#if defined(__x86_64__)
  if (!strcmp(hn_kit_isa(), "v4")) return peak_v4(sink);
  if (!strcmp(hn_kit_isa(), "v3")) return peak_v3(sink);
#endif
  return peak_base(sink);
}

/* ---- products ---- */

/* Which of a product's arrays is wide, a part of rows `ld` apart (0: none is): what the product
 * writes, the gradient that it reads, or, for weights, the gradient that meets inputs. */
typedef enum Form { FORWARD, BACK, WEIGHT } Form;

/* `steps` products of c [m, n] (+)= a [m, k] b [k, n], one after another through the arrays;
 * `count` times in an update. */
typedef struct Shape {
  const char *of, *name;
  Form form;
  int64_t m, n, k, ld, steps;
  double count;
} Shape;

/* VariBAD on its gridworld, an Adam step: two shards of 13 and 12 trials, 60 steps, 61 posteriors.
 */
#define GRID(...) \
  { "varibad gridworld", __VA_ARGS__ }
/* PPO there: 8 minibatches of 240 in two shards. */
#define GRID_PPO(...) \
  { "ppo gridworld", __VA_ARGS__ }
/* The Laplace VRNN on its grid: a shard of 16 of 256 trials, 100 steps; LSTM 128, F = 64. */
#define LAPLACE(...) \
  { "laplace gridworld", __VA_ARGS__ }
/* GLiBRL on ML10: a trial of 5,000 steps in chunks of 64; the reward's network, 256 features. */
#define GLIBRL(...) \
  { "glibrl ml10", __VA_ARGS__ }
/* PPO on ML10: a minibatch of 1,000 in 8 shards. */
#define ML10_PPO(...) \
  { "ppo ml10", __VA_ARGS__ }
/* RL2 on ML10: a shard of 4 rows, segments of 250 steps. */
#define RL2(...) \
  { "rl2 ml10", __VA_ARGS__ }

static const Shape shapes[] = {
    GRID("inputs of r, z", FORWARD, 260, 128, 16, 256, 3, 2),
    GRID("inputs of n", FORWARD, 260, 64, 16, 256, 3, 2),
    GRID("recurrence", FORWARD, 13, 192, 64, 256, 60, 2),
    GRID("recurrence back", BACK, 13, 64, 192, 256, 60, 2),
    GRID("recurrent weights", WEIGHT, 64, 192, 260, 256, 3, 2),
    GRID("weights of r, z", WEIGHT, 16, 128, 260, 256, 3, 2),
    GRID("weights of n", WEIGHT, 16, 64, 260, 256, 3, 2),
    GRID("inputs back, r, z", BACK, 260, 16, 128, 256, 3, 2),
    GRID("inputs back, n", BACK, 260, 16, 64, 256, 3, 2),
    GRID("embed state", FORWARD, 780, 8, 3, 0, 1, 2),
    GRID("embed weights", WEIGHT, 3, 8, 780, 0, 1, 2),
    GRID("head", FORWARD, 780, 10, 64, 0, 1, 2),
    GRID("head back", BACK, 780, 64, 10, 0, 1, 2),
    GRID("head weights", WEIGHT, 64, 10, 780, 0, 1, 2),
    GRID("decoder 1", FORWARD, 793, 32, 5, 0, 1, 2),
    GRID("decoder 2", FORWARD, 793, 32, 32, 0, 1, 2),
    GRID("decoder 3", FORWARD, 793, 25, 32, 0, 1, 2),
    GRID("decoder 3 back", BACK, 793, 32, 25, 0, 1, 2),
    GRID("decoder 2 back", BACK, 793, 32, 32, 0, 1, 2),
    GRID("decoder 1 back", BACK, 793, 5, 32, 0, 1, 2),
    GRID("decoder 3 weights", WEIGHT, 32, 25, 793, 0, 1, 2),
    GRID("decoder 2 weights", WEIGHT, 32, 32, 793, 0, 1, 2),
    GRID("decoder 1 weights", WEIGHT, 5, 32, 793, 0, 1, 2),
    GRID_PPO("embeddings", FORWARD, 120, 16, 10, 0, 1, 16),
    GRID_PPO("hidden", FORWARD, 120, 32, 32, 0, 2, 16),
    GRID_PPO("hidden back", BACK, 120, 32, 32, 0, 2, 16),
    GRID_PPO("hidden weights", WEIGHT, 32, 32, 120, 0, 2, 16),
    GRID_PPO("head", FORWARD, 120, 5, 32, 0, 1, 16),
    GRID_PPO("head back", BACK, 120, 32, 5, 0, 1, 16),
    GRID_PPO("head weights", WEIGHT, 32, 5, 120, 0, 1, 16),
    LAPLACE("embed", FORWARD, 1616, 256, 256, 0, 1, 2),
    LAPLACE("inputs", FORWARD, 256, 512, 512, 512, 6, 1),
    LAPLACE("recurrence", FORWARD, 16, 512, 128, 512, 101, 1),
    LAPLACE("recurrence back", BACK, 16, 128, 512, 512, 101, 1),
    LAPLACE("recurrent weights", WEIGHT, 128, 512, 256, 512, 6, 1),
    LAPLACE("weights of inputs", WEIGHT, 512, 512, 256, 512, 6, 1),
    LAPLACE("inputs back", BACK, 256, 512, 512, 512, 6, 1),
    LAPLACE("slopes times w", FORWARD, 24, 64, 128, 0, 24, 404),
    GLIBRL("layer 1", FORWARD, 64, 128, 82, 0, 79, 1),
    GLIBRL("layer 2", FORWARD, 64, 128, 128, 0, 79, 1),
    GLIBRL("features", FORWARD, 64, 256, 128, 0, 79, 1),
    GLIBRL("features back", BACK, 64, 128, 256, 0, 79, 1),
    GLIBRL("layer 2 back", BACK, 64, 128, 128, 0, 79, 1),
    GLIBRL("features' weights", WEIGHT, 128, 256, 64, 0, 79, 1),
    GLIBRL("layer 2 weights", WEIGHT, 128, 128, 64, 0, 79, 1),
    GLIBRL("layer 1 weights", WEIGHT, 82, 128, 64, 0, 79, 1),
    GLIBRL("evidence: C V", FORWARD, 512, 256, 256, 0, 10, 1),
    ML10_PPO("embed obs", FORWARD, 125, 64, 39, 0, 1, 8),
    ML10_PPO("hidden 1", FORWARD, 125, 256, 128, 0, 2, 8),
    ML10_PPO("hidden 2", FORWARD, 125, 256, 256, 0, 2, 8),
    ML10_PPO("hidden 2 back", BACK, 125, 256, 256, 0, 2, 8),
    ML10_PPO("hidden 1 back", BACK, 125, 128, 256, 0, 2, 8),
    ML10_PPO("hidden 2 weights", WEIGHT, 256, 256, 125, 0, 2, 8),
    ML10_PPO("hidden 1 weights", WEIGHT, 128, 256, 125, 0, 2, 8),
    ML10_PPO("head", FORWARD, 125, 4, 256, 0, 1, 8),
    ML10_PPO("head back", BACK, 125, 256, 4, 0, 1, 8),
    ML10_PPO("head weights", WEIGHT, 256, 4, 125, 0, 1, 8),
    RL2("inputs of r, z", FORWARD, 256, 512, 64, 1024, 4, 1),
    RL2("recurrence", FORWARD, 4, 768, 256, 1024, 250, 1),
    RL2("recurrence back", BACK, 4, 256, 768, 1024, 250, 1),
    RL2("recurrent weights", WEIGHT, 256, 768, 256, 1024, 4, 1),
    RL2("weights of r, z", WEIGHT, 64, 512, 256, 1024, 4, 1),
    RL2("bottleneck", FORWARD, 1000, 256, 256, 0, 1, 1),
    RL2("bottleneck weights", WEIGHT, 256, 256, 1000, 0, 1, 1),
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A product's arrays and its strides. */
typedef struct Work {
  const Shape *s;
  float *a, *b, *c;
  int64_t lda, ldb, ldc;
  double least; /* seconds of all steps */
} Work;

static float *noise(HnRng *rng, int64_t count) {
  float *x = aligned_alloc(64, (size_t)(count + 31) / 16 * 64);
  if (!x) abort();
  for (int64_t i = 0; i < count; i++) x[i] = (float)hn_rng_normal(rng) * 0.1f;
  return x;
}

static Work work_new(const Shape *s) {
  HnRng rng = hn_rng(1, 2);
  Work w = {.s = s, .least = 1e9};
  w.lda = s->form == WEIGHT ? s->m : s->form == BACK && s->ld ? s->ld : s->k;
  w.ldb = s->form == WEIGHT && s->ld ? s->ld : s->n;
  w.ldc = s->form == FORWARD && s->ld ? s->ld : s->n;
  const int64_t a = s->form == WEIGHT ? s->k * w.lda : s->m * w.lda, b = s->k * w.ldb;
  const int64_t walk_b = s->form == WEIGHT ? s->steps : 1,
                walk_c = s->form == WEIGHT ? 1 : s->steps;
  w.a = noise(&rng, a * s->steps), w.b = noise(&rng, b * walk_b);
  w.c = noise(&rng, s->m * w.ldc * walk_c);
  return w;
}

static void walk(const Work *w) {
  const Shape *s = w->s;
  const bool weight = s->form == WEIGHT;
  for (int64_t i = 0; i < s->steps; i++) {
    const float *a = w->a + i * (weight ? s->k : s->m) * w->lda;
    const float *b = w->b + (weight ? i * s->k * w->ldb : 0);
    float *c = w->c + (weight ? 0 : i * s->m * w->ldc);
    hn_gemm(s->m, s->n, s->k, a, weight ? 1 : w->lda, weight ? w->lda : 1, b, w->ldb,
            weight && i > 0, c, w->ldc);
  }
}

static double flops(const Shape *s) {
  return 2.0 * (double)s->m * (double)s->n * (double)s->k * (double)s->steps;
}

/* Seconds of one walk, over walks that together take a fifth of a millisecond. */
static double time_walks(const Work *w) {
  const int times = 1 + (int)(2e7 / flops(w->s));
  const double start = busy();
  for (int i = 0; i < times; i++) walk(w);
  return (busy() - start) / times;
}

/* ---- bandwidth ---- */

enum { LINE = 64 }; /* bytes */

/* Reads `bytes`, a multiple of four lines. */
#define READ(NAME, TARGET, VEC, OR)                                                      \
  __attribute__((target(TARGET))) static void NAME(int64_t bytes, const void *from) {    \
    const VEC *x = from;                                                                 \
    VEC all[4] = {x[0], x[1], x[2], x[3]};                                               \
    for (int64_t i = 0, n = bytes / (int64_t)sizeof *x; i < n; i += 4)                   \
      _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) all[k] = OR(all[k], x[i + k]); \
    __asm__ volatile("" ::"x"(all[0]), "x"(all[1]), "x"(all[2]), "x"(all[3]));           \
  }
#if defined(__x86_64__)
READ(read_v4, "avx512f", __m512i, _mm512_or_si512)
READ(read_v3, "avx2", __m256i, _mm256_or_si256)
READ(read_base, "sse2", __m128i, _mm_or_si128)
#endif

static void read_pass(int64_t bytes, const void *x) {
#if defined(__x86_64__)
  if (!strcmp(hn_kit_isa(), "v4"))
    read_v4(bytes, x);
  else if (!strcmp(hn_kit_isa(), "v3"))
    read_v3(bytes, x);
  else
    read_base(bytes, x);
#else
  uint64_t all = 0;
  for (int64_t i = 0; i < bytes / LINE; i++) all |= ((const uint64_t *)x)[i * LINE / 8];
  __asm__ volatile("" ::"r"(all));
#endif
}

/* Bytes a second of reading an array of so many bytes over and over. */
static double read_rate(int64_t bytes) {
  void *x = aligned_alloc(LINE, (size_t)bytes);
  if (!x) abort();
  memset(x, 1, (size_t)bytes);
  const int times = bytes < 1 << 22 ? (int)((1 << 22) / bytes) : 1;
  double least = 1e9;
  for (int r = 0; r < ROUNDS; r++) {
    const double start = busy();
    for (int i = 0; i < times; i++) read_pass(bytes, x);
    const double took = (busy() - start) / times;
    if (took < least) least = took;
  }
  free(x);
  return (double)bytes / least;
}

/* ---- the table ---- */

static void print_total(const char *of, double work, double seconds, double peak) {
  printf("%-18s %-20s %19s %8.2f %6s %9.1f %4.0f %%\n\n", of, "all of these", "", 1e-6 * work, "",
         1e6 * seconds, 100 * work / seconds / peak);
}

static void print_table(const Work *work, int count, double peak) {
  double sum = 0, seconds = 0;
  printf("%-18s %-20s %19s %8s %6s %9s %6s\n", "", "product", "m x n x k", "Mflop", "GF/s", "us",
         "peak");
  for (int i = 0; i < count; i++) {
    const Shape *s = work[i].s;
    char shape[64];
    snprintf(shape, sizeof shape, "%lld x %lld x %lld", (long long)s->m, (long long)s->n,
             (long long)s->k);
    const double rate = flops(s) / work[i].least;
    printf("%-18s %-20s %19s %8.2f %6.1f %9.1f %4.0f %%\n", s->of, s->name, shape,
           1e-6 * flops(s) * s->count, 1e-9 * rate, 1e6 * work[i].least * s->count,
           100 * rate / peak);
    sum += flops(s) * s->count, seconds += work[i].least * s->count;
    if (i + 1 < count && !strcmp(work[i + 1].s->of, s->of)) continue;
    print_total(s->of, sum, seconds, peak);
    sum = seconds = 0;
  }
}

int main(int argc, char **argv) {
  static Work work[SHAPES];
  int count = 0;
  double peak = 0;
  for (int i = 0; i < SHAPES; i++)
    if (argc < 2 || strstr(shapes[i].of, argv[1])) work[count++] = work_new(&shapes[i]);
  for (int r = 0; r < ROUNDS; r++)
    for (int i = 0; i < count; i++) {
      const double start = busy(), done = peak_pass(), rate = done / (busy() - start);
      if (rate > peak) peak = rate;
      const double took = time_walks(&work[i]);
      if (took < work[i].least) work[i].least = took;
    }
  printf("kernels %s: peak %.1f GF/s\n", hn_kit_isa(), 1e-9 * peak);
  printf("reading an array of 16 KiB %.0f GB/s, 512 KiB %.0f, 16 MiB %.0f\n\n",
         1e-9 * read_rate(16 << 10), 1e-9 * read_rate(512 << 10), 1e-9 * read_rate(16 << 20));
  print_table(work, count, peak);
  return 0;
}
