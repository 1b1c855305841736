/* signature.c - see signature.h. */
#include "signature.h"
#include "error.h"
#include <string.h>

char *hn_signature_path(const char *file) {
  return g_strconcat(file, ".minisig", NULL);
}

bool hn_signature_ready(GError **error) {
  g_autofree char *program = g_find_program_in_path("minisign");
  return program || hn_error_set(error, HN_ERROR_MISSING,
                                 "signatures need the program minisign, which is not installed");
}

/* Its last words where it failed; g_free. */
static char *run(const char *const *argv) {
  g_autofree char *err = NULL;
  g_autoptr(GError) why = NULL;
  int status = -1;
  const GSpawnFlags how =
      G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN | G_SPAWN_STDOUT_TO_DEV_NULL;
  if (!g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, how, NULL, NULL, NULL, &err, &status,
                    &why))
    return g_strdup(why->message);
  if (g_spawn_check_wait_status(status, NULL)) return NULL;
  return g_strdup(*g_strstrip(err) ? err : "failed without a word");
}

bool hn_signature_make(const char *file, const char *key, GError **error) {
  g_autofree char *signature = hn_signature_path(file);
  const char *argv[] = {"minisign",      "-S", "-s", key, "-m", file, "-x", signature, "-t",
                        "hunch package", NULL};
  if (!hn_signature_ready(error)) return false;
  g_autofree char *why = run(argv);
  return !why || hn_error_set(error, HN_ERROR_PROGRAM, "minisign: %s", why);
}

bool hn_signature_check(const char *file, const char *key, GError **error) {
  g_autofree char *signature = hn_signature_path(file);
  const char *which = g_file_test(key, G_FILE_TEST_EXISTS) ? "-p" : "-P";
  const char *argv[] = {"minisign", "-V", "-q", which, key, "-m", file, "-x", signature, NULL};
  if (!hn_signature_ready(error)) return false;
  if (!g_file_test(signature, G_FILE_TEST_EXISTS))
    return hn_error_set(error, HN_ERROR_DIFFERS, "there is no signature: %s", signature);
  g_autofree char *why = run(argv);
  return !why || hn_error_set(error, HN_ERROR_DIFFERS, "the signature is not of that key: %s", why);
}
