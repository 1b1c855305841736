/* goals.h - the goals of a benchmark, the same for a seed as Meta-World's own: NumPy's legacy
 * generator, MT19937, seeded once per half; tasks in the half's order; for each of the 50 goals two
 * draws, of which the second counts, because a reset there sets an episode up twice. */
#ifndef HN_MW_GOALS_H
#define HN_MW_GOALS_H
#include "tasks.h"
#include <stdint.h>

/* Random vectors of `tasks` tasks (indices in hn_mw_tasks), HN_MW_GOALS each, in `list`'s order.
 *   goal  out [tasks * HN_MW_GOALS, HN_MW_RAND], unused components 0
 * [any]  Source: metaworld._make_tasks; Matsumoto & Nishimura 1998. */
void hn_mw_draw_goals(uint32_t seed, int tasks, const int *list, double *goal);
#endif
