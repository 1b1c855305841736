/* check_divergence.c - see check_divergence.h. */
#include "check_divergence.h"
#include "check_run.h"
#include <math.h>
#include <string.h>

enum { DRAWS = 4000 };

/* The observations of a window, each with the belief that was acted on and with another's. */
typedef struct Pairs {
  HnSession *s;
  int64_t n, S, O, width; /* samples that beliefs are made of; floats of an observation, a belief */
  float *obs, *a, *b;     /* [n, O], [n, width] */
  float *kl, *again;      /* [n] from a to b; of a further call */
} Pairs;

static Pairs pairs_new(HnSession *s) {
  const HnExperience *w = &s->phase[0];
  const int64_t B = w->h.rows;
  Pairs p = {.s = s, .n = w->h.steps * B, .S = s->cell->run.samples, .O = s->shape.obs};
  p.width = MAX(p.S, 1) * s->shape.belief;
  p.obs = g_new(float, p.n *p.O + 1);
  p.kl = g_new(float, p.n), p.again = g_new(float, p.n);
  p.a = g_new(float, p.n *p.width + 1), p.b = g_new(float, p.n *p.width + 1);
  for (int64_t k = 0; k < p.n; k++) {
    const int64_t other = p.n - 1 - k;
    memcpy(p.obs + k * p.O, hn_experience_at(w, HN_F_OBS, k / B, k % B),
           (gsize)p.O * sizeof(float));
    const gsize bytes = (gsize)p.width * sizeof(float);
    memcpy(p.a + k * p.width, hn_experience_at(w, HN_F_BELIEF, k / B, k % B), bytes);
    memcpy(p.b + k * p.width, hn_experience_at(w, HN_F_BELIEF, other / B, other % B), bytes);
  }
  return p;
}

static void pairs_free(Pairs *p) {
  g_free(p->obs), g_free(p->a), g_free(p->b), g_free(p->kl), g_free(p->again);
}

/* kl [n] of pairs from .. on, between beliefs a and b [.., width]. */
static HnStatus ask(const Pairs *p, int64_t from, int64_t n, const float *a, const float *b,
                    float *kl) {
  HnStatus status;
  for (int64_t k = 0; k < n; k++) kl[k] = NAN; /* where it is not written */
  HN_CALL(status, POLICY_divergence,
          HN_POLICY(p->s)->divergence(p->s->policy->self, n, p->obs + from * p->O,
                                      a + from * p->width, b + from * p->width, p->S, kl));
  return status;
}

/* ---- what is asked twice ---- */

static bool are_possible(const Pairs *p, GString *why) {
  for (int64_t k = 0; k < p->n; k++) {
    if (isfinite(p->kl[k]) && p->kl[k] >= 0) continue;
    g_string_append_printf(why, "divergence: kl[%d] is %g", (int)k, (double)p->kl[k]);
    return false;
  }
  return true;
}

static HnStatus judge_answers(const Pairs *p, GString *why) {
  float *kl = p->again;
  HnStatus status = HN_OK;
  for (int64_t k = p->n - 1; k >= 0 && !status && !why->len; k--) {
    status = ask(p, k, 1, p->a, p->b, kl);
    if (!status && kl[0] != p->kl[k])
      g_string_append_printf(why, "divergence: kl[%d] of %d is %g, but %g alone", (int)k, (int)p->n,
                             (double)p->kl[k], (double)kl[0]);
  }
  if (!status && !why->len) status = ask(p, 0, p->n, p->a, p->a, kl);
  for (int64_t k = 0; k < p->n && !status && !why->len; k++)
    if (kl[k] != 0)
      g_string_append_printf(why, "divergence: kl[%d] between equal beliefs is %g", (int)k,
                             (double)kl[k]);
  return status;
}

/* ---- against actions ---- */

/* The pair whose beliefs are furthest apart. */
static int64_t most_apart(const Pairs *p) {
  int64_t most = 0;
  double largest = -1;
  for (int64_t k = 0; k < p->n; k++) {
    double sum = 0;
    for (int64_t j = k * p->width; j < (k + 1) * p->width; j++)
      sum += pow((double)p->a[j] - (double)p->b[j], 2);
    if (sum > largest) largest = sum, most = k;
  }
  return most;
}

