/* lstm.c - long short-term memory over a whole sequence as one operation of the tape.
 *
 * Gates live in one array g [T B, 4 H] in the order of w and u: one product over a window of steps
 * fills in the inputs' share, each step adds the state's in place, and backward turns g into the
 * gradient of the sums, of which weights, biases and inputs take theirs by windows again. */
#include "sequence.h"

typedef struct Lstm {
  int64_t steps, rows, hidden;
  HnVar *x, *h0, *c0, *w, *u, *b, *c;
  HnVar *cells;         /* the second output */
  const uint8_t *reset; /* [T, B] or NULL */
  float *g;             /* [T B, 4 H] */
  float *h, *m;         /* [T B, H] the state and the cells each step began from */
} Lstm;

static const uint8_t *reset_of(const Lstm *s, int64_t step) {
  return s->reset ? s->reset + step * s->rows : NULL;
}

/* ---- forward ---- */

/* g = x w + b + c in `count` rows of all steps' */
static void project(const Lstm *s, const float *bias, int64_t from, int64_t count) {
  const int64_t n = 4 * s->hidden, in = s->x->cols;
  hn_product_of((HnProduct){.m = count,
                            .n = n,
                            .k = in,
                            .a = s->x->data + from * in,
                            .a_row = in,
                            .a_col = 1,
                            .b = s->w->data,
                            .ldb = n,
                            .init = bias,
                            .c = s->g + from * n,
                            .ldc = n});
}

static void forward(HnTape *t, const Lstm *s, float *y) {
  const int64_t n = s->hidden, size = s->rows * n, window = hn_window_steps(s->rows);
  const float *h = s->h0->data, *m = s->c0->data;
  float *bias = hn_tape_take(t, 4 * n, sizeof(float));
  for (int64_t j = 0; j < 4 * n; j++) bias[j] = s->b->data[j] + s->c->data[j];
  for (int64_t step = 0; step < s->steps; step++) {
    const int64_t steps = s->steps - step < window ? s->steps - step : window;
    if (step % window == 0) project(s, bias, step * s->rows, steps * s->rows);
    float *g = s->g + 4 * step * size, *h_begin = s->h + step * size, *m_begin = s->m + step * size;
    hn_state_begin(s->rows, n, reset_of(s, step), h, h_begin);
    hn_state_begin(s->rows, n, reset_of(s, step), m, m_begin);
    hn_product_of((HnProduct){.m = s->rows,
                              .n = 4 * n,
                              .k = n,
                              .a = h_begin,
                              .a_row = n,
                              .a_col = 1,
                              .b = s->u->data,
                              .ldb = 4 * n,
                              .init = g,
                              .init_row = 4 * n,
                              .c = g,
                              .ldc = 4 * n});
    hn_kernels()->lstm(s->rows, n, g, m_begin, s->cells->data + step * size, y + step * size);
    h = y + step * size;
    m = s->cells->data + step * size;
  }
}

/* ---- backward ---- */

/* dh += (gradient of a step's sums) u' */
static void state_back(const Lstm *s, const float *g, const float *flip, float *dh) {
  const int64_t n = s->hidden;
  hn_product_of((HnProduct){.m = s->rows,
                            .n = n,
                            .k = 4 * n,
                            .a = g,
                            .a_row = 4 * n,
                            .a_col = 1,
                            .b = flip,
                            .ldb = n,
                            .init = dh,
                            .init_row = n,
                            .c = dh,
                            .ldc = n});
}

/* Gradient of w or u: += a' g over `count` rows of all steps', a [T B, rows]. */
static void weight_back(const Lstm *s, const float *a, HnVar *weight, int64_t from, int64_t count) {
  bool fresh;
  float *d = hn_grad_raw(weight, &fresh);
  const int64_t n = 4 * s->hidden;
  if (d)
    hn_product_of((HnProduct){.m = weight->rows,
                              .n = n,
                              .k = count,
                              .a = a + from * weight->rows,
                              .a_row = 1,
                              .a_col = weight->rows,
                              .b = s->g + from * n,
                              .ldb = n,
                              .init = fresh ? NULL : d,
                              .init_row = n,
                              .c = d,
                              .ldc = n});
}

/* What weights, biases and inputs take from `count` rows of the sums' gradient. */
typedef struct Takers {
  float *bias, *dx; /* sums of g's columns, [4 H]; NULL: nobody asks */
  const float *flip;
  bool fresh; /* dx holds nothing yet */
} Takers;

static void window_back(const Lstm *s, const Takers *to, int64_t from, int64_t count) {
  const int64_t n = 4 * s->hidden, in = s->x->cols;
  if (to->bias) hn_kernels()->activate_back(HN_LINEAR, count, n, NULL, s->g + from * n, to->bias);
  weight_back(s, s->x->data, s->w, from, count);
  weight_back(s, s->h, s->u, from, count);
  float *dx = to->dx ? to->dx + from * in : NULL;
  if (dx)
    hn_product_of((HnProduct){.m = count,
                              .n = in,
                              .k = n,
                              .a = s->g + from * n,
                              .a_row = n,
                              .a_col = 1,
                              .b = to->flip,
                              .ldb = in,
                              .init = to->fresh ? NULL : dx,
                              .init_row = in,
                              .c = dx,
                              .ldc = in});
}

