/* metaworld_reward_test.c - rewards, success and what reset leaves behind, of all 50 tasks, against
 * recordings of the Python package (golden/metaworld/record_rewards.py); and the peculiarities of
 * upstream that are kept.  plant_rewards.py beside the recordings shows that every number in the
 * rewards is noticed by one of these scenes. */
#include "../../plugins/envs/metaworld/reward.h"
#include <glib.h>
#include <string.h>

static void near(double got, double wanted, double within) {
  if (!(fabs(got - wanted) <= within))
    g_error("got %.17g, wanted %.17g within %g", got, wanted, within);
}

/* ---- the file: little-endian, as record_rewards.py writes it ---- */

enum { QUAT = 1, SECOND = 2, JOINT = 4, HELD = 8 }; /* flags: what a row has besides */

typedef struct Recorded { /* one task */
  char name[33];
  int episodes, places, step_places, flags;
  const char *at; /* its first episode */
} Recorded;

static char *file;
static Recorded tasks[50];

static void take(const char **at, void *out, size_t bytes) {
  memcpy(out, *at, bytes);
  *at += bytes;
}

static int take_int(const char **at) {
  gint32 x;
  take(at, &x, sizeof x);
  return (int)GINT32_FROM_LE(x);
}

static void take_doubles(const char **at, double *out, int n) {
  take(at, out, sizeof *out * (size_t)n);
}

static void take_floats(const char **at, double *out, int n) {
  for (int i = 0; i < n; i++) {
    float x;
    take(at, &x, sizeof x);
    out[i] = (double)x;
  }
}

static void take_row(const char **at, const Recorded *task, HnMwScene *s) {
  double held = 0;
  take_floats(at, s->hand, 3);
  take_floats(at, &s->open, 1);
  take_floats(at, s->obj, 3);
  take_floats(at, s->tcp, 3);
  take_floats(at, s->left, 3);
  take_floats(at, s->right, 3);
  take_floats(at, &s->grip, 1);
  if (task->flags & QUAT) take_floats(at, s->quat, 4);
  if (task->flags & SECOND) take_floats(at, s->obj2, 3);
  for (int k = 0; k < task->step_places; k++) take_floats(at, s->place[k], 3);
  if (task->flags & JOINT) take_floats(at, &s->joint, 1);
  if (task->flags & HELD) take_floats(at, &held, 1);
  s->held = held > 0;
}

static void take_seen(const char **at, const Recorded *task, HnMwScene *s) {
  take_doubles(at, s->obj, 3);
  for (int k = 0; k < task->places; k++) take_doubles(at, s->place[k], 3);
}

/* What an episode of a task begins with, and upstream's constants: target, obj0, mark, far0. */
typedef struct Begun {
  double rand[6], first[3], wanted[10];
  HnMwScene settled, end;
} Begun;

static Begun take_begun(const char **at, const Recorded *task) {
  Begun b = {0};
  take_doubles(at, b.rand, 6);
  take_doubles(at, b.end.hand0, 3);
  take_doubles(at, b.end.tcp0, 3);
  take_seen(at, task, &b.settled);
  take_seen(at, task, &b.end);
  take_doubles(at, b.first, 3);
  take_doubles(at, b.wanted, 10);
  return b;
}

/* ---- per task ---- */

static void look_at_constants(const HnMwScene *s, const double *wanted) {
  for (int i = 0; i < 3; i++) {
    near(s->target[i], wanted[i], 1e-14);
    near(s->obj0[i], wanted[3 + i], 1e-14);
    near(s->mark[i], wanted[6 + i], 1e-14);
  }
  near(s->far0, wanted[9], 1e-14);
}

