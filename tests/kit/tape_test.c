/* tape_test.c - every operation of the tape against a naive float64 twin: values directly,
 * gradients by central differences of the twin.
 *
 * Each case is built twice on the same inputs, behind an identity, into leaves whose gradients are
 * not zero to begin with: so accumulation, first touch and reuse are tested with every operation.
 */
#include "rotated_cases.h"
#include "tape_cases.h"
#include <hunch/kit/gaussian.h>

/* ---- the check ---- */

static double naive_loss(const Case *c, Data *d) {
  double y[MOST], sum = 0;
  c->naive(c, d->in, y);
  for (int64_t i = 0; i < count(c->out); i++) sum += (double)d->weight[i] * y[i];
  return sum;
}

static void central_differences(const Case *c, Data *d) {
  const double h = 1e-5;
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; i < count(c->shape[k]); i++) {
      const double x = d->wide[k][i];
      d->wide[k][i] = x + h;
      const double up = naive_loss(c, d);
      d->wide[k][i] = x - h;
      d->slope[k][i] = (up - naive_loss(c, d)) / (2 * h);
      d->wide[k][i] = x;
    }
}

/* Twice the operation on the same inputs; gradients only for inputs in `mask`. */
static void tape_gradients(const Case *c, const HnHost *host, Data *d, unsigned mask) {
  HnTape t = hn_tape_begin(host, true);
  HnVar *in[INPUTS];
  for (int k = 0; k < c->inputs; k++) {
    for (int64_t i = 0; i < count(c->shape[k]); i++) d->grad[k][i] = 1;
    HnVar *leaf =
        hn_leaf(&t, c->shape[k][0], c->shape[k][1], d->x[k], mask >> k & 1 ? d->grad[k] : NULL);
    in[k] = hn_affine(&t, leaf, 1, 0);
  }
  HnVar *once = hn_dot(&t, c->tape(c, &t, in), d->weight);
  HnVar *twice = hn_dot(&t, c->tape(c, &t, in), d->weight);
  hn_tape_backward(&t, hn_add(&t, once, twice));
}

static void check_values(const Case *c, const HnHost *host, Data *d, bool recording) {
  HnTape t = hn_tape_begin(host, recording);
  HnVar *in[INPUTS];
  double want[MOST];
  for (int k = 0; k < c->inputs; k++)
    in[k] = hn_leaf(&t, c->shape[k][0], c->shape[k][1], d->x[k], d->grad[k]);
  const HnVar *y = c->tape(c, &t, in);
  c->naive(c, d->in, want);
  g_assert_cmpint(y->rows, ==, c->out[0]);
  g_assert_cmpint(y->cols, ==, c->out[1]);
  g_assert_true((y->grad != NULL) == recording);
  for (int64_t i = 0; i < count(c->out); i++)
    g_assert_cmpfloat(fabs((double)y->data[i] - want[i]), <=, 2e-6 * (1 + fabs(want[i])));
}

static void check_case(gconstpointer user) {
  const Case *c = user;
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  Data *d = g_new0(Data, 1);
  draw(c, d);
  check_values(c, host, d, true);
  check_values(c, host, d, false);
  central_differences(c, d);
  for (unsigned mask = 1; mask < 1u << c->inputs; mask++) {
    tape_gradients(c, host, d, mask);
    for (int k = 0; k < c->inputs; k++)
      for (int64_t i = 0; i < count(c->shape[k]); i++) {
        const double want = mask >> k & 1 ? 1 + 2 * d->slope[k][i] : 1;
        g_assert_cmpfloat(fabs((double)d->grad[k][i] - want), <=, 1e-5 * (1 + fabs(want)));
      }
  }
  g_free(d);
  fake_host_close(fake);
  g_free(fake);
}

/* ---- what the cases do not say ---- */

static void test_stop(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, true);
  float x[2] = {3, -2}, g[2] = {0};
  HnVar *v = hn_leaf(&t, 1, 2, x, g);
  hn_tape_backward(&t, hn_sum(&t, hn_mul(&t, v, hn_stop(&t, v))));
  g_assert_cmpfloat(g[0], ==, 3);
  g_assert_cmpfloat(g[1], ==, -2);
  fake_host_close(fake), g_free(fake);
}

