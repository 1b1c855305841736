/* completion_test.c - whatever a user can write is completed: every verb, option and key of the
 * tables, asked for one by one; and in bash, zsh and fish, by the keys that a user presses. */
#include "cli_fixture.h"
#include "json.h"
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- every word of the tables ---- */

/* What `hunch complete WORD..` prints, in lines; words are parted by spaces, and the last may be
 * empty. */
static char **candidates(const char *dir, const char *words) {
  g_autofree char *arguments = g_strconcat("complete ", words, NULL);
  g_auto(Run) run = hunch(dir, arguments);
  g_assert_cmpint(run.code, ==, 0);
  g_assert_cmpstr(run.err, ==, "");
  return g_strsplit(g_strchomp(run.out), "\n", -1);
}

static bool is_among(char **lines, const char *word) {
  for (char **line = lines; *line; line++) {
    const gsize n = strcspn(*line, "\t");
    if (n == strlen(word) && strncmp(*line, word, n) == 0) return true;
  }
  return false;
}

static void expect_among(char **lines, const char *where, const char *word) {
  if (!is_among(lines, word)) g_error("%s: %s is not completed", where, word);
}

/* The options that a verb's help shows are those that are completed, and no others. */
static guint check_options(const char *verb) {
  g_autofree char *asked = g_strdup_printf("help %s", verb), *words = g_strdup_printf("%s -", verb);
  g_auto(Run) help = hunch(NULL, asked);
  g_auto(GStrv) found = candidates(NULL, words);
  g_autoptr(GRegex) option =
      g_regex_new("^  (?:(-\\w), )?(--[\\w-]+=?)", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  guint n = 0, letters = 0;
  for (g_regex_match(option, help.out, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL), n++) {
    g_autofree char *letter = g_match_info_fetch(match, 1), *name = g_match_info_fetch(match, 2);
    expect_among(found, verb, name);
    if (*letter) expect_among(found, verb, letter), letters++;
  }
  g_assert_cmpuint(g_strv_length(found), ==, n + letters);
  return n;
}

static void test_verbs_and_options(void) {
  g_auto(Run) help = hunch(NULL, "--help");
  g_auto(GStrv) lines = g_strsplit(help.out, "\n", -1), verbs = candidates(NULL, "");
  guint options = 0, count = 0;
  for (char **line = lines + 2; **line; line++, count++) {
    char name[32];
    g_assert_cmpint(sscanf(*line, "%31s", name), ==, 1);
    expect_among(verbs, "hunch", name);
    options += check_options(name);
  }
  g_assert_cmpuint(options, >, 50);
  g_assert_cmpuint(g_strv_length(verbs), ==, count + 1); /* help */
}

/* Every parameter of a table is a key of that block. */
static guint check_keys(char **found, const char *head, JsonArray *params) {
  for (guint i = 0; i < json_array_get_length(params); i++) {
    JsonObject *p = json_array_get_object_element(params, i);
    g_autofree char *word = g_strconcat(head, hn_json_string(p, "name", ""), "=", NULL);
    expect_among(found, head, word);
  }
  return json_array_get_length(params);
}

static void test_keys(void) {
  g_auto(Run) inspect = hunch(NULL, "inspect --json");
  g_autoptr(JsonObject) o = hn_json_parse("inspect", inspect.out, strlen(inspect.out), NULL);
  JsonArray *blocks = hn_json_array(o, "blocks"), *plugins = hn_json_array(o, "plugins");
  guint keys = 0;
  for (guint i = 0; i < json_array_get_length(blocks); i++) {
    JsonObject *block = json_array_get_object_element(blocks, i);
    g_autofree char *head = g_strconcat(hn_json_string(block, "name", ""), ".", NULL);
    g_autofree char *words = g_strconcat("run s.yaml ", head, NULL);
    if (strcmp(head, "sweep.") == 0) continue; /* the command line takes no sweeps */
    g_auto(GStrv) found = candidates(NULL, words);
    keys += check_keys(found, head, hn_json_array(block, "params"));
  }
  g_assert_cmpuint(keys, >, 40);
  for (guint i = 0; i < json_array_get_length(plugins); i++) {
    JsonObject *plugin = json_array_get_object_element(plugins, i);
    g_autofree char *words = g_strdup_printf("check %s ", hn_json_string(plugin, "name", ""));
    g_auto(GStrv) found = candidates(NULL, words);
    keys += check_keys(found, "", hn_json_array(plugin, "params"));
  }
  g_assert_cmpuint(keys, >, 200);
}

/* ---- what depends on the study ---- */

static Folder *study_folder(void) {
  Folder *dir = folder();
  fake_write(dir, "study.yaml",
             "hunch: 1\nbase:\n  env: {plugin: reward_noise, inner: {plugin: point_robot}}\n"
             "  inference: {plugin: gridworld_belief}\n  policy: {plugin: ppo}\n"
             "arms: {exact: {}, recurrent: {inference: {plugin: rl2}}}\n");
  fake_write(dir, "notes.txt", "\n");
  g_autofree char *runs = g_build_filename(dir, "results", NULL);
  g_assert_cmpint(g_mkdir(runs, 0700), ==, 0);
  return dir;
}

static void expect_candidate(const char *dir, const char *words, const char *word) {
  g_auto(GStrv) found = candidates(dir, words);
  expect_among(found, words, word);
}

static void test_study(void) {
  g_autoptr(Folder) dir = study_folder();
  expect_candidate(dir, "run study.yaml policy.l", "policy.lr=");
  expect_candidate(dir, "run study.yaml inference.s", "inference.size=");   /* base */
  expect_candidate(dir, "run study.yaml inference.h", "inference.hidden="); /* of an arm */
  expect_candidate(dir, "run study.yaml env.inner.g", "env.inner.goal_radius=");
  expect_candidate(dir, "run study.yaml env.inner.plugin=po", "env.inner.plugin=point_robot");
  expect_candidate(dir, "plan study.yaml arms.ex", "arms.exact.");
  expect_candidate(dir, "plan study.yaml arms.exact.run.f", "arms.exact.run.frames=");
  expect_candidate(dir, "run study.yaml --arm ", "exact");
  expect_candidate(dir, "run study.yaml --arm=r", "--arm=recurrent");
  expect_candidate(dir, "run study.yaml run.determinism=", "run.determinism=portable");
  expect_candidate(dir, "run study.yaml evaluation.greedy=t", "evaluation.greedy=true");
  expect_candidate(dir, "run -o x study.yaml polic", "policy."); /* x is no study */
  expect_candidate(dir, "run -", "-o");
  expect_candidate(dir, "help com", "compare");
  expect_candidate(dir, "verify x.zip --rung ", "replay");
  expect_candidate(dir, "inspect run", "run");
  expect_candidate(dir, "check --only lo", "loads");
  expect_candidate(dir, "run ", ":file yaml");
  expect_candidate(dir, "compare ", ":folder");
  expect_candidate(dir, "pack x -o ", ":file zip");
  expect_candidate(dir, "check ./", ":file so");
  g_auto(GStrv) report = candidates(dir, "plan study.yaml arms.exact.rep"); /* not of an arm */
  g_assert_cmpuint(g_strv_length(report), ==, 0);
  g_auto(GStrv) behind = candidates(dir, "report results more");
  g_assert_cmpuint(g_strv_length(behind), ==, 0);
  g_auto(GStrv) internal = candidates(dir, "cell ");
  g_assert_cmpuint(g_strv_length(internal), ==, 0);
}

/* ---- shells ---- */

/* Reads from the terminal until it has said `end`; gives up after ten seconds. */
static void read_until(int terminal, GString *text, const char *end) {
  const gint64 limit = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  const gsize from = text->len;
  while (!strstr(text->str + from, end) && g_get_monotonic_time() < limit) {
    char bytes[1024];
    GPollFD ready = {terminal, G_IO_IN, 0};
    if (g_poll(&ready, 1, 1000) < 1) continue;
    const ssize_t n = read(terminal, bytes, sizeof bytes);
    if (n <= 0) return;
    g_string_append_len(text, bytes, n);
  }
}

static void type(int terminal, const char *keys) {
  g_assert_cmpint(write(terminal, keys, strlen(keys)), ==, strlen(keys));
}

/* What becomes of the keys in a shell on a terminal in `dir`: the line is not run but printed. */
static char *pressed(const char *const *shell, const char *setup, const char *dir,
                     const char *keys) {
  int terminal;
  g_autofree char *bin = g_path_get_dirname(HUNCH);
  g_autofree char *path = g_strconcat(bin, ":", g_getenv("PATH"), NULL);
  const pid_t child = forkpty(&terminal, NULL, NULL, &(struct winsize){24, 200, 0, 0});
  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    setenv("TERM", "dumb", 1), setenv("PATH", path, 1), setenv("HOME", dir, 1);
    unsetenv("EDITOR"), unsetenv("VISUAL");
    if (chdir(dir) == 0) execvp(shell[0], (char **)(guintptr)shell);
    _exit(127);
  }
  g_autoptr(GString) text = g_string_new(NULL);
  type(terminal, setup);
  type(terminal, "; echo rea'dy'\n");
  read_until(terminal, text, "\nready");
  g_string_truncate(text, 0);
  type(terminal, keys);
  g_usleep(200000);
  type(terminal,
       "\001echo 'la'st: \005 :end\necho 'fi'ni\n"); /* to the line's beginning, to its end */
  read_until(terminal, text, "\nfini");
  kill(child, SIGKILL), waitpid(child, NULL, 0), close(terminal);
  const char *said = strstr(text->str, "\nlast:");
  if (!said) g_error("%s said: %s", shell[0], text->str);
  return g_strndup(said + 6, strcspn(said + 6, "\r\n"));
}

