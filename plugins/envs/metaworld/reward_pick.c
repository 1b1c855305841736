/* reward_pick.c - grasp an object, lift it, bring it to its place. */
#include "reward.h"

typedef struct Pick {
  HnMwCage cage;
  HnMwPinch pinch; /* instead, where `by_pinch` */
  bool by_pinch;
  double weight[3]; /* of the axes in the distance from the place */
  double home;      /* best distance from the place */
  double gate;      /* grasped means: the fingers nearer than this, open,... */
  double lift;      /* ...and the object this much above its start */
  double open;      /* how far open counts as not empty-handed */
  double bonus;     /* times being near the place, once grasped */
  double win;       /* 10 below this distance */
  HnMwFunnel floor; /* to be carried above */
  double floor_margin;
} Pick;

#define ANY_HEIGHT (-INFINITY)

static double placed(const HnMwScene *s, const Pick *p, const double *at, const double *target) {
  return within(apart_by(p->weight, at, target), p->home, apart_by(p->weight, s->obj0, target));
}

static bool grasped(const HnMwScene *s, const Pick *p) {
  return apart(s->obj, s->tcp) < p->gate && s->open > 0 && s->obj[2] - p->lift > s->obj0[2];
}

static double caging(const HnMwScene *s, const Pick *p) {
  return hn_mw_caging(s, &p->cage, s->obj, s->obj0);
}

/* Holding and placing; once grasped 1 more and the bonus; 10 at home. */
static double sum_up(const Pick *p, double hold, double place, bool grasp, double bonus,
                     double far) {
  if (far < p->win) return 10;
  return both(hold, place) + (grasp ? 1 + p->bonus * bonus : 0);
}

static double pick(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  double place = placed(s, p, s->obj, s->target);
  double hold = p->by_pinch ? hn_mw_pinching_by_action(s, &p->pinch) : caging(s, p);
  return sum_up(p, hold, place, grasped(s, p), place, apart_by(p->weight, s->obj, s->target));
}

/* Compares the object's y with the height where it started (trap 7). */
static double handle_pull(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  double place = placed(s, p, s->obj, s->target);
  bool grasp = apart(s->obj, s->tcp) < p->gate && s->open > 0 && s->obj[1] - p->lift > s->obj0[2];
  return sum_up(p, caging(s, p), place, grasp, place, apart_by(p->weight, s->obj, s->target));
}

/* The hoop is not where the ball goes: 0.3 above the table is. */
static double basketball(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  const double target[3] = {s->target[0], s->target[1], 0.3};
  double place = placed(s, p, s->obj, target);
  bool grasp = grasped(s, p);
  return sum_up(p, grasp ? 1 : caging(s, p), place, grasp, place,
                apart_by(p->weight, s->obj, target));
}

static bool scored(const HnMwScene *s) {
  const double weight[3] = {1, 1, 2}, target[3] = {s->target[0], s->target[1], 0.3};
  return apart_by(weight, s->obj, target) <= 0.08;
}

static double bin_picking(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  double far = apart(s->obj, s->target), place = within(far, p->home, s->far0);
  double floor = fmin(funnel(&p->floor, apart_xy(s->hand, s->obj0)),
                      funnel(&p->floor, apart_xy(s->hand, s->target)));
  double carried = above(s->hand[2], floor, p->floor_margin);
  bool grasp =
      apart(s->obj, s->hand) < p->gate && s->obj[2] - p->lift > s->obj0[2] && s->open >= p->open;
  return sum_up(p, caging(s, p), place, grasp, both(carried, place), far);
}

static double pick_out_of_hole(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  double place = placed(s, p, s->obj, s->target);
  double carried = above(s->tcp[2], funnel(&p->floor, apart_xy(s->tcp, s->obj0)), p->floor_margin);
  bool grasp =
      apart(s->obj, s->tcp) < p->gate && s->obj[2] - p->lift > s->obj0[2] && s->open >= p->open;
  return sum_up(p, caging(s, p), place, grasp, both(carried, place), apart(s->obj, s->target));
}

enum { HEAD, LOW_1, HIGH_1, LOW_2, HIGH_2 }; /* of peg_insert's places */

