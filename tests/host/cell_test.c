/* cell_test.c - a cell reads back what it writes, and its identity changes with what matters. */
#include "validate.h"
#include "yaml_fixture.h"
#include <glib/gstdio.h>
#include <sys/stat.h>

static const char minimal[] =
    "study: s\narm: a\nseed_index: 2\nseed: 18446744073709551615\nenv: {plugin: toy}\n"
    "inference: {plugin: filter, kl_weight: 0.3}\npolicy: {plugin: walk}\nrun: {frames: 1e3}\n"
    "evaluation: {tasks: 5}\n";
/* Written by hand from the tables of cell.h and yaml_fixture.h */
static const char resolved[] =
    "study: s\narm: a\nseed_index: 2\nseed: 18446744073709551615\n"
    "env:\n  plugin: toy\n  size: 5\n  map: open\n"
    "inference:\n  plugin: filter\n  kl_weight: 0.3\n  noise: inferred\n"
    "policy:\n  plugin: walk\n"
    "run:\n  frames: 1000\n  rows: 16\n  steps: 0\n  episodes: 2\n  trial_steps: 0\n"
    "  workers: 1\n  determinism: portable\n  samples: 0\n  stop_gradient: false\n  trace_every: "
    "1\n  checkpoint_every: 20\n"
    "  keep_every: 0\n"
    "  call_seconds: 3600\n"
    "  memory: 0\n"
    "  tensorboard: false\n"
    "evaluation:\n  every: 0\n  tasks: 5\n  protocol: trial\n  episodes: 0\n  trial_steps: 0\n"
    "  adapt_episodes: 10\n  parallel: 4\n  split: \"\"\n  greedy: true\n  also_drawn: false\n"
    "  also_shuffled: false\n  diagnose: false\n  samples: -1\n  questions: 100\n"
    "  record_rows: 3\n";

static HnCell *read_cell(const char *text, char **findings) {
  HnDiag *d = hn_diag_new();
  HnNode *n = hn_yaml_parse("c.yaml", text, strlen(text), d);
  g_assert_nonnull(n);
  HnCell *cell = hn_cell_read(n, d);
  *findings = hn_diag_text(d);
  g_assert_true(!cell == (**findings != 0));
  hn_node_free(n);
  hn_diag_free(d);
  return cell;
}

static HnCell *good_cell(const char *text) {
  char *findings;
  HnCell *cell = read_cell(text, &findings);
  g_assert_cmpstr(findings, ==, "");
  g_free(findings);
  return cell;
}

static char *written(const HnCell *cell) {
  HnNode *n = hn_cell_node(cell);
  char *text = hn_node_write(n);
  hn_node_free(n);
  return text;
}

static void test_round_trip(void) {
  HnCell *cell = good_cell(minimal);
  g_assert_cmpuint(cell->seed, ==, UINT64_MAX);
  g_assert_cmpint(cell->run.frames, ==, 1000);
  g_assert_cmpfloat(((const Filter *)cell->inference.params)->kl_weight, ==, 0.3);
  g_autofree char *first = written(cell);
  g_assert_cmpstr(first, ==, resolved);
  HnCell *again = good_cell(first);
  g_autofree char *second = written(again);
  g_assert_cmpstr(second, ==, resolved);
  g_autofree char *a = hn_cell_identity(cell), *b = hn_cell_identity(again);
  g_assert_cmpstr(a, ==, b);
  g_assert_cmpuint(strlen(a), ==, 64);
  hn_cell_free(cell);
  hn_cell_free(again);
}

/* The identity of `resolved` with `from` replaced by `to`. */
static char *identity_with(const char *from, const char *to) {
  g_autoptr(GString) text = g_string_new(resolved);
  g_assert_cmpuint(g_string_replace(text, from, to, 1), ==, 1);
  HnCell *cell = good_cell(text->str);
  char *identity = hn_cell_identity(cell);
  hn_cell_free(cell);
  return identity;
}

