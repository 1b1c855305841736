/* trpo_region_test.c - gradients, curvatures and steps of the trpo library: against numbers worked
 * out by an independent program, and against central differences of a naive float64 twin. */
#include "actor_fixture.h"
#include "numbers.h"

/* ---- a quadratic ---- */

/* A Gaussian whose mean is linear in the state and whose deviation is fixed makes LOSS_LOGP a
 * quadratic in the mean's weights: with states s_j, actions c . s_j and advantages of
 * n sigma^2 m_j / 2 for each of +-s_j its Hessian is sum m_j s_j s_j', its minimum c.  The pairs
 * keep the bias out of it. */
static const double SIGMA = 0.5;

static void quadratic(Sample *s, double a00, double a01, double a11, double c0, double c1,
                      bool by_state) {
  const double m[3] = {a00 - a01, a11 - a01, a01}, dir[3][2] = {{1, 0}, {0, 1}, {1, 1}};
  for (int k = 0; k < 6; k++) {
    const double sign = k % 2 ? -1 : 1, weight = m[k / 2] * 6 * SIGMA * SIGMA / 2;
    const double scale = by_state ? sqrt(weight) : 1; /* so that the Fisher information has it */
    for (int j = 0; j < 2; j++) s->obs[2 * k + j] = (float)(sign * scale * dir[k / 2][j]);
    s->action[k] = (float)(sign * scale * (c0 * dir[k / 2][0] + c1 * dir[k / 2][1]));
    s->advantage[k] = by_state ? 1 : (float)weight;
  }
}

typedef struct Quadratic {
  ActorFixture *f;
  Region r;
  Task task;
  Sample inner[3];
  int64_t w; /* offset of the mean's weights */
} Quadratic;

static void quadratic_open(Quadratic *q, int64_t steps, bool by_state, bool first_order) {
  q->f = actor_fixture_new(2, 1, false, 0, 1, 0.1, SIGMA);
  const HnHost *host = &q->f->fake.host;
  q->w = actor_fixture_offset(q->f, "action.0.weight");
  float *w = q->f->net.actor.head.w[0]->data;
  w[0] = 0.3f, w[1] = 0.7f;
  for (int64_t k = 0; k < steps; k++) {
    q->inner[k] = actor_sample(&q->f->net, 6);
    quadratic(&q->inner[k], 2, 0.5, 1, 1, -1, false);
  }
  q->task = (Task){.weight = 1, .steps = steps, .inner = q->inner};
  q->task.outer = actor_sample(&q->f->net, 6);
  q->task.adapted = host->scratch(host, 3 * q->f->net.store.size, sizeof(float));
  quadratic(&q->task.outer, 1, 0.2, 3, 0.5, 0.5, by_state);
  q->r = (Region){.inner_lr = 0.1,
                  .inner_loss = LOSS_LOGP,
                  .first_order = first_order,
                  .count = 1,
                  .task = &q->task};
  region_begin(&q->r, &q->f->net);
  region_adapt(&q->r, 0);
}

static void test_quadratic(void) {
  static const struct {
    double adapted[2], first[2], full[2];
  } golden[] = {
      {{0.355, 0.565}, {-0.132, 0.166}, {-0.1139, 0.156}},
      {{0.40575, 0.44075}, {-0.1061, -0.1966}, {-0.05145825, -0.150719}},
      {{0.4525625, 0.3263875}, {-0.08216, -0.530325}, {0.015027133125, -0.3811294075}},
  };
  for (int64_t K = 1; K <= 3; K++)
    for (int first = 0; first < 2; first++) {
      Quadratic q;
      quadratic_open(&q, K, false, first);
      double *g = g_new(double, (gsize)q.r.P);
      g_assert_cmpint(region_gradient(&q.r, g), ==, HN_OK);
      const float *at = q.task.adapted + (K - 1) * q.r.P + q.w;
      for (int j = 0; j < 2; j++) {
        near((double)at[j], golden[K - 1].adapted[j], 1e-7);
        near(g[q.w + j], first ? golden[K - 1].first[j] : golden[K - 1].full[j], 1e-7);
      }
      g_free(g), actor_fixture_free(q.f);
    }
}

