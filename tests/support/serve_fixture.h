/* serve_fixture.h - `hunch serve` as users start it. */
#ifndef HN_SERVE_FIXTURE_H
#define HN_SERVE_FIXTURE_H
#include "cli_fixture.h"
#include <stdio.h>

/* Serves a study's folder, given from `dir`; returns once it listens, with its port. */
static inline GSubprocess *serve_fixture_begin(const char *dir, const char *study, int *port) {
  g_autofree char *line = g_strdup_printf("serve %s --port 0", study);
  GSubprocess *p = begin(dir, line);
  g_autoptr(GDataInputStream) out = g_data_input_stream_new(g_subprocess_get_stdout_pipe(p));
  g_autofree char *address = g_data_input_stream_read_line(out, NULL, NULL, NULL);
  g_assert_nonnull(address);
  g_assert_cmpint(sscanf(address, "http://127.0.0.1:%d/", port), ==, 1);
  return p;
}

/* Ends it by a signal, which it takes for an order. */
static inline void serve_fixture_end(GSubprocess *p, int signal_number) {
  g_subprocess_send_signal(p, signal_number);
  g_assert_true(g_subprocess_wait(p, NULL, NULL));
  g_assert_true(g_subprocess_get_if_exited(p));
  g_assert_cmpint(g_subprocess_get_exit_status(p), ==, 0);
  g_object_unref(p);
}

/* Why it cannot be tried here; NULL: it can. */
static inline const char *serve_fixture_reason_to_skip(const char *dir) {
  g_auto(Run) run = hunch(dir, "serve nowhere");
  return strstr(run.err, "libmicrohttpd") ? "built or run without libmicrohttpd" : NULL;
}
#endif
