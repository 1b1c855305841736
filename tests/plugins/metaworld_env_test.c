/* metaworld_env_test.c - Meta-World as an environment: its models, also where they are missing or
 * damaged, its parameters, memory, failures and pictures. */
#include "cell_fixture.h"
#include "check.h"
#include "metaworld_fixture.h"
#include "stand_in.h"
#include <glib/gstdio.h>
#include <sys/wait.h>

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
  EnvFixture *f =
      env_fixture_try(metaworld, 1, SETTINGS({"benchmark", HN_MW_MT1}, {"task=reach", 0}), &s);
  if (before)
    g_setenv("METAWORLD_ASSETS", before, TRUE);
  else
    g_unsetenv("METAWORLD_ASSETS");
  g_assert_cmpint(s, ==, HN_E_IO);
  if (!strstr(f->fake.error, first) || !strstr(f->fake.error, second) ||
      !strstr(f->fake.error, "./dev setup --metaworld"))
    g_test_fail_printf("said: %s", f->fake.error);
  env_fixture_free(f);
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
      {"mt10",
       {{"benchmark", HN_MW_MT10}, {"recurrent_info_in_obs", 1}},
       45,
       10 + 6,
       500,
       0,
       "train"}};
  for (size_t k = 0; k < G_N_ELEMENTS(benchmarks); k++) {
    EnvFixture *f = env_fixture_new(metaworld, 1, benchmarks[k].set);
    g_assert_cmpint(f->spec.obs_dim, ==, benchmarks[k].obs);
    g_assert_cmpint(f->spec.action_dim, ==, 4);
    g_assert_cmpint(f->spec.task_dim, ==, benchmarks[k].task);
    g_assert_cmpint(f->spec.horizon, ==, 500);
    g_assert_cmpstr(f->spec.splits, ==, benchmarks[k].splits);
    g_assert_cmpint(f->env->task_count(f->self, 0), ==, benchmarks[k].train);
    g_assert_cmpint(f->env->task_count(f->self, 1), ==, benchmarks[k].test);
    env_fixture_free(f);
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
    EnvFixture *f = env_fixture_try(metaworld, 1, wrong[k].set, &s);
    g_assert_cmpint(s, ==, HN_E_PARAM);
    g_assert_nonnull(strstr(f->fake.error, wrong[k].says));
    env_fixture_free(f);
  }
}

/* Tasks of a half take turns, and the vector and the name say which it is. */
static void test_turns(void) {
  EnvFixture *f = env_fixture_new(metaworld, 1, NULL);
  for (int k = 0; k < 12; k++) {
    env_fixture_reset(f, HN_NEW_TASK, k);
    for (int i = 0; i < 15; i++) g_assert_cmpfloat((double)f->b.task[i], ==, i == k % 10);
  }
  g_assert_cmpstr(f->env->task_name(f->self, 0, 8), ==, "sweep");
  g_assert_cmpstr(f->env->task_name(f->self, 0, 11), ==, "push");
  g_assert_cmpstr(f->env->task_name(f->self, 1, 5), ==, "drawer-open");
  f->b.split = 1;
  env_fixture_reset(f, HN_NEW_TASK, 249);
  g_assert_cmpfloat((double)f->b.task[14], ==, 1);
  env_fixture_free(f);
}

