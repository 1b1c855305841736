/* unread_beliefs_test.c - beliefs that nobody reads are not inferred step by step, and all that is
 * recorded has the same bits as where they are. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include <stdatomic.h>

extern const HnPlugin fourier_LTX_hn_plugin, laplace_vrnn_LTX_hn_plugin, recurrent_LTX_hn_plugin,
    uniform_LTX_hn_plugin, vrnn_LTX_hn_plugin;

/* Calls of infer in training, which asks for no columns, and times that they inferred. */
static atomic_int calls, times;
static HnStatus (*real_infer)(void *self, HnBeliefUpdate *q);

static HnStatus counted_infer(void *self, HnBeliefUpdate *q) {
  if (!q->info) {
    calls += 1;
    times += (int)(q->history->rows * (q->history->steps + 1));
  }
  return real_infer(self, q);
}

static HnStatus no_relabel(void *self, const HnHistory *h, void *state, HnRng *rng, float *reward) {
  (void)self, (void)h, (void)state, (void)rng, (void)reward;
  return HN_OK;
}

/* A plugin whose calls of infer are counted. */
typedef struct Counted {
  HnPlugin plugin;
  HnInference methods;
} Counted;

static const HnPlugin *count_calls(Counted *c, const HnPlugin *plugin) {
  c->plugin = *plugin, c->methods = *(const HnInference *)plugin->methods;
  real_infer = c->methods.infer, c->methods.infer = counted_infer, c->plugin.methods = &c->methods;
  calls = times = 0;
  return &c->plugin;
}

/* ---- an inference that insists on its row memory ---- */

#define NO_PARAMS(X)
HN_PARAMS(NO_PARAMS);

typedef struct Strict {
  const HnHost *host;
} Strict;

static HnStatus strict_create(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  (void)params;
  ((Strict *)self)->host = host;
  spec->belief_dim = spec->latent_dim = 1, spec->row_size = sizeof(int64_t);
  return HN_OK;
}

/* Row memory counts the observations of the trial, so within one it is never 0, and it is where a
 * call begins with a task. */
static HnStatus strict_infer(void *self, HnBeliefUpdate *q) {
  const Strict *m = self;
  const HnHistory *h = q->history;
  const int64_t S = MAX(q->samples, 1);
  int64_t *seen = q->state;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      const bool fresh = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      if (fresh ? t == 0 && seen[i] != 0 : seen[i] == 0)
        return m->host->fail(m->host, HN_E_NUMERIC, "row memory is not what it was");
      seen[i] = fresh ? 1 : seen[i] + 1;
      for (int64_t k = 0; k < S; k++)
        q->belief[(t * h->rows + i) * S + k] =
            (float)((double)seen[i] + (q->samples ? hn_rng_normal(&q->rng[i]) : 0));
    }
  return HN_OK;
}

static const HnInference strict_methods = {sizeof(HnInference), .create = strict_create,
                                           .infer = strict_infer};
HN_PLUGIN(strict, HN_KIND_INFERENCE, Strict, &strict_methods, .version = "1", .license = "MIT",
          .summary = "Counts observations.", .source = "tests");

/* By uneven trials, without samples and with: the row memory of every call is what it would be step
 * by step. */
static void test_row_memory(void) {
  for (int64_t samples = 0; samples <= 2; samples += 2) {
    HnCell c =
        cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&strict_LTX_hn_plugin, ""),
                      part_of(&uniform_LTX_hn_plugin, ""));
    c.run.samples = c.evaluation.samples = samples;
    assert_same_bits(&c);
    cell_clear(&c);
  }
}

/* ---- the same bits ---- */

