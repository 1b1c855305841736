/* anchors.h - remembered steps at which the view `predictions` predicts.
 *
 * Each is (anchor_choice: spread) the step, of many drawn from the replay, whose features those
 * before it determine least: so every kind of steps has some, however rare.  The features are those
 * of the reward, or of transitions if the policy sees only them.  A policy has to learn what each
 * anchor means, so they change in iterations 1, 2, 4, 8 .. alone, up to anchors_until; their
 * features follow the networks.
 */
#ifndef HN_GLIBRL_ANCHORS_H
#define HN_GLIBRL_ANCHORS_H
#include "glibrl.h"

/* Keeps the anchors and their features.  [create] */
void glibrl_keep_anchors(Glibrl *g);

/* Chooses anchors anew if it is the turn of this iteration of learning, from 1. */
void glibrl_choose_anchors(Glibrl *g, int64_t iteration, HnRng *rng);

/* Computes the anchors' features under present weights and moments. */
void glibrl_update_anchors(Glibrl *g);
#endif
