/* rollout.c - infers, acts and steps, and decides where episodes are truncated and trials end. Rows
 * never interact, so a block of them runs through a whole window on one worker. */
#include "rollout.h"
#include "evaluation_tasks.h"
#include "outputs.h"
#include "pages.h"
#include "session.h"
#include <string.h>

enum { BLOCK_MAX = 16 }; /* rows that act together; no result depends on how many do */

HnRng hn_stream(uint64_t seed, int purpose, int64_t row) {
  return hn_rng(seed, (uint64_t)purpose << 40 | (uint64_t)row);
}

/* What a call has written for rows [first, first + n). */
static HnOutputs outputs_of(const HnInstance *of, const char *call, const HnRollouts *r,
                            int64_t first, int64_t n, int64_t taken) {
  return (HnOutputs){.of = of,
                     .call = call,
                     .first = first,
                     .rows = n,
                     .step = r->trial_step + first,
                     .taken = taken};
}

/* Room in the arena for what a plugin writes and the host takes over once the call has returned. */
static void *zeroed(gsize bytes) {
  return memset(hn_arena_take(hn_arena_current(), bytes), 0, bytes);
}
static void *copied(const void *from, gsize bytes) {
  return memcpy(hn_arena_take(hn_arena_current(), bytes), from, bytes);
}

/* Checks what reset wrote for rows that begin, and takes it over from them alone. */
static HnStatus take_begun(HnSession *s, HnRollouts *r, HnExperience *w, int64_t t,
                           const HnEnvBatch *b) {
  const int64_t O = s->shape.obs, K = s->shape.task, count = s->tasks[r->split].count;
  HnStatus status = HN_OK;
  for (int64_t i = 0; i < b->rows && !status; i++) {
    const int64_t k = b->first + i;
    if (b->begin[i] == HN_KEEP) continue;
    const HnOutputs o = outputs_of(hn_env_of_reset(s->env), "reset", r, k, 1, 0);
    status = hn_outputs_finite(&o, "observation", b->obs + i * O, O);
    if (!status) status = hn_outputs_finite(&o, "task", b->task + i * K, K);
    memcpy(hn_experience_at(w, HN_F_OBS, t, k), b->obs + i * O, w->size[HN_F_OBS]);
    memcpy(hn_experience_at(w, HN_F_TASK, t, k), b->task + i * K, w->size[HN_F_TASK]);
    if (b->begin[i] != HN_NEW_TASK) continue;
    if (!status) status = hn_outputs_task(&o, b->task_index[i], r->next_task[k], count);
    w->task_index[t * r->rows + k] = b->task_index[i];
  }
  return status;
}

/* Calls env reset for rows [first, first + n) as `begin` says at observation t; a new task finds
 * its row memory zeroed. */
static HnStatus begin_rows(HnSession *s, HnRollouts *r, HnExperience *w, int64_t t, int64_t first,
                           int64_t n) {
  const uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, t, first);
  const HnMark mark = hn_arena_mark(hn_arena_current());
  const gsize rows = (gsize)n;
  HnEnvBatch b = {
      .struct_size = sizeof b,
      .rows = n,
      .first = first,
      .begin = hn_experience_lent(w, HN_F_BEGIN, t, first),
      .split = r->split,
      .task_index = copied(w->task_index + t * r->rows + first, rows * sizeof *b.task_index),
      .obs = copied(hn_experience_at(w, HN_F_OBS, t, first), rows * w->size[HN_F_OBS]),
      .task = copied(hn_experience_at(w, HN_F_TASK, t, first), rows * w->size[HN_F_TASK])};
  for (int64_t i = 0; i < n; i++) {
    if (begin[i] != HN_NEW_TASK) continue;
    gsize row = (gsize)(first + i);
    hn_env_forget(s->env, &r->env, first + i);
    memset(r->belief + row * s->shape.belief_row, 0, s->shape.belief_row);
    memset(r->policy + row * s->shape.policy_row, 0, s->shape.policy_row);
    b.task_index[i] = r->next_task[row];
  }
  HnStatus status = hn_env_reset(s->env, &r->env, &b);
  if (!status) status = take_begun(s, r, w, t, &b);
  hn_arena_reset(hn_arena_current(), mark);
  return status;
}

