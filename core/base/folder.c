/* folder.c - see folder.h. */
#include "folder.h"
#include <ftw.h>
#include <glib/gstdio.h>

enum { OPEN_MAX_FOLDERS = 16 };

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *at) {
  (void)facts, (void)kind, (void)at;
  g_remove(path);
  return 0;
}

void hn_folder_remove(const char *path) {
  nftw(path, remove_one, OPEN_MAX_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
