/* calls_test.c - command lines as people mistype them: each ends with an exit code of
 * docs/errors.md and a message, and one that is refused leaves every file as it was.
 *
 *   HUNCH_CALLS=500 calls_test    so many at random, instead of a few */
#include "judged_fixture.h"
#include "results_fixture.h"
#include "tiny_study_fixture.h"

static char *dir;

/* Runs "hunch ARGUMENTS", in words as of a shell. */
static Judged hunch(const char *arguments) {
  g_auto(GStrv) words = NULL;
  g_autoptr(GError) error = NULL;
  if (*arguments) g_shell_parse_argv(arguments, NULL, &words, &error);
  g_assert_no_error(error);
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_ptr_array_add(argv, (void *)(guintptr)HUNCH);
  for (char **w = words; w && *w; w++) g_ptr_array_add(argv, *w);
  g_ptr_array_add(argv, NULL);
  return judged_run(dir, (const char *const *)argv->pdata, JUDGED_HANGS);
}

/* A study, one that ran, a file, links to it and to nothing, a folder, a pipe. */
static void furnish(void) {
  g_autofree char *link = g_build_filename(dir, "link", NULL);
  g_autofree char *dangling = g_build_filename(dir, "dangling", NULL);
  g_autofree char *pipe = g_build_filename(dir, "pipe", NULL);
  g_autofree char *folder = g_build_filename(dir, "folder", NULL);
  fake_write(dir, "s.yaml", tiny_study);
  fake_write(dir, "file", "a thesis\n");
  fake_write(folder, "notes", "of somebody\n");
  g_assert_cmpint(symlink("file", link) | symlink("nowhere", dangling) | mkfifo(pipe, 0600), ==, 0);
  g_auto(Judged) run = hunch("run s.yaml -o done -j 1");
  if (run.code != 0) g_error("%s", run.err);
}

static void clear_folder(void) {
  fake_remove(dir);
  g_assert_cmpint(g_mkdir(dir, 0700), ==, 0);
}

/* ---- by hand ---- */

