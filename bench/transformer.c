/* transformer.c - what TrMRL costs beside the matrix products in it, at its published sizes: one
 * gradient step (forward, backward, Adam) over a whole window of experience, and acting; the same
 * of ECET, without its products over episodes, and of TrMRL's posterior, whose products are those
 * of TrMRL: to act it takes a Jacobian as well.
 *
 * `products` is the same step's products alone, by hn_gemm in the same shapes and order on arrays
 * as large as a piece's: what a step would take if all else were free.  `share` is the fraction of
 * the step that they make up, so the share of the kit's rate for these shapes that it reaches. */
#include "../plugins/inference/transformer/transformer.h"
#include "../tests/support/fake_host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const HnPlugin ecet_LTX_hn_plugin, laplace_trmrl_LTX_hn_plugin, trmrl_LTX_hn_plugin;

enum { ROUNDS = 9, PIECE = 32 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Size {
  const char *name;
  const HnPlugin *plugin;
  int64_t obs, action_dim, rows, steps, horizon;
  TransformerParams p;
} Size;

static double median(double *x) {
  for (int i = 1; i < ROUNDS; i++)
    for (int j = i; j > 0 && x[j] < x[j - 1]; j--) {
      const double swap = x[j];
      x[j] = x[j - 1], x[j - 1] = swap;
    }
  return x[ROUNDS / 2];
}

/* ---- products alone ---- */

static float *memory[3]; /* a, b, c: large enough for any product */
static double flops;

/* x w of m rows, as often as a step does it: twice forward, and back to x (not for tokens) and w.
 */
static void linear(int64_t m, int64_t n, int64_t k, bool inner) {
  float *a = memory[0], *b = memory[1], *c = memory[2];
  hn_gemm(m, n, k, a, k, 1, b, n, 0, c, n);
  hn_gemm(m, n, k, a, k, 1, b, n, 0, c, n);
  hn_gemm(k, n, m, a, 1, k, c, n, 1, b, n);
  if (inner) hn_gemm(m, k, n, c, n, 1, b, k, 1, a, k);
  flops += 2.0 * (double)(m * n * k) * (inner ? 4 : 3);
}

static void products(const Size *s) {
  const TransformerParams *p = &s->p;
  const int64_t d = p->width, windows = s->rows * (s->steps + 1), in = s->obs + s->action_dim + 1;
  for (int64_t at = 0; at < windows; at += PIECE) {
    const int64_t n = windows - at < PIECE ? windows - at : PIECE;
    linear(n + p->memory - 1, d, in, false);
    for (int64_t l = 0; l < p->layers; l++) {
      const int64_t asking = l + 1 < p->layers ? n * p->memory : n;
      linear(n * p->memory, 3 * d, d, true), linear(asking, d, d, true);
      linear(asking, p->feed_forward, d, true), linear(asking, d, p->feed_forward, true);
    }
  }
}

/* ---- the method ---- */

static HnHistory walk_new(const Size *s) {
  const size_t n = (size_t)((s->steps + 3) * s->rows);
  uint8_t *begin = calloc(n, 1);
  float *obs = calloc(n * (size_t)s->obs, 4), *action = calloc(n * (size_t)s->action_dim, 4);
  float *reward = calloc(n, 4);
  HnRng rng = hn_rng(1, 1);
  for (size_t k = 0; k < n * (size_t)s->obs; k++) obs[k] = (float)hn_rng_normal(&rng);
  for (size_t k = 0; k < n * (size_t)s->action_dim; k++) action[k] = (float)hn_rng_normal(&rng);
  for (size_t k = 0; k < n; k++) reward[k] = (float)hn_rng_normal(&rng);
  for (int64_t t = 1; t <= s->steps + 1; t++)
    if ((t - 1) % s->horizon == 0)
      memset(begin + t * s->rows, t == 1 ? HN_NEW_TASK : HN_NEW_EPISODE, (size_t)s->rows);
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = s->steps,
                     .rows = s->rows,
                     .stride = s->rows,
                     .begin = begin + s->rows,
                     .obs = obs + s->rows * s->obs,
                     .action = action + s->rows * s->action_dim,
                     .next_obs = obs + 2 * s->rows * s->obs,
                     .reward = reward + s->rows};
}

