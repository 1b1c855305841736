/* reward.h - the parts that Meta-World's rewards are made of.  Source: Meta-World 3.1.1,
 * utils/reward_utils.py and sawyer_xyz_env.py. */
#ifndef HN_MW_REWARD_H
#define HN_MW_REWARD_H
#include "scene.h"
#include <math.h>

/* 1 in [low, high], falling outside: 0.1 where x is `margin` away.  No margin: 0 outside.  A
 * negative margin counts as none; upstream raises, and no task gets there. */
static inline double between(double x, double low, double high, double margin) {
  if (low <= x && x <= high) return 1;
  if (margin <= 0) return 0;
  double u = 3 * ((x < low ? low - x : x - high) / margin);
  return 1 / (u * u + 1);
}

/* The same with low 0; and with a Gaussian's tail instead of the long one. */
static inline double within(double x, double high, double margin) {
  return between(x, 0, high, margin);
}
static inline double within_gauss(double x, double high, double margin) {
  if (0 <= x && x <= high) return 1;
  if (margin <= 0) return 0;
  double u = 2.145966026289347 * ((x < 0 ? -x : x - high) / margin); /* sqrt(-2 ln 0.1) */
  return exp(-0.5 * (u * u));
}

/* Hamacher's product: both of a and b, each in [0, 1]. */
static inline double both(double a, double b) {
  double d = a + b - a * b;
  return d > 0 ? a * b / d : 0;
}

static inline double clamp(double x, double low, double high) {
  return fmin(fmax(x, low), high);
}

/* Distances: plain, with weighted axes, in the plane of the table, in the plane x z. */
static inline double length(double x, double y, double z) {
  return sqrt(x * x + y * y + z * z);
}
static inline double apart(const double *a, const double *b) {
  return length(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
static inline double apart_by(const double *weight, const double *a, const double *b) {
  return length((a[0] - b[0]) * weight[0], (a[1] - b[1]) * weight[1], (a[2] - b[2]) * weight[2]);
}
static inline double apart_xy(const double *a, const double *b) {
  return length(a[0] - b[0], a[1] - b[1], 0);
}
static inline double apart_xz(const double *a, const double *b) {
  return length(a[0] - b[0], 0, a[2] - b[2]);
}

/* Upwards open funnel: the height to stay above, `radius` away from its middle. */
typedef struct HnMwFunnel {
  double slope, hole, top;
} HnMwFunnel;
static inline double funnel(const HnMwFunnel *f, double radius) {
  return radius > f->hole ? f->slope * log(radius - f->hole) + f->top : 0;
}
static inline double above(double height, double floor, double margin) {
  return height >= floor ? 1 : within(floor - height, 0.01, margin);
}

/* How well the gripper holds an object: both pads near its sides, the fingers' middle near it in
 * the plane x z, and then shut.  Meta-World's _gripper_caging_reward. */
typedef struct HnMwCage {
  double inner, outer; /* best distances of a pad, along y */
  double across;       /* best distance in the plane x z */
  double effort;       /* fully shut from this action on */
  enum { HN_MW_PLAIN, HN_MW_HIGH, HN_MW_MEDIUM } density;
  double reach; /* MEDIUM: best distance of the fingers' middle */
} HnMwCage;
double hn_mw_caging(const HnMwScene *s, const HnMwCage *cage, const double *obj,
                    const double *obj0);

/* The variant of tasks with a function of their own: pads have a side, and margins hang on where
 * they are now, because what upstream keeps as init_left_pad and init_right_pad are views of the
 * simulator (trap 1). */
typedef struct HnMwPinch {
  double inner, outer; /* best distances of a pad */
  double across;
  double grip; /* best distances of a pad that grips: from inner to inner + grip */
} HnMwPinch;
double hn_mw_pinching(const HnMwScene *s, const HnMwPinch *pinch);
/* pick-place's: sided pads, yet shut by the action. */
double hn_mw_pinching_by_action(const HnMwScene *s, const HnMwPinch *pinch);

/* Between two corners: the product over the axes of how far `at` is from `zero` towards `one`;
 * outside 1. */
double hn_mw_prism(const double *at, const double *zero, const double *one);

/* 1 for the wanted quaternion, 0 from `reach` away. */
static inline double upright(const double *quat, const double *wanted, double reach) {
  double d[4];
  for (int i = 0; i < 4; i++) d[i] = quat[i] - wanted[i];
  return fmax(1 - sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + d[3] * d[3]) / reach, 0);
}

/* How much the gripper is being shut: 0 at -1, 1 at 1. */
static inline double effort(const HnMwScene *s) {
  return (clamp(s->grip, -1, 1) + 1) / 2;
}

/* Points of HnMwStart: all coordinates from one source; the plane from one and z from another. */
#define HN_MW_AT(source, x, y, z) \
  {                               \
    {source, source, source}, {   \
      x, y, z                     \
    }                             \
  }
#define HN_MW_ON(source, height, x, y, z) \
  {                                       \
    {source, source, height}, {           \
      x, y, z                             \
    }                                     \
  }
#define HN_MW_EVERY \
  { 1, 1, 1 } /* axis weighs the same */

/* The families' rules, each ends with a rule without a task. */
extern const HnMwRule hn_mw_press_rules[], hn_mw_reach_rules[], hn_mw_pick_rules[],
    hn_mw_push_rules[], hn_mw_sweep_rules[], hn_mw_tool_rules[], hn_mw_sum_rules[];
#endif