/* What the environment shows and pays is the world's outcome; what it hides, it hides. */
static void test_shown(void) {
  EnvFixture *shown = env_fixture_new(
      metaworld, 1,
      SETTINGS({"benchmark", HN_MW_MT1}, {"task=push", 0}, {"recurrent_info_in_obs", 1}));
  EnvFixture *hidden =
      env_fixture_new(metaworld, 1, SETTINGS({"benchmark", HN_MW_ML1}, {"task=push", 0}));
  HnRng rng = hn_rng(3, 0);
  env_fixture_reset(shown, HN_NEW_TASK, 0), env_fixture_reset(hidden, HN_NEW_TASK, 0);
  for (int k = 39; k < 45; k++) g_assert_cmpfloat((double)shown->b.obs[k], ==, 0);
  HnMwRow twin;
  memcpy(&twin, env_fixture_row(shown, 0), sizeof twin);
  MetaworldFixture *g = metaworld_fixture_new(hn_mw_task_find("push"));
  g_assert_cmpmem(twin.rand, sizeof twin.rand, g->golden->rand, sizeof twin.rand);
  for (int t = 0; t < 5; t++) {
    HnMwOutcome out;
    env_fixture_random_action(shown, 0, &rng);
    memcpy(hidden->action, shown->action, 4 * sizeof *shown->action);
    env_fixture_step(shown), env_fixture_step(hidden);
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
  metaworld_fixture_free(g);
  env_fixture_free(shown), env_fixture_free(hidden);
}

/* A task that recorded actions solve: success is told, and ends the episode where asked for. */
static void test_success(void) {
  int task = hn_mw_task_find("reach");
  Recording *r = recording_of(task);
  for (int ending = 0; ending < 2; ending++) {
    EnvFixture *f =
        env_fixture_new(metaworld, 1,
                        SETTINGS({"benchmark", HN_MW_MT1}, {"task=reach", 0},
                                 {"terminate_on_success", ending}, {"recurrent_info_in_obs", 1}));
    int solved = 0;
    env_fixture_reset(f, HN_NEW_TASK, 0);
    for (int t = 0; t < EPISODE && !solved; t++) {
      memcpy(f->action, r->action[t], sizeof r->action[t]);
      env_fixture_step(f);
      solved = env_fixture_info(f, 0, "success") > 0;
      g_assert_cmpint(solved, ==, r->success[t]);
      g_assert_cmpint(f->b.terminated[0], ==, solved && ending);
      g_assert_cmpfloat((double)f->b.obs[44], ==, solved && ending);
    }
    g_assert_cmpint(solved, ==, 1);
    env_fixture_free(f);
  }
  g_free(r);
}

/* Going back to a goal after two others: the same to the bit, from memory as computed anew. */
static void test_memory(gconstpointer data) {
  int task = GPOINTER_TO_INT(data);
  char name[60];
  g_snprintf(name, sizeof name, "task=%s", hn_mw_tasks[task].name);
  const Setting set[] = {{"benchmark", HN_MW_MT1}, {name, 0}, {NULL, 0}};
  EnvFixture *a = env_fixture_new(metaworld, 1, set), *b = env_fixture_new(metaworld, 1, set);
  const int goals[] = {3, 7, 11, 3, 11, 3};
  for (size_t k = 0; k < G_N_ELEMENTS(goals); k++) {
    env_fixture_reset(a, HN_NEW_TASK, goals[k]);
    if (k && goals[k] != 3) continue;
    HnRng rng = hn_rng(5, 0);
    if (k == 0)
      env_fixture_reset(b, HN_NEW_TASK, 3);
    else
      env_fixture_reset(b, HN_NEW_EPISODE, -1);
    for (int t = 0; t < 4; t++) {
      env_fixture_random_action(a, 0, &rng);
      memcpy(b->action, a->action, 4 * sizeof *a->action);
      env_fixture_step(a), env_fixture_step(b);
    }
    const size_t row = a->spec.row_size, infos = sizeof(float) * (size_t)a->info_count;
    g_assert_cmpmem(env_fixture_row(a, 0), row, env_fixture_row(b, 0), row);
    g_assert_cmpmem(a->b.obs, sizeof(float) * HN_MW_OBS, b->b.obs, sizeof(float) * HN_MW_OBS);
    g_assert_cmpmem(a->b.info, infos, b->b.info, infos);
    g_assert_true(a->b.reward[0] == b->b.reward[0] && a->b.terminated[0] == b->b.terminated[0]);
  }
  env_fixture_free(a), env_fixture_free(b);
}

/* A row whose state exploded alone has its episode truncated, with a reward of 0 and what was last
 * observed. */
static void test_trouble(void) {
  const Setting *set = SETTINGS({"benchmark", HN_MW_MT1}, {"task=pick-place", 0});
  EnvFixture *f = env_fixture_new(metaworld, 3, set), *calm = env_fixture_new(metaworld, 3, set);
  env_fixture_reset(f, HN_NEW_TASK, 0), env_fixture_reset(calm, HN_NEW_TASK, 0);
  float before[HN_MW_OBS];
  env_fixture_step(f), env_fixture_step(calm);
  memcpy(before, f->b.obs + HN_MW_OBS, sizeof before);
  ((HnMwRow *)env_fixture_row(f, 1))->qvel[9] = 1e30;
  env_fixture_step(f), env_fixture_step(calm);
  g_assert_cmpint(f->b.truncated[1], ==, 1);
  g_assert_cmpint(f->b.terminated[1], ==, 0);
  g_assert_cmpfloat((double)f->b.reward[1], ==, 0);
  g_assert_cmpfloat((double)env_fixture_info(f, 1, "unstable"), ==, 1);
  g_assert_nonnull(strstr(f->fake.logged, "pick-place: MuJoCo: "));
  g_assert_cmpmem(f->b.obs + HN_MW_OBS, 18 * sizeof *before, before, 18 * sizeof *before);
  f->begin[0] = f->begin[2] = HN_KEEP, f->begin[1] = HN_NEW_EPISODE;
  g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_OK);
  for (int t = 0; t < 3; t++) env_fixture_step(f), env_fixture_step(calm);
  for (int i = 0; i < 3; i++) {
    g_assert_cmpint(f->b.terminated[i] + f->b.truncated[i], ==, 0);
    g_assert_cmpfloat((double)env_fixture_info(f, i, "unstable"), ==, 0);
  }
  for (int i = 0; i < 3; i += 2)
    g_assert_cmpmem(f->b.obs + i * HN_MW_OBS, sizeof before, calm->b.obs + i * HN_MW_OBS,
                    sizeof before);
  env_fixture_free(f), env_fixture_free(calm);
}

