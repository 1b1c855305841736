/* humanoid.c - the humanoid of Tassa, Erez & Todorov (2012) with the physical constants published
 * in Gymnasium's humanoid.xml, written anew.  The dynamics are equal bit for bit
 * (tests/bodies_test.c compares them with recorded trajectories); names, colours, cameras and two
 * tendons that pull at nothing are left out.
 *
 * Lengths in m, angles in degrees (of ranges only), gears in N m. The order of joints is the order
 * of qpos and qvel, that of motors is the order of actions; the two differ in the abdomen. */
#include "humanoid.h"
#include <string.h>

/* clang-format off */
#define ABDOMEN(name, axis, up, range, stiffness)                                                 \
  "<joint class='waist' name='abdomen_" name "' axis='" axis "' pos='0 0 " up "'"                 \
        " range='" range "' stiffness='" stiffness "'/>"

/* A leg at y = `y`0.1; limbs are known by their joints.  Right and left mirror each other, `m` being
 * "" and "-" for axes, but for two published slips: motor inertia of one hip, stiffness of one
 * knee. */
#define LEG(side, y, inward, m, hip_armature, knee_stiffness)                                     \
  "<body pos='0 " y "0.1 -0.04'>"                                                                 \
    "<joint class='hip' name='" side "_hip_x' axis='" m "1 0 0' range='-25 5'/>"                  \
    "<joint class='hip' name='" side "_hip_z' axis='0 0 " m "1' range='-60 35'/>"                 \
    "<joint class='hip' name='" side "_hip_y' axis='0 1 0' range='-110 20' armature='"            \
          hip_armature "' stiffness='20'/>"                                                       \
    "<geom fromto='0 0 0 0 " inward "0.01 -0.34' size='0.06'/>"                                   \
    "<body pos='0 " inward "0.01 -0.403'>"                                                        \
      "<joint name='" side "_knee' axis='0 -1 0' pos='0 0 0.02' range='-160 -2'"                  \
            " armature='0.006' stiffness='" knee_stiffness "'/>"                                  \
      "<geom fromto='0 0 0 0 0 -0.3' size='0.049'/>"                                              \
      "<body pos='0 0 -0.45'>"                                                                    \
        "<geom type='sphere' pos='0 0 0.1' size='0.075'/>"                                        \
      "</body>"                                                                                   \
    "</body>"                                                                                     \
  "</body>"
#define LEG_MOTORS(side)                                                                          \
  "<motor joint='" side "_hip_x'/><motor joint='" side "_hip_z'/>"                                \
  "<motor joint='" side "_hip_y' gear='300'/><motor joint='" side "_knee' gear='200'/>"

/* An arm: `o` is the outward sign of y, `i` the inward one. */
#define ARM(side, o, i, range)                                                                    \
  "<body pos='0 " o "0.17 0.06'>"                                                                 \
    "<joint name='" side "_shoulder_1' axis='2 " i "1 1' range='" range "' armature='0.0068'"     \
          " stiffness='1'/>"                                                                      \
    "<joint name='" side "_shoulder_2' axis='0 " o "1 1' range='" range "' armature='0.0051'"     \
          " stiffness='1'/>"                                                                      \
    "<geom fromto='0 0 0 0.16 " o "0.16 -0.16' size='0.04'/>"                                     \
    "<body pos='0.18 " o "0.18 -0.18'>"                                                           \
      "<joint name='" side "_elbow' axis='0 -1 " i "1' range='-90 50' armature='0.0028'/>"        \
      "<geom fromto='0.01 " i "0.01 0.01 0.17 " i "0.17 0.17' size='0.031'/>"                     \
      "<geom type='sphere' pos='0.18 " i "0.18 0.18' size='0.04'/>"                               \
    "</body>"                                                                                     \
  "</body>"
#define ARM_MOTORS(side)                                                                          \
  "<motor joint='" side "_shoulder_1' gear='25'/><motor joint='" side "_shoulder_2' gear='25'/>"  \
  "<motor joint='" side "_elbow' gear='25'/>"

