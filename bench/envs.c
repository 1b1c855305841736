/* envs.c - steps per second of every environment through the ABI, on one thread and on two, and
 * what the ABI costs a cheetah beside MuJoCo called directly.
 *
 *   bench_envs
 *
 * Each figure is the median of REPEATS runs; direct and plugin runs alternate, so that both meet
 * the same machine.  Actions are random and drawn before the clock starts. */
#include "../plugins/envs/mujoco/half_cheetah.h"
#include "../tests/env_rig.h"
#include <stdio.h>
#include <time.h>

extern const HnPlugin gridworld_LTX_hn_plugin, point_robot_LTX_hn_plugin, cheetah_dir_LTX_hn_plugin,
    cheetah_vel_LTX_hn_plugin;

enum { ROWS = 16, EPISODE = 200, REPEATS = 21, FRAMES = HN_CHEETAH_FRAMES };

typedef struct Actions { /* [EPISODE, ROWS, ..] */
  float act[EPISODE][ROWS][HN_CHEETAH_ACT];
  int32_t pick[EPISODE][ROWS];
} Actions;

typedef struct Job { /* rows of one thread, and how many times an episode's length to step them */
  Rig *rig;
  const Actions *actions;
  int64_t first, rows, episodes;
} Job;

static gpointer step_rows(gpointer arg) {
  const Job *job = arg;
  HnEnvBatch part = rig_part(job->rig, job->first, job->rows);
  for (int64_t n = 0; n < job->episodes * EPISODE; n++) {
    part.act = &job->actions->act[n % EPISODE][job->first][0];
    part.pick = &job->actions->pick[n % EPISODE][job->first];
    if (job->rig->env->step(job->rig->self, &part)) g_error("%s", job->rig->fake.error);
  }
  return NULL;
}

/* Processor seconds of this thread. */
static double busy(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds for `episodes` of all rows: processor time on one thread, time on the clock on two. */
static double run_plugin(Rig *rig, const Actions *actions, int64_t episodes, int threads) {
  rig_reset(rig, HN_NEW_TASK, -1);
  gint64 start = g_get_monotonic_time();
  double start_busy = busy();
  Job job[2] = {{rig, actions, 0, ROWS / threads, episodes},
                {rig, actions, ROWS / 2, ROWS / 2, episodes}};
  GThread *second = threads == 2 ? g_thread_new("second", step_rows, &job[1]) : NULL;
  step_rows(&job[0]);
  if (!second) return busy() - start_busy;
  g_thread_join(second);
  return 1e-6 * (double)(g_get_monotonic_time() - start);
}

/* The same rows with nothing but MuJoCo: one mjData a row, from the states that `rig` begins at. */
static double run_direct(Rig *rig, const mjModel *m, mjData **d, const Actions *actions,
                         int64_t episodes) {
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    const HnCheetah *body = rig_row(rig, i);
    mj_resetData(m, d[i]);
    memcpy(d[i]->qpos, body->state, sizeof(double) * 9);
    memcpy(d[i]->qvel, body->state + 9, sizeof(double) * 9);
    memcpy(d[i]->qacc_warmstart, body->state + 18, sizeof(double) * 9);
  }
  double start = busy();
  for (int64_t n = 0; n < episodes * EPISODE; n++)
    for (int64_t i = 0; i < ROWS; i++) {
      for (int k = 0; k < m->nu; k++) d[i]->ctrl[k] = (double)actions->act[n % EPISODE][i][k];
      for (int k = 0; k < FRAMES; k++) mj_step(m, d[i]);
    }
  return busy() - start;
}

static int by_value(gconstpointer a, gconstpointer b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void bench(const HnPlugin *plugin, const Actions *actions, int64_t episodes,
                  const mjModel *m) {
  double seconds[2][REPEATS], direct[REPEATS], ratio[REPEATS],
      steps = (double)(episodes * EPISODE * ROWS);
  Rig *rig = rig_new(plugin, ROWS, NULL);
  mjData *d[ROWS] = {NULL};
  for (int64_t i = 0; m && i < ROWS; i++) d[i] = mj_makeData(m);
  for (int k = 0; k < REPEATS; k++) {
    HnRng stream[ROWS];
    memcpy(stream, rig->b.rng, sizeof stream); /* every run the same */
    if (m) direct[k] = run_direct(rig, m, d, actions, episodes);
    for (int threads = 1; threads <= 2; threads++) {
      memcpy(rig->b.rng, stream, sizeof stream);
      seconds[threads - 1][k] = run_plugin(rig, actions, episodes, threads);
    }
    memcpy(rig->b.rng, stream, sizeof stream);
  }
  for (int k = 0; m && k < REPEATS; k++) ratio[k] = seconds[0][k] / direct[k];
  qsort(seconds[0], REPEATS, sizeof(double), by_value);
  qsort(seconds[1], REPEATS, sizeof(double), by_value);
  printf("%-12s %11.0f %11.0f", plugin->name, steps / seconds[0][0], steps / seconds[1][0]);
  if (m) {
    qsort(direct, REPEATS, sizeof(double), by_value);
    qsort(ratio, REPEATS, sizeof(double), by_value);
    printf(" %11.0f %8.2f %+7.1f %%", FRAMES * steps / direct[0], 1e6 * direct[0] / steps / FRAMES,
           100 * (ratio[REPEATS / 2] - 1));
  }
  printf("\n");
  for (int64_t i = 0; m && i < ROWS; i++) mj_deleteData(d[i]);
  rig_free(rig);
}

int main(void) {
  HnRng rng = hn_rng(1, 1);
  Actions *actions = g_new0(Actions, 1);
  for (int t = 0; t < EPISODE; t++)
    for (int i = 0; i < ROWS; i++) {
      for (int k = 0; k < HN_CHEETAH_ACT; k++)
        actions->act[t][i][k] = (float)hn_rng_uniform(&rng, -1, 1);
      actions->pick[t][i] = (int32_t)hn_rng_below(&rng, 5);
    }
  HnSim sim;
  Rig *host = rig_new(&gridworld_LTX_hn_plugin, 1, NULL);
  if (hn_cheetah_create(&sim, &host->fake.host, 1)) g_error("%s", host->fake.error);
  printf("MuJoCo %s, %d rows, best of %d\n", mj_versionString(), (int)ROWS, (int)REPEATS);
  printf("%-12s %11s %11s %11s %8s %9s\n", "environment", "steps/s", "2 threads", "mj_steps/s",
         "us each", "overhead");
  bench(&gridworld_LTX_hn_plugin, actions, 1000, NULL);
  bench(&point_robot_LTX_hn_plugin, actions, 1000, NULL);
  bench(&cheetah_dir_LTX_hn_plugin, actions, 1, sim.model);
  bench(&cheetah_vel_LTX_hn_plugin, actions, 1, sim.model);
  hn_sim_destroy(&sim);
  rig_free(host);
  g_free(actions);
  return 0;
}
