/* compat.h - one source for MuJoCo 2.2.2 to 2.3.7 and for every release from 3.0.1 on.
 *
 * The hand follows a mocap body through a weld whose rotation counts `torquescale` 5 times, and
 * older releases weigh that rotation otherwise: up to 2.3.7 with the inverse weight of translation
 * (6.1 instead of 285 for this hand), up to 3.0.0 without the torque scale in its error.  There the
 * weld is given torque scale 1, which the newer error with regularisation divided by 25 equals, and
 * the three rotational rows get the regularisation R that the newer weights would give them.
 * Motion of the arm then agrees with 3.3.0 to nine digits and more over 500 steps.  3.0.0 has one
 * change of the two and is refused. */
#ifndef HN_MW_COMPAT_H
#define HN_MW_COMPAT_H
#include <mujoco/mujoco.h>
#include <stdbool.h>

#define HN_MW_TORQUE_SCALE 5.0
#if mjVERSION_HEADER < 300
#  define HN_MW_OLD_WELD 1
#else
#  define HN_MW_OLD_WELD 0
#endif

static inline bool hn_mw_is_supported(void) {
  return mjVERSION_HEADER >= 222 && mjVERSION_HEADER != 300;
}

/* Sets what Meta-World sets in a compiled model: the weld's frame and torque scale.  From 3.8 on,
 * several contacts for a pair of convex bodies are the default, where 3.3.0 made one. */
static inline void hn_mw_adjust(mjModel *m) {
  for (int k = 0; k < m->neq; k++) {
    if (m->eq_type[k] != mjEQ_WELD) continue;
    mjtNum *data = m->eq_data + mjNEQDATA * k;
    for (int j = 0; j < 11; j++) data[j] = 0;
    data[6] = -1;
    data[10] = HN_MW_OLD_WELD ? 1 : HN_MW_TORQUE_SCALE;
  }
#if mjVERSION_HEADER >= 3008000
  m->opt.disableflags |= mjDSBL_MULTICCD;
#endif
}

/* Of the constraint that is first in m: the weld. */
static inline void hn_mw_weigh_weld(const mjModel *m, mjData *d, int hand) {
  if (d->ne < 6) return; /* a full buffer left it out, and MuJoCo has warned */
  double translation = m->body_invweight0[2 * hand], rotation = m->body_invweight0[2 * hand + 1];
  double factor = rotation / (HN_MW_TORQUE_SCALE * HN_MW_TORQUE_SCALE * translation);
  for (int row = 3; row < 6; row++) {
    d->efc_R[row] *= factor;
    d->efc_D[row] = 1 / d->efc_R[row];
  }
}

/* mj_step and mj_forward; `hand` is the welded body. */
static inline void hn_mw_substep(const mjModel *m, mjData *d, int hand) {
#if HN_MW_OLD_WELD
  mj_step1(m, d);
  hn_mw_weigh_weld(m, d, hand);
  mj_step2(m, d);
#else
  (void)hand;
  mj_step(m, d);
#endif
}

static inline void hn_mw_forward(const mjModel *m, mjData *d, int hand) {
#if HN_MW_OLD_WELD
  mj_fwdPosition(m, d);
  mj_fwdVelocity(m, d);
  hn_mw_weigh_weld(m, d, hand);
  mj_fwdActuation(m, d);
  mj_fwdAcceleration(m, d);
  mj_fwdConstraint(m, d);
#else
  (void)hand;
  mj_forward(m, d);
#endif
}
#endif
