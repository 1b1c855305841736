/* metaworld_test.c - Meta-World against recordings of its own package (golden/metaworld): goals,
 * resets, observations, rewards, steps, whole episodes; the traps its code sets to those who write
 * it anew; what the environment owes the host; models that are missing or damaged.
 *
 * Recordings are of MuJoCo 3.3.0.  With other releases contacts differ, so that only what does not
 * hang on them is compared. */
#include "../../plugins/envs/metaworld/compat.h"
#include "../../plugins/envs/metaworld/goals.h"
#include "../../plugins/envs/metaworld/model.h"
#include "env_laws.h"
#include "golden_metaworld.h"
#include <glib/gstdio.h>
#include <sys/wait.h>

extern const HnPlugin metaworld_LTX_hn_plugin;
static const HnPlugin *const metaworld = &metaworld_LTX_hn_plugin;
static gboolean pinned; /* MuJoCo is the release of the recordings */
static char assets[HN_MW_PATH], absent[512];

/* ---- one task in a world of its own ---- */

typedef struct Stage {
  FakeHost fake;
  HnMwWorld world;
  HnMwRow row;
  Recording *golden;
  int task;
} Stage;

static Stage *stage_open(int task) {
  Stage *g = g_new0(Stage, 1);
  g->task = task, g->golden = recording_of(task);
  HnStatus s = hn_mw_world_create(&g->world, fake_host_open(&g->fake), assets, 1, &task);
  if (s) g_error("%s", g->fake.error);
  g->row.task = task;
  memcpy(g->row.rand, g->golden->rand, sizeof g->row.rand);
  s = hn_mw_start(&g->world, &g->row);
  if (s) g_error("%s", g->fake.error);
  return g;
}

static void stage_close(Stage *g) {
  hn_mw_world_destroy(&g->world);
  fake_host_close(&g->fake);
  g_free(g->golden), g_free(g);
}

static void near_one(const char *what, int k, double a, double b, double tolerance) {
  if (!isnan(b) && !(fabs(a - b) <= tolerance))
    g_test_fail_printf("%s[%d]: %.17g is not %.17g (tolerance %g)", what, k, a, b, tolerance);
}

static void near_all(const char *what, const double *a, const double *b, int count,
                     double tolerance) {
  for (int k = 0; k < count; k++) near_one(what, k, a[k], b[k], tolerance);
}

static void set_pose(HnMwRow *row, const Recording *r, const Pose *p) {
  memcpy(row->qpos, p->qpos, sizeof(double) * (size_t)r->nq);
  memcpy(row->qvel, p->qvel, sizeof(double) * (size_t)r->nv);
  memcpy(row->mocap, p->mocap, sizeof p->mocap);
}

/* Constants as recorded, so that a release that settles objects otherwise is not held to them. */
static void set_constants(HnMwRow *row, const Recording *r) {
  memcpy(row->tcp0, r->tcp0, sizeof row->tcp0), memcpy(row->target, r->target, sizeof r->target);
  memcpy(row->obj0, r->obj0, sizeof row->obj0);
  if (!isnan(r->mark[0])) memcpy(row->mark, r->mark, sizeof row->mark);
  if (!isnan(r->far0)) row->far0 = r->far0;
}

/* ---- recordings ---- */

/* Of whose object the orientation is a mesh's, which hangs on how a release turns meshes. */
static gboolean is_mesh_turn(int task) {
  const char *const old[] = {"coffee-pull", "coffee-push", NULL};
  const char *const later[] = {"door-open", "door-close", "lever-pull", NULL};
  const char *name = hn_mw_tasks[task].name;
  return g_strv_contains(old, name) || (mj_version() > 330 && g_strv_contains(later, name));
}

static void compare_obs(int task, const double *obs, const double *recorded, double tolerance) {
  gboolean skip = !pinned && is_mesh_turn(task);
  for (int k = 0; k < HN_MW_OBS; k++)
    if (!(skip && ((k >= 7 && k < 11) || (k >= 25 && k < 29))))
      near_one("obs", k, obs[k], recorded[k], tolerance);
}

static void test_reset(gconstpointer data) {
  Stage *g = stage_open(GPOINTER_TO_INT(data));
  const Recording *r = g->golden;
  double obs[HN_MW_OBS];
  near_all("tcp0", g->row.tcp0, r->tcp0, 3, 1e-9);
  near_all("target", g->row.target, r->target, 3, 1e-9);
  near_all("obj0", g->row.obj0, r->obj0, 3, 1e-9);
  near_all("mark", g->row.mark, r->mark, 3, 1e-9);
  near_all("qpos", g->row.qpos, r->start.qpos, r->nq, 1e-9);
  near_all("qvel", g->row.qvel, r->start.qvel, r->nv, 1e-9);
  near_all("mocap", g->row.mocap, r->start.mocap, 3, 0);
  hn_mw_first_obs(&g->row, obs);
  compare_obs(g->task, obs, r->start_obs, 1e-9);
  stage_close(g);
}

/* Where the hand comes to rest hangs on the weld that leads it, not on contacts, so every release
 * must agree with the recordings: without the regularisation of compat.h it is off by 0.8 mm. */
static void test_weld(gconstpointer data) {
  double tolerance = mj_version() <= 330 ? 1e-6 : 2e-3; /* the Python package's hand moved too */
  Stage *g = stage_open(GPOINTER_TO_INT(data));
  near_all("tcp0", g->row.tcp0, g->golden->tcp0, 3, tolerance);
  near_all("hand", g->row.frame, g->golden->start_obs, 3, tolerance);
  stage_close(g);
}

