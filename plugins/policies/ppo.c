/* Proximal policy optimisation on (observation, belief).
 *
 * Where gradients stop at the belief, minibatches are flat and read the beliefs that were acted on.
 * Where the lesson offers a way back, minibatches are sequences whose beliefs are computed anew,
 * and the loss trains the inference too, under one gradient norm and one schedule.
 *
 * Posterior samples: the policy is the uniform mixture of its answers to each, the value their
 * mean.  The loss sees the same samples; or, as the Laplace VRNN trains, the point belief alone,
 * with the mixture's density of what was done, noted when it was done, below the ratio.
 *
 * A minibatch is cut into shards whose size depends on the minibatch alone, and their gradients are
 * added in order: the same bits for any number of workers. */
#include "common/advantage.c"
#include "ppo/loss.c"

/* ---- creation ---- */

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Ppo *m = self;
  m->p = params, m->host = host;
  m->O = m->p->see_obs ? spec->obs_dim : 0, m->D = spec->belief_dim;
  m->discrete = spec->action_count > 0;
  m->A = m->discrete ? spec->action_count : spec->action_dim;
  HnStatus status = check(m, spec);
  if (status) return status;
  hn_store_begin(&m->store, host, "");
  build(m, spec->rng);
  if (m->O > 0) m->obs_norm = hn_normaliser_make(host, "obs_norm", m->O);
  if (m->D > 0) m->belief_norm = hn_normaliser_make(host, "belief_norm", m->D);
  m->return_norm = hn_normaliser_make(host, "return_norm", 1);
  m->trail = host->keep(
      host, HN_ARRAY("return_trail", HN_LEARNER, HN_F64, .rank = 1, .dim = {spec->rows}));
  m->N = NOTE_RAW + (m->p->squash == SQUASH_SAMPLE ? m->A : 0);
  if (m->p->loss_belief == LOSS_BELIEF_POINT && spec->samples > 0 && m->D > 0) m->logp_at = m->N++;
  spec->aux_dim = m->N;
  spec->row_size = 0, spec->phases = 1;
  return HN_OK;
}

/* ---- acting ---- */

static int64_t samples_of(int64_t samples) {
  return samples > 1 ? samples : 1;
}

/* Draws from, or takes the mode of, the mixture, the mean of S softmaxes of row i; mix [A] is work
 * space. */
static int32_t pick_one(const Ppo *m, const Answer *y, int64_t S, int64_t i, HnRng *rng,
                        double *mix) {
  int64_t A = m->A;
  memset(mix, 0, (size_t)A * sizeof *mix);
  for (int64_t s = 0; s < S; s++) {
    const float *logit = y->out[s]->data + i * A;
    double top = (double)logit[0], sum = 0;
    for (int64_t k = 1; k < A; k++) top = fmax(top, (double)logit[k]);
    for (int64_t k = 0; k < A; k++) sum += exp((double)logit[k] - top);
    for (int64_t k = 0; k < A; k++) mix[k] += exp((double)logit[k] - top) / (sum * (double)S);
  }
  int32_t action_index = 0;
  if (rng) {
    double u = hn_rng_uniform(rng, 0, 1);
    while (action_index < A - 1 && (u -= mix[action_index]) >= 0) action_index++;
  } else {
    for (int32_t k = 1; k < A; k++) action_index = mix[k] > mix[action_index] ? k : action_index;
  }
  return action_index;
}

/* Draws from, or takes the mean of, the mixture of S Gaussians of row i. */
static void move_one(const Ppo *m, const Answer *y, int64_t S, int64_t i, HnRng *rng, float *act,
                     float *note) {
  int64_t A = m->A, draw = rng && S > 1 ? hn_rng_below(rng, S) : 0;
  for (int64_t k = 0; k < A; k++) {
    double u = 0;
    if (rng)
      u = (double)y->out[draw]->data[i * A + k] +
          exp((double)y->logstd->data[k]) * hn_rng_normal(rng);
    for (int64_t s = 0; s < S && !rng; s++) u += (double)y->out[s]->data[i * A + k] / (double)S;
    act[k] = (float)u;
    if (m->p->squash == SQUASH_SAMPLE) note[NOTE_RAW + k] = (float)u, act[k] = (float)tanh(u);
  }
}

