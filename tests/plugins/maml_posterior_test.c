/* maml_posterior_test.c - the Laplace posterior over an action head: precisions against numerical
 * Hessians of a naive float64 twin, draws against their covariance, and derivatives where heads of
 * their own acted. */
#include "../../plugins/policies/trpo/posterior.h"
#include "actor_fixture.h"
#include "numbers.h"

enum { O = 3, H = 4, A = 2, N = 17, MOST = 5, ACTIONS = 3 };

/* Row by row, biases last: the weight of output a that feature j (of dim - 1) has. */
static int64_t weight_at(const Twin *z, int64_t j, int64_t a) {
  const int64_t top = z->H ? z->H : z->O;
  return j < top ? z->w1 + j * z->A + a : z->b1 + a;
}

static double *double_weights(const ActorFixture *f, float *weights) {
  double *w = g_new0(double, (gsize)f->net.store.size);
  actor_critic_get_weights(&f->net, weights);
  for (int64_t k = 0; k < f->net.store.size; k++) w[k] = (double)weights[k];
  return w;
}

/* Blocks of the Hessian of the sum of -log pi(a), by differences of gradients written out. */
static void check_hessian(bool discrete, int64_t layers, double temperature) {
  ActorFixture *f = actor_fixture_new(O, discrete ? ACTIONS : A, discrete, layers, H, 0.7, 1e-6);
  const Twin z = twin_of(f);
  const int64_t dim = actor_features(&f->net) + 1, P = f->net.store.size;
  const int64_t one = hn_precision_count(dim, false), outputs = f->net.A;
  const HeadPosterior h = {.prior_precision = 3, .temperature = temperature};
  Sample s = actor_fixture_sample(f, N, 5);
  for (int64_t k = 0; k < N; k++) s.advantage[k] = 1;
  float *weights = g_new0(float, (gsize)P);
  double *w = double_weights(f, weights), *g[2] = {g_new(double, P), g_new(double, P)};
  g_assert_cmpint(head_posterior_count(&f->net), ==, outputs * one);
  double *p = g_new0(double, (gsize)(outputs * one)), most = 0;
  const Actor actor = {.net = &f->net};
  head_posterior_set_prior(&h, &f->net, p);
  head_posterior_add(&h, &f->fake.host, &actor, weights, &s, p);
  for (int64_t a = 0; a < outputs; a++)
    for (int64_t i = 0; i < dim; i++) {
      double *at = &w[weight_at(&z, i, a)], was = *at, e = 1e-5;
      for (int side = 0; side < 2; side++) {
        *at = was + (side ? e : -e);
        memset(g[side], 0, (gsize)P * sizeof(double));
        twin_loss(&z, w, &s, LOSS_LOGP, 0, NULL, N, g[side]);
      }
      *at = was;
      for (int64_t j = 0; j <= i; j++) {
        const int64_t k = weight_at(&z, j, a);
        const double slope = (g[1][k] - g[0][k]) / (2 * e) / temperature;
        near(p[a * one + i * (i + 1) / 2 + j], slope + (i == j ? 3 : 0),
             1.5e-6 * (1 + fabs(slope)));
        most = fmax(most, fabs(slope));
      }
    }
  g_assert_cmpfloat(most, >, 0.2);
  g_free(weights), g_free(w), g_free(g[0]), g_free(g[1]), g_free(p), actor_fixture_free(f);
}

static void test_hessian(void) {
  check_hessian(false, 1, 1), check_hessian(false, 0, 4);
  check_hessian(true, 1, 1), check_hessian(true, 0, 0.5);
}

/* Two samples add up as their union does; none adds nothing. */
static void test_sum(void) {
  ActorFixture *f = actor_fixture_new(O, A, false, 1, H, 0.7, 1e-6);
  const HeadPosterior h = {.prior_precision = 1, .temperature = 1};
  const Actor actor = {.net = &f->net};
  const int64_t count = head_posterior_count(&f->net);
  const Sample s = actor_fixture_sample(f, N, 5);
  float *weights = g_new0(float, (gsize)f->net.store.size);
  actor_critic_get_weights(&f->net, weights);
  double *p[2] = {g_new0(double, count), g_new0(double, count)};
  for (int k = 0; k < 2; k++) head_posterior_set_prior(&h, &f->net, p[k]);
  head_posterior_add(&h, &f->fake.host, &actor, weights, &s, p[0]);
  static const int64_t end[] = {6, 6, N};
  for (int64_t k = 0, from = 0; k < 3; from = end[k++]) {
    const Sample part = actor_part(&f->net, &s, from, end[k] - from);
    head_posterior_add(&h, &f->fake.host, &actor, weights, &part, p[1]);
  }
  for (int64_t k = 0; k < count; k++) near(p[0][k], p[1][k], 8e-7 * (1 + fabs(p[0][k])));
  g_free(weights), g_free(p[0]), g_free(p[1]), actor_fixture_free(f);
}

