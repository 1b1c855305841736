/* study_base.h - a study's base by itself, so that its arms can be shown by what they change. */
#ifndef HN_STUDY_BASE_H
#define HN_STUDY_BASE_H
#include "study.h"

/* The study that has the same base and no arms: one cell, of the arm `base`, over which the command
 * line's overrides for all arms are laid.  NULL with findings in d where the base alone is no cell,
 * since every arm completes it.  overrides: those that s was read with, or NULL.  Free with
 * hn_study_free. */
HnStudy *hn_study_read_base(const HnStudy *s, const char *const *overrides, HnDiag *d);
#endif
