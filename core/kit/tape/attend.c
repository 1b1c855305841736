/* attend.c - attention of short sequences, compiled once per instruction set.
 *
 * A lane is a sequence: rows of as many sequences as a vector has lanes are transposed, after which
 * scores, softmax and sums are plain vector arithmetic without horizontal sums, and a sequence's
 * bits depend neither on its lane nor on the width of vectors.  A few heads go at a time, so that
 * a block stays in the first cache. */
#include "attend.h"
#include "transpose.h"
#include "vector_math.h"

/* Some heads of a block of sequences, each array [slots, d, HN_LANES]; what has no gradient has no
 * d*. */
typedef struct Block {
  const HnAttendArgs *a;
  int64_t from, count; /* the first sequence, how many */
  int64_t head, heads; /* the first head, how many */
  int64_t column, d;   /* the first of their numbers, how many */
  int64_t width;       /* numbers of all heads */
  float *q, *k, *v, *o, *dq, *dk, *dv;
  float *stage; /* [HN_LANES, slots, 3 d] gradient rows */
  float *p;     /* [heads, slots - first, slots, HN_LANES] */
} Block;

/* Heads that go together: all, halved until a slot's numbers of them are few. */
static int64_t heads_together(const HnAttendArgs *a) {
  int64_t heads = a->heads;
  while (heads > 1 && heads * a->size * HN_LANES > HN_ATTEND_TOGETHER)
    heads = heads % 2 ? 1 : heads / 2;
  return heads;
}

static Block block_at(const HnAttendArgs *a, float *room, int64_t block, int64_t head) {
  const int64_t heads = heads_together(a), d = heads * a->size, size = a->slots * d * HN_LANES;
  const int64_t from = block * HN_LANES, left = a->sequences - from;
  return (Block){.a = a,
                 .from = from,
                 .count = left < HN_LANES ? left : HN_LANES,
                 .head = head,
                 .heads = heads,
                 .column = head * a->size,
                 .d = d,
                 .width = a->heads * a->size,
                 .q = room,
                 .k = room + size,
                 .v = room + 2 * size,
                 .o = room + 3 * size,
                 .dq = room + 4 * size,
                 .dk = room + 5 * size,
                 .dv = room + 6 * size,
                 .stage = room + 7 * size,
                 .p = a->p +
                      (block * a->heads + head) * (a->slots - a->first) * a->slots * HN_LANES};
}

/* The row of x in a lane's slot; below 0: none. */
static inline int64_t row_of(const Block *b, int64_t lane, int64_t slot) {
  const HnAttendArgs *a = b->a;
  const int64_t at = (b->from + lane) * a->slots + slot;
  return lane >= b->count ? -1 : a->row ? a->row[at] : at;
}

/* ---- rows to lanes and back ---- */

/* to [n, HN_LANES] from n numbers of each lane; a NULL lane is zero. */
HN_INLINE void gather(int64_t n, const float *const *lane, float *to) {
  for (int64_t c = 0; c < n; c += HN_LANES) {
    const int64_t width = n - c < HN_LANES ? n - c : HN_LANES;
    const HnLaneMask part = v_lane_mask(width);
    HnV x[HN_LANES];
    for (int l = 0; l < HN_LANES; l++)
      x[l] = lane[l] ? v_load_any(lane[l] + c, width == HN_LANES, part) : v_all(0);
    v_transpose(x);
    for (int64_t j = 0; j < width; j++) v_store(to + (c + j) * HN_LANES, x[j]);
  }
}

/* n numbers of each lane, `ld` apart, from [n, HN_LANES]. */
HN_INLINE void scatter(int64_t n, const float *from, int64_t lanes, float *to, int64_t ld) {
  for (int64_t c = 0; c < n; c += HN_LANES) {
    const int64_t width = n - c < HN_LANES ? n - c : HN_LANES;
    const HnLaneMask part = v_lane_mask(width);
    HnV x[HN_LANES];
    for (int64_t j = 0; j < HN_LANES; j++)
      x[j] = j < width ? v_load(from + (c + j) * HN_LANES) : v_all(0);
    v_transpose(x);
    for (int64_t l = 0; l < lanes; l++) v_store_any(to + l * ld + c, x[l], width == HN_LANES, part);
  }
}

