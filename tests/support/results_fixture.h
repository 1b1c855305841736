/* results_fixture.h - writes a study folder as `hunch run` leaves it, with numbers from closed
 * forms plus seeded noise, so that what reads results can be tested without running anything. */
#ifndef HN_RESULTS_FIXTURE_H
#define HN_RESULTS_FIXTURE_H
#include <glib.h>
#include <glib/gstdio.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct FakeArm {
  const char *name, *inference;
  double level, speed; /* of the return: level * (1 - exp(-speed * progress)) */
  double error, noise; /* of prediction: error / sqrt(1 + step) + noise; error 0: none reported */
} FakeArm;

typedef struct FakeStudy {
  const char *name;
  const FakeArm *arms;
  int arm_count, seeds, updates, every, steps;
  const char *aggregate;
} FakeStudy;

static inline void fake_write(const char *dir, const char *name, const char *text) {
  char *path = g_build_filename(dir, name, NULL);
  g_mkdir_with_parents(dir, 0777);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  g_free(path);
}

static inline char *fake_read(const char *dir, const char *name) {
  char *path = g_build_filename(dir, name, NULL), *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_free(path);
  return text;
}

/* Replaces the first occurrence of a text in a file that must hold it. */
static inline void fake_patch(const char *dir, const char *name, const char *from, const char *to) {
  char *text = fake_read(dir, name), **parts = g_strsplit(text, from, 2);
  g_assert_cmpuint(g_strv_length(parts), ==, 2);
  char *patched = g_strconcat(parts[0], to, parts[1], NULL);
  fake_write(dir, name, patched);
  g_free(patched);
  g_strfreev(parts);
  g_free(text);
}

static inline char *fake_cell_dir(const char *dir, const char *arm, int seed) {
  return g_strdup_printf("%s/%s/%d", dir, arm, seed);
}

static inline double fake_return(const FakeArm *a, double progress, HnRng *rng, double spread) {
  return a->level * (1 - exp(-a->speed * progress)) + spread * hn_rng_normal(rng);
}

static inline void fake_metrics(const FakeStudy *s, const FakeArm *a, int seed, const char *dir) {
  HnRng task = hn_rng(99, (uint64_t)seed), own = hn_rng(100 + (uint64_t)a->level, (uint64_t)seed);
  double shared = hn_rng_normal(&task); /* what a seed does to every arm */
  GString *m = g_string_new("update,frames,train.return,policy.loss,eval.return,eval.return_1,"
                            "eval.return_2,eval.success");
  if (a->error > 0) g_string_append(m, ",eval.reward_l1,eval.reward_nll");
  g_string_append_c(m, '\n');
  for (int u = 1; u <= s->updates; u++) {
    double progress = (double)u / s->updates;
    g_string_append_printf(m, "%d,%d,%.9g,%.9g", u, u * 1600,
                           fake_return(a, progress, &own, 1.2) + shared, 1 / (1.0 + u));
    bool evaluated = u == s->updates || (s->every && u % s->every == 0);
    double r = fake_return(a, progress, &own, 0.3) + shared;
    if (evaluated)
      g_string_append_printf(m, ",%.9g,%.9g,%.9g,%.9g", r, r - 1, r + 1,
                             1 / (1 + exp(-(r - 6) / 2)));
    else
      g_string_append(m, ",,,,");
    double l1 = a->error * exp(-progress) + 0.02 * hn_rng_normal(&own);
    if (a->error > 0 && evaluated) g_string_append_printf(m, ",%.9g,%.9g", l1, log(l1 + 1) - 1);
    if (a->error > 0 && !evaluated) g_string_append(m, ",,");
    g_string_append_c(m, '\n');
  }
  fake_write(dir, "metrics.csv", m->str);
  g_string_free(m, TRUE);
}

static inline void fake_steps(const FakeStudy *s, const FakeArm *a, int seed, const char *dir) {
  HnRng rng = hn_rng(7 + (uint64_t)a->level, (uint64_t)seed);
  GString *t = g_string_new("update,step,reward");
  if (a->error > 0)
    g_string_append(t, ",reward_l1,reward_nll,transition_l1,transition_nll,kl_reward,entropy");
  g_string_append_c(t, '\n');
  for (int block = 1; block <= 2; block++)
    for (int i = 0; i < s->steps; i++) {
      if (i == 0) { /* observation 0: nothing was predicted yet */
        g_string_append_printf(t, "%d,0,nan%s\n", block * s->updates / 2,
                               a->error > 0 ? ",nan,nan,nan,nan,0,0" : "");
        continue;
      }
      double e = a->error / sqrt(i) * (block == 1 ? 2 : 1) + a->noise;
      e *= 1 + 0.1 * hn_rng_normal(&rng);
      g_string_append_printf(t, "%d,%d,%.9g", block * s->updates / 2, i, 0.5 - e / 4);
      if (a->error > 0)
        g_string_append_printf(t, ",%.9g,%.9g,%.9g,%.9g,%.9g,%.9g", e, log(e) + 0.9, e / 2,
                               3 * log(e), 4 * log(1.0 + i), -log(1.0 + i));
      g_string_append_c(t, '\n');
    }
  fake_write(dir, "steps.csv", t->str);
  g_string_free(t, TRUE);
}

