/* humanoid.c - the humanoid of Tassa, Erez & Todorov (2012) with the physical constants published
 * in Gymnasium's humanoid.xml, written anew.  The dynamics are equal bit for bit
 * (tests/plugins/locomotion_test.c compares them with recorded trajectories); names, colours,
 * cameras and two tendons that pull at nothing are left out.
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

enum {
  QPOS = 24,
  QVEL = 23,
  ACTIONS = 17,
  PARTS = 14,
  OBS = QPOS - 2 + QVEL + 10 * PARTS + 6 * PARTS + QVEL + 6 * PARTS,
  CENTER = 2, /* x and y of the centre of mass */
};

/* Also the centre of mass into the row. */
static void observe(const HnSim *sim, int64_t slot, const HnBodyRow *row, const double *force,
                    float *obs) {
  const mjData *d = hn_sim_look(sim, slot);
  obs = hn_body_append(obs, row->state + 2, QPOS - 2 + QVEL);
  obs = hn_body_append(obs, d->cinert, 10 * PARTS);
  obs = hn_body_append(obs, d->cvel, 6 * PARTS);
  obs = hn_body_append(obs, d->qfrc_actuator, QVEL);
  hn_body_append(obs, force, 6 * PARTS);
  memcpy(row->extra, d->subtree_com, CENTER * sizeof(double));
}

const HnBody hn_humanoid = {.name = "humanoid",
                            .mjcf = mjcf,
                            .qpos = QPOS,
                            .qvel = QVEL,
                            .actions = ACTIONS,
                            .parts = PARTS,
                            .frames = 5,
                            .time_step = 0.003,
                            .extra = CENTER,
                            .obs_dim = OBS,
                            .place = QPOS + 2 * QVEL + 1,
                            .uniform_speeds = true,
                            .control = 0.4,
                            .force_limit = INFINITY,
                            .view = {.look_at = {0, 0, 1},
                                     .distance = 4,
                                     .azimuth = 120,
                                     .elevation = -15,
                                     .lines = true,
                                     .plain = true},
                            .observe = observe};

bool hn_humanoid_stands(const double *state) {
  const double height = state[2];
  return !(height < 1 || height > 2);
}
