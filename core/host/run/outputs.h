/* outputs.h - checks what a call of a plugin wrote: numbers that are finite, choices in range.  A
 * failure names plugin, call, row and step: "env rets, step: observation 1 of row 3 is nan at step
 * 17 of its trial". */
#ifndef HN_OUTPUTS_H
#define HN_OUTPUTS_H
#include "instance.h"

/* A call that has returned, and for which rows it wrote. */
typedef struct HnOutputs {
  const HnInstance *of;
  const char *call;    /* "step" */
  int64_t first, rows; /* of the host's rows; rows is [T+1, batch] in a window of training */
  const int64_t *step; /* [rows] steps of its trial that each row had taken before the call, or
                          NULL: not known */
  int64_t taken;       /* steps that the call itself took */
  int64_t batch;       /* rows of a window of training, which has no `step`; else 0 */
} HnOutputs;

/* Each returns HN_OK, or HN_E_NUMERIC with its text in hn_fail_text().  [any] */

/* x [rows, width]: `what` is the name of one number. */
HnStatus hn_outputs_finite(const HnOutputs *o, const char *what, const float *x, int64_t width);
/* x [rows, infos]: NaN says that there is nothing to say; infinity is an error. */
HnStatus hn_outputs_info(const HnOutputs *o, const float *x);
/* x [rows]: 0 or 1. */
HnStatus hn_outputs_flag(const HnOutputs *o, const char *what, const uint8_t *x);
/* x [rows]: 0 .. count - 1. */
HnStatus hn_outputs_index(const HnOutputs *o, const char *what, const int32_t *x, int64_t count);
/* The number k of the task that the one row began, of `count` in its split (0: none is numbered);
 * it is the one that was asked for, unless that was -1. */
HnStatus hn_outputs_task(const HnOutputs *o, int64_t k, int64_t asked, int64_t count);
#endif
