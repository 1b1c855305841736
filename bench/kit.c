/* kit.c - the float32 kit beside what it replaces: products beside OpenBLAS's sgemm, tanh beside
 * SLEEF's, a network trained with either, and what the tape costs an operation.
 *
 *   bench_kit
 *   OPENBLAS_CORETYPE=SkylakeX bench_kit    where OpenBLAS does not know the processor
 *   HUNCH_ISA=v3 bench_kit
 *
 * The first line names both sides' kernels: a ratio means something only where both use vectors of
 * the same width (v4 and SkylakeX or Cooperlake; v3 and Haswell or Zen).
 *
 * Each figure is a median over REPEATS rounds of processor time; the two sides of a ratio
 * alternate, so that both meet the same machine.  SLEEF is compared only on the set v4. */
#include "../tests/fake_host.h"
#include <cblas.h>
#include <hunch/kit/nn.h>
#include <immintrin.h>
#include <stdio.h>
#include <time.h>

enum { REPEATS = 15, SIDES = 3 };

/* One side of a comparison. */
typedef struct Side {
  void (*run)(void *arg);
  void *arg;
  double seconds; /* out: median of one call */
} Side;

static double busy(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double time_calls(const Side *side, int calls) {
  const double start = busy();
  for (int i = 0; i < calls; i++) side->run(side->arg);
  return (busy() - start) / calls;
}

/* Alternates the sides, each for about 4 ms a round. */
static void measure(int sides, Side *side) {
  double seconds[SIDES][REPEATS];
  int calls[SIDES];
  for (int s = 0; s < sides; s++) {
    time_calls(&side[s], 1);
    calls[s] = 1 + (int)(4e-3 / (time_calls(&side[s], 2) + 1e-9));
  }
  for (int r = 0; r < REPEATS; r++)
    for (int s = 0; s < sides; s++) seconds[s][r] = time_calls(&side[s], calls[s]);
  for (int s = 0; s < sides; s++) {
    qsort(seconds[s], REPEATS, sizeof(double), by_size);
    side[s].seconds = seconds[s][REPEATS / 2];
  }
}

static float *noise(HnRng *rng, int64_t count) {
  float *x = aligned_alloc(64, (size_t)(count + 31) / 16 * 64);
  if (!x) abort();
  for (int64_t i = 0; i < count; i++) x[i] = (float)hn_rng_normal(rng);
  return x;
}

/* ---- products ---- */

typedef struct Product {
  int64_t m, n, k;
  bool transposed; /* a stored [k, m], as for a weight's gradient */
  float *a, *b, *c;
} Product;

static void own_product(void *arg) {
  const Product *p = arg;
  hn_gemm(p->m, p->n, p->k, p->a, p->transposed ? 1 : p->k, p->transposed ? p->m : 1, p->b, p->n, 0,
          p->c, p->n);
}

static void blas_product(void *arg) {
  const Product *p = arg;
  cblas_sgemm(CblasRowMajor, p->transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int)p->m,
              (int)p->n, (int)p->k, 1, p->a, (int)(p->transposed ? p->m : p->k), p->b, (int)p->n, 0,
              p->c, (int)p->n);
}

static void bench_products(void) {
  static const Product shapes[] = {{.m = 1, .n = 64, .k = 64},
                                   {.m = 16, .n = 192, .k = 64},
                                   {.m = 64, .n = 256, .k = 64},
                                   {.m = 64, .n = 256, .k = 256},
                                   {.m = 64, .n = 8, .k = 256},
                                   {.m = 256, .n = 256, .k = 64, .transposed = true},
                                   {.m = 64, .n = 192, .k = 1600, .transposed = true},
                                   {.m = 512, .n = 512, .k = 512}};
  printf("%-34s %9s %9s %6s\n", "product m x n x k", "own GF/s", "sgemm", "ratio");
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    HnRng rng = hn_rng(1, i);
    Product p = shapes[i];
    p.a = noise(&rng, p.m * p.k), p.b = noise(&rng, p.k * p.n), p.c = noise(&rng, p.m * p.n);
    Side side[] = {{own_product, &p, 0}, {blas_product, &p, 0}};
    measure(2, side);
    const double flops = 2e-9 * (double)(p.m * p.n * p.k);
    char name[64];
    snprintf(name, sizeof name, "%lld x %lld x %lld%s", (long long)p.m, (long long)p.n,
             (long long)p.k, p.transposed ? " (a transposed)" : "");
    printf("%-34s %9.1f %9.1f %6.2f\n", name, flops / side[0].seconds, flops / side[1].seconds,
           side[1].seconds / side[0].seconds);
    free(p.a), free(p.b), free(p.c);
  }
}

/* ---- tanh ---- */

typedef struct Map {
  int64_t n;
  float *x, *y;
} Map;

static void own_tanh(void *arg) {
  const Map *m = arg;
  hn_vec_tanh(m->n, m->x, m->y);
}

