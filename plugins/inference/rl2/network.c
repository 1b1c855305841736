/* RL2: a recurrent network whose memory is the belief, trained through the policy's loss.
 *
 * At each percept it takes in the observation to act from, whether an episode has just ended, and
 * what was done and paid before.  Memory lasts a whole trial; only a new task empties it, and the
 * first percept of a task is taken in with action, reward and flag zero.
 *
 * A window that begins in mid-life starts from the memory that acting left behind, made by the
 * weights of the time, and no gradient flows back past it: so it is published, and nothing need be
 * recomputed.  `refresh` has the host replay running lives under the new weights instead.
 *
 * Rows are cut into shards of a fixed size whose gradients are added in order: the same bits for
 * any number of workers.  `forward` leaves its tapes to `backward` in memory whose size an earlier
 * pass has shown; where there was none, or where tapes are large, `backward` runs each piece of a
 * sequence again from the memory it started with, with the same bits.
 *
 * Source: Duan et al. 2016 (arXiv 1611.02779); sizes and bottleneck as in VariBAD's comparison
 * (arXiv 1910.08348). */
#include <hunch/inference.h>
#include <hunch/kit/nn.h>
#include <math.h>
#include <string.h>

#define PARAMS(X)                                                                               \
  X(choice, cell, "", "What remembers.", "gru", "gru|lstm")                                     \
  X(int, hidden, "", "Units of the memory.", 128, 1, 65536)                                     \
  X(int, obs_embed, "", "ReLU units that embed observation and flag; 0: as they are.", 32, 0,   \
    65536)                                                                                      \
  X(int, act_embed, "", "ReLU units that embed the action (one-hot if discrete); 0: as it is.", \
    16, 0, 65536)                                                                               \
  X(int, reward_embed, "", "ReLU units that embed the reward; 0: as it is.", 16, 0, 65536)      \
  X(flag, see_obs, "", "Takes in observations.", true)                                          \
  X(flag, see_act, "", "Takes in actions.", true)                                               \
  X(flag, see_reward, "", "Takes in rewards.", true)                                            \
  X(flag, see_episodes, "", "Takes in a flag that an episode has just ended.", true)            \
  X(int, bottleneck, "", "Units of a layer that is the belief; 0: the memory is.", 0, 0, 65536) \
  X(choice, bottleneck_activation, "", "Of that layer.", "relu", "relu|linear|tanh")            \
  X(int, truncate, "step",                                                                      \
    "Gradients flow back within pieces of so many percepts; 0: through "                        \
    "the window.",                                                                              \
    0, 0, 1e9)                                                                                  \
  X(flag, refresh, "", "Rebuild memory in mid-life after each update.", false)                  \
  X(flag, forget, "", "Start windows in mid-life from empty memory, as VariBAD's code did.",    \
    false)                                                                                      \
  X(real, lr, "", "Adam's step size; the policy's schedule scales it.", 7e-4, 0, 1)             \
  X(real, adam_eps, "", "Adam's guard against division by 0.", 1e-8, 0, 1)                      \
  X(real, grad_norm, "", "Largest own gradient, after the policy's joint clip; 0: any.", 0, 0, 1e9)
HN_PARAMS(PARAMS);
#define METRICS(X) X(grad_norm, "", "Of the own gradient, before any clip.", HN_MEAN)
HN_METRICS(METRICS);

enum { CELL_GRU, CELL_LSTM };
enum { ACTIVATION_RELU, ACTIVATION_LINEAR, ACTIVATION_TANH };
enum { OBS, ACT, REWARD, PARTS }; /* of the input; the flag stands beside the observation */
enum { SHARD = 4 };               /* rows */
static const size_t KEPT_BYTES = (size_t)64 << 20; /* of tapes, at most */

typedef struct Rl2 {
  const HnThisParams *p;
  const HnHost *host;
  bool discrete;
  int64_t obs, act;    /* of an observation, of an action as it is taken in; 0: not seen */
  int64_t part[PARTS]; /* numbers of each part of the input */
  int64_t memory, dim; /* floats a row remembers; of the belief */
  size_t row_size;
  HnStore store;
  HnMlp embed[PARTS], bottleneck; /* layers 0: not there */
  HnGru gru;
  HnLstm lstm;
  double norm2; /* of the gradient */
  size_t need;  /* bytes of the largest tape so far */
  /* of the last forward, until its backward */
  float *start, *flat; /* [pieces, B, memory]; [tasks, store.size] gradients */
  struct Trail *trail; /* [tasks]; NULL: no tapes were kept */
} Rl2;

