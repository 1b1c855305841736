/* friction_gravity.h - friction and gravity that differ from row to row, for any body of
 * locomotion.h.
 *
 * A row's task is logarithms of scales: of gravity, where it is hidden, then of friction, where
 * that is: one for all contacts, or one for those of each body but the world.  Each is uniform
 * between +- the logarithm of the largest scale.
 *
 * MuJoCo takes the larger friction of two geoms that touch.  So that a body's scale is that of its
 * contacts with the ground, whichever of the two is the rougher, the ground gets no friction and
 * every other geom the larger of its own and the ground's, which leaves these contacts as they were
 * at a scale of one.  Contacts of two bodies take the larger, as ever.
 *
 * No constant that MuJoCo derives (mj_setConst) depends on either. */
#ifndef HN_FRICTION_GRAVITY_H
#define HN_FRICTION_GRAVITY_H
#include "locomotion.h"

/* The parameters, for a plugin's table. */
#define HN_FRICTION_GRAVITY_PARAMS(X)                                                           \
  X(choice, friction, "",                                                                       \
    "Hidden scales of friction: none, one for all contacts, or one for those of each body.",    \
    "shared", "none|shared|each")                                                               \
  X(flag, gravity, "", "Whether a scale of gravity is hidden too.", true)                       \
  X(real, friction_scale, "",                                                                   \
    "Largest scale of friction; scales are log-uniform between its inverse and it.", 3, 1, 100) \
  X(real, gravity_scale, "",                                                                    \
    "Largest scale of gravity; scales are log-uniform between its inverse and it.", 1.5, 1, 100)
enum { HN_FRICTION_NONE, HN_FRICTION_SHARED, HN_FRICTION_EACH };

/* The values of these parameters. */
typedef struct HnScales {
  int32_t friction;
  bool gravity;
  double friction_scale, gravity_scale;
} HnScales;

/* A plugin's instance. */
typedef struct HnFrictionGravity {
  HnLocomotion locomotion; /* first, for HN_LOCOMOTION_METHODS */
  HnBody body;             /* the given one, with the scales at the end of its extra */
  HnScales scales;
} HnFrictionGravity;

/* As hn_locomotion_create, for tasks.body with these scales; task_dim and draw_task are filled in.
 * Errors: HN_E_PARAM too, if nothing is hidden.  [create] */
HnStatus hn_friction_gravity_create(HnFrictionGravity *e, const HnHost *host, const void *params,
                                    HnEnvSpec *spec, HnScales scales, HnLocomotionTasks tasks);
#endif