/* Recorded states are put into the simulator; what is seen and paid there must be as recorded. */
static void test_injection(gconstpointer data) {
  Stage *g = stage_open(GPOINTER_TO_INT(data));
  const Recording *r = g->golden;
  set_constants(&g->row, r);
  for (int k = 0; k < r->records; k++) {
    const Record *c = &r->record[k];
    HnMwOutcome out;
    set_pose(&g->row, r, &c->after);
    memcpy(g->row.warm, c->warm, sizeof c->warm);
    memcpy(g->row.frame, c->frame, sizeof c->frame);
    g->row.steps = c->step;
    g_assert_cmpint(hn_mw_look(&g->world, &g->row, r->action[c->step], &out), ==, HN_OK);
    g_assert_cmpstr(out.trouble, ==, "");
    compare_obs(g->task, out.obs, c->obs, mj_version() <= 330 ? 1e-9 : 1e-7); /* meshes again */
    near_one("reward", c->step, out.reward, c->reward, mj_version() <= 330 ? 1e-9 : 1e-7);
    near_one("success", c->step, out.success, c->success, 0);
  }
  stage_close(g);
}

static void test_one_step(gconstpointer data) {
  Stage *g = stage_open(GPOINTER_TO_INT(data));
  const Recording *r = g->golden;
  set_constants(&g->row, r);
  for (int k = 0; k < r->records; k++) {
    const Record *c = &r->record[k];
    HnMwOutcome out;
    set_pose(&g->row, r, &c->before);
    memcpy(g->row.warm, c->warm, sizeof c->warm);
    memcpy(g->row.frame, c->frame, sizeof c->frame);
    g->row.steps = c->step;
    g_assert_cmpint(hn_mw_step(&g->world, &g->row, r->action[c->step], &out), ==, HN_OK);
    near_all("qpos", g->row.qpos, c->after.qpos, r->nq, 1e-9);
    near_all("qvel", g->row.qvel, c->after.qvel, r->nv, 1e-9);
    near_all("mocap", g->row.mocap, c->after.mocap, 3, 0);
    near_all("obs", out.obs, c->obs, HN_MW_OBS, 1e-9);
    near_one("reward", c->step, out.reward, c->reward, 1e-9);
    near_one("success", c->step, out.success, c->success, 0);
  }
  stage_close(g);
}

/* 150 recorded actions of a scripted policy, from a reset of our own; every reward of a task that
 * stays together is compared as well. */
static void test_open_loop(void) {
  int same = 0, close = 0;
  for (int task = 0; task < HN_MW_TASKS; task++) {
    Stage *g = stage_open(task);
    const Recording *r = g->golden;
    HnMwOutcome out;
    double worst = 0;
    for (int t = 0; t < EPISODE; t++) {
      g_assert_cmpint(hn_mw_step(&g->world, &g->row, r->action[t], &out), ==, HN_OK);
      worst = fmax(worst, fabs(out.reward - r->reward[t]));
    }
    same += out.success == r->success[EPISODE - 1];
    close += worst < 1e-6;
    if (worst >= 1e-6 || out.success != r->success[EPISODE - 1])
      g_test_message("%s: rewards up to %g apart, success %d, recorded %d", r->task, worst,
                     out.success, r->success[EPISODE - 1]);
    stage_close(g);
  }
  g_test_message("final success as recorded: %d of 50; all rewards within 1e-6: %d", same, close);
  g_assert_cmpint(same, >=, 48);
}

/* ---- goals ---- */

/* Every half that was recorded; needs no models. */
static void test_goals(void) {
  FILE *file = fopen(GOLDEN "/metaworld/goals.bin", "rb");
  g_assert_nonnull(file);
  char benchmark[20], half[20], name[40];
  int halves = 0, seed, tasks;
  while (fscanf(file, "%19s %19s %d %d", benchmark, half, &seed, &tasks) == 4) {
    const char *const names[] = {"ml1", "ml10", "ml45", "mt1", "mt10", "mt50"};
    int b = 0, list[HN_MW_TASKS], expected[HN_MW_TASKS];
    while (strcmp(names[b], benchmark) != 0) g_assert_cmpint(++b, <, (int)G_N_ELEMENTS(names));
    for (int k = 0; k < tasks; k++) {
      g_assert_cmpint(fscanf(file, "%39s", name), ==, 1);
      expected[k] = hn_mw_task_find(name);
      g_assert_cmpint(expected[k], >=, 0);
    }
    g_assert_cmpint(fgetc(file), ==, '\n');
    gboolean test = strcmp(half, "test") == 0;
    g_assert_cmpint(hn_mw_split(b, test, expected[0], list), ==, tasks);
    g_assert_cmpmem(list, sizeof *list * (gsize)tasks, expected, sizeof *list * (gsize)tasks);
    int count = tasks * HN_MW_GOALS * HN_MW_RAND;
    double *drawn = g_new(double, count), *recorded = g_new(double, count);
    read_doubles(file, recorded, count);
    hn_mw_draw_goals((uint32_t)seed + (b == HN_MW_ML1 && test), tasks, list, drawn);
    near_all("goal", drawn, recorded, count, 0);
    g_free(drawn), g_free(recorded);
    halves++;
  }
  fclose(file);
  g_assert_cmpint(halves, ==, 50 + 1 + 2);
}

/* ---- traps: what one who writes Meta-World anew gets wrong first ---- */

static HnMwRow row_at(const Stage *g, const Recording *r, int record) {
  HnMwRow row = g->row;
  const Record *c = &r->record[record];
  set_pose(&row, r, &c->after);
  memcpy(row.frame, c->frame, sizeof row.frame);
  row.steps = c->step;
  return row;
}

