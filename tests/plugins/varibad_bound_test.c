/* varibad_bound_test.c - VariBAD's evidence bound against the model written out in float64 and
 * closed forms, and its gradient against central differences. */
#include "varibad_fixture.h"

/* ---- closed forms ---- */

static double kl_of(int64_t d, const float *q, const float *p, float *g, float *g_before) {
  float e[16];
  for (int64_t j = 0; j < d; j++) {
    float logvar = p ? p[d + j] : 0;
    e[j] = expf(q[d + j] - logvar), e[d + j] = expf(-logvar);
  }
  return varibad_kl(d, q, p, e, 1, g, g_before);
}

/* Values, and a gradient into both arguments that is not 0. */
static void test_kl(void) {
  const float wide[] = {1, logf(4)}, unit[] = {0, 0};
  const float five[] = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0};
  float g[10] = {0}, before[2] = {0};
  g_assert_cmpfloat_with_epsilon(kl_of(1, wide, NULL, g, NULL), 1.306853, 1e-6);
  g_assert_cmpfloat_with_epsilon(kl_of(1, wide, unit, g, NULL), 1.306853, 1e-6);
  g_assert_cmpfloat_with_epsilon(kl_of(1, unit, wide, g, NULL), 0.443147, 1e-6);
  memset(g, 0, sizeof g);
  g_assert_cmpfloat_with_epsilon(kl_of(5, five, NULL, g, NULL), 2.5, 1e-6);
  memset(g, 0, sizeof g);
  kl_of(1, unit, wide, g, before);
  for (int j = 0; j < 2; j++) {
    double q[2] = {0, 0}, p[2] = {1, log(4)}, h = 1e-5, d[2];
    for (int s = 0; s < 2; s++) {
      p[j] += s ? -2 * h : h, d[s] = naive_kl(1, q, p);
    }
    g_assert_cmpfloat_with_epsilon((double)before[j], (d[0] - d[1]) / (2 * h), 2e-7);
    g_assert_cmpfloat(fabs(d[0] - d[1]) / (2 * h), >, 0.1);
    p[j] += h;
    for (int s = 0; s < 2; s++) {
      q[j] += s ? -2 * h : h, d[s] = naive_kl(1, q, p);
    }
    g_assert_cmpfloat_with_epsilon((double)g[j], (d[0] - d[1]) / (2 * h), 2e-7);
  }
}

static int64_t elements(const HnStore *s) {
  int64_t count = 0;
  for (int64_t k = 0; k < s->count; k++) count += s->tensor[k].rows * s->tensor[k].cols;
  return count;
}

static VaribadParams gridworld(void) {
  return params_of("latent: 5, hidden: 64, obs_embed: 8, act_embed: 0, reward_embed: 8, "
                   "reward_grid: 5, reward_loss: bernoulli, reward_layers: 32 32, elbo_terms: 0, "
                   "decoded_steps: 0, truncate: 0, task_weight: 0, batch: 4, start: 0");
}

/* The card's sizes; a decoder of zeros pays 61 * 60 * ln 2 a trial whatever the rewards; a constant
 * posterior pays its first KL only. */
static void test_gridworld(void) {
  Fixture *b = g_new0(Fixture, 1);
  g_assert_cmpint(fixture_try(b, gridworld(), 2, 60), ==, HN_OK);
  g_assert_cmpint(elements(&b->v.encoder), ==, 16442);
  g_assert_cmpint(elements(&b->v.decoders), ==, 2073);
  Experience data = experience_new(240, 2, 5, true);
  for (int64_t k = 0; k < 241 * 2; k++)
    data.begin[k] = k / 2 % 60 == 0 ? HN_NEW_TASK : k / 2 % 15 == 0 ? HN_NEW_EPISODE : HN_KEEP;
  b->params.updates = 0;
  learn_all(b, &data);
  const HnMlp *net = &b->v.reward.net;
  memset(net->w[2]->data, 0, (size_t)(32 * 25) * 4), memset(net->b[2]->data, 0, 25 * 4);
  memset(b->v.head->data, 0, (size_t)(64 * 10) * 4);
  Slope r = slope_of(b, 4, 2, 1);
  g_assert_cmpfloat_with_epsilon(r.parts[VARIBAD_PART_REWARD], 61 * 60 * G_LN2, 7e-5);
  double q[10];
  for (int j = 0; j < 10; j++) q[j] = (double)b->v.bias->data[j];
  g_assert_cmpfloat_with_epsilon(r.parts[VARIBAD_PART_KL], naive_kl(5, q, NULL), 2.5e-7);
  slope_free(&r), experience_free(&data), fixture_free(b);
}

