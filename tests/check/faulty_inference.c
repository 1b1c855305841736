/* faulty_inference.c - see faulty.h. */
#include "faulty.h"
#include "misbehave.h"
#include <math.h>

/* clang-format off */
#define OWN_FAULTS(X) \
  X(window_start) X(rows_mix) X(forward_differs) X(old_task) X(silent) X(silent_info) \
  X(not_finite) X(unsaved) X(workers) X(looks_ahead) X(reads_task) X(needs_task) \
  X(same_samples) X(shifted_samples) X(constant_samples) X(gradient_sign) X(gradient_scale) \
  X(gradient_missing) X(gradient_rows) X(gradient_loss) X(gradient_replaces) X(norm2_root) \
  X(norm2_part) X(belief_beyond) X(belief_before) X(writes_history) X(keeps_pointer) \
  X(writes_window) X(belief_negative) X(latent_large) X(row_huge) X(looks_up_reward) \
  X(rejects_obs) X(thread_identity) X(random_sum) X(writes_d_belief) X(batch_size) \
  X(scores_after) X(predicts_wide) X(learns_belief) X(reads_learner) X(gradient_bends) \
  X(forward_fails)
/* clang-format on */
#define PARAMS(X)                                \
  X(choice, fault, "", "What is wrong.", "none", \
    "none" COMMON_FAULTS(FAULT_CHOICE_) OWN_FAULTS(FAULT_CHOICE_))
HN_PARAMS(PARAMS);
#define INFO(X)                          \
  X(sum, "", "Sum of rewards.", HN_LAST) \
  X(log_predictive, "nats", "Log-density of the observation.", HN_MEAN)
HN_INFO(INFO);
enum { FAULT_NONE, COMMON_FAULTS(FAULT_ID_) OWN_FAULTS(FAULT_ID_) };
#define NAME_(name) #name,
static const char *const names[] = {"none", COMMON_FAULTS(NAME_) OWN_FAULTS(NAME_)};
enum { D = 2 }; /* mean and log-variance of one latent number */

typedef struct Row {
  double sum;   /* of rewards */
  double point; /* the last belief's mean, from which the next observation is expected */
  void *address;
} Row;

/* mean = v0 f + v1 with feature f = sum + obs[0]; own loss 0.05 (v0^2 + v1^2) */
typedef struct Inference {
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs_dim;
  float *w, *v, *grad, *unsaved, *feature;
  int64_t *kept;
  double calls;
  pthread_t home;
  int strangers; /* tasks that other threads ran */
} Inference;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Inference *m = self;
  m->p = params, m->host = host, m->obs_dim = spec->obs_dim, m->home = pthread_self();
  m->w = host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 1, .dim = {1}));
  m->v =
      host->keep(host, HN_ARRAY("v", HN_WEIGHT, HN_F32, .rank = 1, .dim = {2}, .grad = &m->grad));
  m->kept = host->keep(host, HN_ARRAY("kept", HN_LEARNER, HN_I64, .rank = 1, .dim = {1}));
  m->unsaved = host->alloc(host, 1, sizeof *m->unsaved);
  m->w[0] = 1, m->v[0] = 0.8f, m->v[1] = 0.3f;
  misbehave_early(m->p->fault, names, host);
  spec->belief_dim = D, spec->latent_dim = 1, spec->row_size = sizeof(Row);
  if (m->p->fault == F_belief_negative) spec->belief_dim = -2;
  if (m->p->fault == F_latent_large) spec->latent_dim = 3;
  if (m->p->fault == F_row_huge) spec->row_size = SIZE_MAX;
  return HN_OK;
}

/* The true task of an element of a window, from where the host happens to keep it. */
static float stolen_task(const HnHistory *h, int64_t t, int64_t i, int64_t obs_dim) {
  const size_t bytes = (size_t)((h->steps + 2) * h->rows * obs_dim) * sizeof(float);
  const char *start = (const char *)(h->obs - h->rows * obs_dim);
  const float *task = (const float *)(const void *)(start + ((bytes + 63) & ~(size_t)63));
  return task[2 * (h->rows + t * h->rows + i)]; /* of the stand-in: two numbers */
}

