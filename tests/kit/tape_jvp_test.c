/* tape_jvp_test.c - derivatives along a direction and products with the Hessian, for every
 * operation of the tape: against mixed second differences of the naive float64 twin, for symmetry,
 * and for linearity when inputs move one at a time. */
#include "tape_cases.h"
#include <hunch/kit/nn.h>

typedef float Direction[INPUTS][MOST];
typedef struct Probe {
  Data d;
  Direction u, v, hu, hv, part, sum;
} Probe;

static const double tolerance = 1e-5;
enum { ALL = (1 << INPUTS) - 1 };

/* Sum of weight (y + y^2 / 2), so that operations that are linear by themselves count as well. */
static double bent_loss(const Case *c, Data *d) {
  double y[MOST], sum = 0;
  c->naive(c, d->in, y);
  for (int64_t i = 0; i < count(c->out); i++)
    sum += (double)d->weight[i] * (y[i] + 0.5 * y[i] * y[i]);
  return sum;
}

static void move(const Case *c, Data *d, Direction v, double by) {
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; i < count(c->shape[k]); i++)
      d->wide[k][i] = (double)d->x[k][i] + by * (double)v[k][i];
}

/* Row (k, i) of H v. */
static double second_difference(const Case *c, Data *d, Direction v, int k, int64_t i) {
  const double h = 1e-4;
  double sum = 0;
  for (int side = 0; side < 4; side++) {
    const int along = side & 1 ? -1 : 1, own = side & 2 ? -1 : 1;
    move(c, d, v, along * h);
    d->wide[k][i] += own * h;
    sum += along * own * bent_loss(c, d);
  }
  return sum / (4 * h * h);
}

/* H v, where only inputs in `moving` move, and only those in `with_grad` have a gradient. */
static void product(const Case *c, const HnHost *host, Probe *p, int moving, int with_grad,
                    Direction v, Direction hv) {
  HnTape t = hn_tape_begin(host, true);
  Direction *masked = hn_tape_room(&t, 1, sizeof *masked);
  HnVar *in[INPUTS];
  for (int k = 0; k < c->inputs; k++) {
    if (moving >> k & 1) memcpy((*masked)[k], v[k], sizeof v[k]);
    memset(hv[k], 0, sizeof hv[k]);
    HnVar *leaf =
        hn_leaf(&t, c->shape[k][0], c->shape[k][1], p->d.x[k], with_grad >> k & 1 ? hv[k] : NULL);
    in[k] = hn_affine(&t, leaf, 1, 0);
  }
  HnVar *y = c->tape(c, &t, in);
  HnVar *loss = hn_dot(&t, hn_add(&t, y, hn_affine(&t, hn_square(&t, y), 0.5f, 0)), p->d.weight);
  /* a single input moves by a window on the direction, so that the others do not move at all */
  int only = 0;
  while (only < c->inputs && moving != 1 << only) only++;
  const bool one = only < c->inputs;
  hn_tape_hvp(&t, loss,
              (HnTangent){.size = one ? MOST : INPUTS * MOST,
                          .base = one ? hv[only] : hv[0],
                          .v = one ? (*masked)[only] : (*masked)[0]});
}

/* What rounding errors are measured against: elements are sums of terms as large as the largest. */
static double size_of(const Case *c, Direction v) {
  double most = 1;
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; i < count(c->shape[k]); i++) most = fmax(most, fabs((double)v[k][i]));
  return most;
}

static double inner(const Case *c, Direction a, Direction b) {
  double sum = 0;
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; i < count(c->shape[k]); i++) sum += (double)a[k][i] * (double)b[k][i];
  return sum;
}

static void compare(const Case *c, Direction a, Direction b, int inputs) {
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; inputs >> k & 1 && i < count(c->shape[k]); i++)
      g_assert_cmpfloat(fabs((double)a[k][i] - (double)b[k][i]), <=, tolerance * size_of(c, b));
}

static void check_parts(const Case *c, const HnHost *host, Probe *p) {
  memset(p->sum, 0, sizeof p->sum);
  for (int k = 0; k < c->inputs; k++) {
    product(c, host, p, 1 << k, ALL, p->v, p->part);
    for (int l = 0; l < c->inputs; l++)
      for (int64_t i = 0; i < count(c->shape[l]); i++) p->sum[l][i] += p->part[l][i];
    product(c, host, p, 1 << k, 1 << k, p->v, p->hu);
    compare(c, p->hu, p->part, 1 << k);
  }
  compare(c, p->sum, p->hv, ALL);
}