/* ---- the bound and its gradient ---- */

/* ---- the evidence bound and its gradient ---- */

/* What the plugin drew for trial j of the batch: times, steps, noise. */
typedef struct Drawn {
  int64_t K, *time, *pick;
  float *noise;
} Drawn;

static Drawn drawn_for(Fixture *s, const VaribadBatch *b, int64_t j) {
  const VaribadParams *p = &s->params;
  VaribadShard h = varibad_open_shard(b, j, 1);
  int64_t K = h.terms.K, d = s->v.d, picks = K * p->decoded_steps;
  Drawn r = {.K = K, .noise = g_new0(float, K *d)};
  r.time = g_memdup2(h.terms.time, (gsize)K * sizeof *r.time);
  if (picks) r.pick = g_memdup2(h.terms.pick, (gsize)picks * sizeof *r.pick);
  if (p->draw_latent) hn_normals(&h.rng[0], K * d, r.noise);
  fake_host_reset(&s->fake, (FakeMark){0});
  return r;
}

/* The steps of a remembered trial, zeros from its end to `most`. */
static int64_t naive_steps(const Fixture *s, int64_t slot, int64_t most, NaiveStep *to) {
  const Varibad *v = &s->v;
  const HnTrialReplay *r = &v->replay;
  memset(to, 0, (size_t)most * sizeof *to);
  for (int64_t t = 0; t < r->steps[slot]; t++) {
    int64_t at = slot * LIFETIME + t;
    bool crosses = s->params.cross_resets && t && r->ended[at - 1];
    for (int j = 0; j < OBS; j++) {
      to[t].state[j] = (double)hn_trial_replay_next_obs(r, slot, t)[j];
      if (r->obs) to[t].before[j] = (double)r->obs[at * OBS + j];
      if (crosses) to[t].before[j] = to[t - 1].state[j];
    }
    for (int j = 0; r->action && j < ACT; j++) to[t].action[j] = (double)r->action[at * ACT + j];
    to[t].state[OBS] = r->ended[at], to[t].before[OBS] = crosses;
    to[t].reward = (double)r->reward[at];
  }
  return r->steps[slot];
}

static double naive_pair(const Naive *m, const VaribadDecoder *d, const double *z,
                         const NaiveStep *s, bool states) {
  const Varibad *v = m->v;
  double x[64], y[64], sum = 0;
  int64_t at = v->d;
  memcpy(x, z, (size_t)v->d * sizeof *x);
  if (d->reads_next) naive_mlp(m, &d->embed_state, s->state, x + at), at += v->p->obs_embed;
  if (d->reads_action) naive_mlp(m, &d->embed_action, s->action, x + at), at += v->p->act_embed;
  if (d->reads_state) naive_mlp(m, &d->embed_state, s->before, x + at), at += v->p->obs_embed;
  g_assert_cmpint(at, ==, d->inputs);
  naive_mlp(m, &d->net, x, y);
  if (states) {
    for (int j = 0; j < OBS; j++) sum += (y[j] - s->state[j]) * (y[j] - s->state[j]) / OBS;
    return sum;
  }
  double f = v->p->reward_grid ? y[3 * (int)s->state[0] + (int)s->state[1]] : y[0];
  if (!d->bernoulli) return (f - s->reward) * (f - s->reward);
  return s->reward == 1 ? log1p(exp(-f)) : log1p(exp(f));
}

