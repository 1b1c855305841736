/* world.h - Meta-World's simulator: models of some tasks, workbenches, and a row's state as plain
 * numbers.
 *
 * As with the other bodies (../mujoco/sim.h) a row is numbers and a simulator a workbench: it is
 * given a row before each step and read after.  Here rows differ in model too, so there are
 * benches for every model, lent for one step and given back; there are as many as calls ran at
 * once, whatever the number of rows.  What setting up an episode edits in a model is the place of
 * one body: a bench's model is the shared one with an own body_pos.
 *
 * Units: m, rad, s.  Positions are of the world's frame. */
#ifndef HN_MW_WORLD_H
#define HN_MW_WORLD_H
#include "scene.h"
#include "tasks.h"
#include <hunch/plugin.h>
#include <mujoco/mujoco.h>

enum {
  HN_MW_QPOS = 18, /* most of any model */
  HN_MW_QVEL = 17,
  HN_MW_ACT = 4,    /* how the hand moves along x, y, z, in 0.01 m; and how the gripper shuts */
  HN_MW_FRAMES = 5, /* time steps of 0.0025 s under one action */
  HN_MW_FRAME = HN_MW_SEEN,
  HN_MW_OBS = 2 * HN_MW_SEEN + 3, /* now, the step before, the goal */
};

#define HN_MW_SECONDS 0.0125 /* of one step */

typedef struct HnMwRow { /* all that a row remembers */
  int64_t task;          /* index in hn_mw_tasks */
  double rand[HN_MW_RAND];
  double qpos[HN_MW_QPOS], qvel[HN_MW_QVEL], warm[HN_MW_QVEL], mocap[3];
  double frame[HN_MW_FRAME];                         /* what was seen last, not clipped */
  double tcp0[3], target[3], obj0[3], mark[3], far0; /* as in scene.h */
  int64_t steps;                                     /* since the episode began */
} HnMwRow;

typedef struct HnMwOutcome {
  double obs[HN_MW_OBS]; /* clipped as Meta-World does, with the goal */
  double reward;         /* 0 to 10 */
  bool success;          /* the task stands solved now */
  char trouble[120];     /* why the simulator cannot be trusted any more, or "" */
} HnMwOutcome;

typedef struct HnMwModel HnMwModel; /* private */
typedef struct HnMwSubject HnMwSubject;

typedef struct HnMwWorld {
  const HnHost *host;
  HnMwModel *model; /* [models] */
  int models;
  HnMwSubject *subject[HN_MW_TASKS]; /* by task; NULL where not asked for */
} HnMwWorld;

/* Compiles the models of `count` tasks and looks up the names they use.
 *   assets  folder, as hn_mw_find_assets finds it
 * Errors: HN_E_IO about files, HN_E_UNSUPPORTED about MuJoCo or a model that lacks a name; nothing
 * is then left to destroy.  [create] */
HnStatus hn_mw_world_create(HnMwWorld *w, const HnHost *host, const char *assets, int count,
                            const int *task);
void hn_mw_world_destroy(HnMwWorld *w);

/* Begins an episode of row->task and row->rand, as Meta-World's reset does; overwrites the rest.
 * A function of those two alone; some 5 ms.  Errors: HN_E_NUMERIC, HN_E_IO.  [rows] */
HnStatus hn_mw_start(const HnMwWorld *w, HnMwRow *row);

/* What is seen at the start of an episode, which Meta-World does not clip.
 *   obs  out [HN_MW_OBS].  [any] */
void hn_mw_first_obs(const HnMwRow *row, double *obs);

/* One step of 0.0125 s.  After trouble the row may only be started anew, and the outcome shows
 * what was seen before, without reward.
 *   action  [4] as given: clipped where it moves, not where it is paid for
 * Errors: HN_E_NUMERIC for an action that is not finite, HN_E_IO.  [rows] */
HnStatus hn_mw_step(const HnMwWorld *w, HnMwRow *row, const float *action, HnMwOutcome *out);

/* The end of hn_mw_step alone, without moving: looks and pays.  [rows] */
HnStatus hn_mw_look(const HnMwWorld *w, HnMwRow *row, const float *action, HnMwOutcome *out);

/* Writes the places of bodies that the row's set-up edits into a model of its task.  [any] */
void hn_mw_place_bodies(const HnMwRow *row, mjModel *m);

/* The compiled model of a task as it is before any set-up, and the body welded to the mocap body:
 * for tests and benches. */
const mjModel *hn_mw_model_of(const HnMwWorld *w, int64_t task);
int hn_mw_hand_of(const HnMwWorld *w, int64_t task);
#endif