static void test_identity(void) {
  g_autofree char *id = identity_with("rows: 16", "rows: 16");
  g_autofree char *workers = identity_with("workers: 1", "workers: 7");
  g_autofree char *spelt = identity_with("frames: 1000", "frames: 1.0e3");
  g_assert_cmpstr(id, ==, workers);
  g_assert_cmpstr(id, ==, spelt);
  static const char *const changes[][2] = {
      {"rows: 16", "rows: 17"},
      {"noise: inferred", "noise: fixed"},
      {"determinism: portable", "determinism: fast"},
      {"seed: 18446744073709551615", "seed: 18446744073709551614"},
      {"kl_weight: 0.3", "kl_weight: 0.30000000000000004"},
      {"plugin: filter\n  kl_weight: 0.3", "plugin: other_filter"}};
  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    g_autofree char *other = identity_with(changes[i][0], changes[i][1]);
    g_assert_cmpstr(id, !=, other);
  }
}

static void test_findings(void) {
  char *findings;
  g_assert_null(read_cell("study: s\nseed_index: -1\nseed: 18446744073709551616\nenv: {plugin: "
                          "toi}\ninference: {kl_weight: 20}\npolicy: [walk]\nruns: {}\n"
                          "evaluation: {taks: 1}\n",
                          &findings));
  g_auto(GStrv) lines = g_strsplit(findings, "\n", -1);
  static const char *const expected[] = {
      "c.yaml:1:1: error: missing key 'arm'",
      "c.yaml:2:13: error: 'seed_index: -1': expected an integer in [0, 9223372036854775807]",
      "c.yaml:3:7: error: 'seed: 18446744073709551616': expected an integer in [0, "
      "18446744073709551615]",
      "c.yaml:4:15: error: no plugin named 'toi'",
      "c.yaml:5:12: error: inference: missing key 'plugin'",
      "c.yaml:6:9: error: policy: expected a map of keys and values, not a list",
      "c.yaml:7:1: error: unknown key 'runs'; did you mean 'run'?",
      "c.yaml:8:14: error: evaluation: unknown key 'taks'; did you mean 'tasks'?",
      ""};
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_assert_nonnull(lines[i]);
    if (i == 3)
      g_assert_true(g_str_has_prefix(lines[i], expected[i])); /* then: where it looked */
    else
      g_assert_cmpstr(lines[i], ==, expected[i]);
  }
  g_free(findings);
  g_assert_null(read_cell("study: s\narm: a\nseed_index: 0\nseed: 1\nenv: {plugin: filter}\n"
                          "inference: {plugin: ./x.so}\npolicy: {plugin: walk}\n",
                          &findings));
  g_test_message("%s", findings);
  g_assert_true(g_str_has_prefix(findings, "c.yaml:5:15: error: plugin 'filter'"));
  g_assert_nonnull(strstr(findings, "of kind inference, expected env\n"));
  g_assert_nonnull(strstr(findings, "/x.so"));
  g_free(findings);
  g_assert_null(read_cell("study: s\narm: a\nseed_index: 0\nseed: 1\nenv: toy\n"
                          "inference: {plugin: filter}\npolicy: {plugin: walk}\n",
                          &findings));
  g_assert_cmpstr(findings, ==,
                  "c.yaml:5:6: error: 'env: toy': expected a map; write 'env: {plugin: toy}'\n");
  g_free(findings);
  g_autoptr(GString) text = g_string_new(minimal);
  g_string_replace(text, "{tasks: 5}", "{episodes: 4, trial_steps: 9}", 1);
  g_assert_null(read_cell(text->str, &findings));
  g_assert_cmpstr(findings, ==,
                  "c.yaml:9:40: error: 'trial_steps:': a trial has a number of episodes or of "
                  "steps, and evaluation.episodes is given too\n");
  g_free(findings);
  g_string_replace(text, "episodes: 4", "protocol: sdvt", 1);
  g_assert_null(read_cell(text->str, &findings));
  g_assert_cmpstr(findings, ==,
                  "c.yaml:9:43: error: 'trial_steps:': evaluation.protocol sdvt counts episodes: "
                  "use trial\n");
  g_free(findings);
  g_string_replace(text, "trial_steps: 9", "greedy: false", 1);
  g_assert_null(read_cell(text->str, &findings));
  g_assert_cmpstr(findings, ==,
                  "c.yaml:9:38: error: 'greedy: false': evaluation.protocol sdvt says which "
                  "episodes are sampled: sampled episodes that all count, with the belief carried "
                  "on; use trial\n");
  g_free(findings);
}

