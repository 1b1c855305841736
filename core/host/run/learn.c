/* learn.c - what a learner may ask of one iteration's experience, and the replay of running lives
 * after the weights have changed. */
#include "session.h"
#include <string.h>

static const HnHistory *lesson_rows(const HnTrainBatch *l, int64_t phase, int64_t n,
                                    const int64_t *index) {
  HnSession *s = l->impl;
  bool known = phase >= 0 && phase < s->phases && n >= 0 && n <= s->crew.rows;
  for (int64_t i = 0; known && i < n; i++) known = index[i] >= 0 && index[i] < s->crew.rows;
  if (!known) g_error("%s: asks for rows that no phase has", s->policy->plugin->name);
  hn_experience_gather(&s->phase[phase], &s->gather, n, index);
  s->gathered = s->gather.h;
  if (!l->phase[phase]->task) s->gathered.task = NULL;
  return &s->gathered;
}

/* The true task along a window that the host made, for a privileged inference: the policy that
 * hands the window back was not shown it. */
static const float *task_along(const HnSession *s, const HnHistory *h) {
  for (int64_t k = 0; k <= s->phases; k++) {
    const HnExperience *w = k < s->phases ? &s->phase[k] : &s->gather;
    int64_t elements = (w->h.steps + 1) * w->h.rows, floats = s->shape.obs;
    ptrdiff_t at = h->obs - w->h.obs;
    if (h->obs >= w->h.obs && at < elements * floats)
      return w->h.task + at / floats * s->shape.task;
  }
  return NULL;
}

static HnStatus lesson_believe(const HnTrainBatch *l, const HnHistory *h, int64_t samples,
                               float *belief) {
  HnSession *s = l->impl;
  uint64_t high = hn_rng_u32(l->rng), seed = high << 32 | hn_rng_u32(l->rng);
  gsize rows = (gsize)h->rows, row = s->shape.belief_row;
  /* what forward remembers must outlive this call, until backward */
  hn_arena_reset(&s->lesson, (HnMark){0});
  HnArena *before = hn_arena_enter(&s->lesson);
  char *state = hn_arena_take(&s->lesson, rows * row);
  HnRng *rng = hn_arena_take(&s->lesson, rows * sizeof *rng);
  if (h->state)
    memcpy(state, h->state, rows * row);
  else
    memset(state, 0, rows * row);
  for (int64_t i = 0; i < h->rows; i++) rng[i] = hn_rng(seed, (uint64_t)i);
  s->thought_history = *h;
  bool told = s->inference->plugin->flags & HN_PRIVILEGED;
  s->thought_history.task = told ? task_along(s, h) : NULL;
  s->thought = (HnBeliefUpdate){.struct_size = sizeof s->thought,
                                .history = &s->thought_history,
                                .state = state,
                                .samples = samples,
                                .rng = rng,
                                .belief = belief};
  const HnInference *q = HN_INFERENCE(s);
  hn_fail_text()[0] = '\0';
  HnStatus status = (l->backward ? q->forward : q->infer)(s->inference->self, &s->thought);
  hn_arena_enter(before);
  return status;
}

static HnStatus lesson_backward(const HnTrainBatch *l, const float *d_belief, double *norm2) {
  HnSession *s = l->impl;
  HnArena *before = hn_arena_enter(&s->lesson);
  hn_fail_text()[0] = '\0';
  HnStatus status = HN_INFERENCE(s)->backward(s->inference->self, &s->thought, d_belief, norm2);
  hn_arena_enter(before);
  return status;
}

static HnStatus lesson_step(const HnTrainBatch *l, double scale, double rate) {
  HnSession *s = l->impl;
  HnStatus status;
  HN_CALL(status, HN_INFERENCE(s)->step(s->inference->self, scale, rate));
  return status;
}

/* The windows as `reader` may see them. */
typedef struct Reading {
  HnHistory view[HN_PHASES_MAX];
  const HnHistory *phase[HN_PHASES_MAX];
} Reading;

