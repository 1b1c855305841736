/* gru.c - the gated recurrent unit over a whole sequence as one operation of the tape.
 *
 * Gates live in one array g [T B, 4 H], columns n, r, z, q with q = h Un + cn: so r, z, q lie as u
 * has its columns and each step is one product that adds to them in place.  Backward turns g into
 * the gradient of the sums, of which r, z, n meet w and r, z, q meet u. */
#include "sequence.h"

typedef struct Gru {
  int64_t steps, rows, hidden;
  HnVar *x, *h0, *w, *u, *b, *c;
  const uint8_t *reset; /* [T, B] or NULL */
  float *g;             /* [T B, 4 H] */
  float *h;             /* [T B, H] the state each step began from */
} Gru;

/* ---- forward ---- */

/* g = [x Wn + bn, x Wr + br + cr, x Wz + bz + cz, cn] in `count` rows of all steps'; bias [4 H]
 * holds the last three without x, then bn. */
static void project(const Gru *s, const float *bias, int64_t from, int64_t count) {
  const int64_t n = s->hidden, in = s->x->cols;
  const float *x = s->x->data + from * in;
  float *g = s->g + from * 4 * n;
  hn_product_of((HnProduct){.m = count,
                            .n = n,
                            .k = in,
                            .a = x,
                            .a_row = in,
                            .a_col = 1,
                            .b = s->w->data + 2 * n,
                            .ldb = 3 * n,
                            .init = bias + 3 * n,
                            .c = g,
                            .ldc = 4 * n});
  hn_product_of((HnProduct){.m = count,
                            .n = 2 * n,
                            .k = in,
                            .a = x,
                            .a_row = in,
                            .a_col = 1,
                            .b = s->w->data,
                            .ldb = 3 * n,
                            .init = bias,
                            .c = g + n,
                            .ldc = 4 * n});
  for (int64_t i = 0; i < count; i++)
    memcpy(g + (4 * i + 3) * n, bias + 2 * n, (size_t)n * sizeof(float));
}

static void forward(HnTape *t, const Gru *s, float *y) {
  const int64_t n = s->hidden, size = s->rows * n, window = hn_window_steps(s->rows);
  const float *before = s->h0->data, *b = s->b->data, *c = s->c->data;
  float *bias = hn_tape_take(t, 4 * n, sizeof(float));
  for (int64_t j = 0; j < 2 * n; j++) bias[j] = b[j] + c[j];
  memcpy(bias + 2 * n, c + 2 * n, (size_t)n * sizeof(float));
  memcpy(bias + 3 * n, b + 2 * n, (size_t)n * sizeof(float));
  for (int64_t step = 0; step < s->steps; step++) {
    const int64_t steps = s->steps - step < window ? s->steps - step : window;
    if (step % window == 0) project(s, bias, step * s->rows, steps * s->rows);
    float *g = s->g + 4 * step * size, *h = s->h + step * size;
    hn_state_begin(s->rows, n, s->reset ? s->reset + step * s->rows : NULL, before, h);
    hn_product_of((HnProduct){.m = s->rows,
                              .n = 3 * n,
                              .k = n,
                              .a = h,
                              .a_row = n,
                              .a_col = 1,
                              .b = s->u->data,
                              .ldb = 3 * n,
                              .init = g + n,
                              .init_row = 4 * n,
                              .c = g + n,
                              .ldc = 4 * n});
    hn_kernels()->gru(s->rows, n, g, h, y + step * size);
    before = y + step * size;
  }
}

/* ---- backward ---- */

/* Through one step: dy into the sums' gradient and into the state before it. */
static void step_back(const Gru *s, int64_t step, const float *flip, const float *dy, float *dh) {
  const int64_t n = s->hidden, size = s->rows * n;
  float *g = s->g + 4 * step * size;
  hn_kernels()->gru_back(s->rows, n, g, s->h + step * size, dy, dh);
  hn_product_of((HnProduct){.m = s->rows,
                            .n = n,
                            .k = 3 * n,
                            .a = g + n,
                            .a_row = 4 * n,
                            .a_col = 1,
                            .b = flip,
                            .ldb = n,
                            .init = dh,
                            .init_row = n,
                            .c = dh,
                            .ldc = n});
}

/* d[rows, cols] += a' of its [T B, rows] times columns of g, over `count` rows of both; d's row
 * stride is 3 H. */
static void weight_back(const Gru *s, const float *a, int64_t rows, const float *g, int64_t cols,
                        int64_t count, bool fresh, float *d) {
  const int64_t n = s->hidden;
  hn_product_of((HnProduct){.m = rows,
                            .n = cols,
                            .k = count,
                            .a = a,
                            .a_row = 1,
                            .a_col = rows,
                            .b = g,
                            .ldb = 4 * n,
                            .init = fresh ? NULL : d,
                            .init_row = 3 * n,
                            .c = d,
                            .ldc = 3 * n});
}