/* Ties go to a; outside a clamp, and at a constant loss, nothing flows. */
static void test_edges(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, true);
  float x[2] = {1, 1}, ga[2] = {0}, gb[2] = {0};
  HnVar *a = hn_leaf(&t, 1, 2, x, ga), *b = hn_leaf(&t, 1, 2, x, gb);
  hn_tape_backward(&t, hn_sum(&t, hn_add(&t, hn_min(&t, a, b), hn_max(&t, a, b))));
  g_assert_cmpfloat(ga[0], ==, 2);
  g_assert_cmpfloat(gb[0], ==, 0);
  t = hn_tape_begin(host, true);
  hn_tape_backward(&t, hn_sum(&t, hn_clamp(&t, a, 2, 3)));
  g_assert_cmpfloat(ga[0], ==, 2);
  t = hn_tape_begin(host, true);
  hn_tape_backward(&t, hn_sum(&t, hn_constant(&t, 1, 2, x)));
  fake_host_close(fake), g_free(fake);
}

/* backward_from seeds any shape; a branch that the seed does not reach stays untouched. */
static void test_backward_from(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, true);
  const float x[3] = {1, 2, 3}, seed[3] = {10, 20, 30};
  float g[3] = {0};
  HnVar *v = hn_leaf(&t, 3, 1, x, g), *y = hn_square(&t, v);
  hn_exp(&t, y);
  hn_tape_backward_from(&t, y, seed);
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(g[i], ==, 2 * x[i] * seed[i]);
  fake_host_close(fake), g_free(fake);
}

/* A choice with logit -infinity has probability 0 and no say in entropy, divergence or gradient. */
static void test_forbidden(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  const float x[3] = {0.3f, -INFINITY, -0.4f}, q[3] = {0.1f, 0.2f, 0.5f};
  float g[3] = {0};
  HnTape t = hn_tape_begin(host, true);
  HnVar *v = hn_leaf(&t, 1, 3, x, g), *other = hn_constant(&t, 1, 3, q);
  const int32_t second = 2;
  HnVar *sum = hn_add(&t, hn_categorical_entropy(&t, v), hn_categorical_kl(&t, v, other));
  hn_tape_backward(&t, hn_add(&t, sum, hn_categorical_logp(&t, v, &second)));
  const double p = 1 / (1 + exp(-0.7)), all = exp(0.1) + exp(0.2) + exp(0.5);
  const double cross = -p * (0.1 - log(all)) - (1 - p) * (0.5 - log(all));
  g_assert_cmpfloat(fabs((double)sum->data[0] - cross), <, 1e-6);
  /* d cross / d logit 0 = p (1 - p) 0.4, and -p from the log-probability of the third */
  g_assert_cmpfloat(fabs((double)g[0] - (0.4 * p * (1 - p) - p)), <, 1e-6);
  g_assert_cmpfloat(g[1], ==, 0);
  fake_host_close(fake), g_free(fake);
}

/* Density of tanh(u) stays finite where tanh(u) rounds to 1. */
static void test_saturated(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, true);
  const float mean = 29, logstd = 0, u = 30;
  HnVar *y =
      hn_tanh_normal_logp(&t, hn_constant(&t, 1, 1, &mean), hn_constant(&t, 1, 1, &logstd), &u);
  /* log(1 - tanh(u)^2) -> log 4 - 2u */
  const double want = -0.5 - 0.5 * log(2 * M_PI) - (log(4) - 60);
  g_assert_cmpfloat(fabs((double)y->data[0] - want), <, 1e-5);
  fake_host_close(fake), g_free(fake);
}

/* Counts are the terms they stand for, and a certain logit that is right costs e^-|x|, not 0. */
static void test_bce(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, false);
  const float x[4] = {40, -40, 40, -40}, ones[4] = {3, 0, 0, 2}, total[4] = {3, 3, 1, 2};
  const HnVar *y = hn_bce_logits(&t, hn_constant(&t, 4, 1, x), ones, total);
  const double want[4] = {3 * exp(-40), 3 * exp(-40), 40, 80};
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat(fabs((double)y->data[i] - want[i]), <=, 1e-6 * want[i]);
  fake_host_close(fake), g_free(fake);
}

/* log(1 + e^x) keeps its relative accuracy where e^x vanishes beside 1. */
static void test_softplus(void) {
  enum { N = 20001 };
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), false);
  float *x = g_new(float, N);
  for (int i = 0; i < N; i++) x[i] = -80 + 110 * (float)i / N;
  const HnVar *y = hn_softplus(&t, hn_constant(&t, N, 1, x));
  for (int i = 0; i < N; i++) {
    const double want = log1p(exp((double)x[i]));
    g_assert_cmpfloat(fabs((double)y->data[i] - want), <=, 3e-7 * want);
  }
  g_free(x), fake_host_close(fake), g_free(fake);
}

