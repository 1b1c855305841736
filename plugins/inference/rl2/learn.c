/* learn.c - RL2 through time: see rl2.h.
 *
 * A window is cut into shards of rows and segments of time; a task is one segment of one shard, and
 * gradients are added in the order of tasks: the same bits for any number of workers.  forward
 * leaves its tapes to backward in memory whose size an earlier pass has shown; where there was
 * none, or where tapes are large, backward runs each segment again from the carry it started with,
 * with the same bits. */
#include "../../common/shards.h"
#include "network.h"
#include <string.h>

/* Of up to 8 rows; smaller batches are cut into up to 8 as long as that leaves each 4 rows: shards
 * of 3 cost one worker a fourth more a row, of 2 a third. */
static const HnShardRule rule = {.most = 8, .least = 4, .wanted = 8, .bound = INT64_MAX};
static const size_t MOST_BYTES = (size_t)64 << 20; /* of the tapes that are kept */

/* A pass over a window. */
typedef struct Pass {
  const Rl2 *m;
  const HnBeliefUpdate *q;
  const float *d_belief; /* [T+1, B, belief_dim] */
  int64_t length;        /* of a segment */
  int64_t size;          /* rows of a shard, but perhaps the last */
  int64_t shards, segments;
} Pass;

static Pass pass_of(const Rl2 *m, const HnBeliefUpdate *q, const float *d_belief) {
  int64_t count = q->history->steps + 1, length = m->p->truncate ? m->p->truncate : count;
  int64_t size = hn_shard_size(&rule, q->history->rows);
  return (Pass){.m = m,
                .q = q,
                .d_belief = d_belief,
                .length = length,
                .size = size,
                .shards = (q->history->rows + size - 1) / size,
                .segments = (count + length - 1) / length};
}

static Rl2Piece segment_of(const Pass *p, int64_t shard, int64_t segment) {
  const HnHistory *h = p->q->history;
  Rl2Piece s = {.from = segment * p->length, .first = shard * p->size};
  int64_t count = h->steps + 1 - s.from, rows = h->rows - s.first;
  s.count = count < p->length ? count : p->length, s.rows = rows < p->size ? rows : p->size;
  return s;
}

/* Where a shard's carry at the start of a segment lies. */
static float *start_of(const Pass *p, Rl2Piece s, int64_t segment) {
  return p->m->start + (segment * p->q->history->rows + s.first) * p->m->rnn.carry;
}

/* Where a piece's beliefs of its time step t lie in the window's [T+1, B, belief_dim]. */
static int64_t belief_at(const Pass *p, Rl2Piece s, int64_t t) {
  return ((s.from + t) * p->q->history->rows + s.first) * p->m->belief_dim;
}

/* ---- forward ---- */

/* One shard, segment after segment. */
static HnStatus forward_shard(void *arg, int64_t shard) {
  const Pass *p = arg;
  const Rl2 *m = p->m;
  HnTape values = hn_tape_begin(m->host, false);
  Rl2Piece s = segment_of(p, shard, 0);
  int64_t wide = s.rows * m->belief_dim;
  float *end = hn_tape_room(&values, s.rows * m->rnn.carry, sizeof *end);
  rl2_read_memory(m, p->q, s.first, s.rows, start_of(p, s, 0));
  for (int64_t k = 0; k < p->segments; k++) {
    int64_t task = shard * p->segments + k;
    Rl2Tape *kept = m->tape ? &m->tape[task] : NULL;
    if (kept) kept->tape = hn_tape_begin(&kept->scratch.host, true);
    s = segment_of(p, shard, k);
    HnVar *belief = rl2_run(m, kept ? &kept->tape : &values, p->q->history, s, start_of(p, s, k),
                            m->flat + task * m->store.size, end);
    for (int64_t t = 0; t < s.count; t++)
      memcpy(p->q->belief + belief_at(p, s, t), belief->data + t * wide,
             (size_t)wide * sizeof(float));
    if (kept) kept->belief = belief;
    if (k + 1 < p->segments)
      memcpy(start_of(p, s, k + 1), end, (size_t)(s.rows * m->rnn.carry) * sizeof *end);
  }
  rl2_write_memory(m, p->q, s.first, s.rows, end);
  return HN_OK;
}

