/* ant.c - the ant of Schulman et al. (2015) with the physical constants published in Gymnasium's
 * ant.xml, written anew.  The dynamics are equal bit for bit (tests/bodies_test.c compares them
 * with recorded trajectories); names, colours and cameras are left out.
 *
 * Lengths in m, angles in degrees (of ranges only), gears in N m. The order of joints is the order
 * of qpos and qvel, that of motors is the order of actions: it begins with the fourth leg. */
#include "ant.h"
#include <string.h>

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

const char *hn_ant_mjcf(void) {
  return mjcf;
}

HnStatus hn_ant_create(HnSim *sim, const HnHost *host, int64_t slots) {
  HnStatus s = hn_sim_create(sim, host, mjcf, slots);
  if (s) return s;
  const mjModel *m = sim->model;
  if (m->nq == HN_ANT_QPOS && m->nv == HN_ANT_QVEL && m->nu == HN_ANT_ACT &&
      6 * m->nbody == HN_ANT_FORCES && hn_sim_state_count(sim) == HN_ANT_STATE)
    return HN_OK;
  hn_sim_destroy(sim);
  return host->fail(host, HN_E_UNSUPPORTED, "this MuJoCo compiles the ant to another shape");
}

HnStatus hn_ant_begin(const HnSim *sim, int64_t slot, double noise, HnRng *rng, HnAnt *body) {
  hn_sim_draw_pose(sim, noise, rng, body->state);
  for (int k = 0; k < HN_ANT_QVEL; k++) body->state[HN_ANT_QPOS + k] = noise * hn_rng_normal(rng);
  return hn_sim_begin(sim, slot, body->state);
}

HnStatus hn_ant_step(const HnSim *sim, int64_t slot, HnAnt *body, const float *action,
                     double *effort) {
  *effort = 0;
  for (int k = 0; k < HN_ANT_ACT; k++) *effort += (double)action[k] * (double)action[k];
  return hn_sim_advance(sim, slot, body->state, action, HN_ANT_FRAMES);
}

double hn_ant_contacts(const HnSim *sim, int64_t slot, bool felt, double *force) {
  const double *given = felt ? hn_sim_forces(sim, slot) : NULL;
  double sum = 0;
  for (int k = 0; k < HN_ANT_FORCES; k++) {
    double f = given ? fmin(fmax(given[k], -1), 1) : 0;
    if (force) force[k] = f;
    sum += f * f;
  }
  return sum;
}

HnStatus hn_ant_render(const HnSim *sim, const HnAnt *body, const double *goal, int64_t width,
                       int64_t height, uint8_t *rgb) {
  const HnView view = {.look_at = {body->state[0], body->state[1], 0.4},
                       .distance = 6,
                       .azimuth = 120,
                       .elevation = -30,
                       .goal = goal,
                       .goal_radius = 0.25,
                       .lines = true,
                       .plain = true};
  return hn_sim_render(sim, body->state, &view, width, height, rgb);
}
