/* episodes.c - see ecet.h.
 *
 * Steps of an episode are sampled as they come, by a reservoir.  Whether a step is taken is a hash
 * of its token and its place, not a draw of a stream: so a training window that begins a trial
 * anew chooses the steps that acting chose, and both see the same tokens. */
#include "ecet.h"
#include <string.h>

/* ---- row memory ---- */

EcetRow *ecet_row(const Ecet *m, const HnBeliefUpdate *q, int64_t i) {
  return (EcetRow *)(void *)((char *)q->state + (size_t)i * m->row_size);
}
float *ecet_recent(const Ecet *m, EcetRow *row) {
  (void)m;
  return (float *)(void *)(row + 1);
}
float *ecet_sampled(const Ecet *m, EcetRow *row) {
  return ecet_recent(m, row) + m->net.p->memory * m->net.in;
}
float *ecet_keys(const Ecet *m, EcetRow *row) {
  return ecet_sampled(m, row) + m->net.p->memory * m->net.in;
}

static int64_t keys_count(const Ecet *m) {
  return m->net.p->episode_layers * m->kept * 2 * m->net.p->width;
}

size_t ecet_row_size(const Ecet *m) {
  const int64_t floats = 2 * m->net.p->memory * m->net.in + keys_count(m);
  return sizeof(EcetRow) + ((size_t)floats * sizeof(float) + 7) / 8 * 8;
}

/* ---- one row on its way through the window ---- */

typedef struct Walk {
  const Ecet *m;
  EcetPlan *plan;
  int64_t row, rows; /* rows: B */
  int64_t token, window;
  int64_t past, steps; /* as in EcetRow */
  int64_t recents;     /* of recent, the oldest first */
  int32_t recent[64];  /* tokens */
  int32_t sampled[64]; /* of the first min(steps, memory) */
  int64_t step[64];    /* of those */
  int32_t kept[256];   /* who stands for episode e, at e mod kept */
} Walk;

/* A number in 0 .. steps from a token's bits and its place (FNV-1a). */
static int64_t draw(const float *token, int64_t in, int64_t steps) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (int64_t k = 0; k < in; k++) {
    uint32_t bits;
    memcpy(&bits, token + k, sizeof bits);
    hash = (hash ^ bits) * UINT64_C(0x100000001b3);
  }
  HnRng rng = hn_rng(hash, (uint64_t)steps);
  return hn_rng_below(&rng, steps + 1);
}

static void take_token(Walk *w) {
  const int64_t N = w->m->net.p->memory, in = w->m->net.in;
  const int32_t token = (int32_t)w->token++;
  if (w->recents == N) memmove(w->recent, w->recent + 1, (size_t)--w->recents * sizeof *w->recent);
  w->recent[w->recents++] = token;
  const int64_t place =
      w->steps < N ? w->steps : draw(w->plan->windows.token + token * in, in, w->steps);
  if (place < N) w->sampled[place] = token, w->step[place] = w->steps;
  w->steps++;
}

/* Writes a window of `count` tokens. */
static void put_window(Walk *w, int64_t count, const int32_t *token, int64_t time) {
  const int64_t N = w->m->net.p->memory, E = w->m->episodes, at = w->window++;
  int32_t *row = w->plan->windows.row + at * N, *key = w->plan->key + at * E;
  for (int64_t k = 0; k < N; k++) row[k] = k < N - count ? -1 : token[k - (N - count)];
  w->plan->time[at] = time, w->plan->episode[at] = w->past;
  for (int64_t k = 0; k < E; k++) {
    const int64_t e = w->past - (E - 1) + k;
    key[k] = e < 0       ? -1
             : k + 1 < E ? w->kept[e % w->m->kept]
                         : (int32_t)(w->rows * w->m->kept + at);
  }
}

/* Sampled tokens in the order of their steps. */
static int64_t in_order(const Walk *w, int32_t *token) {
  const int64_t N = w->m->net.p->memory, n = w->steps < N ? w->steps : N;
  int64_t step[64];
  for (int64_t k = 0; k < n; k++) {
    int64_t j = k;
    for (; j > 0 && step[j - 1] > w->step[k]; j--) step[j] = step[j - 1], token[j] = token[j - 1];
    step[j] = w->step[k], token[j] = w->sampled[k];
  }
  return n;
}

static void forget_episode(Walk *w) {
  w->recents = w->steps = 0;
}

