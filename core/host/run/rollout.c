/* rollout.c - rows that act: believe, act, step, and what the host alone decides, when an episode
 * is cut and a trial ends.  Rows never interact, so a block of them runs through a whole window on
 * one worker. */
#include "evaluation_tasks.h"
#include "pages.h"
#include <string.h>

/* Calls env reset for rows [first, first + n) as `begin` at percept t says; a new task finds its
 * row memory zeroed. */
static HnStatus begin_rows(HnSession *s, HnRollouts *c, HnExperience *w, int64_t t, int64_t first,
                           int64_t n) {
  const uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, t, first);
  int64_t *task_index = w->task_index + t * c->rows + first;
  for (int64_t i = 0; i < n; i++) {
    if (begin[i] != HN_NEW_TASK) continue;
    gsize row = (gsize)(first + i);
    memset(c->env + row * s->shape.env_row, 0, s->shape.env_row);
    memset(c->belief + row * s->shape.belief_row, 0, s->shape.belief_row);
    memset(c->policy + row * s->shape.policy_row, 0, s->shape.policy_row);
    task_index[i] = c->wanted[row];
  }
  HnEnvBatch b = {.struct_size = sizeof b,
                  .rows = n,
                  .first = first,
                  .state = c->env + (gsize)first * s->shape.env_row,
                  .rng = c->env_rng + first,
                  .begin = begin,
                  .split = c->split,
                  .task_index = task_index,
                  .obs = hn_experience_at(w, HN_F_OBS, t, first),
                  .task = hn_experience_at(w, HN_F_TASK, t, first)};
  HnStatus status;
  HN_CALL(status, HN_ENV(s)->reset(s->env->self, &b));
  return status;
}

static void make_kept(HnSession *s, HnRollouts *c) {
  gsize n = (gsize)c->rows;
  c->kept_belief = hn_zeros(n * s->shape.belief_row);
  c->kept_policy = hn_zeros(n * s->shape.policy_row);
  hn_experience_make(&c->kept, &s->shape, 0, c->rows, c->samples);
  if (s->protocol.adapt == 0) memset(c->resume, HN_KEEP_BELIEF, n);
}

HnStatus hn_rollouts_make(HnSession *s, HnRollouts *c, int64_t rows, int64_t split,
                          const HnTrialLength *trial, bool train) {
  gsize n = (gsize)rows;
  int shift = train ? 0 : HN_FOR_EVALUATION;
  *c = (HnRollouts){.rows = rows,
                    .split = split,
                    .samples = train ? s->cell->run.samples : s->eval_samples,
                    .episodes = trial->by_steps ? G_MAXINT64 : trial->episodes,
                    .lifetime = trial->by_steps ? trial->lifetime : G_MAXINT64,
                    .train = train,
                    .env = hn_zeros(n * s->shape.env_row),
                    .belief = hn_zeros(n * s->shape.belief_row),
                    .policy = hn_zeros(n * s->shape.policy_row),
                    .env_rng = hn_zeros(n * sizeof(HnRng)),
                    .belief_rng = hn_zeros(n * sizeof(HnRng)),
                    .policy_rng = hn_zeros(n * sizeof(HnRng)),
                    .age = hn_zeros(n * sizeof(int64_t)),
                    .lived = hn_zeros(n * sizeof(int64_t)),
                    .episode = hn_zeros(n * sizeof(int64_t)),
                    .wanted = hn_zeros(n * sizeof(int64_t)),
                    .resume = hn_zeros(n)};
  for (int64_t i = 0; i < rows; i++) {
    c->env_rng[i] = hn_stream(s->cell->seed, HN_FOR_ENV + shift, i);
    c->belief_rng[i] = hn_stream(s->cell->seed, HN_FOR_BELIEF + shift, i);
    c->policy_rng[i] = hn_stream(s->cell->seed, HN_FOR_POLICY + shift, i);
    c->wanted[i] = -1;
  }
  if (!train) hn_protocol_tasks(s, split, rows, c->wanted);
  if (!train && s->protocol.restore) make_kept(s, c);
  hn_experience_make(&c->tail, &s->shape, 0, rows, c->samples);
  memset(hn_experience_at(&c->tail, HN_F_BEGIN, 0, 0), HN_NEW_TASK, n);
  return begin_rows(s, c, &c->tail, 0, 0, rows);
}

