/* schema_test.c - `hunch schema` describes the studies that hunch reads: it takes those that are
 * right, and refuses those with a mistake, as `hunch validate` does.  Python's jsonschema judges.
 */
#include "cli_fixture.h"
#include "python_fixture.h"

#define SCRIPT SOURCE "/tests/cli/judge_studies.py"

/* What judge_studies.py says of studies in dir (NULL-terminated) under dir's s.json; NULL: the test
 * is skipped, as no Python here has the modules. */
static char *judged(const char *dir, const char *const *studies) {
  g_autoptr(GPtrArray) arguments = g_ptr_array_new();
  g_ptr_array_add(arguments, (gpointer)(guintptr) "s.json");
  for (; studies && *studies; studies++) g_ptr_array_add(arguments, (gpointer)(guintptr)*studies);
  g_ptr_array_add(arguments, NULL);
  char *said = python_says(dir, SCRIPT, (const char *const *)arguments->pdata);
  if (!said)
    g_test_skip("no Python with jsonschema and yaml: python3-jsonschema and python3-yaml have "
                "them");
  return said;
}

/* Writes the schema with the plugins of `path` into dir. */
static void write_schema(const char *dir, const char *path) {
  g_auto(Run) run = hunch_among(path, dir, "schema");
  g_assert_cmpint(run.code, ==, 0);
  g_assert_cmpstr(run.err, ==, "");
  fake_write(dir, "s.json", run.out);
}

static void expect_valid(const char *verdicts, const char *study) {
  g_autofree char *line = g_strdup_printf("\n%s is valid\n", study);
  expect(verdicts, line);
}

/* ---- what is right ---- */

static void experiments(void) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) all = g_dir_open(EXPERIMENTS, 0, NULL);
  for (const char *name; (name = g_dir_read_name(all));)
    if (g_str_has_suffix(name, ".yaml"))
      g_ptr_array_add(files, g_build_filename(EXPERIMENTS, name, NULL));
  g_assert_cmpuint(files->len, >=, 10);
  g_ptr_array_add(files, NULL);
  write_schema(dir, "");
  g_autofree char *verdicts = judged(dir, (const char *const *)files->pdata);
  for (guint i = 0; verdicts && i + 1 < files->len; i++) expect_valid(verdicts, files->pdata[i]);
}

/* The metaschema that the schema names judges it. */
static void metaschema(void) {
  g_autoptr(Folder) dir = folder();
  write_schema(dir, "");
  g_autofree char *verdicts = judged(dir, NULL);
  if (verdicts)
    g_assert_cmpstr(verdicts, ==, "s.json is valid by http://json-schema.org/draft-07/schema#\n");
}

/* ---- what is wrong ---- */

static const char study[] =
    "hunch: 1\n"
    "name: s\n"
    "description: All that there is.\n"
    "seeds: {root: 7, count: 2}\n"
    "base:\n"
    "  env: {plugin: time_limit, steps: 10, inner: {plugin: gridworld, size: 5}}\n"
    "  inference: {plugin: none}\n"
    "  policy: {plugin: ppo, lr: 7e-4, width: 8, anneal: false, init: normc}\n"
    "  run: {frames: 1e3, rows: 2.0, episodes: 2}\n"
    "  evaluation: {tasks: 3, protocol: trial, split: test}\n"
    "arms:\n"
    "  plain: {}\n"
    "  belief: {inference: {plugin: oracle}}\n"
    "  patched: {env: {inner: {size: 4}}, policy: {lr: 1e-3, hidden: 64 32}}\n"
    "  bare: {env: {plugin: gridworld, size: 6}}\n"
    "  deep: {env: {inner: {plugin: sticky_action, inner: {plugin: gridworld}}}}\n"
    "  tuned: {weights: {arm: plain, at: last, seed: 0}, run: {frames: 2e3}}\n"
    "report: {baseline: plain, metric: eval.return, aggregate: mean, confidence: 0.9}\n";

