/* sweep_test.c - values of parameters become arms: which, in which order, under which names; what
 * is drawn lies where it should; a base begins with that of another study; mistakes are found where
 * they stand. */
#include "results_fixture.h"
#include "yaml_fixture.h"
#include <math.h>
#include <same_arms.h>
#include <sobol.h>
#include <stdlib.h>
#include <study.h>

/* Reads `text` as "s.yaml"; what is wrong in *findings. */
static HnStudy *read_study(const char *text, const char *const *overrides, char **findings) {
  g_autoptr(HnDiag) d = hn_diag_new();
  HnStudy *s = hn_study_parse("s.yaml", text, strlen(text), overrides, d);
  *findings = hn_diag_text(d);
  return s;
}

static HnStudy *good(const char *text, const char *const *overrides) {
  g_autofree char *findings = NULL;
  HnStudy *s = read_study(text, overrides, &findings);
  g_assert_cmpstr(findings, ==, "");
  return s;
}

static void says(const char *text, const char *const *overrides, const char *expected) {
  g_autofree char *findings = NULL;
  g_autoptr(HnStudy) s = read_study(text, overrides, &findings);
  g_assert_cmpstr(findings, ==, expected);
}

static char *arms_of(const HnStudy *s) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < s->arms->len; i++)
    g_string_append_printf(out, "%s%s", i ? " " : "", (char *)s->arms->pdata[i]);
  return g_string_free(out, FALSE);
}

static void has_arms(const HnStudy *s, const char *expected) {
  g_autofree char *arms = arms_of(s);
  g_assert_cmpstr(arms, ==, expected);
}

static const HnCell *cell(const HnStudy *s, guint arm) {
  return s->cells->pdata[arm * s->seeds.count];
}
static const Filter *filter(const HnStudy *s, guint arm) {
  return cell(s, arm)->inference.params;
}
static int64_t size_of(const HnStudy *s, guint arm) {
  return ((const HnThisParams *)cell(s, arm)->env.params)->size;
}

#define BASE                                                            \
  "hunch: 1\nseeds: {root: 5, count: 2}\nbase:\n  env: {plugin: toy}\n" \
  "  inference: {plugin: filter}\n  policy: {plugin: walk}\n  run: {frames: 500}\n"
#define ARMS "arms:\n  a: {}\n  b: {inference: {noise: fixed}, run: {rows: 4}}\n"

