/* cli_test.c - the command as its users meet it: exit codes, what goes to stdout and to stderr. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Run {
  char *out, *err;
  int code;
} Run;

static void clear(Run *run) {
  g_free(run->out);
  g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, clear)

/* Runs "hunch ARGUMENTS", split at spaces, with HUNCH_PLUGIN_PATH as given. */
static Run hunch(const char *program, const char *path, const char *arguments) {
  Run run = {NULL, NULL, -1};
  g_autofree char *line = g_strconcat(program, *arguments ? " " : "", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "HUNCH_PLUGIN_PATH", path, TRUE);
  int status;
  g_autoptr(GError) error = NULL;
  g_spawn_sync(NULL, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &run.out, &run.err, &status,
               &error);
  g_assert_no_error(error);
  g_assert_true(WIFEXITED(status));
  run.code = WEXITSTATUS(status);
  return run;
}

static void expect_text(const char *text, const char *part) {
  if (!strstr(text, part)) g_error("expected \"%s\" in: %s", part, text);
}

/* A row of a list: the name, and what is said of it in the next column, however wide names are. */
static void expect_row(const char *text, const char *name, const char *says) {
  g_autofree char *quoted = g_regex_escape_string(says, -1);
  g_autofree char *row = g_strdup_printf("^  %s +%s", name, quoted);
  if (!g_regex_match_simple(row, text, G_REGEX_MULTILINE, 0))
    g_error("expected \"%s\" in: %s", row, text);
}

static void test_version(void) {
  g_auto(Run) run = hunch(HUNCH, "", "--version");
  g_assert_cmpint(run.code, ==, 0);
  g_assert_true(g_str_has_prefix(run.out, "hunch " VERSION " (plugin ABI "));
  g_assert_cmpstr(run.err, ==, "");
}

static void test_help(void) {
  g_auto(Run) long_option = hunch(HUNCH, "", "--help");
  g_auto(Run) verb = hunch(HUNCH, "", "help");
  g_auto(Run) nothing = hunch(HUNCH, "", "");
  g_assert_cmpint(long_option.code, ==, 0);
  g_assert_cmpstr(long_option.out, ==, verb.out);
  expect_text(long_option.out, "  inspect ");
  /* Asked for nothing, it says the same, but as an error. */
  g_assert_cmpint(nothing.code, ==, 2);
  g_assert_cmpstr(nothing.out, ==, "");
  g_assert_cmpstr(nothing.err, ==, verb.out);
}

/* Every verb that is listed explains itself, in both ways. */
static void test_help_of_verbs(void) {
  g_auto(Run) run = hunch(HUNCH, "", "--help");
  g_auto(GStrv) lines = g_strsplit(run.out, "\n", -1);
  guint verbs = 0;
  for (char **line = lines + 2; **line; line++, verbs++) {
    char name[32];
    g_assert_cmpint(sscanf(*line, "%31s", name), ==, 1);
    g_autofree char *first = g_strdup_printf("help %s", name);
    g_autofree char *second = g_strdup_printf("%s --help", name);
    g_auto(Run) a = hunch(HUNCH, "", first);
    g_auto(Run) b = hunch(HUNCH, "", second);
    g_autofree char *usage = g_strdup_printf("hunch %s ", name);
    g_assert_cmpint(a.code, ==, 0);
    g_assert_cmpint(b.code, ==, 0);
    expect_text(a.out, usage);
    g_assert_cmpstr(a.out, ==, b.out);
    g_assert_cmpstr(a.err, ==, "");
  }
  g_assert_cmpuint(verbs, >=, 2);
}

/* troff takes the page of `hunch ARGUMENTS`, and mandoc has nothing to say but that it is of no
 * date: the same sources give the same bytes. */