/* From the last step to the first.  dm is the cells' gradient on its way back.  The state's
 * collects in the output before the step, or, where a reset cuts some rows off, aside. */
static void unroll_back(HnTape *t, const Lstm *s, const Takers *to, float *dy) {
  const int64_t n = s->hidden, size = s->rows * n, window = hn_window_steps(s->rows);
  const float *flip = hn_flipped(t, s->u), *cells = s->cells->touched ? s->cells->grad : NULL;
  float *aside = hn_tape_take(t, size, sizeof(float)), *dm = hn_tape_room(t, size, sizeof(float));
  float *dh0 = hn_grad(s->h0), *dc0 = hn_grad(s->c0);
  for (int64_t step = s->steps - 1; step >= 0; step--) {
    const uint8_t *reset = reset_of(s, step);
    float *g = s->g + 4 * step * size, *before = step ? dy + (step - 1) * size : dh0;
    if (cells) hn_kernels()->add(size, cells + step * size, dm);
    hn_kernels()->lstm_back(s->rows, n, g, s->m + step * size, s->cells->data + step * size,
                            dy + step * size, dm);
    const bool cut = hn_any_reset(reset, s->rows);
    if (before && !cut) state_back(s, g, flip, before);
    if (before && cut) {
      memset(aside, 0, (size_t)size * sizeof(float));
      state_back(s, g, flip, aside);
      hn_state_back(s->rows, n, reset, aside, before);
    }
    for (int64_t i = 0; cut && i < s->rows; i++)
      if (reset[i]) memset(dm + i * n, 0, (size_t)n * sizeof(float));
    const int64_t steps = s->steps - step < window ? s->steps - step : window;
    if (step % window == 0) window_back(s, to, step * s->rows, steps * s->rows);
  }
  if (dc0) hn_kernels()->add(size, dm, dc0);
}

static void lstm_back(HnTape *t, HnRecord *r) {
  const Lstm *s = r->extra;
  const int64_t n = 4 * s->hidden;
  float *db = hn_grad(s->b), *dc = hn_grad(s->c);
  Takers to = {.bias = db || dc ? hn_tape_room(t, n, sizeof(float)) : NULL};
  to.dx = hn_grad_raw(s->x, &to.fresh);
  if (to.dx) to.flip = hn_flipped(t, s->w);
  unroll_back(t, s, &to, r->y->grad);
  if (db) hn_kernels()->add(n, to.bias, db);
  if (dc) hn_kernels()->add(n, to.bias, dc);
}

/* ---- movement ---- */

/* What the state takes from the movement of the sums, over all steps at once.  With k that of h U
 * and p = by k, of which i, f, g are summed over:
 *   dm' = local_m + p_ifg + f dm,  dh' = local_h + p_o + by_m dm' */
typedef struct Movement {
  HnVar *mask, *by, *f, *by_m, *local_m, *local_h; /* by: [T B, 4 H] */
} Movement;

static HnVar *three(HnTape *t, HnVar *p, int64_t n) {
  HnVar *first = hn_add(t, hn_columns(t, p, 0, n), hn_columns(t, p, n, n));
  return hn_add(t, first, hn_columns(t, p, 2 * n, n));
}

static Movement movement(HnTape *t, const Lstm *s, HnVar *y) {
  const int64_t n = s->hidden;
  HnVar *mask = hn_reset_mask(t, y->rows, n, s->reset), *gate[4], *slope[4];
  HnVar *h = hn_states_before(t, s->h0, y, mask), *m = hn_states_before(t, s->c0, s->cells, mask);
  HnVar *sums =
      hn_add(t, hn_linear(t, s->x, s->w, s->b, HN_LINEAR), hn_linear(t, h, s->u, s->c, HN_LINEAR));
  for (int i = 0; i < 4; i++) {
    const HnActivation act = i == 2 ? HN_TANH : HN_SIGMOID;
    gate[i] = hn_activate(t, hn_columns(t, sums, i * n, n), act);
    slope[i] = hn_slope(t, gate[i], act);
  }
  HnVar *bent = hn_activate(t, s->cells, HN_TANH);
  HnVar *by[] = {hn_mul(t, gate[2], slope[0]), hn_mul(t, m, slope[1]), hn_mul(t, gate[0], slope[2]),
                 hn_mul(t, bent, slope[3])};
  Movement v = {.mask = mask,
                .by = hn_concat(t, 4, by),
                .f = gate[1],
                .by_m = hn_mul(t, gate[3], hn_slope(t, bent, HN_TANH))};
  HnVar *moved =
      hn_linear_moved(t, s->x, s->w, hn_along(t, s->x), hn_along(t, s->w), hn_along(t, s->b));
  moved =
      hn_plus(t, moved, hn_linear_moved(t, h, s->u, NULL, hn_along(t, s->u), hn_along(t, s->c)));
  HnVar *local = hn_times(t, v.by, moved);
  if (local) v.local_m = three(t, local, n), v.local_h = hn_columns(t, local, 3 * n, n);
  return v;
}

