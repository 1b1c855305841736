/* report_fixture.h - a report as `hunch report` makes one. */
#ifndef HN_REPORT_FIXTURE_H
#define HN_REPORT_FIXTURE_H
#include "report.h"

static inline bool write_report(const HnResults *r, const char *path, GError **error) {
  HnComparison *c = hn_compare(r, NULL, NULL, error);
  bool ok = c && hn_report_write(c, path, error);
  hn_comparison_free(c);
  return ok;
}
#endif