/* DRAWS actions [DRAWS, dim] on observation k and `belief`, discrete ones as numbers. */
static HnStatus draw(const Pairs *p, int64_t k, const float *belief, uint64_t stream, int64_t dim,
                     float *action) {
  const HnShape *shape = &p->s->shape;
  g_autofree uint8_t *begin = g_new0(uint8_t, DRAWS);
  g_autofree int64_t *step = g_new0(int64_t, DRAWS);
  g_autofree int32_t *index = g_new0(int32_t, DRAWS);
  g_autofree float *obs = g_new(float, DRAWS * p->O + 1), *reward = g_new0(float, DRAWS),
                   *all = g_new(float, DRAWS * p->width + 1),
                   *aux = g_new0(float, DRAWS * shape->aux + 1);
  g_autofree HnRng *rng = g_new(HnRng, DRAWS);
  char *state = g_aligned_alloc0(1, DRAWS * shape->policy_row + 1, 64);
  for (int64_t i = 0; i < DRAWS; i++) {
    memcpy(obs + i * p->O, p->obs + k * p->O, (gsize)p->O * sizeof *obs);
    memcpy(all + i * p->width, belief, (gsize)p->width * sizeof *all);
    rng[i] = hn_rng(stream, (uint64_t)i);
  }
  HnActBatch b = {.struct_size = sizeof b,
                  .rows = DRAWS,
                  .samples = p->S,
                  .begin = begin,
                  .episode_step = step,
                  .trial_step = step,
                  .reward = reward,
                  .obs = obs,
                  .belief = all,
                  .state = state,
                  .rng = rng,
                  .action = action,
                  .action_index = index,
                  .aux = aux};
  HnStatus status;
  HN_CALL(status, POLICY_act, HN_POLICY(p->s)->act(p->s->policy->self, &b));
  for (int64_t i = 0; i < DRAWS && !shape->action; i++) action[i * dim] = (float)index[i];
  g_aligned_free(state);
  return status;
}

/* KL between what falls above a threshold under either, less what chance may do to it: whatever the
 * threshold, frequencies are off by more than `off` once in 10^8 (Dvoretzky, Kiefer and Wolfowitz;
 * Massart 1990).  By data processing, actions diverge by no less. */
static double least_kl(const float *x, const float *y, int64_t dim) {
  const double off = sqrt(log(2e8) / (2. * DRAWS));
  double threshold = 0, p = 0, q = 0;
  for (int64_t i = 0; i < DRAWS; i++)
    threshold += ((double)x[i * dim] + (double)y[i * dim]) / (2. * DRAWS);
  for (int64_t i = 0; i < DRAWS; i++)
    p += ((double)x[i * dim] > threshold) / (double)DRAWS,
        q += ((double)y[i * dim] > threshold) / (double)DRAWS;
  if (fabs(p - q) <= 2 * off) return 0;
  p += p > q ? -off : off, q += p > q ? off : -off;
  return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q));
}

static HnStatus judge_actions(const Pairs *p, GString *why) {
  const int64_t dim = MAX(p->s->shape.action, 1), k = most_apart(p);
  float *x = g_new(float, DRAWS *dim), *y = g_new(float, DRAWS *dim);
  HnStatus status = draw(p, k, p->a + k * p->width, 5, dim, x);
  if (!status) status = draw(p, k, p->b + k * p->width, 6, dim, y);
  for (int64_t j = 0; j < dim && !status && !why->len; j++) {
    const double least = least_kl(x + j, y + j, dim);
    if ((double)p->kl[k] >= least) continue;
    g_string_append_printf(why,
                           "divergence: kl[%d] is %g, but by the %d actions drawn on either belief "
                           "at least %g",
                           (int)k, (double)p->kl[k], DRAWS, least);
  }
  g_free(x), g_free(y);
  return status;
}

static HnVerdict judge(HnSession *s, GString *why) {
  Pairs p = pairs_new(s);
  HnStatus status = ask(&p, 0, p.n, p.a, p.b, p.kl);
  if (!status && are_possible(&p, why)) status = judge_answers(&p, why);
  if (!status && !why->len) status = judge_actions(&p, why);
  pairs_free(&p);
  if (!status) return why->len ? HN_LAW_BROKEN : HN_LAW_KEPT;
  g_string_assign(why, status == HN_E_UNSUPPORTED ? "it has no divergence under these parameters"
                                                  : hn_fail_text());
  return status == HN_E_UNSUPPORTED ? HN_LAW_SKIPPED : HN_LAW_BROKEN;
}

HnVerdict hn_check_divergence(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnSession *s = hn_check_session(cell, &verdict, why);
  if (!s) return verdict;
  verdict = HN_LAW_SKIPPED;
  if (!HN_CAN(HN_POLICY(s), divergence))
    g_string_append(why, "it has no divergence");
  else
    verdict = hn_check_update(s, why) ? judge(s, why) : HN_LAW_BROKEN;
  hn_session_free(s);
  return verdict;
}
