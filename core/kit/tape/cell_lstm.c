/* cell_lstm.c - long short-term memory, see hunch/kit/rnn.h.  Sums lie as w and u have their
 * columns: i, f, g, o. */
#include "cell.h"
#include "tape_record.h"
#include "vector_math.h"

HN_INLINE void step_at(int64_t n, float *g, const float *m, float *c, float *y, bool whole,
                       HnLaneMask part) {
  const HnV in = v_sigmoid(v_load_any(g, whole, part));
  const HnV keep = v_sigmoid(v_load_any(g + n, whole, part));
  const HnV candidate = v_tanh(v_load_any(g + 2 * n, whole, part));
  const HnV out = v_sigmoid(v_load_any(g + 3 * n, whole, part));
  const HnV cell = v_fma(keep, v_load_any(m, whole, part), in * candidate);
  v_store_any(g, in, whole, part);
  v_store_any(g + n, keep, whole, part);
  v_store_any(g + 2 * n, candidate, whole, part);
  v_store_any(g + 3 * n, out, whole, part);
  v_store_any(c, cell, whole, part);
  v_store_any(y, out * v_tanh(cell), whole, part);
}

static void step(const HnCellStep *s) {
  const int64_t n = s->hidden;
  for (int64_t i = 0; i < s->rows; i++) {
    float *g = s->sums + 4 * i * n, *y = s->after[0] + i * n, *c = s->after[1] + i * n;
    const float *m = s->before[1] + i * n;
    HN_FOR_VECTORS(n, step_at(n, g + j, m + j, c + j, y + j, whole, part));
  }
}

HN_INLINE void back_at(int64_t n, float *g, const float *m, const float *c, const float *dy,
                       float *dc, bool whole, HnLaneMask part) {
  const HnV one = v_all(1.0f), d = v_load_any(dy, whole, part);
  const HnV in = v_load_any(g, whole, part), keep = v_load_any(g + n, whole, part);
  const HnV candidate = v_load_any(g + 2 * n, whole, part);
  const HnV out = v_load_any(g + 3 * n, whole, part);
  const HnV bent = v_tanh(v_load_any(c, whole, part));
  const HnV cell = v_fma(d * out, v_fma(-bent, bent, one), v_load_any(dc, whole, part));
  v_store_any(g, cell * candidate * (in * (one - in)), whole, part);
  v_store_any(g + n, cell * v_load_any(m, whole, part) * (keep * (one - keep)), whole, part);
  v_store_any(g + 2 * n, cell * in * v_fma(-candidate, candidate, one), whole, part);
  v_store_any(g + 3 * n, d * bent * (out * (one - out)), whole, part);
  v_store_any(dc, cell * keep, whole, part);
}

static void step_back(const HnCellStep *s) {
  const int64_t n = s->hidden;
  for (int64_t i = 0; i < s->rows; i++) {
    float *g = s->sums + 4 * i * n, *dc = s->d[1] + i * n;
    const float *m = s->before[1] + i * n, *c = s->after[1] + i * n, *dy = s->dh_after + i * n;
    HN_FOR_VECTORS(n, back_at(n, g + j, m + j, c + j, dy + j, dc + j, whole, part));
  }
}

HN_INLINE HnV load_sum(const float *a, const float *b, bool whole, HnLaneMask part) {
  return v_load_any(a, whole, part) + v_load_any(b, whole, part);
}

HN_INLINE void slopes_at(int64_t n, const float *a, const float *x, const float *m, float *d,
                         bool whole, HnLaneMask part) {
  const HnV one = v_all(1.0f), cells = v_load_any(m, whole, part);
  const HnV in = v_sigmoid(load_sum(a, x, whole, part));
  const HnV keep = v_sigmoid(load_sum(a + n, x + n, whole, part));
  const HnV candidate = v_tanh(load_sum(a + 2 * n, x + 2 * n, whole, part));
  const HnV out = v_sigmoid(load_sum(a + 3 * n, x + 3 * n, whole, part));
  const HnV bent = v_tanh(v_fma(keep, cells, in * candidate));
  const HnV by_cell = out * v_fma(-bent, bent, one);
  v_store_any(d, by_cell * candidate * (in * (one - in)), whole, part);
  v_store_any(d + n, by_cell * cells * (keep * (one - keep)), whole, part);
  v_store_any(d + 2 * n, by_cell * in * v_fma(-candidate, candidate, one), whole, part);
  v_store_any(d + 3 * n, bent * (out * (one - out)), whole, part);
}

static void slopes(int64_t n, const float *a, const float *x, const float *const *states,
                   float *d) {
  const float *m = states[1];
  HN_FOR_VECTORS(n, slopes_at(n, a + j, x + j, m + j, d + j, whole, part));
}

/* ---- Jacobian-vector product ---- */

static HnVar *first_three(HnTape *t, HnVar *p, int64_t n) {
  return hn_add(t, hn_add(t, hn_gate(t, p, 0, n), hn_gate(t, p, 1, n)), hn_gate(t, p, 2, n));
}

/* With k the tangent of h u and p = by k, of which i, f, g are summed over:
 *   dm' = local_m + p_ifg + f dm,  dh' = local_h + p_o + by_m dm' */
static void linearise(HnTape *t, HnCellTangent *v) {
  const int64_t n = v->hidden;
  HnVar *sums = hn_add(t, v->input, v->state), *gate[4], *slope[4];
  for (int i = 0; i < 4; i++) {
    const HnActivation act = i == 2 ? HN_TANH : HN_SIGMOID;
    gate[i] = hn_activate(t, hn_gate(t, sums, i, n), act);
    slope[i] = hn_slope(t, gate[i], act);
  }
  HnVar *bent = hn_activate(t, v->after[1], HN_TANH);
  HnVar *by[] = {hn_mul(t, gate[2], slope[0]), hn_mul(t, v->before[1], slope[1]),
                 hn_mul(t, gate[0], slope[2]), hn_mul(t, bent, slope[3])};
  v->by = hn_concat(t, 4, by);
  v->factor[0] = hn_mul(t, gate[3], hn_slope(t, bent, HN_TANH)), v->factor[1] = gate[1];
  HnVar *local = hn_times(t, v->by, hn_plus(t, v->d_input, v->d_state));
  if (local) v->local[0] = hn_gate(t, local, 3, n), v->local[1] = first_three(t, local, n);
}

static void jvp(HnTape *t, const HnCellTangent *v, int64_t at, int64_t rows, HnVar *k, HnVar **d) {
  const int64_t n = v->hidden;
  HnVar *kept = hn_times(t, hn_step_of(t, v->factor[1], at, rows), d[1]);
  d[1] = hn_plus(t, hn_step_of(t, v->local[1], at, rows), kept);
  if (k) d[1] = hn_plus(t, d[1], first_three(t, k, n));
  d[0] = hn_plus(t, hn_step_of(t, v->local[0], at, rows), k ? hn_gate(t, k, 3, n) : NULL);
  d[0] = hn_plus(t, d[0], hn_times(t, hn_step_of(t, v->factor[0], at, rows), d[1]));
}

const HnCell HN_VARIANT(hn_cell_lstm) = {.name = "lstm",
                                         .gates = 4,
                                         .blocks = 4,
                                         .states = 2,
                                         .input = {0, 1, 2, 3},
                                         .state = 0,
                                         .step = step,
                                         .step_back = step_back,
                                         .slopes = slopes,
                                         .linearise = linearise,
                                         .jvp = jvp};
