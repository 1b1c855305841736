/* maml_test.c - learners that adapt: what rows adapt to and act by, and the meta-gradient's way
 * through windows in which tasks begin anywhere, against a naive float64 twin that is told which
 * steps belong together; the same where heads are drawn from a posterior. */
#include "../fakes/toy.h"
#include "actor_fixture.h"
#include "advantage_naive.h"
#include "cell_fixture.h"
#include "numbers.h"
#include "policy_fixture.h"
#include <string.h>

extern const HnPlugin maml_trpo_LTX_hn_plugin, promp_LTX_hn_plugin;

enum { O = 2, A = 2, H = 5, T = 20, B = 3, K = 2, P = O * H + H + H * A + A + A };
enum { EPISODES = 4, DIM = H + 1 };
static const int64_t episode[B] = {5, 10, 5}; /* steps of a row's episodes */

/* The twin's weights lie side by side. */
static const Twin twin = {.O = O,
                          .H = H,
                          .A = A,
                          .P = P,
                          .w0 = 0,
                          .b0 = O * H,
                          .w1 = O * H + H,
                          .b1 = O * H + H + H * A,
                          .logstd = O * H + H + H * A + A};
static const struct {
  const char *name;
  int64_t at;
} weights[] = {{"actor.0.weight", 0},
               {"actor.0.bias", O *H},
               {"action.0.weight", O *H + H},
               {"action.0.bias", O *H + H + H *A},
               {"logstd", O *H + H + H *A + A}};

/* Windows one after another; time t of window k is time k T + t. */
typedef struct Story {
  PolicyFixture *f;
  Log *window[K + 1];
  char *state;
  double theta[P];
  /* of a row: its samples in order, the last one the outer; log-densities and weights that acted */
  Sample part[B][K + 1];
  int64_t inner[B];
  double *old[B][K + 1], at[B][K + 1][P];
  double offset[B][K + 1][EPISODES][P]; /* what each episode's head adds to these */
  double stddev[B];                     /* of the outer sample's advantages, before scaling */
  double inner_lr, prior_precision, temperature;
  bool draws, first_order;
} Story;

static void read_weights(PolicyFixture *f, const char *suffix, double *w) {
  for (gsize k = 0; k < G_N_ELEMENTS(weights); k++) {
    g_autofree char *name = g_strconcat(weights[k].name, suffix, NULL);
    const FakeArray *a = policy_fixture_find(f, name);
    for (int64_t j = 0; j < a->count; j++) w[weights[k].at + j] = (double)((float *)a->data)[j];
  }
}

/* A task begins at these times: in row 1 amid window 1; in row 2 with window 2 and amid it. */
static uint8_t begin_at(int64_t time, int64_t row) {
  static const int64_t task[B][3] = {{0, -1, -1}, {0, T + 10, -1}, {0, 2 * T, 2 * T + 15}};
  for (int k = 0; k < 3; k++)
    if (task[row][k] == time) return HN_NEW_TASK;
  return time % episode[row] ? HN_KEEP : HN_NEW_EPISODE;
}

/* Which steps belong together: first and end, in time. */
static const struct {
  int64_t parts, from[K + 1], to[K + 1];
} belongs[B] = {{3, {0, T, 2 * T}, {T, 2 * T, 3 * T}},
                {2, {T + 10, 2 * T}, {2 * T, 3 * T}},
                {1, {2 * T}, {2 * T + 15}}};

static void act_at(Story *s, int64_t k, int64_t t, HnRng *rng, float *action) {
  Log *g = s->window[k];
  int64_t step[B], trial[B];
  for (int64_t i = 0; i < B; i++) step[i] = (k * T + t) % episode[i], trial[i] = k * T + t;
  float aux[B * 4];
  HnActBatch a = {.struct_size = sizeof a,
                  .rows = B,
                  .begin = g->begin + t * B,
                  .episode_step = step,
                  .trial_step = trial,
                  .obs = g->obs + t * B * O,
                  .belief = g->belief,
                  .state = s->state,
                  .rng = rng,
                  .action = action,
                  .aux = t < T ? g->aux + t * B * s->f->spec.aux_dim : aux};
  g_assert_cmpint(s->f->method->act(s->f->self, &a), ==, HN_OK);
  policy_fixture_end_call(s->f);
}

