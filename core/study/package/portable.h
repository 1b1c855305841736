/* portable.h - texts without the places of one machine.
 *
 * run.json and study.json are sealed, config.resolved.yaml and checkpoints lie under checksums, so
 * none of them is changed where it lies: what a package holds of them is an edition of its own,
 * made of the original after that was verified, sealed again, and listed with the original's
 * SHA-256. */
#ifndef HN_PORTABLE_H
#define HN_PORTABLE_H
#include "yaml_tree.h"
#include <json-glib/json-glib.h>
#include <stdbool.h>

typedef struct HnPortable HnPortable;

HnPortable *hn_portable_new(void);
void hn_portable_free(HnPortable *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnPortable, hn_portable_free)
/* Has the full path `from` stand in the package as `to`, seen from its root; of paths in one
 * another the longer counts. */
void hn_portable_add(HnPortable *p, const char *from, const char *to);
/* The text with every known path replaced, seen from `up` ("../" for each folder that the text lies
 * in); of a full path that is not known, at the text's beginning, the last part stays.  g_free. */
char *hn_portable_text(const HnPortable *p, const char *text, const char *up);
/* The same of every text in a tree, in place. */
void hn_portable_json(const HnPortable *p, JsonObject *o, const char *up);
void hn_portable_yaml(const HnPortable *p, HnNode *n, const char *up);
/* Whether a known path is in those bytes. */
bool hn_portable_is_in(const HnPortable *p, GBytes *bytes);
#endif
