/* tape.c - the tape itself: memory, records, leaves, and operations on shape. */
#include "hunch/kit/tape.h"
#include "tape_record.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 * 1024 };

void hn_bug(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("hunch kit: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  abort();
}

HnTape hn_tape_begin(const HnHost *host, bool recording) {
  return (HnTape){.host = host, .recording = recording};
}

void *hn_tape_grow(HnTape *t, size_t bytes) {
  /* a large array gets its own block, so that the rest of the chunk is not lost */
  if (bytes > CHUNK / 4) return t->host->scratch(t->host, (int64_t)bytes, 1);
  t->room = t->host->scratch(t->host, CHUNK, 1);
  t->left = CHUNK - bytes;
  t->room += bytes;
  return t->room - bytes;
}

void *hn_tape_room(HnTape *t, int64_t count, size_t size) {
  void *p = hn_tape_take(t, count, size);
  if (count > 0)
    memset(p, 0, (size_t)count * size); /* NULL where nothing was asked of an empty tape */
  return p;
}

/* ---- records ---- */

HnVar *hn_output(HnTape *t, int64_t rows, int64_t cols, const HnVar *a, const HnVar *b,
                 const HnVar *c) {
  const bool grad = t->recording && ((a && a->grad) || (b && b->grad) || (c && c->grad));
  const size_t head = hn_tape_bytes(1, sizeof(HnVar)), body = hn_tape_bytes(rows * cols, 4);
  char *room = hn_tape_take(t, (int64_t)(head + (grad ? 2 : 1) * body), 1);
  HnVar *y = (HnVar *)room;
  *y = (HnVar){.rows = rows, .cols = cols, .data = (float *)(room + head)};
  if (grad) y->grad = (float *)(room + head + body);
  return y;
}

HnRecord *hn_record(HnTape *t, const HnRule *rule, HnVar *y, HnVar *a, HnVar *b, HnVar *c) {
  if (!y->grad) return NULL;
  HnRecord *r = hn_tape_take(t, 1, sizeof *r);
  *r = (HnRecord){.before = t->last, .rule = rule, .y = y, .a = a, .b = b, .c = c};
  return t->last = r;
}

float *hn_grad(HnVar *v) {
  if (v->grad && !v->touched) {
    memset(v->grad, 0, (size_t)hn_count(v) * sizeof(float));
    v->touched = true;
  }
  return v->grad;
}

float *hn_grad_raw(HnVar *v, bool *fresh) {
  *fresh = !v->touched;
  if (v->grad) v->touched = true;
  return v->grad;
}

static void run_backward(HnTape *t) {
  for (HnRecord *r = t->last; r; r = r->before)
    if (r->y->touched) r->rule->back(t, r); /* else nothing that matters depends on y */
  t->last = NULL;
}

void hn_tape_backward(HnTape *t, HnVar *loss) {
  if (loss->rows != 1 || loss->cols != 1)
    hn_bug("hn_tape_backward: a loss is [1, 1], not [%lld, %lld]", (long long)loss->rows,
           (long long)loss->cols);
  hn_tape_backward_from(t, loss, &(const float){1});
}

void hn_tape_backward_from(HnTape *t, HnVar *y, const float *seed) {
  bool fresh;
  float *g = hn_grad_raw(y, &fresh);
  if (!g) return;
  if (fresh)
    memcpy(g, seed, (size_t)hn_count(y) * sizeof *g);
  else
    hn_kernels()->add(hn_count(y), seed, g);
  run_backward(t);
}

/* ---- leaves ---- */

/* Borrowed values are never written: only outputs are, by the operation that made them. */
static float *borrowed(const float *data) {
  union {
    const float *from;
    float *to;
  } u = {.from = data};
  return u.to;
}

HnVar *hn_leaf(HnTape *t, int64_t rows, int64_t cols, const float *data, float *grad) {
  HnVar *v = hn_tape_take(t, 1, sizeof *v);
  *v = (HnVar){.rows = rows, .cols = cols, .data = borrowed(data)};
  if (t->recording) v->grad = grad, v->touched = grad != NULL;
  return v;
}

HnVar *hn_constant(HnTape *t, int64_t rows, int64_t cols, const float *data) {
  return hn_leaf(t, rows, cols, data, NULL);
}

HnVar *hn_stop(HnTape *t, const HnVar *x) {
  HnVar *v = hn_constant(t, x->rows, x->cols, x->data);
  v->flip = x->flip;
  return v;
}

/* ---- shape ---- */

typedef struct Concat {
  int64_t n;
  HnVar *part[];
} Concat;

/* Copies n floats; rows of a few, for which a call would cost more than the copy. */
static inline void copy_row(int64_t n, const float *x, float *y) {
  int64_t j = 0;
  for (; j + 8 <= n; j += 8) memcpy(y + j, x + j, 8 * sizeof *y);
  if (n & 4) memcpy(y + j, x + j, 4 * sizeof *y), j += 4;
  if (n & 2) memcpy(y + j, x + j, 2 * sizeof *y), j += 2;
  if (n & 1) y[j] = x[j];
}

static void concat_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Concat *saved = r->extra;
  int64_t at = 0;
  for (int64_t p = 0; p < saved->n; p++) {
    HnVar *x = saved->part[p];
    const int64_t cols = x->cols;
    bool fresh;
    float *restrict dx = hn_grad_raw(x, &fresh);
    for (int64_t i = 0; dx && i < x->rows; i++) {
      const float *g = r->y->grad + i * r->y->cols + at;
      if (fresh)
        copy_row(cols, g, dx + i * cols);
      else
        hn_kernels()->add(cols, g, dx + i * cols);
    }
    at += cols;
  }
}