/* Advantages of a part, by the baseline that linear_baseline_test holds to account.  Parts end with
 * an episode, so that nothing is left to win after them. */
static void take_advantages(Story *s, int64_t i, int64_t from, Sample *x) {
  float time[T], target[T], predicted[T];
  double reward[T], value[T + 1] = {0}, advantage[T], coef[2 * O + 4];
  bool end[T];
  const double gamma = policy_fixture_get(s->f, "gamma");
  for (int64_t k = 0; k < x->n; k++) {
    time[k] = (float)((from + k) % episode[i]);
    reward[k] = (double)s->window[(from + k) / T]->reward[(from + k) % T * B + i];
    end[k] = begin_at(from + k + 1, i) != HN_KEEP;
  }
  naive_advantages(x->n, reward, value, end, gamma, 1, advantage);
  for (int64_t k = 0; k < x->n; k++) target[k] = (float)advantage[k];
  linear_baseline_fit(&s->f->fake.host, x->n, O, x->obs, time, target, coef);
  linear_baseline_predict(&s->f->fake.host, x->n, O, x->obs, time, coef, predicted);
  policy_fixture_end_call(s->f);
  for (int64_t k = 0; k < x->n; k++) value[k] = (double)predicted[k];
  naive_advantages(x->n, reward, value, end, gamma, policy_fixture_get(s->f, "gae_lambda"),
                   advantage);
  s->stddev[i] = naive_standardise((int)policy_fixture_get(s->f, "advantages"), x->n, advantage);
  for (int64_t k = 0; k < x->n; k++) x->advantage[k] = (float)advantage[k];
}

static void take_part(Story *s, int64_t i, int64_t p) {
  const int64_t from = belongs[i].from[p], n = belongs[i].to[p] - from;
  Sample *x = &s->part[i][p];
  *x = (Sample){.n = n,
                .obs = g_new(float, n *O),
                .action = g_new(float, n *A),
                .advantage = g_new(float, n)};
  for (int64_t k = 0; k < n; k++) {
    const Log *g = s->window[(from + k) / T];
    const int64_t at = (from + k) % T * B + i;
    memcpy(x->obs + k * O, g->obs + at * O, O * sizeof(float));
    memcpy(x->action + k * A, g->action + at * A, A * sizeof(float));
  }
  take_advantages(s, i, from, x);
}

/* ---- heads drawn ---- */

static uint64_t seed_at(const Story *s, int64_t i, int64_t time) {
  const int64_t aux_dim = s->f->spec.aux_dim;
  const float *aux = s->window[time / T]->aux + ((time % T * B) + i + 1) * aux_dim - 2;
  return (uint64_t)aux[0] << 24 | (uint64_t)aux[1];
}

/* x = L^-T noise with P = L L'. */
static void solve(double p[DIM][DIM], const float *noise, double *x) {
  double l[DIM][DIM] = {{0}};
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j <= i; j++) {
      double sum = p[i][j];
      for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
      l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
    }
  for (int i = DIM - 1; i >= 0; i--) {
    x[i] = (double)noise[i];
    for (int k = i + 1; k < DIM; k++) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
}

/* The offsets of part p's heads, from what the row has adapted on before. */
static void take_offsets(Story *s, int64_t i, int64_t p) {
  double q[A][DIM][DIM] = {{{0}}}, hidden[DIM], head[A], x[DIM];
  for (int a = 0; a < A; a++)
    for (int j = 0; j < DIM; j++) q[a][j][j] = s->prior_precision;
  for (int64_t before = 0; before < p; before++)
    for (int64_t t = 0; t < s->part[i][before].n; t++) {
      const double *w = s->at[i][before + 1];
      twin_forward(&twin, w, s->part[i][before].obs + t * O, hidden, head);
      hidden[H] = 1;
      for (int a = 0; a < A; a++)
        for (int j = 0; j < DIM; j++)
          for (int k = 0; k < DIM; k++)
            q[a][j][k] += hidden[j] * hidden[k] * exp(-2 * w[twin.logstd + a]) / s->temperature;
    }
  for (int64_t e = 0; p > 0 && e < s->part[i][p].n / episode[i]; e++) {
    float noise[A * DIM];
    HnRng rng = hn_rng(seed_at(s, i, belongs[i].from[p] + e * episode[i]), 0);
    hn_normals(&rng, A * DIM, noise);
    for (int a = 0; a < A; a++) {
      solve(q[a], noise + a * DIM, x);
      for (int j = 0; j < H; j++) s->offset[i][p][e][twin.w1 + j * A + a] = x[j];
      s->offset[i][p][e][twin.b1 + a] = x[H];
    }
  }
}