static void expect_clean_page(const char *arguments) {
  static const char *const linters[] = {"groff", "groff -man -ww -z", "mandoc",
                                        "mandoc -T lint -W warning | grep -v 'missing date' || :"};
  for (guint i = 0; i < G_N_ELEMENTS(linters); i += 2) {
    g_autofree char *program = g_find_program_in_path(linters[i]), *out = NULL, *err = NULL;
    if (!program) continue;
    g_autofree char *line = g_strdup_printf(HUNCH " %s | %s", arguments, linters[i + 1]);
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    int status;
    g_assert_true(g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                               &out, &err, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpstr(out, ==, "");
    g_assert_cmpstr(err, ==, "");
  }
}

/* The manual page has every verb and option that the verbs' own help has, and troff takes it. */
static void test_manual(void) {
  g_auto(Run) page = hunch(HUNCH, "", "manual");
  g_auto(Run) help = hunch(HUNCH, "", "--help");
  g_auto(GStrv) lines = g_strsplit(help.out, "\n", -1);
  guint options = 0;
  for (char **line = lines + 2; **line; line++) {
    char name[32];
    g_assert_cmpint(sscanf(*line, "%31s", name), ==, 1);
    g_autofree char *heading = g_strdup_printf(".SS hunch %s", name);
    g_autofree char *arguments = g_strdup_printf("help %s", name);
    g_auto(Run) verb = hunch(HUNCH, "", arguments);
    g_auto(GStrv) texts = g_strsplit(verb.out, "\n", -1);
    const char *at = strstr(page.out, heading);
    g_assert_nonnull(at);
    for (char **text = texts; *text; text++) {
      const char *option = strstr(*text, "  --") ? strstr(*text, "  --") : strstr(*text, ", --");
      if (!option || !g_str_has_prefix(*text, "  -")) continue;
      g_autofree char *word = g_strndup(option + 2, strcspn(option + 2, "= "));
      g_auto(GStrv) parts = g_strsplit(word, "-", -1);
      g_autofree char *shown = g_strjoinv("\\-", parts); /* as troff writes a dash */
      at = strstr(at, shown), options++;
      if (!at) g_error("%s: %s is not in the manual page", name, word);
    }
  }
  g_assert_cmpuint(options, >, 20);
  expect_clean_page("manual");
}

/* The page of studies has every key of every block, in its block's part. */
static void test_manual_of_studies(void) {
  g_auto(Run) page = hunch(HUNCH, "", "manual study"), inspect = hunch(HUNCH, "", "inspect --json");
  g_autoptr(JsonNode) root = json_from_string(inspect.out, NULL);
  JsonArray *blocks = json_object_get_array_member(json_node_get_object(root), "blocks");
  guint keys = 0;
  for (guint i = 0; i < json_array_get_length(blocks); i++) {
    JsonObject *block = json_array_get_object_element(blocks, i);
    JsonArray *params = json_object_get_array_member(block, "params");
    g_autofree char *heading =
        g_strdup_printf("\n.SS %s\n", json_object_get_string_member(block, "name"));
    const char *at = strstr(page.out, heading);
    g_assert_nonnull(at);
    g_autofree char *part = g_strdup(at + 4);
    char *next = strstr(part, "\n.SS ");
    if (next) *next = 0;
    for (guint k = 0; k < json_array_get_length(params); k++, keys++) {
      JsonObject *p = json_array_get_object_element(params, k);
      g_autofree char *head =
          g_strdup_printf("\n.B %s: ", json_object_get_string_member(p, "name"));
      if (!strstr(part, head)) g_error("%s: not in:%s", head + 1, part);
    }
  }
  g_assert_cmpuint(keys, >, 40);
  expect_clean_page("manual study");
}

static void expect_usage_error(const char *arguments, const char *part) {
  g_auto(Run) run = hunch(HUNCH, "", arguments);
  g_assert_cmpint(run.code, ==, 2);
  g_assert_cmpstr(run.out, ==, "");
  expect_text(run.err, part);
}

static void test_wrong_calls(void) {
  expect_usage_error("inspct", "hunch: error: no verb 'inspct': did you mean 'inspect'?");
  expect_usage_error("zzzzzz", "hunch: error: no verb 'zzzzzz': 'hunch --help' lists them");
  expect_usage_error("help inspct", "did you mean 'inspect'?");
  expect_usage_error("resume", "no verb 'resume': 'hunch run' goes on where it stopped");
  expect_usage_error("train s.yaml", "'hunch run STUDY.yaml' trains and evaluates");
  expect_usage_error("eval runs/s",
                     "give the arm 'weights: {from: DIR, arm: ARM}' and run.frames=0");
  expect_usage_error("--dry-run", "no verb '--dry-run': 'hunch plan STUDY.yaml' shows what would");
  expect_usage_error("run s.yaml --dry-run", "Unknown option --dry-run: 'hunch plan STUDY.yaml'");
  expect_usage_error("run s.yaml --seeds=3", "seeds.count=N, without dashes");
  expect_usage_error("ls", "'hunch inspect' plugins");
  expect_usage_error("list", "'hunch inspect' plugins");
  expect_usage_error("inspect --jsno", "Unknown option --jsno: did you mean --json?");
  expect_usage_error("inspect --jsno=1", "did you mean --json?");
  expect_usage_error("inspect a b", "at most one plugin");
  expect_usage_error("doctor who", "'who'");
  expect_usage_error("run s.yaml -j 0", "hunch run: error: -j wants a number of cells, from 1");
  expect_usage_error("run s.yaml -j -2", "hunch run: error: -j wants a number of cells, from 1");
  expect_usage_error("run caf\xe9.yaml", "hunch run: error: 'caf\xef\xbf\xbd.yaml' is not UTF-8");
  expect_usage_error("run s.yaml -o caf\xe9", "hunch run: error: 'caf\xef\xbf\xbd' is not UTF-8");
  expect_usage_error("compare \xff", "hunch compare: error: '\xef\xbf\xbd' is not UTF-8");
  expect_usage_error("inspect no_such_plugin_anywhere",
                     "no plugin named 'no_such_plugin_anywhere'");
}

/* What the answers to words of other programs name is there. */
static void test_words_meant(void) {
  g_autofree char *source = NULL;
  g_assert_true(g_file_get_contents(SOURCE "/core/cli/words_meant.c", &source, NULL, NULL));
  g_auto(Run) help = hunch(HUNCH, "", "--help");
  g_autoptr(GRegex) named = g_regex_new("'hunch ([a-z]+)", 0, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  guint n = 0;
  for (g_regex_match(named, source, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL), n++) {
    g_autofree char *verb = g_match_info_fetch(match, 1);
    g_autofree char *row = g_strdup_printf("\n  %s ", verb);
    expect_text(help.out, row);
  }
  g_assert_cmpuint(n, >, 20);
}

static void test_inspect_list(void) {
  g_auto(Run) run = hunch(HUNCH, FAKES, "inspect");
  g_assert_cmpint(run.code, ==, 0);
  expect_text(run.out, "env\n");
  expect_row(run.out, "good", "Pays one for every step.\n");
  expect_text(run.out, "rejected\n");
  expect_row(run.out, "no_plugin", FAKES "/no_plugin.so: is a shared object but");
  expect_text(run.out, "undefined symbol: hunch_test_nowhere\n");
  g_assert_cmpstr(run.err, ==, "");
  g_assert_null(strchr(run.out, '\033'));
}

static void test_inspect_list_json(void) {
  g_auto(Run) run = hunch(HUNCH, FAKES ":.", "inspect --json");
  g_assert_cmpint(run.code, ==, 0);
  expect_text(run.err, "hunch: warning: HUNCH_PLUGIN_PATH: '.' is ignored");
  g_autoptr(JsonNode) root = json_from_string(run.out, NULL);
  JsonObject *o = json_node_get_object(root);
  JsonArray *rejected = json_object_get_array_member(o, "rejected");
  g_assert_cmpuint(json_array_get_length(rejected), ==, 14);
  g_assert_cmpstr(json_array_get_string_element(json_object_get_array_member(o, "folders"), 0), ==,
                  FAKES);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(o, "ignored")), ==, 1);
  JsonArray *plugins = json_object_get_array_member(o, "plugins");
  gboolean good = FALSE;
  for (guint i = 0; i < json_array_get_length(plugins); i++) {
    JsonObject *p = json_array_get_object_element(plugins, i);
    good |= strcmp(json_object_get_string_member(p, "name"), "good") == 0;
  }
  g_assert_true(good);
}

