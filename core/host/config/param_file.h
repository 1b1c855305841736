/* param_file.h - files that parameters name: where they are and what is in them. */
#ifndef HN_PARAM_FILE_H
#define HN_PARAM_FILE_H
#include "yaml_tree.h"

/* The full path, interned, of the regular file that a node of a parameter names; NULL with a text
 * in *why (g_free).  Takes note of what is in it, until it is read again.  Not thread-safe. */
const char *hn_param_file_read(const HnNode *n, char **why);
/* SHA-256 in hex of a file that was read, as it was then; "" of any other. */
const char *hn_param_file_sha256(const char *path);
#endif
