/* study_argument.h - the study that a verb is given. */
#ifndef HN_STUDY_ARGUMENT_H
#define HN_STUDY_ARGUMENT_H
#include "study.h"
#include "verbs.h"

/* The study that argv[1] names, with the overrides argv[2], argv[3], ..; its weights are checked
 * too. NULL, with every finding on stderr, if it is not one: HN_EXIT_USAGE. */
HnStudy *hn_study_argument(const HnVerb *verb, int argc, char **argv);
/* The same with the findings in d; where there are none, the call itself was refused. */
HnStudy *hn_study_argument_read(const HnVerb *verb, int argc, char **argv, HnDiag *d);
/* The index of the arm of that name; -1, refused with the nearest name, or with `several` where the
 * name is a list: HN_EXIT_USAGE. */
int64_t hn_study_argument_arm(const HnVerb *verb, const HnStudy *study, const char *name,
                              const char *several);
#endif