/* Row memory: Head, then `memory` floats. */
typedef struct Head {
  int64_t clock; /* optimiser steps behind the weights that wrote it */
} Head;

/* ---- creation ---- */

static HnStatus check(const Rl2 *m) {
  const HnThisParams *p = m->p;
  if (p->forget && p->refresh)
    return m->host->fail(m->host, HN_E_PARAM, "forget and refresh contradict each other");
  if (m->part[OBS] + m->part[ACT] + m->part[REWARD] < 1)
    return m->host->fail(m->host, HN_E_SHAPE, "there is nothing to take in");
  return HN_OK;
}

static void build(Rl2 *m, HnRng *rng) {
  static const char *const name[PARTS] = {"obs_embed", "act_embed", "reward_embed"};
  const HnThisParams *p = m->p;
  const int64_t units[PARTS] = {p->obs_embed, p->act_embed, p->reward_embed};
  int64_t in = 0;
  for (int k = 0; k < PARTS; k++) {
    bool embeds = m->part[k] > 0 && units[k] > 0;
    if (embeds)
      m->embed[k] = hn_mlp_make(&m->store, name[k], 1, (int64_t[]){m->part[k], units[k]}, HN_RELU,
                                HN_RELU, HN_INIT_FAN_IN, 1, 1, rng);
    in += embeds ? units[k] : m->part[k];
  }
  if (p->cell == CELL_GRU)
    m->gru = hn_gru_make(&m->store, "gru", in, p->hidden, rng);
  else
    m->lstm = hn_lstm_make(&m->store, "lstm", in, p->hidden, rng);
  m->memory = p->cell == CELL_GRU ? p->hidden : 2 * p->hidden, m->dim = p->hidden;
  if (p->bottleneck > 0) {
    static const HnActivation activation[] = {
        [ACTIVATION_RELU] = HN_RELU, [ACTIVATION_LINEAR] = HN_LINEAR, [ACTIVATION_TANH] = HN_TANH};
    HnActivation act = activation[p->bottleneck_activation];
    m->dim = p->bottleneck;
    m->bottleneck = hn_mlp_make(&m->store, "bottleneck", 1, (int64_t[]){p->hidden, m->dim}, act,
                                act, HN_INIT_FAN_IN, 1, 1, rng);
  }
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Rl2 *m = self;
  const HnThisParams *p = m->p = params;
  m->host = host;
  m->discrete = spec->action_count > 0;
  m->obs = p->see_obs ? spec->obs_dim : 0;
  m->act = !p->see_act ? 0 : spec->action_count > 0 ? spec->action_count : spec->action_dim;
  m->part[OBS] = m->obs + p->see_episodes, m->part[ACT] = m->act, m->part[REWARD] = p->see_reward;
  HnStatus status = check(m);
  if (status) return status;
  hn_store_begin(&m->store, host, "");
  build(m, spec->rng);
  m->row_size = sizeof(Head) + ((size_t)m->memory * sizeof(float) + 7) / 8 * 8;
  spec->belief_dim = m->dim, spec->latent_dim = 0;
  spec->row_size = m->row_size, spec->refresh = p->refresh;
  return HN_OK;
}

/* ---- row memory ---- */

/* Memory [n, memory] of rows from `first`, before percept 0. */
static void recall(const Rl2 *m, const HnBeliefUpdate *q, int64_t first, int64_t n, float *to) {
  size_t bytes = (size_t)m->memory * sizeof(float);
  for (int64_t i = 0; i < n; i++) {
    const char *row = (const char *)q->state + (size_t)(first + i) * m->row_size;
    Head head;
    memcpy(&head, row, sizeof head);
    /* weights change between windows only, so memory made by others is of the window before */
    if (m->p->forget && head.clock != *m->store.clock)
      memset(to + i * m->memory, 0, bytes);
    else
      memcpy(to + i * m->memory, row + sizeof head, bytes);
  }
}

static void retain(const Rl2 *m, const HnBeliefUpdate *q, int64_t first, int64_t n,
                   const float *from) {
  size_t bytes = (size_t)m->memory * sizeof(float);
  Head head = {.clock = *m->store.clock};
  for (int64_t i = 0; i < n; i++) {
    char *row = (char *)q->state + (size_t)(first + i) * m->row_size;
    memcpy(row, &head, sizeof head);
    memcpy(row + sizeof head, from + i * m->memory, bytes);
  }
}