/* Tapes in memory of the size that they have needed so far; none if that is too large. */
static Rl2Tape *make_tapes(const Rl2 *m) {
  const HnHost *host = m->host;
  if (m->tape_bytes > MOST_BYTES / (size_t)m->tasks) return NULL;
  Rl2Tape *tape = host->scratch(host, m->tasks, sizeof *tape);
  char *memory = host->scratch(host, m->tasks, m->tape_bytes);
  for (int64_t k = 0; k < m->tasks; k++)
    hn_reuse_begin(&tape[k].scratch, host, memory + (size_t)k * m->tape_bytes, m->tape_bytes);
  return tape;
}

HnStatus rl2_forward(void *self, HnBeliefUpdate *q) {
  Rl2 *m = self;
  const HnHost *host = m->host;
  Pass p = pass_of(m, q, NULL);
  size_t given = m->tape_bytes;
  m->tasks = p.shards * p.segments;
  m->start = host->scratch(host, p.segments * q->history->rows * m->rnn.carry, sizeof(float));
  m->flat = host->scratch(host, m->tasks * m->store.size, sizeof(float));
  m->tape = make_tapes(m);
  HnStatus status = host->parallel(host, p.shards, forward_shard, &p);
  if (status || !m->tape) return status;
  for (int64_t k = 0; k < m->tasks; k++)
    if (m->tape[k].scratch.asked > m->tape_bytes) m->tape_bytes = m->tape[k].scratch.asked;
  if (m->tape_bytes > given) m->tape = NULL; /* some are gone, with the scratch of their tasks */
  return HN_OK;
}

/* ---- backward ---- */

/* One segment of one shard, which runs again if its tape was not kept. */
static HnStatus backward_segment(void *arg, int64_t task) {
  const Pass *p = arg;
  const Rl2 *m = p->m;
  int64_t segment = task % p->segments;
  Rl2Piece s = segment_of(p, task / p->segments, segment);
  int64_t wide = s.rows * m->belief_dim;
  HnTape t = hn_tape_begin(m->host, true);
  float *flat = m->flat + task * m->store.size;
  float *seed = hn_tape_room(&t, s.count * wide, sizeof *seed);
  memset(flat, 0, (size_t)m->store.size * sizeof *flat);
  for (int64_t k = 0; k < s.count; k++)
    memcpy(seed + k * wide, p->d_belief + belief_at(p, s, k), (size_t)wide * sizeof *seed);
  if (m->tape) t.last = m->tape[task].tape.last; /* its records, with scratch of this task */
  HnVar *belief = m->tape ? m->tape[task].belief
                          : rl2_run(m, &t, p->q->history, s, start_of(p, s, segment), flat, NULL);
  hn_tape_backward_from(&t, belief, seed);
  return HN_OK;
}

HnStatus rl2_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2) {
  Rl2 *m = self;
  Pass p = pass_of(m, q, d_belief);
  hn_store_refresh(&m->store); /* a resumed run overwrites weights */
  HnStatus status = m->host->parallel(m->host, m->tasks, backward_segment, &p);
  if (status) return status;
  hn_store_reduce(&m->store, m->tasks, m->flat);
  *norm2 = m->norm2 = hn_store_norm2(&m->store);
  m->host->metric(m->host, rl2_metric_grad_norm, sqrt(m->norm2));
  return HN_OK;
}

HnStatus rl2_step(void *self, double scale, double rate) {
  Rl2 *m = self;
  const Rl2Params *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, 0};
  if (p->max_grad_norm > 0) scale *= hn_clip_scale(scale * scale * m->norm2, p->max_grad_norm);
  hn_adam_step(&m->store, &adam, scale, rate);
  return HN_OK;
}
