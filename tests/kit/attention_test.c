/* attention_test.c - attention and encoders: published numbers, invariants, and a four-layer
 * encoder against a naive one in float64 and its central differences.  Operations on random inputs,
 * their tangents and Hessians are in tape_cases.h. */
#include "encoder_naive.h"
#include <hunch/kit/attention.h>
#include <hunch/kit/scratch.h>

/* ---- goldens: analytic, checked by central differences in float64 ---- */

static void assert_near(int64_t n, const float *x, const double *y, double tolerance) {
  for (int64_t k = 0; k < n; k++)
    g_assert_cmpfloat_with_epsilon((double)x[k], y[k], tolerance * fmax(1, fabs(y[k])));
}

/* Rows [3, 6] of queries, keys and values of two numbers. */
static const float three[18] = {1, 0, 1,   0,    1,   2,  /* */
                                0, 1, 0,   1,    3,   -1, /* */
                                1, 1, .5f, -.5f, .5f, 4};

static void test_golden(void) {
  static const double y[] = {1, 2, 2.3395230987, -.0092846480, 1.7033362780, 1.1922153512};
  static const double dx[] = {0,
                              0,
                              -.4285978394,
                              .0405979503,
                              1.4011120927,
                              -.0708736420,
                              .4691957896,
                              -.4691957896,
                              .9895475644,
                              .5203517747,
                              .4011120927,
                              .2686494566,
                              -.7090727019,
                              1.2700224269,
                              -.5609497250,
                              -.5609497250,
                              .1977758146,
                              -.1977758146};
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), true);
  float grad[18] = {0};
  HnVar *out = hn_attention(&t, hn_leaf(&t, 3, 6, three, grad), 1,
                            hn_sequences(&t, 1, 3, NULL, HN_ATTEND_CAUSAL));
  assert_near(6, out->data, y, 2e-7);
  g_assert_cmpmem(out->data, 2 * sizeof(float), three + 4, 2 * sizeof(float));
  hn_tape_backward_from(&t, out, (const float[]){1, 0, 0, 1, 1, -1});
  assert_near(18, grad, dx, 2e-7);
  g_assert_cmpfloat(grad[0], ==, 0);
  g_assert_cmpfloat(grad[1], ==, 0);
  fake_host_close(fake), g_free(fake);
}

/* The weights, read off by values that are unit vectors. */
static void test_weights(void) {
  static const double p[] = {.4011120927, .4011120927, .1977758146};
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), false);
  for (int k = 0; k < 4; k++) {
    float x[18];
    memcpy(x, three, sizeof x);
    for (int j = 0; j < 3; j++) x[6 * j + 4] = x[6 * j + 5] = k == j || k == 3;
    HnVar *y = hn_attention(&t, hn_constant(&t, 3, 6, x), 1,
                            hn_sequences(&t, 1, 3, NULL, HN_ATTEND_CAUSAL));
    g_assert_cmpfloat_with_epsilon((double)y->data[4], k < 3 ? p[k] : 1, 2e-7);
    for (int i = 0; k == 3 && i < 3; i++)
      g_assert_cmpfloat_with_epsilon((double)y->data[2 * i], 1, 2e-7);
  }
  fake_host_close(fake), g_free(fake);
}

