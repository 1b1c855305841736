/* python_fixture.h - scripts in Python, which judge what hunch writes where the modules that they
 * need are installed. */
#ifndef HN_PYTHON_FIXTURE_H
#define HN_PYTHON_FIXTURE_H
#include <glib.h>
#include <sys/wait.h>

/* What a script says that ends with 0, given arguments (NULL-terminated), in dir; g_free.  NULL:
 * each Python that there is ended it with 77, as it lacks a module; others fail the test. */
static inline char *python_says(const char *dir, const char *script, const char *const *arguments) {
  static const char *const pythons[] = {"python3", "/usr/bin/python3"}; /* Debian's has packages */
  for (guint i = 0; i < G_N_ELEMENTS(pythons); i++) {
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *out = NULL, *err = NULL;
    int status = -1;
    g_ptr_array_add(argv, (gpointer)(guintptr)pythons[i]);
    g_ptr_array_add(argv, (gpointer)(guintptr)script);
    for (const char *const *a = arguments; a && *a; a++)
      g_ptr_array_add(argv, (gpointer)(guintptr)*a);
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(dir, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                      &status, NULL))
      continue;
    if (g_spawn_check_wait_status(status, NULL)) return g_steal_pointer(&out);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 77) g_error("%s%s", out, err);
  }
  return NULL;
}
#endif
