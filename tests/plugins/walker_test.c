/* walker_test.c - the walker's parameters, which differ from row to row: how they are drawn, and
 * their dynamics against models compiled with them. */
#include "../../plugins/envs/mujoco/walker.h"
#include "env_fixture.h"
#include "golden_body.h"
#include "numbers.h"

extern const HnPlugin walker_rand_params_LTX_hn_plugin;
static const HnPlugin *const walker = &walker_rand_params_LTX_hn_plugin;

static HnBodyRow row_of(const EnvFixture *f, int64_t i) {
  return hn_locomotion_row(f->self, f->b.state, i);
}

/* Every factor within its bounds, its exponent uniform, and no two alike. */
static void test_scales(void) {
  enum { ROWS = 400, P = HN_WALKER_PARAMS };
  static double wide[ROWS * P], damping[ROWS * P], column[ROWS];
  EnvFixture *f = env_fixture_new(walker, ROWS, NULL);
  int wides = 0, dampings = 0;
  double least = 1, most = 1;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    const double *task = row_of(f, i).task;
    for (int k = 0; k < P; k++) {
      double scale = task[k];
      g_assert_true(f->b.task[i * P + k] == (float)scale);
      for (int j = 0; j < k; j++) g_assert_true(scale != task[j]);
      if (k >= 28 && k < 34)
        damping[dampings++] = log(scale) / log(1.3);
      else
        wide[wides++] = log(scale) / log(1.5), least = MIN(least, scale), most = MAX(most, scale);
    }
  }
  g_assert_cmpfloat(least, >=, 0.2963 - 1e-4);
  g_assert_cmpfloat(least, <, 0.2975); /* of 20800: the bound is approached */
  g_assert_cmpfloat(most, <=, 3.375);
  g_assert_cmpfloat(most, >, 3.36);
  g_assert_cmpfloat(ks_uniform(wide, wides, -3, 3), <, KS_LIMIT(wides));
  g_assert_cmpfloat(ks_uniform(damping, dampings, -3, 3), <, KS_LIMIT(dampings));
  for (int k = 0; k < P; k++) {
    double base = k >= 28 && k < 34 ? 1.3 : 1.5;
    for (int64_t i = 0; i < ROWS; i++) column[i] = log(row_of(f, i).task[k]) / log(base);
    g_assert_cmpfloat(ks_uniform(column, ROWS, -3, 3), <, KS_LIMIT(ROWS));
  }
  env_fixture_free(f);
}

/* Mass and moments of inertia of a capsule of density 1000 along z: across, across, along. */
static void capsule(double radius, double half, double *mass, double *inertia) {
  double height = 2 * half, tube = 1000 * G_PI * radius * radius * height;
  double ball = 1000 * G_PI * 4 / 3 * pow(radius, 3);
  *mass = tube + ball;
  inertia[0] = inertia[1] =
      tube * (3 * radius * radius + height * height) / 12 +
      ball * (0.4 * radius * radius + height * height / 4 + 0.375 * radius * height);
  inertia[2] = tube * radius * radius / 2 + ball * 0.4 * radius * radius;
}

/* The inertial frame, joint damping and friction of body `b` with scaled numbers in MJCF. */
static void write_body(GString *xml, int b, const double *s, const char *frame, double radius,
                       double half, const char *joint, double slide) {
  double mass, inertia[3];
  capsule(radius, half, &mass, inertia);
  g_string_append_printf(xml, "<inertial %s mass='%.17g' diaginertia='%.17g %.17g %.17g'/>", frame,
                         mass * s[b - 1], inertia[0] * s[4 + 3 * b], inertia[1] * s[5 + 3 * b],
                         inertia[2] * s[6 + 3 * b]);
  if (joint)
    g_string_append_printf(xml,
                           "<joint name='j%d' axis='0 -1 0' %s armature='.01' damping='%.17g'/>", b,
                           joint, 0.1 * s[28 + b - 2]);
  g_string_append_printf(xml,
                         "<geom type='capsule' %s size='%.17g %.17g' friction='%.17g %.17g %.17g' "
                         "conaffinity='0'/>",
                         frame, radius, half, slide * s[34 + 3 * b], 0.1 * s[35 + 3 * b],
                         0.1 * s[36 + 3 * b]);
}

/* A walker of these parameters, from its published measures, compiled afresh. */
static mjModel *compile_scaled(const double *s) {
  GString *xml = g_string_new("<mujoco><compiler angle='degree' inertiafromgeom='false'/>"
                              "<option timestep='.004' integrator='RK4'/><worldbody>");
  g_string_append_printf(xml, "<geom type='plane' size='40 40 40' friction='%.17g %.17g %.17g'/>",
                         0.7 * s[34], 0.1 * s[35], 0.1 * s[36]);
  g_string_append(xml, "<body pos='0 0 1.25'><joint type='slide' axis='1 0 0'/>"
                       "<joint type='slide' axis='0 0 1' ref='1.25'/>"
                       "<joint axis='0 1 0'/>");
  write_body(xml, 1, s, "pos='0 0 0'", 0.05, 0.2, NULL, 0.9);
  for (int leg = 0; leg < 2; leg++) {
    int b = 2 + 3 * leg;
    g_string_append(xml, "<body pos='0 0 -.2'>");
    write_body(xml, b, s, "pos='0 0 -.225'", 0.05, 0.225, "limited='true' range='-150 0'", 0.9);
    g_string_append(xml, "<body pos='0 0 -.7'>");
    write_body(xml, b + 1, s, "pos='0 0 0'", 0.04, 0.25,
               "limited='true' pos='0 0 .25' range='-150 0'", 0.9);
    g_string_append(xml, "<body pos='.2 0 -.35'>");
    write_body(xml, b + 2, s, "pos='-.1 0 .1' euler='0 -90 0'", 0.06, 0.1,
               "limited='true' pos='-.2 0 .1' range='-45 45'", leg ? 1.9 : 0.9);
    g_string_append(xml, "</body></body></body>");
  }
  g_string_append(xml, "</body></worldbody><actuator>");
  for (int b = 2; b < 8; b++)
    g_string_append_printf(
        xml, "<motor joint='j%d' gear='100' ctrllimited='true' ctrlrange='-1 1'/>", b);
  g_string_append(xml, "</actuator></mujoco>");
  mjModel *m = compile_body(xml->str);
  g_string_free(xml, TRUE);
  return m;
}

