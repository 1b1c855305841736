/* tape_elementwise.c - elementwise operations of the tape. */
#include "tape_record.h"
#include <math.h>
#include <string.h>

/* ---- of two variables ---- */

enum { ADD, SUB, MUL, MIN, MAX };

static inline float combine(int op, float a, float b) {
  switch (op) {
  case ADD:
    return a + b;
  case SUB:
    return a - b;
  case MUL:
    return a * b;
  case MIN:
    return b < a ? b : a;
  default:
    return b > a ? b : a;
  }
}

/* One row; b advances by `stride`, 0 or 1. */
static inline void combine_row(int op, int64_t n, const float *a, const float *b, int64_t stride,
                               float *y) {
  if (stride)
    for (int64_t j = 0; j < n; j++) y[j] = combine(op, a[j], b[j]);
  else
    for (int64_t j = 0; j < n; j++) y[j] = combine(op, a[j], *b);
}

static void combine_any(int op, int64_t n, const float *a, const float *b, int64_t stride,
                        float *y) {
  switch (op) {
  case ADD:
    combine_row(ADD, n, a, b, stride, y);
    break;
  case SUB:
    combine_row(SUB, n, a, b, stride, y);
    break;
  case MUL:
    combine_row(MUL, n, a, b, stride, y);
    break;
  case MIN:
    combine_row(MIN, n, a, b, stride, y);
    break;
  default:
    combine_row(MAX, n, a, b, stride, y);
    break;
  }
}

/* dy/da and dy/db. */
static inline float slope_a(int op, float a, float b) {
  switch (op) {
  case MUL:
    return b;
  case MIN:
    return b < a ? 0.0f : 1.0f;
  case MAX:
    return b > a ? 0.0f : 1.0f;
  default:
    return 1.0f;
  }
}
static inline float slope_b(int op, float a, float b) {
  switch (op) {
  case ADD:
    return 1.0f;
  case SUB:
    return -1.0f;
  case MUL:
    return a;
  default:
    return 1.0f - slope_a(op, a, b);
  }
}

static inline void combine_back_row(int op, int64_t n, const float *a, const float *b,
                                    int64_t stride, const float *g, float *da, float *db,
                                    double *total) {
  if (da)
    for (int64_t j = 0; j < n; j++) da[j] += g[j] * slope_a(op, a[j], b[j * stride]);
  if (db && stride)
    for (int64_t j = 0; j < n; j++) db[j] += g[j] * slope_b(op, a[j], b[j]);
  else if (db)
    for (int64_t j = 0; j < n; j++) *total += (double)(g[j] * slope_b(op, a[j], *b));
}

static void combine_back_any(int op, int64_t n, const float *a, const float *b, int64_t stride,
                             const float *g, float *da, float *db, double *total) {
  switch (op) {
  case ADD:
    combine_back_row(ADD, n, a, b, stride, g, da, db, total);
    break;
  case SUB:
    combine_back_row(SUB, n, a, b, stride, g, da, db, total);
    break;
  case MUL:
    combine_back_row(MUL, n, a, b, stride, g, da, db, total);
    break;
  case MIN:
    combine_back_row(MIN, n, a, b, stride, g, da, db, total);
    break;
  default:
    combine_back_row(MAX, n, a, b, stride, g, da, db, total);
    break;
  }
}

/* Without broadcasting, all is one row. */
static int64_t row_length(const HnVar *a, const HnVar *b) {
  return b->rows == a->rows && b->cols == a->cols ? hn_count(a) : a->cols;
}

/* v's gradient += g, of v's own shape. */
static void pass_on(HnVar *v, const float *g) {
  bool fresh;
  float *d = hn_grad_raw(v, &fresh);
  if (d && fresh)
    memcpy(d, g, (size_t)hn_count(v) * sizeof *d);
  else if (d)
    hn_kernels()->add(hn_count(v), g, d);
}

static void binary_back(HnTape *t, HnRecord *r) {
  (void)t;
  if (r->kind == ADD && hn_count(r->b) == hn_count(r->a)) {
    pass_on(r->a, r->y->grad), pass_on(r->b, r->y->grad);
    return;
  }
  float *da = hn_grad(r->a), *db = hn_grad(r->b);
  const int64_t n = row_length(r->a, r->b), stride = r->b->cols == r->a->cols;
  const bool column = !stride && r->b->rows > 1; /* a sum for each row, not one for all */
  double total = 0;
  for (int64_t at = 0, i = 0; at < hn_count(r->a); at += n, i++) {
    combine_back_any(r->kind, n, r->a->data + at, hn_row(r->b, i), stride, r->y->grad + at,
                     da ? da + at : NULL, hn_grad_row(r->b, db, i), &total);
    if (db && column) db[i] += (float)total, total = 0;
  }
  if (db && !stride && !column) db[0] += (float)total;
}

