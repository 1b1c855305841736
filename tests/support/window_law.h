/* window_law.h - asserts the window law (core/check/check_window.h) on experience made up by a
 * test. */
#ifndef HN_TESTS_WINDOW_LAW_H
#define HN_TESTS_WINDOW_LAW_H
#include "check_window.h"
#include "fake_host.h"

static inline const char *window_law_call(void *fake, HnInferMethod *method, void *self,
                                          HnBeliefUpdate *q) {
  FakeHost *f = fake;
  FakeMark mark = fake_host_mark(f);
  HnStatus status = method(self, q);
  fake_host_reset(f, mark);
  return status ? f->error : NULL;
}

/* Everything but the call itself is the caller's to set. */
static inline void assert_window_law(HnWindowCheck w, FakeHost *fake) {
  GString *why = g_string_new(NULL);
  w.call = window_law_call, w.arg = fake;
  if (!hn_check_window(&w, why)) g_error("%s", why->str);
  g_string_free(why, TRUE);
}
#endif
