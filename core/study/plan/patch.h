/* patch.h - one configuration laid over another, and the patches a command line brings. */
#ifndef HN_PATCH_H
#define HN_PATCH_H
#include "cell.h"

/* The blocks of `base` (may be NULL) patched by those of `over` (may be NULL): a map with a block
 * for each that either has, places kept.  A block that names another `plugin` replaces. */
HnNode *hn_patch_blocks(const HnNode *base, const HnNode *over);
/* One map over another, key by key; either may be NULL, not both. */
HnNode *hn_patch_map(const HnNode *base, const HnNode *over);

/* Overrides of the command line, sorted by what they patch. */
typedef struct HnOverrides {
  HnNode *top;  /* map of name, description, seeds, report */
  HnNode *all;  /* map of blocks, over every arm */
  HnNode *arms; /* map of arm -> map of blocks */
} HnOverrides;
/* What an override can begin with, up to NULL: blocks, "arms", keys of the top level. */
extern const char *const hn_override_heads[];
/* base: the study's, or NULL; arms: names, NULL-terminated.  Adds findings for what is not
 * understood; the rest is returned. */
HnOverrides hn_overrides_read(const char *const *overrides, const HnNode *base,
                              const char *const *arms, HnDiag *d);
void hn_overrides_clear(HnOverrides *o);
#endif