HnStatus hn_rollouts_begin(HnSession *s, HnRollouts *c, int64_t stream, int64_t task) {
  c->env_rng[0] = hn_stream(s->cell->seed, HN_FOR_ENV + HN_FOR_EVALUATION, stream);
  c->belief_rng[0] = hn_stream(s->cell->seed, HN_FOR_BELIEF + HN_FOR_EVALUATION, stream);
  c->policy_rng[0] = hn_stream(s->cell->seed, HN_FOR_POLICY + HN_FOR_EVALUATION, stream);
  c->wanted[0] = task;
  return begin_rows(s, c, &c->tail, 0, 0, 1);
}

void hn_rollouts_free(HnRollouts *c) {
  hn_experience_free(&c->tail), hn_experience_free(&c->kept);
  void *all[] = {c->env,   c->belief,  c->policy, c->env_rng, c->belief_rng,  c->policy_rng, c->age,
                 c->lived, c->episode, c->wanted, c->resume,  c->kept_belief, c->kept_policy};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) hn_zeros_free(all[i]);
  *c = (HnRollouts){.rows = 0};
}

/* A block of rows at step t of a window. */
typedef struct Block {
  HnSession *s;
  HnRollouts *c;
  HnExperience *w;
  int64_t t, first, n;
} Block;

/* ---- counted episodes that begin with one belief ---- */

/* Keeps what row k is about to begin its first counted episode with: its memory, and the step that
 * its belief has yet to take in. */
static void keep_belief(const Block *b, int64_t k) {
  HnRollouts *c = b->c;
  gsize q = b->s->shape.belief_row, p = b->s->shape.policy_row, i = (gsize)k;
  memcpy(c->kept_belief + i * q, c->belief + i * q, q);
  memcpy(c->kept_policy + i * p, c->policy + i * p, p);
  for (HnExperienceField f = 0; f < HN_FIELDS; f++)
    for (int64_t t = -1; t <= 0; t++)
      memcpy(hn_experience_at(&c->kept, f, t, k), hn_experience_at(b->w, f, b->t + t, k),
             b->w->size[f]);
}

/* Puts row k back to it, as far as the percept that begins this episode: its observation is new. */
static void restore_belief(const Block *b, int64_t k) {
  HnRollouts *c = b->c;
  gsize q = b->s->shape.belief_row, p = b->s->shape.policy_row, i = (gsize)k;
  memcpy(c->belief + i * q, c->kept_belief + i * q, q);
  memcpy(c->policy + i * p, c->kept_policy + i * p, p);
  memcpy(hn_experience_at(&c->kept, HN_F_OBS, 0, k), hn_experience_at(b->w, HN_F_OBS, b->t, k),
         b->w->size[HN_F_OBS]);
}

static void resume_rows(const Block *b) {
  const HnRollouts *c = b->c;
  for (int64_t k = b->first; k < b->first + b->n; k++) {
    if (c->resume[k] == HN_KEEP_BELIEF) keep_belief(b, k);
    if (c->resume[k] == HN_RESTORE_BELIEF) restore_belief(b, k);
  }
}

