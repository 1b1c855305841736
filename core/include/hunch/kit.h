/* hunch/kit.h - the optional numerics of plugins (libhunch-kit).  Using it is a choice: a plugin
 * that does not include it links to nothing. */
#ifndef HUNCH_KIT_H
#define HUNCH_KIT_H
#include "kit/curvature.h"
#include "kit/gaussian.h"
#include "kit/gemm.h"
#include "kit/mnw.h"
#include "kit/nn.h"
#include "kit/rnn.h"
#include "kit/root.h"
#include "kit/scratch.h"
#include "kit/tape.h"
#endif
