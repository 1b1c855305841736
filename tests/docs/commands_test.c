/* commands_test.c - the commands of the README and of the documentation run as they stand: every
 * fenced block that says `sh`, page by page, in a folder where the page's studies and the tree's
 * core, plugins and experiments are.  Only training is shorter: frames count a thousandth. */
#include <glib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const linked[] = {"core", "plugins", "experiments"};

/* A thousandth of the frames, in studies and in commands alike, so that both still agree. */
static gboolean shorten(const GMatchInfo *match, GString *out, gpointer arg) {
  g_autofree char *key = g_match_info_fetch(match, 1), *number = g_match_info_fetch(match, 2);
  (void)arg;
  g_string_append_printf(out, "%s%.0f", key, g_ascii_strtod(number, NULL) / 1000);
  return FALSE;
}

static char *read_page(const char *page) {
  g_autofree char *path = g_build_filename(SOURCE, page, NULL), *text = NULL;
  g_autoptr(GRegex) frames = g_regex_new("(frames(?:: |=))([0-9.]+e?[0-9]*)", 0, 0, NULL);
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  return g_regex_replace_eval(frames, text, -1, 0, 0, shorten, NULL, NULL);
}

/* A block that is a whole study becomes the file NAME.yaml. */
static void write_study(const char *dir, const char *text) {
  g_autoptr(GRegex) name = g_regex_new("^name: (\\S+)", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  if (!g_str_has_prefix(text, "hunch: 1\n") || !g_regex_match(name, text, 0, &match)) return;
  g_autofree char *stem = g_match_info_fetch(match, 1);
  g_autofree char *file = g_strconcat(stem, ".yaml", NULL);
  g_autofree char *path = g_build_filename(dir, file, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Writes the page's studies into dir; returns its commands, in the order in which they come. */
static char *extract(const char *page, const char *dir) {
  g_autofree char *text = read_page(page);
  g_autoptr(GRegex) fence =
      g_regex_new("^```(sh|yaml)\\n(.*?)^```$", G_REGEX_MULTILINE | G_REGEX_DOTALL, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  GString *commands = g_string_new(NULL);
  for (g_regex_match(fence, text, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL)) {
    g_autofree char *kind = g_match_info_fetch(match, 1), *block = g_match_info_fetch(match, 2);
    if (g_str_equal(kind, "sh"))
      g_string_append(commands, block);
    else
      write_study(dir, block);
  }
  return g_string_free(commands, FALSE);
}

static char *run_folder(void) {
  char *dir = g_dir_make_tmp("hunch-docs-XXXXXX", NULL);
  g_assert_nonnull(dir);
  for (guint i = 0; i < G_N_ELEMENTS(linked); i++) {
    g_autofree char *from = g_build_filename(SOURCE, linked[i], NULL);
    g_autofree char *to = g_build_filename(dir, linked[i], NULL);
    g_assert_cmpint(symlink(from, to), ==, 0);
  }
  return dir;
}

static void test_page(gconstpointer data) {
  g_autofree char *dir = run_folder(), *commands = extract(data, dir), *out = NULL, *err = NULL;
  g_autofree char *bin = g_path_get_dirname(HUNCH);
  g_autofree char *path = g_strconcat(bin, ":", g_getenv("PATH"), NULL);
  g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "PATH", path, TRUE);
  const char *argv[] = {"sh", "-eux", "-c", commands, NULL}, *rm[] = {"rm", "-r", dir, NULL};
  int status = -1;
  environment = g_environ_unsetenv(environment, "HUNCH_PLUGIN_PATH");
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, environment, G_SPAWN_SEARCH_PATH, NULL,
                             NULL, &out, &err, &status, NULL));
  if (status != 0)
    g_error("%s: ended with %d\n%s\n%s", (const char *)data, WEXITSTATUS(status), out, err);
  g_spawn_sync(NULL, (char **)(guintptr)rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
               NULL);
}

/* Adds a test for the page unless it has no commands. */
static guint add(const char *page) {
  g_autofree char *text = read_page(page), *name = g_strconcat("/commands/", page, NULL);
  if (!strstr(text, "\n```sh\n")) return 0;
  g_test_add_data_func_full(name, g_strdup(page), test_page, g_free);
  return 1;
}

static guint add_folder(const char *folder) {
  g_autofree char *path = g_build_filename(SOURCE, folder, NULL);
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  guint added = 0;
  for (const char *name; (name = g_dir_read_name(dir));) {
    g_autofree char *page = g_build_filename(folder, name, NULL);
    if (g_str_has_suffix(name, ".md")) added += add(page);
  }
  return added;
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_assert_cmpuint(add("README.md"), ==, 1);
  add_folder("docs"), add_folder("docs/howto");
  return g_test_run();
}