static void test_task(gconstpointer data) {
  const Recorded *task = data;
  const HnMwRule *rule = hn_mw_rule(task->name);
  const char *at = task->at;
  int rows = 0, solved = 0, won = 0;
  g_assert_nonnull(rule);
  for (int e = 0; e < task->episodes; e++) {
    Begun b = take_begun(&at, task);
    hn_mw_begin(rule, b.rand, &b.settled, &b.end);
    HnMwScene s = b.end;
    memcpy(s.obj, b.first, sizeof s.obj);
    hn_mw_first_step(rule, &s);
    look_at_constants(&s, b.wanted);
    for (int n = take_int(&at); n > 0; n--, rows++) {
      double reward;
      guint8 success;
      take_row(&at, task, &s);
      take_doubles(&at, &reward, 1);
      take(&at, &success, 1);
      near(hn_mw_reward(rule, &s), reward, 1e-12);
      g_assert_cmpint(hn_mw_success(rule, &s), ==, success);
      solved += success;
      won += reward > 9.99;
    }
  }
  g_test_message("%d scenes, %d solved, %d worth 10", rows, solved, won);
  g_assert_cmpint(rows, >=, 60);
  g_assert_cmpint(solved, >, 0);
  g_assert_cmpint(solved, <, rows);
}

/* ---- the parts ---- */

static void test_parts(void) {
  const char *at = file + 12;
  const int n = take_int(&at);
  double x[10];
  g_assert_cmpint(n, ==, 200);
  for (int i = 0; i < n; i++) {
    take_doubles(&at, x, 9);
    near(between(x[0], x[1], x[2], x[3]), x[4], 1e-14);
    near(both(x[5], x[6]), x[7], 1e-14);
    near(within_gauss(x[0], fabs(x[2]), x[3]), x[8], 1e-14);
  }
  for (int i = 0; i < n; i++) {
    take_doubles(&at, x, 10);
    near(hn_mw_prism(x, x + 3, x + 6), x[9], 1e-14);
  }
}

/* Closed forms: 0.1 at the margin, 1 inside. */
static void test_margins(void) {
  near(within(0.35, 0.05, 0.3), 0.1, 1e-15);
  near(between(-0.2, 0.1, 0.4, 0.3), 0.1, 1e-15);
  near(within_gauss(0.35, 0.05, 0.3), 0.1, 1e-15);
  near(within_gauss(-0.3, 0.05, 0.3), 0.1, 1e-15);
  near(within(-0.3, 0.05, 0.3), 0.1, 1e-15);
  near(within(0.05, 0.05, 0), 1, 0);
  near(within_gauss(0.06, 0.05, 0), 0, 0);
  near(within(0.06, 0.05, 0), 0, 0);
  near(within(0.06, 0.05, -0.5), 0, 0);
  near(within_gauss(0.06, 0.05, -0.5), 0, 0);
  near(both(0, 0), 0, 0);
  near(both(1, 0.3), 0.3, 1e-15);
  near(both(0.5, 0.5), 1.0 / 3, 1e-15);
  const HnMwFunnel f = {0.02, 0.03, 0.2};
  near(funnel(&f, 0.03), 0, 0);
  near(funnel(&f, 0.03 + exp(-5)), 0.1, 1e-15);
  near(above(0.1, 0.1, 0.05), 1, 0);
  near(above(0.04, 0.1, 0.05), 0.1, 1e-14);
  const double quat[4] = {1, 0, 0, 0.1}, wanted[4] = {1, 0, 0, 0};
  near(upright(quat, wanted, 0.4), 0.75, 1e-15);
  near(upright(quat, wanted, 0.05), 0, 0);
}

/* ---- the rules ---- */

static void test_rules(void) {
  for (int i = 0; i < 50; i++) {
    const HnMwRule *rule = hn_mw_rule_at(i);
    g_assert_nonnull(rule);
    g_assert_true(hn_mw_rule(rule->task) == rule); /* so no name comes twice */
    for (int k = 0; k < HN_MW_PLACES && rule->places[k]; k++)
      g_assert_true(g_str_has_prefix(rule->places[k], "site:") ||
                    g_str_has_prefix(rule->places[k], "body:"));
  }
  g_assert_null(hn_mw_rule_at(50));
  g_assert_null(hn_mw_rule("door-ajar"));
  g_assert_null(hn_mw_rule(""));
}

