/* check_query.h - the laws of supervised tasks: what an environment answers (HnEnv.query), and what
 * an inference method predicts of it (HnInference.predict). */
#ifndef HN_CHECK_QUERY_H
#define HN_CHECK_QUERY_H
#include "check.h"

HnVerdict hn_check_query(const HnCell *cell, GString *why);
HnVerdict hn_check_predict(const HnCell *cell, GString *why);

/* How far the mean of n draws may be off, but once in some 10^8, by Maurer and Pontil's empirical
 * Bernstein bound (2009); range: of the draws, about the mean that they should have. */
double hn_check_most_off(int64_t n, double stddev, double range);
#endif
