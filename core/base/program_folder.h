/* program_folder.h - folders that came with this program. */
#ifndef HN_PROGRAM_FOLDER_H
#define HN_PROGRAM_FOLDER_H
#include <glib.h>

/* in_tree, a full path, where the program stands in the build tree, else from_bin, as seen from the
 * program's own folder, so that an installed tree can be moved; g_free.  NULL: the program's own
 * path is unknown. */
char *hn_program_folder(const char *in_tree, const char *from_bin);
#endif