static const char mjcf[] =
  "<mujoco model='humanoid'>"
    "<compiler angle='degree' inertiafromgeom='true'/>"
    "<option timestep='0.003' integrator='RK4' solver='PGS' iterations='50'/>"
    "<default>"
      "<joint type='hinge' armature='1' damping='1' limited='true'/>"
      /* limbs touch the floor and each other; the floor alone has friction */
      "<geom type='capsule' contype='1' conaffinity='1' condim='1' margin='0.001'/>"
      "<motor ctrllimited='true' ctrlrange='-0.4 0.4' gear='100'/>"
      "<default class='waist'><joint armature='0.02' damping='5'/></default>"
      "<default class='hip'><joint armature='0.01' damping='5' stiffness='10'/></default>"
    "</default>"
    "<worldbody>"
      "<geom name='ground' type='plane' size='20 20 0.125' condim='3' friction='1 0.1 0.1'/>"
      "<body name='torso' pos='0 0 1.4'>"
        "<joint name='free' type='free' armature='0' damping='0' limited='false'/>"
        "<geom fromto='0 -0.07 0 0 0.07 0' size='0.07'/>"
        "<geom type='sphere' pos='0 0 0.19' size='0.09'/>"
        "<geom fromto='-0.01 -0.06 -0.12 -0.01 0.06 -0.12' size='0.06'/>"
        "<body name='waist' pos='-0.01 0 -0.26' quat='1 0 -0.002 0'>"
          "<geom fromto='0 -0.06 0 0 0.06 0' size='0.06'/>"
          ABDOMEN("z", "0 0 1", "0.065", "-45 45", "20")
          ABDOMEN("y", "0 1 0", "0.065", "-75 30", "10")
          "<body name='pelvis' pos='0 0 -0.165' quat='1 0 -0.002 0'>"
            ABDOMEN("x", "1 0 0", "0.1", "-35 35", "10")
            "<geom fromto='-0.02 -0.07 0 -0.02 0.07 0' size='0.09'/>"
            LEG("r", "-", "", "", "0.008", "0")
            LEG("l", "", "-", "-", "0.01", "1")
          "</body>"
        "</body>"
        ARM("r", "-", "", "-85 60")
        ARM("l", "", "-", "-60 85")
      "</body>"
    "</worldbody>"
    "<actuator>"
      "<motor joint='abdomen_y'/><motor joint='abdomen_z'/><motor joint='abdomen_x'/>"
      LEG_MOTORS("r")
      LEG_MOTORS("l")
      ARM_MOTORS("r")
      ARM_MOTORS("l")
    "</actuator>"
  "</mujoco>";
/* clang-format on */

const char *hn_humanoid_mjcf(void) {
  return mjcf;
}

HnStatus hn_humanoid_create(HnSim *sim, const HnHost *host, int64_t slots) {
  HnStatus s = hn_sim_create(sim, host, mjcf, slots);
  if (s) return s;
  const mjModel *m = sim->model;
  if (m->nq == HN_HUMANOID_QPOS && m->nv == HN_HUMANOID_QVEL && m->nu == HN_HUMANOID_ACT &&
      m->nbody == HN_HUMANOID_BODIES && hn_sim_state_count(sim) == HN_HUMANOID_STATE)
    return HN_OK;
  hn_sim_destroy(sim);
  return host->fail(host, HN_E_UNSUPPORTED, "this MuJoCo compiles the humanoid to another shape");
}

static float *append(float *obs, const double *values, int count) {
  for (int k = 0; k < count; k++) *obs++ = (float)values[k];
  return obs;
}

/* Right after a begin or a step on `slot`: the observation, the centre of mass into the row, and
 * the sum of squared forces. */
static double observe(const HnSim *sim, int64_t slot, bool felt, HnHumanoid *body, float *obs) {
  enum { FORCES = 6 * HN_HUMANOID_BODIES };
  static const double nothing[FORCES] = {0};
  const double *force = felt ? hn_sim_forces(sim, slot) : nothing;
  const mjData *d = hn_sim_look(sim, slot);
  obs = append(obs, body->state + 2, HN_HUMANOID_QPOS - 2 + HN_HUMANOID_QVEL);
  obs = append(obs, d->cinert, 10 * HN_HUMANOID_BODIES);
  obs = append(obs, d->cvel, 6 * HN_HUMANOID_BODIES);
  obs = append(obs, d->qfrc_actuator, HN_HUMANOID_QVEL);
  append(obs, force, FORCES);
  body->center[0] = d->subtree_com[0], body->center[1] = d->subtree_com[1];
  double sum = 0;
  for (int k = 0; k < FORCES; k++) sum += force[k] * force[k];
  return sum;
}

HnStatus hn_humanoid_begin(const HnSim *sim, int64_t slot, double noise, bool felt, HnRng *rng,
                           HnHumanoid *body, float *obs) {
  hn_sim_draw_pose(sim, noise, rng, body->state);
  for (int k = 0; k < HN_HUMANOID_QVEL; k++)
    body->state[HN_HUMANOID_QPOS + k] = hn_rng_uniform(rng, -noise, noise);
  HnStatus s = hn_sim_begin(sim, slot, body->state);
  if (!s) observe(sim, slot, felt, body, obs);
  return s;
}

HnStatus hn_humanoid_step(const HnSim *sim, int64_t slot, bool felt, HnHumanoid *body,
                          const float *action, float *obs, double move[2], double *effort,
                          double *impact) {
  HnStatus s = hn_sim_advance(sim, slot, body->state, action, HN_HUMANOID_FRAMES);
  if (s) return s;
  double x = body->center[0], y = body->center[1];
  *impact = observe(sim, slot, felt, body, obs);
  move[0] = body->center[0] - x, move[1] = body->center[1] - y;
  *effort = 0;
  for (int k = 0; k < HN_HUMANOID_ACT; k++) {
    double control = HN_HUMANOID_LARGEST * (double)action[k];
    *effort += control * control;
  }
  return HN_OK;
}

HnStatus hn_humanoid_render(const HnSim *sim, const HnHumanoid *body, int64_t width, int64_t height,
                            uint8_t *rgb) {
  const HnView view = {.look_at = {body->state[0], body->state[1], 1},
                       .distance = 4,
                       .azimuth = 120,
                       .elevation = -15,
                       .lines = true,
                       .plain = true};
  return hn_sim_render(sim, body->state, &view, width, height, rgb);
}
