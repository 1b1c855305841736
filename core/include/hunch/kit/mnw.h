/* hunch/kit/mnw.h - Bayesian multivariate linear regression with unknown noise: the
 * matrix-normal-Wishart distribution over a linear map and its noise precision.
 *
 *   Y | W, L ~ MN(C W, I, L^-1)     W | L ~ MN(M0, Xi0^-1, L^-1)     L ~ Wishart_m(Psi0^-1, nu0)
 *
 * C [N, D] features, Y [N, m] targets, W [D, m] weights, L [m, m] noise precision, nu0 > m - 1.
 * The posterior has the same form: Xi = Xi0 + C'C, V = Xi^-1, M = V (Xi0 M0 + C'Y), nu = nu0 + N,
 * Psi = Psi0 + R'R + (M - M0)'Xi0(M - M0) with R = Y - C M.  The evidence p(Y | C) is exact.
 *
 * Three parts, from general to fast:
 *   hn_mnw_*        any prior, float64 features, BLAS: posterior, evidence and every gradient
 *   hn_mnw_train    evidence of one trial and its gradient, float32 features, isotropic prior
 *   hn_mnw_belief_* the posterior of one running task, updated row by row, in row memory
 *
 * Matrices are row-major, dense and float64 unless said otherwise; symmetric ones are stored in
 * full.  The caller provides all memory: `memory` and `work` have as many bytes as the matching
 * _size function says, aligned to at least 8, best to 64.  Nothing here allocates.  Every function
 * is [any]: calls on distinct memory may run at once.  Entropies, divergences and log-densities are
 * in nats.
 *
 * Source: GLiBRL, arXiv 2512.20974; formulas in Gupta & Nagar 2000, chapters 2 and 4. */
#ifndef HUNCH_KIT_MNW_H
#define HUNCH_KIT_MNW_H
#include "../plugin.h"
#include "gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- special functions ---- */

/* Logarithm of the multivariate gamma function of dimension m at a > (m - 1) / 2, and the
 * derivative of that logarithm. */
HN_KIT double hn_mnw_lgamma(int64_t m, double a);
HN_KIT double hn_mnw_digamma(int64_t m, double a);

/* ---- any prior: the posterior given a batch ---- */

/* One distribution, prior or posterior, with its arrays in the caller's memory. */
typedef struct HnMnw {
  int64_t d, m; /* features, targets */
  double nu;    /* degrees of freedom */
  double logdet_xi, logdet_psi;
  double *mean;  /* M [D, m] */
  double *xi;    /* Xi [D, D], row precision */
  double *v;     /* V = Xi^-1 [D, D], row covariance */
  double *psi;   /* Psi [m, m], inverse scale of the Wishart */
  double *omega; /* Psi^-1 [m, m] */
} HnMnw;

/* Bytes of `memory` for one distribution; bytes of `work` for functions of n rows. */
HN_KIT size_t hn_mnw_size(int64_t d, int64_t m);
HN_KIT size_t hn_mnw_work_size(int64_t n, int64_t d, int64_t m);
/* Bytes of `work` for hn_mnw_prefixes and hn_mnw_dual. */
HN_KIT size_t hn_mnw_prefixes_size(int64_t chunk, int64_t d, int64_t m);
HN_KIT size_t hn_mnw_dual_size(int64_t n, int64_t d, int64_t m);
/* Places a distribution's arrays in memory; their contents are undefined. */
HN_KIT HnMnw hn_mnw_place(int64_t d, int64_t m, void *memory);

/* Sets q to a prior: mean0 [D, m] or NULL for zero, xi0 [D, D], psi0 [m, m].  HN_E_PARAM:
 * nu0 <= m - 1; HN_E_NUMERIC: xi0 or psi0 is not positive definite. */
HN_KIT HnStatus hn_mnw_prior(HnMnw *q, const double *mean0, const double *xi0, const double *psi0,
                             double nu0);