/* ---- the network ---- */

/* Percepts from .. from + count - 1 of rows first .. first + n - 1. */
typedef struct Piece {
  int64_t from, count, first, n;
} Piece;

/* A piece's inputs, one row a percept. */
typedef struct Inputs {
  float *part[PARTS]; /* [count n, part] */
  uint8_t *reset;     /* [count, n] */
} Inputs;

/* What happened before percept (t, row); zeros where a task begins. */
static void put_step(const Rl2 *m, const HnHistory *h, int64_t t, int64_t row, int64_t to,
                     Inputs *x) {
  int64_t at = hn_at(h, t - 1, row);
  float *act = x->part[ACT] + to * m->act;
  if (x->reset[to]) {
    memset(act, 0, (size_t)m->act * sizeof *act);
    if (m->part[REWARD]) x->part[REWARD][to] = 0;
    return;
  }
  if (m->discrete) {
    memset(act, 0, (size_t)m->act * sizeof *act);
    if (m->act) act[h->action_index[at]] = 1;
  } else
    memcpy(act, h->action + at * m->act, (size_t)m->act * sizeof *act);
  if (m->part[REWARD]) x->part[REWARD][to] = h->reward[at];
}

static Inputs inputs(const Rl2 *m, HnTape *t, const HnHistory *h, Piece s) {
  int64_t n = s.count * s.n, to = 0;
  Inputs x = {.reset = hn_tape_room(t, n, 1)};
  for (int k = 0; k < PARTS; k++) x.part[k] = hn_tape_room(t, n * m->part[k], sizeof(float));
  for (int64_t step = s.from; step < s.from + s.count; step++)
    for (int64_t row = s.first; row < s.first + s.n; row++, to++) {
      int64_t at = hn_at(h, step, row);
      float *obs = x.part[OBS] + to * m->part[OBS];
      x.reset[to] = h->begin[at] == HN_NEW_TASK;
      if (m->obs) memcpy(obs, h->obs + at * m->obs, (size_t)m->obs * sizeof *obs);
      if (m->p->see_episodes) obs[m->obs] = h->begin[at] == HN_NEW_EPISODE;
      put_step(m, h, step, row, to, &x);
    }
  return x;
}

/* Copies the last [n, H] of a piece's states to columns from `at` of memory. */
static void put_end(const Rl2 *m, Piece s, const HnVar *states, int64_t at, float *end) {
  int64_t H = m->p->hidden;
  for (int64_t i = 0; i < s.n; i++)
    memcpy(end + i * m->memory + at, states->data + ((s.count - 1) * s.n + i) * H,
           (size_t)H * sizeof *end);
}

/* Hidden states [count n, H] of inputs x; see unroll. */
static HnVar *recur(const Rl2 *m, HnTape *t, Piece s, HnVar *x, HnVar *start, const uint8_t *reset,
                    float *flat, float *end) {
  int64_t H = m->p->hidden;
  if (m->p->cell == CELL_GRU) {
    HnVar *y =
        hn_gru(t, s.count, x, start, hn_param(t, m->gru.w, flat), hn_param(t, m->gru.u, flat),
               hn_param(t, m->gru.b, flat), hn_param(t, m->gru.c, flat), reset);
    if (end) put_end(m, s, y, 0, end);
    return y;
  }
  HnVar *cells, *y = hn_lstm(t, s.count, x, hn_columns(t, start, 0, H), hn_columns(t, start, H, H),
                             hn_param(t, m->lstm.w, flat), hn_param(t, m->lstm.u, flat),
                             hn_param(t, m->lstm.b, flat), hn_param(t, m->lstm.c, flat), reset,
                             end ? &cells : NULL);
  if (end) put_end(m, s, y, 0, end), put_end(m, s, cells, H, end);
  return y;
}

/* Beliefs [count n, dim] of a piece that starts from memory start [n, memory] (borrowed), which it
 * leaves at end [n, memory] (NULL: not asked). */
