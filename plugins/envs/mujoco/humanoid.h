/* humanoid.h - the humanoid.
 *
 * qpos [24]: the torso's x, y, z and quaternion, then 17 joints.  qvel [23]: the torso's velocity
 * [3] and rotation [3], then the joints.  Actions [17]: torques of the joints, as parts of their
 * largest, which a control of 0.4 stands for; effort is counted in controls.  A step is five time
 * steps of 0.003 s.  What is paid for moving is the centre of mass.
 *
 * Observation [376]: qpos without x and y [22], qvel [23], mass and inertia of each of 14 bodies,
 * the world first, about the common centre [14, 10], its velocity [14, 6], torques of the motors
 * [23], contact forces [14, 6].  Unlike the positions of mujoco-py, which lag by a part of a time
 * step, all but the forces belong to the state itself; for the forces see hn_sim_forces. */
#ifndef HN_HUMANOID_H
#define HN_HUMANOID_H
#include "locomotion.h"

extern const HnBody hn_humanoid;

/* Whether it still stands: the torso's height is in [1, 2] m.  [any] */
bool hn_humanoid_stands(const double *state);
#endif
