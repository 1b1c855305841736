/* half_cheetah.h - the file format of half_cheetah.mujoco-*.bin, and what writer and reader share.
 *
 * One line of text, then little-endian float64:
 *   states    [STEPS / EVERY + 1, 27]  qpos [9], qvel [9], qacc_warmstart [9]
 *   controls  [STEPS, 6]               exact in float32; some beyond +-1, where motors saturate */
#ifndef GOLDEN_HALF_CHEETAH_H
#define GOLDEN_HALF_CHEETAH_H
#include <math.h>
#include <stdint.h>
#include <string.h>

#define GOLDEN_LINE "half_cheetah mujoco=%d steps=1000 every=10 libm=%016llx\n"
enum {
  GOLDEN_STEPS = 1000, /* of FRAMES time steps */
  GOLDEN_EVERY = 10,
  GOLDEN_FRAMES = 5,
  GOLDEN_JOINTS = 9,
  GOLDEN_MOTORS = 6,
  GOLDEN_STATE = 3 * GOLDEN_JOINTS,
};

/* A hash of how this machine's sine and cosine round.  The cheetah is chaotic: a last digit that
 * differs grows by 1e9 in a hundred steps, so long runs compare only where this agrees. */
static inline uint64_t golden_libm(void) {
  uint64_t hash = 14695981039346656037u;
  for (int k = 0; k < 4096; k++) {
    double value[2] = {sin(0.001 * k), cos(0.001 * k)};
    uint64_t bits[2];
    memcpy(bits, value, sizeof bits);
    hash = (hash ^ bits[0]) * 1099511628211u;
    hash = (hash ^ bits[1]) * 1099511628211u;
  }
  return hash;
}
#endif
