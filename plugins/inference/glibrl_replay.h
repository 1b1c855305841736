/* glibrl_replay.h - whole trials, each written once.
 *
 * A row's running trial already lies in the slot where it will be remembered, so windows may cut a
 * trial anywhere and nothing is copied twice.  There are buffer + rows slots: at most `buffer`
 * finished trials and one running trial a row. */
#ifndef GLIBRL_REPLAY_H
#define GLIBRL_REPLAY_H
#include <hunch/inference.h>
#include <string.h>

typedef struct Replay {
  int64_t buffer, rows, length; /* finished trials, rows, steps of the longest trial */
  int64_t obs_dim, act_dim;     /* act_dim: of the action as features see it */
  int64_t used;                 /* slots ever written */
  float *obs, *next;            /* [buffer + rows, length, obs_dim] */
  float *act;                   /* [buffer + rows, length, act_dim] */
  float *reward;                /* [buffer + rows, length] */
  int64_t *steps;               /* [buffer + rows] taken in so far */
  int64_t *finished;            /* [buffer] slots of finished trials, a ring */
  int64_t *running;             /* [rows] slot of each row's running trial */
  int64_t *state;               /* [REPLAY_STATE] */
} Replay;
enum { REPLAY_STARTED, REPLAY_COUNT, REPLAY_OLDEST, REPLAY_STATE };

/* [create] */
static void replay_make(Replay *r, const HnHost *host, int64_t buffer, int64_t rows, int64_t length,
                        int64_t obs_dim, int64_t act_dim) {
  int64_t slots = buffer + rows, *used = &r->used;
  r->buffer = buffer, r->rows = rows, r->length = length;
  r->obs_dim = obs_dim, r->act_dim = act_dim;
  r->obs = host->keep(host, HN_ARRAY("replay.obs", HN_REPLAY, HN_F32, .rank = 3,
                                     .dim = {slots, length, obs_dim}, .used = used));
  r->next = host->keep(host, HN_ARRAY("replay.next", HN_REPLAY, HN_F32, .rank = 3,
                                      .dim = {slots, length, obs_dim}, .used = used));
  r->act = host->keep(host, HN_ARRAY("replay.act", HN_REPLAY, HN_F32, .rank = 3,
                                     .dim = {slots, length, act_dim}, .used = used));
  r->reward = host->keep(host, HN_ARRAY("replay.reward", HN_REPLAY, HN_F32, .rank = 2,
                                        .dim = {slots, length}, .used = used));
  r->steps = host->keep(
      host, HN_ARRAY("replay.steps", HN_REPLAY, HN_I64, .rank = 1, .dim = {slots}, .used = used));
  r->finished =
      host->keep(host, HN_ARRAY("replay.finished", HN_REPLAY, HN_I64, .rank = 1, .dim = {buffer}));
  r->running =
      host->keep(host, HN_ARRAY("replay.running", HN_REPLAY, HN_I64, .rank = 1, .dim = {rows}));
  r->state = host->keep(
      host, HN_ARRAY("replay.state", HN_REPLAY, HN_I64, .rank = 1, .dim = {REPLAY_STATE}));
}

/* The action of element `at` as floats [act_dim]: itself, or one-hot. */
static void encode_action(const HnHistory *h, int64_t at, int64_t act_dim, float *to) {
  if (!h->act) {
    memset(to, 0, (size_t)act_dim * sizeof *to);
    if (act_dim) to[h->pick[at]] = 1;
  } else
    memcpy(to, h->act + at * act_dim, (size_t)act_dim * sizeof *to);
}

/* Files the row's running trial as finished, forgetting the oldest if need be, and gives the row
 * another slot. */
static void replay_finish(Replay *r, int64_t row) {
  int64_t *count = &r->state[REPLAY_COUNT], *oldest = &r->state[REPLAY_OLDEST];
  int64_t slot = r->running[row];
  if (*count < r->buffer) {
    r->finished[(*count)++] = slot;
    r->running[row] = r->used++;
  } else {
    r->running[row] = r->finished[*oldest];
    r->finished[*oldest] = slot;
    *oldest = (*oldest + 1) % r->buffer;
  }
  r->steps[r->running[row]] = 0;
}

/* Takes in a window whose rows continue those of the last one.  False: a trial is longer than
 * r->length. */
static bool replay_append(Replay *r, const HnHistory *h) {
  size_t obs_bytes = (size_t)r->obs_dim * sizeof(float);
  if (!r->state[REPLAY_STARTED]) {
    r->state[REPLAY_STARTED] = 1, r->used = r->rows;
    for (int64_t i = 0; i < r->rows; i++) r->running[i] = i;
  }
  for (int64_t i = 0; i < h->rows; i++)
    for (int64_t t = 0; t < h->steps; t++) {
      int64_t at = hn_at(h, t, i), slot = r->running[i];
      if (r->steps[slot] == r->length) return false;
      int64_t to = slot * r->length + r->steps[slot]++;
      memcpy(r->obs + to * r->obs_dim, h->obs + at * r->obs_dim, obs_bytes);
      memcpy(r->next + to * r->obs_dim, h->next_obs + at * r->obs_dim, obs_bytes);
      encode_action(h, at, r->act_dim, r->act + to * r->act_dim);
      r->reward[to] = h->reward[at];
      if (h->begin[hn_at(h, t + 1, i)] == HN_NEW_TASK) replay_finish(r, i);
    }
  return true;
}
#endif