static void make_saved(HnSession *s, HnRollouts *r) {
  gsize n = (gsize)r->rows;
  r->saved_belief = hn_zeros(n * s->shape.belief_row);
  r->saved_policy = hn_zeros(n * s->shape.policy_row);
  hn_experience_make(&r->saved, &s->shape, 0, r->rows, r->samples);
  if (s->protocol.adapt == 0) memset(r->next_belief, HN_BELIEF_SAVE, n);
}

/* The streams of row i's environment.  What is innermost has the same in any wrapper. */
static void begin_env_streams(const HnSession *s, HnRollouts *r, int shift, int64_t i,
                              int64_t stream) {
  int holds = 0;
  for (const HnInstance *x = s->env->inner; x; x = x->inner) holds++;
  for (const HnInstance *x = s->env; x; x = x->inner, holds--)
    hn_env_streams(&r->env, x)[i] =
        hn_stream(s->cell->seed, HN_FOR_ENV + shift + holds * HN_FOR_WRAPPER, stream);
}

HnStatus hn_rollouts_make(HnSession *s, HnRollouts *r, int64_t rows, int64_t split,
                          const HnTrialLength *trial, bool train) {
  gsize n = (gsize)rows;
  int shift = train ? 0 : HN_FOR_EVALUATION;
  *r = (HnRollouts){.rows = rows,
                    .split = split,
                    .samples = train ? s->cell->run.samples : s->eval_samples,
                    .episodes = trial->by_steps ? INT64_MAX : trial->episodes,
                    .lifetime = trial->by_steps ? trial->lifetime : INT64_MAX,
                    .train = train,
                    .env = hn_env_memory_new(s->env, rows),
                    .belief = hn_zeros(n * s->shape.belief_row),
                    .policy = hn_zeros(n * s->shape.policy_row),
                    .belief_rng = hn_zeros(n * sizeof(HnRng)),
                    .policy_rng = hn_zeros(n * sizeof(HnRng)),
                    .task_rng = hn_zeros(n * sizeof(HnRng)),
                    .episode_step = hn_zeros(n * sizeof(int64_t)),
                    .trial_step = hn_zeros(n * sizeof(int64_t)),
                    .episode = hn_zeros(n * sizeof(int64_t)),
                    .ended = hn_zeros(n * sizeof(int64_t)),
                    .next_task = hn_zeros(n * sizeof(int64_t)),
                    .next_belief = hn_zeros(n)};
  for (int64_t i = 0; i < rows; i++) {
    begin_env_streams(s, r, shift, i, i);
    r->belief_rng[i] = hn_stream(s->cell->seed, HN_FOR_BELIEF + shift, i);
    r->policy_rng[i] = hn_stream(s->cell->seed, HN_FOR_POLICY + shift, i);
    r->next_task[i] = -1, r->ended[i] = INT64_MAX;
  }
  if (!train) hn_evaluation_tasks(s, split, rows, r->next_task);
  if (!train && s->protocol.flags & HN_ADAPTS) make_saved(s, r);
  hn_experience_make(&r->tail, &s->shape, 0, rows, r->samples);
  memset(hn_experience_at(&r->tail, HN_F_BEGIN, 0, 0), HN_NEW_TASK, n);
  return begin_rows(s, r, &r->tail, 0, 0, rows);
}

HnStatus hn_rollouts_begin(HnSession *s, HnRollouts *r, int64_t stream, int64_t task) {
  begin_env_streams(s, r, HN_FOR_EVALUATION, 0, stream);
  r->belief_rng[0] = hn_stream(s->cell->seed, HN_FOR_BELIEF + HN_FOR_EVALUATION, stream);
  r->policy_rng[0] = hn_stream(s->cell->seed, HN_FOR_POLICY + HN_FOR_EVALUATION, stream);
  r->next_task[0] = task;
  return begin_rows(s, r, &r->tail, 0, 0, 1);
}

