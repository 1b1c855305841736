/* vrnn_stream.h - percept by percept: the posterior moves on, draws, and is asked how well it
 * foresaw.  Then acting. */
#ifndef VRNN_STREAM_H
#define VRNN_STREAM_H
#include "vrnn_posterior.h"

/* What learning wants to keep of a pass; arrays are by percept, as the pass's. */
typedef struct Share {
  int64_t first, n;
  float *start;          /* [n, carry] */
  float *mean;           /* [.., F] of the posteriors */
  float *seed;           /* [.., width] gradient of the own loss in what is read out */
  float *noise, *offset; /* [.., draws, F] that the head learns from */
  float *policy_noise;   /* [.., samples, F] of the belief; NULL: not asked */
  HnRng *rng;            /* [n] for the head's draws */
  double weight;         /* of a percept in the loss */
  double kl, nll;        /* sums */
} Share;

/* Work of a stream, for one percept of n rows. */
typedef struct Stream {
  Pass *s;
  Tools *tools;
  Share *share;    /* NULL: not learning */
  int64_t samples; /* of the belief, at least 1 */
  float *before;   /* [n, F] */
  float *noise;    /* [n, samples, F] */
  float *offset;   /* [n, samples, F] */
  float *member_z; /* [samples, n, F] */
  float *work;     /* of draw_normals */
  float *pull;     /* [n, F + W] */
  double *kl;      /* [n] */
} Stream;

static Stream open_stream(Pass *s, Share *share) {
  const Vrnn *m = s->m;
  const HnHost *host = m->host;
  int64_t S = s->q->samples > 1 ? s->q->samples : 1, most = S > m->draws ? S : m->draws;
  return (Stream){.s = s,
                  .tools = take_tools(m, s->n),
                  .share = share,
                  .samples = S,
                  .before = floats(host, s->n * m->F),
                  .noise = floats(host, s->n * S * m->F),
                  .offset = floats(host, s->n * S * m->F),
                  .member_z = floats(host, s->n * S * m->F),
                  .work = floats(host, most * m->F + 1),
                  .pull = floats(host, s->n * (m->F + m->W)),
                  .kl = host->scratch(host, s->n, sizeof(double))};
}

/* ---- one percept ---- */

/* New tasks start from the prior. */
static void begin_rows(const Stream *w, int64_t t) {
  const Pass *s = w->s;
  const Vrnn *m = s->m;
  for (int64_t i = 0; i < s->n; i++) {
    if (!s->fresh[t * s->n + i]) continue;
    char *row = row_of(s, i);
    memset(row, 0, m->row.size);
    take_prior(m, row);
  }
}

/* How well the belief before percept t, whose draws are repeated, foresaw what the step showed. */
static HnStatus score(const Stream *w, int64_t t, float *info) {
  const Pass *s = w->s;
  const Vrnn *m = s->m;
  const HnHistory *h = s->q->history;
  int64_t S = w->samples, n = s->n, F = m->F;
  HnTape tape = hn_tape_begin(m->host, false);
  float *context = hn_tape_room(&tape, n * m->C, sizeof *context);
  for (int64_t i = 0; i < n; i++) {
    char *row = row_of(s, i);
    HnRng rng = head_of(row)->drawn;
    draw_normals(&rng, S * F, w->noise + i * S * F, w->work);
    if (m->C) memcpy(context + i * m->C, row + context_in(m), (size_t)m->C * sizeof *context);
  }
  if (s->q->samples > 0) {
    HnStatus status = draw_offsets(m, w->tools, n, row_of(s, 0), S, w->noise, w->offset);
    if (status) return status;
  } else {
    memset(w->offset, 0, (size_t)(n * F) * sizeof(float));
  }
  for (int64_t k = 0; k < S * n * F; k++) {
    int64_t i = k / F % n, draw = k / (n * F);
    w->member_z[k] =
        floats_at(row_of(s, i), m->row.mean)[k % F] + w->offset[(i * S + draw) * F + k % F];
  }
  float *member = members(&tape, m, S, n, w->member_z, context, s->act + t * n * m->E);
  double sigma = m->head.sigma_w ? (double)signal_stddev(&tape, m, NULL)->data[0] : 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = hn_at(h, t - 1, s->first + i);
    info[i * info_count + info_log_predictive] =
        s->fresh[t * n + i] ? NAN
                            : (float)log_shown(m, h, at, S, n, member + i * m->head.outputs, sigma);
  }
  return HN_OK;
}

/* Squared distance; y NULL: from 0. */
static float apart2(int64_t n, const float *x, const float *y) {
  double sum = 0;
  for (int64_t j = 0; j < n; j++) {
    double d = (double)x[j] - (y ? (double)y[j] : 0);
    sum += d * d;
  }
  return (float)sum;
}

/* Takes the posterior's means into row memory, with what a head will want beside them. */
static HnStatus keep_rows(const Stream *w, int64_t t, float *info) {
  const Pass *s = w->s;
  const Vrnn *m = s->m;
  for (int64_t i = 0; i < s->n; i++) {
    int64_t at = t * s->n + i, which = s->first + i;
    char *row = row_of(s, i);
    const float *mean = s->mean + at * m->F;
    for (int64_t j = 0; j < m->F; j++)
      if (!isfinite(mean[j]))
        return m->host->fail(m->host, HN_E_NUMERIC, "the belief of row %lld is not finite",
                             (long long)which);
    if (info) {
      float *to = info + i * info_count;
      to[info_mean_norm2] = apart2(m->F, mean, NULL);
      if (!s->dark[at]) to[info_mean_move2] = apart2(m->F, mean, w->before + i * m->F);
    }
    memcpy(row + m->row.mean, mean, (size_t)m->F * sizeof *mean);
    if (m->head.net.layers && m->C)
      memcpy(row + context_in(m), s->context + at * m->C, (size_t)m->C * sizeof *mean);
  }
  return HN_OK;
}

