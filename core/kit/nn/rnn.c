/* rnn.c - recurrent layers: their tensors, and running them with those. */
#include "hunch/kit/rnn.h"
#include "cell.h"
#include "tape_record.h"
#include <stdio.h>
#include <string.h>

/* Whether gate k's state bias is not redundant: its block of the sums has no share of the inputs.
 */
static bool needs_state_bias(const HnCell *cell, int64_t k) {
  for (int64_t i = 0; i < cell->gates; i++)
    if (cell->input[i] == cell->state + k) return false;
  return true;
}

static int64_t state_biases(const HnCell *cell) {
  int64_t count = 0;
  for (int64_t k = 0; k < cell->gates; k++) count += needs_state_bias(cell, k);
  return count;
}

static HnTensor *add_tensor(HnStore *s, const char *name, const char *part, int64_t rows,
                            int64_t cols, HnInit init, HnRng *rng) {
  char text[256];
  snprintf(text, sizeof text, "%s.%s", name, part);
  return hn_store_add(s, text, rows, cols, init, 1, rng);
}

HnRnn hn_rnn_make(HnStore *s, const char *name, HnRnnCell cell, HnRnnForm form, int64_t in,
                  int64_t hidden, HnRng *rng) {
  const HnCell *kind = hn_cell(cell);
  const int64_t width = kind->gates * hidden, biases = state_biases(kind) * hidden;
  const bool flax = form == HN_RNN_FLAX;
  HnRnn r = {
      .cell = cell, .in = in, .hidden = hidden, .width = width, .carry = kind->states * hidden};
  r.w = add_tensor(s, name, "weight_ih", in, width, flax ? HN_INIT_LECUN : HN_INIT_ORTHOGONAL, rng);
  r.u = add_tensor(s, name, "weight_hh", hidden, width,
                   flax ? HN_INIT_ORTHOGONAL_EACH : HN_INIT_ORTHOGONAL, rng);
  r.b = add_tensor(s, name, flax ? "bias" : "bias_ih", 1, width, HN_INIT_ZERO, rng);
  if (!flax)
    r.c = add_tensor(s, name, "bias_hh", 1, width, HN_INIT_ZERO, rng);
  else if (biases)
    r.c = add_tensor(s, name, "bias_state", 1, biases, HN_INIT_ZERO, rng);
  return r;
}

/* The state's bias in full. */
static HnVar *state_bias(HnTape *t, const HnRnn *rnn, float *flat) {
  const HnCell *cell = hn_cell(rnn->cell);
  HnVar *c = rnn->c ? hn_param(t, rnn->c, flat) : NULL, *part[HN_CELL_GATES];
  if (c && c->cols == rnn->width) return c;
  const float *zero = hn_tape_room(t, rnn->width, sizeof *zero);
  if (!c) return hn_constant(t, 1, rnn->width, zero);
  for (int64_t k = 0, from = 0; k < cell->gates; k++)
    part[k] = needs_state_bias(cell, k) ? hn_gate(t, c, from++, rnn->hidden)
                                        : hn_constant(t, 1, rnn->hidden, zero);
  return hn_concat(t, cell->gates, part);
}

HnRnnRun hn_rnn(HnTape *t, const HnRnn *rnn, int64_t steps, HnVar *x, HnVar *carry,
                const uint8_t *reset, float *flat) {
  const HnRnnWeights weights = {hn_param(t, rnn->w, flat), hn_param(t, rnn->u, flat),
                                hn_param(t, rnn->b, flat), state_bias(t, rnn, flat)};
  return hn_rnn_run(t, rnn->cell, steps, x, carry, weights, reset);
}

HnRnnRun hn_rnn_shared(HnTape *t, const HnRnn *rnn, int64_t steps, HnVar *sums, const int32_t *row,
                       HnVar *carry, const uint8_t *reset, float *flat) {
  return hn_rnn_run_shared(t, rnn->cell, steps, sums, row, carry, hn_param(t, rnn->u, flat),
                           state_bias(t, rnn, flat), reset);
}

/* c [1, gates H] in the gates whose state bias is added to the input's, or in the others; 0 in the
 * rest. */
static HnVar *state_bias_where(HnTape *t, const HnRnn *rnn, HnVar *c, bool added) {
  float *mask = hn_tape_room(t, rnn->width, sizeof *mask);
  for (int64_t j = 0; j < rnn->width; j++)
    mask[j] = needs_state_bias(hn_cell(rnn->cell), j / rnn->hidden) != added;
  return hn_mul(t, c, hn_constant(t, 1, rnn->width, mask));
}

HnRnnRun hn_rnn_picked(HnTape *t, const HnRnn *rnn, int64_t steps, HnVar *x, const int32_t *row,
                       HnVar *carry, const uint8_t *reset, float *flat) {
  const int64_t rows = steps * carry->rows;
  if (!row) return hn_rnn(t, rnn, steps, x, carry, reset, flat);
  if (!hn_rows_repeat(x->rows, rows))
    return hn_rnn(t, rnn, steps, hn_pick_rows(t, x, rows, row), carry, reset, flat);
  HnVar *b = hn_param(t, rnn->b, flat), *c = state_bias(t, rnn, flat);
  b = hn_add(t, b, state_bias_where(t, rnn, c, true)); /* in the order of hn_rnn_run */
  HnVar *sums = hn_linear(t, x, hn_param(t, rnn->w, flat), b, HN_LINEAR);
  return hn_rnn_run_shared(t, rnn->cell, steps, sums, row, carry, hn_param(t, rnn->u, flat),
                           state_bias_where(t, rnn, c, false), reset);
}

HnVar *hn_rnn_input(HnTape *t, const HnRnn *rnn, HnVar *x, float *flat) {
  return hn_linear(t, x, hn_param(t, rnn->w, flat), hn_param(t, rnn->b, flat), HN_LINEAR);
}

const float *hn_rnn_state_bias(const HnRnn *rnn, const HnHost *host) {
  if (!rnn->c) return NULL;
  HnTape t = hn_tape_begin(host, false);
  return state_bias(&t, rnn, NULL)->data;
}
