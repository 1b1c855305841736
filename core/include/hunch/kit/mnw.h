/* hunch/kit/mnw.h - the matrix-normal-Wishart belief over a linear map with unknown noise.
 *
 *   Y | W, L ~ MN(C W, I, L^-1)     W | L ~ MN(M0, Xi0^-1, L^-1)     L ~ Wishart_m(Psi0^-1, nu0)
 *
 * C [N, D] features, Y [N, m] targets, W [D, m] weights, L [m, m] noise precision, nu0 > m - 1.
 * The posterior has the same form: Xi = Xi0 + C'C, V = Xi^-1, M = V (Xi0 M0 + C'Y), nu = nu0 + N,
 * Psi = Psi0 + R'R + (M - M0)'Xi0(M - M0) with R = Y - C M.  The evidence p(Y | C) is exact.
 *
 * Three parts, from general to fast:
 *   hn_mnw_*        any prior, float64 features, BLAS: posterior, evidence, every gradient
 *   hn_mnw_train    one trial's evidence and d/dC for float32 features under an isotropic prior
 *   hn_mnw_belief_* the posterior of one running task, updated a row at a time, in row memory
 *
 * Matrices are row-major, dense and float64 unless said otherwise; symmetric ones are stored whole.
 * The caller lends all memory (`memory`, `work`: as many bytes as the matching _size says, best
 * 64-byte aligned, at least 8); nothing here allocates.  Everything is [any]: distinct memory may
 * be used from distinct threads.
 *
 * Source: GLiBRL, arXiv 2512.20974; formulas in Gupta & Nagar 2000, chapters 2 and 4. */
#ifndef HUNCH_KIT_MNW_H
#define HUNCH_KIT_MNW_H
#include "../plugin.h"
#include "gemm.h"

/* ---- special functions ---- */

/* log of the multivariate gamma function of dimension m at a > (m - 1) / 2; its derivative. */
HN_KIT double hn_mnw_lgamma(int64_t m, double a);
HN_KIT double hn_mnw_digamma(int64_t m, double a);

/* ---- any prior: the posterior of a batch ---- */

/* One distribution, prior or posterior.  Arrays lie in the caller's memory. */
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

/* Bytes of `memory` for one distribution, and of `work` for functions of n rows. */
HN_KIT size_t hn_mnw_size(int64_t d, int64_t m);
HN_KIT size_t hn_mnw_work_size(int64_t n, int64_t d, int64_t m);
/* Bytes of `work` for hn_mnw_prefixes and hn_mnw_dual. */
HN_KIT size_t hn_mnw_prefixes_size(int64_t chunk, int64_t d, int64_t m);
HN_KIT size_t hn_mnw_dual_size(int64_t n, int64_t d, int64_t m);
/* Lays the arrays out in memory; their contents are undefined. */
HN_KIT HnMnw hn_mnw_place(int64_t d, int64_t m, void *memory);

/* Sets q to the prior.  M0 NULL: zero.  HN_E_PARAM: nu0 <= m - 1; HN_E_NUMERIC: Xi0 or Psi0 is not
 * positive definite. */
HN_KIT HnStatus hn_mnw_prior(HnMnw *q, const double *mean0, const double *xi0, const double *psi0,
                             double nu0);
/* M0 = 0, Xi0 = xi I, Psi0 = psi I. */
HN_KIT HnStatus hn_mnw_prior_isotropic(HnMnw *q, double xi, double psi, double nu0);
/* Posterior q after n >= 0 rows c [n, D], y [n, m].  q is not prior; a posterior may be the prior
 * of more rows.  HN_E_NUMERIC: Xi is not positive definite.  n D^2 + D^3 flops. */
HN_KIT HnStatus hn_mnw_posterior(HnMnw *q, const HnMnw *prior, int64_t n, const double *c,
                                 const double *y, void *work);

/* log p(Y | C), from the prior and its posterior alone. */
HN_KIT double hn_mnw_evidence(const HnMnw *prior, const HnMnw *q);

/* Where to put gradients; NULL: not wanted.  Symmetric arguments have symmetric gradients G with
 * dL = tr(G dX). */
typedef struct HnMnwGradient {
  double *c;     /* [n, D] */
  double *y;     /* [n, m] */
  double *mean0; /* [D, m] */
  double *xi0;   /* [D, D] */
  double *psi0;  /* [m, m]; unused under fixed noise */
  double *nu0;   /* [1]; unused under fixed noise */
  double *sigma; /* [m, m]; only under fixed noise */
} HnMnwGradient;
/* Gradient of the evidence; q is the posterior of these rows. */
HN_KIT void hn_mnw_evidence_gradient(const HnMnw *prior, const HnMnw *q, int64_t n, const double *c,
                                     const double *y, const HnMnwGradient *g, void *work);