static double reward_of(Stage *g, HnMwRow row, int step) {
  HnMwOutcome out;
  g_assert_cmpint(hn_mw_look(&g->world, &row, g->golden->action[step], &out), ==, HN_OK);
  return out.reward;
}

/* Upstream keeps views of the simulator where it means to keep positions: door-lock's margin is
 * today's distance, so that its reward for coming near is 0.1 wherever the hand is; and
 * door-unlock's start of the lock moves with the lock. */
static void test_trap_1_live_views(void) {
  Stage *g = stage_open(hn_mw_task_find("door-unlock"));
  const Recording *r = g->golden;
  set_constants(&g->row, r);
  const int last = r->records - 1; /* the lock is turned by then */
  HnMwRow moved = row_at(g, r, last);
  g_assert_cmpfloat(fabs(r->record[last].after.qpos[9] - r->start.qpos[9]), >, 0.1);
  near_one("reward", 0, reward_of(g, moved, r->record[last].step), r->record[last].reward, 1e-9);
  for (int i = 0; i < 3; i++) moved.obj0[i] += 1; /* what reset saw must not matter */
  near_one("reward", 1, reward_of(g, moved, r->record[last].step), r->record[last].reward, 1e-9);
  stage_close(g);
}

/* Hands that start at float32 numbers, and hands that do not. */
static void test_trap_2_float32_starts(void) {
  int single = 0;
  for (int k = 0; k < HN_MW_TASKS; k++) {
    const HnMwTask *task = &hn_mw_tasks[k];
    gboolean is_single = task->hand[2] == (double)0.2f;
    g_assert_true(is_single || task->hand[2] == 0.2);
    single += is_single;
    Recording *r = recording_of(k);
    near_all("mocap", task->hand, r->start.mocap, 3, 0);
    g_free(r);
  }
  g_assert_cmpint(single, ==, 24);
}

/* Orientations come in MuJoCo's order or in scipy's, and a mesh's frame is the release's own. */
static void test_trap_3_orientations(void) {
  const struct {
    const char *task;
    int scalar;
  } order[] = {{"assembly", 7}, {"pick-place", 10}, {"sweep", 7}, {"push", 10}};
  for (size_t k = 0; k < G_N_ELEMENTS(order); k++) {
    Stage *g = stage_open(hn_mw_task_find(order[k].task));
    double obs[HN_MW_OBS];
    hn_mw_first_obs(&g->row, obs);
    gboolean nut = k == 0; /* lies turned by a quarter about z */
    near_one("scalar", (int)k, fabs(obs[order[k].scalar]), nut ? sqrt(0.5) : 1, 2e-2);
    near_one("scalar", (int)k, obs[order[k].scalar], g->golden->start_obs[order[k].scalar], 1e-6);
    stage_close(g);
  }
  Stage *mug = stage_open(hn_mw_task_find("coffee-pull"));
  double obs[HN_MW_OBS], apart = 0;
  hn_mw_first_obs(&mug->row, obs);
  for (int k = 7; k < 11; k++) apart = fmax(apart, fabs(obs[k] - mug->golden->start_obs[k]));
  if (pinned) g_assert_cmpfloat(apart, <, 1e-9);
  if (HN_MW_OLD_WELD) g_assert_cmpfloat(apart, >, 0.5);
  stage_close(mug);
}

/* window-close slides its window without looking again: the first observation is the old one, the
 * second 0.2 m further; peg-insert-side measures the peg's head before it moves the peg. */
static void test_trap_4_stale(void) {
  Stage *g = stage_open(hn_mw_task_find("window-close"));
  HnMwOutcome out;
  double obs[HN_MW_OBS];
  hn_mw_first_obs(&g->row, obs);
  g_assert_cmpfloat(g->row.qpos[9], ==, 0.2);
  near_one("handle", 0, obs[4], g->golden->start_obs[4], 1e-6);
  const float rest[4] = {0, 0, 0, -1};
  g_assert_cmpint(hn_mw_step(&g->world, &g->row, rest, &out), ==, HN_OK);
  near_one("handle", 1, out.obs[4] - obs[4], 0.2, 1e-3);
  near_one("mark", 0, g->row.mark[0] - obs[4], 0.2, 1e-12);
  stage_close(g);
  g = stage_open(hn_mw_task_find("peg-insert-side"));
  const mjModel *m = hn_mw_model_of(&g->world, g->task);
  int site = mj_name2id(m, mjOBJ_SITE, "pegHead");
  int peg = m->site_bodyid[site]; /* it lay where the model has it */
  near_one("head", 0, g->row.mark[0], m->body_pos[3 * peg] + m->site_pos[3 * site], 1e-2);
  g_assert_cmpfloat(fabs(g->row.mark[0] - g->row.obj0[0] - m->site_pos[3 * site]), >, 1e-2);
  near_all("head", g->row.mark, g->golden->mark, 3, pinned ? 1e-9 : 1e-3);
  stage_close(g);
}

/* Height of object and target is where the object came to rest, not what the goal says. */
static void test_trap_5_settled_heights(void) {
  const char *const tasks[] = {"push", "push-wall", "push-back"};
  for (size_t k = 0; k < G_N_ELEMENTS(tasks); k++) {
    Stage *g = stage_open(hn_mw_task_find(tasks[k]));
    g_assert_cmpfloat(g->row.target[2], ==, g->row.obj0[2]);
    g_assert_cmpfloat(g->row.target[2], !=, g->row.rand[5]);
    g_assert_cmpfloat(g->row.obj0[2], !=, g->row.rand[2]);
    near_one("height", (int)k, g->row.obj0[2], g->golden->obj0[2], pinned ? 1e-9 : 1e-3);
    stage_close(g);
  }
}