static const struct {
  const char *arguments;
  int code;
  const char *says;
} calls[] = {
    {"", 2, "usage: hunch VERB"},
    {"''", 2, "no verb ''"},
    {"runn", 2, "no verb 'runn': did you mean 'run'?"},
    {"--versoin", 2, "no verb '--versoin': did you mean '--version'?"},
    {"-x", 2, "no verb '-x': 'hunch --help' lists them"},
    {"'\xff'", 2, "no verb '\xef\xbf\xbd'"},
    {"s.yaml", 2, "no verb 's.yaml': did you mean 'hunch run s.yaml'?"},
    {"help nothing", 2, "no verb 'nothing'"},
    /* which study */
    {"validate", 2, "which study?"},
    {"validate ''", 2, "which study?"},
    {"validate nowhere.yaml", 2, "nowhere.yaml: error: cannot be read: No such file"},
    {"validate nowhere.yaml s.yaml", 2,
     "command line: s.yaml: error: expected block.key=value: one study at a time"},
    {"validate s.yml", 2,
     "s.yml: error: cannot be read: No such file or directory; did you mean 's.yaml'?"},
    {"validate folder", 2, "folder: error: is a folder"},
    {"validate pipe", 2, "pipe: error: not a regular file"},
    {"validate dangling", 2, "dangling: error: cannot be read: No such file"},
    {"validate /dev/zero", 2, "/dev/zero: error: not a regular file"},
    {"validate -- -s.yaml", 2, "-s.yaml: error: cannot be read"},
    /* overrides */
    {"validate s.yaml more", 2, "command line: more: error: expected block.key=value"},
    {"validate s.yaml ''", 2, "error: expected block.key=value"},
    {"validate s.yaml =", 2, "command line: =: error: expected block.key=value"},
    {"validate s.yaml frames=10", 2, "did you mean run.frames=10?"},
    {"validate s.yaml run.frames=", 2, "but there is nothing"},
    {"validate s.yaml run.frames=10=10", 2, "'frames: 10=10': expected an integer"},
    {"validate s.yaml run.frmaes=10", 2, "did you mean 'frames'?"},
    {"validate s.yaml run.frames 100", 2, "did you mean run.frames=100?"},
    {"validate s.yaml run.frames: 100", 2, "did you mean run.frames=100?"},
    {"validate s.yaml more less", 2, "command line: less: error: expected block.key=value\n"},
    {"validate s.yaml a.b.c=1", 2, "no block 'a'"},
    {"validate s.yaml run=1", 2, "expected run.KEY=value"},
    {"validate s.yaml ..=1", 2, "no block ''"},
    {"validate s.yaml arms.noen.run.rows=1", 2, "no arm 'noen'; did you mean 'none'?"},
    {"validate s.yaml report.metric=", 2, "but there is nothing"},
    {"validate s.yaml report.metric=eval.retrun", 2, "did you mean 'eval.return'?"},
    {"validate s.yaml 'run.frames=\xff'", 2, "is not UTF-8"},
    {"validate s.yaml -- run.rows=0", 2, "command line: run.rows=0: error"},
    {"validate s.yaml run.rows=2 run.rows=0", 2, "command line: run.rows=0: error"},
    {"validate s.yaml --run.rows=2", 2, "did you mean run.rows=2, without dashes?"},
    {"validate s.yaml --rows=2.5", 2, "did you mean run.rows=VALUE?"},
    {"run s.yaml --frames 8", 2, "Unknown option --frames: did you mean run.frames=VALUE?"},
    {"run s.yaml --lr 8", 2, "Unknown option --lr\n"},
    /* options */
    {"plan s.yaml --jsno", 2, "did you mean --json?"},
    {"plan s.yaml -j 2", 2, "Unknown option -j"},
    {"run s.yaml -j", 2, "Missing argument for -j"},
    {"run s.yaml -j 0", 2, "-j wants a number of cells, from 1"},
    {"run s.yaml -j0", 2, "-j wants a number of cells, from 1"},
    {"run s.yaml -j -1", 2, "-j wants a number of cells, from 1"},
    {"run s.yaml -j 1e9", 2, "1e9"},
    {"run s.yaml -j 99999999999", 2, "99999999999"},
    {"run s.yaml -j 2 -j 0", 2, "-j wants a number of cells, from 1"},
    {"submit s.yaml", 2, "--partition is missing: expected the name of a partition"},
    {"submit --partition a --time 1 --max-parallel 1", 2, "which study?"},
    {"submit s.yaml --partition a --time 1 --max-parallel 1 -n -o ''", 2, "-o wants the name"},
    {"submit s.yaml --partition a --time 1 --max-parallel 1 -n -o file", 2, "file is not a folder"},
    {"submit s.yaml --partition a --time 1h --max-parallel 1", 2, "--time '1h': expected minutes"},
    {"run s.yaml --out out", 2, "did you mean --output?"},
    {"run s.yaml --arm", 2, "Missing argument for --arm"},
    {"run s.yaml --arm noen", 2, "no arm 'noen'; did you mean 'none'?"},
    {"run s.yaml --arm belief,none", 2, "no arm 'belief,none'; repeat --arm for another one"},
    {"run s.yaml --seed 0,1", 2, "expected an index from 0 to 1; repeat --seed for another one"},
    {"run s.yaml --seed -1", 2, "no seed '-1': expected an index from 0 to 1\n"},
    {"run s.yaml --seed 2", 2, "no seed '2': expected an index from 0 to 1"},
    {"run s.yaml --seed ''", 2, "--seed: expected I, but there is nothing"},
    {"run s.yaml --arm none --arm=", 2, "--arm: expected ARM, but there is nothing"},
    /* where to */
    {"run s.yaml -o", 2, "Missing argument for -o"},
    {"run s.yaml -o ''", 2, "-o wants the name of a folder"},
    {"plan s.yaml -o ''", 2, "-o wants the name of a folder"},
    {"run s.yaml -o file", 2, "file is not a folder: choose another with -o"},
    {"plan s.yaml -o file", 2, "file is not a folder: choose another with -o"},
    {"run s.yaml -o link", 2, "link is not a folder: choose another with -o"},
    {"run s.yaml -o /dev/null", 2, "/dev/null is not a folder: choose another with -o"},
    {"run s.yaml -o pipe", 2, "pipe is not a folder: choose another with -o"},
    {"run s.yaml -o dangling", 1, "dangling cannot be written"},
    {"run s.yaml -o file/below", 1, "file/below cannot be written"},
    {"run s.yaml -o folder", 2, "folder is not a study's folder (it holds notes)"},
    {"run s.yaml -o .", 2, "is not a study's folder"},
    {"run s.yaml -o done run.rows=3", 2, "configuration differs"},
    {"run s.yaml -o done run.frames=48", 2, "a run does not become shorter"},
    {"run s.yaml -o done name=other", 2, "done holds the study tiny, not other"},
    {"report done -o folder", 2, "folder: is not a regular file: name another output"},
    {"report done -o pipe", 2, "pipe: is not a regular file"},
    {"report done -o ''", 2, "-o wants the name of a file"},
    {"pack done -o ''", 2, "-o wants the name of a file"},
    {"pack done -o x.zip --sign ''", 2, "--sign wants the name of a file"},
    {"export done -o ''", 2, "-o wants the name of a folder"},
    {"new env fine -o ''", 2, "-o wants the name of a folder"},
    {"video done/none/0 -o ''", 2, "-o wants the name of a file"},
    {"verify x.zip --page ''", 2, "--page wants the name of a file"},
    {"report done -o typo/x.html", 2, "typo/x.html: there is no folder typo to write it in"},
    {"pack done -o typo/x.zip", 2, "typo/x.zip: there is no folder typo to write it in"},
    {"export done -o typo/x", 2, "typo to write it in"},
    {"new env fine -o typo/fine", 2, "typo to write it in"},
    /* results */
    {"compare", 2, "expected a study folder"},
    {"compare ''", 2, "expected a study folder"},
    {"compare done done", 2, "done is there twice"},
    {"compare nowhere", 2, "nowhere: not a study folder: there is no such folder\n"},
    {"compare doen", 2, "there is no such folder; did you mean 'done'?"},
    {"compare .", 2, "it has no study.json; did you mean 'done'?"},
    {"compare done/none", 2, "it has no study.json; did you mean 'done'?"},
    {"compare file", 2, "file: not a study folder: it is a file"},
    {"compare folder", 2, "it has no study.json"},
    {"compare done/none/0", 2, "give the folder two levels up"},
    {"compare done --baseline noen", 2, "did you mean 'none'?"},
    {"compare done --metric eval.retrun", 2, "did you mean 'eval.return'?"},
    {"compare done --csv --md", 2, "choose one"},
    {"compare done --reach far", 2, "expected a number"},
    {"compare done --reach 1 --by task", 2, "goes without --by"},
    {"compare done --target 1", 2, "goes with --by task"},
    {"compare done --arms nobody", 2, "no arm 'nobody'"},
    {"compare done --arms ''", 2, "--arms: expected X,Y, but there is nothing"},
    {"compare done --json --arms=", 2, "--arms: expected X,Y, but there is nothing"},
    {"compare done --arms ,", 2, "no arm ''"},
    {"compare done --baseline ''", 2, "--baseline: expected ARM, but there is nothing"},
    {"compare done --metric=", 2, "--metric: expected COL, but there is nothing"},
    {"compare done --by ''", 2, "--by: expected WHAT, but there is nothing"},
    {"pack done --dirty -o x.zip --title ''", 2, "--title: expected TEXT, but there is nothing"},
    {"compare done --by tsk", 2, "did you mean 'task'?"},
    {"compare done --by nothing", 2, "no done cell has the key 'nothing'"},
    {"compare done --by policy.lr --csv", 2, "goes with --json, or alone"},
    {"report file", 2, "it is a file"},
    {"video", 2, "expected one cell"},
    {"video done -o x.mp4", 2, "a study's folder; give that of a cell"},
    {"video nowhere -o x.mp4", 2, "nowhere: not the folder of a cell: there is no such folder"},
    {"video done/none/0", 2, "where to? -o FILE.mp4"},
    {"play folder", 2, "folder: not the folder of a cell"},
    {"inspect nothing_of_that_name", 2, "no plugin named 'nothing_of_that_name'"},
    {"inspect gridworl", 2, "did you mean 'gridworld'?"},
    {"inspect s.yaml gridworld", 2, "at most one plugin"},
    {"inspect ./s.yaml", 2, "the path of a plugin ends in .so"},
    {"inspect ./nothing.so", 2, "nothing.so: cannot be read: No such file"},
    {"verify nothing.zip", 2, "nothing.zip: No such file"},
    {"plan s.yaml --resolved=none", 2, "--resolved takes no value: leave a space behind it"},
    {"plan s.yaml --json=1", 2, "--json takes no value"},
    {"plan s.yaml --resolved none_lr=1", 2, "no arm 'none_lr=1'"},
    {"validate s.yaml policy.learning_rate=1", 2, "it is called 'lr' here"},
    {"validate s.yaml policy.total_timesteps=1", 2, "it is 'run: {frames: ..}' here"},
    {"validate s.yaml run.num_envs=1", 2, "it is called 'rows' here"},
    {"inspect /dev/zero", 2, "the path of a plugin ends in .so"},
    {"doctor who", 2, "'who'"}};