static void test_layer_norm(void) {
  static const float x[] = {1, 2, 3, 4}, gain[] = {.5f, 1, 1.5f, 2}, bias[] = {.1f, .1f, .1f, .1f};
  static const float dy[] = {1, 0, -1, 2};
  static const double y[] = {-.5708177100, -.3472118067, .7708177100, 2.7832708399};
  static const double dx[] = {.9838563149, -.2683303039, -2.4149405360, 1.6994145250};
  static const double d_gain[] = {-1.3416354200, 0, -.4472118067, 2.6832708399};
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), true);
  float grad[3][4] = {{0}};
  HnVar *out = hn_layer_norm(&t, hn_leaf(&t, 1, 4, x, grad[0]), hn_leaf(&t, 1, 4, gain, grad[1]),
                             hn_leaf(&t, 1, 4, bias, grad[2]), 1e-5f);
  assert_near(4, out->data, y, 4e-7);
  hn_tape_backward_from(&t, out, dy);
  assert_near(4, grad[0], dx, 4e-7), assert_near(4, grad[1], d_gain, 4e-7);
  g_assert_cmpmem(grad[2], sizeof dy, dy, sizeof dy);
  /* the gradient moves neither the mean nor, but for eps, the variance */
  double sum = 0, along = 0;
  for (int k = 0; k < 4; k++) {
    sum += (double)grad[0][k];
    along += (double)grad[0][k] * ((double)x[k] - 2.5) / sqrt(1.25 + 1e-5);
  }
  g_assert_cmpfloat_with_epsilon(sum, 0, 1e-6);
  g_assert_cmpfloat_with_epsilon(along, 2.88e-5, 2e-7);
  fake_host_close(fake), g_free(fake);
}

static void test_positions(void) {
  static const double first[] = {.8414709848, .5403023059, .5331684409, .8460091007};
  float p[2 * 32];
  hn_positions(0, 2, 32, p);
  for (int k = 0; k < 32; k++) g_assert_cmpfloat(p[k], ==, k % 2);
  assert_near(4, p + 32, first, 1e-7);
}

/* ---- invariants ---- */

enum { N = 5, D = 12, H = 3 };

/* y [n N, D] of n sequences of random tokens, of which those named by `row` stand in the slots. */
typedef struct Slots {
  int64_t n, slots;
  const int32_t *row;
  HnAttend attend;
} Slots;
static void attend(FakeHost *fake, int64_t rows, const float *x, Slots s, float *y) {
  const FakeMark mark = fake_host_mark(fake);
  HnTape t = hn_tape_begin(&fake->host, false);
  HnVar *out = hn_attention(&t, hn_constant(&t, rows, 3 * D, x), H,
                            hn_sequences(&t, s.n, s.slots, s.row, s.attend));
  memcpy(y, out->data, (size_t)(out->rows * D) * sizeof *y);
  fake_host_reset(fake, mark);
}

static float *tokens_new(int64_t n, uint64_t seed) {
  float *x = g_new(float, (gsize)(n * 3 * D));
  HnRng rng = hn_rng(seed, 3);
  for (int64_t k = 0; k < n * 3 * D; k++) x[k] = (float)hn_rng_normal(&rng);
  return x;
}

/* A token moves no output before its own; without a mask, outputs follow a permutation of tokens.
 */
static void test_order(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  fake_host_open(fake);
  float *x = tokens_new(N, 1), y[2][N * D];
  const Slots causal = {1, N, NULL, HN_ATTEND_CAUSAL};
  attend(fake, N, x, causal, y[0]);
  for (int moved = 0; moved < N; moved++) {
    x[moved * 3 * D + D + 1] += 1, x[moved * 3 * D + 2 * D] -= 2;
    attend(fake, N, x, causal, y[1]);
    g_assert_cmpmem(y[0], (size_t)(moved * D) * 4, y[1], (size_t)(moved * D) * 4);
    g_assert_true(memcmp(y[0] + moved * D, y[1] + moved * D, D * 4) != 0);
    memcpy(y[0], y[1], sizeof y[0]);
  }
  const int32_t turned[N] = {3, 0, 4, 1, 2};
  attend(fake, N, x, (Slots){1, N, NULL, HN_ATTEND_ALL}, y[0]);
  attend(fake, N, x, (Slots){1, N, turned, HN_ATTEND_ALL}, y[1]);
  for (int k = 0; k < N * D; k++)
    g_assert_cmpfloat_with_epsilon((double)y[1][k], (double)y[0][turned[k / D] * D + k % D], 1e-6);
  g_free(x), fake_host_close(fake), g_free(fake);
}

/* The same number added to all scores of a question changes nothing: not a bit where the scores are
 * exact.  Numbers are integers, heads have four of them. */
