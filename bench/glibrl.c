/* glibrl.c - what GLiBRL costs: microseconds per env step of inferring, at the sizes of the cheetah
 * (20 observations, 6 actions, all columns live), and milliseconds per learn. */
#include "../plugins/inference/glibrl/model.h"
#include "../tests/support/cell_fixture.h"
#include "../tests/support/fake_host.h"
#include <stdio.h>
#include <time.h>

enum { OBS = 20, ACT = 6, STEPS = 400, ROUNDS = 7 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Steps -1 .. STEPS of a random walk; every row one task. */
typedef struct Walk {
  uint8_t *begin, *none; /* none: zeros */
  float *obs, *next, *action, *reward;
} Walk;

static Walk walk_new(int64_t rows) {
  int64_t n = (STEPS + 1) * rows;
  Walk w = {calloc((size_t)n, 1),         calloc((size_t)n, 1),
            calloc((size_t)(n * OBS), 4), calloc((size_t)(n * OBS), 4),
            calloc((size_t)(n * ACT), 4), calloc((size_t)n, 4)};
  HnRng rng = hn_rng(1, 1);
  for (int64_t k = 0; k < n; k++) {
    for (int j = 0; j < ACT; j++) w.action[k * ACT + j] = (float)hn_rng_uniform(&rng, -1, 1);
    for (int j = 0; j < OBS; j++) {
      float *s = w.obs + k * OBS + j;
      *s = k < rows ? (float)hn_rng_normal(&rng) : w.next[(k - rows) * OBS + j];
      w.next[k * OBS + j] =
          0.9f * *s + 0.3f * w.action[k * ACT + j % ACT] + 0.1f * (float)hn_rng_normal(&rng);
    }
    w.reward[k] = w.next[k * OBS] + 0.1f * (float)hn_rng_normal(&rng);
    w.begin[k] = k < rows || k >= n - rows ? HN_NEW_TASK : HN_KEEP;
  }
  return w;
}

static void walk_free(Walk *w) {
  free(w->begin), free(w->none), free(w->obs), free(w->next), free(w->action), free(w->reward);
}

static HnHistory window(const Walk *w, int64_t rows, int64_t from, int64_t steps) {
  int64_t at = from * rows;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = rows,
                     .begin = w->begin + at,
                     .obs = w->obs + at * OBS,
                     .action = w->action + at * ACT,
                     .reward = w->reward + at,
                     .next_obs = w->next + at * OBS,
                     .terminated = w->none + at,
                     .truncated = w->none + at};
}

extern const HnPlugin glibrl_LTX_hn_plugin;