/* A plugin that ends or blocks who loads it is rejected, by name and with the reason; one that
 * hides another is named. */
static void test_inspect_deadly(void) {
  g_auto(Run) run = hunch(HUNCH, DEADLY ":" FAKES, "inspect");
  g_assert_cmpint(run.code, ==, 0);
  expect_text(run.out, DEADLY "/aborts.so: cannot be loaded: killed by signal 6 (Aborted) when it "
                              "was tried\n");
  expect_text(run.out, DEADLY "/exits.so: cannot be loaded: ended by exit(0) when it was tried\n");
  expect_text(run.out, DEADLY "/loops.so: cannot be loaded: took longer than 5 s when it was "
                              "tried\n");
  expect_text(run.out, DEADLY "/unloads_badly.so: cannot be loaded: killed by signal 6 (Aborted) "
                              "when it was tried\n");
  expect_row(run.out, "good", "Pays one for every step.\n");
  g_assert_null(strstr(run.out, "hidden\n"));
  g_auto(Run) one = hunch(HUNCH, DEADLY, "inspect exits");
  g_assert_cmpint(one.code, ==, 1);
  expect_text(one.err,
              "hunch inspect: error: " DEADLY "/exits.so: cannot be loaded: ended by exit");
}

static void test_hidden(void) {
  g_autofree char *dir = g_dir_make_tmp("hunch-hidden-XXXXXX", NULL), *bytes = NULL;
  g_autofree char *file = g_build_filename(dir, "good.so", NULL);
  g_autofree char *path = g_strconcat(dir, ":" FAKES ":", dir, NULL);
  g_autofree char *says = g_strconcat(file, " hides " FAKES "/good.so\n", NULL);
  gsize length;
  g_assert_true(g_file_get_contents(FAKES "/good.so", &bytes, &length, NULL));
  g_assert_true(g_file_set_contents(file, bytes, (gssize)length, NULL));
  g_auto(Run) run = hunch(HUNCH, path, "inspect");
  expect_text(run.out, "hidden\n  good                ");
  expect_text(run.out, says);
  g_autofree char *study = g_build_filename(dir, "s.yaml", NULL);
  g_assert_true(g_file_set_contents(study,
                                    "hunch: 1\nbase: {env: {plugin: good}, inference: {plugin: "
                                    "none}, policy: {plugin: uniform}, run: {frames: 0}}\n",
                                    -1, NULL));
  g_autofree char *line = g_strconcat("validate ", study, NULL);
  g_auto(Run) validate = hunch(HUNCH, path, line);
  g_autofree char *warning = g_strconcat("hunch validate: warning: plugin 'good': ", says, NULL);
  g_assert_cmpstr(validate.err, ==, warning);
  g_assert_cmpint(validate.code, ==, 0);
  g_unlink(file), g_unlink(study), g_rmdir(dir);
}

