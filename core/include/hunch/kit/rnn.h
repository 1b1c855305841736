/* hunch/kit/rnn.h - recurrent layers, whatever their cell.
 *
 * A layer of H units reads inputs x [.., in] and carries one or two states [B, H] from step to
 * step.  The first state is the output h that later layers read; a carry is all of a row's states
 * side by side, as row memory keeps them.  A plugin names the cell in its parameters
 *
 *   X(choice, cell, "", "Recurrent cell.", "gru", HN_RNN_CHOICES)
 *
 * and needs to know nothing else about it:
 *
 *   m->rnn = hn_rnn_make(&m->store, hn_rnn_cell_name(p->cell), p->cell, HN_RNN_TORCH, in, H, rng);
 *   HnRnnRun run = hn_rnn(t, &m->rnn, steps, x, carry, reset, flat);
 *   .. run.state[0] ..                                    h after every step, [T B, H]
 *   hn_rnn_carries(&run, (steps - 1) * B, B, end);        the carries to go on from
 *
 * Acting is a run of one step on a tape that does not record.  A new cell is a row of HN_RNN_CELLS
 * and a file core/kit/tape/cell_NAME.c. */
#ifndef HUNCH_KIT_RNN_H
#define HUNCH_KIT_RNN_H
#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The cells, in the order of their numbers; OR stands between rows.
 *   gru   r = s(x Wr + br + h Ur + cr), z = s(x Wz + bz + h Uz + cz),
 *         n = tanh(x Wn + bn + r (h Un + cn)),  h' = (1 - z) n + z h.  Gates r, z, n.
 *         Cho et al. 2014, in PyTorch's convention.
 *   lstm  i, f, o = s(x W. + b. + h U. + c.), g = tanh(x Wg + bg + h Ug + cg),
 *         m' = f m + i g,  h' = o tanh(m').  Gates i, f, g, o; states h, m.
 *         Hochreiter & Schmidhuber 1997, with forget gates. */
#define HN_RNN_CELLS(X, OR) X(GRU, gru) OR X(LSTM, lstm)

#define HN_RNN_ID_(ID, name)   HN_RNN_##ID
#define HN_RNN_TEXT_(ID, name) #name
#define HN_RNN_COMMA_          ,
typedef int32_t HnRnnCell;
enum { HN_RNN_CELLS(HN_RNN_ID_, HN_RNN_COMMA_), HN_RNN_CELL_COUNT };
/* Choices of a parameter that names a cell: "gru|lstm". */
#define HN_RNN_CHOICES HN_RNN_CELLS(HN_RNN_TEXT_, "|")

enum { HN_RNN_STATES = 2 }; /* at most */

/* "gru", "lstm". [any] */
HN_KIT const char *hn_rnn_cell_name(HnRnnCell cell);
/* Gates, and so H-wide blocks of columns of w, u, b and c. [any] */
HN_KIT int64_t hn_rnn_gates(HnRnnCell cell);
/* States of H numbers each. [any] */
HN_KIT int64_t hn_rnn_states(HnRnnCell cell);

/* ---- on the tape ---- */

/* A layer's weights: w [in, G H], u [H, G H], b, c [1, G H] with the cell's G gates side by side.
 */
typedef struct HnRnnWeights {
  HnVar *w, *u, *b, *c;
} HnRnnWeights;

/* The states after every step, [T B, H] each; those that the cell does not have are NULL. */
typedef struct HnRnnRun {
  HnVar *state[HN_RNN_STATES];
} HnRnnRun;

/* Runs a cell over a whole sequence of T steps as one operation.
 *   x      [T B, in], time-major
 *   carry  [B, states H] before the first step
 *   reset  borrowed [T, B]: where non-zero, the carry is taken as 0 before step t, and no gradient
 *          flows further back; NULL: never
 * Input projections are one product for every 64 rows and more, weight gradients for every 256.  A
 * sequence goes on from hn_stop of its last states where it is to be truncated.  A row's bits do
 * not depend on which rows share a call, nor on where a sequence is cut. */
HN_KIT HnRnnRun hn_rnn_run(HnTape *t, HnRnnCell cell, int64_t steps, HnVar *x, HnVar *carry,
                           HnRnnWeights weights, const uint8_t *reset);
/* The same where inputs repeat, as observations of a grid do, so that each is projected once:
 *   sums  [N, gates H]  x w + b of N distinct inputs (hn_rnn_input)
 *   row   borrowed [T B]: which of them a step and row reads; NULL: its own of T B
 * The sums' gradient is that of their rows added up by time. */
HN_KIT HnRnnRun hn_rnn_run_shared(HnTape *t, HnRnnCell cell, int64_t steps, HnVar *sums,
                                  const int32_t *row, HnVar *carry, HnVar *u, HnVar *c,
                                  const uint8_t *reset);
/* carry [count, states H] of rows from .. from + count of a run's [T B]. [any] */
HN_KIT void hn_rnn_carries(const HnRnnRun *run, int64_t from, int64_t count, float *carry);

/* ---- layers ---- */

typedef int32_t HnRnnForm;
enum {
  HN_RNN_TORCH = 0, /* NAME.weight_ih and NAME.weight_hh orthogonal; two biases NAME.bias_ih and
                       NAME.bias_hh, 0, of every gate */
  HN_RNN_FLAX =
      1, /* NAME.weight_ih by LeCun, NAME.weight_hh orthogonal gate by gate; one bias
            NAME.bias, 0, of every gate, and NAME.bias_state, 0, of the gates whose
            state's share is not just added to the input's (a GRU's n; an LSTM has none) */
};
typedef struct HnRnn {
  HnRnnCell cell;
  int64_t in, hidden;
  int64_t width, carry;    /* columns of w and u; floats of a carry */
  HnTensor *w, *u, *b, *c; /* [in, width], [H, width], [1, width], c as the form has it or NULL */
} HnRnn;
/* Adds a layer's tensors to the store. [create] */
HN_KIT HnRnn hn_rnn_make(HnStore *s, const char *name, HnRnnCell cell, HnRnnForm form, int64_t in,
                         int64_t hidden, HnRng *rng);
/* hn_rnn_run with a layer's own weights, whose gradients are added to flat (NULL: constants). */
HN_KIT HnRnnRun hn_rnn(HnTape *t, const HnRnn *rnn, int64_t steps, HnVar *x, HnVar *carry,
                       const uint8_t *reset, float *flat);
/* hn_rnn_run_shared, likewise. */
HN_KIT HnRnnRun hn_rnn_shared(HnTape *t, const HnRnn *rnn, int64_t steps, HnVar *sums,
                              const int32_t *row, HnVar *carry, const uint8_t *reset, float *flat);
/* hn_rnn on rows of x [N, in], row [T B] or NULL as above, with its bits: each input is projected
 * once where N is at most half of T B. */
HN_KIT HnRnnRun hn_rnn_picked(HnTape *t, const HnRnn *rnn, int64_t steps, HnVar *x,
                              const int32_t *row, HnVar *carry, const uint8_t *reset, float *flat);
/* The inputs' share x w + b of the gates' sums, [n, width], for x [n, in]: what kit/curvature.h
 * remembers an input by. */
HN_KIT HnVar *hn_rnn_input(HnTape *t, const HnRnn *rnn, HnVar *x, float *flat);
/* The state's bias of all gates [1, width], zeros where the form has none; NULL: all zeros.
 * Borrowed from the store or from host->scratch. */
HN_KIT const float *hn_rnn_state_bias(const HnRnn *rnn, const HnHost *host);

#ifdef __cplusplus
}
#endif
#endif
