/* elf_file.h - what a shared object says of itself, read from its bytes without loading it: loading
 * runs the constructors of whatever it is. */
#ifndef HN_OBJECT_H
#define HN_OBJECT_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The first words of a plugin's descriptor, as they stand in the file. */
typedef struct HnObjectHead {
  uint32_t struct_size, abi;
} HnObjectHead;

/* Whether the bytes of a file are a shared object for this machine that exports the plugin `stem`,
 * that is, the data symbol STEM_LTX_hn_plugin.  Returns NULL and fills `head` if so, else what it
 * is instead, to follow the file's name in a message; free with g_free.  Reads nothing outside the
 * bytes, whatever they hold. [any]  Source: System V ABI, ELF-64; GNU hash as in glibc's dl-lookup.
 */
char *hn_object_refuse(const void *bytes, gsize size, const char *stem, HnObjectHead *head);
#endif