/* log(1 - tanh(u)^2) */
static double log_slope(double u) {
  double down = -2 * fabs(u);
  return 2 * log(2) + down - 2 * log1p(exp(down));
}

/* Log-density of action k of row i, under sample s; u: as drawn, before tanh. */
static double log_density_of(const Ppo *m, const Answer *y, int64_t s, int64_t i,
                             int32_t action_index, const float *u) {
  const float *out = y->out[s]->data + i * m->A;
  double sum = 0, top = (double)out[0];
  if (!y->logstd) { /* discrete */
    for (int64_t k = 1; k < m->A; k++) top = fmax(top, (double)out[k]);
    for (int64_t k = 0; k < m->A; k++) sum += exp((double)out[k] - top);
    return (double)out[action_index] - top - log(sum);
  }
  for (int64_t k = 0; k < m->A; k++) {
    double logstd = (double)y->logstd->data[k], x = (double)u[k];
    double z = (x - (double)out[k]) * exp(-logstd);
    sum -= 0.5 * z * z + logstd + 0.91893853320467274178; /* log(2 pi) / 2 */
    if (m->p->squash == SQUASH_SAMPLE) sum -= log_slope(x);
  }
  return sum;
}

/* Log-density of what row i did, under the mixture; part [S] is work space. */
static double mixture_of(const Ppo *m, const Answer *y, int64_t S, int64_t i, int32_t action_index,
                         const float *u, double *part) {
  double top = -INFINITY, sum = 0, mean = 0;
  for (int64_t s = 0; s < S; s++) {
    part[s] = log_density_of(m, y, s, i, action_index, u);
    top = fmax(top, part[s]), mean += part[s] / (double)S;
  }
  for (int64_t s = 0; s < S; s++) sum += exp(part[s] - top);
  return m->p->upstream_mixture ? mean : top + log(sum / (double)S);
}

/* Values that neither the lesson nor the caller will read are left out: 0 in the note. */
static HnStatus act(void *self, HnActBatch *a) {
  const Ppo *m = self;
  int64_t S = samples_of(a->samples), A = m->A;
  bool valued = !m->logp_at || a->info;
  HnTape t = hn_tape_begin(m->host, false);
  Answer y = answer_rows(m, &t, a->rows, a->obs, a->belief, S, valued ? ACTIONS | VALUES : ACTIONS);
  double *work = hn_tape_room(&t, A > S ? A : S, sizeof *work);
  for (int64_t i = 0; i < a->rows; i++) {
    HnRng *rng = a->rng ? &a->rng[i] : NULL;
    float value = valued ? y.value->data[i] : 0, *note = a->aux + i * m->N;
    float *move = y.logstd ? a->action + i * A : NULL;
    if (!isfinite(value))
      return m->host->fail(m->host, HN_E_NUMERIC, "the value of row %lld is %g", (long long)i,
                           (double)value);
    note[NOTE_VALUE] = value;
    if (a->info) a->info[i * info_count + info_value] = value;
    if (y.logstd)
      move_one(m, &y, S, i, rng, move, note);
    else
      a->action_index[i] = pick_one(m, &y, S, i, rng, work);
    if (!m->logp_at) continue;
    const float *u = m->p->squash == SQUASH_SAMPLE ? note + NOTE_RAW : move;
    double logp = mixture_of(m, &y, S, i, m->discrete ? a->action_index[i] : 0, u, work);
    if (!isfinite(logp))
      return m->host->fail(m->host, HN_E_NUMERIC, "the log-density of row %lld's action is %g",
                           (long long)i, logp);
    note[m->logp_at] = (float)logp;
  }
  return HN_OK;
}

/* ---- the lesson, made ready ---- */