/* Evidence when the noise covariance is known, L^-1 = sigma [m, m] (the prior covariance of W is
 * then Xi0^-1 (x) sigma), and its gradient (NULL: value only).  M, V and Xi of q do not depend on
 * sigma; psi, nu of prior and q are not read.  HN_E_NUMERIC: sigma is not positive definite. */
HN_KIT HnStatus hn_mnw_fixed_evidence(const HnMnw *prior, const HnMnw *q, int64_t n,
                                      const double *c, const double *y, const double *sigma,
                                      double *value, const HnMnwGradient *g, void *work);
/* Vector-Jacobian product to the features: dc [n, D] = gradient of
 *   <g_mean, M> + <g_psi, Psi> + <g_v, V> + g_logdet ln|Xi|
 * for upstream g_mean [D, m], symmetric g_psi [m, m] and g_v [D, D]; NULL: zero. */
HN_KIT void hn_mnw_vjp(const HnMnw *q, int64_t n, const double *c, const double *y,
                       const double *g_mean, const double *g_psi, const double *g_v,
                       double g_logdet, double *dc, void *work);

/* Predictive at c [D]: y ~ Student-t with nu - m + 1 degrees of freedom, location `mean` [m]
 * and scale Psi s / (nu - m + 1), where s = 1 + c'V c is returned. */
HN_KIT double hn_mnw_predictive(const HnMnw *q, const double *c, double *mean);
/* Joint log density of n rows under the predictive (matrix-T); n = 1: at one row.  sigma [m, m]:
 * known noise covariance (then Gaussian); NULL: inferred.  NaN where a factorisation fails. */
HN_KIT double hn_mnw_predict(const HnMnw *q, int64_t n, const double *c, const double *y,
                             const double *sigma, void *work);
/* Differential entropy; KL(q1 || q0); both of (W, L) jointly, in nats. */
HN_KIT double hn_mnw_entropy(const HnMnw *q);
HN_KIT double hn_mnw_kl(const HnMnw *q1, const HnMnw *q0, void *work);
/* E_q[ln p(Y | C, W, L)].  Evidence = this - KL(posterior || prior), exactly. */
HN_KIT double hn_mnw_expected_loglik(const HnMnw *q, int64_t n, const double *c, const double *y,
                                     void *work);

/* Absorbs n rows into q, in order and in chunks of `chunk` rows (one BLAS-3 pass each), with what
 * every row was worth given those before it.  The result does not depend on `chunk` beyond
 * rounding.  Each output may be NULL:
 *   s     [n]     predictive inflation s_t = 1 + c'V c
 *   e     [n, m]  error e_t = y_t - M'c_t
 *   logp  [n]     log predictive density; their running sum is every prefix's evidence
 * HN_E_NUMERIC: a factorisation failed; q is then undefined. */
HN_KIT HnStatus hn_mnw_prefixes(HnMnw *q, int64_t n, const double *c, const double *y,
                                int64_t chunk, double *s, double *e, double *logp, void *work);
/* The same from one n x n factorisation, for D > n: K = I + C Xi0^-1 C' = L L'.
 *   s, e, logp  as above; white [n, m] = L^-1 (Y - C M0), row t is e_t / sqrt(s_t); alpha [n, m] =
 *   K^-1 (Y - C M0), the kernel weights.  q (NULL: not wanted) becomes the posterior. */
HN_KIT HnStatus hn_mnw_dual(const HnMnw *prior, int64_t n, const double *c, const double *y,
                            double *s, double *e, double *logp, double *white, double *alpha,
                            HnMnw *q, void *work);
/* Turns l, the lower Cholesky factor [D, D] of A, into that of A + x x' (Givens); x is used up. */
HN_KIT void hn_mnw_chol_update(int64_t d, double *l, double *x);

/* ---- isotropic prior, float32 features: what a trial teaches ---- */

typedef int32_t HnMnwNoise;
enum {
  HN_MNW_INFERRED = 0, /* noise precision ~ Wishart(I / psi, nu0) */
  HN_MNW_FIXED = 1,    /* known variance; W ~ N(0, variance / xi): predictions as with INFERRED */
  HN_MNW_NORMAL = 2,   /* known variance; W ~ N(0, 1 / xi): FIXED with xi scaled by variance */
};
typedef struct HnMnwPrior {
  HnMnwNoise noise;
  double xi;       /* > 0 */
  double psi, nu0; /* INFERRED: psi > 0, nu0 > m - 1 */
  double variance; /* FIXED, NORMAL: > 0, of each target's noise */
} HnMnwPrior;

