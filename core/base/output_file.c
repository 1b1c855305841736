/* output_file.c - see output_file.h. */
#include "output_file.h"
#include "error.h"
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *hn_output_path(const char *path, GError **error) {
  GStatBuf file;
  if (g_stat(path, &file) != 0) return g_strdup(path); /* nothing there, or nothing to be had */
  if (!S_ISREG(file.st_mode)) {
    hn_error_set(error, HN_ERROR_REFUSED, "%s: is not a regular file: name another output", path);
    return NULL;
  }
  char *real = realpath(path, NULL); /* by the C library's malloc */
  char *copy = g_strdup(real ? real : path);
  free(real);
  return copy;
}

char *hn_output_beside(const char *path) {
  g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
  g_autofree char *part = g_strconcat(".part-", name, NULL);
  return g_build_filename(folder, part, NULL);
}
