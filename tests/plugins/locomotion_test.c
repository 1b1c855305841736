/* locomotion_test.c - ant, walker and humanoid: dynamics against recordings of Gymnasium's models,
 * rewards and observations against simulations of the test's own, and what ends an episode. */
#include "../../plugins/envs/mujoco/ant.h"
#include "../../plugins/envs/mujoco/humanoid.h"
#include "../../plugins/envs/mujoco/walker.h"
#include "env_fixture.h"
#include "golden_body.h"
#include "numbers.h"

extern const HnPlugin ant_dir_LTX_hn_plugin, ant_goal_LTX_hn_plugin, humanoid_dir_LTX_hn_plugin,
    walker_rand_params_LTX_hn_plugin;
static const HnPlugin *const ant_dir = &ant_dir_LTX_hn_plugin,
                             *const ant_goal = &ant_goal_LTX_hn_plugin,
                             *const humanoid = &humanoid_dir_LTX_hn_plugin,
                             *const walker = &walker_rand_params_LTX_hn_plugin;
static const HnPlugin *const all[] = {&ant_dir_LTX_hn_plugin, &ant_goal_LTX_hn_plugin,
                                      &humanoid_dir_LTX_hn_plugin,
                                      &walker_rand_params_LTX_hn_plugin};
#define UNSCALED SETTINGS({"scale_limit", 0})

static void test_specs(void) {
  const struct {
    const HnPlugin *plugin;
    int obs, act, task;
  } expected[] = {
      {ant_dir, 27, 8, 2}, {ant_goal, 113, 8, 2}, {humanoid, 376, 17, 2}, {walker, 17, 6, 58}};
  for (size_t k = 0; k < G_N_ELEMENTS(expected); k++) {
    EnvFixture *f = env_fixture_new(expected[k].plugin, 1, NULL);
    g_assert_cmpint(f->spec.obs_dim, ==, expected[k].obs);
    g_assert_cmpint(f->spec.action_dim, ==, expected[k].act);
    g_assert_cmpint(f->spec.task_dim, ==, expected[k].task);
    g_assert_cmpint(f->spec.action_count, ==, 0);
    g_assert_cmpint(f->spec.horizon, ==, 200);
    g_assert_cmpstr(f->spec.splits, ==, "train|test");
    env_fixture_free(f);
  }
}

static HnBodyRow row_of(const EnvFixture *f, int64_t i) {
  return hn_locomotion_row(f->self, f->b.state, i);
}

/* ---- recordings ---- */

static void look_at_clipped_forces(const EnvFixture *f, const double *forces) {
  for (int k = 0; k < 84; k++) near((double)f->b.obs[29 + k], CLAMP(forces[k], -1, 1), 1e-7);
}

static void look_at_forces(const EnvFixture *f, const double *forces) {
  for (int k = 0; k < 84; k++)
    near((double)f->b.obs[292 + k], forces[k], 1e-7 * MAX(1, fabs(forces[k])));
}

static void test_golden_stretches(gconstpointer plugin) {
  if (plugin == ant_dir) golden_stretches(plugin, "ant", NULL, NULL);
  if (plugin == ant_goal) golden_stretches(plugin, "ant", NULL, look_at_clipped_forces);
  if (plugin == humanoid) golden_stretches(plugin, "humanoid", NULL, look_at_forces);
  if (plugin == walker) golden_stretches(plugin, "walker", UNSCALED, NULL);
}

static void test_golden_free_run(gconstpointer plugin) {
  if (plugin == ant_dir || plugin == ant_goal) golden_free_run(plugin, "ant", NULL);
  if (plugin == humanoid) golden_free_run(plugin, "humanoid", NULL);
  if (plugin == walker) golden_free_run(plugin, "walker", UNSCALED);
}

/* ---- a simulation of the test's own beside one row, never pushed to nor pulled from ---- */

typedef struct Twin {
  mjModel *m;
  mjData *d, *look; /* look: for what is read of d's state */
  int frames;
} Twin;