/* Pictures of the row's own task and state, whatever was drawn before. */
static void test_picture(void) {
  enum { W = 160, H = 120, BYTES = 3 * W * H };
  static uint8_t first[BYTES], again[BYTES], other[BYTES], later[BYTES];
  EnvFixture *f = env_fixture_new(metaworld, 1, NULL);
  env_fixture_reset(f, HN_NEW_TASK, 1);
  HnStatus s = f->env->render(f->self, env_fixture_row(f, 0), W, H, first);
  if (s == HN_E_UNSUPPORTED) {
    g_test_skip(f->fake.error);
    env_fixture_free(f);
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
  g_autofree char *kept = g_memdup2(env_fixture_row(f, 0), f->spec.row_size);
  const float up[4] = {0, 0, 1, -1};
  memcpy(f->action, up, sizeof up);
  for (int t = 0; t < 15; t++) env_fixture_step(f);
  g_assert_cmpint(f->env->render(f->self, env_fixture_row(f, 0), W, H, later), ==, HN_OK);
  env_fixture_reset(f, HN_NEW_TASK, 3);
  g_assert_cmpint(f->env->render(f->self, env_fixture_row(f, 0), W, H, other), ==, HN_OK);
  g_assert_cmpint(f->env->render(f->self, kept, W, H, again), ==, HN_OK);
  g_assert_cmpmem(first, BYTES, again, BYTES);
  int moved = 0, different = 0;
  for (int k = 0; k < BYTES; k++) moved += first[k] != later[k], different += first[k] != other[k];
  g_assert_cmpint(moved, >, BYTES / 100);
  g_assert_cmpint(different, >, BYTES / 50);
  env_fixture_free(f);
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
    MetaworldFixture *alone = metaworld_fixture_new(pairs[k][1]),
                     *moves = metaworld_fixture_new(pairs[k][0]);
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
    metaworld_fixture_free(alone), metaworld_fixture_free(moves);
  }
}

static void test_bad_action(void) {
  EnvFixture *f =
      env_fixture_new(metaworld, 1, SETTINGS({"benchmark", HN_MW_MT1}, {"task=reach", 0}));
  env_fixture_reset(f, HN_NEW_TASK, 0);
  f->action[2] = NAN;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  env_fixture_free(f);
}

/* The plugin of the build is judged by conformance_test, that of the other release here. */
static void test_law(gconstpointer data) {
  const HnLaw *law = data;
  HnCell cell = hn_stand_in_cell(part_of(metaworld, ""), false);
  g_autoptr(GString) why = g_string_new(NULL);
  const HnVerdict verdict = hn_check_judge(law, &cell, why);
  if (verdict == HN_LAW_SKIPPED) /* a plugin that is linked in has no file to load */
    g_test_skip(why->str);
  else if (verdict == HN_LAW_BROKEN)
    g_test_fail_printf("%s %s", law->promise, why->str);
  cell_clear(&cell);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!has_assets()) return g_test_run();
  /* first: what draws here leaves threads that a law's process does not have */
  for (const HnLaw *law = hn_check_laws(HN_KIND_ENV); pinned && law->name; law++) {
    g_autofree char *path = g_strdup_printf("/metaworld/law-%s", law->name);
    g_test_add_data_func(path, law, test_law);
  }
  if (!pinned) g_test_add_func("/metaworld/exit-code", test_exit_code);
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
  return g_test_run();
}