static void note(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  g_string_append_printf(arg, "%s: %s %s; ", path, a ? a->text : "-", b ? b->text : "-");
}

static void expect_differences(const char *a, const char *b, int ignored, const char *expected) {
  HnDiag *d = hn_diag_new();
  HnNode *first = hn_yaml_parse("a", a, strlen(a), d),
         *second = hn_yaml_parse("b", b, strlen(b), d);
  g_autoptr(GString) out = g_string_new(NULL);
  hn_cell_differences(first, second, ignored, note, out);
  g_assert_cmpstr(out->str, ==, expected);
  hn_node_free(first), hn_node_free(second), hn_diag_free(d);
}

/* What may differ between seeds of an arm, and between arms that are set against each other. */
static void test_differences(void) {
  static const char a[] =
      "arm: a\nseed: 1\nenv: {size: 5}\ninference: {plugin: x}\n"
      "run: {frames: 9, workers: 1, episodes: 2}\nevaluation: {tasks: 5, every: 1}\n";
  static const char b[] =
      "arm: b\nseed: 2\nenv: {size: 6, map: open}\ninference: {plugin: y}\n"
      "run: {frames: 8, workers: 4, episodes: 3}\nevaluation: {tasks: 6, every: 2}\n"
      "weights: {from: there}\n";
  const int seeds = HN_KEY_FREE | HN_KEY_SEED, arms = seeds | HN_KEY_ARM | HN_KEY_LENGTH;
  expect_differences(a, a, 0, "");
  expect_differences(a, b, arms,
                     "env.size: 5 6; env.map: - open; run.episodes: 2 3; evaluation.tasks: 5 6; ");
  expect_differences("seed: 1\nrun: {workers: 1, frames: 1}\n",
                     "seed: 2\nrun: {workers: 2, frames: 2}\n", seeds, "run.frames: 1 2; ");
  expect_differences("run: {workers: 1}\n", "run: {workers: 2}\n", 0, "run.workers: 1 2; ");
}

/* ---- environments that hold others ---- */

#define WITH(env)                                            \
  "study: s\narm: a\nseed_index: 0\nseed: 1\nenv: " env "\n" \
  "inference: {plugin: filter}\npolicy: {plugin: walk}\n"
static const char wrapped[] =
    WITH("{plugin: wrap, kl_weight: 2, inner: {plugin: wrap, inner: {plugin: toy, size: 9}}}");

static void test_inner(void) {
  HnCell *cell = good_cell(wrapped);
  const HnPluginChoice *inner = cell->env.inner->inner;
  g_assert_cmpstr(cell->env.inner->plugin->name, ==, "wrap");
  g_assert_cmpstr(inner->plugin->name, ==, "toy");
  g_assert_null(inner->inner);
  g_assert_cmpint(((const HnThisParams *)inner->params)->size, ==, 9);
  g_autofree char *text = written(cell);
  g_assert_nonnull(strstr(text, "env:\n  plugin: wrap\n  kl_weight: 2\n  inner:\n    plugin: wrap\n"
                                "    kl_weight: 0.1\n    inner:\n      plugin: toy\n"
                                "      size: 9\n      map: open\n"));
  HnCell *again = good_cell(text);
  g_autofree char *id = hn_cell_identity(cell), *same = hn_cell_identity(again);
  g_assert_cmpstr(id, ==, same);
  hn_cell_free(again);
  static const char *const changes[][2] = {{"size: 9", "size: 10"},
                                           {"kl_weight: 0.1", "kl_weight: 0.2"},
                                           {"kl_weight: 2", "kl_weight: 1"}};
  for (guint k = 0; k < G_N_ELEMENTS(changes); k++) {
    g_autoptr(GString) other = g_string_new(text);
    g_assert_cmpuint(g_string_replace(other, changes[k][0], changes[k][1], 1), ==, 1);
    again = good_cell(other->str);
    g_autofree char *differs = hn_cell_identity(again);
    g_assert_cmpstr(id, !=, differs);
    hn_cell_free(again);
  }
  hn_cell_free(cell);
  /* what is measured: cells that differ there are not set against each other */
  g_assert_cmpint(hn_cell_key_role("env.inner.inner.size"), ==, HN_KEY_MEASURE);
}

