/* study_test.c - arms, overrides and seeds become cells; folders say what is left to do. */
#include "yaml_fixture.h"
#include <cell_status.h>
#include <glib/gstdio.h>
#include <run_dir.h>
#include <safetensors.h>
#include <study.h>
#include <unistd.h>

static char *folder; /* of this program's files */

static char *write_file(const char *name, const char *text) {
  char *path = g_build_filename(folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname(path);
  g_assert_cmpint(g_mkdir_with_parents(parent, 0777), ==, 0);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  return path;
}

/* Reads `text` as s.yaml with overrides; findings have "s.yaml" in place of its path. */
static HnStudy *read_study(const char *text, const char *const *overrides, char **findings) {
  g_autofree char *path = write_file("s.yaml", text);
  HnDiag *d = hn_diag_new();
  HnStudy *s = hn_study_read(path, overrides, d);
  g_autofree char *all = hn_diag_text(d);
  g_autoptr(GString) out = g_string_new(all);
  g_string_replace(out, path, "s.yaml", 0);
  g_assert_true(!s == (out->len > 0));
  *findings = g_strdup(out->str);
  hn_diag_free(d);
  return s;
}

static void says(const char *text, const char *const *overrides, const char *expected) {
  g_autofree char *findings = NULL;
  HnStudy *s = read_study(text, overrides, &findings);
  g_assert_cmpstr(findings, ==, expected);
  hn_study_free(s);
}

static HnStudy *good(const char *text, const char *const *overrides) {
  g_autofree char *findings = NULL;
  HnStudy *s = read_study(text, overrides, &findings);
  g_assert_cmpstr(findings, ==, "");
  return s;
}

static const HnCell *cell(const HnStudy *s, guint arm, int64_t seed) {
  return s->cells->pdata[arm * s->seeds.count + seed];
}
static const Filter *filter(const HnStudy *s, guint arm) {
  return cell(s, arm, 0)->inference.params;
}

#define BASE                                                                     \
  "hunch: 1\nname: noise\nseeds: {root: 1234567, count: 3}\n"                    \
  "base:\n  env: {plugin: toy}\n  inference: {plugin: filter, kl_weight: 0.3}\n" \
  "  policy: {plugin: walk}\n  run: {frames: 500}\n"
#define ARMS                                                                      \
  "arms:\n  inferred: {}\n  fixed: {inference: {noise: fixed}, run: {rows: 4}}\n" \
  "  other: {inference: {plugin: other_filter}}\n"                                \
  "  again: {inference: {plugin: filter, noise: fixed}}\n"

/* The first outputs of splitmix64.c for seed 1234567, as published with Rosetta Code's task. */
static void test_seeds(void) {
  static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
                                       9817491932198370423u, 4593380528125082431u,
                                       16408922859458223821u};
  for (int i = 0; i < 5; i++) g_assert_cmpuint(hn_study_seed(1234567, i), ==, published[i]);
  HnStudy *s = good(BASE ARMS, NULL);
  for (guint arm = 0; arm < 4; arm++)
    for (int i = 0; i < 3; i++) {
      g_assert_cmpuint(cell(s, arm, i)->seed, ==, published[i]);
      g_assert_cmpint(cell(s, arm, i)->seed_index, ==, i);
    }
  hn_study_free(s);
}