/* Episode e of a part, and w with its head. */
static Sample episode_of(const Story *s, int64_t i, int64_t p, int64_t e, const double *w,
                         double *moved) {
  const Sample *x = &s->part[i][p];
  for (int j = 0; j < P; j++) moved[j] = w[j] + s->offset[i][p][e][j];
  return (Sample){.n = episode[i],
                  .obs = x->obs + e * episode[i] * O,
                  .action = x->action + e * episode[i] * A,
                  .advantage = x->advantage + e * episode[i]};
}

/* As twin_loss, twin_densities and twin_kl, of a part whose episodes have heads of their own. */
static double part_loss(const Story *s, int64_t i, int64_t p, const double *w, ActorLoss loss,
                        double clip, const double *old, double *grad) {
  double sum = 0, moved[P];
  const int64_t count = s->part[i][p].n / episode[i];
  for (int64_t e = 0; e < count; e++) {
    const Sample x = episode_of(s, i, p, e, w, moved);
    sum += twin_loss(&twin, moved, &x, loss, clip, old ? old + e * episode[i] : NULL,
                     1 / (double)count, grad) /
           (double)count;
  }
  return sum;
}
static void part_densities(const Story *s, int64_t i, int64_t p, const double *w, double *logp) {
  double moved[P];
  for (int64_t e = 0; e < s->part[i][p].n / episode[i]; e++) {
    const Sample x = episode_of(s, i, p, e, w, moved);
    twin_densities(&twin, moved, &x, logp + e * episode[i]);
  }
}
static double part_kl(const Story *s, int64_t i, int64_t p, const double *old, const double *w) {
  double sum = 0, moved[P], before[P];
  const int64_t count = s->part[i][p].n / episode[i];
  for (int64_t e = 0; e < count; e++) {
    episode_of(s, i, p, e, old, before);
    const Sample x = episode_of(s, i, p, e, w, moved);
    sum += twin_kl(&twin, before, moved, &x) / (double)count;
  }
  return sum;
}

/* What the twin makes of it, once all windows are there. */
static void retell(Story *s) {
  for (int64_t i = 0; i < B; i++) {
    s->inner[i] = belongs[i].parts - 1;
    memcpy(s->at[i][0], s->theta, sizeof s->theta);
    for (int64_t p = 0; p <= s->inner[i]; p++) {
      take_part(s, i, p);
      s->old[i][p] = g_new(double, s->part[i][p].n);
      if (s->draws) take_offsets(s, i, p);
      part_densities(s, i, p, s->at[i][p], s->old[i][p]);
      if (p == s->inner[i]) break;
      double grad[P] = {0};
      part_loss(s, i, p, s->at[i][p], LOSS_LOGP, 0, NULL, grad);
      for (int j = 0; j < P; j++) s->at[i][p + 1][j] = s->at[i][p][j] - s->inner_lr * grad[j];
    }
  }
}

