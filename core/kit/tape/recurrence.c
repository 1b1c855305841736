/* recurrence.c - any recurrent cell over a whole sequence as one operation of the tape.
 *
 * One product over a window of steps fills in the inputs' share of the sums g [T B, blocks H], each
 * step adds the state's in place and goes through the cell, and backward turns g into the gradient
 * of the sums, from which those of weights, biases and inputs follow by windows again.  Where the
 * share of each distinct input is known already, rows of it are copied, and added up going back. */
#include "cell.h"
#include "tape_record.h"
#include <string.h>

const HnCell *hn_cell(HnRnnCell cell) {
#define ROW_(ID, name) HN_VARIANTS(hn_cell_##name)
  static const HnCell *const cells[][HN_ISA_LEVELS] = {HN_RNN_CELLS(ROW_, HN_RNN_COMMA_)};
  if (cell < 0 || cell >= (HnRnnCell)(sizeof cells / sizeof *cells))
    hn_bug("there is no recurrent cell %d", (int)cell);
  return cells[cell][hn_isa_level()];
}

const char *hn_rnn_cell_name(HnRnnCell cell) {
  return hn_cell(cell)->name;
}
int64_t hn_rnn_gates(HnRnnCell cell) {
  return hn_cell(cell)->gates;
}
int64_t hn_rnn_states(HnRnnCell cell) {
  return hn_cell(cell)->states;
}

typedef struct Sequence {
  const HnCell *cell;
  int64_t steps, rows, hidden, width; /* width: of g */
  HnVar *x;                           /* [T B, in]; NULL: inputs are projected already, .. */
  HnVar *share;                       /* .. [N, gates H], .. */
  const int32_t *row;                 /* .. of which each step and row reads this one: [T B]; NULL:
                                         its own */
  HnVar *first[HN_RNN_STATES];        /* states before the first step */
  HnRnnWeights k;                     /* w and b NULL without x */
  const uint8_t *reset;               /* [T, B] or NULL */
  float *g;                           /* [T B, width] */
  float *before[HN_RNN_STATES]; /* [T B, H] the states each step began from: a copy where a reset
                                   clears some, else the states themselves, a step behind */
  bool cuts;                    /* there is a reset */
  HnRnnRun run;
} Sequence;

/* Gates of w whose sums lie side by side. */
typedef struct Span {
  int64_t from, to, count; /* first gate, first block of g, gates */
} Span;

/* The span from gate `from` on. */
static Span span_at(const HnCell *c, int64_t from) {
  Span s = {from, c->input[from], 1};
  while (from + s.count < c->gates && c->input[from + s.count] == s.to + s.count) s.count++;
  return s;
}

/* Whether any gate of w is added to block `to` of g. */
static bool has_input(const HnCell *c, int64_t to) {
  for (int64_t k = 0; k < c->gates; k++)
    if (c->input[k] == to) return true;
  return false;
}

/* Steps are grouped into windows of at least so many rows, few enough that a window's arrays are
 * still in the cache when its steps meet projected inputs, or when the gradients of its weights are
 * computed; these are worth a larger one, because each adds to all weights. */
enum { FORWARD_ROWS = 64, BACK_ROWS = 256 };

static int64_t window_steps(int64_t least, int64_t rows) {
  return rows > 0 ? (least + rows - 1) / rows : 1;
}

static void product(HnProduct p) {
  hn_kernels()->product(&p);
}

static const uint8_t *reset_at(const Sequence *s, int64_t step) {
  return s->reset ? s->reset + step * s->rows : NULL;
}

static bool any_reset(const uint8_t *reset, int64_t rows) {
  for (int64_t i = 0; reset && i < rows; i++)
    if (reset[i]) return true;
  return false;
}

static void clear_rows(int64_t rows, int64_t n, const uint8_t *reset, float *state) {
  for (int64_t i = 0; reset && i < rows; i++)
    if (reset[i]) memset(state + i * n, 0, (size_t)n * sizeof *state);
}

/* Calls for count floats from x on into the cache, ahead of their use, while a product runs. */
static void call_for(const float *x, int64_t count) {
  enum { LINE = 16 };
  for (int64_t i = 0; i < count; i += LINE) __builtin_prefetch(x + i, 1, 2);
}

/* ---- forward ---- */

/* The initial values of the sums, [width]: the biases of all that is added to each block but what
 * is projected already. */