/* The head counts, and must not pass through the box: two blocks beside the hole. */
static double peg_insert(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  const double *head = s->place[HEAD];
  double far = apart_by(p->weight, head, s->target);
  double place = within(far, p->home, apart_by(p->weight, s->mark, s->target));
  place = both(place, both(hn_mw_prism(head, s->place[LOW_2], s->place[HIGH_2]),
                           hn_mw_prism(head, s->place[LOW_1], s->place[HIGH_1])));
  bool grasp = grasped(s, p);
  double r = both(grasp ? 1 : caging(s, p), place) + (grasp ? 1 + p->bonus * place : 0);
  return far <= p->win ? 10 : r;
}

static bool peg_inserted(const HnMwScene *s) {
  const double weight[3] = {1, 2, 2};
  return apart_by(weight, s->place[HEAD], s->target) <= 0.07;
}

/* The bonus shrinks in front of the shelf's edge and is gone under the shelf. */
static double shelf_place(const HnMwScene *s, const void *numbers) {
  const double height = 0.24, depth = 0.15, half_width = 0.15;
  const Pick *p = numbers;
  double place = placed(s, p, s->obj, s->target), bonus = place;
  if (0 < s->obj[2] && s->obj[2] < height && fabs(s->obj[0] - s->target[0]) < half_width) {
    double in = s->obj[1] - (s->target[1] - depth);
    if (0 < in && s->obj[1] < s->target[1])
      bonus = clamp(place - both(in / depth, (height - s->obj[2]) / height), 0, 1);
    else if (s->obj[1] > s->target[1])
      bonus = 0;
  }
  return sum_up(p, caging(s, p), place, grasped(s, p), bonus, apart(s->obj, s->target));
}

static double push_back(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  double far = apart(s->obj, s->target), far0 = apart(s->obj0, s->target);
  double place = within(far, p->home, far0);
  bool grasp =
      apart(s->obj, s->tcp) < p->gate && 0 < s->open && s->open < p->open && far0 - far > 0.01;
  return sum_up(p, hn_mw_pinching(s, &p->pinch), place, grasp, place, far);
}

/* First to a place over the wall, then to the target. */
static double pick_place_wall(const HnMwScene *s, const void *numbers) {
  const double over[3] = {s->target[0], 0.77, 0.25};
  const Pick *p = numbers;
  double far = apart(s->obj, s->target);
  if (far < p->win) return 10;
  double first = placed(s, p, s->obj, over);
  double r = both(caging(s, p), first);
  if (!grasped(s, p)) return r;
  return s->obj[1] > 0.75 ? r + 5 + 3 * within(far, p->home, apart(s->obj0, s->target))
                          : r + 1 + 4 * first;
}

enum { END, CONTAINER }; /* of stick-pull's places */

static bool inserted(const HnMwScene *s) {
  const double *end = s->place[END];
  return end[0] >= s->obj2[0] && fabs(end[1] - s->obj2[1]) <= 0.04 &&
         fabs(end[2] - s->obj2[2]) <= 0.06;
}

static bool stick_pulled(const HnMwScene *s) {
  return apart(s->obj2, s->target) <= 0.12 && inserted(s);
}

/* The stick through the handle of a container, then both to the target.  The caging's margins are
 * of where the container started (trap 7). */
static double stick_pull(const HnMwScene *s, const void *numbers) {
  const Pick *p = numbers;
  const double box[3] = {s->obj2[0] + 0.05, s->obj2[1], s->obj2[2]};
  const double box0[3] = {s->obj0[0] + 0.05, s->obj0[1], s->obj0[2]};
  double place =
      within(apart_by(p->weight, s->obj, box), p->home, apart_by(p->weight, s->mark, box0));
  bool grasp = apart(s->obj, s->tcp) < p->gate && s->open > 0 && s->obj[2] - p->lift > s->mark[2];
  double r = both(grasp ? 1 : caging(s, p), place);
  if (!grasp) return r;
  if (!inserted(s)) return 1 + r + p->bonus * place;
  if (stick_pulled(s)) return 10;
  double stick = within(apart(s->obj, s->target), p->home, apart(s->mark, s->target));
  double moved = within(apart(box, s->target), p->home, apart(s->obj0, s->target));
  return 6 + r + 2 * stick + moved;
}

static const Pick basketball_n = {.cage = {0.025, 0.06, 0.005, 1, HN_MW_HIGH, 0},
                                  .weight = {1, 1, 2},
                                  .home = 0.08,
                                  .gate = 0.035,
                                  .lift = 0.01,
                                  .bonus = 5,
                                  .win = 0.08};