/* True if row k's episode counts and takes the policy's mode. */
static bool is_greedy(const Block *b, int64_t k) {
  const HnProtocol *p = &b->s->protocol;
  return !b->c->train && p->greedy && b->c->episode[k] >= p->adapt;
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

static bool is_restored(const Block *b, int64_t k) {
  return b->c->resume[k] == HN_RESTORE_BELIEF;
}

/* The belief at the window's last percept serves only to bootstrap, so it is thought on a copy:
 * the next window thinks it again, perhaps with other weights. */
static HnStatus think_alike(const Block *b, bool last) {
  HnSession *s = b->s;
  HnRollouts *c = b->c;
  gsize row = s->shape.belief_row, bytes = (gsize)b->n * row;
  bool restored = is_restored(b, b->first);
  char *state = c->belief + (gsize)b->first * row;
  HnRng *rng = c->belief_rng + b->first, spare_rng[HN_BLOCK];
  HnMark mark = hn_arena_mark(hn_arena_current());
  if (last) {
    char *spare = hn_arena_take(hn_arena_current(), bytes);
    state = memcpy(spare, state, bytes);
    rng = memcpy(spare_rng, rng, (gsize)b->n * sizeof *rng);
  }
  HnHistory now = hn_experience_view(restored ? &c->kept : b->w, s->inference, restored ? 0 : b->t,
                                     b->first, 0, b->n);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &now,
                      .state = state,
                      .samples = c->samples,
                      .rng = rng,
                      .belief = hn_experience_at(b->w, HN_F_BELIEF, b->t, b->first)};
  int64_t at = b->t * c->rows + b->first;
  if (!c->train && s->shape.belief_infos) q.info = b->w->belief_info + at * s->shape.belief_infos;
  HnStatus status;
  HN_CALL(status, HN_INFERENCE(s)->infer(s->inference->self, &q));
  hn_arena_reset(hn_arena_current(), mark);
  return status;
}

/* Asks what the beliefs at this percept predict.  A window's last percept is thought again at the
 * start of the next one, so it is asked there, unless the trial ends with it. */
static HnStatus ask_rows(const Block *b, bool last) {
  HnRollouts *c = b->c;
  HnStatus status = HN_OK;
  for (int64_t k = b->first; c->ask && k < b->first + b->n && !status; k++) {
    int64_t percept = c->lived[k];
    if (percept >= c->ask->percepts || (last && percept + 1 < c->ask->percepts)) continue;
    status = hn_predictive_row(b->s, c->ask, k, percept, c->env + (gsize)k * b->s->shape.env_row,
                               hn_experience_at(b->w, HN_F_BELIEF, b->t, k), c->samples);
  }
  return status;
}

static HnStatus think(const Block *b, bool last) {
  HnStatus status = HN_OK;
  for (int64_t k = b->first; k < b->first + b->n && !status;) {
    Block part = alike(b, k, is_restored);
    status = think_alike(&part, last);
    k += part.n;
  }
  return status ? status : ask_rows(b, last);
}

static HnStatus act_alike(const Block *b) {
  HnSession *s = b->s;
  HnRollouts *c = b->c;
  int64_t at = b->t * c->rows + b->first;
  HnActBatch a = {.struct_size = sizeof a,
                  .rows = b->n,
                  .samples = c->samples,
                  .obs = hn_experience_at(b->w, HN_F_OBS, b->t, b->first),
                  .belief = hn_experience_at(b->w, HN_F_BELIEF, b->t, b->first),
                  .state = c->policy + (gsize)b->first * s->shape.policy_row,
                  .rng = is_greedy(b, b->first) ? NULL : c->policy_rng + b->first,
                  .action = hn_experience_at(b->w, HN_F_ACTION, b->t, b->first),
                  .action_index = hn_experience_at(b->w, HN_F_ACTION_INDEX, b->t, b->first),
                  .aux = hn_experience_at(b->w, HN_F_AUX, b->t, b->first)};
  if (!c->train && s->shape.policy_infos) a.info = b->w->policy_info + at * s->shape.policy_infos;
  HnStatus status;
  HN_CALL(status, HN_POLICY(s)->act(s->policy->self, &a));
  return status;
}