static void test_merge(void) {
  HnStudy *s = good(BASE ARMS, NULL);
  g_assert_cmpstr(s->name, ==, "noise");
  g_assert_cmpuint(s->arms->len, ==, 4);
  g_assert_cmpuint(s->cells->len, ==, 12);
  g_assert_cmpstr(cell(s, 1, 2)->arm, ==, "fixed");
  g_assert_cmpstr(cell(s, 1, 2)->study, ==, "noise");
  /* patched: the base's weight stays, the arm's noise counts */
  g_assert_cmpfloat(filter(s, 0)->kl_weight, ==, 0.3);
  g_assert_cmpint(filter(s, 0)->noise, ==, 0);
  g_assert_cmpfloat(filter(s, 1)->kl_weight, ==, 0.3);
  g_assert_cmpint(filter(s, 1)->noise, ==, 1);
  g_assert_cmpint(cell(s, 1, 0)->run.rows, ==, 4);
  g_assert_cmpint(cell(s, 1, 0)->run.frames, ==, 500);
  /* replaced: other_filter has no kl_weight to inherit, and that is no error */
  g_assert_cmpstr(cell(s, 2, 0)->inference.plugin->name, ==, "other_filter");
  /* the same plugin named again patches */
  g_assert_cmpfloat(filter(s, 3)->kl_weight, ==, 0.3);
  g_assert_cmpint(filter(s, 3)->noise, ==, 1);
  g_assert_cmpstr(s->report.baseline, ==, "inferred");
  g_assert_cmpstr(s->report.metric, ==, "eval.return");
  hn_study_free(s);

  s = good(BASE, NULL);
  g_assert_cmpuint(s->arms->len, ==, 1);
  g_assert_cmpstr(s->arms->pdata[0], ==, "base");
  g_assert_cmpstr(s->report.baseline, ==, "base");
  hn_study_free(s);
  s = good("hunch: 1\nseeds: {count: 1}\narms: {a: {env: {plugin: toy}, inference: {plugin: "
           "filter}, policy: {plugin: walk}}}\n",
           NULL);
  g_assert_cmpstr(s->name, ==, "s");
  hn_study_free(s);
}

/* base < arm < command line for all arms < command line for the arm; the last of a key counts. */
static void test_overrides(void) {
  static const char *const overrides[] = {"run.rows=7",
                                          "arms.fixed.run.rows=9",
                                          "inference.noise=inferred",
                                          "inference.noise=fixed",
                                          "arms.inferred.inference.kl_weight=2",
                                          "seeds.count=1",
                                          "report.baseline=fixed",
                                          "name=new",
                                          "arms.again.inference.plugin=other_filter",
                                          NULL};
  HnStudy *s = good(BASE ARMS, overrides);
  g_assert_cmpstr(s->name, ==, "new");
  g_assert_cmpint(s->seeds.count, ==, 1);
  g_assert_cmpint(s->seeds.root, ==, 1234567);
  g_assert_cmpuint(s->cells->len, ==, 4);
  g_assert_cmpint(cell(s, 0, 0)->run.rows, ==, 7);
  g_assert_cmpint(cell(s, 1, 0)->run.rows, ==, 9);
  g_assert_cmpint(cell(s, 0, 0)->run.frames, ==, 500);
  g_assert_cmpint(filter(s, 0)->noise, ==, 1);
  g_assert_cmpfloat(filter(s, 0)->kl_weight, ==, 2);
  g_assert_cmpfloat(filter(s, 1)->kl_weight, ==, 0.3);
  g_assert_cmpstr(cell(s, 3, 0)->inference.plugin->name, ==, "other_filter");
  g_assert_cmpstr(s->report.baseline, ==, "fixed");
  hn_study_free(s);
  static const char *const dotted[] = {"arms.v1.0.run.rows=3", NULL};
  s = good(BASE "arms: {v1.0: {}}\n", dotted);
  g_assert_cmpint(cell(s, 0, 0)->run.rows, ==, 3);
  hn_study_free(s);
  /* an arm that only evaluates goes on to, unless it is named */
  static const char *const frames[] = {"run.frames=70", "arms.named.run.frames=80", NULL};
  s = good(BASE "arms: {learns: {}, looks: {run: {frames: 0}}, named: {run: {frames: 0}}}\n",
           frames);
  g_assert_cmpint(cell(s, 0, 0)->run.frames, ==, 70);
  g_assert_cmpint(cell(s, 1, 0)->run.frames, ==, 0);
  g_assert_cmpint(cell(s, 2, 0)->run.frames, ==, 80);
  hn_study_free(s);
  static const char *const noughts[] = {"0e0", "0.0", "-0", "+0e9"};
  for (guint k = 0; k < G_N_ELEMENTS(noughts); k++) {
    g_autofree char *text =
        g_strdup_printf(BASE "arms: {learns: {}, looks: {run: {frames: %s}}}\n", noughts[k]);
    s = good(text, (const char *const[]){"run.frames=70", NULL});
    g_assert_cmpint(cell(s, 1, 0)->run.frames, ==, 0);
    hn_study_free(s);
  }
}

