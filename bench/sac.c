/* sac.c - what soft actor-critic costs at the sizes of half-cheetah: microseconds of each part of
 * an update, and the speed of its products beside that of one product of a hidden layer; and beside
 * the same update in JAX (sac_jax.py; by $HUNCH_BENCH_PYTHON or python3), in turns.  Processor time
 * of one thread on both sides. */
#define ROUNDS 7
#include "../plugins/policies/sac/sac.h"
#include "../tests/support/fake_host.h"
#include "python.h"
#include "timing.h"
#include <math.h>

enum { UPDATES = 40, O = 17, A = 6, HIDDEN = 256, BATCH = 256, LIFE = 1000, TRIALS = 50 };

/* Multiply-adds of an update's products, an element, times two: of actor and critic one pass
 * forward; back, that and the gradient of weights, without that by the networks' inputs. */
static double flops(void) {
  const double inner = HIDDEN * HIDDEN;
  const double actor = O * HIDDEN + inner + 2 * A * HIDDEN, actor_back = inner + 2 * A * HIDDEN;
  const double critic = (O + A) * HIDDEN + inner + HIDDEN, critic_back = inner + HIDDEN;
  const double target = actor + 2 * critic, critics = 2 * (2 * critic + critic_back);
  const double policy = 2 * actor + actor_back + 2 * (critic + critic);
  return 2 * BATCH * (target + critics + policy);
}

typedef struct Times {
  double draw, critic, critic_step, actor, actor_step, product;
} Times;

static Sac *make(FakeHost *f, SacParams *p) {
  Sac *m = room(1, sizeof *m);
  HnRng rng = hn_rng(1, 0);
  *p = (SacParams){.hidden = "256 256",
                   .log_std_low = -20,
                   .log_std_high = 2,
                   .lr = 3e-4,
                   .critic_lr = 3e-4,
                   .adam_eps = 1e-8,
                   .gamma = 0.99,
                   .tau = 0.005,
                   .batch_size = BATCH,
                   .buffer_size = LIFE * TRIALS,
                   .tune_ent_coef = true,
                   .ent_coef = 1,
                   .target_entropy = -1,
                   .context_trials = 16};
  *m = (Sac){.p = p, .host = fake_host_open(f), .O = O, .A = A, .S = 1};
  if (sac_networks_create(m, &rng)) abort();
  sac_replay_create(m, &(HnPolicySpec){.lifetime = LIFE, .horizon = LIFE, .rows = 1});
  return m;
}

static void fill(Sac *m) {
  enum { STEPS = LIFE * TRIALS };
  float *obs = room((STEPS + 1) * O, sizeof *obs), *action = room(STEPS * A, sizeof *action);
  float *reward = room(STEPS, sizeof *reward);
  uint8_t *begin = room(STEPS + 1, 1), *none = room(STEPS, 1);
  HnRng rng = hn_rng(2, 0);
  hn_normals(&rng, (STEPS + 1) * O, obs), hn_normals(&rng, STEPS, reward);
  for (int64_t k = 0; k < STEPS * A; k++) action[k] = (float)hn_rng_uniform(&rng, -1, 1);
  for (int64_t t = 0; t <= STEPS; t += LIFE) begin[t] = HN_NEW_TASK;
  const HnHistory h = {.struct_size = sizeof h,
                       .steps = STEPS,
                       .rows = 1,
                       .stride = 1,
                       .begin = begin,
                       .obs = obs,
                       .action = action,
                       .reward = reward,
                       .next_obs = obs + O,
                       .terminated = none,
                       .truncated = none};
  if (hn_trial_replay_append(&m->replay, &h)) abort();
}

static void lap(double *mark, double *sum) {
  double t = now();
  *sum += (t - *mark) / UPDATES, *mark = t;
}

static Times round_of(Sac *m, FakeHost *f, const float *a, float *c) {
  Times t = {0};
  HnRng rng = hn_rng(3, 0);
  HnTrainBatch l = {.struct_size = sizeof l, .rng = &rng};
  SacDraw d;
  SacWork w = sac_work_begin(m, BATCH);
  SacSums sums = {0};
  SacBatch b;
  sac_draw_begin(m, &d, false);
  double mark = now();
  for (int k = 0; k < UPDATES; k++) {
    if (sac_draw(m, &l, &d, &b)) abort();
    lap(&mark, &t.draw);
    if (sac_critic_gradient(m, &w, &b, &sums)) abort();
    lap(&mark, &t.critic);
    sac_critic_step(m);
    lap(&mark, &t.critic_step);
    if (sac_actor_gradient(m, &w, &b, &sums)) abort();
    lap(&mark, &t.actor);
    sac_actor_step(m);
    lap(&mark, &t.actor_step);
    hn_gemm(BATCH / 2, HIDDEN, HIDDEN, a, HIDDEN, 1, a, HIDDEN, 0, c, HIDDEN);
    lap(&mark, &t.product);
  }
  fake_host_reset(f, (FakeMark){0});
  return t;
}

/* Of an update. */
static double jax_seconds(const Python *jax) {
  double seconds = NAN;
  char question[16];
  snprintf(question, sizeof question, "%d", (int)UPDATES);
  if (jax->ask) python_ask(jax, question, 1, &seconds);
  return seconds;
}

static void print_beside(const Python *jax, double whole, double theirs) {
  if (jax->ask)
    printf("  %s: %.0f updates/s; ratio %.2f\n", jax->version, 1 / theirs, theirs / whole);
  else
    printf("  no jax\n");
}

int main(void) {
  Python jax = python_open(python_chosen(), "sac_jax.py");
  FakeHost *f = room(1, sizeof *f);
  SacParams p;
  Sac *m = make(f, &p);
  float *a = room(HIDDEN * HIDDEN, sizeof *a), *c = room(HIDDEN * HIDDEN, sizeof *c);
  double part[6][ROUNDS], theirs[ROUNDS], mid[6], whole = 0;
  fill(m);
  round_of(m, f, a, c), jax_seconds(&jax);
  for (int k = 0; k < ROUNDS; k++) {
    Times t = round_of(m, f, a, c);
    const double all[6] = {t.draw, t.critic, t.critic_step, t.actor, t.actor_step, t.product};
    for (int j = 0; j < 6; j++) part[j][k] = all[j];
    theirs[k] = jax_seconds(&jax);
  }
  for (int j = 0; j < 6; j++) mid[j] = median(part[j]);
  for (int j = 0; j < 5; j++) whole += mid[j];
  double speed = 1e-9 * flops() / whole, inner = 1e-9 * flops() / (mid[1] + mid[3]);
  double peak = 1e-9 * BATCH * HIDDEN * HIDDEN / mid[5];
  printf("sac, %d observations, %d actions, %d x %d, minibatches of %d (%s)\n", O, A, HIDDEN,
         HIDDEN, BATCH, hn_kit_isa());
  printf("  us: draw %.0f, critics %.0f, their step %.0f, actor %.0f, its step and targets %.0f\n",
         1e6 * mid[0], 1e6 * mid[1], 1e6 * mid[2], 1e6 * mid[3], 1e6 * mid[4]);
  printf("  %.0f updates/s of %.0f Mflop: %.1f Gflop/s, %.1f in losses, one product %.1f: %.0f%%\n",
         1 / whole, 1e-6 * flops(), speed, inner, peak, 100 * speed / peak);
  print_beside(&jax, whole, median(theirs));
  python_close(&jax), fake_host_close(f);
  return 0;
}
