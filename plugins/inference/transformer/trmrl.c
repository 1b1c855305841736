/* trmrl.c - see trmrl.h. */
#include "trmrl.h"
#include <string.h>

HnStatus trmrl_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Trmrl *m = self;
  const HnStatus status = transformer_create(&m->net, host, params, spec);
  if (status) return status;
  const size_t kept = (size_t)((m->net.p->memory - 1) * m->net.in) * sizeof(float);
  m->row_size = spec->row_size = sizeof(TrmrlRow) + (kept + 7) / 8 * 8;
  return HN_OK;
}

TrmrlRow *trmrl_row(const Trmrl *m, const HnBeliefUpdate *q, int64_t i) {
  return (TrmrlRow *)(void *)((char *)q->state + (size_t)i * m->row_size);
}

bool trmrl_begins(const Trmrl *m, const HnHistory *h, int64_t t, int64_t i) {
  const uint8_t begin = h->begin[hn_at(h, t, i)];
  return begin == HN_NEW_TASK || (begin && !m->net.p->persist_memory);
}

/* ---- windows ---- */

/* A row's newest tokens by their numbers, at most `memory` of them, the oldest first. */
typedef struct Recent {
  int64_t count;
  int32_t token[64];
} Recent;

static void push(Recent *r, int64_t memory, int32_t token) {
  if (r->count == memory) {
    memmove(r->token, r->token + 1, (size_t)(memory - 1) * sizeof *r->token);
    r->count--;
  }
  r->token[r->count++] = token;
}

/* Token t of a row of h, which is token number `k` of the table. */
static void read_token(const Transformer *net, const HnHistory *h, int64_t t, int64_t row,
                       bool begins, float *to) {
  const int64_t at = hn_at(h, t, row);
  transformer_token(net, h, h->obs + at * net->obs_dim, !begins, hn_at(h, t - 1, row),
                    h->begin[at] == HN_NEW_EPISODE, to);
}

/* The windows of row i, and its tokens; then what it remembers. */
static void read_row(const Trmrl *m, const HnBeliefUpdate *q, int64_t i, Windows *w) {
  const Transformer *net = &m->net;
  const HnHistory *h = q->history;
  const int64_t N = net->p->memory, steps = h->steps + 1;
  const size_t bytes = (size_t)net->in * sizeof(float);
  int64_t next = i * (N - 1 + steps);
  TrmrlRow *row = trmrl_row(m, q, i);
  Recent recent = {0};
  for (int64_t k = 0; k < row->count; k++, next++) {
    memcpy(w->token + next * net->in, row->token + k * net->in, bytes);
    push(&recent, N, (int32_t)next);
  }
  for (int64_t t = 0; t < steps; t++, next++) {
    const bool begins = trmrl_begins(m, h, t, i);
    if (begins) recent.count = 0;
    read_token(net, h, t, i, begins, w->token + next * net->in);
    push(&recent, N, (int32_t)next);
    int32_t *to = w->row + (i * steps + t) * N;
    for (int64_t k = 0; k < N; k++)
      to[k] = k < N - recent.count ? -1 : recent.token[k - (N - recent.count)];
  }
  row->count = recent.count < N ? recent.count : N - 1;
  const int32_t *kept = recent.token + recent.count - row->count;
  for (int64_t k = 0; k < N - 1; k++)
    if (k < row->count)
      memcpy(row->token + k * net->in, w->token + kept[k] * net->in, bytes);
    else
      memset(row->token + k * net->in, 0, bytes);
}

Windows trmrl_windows(const Trmrl *m, const HnBeliefUpdate *q) {
  const HnHost *host = m->net.host;
  const int64_t B = q->history->rows, steps = q->history->steps + 1, N = m->net.p->memory;
  Windows w = {.tokens = B * (N - 1 + steps), .n = B * steps};
  w.token = host->scratch(host, w.tokens * m->net.in, sizeof(float));
  w.row = host->scratch(host, w.n * N, sizeof(int32_t));
  for (int64_t i = 0; i < B; i++) read_row(m, q, i, &w);
  return w;
}

/* Between row by row [B, T+1, width] and a belief's [T+1, B, width]. */
static void swap_order(int64_t outer, int64_t inner, int64_t width, const float *from, float *to) {
  for (int64_t i = 0; i < outer; i++)
    for (int64_t k = 0; k < inner; k++)
      memcpy(to + (k * outer + i) * width, from + (i * inner + k) * width,
             (size_t)width * sizeof *to);
}

/* ---- methods ---- */

HnStatus trmrl_infer(void *self, HnBeliefUpdate *q) {
  const Trmrl *m = self;
  const HnHost *host = m->net.host;
  const Windows w = trmrl_windows(m, q);
  const int64_t width = m->net.p->width;
  float *out = host->scratch(host, w.n * width, sizeof *out);
  transformer_values(&m->net, &w, out);
  swap_order(q->history->rows, q->history->steps + 1, width, out, q->belief);
  return HN_OK;
}

HnStatus trmrl_forward(void *self, HnBeliefUpdate *q) {
  Trmrl *m = self;
  const HnHost *host = m->net.host;
  const int64_t width = m->net.p->width;
  m->windows = trmrl_windows(m, q);
  float *out = host->scratch(host, m->windows.n * width, sizeof *out);
  const HnStatus status = transformer_forward(&m->net, &m->windows, out);
  if (!status) swap_order(q->history->rows, q->history->steps + 1, width, out, q->belief);
  return status;
}

HnStatus trmrl_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2) {
  Trmrl *m = self;
  const HnHost *host = m->net.host;
  const int64_t width = m->net.p->width;
  float *d_out = host->scratch(host, m->windows.n * width, sizeof *d_out);
  swap_order(q->history->steps + 1, q->history->rows, width, d_belief, d_out);
  hn_store_refresh(&m->net.store); /* a resumed run overwrites weights */
  const HnStatus status = transformer_backward(&m->net, &m->windows, d_out);
  if (!status) transformer_norm(&m->net, norm2);
  return status;
}
