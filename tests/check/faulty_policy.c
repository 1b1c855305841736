/* faulty_policy.c - see faulty.h. */
#include "faulty.h"
#include "misbehave.h"
#include <math.h>

/* clang-format off */
#define OWN_FAULTS(X) \
  X(rows_mix) X(silent) X(silent_aux) X(silent_info) X(not_finite) X(out_of_range) \
  X(negative_index) X(greedy_differs) X(greedy_counts) X(unsaved) X(continuous_only) \
  X(old_reward) X(one_stream) X(batch_size) X(thread_identity) X(action_beyond) \
  X(action_before) X(aux_beyond) X(clips_obs) X(writes_belief) X(keeps_pointer) \
  X(writes_window) X(aux_negative) X(many_phases) X(row_huge) X(looks_up_obs) X(rejects_obs) \
  X(wraps_belief) X(learn_thread) X(learn_rounding) X(learn_rand) X(kept_in_self) \
  X(kl_negative) X(kl_of_equals) X(kl_tenth) X(kl_rows_mix) X(kl_beyond) X(learns_belief) \
  X(reads_learner) X(aux_nan) X(metric_nan) X(always_draws)
/* clang-format on */
#define PARAMS(X)                                \
  X(choice, fault, "", "What is wrong.", "none", \
    "none" COMMON_FAULTS(FAULT_CHOICE_) OWN_FAULTS(FAULT_CHOICE_))
HN_PARAMS(PARAMS);
#define INFO(X) X(chosen, "", "What was chosen.", HN_LAST)
HN_INFO(INFO);
#define METRICS(X) X(updates, "", "Updates so far.", HN_MEAN)
HN_METRICS(METRICS);
enum { FAULT_NONE, COMMON_FAULTS(FAULT_ID_) OWN_FAULTS(FAULT_ID_) };
#define NAME_(name) #name,
static const char *const names[] = {"none", COMMON_FAULTS(NAME_) OWN_FAULTS(NAME_)};

typedef struct Row {
  void *address;
} Row;

typedef struct Policy {
  const HnThisParams *p;
  const HnHost *host;
  int64_t action_dim, action_count, obs_dim, belief_dim;
  double updates, calls; /* not kept */
  float *allocated;
  int64_t *kept;
  pthread_t home;
} Policy;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  const HnThisParams *p = params;
  if (p->fault == F_continuous_only && spec->action_count)
    return host->fail(host, HN_E_SHAPE, "needs continuous actions");
  misbehave_early(p->fault, names, host);
  *(Policy *)self = (Policy){
      .p = p,
      .host = host,
      .action_dim = spec->action_dim,
      .action_count = spec->action_count,
      .obs_dim = spec->obs_dim,
      .belief_dim = spec->belief_dim,
      .allocated = host->alloc(host, 1, sizeof(float)),
      .kept = host->keep(host, HN_ARRAY("kept", HN_LEARNER, HN_I64, .rank = 1, .dim = {1})),
      .home = pthread_self()};
  spec->aux_dim = p->fault == F_aux_negative ? -1 : 1;
  spec->row_size = p->fault == F_row_huge ? SIZE_MAX : sizeof(Row);
  if (p->fault == F_many_phases) spec->phases = 1000;
  return HN_OK;
}

static double first_belief(const Policy *m, const float *belief, int64_t samples, int64_t i) {
  return m->belief_dim ? (double)belief[i * (samples > 1 ? samples : 1) * m->belief_dim] : 0;
}

/* The number that row i acts on, before noise. */
static double basis_of(Policy *m, HnActBatch *a, int64_t i) {
  static int counted;
  static const volatile float table[64] = {0};
  const int32_t fault = m->p->fault;
  const Misbehaving b = {m->host,      m->p,    &m->calls,
                         m->allocated, m->kept, &((Row *)a->state + i)->address};
  double x = (double)a->obs[i * m->obs_dim] + misbehave(fault, names, &b);
  if (fault == F_rows_mix && i > 0) x += (double)a->obs[(i - 1) * m->obs_dim];
  if (fault == F_batch_size) x += 0.1 * (double)a->rows;
  if (fault == F_greedy_differs && !a->rng) x += (double)a->rows;
  if (fault == F_greedy_counts && !a->rng) x += counted++;
  if (fault == F_unsaved) x += m->updates;
  if (fault == F_kept_in_self) x += ++m->calls;
  if (fault == F_reads_learner) x += 0.1 * (double)*m->kept;
  if (fault == F_not_finite) x = NAN;
  if (fault == F_old_reward) x += 0.1 * (double)a->reward[i];
  if (fault == F_thread_identity && is_stranger(m->home)) x += 0.1;
  if (fault == F_looks_up_obs) x += (double)table[(int64_t)fmin(fabs(x), 1e12)];
  if (fault == F_rejects_obs && !isfinite(x)) abort();
  double belief = first_belief(m, a->belief, a->samples, i);
  while (fault == F_wraps_belief && belief > 1) belief -= 2;
  return x + 2 * belief;
}

