/* http_library.h - libmicrohttpd, loaded when it is asked for: it brings a TLS library, which would
 * double the time that every other command takes to start. */
#ifndef HN_HTTP_LIBRARY_H
#define HN_HTTP_LIBRARY_H
#include <glib.h>
#include <microhttpd.h>

#define HN_HTTP_FUNCTIONS(X)       \
  X(start_daemon)                  \
  X(stop_daemon)                   \
  X(run)                           \
  X(get_timeout)                   \
  X(get_daemon_info)               \
  X(create_response_from_buffer)   \
  X(create_response_from_callback) \
  X(create_response_from_fd)       \
  X(add_response_header)           \
  X(queue_response)                \
  X(destroy_response)              \
  X(suspend_connection)            \
  X(resume_connection)             \
  X(get_connection_values)

/* Its functions, without MHD_ before their names. */
#define HN_HTTP_FIELD(name) __typeof__(MHD_##name) *name;
typedef struct HnHttp {
  HN_HTTP_FUNCTIONS(HN_HTTP_FIELD)
} HnHttp;

/* NULL with HN_ERROR_MISSING, which names the library, if it is not there or not the one that this
 * was built for. */
const HnHttp *hn_http_library(GError **error);
#endif
