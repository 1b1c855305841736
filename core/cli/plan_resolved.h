/* plan_resolved.h - what the arms of a study really are, as YAML on stdout. */
#ifndef HN_PLAN_RESOLVED_H
#define HN_PLAN_RESOLVED_H
#include "study.h"

/* Prints the resolved configuration of the first cell of each of these arms (int64_t indices; none:
 * all), each a YAML document below comments that list what it changes of the base.  overrides: as
 * the study was read. */
void hn_plan_resolved(const HnStudy *study, const char *const *overrides, const GArray *arms);
#endif
