/* arm_weights.h - the checkpoints that cells of a study start from: found, hashed, linked to the
 * arms of the same study, and set against what the plugins keep. */
#ifndef HN_STARTS_H
#define HN_STARTS_H
#include "study.h"

/* Completes the weights block of every cell: the hash of a file that is there already, or the cell
 * of this study and its identity.  What cannot be is a finding at the key to blame. */
void hn_study_link(HnStudy *s, HnDiag *d);

/* Makes the plugins of each arm that starts from weights, in a process of their own, and adds a
 * finding for every tensor that does not fit.  Arms whose plugins cannot be made are passed over:
 * their run says why.  For the program `hunch` alone, which is that process too. */
void hn_study_fit(const HnStudy *s, HnDiag *d);
/* What that process does: reads {cell: .., source: ..} from text, prints a line per tensor that
 * does not fit.  Returns whether it could find out. */
bool hn_starts_answer(const char *text, gsize length);
#endif