void hn_rollouts_free(HnRollouts *r) {
  hn_experience_free(&r->tail), hn_experience_free(&r->saved);
  hn_env_memory_free(&r->env);
  void *all[] = {r->belief,       r->policy,       r->belief_rng,  r->policy_rng, r->task_rng,
                 r->episode_step, r->trial_step,   r->episode,     r->next_task,  r->ended,
                 r->next_belief,  r->saved_belief, r->saved_policy};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) hn_zeros_free(all[i]);
  *r = (HnRollouts){.rows = 0};
}

/* A block of rows at step t of a window. */
typedef struct Block {
  HnSession *s;
  HnRollouts *r;
  HnExperience *w;
  int64_t t, first, n;
} Block;

/* ---- counted episodes that begin with one belief ---- */

/* Saves what row k is about to begin its first counted episode with: its memory, and the step that
 * its belief has yet to take in. */
static void save_belief(const Block *b, int64_t k) {
  HnRollouts *r = b->r;
  gsize q = b->s->shape.belief_row, p = b->s->shape.policy_row, i = (gsize)k;
  memcpy(r->saved_belief + i * q, r->belief + i * q, q);
  memcpy(r->saved_policy + i * p, r->policy + i * p, p);
  for (HnExperienceField f = 0; f < HN_FIELDS; f++)
    for (int64_t t = -1; t <= 0; t++)
      memcpy(hn_experience_at(&r->saved, f, t, k), hn_experience_at(b->w, f, b->t + t, k),
             b->w->size[f]);
}

/* Puts row k back to that memory and step; the observation that begins this episode is new. */
static void restore_belief(const Block *b, int64_t k) {
  HnRollouts *r = b->r;
  gsize q = b->s->shape.belief_row, p = b->s->shape.policy_row, i = (gsize)k;
  memcpy(r->belief + i * q, r->saved_belief + i * q, q);
  memcpy(r->policy + i * p, r->saved_policy + i * p, p);
  memcpy(hn_experience_at(&r->saved, HN_F_OBS, 0, k), hn_experience_at(b->w, HN_F_OBS, b->t, k),
         b->w->size[HN_F_OBS]);
}

static void save_or_restore(const Block *b) {
  const HnRollouts *r = b->r;
  for (int64_t k = b->first; k < b->first + b->n; k++) {
    if (r->next_belief[k] == HN_BELIEF_SAVE) save_belief(b, k);
    if (r->next_belief[k] == HN_BELIEF_RESTORE) restore_belief(b, k);
  }
}

/* True if row k's episode counts and takes the policy's mode. */
static bool is_greedy(const Block *b, int64_t k) {
  const HnProtocol *p = &b->s->protocol;
  return !b->r->train && !b->r->drawn && p->greedy && b->r->episode[k] >= p->adapt;
}

/* The rows from `first` on, at most as far as the block goes, for which `is` says the same. */
static Block alike(const Block *b, int64_t first, bool (*is)(const Block *b, int64_t k)) {
  Block part = *b;
  int64_t end = b->first + b->n;
  part.first = first, part.n = 1;
  while (first + part.n < end && is(b, first + part.n) == is(b, first)) part.n++;
  return part;
}

/* ---- a step ---- */

/* Takes over the block's info columns into those of the window. */
static void keep_info(const Block *b, float *window, const float *info, int64_t infos) {
  if (infos)
    memcpy(window + (b->t * b->r->rows + b->first) * infos, info,
           (gsize)(b->n * infos) * sizeof *info);
}

static bool is_restored(const Block *b, int64_t k) {
  return b->r->next_belief[k] == HN_BELIEF_RESTORE;
}

/* By which hn_learn_refresh draws again what was drawn. */
static void keep_streams_of_new_tasks(const Block *b) {
  const uint8_t *begin = hn_experience_at(b->w, HN_F_BEGIN, b->t, b->first);
  for (int64_t k = 0; k < b->n; k++)
    if (begin[k] == HN_NEW_TASK) b->r->task_rng[b->first + k] = b->r->belief_rng[b->first + k];
}

/* The belief at a window's last observation serves only to bootstrap, so it is inferred on a copy:
 * the next window infers it again, perhaps with other weights. */
