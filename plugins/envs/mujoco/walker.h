/* walker.h - the planar two-legged walker, whose physical parameters differ from row to row.
 *
 * qpos [9]: x, z (height of the torso's middle), pitch, then hip, knee, ankle of the right and the
 * left leg; qvel [9]: the same.  Actions [6]: torques of the six leg joints, as parts of their
 * largest.  A step is four time steps of 0.004 s.  Observation [17]: qpos without x [8], qvel
 * clipped to [-10, 10] [9]. */
#ifndef HN_WALKER_H
#define HN_WALKER_H
#include "locomotion.h"

/* The task of a row is factors on the model's parameters [58]: mass of the seven bodies [7], their
 * moments of inertia [7, 3], damping of the six leg joints [6], friction of the eight geoms,
 * sliding, spinning and rolling [8, 3] (only sliding matters: condim is 3).  Entries that are zero
 * in the model, the world's mass and the damping of what holds the torso in the plane, are left
 * out. */
enum {
  HN_WALKER_MASS = 0,
  HN_WALKER_INERTIA = 7,
  HN_WALKER_DAMPING = 28,
  HN_WALKER_FRICTION = 34,
  HN_WALKER_PARAMS = 58,
  /* extra: subtree masses [8], inverse weights of bodies [8, 2] and joints [9], mean inertia [1] */
  HN_WALKER_CONSTANTS = 8 + 2 * 8 + 9 + 1,
};

extern const HnBody hn_walker;

/* Computes row->extra, the constants that MuJoCo derives from masses and inertias, for row->task
 * or, where not `scaled`, for the unscaled model.  Once for a task: stepping copies numbers only.
 * Errors: HN_E_IO without memory.  [rows] */
HnStatus hn_walker_derive(const HnSim *sim, int64_t slot, bool scaled, const HnBodyRow *row);

/* Whether it still stands: height in (0.8, 2) m and pitch in (-1, 1) rad.  [any] */
bool hn_walker_stands(const double *state);
#endif