static void test_calls(void) {
  furnish();
  g_autofree char *before = judged_listed(dir);
  for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
    g_auto(Judged) j = hunch(calls[i].arguments);
    g_autofree char *broken = judged_broken(&j), *after = judged_listed(dir);
    if (broken) g_error("%s: %s", calls[i].arguments, broken);
    if (j.code != calls[i].code || *j.out || !strstr(j.err, calls[i].says))
      g_error("%s: expected %d and \"%s\", got %d: %s%s", calls[i].arguments, calls[i].code,
              calls[i].says, j.code, j.out, j.err);
    g_assert_cmpstr(after, ==, before);
  }
  clear_folder();
}

/* An override with a line break stays in the comments of the study that is kept. */
static void test_line_break(void) {
  furnish();
  g_auto(Judged) run = hunch("run s.yaml -o out -j 1 --arm none --seed 0 'description=a\nbase: ['");
  if (run.code != 0) g_error("%s", run.err);
  g_autofree char *kept = fake_read(dir, "out/study.yaml");
  g_assert_true(g_str_has_suffix(kept, "\n# description=a\\x0abase: [\n"));
  g_auto(Judged) again = hunch("validate out/study.yaml");
  g_assert_cmpstr(again.err, ==, "");
  g_assert_cmpint(again.code, ==, 0);
  clear_folder();
}