/* Points of scipy 1.17's qmc.Sobol(10, scramble=False). */
static void test_sobol(void) {
  static const struct {
    uint32_t index;
    double point[HN_SOBOL_DIMENSIONS];
  } published[] = {
      {0, {0}},
      {1, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
      {5, {0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375, 0.375, 0.125}},
      {13, {0.8125, 0.6875, 0.8125, 0.0625, 0.4375, 0.9375, 0.5625, 0.5625, 0.5625, 0.4375}},
      {31,
       {0.03125, 0.53125, 0.90625, 0.96875, 0.96875, 0.78125, 0.34375, 0.53125, 0.15625, 0.59375}},
      {63,
       {0.015625, 0.796875, 0.359375, 0.453125, 0.859375, 0.140625, 0.578125, 0.140625, 0.828125,
        0.578125}},
  };
  for (guint k = 0; k < G_N_ELEMENTS(published); k++)
    for (unsigned i = 0; i < HN_SOBOL_DIMENSIONS; i++)
      g_assert_cmpfloat(hn_sobol(i, published[k].index) * 0x1p-32, ==, published[k].point[i]);
}

static void test_grid(void) {
  static const int64_t sizes[] = {3, 7, 10};
  g_autoptr(HnStudy) s =
      good(BASE ARMS "sweep:\n  arms: [b]\n  parameters:\n    inference.kl_weight: "
                     "[0.5, 2]\n    env.size: {from: 3, to: 10, count: 3}\n",
           NULL);
  has_arms(s, "a b_kl_weight=0.5_size=3 b_kl_weight=0.5_size=7 b_kl_weight=0.5_size=10 "
              "b_kl_weight=2_size=3 b_kl_weight=2_size=7 b_kl_weight=2_size=10");
  g_assert_cmpuint(s->cells->len, ==, 14);
  for (guint k = 0; k < 6; k++) {
    g_assert_cmpfloat(filter(s, 1 + k)->kl_weight, ==, k < 3 ? 0.5 : 2);
    g_assert_cmpint(size_of(s, 1 + k), ==, sizes[k % 3]);
    g_assert_cmpint(filter(s, 1 + k)->noise, ==, 1); /* what the arm says stays */
    g_assert_cmpint(cell(s, 1 + k)->run.rows, ==, 4);
  }
  g_assert_cmpfloat(filter(s, 0)->kl_weight, ==, 0.1);
  g_assert_cmpint(size_of(s, 0), ==, 5);
}

/* Without arms the base is swept; without a list of arms, each of them. */
static void test_which(void) {
  g_autoptr(HnStudy) base = good(BASE "sweep: {parameters: {run.rows: [2, 4]}}\n", NULL);
  has_arms(base, "rows=2 rows=4");
  g_assert_cmpint(cell(base, 1)->run.rows, ==, 4);
  g_assert_cmpstr(base->report.baseline, ==, "rows=2");
  g_autoptr(HnStudy) all =
      good(BASE ARMS "sweep: {parameters: {inference.kl_weight: [2]}}\n", NULL);
  has_arms(all, "a_kl_weight=2 b_kl_weight=2");
  g_autoptr(HnStudy) zip = good(
      BASE "sweep:\n  method: zip\n  parameters:\n    run.rows: [2, 4]\n    env.size: [7, 6]\n",
      NULL);
  has_arms(zip, "rows=2_size=7 rows=4_size=6");
}

/* A swept arm is the arm that one would have written: the same cells, but for their names. */
static void test_identity(void) {
  g_autoptr(HnStudy) swept =
      good(BASE "name: n\nsweep: {parameters: {inference.kl_weight: [0.25, 3]}}\n", NULL);
  g_autoptr(HnStudy) written =
      good(BASE "name: n\narms:\n  kl_weight=0.25: {inference: {kl_weight: "
                "0.25}}\n  kl_weight=3: {inference: {kl_weight: 3}}\n",
           NULL);
  g_assert_cmpuint(swept->cells->len, ==, written->cells->len);
  for (guint i = 0; i < swept->cells->len; i++) {
    g_autofree char *a = hn_cell_identity(swept->cells->pdata[i]);
    g_autofree char *b = hn_cell_identity(written->cells->pdata[i]);
    g_assert_cmpstr(a, ==, b);
  }
}

/* Ends as they are, what is between to four digits; integers stay integers. */
static void test_ranges(void) {
  g_autoptr(HnStudy) s = good(
      BASE
      "sweep: {parameters: {inference.kl_weight: {from: 1e-3, to: 1, count: 5, scale: log}}}\n",
      NULL);
  has_arms(s,
           "kl_weight=1e-3 kl_weight=5.623e-3 kl_weight=3.162e-2 kl_weight=1.778e-1 kl_weight=1e0");
  g_assert_cmpfloat(filter(s, 1)->kl_weight, ==, 5.623e-3);
  g_assert_cmpfloat(filter(s, 4)->kl_weight, ==, 1);
  g_autoptr(HnStudy) linear =
      good(BASE "sweep: {parameters: {inference.kl_weight: {from: 0, to: 1, count: 4}}}\n", NULL);
  has_arms(linear, "kl_weight=0 kl_weight=0.3333 kl_weight=0.6667 kl_weight=1");
  g_autoptr(HnStudy) whole =
      good(BASE "sweep: {parameters: {env.size: {from: 2, to: 64, count: 6, scale: log}}}\n", NULL);
  has_arms(whole, "size=2 size=4 size=8 size=16 size=32 size=64");
}

/* Sixteen points of a Sobol sequence, shifted digitally, have one in each sixteenth, of every
 * parameter; on a logarithmic scale of its logarithm. */
static void test_drawn_evenly(void) {
  g_autoptr(HnStudy) s =
      good(BASE "sweep:\n  method: sobol\n  draws: 16\n  parameters:\n    inference.kl_weight: "
                "{from: 1e-4, to: 1, scale: log}\n    env.size: {from: 2, to: 17}\n",
           NULL);
  bool weight[16] = {false}, size[16] = {false};
  g_assert_cmpuint(s->arms->len, ==, 16);
  for (guint k = 0; k < 16; k++) {
    const int64_t w = (int64_t)floor((log10(filter(s, k)->kl_weight) + 4) * 4);
    g_assert_false(weight[w] || size[size_of(s, k) - 2]);
    weight[w] = size[size_of(s, k) - 2] = true;
  }
}

/* Of uniform draws from [0, 1) each fifth gets 200 of 1,000 +- 5 deviations (63); another root
 * draws others, and the root of the command line changes nothing. */
static void test_drawn_at_random(void) {
  static const char *const overrides[] = {"seeds.root=9", NULL};
#define RANDOM(root)                                                                       \
  "hunch: 1\nname: n\nseeds: {root: " #root ", count: 1}\nbase:\n  env: {plugin: toy}\n  " \
  "inference: {plugin: filter}\n  policy: {plugin: walk}\n"                                \
  "sweep: {method: random, draws: 1000, parameters: {inference.kl_weight: {from: 0, to: 1}}}\n"
  g_autoptr(HnStudy) s = good(RANDOM(5), NULL);
  g_autoptr(HnStudy) other = good(RANDOM(6), NULL);
  g_autoptr(HnStudy) same = good(RANDOM(5), overrides);
  g_autofree char *arms = arms_of(s), *others = arms_of(other), *again = arms_of(same);
  int count[5] = {0};
  g_assert_cmpuint(s->arms->len, ==, 1000);
  for (guint k = 0; k < 1000; k++) count[(int)fmin(filter(s, k)->kl_weight * 5, 4)]++;
  for (int i = 0; i < 5; i++) g_assert_cmpint(abs(count[i] - 200), <, 63);
  g_assert_cmpstr(arms, !=, others);
  g_assert_cmpstr(arms, ==, again);
}

/* Each setting once; drawn from a list too. */
static void test_drawn_once(void) {
#define FEW                                                                                        \
  "sweep:\n  method: random\n  draws: %d\n  parameters:\n    inference.noise: [fixed, inferred]\n" \
  "    env.size: {from: 2, to: 4}\n"
  g_autofree char *all = g_strdup_printf(BASE FEW, 6), *more = g_strdup_printf(BASE FEW, 7);
  g_autoptr(HnStudy) s = good(all, NULL);
  g_assert_cmpuint(s->arms->len, ==, 6);
  says(more, NULL,
       "s.yaml:10:10: error: sweep: 7 draws, but only 6 different settings were found\n");
}

static void test_weights(void) {
  g_autoptr(HnStudy) s =
      good(BASE "arms:\n  a: {}\n  after: {weights: {arm: a}, run: {frames: 0}}\n"
                "  plain: {}\n  other: {weights: {arm: plain}}\n"
                "sweep: {arms: [a, after], parameters: {env.size: [3, 4]}}\n",
           NULL);
  has_arms(s, "a_size=3 a_size=4 after_size=3 after_size=4 plain other");
  g_assert_cmpstr(cell(s, 2)->weights.arm, ==, "a_size=3");
  g_assert_cmpstr(cell(s, 3)->weights.arm, ==, "a_size=4");
  g_assert_true(cell(s, 3)->source == cell(s, 1));
  g_assert_cmpstr(cell(s, 5)->weights.arm, ==, "plain");
}

/* Names that values cannot make: others of the same name, letters that folders do not have, more
 * than there is room for. */
static void test_names(void) {
  g_autoptr(HnStudy) s =
      good(BASE "sweep: {parameters: {env.map: [\"a b\", \"a|b\", maps/c.txt, \"\"]}}\n", NULL);
  has_arms(s, "map=a-b setting=2 map=c.txt map=");
  g_autoptr(HnStudy) two =
      good(BASE "sweep: {parameters: {run.episodes: [1], evaluation.episodes: [2]}}\n", NULL);
  has_arms(two, "run.episodes=1_evaluation.episodes=2");
  g_autofree char *map = g_strnfill(100, 'm');
  g_autofree char *text = g_strdup_printf(BASE "sweep: {parameters: {env.map: [x, %s]}}\n", map);
  g_autoptr(HnStudy) longer = good(text, NULL);
  has_arms(longer, "setting=1 setting=2");
}

static void test_overrides(void) {
  static const char *const one[] = {"arms.a_kl_weight=0.5.run.rows=3", "run.workers=2", NULL};
  static const char *const swept[] = {"inference.kl_weight=1",
                                      "arms.b_kl_weight=2.inference.plugin=other_filter", NULL};
  static const char *const lists[] = {"kl_weight=1,2", "inference.noise=fixed,inferred",
                                      "env.map=a,b", NULL};
#define SWEEP "sweep:\n  parameters:\n    inference.kl_weight: [0.5, 2]\n"
  g_autoptr(HnStudy) s = good(BASE ARMS SWEEP, one);
  g_assert_cmpint(cell(s, 0)->run.rows, ==, 3);
  g_assert_cmpint(cell(s, 1)->run.rows, ==, 16);
  g_assert_cmpfloat(filter(s, 1)->kl_weight, ==, 2);
  says(BASE ARMS SWEEP, swept,
       "command line: inference.kl_weight=1: error: inference.kl_weight is swept: change it in "
       "s.yaml:13:5\n"
       "command line: arms.b_kl_weight=2.inference.plugin=othe...: error: inference.kl_weight is "
       "swept: change it in s.yaml:13:5\n");
  says(
      BASE, lists,
      "command line: kl_weight=1,2: error: inference.kl_weight takes one value; for several write "
      "into the study 'sweep: {parameters: {inference.kl_weight: [1, 2]}}'\n"
      "command line: inference.noise=fixed,inferred: error: inference.noise takes one value; for "
      "several write into the study 'sweep: {parameters: {inference.noise: [fixed, inferred]}}'\n");
}

static const struct {
  const char *sweep, *finding;
} wrong[] = {
    {"sweep: 3\n", "10:8: error: sweep: expected a map of keys and values, not text"},
    {"sweep: {}\n", "10:8: error: sweep: missing key 'parameters': {policy.lr: [1e-4, 1e-3]}, for "
                    "example"},
    {"sweep: {parameters: {}}\n", "10:21: error: 'parameters': expected at least one"},
    {"sweep: {parametrs: {env.size: [3]}}\n",
     "10:9: error: sweep: unknown key 'parametrs'; did you mean 'parameters'?"},
    {"sweep: {arms: [c], parameters: {env.size: [3]}}\n",
     "10:16: error: 'arms': no arm 'c'; valid: a, b"},
    {"sweep: {arms: [a, a], parameters: {env.size: [3]}}\n",
     "10:19: error: 'arms': a is there twice"},
    {"sweep: {draws: 3, parameters: {env.size: [3]}}\n",
     "10:9: error: 'draws' goes with 'method: random' or 'method: sobol'"},
    {"sweep: {parameters: {size: [3]}}\n",
     "10:22: error: 'size': expected BLOCK.KEY; did you mean env.size?"},
    {"sweep: {parameters: {evn.size: [3]}}\n",
     "10:22: error: 'evn.size': expected BLOCK.KEY; did you mean 'env'?"},
    {"sweep: {parameters: {env.size: 3}}\n", "10:32: error: env.size: expected a list, [3, ..], "
                                             "or a range, {from: .., to: .., count: ..}"},
    {"sweep: {parameters: {env.size: [3, 4, 3]}}\n", "10:39: error: env.size: 3 comes twice"},
    {"sweep: {parameters: {env.size: [10, 4, 1e1]}}\n",
     "10:40: error: env.size: 1e1 would come twice: it is 10"},
    {"sweep: {parameters: {inference.kl_weight: [1e-2, 0.01]}}\n",
     "10:50: error: inference.kl_weight: 0.01 would come twice: it is 1e-2"},
    {"sweep: {parameters: {env.size: [[3]]}}\n",
     "10:33: error: env.size: expected a value, not a list"},
    {"sweep: {parameters: {env.size: {from: 3}}}\n",
     "10:32: error: env.size: a range is missing 'to': {from: .., to: .., count: .., scale: "
     "log}"},
    {"sweep: {parameters: {env.size: {from: 3, to: 2, count: 2}}}\n",
     "10:46: error: env.size: 'to' must be above 'from'"},
    {"sweep: {parameters: {env.size: {from: 3, to: 5, count: 4}}}\n",
     "10:32: error: env.size: 4 would come twice: lower 'count'"},
    {"sweep: {parameters: {env.size: {from: 3, to: 5}}}\n",
     "10:32: error: env.size: a range without 'count' is to be drawn from, by 'method: random' "
     "or "
     "'method: sobol'"},
    {"sweep: {parameters: {inference.kl_weight: {from: 0, to: 5, count: 4, scale: log}}}\n",
     "10:50: error: inference.kl_weight: a logarithmic scale begins above 0"},
    {"sweep: {parameters: {inference.noise: {from: 0, to: 1, count: 2}}}\n",
     "10:39: error: inference.noise: a range is of numbers, but this is one of inferred, fixed: "
     "list "
     "its values"},
    {"sweep: {method: zip, parameters: {env.size: [3, 4], run.rows: [1]}}\n",
     "10:63: error: run.rows has 1 values and env.size 2: zipped ones have equally many"},
    {"sweep: {parameters: {env.size: {from: 2, to: 90, count: 80}, run.rows: {from: 1, to: 90, "
     "count: "
     "80}}}\n",
     "10:1: error: sweep: 6400 settings of 2 arms make more than 1000 arms"},
    /* of the values themselves, by the plugin's table */
    {"sweep: {parameters: {env.size: [3, 1000]}}\n",
     "10:36: error: 'size: 1000' is out of range: expected an integer in [2, 100]"},
    {"sweep: {parameters: {env.size: [3, 3.5]}}\n",
     "10:36: error: 'size: 3.5': expected an integer in [2, 100], not a fraction"},
    {"sweep: {parameters: {inference.noise: [fixd]}}\n",
     "10:40: error: 'noise: fixd': expected one of inferred, fixed; did you mean 'fixed'?"},
    {"sweep: {parameters: {inference.nois: [fixed]}}\n",
     "10:22: error: inference filter: unknown key 'nois'; did you mean 'noise'?"},
};

static void test_mistakes(void) {
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autofree char *text =
        g_strconcat("hunch: 1\nbase:\n  env: {plugin: toy}\n  inference: {plugin: "
                    "filter}\n  policy: {plugin: walk}\n  run: {frames: 500}\narms:\n"
                    "  a: {}\n  b: {}\n",
                    wrong[i].sweep, NULL);
    g_autofree char *findings = NULL;
    g_autoptr(HnStudy) s = read_study(text, NULL, &findings);
    g_autofree char *expected = g_strdup_printf("s.yaml:%s\n", wrong[i].finding);
    g_assert_cmpstr(findings, ==, expected);
  }
}

