/* half_cheetah.c - the planar half-cheetah of Wawrzynski (2009) with the physical constants
 * published in Gymnasium's half_cheetah.xml, written anew.  The dynamics are equal bit for bit
 * (tests/plugins/envs_test.c compares them with recorded trajectories); its colours are left out.
 *
 * Lengths in m, angles in rad, gears in N m.  Capsule sizes are radius and half length.  The order
 * of joints is the order of qpos and qvel, that of motors is the order of actions. */
#include "half_cheetah.h"
#include <string.h>

#define TORSO_HEIGHT 0.7 /* of the trunk's frame while the joint `up` is 0, as below */
#define VIEW_WIDTH   4.0 /* what the sketch shows from left to right */

static const char mjcf[] =
    "<mujoco model='half_cheetah'>"
    /* inertia follows from the capsules at equal density, then scales to 14 kg in all */
    "  <compiler angle='radian' inertiafromgeom='true' settotalmass='14'/>"
    "  <option timestep='0.01' gravity='0 0 -9.81'/>"
    /* room for all there can be: 8 capsules, 2 ends, 4 friction directions, 6 limits.  Without it
     * MuJoCo 2 takes 25 times the memory for a simulator */
    "  <size nconmax='20' njmax='80'/>"
    "  <default>"
    /* leg joints: springs to the pose below, dampers, motor inertia (armature), soft limits */
    "    <joint type='hinge' axis='0 1 0' armature='0.1' limited='true'"
    "           solreflimit='0.02 1' solimplimit='0 0.8 0.03'/>"
    /* limbs touch the floor and not each other: contype meets only the floor's conaffinity.
     * friction: sliding, spinning, rolling; condim 3 uses sliding alone */
    "    <geom type='capsule' contype='1' conaffinity='0' condim='3' friction='0.4 0.1 0.1'"
    "          solref='0.02 1' solimp='0 0.8 0.01'/>"
    "    <motor ctrllimited='true' ctrlrange='-1 1'/>"
    /* what holds the torso in the plane: free of springs, dampers and limits */
    "    <default class='planar'>"
    "      <joint armature='0' damping='0' stiffness='0' limited='false'/>"
    "    </default>"
    "  </default>"
    "  <worldbody>"
    "    <geom name='ground' type='plane' size='40 40 40' conaffinity='1'/>"
    "    <body name='trunk' pos='0 0 0.7'>"
    "      <joint name='forward' class='planar' type='slide' axis='1 0 0'/>"
    "      <joint name='up' class='planar' type='slide' axis='0 0 1'/>"
    "      <joint name='pitch' class='planar'/>"
    "      <geom name='spine' fromto='-0.5 0 0 0.5 0 0' size='0.046'/>"
    "      <geom name='skull' pos='0.6 0 0.1' axisangle='0 1 0 0.87' size='0.046 0.15'/>"
    "      <body name='back_thigh' pos='-0.5 0 0'>"
    "        <joint name='back_hip' range='-0.52 1.05' stiffness='240' damping='6'/>"
    "        <geom pos='0.1 0 -0.13' axisangle='0 1 0 -3.8' size='0.046 0.145'/>"
    "        <body name='back_shin' pos='0.16 0 -0.25'>"
    "          <joint name='back_knee' range='-0.785 0.785' stiffness='180' damping='4.5'/>"
    "          <geom pos='-0.14 0 -0.07' axisangle='0 1 0 -2.03' size='0.046 0.15'/>"
    "          <body name='back_foot' pos='-0.28 0 -0.14'>"
    "            <joint name='back_ankle' range='-0.4 0.785' stiffness='120' damping='3'/>"
    "            <geom pos='0.03 0 -0.097' axisangle='0 1 0 -0.27' size='0.046 0.094'/>"
    "          </body>"
    "        </body>"
    "      </body>"
    "      <body name='front_thigh' pos='0.5 0 0'>"
    "        <joint name='front_hip' range='-1 0.7' stiffness='180' damping='4.5'/>"
    "        <geom pos='-0.07 0 -0.12' axisangle='0 1 0 0.52' size='0.046 0.133'/>"
    "        <body name='front_shin' pos='-0.14 0 -0.24'>"
    "          <joint name='front_knee' range='-1.2 0.87' stiffness='120' damping='3'/>"
    "          <geom pos='0.065 0 -0.09' axisangle='0 1 0 -0.6' size='0.046 0.106'/>"
    "          <body name='front_foot' pos='0.13 0 -0.18'>"
    "            <joint name='front_ankle' range='-0.5 0.5' stiffness='60' damping='1.5'/>"
    "            <geom pos='0.045 0 -0.07' axisangle='0 1 0 -0.6' size='0.046 0.07'/>"
    "          </body>"
    "        </body>"
    "      </body>"
    "    </body>"
    "  </worldbody>"
    /* gear: the torque of a full action */
    "  <actuator>"
    "    <motor joint='back_hip' gear='120'/>"
    "    <motor joint='back_knee' gear='90'/>"
    "    <motor joint='back_ankle' gear='60'/>"
    "    <motor joint='front_hip' gear='120'/>"
    "    <motor joint='front_knee' gear='60'/>"
    "    <motor joint='front_ankle' gear='30'/>"
    "  </actuator>"
    "</mujoco>";

