/* walker.c - the planar walker of Erez, Tassa & Todorov (2011) with the physical constants
 * published in Gymnasium's walker2d.xml, written anew, but with the time step of 0.004 s of
 * VariBAD's walker where Gymnasium has 0.002 s.  At equal time steps the dynamics are equal bit for
 * bit (tests/plugins/locomotion_test.c compares them with recorded trajectories); names, colours
 * and cameras are left out.  VariBAD ran it on MuJoCo 1.31, whose contacts are softer than today's.
 *
 * Lengths in m, angles in degrees (of ranges only), gears in N m. The order of joints is the order
 * of qpos and qvel, that of motors is the order of actions.
 *
 * Rows differ in parameters, so every slot has a model of its own, and what a step needs of the
 * row's is written into it first: 92 numbers, beside some 30 of the state. */
#include "walker.h"
#include <string.h>

/* Published as ends of capsules in world coordinates, e.g. from 1.45 to 1.05, so that these are
 * what differences of such numbers are in doubles: 0.2, 0.7 and so on, to 1e-16. */
#define TORSO_HALF "0.19999999999999996"
#define THIGH_HALF "0.22500000000000003"
#define THIGH_DOWN "-0.22500000000000009"
#define SHIN_DOWN  "-0.70000000000000007"

/* Thigh, shin and foot; capsules are radius and half length along z, the foot's turned forward. */
#define LEG(side, foot_friction)                                                     \
  "<body name='" side "_thigh' pos='0 0 -" TORSO_HALF "'>"                           \
  "  <joint name='" side "_hip' range='-150 0'/>"                                    \
  "  <geom pos='0 0 " THIGH_DOWN "' size='0.05 " THIGH_HALF "'/>"                    \
  "  <body name='" side "_shin' pos='0 0 " SHIN_DOWN "'>"                            \
  "    <joint name='" side "_knee' pos='0 0 0.25' range='-150 0'/>"                  \
  "    <geom size='0.04 0.25'/>"                                                     \
  "    <body name='" side "_foot' pos='0.2 0 -0.35'>"                                \
  "      <joint name='" side "_ankle' pos='-0.2 0 0.1' range='-45 45'/>"             \
  "      <geom pos='-0.1 0 0.1' quat='0.70710678118654757 0 -0.70710678118654746 0'" \
  "            size='0.06 0.1' friction='" foot_friction "'/>"                       \
  "    </body>"                                                                      \
  "  </body>"                                                                        \
  "</body>"

/* clang-format off */
static const char mjcf[] =
    "<mujoco model='walker'>"
    "  <compiler angle='degree' inertiafromgeom='true'/>"
    "  <option timestep='0.004' integrator='RK4'/>"
    /* room for all there can be: 7 capsules, 2 ends, 4 friction directions, 6 limits */
    "  <size nconmax='20' njmax='80'/>"
    "  <default>"
    "    <joint type='hinge' axis='0 -1 0' armature='0.01' damping='0.1' limited='true'/>"
    /* limbs touch the floor and not each other; friction: sliding, spinning, rolling; condim 3
     * uses sliding alone, of the two that touch the larger */
    "    <geom type='capsule' density='1000' contype='1' conaffinity='0' condim='3'"
    "          friction='0.9 0.1 0.1'/>"
    "    <motor ctrllimited='true' ctrlrange='-1 1' gear='100'/>"
    /* what holds the torso in the plane: free of dampers and limits */
    "    <default class='planar'>"
    "      <joint armature='0' damping='0' limited='false'/>"
    "    </default>"
    "  </default>"
    "  <worldbody>"
    "    <geom name='ground' type='plane' size='40 40 40' conaffinity='1'"
    "          friction='0.7 0.1 0.1'/>"
    "    <body name='torso' pos='0 0 1.25'>"
    "      <joint name='forward' class='planar' type='slide' axis='1 0 0' pos='0 0 -1.25'/>"
    "      <joint name='up' class='planar' type='slide' axis='0 0 1' pos='0 0 -1.25' ref='1.25'/>"
    "      <joint name='pitch' class='planar' axis='0 1 0'/>"
    "      <geom size='0.05 " TORSO_HALF "'/>"
    LEG("right", "0.9")
    LEG("left", "1.9") /* a slip of the published model, which all results have */
    "    </body>"
    "  </worldbody>"
    "  <actuator>"
    "    <motor joint='right_hip'/> <motor joint='right_knee'/> <motor joint='right_ankle'/>"
    "    <motor joint='left_hip'/> <motor joint='left_knee'/> <motor joint='left_ankle'/>"
    "  </actuator>"
    "</mujoco>";
