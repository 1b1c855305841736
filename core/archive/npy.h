/* npy.h - arrays as NumPy stores them, version 1.0 of its format: `numpy.load` reads a file of
 * these bytes, or a ZIP file (zip.h) whose entries are called NAME.npy, without pickle. Source:
 * numpy/lib/format.py. */
#ifndef HN_NPY_H
#define HN_NPY_H
#include <glib.h>
#include <stdint.h>

/* Each makes one array [n], or is NULL with HN_ERROR_REFUSED where its data would take more than
 * 1 GiB; g_bytes_unref.  [any] */

/* Of float64, little-endian. */
GBytes *hn_npy_reals(const double *x, int64_t n, GError **error);
/* Of texts of fixed width (`<U`), that of the longest in characters; what is no UTF-8 is replaced.
 */
GBytes *hn_npy_texts(const char *const *texts, int64_t n, GError **error);
#endif