static Story *story_new(const HnPlugin *plugin, const char *settings, int order) {
  Story *s = g_new0(Story, 1);
  PolicyFixture *f = s->f = policy_fixture_open(plugin, 5);
  policy_fixture_set_all(f, "layers 1 width 5 head_gain 1 std_init 0.6 normalise_obs 0 gamma 0.9 "
                            "gae_lambda 0.7 inner_steps 2 inner_lr 0.2");
  policy_fixture_set_all(f, settings);
  s->inner_lr = policy_fixture_get(f, "inner_lr");
  s->prior_precision = policy_fixture_get(f, "prior_precision");
  s->temperature = policy_fixture_get(f, "temperature");
  s->draws = policy_fixture_get(f, "posterior") > 0;
  s->first_order = policy_fixture_get(f, "first_order") > 0;
  f->order = order;
  f->spec.obs_dim = O, f->spec.action_dim = A, f->spec.rows = B, f->spec.steps = T;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_OK);
  g_assert_cmpint(f->spec.phases, ==, K + 1);
  s->state = g_aligned_alloc0(B, f->spec.row_size, 64);
  read_weights(f, "", s->theta);
  HnRng rng = hn_rng(7, 7), act[B];
  for (uint64_t i = 0; i < B; i++) act[i] = hn_rng(8, i);
  for (int64_t k = 0; k <= K; k++) {
    Log *g = s->window[k] = log_new(f, T, B, 0, 3);
    for (int64_t j = 0; j < (T + 1) * B * O; j++) g->obs[j] = (float)hn_rng_normal(&rng);
    for (int64_t t = 0; t <= T; t++)
      for (int64_t i = 0; i < B; i++) g->begin[t * B + i] = begin_at(k * T + t, i);
    for (int64_t t = 0; t < T; t++) {
      for (int64_t i = 0; i < B; i++) /* as the host does */
        if (g->begin[t * B + i] == HN_NEW_TASK)
          memset(s->state + (gsize)i * f->spec.row_size, 0, f->spec.row_size);
      act_at(s, k, t, act, g->action + t * B * A);
      for (int64_t i = 0; i < B; i++) {
        g->reward[t * B + i] = g->action[(t * B + i) * A] * (i == 1 ? -1 : 1);
        g->truncated[t * B + i] = begin_at(k * T + t + 1, i) != HN_KEEP;
      }
    }
    if (k == K) break;
    for (int64_t i = 0; i < B; i++)
      if (g->begin[T * B + i] == HN_NEW_TASK)
        memset(s->state + (gsize)i * f->spec.row_size, 0, f->spec.row_size);
    g_assert_cmpint(f->method->adapt(f->self, &g->history, s->state), ==, HN_OK);
    policy_fixture_end_call(f);
  }
  retell(s);
  return s;
}

static void story_free(Story *s) {
  for (int64_t k = 0; k <= K; k++) log_free(s->window[k]);
  for (int64_t i = 0; i < B; i++)
    for (int64_t p = 0; p <= s->inner[i]; p++) {
      g_free(s->part[i][p].obs), g_free(s->part[i][p].action), g_free(s->part[i][p].advantage);
      g_free(s->old[i][p]);
    }
  g_aligned_free(s->state), policy_fixture_close(s->f), g_free(s);
}

static int64_t no_total(const HnTrainBatch *l) {
  (void)l;
  return 0;
}

static void learn(Story *s) {
  const HnHistory *phase[K + 1];
  for (int64_t k = 0; k <= K; k++) phase[k] = &s->window[k]->history;
  HnRng rng = hn_rng(1, 1);
  HnTrainBatch l = {.struct_size = sizeof l,
                    .frames_total = no_total,
                    .rng = &rng,
                    .phases = K + 1,
                    .phase = phase};
  g_assert_cmpint(s->f->method->learn(s->f->self, &l), ==, HN_OK);
  policy_fixture_end_call(s->f);
}

/* The loss at w on frozen windows: every row adapts anew by `inner`. */
static double meta_loss(const Story *s, const double *w, ActorLoss inner, ActorLoss outer,
                        double kl_coef, double *kl) {
  double sum = *kl = 0;
  for (int64_t i = 0; i < B; i++) {
    double at[P];
    memcpy(at, w, sizeof at);
    for (int64_t p = 0; p < s->inner[i]; p++) {
      double grad[P] = {0};
      sum += kl_coef * part_kl(s, i, p, s->at[i][p], at) / B;
      part_loss(s, i, p, at, inner, 0, s->old[i][p], grad);
      for (int j = 0; j < P; j++) at[j] -= s->inner_lr * grad[j];
    }
    const int64_t last = s->inner[i];
    sum += part_loss(s, i, last, at, outer, 0.3, s->old[i][last], NULL) / B;
    *kl += part_kl(s, i, last, s->at[i][last], at) / B;
  }
  return sum;
}

static double meta_slope(const Story *s, double *w, int j, ActorLoss inner, ActorLoss outer,
                         double kl_coef) {
  const double h = 1e-5, keep = w[j];
  double kl, slope;
  w[j] = keep + h, slope = meta_loss(s, w, inner, outer, kl_coef, &kl);
  w[j] = keep - h, slope -= meta_loss(s, w, inner, outer, kl_coef, &kl);
  w[j] = keep;
  return slope / (2 * h);
}