static HnVar *unroll(const Rl2 *m, HnTape *t, const HnHistory *h, Piece s, const float *start,
                     float *flat, float *end) {
  Inputs in = inputs(m, t, h, s);
  HnVar *part[PARTS] = {NULL};
  int64_t n = s.count * s.n, parts = 0;
  for (int k = 0; k < PARTS; k++) {
    if (!m->part[k]) continue;
    HnVar *x = hn_constant(t, n, m->part[k], in.part[k]);
    part[parts++] = m->embed[k].layers ? hn_mlp(t, &m->embed[k], x, flat) : x;
  }
  HnVar *x = parts > 1 ? hn_concat(t, parts, part) : part[0];
  HnVar *y = recur(m, t, s, x, hn_constant(t, s.n, m->memory, start), in.reset, flat, end);
  return m->bottleneck.layers ? hn_mlp(t, &m->bottleneck, y, flat) : y;
}

/* ---- acting ---- */

static HnStatus believe(void *self, HnBeliefUpdate *q) {
  const Rl2 *m = self;
  const HnHistory *h = q->history;
  HnTape t = hn_tape_begin(m->host, false);
  float *memory = hn_tape_room(&t, h->rows * m->memory, sizeof *memory);
  float *end = hn_tape_room(&t, h->rows * m->memory, sizeof *end);
  recall(m, q, 0, h->rows, memory);
  Piece all = {0, h->steps + 1, 0, h->rows};
  HnVar *belief = unroll(m, &t, h, all, memory, NULL, end);
  memcpy(q->belief, belief->data, (size_t)(belief->rows * m->dim) * sizeof(float));
  retain(m, q, 0, h->rows, end);
  return HN_OK;
}

/* ---- learning ---- */

/* Scratch that outlives the task of forward that takes it: a tape's, as long as it suffices. */
typedef struct Room {
  HnHost host; /* what the tape sees: the host, but for scratch */
  const HnHost *real;
  char *memory;
  size_t size, used; /* used: asked for, perhaps more than size */
} Room;

/* What forward leaves of one piece of one shard. */
typedef struct Trail {
  Room room;
  HnTape tape;
  HnVar *belief;
} Trail;

static void *take(const HnHost *host, int64_t count, size_t size) {
  Room *r = host->impl;
  size_t bytes = ((size_t)count * size + 63) / 64 * 64;
  r->used += bytes;
  return r->used <= r->size ? r->memory + r->used - bytes : r->real->scratch(r->real, count, size);
}

/* A pass over a window in shards of rows and pieces of its percepts. */
typedef struct Job {
  const Rl2 *m;
  const HnBeliefUpdate *q;
  const float *d_belief;  /* [T+1, B, dim] */
  int64_t shards, pieces; /* a task is one piece of one shard */
} Job;

static Job job(const Rl2 *m, const HnBeliefUpdate *q) {
  int64_t percepts = q->history->steps + 1, k = m->p->truncate ? m->p->truncate : percepts;
  return (Job){.m = m,
               .q = q,
               .shards = (q->history->rows + SHARD - 1) / SHARD,
               .pieces = (percepts + k - 1) / k};
}

static Piece piece(const Job *j, int64_t shard, int64_t k) {
  const HnHistory *h = j->q->history;
  int64_t percepts = h->steps + 1, length = j->m->p->truncate ? j->m->p->truncate : percepts;
  Piece s = {.from = k * length, .count = length, .first = shard * SHARD, .n = SHARD};
  if (s.count > percepts - s.from) s.count = percepts - s.from;
  if (s.n > h->rows - s.first) s.n = h->rows - s.first;
  return s;
}

static float *start_of(const Job *j, Piece s, int64_t k) {
  return j->m->start + (k * j->q->history->rows + s.first) * j->m->memory;
}

/* Copies a piece's values [count, n, dim] from or to a window's [T+1, B, dim]. */
static void exchange(const Job *j, Piece s, const float *from, float *to, bool gathers) {
  int64_t B = j->q->history->rows, wide = s.n * j->m->dim;
  for (int64_t t = 0; t < s.count; t++) {
    int64_t whole = ((s.from + t) * B + s.first) * j->m->dim, part = t * wide;
    memcpy(to + (gathers ? part : whole), from + (gathers ? whole : part),
           (size_t)wide * sizeof(float));
  }
}

