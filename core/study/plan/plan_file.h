/* plan_file.h - study.json: the plan that a study leaves in its folder, for whoever reads the
 * results. */
#ifndef HN_PLAN_FILE_H
#define HN_PLAN_FILE_H
#include "study.h"

/* The member that is the checksum of the source beside it, as text. */
#define HN_PLAN_SOURCE "source"
/* What the plan file holds, as JSON; overrides: NULL-terminated, or NULL; source: the text of
 * study.yaml.  Free with g_free. */
char *hn_plan_file_text(const HnStudy *study, const char *const *overrides, const char *source);

/* The same, read.  Lists are NULL-terminated; texts of the report are interned. */
typedef struct HnPlan {
  char *study, *file;       /* free with g_free */
  char **arms, **overrides; /* free with g_strfreev */
  HnSeedsParams seeds;
  HnReportParams report;
} HnPlan;
/* Reads a plan (JSON is YAML too) into *plan, all zero before; false with findings in d, and then
 * what was read is in *plan. */
bool hn_plan_file_read(const char *path, HnPlan *plan, HnDiag *d);
/* Whether a folder's results may have an arm of that name: it is a folder below the study's. */
bool hn_plan_names_arm(const char *name);
#endif