/* The norm of the meta-gradient; of first order it is the outer loss's at the adapted weights. */
static double meta_norm(const Story *s, double *w, ActorLoss inner) {
  double grad[P] = {0}, sum = 0;
  for (int64_t i = 0; i < B && s->first_order; i++) {
    double own[P] = {0};
    const int64_t last = s->inner[i];
    part_loss(s, i, last, s->at[i][last], LOSS_RATIO, 0, s->old[i][last], own);
    for (int j = 0; j < P; j++) grad[j] += own[j] / B;
  }
  for (int j = 0; j < P && !s->first_order; j++)
    grad[j] = meta_slope(s, w, j, inner, LOSS_RATIO, 0);
  for (int j = 0; j < P; j++) sum += grad[j] * grad[j];
  return sqrt(sum);
}

/* The part of the outer samples' ratios that lie outside the clip range at w. */
static double clipped_part(const Story *s, const double *w) {
  double sum = 0;
  for (int64_t i = 0; i < B; i++) {
    double at[P], logp[T];
    const int64_t last = s->inner[i], n = s->part[i][last].n;
    memcpy(at, w, sizeof at);
    for (int64_t p = 0; p < last; p++) {
      double grad[P] = {0};
      part_loss(s, i, p, at, LOSS_RATIO, 0, s->old[i][p], grad);
      for (int j = 0; j < P; j++) at[j] -= s->inner_lr * grad[j];
    }
    part_densities(s, i, last, at, logp);
    for (int64_t k = 0; k < n; k++)
      sum += (fabs(exp(logp[k] - s->old[i][last][k]) - 1) > 0.3) / (double)(B * n);
  }
  return sum;
}

/* Statistics of inputs take in the steps of all windows. */
static void check_statistics(const Story *s) {
  const double *count = policy_fixture_find(s->f, "obs_norm.count")->data;
  const double *mean = policy_fixture_find(s->f, "obs_norm.mean")->data;
  near(count[0], (K + 1) * T * B, 0);
  for (int j = 0; j < O; j++) {
    double sum = 0;
    for (int k = 0; k <= K; k++)
      for (int64_t n = 0; n < T * B; n++) sum += (double)s->window[k]->obs[n * O + j];
    near(mean[j], sum / ((K + 1) * T * B), 1e-12);
  }
}

/* Rows act by what they adapted to, greedily even if there is a posterior; a new theta, or a new
 * task, ends that. */
static void test_rows(gconstpointer settings) {
  Story *s = story_new(&maml_trpo_LTX_hn_plugin, settings, SHARDS_FORWARDS);
  float action[B * A];
  double hidden[H], head[A], moved = 0;
  memset(s->state + 2 * s->f->spec.row_size, 0, s->f->spec.row_size); /* its second task */
  for (int again = 0; again < 2; again++) {
    act_at(s, K, T, NULL, action);
    for (int64_t i = 0; i < B; i++) {
      const float *obs = s->window[K]->obs + (T * B + i) * O;
      const double *own = again ? s->theta : s->at[i][s->inner[i]];
      twin_forward(&twin, own, obs, hidden, head);
      for (int j = 0; j < A; j++) near((double)action[i * A + j], head[j], 7e-7);
      if (again) continue;
      twin_forward(&twin, s->theta, obs, hidden, head);
      moved = fmax(moved, fabs((double)action[i * A] - head[0]));
    }
    learn(s);
    if (!again) check_statistics(s);
    read_weights(s->f, "", s->theta);
  }
  g_assert_cmpfloat(moved, >, 0.02);
  story_free(s);
}

