/* varibad_test.c - VariBAD's beliefs against the model written out in float64, and how it learns.
 */
#include "varibad_fixture.h"

/* ---- beliefs ---- */

/* Hidden states follow the equations, survive the end of an episode and not that of a task, where
 * the belief is exactly the prior; how windows are cut does not matter. */
static void test_beliefs(void) {
  Experience data = experience_new(40, 3, 1, false);
  Fixture *b = fixture_new(quiet(), 3);
  shake(b);
  int64_t dim = b->spec.belief_dim, d = b->v.d;
  g_assert_cmpint(dim, ==, 6);
  check_windows(b, &varibad_task_LTX_hn_plugin, &data, 0);
  check_windows(b, &varibad_task_LTX_hn_plugin, &data, 2);
  float *seen = infer_first(b, &data, 40);
  Naive m = {.v = &b->v};
  int priors = 0, survived = 0;
  for (int64_t i = 0; i < 3; i++) {
    double h[64] = {0}, q[64];
    for (int64_t t = 0; t <= 40; t++) {
      int64_t at = t * 3 + i, past = at - 3;
      const float *belief = seen + at * dim;
      NaiveStep s = {0};
      if (data.begin[at] == HN_NEW_TASK) {
        memset(h, 0, sizeof h);
        g_assert_cmpmem(belief, (size_t)(2 * d) * 4, b->v.bias->data, (size_t)(2 * d) * 4);
        priors++;
        continue;
      }
      for (int j = 0; j < OBS; j++) s.state[j] = (double)data.next[past * OBS + j];
      for (int j = 0; j < ACT; j++) s.action[j] = (double)data.action[past * ACT + j];
      s.state[OBS] = data.begin[at] == HN_NEW_EPISODE, s.reward = (double)data.reward[past];
      naive_step(&m, &s, h), naive_moments(&m, h, q);
      for (int64_t j = 0; j < 2 * d; j++)
        g_assert_cmpfloat_with_epsilon((double)belief[j], q[j], 4e-7);
      survived += data.begin[at] == HN_NEW_EPISODE;
    }
  }
  g_assert_cmpint(priors, >, 9);
  g_assert_cmpint(survived, >, 9);
  g_free(seen), fixture_free(b), experience_free(&data);
}

/* Draws replace the mean, have the posterior's moments, and leave the rest alone; the latent alone
 * is the mean or such a draw; entropy and KL are those of the Gaussian. */
static void test_samples(void) {
  Experience data = experience_new(6, 2, 2, true);
  VaribadParams p = quiet();
  for (int32_t latent = 0; latent < 2; latent++) {
    p.belief = latent ? VARIBAD_BELIEF_LATENT : VARIBAD_BELIEF_MOMENTS;
    Fixture *b = fixture_new(p, 2);
    shake(b);
    enum { S = 4000 };
    int64_t dim = b->spec.belief_dim, d = b->v.d, k = 5 * 2 + 1;
    g_assert_cmpint(dim, ==, latent ? d : 2 * d);
    HnHistory h = window(&data, 0, 6, 0, 2);
    HnRng rng[2] = {hn_rng(1, 1), hn_rng(1, 2)};
    float *point = g_new0(float, 14 * dim), *draws = g_new0(float, 14 * S * dim);
    float *info = g_new0(float, 14 * VARIBAD_INFO_COUNT);
    char *state = g_malloc0(2 * b->spec.row_size);
    HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .belief = point};
    q.info = info;
    g_assert_cmpint(varibad_infer(&b->v, &q), ==, HN_OK);
    memset(state, 0, 2 * b->spec.row_size);
    q.samples = S, q.rng = rng, q.belief = draws, q.info = NULL;
    g_assert_cmpint(varibad_infer(&b->v, &q), ==, HN_OK);
    double entropy = 0, kl = 0;
    for (int64_t j = 0; j < d; j++) {
      double mean = 0, square = 0, logvar = latent ? 0 : (double)point[k * dim + d + j];
      for (int64_t s = 0; s < S; s++) {
        double x = (double)draws[(k * S + s) * dim + j];
        mean += x / S, square += x * x / S;
        if (!latent) g_assert_true(draws[(k * S + s) * dim + d + j] == point[k * dim + d + j]);
      }
      if (latent) continue;
      double mu = (double)point[k * dim + j], error = exp(logvar / 2) / sqrt(S);
      g_assert_cmpfloat_with_epsilon(mean, mu, 4 * error);
      g_assert_cmpfloat_with_epsilon((square - mean * mean) / exp(logvar), 1, 0.1);
      entropy += 0.5 * (log(2 * G_PI) + 1 + logvar);
      kl += 0.5 * (exp(logvar) + mu * mu - 1 - logvar);
    }
    if (!latent) {
      g_assert_cmpfloat_with_epsilon((double)info[k * VARIBAD_INFO_COUNT + varibad_info_entropy],
                                     entropy, 4e-7);
      g_assert_cmpfloat_with_epsilon((double)info[k * VARIBAD_INFO_COUNT + varibad_info_kl], kl,
                                     2e-7);
    }
    g_free(point), g_free(draws), g_free(info), g_free(state);
    fixture_free(b);
  }
  experience_free(&data);
}