/* Large and small arrays from one tape do not overlap and are aligned. */
static void test_room(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, false);
  unsigned char *room[400];
  for (int i = 0; i < 400; i++) {
    const int64_t size = i % 50 == 0 ? 100000 : 1 + 17 * i;
    room[i] = hn_tape_room(&t, size, 1);
    g_assert_cmpuint((guintptr)room[i] % 64, ==, 0);
    for (int64_t b = 0; b < size; b++) g_assert_cmpuint(room[i][b], ==, 0);
    memset(room[i], i & 255, (size_t)size);
  }
  for (int i = 0; i < 400; i++) {
    const int64_t size = i % 50 == 0 ? 100000 : 1 + 17 * i;
    for (int64_t b = 0; b < size; b++) g_assert_cmpuint(room[i][b], ==, i & 255);
  }
  fake_host_close(fake), g_free(fake);
}

/* ---- rotations ---- */

/* Q of n = 2 at angle .7; -I at 0; and Q'Q = I, less well for large angles. */
static void test_cayley(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  HnTape t = hn_tape_begin(host, false);
  const float angle[] = {0.7f};
  const double want[] = {-0.781737, -0.623608, 0.623608, -0.781737};
  const HnVar *q = hn_cayley(&t, hn_constant(&t, 1, 1, angle), 2);
  for (int i = 0; i < 4; i++) g_assert_cmpfloat(fabs((double)q->data[i] - want[i]), <=, 6e-7);
  enum { N = 33, ANGLES = N * (N - 1) / 2 };
  float large[3 * ANGLES];
  HnRng rng = hn_rng(21, 0);
  for (int i = 0; i < 3 * ANGLES; i++)
    large[i] = (float)((i / ANGLES == 2 ? 30 : i / ANGLES) * hn_rng_normal(&rng));
  q = hn_cayley(&t, hn_constant(&t, 3, ANGLES, large), N);
  for (int row = 0; row < 3; row++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        const float *at = q->data + row * N * N;
        double sum = 0;
        for (int k = 0; k < N; k++) sum += (double)at[k * N + i] * (double)at[k * N + j];
        g_assert_cmpfloat(fabs(sum - (i == j)), <=, row == 2 ? 3e-4 : 5e-6);
        if (row == 0) g_assert_cmpfloat(at[i * N + j], ==, i == j ? -1 : 0);
      }
  fake_host_close(fake), g_free(fake);
}

/* A turned Gaussian's density, draws and divergence are those of its covariance: against the
 * precision that stands for it, and by counting. */
static void test_turned(void) {
  enum { N = 4, ANGLES = 6, DRAWS = 200000 };
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape tape = hn_tape_begin(fake_host_open(fake), false), *t = &tape;
  HnRng rng = hn_rng(22, 0);
  float angle[2 * ANGLES], logvar[2 * N], mean[2 * N];
  for (int i = 0; i < 2 * ANGLES; i++) angle[i] = (float)hn_rng_normal(&rng);
  for (int i = 0; i < 2 * N; i++) mean[i] = (float)hn_rng_normal(&rng);
  for (int i = 0; i < 2 * N; i++) logvar[i] = (float)hn_rng_normal(&rng);
  HnVar *q = hn_cayley(t, hn_constant(t, 2, ANGLES, angle), N), *m = hn_constant(t, 2, N, mean);
  HnVar *l = hn_constant(t, 2, N, logvar);
  const HnVar *kl =
      hn_rotated_kl(t, hn_rows_of(t, m, 0, 1), hn_rows_of(t, l, 0, 1), hn_rows_of(t, q, 0, 1),
                    hn_rows_of(t, m, 1, 1), hn_rows_of(t, l, 1, 1), hn_rows_of(t, q, 1, 1));
  double p[2][10];
  HnPrecisionStats f;
  void *work = aligned_alloc(64, (hn_precision_work_size(N) + 63) / 64 * 64);
  for (int i = 0; i < 2; i++) hn_precision_rotated(N, logvar + i * N, q->data + i * N * N, p[i]);
  const HnPrecision one = {1, N, false, p[0], 10, 0}, other = {1, N, false, p[1], 10, 0};
  g_assert_cmpint(hn_precision_stats(&one, mean, N, &other, mean + N, N, &f, NULL, work), ==,
                  HN_OK);
  g_assert_cmpfloat(fabs((double)kl->data[0] / f.kl - 1), <=, 2e-6);
  double s[N * N], got[N * N] = {0};
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      s[i * N + j] = 0;
      for (int k = 0; k < N; k++)
        s[i * N + j] +=
            (double)q->data[i * N + k] * exp((double)logvar[k]) * (double)q->data[j * N + k];
    }
  float *noise = hn_tape_room(t, DRAWS * N, sizeof *noise),
        *turns = hn_tape_room(t, DRAWS * N * N, 4);
  for (int64_t i = 0; i < DRAWS * N; i++)
    noise[i] = (float)(exp(0.5 * (double)logvar[i % N]) * hn_rng_normal(&rng));
  for (int64_t i = 0; i < DRAWS; i++) memcpy(turns + i * N * N, q->data, N * N * sizeof *turns);
  const HnVar *z =
      hn_rotate(t, hn_constant(t, DRAWS, N * N, turns), hn_constant(t, DRAWS, N, noise), false);
  for (int64_t i = 0; i < DRAWS; i++)
    for (int j = 0; j < N * N; j++)
      got[j] += (double)z->data[i * N + j / N] * (double)z->data[i * N + j % N] / DRAWS;
  for (int j = 0; j < N * N; j++)
    g_assert_cmpfloat(fabs(got[j] - s[j]), <=,
                      0.015 * sqrt(s[j / N * (N + 1)] * s[j % N * (N + 1)]));
  free(work), fake_host_close(fake), g_free(fake);
}