/* One change of the study each, and where the schema finds it wrong. */
static const struct {
  const char *from, *to, *place;
} mutants[] = {
    /* the top level */
    {"hunch: 1\n", "hunch: 2\n", "hunch"},
    {"hunch: 1\n", "", "top"},
    {"name: s\n", "name: a/b\n", "name"},
    {"name: s\n", "name: [s]\n", "name"},
    {"name: s\n", "nmae: s\n", "top"},
    {"description: All that there is.\n", "description: {}\n", "description"},
    {"seeds: {root: 7, count: 2}\n", "seeds: 2\n", "seeds"},
    {"root: 7", "root: -7", "seeds.root"},
    {"count: 2", "count: 0", "seeds.count"},
    {"count: 2", "counts: 2", "seeds"},
    {"aggregate: mean", "aggregate: average", "report.aggregate"},
    {"confidence: 0.9", "confidence: 0.3", "report.confidence"},
    /* blocks of the host */
    {"frames: 1e3", "frames: 1e-3", "base.run.frames"},
    {"frames: 1e3", "frames: \"1000\"", "base.run.frames"},
    {"frames: 1e3", "frames: 1M", "base.run.frames"},
    {"rows: 2.0", "rows: 2.5", "base.run.rows"},
    {"rows: 2.0", "rows: 0", "base.run.rows"},
    {"rows: 2.0", "row: 2", "base.run"},
    {"  run: {frames: 1e3, rows: 2.0, episodes: 2}\n", "  run: [1000]\n", "base.run"},
    {"tasks: 3", "tasks: many", "base.evaluation.tasks"},
    {"protocol: trial", "protocol: metawrold", "base.evaluation.protocol"},
    {"frames: 2e3", "frames: -1", "arms.tuned.run.frames"},
    /* plugins */
    {"plugin: time_limit", "plugin: time_limits", "base.env.plugin"},
    {"plugin: time_limit", "plugin: ppo", "base.env.plugin"},
    {"env: {plugin: time_limit, steps: 10, inner: {plugin: gridworld, size: 5}}", "env: time_limit",
     "base.env"},
    {"plugin: none", "plugin: nothing", "base.inference.plugin"},
    {"plugin: ppo", "plugin: uniform", "base.policy"},
    {"  inference: {plugin: none}\n", "", "arms.plain"},
    {"  policy: {plugin: ppo, ", "  policy: {", "arms.plain"},
    /* their parameters */
    {"lr: 7e-4", "lrr: 7e-4", "base.policy"},
    {"lr: 7e-4", "lr: fast", "base.policy.lr"},
    {"lr: 7e-4", "lr: -7e-4", "base.policy.lr"},
    {"lr: 7e-4", "discount: 0.9", "base.policy.discount"}, /* gamma's old name */
    {"anneal: false", "anneal: no", "base.policy.anneal"},
    {"anneal: false", "anneal: 0", "base.policy.anneal"},
    {"init: normc", "init: norm", "base.policy.init"},
    {"width: 8", "width: {}", "base.policy.width"},
    /* wrappers */
    {"size: 5", "size: 2", "base.env.inner.size"},
    {"size: 5", "steps: 5", "base.env.inner"},
    {"inner: {plugin: gridworld, size: 5}", "inner: {plugin: none}", "base.env.inner.plugin"},
    {", inner: {plugin: gridworld, size: 5}}", "}", "arms.plain"},
    {"inner: {plugin: gridworld}}", "goal: {plugin: gridworld}}", "arms.deep.env.inner"},
    {"plugin: sticky_action, inner: {plugin: gridworld}", "plugin: sticky_action",
     "arms.deep.env.inner"},
    /* arms, each over the base */
    {"  plain: {}\n", "  plain:\n", "arms.plain"},
    {"  plain: {}\n", "  report: {}\n  plain: {}\n", "arms"},
    {"  plain: {}\n", "  Study.JSON: {}\n  plain: {}\n", "arms"},
    {"  plain: {}\n", "  a b: {}\n  plain: {}\n", "arms"},
    {"  plain: {}\n", "  plain: {seeds: {count: 1}}\n", "arms.plain"},
    {"size: 4", "size: 400", "arms.patched.env.inner.size"},
    {"inner: {size: 4}", "size: 4", "arms.patched.env"},
    {"lr: 1e-3", "regions: 2", "arms.patched.policy"},
    {"plugin: gridworld, size: 6", "size: 6", "arms.bare.env"},
    {"plugin: oracle", "plugin: oracle, hidden: 8", "arms.belief.inference"},
    {"{plugin: oracle}", "oracle", "arms.belief.inference"},
    /* weights */
    {"at: last", "at: first", "arms.tuned.weights.at"},
    {"seed: 0", "seed: -2", "arms.tuned.weights.seed"},
    {"arm: plain, ", "", "arms.tuned.weights"},
    {"weights: {arm: plain, at: last, seed: 0}", "weights: nothing", "arms.tuned.weights"},
    /* a study without arms has all in its base */
    {"arms:\n", "arms: {}\nweights:\n", "top"},
};

