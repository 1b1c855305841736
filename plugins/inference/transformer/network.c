/* network.c - see transformer.h. */
#include "transformer.h"
#include <hunch/encode.h>

HnStatus transformer_create(Transformer *m, const HnHost *host, const TransformerParams *p,
                            HnBeliefSpec *spec) {
  m->p = p, m->host = host;
  if (p->width % p->heads)
    return host->fail(host, HN_E_PARAM, "width %lld is no multiple of %lld heads",
                      (long long)p->width, (long long)p->heads);
  m->discrete = spec->action_count > 0;
  m->obs_dim = spec->obs_dim;
  m->action_dim = m->discrete ? spec->action_count : spec->action_dim;
  m->in = m->obs_dim + m->action_dim + 1 + p->persist_memory;
  hn_store_begin(&m->store, host, "");
  m->embed = hn_store_add(&m->store, "embed.weight", m->in, p->width, HN_INIT_NORMAL,
                          hn_encoder_embedding_stddev(p->layers, p->width), spec->rng);
  if (p->positions == TRANSFORMER_LEARNED) {
    m->position = hn_store_add(&m->store, "position.weight", p->memory, p->width, HN_INIT_NORMAL,
                               hn_encoder_embedding_stddev(p->layers, p->width), spec->rng);
  } else {
    m->sinusoids = host->alloc(host, p->memory * p->width, sizeof(float));
    hn_positions(0, p->memory, p->width, m->sinusoids);
  }
  m->encoder = hn_encoder_make(&m->store, "encoder", p->layers, p->width, p->heads, p->feed_forward,
                               spec->rng);
  spec->belief_dim = p->width, spec->latent_dim = 0;
  return HN_OK;
}

void transformer_token(const Transformer *m, const HnHistory *h, const float *obs, bool past,
                       int64_t at, bool flag, float *to) {
  memset(to, 0, (size_t)m->in * sizeof *to);
  memcpy(to, obs, (size_t)m->obs_dim * sizeof *to);
  to += m->obs_dim;
  if (past) hn_encode_action(h, at, m->action_dim, m->discrete, to);
  if (past) to[m->action_dim] = h->reward[at];
  if (m->p->persist_memory) to[m->action_dim + 1] = flag;
}

/* Windows as the tape reads them. */
typedef struct Piece {
  int64_t tokens;                   /* distinct ones */
  float *token;                     /* [tokens, in] */
  int32_t *which, *position, *slot; /* [count memory] token, position, row of the encoder; -1 */
} Piece;

/* Windows share most of their tokens with their neighbours: each is embedded once. */
static Piece piece_of(const Transformer *m, HnTape *t, const Windows *w, int64_t first,
                      int64_t count) {
  const int64_t N = m->p->memory, n = count * N;
  int32_t *own = hn_tape_room(t, w->tokens, sizeof *own); /* 0: not met; else its place + 1 */
  Piece s = {.token = hn_tape_room(t, (n < w->tokens ? n : w->tokens) * m->in, sizeof(float)),
             .which = hn_tape_room(t, n, sizeof(int32_t)),
             .position = hn_tape_room(t, n, sizeof(int32_t)),
             .slot = hn_tape_room(t, n, sizeof(int32_t))};
  for (int64_t k = 0; k < n; k++) {
    const int32_t row = w->row[first * N + k];
    s.which[k] = s.position[k] = s.slot[k] = -1;
    if (row < 0) continue;
    if (!own[row]) {
      memcpy(s.token + s.tokens * m->in, w->token + row * m->in, (size_t)m->in * sizeof(float));
      own[row] = (int32_t)++s.tokens;
    }
    s.which[k] = own[row] - 1, s.slot[k] = (int32_t)k;
    s.position[k] = k % N ? s.position[k - 1] + 1 : 0; /* the first token has position 0 */
  }
  return s;
}

Embedded transformer_embed(const Transformer *m, HnTape *t, const Windows *w, int64_t first,
                           int64_t count, float *flat) {
  const int64_t N = m->p->memory;
  const Piece s = piece_of(m, t, w, first, count);
  HnVar *position =
      m->position ? hn_param(t, m->position, flat) : hn_constant(t, N, m->p->width, m->sinusoids);
  HnVar *token =
      hn_matmul(t, hn_constant(t, s.tokens, m->in, s.token), hn_param(t, m->embed, flat));
  HnVar *x = hn_add(t, hn_pick_rows(t, token, count * N, s.which),
                    hn_pick_rows(t, position, count * N, s.position));
  return (Embedded){x, s.slot};
}

HnVar *transformer_run(const Transformer *m, HnTape *t, const Windows *w, int64_t first,
                       int64_t count, float *flat) {
  const Embedded x = transformer_embed(m, t, w, first, count, flat);
  return hn_encoder(t, m->encoder, x.tokens, count, m->p->memory, x.slot, flat);
}
