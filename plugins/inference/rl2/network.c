/* network.c - see network.h and rl2.h. */
#include "network.h"
#include <hunch/encode.h>

/* ---- creation ---- */

static HnStatus check(const Rl2 *m) {
  const Rl2Params *p = m->p;
  if (p->forget && p->refresh)
    return m->host->fail(m->host, HN_E_PARAM, "forget and refresh contradict each other");
  if (m->part[RL2_OBS] + m->part[RL2_ACTION] + m->part[RL2_REWARD] < 1)
    return m->host->fail(m->host, HN_E_SHAPE, "the network reads nothing");
  return HN_OK;
}

/* Makes the embeddings; returns the numbers that the cell reads. */
static int64_t make_embeddings(Rl2 *m, HnRng *rng) {
  static const char *const name[RL2_PARTS] = {"obs_embed", "act_embed", "reward_embed"};
  const int64_t units[RL2_PARTS] = {m->p->obs_embed, m->p->act_embed, m->p->reward_embed};
  int64_t in = 0;
  for (int k = 0; k < RL2_PARTS; k++) {
    bool embeds = m->part[k] > 0 && units[k] > 0;
    if (embeds)
      m->embed[k] = hn_mlp_make(&m->store, name[k], 1, (int64_t[]){m->part[k], units[k]}, HN_RELU,
                                HN_RELU, HN_INIT_FAN_IN, 1, 1, rng);
    in += embeds ? units[k] : m->part[k];
  }
  return in;
}

static void make_bottleneck(Rl2 *m, HnRng *rng) {
  static const HnActivation activation[] = {
      [RL2_RELU] = HN_RELU, [RL2_LINEAR] = HN_LINEAR, [RL2_TANH] = HN_TANH};
  const Rl2Params *p = m->p;
  HnActivation act = activation[p->bottleneck_activation];
  m->belief_dim = p->bottleneck > 0 ? p->bottleneck : p->hidden;
  if (p->bottleneck > 0)
    m->bottleneck = hn_mlp_make(&m->store, "bottleneck", 1, (int64_t[]){p->hidden, p->bottleneck},
                                act, act, HN_INIT_FAN_IN, 1, 1, rng);
}

HnStatus rl2_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Rl2 *m = self;
  const Rl2Params *p = m->p = params;
  m->host = host;
  m->discrete = spec->action_count > 0;
  m->obs_dim = p->see_obs ? spec->obs_dim : 0;
  m->action_dim = !p->see_act ? 0 : m->discrete ? spec->action_count : spec->action_dim;
  m->part[RL2_OBS] = m->obs_dim + p->see_episodes;
  m->part[RL2_ACTION] = m->action_dim, m->part[RL2_REWARD] = p->see_reward;
  HnStatus status = check(m);
  if (status) return status;
  hn_store_begin(&m->store, host, "");
  int64_t in = make_embeddings(m, spec->rng);
  m->rnn = hn_rnn_make(&m->store, hn_rnn_cell_name(p->cell), p->cell, HN_RNN_TORCH, in, p->hidden,
                       spec->rng);
  make_bottleneck(m, spec->rng);
  m->row_size = sizeof(Rl2Row) + ((size_t)m->rnn.carry * sizeof(float) + 7) / 8 * 8;
  spec->belief_dim = m->belief_dim, spec->latent_dim = 0;
  spec->row_size = m->row_size, spec->refresh = p->refresh;
  return HN_OK;
}

/* ---- row memory ---- */

static Rl2Row *row_of(const Rl2 *m, const HnBeliefUpdate *q, int64_t i) {
  return (Rl2Row *)(void *)((char *)q->state + (size_t)i * m->row_size);
}

void rl2_read_memory(const Rl2 *m, const HnBeliefUpdate *q, int64_t first, int64_t rows,
                     float *carry) {
  size_t bytes = (size_t)m->rnn.carry * sizeof(float);
  for (int64_t i = 0; i < rows; i++) {
    const Rl2Row *row = row_of(m, q, first + i);
    float *to = carry + i * m->rnn.carry;
    /* weights change between windows only, so memory of other weights is of the window before */
    if (m->p->forget && row->clock != *m->store.clock)
      memset(to, 0, bytes);
    else
      memcpy(to, row->carry, bytes);
  }
}

void rl2_write_memory(const Rl2 *m, const HnBeliefUpdate *q, int64_t first, int64_t rows,
                      const float *carry) {
  for (int64_t i = 0; i < rows; i++) {
    Rl2Row *row = row_of(m, q, first + i);
    row->clock = *m->store.clock;
    memcpy(row->carry, carry + i * m->rnn.carry, (size_t)m->rnn.carry * sizeof(float));
  }
}

