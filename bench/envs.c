/* envs.c - steps per second of every environment through the ABI, on one thread and on two, and
 * what the ABI costs a body beside MuJoCo called directly: a walker also writes its row's
 * parameters, the humanoid and ant_goal also read contact forces.
 *
 *   bench_envs [NAME]
 *
 * Each figure is the median of several runs; direct and plugin runs alternate, so that both meet
 * the same machine.  Actions are random and drawn before the clock starts. */
#include "../plugins/envs/mujoco/ant.h"
#include "../plugins/envs/mujoco/half_cheetah.h"
#include "../plugins/envs/mujoco/humanoid.h"
#include "../plugins/envs/mujoco/walker.h"
#include "../tests/support/env_fixture.h"
#include <stdio.h>
#include <time.h>

extern const HnPlugin ant_dir_LTX_hn_plugin, ant_goal_LTX_hn_plugin, cheetah_dir_LTX_hn_plugin,
    cheetah_vel_LTX_hn_plugin, gridworld_LTX_hn_plugin, humanoid_dir_LTX_hn_plugin,
    point_robot_LTX_hn_plugin, walker_rand_params_LTX_hn_plugin;

enum { ROWS = 16, EPISODE = 200, ACT = 17 /* the humanoid's, the most */ };

typedef struct Subject {
  const HnPlugin *plugin;
  const Setting *settings;
  const HnBody *body; /* NULL: no MuJoCo */
  int64_t episodes;   /* a run */
  int repeats;
} Subject;

typedef struct Actions {
  float act[EPISODE][ROWS * ACT]; /* [EPISODE, ROWS, action_dim], the front of each part in use */
  int32_t action_index[EPISODE][ROWS];
} Actions;

typedef struct Job { /* rows of one thread, and how many times an episode's length to step them */
  EnvFixture *f;
  const Actions *actions;
  int64_t first, rows, episodes;
} Job;