/* The episode's last step led to next_obs, which closes it; then its window. */
static void end_episode(Walk *w, const HnHistory *h, int64_t t) {
  const Ecet *m = w->m;
  const int64_t at = hn_at(h, t - 1, w->row);
  if (w->steps == 0) return;
  transformer_token(&m->net, h, h->next_obs + at * m->net.obs_dim, true, at, false,
                    w->plan->windows.token + w->token * m->net.in);
  take_token(w);
  if (m->net.p->sampling == TRANSFORMER_LAST) {
    put_window(w, w->recents, w->recent, -1);
  } else {
    int32_t token[64] = {0};
    const int64_t n = in_order(w, token);
    put_window(w, n, token, -1);
  }
  if (m->kept) w->kept[w->past % m->kept] = (int32_t)(w->rows * m->kept + w->window - 1);
  w->past++;
}

static void take_step(Walk *w, const HnHistory *h, int64_t t) {
  const Ecet *m = w->m;
  const int64_t at = hn_at(h, t, w->row);
  const uint8_t begin = h->begin[at];
  if (begin == HN_NEW_EPISODE) end_episode(w, h, t);
  if (begin == HN_NEW_TASK) w->past = 0;
  if (begin) forget_episode(w);
  transformer_token(&m->net, h, h->obs + at * m->net.obs_dim, !begin, hn_at(h, t - 1, w->row),
                    false, w->plan->windows.token + w->token * m->net.in);
  take_token(w);
  put_window(w, w->recents, w->recent, t);
}

/* ---- to and from row memory ---- */

static void remember(Walk *w, EcetRow *row) {
  const Ecet *m = w->m;
  const int64_t N = m->net.p->memory, in = m->net.in, sampled = w->steps < N ? w->steps : N;
  const float *token = w->plan->windows.token;
  row->past = w->past, row->steps = w->steps;
  memset(row->step, 0, sizeof row->step);
  memset(ecet_recent(m, row), 0, (size_t)(2 * N * in) * sizeof(float));
  for (int64_t k = 0; k < w->recents; k++)
    memcpy(ecet_recent(m, row) + k * in, token + w->recent[k] * in, (size_t)in * sizeof *token);
  for (int64_t k = 0; k < sampled; k++) {
    memcpy(ecet_sampled(m, row) + k * in, token + w->sampled[k] * in, (size_t)in * sizeof *token);
    row->step[k] = w->step[k];
  }
}

static void recall(Walk *w, EcetRow *row) {
  const Ecet *m = w->m;
  const int64_t N = m->net.p->memory, in = m->net.in;
  float *token = w->plan->windows.token + w->token * in;
  w->past = row->past, w->steps = row->steps;
  w->recents = row->steps < N ? row->steps : N;
  memcpy(token, ecet_recent(m, row), (size_t)(2 * N * in) * sizeof *token);
  for (int64_t k = 0; k < N; k++) {
    w->recent[k] = (int32_t)(w->token + k), w->sampled[k] = (int32_t)(w->token + N + k);
    w->step[k] = row->step[k];
  }
  w->token += 2 * N;
  for (int64_t k = 0; k < m->kept; k++) w->kept[k] = (int32_t)(w->row * m->kept + k);
}

static int64_t count_ends(const HnHistory *h) {
  int64_t ends = 0;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) ends += h->begin[hn_at(h, t, i)] == HN_NEW_EPISODE;
  return ends;
}

EcetPlan ecet_plan(const Ecet *m, const HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  const HnHost *host = m->net.host;
  const int64_t B = h->rows, N = m->net.p->memory, most = B * (h->steps + 1) + count_ends(h);
  const size_t keys = (size_t)keys_count(m) * sizeof(float);
  EcetPlan plan = {.first = host->scratch(host, B + 1, sizeof(int64_t)),
                   .time = host->scratch(host, most, sizeof(int64_t)),
                   .episode = host->scratch(host, most, sizeof(int64_t)),
                   .key = host->scratch(host, most * m->episodes, sizeof(int32_t)),
                   .start = host->scratch(host, B * keys_count(m), sizeof(float)),
                   .vector = host->scratch(host, most * m->net.p->width, sizeof(float))};
  plan.windows =
      (Windows){.token = host->scratch(host, (2 * B * N + most) * m->net.in, sizeof(float)),
                .row = host->scratch(host, most * N, sizeof(int32_t))};
  Walk w = {.m = m, .plan = &plan, .rows = B};
  for (w.row = 0; w.row < B; w.row++) {
    EcetRow *row = ecet_row(m, q, w.row);
    bool anew = false;
    plan.first[w.row] = w.window;
    recall(&w, row);
    memcpy(plan.start + w.row * keys_count(m), ecet_keys(m, row), keys);
    for (int64_t t = 0; t <= h->steps; t++) {
      anew |= h->begin[hn_at(h, t, w.row)] == HN_NEW_TASK;
      take_step(&w, h, t);
    }
    remember(&w, row);
    if (anew) memset(ecet_keys(m, row), 0, keys);
  }
  plan.first[B] = plan.windows.n = w.window, plan.windows.tokens = w.token;
  return plan;
}