/* sleef.h declares these only to files compiled for AVX-512 as a whole. */
#define SLEEF_PASS(NAME, F)                                        \
  __attribute__((target("avx512f"))) __m512 F(__m512 x);           \
  __attribute__((target("avx512f"))) static void NAME(void *arg) { \
    const Map *m = arg;                                            \
    for (int64_t i = 0; i < m->n; i += 16)                         \
      _mm512_storeu_ps(m->y + i, F(_mm512_loadu_ps(m->x + i)));    \
  }
SLEEF_PASS(sleef_tanh_u10, Sleef_finz_tanhf16_u10avx512f)
SLEEF_PASS(sleef_tanh_u35, Sleef_finz_tanhf16_u35avx512f)

static bool has_v4(void) {
  return strcmp(hn_kit_isa(), "v4") == 0;
}

/* Against float64, over values that differ from block to block. */
static double worst_tanh(const Side *side) {
  const Map *m = side->arg;
  double worst = 0;
  for (int block = 0; block < 200; block++) {
    for (int64_t i = 0; i < m->n; i++)
      m->x[i] = (float)(1e-3 + 10.0 * (double)(i + m->n * block) / (200.0 * (double)m->n));
    side->run(side->arg);
    for (int64_t i = 0; i < m->n; i++)
      worst = fmax(worst, fabs((double)m->y[i] / tanh((double)m->x[i]) - 1));
  }
  return worst;
}

static void bench_tanh(void) {
  HnRng rng = hn_rng(2, 0);
  Map m = {.n = 4096, .x = noise(&rng, 4096), .y = noise(&rng, 4096)};
  Side side[] = {{own_tanh, &m, 0}, {sleef_tanh_u10, &m, 0}, {sleef_tanh_u35, &m, 0}};
  measure(has_v4() ? 3 : 1, side);
  printf("\n%-12s %12s %6s %16s\n", "tanh", "ns/element", "ratio", "worst rel. error");
  static const char *const names[] = {"own", "SLEEF u10", "SLEEF u35"};
  for (int i = 0; i < (has_v4() ? 3 : 1); i++)
    printf("%-12s %12.3f %6.2f %16.1e\n", names[i], 1e9 * side[i].seconds / (double)m.n,
           side[i].seconds / side[0].seconds, worst_tanh(&side[i]));
  free(m.x), free(m.y);
}

/* ---- network 64-256-256-8, forward and backward ---- */

typedef struct Net {
  FakeHost fake;
  HnStore store;
  HnMlp mlp;
  HnGru gru;
  int64_t rows, shard, steps;
  float *x, *seed, *flat;
  void (*pass)(void *map); /* instead of the kit's tanh, over each hidden layer */
  Map hidden;
} Net;

static HnStatus net_shard(void *arg, int64_t i) {
  Net *net = arg;
  HnTape t = hn_tape_begin(&net->fake.host, true);
  HnVar *x = hn_constant(&t, net->shard, 64, net->x + i * net->shard * 64);
  HnVar *y = hn_mlp(&t, &net->mlp, x, net->flat + i * net->store.size);
  for (int layer = 0; net->pass && layer < 2; layer++) net->pass(&net->hidden);
  hn_tape_backward_from(&t, y, net->seed + i * net->shard * 8);
  return HN_OK;
}

static void net_step(void *arg) {
  Net *net = arg;
  const FakeMark mark = fake_host_mark(&net->fake);
  const int64_t shards = net->rows / net->shard;
  net->flat = hn_store_flat(&net->store, shards);
  net->fake.host.parallel(&net->fake.host, shards, net_shard, net);
  hn_store_reduce(&net->store, shards, net->flat);
  fake_host_reset(&net->fake, mark);
}

static Net *net_new(int64_t rows, int64_t shard, HnActivation act, void (*pass)(void *)) {
  static const int64_t width[] = {64, 256, 256, 8};
  HnRng rng = hn_rng(3, 0);
  Net *net = calloc(1, sizeof *net);
  if (!net) abort();
  hn_store_begin(&net->store, fake_host_open(&net->fake), "");
  net->mlp = hn_mlp_make(&net->store, "net", 3, width, act, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, &rng);
  net->rows = rows, net->shard = shard, net->pass = pass;
  net->x = noise(&rng, rows * 64), net->seed = noise(&rng, rows * 8);
  net->hidden = (Map){shard * 256, noise(&rng, shard * 256), noise(&rng, shard * 256)};
  return net;
}

static void net_free(Net *net) {
  fake_host_close(&net->fake);
  free(net->x), free(net->seed), free(net->hidden.x), free(net->hidden.y), free(net);
}

/* A perfect sgemm's time for the same products, at its 512^3 rate. */
static double blas_rate(void) {
  HnRng rng = hn_rng(4, 0);
  Product p = {.m = 512, .n = 512, .k = 512};
  p.a = noise(&rng, 512 * 512), p.b = noise(&rng, 512 * 512), p.c = noise(&rng, 512 * 512);
  Side side = {blas_product, &p, 0};
  measure(1, &side);
  free(p.a), free(p.b), free(p.c);
  return 2.0 * 512 * 512 * 512 / side.seconds;
}