static const Pick bin_picking_n = {.cage = {0.015, 0.05, 0.01, 0.7, HN_MW_HIGH, 0},
                                   .home = 0.05,
                                   .gate = 0.04,
                                   .lift = 0.02,
                                   .open = 0.43,
                                   .bonus = 5,
                                   .win = 0.05,
                                   .floor = {0.02, 0.03, 0.2},
                                   .floor_margin = 0.05};
static const Pick pick_out_of_hole_n = {.cage = {0.015, 0.02, 0.03, 0.1, HN_MW_HIGH, 0},
                                        .weight = HN_MW_EVERY,
                                        .home = 0.02,
                                        .gate = 0.04,
                                        .lift = 0.02,
                                        .open = 0.33,
                                        .bonus = 5,
                                        .win = 0.05,
                                        .floor = {0.015, 0.03, 0.15},
                                        .floor_margin = 0.02};
static const Pick coffee = {.cage = {0.02, 0.05, 0.05, 0.7, HN_MW_MEDIUM, 0.04},
                            .weight = {2, 2, 1},
                            .home = 0.05,
                            .gate = 0.04,
                            .lift = ANY_HEIGHT,
                            .bonus = 5,
                            .win = 0.05};
static const Pick hand_insert = {.cage = {0.015, 0.05, 0.005, 1, HN_MW_HIGH, 0},
                                 .weight = HN_MW_EVERY,
                                 .home = 0.05,
                                 .gate = 0.02,
                                 .lift = ANY_HEIGHT,
                                 .bonus = 7,
                                 .win = 0.05};
static const Pick handle_pull_n = {.cage = {0.022, 0.05, 0.01, 1, HN_MW_HIGH, 0},
                                   .weight = {0, 0, 1},
                                   .home = 0.05,
                                   .gate = 0.035,
                                   .lift = 0.01,
                                   .bonus = 5,
                                   .win = 0.05};
static const Pick handle_pull_side = {.cage = {0.032, 0.06, 0.01, 1, HN_MW_HIGH, 0},
                                      .weight = HN_MW_EVERY,
                                      .home = 0.05,
                                      .gate = 0.035,
                                      .lift = 0.01,
                                      .bonus = 5,
                                      .win = 0.05};
static const Pick peg_insert_n = {.cage = {0.0075, 0.03, 0.005, 1, HN_MW_HIGH, 0},
                                  .weight = {1, 2, 2},
                                  .home = 0.07,
                                  .gate = 0.08,
                                  .lift = 0.01,
                                  .bonus = 5,
                                  .win = 0.07};
static const Pick shelf_place_n = {.cage = {0.02, 0.05, 0.01, 1, HN_MW_PLAIN, 0},
                                   .weight = HN_MW_EVERY,
                                   .home = 0.05,
                                   .gate = 0.025,
                                   .lift = 0.01,
                                   .bonus = 5,
                                   .win = 0.05};
static const Pick pick_place = {.pinch = {0.015, 0.05, 0.005, 0},
                                .by_pinch = true,
                                .weight = HN_MW_EVERY,
                                .home = 0.05,
                                .gate = 0.02,
                                .lift = 0.01,
                                .bonus = 5,
                                .win = 0.05};
static const Pick push_back_n = {.pinch = {0.007, 0.05, 0.01, 0.003},
                                 .home = 0.05,
                                 .gate = 0.01,
                                 .open = 0.55,
                                 .bonus = 5,
                                 .win = 0.05};
static const Pick pick_place_wall_n = {.cage = {0.015, 0.05, 0.005, 1, HN_MW_PLAIN, 0},
                                       .weight = {1, 1, 3},
                                       .home = 0.05,
                                       .gate = 0.02,
                                       .lift = 0.015,
                                       .win = 0.05};
static const Pick stick_pull_n = {.cage = {0.014, 0.05, 0.01, 1, HN_MW_HIGH, 0},
                                  .weight = {1, 1, 2},
                                  .home = 0.05,
                                  .gate = 0.02,
                                  .lift = 0.01,
                                  .bonus = 5};

#define DRAWN HN_MW_AT(HN_MW_OBJECT, 0, 0, 0)
#define GOAL  HN_MW_AT(HN_MW_GOAL, 0, 0, 0)

