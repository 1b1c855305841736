/* metaworld.c - `./dev bench metaworld [TASK]`: steps per second of every task of Meta-World, as
 * the bare simulator takes them (five time steps and a forward pass, the same states and actions),
 * and through the ABI, on one thread (processor time) and on two (clock); and beside the Python
 * package in one process, if $METAWORLD_PYTHON or python3 has it.  Of all tasks (no TASK given),
 * then also the simulator's share of a training iteration; `bench_metaworld share` prints that
 * alone. */
#include "../plugins/envs/metaworld/compat.h"
#include "../plugins/envs/metaworld/model.h"
#include "../plugins/envs/metaworld/world.h"
#include "../tests/support/env_fixture.h"
#include "metaworld_share.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

extern const HnPlugin metaworld_LTX_hn_plugin;
static const HnPlugin *const metaworld = &metaworld_LTX_hn_plugin;

enum { STEPS = 400, ROUNDS = 5, PYTHON_STEPS = 200 };

typedef struct Subject {
  int task;
  HnMwWorld world;
  FakeHost fake;
  EnvFixture *f; /* two rows of one goal */
  mjModel *model;
  mjData *data;
  float action[STEPS][HN_MW_ACT];
} Subject;

static double busy(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the bare simulator ---- */

/* From where the f's first row begins. */
static void place_bare(Subject *s) {
  const HnMwRow *row = env_fixture_row(s->f, 0);
  mjModel *m = s->model;
  mjData *d = s->data;
  env_fixture_reset(s->f, HN_NEW_TASK, 0);
  hn_mw_place_bodies(row, m);
  mj_resetData(m, d);
  memcpy(d->qpos, row->qpos, sizeof(double) * (size_t)m->nq);
  memcpy(d->qvel, row->qvel, sizeof(double) * (size_t)m->nv);
  memcpy(d->qacc_warmstart, row->warm, sizeof(double) * (size_t)m->nv);
  memcpy(d->mocap_pos, row->mocap, sizeof row->mocap);
  memcpy(d->mocap_quat, (const double[4]){1, 0, 1, 0}, 4 * sizeof(double));
}

static double run_bare(Subject *s) {
  const HnMwTask *task = &hn_mw_tasks[s->task];
  const int hand = hn_mw_hand_of(&s->world, s->task);
  mjModel *m = s->model;
  mjData *d = s->data;
  place_bare(s);
  double start = busy();
  for (int t = 0; t < STEPS; t++) {
    const float *a = s->action[t];
    for (int i = 0; i < 3; i++)
      d->mocap_pos[i] =
          CLAMP(d->mocap_pos[i] + (double)(a[i] * 0.01f), task->mocap_low[i], task->mocap_high[i]);
    d->ctrl[0] = (double)a[3], d->ctrl[1] = -(double)a[3];
    for (int k = 0; k < HN_MW_FRAMES; k++) hn_mw_substep(m, d, hand);
    hn_mw_forward(m, d, hand);
  }
  return busy() - start;
}

/* ---- through the ABI ---- */

typedef struct Job {
  Subject *s;
  int64_t row;
} Job;

static gpointer step_row(gpointer arg) {
  const Job *job = arg;
  Subject *s = job->s;
  HnEnvBatch part = env_fixture_part(s->f, job->row, 1);
  for (int t = 0; t < STEPS; t++) {
    part.action = s->action[t];
    if (s->f->env->step(s->f->self, &part)) g_error("%s", s->f->fake.error);
  }
  return NULL;
}

static double run_env(Subject *s) {
  Job job = {s, 0};
  env_fixture_reset(s->f, HN_NEW_TASK, 0);
  double start = busy();
  step_row(&job);
  double seconds = busy() - start;
  const HnMwRow *row = env_fixture_row(s->f, 0); /* both did the same work */
  for (int k = 0; k < s->model->nq; k++)
    if (row->qpos[k] != s->data->qpos[k]) g_error("the two runs went apart");
  return seconds;
}

static double run_two(Subject *s) {
  Job job[2] = {{s, 0}, {s, 1}};
  env_fixture_reset(s->f, HN_NEW_TASK, 0);
  gint64 start = g_get_monotonic_time();
  GThread *second = g_thread_new("second", step_row, &job[1]);
  step_row(&job[0]);
  g_thread_join(second);
  return 1e-6 * (double)(g_get_monotonic_time() - start);
}

/* ---- the Python package ---- */

typedef struct Python {
  FILE *to, *from; /* NULL: not there */
  GPid pid;
} Python;

static Python python_open(void) {
  const char *name = g_getenv("METAWORLD_PYTHON") ? g_getenv("METAWORLD_PYTHON") : "python3";
  g_autofree char *probe = g_strdup_printf("'%s' -c 'import metaworld' 2>/dev/null", name);
  Python p = {.to = NULL};
  int in, out;
  char *argv[] = {g_strdup(name), g_strdup(BENCH "/metaworld_python.py"), NULL};
  if (system(probe) == 0 &&
      g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                               NULL, NULL, &p.pid, &in, &out, NULL, NULL))
    p.to = fdopen(in, "w"), p.from = fdopen(out, "r");
  g_free(argv[0]), g_free(argv[1]);
  return p;
}