static void scale_by_hand(mjModel *m, const double *scale) {
  for (int b = 1; b < 8; b++) m->body_mass[b] *= scale[b - 1];
  for (int k = 0; k < 21; k++) m->body_inertia[3 + k] *= scale[7 + k];
  for (int k = 0; k < 6; k++) m->dof_damping[3 + k] *= scale[28 + k];
  for (int k = 0; k < 24; k++) m->geom_friction[k] *= scale[34 + k];
}

static void twin_look(const Twin *twin) {
  memcpy(twin->look->qpos, twin->d->qpos, sizeof(double) * (size_t)twin->m->nq);
  memcpy(twin->look->qvel, twin->d->qvel, sizeof(double) * (size_t)twin->m->nv);
  mj_forward(twin->m, twin->look);
}

static Twin twin_new(const EnvFixture *f, int64_t i) {
  const HnPlugin *plugin = f->plugin;
  const char *mjcf = plugin == walker     ? hn_walker.mjcf
                     : plugin == humanoid ? hn_humanoid.mjcf
                                          : hn_ant.mjcf;
  Twin twin = {.m = compile_body(mjcf), .frames = plugin == walker ? 4 : 5};
  twin.d = mj_makeData(twin.m), twin.look = mj_makeData(twin.m);
  if (plugin == walker) {
    scale_by_hand(twin.m, row_of(f, i).task);
    mj_setConst(twin.m, twin.d);
    mj_resetData(twin.m, twin.d);
  }
  const size_t nq = (size_t)twin.m->nq, nv = (size_t)twin.m->nv;
  const double *state = env_fixture_row(f, i), *warm = state + nq + nv;
  memcpy(twin.d->qpos, state, sizeof(double) * nq);
  memcpy(twin.d->qvel, state + nq, sizeof(double) * nv);
  mj_forward(twin.m, twin.d);
  for (size_t k = 0; k < nv; k++)
    near(warm[k], twin.d->qacc_warmstart[k], 1e-9 * MAX(1, fabs(warm[k])));
  /* once more: MuJoCo has normalised the quaternion a second time, which can move its last digit */
  memcpy(twin.d->qpos, state, sizeof(double) * nq);
  memcpy(twin.d->qacc_warmstart, warm, sizeof(double) * nv);
  twin_look(&twin);
  return twin;
}

static void twin_free(Twin *twin) {
  mj_deleteData(twin->d), mj_deleteData(twin->look);
  mj_deleteModel(twin->m);
}

static void twin_step(const Twin *twin, const float *act) {
  for (int k = 0; k < twin->m->nu; k++)
    twin->d->ctrl[k] = CLAMP((double)act[k], -1, 1) * twin->m->actuator_ctrlrange[2 * k + 1];
  for (int k = 0; k < twin->frames; k++) mj_step(twin->m, twin->d);
  twin_look(twin);
}

/* Bits of the row's state. */
static void twin_compare(const Twin *twin, const EnvFixture *f, int64_t i) {
  size_t nq = (size_t)twin->m->nq, nv = (size_t)twin->m->nv, size = sizeof(double);
  const double *state = env_fixture_row(f, i);
  g_assert_cmpmem(state, size * nq, twin->d->qpos, size * nq);
  g_assert_cmpmem(state + nq, size * nv, twin->d->qvel, size * nv);
  g_assert_cmpmem(state + nq + nv, size * nv, twin->d->qacc_warmstart, size * nv);
}

/* Mean of the bodies' centres, weighted by mass. */
static void center_of_mass(const Twin *twin, double *xy) {
  double mass = 0;
  xy[0] = xy[1] = 0;
  for (int b = 0; b < twin->m->nbody; b++) {
    mass += twin->m->body_mass[b];
    for (int k = 0; k < 2; k++) xy[k] += twin->m->body_mass[b] * twin->look->xipos[3 * b + k];
  }
  xy[0] /= mass, xy[1] /= mass;
}

static double sum_of_squares(const float *x, int count) {
  double sum = 0;
  for (int k = 0; k < count; k++) sum += (double)x[k] * (double)x[k];
  return sum;
}

/* Where the reward measures motion: the torso, or the common centre. */
static void twin_place(const Twin *twin, const HnPlugin *plugin, double *xy) {
  if (plugin == humanoid)
    center_of_mass(twin, xy);
  else if (plugin == walker)
    xy[0] = twin->d->qpos[0], xy[1] = 0;
  else
    memcpy(xy, twin->look->xpos + 3, sizeof(double) * 2);
}

