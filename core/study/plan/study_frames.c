/* study_frames.c - see study_frames.h. */
#include "study_frames.h"
#include <math.h>

/* What a cell of the arm trains for where nothing stops it. */
static double frames_of(const HnStudy *s, guint arm) {
  const HnCell *cell = hn_study_cell(s, arm, 0);
  const double lived = s->sizes ? s->sizes[arm].frames : 0;
  return fmax(lived, (double)cell->run.frames); /* lived is 0 where the arm could not be tried */
}

static const char *origin_of(const HnStudy *s, guint arm) {
  return s->sweep ? g_hash_table_lookup(s->sweep->origins, s->arms->pdata[arm]) : NULL;
}

/* By how much rung k prolongs a candidate. */
static double step_of(const HnStudy *s, guint arm, int64_t k) {
  const HnHalving *h = s->sweep->halving;
  const HnCell *cell = hn_study_cell(s, arm, 0);
  const double update = s->sizes ? s->sizes[arm].update : 0;
  if (cell->run.frames == 0) return 0;
  return hn_halving_frames(h, k, update) - (k ? hn_halving_frames(h, k - 1, update) : 0);
}

static int falling(gconstpointer a, gconstpointer b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* What one seed of all candidates of a swept arm costs. */
static double search_of(const HnStudy *s, const char *origin) {
  g_autoptr(GArray) step = g_array_new(FALSE, FALSE, sizeof(double));
  double frames = 0;
  guint left = 0;
  for (int64_t k = 0; k < s->sweep->halving->rungs; k++) {
    g_array_set_size(step, 0);
    for (guint arm = 0; arm < s->arms->len; arm++) {
      const double one = g_strcmp0(origin_of(s, arm), origin) ? -1 : step_of(s, arm, k);
      if (one >= 0) g_array_append_val(step, one);
    }
    g_array_sort(step, falling);
    left = k ? hn_halving_kept(s->sweep->halving, left) : step->len;
    for (guint i = 0; i < left; i++) frames += g_array_index(step, double, i);
  }
  return frames;
}

double hn_study_frames(const HnStudy *s) {
  g_autoptr(GHashTable) searched = g_hash_table_new(g_str_hash, g_str_equal);
  double frames = 0;
  for (guint arm = 0; arm < s->arms->len; arm++) {
    const char *origin = s->sweep && s->sweep->halving ? origin_of(s, arm) : NULL;
    if (!origin)
      frames += frames_of(s, arm);
    else if (g_hash_table_add(searched, (gpointer)(guintptr)origin))
      frames += search_of(s, origin);
  }
  return frames * (double)s->seeds.count;
}
