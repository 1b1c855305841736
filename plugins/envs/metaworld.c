/* metaworld.c - Meta-World: a Sawyer arm with a gripper, 50 manipulation tasks, and the benchmarks
 * ML1, ML10, ML45 (the goal is hidden, test tasks differ) and MT1, MT10, MT50 (it is shown).
 *
 * Task k of a half is goal k / F of its task k % F, for F tasks: so the first n are spread over
 * all. For one seed goals are those of Meta-World's own benchmark classes.  Names are Meta-World's
 * without "-v3"; rewards are version 2.  What is checked against recordings of the original, and to
 * what tolerance: tests/metaworld_test.c.
 *
 * Observation [39]: hand [3], gripper, two objects with orientation [14] (zeros where there is
 * one); the same of the step before [18]; the goal [3] or zeros.  With recurrent_info_in_obs [45]:
 * also the last action [4], reward / 10, and whether the episode ended.  Action [4]: how the hand
 * moves, in 0.01 m along x, y, z, and how the gripper shuts.
 *
 * Task, for privileged plugins: which task [F of both halves], where there are several, and the
 * random vector [6] that Meta-World makes object and goal of.
 *
 * A step after which the simulator warns or shows what is not finite truncates the episode, with a
 * reward of 0 and a line in the log: the failure is not the task's.
 *
 * Source: Yu et al. 2019, Meta-World; version 3.1.1 of the Farama Foundation's package. */
#include "metaworld/camera.h"
#include "metaworld/goals.h"
#include "metaworld/model.h"
#include "metaworld/world.h"
#include <hunch/tasks.h>
#include <stdatomic.h>
#include <string.h>

#define PARAMS(X)                                                                               \
  X(choice, benchmark, "", "Benchmark, which decides the training and test tasks.", "ml10",     \
    "ml1|ml10|ml45|mt1|mt10|mt50")                                                              \
  X(text, task, "", "Task of ml1 and mt1, such as reach.", "")                                  \
  X(int, seed, "", "Seed of the goals, as that of Meta-World's benchmarks.", 42, 0, 4294967294) \
  X(choice, goal, "", "Whether the goal is observed; official: hidden in ml, visible in mt.",   \
    "official", "official|hidden|visible")                                                      \
  X(int, horizon, "step", "Episode length, in steps of 0.0125 s.", 500, 1, 100000)              \
  X(flag, terminate_on_success, "", "Terminate an episode when the task is solved.", 0)         \
  X(flag, recurrent_info_in_obs, "",                                                            \
    "Append the last action, reward / 10 and end of episode to the observation, for RL2.", 0)
HN_PARAMS(PARAMS);
#define INFO(X)                                          \
  X(success, "", "Whether the task was solved.", HN_MAX) \
  X(unstable, "", "Whether the simulation failed, which truncated the episode.", HN_MAX)
HN_INFO(INFO);

enum { HALVES = 2, GOAL_OFFICIAL = 0, GOAL_VISIBLE = 2, EMPTY = 0, BUSY = 1, READY = 2 };

typedef struct Start { /* one task of a half: filled when first asked for */
  atomic_int state;
  HnMwRow row;
} Start;

typedef struct Half {
  int tasks, list[HN_MW_TASKS];
  double *goal; /* [tasks, HN_MW_GOALS, HN_MW_RAND] */
  Start *start; /* [tasks * HN_MW_GOALS] by k */
} Half;

typedef struct Metaworld {
  const HnThisParams *p;
  const HnHost *host;
  char assets[HN_MW_PATH];
  HnMwWorld world;
  HnMwPicture picture;
  Half half[HALVES];
  int choices; /* tasks told apart in the task vector; 0 if there is one */
  bool shown;  /* the goal */
  int64_t obs_dim, task_dim;
} Metaworld;

typedef struct Row {
  HnMwRow body;
  int64_t split, k;
} Row;

/* ---- making ---- */