static void load_block(const Block *b) {
  const HnAttendArgs *a = b->a;
  const int64_t d = b->d;
  for (int64_t j = 0; j < a->slots; j++) {
    const float *lane[3][HN_LANES];
    for (int64_t l = 0; l < HN_LANES; l++) {
      const int64_t row = row_of(b, l, j);
      for (int k = 0; k < 3; k++)
        lane[k][l] = row < 0 ? NULL : a->x + (row * 3 + k) * b->width + b->column;
    }
    if (j >= a->first) gather(d, lane[0], b->q + j * d * HN_LANES);
    gather(d, lane[1], b->k + j * d * HN_LANES);
    gather(d, lane[2], b->v + j * d * HN_LANES);
  }
}

/* All ones in lanes whose slot is not empty. */
static HnVi present(const Block *b, int64_t slot) {
  HnVi mask = {0};
  for (int64_t l = 0; l < HN_LANES; l++) mask[l] = row_of(b, l, slot) < 0 ? 0 : -1;
  return mask;
}

/* ---- one head; pointers to its first number ---- */

HN_INLINE HnV dot(int64_t n, const float *x, const float *y) {
  HnV sum = v_load(x) * v_load(y);
  for (int64_t c = 1; c < n; c++)
    sum = v_fma(v_load(x + c * HN_LANES), v_load(y + c * HN_LANES), sum);
  return sum;
}

/* to[j] = scale x . y[j] for j < count, whose y are `step` apart.  x stays in registers where n is
 * a constant: heads of 8 numbers are those of the published sizes. */
HN_INLINE void dots_of(int64_t n, int64_t count, HnV scale, const float *x, const float *y,
                       int64_t step, float *restrict to) {
  for (int64_t j = 0; j < count; j++) v_store(to + j * HN_LANES, scale * dot(n, x, y + j * step));
}

static void dots(int64_t n, int64_t count, HnV scale, const float *x, const float *y, int64_t step,
                 float *restrict to) {
  if (n == 8)
    dots_of(8, count, scale, x, y, step, to);
  else
    dots_of(n, count, scale, x, y, step, to);
}

/* y = sum_j w[j] x[j] for j < count and so many columns, which stay in registers meanwhile. */
HN_INLINE void mix_columns(int columns, int64_t count, const float *w, int64_t w_step,
                           const float *x, int64_t x_step, float *y) {
  HnV sum[8];
#pragma GCC unroll 8
  for (int c = 0; c < columns; c++) sum[c] = v_all(0);
  for (int64_t j = 0; j < count; j++) {
    const HnV weight = v_load(w + j * w_step);
#pragma GCC unroll 8
    for (int c = 0; c < columns; c++)
      sum[c] = v_fma(weight, v_load(x + j * x_step + c * HN_LANES), sum[c]);
  }
#pragma GCC unroll 8
  for (int c = 0; c < columns; c++) v_store(y + c * HN_LANES, sum[c]);
}

/* The same of all n numbers. */
static void mix(int64_t n, int64_t count, const float *w, int64_t w_step, const float *x,
                int64_t x_step, float *y) {
  int64_t c = 0;
  for (; c + 8 <= n; c += 8)
    mix_columns(8, count, w, w_step, x + c * HN_LANES, x_step, y + c * HN_LANES);
  for (; c < n; c++) mix_columns(1, count, w, w_step, x + c * HN_LANES, x_step, y + c * HN_LANES);
}

