/* friction_gravity_test.c - walker and humanoid with hidden friction and gravity: how scales are
 * drawn, motion against models compiled with them and against free fall, and rewards. */
#include "../../plugins/envs/mujoco/humanoid.h"
#include "../../plugins/envs/mujoco/walker.h"
#include "env_fixture.h"
#include "golden_body.h"
#include "numbers.h"

extern const HnPlugin humanoid_friction_gravity_LTX_hn_plugin,
    walker_friction_gravity_LTX_hn_plugin;
static const HnPlugin *const walker = &walker_friction_gravity_LTX_hn_plugin;
static const HnPlugin *const both[] = {&humanoid_friction_gravity_LTX_hn_plugin,
                                       &walker_friction_gravity_LTX_hn_plugin};
enum { NONE, SHARED, EACH };

/* ---- tasks ---- */

/* As many numbers as are hidden, each uniform between its own bounds and none like another. */
static void test_tasks(gconstpointer which) {
  enum { ROWS = 500 };
  const HnPlugin *plugin = which;
  const int bodies = plugin == walker ? 7 : 13;
  static double column[ROWS];
  for (int friction = NONE; friction <= EACH; friction++)
    for (int gravity = 0; gravity < 2; gravity++) {
      const int frictions[] = {0, 1, bodies}, dim = gravity + frictions[friction];
      if (dim == 0) continue;
      EnvFixture *f = env_fixture_new(plugin, ROWS,
                                      SETTINGS({"friction", friction}, {"gravity", gravity},
                                               {"friction_scale", 4}, {"gravity_scale", 2}));
      g_assert_cmpint(f->spec.task_dim, ==, dim);
      env_fixture_reset(f, HN_NEW_TASK, -1);
      for (int k = 0; k < dim; k++) {
        const double bound = gravity && k == 0 ? 0.6931471805599453 : 1.3862943611198906;
        for (int64_t i = 0; i < ROWS; i++) {
          column[i] = (double)f->b.task[i * dim + k];
          for (int j = 0; j < k; j++) g_assert_true(f->b.task[i * dim + j] != (float)column[i]);
        }
        g_assert_cmpfloat(ks_uniform(column, ROWS, -bound, bound), <, KS_LIMIT(ROWS));
      }
      env_fixture_free(f);
    }
  HnStatus status;
  EnvFixture *f = env_fixture_try(plugin, 1, SETTINGS({"friction", NONE}, {"gravity", 0}), &status);
  g_assert_cmpint(status, ==, HN_E_PARAM);
  g_assert_nonnull(strstr(f->fake.error, "nothing is hidden"));
  env_fixture_free(f);
}

/* ---- motion ---- */

/* A model with the task of row 0.  Unlike the plugin's, the walker's ground keeps its friction, and
 * geoms of the body decide about their contacts by priority; the humanoid's cannot, since priority
 * decides about the number of friction directions too. */
static mjModel *compile_scaled(const EnvFixture *f) {
  const gboolean walks = f->plugin == walker;
  const double *task = hn_locomotion_row(f->self, f->b.state, 0).task;
  mjModel *m = compile_body(walks ? hn_walker.mjcf : hn_humanoid.mjcf);
  mjData *d = mj_makeData(m);
  m->opt.gravity[2] = -9.81 * exp(task[0]);
  for (int g = 1; g < m->ngeom; g++) {
    const int body = m->geom_bodyid[g];
    const double left_foot = walks && body == 7 ? 1.9 : walks ? 0.9 : 1;
    m->geom_friction[3 * g] = left_foot * exp(task[f->spec.task_dim == 2 ? 1 : body]);
    m->geom_priority[g] = walks;
  }
  if (!walks) m->geom_friction[0] = 0;
  mj_setConst(m, d);
  mj_deleteData(d);
  return m;
}

/* Every state, in bits, under random actions; row 1 has another task, served by the same model. */
static void test_compiled(gconstpointer which) {
  const HnPlugin *plugin = which;
  const int frames = plugin == walker ? 4 : 5;
  HnRng rng = hn_rng(41, 0);
  int touching = 0;
  for (int trial = 0; trial < 8; trial++) {
    EnvFixture *f = env_fixture_new(plugin, 2, SETTINGS({"friction", trial % 2 ? EACH : SHARED}));
    for (int k = 0; k <= trial; k++) env_fixture_reset(f, HN_NEW_TASK, -1);
    mjModel *m = compile_scaled(f);
    mjData *d = mj_makeData(m);
    const size_t nq = sizeof(double) * (size_t)m->nq, nv = sizeof(double) * (size_t)m->nv;
    const double *state = env_fixture_row(f, 0);
    for (int t = 0; t < 60; t++) {
      memcpy(d->qpos, state, nq), memcpy(d->qvel, state + m->nq, nv);
      memcpy(d->qacc_warmstart, state + m->nq + m->nv, nv);
      for (int64_t i = 0; i < 2; i++) env_fixture_random_action(f, i, &rng);
      for (int k = 0; k < m->nu; k++)
        d->ctrl[k] = (double)f->action[k] * (plugin == walker ? 1 : 0.4);
      for (int k = 0; k < frames; k++) mj_step(m, d);
      env_fixture_step(f);
      g_assert_cmpmem(state, nq, d->qpos, nq);
      g_assert_cmpmem(state + m->nq, nv, d->qvel, nv);
      touching += d->ncon > 0;
    }
    mj_deleteData(d), mj_deleteModel(m);
    env_fixture_free(f);
  }
  g_assert_cmpint(touching, >, 100);
}

