/* humanoid.h - the humanoid: body, start, one step, observation. */
#ifndef HN_HUMANOID_H
#define HN_HUMANOID_H
#include "sim.h"

enum {
  HN_HUMANOID_QPOS = 24,   /* torso x, y, z and quaternion, then 17 joints */
  HN_HUMANOID_QVEL = 23,   /* torso velocity [3] and rotation [3], then the joints */
  HN_HUMANOID_ACT = 17,    /* torques of the joints, as parts of their largest */
  HN_HUMANOID_BODIES = 14, /* the world first */
  HN_HUMANOID_FRAMES = 5,  /* time steps of 0.003 s under one action */
  HN_HUMANOID_STATE = 71,  /* as in sim.h */
  /* qpos without x and y [22], qvel [23], mass and inertia of each body about the common centre
   * [14, 10], its velocity [14, 6], torques of the motors [23], contact forces [14, 6] */
  HN_HUMANOID_OBS = 376,
};
#define HN_HUMANOID_TIME_STEP 0.003
#define HN_HUMANOID_LARGEST   0.4 /* the control that an action of 1 stands for */

typedef struct HnHumanoid { /* what a row remembers of the body; qpos leads */
  double state[HN_HUMANOID_STATE];
  double center[2]; /* x and y of the centre of mass */
} HnHumanoid;

/* The model, for tests. */
const char *hn_humanoid_mjcf(void);

/* Compiles the model.  Errors: as hn_sim_create. */
HnStatus hn_humanoid_create(HnSim *sim, const HnHost *host, int64_t slots);

/* Starts an episode: pose (quaternion too, then normalised) and speeds uniform in +-noise about the
 * model's, as Gymnasium does.
 *   felt  whether obs shows contact forces or zeros
 *   obs   out [376]; unlike the positions of mujoco-py, which lag by a part of a time step, all but
 *         the forces belong to the state itself; for the forces see hn_sim_forces
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_humanoid_begin(const HnSim *sim, int64_t slot, double noise, bool felt, HnRng *rng,
                           HnHumanoid *body, float *obs);

/* One step of 0.015 s.
 *   action  [17] clipped to [-1, 1] for the motors
 *   obs     out [376], as above
 *   move    out: displacement of the centre of mass in x and y, m
 *   effort  out: sum of squared controls, 0.4 times the action as given, not clipped
 *   impact  out: sum of squared contact forces (torques included), 0 unless `felt`
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_humanoid_step(const HnSim *sim, int64_t slot, bool felt, HnHumanoid *body,
                          const float *action, float *obs, double move[2], double *effort,
                          double *impact);

/* Draws the body with OpenGL, the camera moving along with it.
 *   rgb  [height, width, 3] out, top row first
 * Errors: as hn_render.  [instance] */
HnStatus hn_humanoid_render(const HnSim *sim, const HnHumanoid *body, int64_t width, int64_t height,
                            uint8_t *rgb);
#endif