static inline void fake_cell(const FakeStudy *s, const FakeArm *a, int seed, const char *dir) {
  char *run = g_strdup_printf(
      "{\"study\": \"%s\", \"arm\": \"%s\", \"seed_index\": %d, \"seed\": \"%d\",\n"
      " \"identity\": \"%s%d\", \"status\": \"done\", \"reason\": null,\n"
      " \"update\": %d, \"frames\": %d, \"seconds\": 600.5,\n"
      " \"started\": \"2026-01-02T03:04:05Z\", \"written\": \"2026-01-02T03:14:05Z\",\n"
      " \"hunch\": \"0.1.0\", \"commit\": \"0123456789ab\", \"abi_major\": 0, \"abi_minor\": 3,\n"
      " \"protocol\": \"trial: 2 episodes of the policy's mode\",\n"
      " \"cpu\": \"Some CPU @ 2.5 GHz\", \"host\": \"h\", \"isa\": \"v3\", \"blas\": \"Haswell\",\n"
      " \"libraries\": [\"libm.so.6\", \"libmujoco.so.2.2.2\"],\n"
      " \"plugins\": {\n"
      "  \"env\": {\"name\": \"gridworld\", \"version\": \"1.0\", \"sha256\": \"aa\",\n"
      "   \"privileged\": false},\n"
      "  \"inference\": {\"name\": \"%s\", \"version\": \"1.0\", \"sha256\": \"bb\",\n"
      "   \"privileged\": false},\n"
      "  \"policy\": {\"name\": \"ppo\", \"version\": \"1.1\", \"sha256\": \"cc\",\n"
      "   \"privileged\": false}}}\n",
      s->name, a->name, seed, 1000 + seed, a->name, seed, s->updates, s->updates * 1600,
      a->inference);
  char *config = g_strdup_printf(
      "study: %s\narm: %s\nseed_index: %d\nseed: %d\nenv:\n  plugin: gridworld\n  size: 5\n"
      "inference:\n  plugin: %s\npolicy:\n  plugin: ppo\nrun:\n  frames: %d\n  episodes: 2\n"
      "  workers: %d\nevaluation:\n  tasks: 20\n  every: %d\n",
      s->name, a->name, seed, 1000 + seed, a->inference, s->updates * 1600, 1 + seed % 2, s->every);
  fake_write(dir, "run.json", run);
  fake_write(dir, "config.resolved.yaml", config);
  fake_metrics(s, a, seed, dir);
  fake_steps(s, a, seed, dir);
  g_free(run);
  g_free(config);
}

static inline void fake_study(const FakeStudy *s, const char *dir) {
  GString *plan = g_string_new(NULL);
  g_string_append_printf(plan, "{\"study\": \"%s\", \"file\": \"%s.yaml\", \"arms\": [", s->name,
                         s->name);
  for (int a = 0; a < s->arm_count; a++)
    g_string_append_printf(plan, "%s\"%s\"", a ? ", " : "", s->arms[a].name);
  g_string_append_printf(plan,
                         "], \"seeds\": {\"root\": 7, \"count\": %d}, \"report\": {\"baseline\": "
                         "\"%s\", \"metric\": \"eval.return\", \"aggregate\": \"%s\", "
                         "\"confidence\": 0.95, \"resamples\": 2000}, \"overrides\": "
                         "[\"run.frames=%d\"]}\n",
                         s->seeds, s->arms[s->arm_count - 1].name, s->aggregate, s->updates * 1600);
  fake_write(dir, "study.json", plan->str);
  fake_write(dir, "study.yaml", "hunch: 1 # <made up & small>\n");
  g_string_free(plan, TRUE);
  for (int a = 0; a < s->arm_count; a++)
    for (int i = 0; i < s->seeds; i++) {
      char *cell = fake_cell_dir(dir, s->arms[a].name, i);
      fake_cell(s, &s->arms[a], i, cell);
      g_free(cell);
    }
}

/* Deletes a folder that a test made. */
static inline void fake_remove(const char *path) {
  GDir *d = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
  for (const char *name; d && (name = g_dir_read_name(d));) {
    char *child = g_build_filename(path, name, NULL);
    fake_remove(child);
    g_free(child);
  }
  if (d) g_dir_close(d);
  g_remove(path);
}
#endif
