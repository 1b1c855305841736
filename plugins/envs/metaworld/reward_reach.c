/* reward_reach.c - reach a handle and bring it to its place: dial, drawer, handles, windows,
 * faucets. */
#include "reward.h"

typedef struct Reach {
  double shift[3];   /* from the object to where one pushes */
  bool from_mark;    /* the start of reaching is `mark`, else obj0 */
  double near;       /* best distance of the fingers */
  bool gauss;        /* how reaching falls off */
  bool shut;         /* reaching counts as far as the action shuts the gripper */
  bool pushed_place; /* the place to bring home is where one pushes, else the object */
  bool home_from_mark;
  double weight[3]; /* of the axes in the distance from home */
  double home;      /* best distance from home */
  double win;       /* 10 from there on */
  double product;   /* reward is this times both; 0: the sum with these: */
  double reach_share, home_share;
} Reach;

static double reach_home(const HnMwScene *s, const void *numbers) {
  const Reach *p = numbers;
  double push[3];
  for (int i = 0; i < 3; i++) push[i] = s->obj[i] + p->shift[i];
  double far = apart_by(p->weight, p->pushed_place ? push : s->obj, s->target);
  if (far <= p->win) return 10;

  double margin = fabs(apart(p->from_mark ? s->mark : s->obj0, s->tcp0) - p->near);
  double reach = (p->gauss ? within_gauss : within)(apart(push, s->tcp), p->near, margin);
  if (p->shut) reach = both(reach, clamp(s->grip, 0, 1));
  double far0 = apart_by(p->weight, p->home_from_mark ? s->mark : s->obj0, s->target);
  double placed = within(far, p->home, fabs(far0 - p->home));
  return p->product > 0 ? p->product * both(reach, placed)
                        : p->reach_share * reach + p->home_share * placed;
}

static bool faucet_opened(const HnMwScene *s) {
  const double push[3] = {s->obj[0] - 0.04, s->obj[1], s->obj[2] + 0.03};
  return apart(push, s->target) <= 0.07;
}

#define NEVER (-1) /* wins */

static const Reach dial = {
    {0.05, 0.02, 0.09},     .from_mark = true,     .near = 0.005, .gauss = true, .shut = true,
    .home_from_mark = true, .weight = HN_MW_EVERY, .home = 0.07,  .win = NEVER,  .product = 10};
static const Reach drawer_close = {.near = 0.005,
                                   .gauss = true,
                                   .shut = true,
                                   .weight = HN_MW_EVERY,
                                   .home = 0.05,
                                   .win = 0.065,
                                   .product = 10};
static const Reach handle_press = {
    {0},          .from_mark = true, .near = 0.02, .home_from_mark = true, .weight = {0, 0, 1},
    .home = 0.02, .win = 0.02,       .product = 10};
static const Reach window_open = {
    {0},          .from_mark = true, .near = 0.02, .weight = {1, 0, 0},
    .home = 0.05, .win = NEVER,      .product = 10};
static const Reach window_close = {.from_mark = true,
                                   .near = 0.02,
                                   .gauss = true,
                                   .home_from_mark = true,
                                   .weight = {1, 0, 0},
                                   .home = 0.05,
                                   .win = NEVER,
                                   .product = 10};
static const Reach faucet_open = {.shift = {-0.04, 0, 0.03},
                                  .near = 0.01,
                                  .gauss = true,
                                  .pushed_place = true,
                                  .weight = HN_MW_EVERY,
                                  .home = 0.07,
                                  .win = 0.07,
                                  .reach_share = 4,
                                  .home_share = 6};
static const Reach faucet_close = {
    {0},          .near = 0.01, .gauss = true,    .weight = HN_MW_EVERY,
    .home = 0.07, .win = 0.07,  .reach_share = 4, .home_share = 6};

#define OBJ0_DRAWN .obj0 = HN_MW_AT(HN_MW_OBJECT, 0, 0, 0)

const HnMwRule hn_mw_reach_rules[] = {
    {"dial-turn", .reward = reach_home, .numbers = &dial, .radius = 0.07, .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0, 0.03, 0.03), OBJ0_DRAWN,
               HN_MW_AT(HN_MW_OBJ_SETTLED, 0.05, 0.02, 0.09)}},
    {"drawer-close", .reward = reach_home, .numbers = &drawer_close, .radius = 0.065,
     .weight = HN_MW_EVERY,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0, -0.16, 0.09), HN_MW_AT(HN_MW_OBJ, 0, 0, 0)}},
    {"handle-press", .places = {"site:goalPress"}, .reward = reach_home, .numbers = &handle_press,
     .radius = 0.02, .weight = {0, 0, 1},
     .start = {HN_MW_AT(HN_MW_PLACE, 0, 0, 0), OBJ0_DRAWN, HN_MW_AT(HN_MW_OBJ, 0, 0, 0)}},
    {"handle-press-side", .places = {"site:goalPress"}, .reward = reach_home,
     .numbers = &handle_press, .radius = 0.02, .weight = {0, 0, 1},
     .start = {HN_MW_AT(HN_MW_PLACE, 0, 0, 0), OBJ0_DRAWN, HN_MW_AT(HN_MW_OBJ, 0, 0, 0)}},
    {"window-open", .reward = reach_home, .numbers = &window_open, .radius = 0.05,
     .weight = {1, 0, 0},
     .start = {HN_MW_AT(HN_MW_OBJECT, 0.2, 0, 0), OBJ0_DRAWN,
               HN_MW_AT(HN_MW_OBJ_SETTLED, 0, 0, 0)}},
    {"window-close", .reward = reach_home, .numbers = &window_close, .radius = 0.05,
     .weight = {1, 0, 0},
     .start = {HN_MW_AT(HN_MW_OBJECT, 0, 0, 0), OBJ0_DRAWN,
               HN_MW_AT(HN_MW_OBJ_SETTLED, 0.2, 0, 0)}},
    {"faucet-open", .reward = reach_home, .numbers = &faucet_open, .success = faucet_opened,
     .start = {HN_MW_AT(HN_MW_OBJECT, 0.175, 0, 0.125), OBJ0_DRAWN}},
    {"faucet-close", .reward = reach_home, .numbers = &faucet_close, .radius = 0.07,
     .weight = HN_MW_EVERY, .start = {HN_MW_AT(HN_MW_OBJECT, -0.175, 0, 0.125), OBJ0_DRAWN}},
    {0},
};
