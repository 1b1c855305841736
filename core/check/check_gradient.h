/* check_gradient.h - the law of gradients of HnInference.backward. */
#ifndef HN_CHECK_GRADIENT_H
#define HN_CHECK_GRADIENT_H
#include "check.h"

HnVerdict hn_check_gradients(const HnCell *cell, GString *why);
#endif
