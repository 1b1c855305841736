/* elf_file.h - checks a shared object from its bytes, without loading it: loading would run its
 * constructors. */
#ifndef HN_ELF_FILE_H
#define HN_ELF_FILE_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is read of a plugin before it is loaded. */
typedef struct HnElfHead {
  uint32_t struct_size, abi; /* of its descriptor */
  char kit[64];              /* the kit that it is linked to, "libhunch-kit.so.1", or "" */
} HnElfHead;

/* Whether the bytes of a file are a shared object for this machine that exports the plugin `stem`,
 * that is, the data symbol STEM_LTX_hn_plugin.  Returns NULL and fills `head` if so, else what is
 * wrong, to follow the file's name in a message; free with g_free.  Never reads outside the bytes.
 * [any]  Source: System V ABI, ELF-64; GNU hash as in glibc's dl-lookup. */
char *hn_elf_refuse(const void *bytes, gsize size, const char *stem, HnElfHead *head);
#endif