/* As many columns of metrics.csv as an evaluated trial has episodes, of each of eight arms: whether
 * one of them is the report's is told without making them. */
static void test_many_columns(void) {
  static const struct {
    const char *metric;
    int code;
  } table[] = {{"eval.success", 0},
               {"eval.return_1000000", 0},
               {"eval.return_1000001", 2},
               {"eval.retrun", 2}};
  g_autoptr(GString) text = g_string_new(tiny_study);
  g_string_replace(text, "  belief: {}\n", "", 0);
  g_string_truncate(text, (gsize)(strstr(text->str, "report:") - text->str));
  for (int i = 0; i < 8; i++)
    g_string_append_printf(text, "  more%d: {run: {rows: %d, episodes: 1e6}}\n", i, i + 1);
  fake_write(dir, "many.yaml", text->str);
  g_string_free(g_steal_pointer(&text), TRUE);
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *call = g_strdup_printf(
        "validate many.yaml run.episodes=1000000 report.metric=%s", table[i].metric);
    g_auto(Judged) j = hunch(call);
    g_autofree char *broken = judged_broken(&j);
    g_assert_cmpstr(broken, ==, NULL);
    if (j.code != table[i].code) g_error("%s: %d %s", call, j.code, j.err);
  }
  clear_folder();
}

/* Folders of plugins that are none are said, and the others are used. */
static void test_plugin_path(void) {
  static const struct {
    const char *path, *says;
  } table[] = {{"/nowhere", "'/nowhere' is ignored: there is no such folder"},
               {"/dev/null", "'/dev/null' is ignored: there is no such folder"},
               {"relative", "'relative' is ignored: a folder is given by its full path"},
               {":/", "'' is ignored: an empty entry names no folder"},
               {"/\xff", "'/\xef\xbf\xbd' is ignored: there is no such folder"}};
  furnish();
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_setenv("HUNCH_PLUGIN_PATH", table[i].path, TRUE);
    g_auto(Judged) j = hunch("validate s.yaml");
    g_autofree char *broken = judged_broken(&j);
    g_assert_cmpstr(broken, ==, NULL);
    if (j.code != 0 || !strstr(j.err, table[i].says)) g_error("%s: %s", table[i].path, j.err);
  }
  g_unsetenv("HUNCH_PLUGIN_PATH");
  clear_folder();
}

/* ---- at random ---- */

static const char *const verbs[] = {"run",     "validate", "plan", "compare", "report", "video",
                                    "inspect", "doctor",   "play", "help",    "schema", "rnu",
                                    "",        "-",        "--",   "cell"};