/* Changes that leave the study right. */
static const struct {
  const char *from, *to;
} variants[] = {
    {"name: s\n", ""},
    {"name: s\n", "name: 2024\n"},
    {"hunch: 1\n", "hunch: 1e0\n"},
    {"description: All that there is.\n", "description: 7\n"},
    {"seeds: {root: 7, count: 2}\n", "seeds: {}\n"},
    {"rows: 2.0", "rows: +2"},
    {"split: test", "split: "},
    {"split: test", "split: test|train"},
    {"protocol: trial", "protocol: \"trial\""},
    {"lr: 7e-4", "lr: .7e-3"},
    {"anneal: false", "anneal: true"},
    {"hidden: 64 32", "hidden: 64"},
    {"plugin: gridworld, size: 6", "plugin: " PLUGINS "/gridworld.so, size: 6"},
    {"{env: {inner: {size: 4}}, ", "{env: {plugin: time_limit, inner: {size: 4}}, "},
    {"{env: {inner: {size: 4}}, ", "{env: {steps: 8}, "},
    {"{plugin: time_limit, steps: 10, inner: {plugin: gridworld, size: 5}}",
     "{plugin: time_limit, inner: {plugin: gridworld}}\n"
     "  weights: none"},
    {"at: last, seed: 0", "seed: \"1\""},
    {"weights: {arm: plain, at: last, seed: 0}", "weights: none"},
    {"  plain: {}\n", "  0: {}\n  plain: {}\n"},
    {"  plain: {}\n", "  plain: {env: {}}\n"},
    {"  bare: {env: {plugin: gridworld, size: 6}}\n", ""},
    /* the plugin of the base comes from its arms */
    {"  inference: {plugin: none}\n  policy: {plugin: ppo, lr: 7e-4, width: 8, anneal: false, "
     "init: "
     "normc}\n  run: {frames: 1e3, rows: 2.0, episodes: 2}\n  evaluation: {tasks: 3, protocol: "
     "trial, split: test}\narms:\n  plain: {}\n  belief: {inference: {plugin: oracle}}\n  patched: "
     "{env: {inner: {size: 4}}, policy: {lr: 1e-3, hidden: 64 32}}\n  bare: {env: {plugin: "
     "gridworld, size: 6}}\n  deep: {env: {inner: {plugin: sticky_action, inner: {plugin: "
     "gridworld}}}}\n  tuned: {weights: {arm: plain, at: last, seed: 0}, run: {frames: 2e3}}\n",
     "  inference: {}\narms:\n  plain: {inference: {plugin: none}, policy: {plugin: uniform}}\n"},
    /* no arms */
    {"arms:\n  plain: {}\n  belief: {inference: {plugin: oracle}}\n  patched: {env: {inner: {size: "
     "4}}, policy: {lr: 1e-3, hidden: 64 32}}\n  bare: {env: {plugin: gridworld, size: 6}}\n  "
     "deep: "
     "{env: {inner: {plugin: sticky_action, inner: {plugin: gridworld}}}}\n  tuned: {weights: "
     "{arm: "
     "plain, at: last, seed: 0}, run: {frames: 2e3}}\nreport: {baseline: plain, ",
     "arms: {}\nreport: {"},
};

/* The study with its first `from` changed. */
static char *changed(const char *from, const char *to) {
  g_auto(GStrv) parts = g_strsplit(study, from, 2);
  if (g_strv_length(parts) < 2) g_error("the study has no '%s'", from);
  return g_strconcat(parts[0], to, parts[1], NULL);
}

/* Whether the schema in dir takes each study of `files`, its last element NULL, as `valid` says. */
static void expect_verdicts(const char *dir, const GPtrArray *files, const bool *valid) {
  g_autofree char *verdicts = judged(dir, (const char *const *)files->pdata);
  for (guint i = 0; verdicts && files->pdata[i]; i++) {
    g_autofree char *line = g_strdup_printf("\n%s is valid\n", (char *)files->pdata[i]);
    if (!strstr(verdicts, line) == valid[i])
      g_error("%s in:\n%s", (char *)files->pdata[i], verdicts);
  }
}

