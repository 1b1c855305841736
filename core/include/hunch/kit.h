/* hunch/kit.h - the optional numerics of plugins (libhunch-kit).  Using it is a choice: a plugin
 * that does not include it links to nothing.
 *
 * The file that says HN_PLUGIN must include this or a header of kit/ if any file of the plugin
 * does: so the descriptor tells the layout of the kit's structs (HN_KIT_LAYOUT). */
#ifndef HUNCH_KIT_H
#define HUNCH_KIT_H
#include "kit/attention.h"
#include "kit/curvature.h"
#include "kit/gaussian.h"
#include "kit/gemm.h"
#include "kit/mnw.h"
#include "kit/nn.h"
#include "kit/rnn.h"
#include "kit/root.h"
#include "kit/scratch.h"
#include "kit/solve.h"
#include "kit/tape.h"
#endif
