/* session_check.h - makes the plugins of each arm once, to find what no schema knows: dimensions
 * that do not fit, parameters that contradict each other, files that are missing, a column that is
 * not there, one that a search cannot choose by; and to see what they take. */
#ifndef HN_SESSION_CHECK_H
#define HN_SESSION_CHECK_H
#include "study.h"

/* Does so in a process of its own, since plugins may crash, adds what is wrong to d, and sets the
 * study's sizes.  Where a plugin ends or blocks that process, deaths says whether that is a
 * finding, too.  For the program `hunch` alone, which is that process too. */
void hn_session_check(HnStudy *s, bool deaths, HnDiag *d);
/* What that process does: reads cells from stdin, each ended by NUL, and answers each by a line. */
void hn_session_check_answer(const char *metric);
#endif