typedef struct HnMnwTrial {
  int64_t n, d, m;
  const float *c; /* features, row stride ldc */
  int64_t ldc;
  const float *y32;  /* targets, row stride ldy: give either y32 .. */
  const double *y64; /* .. or y64 */
  int64_t ldy;
} HnMnwTrial;

typedef int32_t HnMnwPath;
enum {
  HN_MNW_AUTO = 0,  /* in: MIXED where that is accurate, FULL else; DUAL if D > n */
  HN_MNW_FULL = 1,  /* float64 throughout */
  HN_MNW_MIXED = 2, /* float64 up to the factorisation, float32 for d/dC */
  HN_MNW_DUAL = 3,  /* float64, n x n */
};

typedef struct HnMnwLesson {
  HnMnwPath path; /* in: which to take, usually AUTO; out: which was taken */
  float *dc;      /* in: where to put d/dC [n, D], row stride lddc; NULL: not wanted */
  int64_t lddc;
  double evidence;       /* out: log p(Y | C), all below too */
  double d_log_xi;       /* d evidence / d ln xi */
  double d_log_psi;      /* INFERRED, else 0 */
  double d_log_variance; /* FIXED, NORMAL, else 0 */
  double xi;             /* the xi in use after raises (before NORMAL's scaling) */
  int64_t raises;        /* times xi was raised tenfold, because a factorisation failed */
  double float_error;    /* bound on MIXED's relative error in d/dC, Frobenius norms */
} HnMnwLesson;

/* AUTO trusts float32 for d/dC up to this bound. */
#define HN_MNW_FLOAT_ERROR 1e-5

/* Bytes of work. */
HN_KIT size_t hn_mnw_train_size(int64_t n, int64_t d, int64_t m);
/* Evidence of one trial and its gradient.  Features need not be aligned or padded; n = 0 gives 0.
 * HN_E_PARAM: a prior out of range; HN_E_NUMERIC: not finite.  About 3 n D^2 flops. */
HN_KIT HnStatus hn_mnw_train(const HnMnwPrior *prior, const HnMnwTrial *trial, HnMnwLesson *lesson,
                             void *work);

/* ---- isotropic prior, a row at a time: the belief of a running task ---- */

/* A belief is plain bytes without pointers: copy, save or move it freely. */
HN_KIT size_t hn_mnw_belief_size(int64_t d, int64_t m);
/* Bytes of work of the functions below that take it. */
HN_KIT size_t hn_mnw_belief_work_size(int64_t d, int64_t m);
/* Sets the belief to the prior.  HN_E_PARAM: the prior is out of range. */
HN_KIT HnStatus hn_mnw_belief_start(void *belief, int64_t d, int64_t m, const HnMnwPrior *prior);
/* Sets it to any distribution q of the same D and m (known noise: M and V only).  KL stays relative
 * to the prior of hn_mnw_belief_start. */
HN_KIT void hn_mnw_belief_load(void *belief, const HnMnw *q);

/* What a target was worth before it was taken in. */
typedef struct HnMnwScore {
  double s;    /* 1 + c'V c */
  double logp; /* log predictive density of y, by the belief's noise mode */
  double l1;   /* mean over targets of |y - M'c| */
} HnMnwScore;
/* Scores y [m] at c [D], then takes it in.  error [m] = y - M'c, score: NULL if not wanted.
 * 3 D^2 + 4 D m flops, same bits with any instruction set that has FMA. */
HN_KIT void hn_mnw_belief_update(void *belief, const float *c, const double *y, double *error,
                                 HnMnwScore *score, void *work);
HN_KIT void hn_mnw_belief_update64(void *belief, const double *c, const double *y, double *error,
                                   HnMnwScore *score, void *work);
/* Scores without taking in. */
HN_KIT void hn_mnw_belief_score(const void *belief, const float *c, const double *y, double *error,
                                HnMnwScore *score, void *work);
/* Predictive location M'c [m] only; 2 D m flops. */
HN_KIT void hn_mnw_belief_predict(const void *belief, const float *c, double *mean);

/* n: rows taken in.  Under known noise Psi = variance I and nu = 1, always. */
typedef struct HnMnwFacts {
  int64_t d, m, n;
  double nu, logdet_xi, logdet_psi, trace_v;
} HnMnwFacts;
HN_KIT HnMnwFacts hn_mnw_belief_facts(const void *belief);
/* KL(belief || prior) in nats, by the noise mode; D m^2 + D flops. */
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
#endif