/* A copy of a plugin of the build with `more` behind its end, in a folder of its own. */
static char *copy_of(const char *name, const char *more) {
  g_autofree char *dir = g_dir_make_tmp("hunch-cell-XXXXXX", NULL), *bytes = NULL;
  g_autofree char *from = g_strconcat(PLUGINS, "/", name, NULL);
  char *to = g_build_filename(dir, name, NULL);
  gsize n;
  g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
  bytes = g_realloc(bytes, n + strlen(more));
  memcpy(bytes + n, more, strlen(more));
  g_assert_true(g_file_set_contents(to, bytes, (gssize)(n + strlen(more)), NULL));
  return to;
}

/* The identity of a cell whose wrapper holds that file, which is removed. */
static char *identity_around(char *file) {
  g_autoptr(GString) text = g_string_new(WITH("{plugin: wrap, inner: {plugin: FILE}}"));
  g_string_replace(text, "FILE", file, 1);
  HnCell *cell = good_cell(text->str);
  char *identity = hn_cell_identity(cell);
  hn_cell_free(cell);
  g_autofree char *dir = g_path_get_dirname(file);
  g_remove(file), g_rmdir(dir), g_free(file);
  return identity;
}

/* What is in the file of an inner plugin counts, not where it is. */
static void test_inner_file(void) {
  g_autofree char *id = identity_around(copy_of("bandit.so", ""));
  g_autofree char *elsewhere = identity_around(copy_of("bandit.so", ""));
  g_autofree char *changed = identity_around(copy_of("bandit.so", "x"));
  g_assert_cmpstr(id, ==, elsewhere);
  g_assert_cmpstr(id, !=, changed);
}