/* Steps per second, or 0. */
static double python_rate(Python *p, const char *task) {
  char name[40];
  double rate = 0;
  if (!p->to) return 0;
  fprintf(p->to, "%s %d\n", task, PYTHON_STEPS), fflush(p->to);
  return fscanf(p->from, "%39s %lf", name, &rate) == 2 && !strcmp(name, task) ? rate : 0;
}

/* ---- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *x, int n) {
  qsort(x, (size_t)n, sizeof *x, by_value);
  return x[n / 2];
}

static Subject *subject_open(const char *assets, int task) {
  Subject *s = g_new0(Subject, 1);
  char name[60];
  HnRng rng = hn_rng(1, (uint64_t)task);
  g_snprintf(name, sizeof name, "task=%s", hn_mw_tasks[task].name);
  s->task = task;
  if (hn_mw_world_create(&s->world, fake_host_open(&s->fake), assets, 1, &task))
    g_error("%s", s->fake.error);
  s->f = env_fixture_new(metaworld, 2, SETTINGS({"benchmark", HN_MW_MT1}, {name, 0}));
  s->model = mj_copyModel(NULL, hn_mw_model_of(&s->world, task));
  s->data = mj_makeData(s->model);
  for (int t = 0; t < STEPS; t++)
    for (int k = 0; k < HN_MW_ACT; k++) s->action[t][k] = (float)hn_rng_uniform(&rng, -1, 1);
  return s;
}

static void subject_close(Subject *s) {
  mj_deleteData(s->data), mj_deleteModel(s->model);
  env_fixture_free(s->f);
  hn_mw_world_destroy(&s->world);
  fake_host_close(&s->fake);
  g_free(s);
}

/* Prints a line; adds to `share` what the environment reaches of the bare rate, to `ratio` what of
 * Python's. */
static void bench(const char *assets, int task, Python *python, double *share, double *ratio) {
  Subject *s = subject_open(assets, task);
  double shares[ROUNDS], bare[ROUNDS], two[ROUNDS];
  for (int k = 0; k < ROUNDS; k++) {
    bare[k] = run_bare(s);
    double env = run_env(s);
    shares[k] = bare[k] / env;
    two[k] = run_two(s);
  }
  double rate = STEPS / median(bare, ROUNDS), reached = median(shares, ROUNDS);
  double theirs = python_rate(python, hn_mw_tasks[task].name);
  printf("%-28s %8.0f %8.0f %6.3f %10.0f", hn_mw_tasks[task].name, rate, rate * reached, reached,
         2 * STEPS / median(two, ROUNDS));
  if (theirs > 0) printf(" %8.0f %6.1f", theirs, rate * reached / theirs);
  printf("\n"), fflush(stdout);
  *share = reached, *ratio = theirs > 0 ? rate * reached / theirs : 0;
  subject_close(s);
}

/* Of one task, or NULL: all. */
static void bench_tasks(const char *assets, const char *only) {
  Python python = python_open();
  double share[HN_MW_TASKS], ratio[HN_MW_TASKS];
  int count = 0;
  printf("MuJoCo %s; steps of 0.0125 s per second\n%-28s %8s %8s %6s %10s%s\n", mj_versionString(),
         "", "bare", "ABI", "share", "2 threads",
         python.to ? "   Python  ratio" : "   (no Python package)");
  for (int k = 0; k < HN_MW_TASKS; k++)
    if (!only || !strcmp(only, hn_mw_tasks[k].name))
      bench(assets, k, &python, &share[count], &ratio[count]), count++;
  if (count) {
    double middle = median(share, count); /* sorts */
    printf("median share of the bare rate %.3f, least %.3f", middle, share[0]);
    if (python.to) printf("; median ratio to Python %.1f", median(ratio, count));
  }
  printf("\n");
  if (python.to) fclose(python.to), fclose(python.from);
}

int main(int argc, char **argv) {
  char assets[HN_MW_PATH];
  const char *only = argc > 1 ? argv[1] : NULL;
  FakeHost fake;
  if (hn_mw_find_assets(fake_host_open(&fake), assets)) {
    fprintf(stderr, "%s\n", fake.error);
    return 2;
  }
  if (g_strcmp0(only, "share") != 0) bench_tasks(assets, only);
  if (!only || !strcmp(only, "share")) bench_share();
  fake_host_close(&fake);
  return 0;
}