/* ---- environments that hold others ---- */

#define WRAPPED                                                                            \
  "hunch: 1\nseeds: {count: 1}\n"                                                          \
  "base:\n  env: {plugin: wrap, kl_weight: 2, inner: {plugin: wrap, kl_weight: 3, inner: " \
  "{plugin: toy, size: 9}}}\n  inference: {plugin: filter}\n  policy: {plugin: walk}\n"    \
  "arms:\n  as_is: {}\n  patched: {env: {inner: {inner: {map: x}}}}\n"                     \
  "  v1.0: {env: {inner: {plugin: toy}}}\n  bare: {env: {plugin: toy, map: y}}\n"

#define WRAPPED_ALIKE                                                                       \
  "hunch: 1\nseeds: {count: 1}\nbase:\n  env: {plugin: wrap, inner: {plugin: wrap, inner: " \
  "{plugin: toy}}}\n  inference: {plugin: filter}\n  policy: {plugin: walk}\n"

/* kl_weight of the wrapper, kl_weight, size and map below it. */
static void expect_env(const HnCell *c, double outer, double middle, int size, const char *map) {
  const HnPluginChoice *two = c->env.inner, *three = two->inner;
  const HnThisParams *inner = three->params;
  g_assert_cmpfloat(((const Filter *)c->env.params)->kl_weight, ==, outer);
  g_assert_cmpfloat(((const Filter *)two->params)->kl_weight, ==, middle);
  g_assert_cmpint(inner->size, ==, size);
  g_assert_cmpstr(inner->map, ==, map);
}

static void test_inner(void) {
  HnStudy *s = good(WRAPPED, NULL);
  expect_env(cell(s, 0, 0), 2, 3, 9, "open");
  expect_env(cell(s, 1, 0), 2, 3, 9, "x");
  /* another plugin inside replaces there, and leaves what is around it */
  const HnPluginChoice *env = &cell(s, 2, 0)->env;
  g_assert_cmpfloat(((const Filter *)env->params)->kl_weight, ==, 2);
  g_assert_cmpstr(env->inner->plugin->name, ==, "toy");
  g_assert_null(env->inner->inner);
  g_assert_cmpint(((const HnThisParams *)env->inner->params)->size, ==, 5);
  g_assert_null(cell(s, 3, 0)->env.inner);
  hn_study_free(s);
  static const char *const overrides[] = {
      "arms.as_is.env.kl_weight=4",        "arms.as_is.env.inner.kl_weight=5",
      "arms.as_is.env.inner.inner.size=6", "arms.patched.env.inner.inner.map=z",
      "arms.v1.0.env.inner.size=7",        NULL};
  s = good(WRAPPED, overrides);
  expect_env(cell(s, 0, 0), 4, 5, 6, "open");
  expect_env(cell(s, 1, 0), 2, 3, 9, "z");
  g_assert_cmpint(((const HnThisParams *)cell(s, 2, 0)->env.inner->params)->size, ==, 7);
  hn_study_free(s);
  static const char *const twice[] = {"env.inner=x", "env.inner.inner.size=6", NULL};
  s = good(WRAPPED_ALIKE, twice); /* the last counts */
  g_assert_cmpint(((const HnThisParams *)cell(s, 0, 0)->env.inner->inner->params)->size, ==, 6);
  hn_study_free(s);
  static const char *const bad[][2] = {
      {"env.inner.inner.sise=3", "command line: env.inner.inner.sise=3: error: env toy: unknown "
                                 "key 'sise'; did you mean 'size'?\n"},
      {"arms.as_is.env.inner.inner.size=1", "command line: arms.as_is.env.inner.inner.size=1: "
                                            "error: 'size: 1' is out of range: expected "
                                            "an integer in [2, 100]\n"},
      {"size=3", "command line: size=3: error: no block 'size'; did you mean "
                 "env.inner.inner.size=3?\n"},
      {"env.outer.size=3", "command line: env.outer.size=3: error: expected env.KEY=value\n"},
      {"run.inner.rows=3", "command line: run.inner.rows=3: error: expected run.KEY=value\n"},
      {"arms.bare.env.inner.size=3",
       "command line: arms.bare.env.inner.size=3: error: env toy: unknown key 'inner': it is no "
       "wrapper, and holds no other environment\n"},
      {"env.kl_weight=4",
       "command line: env.kl_weight=4: error: env toy: unknown key 'kl_weight'; valid: size, map, "
       "plugin\ncommand line: error: arms that refuse it, where others do not: bare; "
       "arms.as_is.BLOCK.KEY=VALUE patches one arm alone\n"}};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    const char *const one[] = {bad[i][0], NULL};
    const bool all = g_str_has_prefix(bad[i][0], "env.inner"); /* of which some arms have none */
    says(all ? WRAPPED_ALIKE : WRAPPED, one, bad[i][1]);
  }
}

