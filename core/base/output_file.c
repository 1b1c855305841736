/* output_file.c - see output_file.h. */
#include "output_file.h"
#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool hn_output_has_folder(const char *path, GError **error) {
  g_autofree char *folder = g_path_get_dirname(path);
  return g_file_test(folder, G_FILE_TEST_IS_DIR) ||
         hn_error_set(error, HN_ERROR_MISSING, "%s: there is no folder %s to write it in", path,
                      folder);
}

char *hn_output_path(const char *path, GError **error) {
  GStatBuf file;
  if (g_stat(path, &file) != 0) /* nothing there, or nothing to be had */
    return hn_output_has_folder(path, error) ? g_strdup(path) : NULL;
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

bool hn_output_replace(const char *path, const char *text, GError **error) {
  return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666, error);
}

bool hn_output_sync_folder(const char *path, GError **error) {
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  /* some file systems know no fsync of a folder: there, its names are on disk as they are made */
  const bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
  if (!ok) hn_error_set(error, HN_ERROR_FILE, "%s: cannot write: %s", path, g_strerror(errno));
  if (fd >= 0) close(fd);
  return ok;
}
