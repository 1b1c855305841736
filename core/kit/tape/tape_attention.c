/* tape_attention.c - attention on the tape: shapes and derivatives; the arithmetic is attend.c. */
#include "attend.h"
#include "tape_record.h"
#include <math.h>
#include <string.h>

static const HnAttendKernels *kernels(void) {
  static const HnAttendKernels *const tables[] = HN_VARIANTS(hn_attend);
  return tables[hn_isa_level()];
}

struct HnSequences {
  int64_t n, slots, rows; /* rows: that there must be at least */
  const int32_t *row;
  bool own; /* no slot holds another row than that of its place */
  HnAttend attend;
};

const HnSequences *hn_sequences(HnTape *t, int64_t n, int64_t slots, const int32_t *row,
                                HnAttend attend) {
  if (n < 0 || slots < 1 || slots > HN_ATTEND_SLOTS)
    hn_bug("hn_sequences: %lld of %lld slots", (long long)n, (long long)slots);
  HnSequences *s = hn_tape_take(t, 1, sizeof *s);
  *s = (HnSequences){.n = n, .slots = slots, .row = row, .own = true, .attend = attend};
  for (int64_t k = 0; row && k < n * slots; k++) {
    if (row[k] >= s->rows) s->rows = row[k] + 1;
    if (row[k] >= 0 && row[k] != k) s->own = false;
  }
  if (!row) s->rows = n * slots;
  return s;
}

typedef struct Attention {
  int64_t heads;
  const HnSequences *s;
  float *p; /* the weights, as attend.h has them */
} Attention;

static int64_t first_asking(const HnSequences *s) {
  return s->attend == HN_ATTEND_LAST ? s->slots - 1 : 0;
}

static HnAttendArgs args_of(HnTape *t, const Attention *a, const HnVar *qkv) {
  const int64_t size = qkv->cols / 3 / a->heads, room = hn_attend_room(a->s->slots, size);
  return (HnAttendArgs){.heads = a->heads,
                        .size = size,
                        .sequences = a->s->n,
                        .slots = a->s->slots,
                        .first = first_asking(a->s),
                        .causal = a->s->attend == HN_ATTEND_CAUSAL,
                        .x = qkv->data,
                        .row = a->s->row,
                        .p = a->p,
                        .room =
                            room > HN_ATTEND_SMALL ? hn_tape_take(t, room, sizeof(float)) : NULL};
}

static void attention_back(HnTape *t, HnRecord *r) {
  const HnSequences *s = ((const Attention *)r->extra)->s;
  HnAttendArgs args = args_of(t, r->extra, r->a);
  bool fresh;
  args.dy = r->y->grad, args.dx = hn_grad_raw(r->a, &fresh);
  args.sets = fresh && s->own && r->a->rows == s->n * s->slots;
  if (fresh && !args.sets) memset(args.dx, 0, (size_t)hn_count(r->a) * sizeof(float));
  kernels()->back(&args);
}

/* ---- the tangent, by elementary operations over all questions at once, slot by slot ---- */

/* A slot of all questions: who is seen there, and the tokens' projections. */
typedef struct Seen {
  HnVar *mask;          /* [questions, heads] 1 where it is seen, else 0 */
  HnVar *k, *v, *score; /* [questions, d]; [questions, heads] */
  const int32_t *row;   /* [questions] */
} Seen;

static int32_t row_at(const HnSequences *s, int64_t sequence, int64_t slot) {
  const int64_t at = sequence * s->slots + slot;
  return s->row ? s->row[at] : (int32_t)at;
}

/* The rows that all questions see in a slot, or, with slot < 0, those that ask. */
static int32_t *rows_at(HnTape *t, const HnSequences *s, int64_t slot) {
  const int64_t first = first_asking(s), asking = s->slots - first;
  int32_t *row = hn_tape_take(t, s->n * asking, sizeof *row);
  for (int64_t k = 0; k < s->n * asking; k++) {
    const int64_t own = first + k % asking;
    const bool hidden =
        row_at(s, k / asking, own) < 0 || (s->attend == HN_ATTEND_CAUSAL && slot > own);
    row[k] = hidden ? -1 : row_at(s, k / asking, slot < 0 ? own : slot);
  }
  return row;
}

/* Columns k d .. of the rows that are picked. */
static HnVar *part_of(HnTape *t, HnVar *qkv, int64_t k, int64_t n, const int32_t *row) {
  const int64_t d = qkv->cols / 3;
  return hn_pick_rows(t, hn_columns(t, qkv, k * d, d), n, row);
}

/* [d, heads]: 1 where a number belongs to a head; or its transpose. */
static HnVar *heads_of(HnTape *t, int64_t d, int64_t heads, bool flip) {
  float *x = hn_tape_room(t, d * heads, sizeof *x);
  for (int64_t c = 0; c < d; c++)
    x[flip ? c / (d / heads) * d + c : c * heads + c / (d / heads)] = 1;
  return flip ? hn_constant(t, heads, d, x) : hn_constant(t, d, heads, x);
}

static Seen see(HnTape *t, const Attention *a, HnVar *qkv, HnVar *q, HnVar *heads, int64_t slot) {
  const int64_t n = q->rows;
  Seen s = {.row = rows_at(t, a->s, slot)};
  float *mask = hn_tape_room(t, n * a->heads, sizeof *mask);
  for (int64_t k = 0; k < n * a->heads; k++) mask[k] = s.row[k / a->heads] >= 0;
  s.mask = hn_constant(t, n, a->heads, mask);
  s.k = part_of(t, qkv, 1, n, s.row), s.v = part_of(t, qkv, 2, n, s.row);
  const float scale = 1 / sqrtf((float)(q->cols / a->heads));
  s.score = hn_affine(t, hn_matmul(t, hn_mul(t, q, s.k), heads), scale, 0);
  return s;
}