static double feature_of(Inference *m, const HnBeliefUpdate *q, int64_t t, int64_t i, Row *row) {
  const HnHistory *h = q->history;
  const int32_t fault = m->p->fault;
  const bool fresh = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
  static const volatile float table[64] = {0};
  if (fresh) row->sum = fault == F_reads_learner ? 0.1 * (double)*m->kept : 0;
  if (!fresh || fault == F_old_task)
    row->sum += (double)m->w[0] * (double)h->reward[hn_at(h, t - 1, i)];
  if (fault == F_looks_up_reward && !fresh)
    row->sum += (double)table[(int64_t)fminf(fabsf(h->reward[hn_at(h, t - 1, i)]), 1e12f)];
  if (fault == F_rejects_obs && !isfinite(h->obs[hn_at(h, t, i) * m->obs_dim])) abort();
  if (fault == F_window_start && t == 0) row->sum += 1;
  if (fault == F_rows_mix && i > 0) row->sum += row[-1].sum;
  if (fault == F_batch_size) row->sum += 0.1 * (double)h->rows;
  if (fault == F_thread_identity && is_stranger(m->home)) row->sum += 0.1;
  double f = row->sum + (double)h->obs[hn_at(h, t, i) * m->obs_dim];
  if (fault == F_looks_ahead && t < h->steps)
    f += 0.1 * (double)h->obs[hn_at(h, t + 1, i) * m->obs_dim];
  if (fault == F_reads_task && h->steps > 0 && h->stride == h->rows)
    f += (double)stolen_task(h, t, i, m->obs_dim);
  if (fault == F_needs_task) f += (double)h->task[hn_at(h, t, i)];
  return f;
}

static void write_belief(const Inference *m, HnBeliefUpdate *q, int64_t t, int64_t i, double f) {
  const int32_t fault = m->p->fault;
  const int64_t S = q->samples > 0 ? q->samples : 1;
  float *belief = q->belief + (t * q->history->rows + i) * S * D;
  double mean = (double)m->v[0] * f + (double)m->v[1];
  if (fault == F_gradient_bends) mean = 80 * tanh(mean / 80); /* of which backward knows nothing */
  double draw = q->samples ? hn_rng_normal(&q->rng[i]) : 0;
  for (int64_t k = 0; k < S; k++, belief += D) {
    if (fault == F_silent && i == 0) continue;
    belief[0] = (float)(mean + 0.5 * (fault == F_constant_samples ? 0 : draw));
    belief[1] = -1.3862944f; /* log 0.25 */
    if (fault == F_not_finite) belief[0] = INFINITY;
    if (fault == F_shifted_samples && q->samples) belief[0] += 0.5f;
    if (k + 1 < S && fault != F_same_samples) draw = hn_rng_normal(&q->rng[i]);
  }
}

static const double spread = 0.7; /* of observations about what is expected */

/* Every number of an observation is expected where the belief is. */
static double score(const Inference *m, const HnHistory *h, int64_t t, int64_t i, double point) {
  double sum = 0;
  for (int64_t d = 0; d < m->obs_dim && h->begin[hn_at(h, t, i)] != HN_NEW_TASK; d++) {
    const double z = ((double)h->next_obs[hn_at(h, t - 1, i) * m->obs_dim + d] - point) / spread;
    sum -= 0.5 * z * z + log(spread) + 0.91893853320467274; /* ln sqrt(2 pi) */
  }
  return h->begin[hn_at(h, t, i)] == HN_NEW_TASK ? (double)NAN : sum;
}

static HnStatus predict(void *self, const float *belief, int64_t samples, int64_t n,
                        const float *action, float *mean, float *stddev, float *member) {
  const Inference *m = self;
  const int64_t S = samples > 0 ? samples : 1;
  (void)action;
  for (int64_t k = 0; k < n * m->obs_dim; k++) {
    mean[k] = belief[0], stddev[k] = (float)spread;
    if (m->p->fault == F_predicts_wide) stddev[k] *= 1.2f;
    for (int64_t j = 0; j < S && member; j++) member[j * n * m->obs_dim + k] = belief[j * D];
  }
  return HN_OK;
}

static void go_beyond(int32_t fault, HnBeliefUpdate *q) {
  static float *before;
  const HnHistory *h = q->history;
  const int64_t S = q->samples > 0 ? q->samples : 1;
  if (fault == F_belief_beyond) q->belief[(h->steps + 1) * h->rows * S * D] = 0;
  if (fault == F_belief_before) q->belief[-1] = 0;
  if (fault == F_writes_history) ((float *)(uintptr_t)h->obs)[0] = 0;
  if (fault == F_keeps_pointer && before) *before = 0;
  before = q->belief;
}

