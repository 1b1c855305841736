/* reward_push.c - move an object that is held, in stages, without lifting it first. */
#include "reward.h"

typedef struct Push {
  HnMwCage cage;
  double home; /* best distance from the target */
  double gate; /* held means: the fingers nearer than this, and open */
} Push;

static double caging(const HnMwScene *s, const Push *p) {
  return hn_mw_caging(s, &p->cage, s->obj, s->obj0);
}

static bool held(const HnMwScene *s, const Push *p) {
  return apart(s->obj, s->tcp) < p->gate && s->open > 0;
}

static double placed(const HnMwScene *s, const Push *p) {
  return within(apart(s->obj, s->target), p->home, apart(s->obj0, s->target));
}

static double push(const HnMwScene *s, const void *numbers) {
  const Push *p = numbers;
  if (apart(s->obj, s->target) < p->home) return 10;
  double hold = caging(s, p);
  return held(s, p) ? 4 * hold + 1 + 5 * placed(s, p) : 2 * hold;
}

/* First past the end of the wall, then to the target. */
static double push_wall(const HnMwScene *s, const void *numbers) {
  const double past[3] = {-0.05, 0.77, s->obj[2]}, weight[3] = {3, 1, 1};
  const Push *p = numbers;
  if (apart(s->obj, s->target) < p->home) return 10;
  double r = 2 * caging(s, p);
  if (!held(s, p)) return r;
  double first = within(apart_by(weight, s->obj, past), p->home, apart_by(weight, s->obj0, past));
  return s->obj[1] > 0.75 ? r + 5 + 3 * placed(s, p) : r + 1 + 4 * first;
}

static double peg_unplug(const HnMwScene *s, const void *numbers) {
  const Push *p = numbers;
  if (apart(s->obj, s->target) <= p->home) return 10;
  double r = 2 * caging(s, p);
  bool out = s->open > 0.5 && s->obj[0] - s->obj0[0] > 0.015 && apart(s->obj, s->tcp) < p->gate;
  return out ? 1 + r + 5 * placed(s, p) : r;
}

/* The stick is held by its thick end, and shoves a container. */
static double stick_push(const HnMwScene *s, const void *numbers) {
  const Push *p = numbers;
  const double stick[3] = {s->obj[0] + 0.015, s->obj[1], s->obj[2]}, *stick0 = s->mark;
  bool lifted = apart(stick, s->tcp) < p->gate && s->open > 0 && stick[2] - 0.01 > stick0[2];
  if (!lifted) return hn_mw_caging(s, &p->cage, stick, stick0);
  double far = apart(s->obj2, s->target);
  if (far <= p->home) return 10;
  return 2 + 5 * within(apart(stick, s->target), p->home, apart(stick0, s->target) - p->home) +
         3 * within(far, p->home, apart(s->obj0, s->target) - p->home);
}

static bool stick_pushed(const HnMwScene *s) {
  bool lifted = s->held && s->open > 0 && s->obj[2] - 0.01 > s->mark[2];
  return lifted && apart(s->obj2, s->target) <= 0.12;
}

static const Push push_n = {
    .cage = {0.015, 0.05, 0.005, 1, HN_MW_HIGH, 0}, .home = 0.05, .gate = 0.02};
static const Push peg_unplug_n = {
    {0.025, 0.05, 0.005, 0.8, HN_MW_HIGH, 0}, .home = 0.05, .gate = 0.035};
static const Push stick_push_n = {
    .cage = {0.04, 0.05, 0.01, 1, HN_MW_HIGH, 0}, .home = 0.12, .gate = 0.02};

/* Where the object settled is the height of the target too (trap 5). */
#define SETTLED                                               \
  .start = {HN_MW_ON(HN_MW_GOAL, HN_MW_OBJ_SETTLED, 0, 0, 0), \
            HN_MW_ON(HN_MW_OBJECT, HN_MW_OBJ_SETTLED, 0, 0, 0)}

const HnMwRule hn_mw_push_rules[] = {
    {"push", .reward = push, .numbers = &push_n, .radius = 0.05, .weight = HN_MW_EVERY, SETTLED},
    {"push-wall", .reward = push_wall, .numbers = &push_n, .radius = 0.07, .weight = HN_MW_EVERY,
     SETTLED},
    {"peg-unplug-side", .reward = peg_unplug, .numbers = &peg_unplug_n, .radius = 0.07,
     .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0.044 + 0.15, 0, 0.131), HN_MW_AT(HN_MW_OBJ, 0, 0, 0)}},
    {"stick-push", .places = {"site:insertion", "body:object"}, .touch = "objGeom",
     .reward = stick_push, .numbers = &stick_push_n, .success = stick_pushed,
     .start = {HN_MW_ON(HN_MW_GOAL, HN_MW_PLACE_SETTLED, 0, 0, 0),
               HN_MW_AT(HN_MW_PLACE + 1, 0, 0, 0), HN_MW_ON(HN_MW_OBJECT, HN_MW_ZERO, 0, 0, 0.02)}},
    {0},
};
