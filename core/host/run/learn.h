/* learn.h - learning from the windows that were just collected. */
#ifndef HN_LEARN_H
#define HN_LEARN_H
#include "session.h"

/* One update of each learner; a plugin without `learn` has nothing to do. */
HnStatus hn_learn_policy(HnSession *s);
HnStatus hn_learn_inference(HnSession *s);
/* Rebuilds the row memory of unfinished trials under the new weights, if the inference asks for it
 * (HnBeliefSpec.refresh). */
HnStatus hn_learn_refresh(HnSession *s);
#endif