/* J' B J v for v = (1, -2), and the loss's gradient where nothing is adapted. */
static void test_quadratic_curvature(void) {
  Quadratic q;
  quadratic_open(&q, 1, true, false);
  double *v = g_new0(double, (gsize)q.r.P), *y = g_new(double, (gsize)q.r.P);
  v[q.w] = 1, v[q.w + 1] = -2;
  g_assert_cmpint(region_curvature(&q.r, v, y), ==, HN_OK);
  near(y[q.w], 0.6925, 3.5e-7), near(y[q.w + 1], -4.8595, 3.5e-7);
  actor_fixture_free(q.f);
  quadratic_open(&q, 1, false, false);
  q.r.inner_lr = 0;
  region_adapt(&q.r, 0);
  g_assert_cmpint(region_gradient(&q.r, y), ==, HN_OK);
  near(y[q.w], 0.3 - 0.5 + 0.2 * (0.7 - 0.5), 6e-8);
  near(y[q.w + 1], 0.2 * (0.3 - 0.5) + 3 * (0.7 - 0.5), 3e-7);
  g_free(v), g_free(y), actor_fixture_free(q.f);
}

/* One action of N(theta, 1/4), whatever is seen: theta is the bias. */
static void test_policy_gradient(void) {
  static const float inner[3][2] = {{0.5f, 1}, {-0.2f, -0.5f}, {1.1f, 2}};
  static const float outer[3][2] = {{0.9f, 0.7f}, {0.1f, -1.2f}, {0.4f, 0.3f}};
  for (int first = 0; first < 2; first++) {
    Quadratic q;
    quadratic_open(&q, 1, false, first);
    const int64_t bias = actor_fixture_offset(q.f, "action.0.bias");
    Sample *s[2] = {&q.inner[0], &q.task.outer};
    for (int k = 0; k < 2; k++)
      for (int j = 0; j < 3; j++) {
        s[k]->n = 3, s[k]->obs[2 * j] = s[k]->obs[2 * j + 1] = 0;
        s[k]->action[j] = k ? outer[j][0] : inner[j][0];
        s[k]->advantage[j] = k ? outer[j][1] : inner[j][1];
      }
    q.r.theta[bias] = 0.2f;
    region_adapt(&q.r, 0);
    double *v = g_new0(double, (gsize)q.r.P), *y = g_new(double, (gsize)q.r.P);
    g_assert_cmpint(region_gradient(&q.r, y), ==, HN_OK);
    near((double)q.task.adapted[bias], 0.5066666667, 2.7e-7);
    near(y[bias], first ? -0.9751111111 : -0.6500740741, 7e-7);
    v[bias] = 1;
    g_assert_cmpint(region_curvature(&q.r, v, y), ==, HN_OK);
    near(y[bias], first ? 4 : 1.7777777778, 6e-7);
    g_free(v), g_free(y), actor_fixture_free(q.f);
  }
}

/* The Fisher information of four states, made of pairs. */
static void test_fisher(void) {
  static const double state[4][2] = {{1, 0.5}, {0.2, -1}, {-0.7, 0.3}, {0.4, 0.9}};
  ActorFixture *f = actor_fixture_new(2, 1, false, 0, 1, SIGMA, 1e-6);
  Sample s = actor_sample(&f->net, 8);
  for (int k = 0; k < 16; k++) s.obs[k] = (float)((k < 8 ? 1 : -1) * state[k % 8 / 2][k % 2]);
  const int64_t P = f->net.store.size, w = actor_fixture_offset(f, "action.0.weight");
  float *v = g_new0(float, (gsize)P), *y = g_new(float, (gsize)P), *theta = g_new(float, (gsize)P);
  const Actor a = {.net = &f->net};
  actor_critic_get_weights(&f->net, theta);
  v[w] = 1, v[w + 1] = -1;
  v[actor_fixture_offset(f, "logstd")] = 3;
  actor_fisher_product(&a, theta, &s, v, y);
  near((double)y[w], 1.69 - 0.45, 2.5e-7), near((double)y[w + 1], 0.45 - 2.15, 2.5e-7);
  near((double)y[actor_fixture_offset(f, "logstd")], 6, 5e-7);
  g_free(v), g_free(y), g_free(theta), actor_fixture_free(f);
}

/* The clipped surrogate's four pairs, clip range 0.2: what the loss is, and its slope by the ratio.
 * One action of N(0, 1/4), so that the slope by the mean is ratio a / sigma^2 times that. */
