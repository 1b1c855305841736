/* scaffold.h - the folder of a new plugin, made from the templates that came with this program.
 *
 * A template is laid together from the folders `common`, LANGUAGE, KIND and KIND-LANGUAGE of
 * `templates`, in this order: a file that several of them have is their texts one after another.
 * The word my_plugin, in texts and in names of files, is replaced by the plugin's name. */
#ifndef HN_SCAFFOLD_H
#define HN_SCAFFOLD_H
#include <glib.h>
#include <stdbool.h>

/* What `kind` can be, up to NULL. */
extern const char *const hn_scaffold_kinds[];
/* Whether a plugin can be called that: HN_ERROR_REFUSED where the name is none, or the build cannot
 * have it, or another plugin has it. */
bool hn_scaffold_name(const char *name, GError **error);
/* Writes `folder`, which must not exist, whole or not at all; language: "c", "cpp" or "rust".
 * HN_ERROR_MISSING: no such kind;
 * HN_ERROR_REFUSED: the folder exists, or the kind has no template in this language; HN_ERROR_FILE.
 */
bool hn_scaffold_write(const char *kind, const char *language, const char *name, const char *folder,
                       GError **error);
#endif
