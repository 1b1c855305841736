/* abi_layout.h - what headers promise to a compiled plugin, as text. */
#ifndef HN_ABI_LAYOUT_H
#define HN_ABI_LAYOUT_H
#include <glib.h>

/* Of the public headers in FOLDER/hunch, as the compiler lays them out, a fact a line; g_free:
 *
 *   ABI 1.0                          version
 *   kit libhunch-kit.so.1            the kit's library
 *   typedef HnStatus int32_t         types without fields
 *   enum HN_OK 0                     values of the ABI
 *   kit-value HN_RELU 2              and of the kit
 *   struct HnArray 96                bytes, then the fields: offset, bytes, name, type
 *   field HnArray.name 8 8 const char *
 *   function hn_gemm void hn_gemm(int64_t m, ..)     what the kit exports */
char *abi_layout(const char *folder);

/* Compiles `text` with the headers of that folder and `arguments` (NULL: none) into the file `out`.
 */
void abi_compile(const char *folder, const char *text, const char *arguments, const char *out);
#endif