/* One shard of rows, piece after piece. */
static HnStatus look_ahead(void *arg, int64_t shard) {
  const Job *j = arg;
  const Rl2 *m = j->m;
  HnTape values = hn_tape_begin(m->host, false);
  Piece s = piece(j, shard, 0);
  float *end = hn_tape_room(&values, s.n * m->memory, sizeof *end);
  recall(m, j->q, s.first, s.n, start_of(j, s, 0));
  for (int64_t k = 0; k < j->pieces; k++) {
    int64_t task = shard * j->pieces + k;
    Trail *trail = m->trail ? &m->trail[task] : NULL;
    if (trail) trail->tape = hn_tape_begin(&trail->room.host, true);
    s = piece(j, shard, k);
    HnVar *belief = unroll(m, trail ? &trail->tape : &values, j->q->history, s, start_of(j, s, k),
                           m->flat + task * m->store.size, end);
    exchange(j, s, belief->data, j->q->belief, false);
    if (trail) trail->belief = belief;
    if (k + 1 < j->pieces)
      memcpy(start_of(j, s, k + 1), end, (size_t)(s.n * m->memory) * sizeof *end);
  }
  retain(m, j->q, s.first, s.n, end);
  return HN_OK;
}

/* Rooms of the size that tapes have needed so far; none if they would be too large. */
static void make_rooms(Rl2 *m, int64_t tasks) {
  const HnHost *host = m->host;
  m->trail = NULL;
  if (m->need > KEPT_BYTES / (size_t)tasks) return;
  m->trail = host->scratch(host, tasks, sizeof *m->trail);
  char *memory = host->scratch(host, tasks, m->need);
  for (int64_t k = 0; k < tasks; k++) {
    Room *r = &m->trail[k].room;
    *r = (Room){*host, host, memory + (size_t)k * m->need, m->need, 0};
    r->host.impl = r, r->host.scratch = take;
  }
}

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  Rl2 *m = self;
  const HnHost *host = m->host;
  Job j = job(m, q);
  int64_t tasks = j.shards * j.pieces;
  m->start = host->scratch(host, j.pieces * q->history->rows * m->memory, sizeof(float));
  m->flat = host->scratch(host, tasks * m->store.size, sizeof(float));
  make_rooms(m, tasks);
  HnStatus status = host->parallel(host, j.shards, look_ahead, &j);
  if (status || !m->trail) return status;
  for (int64_t k = 0; k < tasks; k++) {
    size_t used = m->trail[k].room.used;
    if (used > m->need) m->need = used;
  }
  if (m->need > m->trail->room.size) m->trail = NULL; /* some tapes went with their tasks */
  return HN_OK;
}

/* Back through one piece of one shard; runs it again if its tape was not kept. */
static HnStatus look_back(void *arg, int64_t task) {
  const Job *j = arg;
  const Rl2 *m = j->m;
  int64_t k = task % j->pieces;
  Piece s = piece(j, task / j->pieces, k);
  HnTape t = hn_tape_begin(m->host, true);
  float *flat = m->flat + task * m->store.size;
  float *seed = hn_tape_room(&t, s.count * s.n * m->dim, sizeof *seed);
  memset(flat, 0, (size_t)m->store.size * sizeof *flat);
  exchange(j, s, j->d_belief, seed, true);
  if (m->trail) {
    t.last = m->trail[task].tape.last; /* goes on in memory of its own */
    hn_tape_backward_from(&t, m->trail[task].belief, seed);
  } else {
    float *end = hn_tape_room(&t, s.n * m->memory, sizeof *end);
    HnVar *belief = unroll(m, &t, j->q->history, s, start_of(j, s, k), flat, end);
    hn_tape_backward_from(&t, belief, seed);
  }
  return HN_OK;
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  Rl2 *m = self;
  Job j = job(m, q);
  int64_t tasks = j.shards * j.pieces;
  j.d_belief = d_belief;
  hn_store_refresh(&m->store); /* a resumed run overwrites weights */
  HnStatus status = m->host->parallel(m->host, tasks, look_back, &j);
  if (status) return status;
  hn_store_reduce(&m->store, tasks, m->flat);
  *norm2 = m->norm2 = hn_store_norm2(&m->store);
  m->host->metric(m->host, metric_grad_norm, sqrt(m->norm2));
  return HN_OK;
}

static HnStatus step(void *self, double scale, double rate) {
  Rl2 *m = self;
  const HnThisParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, 0};
  if (p->grad_norm > 0) scale *= hn_clip_scale(scale * scale * m->norm2, p->grad_norm);
  hn_adam_step(&m->store, &adam, scale, rate);
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create,     .infer = believe,
                                    .forward = forward,  .backward = backward, .step = step};
HN_PLUGIN(rl2, HN_KIND_INFERENCE, Rl2, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "A recurrent memory of the whole trial, trained through the policy.",
          .source = "arXiv 1611.02779");