/* The published formula, from the twin, places before and after, and the action. */
static double formula(const Twin *twin, const EnvFixture *f, int64_t i, const double *before,
                      const double *after) {
  const HnPlugin *plugin = f->plugin;
  const float *act = f->action + i * f->spec.action_dim, *task = f->b.task + i * f->spec.task_dim;
  double dx = after[0] - before[0], dy = after[1] - before[1];
  double effort = sum_of_squares(act, (int)f->spec.action_dim), clipped = 0, force = 0;
  mj_rnePostConstraint(twin->m, twin->d);
  for (int k = 0; k < 6 * twin->m->nbody; k++) {
    force += pow(twin->d->cfrc_ext[k], 2);
    clipped += pow(CLAMP(twin->d->cfrc_ext[k], -1, 1), 2);
  }
  if (plugin == walker) return dx / 0.016 + 1 - 1e-3 * effort;
  double along = dx * (double)task[0] + dy * (double)task[1];
  if (plugin == humanoid)
    return 0.25 * along / 0.003 - 0.1 * 0.16 * effort - MIN(5e-7 * force, 10) + 5;
  if (plugin == ant_dir) return along / 0.05 - 0.5 * effort - 5e-4 * clipped + 1;
  return -fabs(after[0] - (double)task[0]) - fabs(after[1] - (double)task[1]) - 0.1 * effort -
         5e-4 * clipped;
}

static gboolean formula_done(const HnPlugin *plugin, const double *qpos) {
  if (plugin == ant_dir) return !(qpos[2] >= 0.2 && qpos[2] <= 1);
  if (plugin == humanoid) return qpos[2] < 1 || qpos[2] > 2;
  if (plugin == walker) return !(qpos[1] > 0.8 && qpos[1] < 2 && qpos[2] > -1 && qpos[2] < 1);
  return FALSE;
}

/* Observations that are not bare qpos and qvel. */
static const float *compare_array(const float *obs, const double *values, int count) {
  for (int k = 0; k < count; k++, obs++)
    near((double)*obs, values[k], 1e-6 * MAX(1, fabs(values[k])));
  return obs;
}

static void compare_observation(const Twin *twin, const EnvFixture *f, int64_t i) {
  const HnPlugin *plugin = f->plugin;
  const mjModel *m = twin->m;
  const float *obs = f->b.obs + i * f->spec.obs_dim;
  int hidden = plugin == ant_goal ? 0 : plugin == walker ? 1 : 2;
  double clipped[84] = {0}, *qvel = twin->d->qvel;
  for (int k = 0; k < m->nv && plugin == walker; k++) clipped[k] = CLAMP(qvel[k], -10, 10);
  obs = compare_array(obs, twin->d->qpos + hidden, m->nq - hidden);
  obs = compare_array(obs, plugin == walker ? clipped : qvel, m->nv);
  if (plugin == humanoid) {
    obs = compare_array(obs, twin->look->cinert, 140);
    obs = compare_array(obs, twin->look->cvel, 84);
    obs = compare_array(obs, twin->d->qfrc_actuator, 23);
    obs = compare_array(obs, twin->d->cfrc_ext, 84);
  }
  for (int k = 0; k < 84 && plugin == ant_goal; k++)
    clipped[k] = CLAMP(twin->d->cfrc_ext[k], -1, 1);
  if (plugin == ant_goal) obs = compare_array(obs, clipped, 84);
  g_assert_true(obs == f->b.obs + (i + 1) * f->spec.obs_dim);
}

/* State in bits, observation, reward and end of row 0, over several episodes of a task.  Row 1 is
 * begun and stepped after it, so that whatever a simulator remembered would be row 1's. */
