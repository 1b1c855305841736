/* arm_slots.c - see arm_slots.h. */
#include "arm_slots.h"
#include "colours.h"
#include "short_text.h"
#include <math.h>
#include <stdlib.h>

typedef struct Ranked {
  int64_t arm;
  double score; /* the higher the better; -INFINITY without a number */
} Ranked;

static int by_score(const void *a, const void *b) {
  const Ranked *x = a, *y = b;
  return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
                              : (x->arm > y->arm) - (x->arm < y->arm);
}

static double score_of(const HnCompared *m, int64_t arm) {
  const double value = m ? m->estimate[arm][HN_VALUE].value : (double)NAN;
  return isfinite(value) ? (m->better < 0 ? -value : value) : (double)-INFINITY;
}

int64_t *hn_arm_slots(const HnComparison *c) {
  const int64_t arms = c->results->arm_count;
  const HnCompared *m = c->columns->len ? c->columns->pdata[0] : NULL;
  int64_t *slot = g_new(int64_t, (gsize)arms);
  g_autofree Ranked *other = g_new(Ranked, (gsize)arms);
  int64_t others = 0;
  for (int64_t a = 0; a < arms; a++) {
    slot[a] = a == c->baseline ? 0 : -1;
    if (a != c->baseline) other[others++] = (Ranked){a, score_of(m, a)};
  }
  const bool all = arms <= HN_SLOTS;
  if (!all) qsort(other, (size_t)others, sizeof *other, by_score);
  for (int64_t k = 0; k < (all ? others : HN_ARMS_NAMED - 1); k++) slot[other[k].arm] = k + 1;
  return slot;
}

char *hn_arm_slots_note(const HnComparison *c, bool others_drawn) {
  const HnResults *r = c->results;
  if (r->arm_count <= HN_SLOTS) return g_strdup("");
  const HnCompared *m = c->columns->len ? c->columns->pdata[0] : NULL;
  return g_strdup_printf("%s: %s and the %d best by %s; %s%" G_GINT64_FORMAT " arm%s%s.",
                         others_drawn ? "In colour" : "Shown", r->arms[c->baseline],
                         HN_ARMS_NAMED - 1, m ? m->column : r->report.metric,
                         others_drawn ? "grey: the other " : "the other ",
                         r->arm_count - HN_ARMS_NAMED, hn_plural(r->arm_count - HN_ARMS_NAMED),
                         others_drawn                        ? ""
                         : r->arm_count - HN_ARMS_NAMED == 1 ? " is in the csv"
                                                             : " are in the csv");
}