static float *join_biases(HnTape *t, const Sequence *s) {
  const HnCell *c = s->cell;
  const int64_t n = s->hidden;
  float *bias = hn_tape_room(t, s->width, sizeof *bias);
  for (int64_t k = 0; s->x && k < c->gates; k++)
    memcpy(bias + c->input[k] * n, s->k.b->data + k * n, (size_t)n * sizeof *bias);
  for (int64_t k = 0; k < c->gates; k++) {
    float *to = bias + (c->state + k) * n;
    if (s->x && has_input(c, c->state + k))
      hn_kernels()->add(n, s->k.c->data + k * n, to);
    else
      memcpy(to, s->k.c->data + k * n, (size_t)n * sizeof *bias);
  }
  return bias;
}

/* Where the share of step and row i, and its gradient, lie. */
static int64_t share_at(const Sequence *s, int64_t i) {
  return (s->row ? s->row[i] : i) * s->share->cols;
}

/* Biases and the inputs' share, known already, in `count` rows of all steps'. */
static void copy_shares(const Sequence *s, const float *bias, int64_t from, int64_t count) {
  const int64_t n = s->hidden;
  for (int64_t i = from; i < from + count; i++) {
    const float *share = s->share->data + share_at(s, i);
    float *g = memcpy(s->g + i * s->width, bias, (size_t)s->width * sizeof *g);
    Span span;
    for (int64_t k = 0; k < s->cell->gates; k += span.count) {
      span = span_at(s->cell, k);
      hn_kernels()->add(span.count * n, share + k * n, g + span.to * n);
    }
  }
}

/* Biases and the inputs' share in `count` rows of all steps'. */
static void project(const Sequence *s, const float *bias, int64_t from, int64_t count) {
  if (!s->x) {
    copy_shares(s, bias, from, count);
    return;
  }
  const int64_t n = s->hidden, in = s->x->cols;
  float *g = s->g + from * s->width;
  Span span;
  for (int64_t k = 0; k < s->cell->gates; k += span.count) {
    span = span_at(s->cell, k);
    product((HnProduct){.m = count,
                        .n = span.count * n,
                        .k = in,
                        .a = s->x->data + from * in,
                        .a_row = in,
                        .a_col = 1,
                        .b = s->k.w->data + k * n,
                        .ldb = s->k.w->cols,
                        .init = bias + span.to * n,
                        .c = g + span.to * n,
                        .ldc = s->width});
  }
  for (int64_t to = 0; to < s->cell->blocks; to++)
    for (int64_t i = 0; !has_input(s->cell, to) && i < count; i++)
      memcpy(g + i * s->width + to * n, bias + to * n, (size_t)n * sizeof *g);
}

/* The arrays of a step; the caller fills in the gradients. */
static HnCellStep step_of(const Sequence *s, int64_t step) {
  const int64_t at = step * s->rows * s->hidden;
  HnCellStep to = {.rows = s->rows, .hidden = s->hidden, .sums = s->g + step * s->rows * s->width};
  for (int k = 0; k < HN_RNN_STATES && s->run.state[k]; k++)
    to.before[k] = s->before[k] + at, to.after[k] = s->run.state[k]->data + at;
  return to;
}

static void forward(HnTape *t, const Sequence *s) {
  const int64_t n = s->hidden, size = s->rows * n;
  const int64_t window = window_steps(FORWARD_ROWS, s->rows);
  const float *bias = join_biases(t, s);
  for (int64_t step = 0; step < s->steps; step++) {
    const int64_t steps = s->steps - step < window ? s->steps - step : window;
    if (step % window == 0) project(s, bias, step * s->rows, steps * s->rows);
    for (int k = 0; s->cuts && k < HN_RNN_STATES && s->run.state[k]; k++) {
      const float *last = step ? s->run.state[k]->data + (step - 1) * size : s->first[k]->data;
      memcpy(s->before[k] + step * size, last, (size_t)size * sizeof *last);
      clear_rows(s->rows, n, reset_at(s, step), s->before[k] + step * size);
    }
    const HnCellStep to = step_of(s, step);
    float *sums = to.sums + s->cell->state * n;
    for (int k = 0; k < HN_RNN_STATES && s->run.state[k]; k++) call_for(to.after[k], size);
    if (step + window < s->steps)
      call_for(to.sums + window * s->rows * s->width, s->rows * s->width);
    product((HnProduct){.m = s->rows,
                        .n = s->cell->gates * n,
                        .k = n,
                        .a = to.before[0],
                        .a_row = n,
                        .a_col = 1,
                        .b = s->k.u->data,
                        .ldb = s->k.u->cols,
                        .init = sums,
                        .init_row = s->width,
                        .c = sums,
                        .ldc = s->width});
    s->cell->step(&to);
  }
}