static const struct {
  const char *name;
  const HnPlugin *env, *inference;
  const char *settings;
  int64_t samples, trial_steps;
  int calls; /* of ten updates of 19 rows in two blocks; -1: not known beforehand */
} table[] = {
    /* trials of 50 and of 10 steps in windows of 10 */
    {"window", &fourier_LTX_hn_plugin, &vrnn_LTX_hn_plugin, "head: signal", 0, 50, 2 * 8},
    {"trial", &fourier_LTX_hn_plugin, &vrnn_LTX_hn_plugin, "head: signal", 0, 10, 0},
    {"samples", &fourier_LTX_hn_plugin, &vrnn_LTX_hn_plugin, "head: signal", 3, 10, 2 * 10},
    {"point", &fourier_LTX_hn_plugin, &recurrent_LTX_hn_plugin, "head: signal", 0, 17, 2 * 10},
    /* episodes that end early, so that some rows of a block begin a task where others go on */
    {"uneven", &toy_env_LTX_hn_plugin, &laplace_vrnn_LTX_hn_plugin, "head: signal", 0, 0, -1},
    {"uneven_samples", &toy_env_LTX_hn_plugin, &vrnn_LTX_hn_plugin, "", 2, 0, -1},
    {"refresh", &toy_env_LTX_hn_plugin, &vrnn_LTX_hn_plugin, "refresh: true", 0, 0, -1},
};

static HnCell cell_at(guint k, const HnPlugin *inference, const HnPlugin *policy) {
  g_autofree char *settings = g_strconcat("hidden: 6, latent: 3, embed: 5, head_layers: \"7\"",
                                          *table[k].settings ? ", " : "", table[k].settings, NULL);
  HnCell c =
      cell_of_parts(part_of(table[k].env, ""), part_of(inference, settings), part_of(policy, ""));
  c.run.samples = table[k].samples, c.run.trial_steps = table[k].trial_steps;
  c.evaluation.samples = table[k].samples;
  return c;
}

/* The same bits as of a policy that does not say that it ignores beliefs, by any number of workers,
 * and stopped and resumed; in far fewer calls. */
static void test_same(gconstpointer data) {
  const guint k = GPOINTER_TO_UINT(data);
  Counted counted;
  HnPlugin silent = uniform_LTX_hn_plugin;
  silent.flags &= ~(uint32_t)HN_IGNORES_BELIEF;
  HnCell c = cell_at(k, count_calls(&counted, table[k].inference), &uniform_LTX_hn_plugin);
  HnCell before = cell_at(k, &counted.plugin, &silent);
  g_autofree char *dir = folder_new(), *other = folder_new();
  run_whole(&before, other);
  const int stepwise = calls, each = times;
  g_assert_cmpint(each, >=, 10 * 19 * 11); /* every observation of ten windows */
  calls = times = 0;
  run_whole(&c, dir);
  g_test_message("%d calls for %d times, %d for %d", (int)calls, (int)times, stepwise, each);
  assert_same_run(dir, other);
  if (table[k].calls >= 0) g_assert_cmpint(calls, ==, table[k].calls);
  g_assert_cmpint(calls, <=, stepwise - 10 * 11); /* refreshing calls as often as before */
  assert_same_bits(&c);
  folder_free(g_steal_pointer(&dir)), folder_free(g_steal_pointer(&other));
  cell_clear(&c), cell_clear(&before);
}

/* Somebody may read them: a learner that does not say otherwise, or relabelling. */
static void test_read(void) {
  Counted counted;
  for (int k = 0; k < 2; k++) {
    count_calls(&counted, &vrnn_LTX_hn_plugin);
    if (k == 0) counted.plugin.flags &= ~(uint32_t)HN_IGNORES_BELIEF;
    if (k == 1) counted.methods.relabel = no_relabel;
    HnCell c = cell_at(1, &counted.plugin, &uniform_LTX_hn_plugin);
    g_autofree char *dir = folder_new();
    run_whole(&c, dir);
    g_assert_cmpint(calls, ==, 10 * 2 * 11);
    folder_free(g_steal_pointer(&dir)), cell_clear(&c);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (guint k = 0; k < G_N_ELEMENTS(table); k++) {
    g_autofree char *path = g_strconcat("/unread_beliefs/same/", table[k].name, NULL);
    g_test_add_data_func(path, GUINT_TO_POINTER(k), test_same);
  }
  g_test_add_func("/unread_beliefs/read", test_read);
  g_test_add_func("/unread_beliefs/row_memory", test_row_memory);
  return g_test_run();
}