/* Success of some tasks is a matter of one axis or two; the others may be anywhere. */
static void test_axes(void) {
  static const struct {
    const char *task;
    int axes[3];
    double radius;
  } tasks_of_axes[] = {
      {"button-press", {0, 1, 0}, 0.02},
      {"button-press-wall", {0, 1, 0}, 0.03},
      {"button-press-topdown", {0, 0, 1}, 0.024},
      {"button-press-topdown-wall", {0, 0, 1}, 0.024},
      {"coffee-button", {0, 1, 0}, 0.02},
      {"handle-press", {0, 0, 1}, 0.02},
      {"handle-press-side", {0, 0, 1}, 0.02},
      {"handle-pull", {0, 0, 1}, 0.05},
      {"window-open", {1, 0, 0}, 0.05},
      {"window-close", {1, 0, 0}, 0.05},
      {"door-open", {1, 0, 0}, 0.08},
      {"door-lock", {0, 0, 1}, 0.02},
      {"door-unlock", {1, 0, 0}, 0.02},
      {"sweep-into", {1, 1, 0}, 0.05},
  };
  for (size_t k = 0; k < G_N_ELEMENTS(tasks_of_axes); k++)
    for (int i = 0; i < 3; i++) {
      HnMwScene s = {.target = {0.1, 0.7, 0.2}, .obj = {0.1, 0.7, 0.2}};
      const HnMwRule *rule = hn_mw_rule(tasks_of_axes[k].task);
      s.obj[i] += 0.99 * tasks_of_axes[k].radius;
      g_assert_true(hn_mw_success(rule, &s));
      s.obj[i] += 0.02 * tasks_of_axes[k].radius;
      g_assert_cmpint(hn_mw_success(rule, &s), ==, !tasks_of_axes[k].axes[i]);
      s.obj[i] = 5;
      g_assert_cmpint(hn_mw_success(rule, &s), ==, !tasks_of_axes[k].axes[i]);
    }
}

/* Only from the table up to the shelf is in front of or under the shelf. */
static void test_below_the_table(void) {
  HnMwScene s = {.open = 0.5,
                 .obj = {0, 0.8, -0.01},
                 .tcp = {0, 0.8, -0.01},
                 .left = {0, 1, 0},
                 .right = {0, 0.6, 0},
                 .target = {0, 0.85, 0.3},
                 .obj0 = {0, 0.5, -0.05}};
  double place = within(apart(s.obj, s.target), 0.05, apart(s.obj0, s.target));
  const HnMwRule *rule = hn_mw_rule("shelf-place");
  near(hn_mw_reward(rule, &s), 1 + 5 * place, 1e-3); /* no grip: holding adds nothing */
  s.obj[2] = s.tcp[2] = 0.01;                        /* in front: its bonus shrinks */
  g_assert_cmpfloat(hn_mw_reward(rule, &s), <, 1 + 4 * place);
}

/* ---- peculiarities of upstream, kept ---- */

/* The first recorded scene of a task, its episode begun. */
static HnMwScene first_scene(const char *name, const HnMwRule **rule) {
  *rule = hn_mw_rule(name);
  for (int k = 0; k < 50; k++)
    if (!strcmp(tasks[k].name, name)) {
      const char *at = tasks[k].at;
      Begun b = take_begun(&at, &tasks[k]);
      hn_mw_begin(*rule, b.rand, &b.settled, &b.end);
      take_int(&at);
      take_row(&at, &tasks[k], &b.end);
      return b.end;
    }
  g_error("no task %s", name);
}

/* Where upstream keeps a pad's or a lock's start it keeps a view of the simulator: margins follow.
 * The left pad of door-lock is always one margin away (less what is free), so nearness is 1/10
 * plus what the free 0.01 gives. */