typedef struct Shell {
  const char *argv[4], *setup;
} Shell;

static void expect_pressed(const Shell *shell, const char *dir, const char *keys,
                           const char *line) {
  g_autofree char *is = pressed(shell->argv, shell->setup, dir, keys);
  g_autofree char *wanted = g_strconcat(" ", line, " :end", NULL);
  g_autoptr(GRegex) spaces = g_regex_new("/? +", 0, 0, NULL); /* zsh takes the slash back */
  g_autofree char *single = g_regex_replace(spaces, is, -1, 0, " ", 0, NULL);
  g_assert_cmpstr(single, ==, wanted);
}

static void check_shell(const Shell *shell) {
  g_autoptr(Folder) dir = study_folder();
  g_autofree char *program = g_find_program_in_path(shell->argv[0]);
  if (!program) {
    g_test_skip("this shell is not installed");
    return;
  }
  expect_pressed(shell, dir, "hunch comp\tar\t", "hunch compare");
  expect_pressed(shell, dir, "hunch run st\t", "hunch run study.yaml");
  expect_pressed(shell, dir, "hunch compare \t", "hunch compare results");
  expect_pressed(shell, dir, "hunch run study.yaml --reb\t", "hunch run study.yaml --rebuild-ok");
  expect_pressed(shell, dir, "hunch run study.yaml --output=re\t",
                 "hunch run study.yaml --output=results");
  expect_pressed(shell, dir, "hunch plan study.yaml run.det\tpor\t",
                 "hunch plan study.yaml run.determinism=portable");
  expect_pressed(shell, dir, "hunch run study.yaml arms.rec\tinference.hid\t8",
                 "hunch run study.yaml arms.recurrent.inference.hidden=8");
}