/* Softmax of the scores of `seen` slots: to p [seen, HN_LANES]. */
HN_INLINE void weigh(int64_t seen, const HnVi *slots, HnVi query, float *p) {
  const HnV zero = v_all(0);
  HnV most = v_all(-INFINITY), sum = zero;
  for (int64_t j = 0; j < seen; j++)
    most = v_max(v_pick(slots[j], v_load(p + j * HN_LANES), v_all(-INFINITY)), most);
  for (int64_t j = 0; j < seen; j++) {
    const HnV e = v_exp(v_load(p + j * HN_LANES) - most);
    const HnV kept = v_pick(slots[j] & query, e, zero);
    v_store(p + j * HN_LANES, kept);
    sum += kept;
  }
  const HnV scale = v_pick(sum > zero, v_all(1) / sum, zero);
  for (int64_t j = 0; j < seen; j++) v_store(p + j * HN_LANES, scale * v_load(p + j * HN_LANES));
}

static int64_t seen_by(const HnAttendArgs *a, int64_t slot) {
  return a->causal ? slot + 1 : a->slots;
}

static void forward_block(const Block *b, const HnVi *slots) {
  const HnAttendArgs *a = b->a;
  const int64_t n = a->size, ld = b->d * HN_LANES, asking = a->slots - a->first;
  const HnV scale = v_all(1 / sqrtf((float)n));
  for (int64_t h = 0; h < b->heads; h++)
    for (int64_t i = a->first; i < a->slots; i++) {
      const int64_t at = h * n * HN_LANES, seen = seen_by(a, i);
      float *p = b->p + (h * asking + i - a->first) * a->slots * HN_LANES;
      dots(n, seen, scale, b->q + i * ld + at, b->k + at, ld, p);
      weigh(seen, slots, slots[i], p);
      mix(n, seen, p, HN_LANES, b->v + at, ld, b->o + i * ld + at);
    }
}

static void forward(const HnAttendArgs *a) {
  const int64_t asking = a->slots - a->first, heads = heads_together(a);
  _Alignas(64) float small[HN_ATTEND_SMALL];
  float *room = a->room ? a->room : small;
  HnVi slots[HN_ATTEND_SLOTS];
  for (int64_t block = 0; block * HN_LANES < a->sequences; block++)
    for (int64_t h = 0; h < a->heads; h += heads) {
      const Block b = block_at(a, room, block, h);
      for (int64_t j = 0; j < a->slots && h == 0; j++) slots[j] = present(&b, j);
      load_block(&b);
      forward_block(&b, slots);
      for (int64_t i = a->first; i < a->slots; i++)
        scatter(b.d, b.o + i * b.d * HN_LANES, b.count,
                a->y + (b.from * asking + i - a->first) * b.width + b.column, asking * b.width);
    }
}

/* ---- backward ---- */

/* From the weights p of a query's slots to ds = p (dp - sum p dp) scale, in their place, with
 * dp = v do. */
static void slopes(const HnAttendArgs *a, int64_t seen, const float *out, const float *v,
                   int64_t ld, float *p) {
  float dp[HN_ATTEND_SLOTS * HN_LANES];
  HnV mean = v_all(0);
  dots(a->size, seen, v_all(1), out, v, ld, dp);
  for (int64_t j = 0; j < seen * HN_LANES; j += HN_LANES)
    mean = v_fma(v_load(p + j), v_load(dp + j), mean);
  const HnV scale = v_all(1 / sqrtf((float)a->size));
  for (int64_t j = 0; j < seen * HN_LANES; j += HN_LANES)
    v_store(p + j, scale * (v_load(p + j) * (v_load(dp + j) - mean)));
}