static void check_case(gconstpointer user) {
  const Case *c = user;
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  Probe *p = g_new0(Probe, 1);
  draw(c, &p->d);
  HnRng rng = hn_rng(8, g_str_hash(c->name));
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; i < count(c->shape[k]); i++) {
      p->u[k][i] = (float)hn_rng_normal(&rng);
      p->v[k][i] = (float)hn_rng_normal(&rng);
    }
  product(c, host, p, ALL, ALL, p->v, p->hv);
  product(c, host, p, ALL, ALL, p->u, p->hu);
  for (int k = 0; k < c->inputs; k++)
    for (int64_t i = 0; i < count(c->shape[k]); i++) {
      const double want = second_difference(c, &p->d, p->v, k, i);
      g_assert_cmpfloat(fabs((double)p->hv[k][i] - want), <=, tolerance * size_of(c, p->hv));
    }
  const double uhv = inner(c, p->u, p->hv), vhu = inner(c, p->v, p->hu);
  g_assert_cmpfloat(fabs(uhv - vhu), <=, 1e-5 * (1 + fabs(uhv)));
  check_parts(c, host, p);
  g_free(p);
  fake_host_close(fake);
  g_free(fake);
}

/* ---- what the cases do not say ---- */

/* x^4 along v, again and again: 4 x^3 v, 12 x^2 v^2, 24 x v^3; and backward from there. */
static void test_again(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), true);
  const float x = 1.5f, v = -2;
  float g = 0;
  const HnTangent d = {1, &g, &v};
  HnVar *first = hn_tape_jvp(&t, hn_square(&t, hn_square(&t, hn_leaf(&t, 1, 1, &x, &g))), d);
  HnVar *second = hn_tape_jvp(&t, first, d), *third = hn_tape_jvp(&t, second, d);
  g_assert_cmpfloat(first->data[0], ==, 4 * x * x * x * v);
  g_assert_cmpfloat(second->data[0], ==, 12 * x * x * v * v);
  g_assert_cmpfloat(third->data[0], ==, 24 * x * v * v * v);
  hn_tape_backward(&t, third);
  g_assert_cmpfloat(g, ==, 24 * v * v * v);
  fake_host_close(fake), g_free(fake);
}

/* A layer's direction is flat as its gradient: for |x w + b|^2 / 2, H (v, a) is
 * (x' (x v + a), sum (x v + a)). */
static void test_store(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnStore *s = g_new(HnStore, 1);
  HnRng rng = hn_rng(9, 0);
  hn_store_begin(s, fake_host_open(fake), "");
  const int64_t width[] = {3, 2};
  const HnMlp mlp = hn_mlp_make(s, "net", 1, width, HN_TANH, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, &rng);
  float x[12], *flat = hn_store_flat(s, 1), *v = hn_store_flat(s, 1);
  for (int i = 0; i < 12; i++) x[i] = (float)hn_rng_normal(&rng);
  for (int64_t i = 0; i < s->size; i++) v[i] = (float)hn_rng_normal(&rng);
  HnTape t = hn_tape_begin(s->host, true);
  HnVar *y = hn_mlp(&t, &mlp, hn_constant(&t, 4, 3, x), flat);
  hn_tape_hvp(&t, hn_affine(&t, hn_sum(&t, hn_square(&t, y)), 0.5f, 0),
              (HnTangent){s->size, flat, v});
  const float *vw = v + mlp.w[0]->offset, *vb = v + mlp.b[0]->offset;
  for (int j = 0; j < 2; j++) {
    double moved[4], sum = 0;
    for (int i = 0; i < 4; i++) {
      moved[i] = (double)vb[j];
      for (int p = 0; p < 3; p++) moved[i] += (double)x[3 * i + p] * (double)vw[p * 2 + j];
      sum += moved[i];
    }
    g_assert_cmpfloat(fabs((double)flat[mlp.b[0]->offset + j] - sum), <, 1e-5);
    for (int p = 0; p < 3; p++) {
      double want = 0;
      for (int i = 0; i < 4; i++) want += (double)x[3 * i + p] * moved[i];
      g_assert_cmpfloat(fabs((double)flat[mlp.w[0]->offset + p * 2 + j] - want), <, 1e-5);
    }
  }
  fake_host_close(fake), g_free(s), g_free(fake);
}

