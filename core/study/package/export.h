/* export.h - results for other programs: tables as .npz, weights as .safetensors.
 *
 *   export.json                       the study, its cells, every column with unit and meaning
 *   ARM/SEED/metrics.npz ..           tables: table_npz.h
 *   ARM/SEED/weights.safetensors      weights of the last checkpoint */
#ifndef HN_EXPORT_H
#define HN_EXPORT_H
#include "results.h"

typedef struct HnExportChoice {
  bool tables, weights;
} HnExportChoice;

/* Writes the folder `output` beside its name and renames it, so that it is whole or not there; the
 * same results give the same bytes.  An earlier export is replaced; a folder that holds anything
 * else is refused.  HN_ERROR_REFUSED, also where no cell has run or one is damaged; HN_ERROR_FILE.
 */
bool hn_export(const HnResults *r, HnExportChoice choice, const char *output, GError **error);
#endif
