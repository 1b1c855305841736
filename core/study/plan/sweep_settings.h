/* sweep_settings.h - the settings of a sweep: values of its parameters that go together. */
#ifndef HN_SWEEP_SETTINGS_H
#define HN_SWEEP_SETTINGS_H
#include "sweep_values.h"

typedef struct HnSweepSource {
  int32_t method; /* HN_SWEEP_.. */
  int64_t draws, root;
  const GPtrArray *parameters; /* HnNode *: paths */
  const HnSweepValues *values; /* one for each */
} HnSweepSource;

/* Whether the values suit the method; else false with findings.  block: of the sweep. */
bool hn_sweep_settings_check(const HnSweepSource *s, const HnNode *block, HnDiag *d);
/* How many there are, at most some value far above any limit. */
uint64_t hn_sweep_settings_count(const HnSweepSource *s);
/* A GPtrArray of HnNode * for each, a value for each parameter, no two alike: of a grid with the
 * last parameter fastest.  Points of sobol are shifted by the root: each number has its own digits
 * exclusive-or'd with it, so that the points stay as even as they were.  NULL, with a finding,
 * where there are not so many to draw. */
GPtrArray *hn_sweep_settings_new(const HnSweepSource *s, const HnNode *block, HnDiag *d);
#endif