static void go_beyond(const Policy *m, HnActBatch *a) {
  static float *before;
  const int32_t fault = m->p->fault;
  if (fault == F_action_beyond) a->action[a->rows * m->action_dim] = 0;
  if (fault == F_action_before) a->action[-1] = 0;
  if (fault == F_aux_beyond) a->aux[a->rows] = 0;
  if (fault == F_clips_obs) ((float *)(uintptr_t)a->obs)[0] = 0;
  if (fault == F_writes_belief) ((float *)(uintptr_t)a->belief)[0] = 0;
  if (fault == F_keeps_pointer && before) *before = 0;
  before = a->aux;
}

static HnStatus act(void *self, HnActBatch *a) {
  Policy *m = self;
  const int32_t fault = m->p->fault;
  for (int64_t i = 0; i < a->rows; i++) {
    double x = basis_of(m, a, i);
    if (a->rng || fault == F_always_draws)
      x += hn_rng_normal(&a->rng[fault == F_one_stream ? 0 : i]);
    if (fault != F_silent_aux) a->aux[i] = fault == F_aux_nan ? NAN : (float)x;
    for (int64_t k = 0; k < m->action_dim && fault != F_silent; k++)
      a->action[i * m->action_dim + k] = (float)x;
    if (m->action_count && fault != F_silent)
      a->action_index[i] = (int32_t)(x > 0 ? m->action_count - 1 : 0);
    if (m->action_count && fault == F_out_of_range) a->action_index[i] = (int32_t)m->action_count;
    if (m->action_count && fault == F_negative_index) a->action_index[i] = -3;
    if (a->info && fault != F_silent_info) a->info[i] = (float)x;
  }
  go_beyond(m, a);
  return HN_OK;
}

/* x > 0 of x ~ N(mean, 1). */
static double above(double mean) {
  return 0.5 * erfc(-mean / sqrt(2));
}

static HnStatus divergence(void *self, int64_t n, const float *obs, const float *belief_a,
                           const float *belief_b, int64_t samples, float *kl) {
  const Policy *m = self;
  const int32_t fault = m->p->fault;
  for (int64_t i = 0; i < n; i++) {
    const int64_t other = fault == F_kl_rows_mix && i > 0 ? i - 1 : i;
    const double x = (double)obs[i * m->obs_dim] + 2 * first_belief(m, belief_a, samples, other);
    const double y = (double)obs[i * m->obs_dim] + 2 * first_belief(m, belief_b, samples, i);
    double is = 0.5 * (x - y) * (x - y);
    if (m->action_count)
      is = above(x) * log(above(x) / above(y)) + above(-x) * log(above(-x) / above(-y));
    if (fault == F_kl_negative) is = x - y;
    if (fault == F_kl_of_equals) is += 0.01;
    if (fault == F_kl_tenth) is /= 10;
    kl[i] = (float)(fault == F_kl_negative ? is : fmax(is, 0));
  }
  if (fault == F_kl_beyond) kl[n] = 0;
  return HN_OK;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Policy *m = self;
  const int32_t fault = m->p->fault;
  pthread_t thread;
  m->updates++;
  m->host->metric(m->host, metric_updates, fault == F_metric_nan ? (double)NAN : m->updates);
  *m->kept += fault == F_reads_learner;
  if (fault == F_writes_window) ((float *)(uintptr_t)l->phase[0]->reward)[0] = 0;
  if (fault == F_learn_thread) pthread_create(&thread, NULL, misbehave_wait, NULL);
  if (fault == F_learn_rounding) fesetround(FE_TOWARDZERO);
  if (fault == F_learn_rand) *m->kept += rand() & 1;
  if (fault == F_learns_belief && m->belief_dim)
    *m->kept += (int64_t)(1e6f * l->phase[0]->belief[0]);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn,
                                 .divergence = divergence};
HN_PLUGIN(faulty_policy, HN_KIND_POLICY, Policy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .summary = "Faulty on request.",
          .source = "tests");