/* The meta-gradient by its norm, and the step by what the twin makes of the weights it led to. */
static void test_trpo(gconstpointer settings) {
  double after[3][P];
  for (int order = 0; order < 3; order++) {
    Story *s = story_new(&maml_trpo_LTX_hn_plugin, settings, order);
    double w[P], kl, stddev = 0;
    memcpy(w, s->theta, sizeof w);
    learn(s);
    read_weights(s->f, "", after[order]);
    const ActorLoss inner = policy_fixture_get(s->f, "inner_form") > 0 ? LOSS_RATIO : LOSS_LOGP;
    const double norm = meta_norm(s, w, inner);
    for (int i = 0; i < B; i++) stddev += s->stddev[i] / B;
    const double before = meta_loss(s, s->theta, inner, LOSS_RATIO, 0, &kl);
    const double now = meta_loss(s, after[order], inner, LOSS_RATIO, 0, &kl);
    near(policy_fixture_metric_of(s->f, "grad_norm"), norm, 3e-7 * (1 + norm));
    near(policy_fixture_metric_of(s->f, "advantage_stddev"), stddev, 3e-8);
    near(policy_fixture_metric_of(s->f, "inner_steps_taken"), 1, 1e-12);
    near(policy_fixture_metric_of(s->f, "loss"), before, 6e-8);
    near(policy_fixture_metric_of(s->f, "loss_change"), now - before, 1.5e-6);
    near(policy_fixture_metric_of(s->f, "kl"), kl, 3e-7);
    g_assert_cmpfloat(policy_fixture_metric_of(s->f, "accepted"), ==, 1);
    g_assert_cmpfloat(kl, <, 0.0101);
    g_assert_cmpfloat(kl, >, 0.003);
    g_assert_cmpfloat(now, <, before - 0.02);
    story_free(s);
  }
  g_assert_cmpmem(after[1], sizeof after[1], after[0], sizeof after[0]);
  g_assert_cmpmem(after[2], sizeof after[2], after[0], sizeof after[0]);
}

/* The gradients of the first and the second step, by Adam's first moment: the second one is taken
 * away from the weights that acted, where ratios are clipped and the penalty has a slope. */
static void test_promp(gconstpointer more) {
  double moment[2][P], at[P];
  for (int epochs = 1; epochs <= 2; epochs++) {
    g_autofree char *settings = g_strdup_printf("n_epochs %d lr 0.1 adam_eps 0.01 kl_coef 0.5%s",
                                                epochs, (const char *)more);
    Story *s = story_new(&promp_LTX_hn_plugin, settings, epochs - 1);
    double kl, most = 0;
    if (epochs == 1) memcpy(at, s->theta, sizeof at);
    learn(s);
    read_weights(s->f, ".m1", moment[epochs - 1]);
    for (int j = 0; j < P; j++) {
      const double mine = (moment[epochs - 1][j] - (epochs == 2 ? 0.9 * moment[0][j] : 0)) / 0.1;
      const double slope = meta_slope(s, at, j, LOSS_RATIO, LOSS_CLIP, 0.5 / K);
      near(mine, slope, 2e-6 * (1 + fabs(slope)));
      most = fmax(most, fabs(slope));
    }
    g_assert_cmpfloat(most, >, 0.05);
    if (epochs == 2) {
      /* that clip and penalty mattered */
      const double plain = meta_loss(s, at, LOSS_RATIO, LOSS_RATIO, 0, &kl);
      const double clipped = meta_loss(s, at, LOSS_RATIO, LOSS_CLIP, 0, &kl);
      g_assert_cmpfloat(clipped, >, plain + 1e-3);
      g_assert_cmpfloat(meta_loss(s, at, LOSS_RATIO, LOSS_CLIP, 0.5 / K, &kl), >, clipped + 1e-3);
    }
    read_weights(s->f, "", at);
    for (int j = 0; j < P && epochs == 1; j++) {
      const double g = moment[0][j] / 0.1; /* Adam's first step */
      near(at[j], s->theta[j] - 0.1 * g / (fabs(g) + 0.01), 3e-7);
    }
    const double outside = clipped_part(s, at);
    g_assert_cmpfloat(outside, >, 0.1);
    near(policy_fixture_metric_of(s->f, "clip_fraction"), outside, 1e-12);
    story_free(s);
  }
}

/* A deviation of nearly 0 shows what head acts: before any inner step theta's, and then one that is
 * drawn for each episode, from the curvature of all windows adapted on. */
static void test_draws(void) {
  Story *s = story_new(&maml_trpo_LTX_hn_plugin,
                       "posterior 1 std_init 1e-4 temperature 2e8 prior_precision 2 inner_lr 0",
                       SHARDS_FORWARDS);
  double hidden[H], head[A], moved = 0, w[P];
  for (int64_t i = 0; i < B; i++)
    for (int64_t p = 0; p <= s->inner[i]; p++)
      for (int64_t t = 0; t < s->part[i][p].n; t++) {
        const int64_t time = belongs[i].from[p] + t;
        const uint64_t seed = seed_at(s, i, time);
        g_assert_true((seed > 0) == (p > 0));
        if (t > 0 && p > 0)
          g_assert_true((seed == seed_at(s, i, time - 1)) == (time % episode[i] > 0));
        for (int j = 0; j < P; j++) w[j] = s->theta[j] + s->offset[i][p][t / episode[i]][j];
        twin_forward(&twin, w, s->part[i][p].obs + t * O, hidden, head);
        for (int j = 0; j < A; j++) near((double)s->part[i][p].action[t * A + j], head[j], 1e-3);
        twin_forward(&twin, s->theta, s->part[i][p].obs + t * O, hidden, head);
        moved = fmax(moved, fabs((double)s->part[i][p].action[t * A] - head[0]));
      }
  g_assert_cmpfloat(moved, >, 0.5);
  story_free(s);
}

