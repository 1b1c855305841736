/* http_library.c - see http_library.h. */
#include "http_library.h"
#include "error.h"
#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libmicrohttpd.so.12" /* of libmicrohttpd 0.9.x and 1.0.x */

/* A function's address: dlsym's pointer to an object copied as bytes, as POSIX has it. */
static bool find(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  memcpy(function, &found, sizeof found);
  return found;
}

const HnHttp *hn_http_library(GError **error) {
  static HnHttp http;
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* it stays until the process ends */
  bool ok = library;
#define HN_HTTP_FIND(name) ok = ok && find(library, "MHD_" #name, &http.name);
  HN_HTTP_FUNCTIONS(HN_HTTP_FIND)
  if (ok) return &http;
  hn_error_set(error, HN_ERROR_MISSING,
               "%s: it needs libmicrohttpd (Debian: libmicrohttpd12); `hunch status --watch` does "
               "without",
               dlerror());
  return NULL;
}
