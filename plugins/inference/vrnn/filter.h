/* filter.h - posteriors, observation by observation. */
#ifndef VRNN_FILTER_H
#define VRNN_FILTER_H
#include "network.h"

/* What learning keeps of a window for some rows; arrays are by time, as VrnnUnroll's. */
typedef struct VrnnShard {
  int64_t first, n;
  float *start;          /* [n, rnn.carry] */
  float *mean;           /* [.., F] of the posteriors */
  float *d_out;          /* [.., vrnn_output_width] gradient of the loss in VrnnUnroll.out */
  float *noise, *offset; /* [.., model_samples, F] of the head's samples of z */
  float *policy_noise;   /* [.., samples, F] of the belief's; NULL: not needed */
  HnRng *rng;            /* [n] for the head's samples */
  double weight;         /* of an observation in the loss */
  double kl, nll;        /* sums */
} VrnnShard;

/* Updates row memory over an unrolled window, writes beliefs and info where they are asked for, and
 * leaves in shard (NULL: not learning) what it needs. */
HnStatus vrnn_filter(VrnnUnroll *u, VrnnShard *shard);
#endif