static HnStatus act(const Block *b) {
  HnStatus status = HN_OK;
  for (int64_t k = b->first; k < b->first + b->n && !status;) {
    Block part = alike(b, k, is_greedy);
    status = act_alike(&part);
    k += part.n;
  }
  return status;
}

static HnStatus step(const Block *b) {
  HnSession *s = b->s;
  HnRollouts *c = b->c;
  int64_t at = b->t * c->rows + b->first;
  HnEnvBatch e = {.struct_size = sizeof e,
                  .rows = b->n,
                  .first = b->first,
                  .state = c->env + (gsize)b->first * s->shape.env_row,
                  .rng = c->env_rng + b->first,
                  .action = hn_experience_at(b->w, HN_F_ACTION, b->t, b->first),
                  .action_index = hn_experience_at(b->w, HN_F_ACTION_INDEX, b->t, b->first),
                  .obs = hn_experience_at(b->w, HN_F_NEXT_OBS, b->t, b->first),
                  .reward = hn_experience_at(b->w, HN_F_TRUE_REWARD, b->t, b->first),
                  .terminated = hn_experience_at(b->w, HN_F_TERMINATED, b->t, b->first),
                  .info = b->w->env_info + at * s->shape.env_infos};
  memset(e.terminated, 0, (gsize)b->n);
  HnStatus status;
  HN_CALL(status, HN_ENV(s)->step(s->env->self, &e));
  if (status) return status;
  float *reward = hn_experience_at(b->w, HN_F_REWARD, b->t, b->first);
  memcpy(reward, e.reward, (gsize)b->n * sizeof *reward);
  const HnInference *q = HN_INFERENCE(s);
  if (!c->train || !HN_CAN(q, relabel)) return HN_OK;
  HnHistory now = hn_experience_view(b->w, s->inference, b->t, b->first, 1, b->n);
  HN_CALL(status,
          q->relabel(s->inference->self, &now, c->belief + (gsize)b->first * s->shape.belief_row,
                     c->belief_rng + b->first, reward));
  return status;
}

/* In upstream_biased success ends an episode that counts. */
static bool is_success(const Block *b, int64_t k) {
  const HnSession *s = b->s;
  if (b->c->train || s->protocol.kind != HN_PROTOCOL_UPSTREAM_BIASED ||
      b->c->episode[k] < s->protocol.adapt)
    return false;
  int64_t at = b->t * b->c->rows + k;
  return b->w->env_info[at * s->shape.env_infos + s->success] > 0;
}

/* What row k, where an episode has ended, does about the belief at the percept to come. */
static uint8_t resumed(const Block *b, int64_t k) {
  const HnProtocol *p = &b->s->protocol;
  if (b->c->train || !p->restore || b->c->episode[k] < p->adapt) return HN_GO_ON;
  return b->c->episode[k] == p->adapt ? HN_KEEP_BELIEF : HN_RESTORE_BELIEF;
}

/* Decides what begins at percept t + 1, and begins it.  A trial of so many steps cuts its last
 * episode.  Evaluation runs one trial and never ends it, so that its last step is scored too. */