static void test_shift(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  fake_host_open(fake);
  float x[2][N * 3 * D], y[2][N * D];
  HnRng rng = hn_rng(2, 3);
  for (int k = 0; k < N * 3 * D; k++) x[0][k] = (float)(hn_rng_below(&rng, 5) - 2);
  for (int k = 0; k < N * H; k++) x[0][k / H * 3 * D + k % H * 4] = 2;
  memcpy(x[1], x[0], sizeof x[0]);
  for (int k = 0; k < N * H; k++) x[1][k / H * 3 * D + D + k % H * 4] += 10000;
  for (int k = 0; k < 2; k++) attend(fake, N, x[k], (Slots){1, N, NULL, HN_ATTEND_ALL}, y[k]);
  g_assert_cmpmem(y[0], sizeof y[0], y[1], sizeof y[1]);
  fake_host_close(fake), g_free(fake);
}

/* A sequence's bits depend neither on those that share the call nor on empty slots before it. */
static void test_alone(void) {
  enum { S = 37 };
  FakeHost *fake = g_new(FakeHost, 1);
  fake_host_open(fake);
  float *x = tokens_new(2 * S, 4), *y = g_new(float, S *N *D), one[N * D];
  int32_t row[S * N];
  HnRng rng = hn_rng(5, 3);
  for (int k = 0; k < S * N; k++)
    row[k] = k % N < k / N % N ? -1 : (int32_t)hn_rng_below(&rng, 2 * S);
  attend(fake, 2 * S, x, (Slots){S, N, row, HN_ATTEND_CAUSAL}, y);
  for (int k = 0; k < S; k++) {
    const int empty = k % N;
    attend(fake, 2 * S, x, (Slots){1, N - empty, row + k * N + empty, HN_ATTEND_CAUSAL}, one);
    g_assert_cmpmem(y + (k * N + empty) * D, (size_t)((N - empty) * D) * 4, one,
                    (size_t)((N - empty) * D) * 4);
    for (int j = 0; j < empty * D; j++) g_assert_cmpfloat(y[k * N * D + j], ==, 0);
    attend(fake, 2 * S, x, (Slots){1, N, row + k * N, HN_ATTEND_LAST}, one);
    g_assert_cmpmem(y + (k * N + N - 1) * D, D * 4, one, D * 4);
  }
  g_free(x), g_free(y), fake_host_close(fake), g_free(fake);
}

/* Prints a hash of outputs and gradients where rows stand in several sequences and slots; test_isa
 * compares runs on different sets. */
static int print_bits(void) {
  enum { S = 37, ROWS = 40 };
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), true);
  float *x = tokens_new(ROWS, 6), *d = tokens_new(S * N, 7), *grad = g_new0(float, ROWS * 3 * D);
  int32_t row[S * N];
  HnRng rng = hn_rng(8, 3);
  for (int k = 0; k < S * N; k++)
    row[k] = hn_rng_below(&rng, 8) ? (int32_t)hn_rng_below(&rng, ROWS) : -1;
  HnVar *y = hn_attention(&t, hn_leaf(&t, ROWS, 3 * D, x, grad), H,
                          hn_sequences(&t, S, N, row, HN_ATTEND_CAUSAL));
  hn_tape_backward_from(&t, y, d);
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(sum, (const guchar *)y->data, sizeof(float) * S * N * D);
  g_checksum_update(sum, (const guchar *)grad, sizeof(float) * ROWS * 3 * D);
  printf("%s\n", g_checksum_get_string(sum));
  g_checksum_free(sum), g_free(x), g_free(d), g_free(grad), fake_host_close(fake), g_free(fake);
  return 0;
}

static char *bits_on(const char *isa) {
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
  char *argv[] = {self, (char[]){"--bits"}, NULL}, *out = NULL;
  g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "HUNCH_ISA", isa, TRUE);
  int status = -1;
  g_assert_true(g_spawn_sync(NULL, argv, env, 0, NULL, NULL, &out, NULL, &status, NULL));
  g_assert_cmpint(status, ==, 0);
  return out;
}

