/* check_inference.h - the laws of inference (hunch/inference.h). */
#ifndef HN_CHECK_INFERENCE_H
#define HN_CHECK_INFERENCE_H
#include "check.h"

extern const HnLaw hn_check_inference_laws[];
#endif
