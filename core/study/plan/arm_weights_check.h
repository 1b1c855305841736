/* arm_weights_check.h - asks the plugins of each arm that starts from a checkpoint whether its
 * tensors fit them. */
#ifndef HN_ARM_WEIGHTS_CHECK_H
#define HN_ARM_WEIGHTS_CHECK_H
#include "study.h"

/* Makes those plugins in a process of their own, since they may crash, and adds a finding for every
 * tensor that does not fit.  Arms whose plugins cannot be made are passed over: their run says why.
 * For the program `hunch` alone, which is that process too. */
void hn_arm_weights_check(const HnStudy *s, HnDiag *d);
/* What that process does: reads {cell: .., source: ..} from stdin, answers with a line per tensor
 * that does not fit. */
void hn_arm_weights_check_answer(void);
#endif
