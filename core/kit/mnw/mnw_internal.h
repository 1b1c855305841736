/* mnw_internal.h - shared by the matrix-normal-Wishart files: LAPACK, small matrices, densities. */
#ifndef HN_KIT_MNW_INTERNAL_H
#define HN_KIT_MNW_INTERNAL_H
#include "hunch/kit/mnw.h"
#include <cblas.h>

#define HN_LN_2  0.69314718055994530942
#define HN_LN_PI 1.14472988584940017414

/* A mutation test builds with a known error (1: sign of the Occam term, 2: nu0 in place of nu, 3:
 * degrees of freedom off by one) to prove that the comparison with golden numbers notices it. */
#ifndef HN_MNW_MUTATION
#  define HN_MNW_MUTATION 0
#endif

/* Takes pieces off the caller's work, one after the other, each 64-byte aligned relative to the
 * start. */
typedef struct HnCarve {
  char *at;
} HnCarve;
void *hn_carve(HnCarve *w, int64_t count, size_t size);
/* Bytes that one piece takes. */
size_t hn_carve_size(int64_t count, size_t size);

/* Lower Cholesky factor in place (the upper triangle is left alone) and ln|A|; false where A is not
 * positive definite. */
bool hn_spd_factor(int64_t n, double *a, double *logdet);
/* From the lower factor in place to the whole symmetric inverse. */
void hn_spd_invert(int64_t n, double *l);
/* Copies the lower triangle to the upper. */
void hn_spd_mirror(int64_t n, double *a);
/* c = beta c + alpha a' b, all row-major: a [k, n], b [k, p]. */
void hn_add_atb(int64_t n, int64_t p, int64_t k, double alpha, const double *a, const double *b,
                double beta, double *c);
/* c = beta c + alpha a b: a [n, k], b [k, p]. */
void hn_add_ab(int64_t n, int64_t p, int64_t k, double alpha, const double *a, const double *b,
               double beta, double *c);
/* a (lower) += alpha x' x, x [k, n]. */
void hn_add_gram(int64_t n, int64_t k, double alpha, const double *x, double *a);
/* Trace of a b' = sum of elementwise products. */
double hn_inner(int64_t count, const double *a, const double *b);

/* Log density of the predictive Student-t; quad = e'Psi^-1 e / s. */
double hn_mnw_log_student(int64_t m, double nu, double logdet_psi, double s, double quad);
/* Log density of N(0, variance s I); ee = e'e. */
double hn_mnw_log_normal(int64_t m, double variance, double s, double ee);

/* The Wishart part of a running posterior, updated by whitened errors w = e / sqrt(s). */
typedef struct HnWishart {
  int64_t m;
  double nu, logdet_psi;
  double *psi, *omega; /* [m, m] */
} HnWishart;
/* Updates it with w [m] and returns the log predictive density before the update.  room [m]. */
double hn_wishart_absorb(HnWishart *p, const double *w, double s, double *room);

#endif
