/* cell_gru.c - the gated recurrent unit, see hunch/kit/rnn.h.  Sums lie n, r, z, q with
 * q = h Un + cn apart from n, so that r, z, q lie as u has its columns. */
#include "cell.h"
#include "tape_record.h"
#include "vector_math.h"

HN_INLINE void step_at(int64_t n, float *g, const float *h, float *y, bool whole, HnLaneMask part) {
  const HnV r = v_sigmoid(v_load_any(g + n, whole, part));
  const HnV z = v_sigmoid(v_load_any(g + 2 * n, whole, part));
  const HnV q = v_load_any(g + 3 * n, whole, part);
  const HnV candidate = v_tanh(v_fma(r, q, v_load_any(g, whole, part)));
  v_store_any(g, candidate, whole, part);
  v_store_any(g + n, r, whole, part);
  v_store_any(g + 2 * n, z, whole, part);
  v_store_any(y, v_fma(z, v_load_any(h, whole, part) - candidate, candidate), whole, part);
}

static void step(const HnCellStep *s) {
  const int64_t n = s->hidden;
  for (int64_t i = 0; i < s->rows; i++) {
    float *g = s->sums + 4 * i * n, *y = s->after[0] + i * n;
    const float *h = s->before[0] + i * n;
    HN_FOR_VECTORS(n, step_at(n, g + j, h + j, y + j, whole, part));
  }
}

HN_INLINE void back_at(int64_t n, float *g, const float *h, const float *dy, float *dh, bool whole,
                       HnLaneMask part) {
  const HnV one = v_all(1.0f), d = v_load_any(dy, whole, part);
  const HnV candidate = v_load_any(g, whole, part), r = v_load_any(g + n, whole, part);
  const HnV z = v_load_any(g + 2 * n, whole, part), q = v_load_any(g + 3 * n, whole, part);
  const HnV dn = d * (one - z) * v_fma(-candidate, candidate, one);
  const HnV dz = d * (v_load_any(h, whole, part) - candidate) * (z * (one - z));
  v_store_any(g, dn, whole, part);
  v_store_any(g + n, dn * q * (r * (one - r)), whole, part);
  v_store_any(g + 2 * n, dz, whole, part);
  v_store_any(g + 3 * n, dn * r, whole, part);
  v_store_any(dh, v_fma(d, z, v_load_any(dh, whole, part)), whole, part);
}

static void step_back(const HnCellStep *s) {
  const int64_t n = s->hidden;
  for (int64_t i = 0; i < s->rows; i++) {
    float *g = s->sums + 4 * i * n, *dh = s->d[0] + i * n;
    const float *h = s->before[0] + i * n, *dy = s->dh_after + i * n;
    HN_FOR_VECTORS(n, back_at(n, g + j, h + j, dy + j, dh + j, whole, part));
  }
}

HN_INLINE void slopes_at(int64_t n, const float *a, const float *x, const float *h, float *d,
                         bool whole, HnLaneMask part) {
  const HnV one = v_all(1.0f), q = v_load_any(a + 2 * n, whole, part);
  const HnV r = v_sigmoid(v_load_any(a, whole, part) + v_load_any(x, whole, part));
  const HnV z = v_sigmoid(v_load_any(a + n, whole, part) + v_load_any(x + n, whole, part));
  const HnV candidate = v_tanh(v_fma(r, q, v_load_any(x + 2 * n, whole, part)));
  const HnV by_sum = (one - z) * v_fma(-candidate, candidate, one);
  v_store_any(d, by_sum * q * (r * (one - r)), whole, part);
  v_store_any(d + n, (v_load_any(h, whole, part) - candidate) * (z * (one - z)), whole, part);
  v_store_any(d + 2 * n, by_sum * r, whole, part);
  v_store_any(d + 3 * n, z, whole, part);
}

static void slopes(int64_t n, const float *a, const float *x, const float *const *states,
                   float *d) {
  const float *h = states[0];
  HN_FOR_VECTORS(n, slopes_at(n, a + j, x + j, h + j, d + j, whole, part));
}

/* ---- Jacobian-vector product ---- */

/* With k the tangent of h u:  dh' = local + by_r k_r + by_z k_z + by_q k_q + z dh */
static void linearise(HnTape *t, HnCellTangent *v) {
  const int64_t n = v->hidden;
  HnVar *a[3], *k[3];
  for (int i = 0; i < 3; i++) a[i] = hn_gate(t, v->input, i, n), k[i] = hn_gate(t, v->state, i, n);
  HnVar *r = hn_activate(t, hn_add(t, a[0], k[0]), HN_SIGMOID);
  HnVar *z = hn_activate(t, hn_add(t, a[1], k[1]), HN_SIGMOID);
  HnVar *candidate = hn_activate(t, hn_add(t, a[2], hn_mul(t, r, k[2])), HN_TANH);
  HnVar *by_n = hn_mul(t, hn_affine(t, z, -1, 1), hn_slope(t, candidate, HN_TANH));
  HnVar *by_r = hn_mul(t, hn_mul(t, by_n, k[2]), hn_slope(t, r, HN_SIGMOID));
  HnVar *by_z = hn_mul(t, hn_sub(t, v->before[0], candidate), hn_slope(t, z, HN_SIGMOID));
  HnVar *by[] = {by_r, by_z, hn_mul(t, by_n, r)}, *sum = NULL;
  for (int i = 0; v->d_state && i < 3; i++)
    sum = hn_plus(t, sum, hn_mul(t, by[i], hn_gate(t, v->d_state, i, n)));
  for (int i = 0; v->d_input && i < 3; i++)
    sum = hn_plus(t, sum, hn_mul(t, i < 2 ? by[i] : by_n, hn_gate(t, v->d_input, i, n)));
  v->by = hn_concat(t, 3, by), v->local[0] = sum, v->factor[0] = z;
}

static void jvp(HnTape *t, const HnCellTangent *v, int64_t at, int64_t rows, HnVar *k, HnVar **d) {
  HnVar *next = hn_step_of(t, v->local[0], at, rows);
  for (int i = 0; k && i < 3; i++) next = hn_plus(t, next, hn_gate(t, k, i, v->hidden));
  *d = hn_plus(t, next, hn_times(t, *d, hn_step_of(t, v->factor[0], at, rows)));
}

const HnCell HN_VARIANT(hn_cell_gru) = {.name = "gru",
                                        .gates = 3,
                                        .blocks = 4,
                                        .states = 1,
                                        .input = {1, 2, 0},
                                        .state = 1,
                                        .step = step,
                                        .step_back = step_back,
                                        .slopes = slopes,
                                        .leaks = true,
                                        .linearise = linearise,
                                        .jvp = jvp};