static bool moves(HnTape *t, const Lstm *s) {
  HnVar *const inputs[] = {s->x, s->h0, s->c0, s->w, s->u, s->b, s->c};
  for (int i = 0; i < 7; i++)
    if (hn_along(t, inputs[i])) return true;
  return false;
}

static HnVar *lstm_along(HnTape *t, const HnRecord *r) {
  const Lstm *s = r->extra;
  const int64_t n = s->hidden, rows = s->rows;
  hn_set_along(t, s->cells, NULL);
  if (s->steps == 0 || !moves(t, s)) return NULL;
  /* the cells are differentiated through now, whether or not the caller sees them; so is y, so
   * this record will run back */
  if (!s->cells->grad) s->cells->grad = hn_tape_take(t, hn_count(s->cells), sizeof(float));
  const Movement v = movement(t, s, r->y);
  HnVar **h = hn_tape_take(t, s->steps, sizeof(HnVar *)), *dh = hn_along(t, s->h0);
  HnVar **m = hn_tape_take(t, s->steps, sizeof(HnVar *)), *dm = hn_along(t, s->c0);
  for (int64_t step = 0; step < s->steps; step++) {
    HnVar *mask = hn_step_of(t, v.mask, step, rows), *p = NULL;
    if (mask) dh = hn_times(t, dh, mask), dm = hn_times(t, dm, mask);
    if (dh) p = hn_mul(t, hn_matmul(t, dh, s->u), hn_step_of(t, v.by, step, rows));
    dm = hn_plus(t, hn_step_of(t, v.local_m, step, rows),
                 hn_times(t, hn_step_of(t, v.f, step, rows), dm));
    if (p) dm = hn_plus(t, dm, three(t, p, n));
    dh = hn_plus(t, hn_step_of(t, v.local_h, step, rows), p ? hn_columns(t, p, 3 * n, n) : NULL);
    dh = hn_plus(t, dh, hn_times(t, hn_step_of(t, v.by_m, step, rows), dm));
    h[step] = dh, m[step] = dm;
  }
  hn_set_along(t, s->cells, hn_stack(t, s->steps, m));
  return hn_stack(t, s->steps, h);
}

static const HnRule lstm_rule = {"hn_lstm", lstm_back, lstm_along};

static void check(const Lstm *s) {
  const int64_t n = s->hidden;
  HN_SHAPE(s->x->rows == s->steps * s->rows, "hn_lstm's steps", s->x, s->h0);
  HN_SHAPE(s->c0->rows == s->rows && s->c0->cols == n, "hn_lstm's cells", s->h0, s->c0);
  HN_SHAPE(s->w->rows == s->x->cols && s->w->cols == 4 * n, "hn_lstm's input", s->x, s->w);
  HN_SHAPE(s->u->rows == n && s->u->cols == 4 * n, "hn_lstm's state", s->h0, s->u);
  HN_SHAPE(s->b->rows == 1 && s->b->cols == 4 * n && s->c->rows == 1 && s->c->cols == 4 * n,
           "hn_lstm's biases", s->b, s->c);
}

HnVar *hn_lstm(HnTape *t, int64_t steps, HnVar *x, HnVar *h0, HnVar *c0, HnVar *w, HnVar *u,
               HnVar *b, HnVar *c, const uint8_t *reset, HnVar **cells) {
  HnVar *const inputs[] = {x, h0, c0, w, u, b, c};
  const int64_t count = steps * h0->rows, n = h0->cols;
  const HnVar *with_grad = hn_first_with_grad(7, inputs);
  Lstm *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Lstm){.steps = steps,
              .rows = h0->rows,
              .hidden = n,
              .x = x,
              .h0 = h0,
              .c0 = c0,
              .w = w,
              .u = u,
              .b = b,
              .c = c,
              .reset = reset};
  check(s);
  s->g = hn_tape_take(t, count * 4 * n, sizeof(float));
  s->h = hn_tape_take(t, count * n, sizeof(float));
  s->m = hn_tape_take(t, count * n, sizeof(float));
  s->cells = hn_output(t, count, n, cells ? with_grad : NULL, NULL, NULL);
  HnVar *y = hn_output(t, count, n, with_grad, NULL, NULL);
  forward(t, s, y->data);
  HnRecord *r = hn_record(t, &lstm_rule, y, NULL, NULL, NULL);
  if (r) r->extra = s;
  if (cells) {
    *cells = s->cells;
    hn_grad(y); /* so that the record runs back even if only the cells are used */
  }
  return y;
}
