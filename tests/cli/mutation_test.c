/* mutation_test.c - studies as people and editors spoil them, at the front door: nothing of it
 * crashes, hangs or leaves anything, and no nonsense is accepted.
 *
 * A table holds what counts as nonsense, each with the words and the place by which it is refused.
 * Then studies are changed at random, every one by the number of its mutant alone.
 *
 *   HUNCH_MUTANTS=2000 mutation_test    so many, of all studies, instead of a few of the small ones
 *   HUNCH_MUTANT=17 mutation_test       only the 17th */
#include "judged_fixture.h"
#include "mutants.h"
#include "results_fixture.h"
#include "tiny_study_fixture.h"

static char *dir;

static Judged hunch(const char *verb, const char *const *more, double most) {
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_ptr_array_add(argv, (void *)(guintptr)HUNCH);
  g_ptr_array_add(argv, (void *)(guintptr)verb);
  g_ptr_array_add(argv, (void *)(guintptr) "s.yaml");
  for (; more && *more; more++) g_ptr_array_add(argv, (void *)(guintptr)*more);
  g_ptr_array_add(argv, NULL);
  return judged_run(dir, (const char *const *)argv->pdata, most);
}

static void write_study(const char *text, gsize length) {
  g_autofree char *path = g_build_filename(dir, "s.yaml", NULL);
  g_autoptr(GError) error = NULL;
  g_file_set_contents(path, text, (gssize)length, &error);
  g_assert_no_error(error);
}

static int line_at(const char *text, gsize offset) {
  int line = 1;
  for (gsize i = 0; i < offset; i++) line += text[i] == '\n';
  return line;
}

/* ---- nonsense by hand ---- */

/* `from` of the tiny study becomes `to`, and is refused with `says`, on the line where it stood, or
 * on another one. */
