/* error.c - see error.h. */
#include "error.h"

GQuark hn_error_quark(void) {
  return g_quark_from_static_string("hunch");
}

bool hn_error_set(GError **error, HnErrorCode code, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *text = g_strdup_vprintf(format, list);
  va_end(list);
  g_set_error_literal(error, HN_ERROR, code, text);
  return false;
}
