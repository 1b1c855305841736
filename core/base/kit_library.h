/* kit_library.h - the kit as plugins have loaded it.  The core does not link to it, so a verb that
 * computes nothing starts neither the kit nor OpenBLAS with its threads. */
#ifndef HN_KIT_LIBRARY_H
#define HN_KIT_LIBRARY_H
#include <stdint.h>

/* The loaded kit's file, or NULL; the layout of its structs (HN_KIT_LAYOUT), 0 if it does not say.
 * [any] */
const char *hn_kit_library_file(void);
uint64_t hn_kit_library_layout(void);

/* Instruction set of the loaded kit, "base", "v3" or "v4", and the name of OpenBLAS's kernels; NULL
 * if no plugin has loaded the kit.  [any] */
const char *hn_kit_library_isa(void);
const char *hn_kit_library_blas(void);
/* How OpenBLAS describes itself, "OpenBLAS 0.3.21 ..", likewise.  [any] */
const char *hn_kit_library_blas_version(void);
#endif