/* What weights, biases and inputs take from rows of the sums' gradient. */
typedef struct Takers {
  float *sum, *dx; /* sums of g's columns, [4 H]; NULL where x has no gradient */
  const float *flip;
  bool fresh; /* dx holds nothing yet */
} Takers;

static void input_back(const Gru *s, const Takers *to, const float *g, int64_t count, float *dx) {
  const int64_t n = s->hidden, in = s->x->cols;
  hn_product_of((HnProduct){.m = count,
                            .n = in,
                            .k = 2 * n,
                            .a = g + n,
                            .a_row = 4 * n,
                            .a_col = 1,
                            .b = to->flip,
                            .ldb = in,
                            .init = to->fresh ? NULL : dx,
                            .init_row = in,
                            .c = dx,
                            .ldc = in});
  hn_product_of((HnProduct){.m = count,
                            .n = in,
                            .k = n,
                            .a = g,
                            .a_row = 4 * n,
                            .a_col = 1,
                            .b = to->flip + 2 * n * in,
                            .ldb = in,
                            .init = dx,
                            .init_row = in,
                            .c = dx,
                            .ldc = in});
}

static void window_back(const Gru *s, const Takers *to, int64_t from, int64_t count) {
  const int64_t n = s->hidden, in = s->x->cols;
  const float *g = s->g + from * 4 * n, *x = s->x->data + from * in;
  bool fresh;
  hn_kernels()->activate_back(HN_LINEAR, count, 4 * n, NULL, s->g + from * 4 * n, to->sum);
  float *d = hn_grad_raw(s->w, &fresh);
  if (d) {
    weight_back(s, x, in, g + n, 2 * n, count, fresh, d);
    weight_back(s, x, in, g, n, count, fresh, d + 2 * n);
  }
  d = hn_grad_raw(s->u, &fresh);
  if (d) weight_back(s, s->h + from * n, n, g + n, 3 * n, count, fresh, d);
  if (to->dx) input_back(s, to, g, count, to->dx + from * in);
}

/* From the last step to the first; dh is where a step's gradient of h0 or of the output before it
 * collects.  A step with resets collects aside and passes on only the rows that were not reset. */
static void unroll_back(HnTape *t, const Gru *s, const Takers *to, float *dy) {
  const int64_t n = s->hidden, size = s->rows * n, window = hn_window_steps(s->rows);
  const float *flip = hn_flipped(t, s->u);
  float *aside = hn_tape_take(t, size, sizeof(float)), *dh0 = hn_grad(s->h0);
  for (int64_t step = s->steps - 1; step >= 0; step--) {
    const uint8_t *reset = s->reset ? s->reset + step * s->rows : NULL;
    const int64_t steps = s->steps - step < window ? s->steps - step : window;
    float *before = step ? dy + (step - 1) * size : dh0;
    const bool direct = before && !hn_any_reset(reset, s->rows);
    if (!direct) memset(aside, 0, (size_t)size * sizeof(float));
    step_back(s, step, flip, dy + step * size, direct ? before : aside);
    if (!direct && before) hn_state_back(s->rows, n, reset, aside, before);
    if (step % window == 0) window_back(s, to, step * s->rows, steps * s->rows);
  }
}

static void gru_back(HnTape *t, HnRecord *r) {
  const Gru *s = r->extra;
  const int64_t n = s->hidden;
  Takers to = {.sum = hn_tape_room(t, 4 * n, sizeof(float))};
  to.dx = hn_grad_raw(s->x, &to.fresh);
  if (to.dx) to.flip = hn_flipped(t, s->w);
  unroll_back(t, s, &to, r->y->grad);
  float *db = hn_grad(s->b), *dc = hn_grad(s->c);
  for (int64_t j = 0; db && j < 2 * n; j++) db[j] += to.sum[n + j];
  for (int64_t j = 0; db && j < n; j++) db[2 * n + j] += to.sum[j];
  for (int64_t j = 0; dc && j < 3 * n; j++) dc[j] += to.sum[n + j];
}

/* ---- movement ---- */

/* What h' takes from the movement of the sums, over all steps at once.  With k that of h U:
 *   dh' = local + (by_r k_r + by_z k_z + by_q k_q) + z dh */
typedef struct Movement {
  HnVar *mask, *local, *by, *z; /* by: [T B, 3 H] */
} Movement;

