/* attend.c - attention of short sequences, compiled once per instruction set.
 *
 * A lane is a sequence: rows of as many sequences as a vector has lanes are transposed, after which
 * scores, softmax and sums are plain vector arithmetic without horizontal sums, and a sequence's
 * bits depend neither on its lane nor on the width of vectors. */
#include "attend.h"
#include "transpose.h"
#include "vector_math.h"

/* A block of sequences, each array [slots, d, HN_LANES]; what has no gradient has no d*. */
typedef struct Block {
  const HnAttendArgs *a;
  int64_t d, from, count; /* the first sequence, how many */
  float *q, *k, *v, *o, *dq, *dk, *dv;
  float *stage; /* [HN_LANES, 3 d] gradient rows of one slot */
  float *p;     /* [heads, slots - first, slots, HN_LANES] */
} Block;

static Block block_at(const HnAttendArgs *a, int64_t block) {
  const int64_t d = a->heads * a->size, size = a->slots * d * HN_LANES;
  const int64_t from = block * HN_LANES, left = a->sequences - from;
  float *room = a->room;
  return (Block){.a = a,
                 .d = d,
                 .from = from,
                 .count = left < HN_LANES ? left : HN_LANES,
                 .q = room,
                 .k = room + size,
                 .v = room + 2 * size,
                 .o = room + 3 * size,
                 .dq = room + 4 * size,
                 .dk = room + 5 * size,
                 .dv = room + 6 * size,
                 .stage = room + 7 * size,
                 .p = a->p + block * a->heads * (a->slots - a->first) * a->slots * HN_LANES};
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
      for (int k = 0; k < 3; k++) lane[k][l] = row < 0 ? NULL : a->x + row * 3 * d + k * d;
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

/* ---- one query slot of one head; pointers to the head's first number ---- */

HN_INLINE HnV dot(int64_t n, const float *x, const float *y) {
  HnV sum = v_load(x) * v_load(y);
  for (int64_t c = 1; c < n; c++)
    sum = v_fma(v_load(x + c * HN_LANES), v_load(y + c * HN_LANES), sum);
  return sum;
}

/* y += w x */
HN_INLINE void add_scaled(int64_t n, HnV w, const float *x, float *y) {
  for (int64_t c = 0; c < n * HN_LANES; c += HN_LANES)
    v_store(y + c, v_fma(w, v_load(x + c), v_load(y + c)));
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
  for (int64_t h = 0; h < a->heads; h++)
    for (int64_t i = a->first; i < a->slots; i++) {
      const int64_t at = h * n * HN_LANES, seen = seen_by(a, i);
      float *p = b->p + (h * asking + i - a->first) * a->slots * HN_LANES, *o = b->o + i * ld + at;
      for (int64_t j = 0; j < seen; j++)
        v_store(p + j * HN_LANES, scale * dot(n, b->q + i * ld + at, b->k + j * ld + at));
      weigh(seen, slots, slots[i], p);
      memset(o, 0, (size_t)(n * HN_LANES) * sizeof *o);
      for (int64_t j = 0; j < seen; j++)
        add_scaled(n, v_load(p + j * HN_LANES), b->v + j * ld + at, o);
    }
}

static void forward(const HnAttendArgs *a) {
  const int64_t d = a->heads * a->size, asking = a->slots - a->first;
  HnVi slots[HN_ATTEND_SLOTS];
  for (int64_t block = 0; block * HN_LANES < a->sequences; block++) {
    const Block b = block_at(a, block);
    load_block(&b);
    for (int64_t j = 0; j < a->slots; j++) slots[j] = present(&b, j);
    forward_block(&b, slots);
    for (int64_t i = a->first; i < a->slots; i++)
      scatter(d, b.o + i * d * HN_LANES, b.count, a->y + (b.from * asking + i - a->first) * d,
              asking * d);
  }
}

/* ---- backward ---- */

/* ds = p (dp - sum p dp) scale with dp = v do; dq = sum ds k; dk += ds q; dv += p do */
static void back_query(const Block *b, int64_t h, int64_t i, float *ds) {
  const HnAttendArgs *a = b->a;
  const int64_t n = a->size, ld = b->d * HN_LANES, at = h * n * HN_LANES, seen = seen_by(a, i);
  const float *p = b->p + (h * (a->slots - a->first) + i - a->first) * a->slots * HN_LANES;
  const float *out = b->o + i * ld + at, *q = b->q + i * ld + at;
  HnV mean = v_all(0);
  for (int64_t j = 0; j < seen; j++) {
    const HnV dp = dot(n, out, b->v + j * ld + at);
    v_store(ds + j * HN_LANES, dp);
    mean = v_fma(v_load(p + j * HN_LANES), dp, mean);
  }
  const HnV scale = v_all(1 / sqrtf((float)n));
  for (int64_t j = 0; j < seen; j++) {
    const HnV w = v_load(p + j * HN_LANES);
    const HnV slope = scale * (w * (v_load(ds + j * HN_LANES) - mean));
    add_scaled(n, slope, b->k + j * ld + at, b->dq + i * ld + at);
    add_scaled(n, slope, q, b->dk + j * ld + at);
    add_scaled(n, w, out, b->dv + j * ld + at);
  }
}

/* Rows in the order of sequences and slots, because a row may stand in several. */
static void add_rows(const Block *b) {
  const HnAttendArgs *a = b->a;
  const int64_t d = b->d, ld = a->slots * 3 * d;
  for (int64_t j = 0; j < a->slots; j++) {
    float *to = b->stage + j * 3 * d;
    if (j >= a->first) scatter(d, b->dq + j * d * HN_LANES, b->count, to, ld);
    scatter(d, b->dk + j * d * HN_LANES, b->count, to + d, ld);
    scatter(d, b->dv + j * d * HN_LANES, b->count, to + 2 * d, ld);
  }
  for (int64_t l = 0; l < b->count; l++)
    for (int64_t j = 0; j < a->slots; j++) {
      const int64_t row = row_of(b, l, j), skip = j < a->first ? d : 0;
      const float *from = b->stage + l * ld + j * 3 * d;
      float *to = a->dx + row * 3 * d;
      for (int64_t c = skip; row >= 0 && c < 3 * d; c++) to[c] += from[c];
    }
}

static void back(const HnAttendArgs *a) {
  const int64_t d = a->heads * a->size, asking = a->slots - a->first;
  float ds[HN_ATTEND_SLOTS * HN_LANES];
  for (int64_t block = 0; block * HN_LANES < a->sequences; block++) {
    const Block b = block_at(a, block);
    load_block(&b);
    memset(b.dq, 0, (size_t)(3 * a->slots * d * HN_LANES) * sizeof *b.dq); /* and dk, dv */
    for (int64_t i = a->first; i < a->slots; i++) {
      const float *lane[HN_LANES];
      for (int64_t l = 0; l < HN_LANES; l++)
        lane[l] = l < b.count ? a->dy + ((b.from + l) * asking + i - a->first) * d : NULL;
      gather(d, lane, b.o + i * d * HN_LANES);
    }
    for (int64_t h = 0; h < a->heads; h++)
      for (int64_t i = a->first; i < a->slots; i++) back_query(&b, h, i, ds);
    add_rows(&b);
  }
}

const HnAttendKernels HN_VARIANT(hn_attend) = {.forward = forward, .back = back};
