/* draws.h - actor and critic on draws of one belief, which differ in their first features alone:
 * what the first layer makes of the others is computed once a row, not once a draw.  Values only.
 */
#ifndef DRAWS_H
#define DRAWS_H
#include "actor_critic.h"

/* Whether S draws have features in common that this network reads by a hidden layer. */
bool draws_share(const ActorCritic *net, int64_t S);
/* What actor_critic_forward says without gradients, to rounding; obs [n, O] is embedded already,
 * where it is to be; NULL: none. */
Heads draws_forward(const ActorCritic *net, HnTape *t, HnVar *obs, HnVar *const *belief, int64_t S,
                    int asked);
#endif