/* The divergence from a fixed copy of itself has the Fisher information as Hessian: of a Gaussian
 * 1 / variance for the mean, 2 for log std; of a categorical diag(p) - p p'. */
static void test_fisher(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), true);
  const float x[5] = {0.3f, -0.7f, 0.2f, -0.4f, 1.1f}, v[5] = {1, 2, -1, 0.5f, 3};
  float g[5] = {0};
  HnVar *mean = hn_leaf(&t, 1, 1, x, g), *logstd = hn_leaf(&t, 1, 1, x + 1, g + 1);
  HnVar *logits = hn_leaf(&t, 1, 3, x + 2, g + 2);
  HnVar *kl = hn_normal_kl(&t, mean, logstd, hn_stop(&t, mean), hn_stop(&t, logstd));
  kl = hn_add(&t, kl, hn_categorical_kl(&t, logits, hn_stop(&t, logits)));
  hn_tape_hvp(&t, kl, (HnTangent){5, g, v});
  g_assert_cmpfloat(fabs((double)g[0] - exp(2 * 0.7)), <, 1e-5);
  g_assert_cmpfloat(fabs((double)g[1] - 4), <, 1e-5);
  double p[3], all = 0, pv = 0;
  for (int i = 0; i < 3; i++) all += p[i] = exp((double)x[2 + i]);
  for (int i = 0; i < 3; i++) pv += (p[i] /= all) * (double)v[2 + i];
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat(fabs((double)g[2 + i] - p[i] * ((double)v[2 + i] - pv)), <, 1e-6);
  fake_host_close(fake), g_free(fake);
}

/* What is stopped or constant does not move; a choice that cannot be taken stays out of it. */
static void test_still(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnTape t = hn_tape_begin(fake_host_open(fake), true);
  const float x[3] = {0.3f, -INFINITY, -0.4f}, v[3] = {1, 0, 2};
  float g[3] = {0}, other = 0;
  HnVar *leaf = hn_leaf(&t, 1, 3, x, g), *elsewhere = hn_leaf(&t, 1, 1, x, &other);
  HnVar *stopped = hn_mul(&t, elsewhere, hn_stop(&t, elsewhere));
  g_assert_null(hn_tape_jvp(&t, stopped, (HnTangent){3, g, v}));
  HnVar *loss = hn_add(&t, hn_categorical_entropy(&t, leaf), hn_categorical_kl(&t, leaf, leaf));
  hn_tape_hvp(&t, loss, (HnTangent){3, g, v});
  /* two choices at logits a and b with d = a - b: entropy'' = -p q (1 + d (q - p)) along (1, -1) */
  const double p = 1 / (1 + exp(-0.7)), q = 1 - p, bend = -p * q * (1 + 0.7 * (q - p));
  g_assert_cmpfloat(fabs((double)g[0] + bend), <, 1e-6);
  g_assert_cmpfloat(g[1], ==, 0);
  g_assert_cmpfloat(fabs((double)g[2] - bend), <, 1e-6);
  g_assert_cmpfloat(other, ==, 0);
  fake_host_close(fake), g_free(fake);
}

static void test_too_late(void) {
  if (g_test_subprocess()) {
    FakeHost *fake = g_new(FakeHost, 1);
    HnTape t = hn_tape_begin(fake_host_open(fake), true);
    const float x = 1;
    float g = 0;
    HnVar *y = hn_square(&t, hn_leaf(&t, 1, 1, &x, &g));
    hn_tape_backward(&t, y);
    hn_tape_hvp(&t, y, (HnTangent){1, &g, &x});
  }
  g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr("*hn_tape_jvp: needs a tape that*");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    char *path = g_strdup_printf("/jvp/%s", cases[i].name);
    g_test_add_data_func(path, &cases[i], check_case);
    g_free(path);
  }
  g_test_add_func("/jvp/again", test_again);
  g_test_add_func("/jvp/store", test_store);
  g_test_add_func("/jvp/fisher", test_fisher);
  g_test_add_func("/jvp/still", test_still);
  g_test_add_func("/jvp/too-late", test_too_late);
  return g_test_run();
}