static void test_live_views(void) {
  const HnMwRule *rule;
  HnMwScene s = first_scene("door-lock", &rule);
  s.open = 1;
  memcpy(s.target, s.obj, sizeof s.target); /* pushed: 8 */
  for (double y = 0.1; y < 0.5; y += 0.1) {
    s.left[0] = s.obj[0], s.left[1] = s.obj[1] + y, s.left[2] = s.obj[2];
    double u = 3 * (y - 0.01) / y, nearness = 1 / (1 + u * u);
    near(hn_mw_reward(rule, &s), 8 + 2 * nearness, 1e-12);
  }

  s = first_scene("door-unlock", &rule);
  double before = hn_mw_reward(rule, &s);
  s.obj0[1] += 0.1; /* as recorded at reset: not read */
  near(hn_mw_reward(rule, &s), before, 0);
  s.place[0][1] += 0.1; /* where the lock is now */
  g_assert_cmpfloat(fabs(hn_mw_reward(rule, &s) - before), >, 1e-3);
}

/* The height of the target is the height the object settled at, not the one drawn. */
static void test_settled_height(void) {
  static const char *const names[] = {"push", "push-wall", "push-back"};
  const double rand[6] = {0.1, 0.6, 0.02, -0.1, 0.9, 0.015};
  for (int k = 0; k < 3; k++) {
    HnMwScene settled = {.obj = {0, 0.6, 0.0194}}, s = settled;
    hn_mw_begin(hn_mw_rule(names[k]), rand, &settled, &s);
    near(s.target[2], 0.0194, 0);
    near(s.obj0[2], 0.0194, 0);
    near(s.target[0], -0.1, 0);
    near(s.obj0[1], 0.6, 0);
  }
}

/* peg-insert's head is measured before the peg is moved; window-close's handle before it slides. */
static void test_stale_marks(void) {
  const double rand[6] = {0.1, 0.6, 0.02, -0.3, 0.5, 0};
  HnMwScene settled = {.obj = {0.01, 0.68, 0.2}, .place = {{-0.1, 0.6, 0.0148}}};
  HnMwScene s = {.obj = {0.2, 0.7, 0.2}, .place = {{0.5, 0.5, 0.5}}};
  hn_mw_begin(hn_mw_rule("peg-insert-side"), rand, &settled, &s);
  near(s.mark[0], -0.1, 0);
  hn_mw_begin(hn_mw_rule("window-close"), rand, &settled, &s);
  near(s.mark[0], 0.21, 1e-15);
}

/* handle-pull asks whether y is above the height at the start: it always is. */
static void test_handle_pull_gate(void) {
  const HnMwRule *rule;
  HnMwScene s = first_scene("handle-pull", &rule);
  memcpy(s.tcp, s.obj, sizeof s.tcp);
  s.open = 0.5, s.obj[2] = s.obj0[2] = s.tcp[2] = 0.06, s.target[2] = 0.17; /* not lifted at all */
  double place = hn_mw_reward(rule, &s);
  g_assert_cmpfloat(place, >, 1); /* grasped */
  s.open = 0;
  g_assert_cmpfloat(hn_mw_reward(rule, &s), <, 1);
  s.open = 0.5;
  s.obj[1] = s.tcp[1] = 0.06; /* y as low as z */
  g_assert_cmpfloat(hn_mw_reward(rule, &s), <, 1);
}

/* stick-pull cages the stick with the container's start: where the stick started does not matter
 * to it, where the container did does. */
