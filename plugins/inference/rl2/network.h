/* network.h - RL2's network on a piece of a window. */
#ifndef HN_RL2_NETWORK_H
#define HN_RL2_NETWORK_H
#include "rl2.h"

/* Time steps from .. from + count - 1 of rows first .. first + rows - 1. */
typedef struct Rl2Piece {
  int64_t from, count, first, rows;
} Rl2Piece;

/* Beliefs [count rows, belief_dim] along a piece that starts from carry start [rows, rnn.carry]
 * (borrowed), and the carry after it in end (NULL: not asked). */
HnVar *rl2_run(const Rl2 *m, HnTape *t, const HnHistory *h, Rl2Piece s, const float *start,
               float *flat, float *end);

/* The carry [rows, rnn.carry] of rows from `first` before time step 0, from and to row memory. */
void rl2_read_memory(const Rl2 *m, const HnBeliefUpdate *q, int64_t first, int64_t rows,
                     float *carry);
void rl2_write_memory(const Rl2 *m, const HnBeliefUpdate *q, int64_t first, int64_t rows,
                      const float *carry);
#endif