/* ---- backward ---- */

/* dh += (gradient of a step's sums) u' */
static void state_back(const Sequence *s, const float *g, const float *flip, float *dh) {
  const int64_t n = s->hidden;
  product((HnProduct){.m = s->rows,
                      .n = n,
                      .k = s->cell->gates * n,
                      .a = g + s->cell->state * n,
                      .a_row = s->width,
                      .a_col = 1,
                      .b = flip,
                      .ldb = n,
                      .init = dh,
                      .init_row = n,
                      .c = dh,
                      .ldc = n});
}

/* d [cols, count gates] += a' g over `rows` rows of a [T B, cols] and of g. */
static void weight_back(const Sequence *s, const float *a, int64_t cols, const float *g,
                        int64_t gates, int64_t rows, bool fresh, float *d) {
  const int64_t ld = s->k.u->cols;
  product((HnProduct){.m = cols,
                      .n = gates * s->hidden,
                      .k = rows,
                      .a = a,
                      .a_row = 1,
                      .a_col = cols,
                      .b = g,
                      .ldb = s->width,
                      .init = fresh ? NULL : d,
                      .init_row = ld,
                      .c = d,
                      .ldc = ld});
}

/* Where the gradients of biases and inputs go. */
typedef struct Targets {
  float *bias, *dx; /* sums of g's columns, [width]; NULL: not wanted */
  const float *flip;
  bool fresh; /* nothing has been written to dx yet */
} Targets;

static void input_back(const Sequence *s, const Targets *to, Span span, const float *g,
                       int64_t count, float *dx) {
  const int64_t n = s->hidden, in = s->x->cols;
  product((HnProduct){.m = count,
                      .n = in,
                      .k = span.count * n,
                      .a = g + span.to * n,
                      .a_row = s->width,
                      .a_col = 1,
                      .b = to->flip + span.from * n * in,
                      .ldb = in,
                      .init = to->fresh && span.from == 0 ? NULL : dx,
                      .init_row = in,
                      .c = dx,
                      .ldc = in});
}

/* From the gradients of sums to those of the rows that they were copied from. */
static void shares_back(const Sequence *s, int64_t from, int64_t count) {
  const int64_t n = s->hidden;
  float *d = hn_grad(s->share);
  for (int64_t i = from; d && i < from + count; i++) {
    Span span;
    for (int64_t k = 0; k < s->cell->gates; k += span.count) {
      span = span_at(s->cell, k);
      hn_kernels()->add(span.count * n, s->g + i * s->width + span.to * n,
                        d + share_at(s, i) + k * n);
    }
  }
}

static void inputs_back(const Sequence *s, const Targets *to, int64_t from, int64_t count) {
  const int64_t n = s->hidden, in = s->x->cols;
  float *g = s->g + from * s->width;
  bool fresh;
  float *dw = hn_grad_raw(s->k.w, &fresh);
  Span span;
  for (int64_t k = 0; k < s->cell->gates; k += span.count) {
    span = span_at(s->cell, k);
    const float *sums = g + span.to * n;
    if (dw) weight_back(s, s->x->data + from * in, in, sums, span.count, count, fresh, dw + k * n);
    if (to->dx) input_back(s, to, span, g, count, to->dx + from * in);
  }
}

static void window_back(const Sequence *s, const Targets *to, int64_t from, int64_t count) {
  const int64_t n = s->hidden;
  float *g = s->g + from * s->width;
  bool fresh;
  if (to->bias) hn_kernels()->activate_back(HN_LINEAR, count, s->width, NULL, g, to->bias);
  if (s->x)
    inputs_back(s, to, from, count);
  else
    shares_back(s, from, count);
  float *du = hn_grad_raw(s->k.u, &fresh);
  const float *sums = g + s->cell->state * n;
  if (du) weight_back(s, s->before[0] + from * n, n, sums, s->cell->gates, count, fresh, du);
}

/* to += from in the rows that were not reset. */
static void pass_on(int64_t rows, int64_t n, const uint8_t *reset, const float *from, float *to) {
  for (int64_t i = 0; i < rows; i++)
    if (!reset || !reset[i]) hn_kernels()->add(n, from + i * n, to + i * n);
}