/* A byte of a plugin that has another bit: read, rejected or harmless, but no end of this program.
 */
static void test_flipped_bits(void) {
#ifdef __SANITIZE_ADDRESS__
  g_test_skip("a flipped bit in what a sanitizer adds to a plugin ends the program");
  return;
#endif
  g_autofree char *dir = g_dir_make_tmp("hunch-flip-XXXXXX", NULL), *bytes = NULL;
  g_autofree char *file = g_build_filename(dir, "good.so", NULL);
  gsize length;
  guint tried = 0;
  g_assert_true(g_file_get_contents(FAKES "/good.so", &bytes, &length, NULL));
  for (gsize at = 64; at < length; at += length / 97) {
    bytes[at] ^= 1 << (tried % 8);
    g_assert_true(g_file_set_contents(file, bytes, (gssize)length, NULL));
    bytes[at] ^= 1 << (tried++ % 8);
    g_auto(Run) run = hunch(HUNCH, dir, "inspect");
    g_assert_cmpint(run.code, ==, 0);
    expect_text(run.out, "  good ");
  }
  g_assert_cmpuint(tried, >, 90);
  g_unlink(file), g_rmdir(dir);
}

static void test_inspect_one(void) {
  g_auto(Run) good = hunch(HUNCH, FAKES, "inspect good");
  g_assert_cmpint(good.code, ==, 0);
  expect_text(good.out, "env:\n  plugin: good\n  gain: 1  # a number in [0, 10]. Reward of every");
  g_auto(Run) by_path = hunch(HUNCH, "", "inspect " FAKES "/good.so");
  g_assert_cmpstr(by_path.out, ==, good.out);
  g_auto(Run) near = hunch(HUNCH, FAKES, "inspect goood");
  g_assert_cmpint(near.code, ==, 2);
  expect_text(near.err, "no plugin named 'goood' (did you mean 'good'?); looked in " FAKES ", ");
  g_auto(Run) broken = hunch(HUNCH, FAKES, "inspect wrong_abi");
  g_assert_cmpint(broken.code, ==, 1);
  g_assert_cmpstr(broken.out, ==, "");
  expect_text(broken.err, "hunch inspect: error: " FAKES "/wrong_abi.so: was built for plugin ABI");
}

