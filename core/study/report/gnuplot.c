/* gnuplot.c - see gnuplot.h. */
#include "gnuplot.h"
#include "error.h"
#include <gio/gio.h>
#include <string.h>

/* Runs a script; *said: what it wrote to stderr. */
static bool run(const char *script, const char *folder, char **said, GError **error) {
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE |
                                G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_subprocess_launcher_set_cwd(launcher, folder);
  g_subprocess_launcher_setenv(launcher, "LC_ALL", "C.UTF-8", TRUE);
  g_subprocess_launcher_unsetenv(launcher, "GNUTERM");
  g_autoptr(GError) why = NULL;
  g_autoptr(GSubprocess) p =
      g_subprocess_launcher_spawn(launcher, &why, "gnuplot", "-d", "-", NULL);
  if (!p) {
    bool missing = g_error_matches(why, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
    return hn_error_set(error, HN_ERROR_MISSING,
                        missing ? "gnuplot is not installed (Debian: apt install gnuplot-nox)"
                                : "gnuplot cannot be started: %s",
                        why->message);
  }
  if (!g_subprocess_communicate_utf8(p, script, NULL, NULL, said, error)) return false;
  if (g_subprocess_get_successful(p)) return true;
  return hn_error_set(error, HN_ERROR_PROGRAM, "gnuplot failed: %s",
                      *said ? g_strstrip(*said) : "killed");
}

bool hn_gnuplot_run(const char *script, const char *folder, GError **error) {
  g_autofree char *said = NULL;
  return run(script, folder, &said, error);
}

bool hn_gnuplot_writes_pdf(const char *folder, bool *pdf, GError **error) {
  g_autofree char *terminals = NULL; /* `print` goes to stderr */
  const bool ok = run("print GPVAL_TERMINALS\n", folder, &terminals, error);
  *pdf = ok && terminals && strstr(terminals, "pdfcairo");
  return ok;
}