static void bench_net(double rate) {
  static const int64_t sizes[][2] = {{64, 64}, {4096, 4096}, {4096, 512}, {4096, 128}};
  printf("\nMLP 64-256-256-8 with tanh, forward and backward\n");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    Net *net = net_new(sizes[i][0], sizes[i][1], HN_TANH, NULL);
    Side side = {net_step, net, 0};
    measure(1, &side);
    /* three products a layer, but no gradient for x */
    const double flops =
        2.0 * (double)sizes[i][0] * (3.0 * (64 * 256 + 256 * 256 + 256 * 8) - 64 * 256);
    printf("  batch %4lld in shards of %4lld: %9.1f us, %.0f %% of sgemm's rate\n",
           (long long)sizes[i][0], (long long)sizes[i][1], 1e6 * side.seconds,
           100 * flops / side.seconds / rate);
    net_free(net);
  }
  if (!has_v4()) return;
  /* the same network with linear layers, and either tanh over each hidden layer beside them */
  Net *own = net_new(64, 64, HN_LINEAR, own_tanh);
  Net *u10 = net_new(64, 64, HN_LINEAR, sleef_tanh_u10);
  Net *u35 = net_new(64, 64, HN_LINEAR, sleef_tanh_u35);
  Side side[] = {{net_step, own, 0}, {net_step, u10, 0}, {net_step, u35, 0}};
  measure(3, side);
  printf("  batch 64, own tanh beside SLEEF's: u10 takes %.0f %%, u35 %.0f %% longer\n",
         100 * (side[1].seconds / side[0].seconds - 1),
         100 * (side[2].seconds / side[0].seconds - 1));
  net_free(own), net_free(u10), net_free(u35);
}

/* ---- recurrence ---- */

static void gru_step(void *arg) {
  Net *net = arg;
  const FakeMark mark = fake_host_mark(&net->fake);
  const int64_t hidden = net->gru.u->rows, in = net->gru.w->rows;
  net->flat = hn_store_flat(&net->store, 1);
  HnTape t = hn_tape_begin(&net->fake.host, true);
  HnVar *h0 = hn_constant(&t, net->rows, hidden, hn_tape_room(&t, net->rows * hidden, 4));
  HnVar *x = hn_constant(&t, net->steps * net->rows, in, net->x);
  HnVar *y = hn_gru(&t, net->steps, x, h0, hn_param(&t, net->gru.w, net->flat),
                    hn_param(&t, net->gru.u, net->flat), hn_param(&t, net->gru.b, net->flat),
                    hn_param(&t, net->gru.c, net->flat), NULL);
  hn_tape_backward_from(&t, y, net->seed);
  fake_host_reset(&net->fake, mark);
}

static void bench_gru(double rate) {
  static const int64_t sizes[][4] = {{16, 100, 64, 64}, {16, 100, 64, 256}, {64, 50, 64, 256}};
  printf("\nGRU, forward and backward\n");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const int64_t rows = sizes[i][0], steps = sizes[i][1], in = sizes[i][2], hidden = sizes[i][3];
    Net *net = net_new(rows, rows, HN_TANH, NULL);
    HnRng rng = hn_rng(5, 0);
    free(net->x), free(net->seed);
    net->steps = steps;
    net->gru = hn_gru_make(&net->store, "gru", in, hidden, &rng);
    net->x = noise(&rng, steps * rows * in), net->seed = noise(&rng, steps * rows * hidden);
    Side side = {gru_step, net, 0};
    measure(1, &side);
    const double flops =
        2.0 * (double)(rows * steps) * 3.0 * (double)hidden * (double)(2 * in + 3 * hidden);
    printf("  %2lld rows x %3lld steps, %lld -> %lld: %9.1f us, %.0f %% of sgemm's rate\n",
           (long long)rows, (long long)steps, (long long)in, (long long)hidden, 1e6 * side.seconds,
           100 * flops / side.seconds / rate);
    net_free(net);
  }
}

/* ---- the tape itself ---- */

enum { CHAIN = 1000 };

static void chain(void *arg) {
  FakeHost *fake = arg;
  const FakeMark mark = fake_host_mark(fake);
  HnTape t = hn_tape_begin(&fake->host, true);
  static const float x[16], seed[16];
  float grad[16] = {0};
  HnVar *leaf = hn_leaf(&t, 1, 16, x, grad), *y = leaf;
  for (int i = 0; i < CHAIN; i++) y = hn_add(&t, y, leaf);
  hn_tape_backward_from(&t, y, seed);
  fake_host_reset(fake, mark);
}

static void bench_tape(void) {
  FakeHost *fake = malloc(sizeof *fake);
  if (!fake) abort();
  fake_host_open(fake);
  Side side = {chain, fake, 0};
  measure(1, &side);
  printf("\ntape: %.1f ns an operation (add of 1 x 16: record, forward, backward)\n",
         1e9 * side.seconds / CHAIN);
  fake_host_close(fake), free(fake);
}

int main(void) {
  printf("kernels %s, OpenBLAS %s\n\n", hn_kit_isa(), hn_kit_blas());
  bench_products();
  bench_tanh();
  const double rate = blas_rate();
  printf("\nsgemm 512^3: %.1f GF/s\n", 1e-9 * rate);
  bench_net(rate);
  bench_gru(rate);
  bench_tape();
  return 0;
}