static void test_bad_overrides(void) {
  static const char *const table[][2] = {
      {"rum.rows=1", "command line: rum.rows=1: error: no block 'rum'; did you mean 'run'?\n"},
      {"run.rowz=1",
       "command line: run.rowz=1: error: run: unknown key 'rowz'; did you mean 'rows'?\n"},
      {"rows=4", "command line: rows=4: error: no block 'rows'; did you mean run.rows=4?\n"},
      {"arms.fixed.rows=4", "command line: arms.fixed.rows=4: error: no block 'rows'; did you mean "
                            "arms.fixed.run.rows=4?\n"},
      {"count=4", "command line: count=4: error: no block 'count'; did you mean seeds.count=4?\n"},
      {"metric=x", "command line: metric=x: error: no block 'metric'; did you mean "
                   "report.metric=x?\n"},
      {"noise=fixed", "command line: noise=fixed: error: no block 'noise'; did you mean "
                      "inference.noise=fixed?\n"},
      {"plugin=toy", "command line: plugin=toy: error: no block 'plugin'; valid: env, inference, "
                     "policy, run, evaluation, weights, arms, seeds and 3 more\n"},
      {"run.frames=1M", "command line: run.frames=1M: error: 'frames: 1M': expected an integer in "
                        "[0, 1e15] step; write 1e6\n"},
      {"run.frames=2.5k", "command line: run.frames=2.5k: error: 'frames: 2.5k': expected an "
                          "integer in [0, 1e15] step; write 2.5e3\n"},
      {"run.frames=1Mb", "command line: run.frames=1Mb: error: 'frames: 1Mb': expected an integer "
                         "in [0, 1e15] step\n"},
      {"run.rows=many", "command line: run.rows=many: error: 'rows: many': expected an integer in "
                        "[1, 65536]\n"},
      {"inference.noise=fixd",
       "command line: inference.noise=fixd: error: 'noise: fixd': expected one of inferred, fixed; "
       "did you mean 'fixed'?\n"},
      {"description=caf\xe9", "command line: description=caf\xef\xbf\xbd: error: not UTF-8\n"},
      {"frames", "command line: frames: error: expected block.key=value\n"},
      {"=3", "command line: =3: error: expected block.key=value\n"},
      {"run=3", "command line: run=3: error: expected run.KEY=value\n"},
      {"run.rows.x=3", "command line: run.rows.x=3: error: expected run.KEY=value\n"},
      {"arms.fixed.run=3",
       "command line: arms.fixed.run=3: error: expected arms.ARM.BLOCK.KEY=value\n"},
      {"arms.fixd.run.rows=3",
       "command line: arms.fixd.run.rows=3: error: no arm 'fixd'; did you mean 'fixed'?\n"},
      {"name=../x", "command line: name=../x: error: 'name: ../x': expected at most 100 letters, "
                    "digits, '.', '_' or '-', not beginning with '.'\n"},
      {"seeds.count=0", "command line: seeds.count=0: error: 'count: 0' is out of range: expected "
                        "an integer in [1, 100000]\n"},
      {"report.baseline=fix",
       "command line: report.baseline=fix: error: 'baseline: fix': no arm of "
       "that name; did you mean 'fixed'?\n"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    const char *overrides[] = {table[i][0], NULL};
    says(BASE ARMS, overrides, table[i][1]);
  }
}

static void test_findings(void) {
  /* everything at once, each once, in the order of the file */
  says("hunch: 2\nnam: x\nseeds: {count: 1e9}\n"
       "base:\n  env: {plugin: toy, sise: 3}\n  inference: {kl_weight: 0.1}\n  runn: {}\n"
       "arms:\n  .a: {inference: {plugin: filter}}\n  b: {inference: {plugin: filter, noise: x}}\n"
       "  c: {run: 3}\n  d:\n"
       "report: {baseline: z}\n",
       NULL,
       "s.yaml:1:8: error: 'hunch: 2': expected 1, the format this hunch reads\n"
       "s.yaml:2:1: error: unknown key 'nam'; did you mean 'name'?\n"
       "s.yaml:3:16: error: 'count: 1e9' is out of range: expected an integer in [1, 100000]\n"
       "s.yaml:5:3: error: missing key 'policy'\n"
       "s.yaml:5:22: error: env toy: unknown key 'sise'; did you mean 'size'?\n"
       "s.yaml:6:14: error: inference: missing key 'plugin'\n"
       "s.yaml:7:3: error: unknown key 'runn'; did you mean 'run'?\n"
       "s.yaml:9:3: error: arm '.a': expected at most 100 letters, digits, '.', '_', '-' or '=', "
       "not "
       "beginning with '.' or '='\n"
       "s.yaml:10:42: error: 'noise: x': expected one of inferred, fixed\n"
       "s.yaml:11:12: error: run: expected a map of keys and values, not text\n"
       "s.yaml:12:5: error: arm d: expected a map of keys and values, not nothing; {} is an empty "
       "one\n"
       "s.yaml:13:20: error: 'baseline: z': no arm of that name; valid: .a, b, c, d\n");
  /* errors of the base that every arm covers */
  says(BASE "  evaluation: {tasks: few}\narms: {a: {evaluation: {tasks: 3}}}\n", NULL,
       "s.yaml:9:23: error: 'tasks: few': expected an integer in [1, 65536]\n");
  /* what one arm lacks and another has is missing in the arm */
  says("hunch: 1\nbase: {env: {plugin: toy}, policy: {plugin: walk}}\n"
       "arms:\n  a: {inference: {plugin: filter}}\n  b: {}\n",
       NULL, "s.yaml:5:6: error: inference: missing key 'plugin'\n");
  says("hunch: 1\nseeds: {count: 100000}\nbase: {env: {plugin: toy}, inference: {plugin: filter}, "
       "policy: {plugin: walk}}\narms: {a: {}, b: {}}\n",
       NULL, "s.yaml:2:8: error: 2 arms with 100000 seeds are more than 100000 cells\n");
  says("hunch: 1\nseeds: {count: 1001}\nbase: {env: {plugin: toy}, inference: {plugin: filter}, "
       "policy: {plugin: walk}}\nreport: {resamples: 1e5}\n",
       NULL,
       "s.yaml:4:9: error: report.resamples 100000 of 1001 seeds are more than 100000000 draws\n");
  /* said of the arm by itself, and no reason to make a cell of it */
  says(BASE "arms: {a: {inference: {plugin: []}}, b: {weights: {arm: a}}}\n", NULL,
       "s.yaml:9:32: error: 'plugin:': expected the name of an inference plugin\n");
  says("[]", NULL, "s.yaml:1:1: error: study: expected a map of keys and values, not a list\n");
  says("", NULL, "s.yaml: error: empty file\n");
  says("hunch: 1\n", NULL,
       "s.yaml:1:1: error: missing key 'env'\ns.yaml:1:1: error: missing key 'inference'\n"
       "s.yaml:1:1: error: missing key 'policy'\n");
}

/* A block whose name is misspelt is read on as what was meant: no other finding follows from it,
 * and none in it is kept back. */
/* What a study's folder holds beside its arms: no arm is called so, in any case of letters. */
static void test_taken_names(void) {
  static const char *const names[] = {
      "report", "report.html",       "study.json",      "study.yaml", "lock",
      "Report", "study.yaml.A1b2C3", "run.json.XXXXXX", "slurm"};
  for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
    g_autofree char *text = g_strdup_printf(BASE "arms: {%s: {}}\n", names[k]);
    g_autofree char *expected = g_strdup_printf(
        "s.yaml:9:8: error: arm '%s': the study's folder has a file or folder of that name\n",
        names[k]);
    says(text, NULL, expected);
  }
  hn_study_free(good(BASE "arms: {reports: {}, study: {}, lock.json: {}}\n", NULL));
}