static HnStatus find_task(const Metaworld *e, int *task) {
  const HnThisParams *p = e->p;
  const HnHost *host = e->host;
  bool one = p->benchmark == HN_MW_ML1 || p->benchmark == HN_MW_MT1;
  if (!one && *p->task)
    return host->fail(host, HN_E_PARAM, "task: %s is not asked for: only ml1 and mt1 have one task",
                      p->task);
  *task = one ? hn_mw_task_find(p->task) : 0;
  if (*task >= 0) return HN_OK;
  if (!*p->task) return host->fail(host, HN_E_PARAM, "ml1 and mt1 need a task, e.g. task: reach");
  return host->fail(host, HN_E_PARAM,
                    "no task '%s'; they are named as in Meta-World, without -v3, e.g. door-open",
                    p->task);
}

/* ML1 tests with goals of the next seed, other benchmarks with other tasks and the same seed. */
static void make_half(Metaworld *e, int h, int task) {
  Half *half = &e->half[h];
  uint32_t seed = (uint32_t)e->p->seed;
  half->tasks = hn_mw_split(e->p->benchmark, h, task, half->list);
  if (half->tasks == 0) return;
  int64_t goals = (int64_t)half->tasks * HN_MW_GOALS;
  half->goal = e->host->alloc(e->host, goals * HN_MW_RAND, sizeof *half->goal);
  half->start = e->host->alloc(e->host, goals, sizeof *half->start);
  if (h == 1 && e->p->benchmark == HN_MW_ML1) seed++;
  hn_mw_draw_goals(seed, half->tasks, half->list, half->goal);
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Metaworld *e = self;
  e->p = params, e->host = host;
  int task = 0, list[HALVES * HN_MW_TASKS], count = 0;
  HnStatus s = find_task(e, &task);
  if (!s) s = hn_mw_find_assets(host, e->assets);
  if (s) return s;
  for (int h = 0; h < HALVES; h++) {
    make_half(e, h, task);
    for (int k = 0; k < e->half[h].tasks; k++) list[count++] = e->half[h].list[k];
  }
  bool mt = e->p->benchmark >= HN_MW_MT1, same = e->p->benchmark == HN_MW_ML1;
  e->choices = count > 1 && !same ? count : 0;
  e->shown = e->p->goal == GOAL_OFFICIAL ? mt : e->p->goal == GOAL_VISIBLE;
  e->obs_dim = HN_MW_OBS + (e->p->recurrent_info_in_obs ? HN_MW_ACT + 2 : 0);
  e->task_dim = e->choices + HN_MW_RAND;
  spec->obs_dim = e->obs_dim, spec->action_dim = HN_MW_ACT, spec->task_dim = e->task_dim;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row);
  spec->splits = mt ? "train" : "train|test";
  spec->step_seconds = HN_MW_SECONDS;
  s = hn_mw_world_create(&e->world, host, e->assets, count, list);
  if (!s) host->log(host, "MuJoCo %s, models of %s", mj_versionString(), e->assets);
  return s;
}

static void destroy(void *self) {
  Metaworld *e = self;
  hn_mw_picture_free(&e->picture);
  hn_mw_world_destroy(&e->world);
}

static int64_t task_count(void *self, int64_t split) {
  return (int64_t)((Metaworld *)self)->half[split].tasks * HN_MW_GOALS;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  const Half *half = &((Metaworld *)self)->half[split];
  return hn_mw_tasks[half->list[k % half->tasks]].name;
}

/* ---- beginning ---- */

static void choose(const Half *half, int64_t k, HnMwRow *row) {
  int64_t which = k % half->tasks, goal = k / half->tasks;
  row->task = half->list[which];
  memcpy(row->rand, half->goal + (which * HN_MW_GOALS + goal) * HN_MW_RAND, sizeof row->rand);
}

/* A start is a function of the task alone, so whoever comes first computes and keeps it; who comes
 * meanwhile computes the same for itself and waits for nobody. */