/* The posterior's move, with what is to be reported or learnt from. */
static HnStatus move_rows(const Stream *w, int64_t t, float *info) {
  const Pass *s = w->s;
  const Vrnn *m = s->m;
  int64_t n = s->n, at = t * n;
  bool learns = w->share && m->beta > 0 && t + 1 < s->count;
  for (int64_t i = 0; i < n; i++) {
    char *row = row_of(s, i);
    memcpy(w->before + i * m->F, row + m->row.mean, (size_t)m->F * sizeof(float));
    head_of(row)->age += !s->dark[at + i];
  }
  Moment k = {.n = n,
              .rows = row_of(s, 0),
              .dark = s->dark + at,
              .h = s->h + at * m->H,
              .cells = s->cells ? s->cells + at * m->H : NULL,
              .gates = s->gates ? s->gates + at * m->gates : NULL,
              .spread = s->spread ? s->spread + at * m->W : NULL,
              .before = w->before,
              .mean = s->mean + at * m->F,
              .idle = s->idle,
              .pull = learns ? w->pull : NULL,
              .kl = learns ? w->kl : NULL,
              .info = info};
  HnStatus status = move_on(m, w->tools, &k);
  return status ? status : keep_rows(w, t, info);
}

/* Draws as many of z as the thought asks for and writes its beliefs. */
static HnStatus put_beliefs(const Stream *w, int64_t t) {
  const Pass *s = w->s;
  const Vrnn *m = s->m;
  const HnBeliefUpdate *q = s->q;
  int64_t S = w->samples, n = s->n, F = m->F, C = m->C;
  if (q->samples > 0) {
    for (int64_t i = 0; i < n; i++) {
      HnRng *rng = &q->rng[s->first + i];
      head_of(row_of(s, i))->drawn = *rng;
      draw_normals(rng, S * F, w->noise + i * S * F, w->work);
    }
    HnStatus status = draw_offsets(m, w->tools, n, row_of(s, 0), S, w->noise, w->offset);
    if (status) return status;
    if (w->share && w->share->policy_noise)
      memcpy(w->share->policy_noise + t * n * S * F, w->noise, (size_t)(n * S * F) * sizeof(float));
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < S; k++) {
      int64_t at = t * n + i;
      float *to = q->belief + ((t * q->history->rows + s->first + i) * S + k) * m->D;
      for (int64_t j = 0; j < F; j++)
        to[j] = s->mean[at * F + j] + (q->samples > 0 ? w->offset[(i * S + k) * F + j] : 0);
      if (C) memcpy(to + F, s->context + at * C, (size_t)C * sizeof *to);
    }
  return HN_OK;
}

/* What learning keeps of percept t: the KL's gradient and the head's draws. */
static HnStatus keep_percept(const Stream *w, int64_t t) {
  const Pass *s = w->s;
  const Vrnn *m = s->m;
  Share *share = w->share;
  int64_t n = s->n, width = read_width(m), wide = m->F + m->W, size = m->draws * m->F;
  if (t + 1 == s->count) return HN_OK;
  for (int64_t i = 0; i < n && m->beta > 0; i++) {
    float *seed = share->seed + (t * n + i) * width;
    for (int64_t j = 0; j < wide; j++)
      seed[j] = (float)(m->beta * share->weight * (double)w->pull[i * wide + j]);
    share->kl += w->kl[i];
  }
  if (!m->draws || !m->head.net.layers) return HN_OK;
  float *noise = share->noise + t * n * size;
  for (int64_t i = 0; i < n; i++) draw_normals(&share->rng[i], size, noise + i * size, w->work);
  return draw_offsets(m, w->tools, n, row_of(s, 0), m->draws, noise, share->offset + t * n * size);
}

/* All percepts of a pass: moves row memory on, writes beliefs and info where the thought asks, and
 * keeps what learning wants. */
static HnStatus stream(Pass *s, Share *share) {
  const HnBeliefUpdate *q = s->q;
  int64_t rows = q->history->rows;
  Stream w = open_stream(s, share);
  for (int64_t t = 0; t < s->count; t++) {
    float *info = q->info ? q->info + (t * rows + s->first) * info_count : NULL;
    HnStatus status = HN_OK;
    for (int64_t k = 0; info && k < s->n * info_count; k++) info[k] = NAN;
    begin_rows(&w, t);
    if (info && s->m->head.net.layers) status = score(&w, t, info);
    if (!status) status = move_rows(&w, t, info);
    if (!status && q->belief) status = put_beliefs(&w, t);
    if (!status && share) status = keep_percept(&w, t);
    if (status) return status;
  }
  retain(s);
  if (share) memcpy(share->mean, s->mean, (size_t)(s->count * s->n * s->m->F) * sizeof(float));
  return HN_OK;
}

/* ---- acting ---- */

static HnStatus believe(void *self, HnBeliefUpdate *q) {
  const Vrnn *m = self;
  Pass s = {.m = m,
            .q = q,
            .n = q->history->rows,
            .count = q->history->steps + 1,
            .idle = !q->info && q->samples < 1,
            .tape = hn_tape_begin(m->host, false)};
  open_pass(&s);
  s.start = recall(&s);
  encode(&s);
  return stream(&s, NULL);
}
#endif