/* Two plates write the place of their goal where MuJoCo computes it anew, so the goal stays where
 * the model has it; basketball's site stays in its body although its place is written. */
static void test_trap_6_writes_without_effect(void) {
  const char *const plates[] = {"plate-slide-side", "plate-slide-back"};
  for (size_t k = 0; k < G_N_ELEMENTS(plates); k++)
    for (int i = 0; i < HN_MW_MOVES; i++)
      g_assert_null(hn_mw_tasks[hn_mw_task_find(plates[k])].move[i].body);
  g_assert_cmpstr(hn_mw_tasks[hn_mw_task_find("plate-slide")].move[0].body, ==, "puck_goal");
  Stage *g = stage_open(hn_mw_task_find("basketball"));
  const mjModel *m = hn_mw_model_of(&g->world, g->task);
  const mjtNum *offset = m->site_pos + 3 * mj_name2id(m, mjOBJ_SITE, "goal");
  near_one("goal height", 0, g->row.target[2], g->golden->target[2], 1e-9);
  near_one("goal x", 0, g->row.target[0], g->row.rand[3] + offset[0], 0.1);
  near_all("target", g->row.target, g->golden->target, 3, 1e-9);
  stage_close(g);
}

/* Coffee's mug comes before the arm, so what is zeroed with it are speeds of the arm. */
static void test_trap_7_wrong_indices(void) {
  Stage *g = stage_open(hn_mw_task_find("coffee-pull"));
  gboolean mug = FALSE;
  for (int v = 0; v < 9; v++) mug |= g->row.qvel[v] != 0;
  g_assert_true(mug); /* what was to be zeroed moves on */
  for (int v = 9; v < 15; v++) g_assert_cmpfloat(g->row.qvel[v], ==, 0);
  stage_close(g);
  /* handle-pull asks how far the handle is out (y), not how high it is, to be lifted: y is always
   * above the start's z, so a closed hand at the handle is paid for holding it all along */
  g = stage_open(hn_mw_task_find("handle-pull"));
  g_assert_cmpfloat(g->golden->start_obs[5] - 0.01, >, g->golden->obj0[2]);
  stage_close(g);
}

/* A stick at its goal is no success unless both pads press on it. */
static void test_trap_8_touching(void) {
  Stage *g = stage_open(hn_mw_task_find("stick-push"));
  const Recording *r = g->golden;
  set_constants(&g->row, r);
  const int solved = r->records - 2;
  const Record *c = &r->record[solved];
  g_assert_true(c->success);
  HnMwOutcome out;
  HnMwRow row = row_at(g, r, solved);
  memcpy(row.warm, c->warm, sizeof row.warm);
  g_assert_cmpint(hn_mw_look(&g->world, &row, r->action[c->step], &out), ==, HN_OK);
  g_assert_true(out.success);
  row = row_at(g, r, solved);
  row.qpos[7] -= 0.01, row.qpos[8] += 0.01; /* opens the fingers a little */
  g_assert_cmpint(hn_mw_look(&g->world, &row, r->action[c->step], &out), ==, HN_OK);
  near_all("object", out.obs + 11, c->obs + 11, 3, 1e-9);
  g_assert_false(out.success);
  stage_close(g);
}

/* ---- models ---- */

/* What is left out of models has no mass and touches nothing. */
static void test_stripped(void) {
  FakeHost fake;
  const HnHost *host = fake_host_open(&fake);
  for (int k = 0; k < HN_MW_TASKS; k++) {
    mjModel *whole, *less;
    if (k && !strcmp(hn_mw_tasks[k].model, hn_mw_tasks[k - 1].model)) continue;
    g_assert_cmpint(hn_mw_load(host, assets, hn_mw_tasks[k].model, true, &whole), ==, HN_OK);
    g_assert_cmpint(hn_mw_load(host, assets, hn_mw_tasks[k].model, false, &less), ==, HN_OK);
    g_assert_cmpint(whole->nbody, ==, less->nbody);
    g_assert_cmpint(whole->nsite, ==, less->nsite);
    g_assert_cmpint(whole->ngeom, >, less->ngeom);
    gsize n = (gsize)whole->nbody * sizeof(double);
    g_assert_cmpmem(whole->body_mass, n, less->body_mass, n);
    g_assert_cmpmem(whole->body_inertia, 3 * n, less->body_inertia, 3 * n);
    g_assert_cmpmem(whole->body_ipos, 3 * n, less->body_ipos, 3 * n);
    g_assert_cmpmem(whole->body_invweight0, 2 * n, less->body_invweight0, 2 * n);
    int solid[2] = {0, 0};
    for (int i = 0; i < whole->ngeom; i++)
      solid[0] += whole->geom_contype[i] || whole->geom_conaffinity[i];
    for (int i = 0; i < less->ngeom; i++)
      solid[1] += less->geom_contype[i] || less->geom_conaffinity[i];
    g_assert_cmpint(solid[0], ==, solid[1]);
    g_assert_cmpint((gint64)mj_sizeModel(less), <, (gint64)mj_sizeModel(whole));
    mj_deleteModel(whole), mj_deleteModel(less);
  }
  fake_host_close(&fake);
}