/* A head is drawn anew after an inner step amid an episode, too, even if the row has adapted from
 * another theta as often before. */
static void test_drawn_anew(void) {
  Story *s = story_new(&maml_trpo_LTX_hn_plugin, "posterior 1", SHARDS_FORWARDS);
  Log *g = s->window[K];
  const int64_t time = K * T + 1;
  float action[B * A];
  HnRng act[B];
  for (uint64_t i = 0; i < B; i++) act[i] = hn_rng(9, i);
  const uint64_t before = seed_at(s, 1, K * T + T - 1); /* of row 1, which has taken one step */
  learn(s);
  g_assert_cmpint(s->f->method->adapt(s->f->self, &g->history, s->state), ==, HN_OK);
  policy_fixture_end_call(s->f);
  act_at(s, K, 1, act, action);
  const uint64_t after = seed_at(s, 1, time);
  g_assert_cmpint(g->begin[B + 1], ==, HN_KEEP);
  g_assert_true(before > 0 && after > 0 && before != after);
  act_at(s, K, 1, act, action);
  g_assert_true(after == seed_at(s, 1, time));
  story_free(s);
}

/* In the run loop, with tasks of any length: the same bits for any workers. */
static void check_workers(const HnPlugin *plugin, const char *settings, double most) {
  char *trace[2];
  gsize length[2];
  for (int k = 0; k < 2; k++) {
    HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""),
                             part_of(&toy_filter_LTX_hn_plugin, ""), part_of(plugin, settings));
    c.run.workers = k + 1, c.run.frames = 3800;
    char *dir = folder_new();
    run_whole(&c, dir);
    trace[k] = file_in(dir, "trace.bin", &length[k]);
    double *steps = metrics_column(dir, "policy.inner_steps_taken");
    g_assert_cmpfloat(steps[3], >, 0.3);
    g_assert_cmpfloat(steps[3], <, most);
    g_free(steps), folder_free(dir), cell_clear(&c);
  }
  g_assert_cmpmem(trace[0], length[0], trace[1], length[1]);
  g_free(trace[0]), g_free(trace[1]);
}

static void test_workers(gconstpointer plugin) {
  check_workers(plugin, "", 1);
  check_workers(plugin, "posterior: laplace, inner_steps: 2", 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/maml/rows/none", "", test_rows);
  g_test_add_data_func("/maml/rows/laplace", "posterior 1", test_rows);
  g_test_add_data_func("/maml/trpo/logp", "inner_form 0", test_trpo);
  g_test_add_data_func("/maml/trpo/ratio", "inner_form 1", test_trpo);
  g_test_add_data_func("/maml/trpo/laplace_logp", "inner_form 0 posterior 1 prior_precision 4",
                       test_trpo);
  g_test_add_data_func("/maml/trpo/laplace_ratio",
                       "inner_form 1 posterior 1 prior_precision 4 temperature 3", test_trpo);
  g_test_add_data_func("/maml/trpo/first_order", "first_order 1", test_trpo);
  g_test_add_data_func("/maml/trpo/variance", "advantages 1", test_trpo);
  g_test_add_data_func("/maml/trpo/raw", "advantages 2 inner_lr 0.1", test_trpo);
  g_test_add_data_func("/maml/promp/none", "", test_promp);
  g_test_add_data_func("/maml/promp/laplace", " posterior 1 prior_precision 4", test_promp);
  g_test_add_func("/maml/draws", test_draws);
  g_test_add_func("/maml/drawn_anew", test_drawn_anew);
  g_test_add_data_func("/maml/workers/trpo", &maml_trpo_LTX_hn_plugin, test_workers);
  g_test_add_data_func("/maml/workers/promp", &promp_LTX_hn_plugin, test_workers);
  return g_test_run();
}