static const struct {
  const char *from, *to, *says;
  int line;
} nonsense[] = {
    /* numbers */
    {"rows: 4", "rows: 0", "'rows: 0' is out of range", 0},
    {"rows: 4", "rows: -4", "'rows: -4' is out of range", 0},
    {"rows: 4", "rows: 4.5", "'rows: 4.5': expected an integer", 0},
    {"rows: 4", "rows: 1M", "'rows: 1M': expected an integer in [1, 65536]; write 1e6", 0},
    {"rows: 4", "rows: NaN", "'rows: NaN': expected an integer", 0},
    {"rows: 4", "rows: .inf", "'rows: .inf': expected an integer", 0},
    {"rows: 4", "rows: 1e300", "'rows: 1e300': expected an integer", 0},
    {"rows: 4", "rows: 99999999999999999999", "'rows: 99999999999999999999': expected", 0},
    {"rows: 4", "rows: \"4\"", "without quotes", 0},
    {"rows: 4", "rows: true", "'rows: true': expected an integer", 0},
    {"rows: 4", "rows: [4]", "'rows:': expected an integer in [1, 65536], not a list", 0},
    {"rows: 4", "rows: {a: 4}", "'rows:': expected an integer in [1, 65536], not a map", 0},
    {"rows: 4", "rows: 0x4", "'rows: 0x4': expected an integer", 0},
    {"rows: 4", "rows: 4_0", "without underscores", 0},
    {"rows: 4", "rows: 04", "without leading zeros", 0},
    {"frames: 96", "frames: -1", "'frames: -1' is out of range", 0},
    {"frames: 96", "frames: 1e16", "'frames: 1e16' is out of range", 0},
    {"episodes: 2", "episodes: 0e0", "'episodes: 0e0' is out of range", 0},
    {"episodes: 2", "episodes: -0", "'episodes: -0' is out of range", 0},
    {"tasks: 4", "tasks: 1e15", "'tasks: 1e15' is out of range", 0},
    {"tasks: 4", "tasks: 0", "'tasks: 0' is out of range", 0},
    {"every: 2", "every: -2", "'every: -2' is out of range", 0},
    {"lr: 7e-4", "lr: nan", "'lr: nan': expected a number", 0},
    {"lr: 7e-4", "lr: 1e-400", "'lr: 1e-400': expected a number", 0},
    {"lr: 7e-4", "lr: 1e300", "'lr: 1e300' is out of range", 0},
    {"width: 8", "width: 1e9", "'width: 1e9' is out of range", 0},
    {"size: 4, h", "size: 1000, h", "'size: 1000' is out of range", 0},
    {"root: 7", "root: 1e19", "'root: 1e19': expected an integer", 0},
    {"count: 2", "count: 0", "'count: 0' is out of range", 0},
    {"count: 2", "count: 1e9", "'count: 1e9' is out of range", 0},
    {"count: 2", "count: 100000", "2 arms with 100000 seeds are more than 100000 cells", 0},
    {"hunch: 1", "hunch: 2", "'hunch: 2': expected 1", 0},
    {"metric: eval.return", "confidence: 1", "'confidence: 1' is out of range", 0},
    {"metric: eval.return", "resamples: 0", "'resamples: 0' is out of range", 0},
    /* keys */
    {"rows: 4", "rwos: 4", "unknown key 'rwos'; did you mean 'rows'?", 0},
    {"rows: 4", "rows: 4, rows: 4", "duplicate key 'rows'", 0},
    {"n_epochs: 1", "epochs: 1", "unknown key 'epochs'; it is now called 'n_epochs'", 0},
    {"name: tiny", "name: tiny\nname: tiny", "duplicate key 'name'", 3},
    {"seeds: {root: 7", "seeds: {root: 8}\nseeds: {root: 7", "duplicate key 'seeds'", 5},
    {"base:", "Base:", "unknown key 'Base'; did you mean 'base'?", 0},
    {"hunch: 1\n", "", "missing key 'hunch'", 0},
    {"  env: {plugin: gridworld, size: 4, horizon: 6}\n", "", "missing key 'env'", 0},
    {"plugin: gridworld,", "", "missing key 'plugin'", 0},
    {"belief: {}", "belief: {seeds: {count: 3}}", "unknown key 'seeds'", 0},
    {"belief: {}", "belief: {runn: {}}", "unknown key 'runn'", 0},
    {"belief: {}", "<<: {}", "merge key '<<'", 0},
    {"belief: {}", "? {a: b}\n  : {}", "a key must be a word", 0},
    /* values of other kinds */
    {"name: tiny", "name: [tiny]", "'name:': expected text", 0},
    {"name: tiny", "name: a/b", "'name: a/b': expected at most 100 letters", 0},
    {"name: tiny", "name: ..", "'name: ..': expected at most 100 letters", 0},
    {"seeds: {root: 7, count: 2}", "seeds: 7", "seeds: expected a map", 0},
    {"  env: {plugin: gridworld, size: 4, horizon: 6}", "  env: gridworld",
     "'env: gridworld': expected a map; write 'env: {plugin: gridworld}'", 0},
    {"belief: {}", "belief:", "arm belief: expected a map", 0},
    {"belief: {}", "belief: {run: }", "run: expected a map", 0},
    {"belief: {}", "belief: &a {}", "anchor '&a'", 0},
    {"belief: {}", "belief: *a", "alias '*a'", 0},
    {"belief: {}", "belief: !!map {}", "tag 'tag:yaml.org,2002:map'", 0},
    {"a study", "\"a\\0study\"", "a NUL character", 0},
    {"a study", "caf\xe9", "not a text file in UTF-8", 0},
    {"  run: {frames: 96", "\trun: {frames: 96", "tabs cannot indent", 0},
    {"  run: {frames: 96", "   run: {frames: 96", "not YAML", 0},
    {"report: {", "---\nreport: {", "a second document", 0},
    /* names that nothing has */
    {"plugin: gridworld,", "plugin: gridwrold,", "did you mean 'gridworld'?", 0},
    {"plugin: gridworld,", "plugin: none,", "is of kind inference, expected env", 0},
    {"plugin: gridworld,", "plugin: /dev/zero,", "the path of a plugin ends in .so", 0},
    {"tasks: 4", "protocol: trail", "did you mean 'trial'?", 0},
    {"tasks: 4", "split: nowhere", "gridworld has no split 'nowhere'; it has train, test", 12},
    {"tasks: 4", "split: test|test", "evaluation.split names test twice", 12},
    {"metric: eval.return", "metric: eval.retrun", "did you mean 'eval.return'?", 0},
    {"metric: eval.return", "metric: eval.return_3", "no such column", 0},
    {"metric: eval.return", "metric: eval.train.return", "no such column", 0},
    {"baseline: none", "baseline: nobody", "'baseline: nobody': no arm of that name", 0},
    {"belief: {}", "belief: {weights: {arm: nobody}}", "this study has no arm 'nobody'", 0},
    {"belief: {}", "belief: {weights: {arm: belief}}", "would start from itself", 0},
    {"belief: {}", "belief: {weights: {arm: none}}", "misshapen", 0},
    /* arms as files of the folder */
    {"belief: {}", "report: {}", "arm 'report': the study's folder has", 0},
    {"belief: {}", "study.json: {}", "arm 'study.json': the study's folder has", 0},
    {"belief: {}", "study.yaml: {}", "arm 'study.yaml': the study's folder has", 0},
    {"belief: {}", "Report.html: {}", "arm 'Report.html': the study's folder has", 0},
    {"belief: {}", "..: {}", "arm '..': expected at most 100 letters", 0},
    {"belief: {}", "a/b: {}", "arm 'a/b': expected at most 100 letters", 0},
    {"belief: {}", "none: {}", "duplicate key 'none'", 13},
    /* what does not go together */
    {"belief: {}", "belief: {env: {plugin: bandit}}", "needs x and y in the observation", 0},
    {"belief: {}", "belief: {inference: {goal_reward: -0.1}}", "nothing to learn", 0},
    {"episodes: 2", "samples: 10", "arm none: none: has no posterior samples", 13},
    {"episodes: 2", "steps: 1e9", "takes 952 GB", 12},
    {"tasks: 4", "protocol: metaworld", "use a multiple of 12", 12},
    {"count: 2", "count: 50000", "are more than 100000000 draws", 14}};

