/* trial_replay.c - see trial_replay.h. */
#include "trial_replay.h"

/* ---- creation ---- */

/* end: of the range of integers, 0: none */
static void *keep_steps(HnTrialReplay *r, const char *name, HnType type, int64_t width,
                        int64_t end) {
  const HnTrialReplayShape *s = &r->shape;
  if (!width) return NULL;
  return r->host->keep(r->host, HN_ARRAY(name, HN_REPLAY, type, .rank = 3,
                                         .dim = {s->buffer + s->rows, s->length, width},
                                         .used = &r->used, .end = end));
}

/* count integers from 0 up to, not with, end. */
static int64_t *keep_indices(const HnTrialReplay *r, const char *name, int64_t count, int64_t end) {
  return r->host->keep(r->host,
                       HN_ARRAY(name, HN_REPLAY, HN_I64, .rank = 1, .dim = {count}, .end = end));
}

void hn_trial_replay_create(HnTrialReplay *r, const HnHost *host, const HnTrialReplayShape *shape) {
  const HnTrialReplayShape *s = shape;
  int64_t slots = s->buffer + s->rows;
  r->host = host, r->shape = *shape;
  r->obs = keep_steps(r, "replay.obs", HN_F32, s->obs_dim, 0);
  if (s->obs_dim && s->next_obs_dim)
    r->end_obs =
        host->keep(host, HN_ARRAY("replay.end", HN_REPLAY, HN_F32, .rank = 3,
                                  .dim = {slots, s->episodes, s->next_obs_dim}, .used = &r->used));
  else
    r->next_obs = keep_steps(r, "replay.next", HN_F32, s->next_obs_dim, 0);
  r->action = keep_steps(r, "replay.act", HN_F32, s->action_dim, 0);
  r->belief = keep_steps(r, "replay.belief", HN_F32, s->belief_dim, 0);
  r->reward = keep_steps(r, "replay.reward", HN_F32, 1, 0);
  r->ended = keep_steps(r, "replay.ended", HN_U8, 1, 2);
  r->terminated = keep_steps(r, "replay.terminated", HN_U8, 1, 2);
  if (s->task_dim)
    r->task = host->keep(host, HN_ARRAY("replay.task", HN_REPLAY, HN_F32, .rank = 2,
                                        .dim = {slots, s->task_dim}, .used = &r->used));
  r->steps = host->keep(host, HN_ARRAY("replay.steps", HN_REPLAY, HN_I64, .rank = 1, .dim = {slots},
                                       .used = &r->used, .end = s->length + 1));
  r->finished = keep_indices(r, "replay.finished", s->buffer, slots);
  r->running = keep_indices(r, "replay.running", s->rows, slots);
  r->count = keep_indices(r, "replay.count", 1, s->buffer + 1);
  r->oldest = keep_indices(r, "replay.oldest", 1, s->buffer);
  if (s->forgets)
    r->forgotten = host->keep(host, HN_ARRAY("replay.forgotten", HN_REPLAY, HN_U8, .rank = 1,
                                             .dim = {s->rows}, .end = 2));
  r->used = s->rows;
  for (int64_t i = 0; i < s->rows; i++) r->running[i] = i;
}

/* ---- writing ---- */

/* The row's trial is finished: gives the row another slot, if need be that of the oldest trial. */
static void finish(HnTrialReplay *r, int64_t row) {
  int64_t *count = r->count, *oldest = r->oldest, slot = r->running[row];
  if (*count < r->shape.buffer) {
    r->finished[(*count)++] = slot;
    r->used = r->shape.rows + *count;
    r->running[row] = r->used - 1;
  } else {
    r->running[row] = r->finished[*oldest];
    r->finished[*oldest] = slot;
    *oldest = (*oldest + 1) % r->shape.buffer;
  }
  r->steps[r->running[row]] = 0;
}

/* Copies rows of `width` floats: row `at` of `from` to row `to_at` of `to` (NULL: not kept). */
static void copy(const float *from, int64_t at, float *to, int64_t to_at, int64_t width) {
  if (to) memcpy(to + to_at * width, from + at * width, (size_t)width * sizeof *to);
}

/* Episodes of a slot's trial that ended before a step. */
static int64_t ends_before(const HnTrialReplay *r, int64_t slot, int64_t step) {
  const uint8_t *ended = r->ended + slot * r->shape.length;
  int64_t count = 0;
  for (int64_t t = 0; t < step; t++) count += ended[t];
  return count;
}

