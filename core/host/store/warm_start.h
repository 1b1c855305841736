/* warm_start.h - finds and takes the checkpoint that a cell starts from. */
#ifndef HN_WARM_START_H
#define HN_WARM_START_H
#include "cell.h"

/* The checkpoint that cell->weights names, in the folder `study` of a study; NULL with
 * HN_ERROR_REFUSED, and in *key the key of the block that is to blame.  g_free. */
char *hn_warm_start_find(const HnCell *cell, const char *study, const char **key, GError **error);
/* Whether that checkpoint is there and undamaged; HN_ERROR_REFUSED. */
bool hn_warm_start_whole(const HnCell *cell, const char *study, GError **error);
/* SHA-256 of a file in hex, g_free; NULL with HN_ERROR_REFUSED.  Computed once for a path. */
char *hn_warm_start_sha256(const char *path, GError **error);

/* Finds the weights and copies them into the table (HnState) of a session that has not begun; `dir`
 * is the cell's own folder.  Notes in meta which were taken.  HN_ERROR_REFUSED: nothing was
 * changed.
 */
bool hn_warm_start_load(const HnCell *cell, const char *dir, GPtrArray *states, GHashTable *meta,
                        GError **error);
#define HN_META_FROM        "weights from"
#define HN_META_FROM_SHA256 "weights from sha256"
#endif
