/* ant.c - the ant of Schulman et al. (2015) with the physical constants published in Gymnasium's
 * ant.xml, written anew.  The dynamics are equal bit for bit (tests/plugins/locomotion_test.c
 * compares them with recorded trajectories); names, colours and cameras are left out.
 *
 * Lengths in m, angles in degrees (of ranges only), gears in N m. The order of joints is the order
 * of qpos and qvel, that of motors is the order of actions: it begins with the fourth leg. */
#include "ant.h"

/* A leg that points along (x, y), each "" or "-": a stub fixed to the torso, a thigh that swings
 * about the vertical, and a shin that `bend` moves up and down. */
#define LEG(name, x, y, bend, range)                                           \
  "<body name='stub_" name "'>"                                                \
  "  <geom fromto='0 0 0 " x "0.2 " y "0.2 0'/>"                               \
  "  <body name='thigh_" name "' pos='" x "0.2 " y "0.2 0'>"                   \
  "    <joint name='hip_" name "' axis='0 0 1' range='-30 30'/>"               \
  "    <geom fromto='0 0 0 " x "0.2 " y "0.2 0'/>"                             \
  "    <body name='shin_" name "' pos='" x "0.2 " y "0.2 0'>"                  \
  "      <joint name='ankle_" name "' axis='" bend " 1 0' range='" range "'/>" \
  "      <geom fromto='0 0 0 " x "0.4 " y "0.4 0'/>"                           \
  "    </body>"                                                                \
  "  </body>"                                                                  \
  "</body>"

/* clang-format off */
static const char mjcf[] =
    "<mujoco model='ant'>"
    "  <compiler angle='degree' inertiafromgeom='true'/>"
    "  <option timestep='0.01' integrator='RK4'/>"
    /* room for all there can be: 12 capsules with 2 ends and a ball, 4 friction directions, 8
     * limits */
    "  <size nconmax='30' njmax='130'/>"
    "  <default>"
    "    <joint type='hinge' armature='1' damping='1' limited='true'/>"
    /* the body is light as air (density 5 kg/m^3); motor inertia, armature, is most of it.  It
     * touches the floor and not itself: contype meets only the floor's conaffinity */
    "    <geom type='capsule' size='0.08' density='5' contype='1' conaffinity='0' condim='3'"
    "          friction='1 0.5 0.5' margin='0.01'/>"
    "    <motor ctrllimited='true' ctrlrange='-1 1' gear='150'/>"
    "  </default>"
    "  <worldbody>"
    "    <geom name='ground' type='plane' size='40 40 40' conaffinity='1'/>"
    "    <body name='torso' pos='0 0 0.75'>"
    "      <geom type='sphere' size='0.25'/>"
    "      <joint name='free' type='free' armature='0' damping='0' limited='false'/>"
    LEG("1", "", "", "-1", "30 70")
    LEG("2", "-", "", "1", "-70 -30")
    LEG("3", "-", "-", "-1", "-70 -30")
    LEG("4", "", "-", "1", "30 70")
    "    </body>"
    "  </worldbody>"
    "  <actuator>"
    "    <motor joint='hip_4'/> <motor joint='ankle_4'/>"
    "    <motor joint='hip_1'/> <motor joint='ankle_1'/>"
    "    <motor joint='hip_2'/> <motor joint='ankle_2'/>"
    "    <motor joint='hip_3'/> <motor joint='ankle_3'/>"
    "  </actuator>"
    "</mujoco>";
/* clang-format on */

enum { QPOS = 15, QVEL = 14, PARTS = 14, FORCES = 6 * PARTS };

static void observe(const HnSim *sim, int64_t slot, const HnBodyRow *row, const double *force,
                    float *obs) {
  (void)sim, (void)slot, (void)force;
  hn_body_append(obs, row->state + 2, QPOS - 2 + QVEL);
}

static void observe_all(const HnSim *sim, int64_t slot, const HnBodyRow *row, const double *force,
                        float *obs) {
  (void)sim, (void)slot;
  hn_body_append(hn_body_append(obs, row->state, QPOS + QVEL), force, FORCES);
}

#define ANT                                                                              \
  .name = "ant", .mjcf = mjcf, .qpos = QPOS, .qvel = QVEL, .actions = 8, .parts = PARTS, \
  .frames = 5, .time_step = 0.01, .control = 1, .force_limit = 1,                        \
  .view = {.look_at = {0, 0, 0.4},                                                       \
           .distance = 6,                                                                \
           .azimuth = 120,                                                               \
           .elevation = -30,                                                             \
           .goal_radius = 0.25,                                                          \
           .lines = true,                                                                \
           .plain = true}
const HnBody hn_ant = {ANT, .obs_dim = QPOS - 2 + QVEL, .observe = observe};
const HnBody hn_ant_whole = {ANT, .obs_dim = QPOS + QVEL + FORCES, .observe = observe_all};
