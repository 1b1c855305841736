/* table_npz.h - a table of a run as a file that numpy.load reads, an array for each column. */
#ifndef HN_TABLE_NPZ_H
#define HN_TABLE_NPZ_H
#include "run_dir.h"

/* Writes a CSV file as .npz to `path`.  Columns of texts, as record_columns says, become arrays of
 * texts; all others float64, in which empty fields and what is no number are NaN.  Of columns whose
 * names are equal but for case the second is called NAME+2.  The same table gives the same bytes.
 * HN_ERROR_FILE: the table is damaged, or `path` cannot be written; HN_ERROR_REFUSED: a column
 * has a name that no file can have. */
bool hn_table_npz(HnRunFile table, const char *csv, const char *path, GError **error);
#endif