#define UNSCALED SETTINGS({"friction_scale", 1}, {"gravity_scale", 1})

/* With scales of one, the recorded trajectories of the bodies as published. */
static void test_unscaled(gconstpointer plugin) {
  const char *body = plugin == walker ? "walker" : "humanoid";
  golden_stretches(plugin, body, UNSCALED, NULL);
}

/* The centre of mass in the air falls by s g t^2 / 2, whatever the joints do meanwhile. */
static double mass_height(const EnvFixture *f, const mjModel *m, mjData *d) {
  memcpy(d->qpos, env_fixture_row(f, 0), sizeof(double) * (size_t)m->nq);
  mj_kinematics(m, d), mj_comPos(m, d);
  return d->subtree_com[2];
}

static void test_free_fall(gconstpointer which) {
  const HnPlugin *plugin = which;
  mjModel *m = compile_body(plugin == walker ? hn_walker.mjcf : hn_humanoid.mjcf);
  mjData *d = mj_makeData(m);
  double least = 1, most = 1;
  for (int trial = 0; trial < 10; trial++) {
    EnvFixture *f =
        env_fixture_new(plugin, 1, SETTINGS({"gravity_scale", 3}, {"reset_noise_scale", 0}));
    for (int k = 0; k <= trial; k++) env_fixture_reset(f, HN_NEW_TASK, -1);
    double *state = env_fixture_row(f, 0), scale = exp((double)f->b.task[0]);
    state[plugin == walker ? 1 : 2] += 100;
    const double start = mass_height(f, m, d), dt = plugin == walker ? 0.016 : 0.015;
    for (int t = 1; t <= 50; t++) {
      env_fixture_step(f);
      near(mass_height(f, m, d), start - 9.81 * scale * t * dt * t * dt / 2, 2e-6);
    }
    least = MIN(least, scale), most = MAX(most, scale);
    env_fixture_free(f);
  }
  g_assert_cmpfloat(most / least, >, 2);
  mj_deleteData(d), mj_deleteModel(m);
}

/* ---- rewards ---- */

/* Mean over bodies' centres of x, by mass. */
static double mass_x(const EnvFixture *f, const mjModel *m, mjData *d) {
  memcpy(d->qpos, env_fixture_row(f, 0), sizeof(double) * (size_t)m->nq);
  mj_kinematics(m, d);
  double sum = 0, mass = 0;
  for (int b = 1; b < m->nbody; b++)
    sum += m->body_mass[b] * d->xipos[3 * b], mass += m->body_mass[b];
  return sum / mass;
}

static void test_reward(gconstpointer which) {
  const HnPlugin *plugin = which;
  EnvFixture *f = env_fixture_new(plugin, 1, NULL);
  mjModel *m = compile_body(plugin == walker ? hn_walker.mjcf : hn_humanoid.mjcf);
  mjData *d = mj_makeData(m);
  HnRng rng = hn_rng(42, 0);
  int ends = 0;
  for (int episode = 0; episode < 4; episode++) {
    env_fixture_reset(f, episode ? HN_NEW_EPISODE : HN_NEW_TASK, -1);
    const double *state = env_fixture_row(f, 0);
    for (int t = 0; t < 60; t++) {
      double x = state[0], centre = mass_x(f, m, d), effort = 0;
      env_fixture_random_action(f, 0, &rng);
      env_fixture_step(f);
      for (int64_t k = 0; k < f->spec.action_dim; k++) effort += pow((double)f->action[k], 2);
      double reward, speed;
      gboolean done;
      if (plugin == walker) {
        speed = (state[0] - x) / 0.016, reward = speed + 1 - 1e-3 * effort;
        done = !(state[1] > 0.8 && state[1] < 2 && fabs(state[2]) < 1);
      } else {
        speed = (mass_x(f, m, d) - centre) / 0.015;
        reward = 1.25 * speed - 0.1 * 0.16 * effort + 5;
        reward -= (double)env_fixture_info(f, 0, "contact_cost");
        done = state[2] < 1 || state[2] > 2;
      }
      near((double)f->b.reward[0], reward, 3e-6 * MAX(1, fabs(reward)));
      near((double)env_fixture_info(f, 0, "velocity"), speed, 3e-6 * MAX(1, fabs(speed)));
      g_assert_cmpint(f->b.terminated[0], ==, done);
      ends += done;
    }
  }
  g_assert_cmpint(ends, >, 0);
  mj_deleteData(d), mj_deleteModel(m);
  env_fixture_free(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t k = 0; k < G_N_ELEMENTS(both); k++) {
    add_for(both[k], "tasks", test_tasks);
    add_for(both[k], "compiled", test_compiled);
    add_for(both[k], "unscaled", test_unscaled);
    add_for(both[k], "free-fall", test_free_fall);
    add_for(both[k], "reward", test_reward);
  }
  return g_test_run();
}