/* ---- the network ---- */

/* A piece as the network reads it. */
typedef struct Inputs {
  float *x;       /* [count rows, all parts side by side] */
  uint8_t *reset; /* [count, rows] whether a task begins */
} Inputs;

static int64_t parts_width(const Rl2 *m) {
  int64_t width = 0;
  for (int k = 0; k < RL2_PARTS; k++) width += m->part[k];
  return width;
}

/* Time step t of a row; its action, reward and flag are 0 where a task begins.  Returns whether one
 * does. */
static bool read_step(const Rl2 *m, const HnHistory *h, int64_t t, int64_t row, float *x) {
  int64_t at = hn_at(h, t, row), past = hn_at(h, t - 1, row);
  if (m->obs_dim) memcpy(x, h->obs + at * m->obs_dim, (size_t)m->obs_dim * sizeof *x);
  if (m->p->see_episodes) x[m->obs_dim] = h->begin[at] == HN_NEW_EPISODE;
  if (h->begin[at] == HN_NEW_TASK) return true; /* the tape's memory is 0 */
  x += m->part[RL2_OBS];
  hn_encode_action(h, past, m->action_dim, m->discrete, x);
  if (m->part[RL2_REWARD]) x[m->part[RL2_ACTION]] = h->reward[past];
  return false;
}

static Inputs read_piece(const Rl2 *m, HnTape *t, const HnHistory *h, Rl2Piece s) {
  int64_t n = s.count * s.rows, width = parts_width(m), to = 0;
  Inputs in = {.x = hn_tape_room(t, n * width, sizeof(float)), .reset = hn_tape_room(t, n, 1)};
  for (int64_t step = s.from; step < s.from + s.count; step++)
    for (int64_t row = s.first; row < s.first + s.rows; row++, to++)
      in.reset[to] = read_step(m, h, step, row, in.x + to * width);
  return in;
}

/* What the cell reads of n inputs. */
static HnVar *embed(const Rl2 *m, HnTape *t, int64_t n, const float *inputs, float *flat) {
  HnVar *x = hn_constant(t, n, parts_width(m), inputs), *part[RL2_PARTS] = {NULL};
  int64_t parts = 0, from = 0;
  for (int k = 0; k < RL2_PARTS; from += m->part[k++]) {
    if (!m->part[k]) continue;
    HnVar *y = hn_columns(t, x, from, m->part[k]);
    part[parts++] = m->embed[k].layers ? hn_mlp(t, &m->embed[k], y, flat) : y;
  }
  return parts > 1 ? hn_concat(t, parts, part) : part[0];
}

HnVar *rl2_run(const Rl2 *m, HnTape *t, const HnHistory *h, Rl2Piece s, const float *start,
               float *flat, float *end) {
  const Inputs in = read_piece(m, t, h, s);
  const int64_t n = s.count * s.rows;
  HnVar *carry = hn_constant(t, s.rows, m->rnn.carry, start);
  const float *distinct;
  const int32_t *row;
  const int64_t count = hn_shared_rows(t, n, parts_width(m), in.x, &distinct, &row);
  HnVar *x = embed(m, t, count, distinct, flat);
  const HnRnnRun run = hn_rnn_picked(t, &m->rnn, s.count, x, row, carry, in.reset, flat);
  if (end) hn_rnn_carries(&run, (s.count - 1) * s.rows, s.rows, end);
  return m->bottleneck.layers ? hn_mlp(t, &m->bottleneck, run.state[0], flat) : run.state[0];
}

/* ---- acting ---- */

HnStatus rl2_infer(void *self, HnBeliefUpdate *q) {
  const Rl2 *m = self;
  const HnHistory *h = q->history;
  HnTape t = hn_tape_begin(m->host, false);
  float *start = hn_tape_room(&t, h->rows * m->rnn.carry, sizeof *start);
  float *end = hn_tape_room(&t, h->rows * m->rnn.carry, sizeof *end);
  rl2_read_memory(m, q, 0, h->rows, start);
  HnVar *belief = rl2_run(m, &t, h, (Rl2Piece){0, h->steps + 1, 0, h->rows}, start, NULL, end);
  memcpy(q->belief, belief->data, (size_t)(belief->rows * m->belief_dim) * sizeof(float));
  rl2_write_memory(m, q, 0, h->rows, end);
  return HN_OK;
}