static void test_twin(gconstpointer which) {
  const HnPlugin *plugin = which;
  EnvFixture *f = env_fixture_new(plugin, 2, NULL);
  HnRng rng = hn_rng(12, 0);
  double before[2], after[2];
  int ends = 0;
  for (int episode = 0; episode < 4; episode++) {
    env_fixture_reset(f, episode % 2 ? HN_NEW_EPISODE : HN_NEW_TASK, -1);
    Twin twin = twin_new(f, 0);
    twin_compare(&twin, f, 0);
    mj_rnePostConstraint(twin.m, twin.d);
    compare_observation(&twin, f, 0);
    for (int t = 0; t < 60; t++) {
      for (int64_t i = 0; i < 2; i++) env_fixture_random_action(f, i, &rng);
      twin_place(&twin, plugin, before);
      twin_step(&twin, f->action);
      twin_place(&twin, plugin, after);
      env_fixture_step(f);
      twin_compare(&twin, f, 0);
      double reward = formula(&twin, f, 0, before, after);
      near((double)f->b.reward[0], reward, 3e-6 * MAX(1, fabs(reward)));
      compare_observation(&twin, f, 0);
      gboolean done = formula_done(plugin, twin.d->qpos);
      g_assert_cmpint(f->b.terminated[0], ==, done);
      ends += done;
    }
    twin_free(&twin);
  }
  if (plugin == walker || plugin == humanoid) g_assert_cmpint(ends, >, 0);
  env_fixture_free(f);
}

/* ---- starts and ends ---- */

static void test_start(gconstpointer which) {
  enum { ROWS = 400 };
  const HnPlugin *plugin = which;
  EnvFixture *f = env_fixture_new(plugin, ROWS, NULL);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  Twin twin = twin_new(f, 0); /* for its model */
  const int nq = twin.m->nq, nv = twin.m->nv, angles = plugin == walker ? 0 : 7;
  const double noise = plugin == walker ? 0.005 : plugin == humanoid ? 0.01 : 0.1;
  static double pose[24 * ROWS], speed[23 * ROWS];
  int poses = 0, speeds = 0;
  double square = 0;
  for (int64_t i = 0; i < ROWS; i++) {
    const double *state = env_fixture_row(f, i);
    if (angles) near(hypot(hypot(state[3], state[4]), hypot(state[5], state[6])), 1, 1e-15);
    for (int k = angles; k < nq; k++) pose[poses++] = state[k] - twin.m->qpos0[k];
    for (int k = 0; k < nv; k++) speed[speeds++] = state[nq + k], square += pow(state[nq + k], 2);
  }
  g_assert_cmpfloat(ks_uniform(pose, poses, -noise, noise), <, KS_LIMIT(poses));
  if (plugin == walker || plugin == humanoid)
    g_assert_cmpfloat(ks_uniform(speed, speeds, -noise, noise), <, KS_LIMIT(speeds));
  else
    near(square / speeds, 0.01, 5 * 0.01 * sqrt(2.0 / speeds));
  twin_free(&twin);
  env_fixture_free(f);
}

/* Height of the torso after one idle step from `height` at `speed` upward, turned on its side where
 * asked; and whether the row is then done. */
static double idle_height(EnvFixture *f, double height, double speed, gboolean lying,
                          gboolean *done) {
  double *state = env_fixture_row(f, 0);
  memset(state, 0, sizeof(double) * (f->plugin == humanoid ? 71 : 44));
  state[2] = height;
  state[3] = lying ? sqrt(0.5) : 1, state[4] = lying ? sqrt(0.5) : 0;
  state[f->plugin == humanoid ? 26 : 17] = speed;
  memset(f->action, 0, sizeof(float) * (size_t)f->spec.action_dim);
  env_fixture_step(f);
  *done = f->b.terminated[0];
  return state[2];
}

/* The height at which `done` changes, by bisection between one where it is not and one where it
 * is. */
static void check_bound(EnvFixture *f, double alive, double over, double speed, gboolean lying,
                        double bound) {
  gboolean done;
  idle_height(f, alive, speed, lying, &done);
  g_assert_false(done);
  idle_height(f, over, speed, lying, &done);
  g_assert_true(done);
  for (int k = 0; k < 45; k++) {
    double middle = (alive + over) / 2, height = idle_height(f, middle, speed, lying, &done);
    *(done ? &over : &alive) = middle;
    if (fabs(alive - over) < 1e-12) near(height, bound, 1e-9);
  }
  g_assert_cmpfloat(fabs(alive - over), <, 1e-12);
}

