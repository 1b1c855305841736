/* locomotion.h - an environment with a body that moves, but for its tasks and rewards.
 *
 * A body (ant.h, half_cheetah.h, humanoid.h, walker.h) is a table: its model, how an episode
 * starts, what is observed, how it is drawn.  A plugin's instance is an HnLocomotion; its create
 * fills in an HnLocomotionTasks, and its other methods are HN_LOCOMOTION_METHODS. */
#ifndef HN_LOCOMOTION_H
#define HN_LOCOMOTION_H
#include "sim.h"
#include <hunch/env.h>

/* The row memory of one row: doubles, in this order. */
typedef struct HnBodyRow {
  double *state; /* [qpos + 2 qvel + 1] as in sim.h */
  double *extra; /* [extra] what the body remembers besides */
  double *task;  /* [task_dim] */
} HnBodyRow;

typedef struct HnBody {
  const char *name, *mjcf;
  int qpos, qvel, actions,
      parts;        /* what MuJoCo must compile it to; parts: bodies, with the world */
  int frames;       /* time steps under one action */
  double time_step; /* s */
  int extra, obs_dim;
  int place;           /* where a row has the x and y (m) of what is paid for moving: 0, its torso,
                          or an entry of extra.  Planar bodies have no y */
  bool planar;         /* in the plane of x and z */
  bool uniform_speeds; /* at the start in +-noise; else noise * N(0, 1) */
  double control;      /* that an action of 1 stands for in HnMotion.effort */
  double force_limit;  /* each number of a contact force is clipped to +-this; 0: never read */
  HnView view;         /* for a body at the origin; the camera moves along */
  /* Writes row->state's observation, right after a begin or an advance on `slot`, and what extra
   * follows from it.
   *   force  [6 * parts] clipped contact forces, zeros where they are off or never read  [rows] */
  void (*observe)(const HnSim *sim, int64_t slot, const HnBodyRow *row, const double *force,
                  float *obs);
  /* Writes what differs between rows into the model of `slot`, before each begin and advance.  May
   * be NULL.  Errors: HN_E_IO without memory.  [rows] */
  HnStatus (*prepare)(const HnSim *sim, int64_t slot, const HnBodyRow *row);
  /* Draws as render does, but without OpenGL.  May be NULL.  [instance] */
  void (*sketch)(const HnSim *sim, const double *state, int64_t width, int64_t height,
                 uint8_t *rgb);
} HnBody;

/* One step of one row, for its reward. */
typedef struct HnMotion {
  const double *task;  /* [task_dim] */
  const double *state; /* after the step; qpos leads */
  double seconds;      /* of the step */
  double moved[2];     /* how far HnBody.place moved in x and y, m; of a torso, by the poses that
                          steps end with */
  double effort;       /* sum of squared actions, in units of HnBody.control, as they were chosen:
                          clipping them first would let their spread grow at no cost */
  double impact;       /* sum of squared contact forces (torques included), clipped; 0 where off */
  HnRng *rng;          /* the row's */
  float *info;         /* [info_count] out */
  bool terminated;     /* out, false before */
} HnMotion;

typedef struct HnLocomotion HnLocomotion;

typedef struct HnLocomotionTasks {
  const HnBody *body;
  int64_t horizon;
  double start_noise;  /* of pose and speeds, about the model's */
  bool contact_forces; /* see hn_sim_forces in sim.h; off: they count as zero */
  bool is_place;       /* the task is an x and a y, to be marked in pictures */
  int task_dim, info_count;
  /* Writes the task of row i, whose row memory is zero.  [rows] */
  HnStatus (*draw_task)(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                        const HnBodyRow *row);
  double (*reward)(const HnLocomotion *e, HnMotion *motion); /* [rows] */
} HnLocomotionTasks;

struct HnLocomotion {
  const void *params; /* the plugin's */
  HnLocomotionTasks tasks;
  HnSim sim;
};

/* Appends numbers to an observation; returns what comes after them.  [any] */
float *hn_body_append(float *obs, const double *values, int count);

/* Row i of a batch's row memory.  [any] */
HnBodyRow hn_locomotion_row(const HnLocomotion *e, void *state, int64_t i);

/* Compiles the body and fills `spec`.  Errors: as hn_sim_create; HN_E_UNSUPPORTED if this MuJoCo
 * compiles the body to another shape.  [create] */
HnStatus hn_locomotion_create(HnLocomotion *e, const HnHost *host, const void *params,
                              HnEnvSpec *spec, HnLocomotionTasks tasks);

/* As the methods of HnEnv. */
HnStatus hn_locomotion_reset(void *self, HnEnvBatch *b);
HnStatus hn_locomotion_step(void *self, HnEnvBatch *b);
HnStatus hn_locomotion_render(void *self, const void *state, int64_t width, int64_t height,
                              uint8_t *rgb);
void hn_locomotion_destroy(void *self);
#define HN_LOCOMOTION_METHODS                                                               \
  .reset = hn_locomotion_reset, .step = hn_locomotion_step, .render = hn_locomotion_render, \
  .destroy = hn_locomotion_destroy
#endif
