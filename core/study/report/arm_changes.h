/* arm_changes.h - what an arm does otherwise than the baseline. */
#ifndef HN_ARM_CHANGES_H
#define HN_ARM_CHANGES_H
#include "results.h"

typedef struct HnArmChanges HnArmChanges;
/* Of the arms of r, which is borrowed. */
HnArmChanges *hn_arm_changes_new(const HnResults *r, int64_t baseline);
void hn_arm_changes_free(HnArmChanges *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnArmChanges, hn_arm_changes_free)

/* "inference.noise: inferred", a line (char *) for each key in which the arm's resolved
 * configuration differs from the baseline's.  Where another plugin stands, all its keys do: said
 * are the plugin, the keys that the arm's own lines of the study set, and those in which the arms
 * with that plugin differ among themselves.  Plugins and files are named, not located.  NULL if the
 * arm or the baseline has no cell that counts; else g_ptr_array_unref. */
GPtrArray *hn_arm_changes_of(const HnArmChanges *c, int64_t arm);
#endif