static void test_bounds(void) {
  EnvFixture *ants = env_fixture_new(ant_dir, 1, NULL),
             *people = env_fixture_new(humanoid, 1, NULL);
  env_fixture_reset(ants, HN_NEW_TASK, -1), env_fixture_reset(people, HN_NEW_TASK, -1);
  check_bound(ants, 0.9, 1.2, 0, FALSE, 1);
  check_bound(ants, 1.5, 1, -20, FALSE, 0.2); /* hitting the floor hard */
  check_bound(people, 1.9, 2.2, 0, FALSE, 2);
  check_bound(people, 1.1, 0.9, 0, TRUE, 1); /* lying in the air, so that nothing touches */
  env_fixture_free(ants), env_fixture_free(people);
  static const double standing[][2] = {{0.8, 0}, {2, 0}, {1.25, -1}, {1.25, 1}};
  for (size_t k = 0; k < G_N_ELEMENTS(standing); k++) {
    double state[3] = {0, standing[k][0], standing[k][1]};
    g_assert_false(hn_walker_stands(state)); /* bounds themselves are outside */
    state[1] += (1.25 - state[1]) * 1e-9, state[2] -= state[2] * 1e-9;
    g_assert_true(hn_walker_stands(state));
  }
}

/* A goal is no end: an ant far too high goes on. */
static void test_goal_never_ends(void) {
  EnvFixture *f = env_fixture_new(ant_goal, 1, NULL);
  gboolean done;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  g_assert_cmpfloat(idle_height(f, 3, 0, FALSE, &done), >, 2);
  g_assert_false(done);
  env_fixture_free(f);
}

/* Sparse, a goal pays 1 - d within the radius and costs the radius beyond, and the dense reward
 * says what it paid besides. */
static void test_goal_sparse(void) {
  enum { ROWS = 2 };
  EnvFixture *dense = env_fixture_new(ant_goal, ROWS, NULL),
             *sparse = env_fixture_new(ant_goal, ROWS, SETTINGS({"sparse_radius", 0.75}));
  HnRng rng = hn_rng(19, 0);
  int near_it = 0, far = 0;
  env_fixture_reset(dense, HN_NEW_TASK, -1), env_fixture_reset(sparse, HN_NEW_TASK, -1);
  for (int t = 0; t < 60; t++) {
    for (int64_t i = 0; i < ROWS; i++) {
      double *state = row_of(dense, i).state, *other = row_of(sparse, i).state;
      const double *goal = row_of(dense, i).task;
      for (int k = 0; k < 2 && t == 0; k++) state[k] = other[k] = goal[k] + (i ? 0.55 : 0.4);
      env_fixture_random_action(dense, i, &rng);
    }
    memcpy(sparse->action, dense->action, sizeof(float) * ROWS * 8);
    env_fixture_step(dense), env_fixture_step(sparse);
    for (int64_t i = 0; i < ROWS; i++) {
      const double *state = row_of(dense, i).state, *goal = row_of(dense, i).task;
      double dx = state[0] - goal[0], dy = state[1] - goal[1], d = sqrt(dx * dx + dy * dy);
      double besides = (double)dense->b.reward[i] + fabs(dx) + fabs(dy);
      near((double)sparse->b.reward[i], (d <= 0.75 ? 1 - d : -0.75) + besides, 3e-6);
      *(d <= 0.75 ? &near_it : &far) += 1;
    }
  }
  g_assert_cmpint(near_it, >, 20);
  g_assert_cmpint(far, >, 20);
  env_fixture_free(dense), env_fixture_free(sparse);
}

/* ---- contact forces ---- */

