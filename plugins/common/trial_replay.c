/* trial_replay.h - whole trials, each written once.
 *
 * A row's running trial already lies in the slot where it will be remembered, so windows may cut a
 * trial anywhere and nothing is copied twice.  There are buffer + rows slots: at most `buffer`
 * finished trials and one running trial a row.  For plugins of this folder. */
#ifndef TRIAL_REPLAY_H
#define TRIAL_REPLAY_H
#include <hunch/inference.h>
#include <string.h>

/* What a step is remembered by.  A width of 0 leaves that array out. */
typedef struct ReplayShape {
  int64_t buffer, rows, length; /* finished trials, rows, steps of the longest trial */
  int64_t obs_dim, next_dim;    /* of the state before and after a step: the environment's, or 0 */
  int64_t action_dim;           /* of the action as networks see it */
  int64_t task_dim;             /* of the true task, once a trial */
  bool discrete;                /* whether actions are picked, then one-hot */
  bool ended;                   /* whether steps say that they ended an episode */
} ReplayShape;

typedef struct Replay {
  ReplayShape shape;
  int64_t used;      /* slots ever written */
  float *obs, *next; /* [buffer + rows, length, obs_dim], [.., next_dim] */
  float *act;        /* [buffer + rows, length, action_dim] */
  float *reward;     /* [buffer + rows, length] */
  uint8_t *ended;    /* [buffer + rows, length] */
  float *task;       /* [buffer + rows, task_dim] */
  int64_t *steps;    /* [buffer + rows] taken in so far */
  int64_t *finished; /* [buffer] slots of finished trials, a ring */
  int64_t *running;  /* [rows] slot of each row's running trial */
  int64_t *state;    /* [REPLAY_STATE] */
} Replay;
enum { REPLAY_STARTED, REPLAY_COUNT, REPLAY_OLDEST, REPLAY_STATE };

static float *replay_floats(Replay *r, const HnHost *host, const char *name, int64_t width) {
  if (!width) return NULL;
  const ReplayShape *s = &r->shape;
  return host->keep(host,
                    HN_ARRAY(name, HN_REPLAY, HN_F32, .rank = 3,
                             .dim = {s->buffer + s->rows, s->length, width}, .used = &r->used));
}

/* [create] */
static void replay_make(Replay *r, const HnHost *host, const ReplayShape *shape) {
  const ReplayShape *s = shape;
  int64_t slots = s->buffer + s->rows, *used = &r->used;
  r->shape = *shape;
  r->obs = replay_floats(r, host, "replay.obs", s->obs_dim);
  r->next = replay_floats(r, host, "replay.next", s->next_dim);
  r->act = replay_floats(r, host, "replay.act", s->action_dim);
  r->reward = host->keep(host, HN_ARRAY("replay.reward", HN_REPLAY, HN_F32, .rank = 2,
                                        .dim = {slots, s->length}, .used = used));
  if (s->ended)
    r->ended = host->keep(host, HN_ARRAY("replay.ended", HN_REPLAY, HN_U8, .rank = 2,
                                         .dim = {slots, s->length}, .used = used));
  if (s->task_dim)
    r->task = host->keep(host, HN_ARRAY("replay.task", HN_REPLAY, HN_F32, .rank = 2,
                                        .dim = {slots, s->task_dim}, .used = used));
  r->steps = host->keep(
      host, HN_ARRAY("replay.steps", HN_REPLAY, HN_I64, .rank = 1, .dim = {slots}, .used = used));
  r->finished = host->keep(
      host, HN_ARRAY("replay.finished", HN_REPLAY, HN_I64, .rank = 1, .dim = {s->buffer}));
  r->running =
      host->keep(host, HN_ARRAY("replay.running", HN_REPLAY, HN_I64, .rank = 1, .dim = {s->rows}));
  r->state = host->keep(
      host, HN_ARRAY("replay.state", HN_REPLAY, HN_I64, .rank = 1, .dim = {REPLAY_STATE}));
}

/* The action of element `at` as floats [action_dim]: itself, or one-hot. */
static void encode_action(const HnHistory *h, int64_t at, int64_t action_dim, bool discrete,
                          float *to) {
  if (discrete) {
    memset(to, 0, (size_t)action_dim * sizeof *to);
    if (action_dim) to[h->action_index[at]] = 1;
  } else
    memcpy(to, h->action + at * action_dim, (size_t)action_dim * sizeof *to);
}

/* Files the row's running trial as finished, forgetting the oldest if need be, and gives the row
 * another slot. */
static void replay_finish(Replay *r, int64_t row) {
  int64_t *count = &r->state[REPLAY_COUNT], *oldest = &r->state[REPLAY_OLDEST];
  int64_t slot = r->running[row];
  if (*count < r->shape.buffer) {
    r->finished[(*count)++] = slot;
    r->running[row] = r->used++;
  } else {
    r->running[row] = r->finished[*oldest];
    r->finished[*oldest] = slot;
    *oldest = (*oldest + 1) % r->shape.buffer;
  }
  r->steps[r->running[row]] = 0;
}

/* Writes element `at` of h, which leads to `begin`, to step `to` of all slots. */
static void replay_write(Replay *r, const HnHistory *h, int64_t at, uint8_t begin, int64_t to) {
  const ReplayShape *s = &r->shape;
  if (s->obs_dim)
    memcpy(r->obs + to * s->obs_dim, h->obs + at * s->obs_dim, (size_t)s->obs_dim * sizeof(float));
  if (s->next_dim)
    memcpy(r->next + to * s->next_dim, h->next_obs + at * s->next_dim,
           (size_t)s->next_dim * sizeof(float));
  if (s->action_dim) encode_action(h, at, s->action_dim, s->discrete, r->act + to * s->action_dim);
  if (s->ended) r->ended[to] = begin != HN_KEEP;
  r->reward[to] = h->reward[at];
}

/* Takes in a window whose rows continue those of the last one.  False: a trial is longer than
 * `length`. */
static bool replay_append(Replay *r, const HnHistory *h) {
  const ReplayShape *s = &r->shape;
  if (!r->state[REPLAY_STARTED]) {
    r->state[REPLAY_STARTED] = 1, r->used = s->rows;
    for (int64_t i = 0; i < s->rows; i++) r->running[i] = i;
  }
  for (int64_t i = 0; i < h->rows; i++)
    for (int64_t t = 0; t < h->steps; t++) {
      int64_t at = hn_at(h, t, i), slot = r->running[i];
      uint8_t begin = h->begin[hn_at(h, t + 1, i)];
      if (r->steps[slot] == s->length) return false;
      if (s->task_dim)
        memcpy(r->task + slot * s->task_dim, h->task + at * s->task_dim,
               (size_t)s->task_dim * sizeof(float));
      replay_write(r, h, at, begin, slot * s->length + r->steps[slot]++);
      if (begin == HN_NEW_TASK) replay_finish(r, i);
    }
  return true;
}
#endif