/* What an arm says of a parameter is not lost to a sweep without a word. */
static void test_own_value(void) {
#define OWN BASE "arms:\n  p: {}\n  q: {inference: {kl_weight: 0.5}}\n"
  says(OWN "sweep: {parameters: {inference.kl_weight: [1, 2]}}\n", NULL,
       "s.yaml:10:30: error: arm q: inference.kl_weight is swept, in s.yaml:11:22, so this value "
       "would be lost: remove it, or list under the sweep's 'arms' those without it\n");
  g_autoptr(HnStudy) s =
      good(OWN "sweep: {arms: [p], parameters: {inference.kl_weight: [1, 2]}}\n", NULL);
  has_arms(s, "p_kl_weight=1 p_kl_weight=2 q");
  g_assert_cmpfloat(filter(s, 2)->kl_weight, ==, 0.5);
}

/* ---- arms that are the same ---- */

static void same(const char *text, const char *const *overrides, const char *expected) {
  g_autoptr(HnStudy) s = good(text, overrides);
  g_autoptr(GPtrArray) all = hn_same_arms(s, overrides);
  g_ptr_array_add(all, NULL);
  g_autofree char *said = g_strjoinv("\n", (char **)all->pdata);
  g_assert_cmpstr(said, ==, expected);
}

static void test_same_arms(void) {
  static const char *const one[] = {"run.rows=4", "inference.kl_weight=1e-2", NULL};
  static const char *const two[] = {"inference.kl_weight=2", "inference.noise=fixed", NULL};
  static const char *const arm[] = {"arms.slow.inference.kl_weight=0.5", NULL};
  static const char *const plugin[] = {"inference.plugin=other_filter", NULL};
#define SLOW BASE "arms:\n  slow: {inference: {kl_weight: 1e-4}}\n"
#define PAIR SLOW "  fast: {inference: {kl_weight: 0.5}}\n"
  same(PAIR, NULL, "");
  same(PAIR, one, "arms slow and fast are the same: inference.kl_weight=1e-2 sets both");
  same(PAIR, arm, "arms slow and fast are the same, by arms.slow.inference.kl_weight=0.5");
  same(PAIR, plugin, "arms slow and fast are the same: inference.plugin=other_filter sets both");
  same(PAIR "  c: {inference: {noise: fixed}}\n", two,
       "arms slow, fast and c are the same: inference.kl_weight=2 and inference.noise=fixed set "
       "all of them");
  same(SLOW "  copy: {inference: {kl_weight: 0.0001}}\n", NULL, "arms slow and copy are the same");
  same(SLOW "  copy: {inference: {kl_weight: 0.0001}}\n", one, "arms slow and copy are the same");
  /* weights of different arms, and arms that are there to be timed */
  same(PAIR "  a: {weights: {arm: slow}, run: {frames: 0}}\n"
            "  b: {weights: {arm: fast}, run: {frames: 0}}\n"
            "  c: {run: {workers: 2}}\n  d: {run: {workers: 3}}\n",
       NULL, "");
}