/* From the last step to the first.  The gradient of h accumulates in that of the output before
 * the step, or, where a reset cuts off some rows or it is not wanted, aside; those of the other
 * states are carried back in d. */
static void unroll_back(HnTape *t, const Sequence *s, const Targets *to) {
  const int64_t n = s->hidden, size = s->rows * n;
  const int64_t window = window_steps(BACK_ROWS, s->rows);
  const float *flip = hn_flipped(t, s->k.u);
  float *aside = hn_tape_take(t, size, sizeof(float)), *dy = hn_grad(s->run.state[0]);
  float *first = hn_grad(s->first[0]), *d[HN_RNN_STATES] = {NULL};
  for (int64_t k = 1; k < s->cell->states; k++) d[k] = hn_tape_room(t, size, sizeof(float));
  for (int64_t step = s->steps - 1; step >= 0; step--) {
    const uint8_t *reset = reset_at(s, step);
    float *before = step ? dy + (step - 1) * size : first;
    const bool cut = any_reset(reset, s->rows), direct = before && !cut;
    HnCellStep back = step_of(s, step);
    back.dh_after = dy + step * size, back.d[0] = direct ? before : aside;
    for (int64_t k = 1; k < s->cell->states; k++) {
      const HnVar *state = s->run.state[k];
      if (state->touched) hn_kernels()->add(size, state->grad + step * size, d[k]);
      back.d[k] = d[k];
    }
    if (!direct) memset(aside, 0, (size_t)size * sizeof *aside);
    s->cell->step_back(&back);
    if (step > 0) {
      call_for(back.sums - s->rows * s->width, s->rows * s->width);
      call_for(back.before[0] - size, size);
    }
    if (step > 1) call_for(before - size, size);
    if (before) state_back(s, back.sums, flip, back.d[0]);
    if (before && cut) pass_on(s->rows, n, reset, aside, before);
    for (int64_t k = 1; cut && k < s->cell->states; k++) clear_rows(s->rows, n, reset, d[k]);
    const int64_t steps = s->steps - step < window ? s->steps - step : window;
    if (step % window == 0) window_back(s, to, step * s->rows, steps * s->rows);
  }
  for (int64_t k = 1; k < s->cell->states; k++) {
    float *to_first = hn_grad(s->first[k]);
    if (to_first) hn_kernels()->add(size, d[k], to_first);
  }
}

static void sequence_back(HnTape *t, HnRecord *r) {
  const Sequence *s = r->extra;
  const int64_t n = s->hidden;
  float *db = s->x ? hn_grad(s->k.b) : NULL, *dc = hn_grad(s->k.c);
  Targets to = {.bias = db || dc ? hn_tape_room(t, s->width, sizeof(float)) : NULL};
  to.dx = s->x ? hn_grad_raw(s->x, &to.fresh) : NULL;
  if (to.dx) to.flip = hn_flipped(t, s->k.w);
  unroll_back(t, s, &to);
  for (int64_t k = 0; k < s->cell->gates; k++) {
    if (db) hn_kernels()->add(n, to.bias + s->cell->input[k] * n, db + k * n);
    if (dc) hn_kernels()->add(n, to.bias + (s->cell->state + k) * n, dc + k * n);
  }
}

/* ---- Jacobian-vector product ---- */

static bool has_tangent(HnTape *t, const Sequence *s) {
  HnVar *const inputs[] = {s->x, s->share, s->k.w, s->k.u, s->k.b, s->k.c};
  bool any = false;
  for (int i = 0; i < 6; i++) any |= inputs[i] && hn_tangent(t, inputs[i]);
  for (int64_t k = 0; k < s->cell->states; k++) any |= hn_tangent(t, s->first[k]) != NULL;
  return any;
}

/* [T B, H]: 0 in the rows that were reset, else 1; NULL without resets. */
static HnVar *reset_mask(HnTape *t, const Sequence *s) {
  const int64_t count = s->steps * s->rows, n = s->hidden;
  if (!any_reset(s->reset, count)) return NULL;
  float *mask = hn_tape_take(t, count * n, sizeof *mask);
  for (int64_t i = 0; i < count * n; i++) mask[i] = s->reset[i / n] ? 0 : 1;
  return hn_constant(t, count, n, mask);
}