static HnStatus infer_alike(const Block *b, bool last) {
  HnSession *s = b->s;
  HnRollouts *r = b->r;
  gsize row = s->shape.belief_row, bytes = (gsize)b->n * row;
  bool restored = is_restored(b, b->first);
  char *state = r->belief + (gsize)b->first * row;
  HnRng *rng = r->belief_rng + b->first, spare_rng[BLOCK_MAX];
  HnMark mark = hn_arena_mark(hn_arena_current());
  if (s->bs.refresh) keep_streams_of_new_tasks(b);
  if (last) {
    char *spare = hn_arena_take(hn_arena_current(), bytes);
    state = memcpy(spare, state, bytes);
    rng = memcpy(spare_rng, rng, (gsize)b->n * sizeof *rng);
  }
  HnHistory now = hn_experience_view(restored ? &r->saved : b->w, s->inference, restored ? 0 : b->t,
                                     b->first, 0, b->n);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &now,
                      .state = state,
                      .samples = r->samples,
                      .rng = rng,
                      .belief = hn_experience_at(b->w, HN_F_BELIEF, b->t, b->first)};
  const int64_t infos = r->train ? 0 : s->shape.belief_infos;
  if (infos) q.info = zeroed((gsize)(b->n * infos) * sizeof *q.info);
  HnStatus status;
  HN_CALL(status, INFERENCE_infer, HN_INFERENCE(s)->infer(s->inference->self, &q));
  const HnOutputs o = outputs_of(s->inference, "infer", r, b->first, b->n, 0);
  if (!status)
    status = hn_outputs_finite(&o, "belief", q.belief, MAX(r->samples, 1) * s->shape.belief);
  if (!status && infos) status = hn_outputs_info(&o, q.info);
  if (!status) keep_info(b, b->w->belief_info, q.info, infos);
  hn_arena_reset(hn_arena_current(), mark);
  return status;
}

/* A window's last observation comes again at the start of the next one, so it is scored there,
 * unless the trial ends with it. */
static HnStatus score_predictions(const Block *b, bool last) {
  HnRollouts *r = b->r;
  HnStatus status = HN_OK;
  for (int64_t k = b->first; r->predictive && k < b->first + b->n && !status; k++) {
    int64_t at = r->trial_step[k];
    if (at >= r->predictive->observations || at > r->ended[k] ||
        (last && at + 1 < r->predictive->observations))
      continue;
    const HnMark mark = hn_arena_mark(hn_arena_current());
    status = hn_predictive_row(b->s, r->predictive, k, at, hn_env_row(b->s->env, &r->env, k),
                               hn_experience_lent(b->w, HN_F_BELIEF, b->t, k), r->samples);
    hn_arena_reset(hn_arena_current(), mark);
  }
  return status;
}

static HnStatus infer(const Block *b, bool last) {
  HnStatus status = HN_OK;
  for (int64_t k = b->first; k < b->first + b->n && !status;) {
    Block part = alike(b, k, is_restored);
    status = infer_alike(&part, last);
    k += part.n;
  }
  return status ? status : score_predictions(b, last);
}

/* Checks what the policy chose and takes it over. */
static HnStatus take_actions(const Block *b, const HnActBatch *a) {
  const HnSession *s = b->s;
  const HnOutputs o = outputs_of(s->policy, "act", b->r, b->first, b->n, 0);
  HnStatus status = hn_outputs_finite(&o, "action", a->action, s->shape.action);
  if (!status && s->es.action_count)
    status = hn_outputs_index(&o, "action_index", a->action_index, s->es.action_count);
  if (!status) status = hn_outputs_finite(&o, "aux", a->aux, s->shape.aux);
  if (!status && a->info) status = hn_outputs_info(&o, a->info);
  if (status) return status;
  memcpy(hn_experience_at(b->w, HN_F_ACTION, b->t, b->first), a->action,
         (gsize)b->n * b->w->size[HN_F_ACTION]);
  memcpy(hn_experience_at(b->w, HN_F_ACTION_INDEX, b->t, b->first), a->action_index,
         (gsize)b->n * b->w->size[HN_F_ACTION_INDEX]);
  keep_info(b, b->w->policy_info, a->info, a->info ? s->shape.policy_infos : 0);
  return HN_OK;
}