static void test_many_same(void) {
  g_autoptr(GString) text = g_string_new(BASE "arms:\n");
  for (int i = 0; i < 12; i++)
    g_string_append_printf(text, "  a%d: {env: {size: %d}}\n", i, 4 + i / 2);
  same(text->str, NULL,
       "arms a0 and a1 are the same\narms a2 and a3 are the same\narms a4 and a5 are the same\n"
       "arms a6 and a7 are the same\n2 more groups of arms are the same each");
  same(BASE "arms: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}}\n", NULL,
       "arms a, b, c and 3 more are the same");
}

/* ---- include ---- */

static char *folder; /* of this program's files */

static char *write_file(const char *name, const char *text) {
  char *path = g_build_filename(folder, name, NULL);
  g_autofree char *above = g_path_get_dirname(path);
  g_assert_cmpint(g_mkdir_with_parents(above, 0777), ==, 0);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  return path;
}

/* The study of a file; what is wrong in *findings, without the folder. */
static HnStudy *read_file(const char *path, char **findings) {
  g_autoptr(HnDiag) d = hn_diag_new();
  HnStudy *s = hn_study_read(path, NULL, d);
  g_autofree char *text = hn_diag_text(d), *prefix = g_strconcat(folder, "/", NULL);
  GString *out = g_string_new(text);
  g_string_replace(out, prefix, "", 0);
  *findings = g_string_free(out, FALSE);
  return s;
}