/* The same with M0 = 0, Xi0 = xi I, Psi0 = psi I. */
HN_KIT HnStatus hn_mnw_prior_isotropic(HnMnw *q, double xi, double psi, double nu0);
/* Sets q to the posterior after n >= 0 rows c [n, D], y [n, m].  q and prior must be distinct; a
 * posterior may serve as the prior for further rows.  HN_E_NUMERIC: Xi is not positive definite.
 * n D^2 + D^3 flops. */
HN_KIT HnStatus hn_mnw_posterior(HnMnw *q, const HnMnw *prior, int64_t n, const double *c,
                                 const double *y, void *work);

/* Log evidence log p(Y | C), from the prior and the posterior alone. */
HN_KIT double hn_mnw_evidence(const HnMnw *prior, const HnMnw *q);

/* Where to write gradients; NULL: not wanted.  The gradient G of a symmetric argument X is
 * symmetric too, with dL = tr(G dX). */
typedef struct HnMnwGradient {
  double *c;     /* [n, D] */
  double *y;     /* [n, m] */
  double *mean0; /* [D, m] */
  double *xi0;   /* [D, D] */
  double *psi0;  /* [m, m]; not under known noise */
  double *nu0;   /* [1]; not under known noise */
  double *sigma; /* [m, m]; only under known noise */
} HnMnwGradient;
/* Gradient of the log evidence; q is the posterior given these n rows. */
HN_KIT void hn_mnw_evidence_gradient(const HnMnw *prior, const HnMnw *q, int64_t n, const double *c,
                                     const double *y, const HnMnwGradient *g, void *work);
/* Log evidence under a known noise covariance L^-1 = sigma [m, m] (the prior covariance of W is
 * then Xi0^-1 (x) sigma), and its gradient (NULL: the value only).  M, V and Xi of q do not depend
 * on sigma; psi, nu of prior and q are not read.  HN_E_NUMERIC: sigma is not positive definite. */
HN_KIT HnStatus hn_mnw_fixed_evidence(const HnMnw *prior, const HnMnw *q, int64_t n,
                                      const double *c, const double *y, const double *sigma,
                                      double *value, const HnMnwGradient *g, void *work);
/* Vector-Jacobian product to the features: dc [n, D] = gradient of
 *   <g_mean, M> + <g_psi, Psi> + <g_v, V> + g_logdet ln|Xi|
 * for upstream g_mean [D, m], symmetric g_psi [m, m] and g_v [D, D]; NULL: zero. */
HN_KIT void hn_mnw_vjp(const HnMnw *q, int64_t n, const double *c, const double *y,
                       const double *g_mean, const double *g_psi, const double *g_v,
                       double g_logdet, double *dc, void *work);

/* Posterior predictive at features c [D]: Student-t with nu - m + 1 degrees of freedom, location
 * `mean` [m] (out) and scale Psi s / (nu - m + 1).  Returns s = 1 + c'V c. */
HN_KIT double hn_mnw_predictive(const HnMnw *q, const double *c, double *mean);
/* Joint log-density of n rows under the posterior predictive (a matrix-T).  sigma [m, m]: known
 * noise covariance (then a Gaussian); NULL: inferred.  NaN where a factorisation fails. */
HN_KIT double hn_mnw_predict(const HnMnw *q, int64_t n, const double *c, const double *y,
                             const double *sigma, void *work);
/* Differential entropy, and KL(q1 || q0), of (W, L) jointly. */
HN_KIT double hn_mnw_entropy(const HnMnw *q);
HN_KIT double hn_mnw_kl(const HnMnw *q1, const HnMnw *q0, void *work);
/* Expected log-likelihood E_q[ln p(Y | C, W, L)] of n rows.  The log evidence is exactly this minus
 * KL(posterior || prior). */
HN_KIT double hn_mnw_expected_loglik(const HnMnw *q, int64_t n, const double *c, const double *y,
                                     void *work);

/* Updates q by n rows in order, in chunks of `chunk` rows (one BLAS-3 pass each), and reports how
 * each row was predicted from those before it.  The result does not depend on `chunk` beyond
 * rounding.  Each output may be NULL:
 *   s     [n]     predictive inflation s_t = 1 + c'V c
 *   e     [n, m]  prediction error e_t = y_t - M'c_t
 *   logp  [n]     log predictive density; its running sum is the log evidence of every prefix
 * HN_E_NUMERIC: a factorisation failed; q is then undefined. */
