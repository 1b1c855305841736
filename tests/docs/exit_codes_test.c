/* exit_codes_test.c - the exit codes that docs/errors.md, the help and the manual page list are the
 * same, the command has no others, and each is met. */
#include "cli_fixture.h"
#include "tiny_study_fixture.h"
#include <string.h>

/* Every first group of a pattern in a text, "0 1 2 ..", the numbers of a list. */
static char *numbers(const char *text, const char *pattern) {
  g_autoptr(GRegex) row = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  GString *all = g_string_new(NULL);
  for (g_regex_match(row, text, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL)) {
    g_autofree char *number = g_match_info_fetch(match, 1);
    g_string_append_printf(all, "%s ", number);
  }
  return g_string_free(all, FALSE);
}

static const char *from(const char *text, const char *heading) {
  const char *at = strstr(text, heading);
  g_assert_nonnull(at);
  return at;
}

static void test_lists(void) {
  g_autofree char *page = NULL;
  g_assert_true(g_file_get_contents(SOURCE "/docs/errors.md", &page, NULL, NULL));
  g_auto(Run) help = hunch(NULL, "--help"), manual = hunch(NULL, "manual");
  g_autofree char *in_page = numbers(from(page, "## Exit codes"), "^\\| (\\d+) \\|");
  g_autofree char *in_help = numbers(from(help.out, "Exit codes:"), "^  (\\d+) ");
  g_autofree char *in_manual = numbers(from(manual.out, ".SH EXIT STATUS"), "^\\.B (\\d+)$");
  g_assert_cmpstr(in_page, ==, "0 1 2 3 4 75 ");
  g_assert_cmpstr(in_help, ==, in_page);
  g_assert_cmpstr(in_manual, ==, in_page);
}

/* The command's sources name their codes: none ends or returns with a bare number. */
static void test_sources(void) {
  g_autoptr(GDir) dir = g_dir_open(SOURCE "/core/cli", 0, NULL);
  g_autoptr(GRegex) bare = g_regex_new("\\bexit\\(\\d|EXIT_(SUCCESS|FAILURE)\\b", 0, 0, NULL);
  g_autoptr(GRegex) verb = g_regex_new("^int hn_cmd_\\w+\\([^)]*\\) \\{.*?^\\}",
                                       G_REGEX_MULTILINE | G_REGEX_DOTALL, 0, NULL);
  g_autoptr(GRegex) number = g_regex_new("return \\d+;", 0, 0, NULL);
  guint verbs = 0;
  for (const char *name; (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_build_filename(SOURCE "/core/cli", name, NULL), *text = NULL;
    if (!g_str_has_suffix(name, ".c")) continue;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    if (g_regex_match(bare, text, 0, NULL)) g_error("%s: ends with a number", name);
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(verb, text, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL), verbs++) {
      g_autofree char *body = g_match_info_fetch(match, 0);
      if (g_regex_match(number, body, 0, NULL)) g_error("%s: returns a number", name);
    }
  }
  g_assert_cmpuint(verbs, >, 15);
}

static void expect_code(const char *dir, const char *arguments, int code) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != code)
    g_error("hunch %s: exit code %d, not %d: %s", arguments, run.code, code, run.err);
}

/* Each code for the reason that is documented. */
static void test_met(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "tiny.yaml", tiny_study);
  fake_write(dir, "broken.yaml",
             "hunch: 1\nseeds: {count: 1}\nbase:\n  env: {plugin: trouble}\n"
             "  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
             "  run: {frames: 40, rows: 2}\narms:\n  good: {}\n"
             "  bad: {env: {trouble: fail}}\n");
  expect_code(dir, "validate tiny.yaml", 0);
  expect_code(dir, "check trouble trouble=fail --only batches", 3);
  expect_code(dir, "inspect /dev/null/nothing.so",
              1); /* it is not even known whether it is there */
  expect_code(dir, "inspect " TROUBLE "/nothing.so", 2);
  expect_code(dir, "inspect nothing", 2);
  expect_code(dir, "run tiny.yaml run.frames=-1", 2);
  expect_code(dir, "run broken.yaml", 4);
}

/* Interrupted with a checkpoint. */
static void test_interrupted(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "tiny.yaml", tiny_study);
  GSubprocess *p =
      begin(dir, "run tiny.yaml --arm none --seed 0 run.frames=1e9 run.checkpoint_every=1");
  g_autofree char *cell = g_build_filename(dir, "runs", "tiny", "none", "0", NULL);
  wait_for_cell(p, cell);
  g_subprocess_send_signal(p, SIGTERM);
  g_auto(Run) run = end(p);
  g_assert_cmpint(run.code, ==, 75);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/exit_codes/lists", test_lists);
  g_test_add_func("/exit_codes/sources", test_sources);
  g_test_add_func("/exit_codes/met", test_met);
  g_test_add_func("/exit_codes/interrupted", test_interrupted);
  return g_test_run();
}
