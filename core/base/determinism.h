/* determinism.h - what the bits of a result hang on besides its cell: the kernels of OpenBLAS, of
 * the kit and of libm.  A process can be held to those that every x86-64 with AVX2 and FMA has:
 * docs/determinism.md. */
#ifndef HN_DETERMINISM_H
#define HN_DETERMINISM_H

/* OpenBLAS's kernels of portable runs.  They use AVX2 and FMA alone, and block alike whatever the
 * processor's caches are. */
#define HN_PORTABLE_BLAS "Haswell"

/* What of AVX2 and FMA programs on this machine cannot use, or NULL: portable runs need both, so
 * that libm takes one and the same of its variants.  [any] */
const char *hn_portable_lacks(void);
/* Holds this process to portable kernels, whatever its environment asks for.  To be called before
 * a plugin loads the kit, and before there are other threads. */
void hn_portable_hold(void);
/* Why the kernels that are loaded do not give portable bits, or NULL; g_free.  [any] */
char *hn_portable_misses(void);

/* 16 hexadecimal digits, a checksum of what libm's functions return at fixed points: equal where
 * two machines compute alike.  For the life of the process.  [any] */
const char *hn_libm_fingerprint(void);
/* "glibc 2.36".  [any] */
const char *hn_libm_version(void);
#endif