/* dv = sum p do over the queries that see a slot; then dq = sum ds k, dk = sum ds q. */
static void back_head(const Block *b, int64_t h) {
  const HnAttendArgs *a = b->a;
  const int64_t n = a->size, ld = b->d * HN_LANES, at = h * n * HN_LANES;
  const int64_t step = a->slots * HN_LANES; /* from a query's weights to those of the next */
  float *p = b->p + h * (a->slots - a->first) * step;
  for (int64_t j = 0; j < a->slots; j++) {
    const int64_t i = a->causal && j > a->first ? j : a->first;
    mix(n, a->slots - i, p + (i - a->first) * step + j * HN_LANES, step, b->o + i * ld + at, ld,
        b->dv + j * ld + at);
  }
  for (int64_t i = a->first; i < a->slots; i++) {
    float *ds = p + (i - a->first) * step;
    slopes(a, seen_by(a, i), b->o + i * ld + at, b->v + at, ld, ds);
    mix(n, seen_by(a, i), ds, HN_LANES, b->k + at, ld, b->dq + i * ld + at);
  }
  for (int64_t j = 0; j < a->slots; j++) {
    const int64_t i = a->causal && j > a->first ? j : a->first;
    mix(n, a->slots - i, p + (i - a->first) * step + j * HN_LANES, step, b->q + i * ld + at, ld,
        b->dk + j * ld + at);
  }
}

/* Gradient rows of the sequences, slot by slot, to [.., slots, 3, width], of which d are written;
 * slots that do not ask have none of queries. */
static void put_rows(const Block *b, int64_t width, float *to) {
  const HnAttendArgs *a = b->a;
  const int64_t d = b->d, ld = a->slots * 3 * width;
  for (int64_t j = 0; j < a->slots; j++, to += 3 * width) {
    if (j >= a->first) scatter(d, b->dq + j * d * HN_LANES, b->count, to, ld);
    for (int64_t l = 0; j < a->first && l < b->count; l++)
      memset(to + l * ld, 0, (size_t)d * sizeof *to);
    scatter(d, b->dk + j * d * HN_LANES, b->count, to + width, ld);
    scatter(d, b->dv + j * d * HN_LANES, b->count, to + 2 * width, ld);
  }
}

/* Rows in the order of sequences and slots, because a row may stand in several. */
static void add_rows(const Block *b) {
  const HnAttendArgs *a = b->a;
  const int64_t d = b->d;
  const float *from = b->stage;
  put_rows(b, d, b->stage);
  for (int64_t l = 0; l < b->count; l++)
    for (int64_t j = 0; j < a->slots; j++, from += 3 * d) {
      const int64_t row = row_of(b, l, j);
      float *to = a->dx + row * 3 * b->width + b->column;
      for (int k = j < a->first; row >= 0 && k < 3; k++)
        for (int64_t c = 0; c < d; c++) to[k * b->width + c] += from[k * d + c];
    }
}

/* Gradients of what was seen, to b->o. */
static void load_gradients(const Block *b) {
  const HnAttendArgs *a = b->a;
  const int64_t asking = a->slots - a->first;
  for (int64_t i = a->first; i < a->slots; i++) {
    const float *lane[HN_LANES];
    for (int64_t l = 0; l < HN_LANES; l++)
      lane[l] = l < b->count
                    ? a->dy + ((b->from + l) * asking + i - a->first) * b->width + b->column
                    : NULL;
    gather(b->d, lane, b->o + i * b->d * HN_LANES);
  }
}

static void back(const HnAttendArgs *a) {
  _Alignas(64) float small[HN_ATTEND_SMALL];
  float *room = a->room ? a->room : small;
  for (int64_t block = 0; block * HN_LANES < a->sequences; block++)
    for (int64_t h = 0; h < a->heads; h += heads_together(a)) {
      const Block b = block_at(a, room, block, h);
      load_block(&b);
      load_gradients(&b);
      for (int64_t k = 0; k < b.heads; k++) back_head(&b, k);
      if (a->sets)
        put_rows(&b, b.width, a->dx + b.from * a->slots * 3 * b.width + b.column);
      else
        add_rows(&b);
    }
}

const HnAttendKernels HN_VARIANT(hn_attend) = {.forward = forward, .back = back};
