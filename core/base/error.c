/* error.c - see error.h. */
#include "error.h"

GQuark hn_run_error_quark(void) {
  return g_quark_from_static_string("hn-run");
}
