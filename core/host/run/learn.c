/* learn.c - see learn.h. */
#include "learn.h"
#include "outputs.h"
#include "widen.h"
#include <inttypes.h>
#include <string.h>

static const HnHistory *batch_rows(const HnTrainBatch *b, int64_t phase, int64_t n,
                                   const int64_t *index) {
  HnSession *s = b->impl;
  bool known = phase >= 0 && phase < s->phases && n >= 0 && n <= s->rollouts.rows;
  for (int64_t i = 0; known && i < n; i++) known = index[i] >= 0 && index[i] < s->rollouts.rows;
  if (!known) g_error("%s: asks for rows that no phase has", s->learner->plugin->name);
  hn_experience_gather(&s->phase[phase], &s->gather, n, index);
  s->gathered = hn_experience_view(&s->gather, s->learner, 0, 0, s->gather.h.steps, n);
  return &s->gathered;
}

/* The k-th window that the host has made: the phases, then the rows last gathered; NULL: no more.
 */
static const HnExperience *window_at(const HnSession *s, int64_t k) {
  return k < s->phases ? &s->phase[k] : k == s->phases ? &s->gather : NULL;
}

/* The true task along a window that the host made, for a privileged inference: the policy that
 * hands the window back was not shown it. */
static const float *task_along(const HnSession *s, const HnHistory *h) {
  const HnExperience *w;
  for (int64_t k = 0; (w = window_at(s, k)); k++) {
    int64_t elements = (w->h.steps + 1) * w->h.rows, floats = s->shape.obs;
    const float *obs = hn_experience_lent(w, HN_F_OBS, 0, 0);
    const float *task = hn_experience_lent(w, HN_F_TASK, 0, 0);
    ptrdiff_t at = h->obs - obs;
    if (h->obs >= obs && at < elements * floats) return task + at / floats * s->shape.task;
  }
  return NULL;
}

/* The streams that acting drew from along one of the host's own windows: who asks for as many
 * samples there gets those acted on, under the present weights.  NULL: another window. */
static const HnRng *streams_acted_by(const HnSession *s, const HnHistory *h, int64_t samples) {
  if (samples == 0 || samples != s->cell->run.samples) return NULL;
  const HnExperience *w;
  for (int64_t k = 0; (w = window_at(s, k)); k++)
    if (h->obs == hn_experience_lent(w, HN_F_OBS, 0, 0) && h->rows <= w->h.rows &&
        h->state == (const char *)w->h.state + w->lent)
      return w->belief_rng;
  return NULL;
}

/* What a call writes along the window that beliefs were last asked for. */
static HnOutputs of_window(const HnSession *s, const HnInstance *of, const char *call) {
  const HnHistory *h = &s->belief_history;
  return (HnOutputs){.of = of, .call = call, .rows = (h->steps + 1) * h->rows, .batch = h->rows};
}

static int64_t belief_width(const HnSession *s) {
  return MAX(s->belief_update.samples, 1) * s->shape.belief;
}

/* Rows never interact, so each worker takes as many of those that beliefs are asked for. */
static int64_t shares_of(const HnSession *s) {
  return MAX(1, MIN(s->belief_history.rows, s->cell->run.workers));
}

/* A plugin counts rows from the first of its call. */
static void name_share(int64_t first, int64_t n) {
  g_autofree char *why = g_strdup(hn_fail_text());
  g_snprintf(hn_fail_text(), HN_FAIL_TEXT, "%s (rows from %" PRId64 " to %" PRId64 " of the batch)",
             why, first, first + n - 1);
}

static HnStatus infer_share(void *arg, int64_t k) {
  HnSession *s = arg;
  HnBeliefUpdate q = s->belief_update;
  const int64_t shares = shares_of(s), rows = s->belief_history.rows, first = k * rows / shares;
  const int64_t n = (k + 1) * rows / shares - first, times = s->belief_history.steps + 1;
  const gsize width = (gsize)belief_width(s) * sizeof(float);
  const HnHistory h = hn_history_rows(&s->belief_history, &s->phase[0], first, n);
  char *belief = (char *)(s->belief_update.belief) + (gsize)first * width;
  q.history = &h, q.rng += first, q.state = (char *)q.state + (gsize)first * s->shape.belief_row;
  if (n < rows) q.belief = hn_arena_take(hn_arena_current(), (gsize)(times * n) * width);
  HnStatus status;
  HN_CALL(status, INFERENCE_infer, HN_INFERENCE(s)->infer(s->inference->self, &q));
  if (status && n < rows) name_share(first, n);
  for (int64_t t = 0; n < rows && !status && t < times; t++)
    memcpy(belief + (gsize)(t * rows) * width, (char *)q.belief + (gsize)(t * n) * width,
           (gsize)n * width);
  return status;
}