static double naive_task(const Naive *m, const double *z, const float *truth) {
  double y[64], sum = 0, loss = 0;
  naive_mlp(m, &m->v->task.net, z, y);
  for (int j = 0; j < TASK; j++) sum += exp(y[j]);
  for (int j = 0; j < TASK; j++) {
    double e = y[j] - (double)truth[j];
    loss += m->v->p->task_loss == VARIBAD_TASK_CLASS ? (double)truth[j] * (log(sum) - y[j])
                                                     : e * e / TASK;
  }
  return loss;
}

/* Posteriors q [T+1, 2 d] of a trial; at cuts of the gradient the hidden state is that of `base`.
 */
static void naive_encode(const Naive *m, const NaiveStep *s, int64_t T, double *q) {
  const int64_t wide = 2 * m->v->d, cut = m->v->p->truncate;
  const Naive base = {.v = m->v};
  double h[64] = {0}, still[64] = {0};
  naive_moments(m, h, q);
  for (int64_t t = 0; t < T; t++) {
    if (cut && t % cut == 0) memcpy(h, still, sizeof h);
    naive_step(m, s + t, h), naive_step(&base, s + t, still);
    naive_moments(m, h, q + (t + 1) * wide);
  }
}

/* The loss of trial j, all of it, from the definition; parts [VARIBAD_PARTS] are added to. */
static double naive_trial(Fixture *s, const VaribadBatch *b, int64_t j, const Drawn *r,
                          const Naive *m, double *parts) {
  const Varibad *v = &s->v;
  const VaribadParams *p = &s->params;
  NaiveStep step[LIFETIME];
  double q[(LIFETIME + 1) * 16], base[(LIFETIME + 1) * 16];
  int64_t T = naive_steps(s, v->slot[j], b->steps, step), d = v->d;
  if (p->misread_indices) T = b->steps;
  naive_encode(m, step, T, q), naive_encode(&(Naive){.v = v}, step, T, base);
  double terms = p->elbo_terms ? (double)r->K : (double)(T + 1), sum[VARIBAD_PARTS] = {0};
  for (int64_t k = 0; k < r->K; k++) {
    int64_t t = r->time[k], count = p->decode_past ? t : T;
    const double *before = p->prior == VARIBAD_PRIOR_FROZEN ? base : q;
    if (t > T) continue;
    sum[VARIBAD_PART_KL] +=
        naive_kl(d, q + t * 2 * d,
                 t && p->prior != VARIBAD_PRIOR_STANDARD ? before + (t - 1) * 2 * d : NULL);
    double z[16], decoded[2] = {0};
    for (int64_t i = 0; i < d; i++)
      z[i] = q[t * 2 * d + i] + exp(q[t * 2 * d + d + i] / 2) * (double)r->noise[k * d + i];
    if (r->pick && count) count = p->decoded_steps;
    for (int64_t i = 0; i < count; i++) {
      const NaiveStep *at = step + (r->pick ? r->pick[k * p->decoded_steps + i] : i);
      if (v->reward.net.layers) decoded[0] += naive_pair(m, &v->reward, z, at, false);
      if (v->state.net.layers) decoded[1] += naive_pair(m, &v->state, z, at, true);
    }
    double by = p->over_steps == VARIBAD_MEAN && count ? (double)count : 1;
    sum[VARIBAD_PART_REWARD] += decoded[0] / by, sum[VARIBAD_PART_STATE] += decoded[1] / by;
    if (v->task.net.layers)
      sum[VARIBAD_PART_TASK] += naive_task(m, z, v->replay.task + v->slot[j] * TASK);
  }
  double by = (double)b->trials * (p->over_terms == VARIBAD_MEAN ? terms : 1);
  for (int i = 0; i < VARIBAD_PARTS; i++) parts[i] += sum[i] / by;
  return (p->kl_weight * sum[VARIBAD_PART_KL] + p->reward_weight * sum[VARIBAD_PART_REWARD] +
          p->state_weight * sum[VARIBAD_PART_STATE] + p->task_weight * sum[VARIBAD_PART_TASK]) /
         by;
}

static double naive_loss(Fixture *s, const VaribadBatch *b, const Drawn *r, const Naive *m,
                         double *parts) {
  double loss = 0;
  for (int64_t j = 0; j < b->trials; j++) loss += naive_trial(s, b, j, &r[j], m, parts);
  return loss;
}

