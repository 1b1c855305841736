/* output_file.h - where a user's output may go: over a regular file, or where nothing is; and how
 * files come onto the disk whole. */
#ifndef HN_OUTPUT_FILE_H
#define HN_OUTPUT_FILE_H
#include <glib.h>
#include <stdbool.h>

/* The path to write: `path`, or where a symbolic link at it leads, so that the link stays; g_free.
 * NULL with HN_ERROR_REFUSED where a device, pipe, socket or folder is, with HN_ERROR_MISSING where
 * there is no folder to write it in: a name that was mistyped makes no folders. */
char *hn_output_path(const char *path, GError **error);
/* Whether the folder is there that `path` is to be written in; HN_ERROR_MISSING. */
bool hn_output_has_folder(const char *path, GError **error);
/* A name beside `path` with the same ending, to write first and rename; g_free. */
char *hn_output_beside(const char *path);
/* Writes a file beside `path`, to the disk, and renames it; the error names it. */
bool hn_output_replace(const char *path, const char *text, GError **error);
/* Has the names in a folder on the disk; HN_ERROR_FILE. */
bool hn_output_sync_folder(const char *path, GError **error);
#endif
