/* headers_test.c - every header of core and plugins compiles alone, as C11 with gcc and clang;
 * every public one as C++17 with g++ and clang++, too; all without a warning.  A private header
 * sees the include folders and definitions of the sources of its folder. */
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <string.h>

static GPtrArray *headers;  /* "core/..", "plugins/.." */
static GHashTable *options; /* of each source, by its path: char ** */

static void list_headers(const char *folder) {
  g_autofree char *path = g_build_filename(SOURCE, folder, NULL);
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  g_assert_nonnull(dir);
  for (const char *name; (name = g_dir_read_name(dir));) {
    g_autofree char *file = g_build_filename(folder, name, NULL);
    g_autofree char *full = g_build_filename(SOURCE, file, NULL);
    if (g_file_test(full, G_FILE_TEST_IS_DIR)) list_headers(file);
    if (g_str_has_suffix(name, ".h")) g_ptr_array_add(headers, g_steal_pointer(&file));
  }
}

static bool matters(const char *option) {
  return g_str_has_prefix(option, "-I") || g_str_has_prefix(option, "-D") ||
         g_str_has_prefix(option, "-march") || g_str_has_prefix(option, "-std");
}

/* From the build's own record of how it compiles; the first command of a file counts. */
static void read_options(void) {
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;
  json_parser_load_from_file(parser, BUILD "/compile_commands.json", &error);
  g_assert_no_error(error);
  JsonArray *all = json_node_get_array(json_parser_get_root(parser));
  for (guint k = 0; k < json_array_get_length(all); k++) {
    JsonObject *one = json_array_get_object_element(all, k);
    char *file = g_canonicalize_filename(json_object_get_string_member(one, "file"), BUILD);
    g_auto(GStrv) words = NULL;
    g_assert_true(
        g_shell_parse_argv(json_object_get_string_member(one, "command"), NULL, &words, NULL));
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (char **word = words; *word; word++)
      if (matters(*word)) g_ptr_array_add(kept, g_strdup(*word));
    g_ptr_array_add(kept, NULL);
    if (g_hash_table_contains(options, file))
      g_free(file), g_strfreev((char **)g_ptr_array_steal(kept, NULL));
    else
      g_hash_table_insert(options, file, g_ptr_array_steal(kept, NULL));
  }
}

/* The options of the source that a header belongs to, else of any of its folder; NULL: none. */
static char **options_of(const char *header) {
  g_autofree char *full = g_build_filename(SOURCE, header, NULL);
  g_autofree char *folder = g_path_get_dirname(full), *source = g_strdup(full);
  source[strlen(source) - 1] = 'c';
  char **found = g_hash_table_lookup(options, source);
  GHashTableIter iter;
  gpointer file, value;
  const char *first = NULL;
  g_hash_table_iter_init(&iter, options);
  while (!found && g_hash_table_iter_next(&iter, &file, &value)) {
    g_autofree char *other = g_path_get_dirname(file);
    if (strcmp(other, folder) == 0 && (!first || strcmp(file, first) < 0)) first = file;
  }
  return found || !first ? found : g_hash_table_lookup(options, first);
}

/* Whether the build leaves its sources out, for want of a library: headers that begin so, and a
 * source that needs that. */
static bool is_left_out(const char *header) {
  static const char *const optional[][2] = {
      {"plugins/envs/m", "plugins/envs/mujoco/sim.c"},
      {"core/study/serve/http_library.h", "core/study/serve/http_library.c"}};
  for (guint i = 0; i < G_N_ELEMENTS(optional); i++) {
    g_autofree char *source = g_build_filename(SOURCE, optional[i][1], NULL);
    if (g_str_has_prefix(header, optional[i][0]) && !g_hash_table_contains(options, source))
      return true;
  }
  return false;
}

static bool is_public(const char *header) {
  return g_str_has_prefix(header, "core/include/");
}

typedef struct Job {
  GSubprocess *process;
  const char *header;
} Job;

/* Waits for the oldest job; prints what its compiler had to say. */
static void finish(GQueue *jobs) {
  Job *job = g_queue_pop_head(jobs);
  g_autofree char *text = NULL;
  g_assert_true(g_subprocess_communicate_utf8(job->process, NULL, NULL, NULL, &text, NULL));
  if (!g_subprocess_get_successful(job->process)) {
    g_test_message("%s:\n%s", job->header, text);
    g_test_fail();
  }
  g_object_unref(job->process), g_free(job);
}

static void start(GQueue *jobs, const char *compiler, bool cpp, const char *header) {
  g_autoptr(GStrvBuilder) words = g_strv_builder_new();
  g_autofree char *full = g_build_filename(SOURCE, header, NULL);
  const char *warnings[] = {"-fsyntax-only", "-Wall", "-Wextra", "-pedantic", "-Werror", NULL};
  const char *subject[] = {cpp ? "-std=c++17" : "-std=c11",
                           "-include",
                           full,
                           "-x",
                           cpp ? "c++" : "c",
                           "/dev/null",
                           NULL};
  g_strv_builder_add(words, compiler);
  g_strv_builder_addv(words, warnings);
  if (is_public(header))
    g_strv_builder_add(words, "-I" SOURCE "/core/include");
  else if (options_of(header))
    g_strv_builder_addv(words, (gpointer)options_of(header));
  else
    g_error("%s: no source in its folder is compiled", header);
  g_strv_builder_addv(words, subject);
  g_auto(GStrv) argv = g_strv_builder_end(words);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr(GError) error = NULL;
  g_subprocess_launcher_set_cwd(launcher, BUILD);
  Job *job = g_new0(Job, 1);
  job->header = header;
  job->process = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, &error);
  g_assert_no_error(error);
  g_queue_push_tail(jobs, job);
}

static void test_alone(gconstpointer data) {
  const char *compiler = data;
  const bool cpp = g_str_has_suffix(compiler, "++");
  g_autofree char *path = g_find_program_in_path(compiler);
  if (!path) {
    g_test_skip("not installed");
    return;
  }
  g_autoptr(GQueue) jobs = g_queue_new();
  int count = 0;
  for (guint k = 0; k < headers->len; k++) {
    const char *header = headers->pdata[k];
    if (cpp ? !is_public(header) : g_str_has_suffix(header, "/cplusplus.h")) continue;
    if (is_left_out(header)) continue;
    if (jobs->length == g_get_num_processors()) finish(jobs);
    start(jobs, path, cpp, header), count++;
  }
  while (jobs->length > 0) finish(jobs);
  g_assert_cmpint(count, >=, cpp ? 15 : 100);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  headers = g_ptr_array_new_with_free_func(g_free);
  options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
  list_headers("core"), list_headers("plugins");
  read_options();
  g_test_add_data_func("/headers/gcc", "gcc", test_alone);
  g_test_add_data_func("/headers/clang", "clang", test_alone);
  g_test_add_data_func("/headers/g++", "g++", test_alone);
  g_test_add_data_func("/headers/clang++", "clang++", test_alone);
  const int code = g_test_run();
  g_ptr_array_unref(headers), g_hash_table_unref(options);
  return code;
}
