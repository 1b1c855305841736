/* PEARL: the belief is a product of Gaussian factors, one for each transition seen, and so does not
 * depend on their order.
 *
 *   q(z | c) = prod_n N(z; mu(c_n), sigma^2(c_n)),  prior N(0, I) where nothing was seen
 *
 * A network reads observation, action and reward of a step (and where it led, if asked) and gives
 * mu and sigma^2.  A sample's noise is drawn when an episode begins and held until the next; by
 * default so is the posterior, as posterior sampling acts.  Trained through the policy: by the
 * gradient of its loss (of the critics, if that is sac on a subset of the context) and kl_weight
 * times KL(q || N(0, I)).
 *
 * Row memory keeps the sums of precisions and of precisions times means, in float64; no gradient
 * passes what a window begins with.  A window is cut into shards of rows whose size depends on the
 * window alone, and their gradients are added in order: the same bits for any number of workers.
 *
 * Source: Rakelly et al. 2019, equation 2 and section 4. */
#include <hunch/encode.h>
#include <hunch/inference.h>
#include <hunch/kit/nn.h>
#include <hunch/kit/scratch.h>
#include <math.h>
#include <string.h>

#define PARAMS(X)                                                                                  \
  X(int, latent, "", "Dimensions of the latent z.", 5, 1, 1024)                                    \
  X(text, hidden, "", "Units of each hidden layer of the encoder.", "200 200 200")                 \
  X(flag, next_obs, "",                                                                            \
    "The encoder reads where a step led, too; needed where dynamics differ "                       \
    "between tasks.",                                                                              \
    0)                                                                                             \
  X(choice, update, "",                                                                            \
    "When the belief takes in what was seen: when an episode begins, or at each step.", "episode", \
    "episode|step")                                                                                \
  X(real, kl_weight, "", "Weight of KL(q || N(0, I)), in nats, averaged over rows.", 0.1, 0, 1e6)  \
  X(choice, kl_times, "",                                                                          \
    "Posteriors whose KL is weighed: that of a window's last time, or the mean over all.", "last", \
    "last|all")                                                                                    \
  X(real, variance_floor, "", "Smallest variance of a factor.", 1e-7, 1e-30, 1)                    \
  X(real, lr, "", "Learning rate of Adam.", 3e-4, 0, 1)                                            \
  X(real, adam_eps, "", "Adam's eps, which keeps its denominator from 0.", 1e-8, 0, 1)
HN_PARAMS(PARAMS);
enum { UPDATE_EPISODE, UPDATE_STEP };
enum { KL_LAST, KL_ALL };

#define INFO(X)                                                                      \
  X(kl, "nats", "KL of the posterior of all that was seen from the prior.", HN_LAST) \
  X(entropy, "nats", "Entropy of that posterior.", HN_LAST)
HN_INFO(INFO);
#define METRICS(X)                                                                    \
  X(kl, "nats", "KL of posteriors from the prior where the loss weighs it.", HN_MEAN) \
  X(grad_norm, "", "Norm of the encoder's gradient.", HN_MEAN)
HN_METRICS(METRICS);

enum { SHARD = 256 };                              /* transitions, about */
static const size_t MOST_BYTES = (size_t)64 << 20; /* of the tapes that are kept */
#define LOG_2PI_E 2.8378770664093454836

/* Rows first .. first + rows - 1 of a window, with what the encoder says of the step that led to
 * each time: element t * rows + i. */
typedef struct Piece {
  int64_t first, rows;
  HnTape t;
  HnVar *out; /* [(T + 1) rows, 2 Z]: mu, then what softplus makes sigma^2 of */
} Piece;

/* A piece that forward leaves to backward. */
typedef struct Kept {
  HnReuse scratch;
  Piece piece;
} Kept;

typedef struct Pearl {
  const HnThisParams *p;
  const HnHost *host;
  int64_t O, A, Z, inputs;
  bool discrete;
  size_t row_size;
  HnStore store;
  HnMlp encoder;
  size_t tape_bytes; /* that a shard's tape has needed so far */
  /* of the forward that backward follows */
  char *state; /* [B] row memory before the window */
  HnRng *rng;  /* [B] */
  float *flat; /* [shards, store.size] */
  Kept *kept;  /* [shards]; NULL: encoded again */
} Pearl;