static void test_isa(void) {
  g_autofree char *v3 = bits_on("v3"), *v4 = bits_on("v4");
  g_assert_cmpuint(strlen(v3), ==, 65);
  g_assert_cmpstr(v3, ==, v4);
}

/* Gradients [rows, 3 D] of d by x, where slots have rows of their own; `inner`: of a variable
 * inside of the tape, whose gradient is yet to be written, in memory full of NaN. */
static void slopes(bool inner, Slots s, const float *x, const float *d, float *grad) {
  enum { BYTES = 1 << 20 };
  FakeHost *fake = g_new(FakeHost, 1);
  HnReuse reuse;
  void *memory = g_aligned_alloc(1, BYTES, 64);
  memset(memory, 0xff, BYTES);
  hn_reuse_begin(&reuse, fake_host_open(fake), memory, BYTES);
  HnTape t = hn_tape_begin(&reuse.host, true);
  HnVar *leaf = hn_leaf(&t, s.n * s.slots, 3 * D, x, grad);
  HnVar *qkv = inner ? hn_affine(&t, leaf, 1, 0) : leaf;
  HnVar *y = hn_attention(&t, qkv, H, hn_sequences(&t, s.n, s.slots, s.row, s.attend));
  hn_tape_backward_from(&t, y, d);
  g_aligned_free(memory), fake_host_close(fake), g_free(fake);
}

/* Gradients that are set are those that are added to zeros, also where nobody asks or a slot is
 * empty. */
static void test_set(void) {
  enum { S = 37, ROWS = S * N, NUMBERS = ROWS * 3 * D };
  float *x = tokens_new(ROWS, 9), *d = tokens_new(ROWS, 10);
  int32_t row[ROWS];
  for (int k = 0; k < ROWS; k++) row[k] = k % N < k / N % N ? -1 : k;
  for (HnAttend attend = HN_ATTEND_ALL; attend <= HN_ATTEND_LAST; attend++) {
    const Slots s = {S, N, row, attend};
    g_autofree float *added = g_new0(float, NUMBERS), *set = g_new0(float, NUMBERS);
    slopes(false, s, x, d, added), slopes(true, s, x, d, set);
    for (int k = 0; k < NUMBERS; k++) g_assert_cmpfloat(set[k], ==, added[k]);
  }
  g_free(x), g_free(d);
}

/* ---- encoders ---- */

static double most_of(const HnTensor *w) {
  float most = 0;
  for (int64_t k = 0; k < w->rows * w->cols; k++) most = MAX(most, fabsf(w->data[k]));
  return (double)most;
}

static void assert_bound(const HnTensor *w, double bound) {
  g_assert_cmpfloat(most_of(w), <=, bound * (1 + 1e-4));
  g_assert_cmpfloat(most_of(w), >, bound * .99);
}

/* A tensor of layer l of the encoder "encoder". */
static const HnTensor *part_of(const HnStore *s, int l, const char *part) {
  g_autofree char *name = g_strdup_printf("encoder.%d.%s", l, part);
  for (int64_t k = 0; k < s->count; k++)
    if (!strcmp(s->tensor[k].name, name)) return &s->tensor[k];
  g_error("no tensor %s", name);
}

static int64_t count_of(const HnStore *s, int64_t from) {
  int64_t n = 0;
  for (int64_t k = from; k < s->count; k++) n += s->tensor[k].rows * s->tensor[k].cols;
  return n;
}

