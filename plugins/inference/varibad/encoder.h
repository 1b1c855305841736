/* encoder.h - VariBAD's encoder on a tape, and what it and the decoders read of a step. */
#ifndef HN_VARIBAD_ENCODER_H
#define HN_VARIBAD_ENCODER_H
#include "varibad.h"

/* n steps as networks read them. */
typedef struct VaribadSteps {
  float *state;  /* [n, state_dim] where they led */
  float *action; /* [n, action_dim]; NULL: nothing reads it */
  float *reward; /* [n] */
} VaribadSteps;

/* n floats of 0 in scratch. */
static inline float *varibad_zeros(const Varibad *v, int64_t n) {
  return memset(v->host->scratch(v->host, n, sizeof(float)), 0, (size_t)n * sizeof(float));
}

/* n steps in scratch, all 0. */
VaribadSteps varibad_steps_new(const Varibad *v, int64_t n);

/* Writes the step that led to observation t of a row of h as number `to` of s. */
void varibad_put_step(const Varibad *v, const HnHistory *h, int64_t t, int64_t row,
                      const VaribadSteps *s, int64_t to);

/* Writes the state [state_dim] that step t of a row left. */
void varibad_put_before(const Varibad *v, const HnHistory *h, int64_t t, int64_t row, float *to);

/* Hidden states [steps rows, hidden] after each of `steps` steps of `rows` rows, time-major, from
 * h0 [rows, hidden].  reset as in hn_rnn_run; flat: the encoder's flat gradient, or NULL. */
HnVar *varibad_encode(const Varibad *v, HnTape *t, int64_t steps, int64_t rows,
                      const VaribadSteps *s, const float *h0, const uint8_t *reset, float *flat);

/* Mean and log-variance [n, 2 d] of hidden states h [n, hidden]. */
HnVar *varibad_moments(const Varibad *v, HnTape *t, HnVar *h, float *flat);
#endif
