/* scaling.h - running moments of inputs and targets, and the scaling of targets made of them. */
#ifndef HN_GLIBRL_SCALING_H
#define HN_GLIBRL_SCALING_H
#include "glibrl.h"

/* Adds the steps of h to the moments of observations, their changes, targets and rewards. */
void glibrl_update_moments(Glibrl *g, const HnHistory *h);

/* Sets the scaling of targets, and which columns are predicted, from the moments so far. */
void glibrl_set_scale(Glibrl *g);
#endif
