/* virtual.h - virtual training: in some iterations rewards are decoded from latents of tasks that
 * nobody has met, and the policy and the belief see those instead.
 *
 *   p = virtual_probability + virtual_growth * steps / 1e8    an iteration's chance to be virtual
 *   r = clip(R(z, s', a, s), virtual_low, virtual_high)
 *
 * The encoder and the decoders learn from trials without a virtual step alone.  A trial that goes
 * on into another iteration has virtual rewards in the virtual ones only, decoded from another draw
 * each time.  Source: Lee, Cho & Sung 2023; virtual_source latents: Lee & Chung 2021. */
#ifndef HN_VARIBAD_VIRTUAL_H
#define HN_VARIBAD_VIRTUAL_H
#include "varibad.h"

/* Errors: HN_E_PARAM.  [create] */
HnStatus varibad_check_virtual(const Varibad *v);
/* Nothing where no iteration will ever be virtual. [create] */
void varibad_make_virtual(Varibad *v, int64_t rows);

/* The chance of the next iteration after so many steps of the run. */
double varibad_virtual_probability(const VaribadParams *p, int64_t frames);
/* x [n] ~ Dirichlet(alpha [n]), also where all alpha are small.  Source: Marsaglia & Tsang 2000. */
void varibad_dirichlet(HnRng *rng, int64_t n, const double *alpha, float *x);
/* y [K] of a virtual trial; or z [d]. */
void varibad_draw_virtual(const Varibad *v, HnRng *rng, float *code);
#endif
