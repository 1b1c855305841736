/* ant.h - the four-legged ant.
 *
 * qpos [15]: the torso's x, y, z and quaternion, then hip and ankle of legs 1 to 4.  qvel [14]: the
 * torso's velocity [3] and rotation [3], then the joints.  Actions [8]: torques of hip and ankle of
 * legs 4, 1, 2, 3, as parts of their largest.  Contact forces [84]: a wrench on each of 14 bodies,
 * the world first (always zero), each number clipped to [-1, 1].  A step is five time steps of
 * 0.01 s. */
#ifndef HN_ANT_H
#define HN_ANT_H
#include "locomotion.h"

extern const HnBody hn_ant;       /* observes qpos without x and y [13], qvel [14] */
extern const HnBody hn_ant_whole; /* observes qpos [15], qvel [14], contact forces [84] */
#endif
