/* cmd_doctor.c - `hunch doctor`: what hunch needs on this machine, and what to install if it lacks.
 */
#include "determinism.h"
#include "json.h"
#include "kit_library.h"
#include "message.h"
#include "options.h"
#include "registry.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <yaml.h>

typedef enum Verdict { GOOD, OPTIONAL, BAD } Verdict;

/* One line, or an element of the open array; returns whether something essential is missing. */
G_GNUC_PRINTF(4, 5)
static bool say(JsonBuilder *b, Verdict verdict, const char *what, const char *format, ...) {
  static const char *const words[] = {"ok", "note", "FAIL"};
  static const HnStyle styles[] = {HN_GREEN, HN_YELLOW, HN_RED};
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  if (b) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "what", what), hn_json_add_string(b, "verdict", words[verdict]);
    hn_json_add_string(b, "says", text);
    json_builder_end_object(b);
    return verdict == BAD;
  }
  g_autofree char *line =
      g_strdup_printf("%s%-4s%s  %-14s %s\n", hn_message_style(STDOUT_FILENO, styles[verdict]),
                      words[verdict], hn_message_style(STDOUT_FILENO, HN_PLAIN), what, text);
  hn_message_lines(line);
  return verdict == BAD;
}

/* The value after the first `key` at the start of a line of a /proc file, or NULL; g_free. */
static char *proc_value(const char *file, const char *key) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents(file, &text, NULL, NULL)) return NULL;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++) {
    const char *colon = strchr(*line, ':');
    if (colon && g_str_has_prefix(*line, key)) return g_strstrip(g_strdup(colon + 1));
  }
  return NULL;
}

static void check_machine(JsonBuilder *b) {
  g_autofree char *model = proc_value("/proc/cpuinfo", "model name");
  g_autofree char *total = proc_value("/proc/meminfo", "MemTotal");
  g_autofree char *free_now = proc_value("/proc/meminfo", "MemAvailable");
  say(b, GOOD, "processor", "%s, %u of its threads usable", model ? model : "unknown",
      g_get_num_processors());
  if (total && free_now)
    say(b, GOOD, "memory", "%.1f GiB, %.1f GiB available", g_ascii_strtod(total, NULL) / (1 << 20),
        g_ascii_strtod(free_now, NULL) / (1 << 20));
}

/* Whether OpenBLAS's kernels of that name use AVX-512. */
static bool is_wide(const char *core) {
  static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
  return g_strv_contains(wide, core);
}

/* Whether they use AVX2 and FMA. */
static bool is_modern(const char *core) {
  return strcmp(core, "Haswell") == 0 || strcmp(core, "Zen") == 0 || is_wide(core);
}