HN_KIT HnStatus hn_mnw_prefixes(HnMnw *q, int64_t n, const double *c, const double *y,
                                int64_t chunk, double *s, double *e, double *logp, void *work);
/* The same from one n x n factorisation, for D > n: K = I + C Xi0^-1 C' = L L'.
 *   s, e, logp  as above; white [n, m] = L^-1 (Y - C M0), row t is e_t / sqrt(s_t); alpha [n, m] =
 *   K^-1 (Y - C M0), the kernel weights.  q (NULL: not wanted) becomes the posterior.
 * HN_E_NUMERIC: K is not positive definite. */
HN_KIT HnStatus hn_mnw_dual(const HnMnw *prior, int64_t n, const double *c, const double *y,
                            double *s, double *e, double *logp, double *white, double *alpha,
                            HnMnw *q, void *work);
/* Rank-one update: l, the lower Cholesky factor [D, D] of A, becomes that of A + x x' (Givens
 * rotations); x [D] is overwritten. */
HN_KIT void hn_mnw_chol_update(int64_t d, double *l, double *x);

/* ---- isotropic prior, float32 features: evidence of a trial and its gradient ---- */

typedef int32_t HnMnwNoise;
enum {
  HN_MNW_INFERRED = 0, /* noise precision ~ Wishart(I / psi, nu0) */
  HN_MNW_FIXED = 1,    /* known variance; W ~ N(0, variance / xi): predictions as with INFERRED */
  HN_MNW_NORMAL = 2,   /* known variance; W ~ N(0, 1 / xi): FIXED with xi scaled by the variance */
};
typedef struct HnMnwPrior {
  HnMnwNoise noise;
  double xi;       /* > 0 */
  double psi, nu0; /* INFERRED: psi > 0, nu0 > m - 1 */
  double variance; /* FIXED, NORMAL: > 0, noise variance of each target */
} HnMnwPrior;

typedef struct HnMnwTrial {
  int64_t n, d, m;
  const float *c; /* features, row stride ldc */
  int64_t ldc;
  const float *y32;  /* targets, row stride ldy: either y32 .. */
  const double *y64; /* .. or y64 */
  int64_t ldy;
} HnMnwTrial;

typedef int32_t HnMnwPath;
enum {
  HN_MNW_AUTO = 0,  /* MIXED where that is accurate, else FULL; DUAL if D > n */
  HN_MNW_FULL = 1,  /* float64 throughout */
  HN_MNW_MIXED = 2, /* float64 up to the factorisation, float32 for d/dC */
  HN_MNW_DUAL = 3,  /* float64, n x n */
};

typedef struct HnMnwEvidence {
  HnMnwPath path; /* in: the algorithm, usually AUTO; out: the one taken */
  float *dc;      /* in: where to write d/dC [n, D], row stride lddc; NULL: not wanted */
  int64_t lddc;
  double evidence;        /* out, as all that follows: log p(Y | C) */
  double d_log_xi;        /* d evidence / d ln xi */
  double d_log_psi;       /* INFERRED, else 0 */
  double d_log_variance;  /* FIXED, NORMAL, else 0 */
  double xi;              /* the xi used, after retries (before NORMAL's scaling) */
  int64_t jitter_retries; /* times that a factorisation failed and xi was made ten times larger */
  double float_error;     /* bound on MIXED's relative error in d/dC, by Frobenius norms */
} HnMnwEvidence;

/* AUTO takes MIXED up to this bound on the error. */
#define HN_MNW_FLOAT_ERROR 1e-5

/* Bytes of work for hn_mnw_train. */
HN_KIT size_t hn_mnw_train_size(int64_t n, int64_t d, int64_t m);
/* Log evidence of one trial and its gradient.  Features need not be aligned or padded; n = 0 gives
 * 0.  HN_E_PARAM: the prior is out of range; HN_E_NUMERIC: the result is not finite.  About 3 n D^2
 * flops. */