static void file_says(const char *name, const char *text, const char *expected) {
  g_autofree char *path = write_file(name, text), *findings = NULL;
  g_autoptr(HnStudy) s = read_file(path, &findings);
  g_assert_cmpstr(findings, ==, expected);
}

#define FIELD                                                                          \
  "# The field.\nhunch: 1\nname: field\nbase:\n  include: parts/bare.yaml # its env\n" \
  "  inference: {noise: fixed}\n\n# one arm\narms:\n  a: {inference: {kl_weight: 2}}\n"

static void write_bare(void) {
  g_free(write_file("parts/bare.yaml",
                    "hunch: 1\nbase:\n  env: {plugin: toy, size: 7}\n  inference: {plugin: filter, "
                    "kl_weight: 3}\n  policy: {plugin: walk}\n"));
}

/* The including file's keys go over the included ones, an arm's over both; the cells are those of
 * a study that says it all itself, and so is what is kept of the study. */
static void test_include(void) {
  static const char whole[] =
      "hunch: 1\nname: field\nbase:\n  env: {plugin: toy, size: 7}\n  inference: {plugin: filter, "
      "kl_weight: 3, noise: fixed}\n  policy: {plugin: walk}\n"
      "arms:\n  a: {inference: {kl_weight: 2}}\n";
  write_bare();
  g_autofree char *path = write_file("field.yaml", FIELD), *none = NULL, *nothing = NULL;
  g_autoptr(HnStudy) s = read_file(path, &none);
  g_assert_cmpstr(none, ==, "");
  g_autoptr(HnStudy) same = good(whole, NULL);
  g_autoptr(HnStudy) kept = good(s->source, NULL);
  g_autofree char *a = hn_cell_identity(s->cells->pdata[0]);
  g_autofree char *b = hn_cell_identity(same->cells->pdata[0]);
  g_autofree char *c = hn_cell_identity(kept->cells->pdata[0]);
  g_assert_cmpstr(a, ==, b);
  g_assert_cmpstr(a, ==, c);
  g_assert_cmpfloat(filter(s, 0)->kl_weight, ==, 2);
  g_assert_cmpint(filter(s, 0)->noise, ==, 1);
  g_assert_true(g_str_has_prefix(s->source, "# The field.\nhunch: 1\n"));
  g_assert_nonnull(strstr(s->source, "\n\n# one arm\narms:"));
  g_autofree char *flow = write_file("flow.yaml", "{hunch: 1, name: field, base: {include: "
                                                  "parts/bare.yaml, inference: {noise: fixed}}, "
                                                  "arms: {a: {inference: {kl_weight: 2}}}}");
  g_autoptr(HnStudy) flowing = read_file(flow, &nothing);
  g_autoptr(HnStudy) flown = good(flowing->source, NULL);
  g_autofree char *d = hn_cell_identity(flown->cells->pdata[0]);
  g_assert_cmpstr(a, ==, d);
}