static void test_clip(void) {
  static const struct {
    double ratio, advantage, loss, slope;
  } pairs[] = {{1.3, 1, -1.2, 0}, {1.3, -1, 1.3, 1}, {0.7, 1, -0.7, -1}, {0.7, -1, 0.8, 0}};
  ActorFixture *f = actor_fixture_new(2, 1, false, 0, 1, SIGMA, 1e-6);
  const int64_t P = f->net.store.size, bias = actor_fixture_offset(f, "action.0.bias");
  float *grad = g_new0(float, (gsize)P), *theta = g_new(float, (gsize)P);
  const Actor a = {.net = &f->net, .clip_range = 0.2};
  actor_critic_get_weights(&f->net, theta);
  Sample s = actor_fixture_sample(f, 1, 5);
  s.obs[0] = s.obs[1] = 0, s.action[0] = 0.4f;
  actor_remember(&a, theta, &s);
  const float now = s.logp[0];
  for (int k = 0; k < 4; k++) {
    s.logp[0] = now - (float)log(pairs[k].ratio), s.advantage[0] = (float)pairs[k].advantage;
    memset(grad, 0, (gsize)P * sizeof *grad);
    actor_gradient(&a, theta, &s, LOSS_CLIP, 1, grad);
    const ActorValue v = actor_value(&a, theta, &s, true);
    near(v.loss, pairs[k].loss, 2.5e-7), near(v.clipped, 1, 0);
    near((double)grad[bias], pairs[k].slope * pairs[k].ratio * 0.4 / (SIGMA * SIGMA), 4e-7);
  }
  g_free(grad), g_free(theta), actor_fixture_free(f);
}

/* ---- networks ---- */

enum { TASKS = 2, STEPS = 3 };

typedef struct Net {
  ActorFixture *f;
  Twin z;
  Region r;
  Task task[TASKS];
  Sample inner[TASKS][STEPS];
  double *old[TASKS][STEPS + 1]; /* log-densities of what acted */
  double *theta, *adapted[TASKS];
} Net;

typedef struct Form {
  const char *name;
  bool discrete, first_order;
  ActorLoss inner;
  int64_t steps, n;
} Form;

static void to_wide(int64_t n, const float *x, double *y) {
  for (int64_t k = 0; k < n; k++) y[k] = (double)x[k];
}

static void net_open(Net *x, const Form *form) {
  x->f = actor_fixture_new(3, form->discrete ? 4 : 2, form->discrete, 1, 5, 0.7, 1e-6);
  x->z = twin_of(x->f);
  const HnHost *host = &x->f->fake.host;
  const int64_t P = x->z.P, n = form->n;
  x->r = (Region){.inner_lr = 0.3,
                  .inner_loss = form->inner,
                  .first_order = form->first_order,
                  .count = TASKS,
                  .task = x->task};
  for (uint64_t i = 0; i < TASKS; i++) {
    for (uint64_t k = 0; k < STEPS; k++) {
      x->inner[i][k] = actor_fixture_sample(x->f, n, 10 * i + k);
      x->old[i][k] = g_new(double, (gsize)n);
    }
    x->old[i][STEPS] = g_new(double, (gsize)n);
    x->task[i] = (Task){.weight = i ? 0.7 : 0.3,
                        .steps = form->steps,
                        .inner = x->inner[i],
                        .outer = actor_fixture_sample(x->f, n, 10 * i + 7),
                        .adapted = host->scratch(host, STEPS * P, sizeof(float))};
  }
  region_begin(&x->r, &x->f->net);
  x->theta = g_new(double, (gsize)P);
  to_wide(P, x->r.theta, x->theta);
  for (int i = 0; i < TASKS; i++) {
    region_adapt(&x->r, i);
    x->adapted[i] = g_new(double, (gsize)P);
    to_wide(P, x->r.theta, x->adapted[i]);
    double *w = g_new(double, (gsize)P);
    memcpy(w, x->theta, (gsize)P * sizeof *w);
    for (int64_t k = 0; k < form->steps; k++) {
      twin_densities(&x->z, w, &x->inner[i][k], x->old[i][k]);
      double *g = g_new0(double, (gsize)P);
      twin_loss(&x->z, w, &x->inner[i][k], LOSS_LOGP, 0, NULL, 1, g);
      for (int64_t j = 0; j < P; j++) w[j] -= 0.3 * g[j];
      g_free(g);
    }
    twin_densities(&x->z, w, &x->task[i].outer, x->old[i][STEPS]);
    memcpy(x->adapted[i], w, (gsize)P * sizeof *w);
    g_free(w);
  }
}