/* Operations without second derivatives say so by name. */
static void test_first_order(void) {
  if (g_test_subprocess()) {
    FakeHost *fake = g_new(FakeHost, 1);
    HnTape t = hn_tape_begin(fake_host_open(fake), true);
    float x[3] = {1, 2, 3}, g[3] = {0}, v[3] = {1, 0, 0};
    HnVar *loss = hn_sum(&t, hn_square(&t, hn_cayley(&t, hn_leaf(&t, 1, 3, x, g), 3)));
    hn_tape_hvp(&t, loss, (HnTangent){3, g, v});
    return;
  }
  g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr("*hn_cayley has no Jacobian-vector product*");
}

static void add_cases(const Case *all, gsize count_of) {
  for (gsize i = 0; i < count_of; i++) {
    char *path = g_strdup_printf("/tape/%s", all[i].name);
    g_test_add_data_func(path, &all[i], check_case);
    g_free(path);
  }
}

/* Densities that underflow; off the tape too, where numbers are float64. */
static void test_mixture(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), false);
  const float x[2] = {-1000, -1001};
  HnVar *member[] = {hn_constant(&t, 1, 1, x), hn_constant(&t, 1, 1, x + 1)};
  const double logp[] = {-1000, -1001}, want = -1000.3798854930417; /* log((1 + 1/e) / 2) - 1000 */
  g_assert_cmpfloat(fabs((double)hn_mixture_logp(&t, 2, member, false)->data[0] - want), <, 1e-4);
  g_assert_cmpfloat(hn_mixture_logp(&t, 2, member, true)->data[0], ==, -1000.5f);
  g_assert_cmpfloat(fabs(hn_mixture_logp_of(2, logp, false) - want), <, 1e-12);
  g_assert_cmpfloat(hn_mixture_logp_of(2, logp, true), ==, -1000.5);
  g_assert_true(hn_mixture_logp(&t, 1, member, false) == member[0]);
  g_assert_cmpfloat(hn_mixture_logp_of(1, logp, false), ==, -1000);
  fake_host_close(fake), g_free(fake);
}

/* KL(N(0.3, 0.5) || N(0.1, 0.8)) = ln(0.8 / 0.5) + (0.25 + 0.04) / 1.28 - 1/2. */
static void test_normal_kl(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), false);
  const float mean[] = {0.3f, 0.1f}, logstd[] = {logf(0.5f), logf(0.8f)};
  const HnVar *kl =
      hn_normal_kl(&t, hn_constant(&t, 1, 1, mean), hn_constant(&t, 1, 1, logstd),
                   hn_constant(&t, 1, 1, mean + 1), hn_constant(&t, 1, 1, logstd + 1));
  g_assert_cmpfloat_with_epsilon((double)kl->data[0], 0.1965661292, 1e-7);
  fake_host_close(fake), g_free(fake);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases(cases, G_N_ELEMENTS(cases));
  add_cases(first_order, G_N_ELEMENTS(first_order));
  g_test_add_func("/tape/cayley", test_cayley);
  g_test_add_func("/tape/turned", test_turned);
  g_test_add_func("/tape/first-order", test_first_order);
  g_test_add_func("/tape/stop", test_stop);
  g_test_add_func("/tape/edges", test_edges);
  g_test_add_func("/tape/backward-from", test_backward_from);
  g_test_add_func("/tape/forbidden-choice", test_forbidden);
  g_test_add_func("/tape/normal-kl", test_normal_kl);
  g_test_add_func("/tape/saturated", test_saturated);
  g_test_add_func("/tape/bce-tail", test_bce);
  g_test_add_func("/tape/softplus-tail", test_softplus);
  g_test_add_func("/tape/mixture", test_mixture);
  g_test_add_func("/tape/room", test_room);
  return g_test_run();
}