static HnStatus batch_infer(const HnTrainBatch *b, const HnHistory *h, int64_t samples,
                            float *belief) {
  HnSession *s = b->impl;
  uint64_t seed = hn_rng_u64(b->rng);
  gsize rows = (gsize)h->rows, row = s->shape.belief_row;
  /* what forward leaves must outlive this call, until backward */
  hn_arena_reset(&s->forward, (HnMark){0});
  HnArena *before = hn_arena_enter(&s->forward);
  char *state = hn_arena_take(&s->forward, rows * row);
  HnRng *rng = hn_arena_take(&s->forward, rows * sizeof *rng);
  if (h->state)
    memcpy(state, h->state, rows * row);
  else
    memset(state, 0, rows * row);
  const HnRng *acted = streams_acted_by(s, h, samples);
  for (int64_t i = 0; i < h->rows; i++) rng[i] = acted ? acted[i] : hn_rng(seed, (uint64_t)i);
  /* which may be a copy in a struct of the learner's own headers */
  hn_widen(&s->belief_history, sizeof s->belief_history, h, s->learner->plugin->history_size);
  bool privileged = s->inference->plugin->flags & HN_PRIVILEGED;
  s->belief_history.task = privileged ? task_along(s, h) : NULL;
  s->belief_update = (HnBeliefUpdate){.struct_size = sizeof s->belief_update,
                                      .history = &s->belief_history,
                                      .state = state,
                                      .samples = samples,
                                      .rng = rng,
                                      .belief = belief};
  hn_fail_text()[0] = '\0';
  HnStatus status;
  if (b->backward)
    HN_RECORD_CALL(INFERENCE_forward,
                   status = HN_INFERENCE(s)->forward(s->inference->self, &s->belief_update));
  else
    status = hn_pool_run(s->pool, shares_of(s), infer_share, s);
  HN_TELL(status, INFERENCE_forward, 0);
  hn_arena_enter(before);
  const HnOutputs given = of_window(s, s->inference, b->backward ? "forward" : "infer");
  return status ? status : hn_outputs_finite(&given, "belief", belief, belief_width(s));
}

static HnStatus batch_backward(const HnTrainBatch *b, const float *d_belief, double *norm2) {
  HnSession *s = b->impl;
  const HnOutputs given = of_window(s, s->policy, "learn");
  HnStatus status =
      hn_outputs_finite(&given, "gradient of the loss by belief", d_belief, belief_width(s));
  if (status) return status;
  HnArena *before = hn_arena_enter(&s->forward);
  hn_fail_text()[0] = '\0';
  HN_RECORD_CALL(INFERENCE_backward, status = HN_INFERENCE(s)->backward(
                                         s->inference->self, &s->belief_update, d_belief, norm2));
  HN_TELL(status, INFERENCE_backward, 0);
  hn_arena_enter(before);
  return status;
}

static HnStatus batch_step(const HnTrainBatch *b, double scale, double rate) {
  HnSession *s = b->impl;
  HnStatus status;
  HN_CALL(status, INFERENCE_step, HN_INFERENCE(s)->step(s->inference->self, scale, rate));
  return status;
}

/* The windows as `reader` may see them. */
typedef struct Views {
  HnHistory view[HN_PHASES_MAX];
  const HnHistory *phase[HN_PHASES_MAX];
} Views;

static int64_t batch_frames_total(const HnTrainBatch *l) {
  HnSession *s = l->impl;
  s->scheduled = s->learner->plugin->name;
  return s->cell->run.frames;
}

