/* gnuplot.h - runs gnuplot as a process of its own. */
#ifndef HN_GNUPLOT_H
#define HN_GNUPLOT_H
#include <glib.h>
#include <stdbool.h>

/* Runs a script, which writes its files into `folder`. */
bool hn_gnuplot_run(const char *script, const char *folder, GError **error);
/* Whether the gnuplot that is installed writes PDF: *pdf. */
bool hn_gnuplot_writes_pdf(const char *folder, bool *pdf, GError **error);
#endif