/* What rows first .. of block b act on, [n, max(S, 1), D]. */
static const float *belief_to_act_on(const Block *b, int64_t first, int64_t n) {
  if (!b->r->shuffled) return hn_experience_lent(b->w, HN_F_BELIEF, b->t, first);
  const gsize size = b->w->size[HN_F_BELIEF];
  char *to = hn_arena_take(hn_arena_current(), (gsize)n * size + 1);
  for (int64_t i = 0; i < n; i++) {
    const int64_t other = b->first + (first - b->first + i + 1) % b->n;
    memcpy(to + (gsize)i * size, hn_experience_at(b->w, HN_F_BELIEF, b->t, other), size);
  }
  return (const float *)(const void *)to;
}

/* Part b of the rows of block `whole`. */
static HnStatus act_alike(const Block *b, const Block *whole) {
  HnSession *s = b->s;
  HnRollouts *r = b->r;
  const HnMark mark = hn_arena_mark(hn_arena_current());
  const gsize n = (gsize)b->n;
  HnActBatch a = {.struct_size = sizeof a,
                  .rows = b->n,
                  .samples = r->samples,
                  .begin = hn_experience_lent(b->w, HN_F_BEGIN, b->t, b->first),
                  .episode_step = copied(r->episode_step + b->first, n * sizeof(int64_t)),
                  .trial_step = copied(r->trial_step + b->first, n * sizeof(int64_t)),
                  .reward = hn_experience_lent(b->w, HN_F_REWARD, b->t - 1, b->first),
                  .obs = hn_experience_lent(b->w, HN_F_OBS, b->t, b->first),
                  .belief = belief_to_act_on(whole, b->first, b->n),
                  .state = r->policy + (gsize)b->first * s->shape.policy_row,
                  .rng = is_greedy(b, b->first) ? NULL : r->policy_rng + b->first,
                  .action = zeroed(n * b->w->size[HN_F_ACTION]),
                  .action_index = zeroed(n * b->w->size[HN_F_ACTION_INDEX]),
                  .aux = hn_experience_at(b->w, HN_F_AUX, b->t, b->first)};
  if (!r->train && s->shape.policy_infos)
    a.info = zeroed(n * s->shape.policy_infos * sizeof *a.info);
  HnStatus status;
  HN_CALL(status, POLICY_act, HN_POLICY(s)->act(s->policy->self, &a));
  if (!status) status = take_actions(b, &a);
  hn_arena_reset(hn_arena_current(), mark);
  return status;
}

static HnStatus act(const Block *b) {
  HnStatus status = HN_OK;
  for (int64_t k = b->first; k < b->first + b->n && !status;) {
    Block part = alike(b, k, is_greedy);
    status = act_alike(&part, b);
    k += part.n;
  }
  return status;
}

/* The block's continuous actions within [-1, 1], as the environment gets them, in the arena.  The
 * history keeps what the policy chose. */
static const float *clipped_actions(const Block *b) {
  const int64_t n = b->n * b->s->shape.action;
  const float *chosen = hn_experience_at(b->w, HN_F_ACTION, b->t, b->first);
  float *clipped = hn_arena_take(hn_arena_current(), (gsize)n * sizeof *clipped);
  for (int64_t i = 0; i < n; i++) clipped[i] = chosen[i] < -1 ? -1 : chosen[i] > 1 ? 1 : chosen[i];
  return clipped;
}

