/* filter.c - see filter.h.  At each observation: how well the belief before predicted it, the new
 * posterior, samples of it. */
#include "filter.h"
#include "posterior.h"
#include "predict.h"
#include <math.h>

/* Work for one observation of n rows. */
typedef struct Filter {
  VrnnUnroll *u;
  void *posterior;
  VrnnShard *shard;   /* NULL: not learning */
  int64_t samples;    /* of the belief, at least 1 */
  float *mean_before; /* [n, F] */
  float *noise;       /* [n, samples, F] */
  float *offset;      /* [n, samples, F] */
  float *member_z;    /* [samples, n, F] */
  float *d_kl;        /* [n, F + W] */
  double *kl;         /* [n] */
} Filter;

static Filter open_filter(VrnnUnroll *u, VrnnShard *shard) {
  const Vrnn *m = u->m;
  int64_t S = u->q->samples > 1 ? u->q->samples : 1;
  return (Filter){.u = u,
                  .posterior = m->posterior->workspace ? m->posterior->workspace(m, u->n) : NULL,
                  .shard = shard,
                  .samples = S,
                  .mean_before = vrnn_floats(m, u->n * m->F),
                  .noise = vrnn_floats(m, u->n * S * m->F),
                  .offset = vrnn_floats(m, u->n * S * m->F),
                  .member_z = vrnn_floats(m, u->n * S * m->F),
                  .d_kl = vrnn_floats(m, u->n * (m->F + m->W)),
                  .kl = m->host->scratch(m->host, u->n, sizeof(double))};
}

static HnStatus sample(const Filter *f, int64_t samples, const float *noise, float *offset) {
  const VrnnUnroll *u = f->u;
  return u->m->posterior->sample(u->m, f->posterior, u->first, u->n, vrnn_unroll_row(u, 0), samples,
                                 noise, offset);
}

/* New tasks start from the prior. */
static void begin_tasks(const Filter *f, int64_t t) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  for (int64_t i = 0; i < u->n; i++) {
    if (!u->fresh[t * u->n + i]) continue;
    char *row = vrnn_unroll_row(u, i);
    memset(row, 0, m->row.size);
    if (m->posterior->set_prior) m->posterior->set_prior(m, row);
  }
}

/* The belief before the observation, its samples repeated: z of every member. */
static HnStatus repeat_samples(const Filter *f) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  int64_t S = f->samples, n = u->n, F = m->F;
  for (int64_t i = 0; i < n; i++) {
    HnRng rng = vrnn_row(vrnn_unroll_row(u, i))->drawn;
    hn_normals(&rng, S * F, f->noise + i * S * F);
  }
  if (u->q->samples > 0) {
    HnStatus status = sample(f, S, f->noise, f->offset);
    if (status) return status;
  } else {
    memset(f->offset, 0, (size_t)(n * F) * sizeof(float));
  }
  for (int64_t k = 0; k < S * n * F; k++) {
    int64_t i = k / F % n, s = k / (n * F);
    const float *mean = vrnn_row_floats(vrnn_unroll_row(u, i), m->row.mean);
    f->member_z[k] = mean[k % F] + f->offset[(i * S + s) * F + k % F];
  }
  return HN_OK;
}

/* Log-density of what the step before observation t showed, given the belief before it. */
static HnStatus score_step(const Filter *f, int64_t t, float *info) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  const HnHistory *h = u->q->history;
  int64_t S = f->samples, n = u->n;
  HnTape tape = hn_tape_begin(m->host, false);
  float *context = hn_tape_room(&tape, n * m->C, sizeof *context);
  for (int64_t i = 0; i < n && m->C; i++)
    memcpy(context + i * m->C, vrnn_unroll_row(u, i) + m->row.context,
           (size_t)m->C * sizeof *context);
  HnStatus status = repeat_samples(f);
  if (status) return status;
  double *work = hn_tape_room(&tape, S, sizeof *work);
  float *member = vrnn_members(&tape, m, S, n, f->member_z, context, u->act + t * n * m->E);
  double sigma = m->head.sigma_w ? (double)vrnn_signal_stddev(&tape, m, NULL)->data[0] : 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = hn_at(h, t - 1, u->first + i);
    const float *first = member + i * m->head.outputs;
    info[i * m->info_count + vrnn_info_log_predictive] =
        u->fresh[t * n + i] ? NAN : (float)vrnn_log_predictive(m, h, at, S, n, first, sigma, work);
  }
  return HN_OK;
}

/* Writes the posterior's means to row memory, and the context that the head will want. */
static HnStatus keep_rows(const Filter *f, int64_t t, float *info) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  for (int64_t i = 0; i < u->n; i++) {
    int64_t at = t * u->n + i, which = u->first + i;
    char *row = vrnn_unroll_row(u, i);
    const float *mean = u->mean + at * m->F;
    for (int64_t j = 0; j < m->F; j++)
      if (!isfinite(mean[j]))
        return m->host->fail(m->host, HN_E_NUMERIC, "the belief of row %lld is not finite",
                             (long long)which);
    if (info) {
      float *to = info + i * m->info_count;
      to[vrnn_info_mean_norm2] = laplace_distance2(m->F, mean, NULL);
      if (!u->masked[at])
        to[vrnn_info_mean_move2] = laplace_distance2(m->F, mean, f->mean_before + i * m->F);
    }
    memcpy(row + m->row.mean, mean, (size_t)m->F * sizeof *mean);
    if (m->head.net.layers && m->C)
      memcpy(row + m->row.context, u->context + at * m->C, (size_t)m->C * sizeof *mean);
  }
  return HN_OK;
}

