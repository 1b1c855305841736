/* arm_slots.h - which arms a report shows in a look of their own (colours.h). */
#ifndef HN_ARM_SLOTS_H
#define HN_ARM_SLOTS_H
#include "compare.h"

enum { HN_ARMS_NAMED = 8 };

/* A slot per arm; free with g_free.  Up to HN_SLOTS arms all have one, the baseline 0.  Of more the
 * baseline and the best of the others by the deciding metric, HN_ARMS_NAMED in all; the rest -1. */
int64_t *hn_arm_slots(const HnComparison *c);
/* "In colour: fixed and the 7 best by eval.return; grey: the other 92 arms.", or where those are
 * not drawn "Shown: ..", or "" where all arms have a slot; free with g_free. */
char *hn_arm_slots_note(const HnComparison *c, bool others_drawn);
#endif