static Movement movement(HnTape *t, const Gru *s, HnVar *y) {
  const int64_t n = s->hidden;
  HnVar *mask = hn_reset_mask(t, y->rows, n, s->reset);
  HnVar *h = hn_states_before(t, s->h0, y, mask);
  HnVar *in = hn_linear(t, s->x, s->w, s->b, HN_LINEAR), *a[3];
  HnVar *state = hn_linear(t, h, s->u, s->c, HN_LINEAR), *k[3];
  for (int i = 0; i < 3; i++)
    a[i] = hn_columns(t, in, i * n, n), k[i] = hn_columns(t, state, i * n, n);
  HnVar *r = hn_activate(t, hn_add(t, a[0], k[0]), HN_SIGMOID);
  HnVar *z = hn_activate(t, hn_add(t, a[1], k[1]), HN_SIGMOID);
  HnVar *candidate = hn_activate(t, hn_add(t, a[2], hn_mul(t, r, k[2])), HN_TANH);
  HnVar *by_n = hn_mul(t, hn_affine(t, z, -1, 1), hn_slope(t, candidate, HN_TANH));
  HnVar *by_r = hn_mul(t, hn_mul(t, by_n, k[2]), hn_slope(t, r, HN_SIGMOID));
  HnVar *by_z = hn_mul(t, hn_sub(t, h, candidate), hn_slope(t, z, HN_SIGMOID));
  HnVar *by[] = {by_r, by_z, hn_mul(t, by_n, r)};
  HnVar *from_in =
      hn_linear_moved(t, s->x, s->w, hn_along(t, s->x), hn_along(t, s->w), hn_along(t, s->b));
  HnVar *from_state = hn_linear_moved(t, h, s->u, NULL, hn_along(t, s->u), hn_along(t, s->c));
  Movement m = {.mask = mask, .by = hn_concat(t, 3, by), .z = z};
  for (int i = 0; from_state && i < 3; i++)
    m.local = hn_plus(t, m.local, hn_mul(t, by[i], hn_columns(t, from_state, i * n, n)));
  for (int i = 0; from_in && i < 3; i++)
    m.local =
        hn_plus(t, m.local, hn_mul(t, i < 2 ? by[i] : by_n, hn_columns(t, from_in, i * n, n)));
  return m;
}

static bool moves(HnTape *t, const Gru *s) {
  HnVar *const inputs[] = {s->x, s->h0, s->w, s->u, s->b, s->c};
  for (int i = 0; i < 6; i++)
    if (hn_along(t, inputs[i])) return true;
  return false;
}

static HnVar *gru_along(HnTape *t, const HnRecord *record) {
  const Gru *s = record->extra;
  const int64_t n = s->hidden;
  if (s->steps == 0 || !moves(t, s)) return NULL;
  const Movement m = movement(t, s, record->y);
  HnVar **after = hn_tape_take(t, s->steps, sizeof(HnVar *)), *dh = hn_along(t, s->h0);
  for (int64_t step = 0; step < s->steps; step++) {
    HnVar *next = hn_step_of(t, m.local, step, s->rows);
    if (dh && m.mask) dh = hn_mul(t, dh, hn_step_of(t, m.mask, step, s->rows));
    if (dh) {
      HnVar *k = hn_mul(t, hn_matmul(t, dh, s->u), hn_step_of(t, m.by, step, s->rows));
      for (int i = 0; i < 3; i++) next = hn_plus(t, next, hn_columns(t, k, i * n, n));
      next = hn_add(t, next, hn_mul(t, dh, hn_step_of(t, m.z, step, s->rows)));
    }
    after[step] = dh = next;
  }
  return hn_stack(t, s->steps, after);
}

static const HnRule gru_rule = {"hn_gru", gru_back, gru_along};

HnVar *hn_gru(HnTape *t, int64_t steps, HnVar *x, HnVar *h0, HnVar *w, HnVar *u, HnVar *b, HnVar *c,
              const uint8_t *reset) {
  const int64_t rows = h0->rows, n = h0->cols;
  HnVar *const inputs[] = {x, h0, w, u, b, c};
  HN_SHAPE(x->rows == steps * rows, "hn_gru's steps", x, h0);
  HN_SHAPE(w->rows == x->cols && w->cols == 3 * n, "hn_gru's input", x, w);
  HN_SHAPE(u->rows == n && u->cols == 3 * n, "hn_gru's state", h0, u);
  HN_SHAPE(b->rows == 1 && b->cols == 3 * n && c->rows == 1 && c->cols == 3 * n, "hn_gru's biases",
           b, c);
  Gru *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Gru){.steps = steps,
             .rows = rows,
             .hidden = n,
             .x = x,
             .h0 = h0,
             .w = w,
             .u = u,
             .b = b,
             .c = c,
             .reset = reset};
  s->g = hn_tape_take(t, steps * rows * 4 * n, sizeof(float));
  s->h = hn_tape_take(t, steps * rows * n, sizeof(float));
  HnVar *y = hn_output(t, steps * rows, n, hn_first_with_grad(6, inputs), NULL, NULL);
  forward(t, s, y->data);
  HnRecord *r = hn_record(t, &gru_rule, y, NULL, NULL, NULL);
  if (r) r->extra = s;
  return y;
}