static HnStatus start(Metaworld *e, Row *row) {
  const Half *half = &e->half[row->split];
  Start *kept = &half->start[row->k];
  if (atomic_load_explicit(&kept->state, memory_order_acquire) == READY)
    return row->body = kept->row, HN_OK;
  choose(half, row->k, &row->body);
  HnStatus s = hn_mw_start(&e->world, &row->body);
  int empty = EMPTY;
  if (s || !atomic_compare_exchange_strong(&kept->state, &empty, BUSY)) return s;
  kept->row = row->body;
  atomic_store_explicit(&kept->state, READY, memory_order_release);
  return HN_OK;
}

static void write_task(const Metaworld *e, const Row *row, float *task) {
  memset(task, 0, sizeof *task * (size_t)e->task_dim);
  if (e->choices) {
    int64_t which = row->k % e->half[row->split].tasks;
    task[row->split * e->half[0].tasks + which] = 1;
  }
  for (int k = 0; k < HN_MW_RAND; k++) task[e->choices + k] = (float)row->body.rand[k];
}

/* The action, reward and end that led here follow where the RL2 observation is asked for. */
static void write_obs(const Metaworld *e, const double *obs, float *to) {
  for (int k = 0; k < HN_MW_OBS; k++) to[k] = (float)obs[k];
  if (!e->shown) memset(to + HN_MW_OBS - 3, 0, sizeof *to * 3);
  if (e->p->recurrent_info_in_obs) memset(to + HN_MW_OBS, 0, sizeof *to * (HN_MW_ACT + 2));
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  Metaworld *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    HnStatus s = HN_OK;
    if (b->begin[i] == HN_NEW_TASK) {
      s = hn_task_settle(e->host, b, i, task_count(self, b->split));
      row->split = b->split, row->k = b->task_index[i];
    }
    if (!s) s = start(e, row);
    if (s) return s;
    double obs[HN_MW_OBS];
    hn_mw_first_obs(&row->body, obs);
    write_obs(e, obs, b->obs + i * e->obs_dim);
    write_task(e, row, b->task + i * e->task_dim);
  }
  return HN_OK;
}

/* ---- stepping ---- */

static HnStatus step(void *self, HnEnvBatch *b) {
  const Metaworld *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    const float *act = b->action + i * HN_MW_ACT;
    float *obs = b->obs + i * e->obs_dim, *info = b->info + i * info_count;
    HnMwOutcome out;
    HnStatus s = hn_mw_step(&e->world, &row->body, act, &out);
    if (s) return s;
    bool failed = *out.trouble != 0;
    if (failed)
      e->host->log(e->host, "%s: %s; the episode ends here", hn_mw_tasks[row->body.task].name,
                   out.trouble);
    b->reward[i] = (float)out.reward;
    b->truncated[i] = failed;
    b->terminated[i] = !failed && out.success && e->p->terminate_on_success;
    info[info_success] = out.success, info[info_unstable] = failed;
    write_obs(e, out.obs, obs);
    if (!e->p->recurrent_info_in_obs) continue;
    memcpy(obs + HN_MW_OBS, act, sizeof *act * HN_MW_ACT);
    obs[HN_MW_OBS + HN_MW_ACT] = (float)(out.reward / 10);
    obs[HN_MW_OBS + HN_MW_ACT + 1] = failed || b->terminated[i] || row->body.steps == e->p->horizon;
  }
  return HN_OK;
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  Metaworld *e = self;
  const Row *row = state;
  return hn_mw_draw(&e->picture, e->host, e->assets, &row->body, width, height, rgb);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .task_name = task_name,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(
    metaworld, HN_KIND_ENV, Metaworld, &methods, .flags = HN_ROW_CACHE, .version = "3.1.1",
    .license = "MIT", .info = hn_this_info, .renamed = "recurrent_info:recurrent_info_in_obs",
    .summary = "Meta-World's 50 manipulation tasks: ML1, ML10, ML45, MT1, MT10, MT50 (MuJoCo).",
    .source = "Yu et al. 2019, Meta-World; version 3.1.1, rewards v2");