/* Checks what a step led to and takes it over: from here on nobody but the host writes to it. */
static HnStatus take_step(const Block *b, const HnEnvBatch *e) {
  const HnSession *s = b->s;
  const HnOutputs o = outputs_of(hn_env_of_step(s->env), "step", b->r, b->first, b->n, 1);
  HnStatus status = hn_outputs_finite(&o, "observation", e->obs, s->shape.obs);
  if (!status) status = hn_outputs_finite(&o, "reward", e->reward, 1);
  if (!status) status = hn_outputs_flag(&o, "terminated", e->terminated);
  if (!status) status = hn_outputs_flag(&o, "truncated", e->truncated);
  if (!status) status = hn_outputs_info(&o, e->info);
  if (status) return status;
  const struct {
    HnExperienceField field;
    const void *from;
  } taken[] = {{HN_F_NEXT_OBS, e->obs},
               {HN_F_TRUE_REWARD, e->reward},
               {HN_F_REWARD, e->reward},
               {HN_F_TERMINATED, e->terminated},
               {HN_F_TRUNCATED, e->truncated}};
  for (guint k = 0; k < G_N_ELEMENTS(taken); k++)
    memcpy(hn_experience_at(b->w, taken[k].field, b->t, b->first), taken[k].from,
           (gsize)b->n * b->w->size[taken[k].field]);
  keep_info(b, b->w->env_info, e->info, s->shape.env_infos);
  return HN_OK;
}

/* The rewards of the step as the inference would have them, in training. */
static HnStatus relabel(const Block *b) {
  HnSession *s = b->s;
  const HnInference *q = HN_INFERENCE(s);
  if (!b->r->train || !HN_CAN(q, relabel)) return HN_OK;
  float *reward = hn_experience_at(b->w, HN_F_REWARD, b->t, b->first);
  HnHistory now = hn_experience_view(b->w, s->inference, b->t, b->first, 1, b->n);
  HnStatus status;
  HN_CALL(status, INFERENCE_relabel,
          q->relabel(s->inference->self, &now, b->r->belief + (gsize)b->first * s->shape.belief_row,
                     b->r->belief_rng + b->first, reward));
  const HnOutputs o = outputs_of(s->inference, "relabel", b->r, b->first, b->n, 1);
  return status ? status : hn_outputs_finite(&o, "reward", reward, 1);
}

static HnStatus step(const Block *b) {
  HnSession *s = b->s;
  HnRollouts *r = b->r;
  const HnMark mark = hn_arena_mark(hn_arena_current());
  const gsize n = (gsize)b->n;
  HnEnvBatch e = {.struct_size = sizeof e,
                  .rows = b->n,
                  .first = b->first,
                  .action = clipped_actions(b),
                  .chosen = copied(hn_experience_at(b->w, HN_F_ACTION, b->t, b->first),
                                   n * b->w->size[HN_F_ACTION]),
                  .action_index = copied(hn_experience_at(b->w, HN_F_ACTION_INDEX, b->t, b->first),
                                         n * b->w->size[HN_F_ACTION_INDEX]),
                  .obs = zeroed(n * b->w->size[HN_F_NEXT_OBS]),
                  .reward = zeroed(n * sizeof *e.reward),
                  .terminated = zeroed(n),
                  .truncated = zeroed(n),
                  .info = zeroed(n * s->shape.env_infos * sizeof *e.info)};
  HnStatus status = hn_env_step(s->env, &r->env, &e);
  if (!status) status = take_step(b, &e);
  hn_arena_reset(hn_arena_current(), mark);
  return status ? status : relabel(b);
}

/* True if row k has a success that ends its counted episode. */
static bool is_success(const Block *b, int64_t k) {
  const HnSession *s = b->s;
  if (b->r->train || !(s->protocol.flags & HN_ENDS_ON_SUCCESS) ||
      b->r->episode[k] < s->protocol.adapt)
    return false;
  int64_t at = b->t * b->r->rows + k;
  return b->w->env_info[at * s->shape.env_infos + s->success] > 0;
}

/* What happens to row k's belief at the observation after an episode that has just ended. */
static uint8_t belief_after(const Block *b, int64_t k) {
  const HnProtocol *p = &b->s->protocol;
  if (b->r->train || !(p->flags & HN_ADAPTS) || b->r->episode[k] < p->adapt)
    return HN_BELIEF_CONTINUE;
  return b->r->episode[k] == p->adapt ? HN_BELIEF_SAVE : HN_BELIEF_RESTORE;
}

/* Decides what begins at observation t + 1, and begins it.  A trial's last step truncates its
 * episode.  An evaluation runs one trial and never ends it, so that its last step is scored too. */