/* Mean and standard deviation (n - 1) of x at n places (NULL: the first n). */
static void spread(const float *x, const int64_t *place, int64_t n, double *mean, double *stddev) {
  double sum = 0, square = 0;
  for (int64_t k = 0; k < n; k++) sum += (double)x[place ? place[k] : k];
  *mean = sum / (double)n;
  for (int64_t k = 0; k < n; k++) {
    double d = (double)x[place ? place[k] : k] - *mean;
    square += d * d;
  }
  *stddev = sqrt(square / (double)(n > 1 ? n - 1 : 1));
}

static void *floats(const Ppo *m, int64_t count) {
  return m->host->scratch(m->host, count, sizeof(float));
}

/* Rewards to advantages and targets, by the values that were acted with; where the loss sees the
 * point belief, by those of that belief. */
static void appraise(Ppo *m, Window *w) {
  const HnHistory *h = w->h;
  const HnThisParams *p = m->p;
  int64_t T = h->steps, B = h->rows;
  float *reward = floats(m, w->count), *value = floats(m, w->count + B);
  const Returns r = {p->discount, p->lambda, p->episode_boundary == BOUNDARY_TERMINAL,
                     p->time_limit_bootstrap};
  if (p->normalise_reward)
    returns_scale(&r, h, &m->return_norm, m->trail, reward);
  else
    memcpy(reward, h->reward, (size_t)w->count * sizeof(float));
  for (int64_t k = 0; k < w->count; k++)
    value[k] = w->point ? w->value[k] : h->aux[k * m->N + NOTE_VALUE];
  HnTape t = hn_tape_begin(m->host, false);
  const float *belief = m->D > 0 ? w->raw + w->count * w->S * m->D : NULL;
  Answer y = answer_rows(m, &t, B, h->obs + w->count * m->O, belief, w->S, VALUES);
  memcpy(value + T * B, y.value->data, (size_t)B * sizeof(float));
  returns_advantages(&r, h, reward, value, w->advantage, w->target);

  double mean, targets;
  spread(w->target, NULL, w->count, &mean, &targets);
  spread(w->advantage, NULL, w->count, &w->advantage_mean, &w->advantage_stddev);
  double errors = w->advantage_stddev; /* advantage = target - value */
  w->explained = targets > 0 ? 1 - errors * errors / (targets * targets) : (double)NAN;
}

/* Rows of x [rows, n] as the network sees them; statistics take them in first. */
static const float *take_in(const Ppo *m, HnNormaliser *z, bool on, int64_t rows, int64_t n,
                            const float *x) {
  if (n < 1) return NULL;
  hn_normaliser_update(z, rows, x, n);
  if (!on) return x;
  float *y = floats(m, rows * n);
  hn_normaliser_apply(z, rows, x, n, INPUT_CLIP, y, n);
  return y;
}

/* Input statistics take the window in; then what the policy was, seen through the new ones, so that
 * ratios start at exactly 1 (at the density acted by, where the loss sees another belief). */
static HnStatus see(Ppo *m, Window *w) {
  const HnHistory *h = w->h;
  const HnThisParams *p = m->p;
  int64_t n = w->count, D = m->D;
  w->obs = take_in(m, &m->obs_norm, p->normalise_obs, n, m->O, h->obs);
  w->belief = take_in(m, &m->belief_norm, p->normalise_belief, n * w->S, D, w->raw);
  for (int64_t d = 0; d < D; d++)
    w->belief_scale[d] = p->normalise_belief ? 1 / hn_normaliser_stddev(&m->belief_norm, d) : 1;
  for (int64_t k = 0; k < n && w->point; k++) w->logp[k] = h->aux[k * m->N + m->logp_at];
  int64_t *place = m->host->scratch(m->host, n, sizeof *place);
  for (int64_t k = 0; k < n; k++) place[k] = k;
  Job job = {.m = m, .w = w, .n = n, .size = shard_size(n), .place = place};
  return m->host->parallel(m->host, shard_count(n), look_back, &job);
}

