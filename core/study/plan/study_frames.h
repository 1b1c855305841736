/* study_frames.h - how many frames a study will train for, known before its first step. */
#ifndef HN_STUDY_FRAMES_H
#define HN_STUDY_FRAMES_H
#include "study.h"

/* Of all cells together, in whole updates where the study's sizes are known; may exceed 64 bits.
 * Of a search those that its rungs cost, as candidates that are stopped train no further: at most,
 * where candidates' updates differ in length, as it is not known which go on. */
double hn_study_frames(const HnStudy *s);
#endif
