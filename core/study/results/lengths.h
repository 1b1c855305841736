/* lengths.h - how long the cells of a folder are asked to be.  A study whose run.frames rose and
 * that then ran with --arm or --seed has cells that are done, and shorter than their plan says. */
#ifndef HN_LENGTHS_H
#define HN_LENGTHS_H
#include "results.h"

/* run.frames of each arm as the plan's overrides say, else the source's arm or base; -1 where it is
 * not known: neither says, or a sweep made the arm.  In a search by halving no arm's is: they
 * differ by design.  [arm_count], g_free. */
int64_t *hn_lengths_asked(const HnResults *r);

/* Whether an override is of run.frames, of all arms or of one. */
bool hn_lengths_override(const char *override);

typedef struct HnLengths {
  int64_t *is;    /* run.frames of each done cell, [arm_count, seeds]; -1: not done, or not known */
  int64_t *asked; /* of each arm, as above; else the longest of its cells, or -1 */
  bool shorter;   /* whether any cell is */
} HnLengths;

HnLengths hn_lengths_new(const HnResults *r);
void hn_lengths_clear(HnLengths *l);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HnLengths, hn_lengths_clear)
/* Whether a cell, by its index among r->cells, is done and shorter than it is asked to be.  One
 * that only evaluates, with no frames, is not. */
bool hn_length_is_short(const HnResults *r, const HnLengths *l, guint cell);
#endif