enum { JOINTS = 9, PLACELESS = 2 * JOINTS - 1, OBS = PLACELESS + 3 };

static void observe_placeless(const HnSim *sim, int64_t slot, const HnBodyRow *row,
                              const double *force, float *obs) {
  (void)sim, (void)slot, (void)force;
  hn_body_append(obs, row->state + 1, PLACELESS);
}

static void observe(const HnSim *sim, int64_t slot, const HnBodyRow *row, const double *force,
                    float *obs) {
  const double *qpos = row->state;
  observe_placeless(sim, slot, row, force, obs);
  obs += PLACELESS;
  /* the slides come before the hinge in the chain, so they are the torso's place outright */
  *obs++ = (float)qpos[0];
  *obs++ = 0;
  *obs++ = (float)(TORSO_HEIGHT + qpos[1]);
}

/* Whether (x, z) is inside capsule `g` seen from its side. */
static bool covers(const mjModel *m, const mjData *d, int g, double x, double z) {
  const double *middle = d->geom_xpos + 3 * g, *axes = d->geom_xmat + 9 * g;
  const double radius = m->geom_size[3 * g], half = m->geom_size[3 * g + 1];
  const double ax = axes[2], az = axes[8]; /* a capsule lies along its frame's z */
  double dx = x - middle[0], dz = z - middle[2], along = dx * ax + dz * az;
  along = fmin(fmax(along, -half), half);
  dx -= along * ax, dz -= along * az;
  return dx * dx + dz * dz <= radius * radius;
}

/* The body flat from its side: 4 m from left to right, the trunk's middle in the middle, and a post
 * on the ground every metre. */
static void sketch(const HnSim *sim, const double *state, int64_t width, int64_t height,
                   uint8_t *rgb) {
  static const uint8_t sky[3] = {238, 243, 248}, earth[3] = {150, 160, 150},
                       post[3] = {90, 100, 90}, back[3] = {170, 100, 50}, front[3] = {215, 145, 80};
  const mjModel *m = sim->model;
  const mjData *d = hn_sim_place(sim, state);
  const int first_front = mj_name2id(m, mjOBJ_BODY, "front_thigh");
  const double pixel = VIEW_WIDTH / (double)width, middle_x = state[0];
  for (int64_t v = 0; v < height; v++)
    for (int64_t u = 0; u < width; u++) {
      double x = middle_x + pixel * ((double)u + 0.5 - 0.5 * (double)width);
      double z = TORSO_HEIGHT - pixel * ((double)v + 0.5 - 0.5 * (double)height);
      const uint8_t *ink = z > 0 ? sky : earth;
      if (fabs(x - rint(x)) < 0.02 && z > 0 && z < 0.1) ink = post;
      for (int g = 0; g < m->ngeom; g++)
        if (m->geom_type[g] == mjGEOM_CAPSULE && covers(m, d, g, x, z))
          ink = m->geom_bodyid[g] >= first_front ? front : back;
      memcpy(rgb + 3 * (v * width + u), ink, 3);
    }
}

#define CHEETAH                                                                              \
  .name = "cheetah", .mjcf = mjcf, .qpos = JOINTS, .qvel = JOINTS, .actions = 6, .parts = 8, \
  .frames = 5, .time_step = 0.01, .planar = true, .control = 1, .sketch = sketch,            \
  .view = {.look_at = {0, 0, TORSO_HEIGHT},                                                  \
           .distance = 3,                                                                    \
           .azimuth = 90,                                                                    \
           .elevation = -12,                                                                 \
           .lines = true,                                                                    \
           .plain = true}

const HnBody hn_cheetah = {CHEETAH, .obs_dim = OBS, .observe = observe};
const HnBody hn_cheetah_placeless = {CHEETAH, .obs_dim = PLACELESS, .observe = observe_placeless};