HN_KIT HnStatus hn_mnw_train(const HnMnwPrior *prior, const HnMnwTrial *trial, HnMnwEvidence *out,
                             void *work);

/* ---- isotropic prior, row by row: the posterior of a running task ---- */

/* Bytes of a belief, which holds no pointers: it may be copied, saved and moved freely. */
HN_KIT size_t hn_mnw_belief_size(int64_t d, int64_t m);
/* Bytes of work for the functions below that take it. */
HN_KIT size_t hn_mnw_belief_work_size(int64_t d, int64_t m);
/* Sets the belief to the prior.  HN_E_PARAM: the prior is out of range. */
HN_KIT HnStatus hn_mnw_belief_start(void *belief, int64_t d, int64_t m, const HnMnwPrior *prior);
/* Sets the belief to a distribution q of the same D and m (under known noise: M and V only).
 * hn_mnw_belief_kl stays relative to the prior of hn_mnw_belief_start. */
HN_KIT void hn_mnw_belief_load(void *belief, const HnMnw *q);

/* How a target was predicted before the belief was updated with it. */
typedef struct HnMnwScore {
  double s;    /* 1 + c'V c */
  double logp; /* log predictive density of y under the belief's noise model */
  double l1;   /* mean over targets of |y - M'c| */
} HnMnwScore;
/* Scores the target y [m] at features c [D], then updates the belief with them.  error [m] = y -
 * M'c and score: NULL if not wanted.  3 D^2 + 4 D m flops, the same bits with any instruction set
 * that has FMA. */
HN_KIT void hn_mnw_belief_update(void *belief, const float *c, const double *y, double *error,
                                 HnMnwScore *score, void *work);
HN_KIT void hn_mnw_belief_update64(void *belief, const double *c, const double *y, double *error,
                                   HnMnwScore *score, void *work);
/* Scores without an update. */
HN_KIT void hn_mnw_belief_score(const void *belief, const float *c, const double *y, double *error,
                                HnMnwScore *score, void *work);
/* Location M'c [m] of the posterior predictive alone; 2 D m flops. */
HN_KIT void hn_mnw_belief_predict(const void *belief, const float *c, double *mean);

/* A belief in a few numbers.  n: rows so far.  Under known noise Psi is always variance I and nu
 * is 1. */
typedef struct HnMnwSummary {
  int64_t d, m, n;
  double nu, logdet_xi, logdet_psi, trace_v;
} HnMnwSummary;
HN_KIT HnMnwSummary hn_mnw_belief_summary(const void *belief);
/* KL(belief || prior) under the belief's noise model; D m^2 + D flops. */
HN_KIT double hn_mnw_belief_kl(const void *belief);
HN_KIT void hn_mnw_belief_mean(const void *belief, double *mean);  /* M [D, m] */
HN_KIT void hn_mnw_belief_variance(const void *belief, double *v); /* diagonal of V [D] */
HN_KIT void hn_mnw_belief_v(const void *belief, double *v);        /* V [D, D] */
HN_KIT void hn_mnw_belief_psi(const void *belief, double *psi);    /* Psi [m, m] */

/* ---- predictions at fixed features, as a belief runs ---- */

/* A probe holds what a belief predicts at `count` fixed rows of features: double [count, 1 + m],
 * c'V c and then M'c of each.  It follows the belief by rank one, 2 count D flops for a row taken
 * in, where hn_mnw_belief_score takes 2 D^2 for every row of features. */

/* Columns of the features c of probes: D rounded up to whole tiles; those past D are zero. */
HN_KIT int64_t hn_mnw_probe_width(int64_t d);
/* Starts a probe of a belief that hn_mnw_belief_start has just set to its prior. */
HN_KIT void hn_mnw_probe_start(const void *belief, int64_t count, const double *c, double *probe);
/* Follows the belief's last update; error [m] is what that gave.  Once after each update. */
HN_KIT void hn_mnw_probe_update(const void *belief, int64_t count, const double *c,
                                const double *error, double *probe);

#ifdef __cplusplus
}
#endif
#endif