/* A mean that passes tanh has its slope in the curvature: J'J / sigma^2, J by differences. */
static void test_squash(void) {
  ActorFixture *f = actor_fixture_new(O, A, false, 1, H, 0.7, 1e-6);
  const Twin z = twin_of(f);
  const int64_t dim = actor_features(&f->net) + 1, one = hn_precision_count(dim, false);
  const HeadPosterior h = {.prior_precision = 1, .temperature = 1};
  const Actor actor = {.net = &f->net};
  f->params.squash = SQUASH_MEAN;
  for (int64_t k = 0; k < A; k++) f->net.actor.head.b[0]->data[k] = 0.8f;
  const Sample s = actor_fixture_sample(f, N, 5);
  float *weights = g_new0(float, (gsize)f->net.store.size);
  double *w = double_weights(f, weights), *p = g_new0(double, (gsize)(A * one));
  head_posterior_add(&h, &f->fake.host, &actor, weights, &s, p);
  for (int64_t a = 0; a < A; a++) {
    double want[MOST][MOST] = {{0}};
    for (int64_t t = 0; t < N; t++) {
      double j[MOST], hidden[TWIN_WIDE], head[2][TWIN_WIDE];
      for (int64_t i = 0; i < dim; i++) {
        double *at = &w[weight_at(&z, i, a)], was = *at, e = 1e-5;
        for (int side = 0; side < 2; side++) {
          *at = was + (side ? e : -e);
          twin_forward(&z, w, s.obs + t * O, hidden, head[side]);
        }
        *at = was;
        j[i] = (tanh(head[1][a]) - tanh(head[0][a])) / (2 * e) / 0.7;
      }
      for (int64_t i = 0; i < dim; i++)
        for (int64_t k = 0; k <= i; k++) want[i][k] += j[i] * j[k];
    }
    for (int64_t i = 0; i < dim; i++)
      for (int64_t k = 0; k <= i; k++)
        near(p[a * one + i * (i + 1) / 2 + k], want[i][k], 1.5e-6 * (1 + fabs(want[i][k])));
  }
  g_free(weights), g_free(w), g_free(p), actor_fixture_free(f);
}

/* Draws by 40,000 seeds: means 0, covariance of each output P^-1, none between outputs; each number
 * within six standard errors.  P is made of an inverse written down, diag(1, 4) turned by .6. */
static void test_draws(void) {
  enum { MANY = 40000, DIM = 2 };
  ActorFixture *f = actor_fixture_new(1, A, false, 0, 1, 0.7, 1e-6);
  const double c = cos(0.6), s = sin(0.6), scale[A] = {1, 9};
  double p[A * 3], cov[A * DIM][A * DIM] = {{0}}, sum[A * DIM][A * DIM] = {{0}};
  for (int a = 0; a < A; a++) {
    const double low = scale[a], high = 4 * scale[a]; /* eigenvalues */
    p[a * 3] = low * c * c + high * s * s, p[a * 3 + 1] = (low - high) * c * s;
    p[a * 3 + 2] = low * s * s + high * c * c;
    double *const rows[] = {cov[a], cov[A + a]};
    rows[0][a] = c * c / low + s * s / high, rows[1][A + a] = s * s / low + c * c / high;
    rows[0][A + a] = rows[1][a] = (1 / low - 1 / high) * c * s;
  }
  for (uint64_t k = 1; k <= MANY; k++) {
    float x[A * DIM]; /* weights of both outputs, then their biases */
    g_assert_cmpint(head_posterior_draw(&f->net, &f->fake.host, p, k << 13 | 1, x), ==, HN_OK);
    if (k == 7) {
      float again[A * DIM];
      head_posterior_draw(&f->net, &f->fake.host, p, k << 13 | 1, again);
      g_assert_cmpmem(x, sizeof x, again, sizeof again);
    }
    for (int i = 0; i < A * DIM; i++)
      for (int j = 0; j < A * DIM; j++) sum[i][j] += (double)x[i] * (double)x[j] / MANY;
    fake_host_reset(&f->fake, (FakeMark){0, 0});
  }
  for (int i = 0; i < A * DIM; i++)
    for (int j = 0; j < A * DIM; j++)
      near(sum[i][j], cov[i][j], 6 * sqrt((cov[i][i] * cov[j][j] + cov[i][j] * cov[i][j]) / MANY));
  p[0] = (double)NAN;
  float x[A * DIM];
  g_assert_cmpint(head_posterior_draw(&f->net, &f->fake.host, p, 1, x), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(f->fake.error, "head has no factor"));
  actor_fixture_free(f);
}

/* ---- steps in which heads of their own acted ---- */

typedef struct Moved {
  ActorFixture *f;
  Sample s;
  HeadOffset offset[3];
  float *weights, *shifted[3]; /* the weights with each offset */
} Moved;

