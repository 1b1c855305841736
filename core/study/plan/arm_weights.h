/* arm_weights.h - links the cells of a study to the checkpoints that they start from. */
#ifndef HN_ARM_WEIGHTS_H
#define HN_ARM_WEIGHTS_H
#include "study.h"

/* Completes the weights block of every cell: with the hash of a file that exists, or with the cell
 * of this study that will write it and that cell's identity.  Adds a finding, at the key to blame,
 * where that is not possible. */
void hn_arm_weights_link(HnStudy *s, HnDiag *d);
#endif
