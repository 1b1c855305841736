/* installed_fixture.h - the program as `meson install` leaves it, under a prefix that was moved,
 * for shells that know nothing else of it: no HOME, no path of plugins. */
#ifndef HN_INSTALLED_FIXTURE_H
#define HN_INSTALLED_FIXTURE_H
#include "cli_fixture.h"

/* Plugins are not built against a program under sanitizers, and what they train takes too long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define INSTALLED_IS_PLAIN false
#else
#  define INSTALLED_IS_PLAIN true
#endif

typedef struct Installed {
  Folder *dir;
  char *prefix;
  char **environment;
} Installed;

/* Runs a shell's script in `dir`; what it prints on both streams is in out. */
static inline Run installed_shell(const Installed *in, const char *dir, const char *script) {
  const char *const argv[] = {"sh", "-eu", "-c", script, NULL};
  g_autoptr(GSubprocessLauncher) l =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_subprocess_launcher_set_cwd(l, dir);
  g_subprocess_launcher_set_environ(l, in->environment);
  g_autoptr(GError) error = NULL;
  GSubprocess *p = g_subprocess_launcher_spawnv(l, argv, &error);
  g_assert_no_error(error);
  return end(p);
}

/* The same; a script that fails fails the test with all that it printed. */
static inline char *installed_must(const Installed *in, const char *dir, const char *script) {
  Run run = installed_shell(in, dir, script);
  if (run.code != 0) g_error("%s\nended with %d in %s:\n%s", script, run.code, dir, run.out);
  g_free(run.err);
  return run.out;
}

/* rustup's rustc looks for its toolchains below HOME. */
static inline char **installed_toolchains(char **environment) {
  static const char *const variables[][2] = {{"RUSTUP_HOME", ".rustup"}, {"CARGO_HOME", ".cargo"}};
  for (guint i = 0; i < G_N_ELEMENTS(variables); i++) {
    g_autofree char *usual = g_build_filename(g_get_home_dir(), variables[i][1], NULL);
    const char *set = g_getenv(variables[i][0]);
    if (set || g_file_test(usual, G_FILE_TEST_IS_DIR))
      environment = g_environ_setenv(environment, variables[i][0], set ? set : usual, TRUE);
  }
  return environment;
}

static inline Installed installed_new(void) {
  Installed in = {.dir = folder()};
  in.prefix = g_strconcat(in.dir, "/root", PREFIX, NULL);
  g_autofree char *path = g_strconcat(in.prefix, "/bin:", g_getenv("PATH"), NULL);
  g_autofree char *pc = g_build_filename(in.prefix, LIBDIR, "pkgconfig", NULL);
  g_autofree char *home = g_build_filename(in.dir, "home", NULL);
  const char *const set[][2] = {
      {"PATH", path}, {"PKG_CONFIG_PATH", pc}, {"HOME", home}, {"LC_ALL", "C.UTF-8"}};
  g_assert_cmpint(g_mkdir(home, 0777), ==, 0);
  in.environment = g_new0(char *, 1);
  for (guint i = 0; i < G_N_ELEMENTS(set); i++)
    in.environment = g_environ_setenv(in.environment, set[i][0], set[i][1], TRUE);
  in.environment = installed_toolchains(in.environment);
  g_autofree char *said = installed_must(
      &in, in.dir, "meson install -C " BUILD " --no-rebuild --quiet --destdir \"$PWD/root\"");
  return in;
}

static inline void installed_clear(Installed *in) {
  remove_folder(in->dir);
  g_free(in->prefix), g_strfreev(in->environment);
}
#endif