static void test_inner_findings(void) {
  static const struct {
    const char *text, *finding;
  } cases[] = {
      {WITH("{plugin: wrap}"), "c.yaml:5:6: error: env: missing key 'inner'\n"},
      {WITH("{plugin: wrap, inner: {}}"), "c.yaml:5:28: error: env: inner: missing key 'plugin'\n"},
      {WITH("{plugin: wrap, inner: toy}"),
       "c.yaml:5:28: error: 'inner: toy': expected a map; write 'inner: {plugin: toy}'\n"},
      {WITH("{plugin: wrap, inner: [toy]}"),
       "c.yaml:5:28: error: inner: expected a map of keys and values, not a list\n"},
      {WITH("{plugin: wrap, inner: {plugin: toy, sise: 4}}"),
       "c.yaml:5:42: error: env toy: unknown key 'sise'; did you mean 'size'?\n"},
      {WITH("{plugin: wrap, inner: {plugin: toy, size: 400}}"),
       "c.yaml:5:48: error: 'size: 400' is out of range: expected an integer in [2, 100]\n"},
      {WITH("{plugin: toy, iner: 1}"),
       "c.yaml:5:20: error: env toy: unknown key 'iner'; valid: size, map, plugin\n"},
      {WITH("{plugin: wrap, iner: {plugin: toy}}"),
       "c.yaml:5:21: error: env wrap: unknown key 'iner'; did you mean 'inner'?\n"},
      {WITH("{plugin: toy, inner: {plugin: toy}}"),
       "c.yaml:5:20: error: env toy: unknown key 'inner': it is no wrapper, and holds no other "
       "environment\n"}};
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *findings = NULL;
    g_assert_null(read_cell(cases[k].text, &findings));
    g_assert_cmpstr(findings, ==, cases[k].finding);
  }
  g_autofree char *kind = NULL, *missing = NULL, *deep = NULL;
  g_assert_null(read_cell(WITH("{plugin: wrap, inner: {plugin: filter}}"), &kind));
  g_assert_true(g_str_has_prefix(kind, "c.yaml:5:37: error: plugin 'filter' ("));
  g_assert_true(g_str_has_suffix(kind, " is of kind inference, expected env\n"));
  g_assert_null(read_cell(WITH("{plugin: wrap, inner: {plugin: toi}}"), &missing));
  g_assert_nonnull(
      strstr(missing, "c.yaml:5:37: error: no plugin named 'toi' (did you mean 'toy'?)"));
  /* as many wrappers as there may be, and one more */
  g_autoptr(GString) most = g_string_new("{plugin: toy}"), text = g_string_new(WITH("ENV"));
  for (int k = 0; k < 8; k++)
    g_string_prepend(most, "{plugin: wrap, inner: "), g_string_append(most, "}");
  g_string_replace(text, "ENV", most->str, 1);
  hn_cell_free(good_cell(text->str));
  g_string_assign(text, WITH("{plugin: wrap, inner: ENV}"));
  g_string_replace(text, "ENV", most->str, 1);
  g_assert_null(read_cell(text->str, &deep));
  g_assert_cmpstr(
      deep, ==, "c.yaml:5:182: error: env wrap: at most 8 wrappers can be around an environment\n");
}

/* ---- parameters that name files ---- */

typedef struct Chart {
  const char *map;
  int64_t size;
  const char *other;
} Chart;
static const HnParam chart_params[] = {HN_ROW_file(Chart, map, "", "A map.", "") HN_ROW_int(
    Chart, size, "", "Size.", 3, 1, 9) HN_ROW_file(Chart, other, "", "Another.", "")};
static const HnPlugin chart = FAKE(chart, HN_KIND_ENV, &env_methods, Chart, chart_params, 3);

/* As published: FIPS 180-2, appendix B.1, and of nothing. */
#define SHA256_ABC  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_NONE "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char *folder; /* of the files; ABSENT is in no test */

static void put(const char *name, const char *text) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Reads a cell whose env is `env`, of a file in the folder. */
static HnCell *chart_cell(const char *env, char **findings) {
  g_autofree char *name = g_build_filename(folder, "c.yaml", NULL);
  g_autoptr(GString) text = g_string_new(WITH("ENV"));
  HnDiag *d = hn_diag_new();
  g_string_replace(text, "ENV", env, 1);
  HnNode *n = hn_yaml_parse(name, text->str, text->len, d);
  HnCell *cell = hn_cell_read(n, d);
  g_autofree char *all = hn_diag_text(d);
  g_autoptr(GString) out = g_string_new(all);
  g_string_replace(out, folder, "DIR", 0);
  *findings = g_strdup(out->str);
  hn_node_free(n), hn_diag_free(d);
  return cell;
}

static HnCell *good_chart(const char *env) {
  g_autofree char *findings = NULL;
  HnCell *cell = chart_cell(env, &findings);
  g_assert_cmpstr(findings, ==, "");
  return cell;
}

static char *chart_identity(const char *env) {
  HnCell *cell = good_chart(env);
  char *identity = hn_cell_identity(cell);
  hn_cell_free(cell);
  return identity;
}