/* TrMRL on Meta-World: 45 numbers a token, 4 actions. */
static void test_sizes(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnRng rng = hn_rng(1, 1);
  HnStore s, critic;
  const HnHost *host = fake_host_open(fake);
  hn_store_begin(&s, host, "");
  const double spread = hn_encoder_embedding_stddev(4, 32);
  g_assert_cmpfloat_with_epsilon(spread, .07217, 5e-6);
  HnTensor *embed = hn_store_add(&s, "embed", 45, 32, HN_INIT_NORMAL, spread, &rng);
  hn_encoder_make(&s, "encoder", 4, 32, 4, 128, &rng);
  g_assert_cmpint(count_of(&s, 1), ==, 4 * 12576);
  hn_mlp_make(&s, "head", 3, (int64_t[]){32, 64, 64, 4}, HN_TANH, HN_LINEAR, HN_INIT_XAVIER, 1, .01,
              &rng);
  hn_store_add(&s, "log_stddev", 1, 4, HN_INIT_ZERO, 0, NULL);
  g_assert_cmpint(count_of(&s, 0), ==, 58280);
  hn_store_begin(&critic, host, "critic.");
  hn_mlp_make(&critic, "", 3, (int64_t[]){45, 64, 64, 1}, HN_TANH, HN_LINEAR, HN_INIT_XAVIER, 1, 1,
              &rng);
  hn_store_add(&critic, "log_stddev", 1, 1, HN_INIT_ZERO, 0, NULL);
  g_assert_cmpint(count_of(&critic, 0), ==, 7170);
  for (int l = 0; l < 4; l++) {
    assert_bound(part_of(&s, l, "qkv.weight"), .14506);
    assert_bound(part_of(&s, l, "out.weight"), .14506);
    assert_bound(part_of(&s, l, "ff.0.weight"), .09174);
    assert_bound(part_of(&s, l, "ff.1.weight"), .09174);
    g_assert_cmpfloat(most_of(part_of(&s, l, "qkv.bias")), ==, 0);
    g_assert_cmpfloat(most_of(part_of(&s, l, "out.bias")), ==, 0);
    g_assert_cmpfloat(most_of(part_of(&s, l, "ff.0.bias")), <=, 1 / sqrt(32));
    g_assert_cmpfloat(most_of(part_of(&s, l, "ff.0.bias")), >, .9 / sqrt(32));
    g_assert_cmpfloat(most_of(part_of(&s, l, "ff.1.bias")), <=, 1 / sqrt(128));
  }
  const double variance = hn_vec_norm2(45 * 32, embed->data) / (45 * 32);
  g_assert_cmpfloat_with_epsilon(sqrt(variance), spread, .1 * spread); /* 5 standard errors */
  fake_host_close(fake), g_free(fake);
}

enum { WIDTH = 8, LAYERS = 4, WINDOWS = 3 };
static EncoderShape shape = {
    .name = "e", .layers = LAYERS, .width = WIDTH, .heads = 2, .hidden = 11};

typedef struct Net {
  FakeHost fake;
  HnStore store;
  const HnEncoder *e;
  float x[WINDOWS * N * WIDTH], weight[WINDOWS * WIDTH];
  int32_t row[WINDOWS * N]; /* window k begins with k empty slots */
} Net;

static Net *net_new(void) {
  Net *net = g_new0(Net, 1);
  HnRng rng = hn_rng(6, 1);
  hn_store_begin(&net->store, fake_host_open(&net->fake), "");
  net->e = hn_encoder_make(&net->store, shape.name, LAYERS, WIDTH, shape.heads, shape.hidden, &rng);
  for (int64_t k = 0; k < net->store.count; k++) /* as large as trained ones, and biases not 0 */
    for (int64_t j = 0; j < net->store.tensor[k].rows * net->store.tensor[k].cols; j++)
      net->store.tensor[k].data[j] += (float)hn_rng_uniform(&rng, -.3, .3);
  hn_store_refresh(&net->store);
  for (int k = 0; k < WINDOWS * N * WIDTH; k++) net->x[k] = (float)hn_rng_normal(&rng);
  for (int k = 0; k < WINDOWS * WIDTH; k++) net->weight[k] = (float)hn_rng_normal(&rng);
  for (int k = 0; k < WINDOWS * N; k++) net->row[k] = k % N < k / N ? -1 : k;
  return net;
}

static void net_free(Net *net) {
  fake_host_close(&net->fake), g_free(net);
}

