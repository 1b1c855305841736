/* body.h - the file format of BODY.mujoco-*.bin, runs of Gymnasium's models, and what their writer
 * and their readers share.
 *
 * One line of text, then little-endian numbers:
 *   states    [STEPS / EVERY + 1, nq + 2 nv] float64  qpos, qvel, qacc_warmstart
 *   forces    [STEPS / EVERY + 1, 6 nbody] float64    cfrc_ext
 *   controls  [STEPS, nu] float32  as parts of the motors' range; some beyond +-1, where motors
 *                                  saturate */
#ifndef GOLDEN_BODY_H
#define GOLDEN_BODY_H
#include <math.h>
#include <stdint.h>
#include <string.h>

#define GOLDEN_LINE                                                                    \
  "%s mujoco=%d nq=%d nv=%d nu=%d nbody=%d timestep=%g frames=%d steps=1000 every=10 " \
  "libm=%016llx\n"
enum { GOLDEN_STEPS = 1000, GOLDEN_EVERY = 10, GOLDEN_RECORDS = GOLDEN_STEPS / GOLDEN_EVERY + 1 };

/* A hash of how this machine's sine and cosine round.  These bodies are chaotic: a last digit that
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
