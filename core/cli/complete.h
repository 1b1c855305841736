/* complete.h - what the word at the cursor may become, by the tables of verbs, options, keys and
 * plugins. */
#ifndef HN_COMPLETE_H
#define HN_COMPLETE_H
#include <glib.h>

/* One line for each candidate: "WORD", or "WORD<tab>what it is", sorted by nothing but the tables.
 * A line that begins with a colon asks the shell for names of files instead: ":folder", ":file",
 * ":file yaml" (that ending, and folders on the way).  words: up to NULL, the last is the one to
 * complete and may be empty.  Never fails: a study that cannot be read has no arms and names no
 * plugins.  Free with g_free. */
char *hn_complete(const char *const *words);

/* Appends a candidate if it begins with `prefix`; doc may be NULL. */
void hn_complete_add(GString *out, const char *prefix, const char *word, const char *doc);
#endif
