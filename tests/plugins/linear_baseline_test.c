/* linear_baseline_test.c - the linear baseline of returns: exact where returns are linear in its
 * features, of least squares where they are not, and what advantages are made of. */
#include "../../plugins/policies/common/linear_baseline.h"
#include "fake_host.h"
#include "numbers.h"

enum { N = 400, IN = 39, MOST = 94 };

typedef struct Data {
  float x[(N + 1) * IN], time[N + 1], target[N], value[N + 1];
  double coef[MOST];
} Data;

static void draw(Data *d, uint64_t seed, double spread) {
  HnRng rng = hn_rng(seed, 1);
  for (int k = 0; k < (N + 1) * IN; k++) d->x[k] = (float)(spread * hn_rng_normal(&rng));
  for (int k = 0; k <= N; k++) d->time[k] = (float)(k % 100);
}

static double feature(const Data *d, int k, int f) {
  const double tau = (double)d->time[k] / 100, power[] = {tau, tau * tau, tau * tau * tau, 1};
  if (f >= 2 * IN) return power[f - 2 * IN];
  const double v = fmax(-10, fmin(10, (double)d->x[k * IN + f % IN]));
  return f < IN ? v : v * v;
}

/* Meta-World's 39 and 45 numbers; returns that are linear in the features leave no residual, though
 * some numbers lie beyond the clip. */
static void test_linear(void) {
  FakeHost fake;
  const HnHost *host = fake_host_open(&fake);
  Data *d = g_new0(Data, 1);
  HnRng rng = hn_rng(2, 2);
  double w[MOST], mean = 0, spread = 0, residual = 0;
  g_assert_cmpint(linear_baseline_features(39), ==, 82);
  g_assert_cmpint(linear_baseline_features(45), ==, 94);
  draw(d, 1, 5);
  for (int f = 0; f < 82; f++) w[f] = hn_rng_normal(&rng);
  for (int k = 0; k < N; k++) {
    double sum = 0;
    for (int f = 0; f < 82; f++) sum += w[f] * feature(d, k, f);
    d->target[k] = (float)sum, mean += sum / N;
  }
  linear_baseline_fit(host, N, IN, d->x, d->time, d->target, d->coef);
  linear_baseline_predict(host, N, IN, d->x, d->time, d->coef, d->value);
  for (int k = 0; k < N; k++) {
    spread += pow((double)d->target[k] - mean, 2);
    residual += pow((double)(d->target[k] - d->value[k]), 2);
  }
  g_assert_cmpfloat(sqrt(residual / spread), <, 1e-4);
  for (int f = 0; f < 2 * IN; f++) near(d->coef[f], w[f], 8e-7);
  g_free(d), fake_host_close(&fake);
}

/* What minimises: the residual of noise is orthogonal to every feature, up to the ridge. */
static void test_least_squares(void) {
  FakeHost fake;
  const HnHost *host = fake_host_open(&fake);
  Data *d = g_new0(Data, 1);
  HnRng rng = hn_rng(3, 2);
  draw(d, 4, 1);
  for (int k = 0; k < N; k++) d->target[k] = (float)hn_rng_normal(&rng);
  linear_baseline_fit(host, N, IN, d->x, d->time, d->target, d->coef);
  for (int f = 0; f < 82; f++) {
    double slope = 1e-5 * d->coef[f];
    for (int k = 0; k < N; k++) {
      double sum = -(double)d->target[k];
      for (int g = 0; g < 82; g++) sum += d->coef[g] * feature(d, k, g);
      slope += sum * feature(d, k, f);
    }
    near(slope, 0, 1e-8);
  }
  for (int k = 0; k < N * IN; k++) d->x[k] = NAN; /* nothing to fit to */
  linear_baseline_fit(host, N, IN, d->x, d->time, d->target, d->coef);
  for (int f = 0; f < 82; f++) g_assert_cmpfloat(d->coef[f], ==, 0);
  g_free(d), fake_host_close(&fake);
}

/* Two episodes of two steps of one row; time alone tells them apart.  With as many features as
 * returns the fit is exact, and advantages of lambda 1 vanish; those of lambda 0 are
 * r + gamma V' - V. */
static void test_advantages(void) {
  FakeHost fake;
  const HnHost *host = fake_host_open(&fake);
  static const uint8_t begin[] = {HN_NEW_TASK, 0, HN_NEW_EPISODE, 0, 0}, never[4] = {0};
  const float x[5] = {1, -2, 3, 0.5f, 4}, time[5] = {0, 100, 0, 100, 200}, reward[] = {1, 2, 3, 4};
  const HnHistory h = {.struct_size = sizeof h,
                       .steps = 4,
                       .rows = 1,
                       .stride = 1,
                       .begin = begin,
                       .terminated = never,
                       .truncated = never};
  double coef[6] = {0, 0, 0, 0, 0, 10}; /* what is left after the window is thought to be 10 */
  float advantage[4], value[4];
  ReturnRule rule = {.gamma = 0.5, .gae_lambda = 1, .episodes_end = true};
  const double returns[4] = {1 + 0.5 * 2, 2, 3 + 0.5 * (4 + 0.5 * 10), 4 + 0.5 * 10};
  linear_baseline_advantages(host, &rule, &h, 1, x, time, reward, coef, advantage, value);
  for (int k = 0; k < 4; k++) near((double)value[k], returns[k], 2.5e-4);
  near((double)advantage[0], 0, 2.5e-4), near((double)advantage[1], 0, 2.5e-4);

  rule.gae_lambda = 0;
  double again[6] = {0, 0, 0, 0, 0, 10};
  linear_baseline_advantages(host, &rule, &h, 1, x, time, reward, again, advantage, value);
  near((double)advantage[0], 1 + 0.5 * (double)value[1] - (double)value[0], 1e-5);
  near((double)advantage[1], 2 - (double)value[1], 1e-5);
  float last;
  linear_baseline_predict(host, 1, 1, x + 4, time + 4, again, &last);
  near((double)advantage[3], 4 + 0.5 * (double)last - (double)value[3], 1e-5);
  fake_host_close(&fake);
}

/* Mean 2, variance 20 / 3. */
static void test_standardise(void) {
  const double by[] = {sqrt(20 / 3.0), 20 / 3.0};
  for (int k = 0; k < 3; k++) {
    float a[4] = {-1, 1, 3, 5};
    const Moments m = advantage_standardise(k, 4, a);
    near(m.mean, 2, 1e-12), near(m.stddev, sqrt(20 / 3.0), 1e-12);
    for (int j = 0; j < 4; j++) near((double)a[j], k < 2 ? (2 * j - 3) / by[k] : 2 * j - 1, 2e-7);
  }
  float equal[3] = {7, 7, 7};
  advantage_standardise(ADVANTAGE_BY_STDDEV, 3, equal);
  for (int j = 0; j < 3; j++) g_assert_cmpfloat(equal[j], ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/linear_baseline/linear", test_linear);
  g_test_add_func("/linear_baseline/least_squares", test_least_squares);
  g_test_add_func("/linear_baseline/advantages", test_advantages);
  g_test_add_func("/linear_baseline/standardise", test_standardise);
  return g_test_run();
}