static HnStatus append_step(HnTrialReplay *r, const HnHistory *h, int64_t t, int64_t row) {
  const HnTrialReplayShape *s = &r->shape;
  int64_t from = hn_at(h, t, row), slot = r->running[row];
  uint8_t begin = h->begin[hn_at(h, t + 1, row)];
  if (r->forgotten && r->forgotten[row]) {
    r->forgotten[row] = begin != HN_NEW_TASK;
    return HN_OK;
  }
  if (r->steps[slot] == s->length)
    return r->host->fail(r->host, HN_E_SHAPE, "a trial is longer than the %lld steps announced",
                         (long long)s->length);
  int64_t step = r->steps[slot], to = slot * s->length + step;
  int64_t episode = r->end_obs && begin != HN_KEEP ? ends_before(r, slot, step) : -1;
  if (episode == s->episodes)
    return r->host->fail(r->host, HN_E_SHAPE, "a trial has more than the %lld episodes announced",
                         (long long)s->episodes);
  r->steps[slot]++;
  copy(h->obs, from, r->obs, to, s->obs_dim);
  if (episode >= 0)
    copy(h->next_obs, from, r->end_obs, slot * s->episodes + episode, s->next_obs_dim);
  copy(h->next_obs, from, r->next_obs, to, s->next_obs_dim);
  if (r->action)
    hn_encode_action(h, from, s->action_dim, s->discrete, r->action + to * s->action_dim);
  copy(h->belief, from, r->belief, to, s->belief_dim);
  r->reward[to] = h->reward[from];
  r->ended[to] = begin != HN_KEEP, r->terminated[to] = h->terminated[from];
  copy(h->task, from, r->task, slot, s->task_dim);
  if (begin == HN_NEW_TASK) finish(r, row);
  return HN_OK;
}

HnStatus hn_trial_replay_append(HnTrialReplay *r, const HnHistory *h) {
  if (h->rows != r->shape.rows)
    return r->host->fail(r->host, HN_E_SHAPE, "a window of %lld rows, not %lld", (long long)h->rows,
                         (long long)r->shape.rows);
  for (int64_t i = 0; i < h->rows; i++)
    for (int64_t t = 0; t < h->steps; t++) {
      HnStatus status = append_step(r, h, t, i);
      if (status) return status;
    }
  return HN_OK;
}

void hn_trial_replay_pass_over(HnTrialReplay *r, const HnHistory *h) {
  for (int64_t i = 0; i < h->rows; i++) {
    const bool goes_on = h->begin[hn_at(h, h->steps, i)] != HN_NEW_TASK;
    if (h->steps) r->forgotten[i] = goes_on, r->steps[r->running[i]] = 0;
  }
}

/* ---- reading ---- */

int64_t hn_trial_replay_draw(const HnTrialReplay *r, HnRng *rng) {
  return r->finished[hn_rng_below(rng, *r->count)];
}

void hn_trial_replay_draw_distinct(const HnTrialReplay *r, HnRng *rng, int64_t among, int64_t count,
                                   int64_t *slot) {
  for (int64_t k = 0; k < count; k++) {
    int64_t last = among - count + k, pick = hn_rng_below(rng, last + 1);
    for (int64_t i = 0; i < k; i++)
      if (slot[i] == pick) pick = last;
    slot[k] = pick;
  }
  for (int64_t k = 0; k < count; k++) slot[k] = r->finished[slot[k]];
}

HnTransition hn_trial_replay_draw_transition(const HnTrialReplay *r, HnRng *rng) {
  HnTransition x;
  do x = (HnTransition){hn_trial_replay_draw(r, rng), hn_rng_below(rng, r->shape.length)};
  while (x.step >= r->steps[x.slot]);
  return x;
}

const float *hn_trial_replay_next_obs(const HnTrialReplay *r, int64_t slot, int64_t step) {
  const HnTrialReplayShape *s = &r->shape;
  const int64_t at = slot * s->length + step;
  if (r->next_obs) return r->next_obs + at * s->next_obs_dim;
  if (!r->ended[at]) return r->obs + (at + 1) * s->obs_dim;
  return r->end_obs + (slot * s->episodes + ends_before(r, slot, step)) * s->next_obs_dim;
}

void hn_trial_replay_next_all(const HnTrialReplay *r, int64_t slot, int64_t n, float *next) {
  const HnTrialReplayShape *s = &r->shape;
  const int64_t first = slot * s->length, width = s->next_obs_dim;
  if (n > 1)
    memcpy(next, r->next_obs ? r->next_obs + first * width : r->obs + (first + 1) * width,
           (size_t)((n - 1) * width) * sizeof *next);
  for (int64_t t = 0; t < n; t++)
    if (r->ended[first + t] || t == n - 1)
      copy(hn_trial_replay_next_obs(r, slot, t), 0, next, t, width);
}

typedef struct Window {
  uint8_t *begin, *terminated, *truncated;
  float *obs, *next_obs, *action, *reward, *task;
  int32_t *action_index;
} Window;