static HnStatus update_rows(const Filter *f, int64_t t, float *info) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  int64_t n = u->n, at = t * n;
  bool learns = f->shard && m->p->kl_weight > 0 && t + 1 < u->count;
  for (int64_t i = 0; i < n; i++) {
    char *row = vrnn_unroll_row(u, i);
    memcpy(f->mean_before + i * m->F, row + m->row.mean, (size_t)m->F * sizeof(float));
    vrnn_row(row)->inputs += !u->masked[at + i];
  }
  VrnnUpdate now = {.first = u->first,
                    .n = n,
                    .rows = vrnn_unroll_row(u, 0),
                    .masked = u->masked + at,
                    .h = u->run.state[0]->data + at * m->H,
                    .cells = u->run.state[1] ? u->run.state[1]->data + at * m->H : NULL,
                    .gates = u->gates ? u->gates + at * m->rnn.width : NULL,
                    .cov_params = u->cov_params ? u->cov_params + at * m->W : NULL,
                    .mean_before = f->mean_before,
                    .mean = u->mean + at * m->F,
                    .mean_only = u->mean_only,
                    .d_kl = learns ? f->d_kl : NULL,
                    .kl = learns ? f->kl : NULL,
                    .info = info};
  HnStatus status = m->posterior->update(m, f->posterior, &now);
  return status ? status : keep_rows(f, t, info);
}

/* Draws as many samples of z as are asked for and writes the beliefs. */
static HnStatus put_beliefs(const Filter *f, int64_t t) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  const HnBeliefUpdate *q = u->q;
  int64_t S = f->samples, n = u->n, F = m->F, C = m->C;
  if (q->samples > 0) {
    for (int64_t i = 0; i < n; i++) {
      HnRng *rng = &q->rng[u->first + i];
      vrnn_row(vrnn_unroll_row(u, i))->drawn = *rng;
      hn_normals(rng, S * F, f->noise + i * S * F);
    }
    HnStatus status = sample(f, S, f->noise, f->offset);
    if (status) return status;
    if (f->shard && f->shard->policy_noise)
      memcpy(f->shard->policy_noise + t * n * S * F, f->noise, (size_t)(n * S * F) * sizeof(float));
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < S; k++) {
      int64_t at = t * n + i;
      float *to = q->belief + ((t * q->history->rows + u->first + i) * S + k) * m->D;
      for (int64_t j = 0; j < F; j++)
        to[j] = u->mean[at * F + j] + (q->samples > 0 ? f->offset[(i * S + k) * F + j] : 0);
      if (C) memcpy(to + F, u->context + at * C, (size_t)C * sizeof *to);
    }
  return HN_OK;
}

/* What learning keeps of observation t: the KL's gradient and the head's samples. */
static HnStatus keep_for_loss(const Filter *f, int64_t t) {
  const VrnnUnroll *u = f->u;
  const Vrnn *m = u->m;
  VrnnShard *shard = f->shard;
  double weight = m->p->kl_weight;
  int64_t n = u->n, width = vrnn_output_width(m), moments = m->F + m->W;
  int64_t S = m->p->model_samples, size = S * m->F;
  if (t + 1 == u->count) return HN_OK;
  for (int64_t i = 0; i < n && weight > 0; i++) {
    if (t >= hn_row_steps(u->q->history, u->first + i)) continue; /* d_out is 0 there */
    float *d_out = shard->d_out + (t * n + i) * width;
    for (int64_t j = 0; j < moments; j++)
      d_out[j] = (float)(weight * shard->weight * (double)f->d_kl[i * moments + j]);
    shard->kl += f->kl[i];
  }
  if (!S || !m->head.net.layers) return HN_OK;
  float *noise = shard->noise + t * n * size;
  for (int64_t i = 0; i < n; i++) hn_normals(&shard->rng[i], size, noise + i * size);
  return sample(f, S, noise, shard->offset + t * n * size);
}

HnStatus vrnn_filter(VrnnUnroll *u, VrnnShard *shard) {
  const HnBeliefUpdate *q = u->q;
  const Vrnn *m = u->m;
  int64_t rows = q->history->rows;
  Filter f = open_filter(u, shard);
  for (int64_t t = 0; t < u->count; t++) {
    float *info = q->info ? q->info + (t * rows + u->first) * m->info_count : NULL;
    HnStatus status = HN_OK;
    for (int64_t k = 0; info && k < u->n * m->info_count; k++) info[k] = NAN;
    begin_tasks(&f, t);
    if (info && m->head.net.layers) status = score_step(&f, t, info);
    if (!status) status = update_rows(&f, t, info);
    if (!status && q->belief) status = put_beliefs(&f, t);
    if (!status && shard) status = keep_for_loss(&f, t);
    if (status) return status;
  }
  vrnn_unroll_keep(u);
  if (shard) memcpy(shard->mean, u->mean, (size_t)(u->count * u->n * m->F) * sizeof(float));
  return HN_OK;
}

HnStatus vrnn_infer(void *self, HnBeliefUpdate *q) {
  const Vrnn *m = self;
  VrnnUnroll u = vrnn_unroll_open(m, q, 0, q->history->rows, NULL);
  u.mean_only = !q->info && q->samples < 1;
  vrnn_unroll(&u, vrnn_unroll_carries(&u));
  return vrnn_filter(&u, NULL);
}
