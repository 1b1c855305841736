/* ant.h - the four-legged ant: body, start, one step, contact forces.  Its tasks differ in what
 * they show and pay for. */
#ifndef HN_ANT_H
#define HN_ANT_H
#include "sim.h"

enum {
  HN_ANT_QPOS = 15,   /* torso x, y, z and quaternion, then hip and ankle of legs 1 to 4 */
  HN_ANT_QVEL = 14,   /* torso velocity [3] and rotation [3], then the joints */
  HN_ANT_ACT = 8,     /* torques of hip and ankle of legs 4, 1, 2, 3, as parts of their largest */
  HN_ANT_FORCES = 84, /* a wrench on each of 14 bodies, the world first (always zero) */
  HN_ANT_FRAMES = 5,  /* time steps of 0.01 s under one action */
  HN_ANT_STATE = 44,  /* as in sim.h */
};
#define HN_ANT_SECONDS 0.05 /* of one step */

typedef struct HnAnt { /* what a row remembers of the body; qpos leads */
  double state[HN_ANT_STATE];
} HnAnt;

/* The model, for tests. */
const char *hn_ant_mjcf(void);

/* Compiles the model.  Errors: as hn_sim_create. */
HnStatus hn_ant_create(HnSim *sim, const HnHost *host, int64_t slots);

/* Starts an episode: pose uniform in +-noise about the model's (quaternion too, then normalised),
 * speeds noise * N(0, 1), as Gymnasium does.  Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_ant_begin(const HnSim *sim, int64_t slot, double noise, HnRng *rng, HnAnt *body);

/* One step of 0.05 s.
 *   action  [8] clipped to [-1, 1] for the motors
 *   effort  out: sum of squares of the action as given, not clipped
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_ant_step(const HnSim *sim, int64_t slot, HnAnt *body, const float *action,
                     double *effort);

/* After hn_ant_begin or hn_ant_step on the same slot: contact forces as hn_sim_forces has them,
 * each clipped to [-1, 1], or zeros unless `felt`.
 *   force  out [84], or NULL
 * Returns the sum of their squares.  [rows] */
double hn_ant_contacts(const HnSim *sim, int64_t slot, bool felt, double *force);

/* Draws the body with OpenGL, the camera moving along with it.
 *   goal  [3] a place to mark, or NULL
 *   rgb  [height, width, 3] out, top row first
 * Errors: as hn_render.  [instance] */
HnStatus hn_ant_render(const HnSim *sim, const HnAnt *body, const double *goal, int64_t width,
                       int64_t height, uint8_t *rgb);
#endif