/* ---- learning ---- */

static void assert_same_weights(Fixture *a, Fixture *b) {
  for (int64_t k = 0; k < a->fake.array_count; k++) {
    const FakeArray *s = &a->fake.array[k], *t = &b->fake.array[k];
    if (s->spec.role != HN_REPLAY)
      g_assert_cmpmem(s->data, (size_t)s->count * 4, t->data, (size_t)t->count * 4);
  }
}

/* Training encodes as acting does: bit by bit, cuts of the gradient or not. */
static void test_encodes_alike(void) {
  Experience data = experience_new(20, 1, 8, true);
  VaribadParams p = quiet();
  p.truncate = 4, p.batch = 1;
  Fixture *s = fixture_new(p, 1);
  s->params.updates = 0;
  learn_all(s, &data);
  shake(s);
  float *belief = infer_first(s, &data, LIFETIME - 1);
  Slope r = slope_of(s, 1, 1, 3);
  VaribadShard h = varibad_open_shard(&r.b, 0, 1);
  VaribadSegment segment[3];
  h.encoder_flat = r.encoder;
  g_assert_cmpint(varibad_encode_shard(&h, segment), ==, 3);
  g_assert_cmpmem(h.moments, LIFETIME * 6 * 4, belief, LIFETIME * 6 * 4);
  slope_free(&r), g_free(belief), fixture_free(s), experience_free(&data);
}

/* The picture of a belief is its grid decoder, cell by cell; other decoders have none. */
static void test_map(void) {
  VaribadParams p = quiet();
  p.reward_grid = 3, p.reward_loss = VARIBAD_REWARD_BERNOULLI;
  Fixture *s = fixture_new(p, 1);
  shake(s);
  g_assert_cmpint(s->spec.map_width, ==, 3);
  g_assert_cmpint(s->spec.map_height, ==, 3);
  static const float belief[6] = {0.7f, -1.2f, 0.4f, -0.5f, 0.1f, 0.3f};
  double z[3] = {(double)belief[0], (double)belief[1], (double)belief[2]}, y[9];
  float cells[9];
  naive_mlp(&(Naive){.v = &s->v}, &s->v.reward.net, z, y);
  g_assert_cmpint(varibad_map(&s->v, belief, cells), ==, HN_OK);
  for (int k = 0; k < 9; k++)
    g_assert_cmpfloat_with_epsilon(cells[k], 1 / (1 + exp(-y[k])), 2.5e-7);
  fixture_free(s);
  p.reward_loss = VARIBAD_REWARD_SQUARED;
  s = fixture_new(p, 1);
  g_assert_cmpint(s->spec.map_width, ==, 0);
  fixture_free(s);
}

/* Windows that cut trials anywhere teach the same; no update at iteration 0 or before `start`. */
static void test_windows_and_start(void) {
  Experience data = experience_new(60, 3, 9, false);
  VaribadParams p = quiet();
  p.elbo_terms = 4, p.decoded_steps = 3;
  Fixture *a = fixture_new(p, 3), *b = fixture_new(p, 3), *c = fixture_new(p, 3);
  HnHistory none = window(&data, 0, 0, 0, 3), whole = window(&data, 0, 60, 0, 3);
  learn_window(a, &none), learn_window(a, &whole);
  g_assert_cmpint(*a->v.encoder.clock, ==, 2);
  b->params.updates = 0;
  learn_window(b, &none);
  for (int64_t t = 0; t < 60; t += 15) {
    b->params.updates = t == 45 ? 2 : 0;
    HnHistory h = window(&data, t, 15, 0, 3);
    learn_window(b, &h);
  }
  /* rows finish trials in another order then, so only those of one row agree in place */
  g_assert_cmpint(hn_trial_replay_count(&a->v.replay), ==, hn_trial_replay_count(&b->v.replay));
  g_assert_cmpint(hn_trial_replay_count(&a->v.replay), ==, 12);
  learn_window(c, &whole);
  g_assert_cmpint(*c->v.encoder.clock, ==, 0);
  c->params.start = 2;
  learn_window(c, &none);
  g_assert_cmpint(*c->v.encoder.clock, ==, 0);
  fixture_free(a), fixture_free(b), fixture_free(c), experience_free(&data);
  /* of one row, all is the same */
  data = experience_new(60, 1, 10, false);
  a = fixture_new(p, 1), b = fixture_new(p, 1);
  b->params.updates = 0;
  none = window(&data, 0, 0, 0, 1), whole = window(&data, 0, 60, 0, 1);
  learn_window(a, &none), learn_window(a, &whole), learn_window(b, &none);
  for (int64_t t = 0; t < 60; t += 4) {
    b->params.updates = t == 56 ? 2 : 0;
    HnHistory h = window(&data, t, 4, 0, 1);
    learn_window(b, &h);
  }
  assert_same_weights(a, b);
  fixture_free(a), fixture_free(b), experience_free(&data);
}

