/* walker.h - the planar two-legged walker: body, parameters that differ from row to row, start, one
 * step, observation. */
#ifndef HN_WALKER_H
#define HN_WALKER_H
#include "sim.h"

enum {
  HN_WALKER_JOINTS = 9, /* x, z (height of the torso's middle), pitch, then hip, knee, ankle of the
                           right and the left leg */
  HN_WALKER_OBS = 17,   /* qpos without x [8], qvel clipped to [-10, 10] [9] */
  HN_WALKER_ACT = 6,    /* torques of the six leg joints, as parts of their largest */
  HN_WALKER_FRAMES = 4, /* time steps of 0.004 s under one action */
  HN_WALKER_STATE = 28, /* as in sim.h */
  HN_WALKER_BODIES = 8, /* the world, torso, then thigh, shin, foot of the right and the left leg */
  HN_WALKER_GEOMS = 8,  /* the ground, then one for each body */
  HN_WALKER_PARAMS = 58,
  HN_WALKER_CONSTANTS = 8 + 2 * 8 + 9 + 1,
};
#define HN_WALKER_SECONDS 0.016 /* of one step */

/* Factors on the model's parameters [58]: mass of the seven bodies [7], their moments of inertia
 * [7, 3], damping of the six leg joints [6], friction of the eight geoms, sliding, spinning and
 * rolling [8, 3] (only sliding matters: condim is 3).  Entries that are zero in the model, the
 * world's mass and the damping of what holds the torso in the plane, are left out. */
enum {
  HN_WALKER_MASS = 0,
  HN_WALKER_INERTIA = 7,
  HN_WALKER_DAMPING = 28,
  HN_WALKER_FRICTION = 34,
};

typedef struct HnWalker { /* what a row remembers of the body; qpos leads */
  double state[HN_WALKER_STATE];
  double scale[HN_WALKER_PARAMS];
  double constant[HN_WALKER_CONSTANTS]; /* what MuJoCo derives from masses and inertias */
} HnWalker;

/* The model, for tests. */
const char *hn_walker_mjcf(void);

/* Compiles the model.  Errors: as hn_sim_create. */
HnStatus hn_walker_create(HnSim *sim, const HnHost *host, int64_t slots);

/* Computes body->constant from body->scale or, where not `derive`, takes the unscaled model's.
 * Once for a task: stepping copies numbers only.  Errors: HN_E_IO without memory.  [rows] */
HnStatus hn_walker_set(const HnSim *sim, int64_t slot, bool derive, HnWalker *body);

/* Starts an episode: pose and speeds uniform in +-noise about the model's, as Gymnasium does.
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_walker_begin(const HnSim *sim, int64_t slot, double noise, HnRng *rng, HnWalker *body);

/* One step of 0.016 s.
 *   action    [6] clipped to [-1, 1] for the motors
 *   velocity  out: (x after - x before) / 0.016, m/s
 *   effort    out: sum of squares of the action as given, not clipped
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_walker_step(const HnSim *sim, int64_t slot, HnWalker *body, const float *action,
                        double *velocity, double *effort);

/* Whether the walker still stands: height in (0.8, 2) m and pitch in (-1, 1) rad.  [any] */
bool hn_walker_stands(const HnWalker *body);

/* Writes the observation [17].  [any] */
void hn_walker_observe(const HnWalker *body, float *obs);

/* Draws the body with OpenGL, the camera moving along with it.
 *   rgb  [height, width, 3] out, top row first
 * Errors: as hn_render.  [instance] */
HnStatus hn_walker_render(const HnSim *sim, const HnWalker *body, int64_t width, int64_t height,
                          uint8_t *rgb);
#endif
