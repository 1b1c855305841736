/* reward_sum.c - rewards that add up reaching and moving, or are reaching alone. */
#include "reward.h"

static double reach(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  return 10 * within(apart(s->tcp, s->target), 0.05, apart(s->hand0, s->target));
}

static bool reached(const HnMwScene *s) {
  return apart(s->tcp, s->target) <= 0.05;
}

static double door_close(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  double far = apart(s->obj, s->target);
  if (far < 0.05) return 10;
  return 3 * within_gauss(apart(s->tcp, s->target), 0.0125, apart(s->hand0, s->obj) + 0.1) +
         6 * within_gauss(far, 0.05, apart(s->obj0, s->target));
}

/* ---- locks ---- */

static const double lock_length = 0.1, lock_weight[3] = {0.25, 1, 0.5};

static double lock_turned(double far) {
  return within(far, 0.005, lock_length);
}

/* The left pad's start is a view of where it is now, so the margin is the distance (trap 1). */
static double door_lock(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  double far = apart_by(lock_weight, s->obj, s->left);
  return 2 * both(s->open, within(far, 0.01, far)) +
         8 * lock_turned(fabs(s->target[2] - s->obj[2]));
}

/* The part of the hand that pushes, from where the hand is. */
static double shoulder(const double *hand, const double *at, const double *weight) {
  const double edge[3] = {hand[0], hand[1] + 0.055, hand[2] + 0.07};
  return apart_by(weight, edge, at);
}

/* Where the lock started is a view of where it is now (trap 1): place 0 at each step. */
static double door_unlock(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  double margin = shoulder(s->tcp0, s->place[0], lock_weight);
  return 2 * within(shoulder(s->hand, s->obj, lock_weight), 0.02, margin) +
         8 * lock_turned(fabs(s->target[0] - s->obj[0]));
}

/* ---- drawer and lever ---- */

static double drawer_open(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  const double weight[3] = {3, 3, 1}, handle0[3] = {s->target[0], s->target[1] + 0.2, s->target[2]};
  double held = within(apart_by(weight, s->obj, s->hand), 0.01, apart_by(weight, handle0, s->tcp0));
  return 5 * (held + within(apart(s->obj, s->target), 0.02, 0.2));
}

static double lever_pull(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  const double weight[3] = {4, 1, 4};
  double ready =
      within(shoulder(s->hand, s->obj, weight), 0.02, shoulder(s->tcp0, s->mark, weight));
  return 10 * both(ready, within(apart(s->obj, s->target), 0.04, apart(s->mark, s->target)));
}

static bool lever_upright(const HnMwScene *s) {
  const double pi = 3.141592653589793;
  return fabs(-s->joint - pi / 2) <= pi / 24;
}

#define DRAWN HN_MW_AT(HN_MW_OBJECT, 0, 0, 0)
#define GOAL  HN_MW_AT(HN_MW_GOAL, 0, 0, 0)

const HnMwRule hn_mw_sum_rules[] = {
    {"reach", .reward = reach, .success = reached, .start = {GOAL, DRAWN}},
    {"reach-wall", .reward = reach, .success = reached, .start = {GOAL, DRAWN}},
    {"door-close", .reward = door_close, .radius = 0.08, .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0.2, -0.2, 0), DRAWN}},
    {"door-lock", .places = {"body:lock_link"}, .reward = door_lock, .radius = 0.02,
     .weight = {0, 0, 1},
     .start = {HN_MW_AT(HN_MW_PLACE, 0, -0.04, -0.1), HN_MW_AT(HN_MW_PLACE, 0, 0, 0)}},
    {"door-unlock", .places = {"body:lock_link"}, .reward = door_unlock, .radius = 0.02,
     .weight = {1, 0, 0},
     .start = {HN_MW_AT(HN_MW_PLACE, 0.1, -0.04, 0), HN_MW_AT(HN_MW_PLACE, 0, 0, 0)}},
    {"drawer-open", .reward = drawer_open, .radius = 0.03, .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0, -0.36, 0.09), DRAWN}},
    {"lever-pull", .joint = "LeverAxis", .reward = lever_pull, .success = lever_upright,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0.12, 0, 0.45), DRAWN,
               HN_MW_AT(HN_MW_OBJECT, 0.12, -0.2, 0.25)}},
    {0},
};