static HnStatus advance(const Block *b) {
  HnSession *s = b->s;
  HnRollouts *c = b->c;
  HnExperience *w = b->w;
  const uint8_t *done = hn_experience_at(w, HN_F_TERMINATED, b->t, b->first);
  uint8_t *cut = hn_experience_at(w, HN_F_TRUNCATED, b->t, b->first);
  uint8_t *begin = hn_experience_at(w, HN_F_BEGIN, b->t + 1, b->first);
  for (int64_t i = 0; i < b->n; i++) {
    int64_t k = b->first + i;
    bool last = ++c->lived[k] == c->lifetime;
    bool over = ++c->age[k] == s->es.horizon || last || is_success(b, k), end = over || done[i];
    cut[i] = over && !done[i];
    if (end) c->age[k] = 0, c->episode[k]++;
    bool fresh = end && c->train && (last || c->episode[k] == c->episodes);
    if (fresh) c->episode[k] = c->lived[k] = 0;
    c->resume[k] = end ? resumed(b, k) : HN_GO_ON;
    begin[i] = fresh ? HN_NEW_TASK : end ? HN_NEW_EPISODE : HN_KEEP;
  }
  if (c->watch && begin[0] != HN_KEEP) {
    HnStatus status = c->watch(c->watch_arg, c, w, b->t, true);
    if (status) return status;
  }
  memcpy(hn_experience_at(w, HN_F_OBS, b->t + 1, b->first),
         hn_experience_at(w, HN_F_NEXT_OBS, b->t, b->first), (gsize)b->n * w->size[HN_F_OBS]);
  memcpy(hn_experience_at(w, HN_F_TASK, b->t + 1, b->first),
         hn_experience_at(w, HN_F_TASK, b->t, b->first), (gsize)b->n * w->size[HN_F_TASK]);
  int64_t at = b->t * c->rows + b->first;
  memcpy(w->task_index + at + c->rows, w->task_index + at, (gsize)b->n * sizeof(int64_t));
  return begin_rows(s, c, w, b->t + 1, b->first, b->n);
}

typedef struct Job {
  HnSession *s;
  HnRollouts *c;
  HnExperience *w;
  int64_t blocks;
} Job;

/* As few blocks as may be, because networks are read once a block and step, but one a worker, and
 * equally large. */
static int64_t block_count(const HnSession *s, const HnRollouts *c) {
  int64_t least = (c->rows + HN_BLOCK - 1) / HN_BLOCK;
  return MIN(c->rows, MAX(least, s->cell->run.workers));
}

static Block block_of(const Job *j, int64_t block) {
  int64_t first = block * j->c->rows / j->blocks, end = (block + 1) * j->c->rows / j->blocks;
  return (Block){j->s, j->c, j->w, 0, first, end - first};
}

static HnStatus collect_block(void *arg, int64_t block) {
  Block b = block_of(arg, block);
  HnStatus status = HN_OK;
  for (; b.t < b.w->h.steps && !status; b.t++) {
    resume_rows(&b);
    status = think(&b, false);
    if (!status && b.c->watch) status = b.c->watch(b.c->watch_arg, b.c, b.w, b.t, false);
    if (!status) status = act(&b);
    if (!status) status = step(&b);
    if (!status) status = advance(&b);
  }
  if (status) return status;
  resume_rows(&b);
  return think(&b, true);
}

static HnStatus adapt_block(void *arg, int64_t block) {
  Block b = block_of(arg, block);
  HnSession *s = b.s;
  HnHistory h = hn_experience_view(b.w, s->policy, 0, b.first, b.w->h.steps, b.n);
  HnStatus status;
  HN_CALL(status, HN_POLICY(s)->adapt(s->policy->self, &h,
                                      b.c->policy + (gsize)b.first * s->shape.policy_row));
  return status;
}

HnStatus hn_rollouts_collect(HnSession *s, HnRollouts *c, HnExperience *phase, int64_t phases) {
  int64_t blocks = block_count(s, c);
  HnStatus status = HN_OK;
  for (int64_t k = 0; k < phases && !status; k++) {
    Job j = {s, c, &phase[k], blocks};
    hn_experience_carry(k ? &phase[k - 1] : &c->tail, &phase[k]);
    memcpy((void *)(guintptr)phase[k].h.state, c->belief, (gsize)c->rows * s->shape.belief_row);
    status = hn_pool_run(s->pool, blocks, collect_block, &j);
    if (!status && k + 1 < phases && HN_CAN(HN_POLICY(s), adapt))
      status = hn_pool_run(s->pool, blocks, adapt_block, &j);
  }
  hn_experience_carry(&phase[phases - 1], &c->tail);
  return status;
}
