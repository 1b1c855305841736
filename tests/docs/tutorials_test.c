/* tutorials_test.c - docs/tutorials as a reader follows them, from an installed tree alone, each
 * page in a folder of its own:
 *
 *   ```sh           is run; folder and exported variables stay for the next
 *   ```text         is what the commands before it print: its lines, in this order, among others;
 *                   ".." and more dots stand for anything, and spaces for any number of them
 *   ```LANG FILE    is written to FILE
 *   ```LANG >> FILE is appended to it
 *
 * Any other block is an error.  A page whose `<!-- needs: A B -->` are not installed is skipped. */
#include "fenced_blocks.h"
#include "installed_fixture.h"

static Installed installed;

typedef struct Reader {
  const char *page;
  char *top;    /* the page's folder, */
  char *folder; /* and where its commands are now */
  char *out;    /* what the last commands printed */
} Reader;

static void run_commands(Reader *r, const Block *b) {
  g_autofree char *script = g_strdup_printf(
      "[ ! -e \"%s/.env\" ] || . \"%s/.env\"\ncd \"%s\"\nset -x\n%s\n{ set +x; } 2>&-\n"
      "export -p > \"%s/.env\"\npwd > \"%s/.pwd\"\n",
      r->top, r->top, r->folder, b->text, r->top, r->top);
  g_free(r->out);
  Run run = installed_shell(&installed, r->top, script);
  if (run.code != 0)
    g_error("%s:%u: ended with %d\n%s%s", r->page, b->line, run.code, b->text, run.out);
  g_free(run.err), g_free(r->folder);
  r->out = run.out, r->folder = g_strchomp(fake_read(r->top, ".pwd"));
}

/* A line of a stated output as a pattern, spaces made one. */
static char *pattern_of(const char *line) {
  g_autoptr(GRegex) dots = g_regex_new("\\s*\\.\\.+\\s*", 0, 0, NULL);
  g_autoptr(GRegex) spaces = g_regex_new("\\s+", 0, 0, NULL);
  g_autofree char *one = g_regex_replace_literal(spaces, line, -1, 0, " ", 0, NULL);
  return g_regex_replace_literal(dots, g_strstrip(one), -1, 0, "*", 0, NULL);
}

static bool is_like(const char *line, const char *stated) {
  g_autoptr(GRegex) spaces = g_regex_new("\\s+", 0, 0, NULL);
  g_autofree char *one = g_regex_replace_literal(spaces, line, -1, 0, " ", 0, NULL);
  g_autofree char *pattern = pattern_of(stated);
  return g_pattern_match_simple(pattern, g_strstrip(one));
}

static void compare(const Reader *r, const Block *b) {
  if (!r->out) g_error("%s:%u: no commands before it", r->page, b->line);
  g_auto(GStrv) stated = g_strsplit(g_strchomp(b->text), "\n", -1);
  g_auto(GStrv) lines = g_strsplit(r->out, "\n", -1);
  char **line = lines;
  for (char **s = stated; *s; s++) {
    while (*line && !is_like(*line, *s)) line++;
    if (!*line) g_error("%s:%u: '%s' was not printed:\n%s", r->page, b->line, *s, r->out);
    line++;
  }
}

static void write_listing(const Reader *r, const Block *b, const char *file) {
  const bool appends = g_str_has_prefix(file, ">> ");
  g_autofree char *before = appends ? fake_read(r->folder, file + 3) : g_strdup("");
  g_autofree char *all = g_strconcat(before, b->text, NULL);
  fake_write(r->folder, file + (appends ? 3 : 0), all);
}

static void read_block(Reader *r, const Block *b) {
  const char *file = strchr(b->info, ' ');
  if (file)
    write_listing(r, b, file + 1);
  else if (g_str_equal(b->info, "sh"))
    run_commands(r, b);
  else if (g_str_equal(b->info, "text"))
    compare(r, b);
  else
    g_error("%s:%u: a block of '%s' is neither run nor a file", r->page, b->line, b->info);
}

static bool lacks(const char *text) {
  g_autoptr(GRegex) needs = g_regex_new("<!-- needs: (.*) -->", 0, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  if (!g_regex_match(needs, text, 0, &match)) return false;
  g_autofree char *list = g_match_info_fetch(match, 1);
  g_auto(GStrv) programs = g_strsplit(list, " ", -1);
  for (char **p = programs; *p; p++) {
    g_autofree char *found = g_find_program_in_path(*p);
    if (found) continue;
    g_test_skip_printf("no %s here", *p);
    return true;
  }
  return false;
}

static void test_page(gconstpointer data) {
  g_autofree char *text = fake_read(SOURCE "/docs/tutorials", data);
  if (lacks(text)) return;
  g_autoptr(GPtrArray) blocks = blocks_of(text);
  Reader r = {.page = data, .top = g_build_filename(installed.dir, data, NULL)};
  r.folder = g_strdup(r.top);
  g_assert_cmpint(g_mkdir(r.top, 0777), ==, 0);
  g_assert_cmpuint(blocks->len, >, 3);
  for (guint i = 0; i < blocks->len; i++) read_block(&r, blocks->pdata[i]);
  g_free(r.top), g_free(r.folder), g_free(r.out);
}

/* What the comparison takes for the same, and what not. */
static void test_comparison(void) {
  g_assert_true(is_like("  rl2    3  99.7  [1, 2]   +0.3  better", "rl2 ... better"));
  g_assert_true(is_like("580 steps obey", "... steps obey"));
  g_assert_true(is_like("Fail:               0   ", "Fail: 0"));
  g_assert_false(is_like("  rl2    3  99.7  [1, 2]   +0.3  better", "rl2 ... worse"));
  g_assert_false(is_like("10 kept, 1 broken", "10 kept, 0 broken"));
  g_assert_false(is_like("exit code 33", "exit code 3"));
}

static void remember_page(GPtrArray *pages, const char *name) {
  if (g_str_has_suffix(name, ".md")) g_ptr_array_add(pages, g_strdup(name));
}

int main(int argc, char **argv) {
  if (!INSTALLED_IS_PLAIN) return puts("1..0 # SKIP under sanitizers"), 0;
  g_test_init(&argc, &argv, NULL);
  g_autoptr(GPtrArray) pages = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(SOURCE "/docs/tutorials", 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir));) remember_page(pages, name);
  g_assert_cmpuint(pages->len, >=, 5);
  installed = installed_new();
  g_test_add_func("/tutorials/comparison", test_comparison);
  for (guint i = 0; i < pages->len; i++) {
    g_autofree char *path = g_strconcat("/tutorials/", pages->pdata[i], NULL);
    g_test_add_data_func(path, pages->pdata[i], test_page);
  }
  const int result = g_test_run();
  installed_clear(&installed);
  return result;
}
