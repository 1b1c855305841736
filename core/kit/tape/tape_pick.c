/* tape_pick.c - rows by their numbers, rows that differ, and a linear layer of which each row reads
 * a few outputs. */
#include "tape_record.h"
#include <string.h>

static void rows_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int32_t *row = r->extra;
  const int64_t n = r->y->cols;
  float *dx = hn_grad(r->a);
  for (int64_t i = 0; i < r->y->rows; i++)
    if (row[i] >= 0) hn_kernels()->add(n, r->y->grad + i * n, dx + row[i] * n);
}

static HnVar *rows_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  return dx ? hn_pick_rows(t, dx, r->y->rows, r->extra) : NULL;
}

static const HnRule rows_rule = {"hn_pick_rows", rows_back, rows_jvp};

HnVar *hn_pick_rows(HnTape *t, HnVar *x, int64_t n, const int32_t *row) {
  HnVar *y = hn_output(t, n, x->cols, x, NULL, NULL);
  const size_t bytes = (size_t)x->cols * sizeof(float);
  for (int64_t i = 0; i < n; i++) {
    if (row[i] >= x->rows) hn_bug("hn_pick_rows: row %d of %lld", (int)row[i], (long long)x->rows);
    if (row[i] < 0)
      memset(y->data + i * x->cols, 0, bytes);
    else
      memcpy(y->data + i * x->cols, x->data + row[i] * x->cols, bytes);
  }
  HnRecord *r = hn_record(t, &rows_rule, y, x, NULL, NULL);
  if (r) r->extra = row;
  return y;
}

/* ---- hn_distinct_rows ---- */

static uint32_t hash_of(int64_t cols, const float *x) {
  uint32_t hash = 2166136261u, bits;
  for (int64_t j = 0; j < cols; j++) {
    memcpy(&bits, x + j, sizeof bits);
    hash = (hash ^ bits ^ bits >> 15) * 2654435769u;
    hash ^= hash >> 16;
  }
  return hash;
}

int64_t hn_distinct_rows(HnTape *t, int64_t n, int64_t cols, const float *x, const float **distinct,
                         const int32_t **row) {
  uint32_t slots = 16;
  while (slots < 2 * n) slots *= 2;
  const size_t bytes = (size_t)cols * sizeof *x;
  float *kept = hn_tape_take(t, n * cols, sizeof *kept);
  int32_t *number = hn_tape_take(t, n, sizeof *number),
          *table = hn_tape_take(t, slots, sizeof *table);
  int32_t count = 0;
  memset(table, -1, slots * sizeof *table);
  for (int64_t i = 0; i < n; i++, x += cols) {
    uint32_t at = hash_of(cols, x) & (slots - 1);
    while (table[at] >= 0 && memcmp(kept + table[at] * cols, x, bytes) != 0)
      at = (at + 1) & (slots - 1);
    if (table[at] < 0) {
      memcpy(kept + count * cols, x, bytes);
      table[at] = count++;
    }
    number[i] = table[at];
  }
  *distinct = kept, *row = number;
  return count;
}

int64_t hn_shared_rows(HnTape *t, int64_t n, int64_t cols, const float *x, const float **distinct,
                       const int32_t **row) {
  const int64_t count = hn_distinct_rows(t, n, cols, x, distinct, row);
  if (hn_rows_repeat(count, n)) return count;
  *distinct = x, *row = NULL;
  return n;
}

/* ---- hn_linear_pick ---- */

typedef struct Picked {
  const int32_t *pick; /* [B, picks] */
  const float *flip;   /* w transposed: columns of w are contiguous */
} Picked;

/* A column of w's gradient is accumulated contiguously and then added to its place once. */
static void weight_back(HnTape *t, const HnRecord *r, float *dw) {
  const Picked *s = r->extra;
  const int64_t in = r->b->rows, out = r->b->cols, picks = r->y->cols;
  float **column = hn_tape_room(t, out, sizeof *column);
  for (int64_t i = 0; i < r->y->rows; i++)
    for (int64_t j = i * picks; j < (i + 1) * picks; j++) {
      float **to = &column[s->pick[j]];
      if (!*to) *to = hn_tape_room(t, in, sizeof(float));
      hn_kernels()->axpy(in, r->y->grad[j], r->a->data + i * in, *to);
    }
  for (int64_t k = 0; k < out; k++)
    for (int64_t p = 0; column[k] && p < in; p++) dw[p * out + k] += column[k][p];
}

static void pick_back(HnTape *t, HnRecord *r) {
  const Picked *s = r->extra;
  const int64_t in = r->b->rows, picks = r->y->cols;
  float *dx = hn_grad(r->a), *dw = hn_grad(r->b), *db = r->c ? hn_grad(r->c) : NULL;
  for (int64_t i = 0; dx && i < r->y->rows; i++)
    for (int64_t j = i * picks; j < (i + 1) * picks; j++)
      hn_kernels()->axpy(in, r->y->grad[j], s->flip + s->pick[j] * in, dx + i * in);
  for (int64_t j = 0; db && j < hn_count(r->y); j++) db[s->pick[j]] += r->y->grad[j];
  if (dw) weight_back(t, r, dw);
}

static HnVar *pick_jvp(HnTape *t, const HnRecord *r) {
  const int32_t *pick = ((const Picked *)r->extra)->pick;
  const int64_t picks = r->y->cols;
  HnVar *dx = hn_tangent(t, r->a), *dw = hn_tangent(t, r->b),
        *db = r->c ? hn_tangent(t, r->c) : NULL;
  HnVar *sum = NULL;
  if (dw)
    sum = hn_linear_pick(t, r->a, dw, db, picks, pick);
  else if (db)
    sum = hn_linear_pick(t, hn_filled(t, r->a->rows, r->a->cols, 0), r->b, db, picks, pick);
  return hn_plus(t, sum, dx ? hn_linear_pick(t, dx, r->b, NULL, picks, pick) : NULL);
}

static const HnRule pick_rule = {"hn_linear_pick", pick_back, pick_jvp};

HnVar *hn_linear_pick(HnTape *t, HnVar *x, HnVar *w, HnVar *b, int64_t picks, const int32_t *pick) {
  HN_SHAPE(x->cols == w->rows, "hn_linear_pick", x, w);
  if (b) HN_SHAPE(b->rows == 1 && b->cols == w->cols, "hn_linear_pick's bias", w, b);
  const int64_t in = w->rows;
  Picked *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Picked){.pick = pick, .flip = hn_flipped(t, w)};
  HnVar *y = hn_output(t, x->rows, picks, x, w, b);
  for (int64_t i = 0; i < x->rows; i++)
    for (int64_t j = i * picks; j < (i + 1) * picks; j++) {
      const int32_t k = pick[j];
      if (k < 0 || k >= w->cols)
        hn_bug("hn_linear_pick: output %d of %lld", (int)k, (long long)w->cols);
      y->data[j] =
          (b ? b->data[k] : 0.0f) + hn_kernels()->dot(in, x->data + i * in, s->flip + k * in);
    }
  HnRecord *r = hn_record(t, &pick_rule, y, x, w, b);
  if (r) r->extra = s;
  return y;
}
