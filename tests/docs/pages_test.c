/* pages_test.c - what the documentation points to is there: files, functions, links; the index
 * names every page, and the decisions are numbered in order. */
#include <glib.h>
#include <stdbool.h>
#include <string.h>

static const char *const folders[] = {"core", "plugins",     "tests", "bench",
                                      "docs", "experiments", ".ci"};
static GPtrArray *files; /* "/core/base/csv.c": files and folders of the tree */
static char *code;       /* all C files and meson files, one after another */

static GString *wrong; /* what a test has found, "; " between */

static void note(const char *page, const char *fault, const char *what) {
  g_string_append_printf(wrong, "%s%s: %s %s", wrong->len ? "; " : "", page, fault, what);
}

static void judge(void) {
  if (wrong->len) g_test_fail_printf("%s", wrong->str);
  g_string_truncate(wrong, 0);
}

static void list(const char *path, GString *text) {
  g_autofree char *full = g_build_filename(SOURCE, path, NULL);
  g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
  g_ptr_array_add(files, g_strconcat("/", path, NULL));
  if (!dir && (g_str_has_suffix(path, ".c") || g_str_has_suffix(path, ".h"))) {
    g_autofree char *content = NULL;
    g_assert_true(g_file_get_contents(full, &content, NULL, NULL));
    g_string_append(text, content);
  }
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *inner = g_build_filename(path, name, NULL);
    list(inner, text);
  }
}

static void list_tree(void) {
  GString *text = g_string_new(NULL);
  wrong = g_string_new(NULL);
  g_autoptr(GDir) top = g_dir_open(SOURCE, 0, NULL);
  files = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < G_N_ELEMENTS(folders); i++) list(folders[i], text);
  for (const char *name; (name = g_dir_read_name(top));)
    g_ptr_array_add(files, g_strconcat("/", name, NULL));
  code = g_string_free(text, FALSE);
}

static char *read_page(const char *page) {
  g_autofree char *path = g_build_filename(SOURCE, page, NULL);
  char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  return text;
}

/* Calls check(page, first group) for every match in every page that is documentation. */
static void in_pages(const char *pattern, void (*check)(const char *page, const char *found)) {
  g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
  guint found = 0;
  g_assert_nonnull(regex);
  for (guint i = 0; i < files->len; i++) {
    const char *page = (const char *)files->pdata[i] + 1;
    if (!g_str_has_suffix(page, ".md") || g_str_equal(page, "CHANGELOG.md")) continue;
    g_autofree char *text = read_page(page);
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL), found++) {
      g_autofree char *group = g_match_info_fetch(match, 1);
      check(page, group);
    }
  }
  g_assert_cmpuint(found, >, 10);
  judge();
}

/* ---- files ---- */

/* Whether a file or folder ends in `path`, in which '*' stands for anything. */
static bool is_in_tree(const char *path) {
  g_autofree char *end = g_strconcat("*/", path, NULL);
  g_autoptr(GPatternSpec) pattern = g_pattern_spec_new(end);
  for (guint i = 0; i < files->len; i++)
    if (g_pattern_spec_match_string(pattern, files->pdata[i])) return true;
  return false;
}

/* A name in capitals stands for any: cmd_VERB.c. */
static bool is_there(const char *path) {
  g_autoptr(GRegex) capitals = g_regex_new("[A-Z][A-Z]+", 0, 0, NULL);
  g_autofree char *any = g_regex_replace_literal(capitals, path, -1, 0, "*", 0, NULL);
  return is_in_tree(path) || (strcmp(any, path) != 0 && is_in_tree(any));
}

/* "core/base/csv.{c,h}" is two files. */
static void check_path(const char *page, const char *path) {
  g_autofree char *plain = g_strdup(path);
  if (g_str_has_suffix(plain, "/")) plain[strlen(plain) - 1] = '\0';
  const char *open = strchr(plain, '{'), *close = open ? strchr(open, '}') : NULL;
  if (!close) {
    if (!is_there(plain)) note(page, "no file", path);
    return;
  }
  g_autofree char *inner = g_strndup(open + 1, (gsize)(close - open - 1));
  g_auto(GStrv) choices = g_strsplit(inner, ",", -1);
  for (char **choice = choices; *choice; choice++) {
    g_autofree char *one =
        g_strdup_printf("%.*s%s%s", (int)(open - plain), plain, *choice, close + 1);
    check_path(page, one);
  }
}

/* In backticks: what begins with a folder of the tree, and the names of C files. */
static void test_files(void) {
  in_pages("`((?:core|plugins|tests|bench|docs|experiments)/[^`\\s]*|"
           "[a-zA-Z_0-9*/{},]+\\.(?:[ch]|\\{c,h\\}|\\{h,c\\}))`",
           check_path);
}

/* ---- names of the code ---- */

static void check_name(const char *page, const char *name) {
  if (!strstr(code, name)) note(page, "no name", name);
}

static void test_names(void) {
  in_pages("`((?:hn_|Hn|HN_)[A-Za-z0-9_]+)(?:[().*][^`]*)?`", check_name);
}

/* ---- links ---- */

static void check_link(const char *page, const char *target) {
  if (strstr(target, "://")) return;
  g_autofree char *folder = g_path_get_dirname(page);
  g_autofree char *path = g_build_filename(SOURCE, folder, target, NULL);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) note(page, "no target", target);
}

static void test_links(void) {
  in_pages("\\]\\(([^)#\\s]+)[^)]*\\)", check_link);
}

/* Pages of plugins are in an index of their own, whose rows a test writes. */
static void test_index(void) {
  g_autofree char *index = read_page("docs/index.md");
  for (guint i = 0; i < files->len; i++) {
    const char *file = files->pdata[i];
    if (!g_str_has_prefix(file, "/docs/") || !g_str_has_suffix(file, ".md") ||
        g_str_has_prefix(file, "/docs/results/") || g_str_equal(file, "/docs/index.md") ||
        (g_str_has_prefix(file, "/docs/plugins/") && !g_str_equal(file, "/docs/plugins/index.md")))
      continue;
    g_autofree char *link = g_strdup_printf("(%s)", file + strlen("/docs/"));
    if (!strstr(index, link)) note("docs/index.md", "no link to", file);
  }
  judge();
}

/* ---- decisions ---- */

static void test_decisions(void) {
  g_autofree char *text = read_page("core/DECISIONS.md");
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  gint64 last = 0;
  for (char **line = lines; *line; line++) {
    char *end;
    if (!g_ascii_isdigit(**line)) continue;
    gint64 number = g_ascii_strtoll(*line, &end, 10);
    if (number != ++last || !g_str_has_prefix(end, ". **"))
      g_error("decision %" G_GINT64_FORMAT " is not '%" G_GINT64_FORMAT ". **Title**': %s", number,
              last, *line);
  }
  g_assert_cmpint(last, >, 50);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  list_tree();
  g_test_add_func("/pages/files", test_files);
  g_test_add_func("/pages/names", test_names);
  g_test_add_func("/pages/links", test_links);
  g_test_add_func("/pages/index", test_index);
  g_test_add_func("/pages/decisions", test_decisions);
  const int result = g_test_run();
  g_ptr_array_unref(files), g_string_free(wrong, TRUE), g_free(code);
  return result;
}