/* The weights p[slot] [questions, heads], differentiable: exp(score - most) / sum. */
static void weights_of(HnTape *t, int64_t slots, const Seen *seen, HnVar **p) {
  const int64_t n = hn_count(seen[0].mask);
  float *most = hn_tape_room(t, n, sizeof *most), *none = hn_tape_room(t, n, sizeof *none);
  for (int64_t k = 0; k < n; k++) {
    none[k] = 1;
    for (int64_t j = 0; j < slots; j++) {
      const float score = seen[j].score->data[k];
      if (seen[j].mask->data[k] == 0) continue;
      most[k] = none[k] > 0 || score > most[k] ? score : most[k];
      none[k] = 0;
    }
  }
  HnVar *sum = hn_constant(t, seen[0].mask->rows, seen[0].mask->cols, none);
  HnVar *shift = hn_constant(t, sum->rows, sum->cols, most);
  for (int64_t j = 0; j < slots; j++) {
    HnVar *score = hn_mul(t, hn_sub(t, seen[j].score, shift), seen[j].mask);
    p[j] = hn_mul(t, hn_exp(t, score), seen[j].mask);
    sum = hn_add(t, sum, p[j]);
  }
  HnVar *inverse = hn_exp(t, hn_affine(t, hn_log(t, sum), -1, 0));
  for (int64_t j = 0; j < slots; j++) p[j] = hn_mul(t, p[j], inverse);
}

/* dy = sum_j dp_j v_j + p_j dv_j with dp = p (ds - sum p ds), ds = scale (dq k + q dk) */
static HnVar *attention_jvp(HnTape *t, const HnRecord *r) {
  const Attention *a = r->extra;
  HnVar *qkv = r->a, *d_qkv = hn_tangent(t, qkv);
  if (!d_qkv) return NULL;
  const int64_t slots = a->s->slots, n = r->y->rows, d = r->y->cols;
  const int32_t *own = rows_at(t, a->s, -1);
  HnVar *q = part_of(t, qkv, 0, n, own), *dq = part_of(t, d_qkv, 0, n, own);
  HnVar *heads = heads_of(t, d, a->heads, false), *spread = heads_of(t, d, a->heads, true);
  Seen *seen = hn_tape_take(t, slots, sizeof *seen);
  HnVar **p = hn_tape_take(t, slots, sizeof(HnVar *)),
        **ds = hn_tape_take(t, slots, sizeof(HnVar *));
  HnVar *mean = NULL, *dy = NULL;
  for (int64_t j = 0; j < slots; j++) seen[j] = see(t, a, qkv, q, heads, j);
  weights_of(t, slots, seen, p);
  const float scale = 1 / sqrtf((float)(d / a->heads));
  for (int64_t j = 0; j < slots; j++) {
    HnVar *dk = part_of(t, d_qkv, 1, n, seen[j].row);
    HnVar *slope = hn_add(t, hn_mul(t, dq, seen[j].k), hn_mul(t, q, dk));
    ds[j] = hn_affine(t, hn_matmul(t, slope, heads), scale, 0);
    mean = hn_plus(t, mean, hn_mul(t, p[j], ds[j]));
  }
  for (int64_t j = 0; j < slots; j++) {
    HnVar *dp = hn_matmul(t, hn_mul(t, p[j], hn_sub(t, ds[j], mean)), spread);
    HnVar *dv = part_of(t, d_qkv, 2, n, seen[j].row);
    dy = hn_plus(t, dy, hn_mul(t, dp, seen[j].v));
    dy = hn_plus(t, dy, hn_mul(t, hn_matmul(t, p[j], spread), dv));
  }
  return dy;
}

static const HnRule attention_rule = {"hn_attention", attention_back, attention_jvp};

HnVar *hn_attention(HnTape *t, HnVar *qkv, int64_t heads, const HnSequences *s) {
  const int64_t d = qkv->cols / 3, asking = s->slots - first_asking(s);
  if (heads < 1 || qkv->cols != 3 * d || d % heads)
    hn_bug("hn_attention: %lld columns are no queries, keys and values of %lld heads",
           (long long)qkv->cols, (long long)heads);
  if (s->rows > qkv->rows)
    hn_bug("hn_attention: sequences of %lld rows, of which there are %lld", (long long)s->rows,
           (long long)qkv->rows);
  HnVar *y = hn_output(t, s->n * asking, d, qkv, NULL, NULL);
  const int64_t whole = (s->n + HN_ATTEND_LANES - 1) / HN_ATTEND_LANES * HN_ATTEND_LANES;
  Attention *saved = hn_tape_take(t, 1, sizeof *saved);
  *saved = (Attention){.heads = heads, .s = s};
  saved->p = hn_tape_take(t, whole * heads * asking * s->slots, sizeof(float));
  HnAttendArgs args = args_of(t, saved, qkv);
  args.y = y->data;
  kernels()->forward(&args);
  HnRecord *r = hn_record(t, &attention_rule, y, qkv, NULL, NULL);
  if (r) r->extra = saved;
  return y;
}
