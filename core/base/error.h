/* error.h - the GError domain of all that fails in host, study and cli.  docs/errors.md says which
 * way of failing is for what. */
#ifndef HN_ERROR_H
#define HN_ERROR_H
#include <glib.h>
#include <stdbool.h>

#define HN_ERROR (hn_error_quark())
typedef enum HnErrorCode {
  HN_ERROR_REFUSED, /* what was asked for cannot be done: configuration, or the call, is wrong */
  HN_ERROR_MISSING, /* nothing has that name: a plugin, program, folder, arm or column */
  HN_ERROR_DIFFERS, /* a folder, checkpoint or result belongs to another configuration */
  HN_ERROR_FILE,    /* a file cannot be read or written, or is damaged */
  HN_ERROR_PLUGIN,  /* a plugin cannot be loaded, or failed */
  HN_ERROR_NUMERIC, /* a number is not finite */
  HN_ERROR_PROGRAM, /* another program failed */
  HN_ERROR_BUSY,    /* another process holds the lock */
  HN_ERROR_INTERRUPTED, /* stopped, with a checkpoint */
} HnErrorCode;
GQuark hn_error_quark(void);
/* Sets *error (which may be NULL); returns false, for `return hn_error_set(..)`. */
bool hn_error_set(GError **error, HnErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
#endif
