/* error.h - the GError domain of a run. */
#ifndef HN_ERROR_H
#define HN_ERROR_H
#include <glib.h>

#define HN_RUN_ERROR (hn_run_error_quark())
enum {
  HN_RUN_FAILED,
  HN_RUN_PLUGIN,
  HN_RUN_NUMERIC,
  HN_RUN_IO,
  HN_RUN_INTERRUPTED,
  HN_RUN_WEIGHTS,
  HN_RUN_REFUSED, /* by a plugin: what it was told, or a file that it needs */
};
GQuark hn_run_error_quark(void);
#endif