/* What window k says at its last slot. */
static void naive_window(const Net *net, int k, double *y) {
  double x[N * WIDTH];
  const int n = N - k;
  for (int j = 0; j < n * WIDTH; j++) x[j] = (double)net->x[(k * N + k) * WIDTH + j];
  naive_encoder(&shape, n, x);
  memcpy(y, x + (n - 1) * WIDTH, WIDTH * sizeof *y);
}

static double naive_sum(const Weights *z, void *arg) {
  const Net *net = arg;
  (void)z;
  double sum = 0, y[WIDTH];
  for (int k = 0; k < WINDOWS; k++) {
    naive_window(net, k, y);
    for (int c = 0; c < WIDTH; c++) sum += (double)net->weight[k * WIDTH + c] * y[c];
  }
  return sum;
}

static void test_encoder(void) {
  Net *net = net_new();
  Weights *z = weights_new(&net->fake);
  encoder_find(z, &shape);
  HnTape t = hn_tape_begin(&net->fake.host, true);
  float *flat = hn_store_flat(&net->store, 1);
  HnVar *y = hn_encoder(&t, net->e, hn_constant(&t, WINDOWS * N, WIDTH, net->x), WINDOWS, N,
                        net->row, flat);
  for (int k = 0; k < WINDOWS; k++) {
    double want[WIDTH];
    naive_window(net, k, want);
    assert_near(WIDTH, y->data + k * WIDTH, want, 1e-5);
  }
  hn_tape_backward_from(&t, y, net->weight);
  hn_store_reduce(&net->store, 1, flat);
  g_assert_cmpfloat(check_slopes(z, naive_sum, net, 2e-5), >, 1);
  /* keys' biases move all scores of a question alike; of a layer's eight tensors it is the second
   */
  for (int l = 0; l < LAYERS; l++)
    for (int c = 0; c < WIDTH; c++)
      g_assert_cmpfloat(fabsf(net->store.tensor[8 * l + 1].grad[WIDTH + c]), <, 1e-6f);
  weights_free(z), net_free(net);
}

/* Token by token, with the projections of earlier tokens kept: the same bits as all at once. */
static void test_kept(void) {
  Net *net = net_new();
  HnTape t = hn_tape_begin(&net->fake.host, false);
  const HnSequences *all = hn_sequences(&t, 1, N, NULL, HN_ATTEND_CAUSAL);
  HnVar *x = hn_constant(&t, N, WIDTH, net->x), *whole = x;
  for (int64_t l = 0; l < LAYERS; l++)
    whole = hn_encoder_layer(&t, net->e, l, whole, hn_encoder_qkv(&t, net->e, l, whole, NULL), all,
                             NULL);
  HnVar *kept[LAYERS][N];
  for (int64_t i = 0; i < N; i++) {
    HnVar *y = hn_rows_of(&t, x, i, 1);
    for (int64_t l = 0; l < LAYERS; l++) {
      kept[l][i] = hn_encoder_qkv(&t, net->e, l, y, NULL);
      y = hn_encoder_layer(&t, net->e, l, y, hn_stack(&t, i + 1, kept[l]),
                           hn_sequences(&t, 1, i + 1, NULL, HN_ATTEND_LAST), NULL);
    }
    g_assert_cmpmem(y->data, WIDTH * 4, whole->data + i * WIDTH, WIDTH * 4);
  }
  net_free(net);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--bits") == 0) return print_bits();
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/attention/golden", test_golden);
  g_test_add_func("/attention/weights", test_weights);
  g_test_add_func("/attention/layer_norm", test_layer_norm);
  g_test_add_func("/attention/positions", test_positions);
  g_test_add_func("/attention/order", test_order);
  g_test_add_func("/attention/shift", test_shift);
  g_test_add_func("/attention/alone", test_alone);
  g_test_add_func("/attention/isa", test_isa);
  g_test_add_func("/attention/set", test_set);
  g_test_add_func("/attention/sizes", test_sizes);
  g_test_add_func("/attention/encoder", test_encoder);
  g_test_add_func("/attention/kept", test_kept);
  return g_test_run();
}