static HnStatus open_window(const Ppo *m, const HnTrainBatch *l, Window *w) {
  const HnHistory *h = l->phase[0];
  bool point = m->logp_at > 0;
  int64_t n = h->steps * h->rows;
  *w = (Window){.h = h,
                .point = point,
                .count = n,
                .S = point ? 1 : samples_of(h->samples),
                .raw = h->belief,
                .advantage = floats(m, n),
                .target = floats(m, n),
                .logp = floats(m, n),
                .value = floats(m, n),
                .belief_scale = m->host->scratch(m->host, m->D, sizeof(double))};
  if (!point) return HN_OK;
  float *belief = floats(m, (n + h->rows) * m->D);
  w->raw = belief;
  return l->infer(l, h, 0, belief);
}

/* ---- learning ---- */

/* A lesson's work space and running figures. */
typedef struct Course {
  bool through;                    /* minibatches of sequences, through the inference */
  bool ordered;                    /* one minibatch of all: it needs no order of its own .. */
  bool at_hand;                    /* .. and the point beliefs just computed serve its first pass */
  int64_t units, batches, most;    /* sequences or places; minibatches; elements of the largest */
  int64_t *order, *place;          /* [units], [most] */
  float *belief, *d_belief, *flat; /* [T+1, rows, S, D] twice if through; [shards, store.size] */
  Sums *shard_sums, sums;          /* [shards]; of the lesson */
  double rate, norm, kl, elements; /* kl of this epoch */
  int64_t steps;
} Course;

static Course course(const Ppo *m, const HnTrainBatch *l, const Window *w) {
  const HnHistory *h = w->h;
  Course c = {.through = HN_CAN(l, backward) && m->D > 0};
  int64_t T = h->steps;
  c.units = c.through ? h->rows : w->count;
  c.batches = m->p->minibatches < c.units ? m->p->minibatches : c.units;
  c.ordered = c.at_hand = c.through && w->point && c.batches == 1;
  int64_t largest = (c.units + c.batches - 1) / c.batches;
  c.most = c.through ? largest * T : largest;
  c.order = m->host->scratch(m->host, c.units, sizeof *c.order);
  c.place = m->host->scratch(m->host, c.most, sizeof *c.place);
  if (c.through) {
    int64_t size = (T + 1) * largest * w->S * m->D;
    c.belief = floats(m, size), c.d_belief = floats(m, size);
  }
  c.flat = floats(m, shard_count(c.most) * m->store.size);
  c.shard_sums = m->host->scratch(m->host, shard_count(c.most), sizeof *c.shard_sums);
  double before = (double)(l->frames - w->count); /* the first lesson steps at full rate */
  if (m->p->anneal && l->frames_total > 0)
    c.rate = fmin(1, fmax(0, 1 - before / (double)l->frames_total));
  else
    c.rate = 1;
  for (int64_t k = 0; k < c.units; k++) c.order[k] = k;
  return c;
}

/* Gradients of one minibatch, of `n` units; norm2 of the inference's part. */
static HnStatus descend(Ppo *m, const HnTrainBatch *l, const Window *w, Course *c, int64_t n,
                        const int64_t *unit, double *norm2) {
  int64_t T = w->h->steps, B = w->h->rows, width = w->S * m->D;
  Job job = {
      .m = m, .w = w, .n = n, .place = unit, .scale = 1, .flat = c->flat, .sums = c->shard_sums};
  HnStatus status;
  if (c->through) {
    int64_t samples = w->point ? 0 : w->h->samples;
    if (!c->at_hand && (status = l->infer(l, l->rows(l, 0, n, unit), samples, c->belief)))
      return status;
    for (int64_t t = 0; t < T; t++)
      for (int64_t i = 0; i < n; i++) c->place[t * n + i] = t * B + unit[i];
    memset(c->d_belief + T * n * width, 0, (size_t)(n * width) * sizeof(float));
    job.n = T * n, job.place = c->place, job.d_fresh = c->d_belief;
    job.fresh = c->at_hand ? w->raw : c->belief;
    c->at_hand = false;
  }
  if (m->p->advantages != ADVANTAGES_NONE) {
    double stddev = w->advantage_stddev;
    job.centre = w->advantage_mean;
    if (m->p->advantages == ADVANTAGES_MINIBATCH)
      spread(w->advantage, job.place, job.n, &job.centre, &stddev);
    job.scale = 1 / (stddev + 1e-8);
  }

  job.size = shard_size(job.n);
  int64_t shards = shard_count(job.n);
  if ((status = m->host->parallel(m->host, shards, shard, &job))) return status;
  hn_store_reduce(&m->store, shards, c->flat);
  for (int64_t k = 0; k < shards; k++) {
    const Sums *s = &c->shard_sums[k];
    c->sums.policy += s->policy, c->sums.value += s->value, c->sums.entropy += s->entropy;
    c->sums.kl += s->kl, c->sums.ratio += s->ratio, c->sums.clipped += s->clipped;
    c->kl += s->kl;
  }
  c->elements += (double)job.n;
  return c->through ? l->backward(l, c->d_belief, norm2) : HN_OK;
}