static void net_close(Net *x) {
  for (int i = 0; i < TASKS; i++) {
    for (int k = 0; k <= STEPS; k++) g_free(x->old[i][k]);
    g_free(x->adapted[i]);
  }
  g_free(x->theta), actor_fixture_free(x->f);
}

/* Task i adapts from w, on its frozen samples; g_free. */
static double *twin_adapt(const Net *x, int i, const double *w) {
  double *at = g_memdup2(w, (gsize)x->z.P * sizeof *w);
  for (int64_t k = 0; k < x->task[i].steps; k++) {
    double *g = g_new0(double, (gsize)x->z.P);
    twin_loss(&x->z, at, &x->inner[i][k], x->r.inner_loss, 0, x->old[i][k], 1, g);
    for (int64_t j = 0; j < x->z.P; j++) at[j] -= x->r.inner_lr * g[j];
    g_free(g);
  }
  return at;
}

/* The loss over frozen samples, and the KL from the policies that acted. */
static double meta_loss(const Net *x, const double *w, double *kl) {
  double sum = *kl = 0;
  for (int i = 0; i < TASKS; i++) {
    double *at = twin_adapt(x, i, w);
    sum += x->task[i].weight *
           twin_loss(&x->z, at, &x->task[i].outer, LOSS_RATIO, 0, x->old[i][STEPS], 1, NULL);
    *kl += x->task[i].weight * twin_kl(&x->z, x->adapted[i], at, &x->task[i].outer);
    g_free(at);
  }
  return sum;
}

/* Without the way that the inner steps went. */
static double *first_order_gradient(const Net *x) {
  double *g = g_new0(double, (gsize)x->z.P);
  for (int i = 0; i < TASKS; i++)
    twin_loss(&x->z, x->adapted[i], &x->task[i].outer, LOSS_RATIO, 0, x->old[i][STEPS],
              x->task[i].weight, g);
  return g;
}

static void test_gradient(gconstpointer data) {
  const Form *form = data;
  Net x;
  net_open(&x, form);
  const int64_t P = x.z.P;
  const double h = 1e-5;
  double *g = g_new(double, (gsize)P), *w = g_memdup2(x.theta, (gsize)P * sizeof *w), kl;
  g_autofree double *first = first_order_gradient(&x);
  double most = 0, apart = 0;
  g_assert_cmpint(region_gradient(&x.r, g), ==, HN_OK);
  for (int64_t j = 0; j < P; j++) {
    w[j] = x.theta[j] + h;
    double slope = meta_loss(&x, w, &kl);
    w[j] = x.theta[j] - h, slope = (slope - meta_loss(&x, w, &kl)) / (2 * h), w[j] = x.theta[j];
    if (form->first_order) slope = first[j];
    near(g[j], slope, 3e-6 * (1 + fabs(slope)));
    most = fmax(most, fabs(slope)), apart = fmax(apart, fabs(slope - first[j]));
  }
  g_assert_cmpfloat(most, >, 0.05);
  if (form->steps && !form->first_order) g_assert_cmpfloat(apart, >, 1e-3);
  g_free(g), g_free(w), net_close(&x);
}

/* The curvature against second differences of the KL along a direction and across it. */
static void test_curvature(gconstpointer data) {
  const Form *form = data;
  Net x;
  net_open(&x, form);
  const int64_t P = x.z.P;
  const double h = 2e-5;
  double *v = g_new0(double, (gsize)P), *y = g_new(double, (gsize)P), kl, most = 0;
  double *w = g_memdup2(x.theta, (gsize)P * sizeof *w);
  HnRng rng = hn_rng(5, 5);
  for (int64_t k = 0; k < x.f->net.store.count; k++) { /* 0 between tensors */
    const HnTensor *p = &x.f->net.store.tensor[k];
    for (int64_t j = 0; j < p->rows * p->cols; j++) v[p->offset + j] = 0.5 * hn_rng_normal(&rng);
  }
  g_assert_cmpint(region_curvature(&x.r, v, y), ==, HN_OK);
  for (int64_t j = 0; j < P && !form->first_order; j++) {
    double sum = 0;
    for (int side = 0; side < 4; side++) {
      const double along = side & 1 ? -h : h, own = side & 2 ? -h : h;
      for (int64_t i = 0; i < P; i++) w[i] = x.theta[i] + along * v[i];
      w[j] += own;
      meta_loss(&x, w, &kl);
      sum += (along > 0) == (own > 0) ? kl : -kl;
    }
    near(y[j], sum / (4 * h * h), 2e-5 * (1 + fabs(y[j])));
    most = fmax(most, fabs(y[j]));
  }
  if (!form->first_order) g_assert_cmpfloat(most, >, 0.05);
  g_free(v), g_free(y), g_free(w), net_close(&x);
}