static void test_stick_pull_start(void) {
  const HnMwRule *rule;
  HnMwScene s = first_scene("stick-pull", &rule);
  const HnMwCage cage = {0.014, 0.05, 0.01, 1, HN_MW_HIGH, 0};
  const double weight[3] = {1, 1, 2};
  double box[3], box0[3];
  memcpy(box, s.obj2, sizeof box);
  memcpy(box0, s.obj0, sizeof box0);
  box[0] += 0.05, box0[0] += 0.05;
  double place = within(apart_by(weight, s.obj, box), 0.05, apart_by(weight, s.mark, box0));
  near(hn_mw_reward(rule, &s), both(hn_mw_caging(&s, &cage, s.obj, s.obj0), place), 1e-15);
  g_assert_cmpfloat(
      fabs(hn_mw_caging(&s, &cage, s.obj, s.obj0) - hn_mw_caging(&s, &cage, s.obj, s.mark)), >,
      1e-6);
}

/* Only stick-push's success asks whether the pads press. */
static void test_held(void) {
  HnMwScene s = {.open = 0.5,
                 .obj = {0.3, 0.6, 0.05},
                 .mark = {0, 0.6, 0.02},
                 .obj2 = {0.4, 0.6, 0.13},
                 .target = {0.4, 0.6, 0.13},
                 .tcp = {0.315, 0.6, 0.05}};
  const HnMwRule *rule = hn_mw_rule("stick-push");
  g_assert_cmpstr(rule->touch, ==, "objGeom");
  g_assert_false(hn_mw_success(rule, &s));
  near(hn_mw_reward(rule, &s), 10, 0);
  s.held = true;
  g_assert_true(hn_mw_success(rule, &s));
  near(hn_mw_reward(rule, &s), 10, 0);
  for (int i = 0; i < 50; i++)
    if (hn_mw_rule_at(i) != rule) g_assert_null(hn_mw_rule_at(i)->touch);
}

/* ---- the door ---- */

static void read_file(void) {
  gsize length;
  GError *error = NULL;
  g_file_get_contents(GOLDEN "/metaworld/rewards.bin", &file, &length, &error);
  g_assert_no_error(error);
  g_assert_cmpmem(file, 8, "mwreward", 8);
  const char *at = file + 8;
  g_assert_cmpint(take_int(&at), ==, 50);
  at += sizeof(gint32) + sizeof(double) * (9 + 10) * 200;
  for (int k = 0; k < 50; k++) {
    Recorded *t = &tasks[k];
    take(&at, t->name, 32);
    t->episodes = take_int(&at), t->places = take_int(&at);
    t->step_places = take_int(&at), t->flags = take_int(&at);
    t->at = at;
    for (int e = 0; e < t->episodes; e++) {
      take_begun(&at, t);
      HnMwScene s;
      for (int n = take_int(&at); n > 0; n--) {
        take_row(&at, t, &s);
        at += sizeof(double) + 1;
      }
    }
  }
  g_assert_true(at == file + length);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  read_file();
  for (int k = 0; k < 50; k++) {
    char *path = g_strdup_printf("/metaworld_reward/task/%s", tasks[k].name);
    g_test_add_data_func(path, &tasks[k], test_task);
    g_free(path);
  }
  g_test_add_func("/metaworld_reward/parts", test_parts);
  g_test_add_func("/metaworld_reward/margins", test_margins);
  g_test_add_func("/metaworld_reward/rules", test_rules);
  g_test_add_func("/metaworld_reward/axes", test_axes);
  g_test_add_func("/metaworld_reward/below_the_table", test_below_the_table);
  g_test_add_func("/metaworld_reward/trap1_live_views", test_live_views);
  g_test_add_func("/metaworld_reward/trap4_stale_marks", test_stale_marks);
  g_test_add_func("/metaworld_reward/trap5_settled_height", test_settled_height);
  g_test_add_func("/metaworld_reward/trap7_handle_pull_gate", test_handle_pull_gate);
  g_test_add_func("/metaworld_reward/trap7_stick_pull_start", test_stick_pull_start);
  g_test_add_func("/metaworld_reward/trap8_held", test_held);
  int code = g_test_run();
  g_free(file);
  return code;
}