static HnTrainBatch lesson_for(HnSession *s, const HnInstance *reader, HnRng *rng, Reading *r) {
  for (int64_t k = 0; k < s->phases; k++) {
    r->view[k] = hn_experience_view(&s->phase[k], reader, 0, 0, s->steps, s->crew.rows);
    r->phase[k] = &r->view[k];
  }
  return (HnTrainBatch){.struct_size = sizeof(HnTrainBatch),
                        .impl = s,
                        .iteration = s->update,
                        .frames = s->frames,
                        .frames_total = s->cell->run.frames,
                        .rng = rng,
                        .phases = s->phases,
                        .phase = r->phase,
                        .rows = lesson_rows};
}

HnStatus hn_session_learn_policy(HnSession *s) {
  const HnPolicy *p = HN_POLICY(s);
  const HnInference *q = HN_INFERENCE(s);
  if (!HN_CAN(p, learn)) return HN_OK;
  Reading r;
  HnTrainBatch l = lesson_for(s, s->policy, &s->policy_learning, &r);
  l.infer = lesson_believe;
  if (HN_CAN(q, backward) && !s->cell->run.stop_gradient)
    l.backward = lesson_backward, l.step = lesson_step;
  HnStatus status;
  HN_CALL(status, p->learn(s->policy->self, &l));
  return status;
}

HnStatus hn_session_learn_inference(HnSession *s) {
  const HnInference *q = HN_INFERENCE(s);
  if (!HN_CAN(q, learn)) return HN_OK;
  Reading r;
  HnTrainBatch l = lesson_for(s, s->inference, &s->inference_learning, &r);
  HnStatus status;
  HN_CALL(status, q->learn(s->inference->self, &l));
  return status;
}

/* ---- running lives ---- */

/* Appends the window's steps to row i's life, which starts again where a new task begins. */
static void remember(HnSession *s, const HnExperience *w, int64_t i) {
  static const HnExperienceField percept[] = {HN_F_BEGIN, HN_F_OBS, HN_F_TASK};
  static const HnExperienceField taken[] = {HN_F_ACTION,      HN_F_ACTION_INDEX, HN_F_REWARD,
                                            HN_F_TRUE_REWARD, HN_F_NEXT_OBS,     HN_F_TERMINATED,
                                            HN_F_TRUNCATED};
  HnExperience *life = &s->life;
  for (int64_t t = 0; t <= w->h.steps; t++) {
    const uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, t, i);
    if (*begin == HN_NEW_TASK) s->life_at[i] = 0;
    int64_t at = s->life_at[i];
    for (guint f = 0; f < G_N_ELEMENTS(percept); f++)
      memcpy(hn_experience_at(life, percept[f], at, i), hn_experience_at(w, percept[f], t, i),
             w->size[percept[f]]);
    if (t == w->h.steps) break;
    for (guint f = 0; f < G_N_ELEMENTS(taken); f++)
      memcpy(hn_experience_at(life, taken[f], at, i), hn_experience_at(w, taken[f], t, i),
             w->size[taken[f]]);
    s->life_at[i]++;
  }
}

/* Takes in what one row has lived through since, and rebuilds its memory as it was before the
 * percept that the next window starts with. */
static HnStatus replay_row(void *arg, int64_t i) {
  HnSession *s = arg;
  for (int64_t k = 0; k < s->phases; k++) remember(s, &s->phase[k], i);
  int64_t steps = s->life_at[i] - 1, samples = MAX(s->cell->run.samples, 1);
  if (steps < 0) return HN_OK;
  HnArena *arena = hn_arena_current();
  HnRng rng = s->crew.belief_rng[i];
  char *state = s->crew.belief + (gsize)i * s->shape.belief_row;
  memset(state, 0, s->shape.belief_row);
  HnHistory h = hn_experience_view(&s->life, s->inference, 0, i, steps, 1);
  h.state = NULL;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = s->cell->run.samples,
                      .rng = &rng,
                      .belief = hn_arena_take(
                          arena, (gsize)((steps + 1) * samples * s->shape.belief) * sizeof(float))};
  return HN_INFERENCE(s)->infer(s->inference->self, &q);
}

HnStatus hn_session_refresh(HnSession *s) {
  if (!s->bs.refresh) return HN_OK;
  return hn_pool_run(s->pool, s->crew.rows, replay_row, s);
}