/* A view of networks with every part there is reads weights of its own, and no others. */
static void test_view(void) {
  FakeHost fake;
  HnRng rng = hn_rng(1, 2);
  const ActorCriticParams p = {.see_obs = true,
                               .obs_embed = 3,
                               .belief_embed = 2,
                               .input_norm = INPUT_NORM_LAYER,
                               .hidden = "4 3",
                               .gain = 1,
                               .head_gain = 1,
                               .std_init = 0.5,
                               .std_floor = 1e-6};
  HnPolicySpec spec = {.struct_size = sizeof spec,
                       .obs_dim = 2,
                       .belief_dim = 3,
                       .action_dim = 2,
                       .rows = 1,
                       .steps = 1,
                       .rng = &rng};
  for (int both = 0; both < 2; both++) { /* a critic too */
    const HnHost *host = fake_host_open(&fake);
    ActorCritic net = {.actor_only = !both}, view;
    g_assert_cmpint(actor_critic_create(&net, host, &p, &spec), ==, HN_OK);
    float *w = g_new(float, (gsize)net.store.size), *back = g_new(float, (gsize)net.store.size);
    const float obs[2] = {0.3f, -1}, belief[3] = {1, 2, -0.5f};
    const int asked = both ? HEADS_ACTION | HEADS_VALUE : HEADS_ACTION;
    actor_critic_get_weights(&net, w);
    actor_critic_view(&net, &view), actor_critic_view_weights(&view, w);
    for (int64_t k = -1; k < net.store.count; k++) { /* one tensor after another differs */
      if (k >= 0) w[net.store.tensor[k].offset] += 0.25f;
      HnTape t = hn_tape_begin(host, false);
      const Heads own = actor_critic_forward_raw(&net, &t, 1, obs, belief, 1, asked);
      const Heads other = actor_critic_forward_raw(&view, &t, 1, obs, belief, 1, asked);
      const double apart = fabs((double)(own.action[0]->data[0] - other.action[0]->data[0])) +
                           fabs((double)(own.action[0]->data[1] - other.action[0]->data[1])) +
                           fabs((double)(own.logstd->data[0] - other.logstd->data[0])) +
                           (both ? fabs((double)(own.value->data[0] - other.value->data[0])) : 0);
      if (k < 0) g_assert_cmpfloat(apart, ==, 0);
      if (k >= 0) g_assert_cmpfloat(apart, >, 1e-5);
      actor_critic_set_weights(&net, w); /* and are the network's then */
    }
    actor_critic_get_weights(&net, back);
    g_assert_cmpmem(back, (gsize)net.store.size * 4, w, (gsize)net.store.size * 4);
    g_free(w), g_free(back), fake_host_close(&fake);
  }
}

static const RegionParams usual = {0.01, 10, 1e-10, 1e-5, 0.8, 15};

/* A step stays within the bound and lowers the loss by the twin's account; as the bound falls, the
 * step tried first comes to fill it: one that was shortened k times has 0.64^k of the KL. */
static void test_step(gconstpointer data) {
  Net x;
  net_open(&x, data);
  const int64_t P = x.z.P;
  double *g = g_new(double, (gsize)P), *w = g_new(double, (gsize)P), kl, none;
  float *next = g_new(float, (gsize)P);
  RegionStep step;
  g_assert_cmpint(region_gradient(&x.r, g), ==, HN_OK);
  for (double delta = 1e-2; delta > 5e-7; delta /= 10) {
    RegionParams p = usual;
    p.target_kl = delta;
    g_assert_cmpint(region_step(&x.r, &p, g, next, &step), ==, HN_OK);
    g_assert_true(step.accepted);
    to_wide(P, next, w);
    const double before = meta_loss(&x, x.theta, &none), after = meta_loss(&x, w, &kl);
    ActorValue acted;
    g_assert_cmpint(region_evaluate(&x.r, x.r.theta, &acted), ==, HN_OK);
    near(acted.kl, 0, 3e-7), near(acted.loss, before, 4e-8), near(step.loss, before, 4e-8);
    near(step.change, after - before, 1e-5 * (1 + fabs(after - before)));
    near(step.kl, kl, 3e-7);
    g_assert_cmpfloat(after, <, before);
    g_assert_cmpfloat(step.kl, <=, delta);
    g_assert_cmpfloat(kl, <=, delta + 3e-7);
    if (delta > 2e-4) continue;
    near(kl / delta / pow(0.64, (double)(step.tries - 1)), 1, 50 * sqrt(delta));
  }
  g_free(g), g_free(w), g_free(next), net_close(&x);
}