/* Row memory; the tail holds natural parameters [Z] each: precision and precision times mean of all
 * that was seen, then the same as the episode began. */
typedef struct Row {
  int64_t count, held_count; /* factors; 0: the prior */
  HnRng noise;               /* where the episode's noise begins */
  double tail[];
} Row;
enum { PRECISION, WEIGHTED, HELD_PRECISION, HELD_WEIGHTED, PARTS };

static double *part(const Pearl *m, Row *row, int which) {
  return row->tail + which * m->Z;
}

/* ---- creation ---- */

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Pearl *m = self;
  const HnThisParams *p = m->p = params;
  m->host = host, m->O = spec->obs_dim, m->Z = p->latent;
  m->discrete = spec->action_count > 0;
  m->A = m->discrete ? spec->action_count : spec->action_dim;
  m->inputs = m->O + m->A + 1 + (p->next_obs ? m->O : 0);
  int64_t width[HN_MLP_MAX + 1], layers = hn_widths(p->hidden, HN_MLP_MAX - 1, width + 1);
  if (layers < 0)
    return host->fail(host, HN_E_PARAM, "hidden '%s': expected 1 to %d widths, such as '200 200'",
                      p->hidden, HN_MLP_MAX - 1);
  width[0] = m->inputs, width[layers + 1] = 2 * m->Z;
  hn_store_begin(&m->store, host, "");
  m->encoder = hn_mlp_make(&m->store, "encoder", layers + 1, width, HN_RELU, HN_LINEAR,
                           HN_INIT_FAN_IN, 1, 1, spec->rng);
  spec->belief_dim = spec->latent_dim = m->Z;
  spec->row_size = m->row_size = sizeof(Row) + (size_t)(PARTS * m->Z) * sizeof(double);
  spec->refresh = true;
  return HN_OK;
}

/* ---- factors ---- */

/* The encoder's input of the step that led to element (t, i), which must not begin a task. */
static void read_step(const Pearl *m, const HnHistory *h, int64_t t, int64_t i, float *x) {
  int64_t at = hn_at(h, t - 1, i);
  size_t obs = (size_t)m->O * sizeof *x;
  if (m->O) memcpy(x, h->obs + at * m->O, obs);
  hn_encode_action(h, at, m->A, m->discrete, x + m->O);
  x[m->O + m->A] = h->reward[at];
  if (m->p->next_obs && m->O) memcpy(x + m->O + m->A + 1, h->next_obs + at * m->O, obs);
}

static Piece encode(const Pearl *m, const HnHost *host, const HnHistory *h, int64_t first,
                    int64_t rows, float *flat) {
  Piece x = {.first = first, .rows = rows, .t = hn_tape_begin(host, flat != NULL)};
  int64_t n = (h->steps + 1) * rows;
  float *in = hn_tape_room(&x.t, n * m->inputs, sizeof *in);
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < rows; i++)
      if (h->begin[hn_at(h, t, first + i)] != HN_NEW_TASK)
        read_step(m, h, t, first + i, in + (t * rows + i) * m->inputs);
  x.out = hn_mlp(&x.t, &m->encoder, hn_constant(&x.t, n, m->inputs, in), flat);
  return x;
}

static double softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* sigma^2 of a factor from the encoder's number; at the floor it has no gradient. */
static double variance(const Pearl *m, double x) {
  return fmax(softplus(x), m->p->variance_floor);
}

/* ---- along a row ---- */

/* Multiplies the posterior by the factor of `out` [2 Z]. */
static void take_in(const Pearl *m, Row *row, const float *out) {
  double *precision = part(m, row, PRECISION), *weighted = part(m, row, WEIGHTED);
  for (int64_t j = 0; j < m->Z; j++) {
    double w = 1 / variance(m, (double)out[m->Z + j]);
    precision[j] += w, weighted[j] += w * (double)out[j];
  }
  row->count++;
}

/* Brings a row to time t of a window; out: of the step that led there.  Samples' noise begins
 * anew with an episode. */