/* A chain of files, the last of which wins; another plugin replaces. */
static void test_chain(void) {
  write_bare();
  g_free(write_file("parts/two.yaml", "hunch: 1\nbase: {include: bare.yaml, env: {size: 9}}\n"));
  g_autofree char *path =
      write_file("chain.yaml", "hunch: 1\nbase: {include: parts/two.yaml, inference: {plugin: "
                               "other_filter}}\n");
  g_autofree char *findings = NULL;
  g_autoptr(HnStudy) s = read_file(path, &findings);
  g_assert_cmpstr(findings, ==, "");
  g_assert_cmpint(size_of(s, 0), ==, 9);
  g_assert_cmpstr(cell(s, 0)->inference.plugin->name, ==, "other_filter");
}

static void test_include_mistakes(void) {
  write_bare();
  g_free(write_file("parts/wrong.yaml", "hunch: 1\nbase:\n  env: {plugin: toy, sise: 7}\n"));
  g_free(write_file("parts/baseless.yaml", "hunch: 1\n"));
  g_free(write_file("parts/plain.yaml", "base: {}\n"));
#define REST ", inference: {plugin: filter}, policy: {plugin: walk}}\n"
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/wrong.yaml" REST,
            "parts/wrong.yaml:3:22: error: env toy: unknown key 'sise'; did you mean 'size'?\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/baseless.yaml" REST,
            "a.yaml:2:17: error: 'include: parts/baseless.yaml': that study has no base\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/plain.yaml" REST,
            "a.yaml:2:17: error: 'include: parts/plain.yaml': is no study that begins with 'hunch: "
            "1'\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/none.yaml" REST,
            "a.yaml:2:17: error: 'include: parts/none.yaml': cannot be read: No such file or "
            "directory\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: []" REST,
            "a.yaml:2:17: error: 'include:': expected the path of a study\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: ./parts/../a.yaml" REST,
            "a.yaml:2:17: error: 'include: ./parts/../a.yaml': would include itself\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/bare.yaml, polcy: {}}\n",
            "a.yaml:2:34: error: unknown key 'polcy'; did you mean 'policy'?\n");
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/bare.yaml}\n", "");
  file_says("parts/b.yaml", "hunch: 1\nbase: {include: ../a.yaml" REST, "");
  file_says("a.yaml", "hunch: 1\nbase: {include: parts/b.yaml" REST,
            "parts/b.yaml:2:17: error: 'include: ../a.yaml': would include itself\n");
  for (int i = 0; i < 9; i++) {
    g_autofree char *name = g_strdup_printf("n%d.yaml", i);
    g_autofree char *text = g_strdup_printf("hunch: 1\nbase: {include: n%d.yaml}\n", i - 1);
    g_free(write_file(name, i ? text : "hunch: 1\nbase: {}\n"));
  }
  file_says("n9.yaml", "hunch: 1\nbase: {include: n8.yaml" REST,
            "n2.yaml:2:17: error: 'include: n1.yaml': more than 8 files in a row\n");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  folder = g_dir_make_tmp("hunch-sweep-XXXXXX", NULL);
  add_fakes();
  g_test_add_func("/sweep/sobol", test_sobol);
  g_test_add_func("/sweep/grid", test_grid);
  g_test_add_func("/sweep/which", test_which);
  g_test_add_func("/sweep/identity", test_identity);
  g_test_add_func("/sweep/ranges", test_ranges);
  g_test_add_func("/sweep/drawn_evenly", test_drawn_evenly);
  g_test_add_func("/sweep/drawn_at_random", test_drawn_at_random);
  g_test_add_func("/sweep/drawn_once", test_drawn_once);
  g_test_add_func("/sweep/weights", test_weights);
  g_test_add_func("/sweep/names", test_names);
  g_test_add_func("/sweep/overrides", test_overrides);
  g_test_add_func("/sweep/mistakes", test_mistakes);
  g_test_add_func("/sweep/own_value", test_own_value);
  g_test_add_func("/same_arms/named", test_same_arms);
  g_test_add_func("/same_arms/many", test_many_same);
  g_test_add_func("/include/base", test_include);
  g_test_add_func("/include/chain", test_chain);
  g_test_add_func("/include/mistakes", test_include_mistakes);
  const int result = g_test_run();
  fake_remove(folder);
  g_free(folder);
  return result;
}
