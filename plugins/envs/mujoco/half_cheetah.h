/* half_cheetah.h - the planar half-cheetah.
 *
 * qpos [9]: x, z, pitch, then hip, knee, ankle of the back and the front leg; qvel [9]: the same.
 * Actions [6]: torques of the six leg joints, as parts of their largest.  A step is five time steps
 * of 0.01 s.
 *
 * Observation [20]: qpos without x [8], qvel [9], the torso's place x, y, z [3].  The place is that
 * of the state itself; that of mujoco-py, which the published results used, lagged by one time
 * step.  Without OpenGL it is drawn flat, from its side. */
#ifndef HN_HALF_CHEETAH_H
#define HN_HALF_CHEETAH_H
#include "locomotion.h"

extern const HnBody hn_cheetah;
/* The same, whose observation [17] ends before the place, as Gymnasium's does. */
extern const HnBody hn_cheetah_placeless;
#endif