/* The states before every step, [T B, H], from the first ones and those after every step. */
static HnVar *states_before(HnTape *t, HnVar *first, HnVar *after, HnVar *mask) {
  HnVar *parts[] = {first, hn_rows_of(t, after, 0, after->rows - first->rows)};
  HnVar *before = hn_stack(t, 2, parts);
  return mask ? hn_mul(t, before, mask) : before;
}

/* The inputs' share of all sums, and its tangent. */
static void linearise_inputs(HnTape *t, const Sequence *s, HnCellTangent *v) {
  const HnRnnWeights *k = &s->k;
  if (s->x) {
    v->input = hn_linear(t, s->x, k->w, k->b, HN_LINEAR);
    v->d_input =
        hn_linear_jvp(t, s->x, k->w, hn_tangent(t, s->x), hn_tangent(t, k->w), hn_tangent(t, k->b));
    return;
  }
  const int64_t count = s->steps * s->rows;
  v->input = s->share, v->d_input = hn_tangent(t, s->share);
  if (!s->row) return;
  v->input = hn_pick_rows(t, v->input, count, s->row);
  if (v->d_input) v->d_input = hn_pick_rows(t, v->d_input, count, s->row);
}

static HnCellTangent linearised(HnTape *t, const Sequence *s, HnVar *mask) {
  const HnRnnWeights *k = &s->k;
  HnCellTangent v = {.hidden = s->hidden};
  for (int64_t i = 0; i < s->cell->states; i++) {
    v.after[i] = s->run.state[i];
    v.before[i] = states_before(t, s->first[i], v.after[i], mask);
  }
  linearise_inputs(t, s, &v);
  v.state = hn_linear(t, v.before[0], k->u, k->c, HN_LINEAR);
  v.d_state = hn_linear_jvp(t, v.before[0], k->u, NULL, hn_tangent(t, k->u), hn_tangent(t, k->c));
  s->cell->linearise(t, &v);
  return v;
}

static HnVar *sequence_jvp(HnTape *t, const HnRecord *r) {
  const Sequence *s = r->extra;
  const int64_t states = s->cell->states;
  for (int64_t k = 1; k < states; k++) hn_set_tangent(t, s->run.state[k], NULL);
  if (s->steps == 0 || !has_tangent(t, s)) return NULL;
  HnVar *mask = reset_mask(t, s), *d[HN_RNN_STATES] = {NULL}, **after[HN_RNN_STATES] = {NULL};
  const HnCellTangent v = linearised(t, s, mask);
  for (int64_t k = 0; k < states; k++) {
    d[k] = hn_tangent(t, s->first[k]);
    after[k] = hn_tape_take(t, s->steps, sizeof(HnVar *));
  }
  for (int64_t step = 0; step < s->steps; step++) {
    HnVar *keep = hn_step_of(t, mask, step, s->rows), *k = NULL;
    for (int64_t i = 0; keep && i < states; i++) d[i] = hn_times(t, d[i], keep);
    if (d[0]) k = hn_mul(t, hn_matmul(t, d[0], s->k.u), hn_step_of(t, v.by, step, s->rows));
    s->cell->jvp(t, &v, step, s->rows, k, d);
    for (int64_t i = 0; i < states; i++) after[i][step] = d[i];
  }
  for (int64_t k = 1; k < states; k++)
    hn_set_tangent(t, s->run.state[k], hn_stack(t, s->steps, after[k]));
  return hn_stack(t, s->steps, after[0]);
}

/* ---- the operation ---- */

static const HnRule rule = {"hn_rnn_run", sequence_back, sequence_jvp};

/* Where another state than h has a gradient, the sequence runs back even if h has none. */
static void touch_h(HnTape *t, HnRecord *r) {
  (void)t;
  hn_grad(r->a);
}
static HnVar *state_jvp(HnTape *t, const HnRecord *r) {
  return hn_tangent(t, r->y); /* sequence_jvp has set it */
}
static const HnRule state_rule = {"hn_rnn_run", touch_h, state_jvp};