static void test_doctor(void) {
  g_auto(Run) run = hunch(HUNCH, FAKES, "doctor");
  expect_text(run.out, "plugin ABI");
  expect_text(run.out, "GLib ");
  expect_text(run.out, "instruction set ");
  expect_text(run.out, "libhunch-test-absent.so.9: cannot open shared object file");
  g_assert_cmpint(run.code, ==, strstr(run.out, "FAIL") ? 1 : 0);
  g_autoptr(GRegex) column = g_regex_new("^(ok|note|FAIL) +\\S", G_REGEX_MULTILINE, 0, NULL);
  g_auto(GStrv) lines = g_strsplit(g_strchomp(run.out), "\n", -1);
  for (char **line = lines; *line; line++) g_assert_true(g_regex_match(column, *line, 0, NULL));
}

/* Output that cannot be written is a failure, not silence. */
static void test_full_disk(void) {
  g_auto(Run) run = hunch("/bin/sh", "", "-c exec\t" HUNCH "\t--version>/dev/full");
  g_assert_cmpint(run.code, ==, 1);
  expect_text(run.err, "hunch: error: standard output cannot be written: No space left");
}

/* What hunch writes to a terminal of that TERM and of 80 columns; arguments are split at spaces. */
static char *on_terminal(const char *term, const char *no_color, const char *arguments) {
  int terminal;
  g_autofree char *line = g_strconcat(HUNCH " ", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  pid_t child = forkpty(&terminal, NULL, NULL, &(struct winsize){24, 80, 0, 0});
  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    setenv("TERM", term, 1);
    setenv("HUNCH_PLUGIN_PATH", FAKES, 1);
    setenv("NO_COLOR", no_color, 1);
    execv(HUNCH, argv);
    _exit(127);
  }
  GString *text = g_string_new(NULL);
  char bytes[4096];
  ssize_t n;
  while ((n = read(terminal, bytes, sizeof bytes)) > 0) g_string_append_len(text, bytes, n);
  close(terminal);
  waitpid(child, NULL, 0);
  return g_string_free(text, FALSE);
}

static void test_colour(void) {
  g_autofree char *color = on_terminal("xterm", "", "inspect");
  g_autofree char *asked_not_to = on_terminal("xterm", "1", "inspect");
  g_autofree char *dumb = on_terminal("dumb", "", "inspect");
  expect_text(color, "\033[1menv\033[0m");
  expect_text(asked_not_to, "env\r\n");
  g_assert_null(strchr(asked_not_to, '\033'));
  g_assert_cmpstr(dumb, ==, asked_not_to);
}

/* No line is wider than the terminal, but for a word that is. */
static void expect_narrow(const char *arguments) {
  g_autofree char *text = on_terminal("dumb", "", arguments);
  g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
  g_assert_nonnull(lines[0]);
  for (char **line = lines; *line; line++)
    if (g_utf8_strlen(*line, -1) > 80 && strchr(g_strchug(*line), ' '))
      g_error("hunch %s: more than 80 columns: %s", arguments, *line);
}