/* Value, parts and gradient of a batch in two shards. */
static void check_bound(VaribadParams p) {
  Experience data = experience_new(40, 2, 6, false);
  p.batch = 3;
  Fixture *s = fixture_new(p, 2);
  s->params.updates = 0;
  learn_all(s, &data);
  shake(s);
  Slope r = slope_of(s, 3, 2, 5);
  Drawn drawn[3];
  for (int j = 0; j < 3; j++) drawn[j] = drawn_for(s, &r.b, j);
  double parts[VARIBAD_PARTS] = {0}, unused[VARIBAD_PARTS] = {0};
  naive_loss(s, &r.b, drawn, &(Naive){.v = &s->v}, parts);
  for (int i = 0; i < VARIBAD_PARTS; i++)
    g_assert_cmpfloat(fabs(r.parts[i] - parts[i]), <=, 2e-5 * (1 + fabs(parts[i])));
  HnStore *store[] = {&s->v.encoder, &s->v.decoders};
  const float *flat[] = {r.encoder, r.decoders};
  HnRng rng = hn_rng(9, 9);
  double worst = 0;
  for (int k = 0; k < 2; k++) {
    double scale = sqrt(hn_vec_norm2(store[k]->size, flat[k]));
    g_assert_cmpfloat(scale, >, 1e-3);
    for (int64_t i = 0; i < store[k]->count; i++)
      for (int n = 0; n < 8; n++) {
        const HnTensor *w = &store[k]->tensor[i];
        int64_t e = hn_rng_below(&rng, w->rows * w->cols);
        const double h = 1e-6;
        Naive up = {&s->v, w->data + e, h}, down = {&s->v, w->data + e, -h};
        double d = naive_loss(s, &r.b, drawn, &up, unused);
        d = (d - naive_loss(s, &r.b, drawn, &down, unused)) / (2 * h);
        worst = fmax(worst, fabs(d - (double)flat[k][w->offset + e]) / scale);
      }
  }
  g_assert_cmpfloat(worst, <, 1e-5);
  for (int j = 0; j < 3; j++) g_free(drawn[j].time), g_free(drawn[j].pick), g_free(drawn[j].noise);
  slope_free(&r), fixture_free(s), experience_free(&data);
}

static void test_bound_drawn(void) { /* everything that is decoded, by draws */
  VaribadParams p = small();
  p.elbo_terms = 4, p.decoded_steps = 3, p.state_weight = 0.7, p.task_weight = 0.3;
  check_bound(p);
  p.over_terms = p.over_steps = VARIBAD_MEAN, p.reward_weight = 3,
  p.task_loss = VARIBAD_TASK_DESCRIPTION;
  p.reward_loss = VARIBAD_REWARD_BERNOULLI, p.decode_past = true;
  check_bound(p);
  p = quiet(), p.elbo_terms = 30, p.decoded_steps = 40; /* several chunks of pairs */
  p.reward_act = false;
  check_bound(p);
}

static void test_bound_all(void) { /* all posteriors and steps, several chunks */
  VaribadParams p = all_of(quiet());
  p.prior = VARIBAD_PRIOR_FROZEN, p.state_weight = 2, p.reward_next = false, p.cross_resets = true;
  check_bound(p);
  p.prior = VARIBAD_PRIOR_STANDARD, p.over_terms = VARIBAD_MEAN, p.draw_latent = false;
  check_bound(p);
  p = all_of(quiet()), p.reward_next = p.reward_act = p.reward_obs = false;
  check_bound(p);
}

static void test_bound_grid(void) {
  VaribadParams p = all_of(quiet());
  p.reward_grid = 3, p.reward_loss = VARIBAD_REWARD_BERNOULLI;
  check_bound(p);
  p.decode_past = true, p.over_steps = VARIBAD_MEAN;
  check_bound(p);
  p = quiet(), p.elbo_terms = 4, p.decoded_steps = 5, p.reward_grid = 3, p.reward_weight = 2;
  check_bound(p);
  p = all_of(p), p.over_steps = VARIBAD_MEAN;
  check_bound(p);
}