/* With $METAWORLD_ASSETS set to `place`: what create says. */
static void assert_refused(const char *place, const char *first, const char *second) {
  HnStatus s;
  g_autofree char *before = g_strdup(g_getenv("METAWORLD_ASSETS"));
  g_setenv("METAWORLD_ASSETS", place, TRUE);
  Rig *rig = rig_try(metaworld, 1, SETTINGS({"benchmark", HN_MW_MT1}, {"task=reach", 0}), &s);
  if (before)
    g_setenv("METAWORLD_ASSETS", before, TRUE);
  else
    g_unsetenv("METAWORLD_ASSETS");
  g_assert_cmpint(s, ==, HN_E_IO);
  if (!strstr(rig->fake.error, first) || !strstr(rig->fake.error, second) ||
      !strstr(rig->fake.error, "./dev setup --metaworld"))
    g_test_fail_printf("said: %s", rig->fake.error);
  rig_free(rig);
}

static void link_to(const char *folder, const char *name, const char *to) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autofree char *target = g_build_filename(assets, to, NULL);
  g_assert_cmpint(symlink(target, path), ==, 0);
}

static void test_missing_models(void) {
  assert_refused("/no/such/folder", "/no/such/folder", "sawyer_xyz/sawyer_reach_v3.xml");
}

/* A copy of the models in which one file is cut off, or gone. */
static void test_damaged_models(void) {
  g_autofree char *folder = g_dir_make_tmp("metaworld-XXXXXX", NULL);
  g_autofree char *inside = g_build_filename(folder, "sawyer_xyz", NULL);
  g_autofree char *model = g_build_filename(inside, "sawyer_reach_v3.xml", NULL);
  g_autofree char *objects = g_build_filename(folder, "objects", NULL);
  g_autofree char *scene = g_build_filename(folder, "scene", NULL);
  g_autofree char *origin = g_build_filename(assets, "sawyer_xyz/sawyer_reach_v3.xml", NULL);
  char *text;
  gsize length;
  g_assert_cmpint(g_mkdir(inside, 0700), ==, 0);
  g_assert_true(g_file_get_contents(origin, &text, &length, NULL));
  g_assert_true(g_file_set_contents(model, text, (gssize)length / 2, NULL));
  link_to(folder, "scene", "scene"), link_to(folder, "objects", "objects");
  assert_refused(folder, "sawyer_reach_v3.xml", "damaged");
  g_assert_true(g_file_set_contents(model, text, (gssize)length, NULL));
  g_remove(objects);
  assert_refused(folder, "objects/assets/block_dependencies.xml", "cannot be read");
  g_assert_cmpint(g_mkdir(objects, 0700), ==, 0);
  link_to(objects, "assets", "objects/assets"); /* but no meshes */
  assert_refused(folder, "objects/meshes/", "sawyer_reach_v3.xml");
  g_autofree char *link = g_build_filename(objects, "assets", NULL);
  g_remove(link), g_rmdir(objects), g_remove(scene), g_remove(model), g_rmdir(inside);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
  g_free(text);
}

