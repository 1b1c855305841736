/* reward_sweep.c - objects that slide: sweep, soccer, plates. */
#include "reward.h"

/* ---- between the pads ---- */

typedef struct Sweep {
  HnMwPinch pinch;
  bool at_its_height; /* the target is as high as the object is */
} Sweep;

static double sweep(const HnMwScene *s, const void *numbers) {
  const Sweep *p = numbers;
  const double target[3] = {s->target[0], s->target[1],
                            p->at_its_height ? s->obj[2] : s->target[2]};
  double far = apart(s->obj, target);
  if (far < 0.05) return 10;
  double hold = hn_mw_pinching(s, &p->pinch);
  return 2 * hold + 6 * both(hold, within(far, 0.05, apart(s->obj0, target)));
}

/* Less for a ball that passes the goal on its side. */
static double soccer(const HnMwScene *s, const void *numbers) {
  const double weight[3] = {3, 1, 1};
  const Sweep *p = numbers;
  double far = apart_by(weight, s->obj, s->target);
  if (far < 0.07) return 10;
  double place = within(far, 0.07, apart_by(weight, s->obj, s->obj0));
  double line = s->target[1] - 0.1;
  if (s->obj[1] > line && fabs(s->obj[0] - s->target[0]) > 0.1)
    place = clamp(place - 2 * ((s->obj[1] - line) / (1 - line)), 0, 1);
  return 3 * hn_mw_pinching(s, &p->pinch) + 6.5 * place;
}

/* ---- under the fingers ---- */

static const double plate_radius = 0.05;

static double plate_slide(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  double far = apart(s->obj, s->target);
  if (far < plate_radius) return 10;
  return 8 * both(within(apart(s->tcp, s->obj), plate_radius, apart(s->tcp0, s->obj0)),
                  within(far, plate_radius, apart(s->obj0, s->target)));
}

static double plate_slide_down(const HnMwScene *s, const void *numbers) {
  (void)numbers;
  double far = apart(s->obj, s->target), reach = apart(s->tcp, s->obj);
  if (far < plate_radius) return 10;
  if (s->tcp[2] <= 0.03 && reach < 0.07)
    return 2 + 7 * within(far, plate_radius, apart(s->obj0, s->target) - plate_radius);
  return 1.5 * within(reach, plate_radius, apart(s->tcp0, s->obj0) - plate_radius);
}

static const Sweep sweep_n = {{0.02, 0.05, 0.005, 0.01}, false};
static const Sweep sweep_into_n = {{0.02, 0.05, 0.01, 0.005}, true};
static const Sweep soccer_n = {{0.013, 0.05, 0.005, 0.01}, false};

#define PLATE                            \
  .radius = 0.07, .weight = HN_MW_EVERY, \
  .start = {HN_MW_AT(HN_MW_GOAL, 0, 0, 0), HN_MW_AT(HN_MW_OBJECT, 0, 0, 0)}

const HnMwRule hn_mw_sweep_rules[] = {
    {"sweep", .reward = sweep, .numbers = &sweep_n, .radius = 0.05, .weight = HN_MW_EVERY,
     .start = {{{HN_MW_ZERO, HN_MW_OBJECT, HN_MW_ZERO}, {0.5, 0, 0.01}},
               HN_MW_ON(HN_MW_OBJECT, HN_MW_ZERO, 0, 0, 0.02)}},
    {"sweep-into", .reward = sweep, .numbers = &sweep_into_n, .radius = 0.05, .weight = {1, 1, 0},
     .start = {HN_MW_AT(HN_MW_ZERO, 0, 0.84, 0.02),
               HN_MW_ON(HN_MW_OBJECT, HN_MW_OBJ_SETTLED, 0, 0, 0)}},
    {"soccer", .reward = soccer, .numbers = &soccer_n, .radius = 0.07, .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_GOAL, 0, 0, 0), HN_MW_ON(HN_MW_OBJECT, HN_MW_ZERO, 0, 0, 0.03)}},
    {"plate-slide", .reward = plate_slide, PLATE},
    {"plate-slide-side", .reward = plate_slide_down, PLATE},
    {"plate-slide-back", .reward = plate_slide_down, PLATE},
    {"plate-slide-back-side", .reward = plate_slide_down, PLATE},
    {0},
};