static void run(const Size *s) {
  FakeHost *f = malloc(sizeof *f);
  const HnInference *methods = s->plugin->methods;
  void *m = calloc(1, s->plugin->self_size);
  HnRng rng = hn_rng(2, 2);
  HnBeliefSpec spec = {
      .struct_size = sizeof spec, .obs_dim = s->obs, .action_dim = s->action_dim, .rng = &rng};
  if (methods->create(m, fake_host_open(f), &s->p, &spec)) abort();
  HnHistory h = walk_new(s), now = h; /* now: a step within an episode */
  now.steps = 0, now.begin += s->rows;
  const int64_t n = (s->steps + 1) * s->rows * spec.belief_dim;
  float *belief = calloc((size_t)n, 4), *d = calloc((size_t)n, 4);
  for (int64_t k = 0; k < n; k++) d[k] = 1e-4f;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = calloc((size_t)s->rows, spec.row_size),
                      .belief = belief};
  double took[4][ROUNDS], norm2;
  for (int r = 0; r < ROUNDS; r++) {
    double mark = seconds();
    q.history = &h;
    if (methods->forward(m, &q)) abort();
    took[0][r] = seconds() - mark, mark = seconds();
    if (methods->backward(m, &q, d, &norm2) || methods->step(m, 1, 1)) abort();
    took[1][r] = seconds() - mark, mark = seconds();
    fake_host_reset(f, (FakeMark){0});
    flops = 0, products(s);
    took[2][r] = seconds() - mark, mark = seconds();
    q.history = &now;
    for (int64_t t = 0; t < 50; t++) {
      if (methods->infer(m, &q)) abort();
      fake_host_reset(f, (FakeMark){0});
    }
    took[3][r] = (seconds() - mark) / 50;
  }
  const double us = 1e6 / (double)(s->steps * s->rows), forward = median(took[0]),
               back = median(took[1]), alone = median(took[2]);
  printf("%-8s %5zu bytes a row   act %5.2f   step %6.2f = forward %5.2f + rest %6.2f   products "
         "%6.2f (%.0f Gflop/s)"
         "   share %.2f\n",
         s->name, spec.row_size, median(took[3]) * 1e6 / (double)s->rows, (forward + back) * us,
         forward * us, back * us, alone * us, flops / alone * 1e-9, alone / (forward + back));
}

int main(int argc, char **argv) { /* of sizes that are named, or all */
  const Size sizes[] = {
      {"ml10",
       &trmrl_LTX_hn_plugin,
       39,
       4,
       10,
       500,
       500,
       {.memory = 5, .layers = 4, .width = 32, .heads = 4, .feed_forward = 128}},
      {"cheetah",
       &trmrl_LTX_hn_plugin,
       20,
       6,
       4, /* a minibatch of a quarter of the rows */
       200,
       200,
       {.memory = 5, .layers = 4, .width = 128, .heads = 16, .feed_forward = 512}},
      {"laplace", /* as ml10 */
       &laplace_trmrl_LTX_hn_plugin,
       39,
       4,
       10,
       500,
       500,
       {.memory = 5,
        .layers = 4,
        .width = 32,
        .heads = 4,
        .feed_forward = 128,
        .accumulate = ACCUMULATE_PRECISION,
        .damping = 1,
        .jitter = 1e-6,
        .prior_variance = 1,
        .track = true}},
      {"ecet", /* ten episodes of 50 steps */
       &ecet_LTX_hn_plugin,
       39,
       4,
       10,
       500,
       50,
       {.memory = 5,
        .layers = 4,
        .width = 32,
        .heads = 4,
        .feed_forward = 128,
        .episodes = 25,
        .episode_layers = 2}}};
  for (int k = 0; k < 3; k++) memory[k] = calloc((size_t)1 << 20, sizeof(float));
  printf("us per env step, CPU time of one thread, medians of %d; kit %s\n", ROUNDS, hn_kit_isa());
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    if (argc < 2 || !strcmp(argv[1], sizes[k].name)) run(&sizes[k]);
  return 0;
}