/* Step t of a slot's trial as element `to` of a window. */
static void read_step(const HnTrialReplay *r, int64_t slot, int64_t t, const Window *w,
                      int64_t to) {
  const HnTrialReplayShape *s = &r->shape;
  const int64_t at = slot * s->length + t;
  copy(r->obs, at, w->obs, to, s->obs_dim);
  if (w->next_obs) copy(hn_trial_replay_next_obs(r, slot, t), 0, w->next_obs, to, s->next_obs_dim);
  copy(r->action, at, w->action, to, s->action_dim);
  w->reward[to] = r->reward[at], w->terminated[to] = r->terminated[at];
  w->truncated[to] = r->ended[at] && !r->terminated[at];
  for (int64_t j = 0; w->action_index && j < s->action_dim; j++)
    if (r->action[at * s->action_dim + j] > 0) w->action_index[to] = (int32_t)j;
}

static void read_trial(const HnTrialReplay *r, int64_t slot, int64_t steps, const Window *w,
                       int64_t row, int64_t rows) {
  const HnTrialReplayShape *s = &r->shape;
  int64_t first = slot * s->length, end = first + steps;
  w->begin[row] = HN_NEW_TASK;
  for (int64_t t = 0; t < steps; t++) {
    read_step(r, slot, t, w, t * rows + row);
    w->begin[(t + 1) * rows + row] = r->ended[first + t] ? HN_NEW_EPISODE : HN_KEEP;
    copy(r->task, slot, w->task, t * rows + row, s->task_dim);
  }
  copy(r->task, slot, w->task, steps * rows + row, s->task_dim);
  if (steps < r->steps[slot])
    copy(r->obs, end, w->obs, steps * rows + row, s->obs_dim);
  else if (w->next_obs && steps)
    copy(hn_trial_replay_next_obs(r, slot, steps - 1), 0, w->obs, steps * rows + row,
         s->next_obs_dim);
}

static void *cleared(const HnHost *host, int64_t count, size_t size) {
  return memset(host->scratch(host, count, size), 0, (size_t)count * size);
}

static void *zeros(const HnHost *host, int64_t count, size_t size) {
  return count > 0 ? cleared(host, count, size) : NULL;
}

/* A window of T steps of n rows, of zeros. */
static Window make_window(const HnTrialReplay *r, const HnHost *host, int64_t T, int64_t n) {
  const HnTrialReplayShape *s = &r->shape;
  int64_t count = T * n, more = (T + 1) * n;
  bool continuous = !s->discrete;
  return (Window){.begin = cleared(host, more, 1),
                  .obs = zeros(host, more * s->obs_dim, sizeof(float)),
                  .task = zeros(host, more * s->task_dim, sizeof(float)),
                  .action = zeros(host, continuous ? count * s->action_dim : 0, sizeof(float)),
                  .action_index =
                      zeros(host, s->discrete && r->action ? count : 0, sizeof(int32_t)),
                  .reward = cleared(host, count, sizeof(float)),
                  .next_obs = zeros(host, count * s->next_obs_dim, sizeof(float)),
                  .terminated = cleared(host, count, 1),
                  .truncated = cleared(host, count, 1)};
}

static HnHistory history_of(const Window *w, int64_t T, int64_t n) {
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = T,
                     .rows = n,
                     .stride = n,
                     .begin = w->begin,
                     .obs = w->obs,
                     .action = w->action,
                     .action_index = w->action_index,
                     .reward = w->reward,
                     .true_reward = w->reward,
                     .next_obs = w->next_obs,
                     .terminated = w->terminated,
                     .truncated = w->truncated,
                     .task = w->task};
}

HnHistory hn_trial_replay_window(const HnTrialReplay *r, const HnHost *host, int64_t n,
                                 const int64_t *slot, const int64_t *steps) {
  int64_t T = 0;
  for (int64_t i = 0; i < n; i++) T = steps[i] > T ? steps[i] : T;
  Window w = make_window(r, host, T, n);
  for (int64_t i = 0; i < n; i++) read_trial(r, slot[i], steps[i], &w, i, n);
  HnHistory h = history_of(&w, T, n);
  h.length = steps;
  return h;
}

HnHistory hn_trial_replay_context(const HnTrialReplay *r, const HnHost *host, int64_t n,
                                  const int64_t *slot, int64_t steps, const int64_t *pick) {
  const HnTrialReplayShape *s = &r->shape;
  Window w = make_window(r, host, steps, n);
  for (int64_t t = 0; t <= steps; t++)
    for (int64_t i = 0; i < n; i++) {
      int64_t to = t * n + i;
      w.begin[to] = t ? HN_NEW_EPISODE : HN_NEW_TASK;
      copy(r->task, slot[i], w.task, to, s->task_dim);
      if (t == steps) continue;
      read_step(r, slot[i], pick[to], &w, to);
      w.truncated[to] = !r->terminated[slot[i] * s->length + pick[to]];
    }
  for (int64_t i = 0; i < n && w.obs && w.next_obs && steps > 0; i++)
    copy(w.next_obs, (steps - 1) * n + i, w.obs, steps * n + i, s->next_obs_dim);
  return history_of(&w, steps, n);
}