/* Refused with those words at that line of s.yaml, and nothing left beside it. */
static void expect_refused(const Judged *j, const char *says, int line, const char *before) {
  g_autofree char *broken = judged_broken(j), *after = judged_listed(dir);
  g_autofree char *place = g_strdup_printf("s.yaml:%d:", line);
  bool said = false;
  g_auto(GStrv) lines = g_strsplit(j->err, "\n", -1);
  for (char **l = lines; *l; l++) said |= g_str_has_prefix(*l, place) && strstr(*l, says);
  if (broken) g_error("%s: %s", says, broken);
  if (j->code != 2 || *j->out || !said)
    g_error("expected \"%s\" at %s, got %d: %s%s", says, place, j->code, j->out, j->err);
  g_assert_cmpstr(after, ==, before);
}

static void test_nonsense(void) {
  const gsize length = strlen(tiny_study);
  write_study(tiny_study, length);
  g_auto(Judged) right = hunch("validate", NULL, JUDGED_HANGS);
  g_assert_cmpstr(right.err, ==, "");
  g_assert_true(g_str_has_prefix(right.out, "tiny: cells 4, arms 2, seeds 2, frames 384\n"));
  for (guint i = 0; i < G_N_ELEMENTS(nonsense); i++) {
    const char *at = strstr(tiny_study, nonsense[i].from);
    if (!at) g_error("not in the study: %s", nonsense[i].from);
    const gsize offset = (gsize)(at - tiny_study);
    GString *text = g_string_new_len(tiny_study, (gssize)offset);
    g_string_append(text, nonsense[i].to);
    g_string_append(text, at + strlen(nonsense[i].from));
    write_study(text->str, text->len);
    g_autofree char *before = judged_listed(dir);
    const bool deleted = !*nonsense[i].to; /* reported where the block begins */
    const int line = nonsense[i].line ? nonsense[i].line : line_at(tiny_study, offset);
    g_auto(Judged) j = hunch("validate", NULL, JUDGED_HANGS);
    expect_refused(&j, nonsense[i].says, line, before);
    static const char *const output[] = {"-o", "out", NULL};
    g_auto(Judged) run = {.code = 0};
    if (i % 8 == 0 || deleted) {
      run = hunch("run", output, JUDGED_HANGS);
      expect_refused(&run, nonsense[i].says, line, before);
    }
    g_string_free(text, TRUE);
  }
}

/* ---- at random ---- */

static guint wrong;
static double slowest; /* processor seconds of a study that was looked at */

G_GNUC_PRINTF(4, 5)
static void report(guint k, const Mutant *m, const Judged *j, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *what = g_strdup_vprintf(format, list);
  va_end(list);
  g_autofree char *shown = g_strescape(m->text->len > 3000 ? "(long)" : m->text->str, "\n");
  g_test_message("mutant %u (%s of %s): %s\n%s%s%s", k, m->kind, m->of, what, j->out, j->err,
                 shown);
  wrong++;
}

