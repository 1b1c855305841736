/* jacobian.c - see transformer.h. */
#include "transformer.h"
#include <string.h>

/* One backward pass through `width` copies of the window, each from another output. */
void transformer_jacobian(const Transformer *m, const Windows *w, int64_t which, HnReuse *memory,
                          float *j) {
  const int64_t N = m->p->memory, F = m->p->width;
  hn_reuse_reset(memory);
  HnTape t = hn_tape_begin(&memory->host, true);
  const Embedded one = transformer_embed(m, &t, w, which, 1, NULL);
  float *copies = hn_tape_room(&t, F * N * F, sizeof *copies);
  float *seed = hn_tape_room(&t, F * F, sizeof *seed);
  int32_t *slot = hn_tape_room(&t, F * N, sizeof *slot);
  for (int64_t f = 0; f < F; f++) {
    memcpy(copies + f * N * F, one.tokens->data, (size_t)(N * F) * sizeof *copies);
    for (int64_t k = 0; k < N; k++) slot[f * N + k] = one.slot[k] < 0 ? -1 : (int32_t)(f * N + k);
    seed[f * F + f] = 1;
  }
  memset(j, 0, (size_t)(F * N * F) * sizeof *j);
  HnVar *y = hn_encoder(&t, m->encoder, hn_leaf(&t, F * N, F, copies, j), F, N, slot, NULL);
  hn_tape_backward_from(&t, y, seed);
}