static void check_versions(JsonBuilder *b) {
  say(b, GOOD, "hunch", "%s, plugin ABI %d.%d", HN_VERSION, HN_ABI_MAJOR, HN_ABI_MINOR);
  say(b, GOOD, "GLib", "%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
  say(b, GOOD, "libyaml", "%s", yaml_get_version_string());
}

/* Kernels older than the processor: OpenBLAS was told to take them, or is older than it. */
static void check_kernels(JsonBuilder *b, const char *isa, const char *core) {
  const char *set = g_getenv("OPENBLAS_CORETYPE");
  const bool told = set && *set, old = !hn_portable_lacks() && !is_modern(core);
  if (told && old)
    say(b, OPTIONAL, "OpenBLAS", "OPENBLAS_CORETYPE=%s keeps it from AVX2: runs are slow", set);
  else if (old)
    say(b, OPTIONAL, "OpenBLAS",
        "it does not know this processor: %s's kernels are without AVX2, and "
        "run.determinism: fast is slow; portable takes " HN_PORTABLE_BLAS
        "'s, and so does fast with OPENBLAS_CORETYPE=" HN_PORTABLE_BLAS,
        core);
  else if (told && strcmp(isa, "v4") == 0 && !is_wide(core))
    say(b, OPTIONAL, "OpenBLAS", "OPENBLAS_CORETYPE=%s keeps it from AVX-512: slower in float64",
        set);
}

/* Known once a plugin has loaded them. */
static void check_numerics(JsonBuilder *b) {
  const char *isa = hn_kit_library_isa(), *core = hn_kit_library_blas();
  if (!isa || !core) {
    say(b, OPTIONAL, "kit", "no plugin has loaded it");
    return;
  }
  const char *version = hn_kit_library_blas_version();
  say(b, GOOD, "OpenBLAS", "kernels %s where run.determinism is fast, one thread a worker (%s)",
      core, version ? version : "version unknown");
  check_kernels(b, isa, core);
  const char *pinned = g_getenv("HUNCH_ISA");
  say(b, GOOD, "kit", "instruction set %s%s", isa,
      pinned && *pinned ? ", pinned by HUNCH_ISA" : "");
}

/* What results' bits hang on besides kit and OpenBLAS; whether runs can be portable here. */
static void check_portable(JsonBuilder *b) {
  const char *lacking = hn_portable_lacks();
  say(b, GOOD, "libm", "%s, fingerprint %s", hn_libm_version(), hn_libm_fingerprint());
  if (lacking)
    say(b, OPTIONAL, "portable",
        "run.determinism: portable needs AVX2 and FMA; this machine lacks %s", lacking);
  else
    say(b, GOOD, "portable",
        "runs get the same bits on every x86-64 with AVX2 and FMA, by OpenBLAS's "
        "kernels " HN_PORTABLE_BLAS);
}

static void check_tool(JsonBuilder *b, const char *tool, const char *package, const char *purpose) {
  g_autofree char *path = g_find_program_in_path(tool);
  if (path)
    say(b, GOOD, tool, "%s", path);
  else
    say(b, OPTIONAL, tool, "not found; %s: apt-get install %s", purpose, package);
}

/* Whether compilers find the headers of this very hunch, as plugins outside its sources ask. */
static void check_headers(JsonBuilder *b) {
  char *ask[] = {"pkg-config", "--variable=plugindir", "hunch", NULL};
  g_autofree char *out = NULL, *folder = NULL;
  g_auto(GStrv) own = hn_plugins_folders();
  int status = -1;
  if (!g_spawn_sync(NULL, ask, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                    &out, NULL, &status, NULL))
    return; /* there is no pkg-config, which has been said */
  if (status == 0 && *g_strstrip(out)) folder = g_canonicalize_filename(out, NULL);
  if (!folder)
    say(b, OPTIONAL, "headers",
        "pkg-config finds no hunch; plugins outside its sources need 'meson install -C build' and "
        "export PKG_CONFIG_PATH=PREFIX/lib/pkgconfig (or PREFIX/lib/x86_64-linux-gnu/pkgconfig)");
  else if (!g_strv_contains((const char *const *)own, folder))
    say(b, OPTIONAL, "headers", "pkg-config finds those of another hunch, whose plugins are in %s",
        folder);
  else
    say(b, GOOD, "headers", "pkg-config finds those of this hunch");
}

/* The Debian package that holds the library a loader's message names, or NULL. */
static const char *package_of(const char *reason) {
  static const char *const known[][2] = {{"libmujoco.so", "libmujoco2.2.2"},
                                         {"libopenblas.so", "libopenblas0-pthread"}};
  for (guint i = 0; i < G_N_ELEMENTS(known); i++)
    if (strstr(reason, known[i][0])) return known[i][1];
  return NULL;
}

static bool check_plugins(JsonBuilder *b) {
  bool missing = false;
  g_auto(GStrv) folders = hn_plugins_folders();
  g_auto(GStrv) ignored = hn_plugins_ignored();
  for (char **f = folders; *f; f++) {
    const bool there = g_file_test(*f, G_FILE_TEST_IS_DIR);
    say(b, there ? GOOD : OPTIONAL, "plugin folder", "%s%s", *f, there ? "" : " does not exist");
  }
  for (char **text = ignored; *text; text++) say(b, OPTIONAL, "plugin folder", "%s", *text);

  g_autoptr(GPtrArray) all = hn_plugins_scan();
  guint counts[HN_KIND_POLICY + 1] = {0};
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    const char *package = found->reason ? package_of(found->reason) : NULL;
    if (found->plugin)
      counts[found->plugin->kind]++;
    else
      say(b, OPTIONAL, "rejected", "%s%s%s", found->reason, package ? ": apt-get install " : "",
          package ? package : "");
  }
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    if (counts[kind])
      say(b, GOOD, "plugins", "%u of kind %s", counts[kind], hn_kind_name(kind));
    else
      missing |= say(b, BAD, "plugins",
                     "none of kind %s: install hunch (meson install), or name "
                     "their folder in HUNCH_PLUGIN_PATH",
                     hn_kind_name(kind));
  }
  return missing;
}

/* Where `hunch run` writes unless told otherwise. */
static bool check_runs(JsonBuilder *b) {
  bool exists = g_file_test("runs", G_FILE_TEST_EXISTS);
  const char *folder = exists ? "runs" : ".";
  g_autofree char *path = g_canonicalize_filename("runs", NULL);
  if (access(folder, W_OK | X_OK) != 0)
    return say(b, BAD, "runs folder",
               "%s cannot be written: go to a folder that can, or run with -o", path);
  struct statvfs disk;
  if (statvfs(folder, &disk) != 0) return say(b, GOOD, "runs folder", "%s", path);
  say(b, GOOD, "runs folder", "%s%s, %.1f GiB free", path, exists ? "" : " (made when needed)",
      (double)disk.f_bavail * (double)disk.f_frsize / (1 << 30));
  return false;
}

/* Whether something essential is missing. */
static bool check_all(JsonBuilder *b) {
  check_versions(b);
  check_machine(b);
  check_tool(b, "gnuplot", "gnuplot-nox", "'hunch report' draws its figures with it");
  check_tool(b, "ffmpeg", "ffmpeg", "only videos need it");
  check_tool(b, "cc", "gcc", "plugins of your own in C are compiled with it");
  check_tool(b, "meson", "meson", "what 'hunch new' writes is built with it");
  check_tool(b, "pkg-config", "pkg-config", "it tells compilers where hunch's headers are");
  check_headers(b);
  bool missing = check_plugins(b);
  check_numerics(b);
  check_portable(b);
  return check_runs(b) || missing;
}

int hn_cmd_doctor(int argc, char **argv) {
  gboolean json = FALSE;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text.", NULL}, {NULL}};
  const HnVerb *verb = hn_verb_find("doctor");
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc > 1) return hn_options_refuse(verb, "'%s': nothing more is taken", argv[1]);
  JsonBuilder *b = json ? hn_json_begin() : NULL;
  if (b) hn_json_open_array(b, "findings");
  const bool missing = check_all(b);
  if (b) {
    json_builder_end_array(b);
    hn_json_add_bool(b, "ready", !missing);
    g_autofree char *text = hn_json_end(b);
    fputs(text, stdout);
  }
  if (missing) hn_message_error("doctor", "something that hunch needs is missing: see FAIL above");
  return missing ? HN_EXIT_FAILED : HN_EXIT_DONE;
}