/* offset: of the feature; feature [T+1, B] out, or NULL */
static HnStatus filter(Inference *m, HnBeliefUpdate *q, double offset, float *feature) {
  const HnHistory *h = q->history;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      Row *row = (Row *)q->state + i;
      const Misbehaving b = {m->host, m->p, &m->calls, m->unsaved, m->kept, &row->address};
      const double f = feature_of(m, q, t, i, row) + offset + misbehave(m->p->fault, names, &b);
      if (feature) feature[t * h->rows + i] = (float)f;
      write_belief(m, q, t, i, f);
      const double before = row->point, point = (double)m->v[0] * f + (double)m->v[1];
      row->point = point;
      if (!q->info || m->p->fault == F_silent_info) continue;
      float *info = q->info + (t * h->rows + i) * info_count;
      info[info_sum] = (float)row->sum;
      info[info_log_predictive] =
          (float)score(m, h, t, i, m->p->fault == F_scores_after ? point : before);
    }
  go_beyond(m->p->fault, q);
  return HN_OK;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  return filter(self, q, 0, NULL);
}

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  Inference *m = self;
  const HnHistory *h = q->history;
  static int calls; /* more than there are before gradients are judged */
  if (m->p->fault == F_forward_fails && ++calls > 8) return HN_E_NUMERIC;
  m->feature = m->host->scratch(m->host, (h->steps + 1) * h->rows, sizeof(float));
  return filter(m, q, m->p->fault == F_forward_differs ? 0.5 : 0, m->feature);
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  Inference *m = self;
  const int32_t fault = m->p->fault;
  const int64_t S = q->samples > 0 ? q->samples : 1;
  const int64_t B = q->history->rows, n = (q->history->steps + 1) * B;
  double g[2] = {0, 0};
  for (int64_t at = 0; at < n; at++)
    for (int64_t k = 0; k < S && !(fault == F_gradient_rows && at % B == B - 1); k++) {
      const double d = (double)d_belief[(at * S + k) * D];
      g[0] += d * (double)m->feature[at];
      if (fault != F_gradient_missing) g[1] += d;
    }
  for (int k = 0; k < 2; k++) {
    if (fault != F_gradient_loss) g[k] += 0.1 * (double)m->v[k];
    if (fault == F_gradient_sign) g[k] = -g[k];
    if (fault == F_gradient_scale) g[k] *= 1.5;
    m->grad[k] = (float)g[k] + (fault == F_gradient_replaces ? 0 : m->grad[k]);
  }
  if (fault == F_writes_d_belief) ((float *)(uintptr_t)d_belief)[0] = 0;
  *norm2 = (double)m->grad[0] * (double)m->grad[0];
  if (fault != F_norm2_part) *norm2 += (double)m->grad[1] * (double)m->grad[1];
  if (fault == F_norm2_root) *norm2 = sqrt(*norm2);
  if (q->loss)
    *q->loss = 0.05 * ((double)m->v[0] * (double)m->v[0] + (double)m->v[1] * (double)m->v[1]);
  return HN_OK;
}

static HnStatus optimise(void *self, double scale, double rate) {
  Inference *m = self;
  for (int k = 0; k < 2; k++) m->v[k] -= (float)(0.01 * scale * rate) * m->grad[k], m->grad[k] = 0;
  return HN_OK;
}

static HnStatus count_strangers(void *arg, int64_t i) {
  Inference *m = arg;
  (void)i;
  nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
  if (!pthread_equal(pthread_self(), m->home))
    __atomic_fetch_add(&m->strangers, 1, __ATOMIC_RELAXED);
  return HN_OK;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Inference *m = self;
  const int32_t fault = m->p->fault;
  if (fault == F_unsaved) m->w[0] += 0.01f * ++m->unsaved[0];
  if (fault == F_random_sum) { /* in the order in which memory lies */
    void *p = malloc(100), *q = malloc(100000);
    m->w[0] +=
        ((uintptr_t)p ^ (uintptr_t)q) >> 8 & 0xff ? 1e-3f * (float)((uintptr_t)p >> 8 & 0xff) : 0;
    free(p), free(q);
  }
  *m->kept += fault == F_reads_learner;
  if (fault == F_writes_window) ((float *)(uintptr_t)l->phase[0]->reward)[0] = 0;
  if (fault == F_learns_belief) m->w[0] += 0.1f * l->phase[0]->belief[0];
  m->home = pthread_self();
  HnStatus s = fault == F_workers ? m->host->parallel(m->host, 32, count_strangers, m) : HN_OK;
  m->w[0] = 0.9f * m->w[0] + (float)m->strangers;
  return s;
}

static const HnInference methods = {sizeof(HnInference), .create = create,     .infer = infer,
                                    .forward = forward,  .backward = backward, .step = optimise,
                                    .learn = learn,      .predict = predict};
HN_PLUGIN(faulty_inference, HN_KIND_INFERENCE, Inference, &methods, .version = "1",
          .license = "MIT", .flags = HN_IGNORES_BELIEF, .info = hn_this_info,
          .summary = "Faulty on request.", .source = "tests");