/* No step: against the wrong sign, with no gradient, or where the only step tried is too far. */
static void test_rejected(gconstpointer data) {
  Net x;
  net_open(&x, data);
  const int64_t P = x.z.P;
  const gsize bytes = (gsize)P * sizeof(float);
  double *g = g_new0(double, (gsize)P);
  float *next = g_new(float, (gsize)P);
  RegionStep step;
  g_assert_cmpint(region_step(&x.r, &usual, g, next, &step), ==, HN_OK);
  g_assert_false(step.accepted);
  g_assert_cmpint(step.tries, ==, 0);
  g_assert_cmpmem(next, bytes, x.r.theta, bytes);

  g_assert_cmpint(region_gradient(&x.r, g), ==, HN_OK);
  for (int64_t j = 0; j < P; j++) g[j] = -g[j];
  g_assert_cmpint(region_step(&x.r, &usual, g, next, &step), ==, HN_OK);
  g_assert_false(step.accepted);
  g_assert_cmpint(step.tries, ==, 15);
  g_assert_cmpmem(next, bytes, x.r.theta, bytes);
  g_assert_cmpfloat(step.kl, ==, 0);

  RegionParams far = usual;
  far.target_kl = 1e5, far.line_search_max_iter = 1;
  for (int64_t j = 0; j < P; j++) g[j] = -g[j];
  if (!x.f->net.discrete) { /* logits may go far */
    g_assert_cmpint(region_step(&x.r, &far, g, next, &step), ==, HN_OK);
    g_assert_false(step.accepted);
    g_assert_cmpint(step.tries, ==, 1);
    g_assert_cmpmem(next, bytes, x.r.theta, bytes);
  }

  g[0] = (double)NAN;
  g_assert_cmpint(region_step(&x.r, &usual, g, next, &step), ==, HN_E_NUMERIC);
  g_free(g), g_free(next), net_close(&x);
}

int main(int argc, char **argv) {
  static const Form forms[] = {
      {"trpo", false, false, LOSS_LOGP, 0, 40},    {"trpo_discrete", true, false, LOSS_LOGP, 0, 40},
      {"chunks", false, false, LOSS_LOGP, 1, 600}, {"logp_1", false, false, LOSS_LOGP, 1, 40},
      {"logp_2", true, false, LOSS_LOGP, 2, 40},   {"logp_3", false, false, LOSS_LOGP, 3, 40},
      {"ratio_1", true, false, LOSS_RATIO, 1, 40}, {"ratio_2", false, false, LOSS_RATIO, 2, 40},
      {"ratio_3", true, false, LOSS_RATIO, 3, 40}, {"first_order", false, true, LOSS_RATIO, 2, 40},
  };
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trpo_region/quadratic", test_quadratic);
  g_test_add_func("/trpo_region/quadratic_curvature", test_quadratic_curvature);
  g_test_add_func("/trpo_region/policy_gradient", test_policy_gradient);
  g_test_add_func("/trpo_region/fisher", test_fisher);
  g_test_add_func("/trpo_region/clip", test_clip);
  g_test_add_func("/trpo_region/view", test_view);
  for (gsize k = 0; k < G_N_ELEMENTS(forms); k++) {
    const struct {
      const char *name;
      GTestDataFunc run;
    } all[] = {{"gradient", test_gradient},
               {"curvature", test_curvature},
               {"step", test_step},
               {"rejected", test_rejected}};
    for (gsize t = 0; t < G_N_ELEMENTS(all); t++) {
      if (t > 1 && (forms[k].first_order || forms[k].n > 40)) continue;
      g_autofree char *path = g_strdup_printf("/trpo_region/%s/%s", all[t].name, forms[k].name);
      g_test_add_data_func(path, &forms[k], all[t].run);
    }
  }
  return g_test_run();
}
