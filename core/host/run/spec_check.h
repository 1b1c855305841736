/* spec_check.h - checks what a plugin's create says of itself: dimensions, lengths, splits.  Each
 * returns HN_OK, or the failure with its text, which names the field. */
#ifndef HN_SPEC_CHECK_H
#define HN_SPEC_CHECK_H
#include "instance.h"

enum {
  HN_DIM_MAX = 1 << 20,       /* numbers of an observation, a belief, .. */
  HN_ROW_MAX = 1 << 30,       /* bytes of row memory */
  HN_HORIZON_MAX = 1000000000 /* steps of an episode, as run.trial_steps */
};

HnStatus hn_spec_check_env(const HnInstance *x, const HnEnvSpec *spec);
HnStatus hn_spec_check_belief(const HnInstance *x, const HnBeliefSpec *spec);
HnStatus hn_spec_check_policy(const HnInstance *x, const HnPolicySpec *spec);
#endif