static gpointer step_rows(gpointer arg) {
  const Job *job = arg;
  HnEnvBatch part = env_fixture_part(job->f, job->first, job->rows);
  for (int64_t n = 0; n < job->episodes * EPISODE; n++) {
    part.action = part.chosen =
        &job->actions->act[n % EPISODE][job->first * job->f->spec.action_dim];
    part.action_index = &job->actions->action_index[n % EPISODE][job->first];
    if (job->f->env->step(job->f->self, &part)) g_error("%s", job->f->fake.error);
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
static double run_plugin(EnvFixture *f, const Actions *actions, int64_t episodes, int threads) {
  env_fixture_reset(f, HN_NEW_TASK, -1);
  gint64 start = g_get_monotonic_time();
  double start_busy = busy();
  Job job[2] = {{f, actions, 0, ROWS / threads, episodes},
                {f, actions, ROWS / 2, ROWS / 2, episodes}};
  GThread *second = threads == 2 ? g_thread_new("second", step_rows, &job[1]) : NULL;
  step_rows(&job[0]);
  if (!second) return busy() - start_busy;
  g_thread_join(second);
  return 1e-6 * (double)(g_get_monotonic_time() - start);
}

/* The same rows with nothing but MuJoCo: one mjData a row, from the states that `f` begins at. */
static double run_direct(EnvFixture *f, const mjModel *m, mjData **d, const Actions *actions,
                         const Subject *subject) {
  env_fixture_reset(f, HN_NEW_TASK, -1);
  const size_t nq = (size_t)m->nq, nv = (size_t)m->nv;
  for (int64_t i = 0; i < ROWS; i++) {
    const double *state = env_fixture_row(f, i);
    mj_resetData(m, d[i]);
    memcpy(d[i]->qpos, state, sizeof(double) * nq);
    memcpy(d[i]->qvel, state + nq, sizeof(double) * nv);
    memcpy(d[i]->qacc_warmstart, state + nq + nv, sizeof(double) * nv);
  }
  double start = busy();
  for (int64_t n = 0; n < subject->episodes * EPISODE; n++)
    for (int64_t i = 0; i < ROWS; i++) {
      const float *act = actions->act[n % EPISODE] + i * m->nu;
      for (int k = 0; k < m->nu; k++)
        d[i]->ctrl[k] = (double)act[k] * m->actuator_ctrlrange[2 * k + 1];
      for (int k = 0; k < subject->body->frames; k++) mj_step(m, d[i]);
    }
  return busy() - start;
}

static int by_value(gconstpointer a, gconstpointer b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *x, int count) {
  qsort(x, (size_t)count, sizeof *x, by_value);
  return x[count / 2];
}

static void bench(const Subject *subject, const Actions *actions) {
  enum { MOST = 21 };
  double seconds[2][MOST], direct[MOST], ratio[MOST];
  const int repeats = subject->repeats;
  const double steps = (double)(subject->episodes * EPISODE * ROWS);
  EnvFixture *f = env_fixture_new(subject->plugin, ROWS, subject->settings);
  HnSim sim = {.model = NULL};
  mjData *d[ROWS] = {NULL};
  if (subject->body && hn_sim_create(&sim, &f->fake.host, subject->body->mjcf, 1))
    g_error("%s", f->fake.error);
  for (int64_t i = 0; sim.model && i < ROWS; i++) d[i] = mj_makeData(sim.model);
  for (int k = 0; k < repeats; k++) {
    HnRng stream[ROWS];
    memcpy(stream, f->b.rng, sizeof stream); /* every run the same */
    if (sim.model) direct[k] = run_direct(f, sim.model, d, actions, subject);
    for (int threads = 1; threads <= 2; threads++) {
      memcpy(f->b.rng, stream, sizeof stream);
      seconds[threads - 1][k] = run_plugin(f, actions, subject->episodes, threads);
    }
    memcpy(f->b.rng, stream, sizeof stream);
    ratio[k] = sim.model ? seconds[0][k] / direct[k] : 0;
  }
  printf("%-18s %11.0f %11.0f", subject->plugin->name, steps / median(seconds[0], repeats),
         steps / median(seconds[1], repeats));
  if (sim.model) {
    double each = median(direct, repeats) / steps / subject->body->frames;
    printf(" %11.0f %8.2f %+7.1f %%", 1 / each, 1e6 * each, 100 * (median(ratio, repeats) - 1));
  }
  printf("\n");
  for (int64_t i = 0; sim.model && i < ROWS; i++) mj_deleteData(d[i]);
  hn_sim_destroy(&sim);
  env_fixture_free(f);
}

int main(int argc, char **argv) {
  const Subject subjects[] = {
      {&gridworld_LTX_hn_plugin, NULL, NULL, 1000, 21},
      {&point_robot_LTX_hn_plugin, NULL, NULL, 1000, 21},
      {&cheetah_dir_LTX_hn_plugin, NULL, &hn_cheetah, 1, 21},
      {&cheetah_vel_LTX_hn_plugin, NULL, &hn_cheetah, 1, 21},
      {&ant_dir_LTX_hn_plugin, NULL, &hn_ant, 1, 7},
      {&ant_goal_LTX_hn_plugin, NULL, &hn_ant, 1, 7},
      {&humanoid_dir_LTX_hn_plugin, NULL, &hn_humanoid, 1, 5},
      /* factors of 1, so that both move alike; writing them costs what any would */
      {&walker_rand_params_LTX_hn_plugin, SETTINGS({"scale_limit", 0}), &hn_walker, 1, 11},
  };
  HnRng rng = hn_rng(1, 1);
  Actions *actions = g_new0(Actions, 1);
  for (int t = 0; t < EPISODE; t++) {
    for (int k = 0; k < ROWS * ACT; k++) actions->act[t][k] = (float)hn_rng_uniform(&rng, -1, 1);
    for (int i = 0; i < ROWS; i++) actions->action_index[t][i] = (int32_t)hn_rng_below(&rng, 5);
  }
  printf("MuJoCo %s, %d rows, medians\n", mj_versionString(), (int)ROWS);
  printf("%-18s %11s %11s %11s %8s %9s\n", "environment", "steps/s", "2 threads", "mj_steps/s",
         "us each", "overhead");
  for (size_t k = 0; k < G_N_ELEMENTS(subjects); k++)
    if (argc < 2 || strcmp(argv[1], subjects[k].plugin->name) == 0) bench(&subjects[k], actions);
  g_free(actions);
  return 0;
}