/* A study with the block, or the base, that is given. */
static void sweeps(void) {
  static const struct {
    const char *block;
    bool valid;
  } rows[] = {
      {"arms: {a: {}}\nsweep: {arms: [a], parameters: {policy.lr: [1e-3, 1e-4], env.size: {from: "
       "4, "
       "to: 6, count: 2}}}\n",
       true},
      {"sweep: {method: sobol, draws: 4, parameters: {policy.lr: {from: 1e-4, to: 1, scale: "
       "log}}}\n",
       true},
      {"sweep: {parameters: {inference.plugin: [none, oracle], policy.init: [normc]}}\n", true},
      {"arms: {lr=1: {}}\n", true},
      {"sweep: [1]\n", false},
      {"sweep: {}\n", false},
      {"sweep: {parameters: {}}\n", false},
      {"sweep: {parameters: {lr: [1e-3]}}\n", false},
      {"sweep: {parameters: {policies.lr: [1e-3]}}\n", false},
      {"sweep: {parameters: {policy.lr: []}}\n", false},
      {"sweep: {parameters: {policy.lr: 1e-3}}\n", false},
      {"sweep: {parameters: {policy.lr: [1e-3, 1e-3]}}\n", false},
      {"sweep: {parameters: {policy.lr: [[1e-3]]}}\n", false},
      {"sweep: {parameters: {policy.lr: {from: 1e-3, count: 2}}}\n", false},
      {"sweep: {parameters: {policy.lr: {from: 1e-3, to: 1, count: 2, scale: ln}}}\n", false},
      {"sweep: {parameters: {policy.lr: {from: 1e-3, to: 1, cuont: 2}}}\n", false},
      {"sweep: {method: best, parameters: {policy.lr: [1e-3]}}\n", false},
      {"sweep: {method: random, draws: 0, parameters: {policy.lr: {from: 0, to: 1}}}\n", false},
      {"sweep: {arms: [], parameters: {policy.lr: [1e-3]}}\n", false},
      {"arms: {=1: {}}\n", false},
  };
  bool valid[G_N_ELEMENTS(rows)];
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *name = g_strdup_printf("w%u.yaml", i);
    g_autofree char *arguments = g_strconcat("validate ", name, NULL);
    g_autofree char *text = g_strconcat("hunch: 1\nname: s\nbase:\n  env: {plugin: gridworld}\n"
                                        "  inference: {plugin: none}\n  policy: {plugin: ppo}\n",
                                        rows[i].block, NULL);
    fake_write(dir, name, text);
    g_auto(Run) run = hunch(dir, arguments);
    if (run.code != (rows[i].valid ? 0 : 2)) g_error("%s: %s", rows[i].block, run.err);
    g_ptr_array_add(files, g_steal_pointer(&name));
    valid[i] = rows[i].valid;
  }
  g_ptr_array_add(files, NULL);
  write_schema(dir, TROUBLE);
  expect_verdicts(dir, files, valid);
}

/* A base that includes another is judged by its own keys. */
static void includes(void) {
  static const char *const bases[] = {"{include: whole.yaml}",
                                      "{include: whole.yaml, policy: {lr: 1e-3}}", "{include: []}",
                                      "{include: whole.yaml, polcy: {lr: 1e-3}}"};
  static const bool valid[G_N_ELEMENTS(bases)] = {true, true};
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  fake_write(dir, "whole.yaml", study);
  for (guint i = 0; i < G_N_ELEMENTS(bases); i++) {
    g_autofree char *name = g_strdup_printf("i%u.yaml", i);
    g_autofree char *arguments = g_strconcat("validate ", name, NULL);
    g_autofree char *text = g_strdup_printf("hunch: 1\nbase: %s\narms: {a: {}}\n", bases[i]);
    fake_write(dir, name, text);
    g_auto(Run) run = hunch(dir, arguments);
    if (run.code != (valid[i] ? 0 : 2)) g_error("%s: %s", bases[i], run.err);
    g_ptr_array_add(files, g_steal_pointer(&name));
  }
  g_ptr_array_add(files, NULL);
  write_schema(dir, TROUBLE);
  expect_verdicts(dir, files, valid);
}