/* The lines that `hunch validate` prints of a right study say what is true of any. */
static bool adds_up(const char *out) {
  g_autoptr(GRegex) line = g_regex_new(
      "^[\\w.-]+: cells (\\d+), arms (\\d+), seeds (\\d+), frames (\\d+)\\n"
      "(arms? .*: a checkpoint at most \\d.* kept; memory \\d.*B plus scratch(; .*)?\\n)+"
      "all cells: checkpoints at most \\d.*B on disk\\n$",
      0, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  double number[4];
  if (!g_regex_match(line, out, 0, &match)) return false;
  for (int i = 0; i < 4; i++) {
    g_autofree char *digits = g_match_info_fetch(match, i + 1);
    number[i] = g_ascii_strtod(digits, NULL);
  }
  return number[0] > 0 && number[0] == number[1] * number[2] &&
         number[3] <= 1.001e15 * number[0]; /* up to whole updates */
}

/* A refused study is told by place where it has one, and leaves nothing. */
static void judge(guint k, const Mutant *m, const Judged *j, const char *before) {
  g_autofree char *broken = judged_broken(j), *after = judged_listed(dir);
  if (broken)
    report(k, m, j, "%s", broken);
  else if (j->code != 0 && j->code != 2)
    report(k, m, j, "exit code %d", j->code);
  else if (strcmp(before, after) != 0)
    report(k, m, j, "left: %s", after);
  else if (j->code == 2 && (*j->out || !strstr(j->err, "s.yaml") || !strstr(j->err, "error: ")))
    report(k, m, j, "does not say where");
  else if (j->code == 0 && m->nonsense)
    report(k, m, j, "accepted");
  else if (j->code == 2 && m->says && !strstr(j->err, m->says))
    report(k, m, j, "does not say %s", m->says);
}

/* What was accepted runs, if it is small enough to end. */
static void try_to_run(guint k, const Mutant *m) {
  static const char *const small[] = {"-o",           "out",    "-j", "1", "run.frames=8",
                                      "run.memory=2", "--seed", "0",  NULL};
  g_auto(Judged) run = hunch("run", small, 4);
  g_autofree char *out = g_build_filename(dir, "out", NULL);
  const bool asked = run.signal == SIGTERM; /* to end, because it took long */
  if (run.hung || (run.signal && !asked))
    report(k, m, &run, "run: %s", run.hung ? "does not end" : "killed");
  else if (run.code == 2 && g_file_test(out, G_FILE_TEST_EXISTS))
    report(k, m, &run, "run: refused, but left a folder");
  else if (!asked && run.code != 0 && run.code != 75 && !strstr(run.err, "took more memory"))
    report(k, m, &run, "run: accepted, but exit code %d", run.code);
  fake_remove(out);
}

static void try(guint k, const Mutant *m, bool tiny) {
  write_study(m->text->str, m->text->len);
  g_autofree char *before = judged_listed(dir);
  g_auto(Judged) j = hunch(k % 8 == 7 ? "plan" : "validate", NULL, JUDGED_HANGS);
  judge(k, m, &j, before);
  slowest = MAX(slowest, j.seconds);
  if (j.code != 0) return;
  if (k % 8 != 7 && !adds_up(j.out)) report(k, m, &j, "does not add up");
  if (tiny && k % 3 == 0) try_to_run(k, m);
}

/* The studies that come with hunch; in short runs only those that take no time. */
static GPtrArray *studies(bool all) {
  static const char *const slow[] = {"glibrl_ml", "laplace_", "ml1_"};
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) d = g_dir_open(EXPERIMENTS, 0, NULL);
  for (const char *name; (name = g_dir_read_name(d));) {
    bool wanted = g_str_has_suffix(name, ".yaml");
    for (guint i = 0; i < G_N_ELEMENTS(slow); i++)
      wanted = wanted && (all || !g_str_has_prefix(name, slow[i]));
    if (wanted) g_ptr_array_add(names, g_strdup(name));
  }
  g_ptr_array_sort(names, judged_order);
  g_assert_cmpuint(names->len, >, 5);
  return names;
}

static void test_random(void) {
  const char *count = g_getenv("HUNCH_MUTANTS"), *only = g_getenv("HUNCH_MUTANT");
  const guint n = count ? (guint)atoi(count) : 60;
  g_autoptr(GPtrArray) names = studies(count != NULL);
  guint refused = 0;
  for (guint k = only ? (guint)atoi(only) : 0; k < (only ? (guint)atoi(only) + 1 : n); k++) {
    g_autoptr(GRand) r = g_rand_new_with_seed(20261129 + k);
    const bool tiny = g_rand_boolean(r);
    const char *name = names->pdata[g_rand_int_range(r, 0, (gint32)names->len)];
    g_autofree char *text = tiny ? g_strdup(tiny_study) : fake_read(EXPERIMENTS, name);
    g_auto(Mutant) m = mutant_of(text, r);
    m.of = tiny ? "tiny" : name;
    refused += m.nonsense;
    try(k, &m, tiny);
  }
  g_test_message("%u of %u were nonsense for certain; the slowest took %.2f s", refused, n,
                 slowest);
  g_assert_cmpuint(wrong, ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_unsetenv("HUNCH_PLUGIN_PATH");
  dir = g_dir_make_tmp("hunch-mutation-XXXXXX", NULL);
  g_test_add_func("/mutation/nonsense", test_nonsense);
  g_test_add_func("/mutation/random", test_random);
  const int code = g_test_run();
  fake_remove(dir), g_free(dir);
  return code;
}