static void advance(const Pearl *m, Row *row, uint8_t begin, int64_t samples, HnRng *rng,
                    const float *out) {
  if (begin == HN_NEW_TASK)
    memset(row, 0, m->row_size);
  else
    take_in(m, row, out);
  if (begin == HN_KEEP) return;
  row->held_count = row->count;
  memcpy(part(m, row, HELD_PRECISION), part(m, row, PRECISION), 2 * (size_t)m->Z * sizeof(double));
  if (samples < 1) return;
  row->noise = *rng;
  for (int64_t k = 0; k < samples * m->Z; k++) hn_rng_normal(rng);
}

/* Mean and variance of dimension j: as the belief shows them, or of all that was seen. */
static void moments(const Pearl *m, Row *row, bool shown, int64_t j, double *mean, double *var) {
  bool held = shown && m->p->update == UPDATE_EPISODE;
  *mean = 0, *var = 1;
  if (!(held ? row->held_count : row->count)) return;
  *var = 1 / part(m, row, held ? HELD_PRECISION : PRECISION)[j];
  *mean = *var * part(m, row, held ? HELD_WEIGHTED : WEIGHTED)[j];
}

static void show(const Pearl *m, Row *row, int64_t samples, float *belief) {
  HnRng noise = row->noise;
  for (int64_t s = 0; s < (samples > 0 ? samples : 1); s++)
    for (int64_t j = 0; j < m->Z; j++) {
      double mean, var;
      moments(m, row, true, j, &mean, &var);
      *belief++ = (float)(samples > 0 ? mean + sqrt(var) * hn_rng_normal(&noise) : mean);
    }
}

static double kl_of(double mean, double var) {
  return 0.5 * (var + mean * mean - 1 - log(var));
}

static void report(const Pearl *m, Row *row, float *info) {
  double kl = 0, entropy = 0;
  for (int64_t j = 0; j < m->Z; j++) {
    double mean, var;
    moments(m, row, false, j, &mean, &var);
    kl += kl_of(mean, var), entropy += 0.5 * (LOG_2PI_E + log(var));
  }
  info[info_kl] = (float)kl, info[info_entropy] = (float)entropy;
}

static Row *row_of(const Pearl *m, void *state, int64_t i) {
  return (Row *)(void *)((char *)state + (size_t)i * m->row_size);
}

/* Beliefs of a piece's rows. */
static void infer_rows(const Pearl *m, const HnBeliefUpdate *q, const Piece *x) {
  const HnHistory *h = q->history;
  int64_t B = h->rows, S = q->samples > 0 ? q->samples : 1;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t k = 0; k < x->rows; k++) {
      int64_t i = x->first + k, at = t * B + i;
      Row *row = row_of(m, q->state, i);
      advance(m, row, h->begin[hn_at(h, t, i)], q->samples, &q->rng[i],
              x->out->data + (t * x->rows + k) * 2 * m->Z);
      show(m, row, q->samples, q->belief + at * S * m->Z);
      if (q->info) report(m, row, q->info + at * info_count);
    }
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  const Pearl *m = self;
  Piece all = encode(m, m->host, q->history, 0, q->history->rows, NULL);
  infer_rows(m, q, &all);
  return HN_OK;
}

/* ---- through the policy ---- */

typedef struct Pass {
  const Pearl *m;
  const HnBeliefUpdate *q;
  const float *d_belief;
  int64_t rows, shards; /* of a shard; how many */
  double *kl;           /* [shards] sums over rows, and over times if all count */
} Pass;

static Pass pass_of(const Pearl *m, const HnBeliefUpdate *q, const float *d_belief) {
  const HnHistory *h = q->history;
  int64_t rows = SHARD / (h->steps + 1) > 1 ? SHARD / (h->steps + 1) : 1;
  return (Pass){
      .m = m, .q = q, .d_belief = d_belief, .rows = rows, .shards = (h->rows + rows - 1) / rows};
}

static int64_t rows_of(const Pass *p, int64_t shard) {
  int64_t left = p->q->history->rows - shard * p->rows;
  return left < p->rows ? left : p->rows;
}

static HnStatus forward_shard(void *arg, int64_t shard) {
  const Pass *p = arg;
  const Pearl *m = p->m;
  Kept *kept = m->kept ? &m->kept[shard] : NULL;
  Piece x = encode(m, kept ? &kept->scratch.host : m->host, p->q->history, shard * p->rows,
                   rows_of(p, shard), kept ? m->flat + shard * m->store.size : NULL);
  infer_rows(m, p->q, &x);
  if (kept) kept->piece = x;
  return HN_OK;
}

