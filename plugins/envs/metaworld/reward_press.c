/* reward_press.c - buttons: come near, then press along one axis. */
#include "reward.h"

typedef struct Press {
  int axis;      /* along which the button goes */
  double near;   /* best distance of the fingers */
  double touch;  /* pressing counts from this near on */
  double margin; /* of pressing; 0: the scene's far0 */
  double come;   /* what coming near is worth, */
  double push;   /* and what pressing is */
  bool shut;     /* with the gripper shut, else open */
} Press;

static double nearness(const HnMwScene *s, const Press *p) {
  return within(apart(s->obj, s->tcp), p->near, apart(s->obj, s->tcp0));
}

static double pressed(const HnMwScene *s, const Press *p) {
  return within(fabs(s->target[p->axis] - s->obj[p->axis]), 0.005,
                p->margin > 0 ? p->margin : s->far0);
}

static double press(const HnMwScene *s, const void *numbers) {
  const Press *p = numbers;
  double gripper = p->shut ? 1 - s->open : s->open;
  double r = p->come * both(gripper, nearness(s, p));
  return apart(s->obj, s->tcp) <= p->touch ? r + p->push * pressed(s, p) : r;
}

/* Behind the wall one comes near shut and presses open. */
static double press_wall(const HnMwScene *s, const void *numbers) {
  const Press *p = numbers;
  if (apart(s->obj, s->tcp) > p->touch) return p->come * both((1 - s->open) / 2, nearness(s, p));
  double done = pressed(s, p);
  return 2 + 2 * (1 + s->open) + p->push * (done * done);
}

#define BUTTON(along)                                                                              \
  .places = {"site:hole", "site:buttonStart"}, .start = {.target = HN_MW_AT(HN_MW_PLACE, 0, 0, 0), \
                                                         .obj0 = HN_MW_AT(HN_MW_OBJECT, 0, 0, 0),  \
                                                         .far_along = along}

const HnMwRule hn_mw_press_rules[] = {
    {"button-press", BUTTON('y'), .reward = press, .radius = 0.02, .weight = {0, 1, 0},
     .numbers = &(const Press){1, .near = 0.05, .touch = 0.05, .come = 2, .push = 8}},
    {"button-press-wall", BUTTON('y'), .reward = press_wall, .radius = 0.03, .weight = {0, 1, 0},
     .numbers = &(const Press){1, .near = 0.01, .touch = 0.07, .come = 2, .push = 4}},
    {"button-press-topdown", BUTTON('z'), .reward = press, .radius = 0.024, .weight = {0, 0, 1},
     .numbers = &(const Press){2, .near = 0.01, .touch = 0.03, .come = 5, .push = 5, .shut = true}},
    {"button-press-topdown-wall", BUTTON('z'), .reward = press, .radius = 0.024,
     .weight = {0, 0, 1},
     .numbers = &(const Press){2, .near = 0.01, .touch = 0.03, .come = 5, .push = 5}},
    {"coffee-button", .reward = press, .radius = 0.02, .weight = {0, 1, 0},
     .start = {.target = HN_MW_AT(HN_MW_OBJECT, 0, -0.19, 0.3),
               .obj0 = HN_MW_AT(HN_MW_OBJECT, 0, 0, 0)},
     .numbers =
         &(const Press){
             .axis = 1, .near = 0.05, .touch = 0.05, .margin = 0.03, .come = 2, .push = 8}},
    {0},
};