/* An ant at rest: what the floor bears is its weight. */
static void test_weight(void) {
  EnvFixture *f = env_fixture_new(ant_goal, 1, NULL);
  double up = 0, side = 0, mass = 0;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int t = 0; t < 400; t++) env_fixture_step(f);
  const HnSim *sim = &((const HnLocomotion *)f->self)->sim;
  const double *force = hn_sim_forces(sim, 0), *state = row_of(f, 0).state;
  for (int b = 0; b < sim->model->nbody; b++) {
    mass += sim->model->body_mass[b];
    side += hypot(force[6 * b + 3], force[6 * b + 4]), up += force[6 * b + 5];
  }
  g_assert_cmpfloat(fabs(hypot(state[15], state[17])), <, 1e-3);
  near(up, 9.81 * mass, 0.01 * 9.81 * mass);
  g_assert_cmpfloat(side, <, up);
  env_fixture_free(f);
}

/* Switched off, forces are zero in observation and reward, and nothing else changes. */
static void test_forces_off(void) {
  const HnPlugin *const felt[] = {ant_dir, ant_goal, humanoid};
  for (size_t p = 0; p < G_N_ELEMENTS(felt); p++) {
    EnvFixture *on = env_fixture_new(felt[p], 1, NULL),
               *off = env_fixture_new(felt[p], 1, SETTINGS({"use_contact_forces", 0}));
    const int shown = felt[p] == ant_dir ? 0 : 84, rest = (int)on->spec.obs_dim - shown;
    HnRng rng = hn_rng(16, 0);
    double cost = 0, seen = 0;
    env_fixture_reset(on, HN_NEW_TASK, -1), env_fixture_reset(off, HN_NEW_TASK, -1);
    for (int t = 0; t < 60; t++) {
      env_fixture_random_action(on, 0, &rng);
      memcpy(off->action, on->action, sizeof(float) * (size_t)on->spec.action_dim);
      env_fixture_step(on), env_fixture_step(off);
      g_assert_cmpmem(on->b.obs, sizeof(float) * (size_t)rest, off->b.obs,
                      sizeof(float) * (size_t)rest);
      g_assert_true(sum_of_squares(off->b.obs + rest, shown) == 0);
      g_assert_true(env_fixture_info(off, 0, "contact_cost") == 0);
      near((double)off->b.reward[0] - (double)on->b.reward[0],
           (double)env_fixture_info(on, 0, "contact_cost"), 3e-6);
      cost += (double)env_fixture_info(on, 0, "contact_cost");
      seen += sum_of_squares(on->b.obs + rest, shown);
    }
    g_assert_cmpfloat(cost, >, 0);
    g_assert_true((seen > 0) == (shown > 0));
    env_fixture_free(on), env_fixture_free(off);
  }
}

/* ---- tasks ---- */

static void test_directions(void) {
  enum { ROWS = 2000 };
  static const double expected[3][2][2] = {
      {{-1, 0}, {1, 0}},
      {{0, 0}, {0, 0}},
      {{0.5403023058681398, -0.8414709848078965}, {0.5403023058681398, 0.8414709848078965}}};
  for (int kind = 0; kind < 3; kind++) {
    EnvFixture *f = env_fixture_new(ant_dir, ROWS, SETTINGS({"direction", kind}));
    static double angle[ROWS];
    double ones = 0;
    env_fixture_reset(f, HN_NEW_TASK, -1);
    g_assert_cmpint(f->env->task_count(f->self, 0), ==, kind == 1 ? 0 : 2);
    for (int64_t i = 0; i < ROWS; i++) {
      double x = (double)f->b.task[2 * i], y = (double)f->b.task[2 * i + 1];
      int64_t k = f->b.task_index[i];
      angle[i] = atan2(y, x);
      near(hypot(x, y), 1, 1e-7);
      if (kind == 1)
        g_assert_cmpint(k, ==, -1);
      else
        near(x, expected[kind][k][0], 1e-7), near(y, expected[kind][k][1], 1e-7), ones += (double)k;
    }
    if (kind == 1)
      g_assert_cmpfloat(ks_uniform(angle, ROWS, -G_PI, G_PI), <, KS_LIMIT(ROWS));
    else {
      near(ones, ROWS / 2.0, 5 * sqrt(ROWS / 4.0));
      g_assert_cmpstr(f->env->task_name(f->self, 0, 1), ==, kind == 0 ? "forward" : "left");
      f->begin[0] = HN_NEW_TASK, f->b.task_index[0] = 2;
      g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_E_PARAM);
    }
    env_fixture_free(f);
  }
}

