/* study_schema.h - what a study file may hold, as JSON Schema: for editors, made of the tables by
 * which files are read. */
#ifndef HN_STUDY_SCHEMA_H
#define HN_STUDY_SCHEMA_H
#include "study.h"

/* The schema (draft-07) of studies with these plugins (HnFound *; rejected ones are left out).  It
 * takes every study that hn_study_read takes, but for plugins that are not among them, and refuses
 * what it can tell of the others: unknown keys, wrong types, values out of range, keys that are
 * missing in an arm over its base.  Free with g_free. */
char *hn_study_schema(const GPtrArray *plugins);
#endif