/* An arm over two wrappers. */
static void layers(void) {
  static const char *const arms[] = {"{inner: {inner: {size: 4}}}",
                                     "{inner: {probability: 0.5}}",
                                     "{plugin: time_limit, inner: {inner: {size: 4}}}",
                                     "{inner: {plugin: gridworld, size: 4}}",
                                     "{inner: {inner: {size: 400}}}",
                                     "{inner: {probability: 2}}",
                                     "{inner: {inner: {probability: 0.5}}}",
                                     "{inner: {plugin: sticky_action}, steps: -1}",
                                     "{plugin: sticky_action}"};
  static const bool valid[G_N_ELEMENTS(arms)] = {true, true, true, true};
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < G_N_ELEMENTS(arms); i++) {
    g_autofree char *name = g_strdup_printf("l%u.yaml", i);
    g_autofree char *arguments = g_strconcat("validate ", name, NULL);
    g_autofree char *text = g_strdup_printf(
        "hunch: 1\nname: s\nbase:\n  env: {plugin: time_limit, inner: {plugin: sticky_action, "
        "inner: {plugin: gridworld}}}\n  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
        "arms:\n  a: {env: %s}\n",
        arms[i]);
    fake_write(dir, name, text);
    g_auto(Run) run = hunch(dir, arguments);
    if (run.code != (valid[i] ? 0 : 2)) g_error("%s: %s", arms[i], run.err);
    g_ptr_array_add(files, g_steal_pointer(&name));
  }
  g_ptr_array_add(files, NULL);
  write_schema(dir, TROUBLE);
  expect_verdicts(dir, files, valid);
}

static void right_ones(void) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < G_N_ELEMENTS(variants); i++) {
    g_autofree char *text = changed(variants[i].from, variants[i].to);
    g_autofree char *name = g_strdup_printf("v%u.yaml", i);
    g_autofree char *arguments = g_strconcat("validate ", name, NULL);
    fake_write(dir, name, text);
    g_auto(Run) run = hunch(dir, arguments);
    if (run.code != 0) g_error("validate refuses '%s': %s", variants[i].to, run.err);
    g_ptr_array_add(files, g_steal_pointer(&name));
  }
  g_ptr_array_add(files, NULL);
  write_schema(dir, TROUBLE);
  bool valid[G_N_ELEMENTS(variants)];
  for (guint i = 0; i < G_N_ELEMENTS(variants); i++) valid[i] = true;
  expect_verdicts(dir, files, valid);
}

static void mutations(void) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  fake_write(dir, "s.yaml", study);
  g_auto(Run) right = hunch(dir, "validate s.yaml");
  g_assert_cmpstr(right.err, ==, "");
  g_assert_cmpint(right.code, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS(mutants); i++) {
    g_autofree char *text = changed(mutants[i].from, mutants[i].to),
                    *name = g_strdup_printf("m%u.yaml", i);
    g_autofree char *arguments = g_strconcat("validate ", name, NULL);
    fake_write(dir, name, text);
    g_auto(Run) run = hunch(dir, arguments);
    if (run.code != 2) g_error("validate takes '%s'", mutants[i].to);
    g_ptr_array_add(files, g_steal_pointer(&name));
  }
  g_ptr_array_add(files, g_strdup("s.yaml"));
  g_ptr_array_add(files, NULL);
  write_schema(dir, TROUBLE);
  g_autofree char *verdicts = judged(dir, (const char *const *)files->pdata);
  if (!verdicts) return;
  expect_valid(verdicts, "s.yaml");
  for (guint i = 0; i < G_N_ELEMENTS(mutants); i++) {
    g_autofree char *line = g_strdup_printf("\nm%u.yaml %s: ", i, mutants[i].place);
    if (!strstr(verdicts, line)) g_error("'%s' in:\n%s", mutants[i].to, verdicts);
  }
}

/* ---- a plugin from elsewhere ---- */

