/* collect.c - `./dev bench collect`: collecting experience on cheetah_vel (physics, belief update
 * with D_T = 16 and D_R = 64, policy, recording) against the bare mj_step rate of the same model on
 * the same number of threads, in turn, in one run. */
#include "collect_cell.h"
#include "envs/mujoco/half_cheetah.h"
#include <hunch/kit/gemm.h>
#include <pthread.h>
#include <unistd.h>

enum { ROUNDS = 9, EPISODE = 200 };

static double seconds(void) {
  return (double)g_get_monotonic_time() * 1e-6;
}

/* ---- bare physics ---- */

typedef struct Bare {
  const mjModel *model;
  int64_t frames;
  uint64_t stream;
} Bare;

static void *step_bare(void *arg) {
  const Bare *b = arg;
  mjData *d = mj_makeData(b->model);
  HnRng rng = hn_rng(7, b->stream);
  for (int64_t t = 0; t < b->frames; t++) {
    if (t % EPISODE == 0) {
      mj_resetData(b->model, d);
      for (int k = 0; k < b->model->nq; k++) d->qpos[k] += hn_rng_uniform(&rng, -0.1, 0.1);
      for (int k = 0; k < b->model->nv; k++) d->qvel[k] = 0.1 * hn_rng_normal(&rng);
    }
    for (int k = 0; k < b->model->nu; k++) {
      double u = hn_rng_normal(&rng); /* as an untrained policy acts */
      d->ctrl[k] = CLAMP(u, -1, 1);
    }
    for (int k = 0; k < hn_cheetah.frames; k++) mj_step(b->model, d);
  }
  mj_deleteData(d);
  return NULL;
}

static double bare_rate(const mjModel *model, int threads) {
  pthread_t thread[8];
  Bare b[8];
  double start = seconds();
  for (int k = 0; k < threads; k++) {
    b[k] = (Bare){model, COLLECT_ROWS * COLLECT_STEPS / threads, (uint64_t)k};
    if (pthread_create(&thread[k], NULL, step_bare, &b[k]) != 0) exit(1);
  }
  for (int k = 0; k < threads; k++) pthread_join(thread[k], NULL);
  return COLLECT_ROWS * COLLECT_STEPS / (seconds() - start);
}

/* ---- collection ---- */

static double collect_rate(HnSession *s) {
  double start = seconds();
  collect_window(s);
  return COLLECT_ROWS * COLLECT_STEPS / (seconds() - start);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static double median(double *x) {
  qsort(x, ROUNDS, sizeof *x, by_value);
  return x[ROUNDS / 2];
}

static void compare(const mjModel *model, int threads) {
  HnCell *cell = collect_cell(threads);
  HnSession *s = collect_session(cell);
  double bare[ROUNDS], full[ROUNDS], ratio[ROUNDS];
  collect_rate(s), bare_rate(model, threads);
  for (int k = 0; k < ROUNDS; k++) {
    bare[k] = bare_rate(model, threads), full[k] = collect_rate(s);
    ratio[k] = full[k] / bare[k];
  }
  printf("%7d %14.0f %14.0f %9.2f\n", threads, median(bare), median(full), median(ratio));
  fflush(stdout);
  hn_session_free(s), hn_cell_free(cell);
}

int main(void) {
  char why[256] = "";
  char *path = NULL;
  int file = g_file_open_tmp("hunch-bench-XXXXXX.xml", &path, NULL);
  const char *mjcf = hn_cheetah.mjcf;
  if (file < 0 || !g_file_set_contents(path, mjcf, -1, NULL)) return 1;
  mjModel *model = mj_loadXML(path, NULL, why, sizeof why);
  remove(path), g_free(path), close(file);
  if (!model) return fprintf(stderr, "%s\n", why), 1;
  printf("cheetah_vel, %d rows, %d steps a window, MuJoCo %s, kit %s, BLAS %s; medians of %d\n",
         COLLECT_ROWS, COLLECT_STEPS, mj_versionString(), hn_kit_isa(), hn_kit_blas(), ROUNDS);
  printf("%7s %14s %14s %9s\n", "threads", "bare frames/s", "collecting", "ratio");
  compare(model, 1), compare(model, 2);
  mj_deleteModel(model);
  return 0;
}
