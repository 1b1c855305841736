/* whitening.h - the frame of the view `whitened`: R with R R' = E[cc'] over remembered steps, so
 * that a weight counts as much as the feature that it weighs.
 *
 * Features are nearly collinear, so most of M is hardly determined and turns with every step of the
 * networks; R'M is what M makes of features of one size.  R moves slowly: E[cc'] is an average over
 * iterations, and of its roots the one nearest to the last R is taken (at first the symmetric one).
 */
#ifndef HN_GLIBRL_WHITENING_H
#define HN_GLIBRL_WHITENING_H
#include "glibrl.h"

/* Keeps E[cc'] and R of the models that the policy sees; R is the identity.  [create] */
void glibrl_keep_whitening(Glibrl *g);

/* Moves both to the features of steps drawn from the replay.  Errors: HN_E_NUMERIC. */
HnStatus glibrl_update_whitening(Glibrl *g, HnRng *rng);
#endif
