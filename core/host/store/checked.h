/* checked.h - which plugins have been found to keep the laws of `hunch check`.
 *
 * A record is a small sealed JSON file, SHA256.json by the SHA-256 of the plugin's file, so that a
 * plugin that is compiled again has none.  It is looked for in $XDG_STATE_HOME/hunch/checked (by
 * default ~/.local/state/hunch/checked), where `hunch check` writes, then in the folder `checked`
 * beside the plugin, where whoever installs plugins may put it. */
#ifndef HN_CHECKED_H
#define HN_CHECKED_H
#include "registry.h"

typedef struct HnCheckRecord {
  int64_t laws;      /* version of the laws */
  int kept, skipped; /* how many of them */
  char *hunch;       /* version of the program; NULL in what is to be written: this one */
  char *arguments;   /* what it was judged with, "size=7", or "" */
} HnCheckRecord;

/* Where `hunch check` records; g_free. */
char *hn_checked_folder(void);
/* Writes the record of a plugin into a folder that is made if need be.  Returns the record's path
 * (g_free), or NULL with an error; NULL without one for a plugin that is linked in, which has no
 * file. */
char *hn_checked_write(const char *folder, const HnPlugin *plugin, const HnCheckRecord *record,
                       GError **error);
/* Removes what `hunch check` recorded of a plugin, if it did. */
void hn_checked_forget(const HnPlugin *plugin);
/* Whether there is a record of this very file; then fills it, to be cleared. */
bool hn_checked_find(const HnPlugin *plugin, HnCheckRecord *record);
/* The same of a plugin's file with that SHA-256, which is not loaded. */
bool hn_checked_find_file(const char *file, const char *sha256, HnCheckRecord *record);
void hn_checked_clear(HnCheckRecord *record);
#endif
