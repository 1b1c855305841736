/* row_length_test.c - rows of a window that end before it: what fills them up counts in no loss of
 * an inference's own.  Loss and gradient are those of the rows by themselves, each in a window of
 * its own length, weighed by what each of them is a mean over. */
#include "inference_fixture.h"
#include <math.h>

extern const HnPlugin laplace_vrnn_LTX_hn_plugin, pearl_LTX_hn_plugin, recurrent_LTX_hn_plugin,
    vrnn_LTX_hn_plugin;

enum { T = 7, SHORT = 3, B = 2, O = 2, A = 1 };

/* Observations, and steps, [T + 1, B]; row 1 is filled up with zeros from step SHORT on. */
typedef struct Steps {
  uint8_t begin[(T + 1) * B], ends[(T + 1) * B];
  float obs[(T + 1) * B * O], next_obs[T * B * O], action[T * B * A], reward[T * B];
} Steps;

static const int64_t lengths[B] = {T, SHORT};

static Steps *steps_new(void) {
  Steps *x = g_new0(Steps, 1);
  HnRng rng = hn_rng(17, 0);
  for (int t = 0; t <= T; t++)
    for (int i = 0; i < B; i++) {
      const int at = t * B + i;
      x->begin[at] = t == 0 ? HN_NEW_TASK : HN_KEEP;
      for (int j = 0; j < O && t <= lengths[i]; j++)
        x->obs[at * O + j] = (float)hn_rng_normal(&rng);
      if (t >= lengths[i]) continue;
      for (int j = 0; j < O; j++) x->next_obs[at * O + j] = (float)hn_rng_normal(&rng);
      x->action[at] = (float)hn_rng_normal(&rng), x->reward[at] = (float)hn_rng_normal(&rng);
    }
  return x;
}

static HnHistory window(const Steps *x, int64_t first, int64_t rows, int64_t steps) {
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = B,
                     .begin = x->begin + first,
                     .obs = x->obs + first * O,
                     .action = x->action + first * A,
                     .reward = x->reward + first,
                     .next_obs = x->next_obs + first * O,
                     .terminated = x->ends,
                     .truncated = x->ends};
}

/* ---- loss and gradient of a window, by an instance of its own ---- */

typedef struct Learnt {
  double loss;
  GArray *gradient; /* float */
} Learnt;

static Learnt learn(const HnPlugin *plugin, const Case *c, const HnHistory *h) {
  Learnt y = {.gradient = g_array_new(FALSE, FALSE, sizeof(float))};
  Fixture *f = fixture_new(plugin, c, "");
  const gsize n = (gsize)((h->steps + 1) * h->rows * f->spec.belief_dim);
  float *belief = g_new0(float, n), *none = g_new0(float, n);
  char *state = g_malloc0((gsize)h->rows * f->spec.row_size);
  HnRng *rng = streams_new(h->rows);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = h,
                      .state = state,
                      .rng = rng,
                      .belief = belief,
                      .loss = &y.loss};
  double norm2;
  g_assert_cmpint(f->methods->forward(f->self, &q), ==, HN_OK);
  g_assert_cmpint(f->methods->backward(f->self, &q, none, &norm2), ==, HN_OK);
  for (int64_t k = 0; k < f->fake.array_count; k++) {
    const FakeArray *a = &f->fake.array[k];
    if (a->grad) g_array_append_vals(y.gradient, a->grad, (guint)a->count);
  }
  g_free(belief), g_free(none), g_free(state), g_free(rng);
  fixture_free(f);
  return y;
}

static double slope(const Learnt *y, guint k) {
  return (double)g_array_index(y->gradient, float, k);
}

typedef struct Family {
  const HnPlugin *plugin;
  Case c;
  double weight[B]; /* posteriors or steps that the loss of a row by itself is a mean over */
} Family;

static void test_family(const void *arg) {
  const Family *of = arg;
  const double sum = of->weight[0] + of->weight[1];
  Steps *x = steps_new();
  HnHistory h = window(x, 0, B, T);
  h.length = lengths;
  Learnt both = learn(of->plugin, &of->c, &h), row[B];
  for (int i = 0; i < B; i++) {
    h = window(x, i, 1, lengths[i]);
    row[i] = learn(of->plugin, &of->c, &h);
  }
  const double loss = (of->weight[0] * row[0].loss + of->weight[1] * row[1].loss) / sum;
  g_assert_cmpfloat(fabs(row[0].loss - row[1].loss), >, 1e-3); /* or nothing could be told */
  g_assert_cmpfloat_with_epsilon(both.loss, loss, 2e-6 * (1 + fabs(loss)));
  double most = 0;
  for (guint k = 0; k < both.gradient->len; k++) most = fmax(most, fabs(slope(&both, k)));
  g_assert_cmpfloat(most, >, 1e-3);
  for (guint k = 0; k < both.gradient->len; k++)
    g_assert_cmpfloat_with_epsilon(
        slope(&both, k),
        (of->weight[0] * slope(&row[0], k) + of->weight[1] * slope(&row[1], k)) / sum, 5e-6 * most);
  g_array_unref(both.gradient), g_array_unref(row[0].gradient), g_array_unref(row[1].gradient);
  g_free(x);
}

#define NETS "hidden: 5, latent: 3, embed: 4, max_grad_value: 0"

int main(int argc, char **argv) {
  static const Family steps[] = {
      {&recurrent_LTX_hn_plugin, {"recurrent", NETS ", head: signal", O, A, 0}, {T, SHORT}},
      {&recurrent_LTX_hn_plugin, {"recurrent-reward", NETS ", head: reward", O, A, 0}, {T, SHORT}},
      {&vrnn_LTX_hn_plugin,
       {"vrnn", NETS ", head: none, kl_weight: 0.7, covariance: diagonal", O, A, 0},
       {T, SHORT}},
      {&laplace_vrnn_LTX_hn_plugin,
       {"laplace_vrnn", NETS ", head: none, kl_weight: 0.7", O, A, 0},
       {T, SHORT}},
      {&pearl_LTX_hn_plugin,
       {"pearl-last", "latent: 3, hidden: '4', kl_weight: 0.7", O, A, 0},
       {1, 1}},
      {&pearl_LTX_hn_plugin,
       {"pearl-all", "latent: 3, hidden: '4', kl_weight: 0.7, kl_times: all", O, A, 0},
       {T + 1, SHORT + 1}},
  };
  g_test_init(&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    char *path = g_strconcat("/row_length/", steps[i].c.name, NULL);
    g_test_add_data_func(path, &steps[i], test_family);
    g_free(path);
  }
  return g_test_run();
}