static void near_all(const double *a, const double *b, int count) {
  for (int k = 0; k < count; k++) near(a[k], b[k], 1e-9 * MAX(1, fabs(b[k])));
}

/* A row's task with moments of inertia that a rigid body can have, which is more than the task
 * distribution asks and which MuJoCo's compiler insists on. */
static void draw_possible(HnRng *rng, double *scale) {
  for (int k = 0; k < HN_WALKER_PARAMS; k++) scale[k] = pow(1.5, hn_rng_uniform(rng, -3, 3));
  for (int b = 0; b < 7; b++) {
    scale[8 + 3 * b] = scale[7 + 3 * b] * 1.005;
    scale[9 + 3 * b] = scale[7 + 3 * b] * hn_rng_uniform(rng, 0.5, 1.5);
  }
}

/* Scaled parameters move as in a model compiled with them, and so are MuJoCo's constants. */
static void test_scaled_dynamics(void) {
  EnvFixture *f = env_fixture_new(walker, 1, NULL);
  HnRng rng = hn_rng(17, 0);
  const HnBodyRow row = row_of(f, 0);
  int touching = 0;
  for (int task = 0; task < 6; task++) {
    draw_possible(&rng, row.task);
    mjModel *m = compile_scaled(row.task);
    mjData *d = mj_makeData(m);
    const HnSim *sim = &((const HnLocomotion *)f->self)->sim;
    g_assert_cmpint(hn_walker_derive(sim, 0, true, &row), ==, HN_OK);
    near_all(row.extra, m->body_subtreemass, 8);
    near_all(row.extra + 8, m->body_invweight0, 16);
    near_all(row.extra + 24, m->dof_invweight0, 9);
    near_all(row.extra + 33, &m->stat.meaninertia, 1);
    env_fixture_reset(f, HN_NEW_EPISODE, -1);
    for (int t = 0; t < 100; t++) {
      if (t % 10 == 0) {
        memcpy(d->qpos, row.state, sizeof(double) * 9);
        memcpy(d->qvel, row.state + 9, sizeof(double) * 9);
        memcpy(d->qacc_warmstart, row.state + 18, sizeof(double) * 9);
      }
      for (int k = 0; k < 6; k++)
        d->ctrl[k] = (double)(f->action[k] = (float)hn_rng_uniform(&rng, -1, 1));
      env_fixture_step(f);
      for (int k = 0; k < 4; k++) mj_step(m, d);
      near_all(row.state, d->qpos, 9);
      near_all(row.state + 9, d->qvel, 9);
      touching += d->ncon > 0;
    }
    mj_deleteData(d);
    mj_deleteModel(m);
  }
  g_assert_cmpint(touching, >, 50);
  env_fixture_free(f);
}

/* `nominal` leaves the constants of the unscaled model, and contacts feel it. */
static void test_nominal_constants(void) {
  EnvFixture *derived = env_fixture_new(walker, 1, NULL),
             *nominal = env_fixture_new(walker, 1, SETTINGS({"constants", 1}));
  mjModel *m = compile_body(hn_walker.mjcf);
  env_fixture_reset(derived, HN_NEW_TASK, -1), env_fixture_reset(nominal, HN_NEW_TASK, -1);
  const HnBodyRow a = row_of(derived, 0), b = row_of(nominal, 0);
  const size_t size = sizeof(double) * HN_WALKER_PARAMS;
  g_assert_cmpmem(a.task, size, b.task, size);
  g_assert_cmpmem(b.extra + 8, sizeof(double) * 16, m->body_invweight0, sizeof(double) * 16);
  g_assert_cmpmem(b.extra + 24, sizeof(double) * 9, m->dof_invweight0, sizeof(double) * 9);
  for (int t = 0; t < 20; t++) env_fixture_step(derived), env_fixture_step(nominal);
  double apart = 0;
  for (int k = 0; k < 9; k++) apart = MAX(apart, fabs(a.state[k] - b.state[k]));
  g_assert_cmpfloat(apart, >, 1e-6);
  mj_deleteModel(m);
  env_fixture_free(derived), env_fixture_free(nominal);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/walker/scales", test_scales);
  g_test_add_func("/walker/scaled-dynamics", test_scaled_dynamics);
  g_test_add_func("/walker/nominal-constants", test_nominal_constants);
  return g_test_run();
}