static void test_bash(void) {
  check_shell(&(Shell){{"bash", "--norc", "-i"},
                       "bind 'set enable-bracketed-paste off'; source <(hunch completion bash)"});
}

static void test_zsh(void) {
  check_shell(&(Shell){{"zsh", "-f", "-i"},
                       "unsetopt prompt_sp; zle_bracketed_paste=(); autoload -U compinit; "
                       "compinit -u -D; source <(hunch completion zsh)"});
}

/* fish says itself what it would complete. */
static void test_fish(void) {
  static const char *const cases[][2] = {
      {"hunch compa", "compare\tSet the arms of "},
      {"hunch run st", "study.yaml"},
      {"hunch compare ", "results/"},
      {"hunch run study.yaml --output=re", "--output=results/"},
      {"hunch run study.yaml policy.gamm", "policy.gamma="},
      {"hunch run study.yaml run.determinism=p", "run.determinism=portable"}};
  g_autoptr(Folder) dir = study_folder();
  g_autofree char *program = g_find_program_in_path("fish"), *bin = g_path_get_dirname(HUNCH);
  if (!program) {
    g_test_skip("fish is not installed");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *script = g_strdup_printf(
        "set PATH %s $PATH; hunch completion fish | source; complete -C '%s'", bin, cases[i][0]);
    const char *argv[] = {program, "--no-config", "-c", script, NULL};
    g_autofree char *out = NULL;
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "HOME", dir, TRUE);
    g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, environment, G_SPAWN_DEFAULT, NULL,
                               NULL, &out, NULL, NULL, NULL));
    if (!g_str_has_prefix(out, cases[i][1]) || strchr(strchr(out, '\n') + 1, '\n'))
      g_error("%s: expected %s alone, not: %s", cases[i][0], cases[i][1], out);
  }
}

static void test_unknown_shell(void) {
  g_auto(Run) run = hunch(NULL, "completion tcsh");
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "expected one shell: bash|zsh|fish");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/completion/verbs_and_options", test_verbs_and_options);
  g_test_add_func("/completion/keys", test_keys);
  g_test_add_func("/completion/study", test_study);
  g_test_add_func("/completion/bash", test_bash);
  g_test_add_func("/completion/zsh", test_zsh);
  g_test_add_func("/completion/fish", test_fish);
  g_test_add_func("/completion/unknown_shell", test_unknown_shell);
  return g_test_run();
}
