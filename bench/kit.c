/* kit.c - the float32 kit beside what it replaces: products beside OpenBLAS's sgemm, tanh beside
 * SLEEF's, training steps beside PyTorch's, and what the tape costs an operation.
 *
 *   bench_kit
 *   OPENBLAS_CORETYPE=SkylakeX bench_kit    where OpenBLAS does not take AVX-512 by itself
 *   HUNCH_ISA=v3 bench_kit
 *
 * The first line names both sides' kernels: a ratio means something only where both use vectors of
 * the same width (v4 and SkylakeX or Cooperlake; v3 and Haswell or Zen).
 *
 * Each figure is a median over REPEATS rounds of processor time; the two sides of a ratio
 * alternate, so that both meet the same machine.  SLEEF is compared only on the set v4.  PyTorch is
 * Debian's python3-torch if it is installed, on one thread. */
#include "../tests/support/fake_host.h"
#include "python.h"
#include <cblas.h>
#include <hunch/kit/rnn.h>
#include <immintrin.h>
#include <stdio.h>
#include <time.h>

enum { REPEATS = 15, SIDES = 3 };

/* One side of a comparison. */
typedef struct Side {
  void (*run)(void *arg);
  void *arg;
  double seconds;      /* out: median of one call */
  const Python *torch; /* asked for the workload named by arg, instead of run */
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

/* Seconds of processor time of one call of a workload. */
static double torch_seconds(const Python *torch, const char *workload, int calls) {
  char question[96];
  double seconds;
  snprintf(question, sizeof question, "%s:%d", workload, calls);
  python_ask(torch, question, 1, &seconds);
  return seconds;
}

static double time_calls(const Side *side, int calls) {
  if (side->torch) return torch_seconds(side->torch, side->arg, calls);
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
    Side side[] = {{.run = own_product, .arg = &p}, {.run = blas_product, .arg = &p}};
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
  Side side[] = {{.run = own_tanh, .arg = &m},
                 {.run = sleef_tanh_u10, .arg = &m},
                 {.run = sleef_tanh_u35, .arg = &m}};
  measure(has_v4() ? 3 : 1, side);
  printf("\n%-12s %12s %6s %16s\n", "tanh", "ns/element", "ratio", "worst rel. error");
  static const char *const names[] = {"own", "SLEEF u10", "SLEEF u35"};
  for (int i = 0; i < (has_v4() ? 3 : 1); i++)
    printf("%-12s %12.3f %6.2f %16.1e\n", names[i], 1e9 * side[i].seconds / (double)m.n,
           side[i].seconds / side[0].seconds, worst_tanh(&side[i]));
  free(m.x), free(m.y);
}

/* ---- training steps: forward and backward of a network, a recurrent layer, PPO ---- */

enum { LAYERS = 3 };

typedef struct Net {
  FakeHost fake;
  HnStore store;
  HnMlp mlp, critic;
  HnRnn rnn;
  HnTensor *logstd;
  int64_t rows, shard, steps, in, out;
  float *x, *seed, *flat;  /* inputs and the gradient of the outputs */
  float *action, *rest;    /* PPO: [rows, out], and advantage, goal, logp before, [3, rows] */
  float *direction;        /* of the parameters, [size of the store] */
  void (*pass)(void *map); /* instead of the kit's tanh, over each hidden layer */
  Map hidden;
} Net;

static HnStatus net_shard(void *arg, int64_t i) {
  Net *net = arg;
  HnTape t = hn_tape_begin(&net->fake.host, true);
  HnVar *x = hn_constant(&t, net->shard, net->in, net->x + i * net->shard * net->in);
  HnVar *y = hn_mlp(&t, &net->mlp, x, net->flat + i * net->store.size);
  for (int layer = 0; net->pass && layer < 2; layer++) net->pass(&net->hidden);
  hn_tape_backward_from(&t, y, net->seed + i * net->shard * net->out);
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

static Net *net_begin(int64_t rows, int64_t steps, int64_t in, int64_t out) {
  HnRng rng = hn_rng(3, 0);
  Net *net = calloc(1, sizeof *net);
  if (!net) abort();
  hn_store_begin(&net->store, fake_host_open(&net->fake), "");
  net->rows = rows, net->shard = rows, net->steps = steps, net->in = in, net->out = out;
  net->x = noise(&rng, steps * rows * in), net->seed = noise(&rng, steps * rows * out);
  return net;
}

static Net *net_new(int64_t rows, int64_t shard, const int64_t width[LAYERS + 1], HnActivation act,
                    void (*pass)(void *)) {
  HnRng rng = hn_rng(4, 0);
  Net *net = net_begin(rows, 1, width[0], width[LAYERS]);
  net->mlp =
      hn_mlp_make(&net->store, "net", LAYERS, width, act, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, &rng);
  net->shard = shard, net->pass = pass;
  const int64_t count = shard * width[1];
  net->hidden = (Map){count, noise(&rng, count), noise(&rng, count)};
  return net;
}

static void net_free(Net *net) {
  fake_host_close(&net->fake);
  free(net->x), free(net->seed), free(net->hidden.x), free(net->hidden.y);
  free(net->action), free(net->rest), free(net->direction), free(net);
}

static HnVar *recurrent(HnTape *t, const Net *net, HnVar *x) {
  const HnRnn *rnn = &net->rnn;
  const float *zero = hn_tape_room(t, net->rows * rnn->carry, sizeof *zero);
  HnVar *carry = hn_constant(t, net->rows, rnn->carry, zero);
  return hn_rnn(t, rnn, net->steps, x, carry, NULL, net->flat).state[0];
}

static void recurrent_step(void *arg) {
  Net *net = arg;
  const FakeMark mark = fake_host_mark(&net->fake);
  float *flat = net->flat = hn_store_flat(&net->store, 1);
  HnTape tape = hn_tape_begin(&net->fake.host, true), *t = &tape;
  HnVar *x = hn_constant(t, net->steps * net->rows, net->in, net->x);
  hn_tape_backward_from(t, recurrent(t, net, x), net->seed);
  hn_store_reduce(&net->store, 1, flat);
  fake_host_reset(&net->fake, mark);
}

static Net *recurrent_new(HnRnnCell cell, int64_t rows, int64_t steps, int64_t in, int64_t hidden) {
  HnRng rng = hn_rng(5, 0);
  Net *net = net_begin(rows, steps, in, hidden);
  net->rnn = hn_rnn_make(&net->store, hn_rnn_cell_name(cell), cell, HN_RNN_TORCH, in, hidden, &rng);
  return net;
}

/* Clipped surrogate, squared value error, entropy; clipped norm; Adam. */
static void ppo_step(void *arg) {
  Net *net = arg;
  const FakeMark mark = fake_host_mark(&net->fake);
  const int64_t rows = net->rows;
  float *flat = hn_store_flat(&net->store, 1);
  HnTape tape = hn_tape_begin(&net->fake.host, true), *t = &tape;
  HnVar *x = hn_constant(t, rows, net->in, net->x), *logstd = hn_param(t, net->logstd, flat);
  HnVar *advantage = hn_constant(t, rows, 1, net->rest);
  HnVar *goal = hn_constant(t, rows, 1, net->rest + rows);
  HnVar *before = hn_constant(t, rows, 1, net->rest + 2 * rows);
  HnVar *logp = hn_normal_logp(t, hn_mlp(t, &net->mlp, x, flat), logstd, net->action);
  HnVar *ratio = hn_exp(t, hn_sub(t, logp, before));
  HnVar *gain = hn_mean(t, hn_min(t, hn_mul(t, ratio, advantage),
                                  hn_mul(t, hn_clamp(t, ratio, 0.8f, 1.2f), advantage)));
  HnVar *error = hn_mean(t, hn_square(t, hn_sub(t, hn_mlp(t, &net->critic, x, flat), goal)));
  HnVar *entropy = hn_mean(t, hn_normal_entropy(t, logstd));
  HnVar *loss = hn_sub(t, hn_affine(t, error, 0.5f, 0), gain);
  hn_tape_backward(t, hn_sub(t, loss, hn_affine(t, entropy, 0.01f, 0)));
  hn_store_reduce(&net->store, 1, flat);
  const HnAdam adam = {.lr = 3e-4, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-5};
  hn_adam_step(&net->store, &adam, hn_clip_scale(hn_store_norm2(&net->store), 0.5), 1);
  fake_host_reset(&net->fake, mark);
}

static Net *ppo_new(int64_t rows, int64_t in, int64_t hidden, int64_t actions) {
  HnRng rng = hn_rng(6, 0);
  const int64_t width[] = {in, hidden, hidden, actions}, value[] = {in, hidden, hidden, 1};
  Net *net = net_begin(rows, 1, in, actions);
  HnStore *s = &net->store;
  net->mlp = hn_mlp_make(s, "pi", 3, width, HN_TANH, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, &rng);
  net->critic = hn_mlp_make(s, "v", 3, value, HN_TANH, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, &rng);
  net->logstd = hn_store_add(s, "logstd", 1, actions, HN_INIT_ZERO, 0, &rng);
  net->action = noise(&rng, rows * actions), net->rest = noise(&rng, 3 * rows);
  for (int64_t i = 0; i < rows; i++) net->rest[2 * rows + i] -= 1.4f * (float)actions;
  return net;
}

/* A perfect sgemm's time for the same products, at its 512^3 rate. */
static double blas_rate(void) {
  HnRng rng = hn_rng(7, 0);
  Product p = {.m = 512, .n = 512, .k = 512};
  p.a = noise(&rng, 512 * 512), p.b = noise(&rng, 512 * 512), p.c = noise(&rng, 512 * 512);
  Side side = {.run = blas_product, .arg = &p};
  measure(1, &side);
  free(p.a), free(p.b), free(p.c);
  return 2.0 * 512 * 512 * 512 / side.seconds;
}

/* A step of ours beside the same of PyTorch, which may be absent; flops NAN: no rate is meant. */
static void compare(const Python *torch, double rate, const char *name, char *workload,
                    double flops, void (*run)(void *), Net *net) {
  Side side[] = {{.run = run, .arg = net}, {.arg = workload, .torch = torch}};
  measure(torch->ask ? 2 : 1, side);
  printf("%-32s %10.1f", name, 1e6 * side[0].seconds);
  if (torch->ask)
    printf(" %10.1f %6.2f", 1e6 * side[1].seconds, side[1].seconds / side[0].seconds);
  else
    printf(" %10s %6s", "-", "-");
  if (isfinite(flops))
    printf(" %9.0f %%\n", 100 * flops / side[0].seconds / rate);
  else
    printf("\n");
  net_free(net);
}

static void bench_mlp(const Python *torch, double rate) {
  static const int64_t sizes[][2 + LAYERS + 1] = {
      {64, 64, 64, 256, 256, 8}, {4096, 512, 64, 256, 256, 8}, {16, 16, 16, 64, 64, 8}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const long long rows = sizes[i][0];
    const int64_t *w = sizes[i] + 2;
    char name[64], workload[64];
    snprintf(name, sizeof name, "MLP %lld-%lld-%lld-%lld, batch %lld", (long long)w[0],
             (long long)w[1], (long long)w[2], (long long)w[3], rows);
    snprintf(workload, sizeof workload, "mlp %lld %lld %lld %lld %lld", rows, (long long)w[0],
             (long long)w[1], (long long)w[2], (long long)w[3]);
    /* three products a layer, but no gradient for x */
    const double flops =
        2 * (double)rows *
        (3 * (double)(w[0] * w[1] + w[1] * w[2] + w[2] * w[3]) - (double)(w[0] * w[1]));
    compare(torch, rate, name, workload, flops, net_step,
            net_new(rows, sizes[i][1], w, HN_TANH, NULL));
  }
}

static void bench_recurrent(const Python *torch, double rate) {
  static const int sizes[][5] = {{HN_RNN_GRU, 16, 100, 64, 64},
                                 {HN_RNN_GRU, 16, 100, 64, 256},
                                 {HN_RNN_GRU, 64, 50, 64, 256},
                                 {HN_RNN_LSTM, 16, 100, 64, 256},
                                 {HN_RNN_LSTM, 64, 50, 64, 256}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const HnRnnCell cell = sizes[i][0];
    const int rows = sizes[i][1], steps = sizes[i][2], in = sizes[i][3], hidden = sizes[i][4];
    char name[64], workload[64];
    snprintf(name, sizeof name, "%s %d-%d, %d x %d steps", cell == HN_RNN_GRU ? "GRU" : "LSTM", in,
             hidden, rows, steps);
    snprintf(workload, sizeof workload, "%s %d %d %d %d", hn_rnn_cell_name(cell), rows, steps, in,
             hidden);
    const double flops = 2.0 * (double)(rows * steps) * (double)hn_rnn_gates(cell) *
                         (double)hidden * (double)(2 * in + 3 * hidden);
    compare(torch, rate, name, workload, flops, recurrent_step,
            recurrent_new(cell, rows, steps, in, hidden));
  }
}

static void bench_training(double rate) {
  /* Debian's interpreter: its python3-torch uses the same OpenBLAS as the other side */
  Python torch = python_open("/usr/bin/python3", "kit_torch.py");
  if (torch.ask)
    printf("\nforward and backward; PyTorch %s\n", torch.version);
  else
    printf("\nforward and backward; no PyTorch to compare with: apt-get install "
           "--no-install-recommends python3-torch\n");
  printf("%-32s %10s %10s %6s %11s\n", "", "own us", "PyTorch us", "ratio", "of sgemm's");
  bench_mlp(&torch, rate);
  bench_recurrent(&torch, rate);
  char workload[] = "ppo 512 24 64 6";
  compare(&torch, rate, "PPO minibatch 24-64-64-6, 512", workload, (double)NAN, ppo_step,
          ppo_new(512, 24, 64, 6));
  python_close(&torch);
}

/* The same network with linear layers, and either tanh over each hidden layer beside them. */
static void bench_net_tanh(void) {
  static const int64_t width[] = {64, 256, 256, 8};
  Net *net[3];
  void (*const pass[])(void *) = {own_tanh, sleef_tanh_u10, sleef_tanh_u35};
  Side side[3];
  for (int i = 0; i < 3; i++) {
    net[i] = net_new(64, 64, width, HN_LINEAR, pass[i]);
    side[i] = (Side){.run = net_step, .arg = net[i]};
  }
  measure(3, side);
  printf("\nMLP 64-256-256-8, batch 64, own tanh beside SLEEF's: u10 takes %.0f %%, u35 %.0f %% "
         "longer\n",
         100 * (side[1].seconds / side[0].seconds - 1),
         100 * (side[2].seconds / side[0].seconds - 1));
  for (int i = 0; i < 3; i++) net_free(net[i]);
}

/* ---- second derivatives: H v of half the squared outputs, beside a gradient ---- */

typedef struct Bend {
  Net *net;
  bool second;
} Bend;

static void bend_step(void *arg) {
  const Bend *bend = arg;
  Net *net = bend->net;
  const FakeMark mark = fake_host_mark(&net->fake);
  float *flat = net->flat = hn_store_flat(&net->store, 1);
  HnTape tape = hn_tape_begin(&net->fake.host, true), *t = &tape;
  HnVar *x = hn_constant(t, net->steps * net->rows, net->in, net->x);
  HnVar *y = net->mlp.layers ? hn_mlp(t, &net->mlp, x, flat) : recurrent(t, net, x);
  HnVar *loss = hn_affine(t, hn_sum(t, hn_square(t, y)), 0.5f, 0);
  const HnTangent d = {net->store.size, flat, net->direction};
  if (bend->second)
    hn_tape_hvp(t, loss, d);
  else
    hn_tape_backward(t, loss);
  fake_host_reset(&net->fake, mark);
}

static void bench_bend(const char *name, Net *net) {
  HnRng rng = hn_rng(8, 0);
  net->direction = noise(&rng, net->store.size);
  Bend bend[] = {{net, false}, {net, true}};
  Side side[] = {{.run = bend_step, .arg = &bend[0]}, {.run = bend_step, .arg = &bend[1]}};
  measure(2, side);
  printf("%-32s %10.1f %10.1f %6.2f\n", name, 1e6 * side[0].seconds, 1e6 * side[1].seconds,
         side[1].seconds / side[0].seconds);
  net_free(net);
}

static void bench_second(void) {
  static const int64_t width[] = {64, 256, 256, 8}, small[] = {16, 64, 64, 8};
  printf("\n%-32s %10s %10s %6s\n", "product with the Hessian", "gradient", "product us", "ratio");
  bench_bend("MLP 64-256-256-8, batch 64", net_new(64, 64, width, HN_TANH, NULL));
  bench_bend("MLP 16-64-64-8, batch 16", net_new(16, 16, small, HN_TANH, NULL));
  bench_bend("GRU 64-64, 16 x 100 steps", recurrent_new(HN_RNN_GRU, 16, 100, 64, 64));
  bench_bend("LSTM 64-64, 16 x 100 steps", recurrent_new(HN_RNN_LSTM, 16, 100, 64, 64));
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
  Side side = {.run = chain, .arg = fake};
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
  bench_training(rate);
  if (has_v4()) bench_net_tanh();
  bench_second();
  bench_tape();
  return 0;
}