/* Goals uniform in the disc: angle uniform, squared radius uniform up to 9.  Humanoid directions
 * uniform on the circle. */
static void test_goals(void) {
  enum { ROWS = 2000 };
  static double angle[ROWS], square[ROWS];
  EnvFixture *goals = env_fixture_new(ant_goal, ROWS, NULL),
             *ways = env_fixture_new(humanoid, ROWS, NULL);
  env_fixture_reset(goals, HN_NEW_TASK, -1), env_fixture_reset(ways, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    double x = (double)goals->b.task[2 * i], y = (double)goals->b.task[2 * i + 1];
    angle[i] = atan2(y, x), square[i] = x * x + y * y;
  }
  g_assert_cmpfloat(ks_uniform(angle, ROWS, -G_PI, G_PI), <, KS_LIMIT(ROWS));
  g_assert_cmpfloat(ks_uniform(square, ROWS, 0, 9), <, KS_LIMIT(ROWS));
  for (int64_t i = 0; i < ROWS; i++) {
    double x = (double)ways->b.task[2 * i], y = (double)ways->b.task[2 * i + 1];
    angle[i] = atan2(y, x);
    near(hypot(x, y), 1, 1e-7);
  }
  g_assert_cmpfloat(ks_uniform(angle, ROWS, -G_PI, G_PI), <, KS_LIMIT(ROWS));
  env_fixture_free(goals), env_fixture_free(ways);
}

/* ---- failures ---- */

/* A state that blows up and an action that is not a number fail the call with a reason, and leave
 * the simulator fit for the next row. */
static void test_failures(gconstpointer plugin) {
  EnvFixture *f = env_fixture_new(plugin, 1, NULL);
  HnRng rng = hn_rng(15, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  const size_t size = f->spec.row_size;
  double *state = env_fixture_row(f, 0);
  void *start = g_memdup2(state, size);
  env_fixture_random_action(f, 0, &rng);
  env_fixture_step(f);
  void *once = g_memdup2(state, size);

  memcpy(state, start, size), state[26] = 1e12; /* a speed or a warm start in all of them */
  state[plugin == walker ? 12 : 30] = 1e12;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(f->fake.error, "MuJoCo"));
  memcpy(state, start, size), state[2] = NAN;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  memcpy(state, start, size);
  float kept = f->action[4];
  f->action[4] = INFINITY;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(f->fake.error, "action 4"));

  f->action[4] = kept, memcpy(state, start, size);
  env_fixture_step(f);
  g_assert_cmpmem(state, size, once, size);
  g_free(start), g_free(once);
  env_fixture_free(f);
}

static void test_uneven_motor(void) {
  EnvFixture *f = env_fixture_new(ant_dir, 1, NULL); /* for its host */
  HnSim sim;
  g_assert_cmpint(hn_sim_create(&sim, &f->fake.host,
                                "<mujoco><worldbody><body><joint name='j'/><geom size='1'/></body>"
                                "</worldbody><actuator><motor joint='j' ctrllimited='true' "
                                "ctrlrange='0 1'/></actuator></mujoco>",
                                1),
                  ==, HN_E_UNSUPPORTED);
  g_assert_nonnull(strstr(f->fake.error, "control range"));
  hn_sim_destroy(&sim);
  env_fixture_free(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/bodies/specs", test_specs);
  for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
    add_for(all[k], "golden-stretches", test_golden_stretches);
    add_for(all[k], "golden-free-run", test_golden_free_run);
    add_for(all[k], "twin", test_twin);
    add_for(all[k], "start", test_start);
    add_for(all[k], "failures", test_failures);
  }
  g_test_add_func("/bodies/bounds", test_bounds);
  g_test_add_func("/ant_goal/never-ends", test_goal_never_ends);
  g_test_add_func("/ant_goal/sparse", test_goal_sparse);
  g_test_add_func("/ant/weight", test_weight);
  g_test_add_func("/bodies/forces-off", test_forces_off);
  g_test_add_func("/ant_dir/directions", test_directions);
  g_test_add_func("/bodies/goals", test_goals);
  g_test_add_func("/mujoco/uneven-motor", test_uneven_motor);
  return g_test_run();
}