/* Tapes in memory of the size that one has needed so far; none if that is too large. */
static Kept *make_kept(const Pearl *m, int64_t shards) {
  const HnHost *host = m->host;
  if (m->tape_bytes > MOST_BYTES / (size_t)shards) return NULL;
  Kept *kept = host->scratch(host, shards, sizeof *kept);
  char *memory = host->scratch(host, shards, m->tape_bytes);
  for (int64_t k = 0; k < shards; k++)
    hn_reuse_begin(&kept[k].scratch, host, memory + (size_t)k * m->tape_bytes, m->tape_bytes);
  return kept;
}

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  Pearl *m = self;
  const HnHost *host = m->host;
  int64_t B = q->history->rows;
  size_t given = m->tape_bytes;
  Pass p = pass_of(m, q, NULL);
  hn_store_refresh(&m->store); /* a resumed run overwrites weights */
  m->state = host->scratch(host, B, m->row_size);
  m->rng = host->scratch(host, B, sizeof *m->rng);
  m->flat = host->scratch(host, p.shards * m->store.size, sizeof *m->flat);
  memcpy(m->state, q->state, (size_t)B * m->row_size);
  memcpy(m->rng, q->rng, (size_t)B * sizeof *m->rng);
  m->kept = make_kept(m, p.shards);
  HnStatus status = host->parallel(host, p.shards, forward_shard, &p);
  if (status || !m->kept) return status;
  for (int64_t k = 0; k < p.shards; k++)
    if (m->kept[k].scratch.asked > m->tape_bytes) m->tape_bytes = m->kept[k].scratch.asked;
  if (m->tape_bytes > given) m->kept = NULL; /* some are gone, with the scratch of their tasks */
  return HN_OK;
}

/* Adds the gradient by mean and variance to that by precision and weighted sum [Z] of the posterior
 * that they are of. */
static void add_natural(int64_t j, double mean, double var, double d_mean, double d_var,
                        double *d_precision, double *d_weighted) {
  d_weighted[j] += d_mean * var;
  d_precision[j] -= (d_mean * mean + d_var * var) * var;
}

/* Posteriors that the loss weighs: of each row the last, or all of those that were lived. */
static double weighed(const Pass *p) {
  const HnHistory *h = p->q->history;
  return (double)(h->rows + (p->m->p->kl_times == KL_ALL ? hn_lived_steps(h) : 0));
}

/* Runs one row along the window again and leaves, by time, the gradient of the loss by the natural
 * parameters of that time's posterior [T + 1, 2 Z]; returns the KL that the loss weighs. */
static double posterior_gradients(const Pass *p, const Piece *x, int64_t k, Row *row, HnRng rng,
                                  double *d) {
  const Pearl *m = p->m;
  const HnHistory *h = p->q->history;
  int64_t Z = m->Z, i = x->first + k, T = h->steps, start = -1; /* start: of the episode, if seen */
  int64_t samples = p->q->samples, S = samples > 0 ? samples : 1;
  const int64_t lived = hn_row_steps(h, i), from = m->p->kl_times == KL_ALL ? 0 : lived;
  double weight = m->p->kl_weight / weighed(p), kl = 0;
  for (int64_t t = 0; t <= T; t++) {
    uint8_t begin = h->begin[hn_at(h, t, i)];
    advance(m, row, begin, samples, &rng, x->out->data + (t * x->rows + k) * 2 * Z);
    if (begin != HN_KEEP) start = t;
    int64_t source = m->p->update == UPDATE_STEP ? t : start;
    HnRng noise = row->noise;
    const float *d_belief = p->d_belief + (t * h->rows + i) * S * Z;
    for (int64_t e = 0; e < S * Z; e++) {
      int64_t j = e % Z;
      double mean, var, g = (double)d_belief[e];
      moments(m, row, true, j, &mean, &var);
      double d_var = samples > 0 ? g * hn_rng_normal(&noise) * 0.5 / sqrt(var) : 0;
      if (source >= 0)
        add_natural(j, mean, var, g, d_var, d + source * 2 * Z, d + source * 2 * Z + Z);
    }
    for (int64_t j = 0; j < Z && t >= from && t <= lived; j++) {
      double mean, var;
      moments(m, row, false, j, &mean, &var);
      kl += kl_of(mean, var);
      add_natural(j, mean, var, weight * mean, weight * 0.5 * (1 - 1 / var), d + t * 2 * Z,
                  d + t * 2 * Z + Z);
    }
  }
  return kl;
}

