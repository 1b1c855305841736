/* widen.h - a plugin that was compiled with older headers, as one of these. */
#ifndef HN_WIDEN_H
#define HN_WIDEN_H
#include <glib.h>
#include <hunch/plugin.h>

/* Bytes of a struct up to a field: to the last one of the first minor version, which is what every
 * plugin of this major version has. */
#define HN_LEAST(Type, last) (offsetof(Type, last) + sizeof(((Type *)0)->last))

/* The descriptor, method struct, parameter table and columns of `p` in structs of this host's
 * sizes, what the plugin's lack being zero: so no reader of them has to ask how long they are.
 * Returns `p` itself where nothing is shorter, else copies that live as long as the process; NULL
 * with a reason (g_free) where a size cannot be true.  Reads no more of `p` than its sizes say.
 * The descriptor's ABI version was accepted before.  [any] */
const HnPlugin *hn_plugin_widen(const HnPlugin *p, char **reason);

/* Frees what hn_plugin_widen made of `p` that nobody keeps; wide: its result, or NULL. [any] */
void hn_plugin_widened_free(const HnPlugin *wide, const HnPlugin *p);

/* Copies the first MIN(from_size, size) bytes, and zeroes the rest of `size`. [any] */
void hn_widen(void *to, gsize size, const void *from, gsize from_size);
#endif
