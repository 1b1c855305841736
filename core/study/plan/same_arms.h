/* same_arms.h - arms of a study that have become one and the same. */
#ifndef HN_SAME_ARMS_H
#define HN_SAME_ARMS_H
#include "study.h"

/* The whole configuration of an arm, but for its name: of two arms the same text, the same cells.
 * Free with g_free. */
char *hn_arm_text(const HnStudy *s, guint arm);
/* A text for each group of arms that are the same, the first few groups by the arms' names and by
 * the overrides that made them so; copies may be meant, so it is no finding.  Keys that change no
 * result count: arms that differ in run.workers alone are there to be timed.  overrides: those that
 * s was read with, or NULL.  g_ptr_array_unref. */
GPtrArray *hn_same_arms(const HnStudy *s, const char *const *overrides);
#endif