static HnStatus advance(const Block *b) {
  HnSession *s = b->s;
  HnRollouts *r = b->r;
  HnExperience *w = b->w;
  const uint8_t *terminated = hn_experience_at(w, HN_F_TERMINATED, b->t, b->first);
  uint8_t *truncated = hn_experience_at(w, HN_F_TRUNCATED, b->t, b->first);
  uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, b->t + 1, b->first);
  for (int64_t i = 0; i < b->n; i++) {
    int64_t k = b->first + i;
    bool last = ++r->trial_step[k] == r->lifetime;
    bool over = ++r->episode_step[k] == s->es.horizon || truncated[i] || last || is_success(b, k),
         end = over || terminated[i];
    truncated[i] = over && !terminated[i];
    if (end) r->episode_step[k] = 0, r->episode[k]++;
    if (end && !r->train && !s->eval_trial.by_steps && r->episode[k] == s->protocol.row_episodes)
      r->ended[k] = r->trial_step[k];
    bool fresh = end && r->train && (last || r->episode[k] == r->episodes);
    if (fresh) r->episode[k] = r->trial_step[k] = 0;
    r->next_belief[k] = end ? belief_after(b, k) : HN_BELIEF_CONTINUE;
    begin[i] = fresh ? HN_NEW_TASK : end ? HN_NEW_EPISODE : HN_KEEP;
  }
  if (r->watch && begin[0] != HN_KEEP) {
    HnStatus status = r->watch(r->watch_arg, r, w, b->t, true);
    if (status) return status;
  }
  memcpy(hn_experience_at(w, HN_F_OBS, b->t + 1, b->first),
         hn_experience_at(w, HN_F_NEXT_OBS, b->t, b->first), (gsize)b->n * w->size[HN_F_OBS]);
  memcpy(hn_experience_at(w, HN_F_TASK, b->t + 1, b->first),
         hn_experience_at(w, HN_F_TASK, b->t, b->first), (gsize)b->n * w->size[HN_F_TASK]);
  int64_t at = b->t * r->rows + b->first;
  memcpy(w->task_index + at + r->rows, w->task_index + at, (gsize)b->n * sizeof(int64_t));
  return begin_rows(s, r, w, b->t + 1, b->first, b->n);
}

/* ---- beliefs that nobody reads ---- */

/* Whether nobody reads what rows believe while they collect experience to train on. */
static bool nobody_reads_beliefs(const HnSession *s, const HnRollouts *r) {
  const HnInference *q = HN_INFERENCE(s);
  const bool learns = HN_CAN(q, learn) && !(s->inference->plugin->flags & HN_IGNORES_BELIEF);
  return r->train && !r->watch && s->policy->plugin->flags & HN_IGNORES_BELIEF && !learns &&
         !HN_CAN(q, relabel);
}

static bool begins_task(const Block *b, int64_t k) {
  return *(const uint8_t *)hn_experience_at(b->w, HN_F_BEGIN, b->t, k) == HN_NEW_TASK;
}

/* Infers along the whole window, from the row memory with which it began, up to before its last
 * observation; a task that begins there finds its row memory zeroed, as begin_rows left it. */
static HnStatus infer_window(const Block *b) {
  HnSession *s = b->s;
  HnRollouts *r = b->r;
  const int64_t steps = b->w->h.steps, width = MAX(r->samples, 1) * s->shape.belief;
  const gsize row = s->shape.belief_row, first = (gsize)b->first * row, bytes = (gsize)b->n * row;
  HnMark mark = hn_arena_mark(hn_arena_current());
  memcpy(r->belief + first, (const char *)b->w->h.state + first, bytes);
  HnHistory h = hn_experience_view(b->w, s->inference, 0, b->first, steps - 1, b->n);
  HnBeliefUpdate q = {
      .struct_size = sizeof q,
      .history = &h,
      .state = r->belief + first,
      .samples = r->samples,
      .rng = r->belief_rng + b->first,
      .belief = hn_arena_take(hn_arena_current(), (gsize)(steps * b->n * width) * sizeof(float))};
  HnStatus status;
  HN_CALL(status, INFERENCE_infer, HN_INFERENCE(s)->infer(s->inference->self, &q));
  const HnOutputs o = {
      .of = s->inference, .call = "infer", .first = b->first, .rows = steps * b->n, .batch = b->n};
  if (!status) status = hn_outputs_finite(&o, "belief", q.belief, width);
  if (begins_task(b, b->first)) memset(r->belief + first, 0, bytes);
  hn_arena_reset(hn_arena_current(), mark);
  return status;
}