static void test_columns(void) {
  g_auto(Run) help = hunch(HUNCH, "", "--help"), piped = hunch(HUNCH, FAKES, "inspect");
  g_auto(GStrv) lines = g_strsplit(help.out, "\n", -1);
  for (char **line = lines + 2; **line; line++) {
    char name[32];
    g_assert_cmpint(sscanf(*line, "%31s", name), ==, 1);
    g_autofree char *arguments = g_strdup_printf("help %s", name);
    expect_narrow(arguments);
  }
  expect_narrow("--help");
  expect_narrow("inspect");
  expect_narrow("doctor");
  expect_narrow("check --list");
  /* whoever reads a pipe gets lines whole */
  expect_text(piped.out,
              "/no_plugin.so: is a shared object but exports no plugin: expected the data symbol ");
}

static void copy(const char *from, const char *to) {
  g_autofree char *folder = g_path_get_dirname(to);
  g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
  g_autoptr(GFile) source = g_file_new_for_path(from);
  g_autoptr(GFile) target = g_file_new_for_path(to);
  g_autoptr(GError) error = NULL;
  g_file_copy(source, target, G_FILE_COPY_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
}

/* A program outside the build tree finds its plugins from where it stands, so that what is
 * installed can be moved, and no longer sees the build tree's. */
static void test_moved_install(void) {
  g_autofree char *root = g_dir_make_tmp("hunch-cli-test-XXXXXX", NULL);
  g_autofree char *program = g_build_filename(root, "bin", "hunch", NULL);
  g_autofree char *folder = g_build_filename(root, "bin", PLUGINS_FROM_BIN, NULL);
  g_autofree char *plugins = g_canonicalize_filename(folder, NULL);
  g_autofree char *plugin = g_build_filename(plugins, "good.so", NULL);
  copy(HUNCH, program);
  copy(FAKES "/good.so", plugin);
  g_setenv("LD_LIBRARY_PATH", KIT, TRUE);
  g_auto(Run) run = hunch(program, "", "inspect");
  g_unsetenv("LD_LIBRARY_PATH");
  g_assert_cmpint(run.code, ==, 0);
  g_assert_cmpstr(run.out, ==, "env\n  good  Pays one for every step.\n");
  g_autofree char *remove = g_strconcat("-rf ", root, NULL);
  g_auto(Run) removed = hunch("/bin/rm", "", remove);
  g_assert_cmpint(removed.code, ==, 0);
}

/* A folder that is not there is a wrong call: exit code 2. */
static void test_missing_folder(void) {
  static const char *const verbs[] = {"compare /nowhere", "report /nowhere",
                                      "video /nowhere -o x.mp4"};
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
    g_auto(Run) run = hunch(HUNCH, "", verbs[i]);
    g_assert_cmpint(run.code, ==, 2);
    expect_text(run.err, "error: /nowhere: not ");
  }
}

int main(int argc, char **argv) {
  g_unsetenv("NO_COLOR");
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/version", test_version);
  g_test_add_func("/cli/help", test_help);
  g_test_add_func("/cli/help_of_verbs", test_help_of_verbs);
  g_test_add_func("/cli/manual", test_manual);
  g_test_add_func("/cli/manual_of_studies", test_manual_of_studies);
  g_test_add_func("/cli/wrong_calls", test_wrong_calls);
  g_test_add_func("/cli/words_meant", test_words_meant);
  g_test_add_func("/cli/inspect_list", test_inspect_list);
  g_test_add_func("/cli/inspect_list_json", test_inspect_list_json);
  g_test_add_func("/cli/inspect_deadly", test_inspect_deadly);
  g_test_add_func("/cli/hidden", test_hidden);
  g_test_add_func("/cli/flipped_bits", test_flipped_bits);
  g_test_add_func("/cli/inspect_one", test_inspect_one);
  g_test_add_func("/cli/missing_folder", test_missing_folder);
  g_test_add_func("/cli/doctor", test_doctor);
  g_test_add_func("/cli/full_disk", test_full_disk);
  g_test_add_func("/cli/colour", test_colour);
  g_test_add_func("/cli/columns", test_columns);
  g_test_add_func("/cli/moved_install", test_moved_install);
  return g_test_run();
}