static void test_file(void) {
  put("abc.txt", "abc"), put("empty.txt", "");
  HnCell *cell = good_chart("{plugin: chart, map: abc.txt, size: 4}");
  const Chart *p = cell->env.params;
  g_autofree char *path = g_build_filename(folder, "abc.txt", NULL), *text = written(cell);
  g_assert_cmpstr(p->map, ==, path);
  g_assert_cmpstr(p->other, ==, "");
  g_autoptr(GString) shown = g_string_new(text);
  g_string_replace(shown, folder, "DIR", 0);
  g_string_replace(shown, "\"", "", 0); /* what is quoted is another test's */
  if (!strstr(shown->str, "env:\n  plugin: chart\n  map: DIR/abc.txt\n  map_sha256: " SHA256_ABC
                          "\n  size: 4\n  other: \n"))
    g_error("%s", shown->str);
  HnCell *again = good_cell(text); /* which says what must be in it */
  g_autofree char *one = hn_cell_identity(cell), *two = hn_cell_identity(again);
  g_assert_cmpstr(one, ==, two);
  g_assert_cmpstr(((const Chart *)again->env.params)->map, ==, path);
  hn_cell_free(cell), hn_cell_free(again);
  cell = good_chart("{plugin: chart, map: ./empty.txt, map_sha256: " SHA256_NONE ", other: ''}");
  hn_cell_free(cell);
}

/* The identity is made of what is in the file, not of where it is. */
static void test_file_identity(void) {
  put("abc.txt", "abc"), put("same.txt", "abc"), put("xyz.txt", "xyz");
  g_autofree char *abc = chart_identity("{plugin: chart, map: abc.txt}");
  g_autofree char *same = chart_identity("{plugin: chart, map: same.txt}");
  g_autofree char *xyz = chart_identity("{plugin: chart, map: xyz.txt}");
  g_autofree char *other = chart_identity("{plugin: chart, other: abc.txt}");
  g_autofree char *none = chart_identity("{plugin: chart}");
  g_assert_cmpstr(abc, ==, same);
  g_assert_cmpstr(abc, !=, xyz);
  g_assert_cmpstr(abc, !=, other);
  g_assert_cmpstr(abc, !=, none);
  g_autofree char *inner = chart_identity("{plugin: wrap, inner: {plugin: chart, map: abc.txt}}");
  g_autofree char *deeper = chart_identity("{plugin: wrap, inner: {plugin: chart, map: xyz.txt}}");
  g_assert_cmpstr(inner, !=, deeper);
  put("abc.txt", "xyz"); /* of the same length, an instant later */
  g_autofree char *changed = chart_identity("{plugin: chart, map: abc.txt}");
  g_assert_cmpstr(changed, ==, xyz);
}

static void note_path(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  (void)a, (void)b;
  g_string_append_printf(arg, "%s ", path);
}

/* Cells whose files hold the same do not differ, wherever they lie. */
static void test_file_differences(void) {
  put("abc.txt", "abc"), put("same.txt", "abc"), put("xyz.txt", "xyz");
  static const char *const cases[][2] = {
      {"{plugin: chart, map: same.txt}", ""},
      {"{plugin: chart, map: xyz.txt}", "env.map env.map_sha256 "},
      {"{plugin: chart}", "env.map env.map_sha256 "}};
  HnCell *cell = good_chart("{plugin: chart, map: abc.txt}");
  HnNode *a = hn_cell_node(cell);
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    HnCell *other = good_chart(cases[k][0]);
    HnNode *b = hn_cell_node(other);
    g_autoptr(GString) paths = g_string_new("");
    hn_cell_differences(a, b, 0, note_path, paths);
    g_assert_cmpstr(paths->str, ==, cases[k][1]);
    hn_node_free(b), hn_cell_free(other);
  }
  hn_node_free(a), hn_cell_free(cell);
}