/* Overwriting the kept arrays of a fresh instance, as a resumed run does, goes on bit by bit. */
static void test_resume(void) {
  Experience data = experience_new(90, 3, 11, false);
  VaribadParams p = small();
  p.elbo_terms = 4, p.decoded_steps = 3, p.state_weight = 1;
  Fixture *a = fixture_new(p, 3), *b = fixture_new(p, 3);
  HnHistory first = window(&data, 0, 45, 0, 3), second = window(&data, 45, 45, 0, 3);
  HnHistory none = window(&data, 0, 0, 0, 3);
  learn_window(a, &none), learn_window(a, &first);
  for (int64_t k = 0; k < a->fake.array_count; k++) {
    static const size_t size[] = {0, 4, 8, 4, 8, 1};
    const FakeArray *from = &a->fake.array[k];
    FakeArray *to = &b->fake.array[k];
    int64_t count = from->count;
    if (from->spec.used) {
      *to->spec.used = *from->spec.used;
      count = count / from->spec.dim[0] * *from->spec.used;
    }
    memcpy(to->data, from->data, (size_t)count * size[from->spec.type]);
  }
  b->rng = a->rng, b->iteration = a->iteration;
  learn_window(a, &second), learn_window(b, &second);
  g_assert_cmpint(*a->v.encoder.clock, ==, 4);
  assert_same_weights(a, b);
  fixture_free(a), fixture_free(b), experience_free(&data);
}

/* The lagging buffer leaves out every row's last trial. */
static void test_lagged_buffer(void) {
  Experience data = experience_new(LIFETIME, 2, 12, true); /* one trial a row */
  VaribadParams p = quiet();
  p.batch = 4, p.lagged_buffer = true, p.updates = 1;
  Fixture *s = fixture_new(p, 2);
  HnHistory none = window(&data, 0, 0, 0, 2);
  learn_window(s, &none), learn_all(s, &data);
  g_assert_cmpint(*s->v.encoder.clock, ==, 0);
  learn_all(s, &data);
  g_assert_cmpint(*s->v.encoder.clock, ==, 1);
  fixture_free(s), experience_free(&data);
}

/* Adam on the bound makes it smaller. */
static void test_learns(void) {
  Experience data = experience_new(60, 2, 13, false);
  VaribadParams p = all_of(small());
  p.state_weight = 1, p.updates = 300, p.lr = 1e-2, p.draw_latent = false;
  Fixture *s = fixture_new(p, 2);
  HnHistory none = window(&data, 0, 0, 0, 2), whole = window(&data, 0, 60, 0, 2);
  learn_window(s, &none);
  s->params.updates = 0;
  learn_window(s, &whole);
  Slope before = slope_of(s, 5, 3, 1);
  s->params.updates = 300;
  learn_window(s, &none);
  Slope after = slope_of(s, 5, 3, 1);
  g_assert_cmpfloat(after.parts[VARIBAD_PART_REWARD], <, 0.8 * before.parts[VARIBAD_PART_REWARD]);
  g_assert_cmpfloat(after.parts[VARIBAD_PART_STATE], <, 0.8 * before.parts[VARIBAD_PART_STATE]);
  g_assert_cmpfloat(after.parts[VARIBAD_PART_TASK], <, 0.8 * before.parts[VARIBAD_PART_TASK]);
  slope_free(&before), slope_free(&after), fixture_free(s), experience_free(&data);
}

static void refused(VaribadParams p, const char *why) {
  Fixture *b = g_new0(Fixture, 1);
  g_assert_cmpint(fixture_try(b, p, 2, LIFETIME), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(b->fake.error, why));
  fixture_free(b);
}

static void test_refusals(void) {
  VaribadParams p = small();
  p.reward_layers = "64, x";
  refused(p, "reward_layers: '64, x'");
  p = small(), p.state_weight = 1, p.state_layers = "";
  refused(p, "state_layers");
  p = small(), p.obs_embed = p.act_embed = p.reward_embed = 0;
  refused(p, "encoder reads nothing");
  p = small(), p.misread_indices = true, p.decoded_steps = 0;
  refused(p, "misread_indices");
  p = small(), p.batch = 13;
  refused(p, "buffer");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/varibad/beliefs", test_beliefs);
  g_test_add_func("/varibad/samples", test_samples);
  g_test_add_func("/varibad/map", test_map);
  g_test_add_func("/varibad/encodes_alike", test_encodes_alike);
  g_test_add_func("/varibad/windows_and_start", test_windows_and_start);
  g_test_add_func("/varibad/resume", test_resume);
  g_test_add_func("/varibad/lagged_buffer", test_lagged_buffer);
  g_test_add_func("/varibad/learns", test_learns);
  g_test_add_func("/varibad/refusals", test_refusals);
  return g_test_run();
}