static int by_size(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static double median(double *x) {
  qsort(x, ROUNDS, sizeof *x, by_size);
  return x[ROUNDS / 2];
}

/* An instance that has learnt a few times from random walks. */
typedef struct Bench {
  FakeHost fake;
  Glibrl g;
  HnBeliefSpec spec;
  HnRng rng;
  HnPluginChoice part;
  Walk walk;
  double learn; /* ms */
} Bench;

static Bench *bench_new(int64_t rows, const char *settings) {
  Bench *b = calloc(1, sizeof *b);
  b->rng = hn_rng(2, 2);
  b->spec = (HnBeliefSpec){.struct_size = sizeof b->spec,
                           .obs_dim = OBS,
                           .action_dim = ACT,
                           .horizon = STEPS,
                           .lifetime = STEPS,
                           .episodes = STEPS,
                           .rows = rows,
                           .steps = STEPS,
                           .rng = &b->rng};
  b->part = part_of(&glibrl_LTX_hn_plugin, settings);
  if (glibrl_create(&b->g, fake_host_open(&b->fake), b->part.params, &b->spec)) abort();
  b->walk = walk_new(rows);
  HnHistory h = window(&b->walk, rows, 0, STEPS);
  const HnHistory *phase[] = {&h};
  HnTrainBatch batch = {.struct_size = sizeof batch, .rng = &b->rng, .phases = 1, .phase = phase};
  double took[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    double start = seconds();
    if (glibrl_learn(&b->g, &batch)) abort();
    took[r] = (seconds() - start) * 1e3;
    fake_host_reset(&b->fake, (FakeMark){0});
  }
  b->learn = median(took);
  return b;
}

static void bench_free(Bench *b) {
  walk_free(&b->walk), fake_host_close(&b->fake), g_free(b->part.params), free(b);
}

/* Trials acted step by step (T = 0), or in one window; microseconds per row and step. */
static double time_infer(Bench *b, bool whole, bool informed) {
  const int64_t rows = b->spec.rows;
  const size_t row_size = b->spec.row_size;
  int64_t n = (STEPS + 1) * rows, dim = b->spec.belief_dim;
  float *belief = calloc((size_t)(n * dim), 4), *info = calloc((size_t)(n * glibrl_info_count), 4);
  void *state = aligned_alloc(64, row_size * (size_t)rows);
  double took[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    memset(state, 0, row_size * (size_t)rows);
    double start = seconds();
    for (int64_t t = 0; t < (whole ? 1 : STEPS); t++) {
      HnHistory h = window(&b->walk, rows, t, whole ? STEPS - 1 : 0);
      HnBeliefUpdate q = {.struct_size = sizeof q,
                          .history = &h,
                          .state = state,
                          .belief = belief,
                          .info = informed ? info : NULL};
      if (glibrl_infer(&b->g, &q)) abort();
      fake_host_reset(&b->fake, (FakeMark){0});
    }
    took[r] = (seconds() - start) * 1e6 / (double)(STEPS * rows);
  }
  free(belief), free(info), free(state);
  return median(took);
}

/* The networks alone, for as many rows as share a call. */
static double time_features(Bench *b) {
  const Glibrl *g = &b->g;
  const int64_t rows = b->spec.rows;
  float *x = calloc((size_t)(rows * g->reward.inputs), 4);
  float *work = calloc((size_t)(2 * rows * 1024), 4), *c = calloc((size_t)(rows * 1024), 4);
  double took[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    double start = seconds();
    for (int64_t t = 0; t < STEPS; t++) {
      glibrl_features(&g->transition, rows, x, g->reward.inputs, work, c);
      glibrl_features(&g->reward, rows, x, g->reward.inputs, work, c);
    }
    took[r] = (seconds() - start) * 1e6 / (double)(STEPS * rows);
  }
  fake_host_reset(&b->fake, (FakeMark){0});
  free(x), free(work), free(c);
  return median(took);
}

static void run(int64_t rows, int64_t reward_features) {
  g_autofree char *settings =
      g_strdup_printf("start: 1, reward_features: %d", (int)reward_features);
  Bench *b = bench_new(rows, settings);
  printf("rows %2d  D_R %3d  infer %5.2f us/step  informed %5.2f  in a window %5.2f  networks "
         "%5.2f  learn %6.1f ms\n",
         (int)rows, (int)reward_features, time_infer(b, false, false), time_infer(b, false, true),
         time_infer(b, true, false), time_features(b), b->learn);
  bench_free(b);
}

/* What views cost beside `compact`, in turn so that all meet the same machine. */
static void compare_views(const char *of, int64_t reward_features) {
  enum { VIEWS = 4 };
  static const char *const view[VIEWS] = {"compact", "means", "whitened", "predictions"};
  Bench *b[VIEWS];
  double took[VIEWS][ROUNDS] = {{0}};
  for (int v = 0; v < VIEWS; v++) {
    g_autofree char *settings =
        g_strdup_printf("start: 1, reward_features: %d, belief_of: %s, view: %s",
                        (int)reward_features, of, view[v]);
    b[v] = bench_new(16, settings);
  }
  for (int turn = 0; turn < ROUNDS; turn++)
    for (int v = 0; v < VIEWS; v++) took[v][turn] = time_infer(b[v], false, false);
  printf("D_R %3d, 16 rows, of %s:", (int)reward_features, of);
  const double compact = median(took[0]);
  for (int v = 0; v < VIEWS; v++)
    printf("  %s %.2f us/step, %.2f, %d numbers, learn %.0f ms;", view[v], median(took[v]),
           median(took[v]) / compact, (int)b[v]->spec.belief_dim, b[v]->learn);
  printf("\n");
  for (int v = 0; v < VIEWS; v++) bench_free(b[v]);
}

int main(void) {
  printf("D_T 16, %d observations, %d actions, %d steps a trial; kit %s, BLAS %s, CPU time of one "
         "thread, medians of %d\n",
         OBS, ACT, STEPS, hn_kit_isa(), hn_kit_blas(), ROUNDS);
  for (int64_t rows = 8; rows <= 16; rows *= 2)
    for (int64_t d = 64; d <= 256; d *= 4) run(rows, d);
  for (int64_t d = 64; d <= 256; d *= 4) compare_views("both", d), compare_views("reward", d);
  return 0;
}