/* dy/da (of = 0) or dy/db of MIN or MAX, which are constants. */
static HnVar *chosen(HnTape *t, const HnRecord *r, int of) {
  const HnVar *a = r->a, *b = r->b;
  const int64_t n = row_length(a, b), stride = b->cols == a->cols;
  float *slope = hn_tape_take(t, hn_count(a), sizeof(float));
  for (int64_t at = 0, i = 0; at < hn_count(a); at += n, i++)
    for (int64_t j = 0; j < n; j++)
      slope[at + j] = (of ? slope_b : slope_a)(r->kind, a->data[at + j], hn_row(b, i)[j * stride]);
  return hn_constant(t, a->rows, a->cols, slope);
}

static HnVar *binary_jvp(HnTape *t, const HnRecord *r) {
  HnVar *da = hn_tangent(t, r->a), *db = hn_tangent(t, r->b);
  switch (r->kind) {
  case ADD:
    return da ? hn_plus(t, da, db) : db ? hn_like(t, db, r->a) : NULL;
  case SUB:
    return da && db ? hn_sub(t, da, db) : db ? hn_affine(t, hn_like(t, db, r->a), -1, 0) : da;
  case MUL:
    return hn_plus(t, hn_times(t, da, r->b), hn_times(t, r->a, db));
  default:
    return hn_plus(t, da ? hn_mul(t, da, chosen(t, r, 0)) : NULL,
                   db ? hn_mul(t, chosen(t, r, 1), db) : NULL);
  }
}

static const HnRule binary_rule = {"an elementwise operation", binary_back, binary_jvp};

static HnVar *binary(HnTape *t, int op, HnVar *a, HnVar *b) {
  HN_SHAPE((b->cols == a->cols || b->cols == 1) && (b->rows == a->rows || b->rows == 1),
           "elementwise operation", a, b);
  HnVar *y = hn_output(t, a->rows, a->cols, a, b, NULL);
  const int64_t n = row_length(a, b), stride = b->cols == a->cols;
  for (int64_t at = 0, i = 0; at < hn_count(a); at += n, i++)
    combine_any(op, n, a->data + at, hn_row(b, i), stride, y->data + at);
  HnRecord *r = hn_record(t, &binary_rule, y, a, b, NULL);
  if (r) r->kind = op;
  return y;
}

HnVar *hn_add(HnTape *t, HnVar *a, HnVar *b) {
  return binary(t, ADD, a, b);
}
HnVar *hn_sub(HnTape *t, HnVar *a, HnVar *b) {
  return binary(t, SUB, a, b);
}
HnVar *hn_mul(HnTape *t, HnVar *a, HnVar *b) {
  return binary(t, MUL, a, b);
}
HnVar *hn_min(HnTape *t, HnVar *a, HnVar *b) {
  return binary(t, MIN, a, b);
}
HnVar *hn_max(HnTape *t, HnVar *a, HnVar *b) {
  return binary(t, MAX, a, b);
}

/* ---- of one variable: dx += g * (an expression in x, y, scale and low) ---- */

#define BACK(NAME, SLOPE)                                             \
  static void NAME(HnTape *t, HnRecord *r) {                          \
    (void)t;                                                          \
    const float *restrict xs = r->a->data, *restrict ys = r->y->data; \
    const float *restrict g = r->y->grad, scale = r->scale;           \
    float *restrict dx = hn_grad(r->a);                               \
    const int64_t n = hn_count(r->a);                                 \
    for (int64_t i = 0; i < n; i++) {                                 \
      const float x = xs[i], y = ys[i];                               \
      (void)x, (void)y, (void)scale;                                  \
      dx[i] += g[i] * (SLOPE);                                        \
    }                                                                 \
  }
BACK(affine_back, scale)
BACK(exp_back, y)
BACK(log_back, 1.0f / x)
BACK(square_back, 2.0f * x)
/* y = x exactly where it was not clamped */
BACK(clamp_back, x == y ? 1.0f : 0.0f)

/* dx times an expression of the tape */
#define JVP(NAME, SLOPE)                             \
  static HnVar *NAME(HnTape *t, const HnRecord *r) { \
    HnVar *dx = hn_tangent(t, r->a);                 \
    return dx ? hn_mul(t, dx, (SLOPE)) : NULL;       \
  }
JVP(exp_jvp, r->y)
JVP(log_jvp, hn_exp(t, hn_affine(t, r->y, -1, 0)))
JVP(square_jvp, hn_affine(t, r->a, 2, 0))
JVP(softplus_jvp, hn_activate(t, r->a, HN_SIGMOID))
JVP(activate_jvp, hn_slope(t, r->y, r->kind))

static HnVar *affine_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  return dx ? hn_affine(t, dx, r->scale, 0) : NULL;
}

static HnVar *clamp_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  if (!dx) return NULL;
  float *slope = hn_tape_take(t, hn_count(dx), sizeof(float));
  for (int64_t i = 0; i < hn_count(dx); i++) slope[i] = r->a->data[i] == r->y->data[i] ? 1 : 0;
  return hn_mul(t, dx, hn_constant(t, dx->rows, dx->cols, slope));
}