static void moved_open(Moved *m, bool discrete) {
  ActorFixture *f = m->f = actor_fixture_new(O, discrete ? ACTIONS : A, discrete, 1, H, 0.7, 1e-6);
  const int64_t P = f->net.store.size, size = actor_head_size(&f->net);
  const Twin z = twin_of(f);
  HnRng rng = hn_rng(4, 4);
  m->s = actor_fixture_sample(f, N, 5);
  m->weights = g_new0(float, (gsize)P);
  actor_critic_get_weights(&f->net, m->weights);
  for (int k = 0; k < 3; k++) {
    m->shifted[k] = g_memdup2(m->weights, (gsize)P * sizeof(float));
    m->offset[k] = (HeadOffset){.end = k == 0 ? 6 : k == 1 ? 10 : N};
    if (k == 1) continue; /* the weights' own */
    m->offset[k].offset = g_new0(float, (gsize)size);
    for (int64_t j = 0; j < size; j++) m->offset[k].offset[j] = (float)hn_rng_normal(&rng);
    for (int64_t j = 0; j < size; j++)
      m->shifted[k][weight_at(&z, j / f->net.A, j % f->net.A)] += m->offset[k].offset[j];
  }
}

static void moved_close(Moved *m) {
  for (int k = 0; k < 3; k++) g_free(m->shifted[k]), g_free(m->offset[k].offset);
  g_free(m->weights), actor_fixture_free(m->f);
}

/* What each function says of the whole is the weighted sum of what it says of the parts. */
static void check_moved(bool discrete) {
  Moved m;
  moved_open(&m, discrete);
  const Actor actor = {.net = &m.f->net, .clip_range = 0.2};
  const int64_t P = m.f->net.store.size;
  float *v = g_new0(float, P), *mine[4], *part = g_new0(float, P), *before = g_new0(float, P);
  double *want[4], value = 0, kl = 0;
  HnRng rng = hn_rng(6, 4);
  for (int64_t j = 0; j < P; j++) v[j] = (float)hn_rng_normal(&rng);
  for (int k = 0; k < 4; k++) mine[k] = g_new0(float, P), want[k] = g_new0(double, P);
  for (int64_t j = 0; j < P; j++) before[j] = m.weights[j] + 0.1f * v[j]; /* who acted */
  Sample whole = m.s;
  whole.offsets = 3, whole.offset = m.offset;
  actor_remember(&actor, before, &whole);
  const ActorValue all = actor_value(&actor, m.weights, &whole, true);
  actor_gradient(&actor, m.weights, &whole, LOSS_CLIP, 0.3, mine[0]);
  actor_hessian_product(&actor, m.weights, &whole, LOSS_RATIO, v, 0.3, mine[1]);
  actor_fisher_product(&actor, m.weights, &whole, v, mine[2]);
  actor_gradient(&actor, m.weights, &whole, LOSS_KL, 1, mine[3]);
  for (int64_t k = 0, from = 0; k < 3; from = m.offset[k++].end) {
    const Sample s = actor_part(&m.f->net, &whole, from, m.offset[k].end - from);
    const double share = (double)s.n / N;
    g_assert_cmpint(s.offsets, ==, 0);
    const ActorValue own = actor_value(&actor, m.shifted[k], &s, true);
    value += share * own.loss, kl += share * own.kl;
    for (int which = 0; which < 4; which++) {
      memset(part, 0, (gsize)P * sizeof *part);
      if (which == 0) actor_gradient(&actor, m.shifted[k], &s, LOSS_CLIP, 0.3, part);
      if (which == 1) actor_hessian_product(&actor, m.shifted[k], &s, LOSS_RATIO, v, 0.3, part);
      if (which == 2) actor_fisher_product(&actor, m.shifted[k], &s, v, part);
      if (which == 3) actor_gradient(&actor, m.shifted[k], &s, LOSS_KL, 1, part);
      for (int64_t j = 0; j < P; j++) want[which][j] += share * (double)part[j];
    }
  }
  near(all.loss, value, 1e-6), near(all.kl, kl, 1e-6);
  g_assert_cmpfloat(kl, >, 1e-4);
  for (int which = 0; which < 4; which++) {
    double most = 0;
    for (int64_t j = 0; j < P; j++) {
      near((double)mine[which][j], want[which][j], 2.5e-6 * (1 + fabs(want[which][j])));
      most = fmax(most, fabs(want[which][j]));
    }
    g_assert_cmpfloat(most, >, 0.01);
    g_free(mine[which]), g_free(want[which]);
  }
  g_free(v), g_free(part), g_free(before), moved_close(&m);
}

static void test_moved(void) {
  check_moved(false), check_moved(true);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/maml_posterior/hessian", test_hessian);
  g_test_add_func("/maml_posterior/sum", test_sum);
  g_test_add_func("/maml_posterior/squash", test_squash);
  g_test_add_func("/maml_posterior/draws", test_draws);
  g_test_add_func("/maml_posterior/moved", test_moved);
  return g_test_run();
}