static const char *const words[] = {"s.yaml",
                                    "s.yaml",
                                    "s.yaml",
                                    "done",
                                    "done",
                                    "done/none/0",
                                    "file",
                                    "link",
                                    "dangling",
                                    "pipe",
                                    "folder",
                                    "nowhere",
                                    "/dev/null",
                                    "/dev/full",
                                    ".",
                                    "..",
                                    "/",
                                    "''",
                                    "-o",
                                    "-o out",
                                    "-o file",
                                    "-o ''",
                                    "--output=link",
                                    "--output",
                                    "-j 0",
                                    "-j -1",
                                    "-j 1e9",
                                    "-j1",
                                    "-j 2147483648",
                                    "--jobs",
                                    "--jobs=1",
                                    "--arm none",
                                    "--arm nobody",
                                    "--arm=",
                                    "--seed 0",
                                    "--seed -1",
                                    "--seed 99999999999999999999",
                                    "--json",
                                    "--jso",
                                    "--csv",
                                    "--markdown",
                                    "--rebuild-ok",
                                    "--by task",
                                    "--by",
                                    "--metric update",
                                    "--metric ''",
                                    "--baseline x",
                                    "--help",
                                    "-h",
                                    "-xyz",
                                    "--",
                                    "-",
                                    "run.frames=8",
                                    "run.frames=",
                                    "run.frames=-1",
                                    "run.frames=1e300",
                                    "run.frames='8\n'",
                                    "frames=8",
                                    "=",
                                    "a.b.c=1",
                                    "arms.none.run.rows=0",
                                    "arms...=1",
                                    "weights.arm=none",
                                    "name='a b'",
                                    "description='a\nb'",
                                    "'run.rows=\xff'",
                                    "'\xff'",
                                    "seeds.count=0",
                                    "seeds.count=3",
                                    "env.plugin=bandit",
                                    "policy.plugin=uniform",
                                    "report.metric=frames",
                                    "gridworld",
                                    "gridwrold"};

static void test_random(void) {
  const char *count = g_getenv("HUNCH_CALLS");
  const guint n = count ? (guint)atoi(count) : 60;
  guint wrong = 0, refused = 0;
  furnish();
  g_autofree char *fresh = judged_listed(dir);
  for (guint k = 0; k < n; k++) {
    g_autoptr(GRand) r = g_rand_new_with_seed(20261129 + k);
    g_autoptr(GString) line = g_string_new(verbs[g_rand_int_range(r, 0, G_N_ELEMENTS(verbs))]);
    if (!line->len) g_string_assign(line, "''");
    for (int more = g_rand_int_range(r, 0, 6); more > 0; more--)
      g_string_append_printf(line, " %s", words[g_rand_int_range(r, 0, G_N_ELEMENTS(words))]);
    g_auto(Judged) j = hunch(line->str);
    g_autofree char *broken = judged_broken(&j), *after = judged_listed(dir);
    const bool same = strcmp(fresh, after) == 0;
    if (!broken && j.code != 0 && j.code != 1 && j.code != 2)
      broken = g_strdup_printf("exit code %d", j.code);
    if (!broken && j.code == 2 && !same) broken = g_strdup_printf("refused, but left: %s", after);
    if (broken) g_test_message("call %u: hunch %s: %s\n%s%s", k, line->str, broken, j.out, j.err);
    wrong += broken != NULL, refused += j.code == 2;
    if (same) continue;
    clear_folder(), furnish();
    g_free(fresh), fresh = judged_listed(dir);
  }
  g_test_message("%u of %u were refused", refused, n);
  g_assert_cmpuint(refused, >, n / 2);
  g_assert_cmpuint(wrong, ==, 0);
  clear_folder();
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_unsetenv("HUNCH_PLUGIN_PATH");
  dir = g_dir_make_tmp("hunch-calls-XXXXXX", NULL);
  g_test_add_func("/calls/calls", test_calls);
  g_test_add_func("/calls/line_break", test_line_break);
  g_test_add_func("/calls/many_columns", test_many_columns);
  g_test_add_func("/calls/plugin_path", test_plugin_path);
  g_test_add_func("/calls/random", test_random);
  const int code = g_test_run();
  fake_remove(dir), g_free(dir);
  return code;
}