static void test_bound_cut(void) { /* the gradient through time ends at cuts */
  VaribadParams p = all_of(quiet());
  p.truncate = 3;
  check_bound(p);
  p.truncate = 1, p.elbo_terms = 5, p.decoded_steps = 2;
  check_bound(p);
}

/* The reference's indices meet another trial's length, and zeros behind the end: draw k of trial j,
 * of B trials with K each, is meant for trial (k B + j) / K. */
static void test_bound_misread(void) {
  VaribadParams p = quiet();
  p.elbo_terms = 9, p.decoded_steps = 4, p.misread_indices = true, p.batch = 5, p.updates = 0;
  check_bound(p);
  Experience data = experience_new(80, 2, 14, false);
  Fixture *s = fixture_new(p, 2);
  learn_all(s, &data);
  Slope r = slope_of(s, 5, 3, 5);
  int beyond = 0;
  for (int64_t j = 0; j < 5; j++) {
    Drawn d = drawn_for(s, &r.b, j);
    const int64_t *length = s->v.replay.steps, *slot = s->v.slot;
    for (int64_t k = 0; k < d.K; k++) {
      g_assert_cmpint(d.time[k], <=, length[slot[(5 * k + j) / d.K]]);
      beyond += d.time[k] > length[slot[j]];
    }
    for (int64_t k = 0; k < d.K * 4; k++) {
      g_assert_cmpint(d.pick[k], <, length[slot[(5 * k + j) / (d.K * 4)]]);
      beyond += d.pick[k] >= length[slot[j]];
    }
    g_free(d.time), g_free(d.pick), g_free(d.noise);
  }
  g_assert_cmpint(beyond, >, 5);
  slope_free(&r), fixture_free(s), experience_free(&data);
}

/* Draws cost on average their share of the sum, and the mean itself. */
static void test_draws_are_fair(void) {
  for (int mean = 0; mean < 2; mean++) {
    Experience data = experience_new(60, 2, 7, true);
    VaribadParams p = all_of(quiet());
    p.draw_latent = false, p.batch = 3, p.over_terms = p.over_steps = mean;
    Fixture *s = fixture_new(p, 2);
    s->params.updates = 0;
    learn_all(s, &data);
    shake(s);
    Slope whole = slope_of(s, 3, 2, 1);
    s->params.elbo_terms = 4, s->params.decoded_steps = 5;
    enum { N = 3000 };
    double sum[VARIBAD_PARTS] = {0}, square[VARIBAD_PARTS] = {0};
    for (int k = 0; k < N; k++) {
      Slope r = slope_of(s, 3, 2, (uint64_t)k);
      for (int i = 0; i < VARIBAD_PARTS; i++)
        sum[i] += r.parts[i] / N, square[i] += r.parts[i] * r.parts[i] / N;
      slope_free(&r);
    }
    const double terms = mean ? 1 : 4.0 / (LIFETIME + 1), steps = mean ? 1 : 5.0 / LIFETIME;
    const double share[] = {terms, terms * steps};
    for (int i = VARIBAD_PART_KL; i <= VARIBAD_PART_REWARD; i++) {
      double error = sqrt((square[i] - sum[i] * sum[i]) / N);
      g_assert_cmpfloat(error, <, 0.02 * sum[i]);
      g_assert_cmpfloat_with_epsilon(sum[i], share[i] * whole.parts[i], 4 * error);
    }
    slope_free(&whole), fixture_free(s), experience_free(&data);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/varibad/kl", test_kl);
  g_test_add_func("/varibad/gridworld", test_gridworld);
  g_test_add_func("/varibad/bound/drawn", test_bound_drawn);
  g_test_add_func("/varibad/bound/all", test_bound_all);
  g_test_add_func("/varibad/bound/grid", test_bound_grid);
  g_test_add_func("/varibad/bound/cut", test_bound_cut);
  g_test_add_func("/varibad/bound/misread", test_bound_misread);
  g_test_add_func("/varibad/draws_are_fair", test_draws_are_fair);
  return g_test_run();
}
