/* holm.h - several p-values of one family. */
#ifndef HN_HOLM_H
#define HN_HOLM_H
#include <stdint.h>

/* Adjusts p [n] in place, so that refusing what stays at or below a level makes any false refusal
 * at most so probable, however the tests depend on each other.  NaN is in no family and stays.
 * Source: Holm 1979. [any] */
void hn_holm(int64_t n, double *p);
#endif