static void check_shapes(const Sequence *s, const HnVar *carry) {
  const HnVar *x = s->x, *w = s->k.w, *u = s->k.u, *b = s->k.b, *c = s->k.c;
  const int64_t n = s->hidden, width = s->cell->gates * n;
  HN_SHAPE(carry->cols == s->cell->states * n, "hn_rnn_run's carry", carry, u);
  HN_SHAPE(u->cols == width, "hn_rnn_run's state", carry, u);
  HN_SHAPE(c->rows == 1 && c->cols == width, "hn_rnn_run's state bias", c, u);
  if (!x) {
    HN_SHAPE(s->share->cols == width, "hn_rnn_run_shared's sums", s->share, u);
    HN_SHAPE(s->row || s->share->rows == s->steps * s->rows, "hn_rnn_run_shared's steps", s->share,
             carry);
    for (int64_t i = 0; s->row && i < s->steps * s->rows; i++)
      if (s->row[i] < 0 || s->row[i] >= s->share->rows)
        hn_bug("hn_rnn_run_shared: row %d of %lld", (int)s->row[i], (long long)s->share->rows);
    return;
  }
  HN_SHAPE(x->rows == s->steps * s->rows, "hn_rnn_run's steps", x, carry);
  HN_SHAPE(w->rows == x->cols && w->cols == width, "hn_rnn_run's input", x, w);
  HN_SHAPE(b->rows == 1 && b->cols == width, "hn_rnn_run's bias", b, w);
}

/* The first variable with a gradient, or NULL. */
static const HnVar *with_grad(const HnVar *carry, const Sequence *s) {
  const HnVar *const inputs[] = {carry, s->x, s->share, s->k.w, s->k.u, s->k.b, s->k.c};
  for (int i = 0; i < 7; i++)
    if (inputs[i] && inputs[i]->grad) return inputs[i];
  return NULL;
}

/* The states after every step, and in s->before those before. */
static HnVar *states_after(HnTape *t, Sequence *s, int64_t k, const HnVar *with_grad) {
  const int64_t count = s->steps * s->rows, n = s->hidden, size = s->rows * n;
  if (s->cuts) {
    s->before[k] = hn_tape_take(t, count * n, sizeof(float));
    return hn_output(t, count, n, with_grad, NULL, NULL);
  }
  HnVar *y = hn_output(t, s->rows + count, n, with_grad, NULL, NULL);
  s->before[k] = memcpy(y->data, s->first[k]->data, (size_t)size * sizeof(float));
  y->rows = count, y->data += size;
  return y;
}

static HnRnnRun run(HnTape *t, Sequence *s, HnVar *carry) {
  const int64_t count = s->steps * carry->rows, n = s->k.u->rows;
  s->rows = carry->rows, s->hidden = n;
  check_shapes(s, carry);
  const int64_t states = s->cell->states;
  s->width = s->cell->blocks * n;
  s->g = hn_tape_take(t, count * s->width, sizeof(float));
  s->cuts = any_reset(s->reset, count);
  for (int64_t k = 0; k < states; k++) {
    s->first[k] = states > 1 ? hn_columns(t, carry, k * n, n) : carry;
    s->run.state[k] = states_after(t, s, k, with_grad(carry, s));
  }
  forward(t, s);
  HnRecord *r = hn_record(t, &rule, s->run.state[0], NULL, NULL, NULL);
  if (r) r->extra = s;
  for (int64_t k = 1; k < states; k++)
    hn_record(t, &state_rule, s->run.state[k], s->run.state[0], NULL, NULL);
  return s->run;
}

HnRnnRun hn_rnn_run(HnTape *t, HnRnnCell cell, int64_t steps, HnVar *x, HnVar *carry,
                    HnRnnWeights weights, const uint8_t *reset) {
  Sequence *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Sequence){.cell = hn_cell(cell), .steps = steps, .x = x, .k = weights, .reset = reset};
  return run(t, s, carry);
}

HnRnnRun hn_rnn_run_shared(HnTape *t, HnRnnCell cell, int64_t steps, HnVar *sums,
                           const int32_t *row, HnVar *carry, HnVar *u, HnVar *c,
                           const uint8_t *reset) {
  Sequence *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Sequence){.cell = hn_cell(cell),
                  .steps = steps,
                  .share = sums,
                  .row = row,
                  .k = {.u = u, .c = c},
                  .reset = reset};
  return run(t, s, carry);
}

void hn_rnn_carries(const HnRnnRun *run, int64_t from, int64_t count, float *carry) {
  const int64_t n = run->state[0]->cols;
  for (int64_t i = from; i < from + count; i++)
    for (int k = 0; k < HN_RNN_STATES && run->state[k]; k++, carry += n)
      memcpy(carry, run->state[k]->data + i * n, (size_t)n * sizeof *carry);
}