static void test_file_findings(void) {
  put("abc.txt", "abc");
  g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);
  g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
  static const char *const cases[][2] = {
      {"{plugin: chart, map: abd.txt}",
       "DIR/c.yaml:5:27: error: 'map: abd.txt': expected the path of a file: DIR/abd.txt: No such "
       "file or directory\n"},
      {"{plugin: chart, map: .}",
       "DIR/c.yaml:5:27: error: 'map: .': expected the path of a file: DIR: not a regular file\n"},
      {"{plugin: chart, map: pipe}", "DIR/c.yaml:5:27: error: 'map: pipe': expected the path of a "
                                     "file: DIR/pipe: not a regular file\n"},
      {"{plugin: chart, map: [abc.txt]}",
       "DIR/c.yaml:5:27: error: 'map:': expected the path of a file, not a list\n"},
      {"{plugin: wrap, inner: {plugin: chart, map: x/y}}",
       "DIR/c.yaml:5:49: error: 'map: x/y': expected the path of a file: DIR/x/y: No such file or "
       "directory\n"},
      {"{plugin: chart, map: abc.txt, map_sha256: 1234}",
       "DIR/c.yaml:5:48: error: 'map_sha256:': DIR/abc.txt has another content, of "
       "SHA-256 " SHA256_ABC "\n"},
      {"{plugin: chart, map_sha256: 1234}",
       "DIR/c.yaml:5:22: error: 'map_sha256:': there is no 'map:' beside it\n"},
      {"{plugin: chart, map: '', map_sha256: 1234}",
       "DIR/c.yaml:5:31: error: 'map_sha256:': there is no 'map:' beside it\n"},
      {"{plugin: chart, size_sha256: 1234}",
       "DIR/c.yaml:5:22: error: env chart: unknown key 'size_sha256'; did you mean "
       "'size'?\n"}};
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *findings = NULL;
    g_assert_null(chart_cell(cases[k][0], &findings));
    g_assert_cmpstr(findings, ==, cases[k][1]);
  }
  g_remove(pipe);
}

static void test_file_tables(void) {
  HnParam params[] = {HN_ROW_file(Chart, map, "", "A map.", "x.txt")
                          HN_ROW_file(Chart, other, "", "Another.", "")};
  const HnPlugin fake = FAKE(chart, HN_KIND_ENV, &env_methods, Chart, params, 2);
  g_autofree char *with_default = hn_descriptor_refuse(&fake, "chart");
  g_assert_cmpstr(
      with_default, ==,
      "has a bad parameter table: row 0 'map' is a file with a default, which must be ''");
  params[0].text = "", params[1].name = "map_sha256";
  g_autofree char *taken = hn_descriptor_refuse(&fake, "chart");
  g_assert_cmpstr(taken, ==,
                  "has a parameter 'map_sha256', which is the host's word on the file 'map'");
  params[1].name = "other_sha256";
  g_assert_null(hn_descriptor_refuse(&fake, "chart"));
}

static void remove_folder(void) {
  static const char *const files[] = {"abc.txt", "same.txt", "xyz.txt", "empty.txt"};
  for (guint k = 0; k < G_N_ELEMENTS(files); k++) {
    g_autofree char *path = g_build_filename(folder, files[k], NULL);
    g_remove(path);
  }
  g_rmdir(folder), g_free(folder);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  GError *error = NULL;
  add_fakes();
  hn_plugins_add(&chart, &error);
  g_assert_no_error(error);
  folder = g_dir_make_tmp("hunch-cell-XXXXXX", NULL);
  g_test_add_func("/cell/round-trip", test_round_trip);
  g_test_add_func("/cell/identity", test_identity);
  g_test_add_func("/cell/findings", test_findings);
  g_test_add_func("/cell/differences", test_differences);
  g_test_add_func("/cell/inner", test_inner);
  g_test_add_func("/cell/inner_file", test_inner_file);
  g_test_add_func("/cell/inner_findings", test_inner_findings);
  g_test_add_func("/cell/file", test_file);
  g_test_add_func("/cell/file_identity", test_file_identity);
  g_test_add_func("/cell/file_differences", test_file_differences);
  g_test_add_func("/cell/file_findings", test_file_findings);
  g_test_add_func("/cell/file_tables", test_file_tables);
  const int failed = g_test_run();
  remove_folder();
  return failed;
}
