/* output_file.h - where a user's output may go: over a regular file, or where nothing is. */
#ifndef HN_OUTPUT_FILE_H
#define HN_OUTPUT_FILE_H
#include <glib.h>

/* The path to write: `path`, or where a symbolic link at it leads, so that the link stays; g_free.
 * NULL with HN_ERROR_REFUSED where a device, pipe, socket or folder is. */
char *hn_output_path(const char *path, GError **error);
/* A name beside `path` with the same ending, to write first and rename; g_free. */
char *hn_output_beside(const char *path);
#endif
