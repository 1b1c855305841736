/* sim.h - what the environments on MuJoCo share: a model, simulators, and a row's state as plain
 * numbers.
 *
 * A row is its state vector; a simulator (mjData) is only a workbench.  Every advance pushes the
 * state of one row, steps, and pulls the state back, so a simulator remembers nothing and rows give
 * the same bits whichever simulator, batch or thread serves them.  The cost is some 30 numbers
 * copied each way, under 1 % of a step of the smallest model (bench/envs.c).  The simulator that
 * serves a call is the one in its first slot: calls at once never share slots, and one workbench
 * for all rows of a call stays in the processor's cache.  It is made at that slot's first call, so
 * there are as many as the host makes calls at once and not as many as rows.
 *
 * State vector: qpos [nq], qvel [nv], act [na], qacc_warmstart [nv], time.  The warm start is where
 * the constraint solver begins, so without it a restored row would differ in its last digits.
 *
 * MuJoCo's own ways of failing do not suit a library.  Warnings (a state that became NaN or huge, a
 * full contact buffer) make it reset the simulator or drop contacts and carry on: here they fail
 * the call with HN_E_NUMERIC.  Its fatal errors wait for a key and exit: here they print their text
 * to stderr and abort, which ends the cell with that reason.  hn_sim_create compiles the model and
 * makes a simulator, so what can still be fatal is memory running out.  The two handlers are
 * global to MuJoCo and left alone where the embedding program has set its own. */
#ifndef HN_SIM_H
#define HN_SIM_H
#include "render.h"

typedef struct HnSim {
  const HnHost *host;
  mjModel *model;        /* as compiled, and never written */
  mjModel **own;         /* [slots] NULL until asked for: see hn_sim_own_model */
  mjData **simulator;    /* [slots] NULL until used */
  HnRenderer **renderer; /* one, NULL until asked for a picture */
  int64_t slots;
} HnSim;

/* What comes before anything else is asked of MuJoCo: the two handlers.  Errors: HN_E_UNSUPPORTED
 * if the library loaded is not the one compiled against.  [create] */
HnStatus hn_sim_prepare(const HnHost *host);

/* Offers `mjcf` to MuJoCo as a file in memory.  To mj_deleteModel; NULL, and MuJoCo's words in
 * `error`, if it rejects the text.  [create] */
mjModel *hn_sim_compile(const char *mjcf, char *error, int error_size);

/* Compiles the MJCF text and makes the first simulator.  Every motor must have a control range, the
 * same on both sides of zero.  Errors: HN_E_UNSUPPORTED if the library
 * loaded is not the one compiled against, HN_E_IO with MuJoCo's words if it rejects the model;
 * nothing is then left to destroy.  [create] */
HnStatus hn_sim_create(HnSim *sim, const HnHost *host, const char *mjcf, int64_t slots);
/* Also of a zeroed or failed one. */
void hn_sim_destroy(HnSim *sim);

/* Numbers in a state vector. */
int64_t hn_sim_state_count(const HnSim *sim);

/* A copy of the model for this slot alone, made when first asked for: where rows differ in masses
 * or friction, a caller writes the row's into it before each hn_sim_begin and hn_sim_advance, which
 * use it from then on.  NULL and a recorded reason where there is no memory.  [rows] */
mjModel *hn_sim_own_model(const HnSim *sim, int64_t slot);

/* Computes the constants that follow from masses and inertias (mj_setConst), in a slot's own model.
 * Undoes nothing that a row needs.  [rows] */
void hn_sim_set_constants(const HnSim *sim, int64_t slot);

/* Begins an episode from the qpos and qvel in `state`: computes the warm start, clears the rest.
 * Errors: HN_E_NUMERIC.  [rows] */
HnStatus hn_sim_begin(const HnSim *sim, int64_t slot, double *state);

/* A simulator whose bodies and geoms are placed as in `state`, for drawing; good until the next
 * call.  [instance] */
const mjData *hn_sim_place(const HnSim *sim, const double *state);

/* Draws a state.
 *   rgb  [height, width, 3] out, top row first
 * Errors: as hn_render.  [instance] */
HnStatus hn_sim_render(const HnSim *sim, const double *state, const HnView *view, int64_t width,
                       int64_t height, uint8_t *rgb);

/* Advances `state` by `frames` time steps under constant controls.
 *   control  [nu] clamped to [-1, 1] on the way in; 1 is the upper end of the motor's range
 * Errors: HN_E_NUMERIC if a control is not finite or MuJoCo warns; state is then undefined.
 * Deterministic in (state, control) alone.  [rows] */
HnStatus hn_sim_advance(const HnSim *sim, int64_t slot, double *state, const float *control,
                        int frames);

/* What the last hn_sim_begin or hn_sim_advance on this slot left in its simulator; good until the
 * next call there.  Both copy nothing and neither changes how a row goes on.  [rows]
 *
 * hn_sim_forces: the external wrench on every body, torque then force [nbody, 6], about the centre
 * of mass of its tree: contacts.  MuJoCo computes it on demand since version 2.0; users of
 * mujoco-py who did not ask read zeros.  It belongs to the last evaluation of the dynamics, which
 * under RK4 is the end of the last time step as predicted by the third stage: what Gymnasium reads.
 * hn_sim_look: places, inertias and velocities (xipos, subtree_com, cinert, cvel) of the state
 * itself.  Call it after hn_sim_forces where both are wanted. */
const double *hn_sim_forces(const HnSim *sim, int64_t slot);
const mjData *hn_sim_look(const HnSim *sim, int64_t slot);

/* Draws qpos about the model's pose, uniform in +-noise, with quaternions brought back to length
 * one; the start of every body here.  [any] */
void hn_sim_draw_pose(const HnSim *sim, double noise, HnRng *rng, double *qpos);
#endif
