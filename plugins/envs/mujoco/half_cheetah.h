/* half_cheetah.h - the planar half-cheetah: body, start, one step, observation.  Its tasks differ
 * only in what they pay for. */
#ifndef HN_HALF_CHEETAH_H
#define HN_HALF_CHEETAH_H
#include "sim.h"

enum {
  HN_CHEETAH_JOINTS = 9, /* x, z, pitch, then hip, knee, ankle of the back and the front leg */
  HN_CHEETAH_OBS = 20,   /* qpos without x [8], qvel [9], place of the torso x, y, z [3] */
  HN_CHEETAH_ACT = 6,    /* torques of the six leg joints, as parts of their largest */
  HN_CHEETAH_FRAMES = 5, /* time steps of 0.01 s under one action */
  HN_CHEETAH_STATE = 28, /* as in sim.h */
};

#define HN_CHEETAH_SECONDS 0.05 /* of one step */

typedef struct HnCheetah { /* what a row remembers of the body; qpos leads */
  double state[HN_CHEETAH_STATE];
} HnCheetah;

/* The model, for tests. */
const char *hn_cheetah_mjcf(void);

/* Compiles the model and fills in obs_dim and action_dim of `spec`.  Errors: as hn_sim_create. */
HnStatus hn_cheetah_create(HnSim *sim, const HnHost *host, int64_t slots);

/* Starts an episode: joints uniform in +-noise about the model's pose, speeds noise * N(0, 1), as
 * Gymnasium does.  Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_cheetah_begin(const HnSim *sim, int64_t slot, double noise, HnRng *rng,
                          HnCheetah *body);

/* One step of 0.05 s.
 *   action    [6] clipped to [-1, 1] for the motors
 *   velocity  out: (x after - x before) / 0.05, m/s
 *   effort    out: sum of squares of the action as given, not clipped, which is what VariBAD's
 *             control cost is taken of
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_cheetah_step(const HnSim *sim, int64_t slot, HnCheetah *body, const float *action,
                         double *velocity, double *effort);

/* Writes the observation [20].  The torso's place is that of the state itself; that of mujoco-py,
 * which the published results used, lagged by one time step of 0.01 s.  [any] */
void hn_cheetah_observe(const HnCheetah *body, float *obs);

/* Draws the body from its side with OpenGL, the camera moving along with it; without OpenGL by
 * hn_cheetah_sketch.
 *   rgb  [height, width, 3] out, top row first
 * Errors: as hn_render, but for missing OpenGL.  [instance] */
HnStatus hn_cheetah_render(const HnSim *sim, const HnCheetah *body, int64_t width, int64_t height,
                           uint8_t *rgb);

/* Draws the body flat from its side, which needs no OpenGL: 4 m from left to right, the
 * trunk's middle in the middle, and a post on the ground every metre. rgb  [height, width, 3] out,
 * top row first [instance] */
void hn_cheetah_sketch(const HnSim *sim, const HnCheetah *body, int64_t width, int64_t height,
                       uint8_t *rgb);
#endif