static const char elsewhere[] =
    "#include <hunch/policy.h>\n"
    "#define PARAMS(X) X(real, gain, \"1/s\", \"Its gain.\", 0.5, 0, 1) \\\n"
    "  X(file, table, \"\", \"A table.\", \"\") \\\n"
    "  X(choice, bits, \"\", \"How many.\", \"8\", \"8|16|auto|true\")\n"
    "HN_PARAMS(PARAMS);\n"
    "static HnStatus create(void *s, const HnHost *h, const void *p, HnPolicySpec *spec) {\n"
    "  (void)s, (void)h, (void)p, (void)spec;\n  return HN_OK;\n}\n"
    "static HnStatus act(void *s, HnActBatch *a) {\n"
    "  for (int64_t i = 0; i < a->rows; i++) a->action_index[i] = 0;\n"
    "  (void)s;\n  return HN_OK;\n}\n"
    "static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act};\n"
    "HN_PLUGIN(elsewhere, HN_KIND_POLICY, int, &methods, .version = \"1\", .license = \"MIT\",\n"
    "          .summary = \"From elsewhere.\", .renamed = \"strength:gain\");\n";

static const struct {
  const char *policy; /* its parameters */
  bool valid;
} uses[] = {
    {"gain: 0.25", true},
    {"gain: 1e-1, bits: 16", true},
    {"bits: auto", true},
    {"bits: true", true},
    {"bits: \"8\"", true},
    {"table: s.json", true},
    {"bits: 9", false},
    {"gain: 2", false},
    {"gian: 0.5", false},
    {"strength: 0.5", false},
    {"table: {}", false},
    {"table_sha256: 0000000000000000000000000000000000000000000000000000000000000000", false}};

static void build_elsewhere(const char *dir) {
  static const char *const argv[] = {
      "cc",          "-shared", "-fPIC",        "-I" SOURCE "/core/include",
      "elsewhere.c", "-o",      "elsewhere.so", NULL};
  g_autofree char *err = NULL;
  int status = -1;
  fake_write(dir, "elsewhere.c", elsewhere);
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             NULL, &err, &status, NULL));
  if (status != 0) g_error("%s", err);
}

static void third_party(void) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  build_elsewhere(dir);
  write_schema(dir, dir);
  for (guint i = 0; i < G_N_ELEMENTS(uses); i++) {
    g_autofree char *name = g_strdup_printf("u%u.yaml", i);
    g_autofree char *arguments = g_strconcat("validate ", name, NULL);
    g_autofree char *text = g_strdup_printf(
        "hunch: 1\nname: u\nbase:\n  env: {plugin: gridworld}\n  inference: {plugin: none}\n"
        "  policy: {plugin: elsewhere, %s}\n  run: {frames: 0}\n",
        uses[i].policy);
    fake_write(dir, name, text);
    g_auto(Run) run = hunch_among(dir, dir, arguments);
    if (run.code != (uses[i].valid ? 0 : 2)) g_error("%s: %s", uses[i].policy, run.err);
    g_ptr_array_add(files, g_steal_pointer(&name));
  }
  g_ptr_array_add(files, NULL);
  bool valid[G_N_ELEMENTS(uses)];
  for (guint i = 0; i < G_N_ELEMENTS(uses); i++) valid[i] = uses[i].valid;
  expect_verdicts(dir, files, valid);
  /* without it the schema does not know it */
  write_schema(dir, "");
  g_autofree char *unknown = judged(dir, (const char *const *)files->pdata);
  if (unknown) expect(unknown, "\nu0.yaml base.policy.plugin: ");
}

/* ---- what is left out ---- */

static void rejected(void) {
  g_autoptr(Folder) dir = folder();
  g_auto(Run) run = hunch_among(FAKES, dir, "schema");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.err, "hunch schema: warning: left out: " FAKES "/wrong_abi.so: was built for");
  expect(run.out, "\"env.good\"");
  g_assert_null(strstr(run.out, "\"wrong_abi\""));
  g_auto(Run) more = hunch(dir, "schema gridworld");
  g_assert_cmpint(more.code, ==, 2);
  expect(more.err, "hunch schema: error: 'gridworld': it is of all studies");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/schema/metaschema", metaschema);
  g_test_add_func("/schema/experiments", experiments);
  g_test_add_func("/schema/right_ones", right_ones);
  g_test_add_func("/schema/layers", layers);
  g_test_add_func("/schema/sweeps", sweeps);
  g_test_add_func("/schema/includes", includes);
  g_test_add_func("/schema/mutations", mutations);
  g_test_add_func("/schema/third_party", third_party);
  g_test_add_func("/schema/rejected", rejected);
  return g_test_run();
}