/* One pass over the lesson in a new order. */
static HnStatus pass(Ppo *m, const HnTrainBatch *l, const Window *w, Course *c) {
  const HnThisParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, p->weight_decay};
  for (int64_t k = c->units - 1; k > 0 && !c->ordered; k--) {
    int64_t other = hn_rng_below(l->rng, k + 1), unit = c->order[k];
    c->order[k] = c->order[other], c->order[other] = unit;
  }
  c->kl = 0;
  for (int64_t b = 0; b < c->batches; b++) {
    int64_t from = b * c->units / c->batches, to = (b + 1) * c->units / c->batches;
    double norm2 = 0;
    HnStatus status = descend(m, l, w, c, to - from, c->order + from, &norm2);
    if (status) return status;
    double own = hn_store_norm2(&m->store);
    if (!isfinite(norm2 + own))
      return m->host->fail(m->host, HN_E_NUMERIC, "the gradient is not finite");
    if (p->grad_clip > 0) hn_store_clamp(&m->store, p->grad_clip), own = hn_store_norm2(&m->store);
    norm2 += own;
    double scale = hn_clip_scale(norm2, p->grad_norm);
    hn_adam_step(&m->store, &adam, scale, c->rate);
    if (c->through && (status = l->step(l, scale, c->rate))) return status;
    c->norm += sqrt(norm2), c->steps++;
  }
  return HN_OK;
}

static void report(const Ppo *m, const Window *w, const Course *c, int64_t epochs) {
  const HnThisParams *p = m->p;
  const HnHost *host = m->host;
  double n = c->elements;
  host->metric(host, metric_loss,
               (c->sums.policy + p->value_weight * c->sums.value - p->entropy * c->sums.entropy) /
                   n);
  host->metric(host, metric_policy_loss, c->sums.policy / n);
  host->metric(host, metric_value_loss, c->sums.value / n);
  host->metric(host, metric_entropy, c->sums.entropy / n);
  host->metric(host, metric_approx_kl, c->sums.kl / n);
  host->metric(host, metric_ratio, c->sums.ratio / n);
  host->metric(host, metric_clip_fraction, c->sums.clipped / n);
  if (isfinite(w->explained)) host->metric(host, metric_explained_variance, w->explained);
  host->metric(host, metric_advantage_stddev, w->advantage_stddev);
  host->metric(host, metric_grad_norm, c->norm / (double)c->steps);
  host->metric(host, metric_epochs, (double)epochs);
  host->metric(host, metric_lr, p->lr * c->rate);
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Ppo *m = self;
  hn_store_refresh(&m->store);
  Window w;
  HnStatus status = open_window(m, l, &w);
  if (status) return status;
  if (!w.point) appraise(m, &w);
  if ((status = see(m, &w))) return status;
  if (w.point) appraise(m, &w);

  Course c = course(m, l, &w);
  int64_t epoch = 0;
  while (epoch < m->p->epochs) {
    if ((status = pass(m, l, &w, &c))) return status;
    epoch++;
    if (m->p->target_kl > 0 && c.kl > m->p->target_kl * (c.elements / (double)epoch)) break;
  }
  report(m, &w, &c, epoch);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
HN_PLUGIN(ppo, HN_KIND_POLICY, Ppo, &methods, .version = "0.1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "Proximal policy optimisation, on stored beliefs or through the inference.",
          .source = "arXiv 1707.06347; policy network of arXiv 1910.08348");