static const HnRule affine_rule = {"hn_affine", affine_back, affine_jvp};
static const HnRule exp_rule = {"hn_exp", exp_back, exp_jvp};
static const HnRule log_rule = {"hn_log", log_back, log_jvp};
static const HnRule square_rule = {"hn_square", square_back, square_jvp};
static const HnRule clamp_rule = {"hn_clamp", clamp_back, clamp_jvp};

HnVar *hn_affine(HnTape *t, HnVar *x, float scale, float shift) {
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  for (int64_t i = 0; i < hn_count(x); i++) y->data[i] = scale * x->data[i] + shift;
  HnRecord *r = hn_record(t, &affine_rule, y, x, NULL, NULL);
  if (r) r->scale = scale;
  return y;
}

HnVar *hn_exp(HnTape *t, HnVar *x) {
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  hn_kernels()->exp(hn_count(x), x->data, y->data);
  hn_record(t, &exp_rule, y, x, NULL, NULL);
  return y;
}

HnVar *hn_log(HnTape *t, HnVar *x) {
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  hn_kernels()->log(hn_count(x), x->data, y->data);
  hn_record(t, &log_rule, y, x, NULL, NULL);
  return y;
}

HnVar *hn_square(HnTape *t, HnVar *x) {
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  for (int64_t i = 0; i < hn_count(x); i++) y->data[i] = x->data[i] * x->data[i];
  hn_record(t, &square_rule, y, x, NULL, NULL);
  return y;
}

HnVar *hn_clamp(HnTape *t, HnVar *x, float low, float high) {
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  for (int64_t i = 0; i < hn_count(x); i++) {
    const float v = x->data[i] < low ? low : x->data[i];
    y->data[i] = v > high ? high : v;
  }
  hn_record(t, &clamp_rule, y, x, NULL, NULL);
  return y;
}

static void softplus_back(HnTape *t, HnRecord *r) {
  const int64_t n = hn_count(r->a);
  float *s = hn_tape_take(t, n, sizeof(float)), *dx = hn_grad(r->a);
  hn_kernels()->sigmoid(n, r->a->data, s);
  for (int64_t i = 0; i < n; i++) dx[i] += r->y->grad[i] * s[i];
}

static const HnRule softplus_rule = {"hn_softplus", softplus_back, softplus_jvp};

HnVar *hn_softplus(HnTape *t, HnVar *x) {
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  hn_kernels()->softplus(hn_count(x), x->data, y->data);
  hn_record(t, &softplus_rule, y, x, NULL, NULL);
  return y;
}

static void activate_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int64_t n = hn_count(r->a);
  float *dx = hn_grad(r->a);
  hn_kernels()->activate_back(r->kind, 1, n, r->y->data, r->y->grad, NULL);
  for (int64_t i = 0; i < n; i++) dx[i] += r->y->grad[i];
}

static const HnRule activate_rule = {"hn_activate", activate_back, activate_jvp};

HnVar *hn_activate(HnTape *t, HnVar *x, HnActivation act) {
  if (act == HN_LINEAR) return x;
  const HnKernels *k = hn_kernels();
  HnVar *y = hn_output(t, x->rows, x->cols, x, NULL, NULL);
  void (*const map[])(int64_t, const float *, float *) = {[HN_TANH] = k->tanh,
                                                          [HN_RELU] = k->relu,
                                                          [HN_SIGMOID] = k->sigmoid,
                                                          [HN_LEAKY_RELU] = k->leaky_relu};
  map[act](hn_count(x), x->data, y->data);
  HnRecord *r = hn_record(t, &activate_rule, y, x, NULL, NULL);
  if (r) r->kind = act;
  return y;
}

static void huber_back(HnTape *t, HnRecord *r) {
  (void)t;
  float *dx = hn_grad(r->a), *dtarget = hn_grad(r->b);
  for (int64_t i = 0; i < hn_count(r->a); i++) {
    const float d = r->a->data[i] - r->b->data[i];
    const float g = r->y->grad[i] * fminf(fmaxf(d, -r->scale), r->scale);
    if (dx) dx[i] += g;
    if (dtarget) dtarget[i] -= g;
  }
}

static HnVar *huber_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a), *dtarget = hn_tangent(t, r->b);
  HnVar *dd = hn_plus(t, dx, dtarget ? hn_affine(t, dtarget, -1, 0) : NULL);
  return dd ? hn_mul(t, dd, hn_clamp(t, hn_sub(t, r->a, r->b), -r->scale, r->scale)) : NULL;
}

static const HnRule huber_rule = {"hn_huber", huber_back, huber_jvp};

HnVar *hn_huber(HnTape *t, HnVar *x, HnVar *target, float delta) {
  HN_SHAPE(x->rows == target->rows && x->cols == target->cols, "hn_huber", x, target);
  HnVar *y = hn_output(t, x->rows, x->cols, x, target, NULL);
  for (int64_t i = 0; i < hn_count(x); i++) {
    const float d = fabsf(x->data[i] - target->data[i]);
    y->data[i] = d <= delta ? 0.5f * d * d : delta * (d - 0.5f * delta);
  }
  HnRecord *r = hn_record(t, &huber_rule, y, x, target, NULL);
  if (r) r->scale = delta;
  return y;
}
