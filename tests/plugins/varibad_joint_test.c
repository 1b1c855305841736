/* varibad_joint_test.c - the policy's way into VariBAD's encoder: the gradient of beliefs against
 * central differences of the model in float64, and one step along it. */
#include "varibad_fixture.h"

extern const HnPlugin varibad_joint_LTX_hn_plugin;

/* sum of slope * belief along a window, from the definition; noise [.., S, d] or NULL. */
static double naive_value(const Fixture *s, const HnHistory *h, const float *state,
                          const float *slope, const float *noise, int64_t S, const Naive *m) {
  const Varibad *v = &s->v;
  int64_t d = v->d, dim = s->spec.belief_dim, draws = MAX(S, 1);
  double sum = 0;
  for (int64_t i = 0; i < h->rows; i++) {
    double memory[64], q[64];
    for (int64_t j = 0; j < v->hidden; j++) memory[j] = (double)state[i * v->hidden + j];
    for (int64_t t = 0; t <= h->steps; t++) {
      int64_t at = hn_at(h, t, i), past = hn_at(h, t - 1, i);
      if (h->begin[at] == HN_NEW_TASK) {
        memset(memory, 0, sizeof memory);
      } else {
        NaiveStep step = {.reward = (double)h->reward[past]};
        for (int j = 0; j < OBS; j++) step.state[j] = (double)h->next_obs[past * OBS + j];
        for (int j = 0; j < ACT; j++) step.action[j] = (double)h->action[past * ACT + j];
        step.state[OBS] = h->begin[at] == HN_NEW_EPISODE;
        naive_step(m, &step, memory);
      }
      naive_moments(m, memory, q);
      for (int64_t k = (t * h->rows + i) * draws; k < (t * h->rows + i + 1) * draws; k++)
        for (int64_t j = 0; j < dim; j++) {
          double x = q[j];
          if (S && j < d) x += exp(q[d + j] / 2) * (double)noise[k * d + j];
          sum += x * (double)slope[k * dim + j];
        }
    }
  }
  return sum;
}

static void check_gradient(int64_t S, int32_t belief) {
  Experience data = experience_new(30, 3, 21, false);
  VaribadParams p = small();
  p.belief = belief;
  Fixture *s = fixture_new(p, 3);
  shake(s);
  int64_t n = 21 * 3 * MAX(S, 1), dim = s->spec.belief_dim, units = s->v.hidden;
  HnRng rng = hn_rng(5, 6), draw[3] = {hn_rng(1, 1), hn_rng(1, 2), hn_rng(1, 3)};
  float *out = g_new0(float, n *dim), *slope = g_new0(float, n *dim);
  float *state = g_new0(float, 3 * units), *start = g_new0(float, 3 * units);
  for (int64_t i = 0; i < 3 * units; i++)
    start[i] = state[i] = (float)hn_rng_uniform(&rng, -0.5, 0.5);
  for (int64_t i = 0; i < n * dim; i++) slope[i] = (float)hn_rng_uniform(&rng, -1, 1);
  HnHistory h = window(&data, 3, 20, 0, 3); /* begins in mid-trial */
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .belief = out};
  q.samples = S, q.rng = draw;
  double norm2;
  g_assert_cmpint(varibad_forward(&s->v, &q), ==, HN_OK);
  double value = 0;
  for (int64_t i = 0; i < n * dim; i++) value += (double)out[i] * (double)slope[i];
  Naive m = {.v = &s->v};
  const float *noise = s->v.forward.noise;
  g_assert_cmpfloat_with_epsilon(value, naive_value(s, &h, start, slope, noise, S, &m), 5e-6);
  g_assert_cmpint(varibad_backward(&s->v, &q, slope, &norm2), ==, HN_OK);
  double worst = 0;
  for (int64_t k = 0; k < s->v.encoder.count; k++)
    for (int i = 0; i < 10; i++) {
      const HnTensor *w = &s->v.encoder.tensor[k];
      int64_t e = hn_rng_below(&rng, w->rows * w->cols);
      const double by = 1e-6;
      Naive up = {&s->v, w->data + e, by}, down = {&s->v, w->data + e, -by};
      double slope_e = naive_value(s, &h, start, slope, noise, S, &up);
      slope_e = (slope_e - naive_value(s, &h, start, slope, noise, S, &down)) / (2 * by);
      worst = fmax(worst, fabs(slope_e - (double)w->grad[e]) / sqrt(norm2));
    }
  g_assert_cmpfloat(norm2, >, 1);
  g_assert_cmpfloat(worst, <, 1e-5);
  /* the gradient is the encoder's alone, and a step clears it */
  g_assert_cmpfloat(hn_store_norm2(&s->v.decoders), ==, 0);
  float before = s->v.bias->data[0];
  g_assert_cmpint(varibad_step(&s->v, 1, 0.5), ==, HN_OK);
  g_assert_cmpfloat_with_epsilon(fabsf(s->v.bias->data[0] - before), 0.5e-3, 4e-8);
  g_assert_cmpfloat(hn_store_norm2(&s->v.encoder), ==, 0);
  g_free(out), g_free(slope), g_free(state), g_free(start), fixture_free(s), experience_free(&data);
}

static void test_gradient(void) {
  check_gradient(0, VARIBAD_BELIEF_MOMENTS);
  check_gradient(2, VARIBAD_BELIEF_MOMENTS);
  check_gradient(1, VARIBAD_BELIEF_LATENT);
}

static void test_windows(void) {
  Experience data = experience_new(25, 3, 23, false);
  Fixture *s = fixture_new(small(), 3);
  shake(s);
  check_windows(s, &varibad_joint_LTX_hn_plugin, &data, 0);
  check_windows(s, &varibad_joint_LTX_hn_plugin, &data, 2);
  fixture_free(s), experience_free(&data);
}

/* With nothing to decode and no prior, only the policy trains the encoder. */
static void test_policy_alone(void) {
  Experience data = experience_new(40, 2, 22, false);
  VaribadParams p = small();
  p.reward_weight = p.kl_weight = p.task_weight = 0;
  Fixture *s = fixture_new(p, 2);
  g_assert_cmpint(s->v.decoders.count, ==, 0);
  HnHistory none = window(&data, 0, 0, 0, 2);
  float before = s->v.bias->data[0];
  learn_window(s, &none), learn_all(s, &data);
  g_assert_true(s->v.bias->data[0] == before);
  fixture_free(s), experience_free(&data);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/varibad_joint/gradient", test_gradient);
  g_test_add_func("/varibad_joint/windows", test_windows);
  g_test_add_func("/varibad_joint/policy_alone", test_policy_alone);
  return g_test_run();
}