/* The parts' tangents, zeros where a part has none; NULL if no part has one. */
static HnVar **parts_tangents(HnTape *t, const Concat *saved) {
  HnVar **tangents = hn_tape_take(t, saved->n, sizeof(HnVar *));
  bool any = false;
  for (int64_t p = 0; p < saved->n; p++) {
    tangents[p] = hn_tangent(t, saved->part[p]);
    any |= tangents[p] != NULL;
    if (!tangents[p]) tangents[p] = hn_filled(t, saved->part[p]->rows, saved->part[p]->cols, 0);
  }
  return any ? tangents : NULL;
}

static HnVar *concat_jvp(HnTape *t, const HnRecord *r) {
  const Concat *saved = r->extra;
  HnVar **tangents = parts_tangents(t, saved);
  return tangents ? hn_concat(t, saved->n, tangents) : NULL;
}

static const HnRule concat_rule = {"hn_concat", concat_back, concat_jvp};

HnVar *hn_concat(HnTape *t, int64_t n, HnVar *const *parts) {
  Concat *saved = hn_tape_take(t, 1, sizeof *saved + (size_t)n * sizeof *parts);
  const HnVar *with_grad = NULL;
  int64_t cols = 0;
  saved->n = n;
  for (int64_t p = 0; p < n; p++) {
    HN_SHAPE(parts[p]->rows == parts[0]->rows, "hn_concat", parts[0], parts[p]);
    saved->part[p] = parts[p];
    if (parts[p]->grad) with_grad = parts[p];
    cols += parts[p]->cols;
  }
  HnVar *y = hn_output(t, n ? parts[0]->rows : 0, cols, with_grad, NULL, NULL);
  int64_t at = 0;
  for (int64_t p = 0; p < n; p++) {
    const HnVar *x = parts[p];
    for (int64_t i = 0; i < x->rows; i++)
      copy_row(x->cols, x->data + i * x->cols, y->data + i * cols + at);
    at += x->cols;
  }
  HnRecord *r = hn_record(t, &concat_rule, y, NULL, NULL, NULL);
  if (r) r->extra = saved;
  return y;
}

static void stack_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Concat *saved = r->extra;
  const float *g = r->y->grad;
  for (int64_t p = 0; p < saved->n; g += hn_count(saved->part[p++])) {
    float *dx = hn_grad(saved->part[p]);
    if (dx) hn_kernels()->add(hn_count(saved->part[p]), g, dx);
  }
}

static HnVar *stack_jvp(HnTape *t, const HnRecord *r) {
  const Concat *saved = r->extra;
  HnVar **tangents = parts_tangents(t, saved);
  return tangents ? hn_stack(t, saved->n, tangents) : NULL;
}

static const HnRule stack_rule = {"hn_stack", stack_back, stack_jvp};

HnVar *hn_stack(HnTape *t, int64_t n, HnVar *const *parts) {
  Concat *saved = hn_tape_take(t, 1, sizeof *saved + (size_t)n * sizeof *parts);
  const HnVar *with_grad = NULL;
  int64_t rows = 0;
  saved->n = n;
  for (int64_t p = 0; p < n; p++) {
    HN_SHAPE(parts[p]->cols == parts[0]->cols, "hn_stack", parts[0], parts[p]);
    saved->part[p] = parts[p];
    if (parts[p]->grad) with_grad = parts[p];
    rows += parts[p]->rows;
  }
  HnVar *y = hn_output(t, rows, n ? parts[0]->cols : 0, with_grad, NULL, NULL);
  float *to = y->data;
  for (int64_t p = 0; p < n; to += hn_count(parts[p++]))
    memcpy(to, parts[p]->data, (size_t)hn_count(parts[p]) * sizeof(float));
  HnRecord *r = hn_record(t, &stack_rule, y, NULL, NULL, NULL);
  if (r) r->extra = saved;
  return y;
}

static void columns_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int64_t *from = r->extra, cols = r->y->cols;
  float *dx = hn_grad(r->a);
  for (int64_t i = 0; i < r->y->rows; i++)
    for (int64_t j = 0; j < cols; j++) dx[i * r->a->cols + *from + j] += r->y->grad[i * cols + j];
}

static HnVar *columns_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  return dx ? hn_columns(t, dx, *(const int64_t *)r->extra, r->y->cols) : NULL;
}

static const HnRule columns_rule = {"hn_columns", columns_back, columns_jvp};

HnVar *hn_columns(HnTape *t, HnVar *x, int64_t from, int64_t count) {
  if (from < 0 || count < 0 || from + count > x->cols)
    hn_bug("hn_columns: %lld from %lld, of %lld", (long long)count, (long long)from,
           (long long)x->cols);
  HnVar *y = hn_output(t, x->rows, count, x, NULL, NULL);
  for (int64_t i = 0; i < x->rows; i++)
    memcpy(y->data + i * count, x->data + i * x->cols + from, (size_t)count * sizeof(float));
  HnRecord *r = hn_record(t, &columns_rule, y, x, NULL, NULL);
  if (r) {
    int64_t *saved = hn_tape_take(t, 1, sizeof *saved);
    *saved = from;
    r->extra = saved;
  }
  return y;
}

/* The gradient is zeroed here, because from now on two variables add to it. */
HnVar *hn_rows_of(HnTape *t, HnVar *x, int64_t from, int64_t count) {
  if (from < 0 || count < 0 || from + count > x->rows)
    hn_bug("hn_rows_of: %lld from %lld, of %lld", (long long)count, (long long)from,
           (long long)x->rows);
  float *grad = t->recording ? hn_grad(x) : NULL;
  HnVar *v =
      hn_leaf(t, count, x->cols, x->data + from * x->cols, grad ? grad + from * x->cols : NULL);
  v->whole = x;
  return v;
}