static void test_misspelt_blocks(void) {
  static const struct {
    const char *text, *says;
  } table[] = {{"hunch: 1\nbsae: {env: {plugin: toy}, inference: {plugin: filter}, policy: "
                "{plugin: walk}}\n",
                "s.yaml:2:1: error: unknown key 'bsae'; did you mean 'base'?\n"},
               {BASE "amrs: {a: {}, b: {}}\nreport: {baseline: b}\n",
                "s.yaml:9:1: error: unknown key 'amrs'; did you mean 'arms'?\n"},
               {"hunch: 1\nbase: {env: {plugin: toy}, infernce: {plugin: filter, noise: x}, "
                "policy: {plugin: walk}}\narms: {a: {inference: {noise: fixed}}}\n",
                "s.yaml:2:28: error: unknown key 'infernce'; did you mean 'inference'?\n"
                "s.yaml:2:62: error: 'noise: x': expected one of inferred, fixed\n"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) says(table[i].text, NULL, table[i].says);
}

/* A thousand wrong keys under a thousand arms: each said once, and in no time. */
static void test_many_findings(void) {
  g_autoptr(GString) text = g_string_new(BASE "  evaluation:\n");
  for (int i = 0; i < 1000; i++) g_string_append_printf(text, "    x%d: 1\n", i);
  g_string_append(text, "arms:\n");
  for (int i = 0; i < 1000; i++) g_string_append_printf(text, "  a%d: {}\n", i);
  g_autofree char *findings = NULL;
  g_assert_null(read_study(text->str, NULL, &findings));
  g_auto(GStrv) lines = g_strsplit(findings, "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, 1000 + 1 + 1);
  g_assert_cmpstr(lines[1000], ==,
                  "s.yaml:1012:3: error: this arm and those after it were checked by themselves, "
                  "but not over the base: there are 100 findings already");
}

/* A plugin that is not there, at the place of its name, however many arms use it. */
static void test_missing_plugin(void) {
  g_autofree char *findings = NULL;
  g_assert_null(read_study("hunch: 1\nbase:\n  env: {plugin: toi}\n  inference: {plugin: filter}\n"
                           "  policy: {plugin: walk}\narms: {a: {}, b: {}}\n",
                           NULL, &findings));
  g_assert_true(g_str_has_prefix(
      findings, "s.yaml:3:17: error: no plugin named 'toi' (did you mean 'toy'?); looked in "));
  g_assert_cmpstr(strchr(findings, '\n'), ==, "\n");
  /* not needed: the arms have their own */
  hn_study_free(good("hunch: 1\nbase:\n  env: {plugin: toi}\n  inference: {plugin: filter}\n"
                     "  policy: {plugin: walk}\narms: {a: {env: {plugin: toy}}}\n",
                     NULL));
}

static void state_is(const HnCell *c, HnCellWork work, const char *reason) {
  g_autofree char *place = hn_run_dir(folder, c->arm, c->seed_index);
  HnCellStatus state = hn_cell_status(place, c);
  g_assert_cmpstr(state.reason, ==, reason);
  g_assert_cmpint(state.work, ==, work);
  hn_cell_status_clear(&state);
}

static void run_json(const char *name, const char *status, const char *reason, const HnCell *c) {
  g_autofree char *identity = hn_cell_identity(c);
  g_autofree char *text = g_strdup_printf(
      "{\"status\": \"%s\", \"reason\": \"%s\", \"identity\": \"%s\", \"update\": 43, "
      "\"frames\": 512}",
      status, reason, identity);
  g_free(write_file(name, text));
}

/* A checkpoint that holds one number, of a run's state or of its weights. */
static void checkpoint(const char *name, bool weight) {
  static const float one = 1;
  g_autofree char *path = write_file(name, "");
  HnStoredTensors *t = hn_stored_tensors_new(NULL);
  hn_stored_tensors_add(t, "policy/w", HN_F32, 1, (const int64_t[]){1}, &one, weight);
  g_assert_true(hn_stored_tensors_write(t, path, NULL));
  hn_stored_tensors_free(t);
}

static char *resolved(const HnCell *c) {
  HnNode *n = hn_cell_node(c);
  char *text = hn_node_write(n);
  hn_node_free(n);
  return text;
}

static void test_state(void) {
  HnStudy *s = good(BASE ARMS, NULL);
  const HnCell *c = cell(s, 0, 1);
  g_autofree char *text = resolved(c);
  state_is(c, HN_CELL_RUN, "new");
  g_free(write_file("inferred/1/notes.txt", ""));
  state_is(c, HN_CELL_DIFFERS, "the folder is not a run's: it holds notes.txt");
  g_free(write_file("inferred/1/config.resolved.yaml", text));
  state_is(c, HN_CELL_RUN, "never started");
  static const char *const fewer[] = {"run.workers=2", NULL};
  HnStudy *other = good(BASE ARMS, fewer);
  state_is(cell(other, 0, 1), HN_CELL_RUN, "never started");
  run_json("inferred/1/run.json", "running", "", c);
  state_is(c, HN_CELL_RUN, "no checkpoint");
  run_json("inferred/1/run.json", "failed", "NaN in the loss", c);
  state_is(c, HN_CELL_RUN, "failed (NaN in the loss); no checkpoint");
  for (int i = 1; i <= 41; i++) { /* a folder lists them in no order */
    g_autofree char *name = g_strdup_printf("inferred/1/ckpt/%08d.safetensors", i);
    g_free(write_file(name, ""));
  }
  g_free(write_file("inferred/1/ckpt/00000050.safetensors.part", ""));
  state_is(c, HN_CELL_RESUME, "failed (NaN in the loss); has a checkpoint at update 41");
  run_json("inferred/1/run.json", "interrupted", "", c);
  state_is(c, HN_CELL_RESUME, "has a checkpoint at update 41");
  run_json("inferred/1/run.json", "done", "", c);
  state_is(c, HN_CELL_DONE, "done");

  state_is(cell(other, 0, 1), HN_CELL_DONE, "done");
  hn_study_free(other);
  checkpoint("inferred/1/ckpt/00000041.safetensors", false);
  static const struct {
    const char *frames;
    HnCellWork work;
    const char *reason;
  } length[] = {
      {"run.frames=31", HN_CELL_DIFFERS, "run.frames was 500, and a run does not become shorter"},
      {"run.frames=512", HN_CELL_DONE, "done"},
      {"run.frames=513", HN_CELL_RESUME, "done at 500 steps; has a checkpoint at update 41"}};
  for (guint i = 0; i < G_N_ELEMENTS(length); i++) {
    other = good(BASE ARMS, (const char *const[]){length[i].frames, NULL});
    state_is(cell(other, 0, 1), length[i].work, length[i].reason);
    hn_study_free(other);
  }
  static const char *const one[] = {"inference.noise=fixed", NULL};
  other = good(BASE ARMS, one);
  state_is(cell(other, 0, 1), HN_CELL_DIFFERS,
           "configuration differs from the folder's: inference.noise was inferred");
  hn_study_free(other);
  static const char *const two[] = {"inference.plugin=other_filter", "env.size=6", NULL};
  other = good(BASE ARMS, two);
  state_is(cell(other, 0, 1), HN_CELL_DIFFERS,
           "configuration differs from the folder's: env.size was 5, and 2 more");
  hn_study_free(other);
  g_free(write_file("inferred/1/run.json", "{\"status\": \"done\", \"identity\": \"0\"}"));
  state_is(c, HN_CELL_DIFFERS, "plugin files differ from those the folder's run used");
  g_free(write_file("inferred/1/run.json", "{\"status\": [], "));
  state_is(c, HN_CELL_RESUME, "has a checkpoint at update 41");
  g_free(write_file("inferred/1/config.resolved.yaml", "study: [\n"));
  state_is(c, HN_CELL_DIFFERS, "the folder's config.resolved.yaml is damaged");
  hn_study_free(s);
}

/* A path is taken from the folder of the file that names it. */
static void test_plugin_path(void) {
  g_autofree char *findings = NULL;
  g_assert_null(read_study(BASE, (const char *const[]){"env.plugin=./x/y.so", NULL}, &findings));
  g_autofree char *here = g_get_current_dir();
  g_autofree char *expected = g_build_filename(here, "x/y.so", NULL);
  g_assert_nonnull(strstr(findings, expected));
  g_autofree char *again = NULL;
  g_assert_null(
      read_study("hunch: 1\nbase: {env: {plugin: ../x/y.so}, inference: {plugin: filter}, "
                 "policy: {plugin: walk}}\n",
                 NULL, &again));
  g_autofree char *parent = g_path_get_dirname(folder);
  g_autofree char *other = g_build_filename(parent, "x/y.so", NULL);
  g_assert_nonnull(strstr(again, other));
  g_autoptr(HnDiag) d = hn_diag_new(); /* a path that config.resolved.yaml could not hold */
  static const char text[] = BASE "arms: {a: {env: {plugin: ./toy.so}}}\n";
  g_assert_null(hn_study_parse("/caf\xe9/s.yaml", text, strlen(text), NULL, d));
  g_autofree char *latin = hn_diag_text(d);
  g_assert_nonnull(
      strstr(latin, "s.yaml:9:26: error: env: '/caf\xef\xbf\xbd/toy.so' is not UTF-8"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_fakes();
  folder = g_dir_make_tmp("hunch-study-XXXXXX", NULL);
  g_test_add_func("/study/seeds", test_seeds);
  g_test_add_func("/study/merge", test_merge);
  g_test_add_func("/study/overrides", test_overrides);
  g_test_add_func("/study/inner", test_inner);
  g_test_add_func("/study/bad-overrides", test_bad_overrides);
  g_test_add_func("/study/findings", test_findings);
  g_test_add_func("/study/taken-names", test_taken_names);
  g_test_add_func("/study/misspelt-blocks", test_misspelt_blocks);
  g_test_add_func("/study/many-findings", test_many_findings);
  g_test_add_func("/study/missing-plugin", test_missing_plugin);
  g_test_add_func("/study/state", test_state);
  g_test_add_func("/study/plugin-path", test_plugin_path);
  int code = g_test_run();
  g_autofree char *remove = g_strdup_printf("rm -r '%s'", folder);
  g_assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
  g_free(folder);
  return code;
}
