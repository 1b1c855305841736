/* abi_step.h - whether one layout (abi_layout.h) may follow another. */
#ifndef HN_ABI_STEP_H
#define HN_ABI_STEP_H

/* Why headers laid out as `after` break what those laid out as `before` have promised, by the rules
 * of docs/abi.md, or NULL; g_free. */
char *abi_step_refuse(const char *before, const char *after);
#endif
