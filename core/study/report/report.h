/* report.h - a study's results as one HTML page that needs nothing else. */
#ifndef HN_REPORT_H
#define HN_REPORT_H
#include "compare.h"

/* Writes the page to `path` (atomically) and, beside it, the folder `report` (the page's stem) with
 * every plot as SVG and PDF for papers and its numbers as CSV.  Errors: of files, of gnuplot. */
bool hn_report_write(const HnComparison *c, const char *path, GError **error);
#endif
