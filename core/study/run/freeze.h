/* freeze.h - the program, its libraries and the plugins of cells that run later, kept as they are:
 *
 *   FOLDER/HASH/hunch
 *   FOLDER/HASH/lib/           the kit, and other libraries that are not the system's
 *   FOLDER/HASH/plugins/       those that are named
 *   FOLDER/HASH/plugins/HASH/  those that are given as a path */
#ifndef HN_FREEZE_H
#define HN_FREEZE_H
#include "study.h"

typedef struct HnFrozen {
  char *hash;       /* 16 hexadecimal digits of the SHA-256 of all names and contents */
  GPtrArray *files; /* in the order of their names */
} HnFrozen;

/* Reads what the cells (HnCell *) need, as this process has loaded it.  NULL with HN_ERROR_FILE, or
 * HN_ERROR_DIFFERS where a plugin was built anew meanwhile. */
HnFrozen *hn_freeze(const GPtrArray *cells, GError **error);
void hn_frozen_free(HnFrozen *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnFrozen, hn_frozen_free)
/* Writes what is not there yet below `folder`; HN_ERROR_FILE. */
bool hn_frozen_write(const HnFrozen *f, const char *folder, GError **error);
/* config.resolved.yaml of a cell, with paths of plugins below `folder`; g_free. */
char *hn_frozen_configuration(const HnFrozen *f, const HnCell *cell, const char *folder);
#endif