/* Those by the natural parameters of later times in the trial, summed up, are that of a factor's;
 * from these to the encoder's output: seed, laid out as x->out. */
static void factor_gradients(const Pass *p, const Piece *x, int64_t k, double *d, float *seed) {
  const Pearl *m = p->m;
  const HnHistory *h = p->q->history;
  int64_t Z = m->Z, i = x->first + k;
  for (int64_t t = h->steps; t >= 0; t--) {
    if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK)
      continue; /* no factor; what came later ends here */
    double *now = d + t * 2 * Z;
    const float *out = x->out->data + (t * x->rows + k) * 2 * Z;
    float *to = seed + (t * x->rows + k) * 2 * Z;
    for (int64_t j = 0; j < Z; j++) {
      double raw = (double)out[Z + j], w = 1 / variance(m, raw);
      double d_w = now[j] + now[Z + j] * (double)out[j];
      to[j] = (float)(now[Z + j] * w);
      to[Z + j] =
          softplus(raw) > m->p->variance_floor ? (float)(-d_w * w * w / (1 + exp(-raw))) : 0;
    }
    for (int64_t e = 0; e < 2 * Z && t > 0; e++) now[e - 2 * Z] += now[e];
  }
}

static HnStatus backward_shard(void *arg, int64_t shard) {
  const Pass *p = arg;
  const Pearl *m = p->m;
  int64_t rows = rows_of(p, shard), first = shard * p->rows, times = p->q->history->steps + 1;
  float *flat = m->flat + shard * m->store.size;
  memset(flat, 0, (size_t)m->store.size * sizeof *flat);
  Piece x = m->kept ? m->kept[shard].piece : encode(m, m->host, p->q->history, first, rows, flat);
  HnTape t = hn_tape_begin(m->host, true);
  t.last = x.t.last; /* the piece's records, with scratch of this task */
  float *seed = hn_tape_room(&t, times * rows * 2 * m->Z, sizeof *seed);
  double *d = hn_tape_room(&t, times * 2 * m->Z, sizeof *d);
  p->kl[shard] = 0;
  for (int64_t k = 0; k < rows; k++) {
    memset(d, 0, (size_t)(times * 2 * m->Z) * sizeof *d);
    p->kl[shard] +=
        posterior_gradients(p, &x, k, row_of(m, m->state, first + k), m->rng[first + k], d);
    factor_gradients(p, &x, k, d, seed);
  }
  hn_tape_backward_from(&t, x.out, seed);
  return HN_OK;
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  Pearl *m = self;
  const HnHost *host = m->host;
  Pass p = pass_of(m, q, d_belief);
  p.kl = host->scratch(host, p.shards, sizeof *p.kl);
  HnStatus status = host->parallel(host, p.shards, backward_shard, &p);
  if (status) return status;
  hn_store_reduce(&m->store, p.shards, m->flat);
  double kl = 0;
  for (int64_t k = 0; k < p.shards; k++) kl += p.kl[k];
  kl /= weighed(&p);
  if (q->loss) *q->loss += m->p->kl_weight * kl;
  *norm2 = hn_store_norm2(&m->store);
  host->metric(host, metric_kl, kl);
  host->metric(host, metric_grad_norm, sqrt(*norm2));
  return HN_OK;
}

static HnStatus step(void *self, double scale, double rate) {
  Pearl *m = self;
  const HnAdam adam = {m->p->lr, 0.9, 0.999, m->p->adam_eps, 0};
  hn_adam_step(&m->store, &adam, scale, rate);
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create,     .infer = infer,
                                    .forward = forward,  .backward = backward, .step = step};
HN_PLUGIN(pearl, HN_KIND_INFERENCE, Pearl, &methods, .version = "0.1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "A product of Gaussians over transitions, trained through the policy.",
          .source = "arXiv 1903.08254");