static HnTrainBatch batch_for(HnSession *s, const HnInstance *reader, HnRng *rng, Views *r) {
  s->learner = reader;
  for (int64_t k = 0; k < s->phases; k++) {
    r->view[k] = hn_experience_view(&s->phase[k], reader, 0, 0, s->steps, s->rollouts.rows);
    r->phase[k] = &r->view[k];
  }
  return (HnTrainBatch){.struct_size = sizeof(HnTrainBatch),
                        .impl = s,
                        .iteration = s->update,
                        .frames = s->frames,
                        .frames_total = batch_frames_total,
                        .rng = rng,
                        .phases = s->phases,
                        .phase = r->phase,
                        .rows = batch_rows};
}

HnStatus hn_learn_policy(HnSession *s) {
  const HnPolicy *p = HN_POLICY(s);
  if (!HN_CAN(p, learn)) return HN_OK;
  Views r;
  HnTrainBatch b = batch_for(s, s->policy, &s->policy_learning, &r);
  b.infer = batch_infer;
  if (hn_session_trains_through_policy(s)) b.backward = batch_backward, b.step = batch_step;
  HnStatus status;
  HN_CALL(status, POLICY_learn, p->learn(s->policy->self, &b));
  return status;
}

HnStatus hn_learn_inference(HnSession *s) {
  const HnInference *q = HN_INFERENCE(s);
  if (!HN_CAN(q, learn)) return HN_OK;
  Views r;
  HnTrainBatch b = batch_for(s, s->inference, &s->inference_learning, &r);
  HnStatus status;
  HN_CALL(status, INFERENCE_learn, q->learn(s->inference->self, &b));
  return status;
}

/* ---- unfinished trials ---- */

/* Appends the window's steps to row i's history, which starts again where a new task begins. */
static void append_steps(HnSession *s, const HnExperience *w, int64_t i) {
  static const HnExperienceField at_observation[] = {HN_F_BEGIN, HN_F_OBS, HN_F_TASK};
  static const HnExperienceField at_step[] = {HN_F_ACTION,      HN_F_ACTION_INDEX, HN_F_REWARD,
                                              HN_F_TRUE_REWARD, HN_F_NEXT_OBS,     HN_F_TERMINATED,
                                              HN_F_TRUNCATED};
  HnExperience *history = &s->history;
  for (int64_t t = 0; t <= w->h.steps; t++) {
    const uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, t, i);
    if (*begin == HN_NEW_TASK) s->history_steps[i] = 0;
    int64_t at = s->history_steps[i];
    for (guint f = 0; f < G_N_ELEMENTS(at_observation); f++)
      memcpy(hn_experience_at(history, at_observation[f], at, i),
             hn_experience_at(w, at_observation[f], t, i), w->size[at_observation[f]]);
    if (t == w->h.steps) break;
    for (guint f = 0; f < G_N_ELEMENTS(at_step); f++)
      memcpy(hn_experience_at(history, at_step[f], at, i), hn_experience_at(w, at_step[f], t, i),
             w->size[at_step[f]]);
    s->history_steps[i]++;
  }
}

/* Completes one row's history and infers along it, so that the row memory is as it was before the
 * observation that the next window starts with, with the same draws. */
static HnStatus rebuild_belief(void *arg, int64_t i) {
  HnSession *s = arg;
  for (int64_t k = 0; k < s->phases; k++) append_steps(s, &s->phase[k], i);
  int64_t steps = s->history_steps[i] - 1, samples = MAX(s->cell->run.samples, 1);
  if (steps < 0) return HN_OK;
  HnArena *arena = hn_arena_current();
  HnRng rng = s->rollouts.task_rng[i];
  char *state = s->rollouts.belief + (gsize)i * s->shape.belief_row;
  memset(state, 0, s->shape.belief_row);
  HnHistory h = hn_experience_view(&s->history, s->inference, 0, i, steps, 1);
  h.state = NULL;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = s->cell->run.samples,
                      .rng = &rng,
                      .belief = hn_arena_take(
                          arena, (gsize)((steps + 1) * samples * s->shape.belief) * sizeof(float))};
  HnStatus status;
  HN_RECORD_CALL(INFERENCE_infer, status = HN_INFERENCE(s)->infer(s->inference->self, &q));
  HN_TELL(status, INFERENCE_infer, 0);
  return status;
}

HnStatus hn_learn_refresh(HnSession *s) {
  if (!s->bs.refresh) return HN_OK;
  return hn_pool_run(s->pool, s->rollouts.rows, rebuild_belief, s);
}