/* Row memory and random streams as inferring step by step would have left them.  A row whose task
 * ends with the window needs nothing: its memory is zeroed, and without samples nothing is drawn.
 * Decided row by row, since which rows share a block depends on the workers. */
static HnStatus catch_up(const Block *b) {
  HnStatus status = HN_OK;
  for (int64_t k = b->first; k < b->first + b->n && !status;) {
    Block part = alike(b, k, begins_task);
    if (b->r->samples > 0 || !begins_task(b, k)) status = infer_window(&part);
    k += part.n;
  }
  return status;
}

/* ---- a window ---- */

typedef struct Job {
  HnSession *s;
  HnRollouts *r;
  HnExperience *w;
  int64_t blocks;
  bool unread; /* nobody reads the beliefs */
} Job;

/* As few blocks as possible, because weights are read once per block and step, but one for each
 * worker, of equal size.  Rows that exchange beliefs do so within a block, whatever the workers. */
static int64_t block_count(const HnSession *s, const HnRollouts *r) {
  int64_t least = (r->rows + BLOCK_MAX - 1) / BLOCK_MAX;
  if (r->shuffled) return least;
  return MIN(r->rows, MAX(least, s->cell->run.workers));
}

static Block block_of(const Job *j, int64_t block) {
  int64_t first = block * j->r->rows / j->blocks, end = (block + 1) * j->r->rows / j->blocks;
  return (Block){j->s, j->r, j->w, 0, first, end - first};
}

static HnStatus collect_block(void *arg, int64_t block) {
  const Job *j = arg;
  Block b = block_of(j, block);
  HnStatus status = HN_OK;
  for (; b.t < b.w->h.steps && !status; b.t++) {
    save_or_restore(&b);
    if (!j->unread) status = infer(&b, false);
    if (!status && b.r->watch) status = b.r->watch(b.r->watch_arg, b.r, b.w, b.t, false);
    if (!status) status = act(&b);
    if (!status) status = step(&b);
    if (!status) status = advance(&b);
  }
  if (status) return status;
  save_or_restore(&b);
  return j->unread ? catch_up(&b) : infer(&b, true);
}

static HnStatus adapt_block(void *arg, int64_t block) {
  Block b = block_of(arg, block);
  HnSession *s = b.s;
  HnHistory h = hn_experience_view(b.w, s->policy, 0, b.first, b.w->h.steps, b.n);
  HnStatus status;
  HN_CALL(
      status, POLICY_adapt,
      HN_POLICY(s)->adapt(s->policy->self, &h, b.r->policy + (gsize)b.first * s->shape.policy_row));
  return status;
}

HnStatus hn_rollouts_collect(HnSession *s, HnRollouts *r, HnExperience *phase, int64_t phases) {
  const int64_t blocks = block_count(s, r);
  const bool unread = nobody_reads_beliefs(s, r);
  HnStatus status = HN_OK;
  for (int64_t k = 0; k < phases && !status; k++) {
    Job j = {s, r, &phase[k], blocks, unread};
    hn_experience_carry(k ? &phase[k - 1] : &r->tail, &phase[k]);
    memcpy((void *)(guintptr)phase[k].h.state, r->belief, (gsize)r->rows * s->shape.belief_row);
    memcpy(phase[k].belief_rng, r->belief_rng, (gsize)r->rows * sizeof *r->belief_rng);
    status = hn_pool_run(s->pool, blocks, collect_block, &j);
    if (!status && k + 1 < phases && HN_CAN(HN_POLICY(s), adapt))
      status = hn_pool_run(s->pool, blocks, adapt_block, &j);
  }
  hn_experience_carry(&phase[phases - 1], &r->tail);
  return status;
}