/* A study whose models are missing is a wrong configuration. */
static void test_exit_code(void) {
  g_autofree char *folder = g_dir_make_tmp("metaworld-XXXXXX", NULL);
  g_autofree char *study = g_build_filename(folder, "study.yaml", NULL);
  g_autofree char *runs = g_build_filename(folder, "runs", NULL);
  const char *text = "hunch: 1\nname: absent\nseeds: {root: 1, count: 1}\n"
                     "base:\n  env: {plugin: metaworld}\n  inference: {plugin: none}\n"
                     "  policy: {plugin: uniform}\n  run: {frames: 500, rows: 1}\narms:\n  a: {}\n";
  g_assert_true(g_file_set_contents(study, text, -1, NULL));
  char *argv[] = {HUNCH, "run", "-o", runs, study, NULL};
  g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "METAWORLD_ASSETS", "/no/such", TRUE);
  env = g_environ_setenv(env, "HUNCH_PLUGIN_PATH", PLUGINS, TRUE);
  g_autofree char *said = NULL;
  int status;
  g_assert_true(g_spawn_sync(NULL, argv, env, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
                             &status, NULL));
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, 2);
  if (!strstr(said, "/no/such") || !strstr(said, "./dev setup --metaworld"))
    g_test_fail_printf("said: %s", said);
  char *remove[] = {"rm", "-r", folder, NULL};
  g_assert_true(
      g_spawn_sync(NULL, remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

/* ---- through the ABI ---- */

static void test_spec(void) {
  const struct {
    const char *name;
    Setting set[4];
    int obs, task;
    gint64 train, test;
    const char *splits;
  } benchmarks[] = {
      {"ml1", {{"benchmark", HN_MW_ML1}, {"task=reach", 0}}, 39, 6, 50, 50, "train|test"},
      {"ml10", {{"benchmark", HN_MW_ML10}}, 39, 15 + 6, 500, 250, "train|test"},
      {"mt1", {{"benchmark", HN_MW_MT1}, {"task=push", 0}}, 39, 6, 50, 0, "train"},
      {"mt10", {{"benchmark", HN_MW_MT10}, {"recurrent_info", 1}}, 45, 10 + 6, 500, 0, "train"}};
  for (size_t k = 0; k < G_N_ELEMENTS(benchmarks); k++) {
    Rig *rig = rig_new(metaworld, 1, benchmarks[k].set);
    g_assert_cmpint(rig->spec.obs_dim, ==, benchmarks[k].obs);
    g_assert_cmpint(rig->spec.action_dim, ==, 4);
    g_assert_cmpint(rig->spec.task_dim, ==, benchmarks[k].task);
    g_assert_cmpint(rig->spec.horizon, ==, 500);
    g_assert_cmpstr(rig->spec.splits, ==, benchmarks[k].splits);
    g_assert_cmpint(rig->env->task_count(rig->self, 0), ==, benchmarks[k].train);
    g_assert_cmpint(rig->env->task_count(rig->self, 1), ==, benchmarks[k].test);
    rig_free(rig);
  }
}

static void test_refusals(void) {
  const struct {
    Setting set[4];
    const char *says;
  } wrong[] = {{{{"benchmark", HN_MW_ML1}}, "need a task"},
               {{{"benchmark", HN_MW_ML1}, {"task=reach-v3", 0}}, "without -v3"},
               {{{"benchmark", HN_MW_ML45}, {"task=reach", 0}}, "not asked for"}};
  for (size_t k = 0; k < G_N_ELEMENTS(wrong); k++) {
    HnStatus s;
    Rig *rig = rig_try(metaworld, 1, wrong[k].set, &s);
    g_assert_cmpint(s, ==, HN_E_PARAM);
    g_assert_nonnull(strstr(rig->fake.error, wrong[k].says));
    rig_free(rig);
  }
}

/* Tasks of a half take turns, and the vector and the name say which it is. */
static void test_turns(void) {
  Rig *rig = rig_new(metaworld, 1, NULL);
  for (int k = 0; k < 12; k++) {
    rig_reset(rig, HN_NEW_TASK, k);
    for (int i = 0; i < 15; i++) g_assert_cmpfloat((double)rig->b.task[i], ==, i == k % 10);
  }
  g_assert_cmpstr(rig->env->task_name(rig->self, 0, 8), ==, "sweep");
  g_assert_cmpstr(rig->env->task_name(rig->self, 0, 11), ==, "push");
  g_assert_cmpstr(rig->env->task_name(rig->self, 1, 5), ==, "drawer-open");
  rig->b.split = 1;
  rig_reset(rig, HN_NEW_TASK, 249);
  g_assert_cmpfloat((double)rig->b.task[14], ==, 1);
  rig_free(rig);
}

/* What the environment shows and pays is the world's outcome; what it hides, it hides. */
static void test_shown(void) {
  Rig *shown = rig_new(metaworld, 1,
                       SETTINGS({"benchmark", HN_MW_MT1}, {"task=push", 0}, {"recurrent_info", 1}));
  Rig *hidden = rig_new(metaworld, 1, SETTINGS({"benchmark", HN_MW_ML1}, {"task=push", 0}));
  HnRng rng = hn_rng(3, 0);
  rig_reset(shown, HN_NEW_TASK, 0), rig_reset(hidden, HN_NEW_TASK, 0);
  for (int k = 39; k < 45; k++) g_assert_cmpfloat((double)shown->b.obs[k], ==, 0);
  HnMwRow twin;
  memcpy(&twin, rig_row(shown, 0), sizeof twin);
  Stage *g = stage_open(hn_mw_task_find("push"));
  g_assert_cmpmem(twin.rand, sizeof twin.rand, g->golden->rand, sizeof twin.rand);
  for (int t = 0; t < 5; t++) {
    HnMwOutcome out;
    rig_random_action(shown, 0, &rng);
    memcpy(hidden->action, shown->action, 4 * sizeof *shown->action);
    rig_step(shown), rig_step(hidden);
    g_assert_cmpint(hn_mw_step(&g->world, &twin, shown->action, &out), ==, HN_OK);
    for (int k = 0; k < HN_MW_OBS; k++) {
      g_assert_cmpfloat((double)shown->b.obs[k], ==, (double)(float)out.obs[k]);
      double seen = k < HN_MW_OBS - 3 ? (double)(float)out.obs[k] : 0;
      g_assert_cmpfloat((double)hidden->b.obs[k], ==, seen);
    }
    g_assert_cmpfloat((double)shown->b.reward[0], ==, (double)(float)out.reward);
    g_assert_cmpmem(shown->b.obs + 39, 16, shown->action, 16);
    g_assert_cmpfloat((double)shown->b.obs[43], ==, (double)(float)(out.reward / 10));
    g_assert_cmpfloat((double)shown->b.obs[44], ==, 0);
  }
  stage_close(g);
  rig_free(shown), rig_free(hidden);
}

/* A task that recorded actions solve: success is told, and ends the episode where asked for. */
static void test_success(void) {
  int task = hn_mw_task_find("reach");
  Recording *r = recording_of(task);
  for (int ending = 0; ending < 2; ending++) {
    Rig *rig = rig_new(metaworld, 1,
                       SETTINGS({"benchmark", HN_MW_MT1}, {"task=reach", 0},
                                {"terminate_on_success", ending}, {"recurrent_info", 1}));
    int solved = 0;
    rig_reset(rig, HN_NEW_TASK, 0);
    for (int t = 0; t < EPISODE && !solved; t++) {
      memcpy(rig->action, r->action[t], sizeof r->action[t]);
      rig_step(rig);
      solved = rig_info(rig, 0, "success") > 0;
      g_assert_cmpint(solved, ==, r->success[t]);
      g_assert_cmpint(rig->b.terminated[0], ==, solved && ending);
      g_assert_cmpfloat((double)rig->b.obs[44], ==, solved && ending);
    }
    g_assert_cmpint(solved, ==, 1);
    rig_free(rig);
  }
  g_free(r);
}

/* Going back to a goal after two others: the same to the bit, from memory as computed anew. */
static void test_memory(gconstpointer data) {
  int task = GPOINTER_TO_INT(data);
  char name[60];
  g_snprintf(name, sizeof name, "task=%s", hn_mw_tasks[task].name);
  const Setting set[] = {{"benchmark", HN_MW_MT1}, {name, 0}, {NULL, 0}};
  Rig *a = rig_new(metaworld, 1, set), *b = rig_new(metaworld, 1, set);
  const int goals[] = {3, 7, 11, 3, 11, 3};
  for (size_t k = 0; k < G_N_ELEMENTS(goals); k++) {
    rig_reset(a, HN_NEW_TASK, goals[k]);
    if (k && goals[k] != 3) continue;
    HnRng rng = hn_rng(5, 0);
    GByteArray *one = g_byte_array_new(), *two = g_byte_array_new();
    if (k == 0)
      rig_reset(b, HN_NEW_TASK, 3);
    else
      rig_reset(b, HN_NEW_EPISODE, -1);
    for (int t = 0; t < 4; t++) {
      rig_random_action(a, 0, &rng);
      memcpy(b->action, a->action, 4 * sizeof *a->action);
      rig_step(a), rig_step(b);
    }
    append_row(one, a, 0), append_row(two, b, 0);
    g_assert_cmpmem(one->data, one->len, two->data, two->len);
    g_byte_array_unref(one), g_byte_array_unref(two);
  }
  rig_free(a), rig_free(b);
}

/* A row whose state exploded ends its episode alone, unpaid and seen as it last was. */
static void test_trouble(void) {
  const Setting *set = SETTINGS({"benchmark", HN_MW_MT1}, {"task=pick-place", 0});
  Rig *rig = rig_new(metaworld, 3, set), *calm = rig_new(metaworld, 3, set);
  rig_reset(rig, HN_NEW_TASK, 0), rig_reset(calm, HN_NEW_TASK, 0);
  float before[HN_MW_OBS];
  rig_step(rig), rig_step(calm);
  memcpy(before, rig->b.obs + HN_MW_OBS, sizeof before);
  ((HnMwRow *)rig_row(rig, 1))->qvel[9] = 1e30;
  rig_step(rig), rig_step(calm);
  g_assert_cmpint(rig->b.terminated[1], ==, 1);
  g_assert_cmpfloat((double)rig->b.reward[1], ==, 0);
  g_assert_cmpfloat((double)rig_info(rig, 1, "unstable"), ==, 1);
  g_assert_nonnull(strstr(rig->fake.logged, "pick-place: MuJoCo: "));
  g_assert_cmpmem(rig->b.obs + HN_MW_OBS, 18 * sizeof *before, before, 18 * sizeof *before);
  rig->begin[0] = rig->begin[2] = HN_KEEP, rig->begin[1] = HN_NEW_EPISODE;
  g_assert_cmpint(rig->env->reset(rig->self, &rig->b), ==, HN_OK);
  for (int t = 0; t < 3; t++) rig_step(rig), rig_step(calm);
  for (int i = 0; i < 3; i++) {
    g_assert_cmpint(rig->b.terminated[i], ==, 0);
    g_assert_cmpfloat((double)rig_info(rig, i, "unstable"), ==, 0);
  }
  for (int i = 0; i < 3; i += 2)
    g_assert_cmpmem(rig->b.obs + i * HN_MW_OBS, sizeof before, calm->b.obs + i * HN_MW_OBS,
                    sizeof before);
  rig_free(rig), rig_free(calm);
}

/* Pictures of the row's own task and state, whatever was drawn before. */
static void test_picture(void) {
  enum { W = 160, H = 120, BYTES = 3 * W * H };
  static uint8_t first[BYTES], again[BYTES], other[BYTES], later[BYTES];
  Rig *rig = rig_new(metaworld, 1, NULL);
  rig_reset(rig, HN_NEW_TASK, 1);
  HnStatus s = rig->env->render(rig->self, rig_row(rig, 0), W, H, first);
  if (s == HN_E_UNSUPPORTED) {
    g_test_skip(rig->fake.error);
    rig_free(rig);
    return;
  }
  const char *dump = g_getenv("METAWORLD_PICTURE"); /* to look at: a PPM */
  if (dump) {
    g_autofree char *text = g_strdup_printf("P6 %d %d 255\n", W, H);
    FILE *file = fopen(dump, "wb");
    g_assert_true(fputs(text, file) >= 0 && fwrite(first, 1, BYTES, file) == BYTES);
    fclose(file);
  }
  g_assert_cmpint(s, ==, HN_OK);
  g_autofree char *kept = g_memdup2(rig_row(rig, 0), rig->spec.row_size);
  const float up[4] = {0, 0, 1, -1};
  memcpy(rig->action, up, sizeof up);
  for (int t = 0; t < 15; t++) rig_step(rig);
  g_assert_cmpint(rig->env->render(rig->self, rig_row(rig, 0), W, H, later), ==, HN_OK);
  rig_reset(rig, HN_NEW_TASK, 3);
  g_assert_cmpint(rig->env->render(rig->self, rig_row(rig, 0), W, H, other), ==, HN_OK);
  g_assert_cmpint(rig->env->render(rig->self, kept, W, H, again), ==, HN_OK);
  g_assert_cmpmem(first, BYTES, again, BYTES);
  int moved = 0, different = 0;
  for (int k = 0; k < BYTES; k++) moved += first[k] != later[k], different += first[k] != other[k];
  g_assert_cmpint(moved, >, BYTES / 100);
  g_assert_cmpint(different, >, BYTES / 50);
  rig_free(rig);
}

/* Two tasks of one model, of which one moves a body and the other does not. */
static void test_shared_model(void) {
  const int both[] = {hn_mw_task_find("plate-slide"), hn_mw_task_find("plate-slide-side")};
  g_assert_cmpstr(hn_mw_tasks[both[0]].model, ==, "sawyer_plate_slide.xml");
  const int pairs[][2] = {{both[0], hn_mw_task_find("plate-slide-back")},
                          {hn_mw_task_find("plate-slide-back-side"), both[1]}};
  for (size_t k = 0; k < G_N_ELEMENTS(pairs); k++) {
    FakeHost fake;
    HnMwWorld world;
    Stage *alone = stage_open(pairs[k][1]), *moves = stage_open(pairs[k][0]);
    HnMwOutcome out, lone;
    HnMwRow row = moves->row, other = {.task = pairs[k][1]};
    memcpy(other.rand, alone->row.rand, sizeof other.rand);
    g_assert_cmpint(hn_mw_world_create(&world, fake_host_open(&fake), assets, 2, pairs[k]), ==,
                    HN_OK);
    g_assert_true(hn_mw_model_of(&world, pairs[k][0]) == hn_mw_model_of(&world, pairs[k][1]));
    g_assert_cmpint(hn_mw_start(&world, &other), ==, HN_OK);
    g_assert_cmpint(hn_mw_start(&world, &row), ==, HN_OK);
    for (int t = 0; t < 60; t++) {
      const float *action = alone->golden->action[t];
      g_assert_cmpint(hn_mw_step(&world, &row, action, &lone), ==, HN_OK);
      g_assert_cmpint(hn_mw_step(&world, &other, action, &out), ==, HN_OK);
      g_assert_cmpint(hn_mw_step(&alone->world, &alone->row, action, &lone), ==, HN_OK);
      g_assert_cmpmem(out.obs, sizeof out.obs, lone.obs, sizeof lone.obs);
    }
    hn_mw_world_destroy(&world);
    fake_host_close(&fake);
    stage_close(alone), stage_close(moves);
  }
}

static void test_bad_action(void) {
  Rig *rig = rig_new(metaworld, 1, SETTINGS({"benchmark", HN_MW_MT1}, {"task=reach", 0}));
  rig_reset(rig, HN_NEW_TASK, 0);
  rig->action[2] = NAN;
  g_assert_cmpint(rig->env->step(rig->self, &rig->b), ==, HN_E_NUMERIC);
  rig_free(rig);
}

/* ---- */

static void test_other_release(void) {
  g_test_skip("resets and steps are recorded on MuJoCo 3.3.0: see metaworld_pinned_test");
}

static void test_absent(void) {
  g_test_skip(absent);
}

static void add_tasks(const char *what, GTestDataFunc test) {
  for (int k = 0; k < HN_MW_TASKS; k++) {
    char *path = g_strdup_printf("/metaworld/%s/%s", what, hn_mw_tasks[k].name);
    g_test_add_data_func(path, GINT_TO_POINTER(k), test);
    g_free(path);
  }
}

int main(int argc, char **argv) {
  FakeHost fake;
  g_test_init(&argc, &argv, NULL);
  pinned = mj_version() == 330;
  g_test_add_func("/metaworld/goals", test_goals);
  HnStatus s = hn_mw_find_assets(fake_host_open(&fake), assets);
  g_strlcpy(absent, fake.error, sizeof absent);
  fake_host_close(&fake);
  if (s) {
    g_test_add_func("/metaworld/with-models", test_absent);
    return g_test_run();
  }
  add_tasks("weld", test_weld);
  add_tasks("injection", test_injection);
  if (pinned) {
    add_tasks("reset", test_reset);
    add_tasks("one-step", test_one_step);
    g_test_add_func("/metaworld/open-loop", test_open_loop);
  } else {
    g_test_add_func("/metaworld/exit-code", test_exit_code);
    g_test_add_func("/metaworld/recorded-steps", test_other_release);
  }
  g_test_add_func("/metaworld/trap-1-live-views", test_trap_1_live_views);
  g_test_add_func("/metaworld/trap-2-float32-starts", test_trap_2_float32_starts);
  g_test_add_func("/metaworld/trap-3-orientations", test_trap_3_orientations);
  g_test_add_func("/metaworld/trap-4-stale", test_trap_4_stale);
  g_test_add_func("/metaworld/trap-5-settled-heights", test_trap_5_settled_heights);
  g_test_add_func("/metaworld/trap-6-writes-without-effect", test_trap_6_writes_without_effect);
  g_test_add_func("/metaworld/trap-7-wrong-indices", test_trap_7_wrong_indices);
  g_test_add_func("/metaworld/trap-8-touching", test_trap_8_touching);
  g_test_add_func("/metaworld/stripped", test_stripped);
  g_test_add_func("/metaworld/missing-models", test_missing_models);
  g_test_add_func("/metaworld/damaged-models", test_damaged_models);
  g_test_add_func("/metaworld/spec", test_spec);
  g_test_add_func("/metaworld/refusals", test_refusals);
  g_test_add_func("/metaworld/turns", test_turns);
  g_test_add_func("/metaworld/shown", test_shown);
  g_test_add_func("/metaworld/success", test_success);
  add_tasks("memory", test_memory);
  g_test_add_func("/metaworld/shared-model", test_shared_model);
  g_test_add_func("/metaworld/trouble", test_trouble);
  g_test_add_func("/metaworld/bad-action", test_bad_action);
  g_test_add_func("/metaworld/picture", test_picture);
  add_for(metaworld, "batch-invariance", test_batch_invariance);
  add_for(metaworld, "keep", test_keep);
  add_for(metaworld, "threads", test_threads);
  return g_test_run();
}