const HnMwRule hn_mw_pick_rules[] = {
    {"basketball", .places = {"site:goal"}, .reward = basketball, .numbers = &basketball_n,
     .success = scored,
     .start = {HN_MW_AT(HN_MW_PLACE, 0, 0, 0),
               HN_MW_ON(HN_MW_OBJECT, HN_MW_ZERO, 0, 0, (double)0.03F)}},
    {"bin-picking", .places = {"body:bin_goal"}, .reward = bin_picking, .numbers = &bin_picking_n,
     .radius = 0.05, .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_PLACE, 0, 0, 0), HN_MW_ON(HN_MW_OBJECT, HN_MW_OBJ_SETTLED, 0, 0, 0),
               .far_at_first_step = true}},
    {"pick-out-of-hole", .reward = pick_out_of_hole, .numbers = &pick_out_of_hole_n, .radius = 0.07,
     .weight = HN_MW_EVERY, .start = {GOAL, DRAWN}},
    {"coffee-pull", .reward = pick, .numbers = &coffee, .radius = 0.07, .weight = HN_MW_EVERY,
     .start = {GOAL, DRAWN}},
    {"coffee-push", .reward = pick, .numbers = &coffee, .radius = 0.07, .weight = HN_MW_EVERY,
     .start = {GOAL, DRAWN}},
    {"hand-insert", .reward = pick, .numbers = &hand_insert, .radius = 0.05, .weight = HN_MW_EVERY,
     .start = {GOAL, HN_MW_ON(HN_MW_OBJECT, HN_MW_ZERO, 0, 0, 0.05)}},
    {"handle-pull", .places = {"site:goalPull"}, .reward = handle_pull, .numbers = &handle_pull_n,
     .radius = 0.05, .weight = {0, 0, 1}, .start = {HN_MW_AT(HN_MW_PLACE, 0, 0, 0), DRAWN}},
    {"handle-pull-side", .places = {"site:goalPull"}, .reward = pick, .numbers = &handle_pull_side,
     .radius = 0.08, .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_PLACE, 0, 0, 0), HN_MW_AT(HN_MW_OBJ, 0, 0, 0)}},
    {"peg-insert-side",
     .places = {"site:pegHead", "site:bottom_right_corner_collision_box_1",
                "site:top_left_corner_collision_box_1", "site:bottom_right_corner_collision_box_2",
                "site:top_left_corner_collision_box_2"},
     .reward = peg_insert, .numbers = &peg_insert_n, .success = peg_inserted,
     .start = {HN_MW_AT(HN_MW_GOAL, 0.03, 0, 0.13), DRAWN,
               HN_MW_AT(HN_MW_PLACE_SETTLED + HEAD, 0, 0, 0)}},
    {"shelf-place", .reward = shelf_place, .numbers = &shelf_place_n, .radius = 0.07,
     .weight = HN_MW_EVERY, .start = {GOAL, HN_MW_ON(HN_MW_OBJECT, HN_MW_OBJ_SETTLED, 0, 0, 0)}},
    {"pick-place", .reward = pick, .numbers = &pick_place, .radius = 0.07, .weight = HN_MW_EVERY,
     .start = {GOAL, DRAWN}},
    {"push-back", .reward = push_back, .numbers = &push_back_n, .radius = 0.07,
     .weight = HN_MW_EVERY,
     .start = {HN_MW_ON(HN_MW_GOAL, HN_MW_OBJ_SETTLED, 0, 0, 0),
               HN_MW_ON(HN_MW_OBJECT, HN_MW_OBJ_SETTLED, 0, 0, 0)}},
    {"pick-place-wall", .reward = pick_place_wall, .numbers = &pick_place_wall_n, .radius = 0.07,
     .weight = HN_MW_EVERY, .start = {GOAL, DRAWN}},
    {"stick-pull", .places = {"site:stick_end", "body:object"}, .reward = stick_pull,
     .numbers = &stick_pull_n, .success = stick_pulled,
     .start = {HN_MW_ON(HN_MW_GOAL, HN_MW_ZERO, 0, 0, 0.02),
               HN_MW_AT(HN_MW_PLACE + CONTAINER, 0, 0, 0),
               HN_MW_ON(HN_MW_OBJECT, HN_MW_ZERO, 0, 0, 0.02)}},
    {0},
};
