/* plan_file.h - study.json: the plan that a study leaves in its folder, for whoever reads the
 * results. */
#ifndef HN_PLAN_FILE_H
#define HN_PLAN_FILE_H
#include "study.h"

/* What the plan file holds, as JSON; overrides: NULL-terminated, or NULL.  Free with g_free. */
char *hn_study_plan(const HnStudy *study, const char *const *overrides);
#endif