/* clang-format on */

enum {
  JOINTS = 9,
  OBS = 2 * JOINTS - 1,
  ACTIONS = 6,
  FIRST_LEG_JOINT = 3,
  PARTS = 8, /* the world, torso, then thigh, shin, foot of the right and the left leg */
  GEOMS = 8, /* the ground, then one for each body */
};

static void write_scaled(mjtNum *to, const mjtNum *nominal, const double *scale, int count) {
  for (int k = 0; k < count; k++) to[k] = nominal[k] * scale[k];
}

static void write_parameters(const mjModel *nominal, mjModel *m, const double *scale) {
  write_scaled(m->body_mass + 1, nominal->body_mass + 1, scale + HN_WALKER_MASS, PARTS - 1);
  write_scaled(m->body_inertia + 3, nominal->body_inertia + 3, scale + HN_WALKER_INERTIA,
               3 * (PARTS - 1));
  write_scaled(m->dof_damping + FIRST_LEG_JOINT, nominal->dof_damping + FIRST_LEG_JOINT,
               scale + HN_WALKER_DAMPING, ACTIONS);
  write_scaled(m->geom_friction, nominal->geom_friction, scale + HN_WALKER_FRICTION, 3 * GEOMS);
}

/* The constants that stepping reads, in the order of HN_WALKER_CONSTANTS: one list for both ways.
 */
static int list_constants(mjModel *m, mjtNum *list[4], int count[4]) {
  list[0] = m->body_subtreemass, count[0] = PARTS;
  list[1] = m->body_invweight0, count[1] = 2 * PARTS;
  list[2] = m->dof_invweight0, count[2] = JOINTS;
  list[3] = &m->stat.meaninertia, count[3] = 1;
  return 4;
}

static void read_constants(mjModel *m, double *to) {
  mjtNum *list[4];
  int count[4], lists = list_constants(m, list, count);
  for (int k = 0; k < lists; to += count[k], k++)
    memcpy(to, list[k], sizeof(double) * (size_t)count[k]);
}

static void write_constants(mjModel *m, const double *from) {
  mjtNum *list[4];
  int count[4], lists = list_constants(m, list, count);
  for (int k = 0; k < lists; from += count[k], k++)
    memcpy(list[k], from, sizeof(double) * (size_t)count[k]);
}

HnStatus hn_walker_derive(const HnSim *sim, int64_t slot, bool scaled, const HnBodyRow *row) {
  mjModel *m = hn_sim_own_model(sim, slot);
  if (!m) return HN_E_IO;
  if (scaled) {
    write_parameters(sim->model, m, row->task);
    hn_sim_set_constants(sim, slot);
  }
  read_constants(scaled ? m : sim->model, row->extra);
  return HN_OK;
}

static HnStatus prepare(const HnSim *sim, int64_t slot, const HnBodyRow *row) {
  mjModel *m = hn_sim_own_model(sim, slot);
  if (!m) return HN_E_IO;
  write_parameters(sim->model, m, row->task);
  write_constants(m, row->extra);
  return HN_OK;
}

static void observe(const HnSim *sim, int64_t slot, const HnBodyRow *row, const double *force,
                    float *obs) {
  const double *qvel = row->state + JOINTS;
  (void)sim, (void)slot, (void)force;
  obs = hn_body_append(obs, row->state + 1, JOINTS - 1);
  for (int k = 0; k < JOINTS; k++) *obs++ = (float)fmin(fmax(qvel[k], -10), 10);
}

bool hn_walker_stands(const double *state) {
  double height = state[1], pitch = state[2];
  return height > 0.8 && height < 2 && pitch > -1 && pitch < 1;
}

const HnBody hn_walker = {.name = "walker",
                          .mjcf = mjcf,
                          .qpos = JOINTS,
                          .qvel = JOINTS,
                          .actions = ACTIONS,
                          .parts = PARTS,
                          .frames = 4,
                          .time_step = 0.004,
                          .extra = HN_WALKER_CONSTANTS,
                          .obs_dim = OBS,
                          .planar = true,
                          .uniform_speeds = true,
                          .control = 1,
                          .view = {.look_at = {0, 0, 1},
                                   .distance = 4,
                                   .azimuth = 90,
                                   .elevation = -10,
                                   .lines = true,
                                   .plain = true},
                          .observe = observe,
                          .prepare = prepare};
