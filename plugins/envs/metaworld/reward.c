/* reward.c - the parts of rewards that are more than a line, and the rules of all tasks. */
#include "reward.h"
#include <string.h>

/* ---- holding ---- */

static double joined(const HnMwCage *cage, double caged, double shut) {
  double held = both(caged, caged > 0.97 ? shut : 0);
  return cage->density == HN_MW_HIGH ? (held + caged) / 2 : held;
}

static double across(const HnMwScene *s, const double *obj, const double *obj0, double best) {
  return within(apart_xz(s->tcp, obj), best, apart_xz(obj0, s->tcp0) - best);
}

/* The margin compares the pad as it is now with the object as it was, as upstream does. */
static double beside(const HnMwCage *cage, double pad, double obj, double obj0) {
  return between(fabs(pad - obj), cage->inner, cage->outer, fabs(fabs(pad - obj0) - cage->outer));
}

double hn_mw_caging(const HnMwScene *s, const HnMwCage *cage, const double *obj,
                    const double *obj0) {
  double sides =
      both(beside(cage, s->left[1], obj[1], obj0[1]), beside(cage, s->right[1], obj[1], obj0[1]));
  double caged = both(sides, across(s, obj, obj0, cage->across));
  double held = joined(cage, caged, clamp(s->grip, 0, cage->effort) / cage->effort);
  if (cage->density != HN_MW_MEDIUM) return held;
  double margin = fabs(apart(obj0, s->tcp0) - cage->reach);
  return (held + within(apart(obj, s->tcp), cage->reach, margin)) / 2;
}

/* Both pads within [inner, high] of the object's sides. */
static double sided(const HnMwScene *s, const HnMwPinch *pinch, double high) {
  double y = s->obj[1], left = s->left[1] - y, right = y - s->right[1];
  double margin_left = fabs(fabs(left) - pinch->outer);
  double margin_right = fabs(fabs(right) - pinch->outer);
  return both(between(right, pinch->inner, high, margin_right),
              between(left, pinch->inner, high, margin_left));
}

static double pinch_caged(const HnMwScene *s, const HnMwPinch *pinch) {
  return both(sided(s, pinch, pinch->outer), across(s, s->obj, s->obj0, pinch->across));
}

double hn_mw_pinching(const HnMwScene *s, const HnMwPinch *pinch) {
  double caged = pinch_caged(s, pinch);
  return (caged + (caged > 0.95 ? sided(s, pinch, pinch->inner + pinch->grip) : 0)) / 2;
}

double hn_mw_pinching_by_action(const HnMwScene *s, const HnMwPinch *pinch) {
  static const HnMwCage high = {.density = HN_MW_HIGH};
  return joined(&high, pinch_caged(s, pinch), clamp(s->grip, 0, 1));
}

double hn_mw_prism(const double *at, const double *zero, const double *one) {
  double share = 1;
  for (int i = 0; i < 3; i++) {
    if (at[i] < fmin(zero[i], one[i]) || at[i] > fmax(zero[i], one[i])) return 1;
    share *= (at[i] - zero[i]) / (one[i] - zero[i]);
  }
  return share;
}

/* ---- rules ---- */

static const HnMwRule *const families[] = {
    hn_mw_press_rules, hn_mw_reach_rules, hn_mw_pick_rules, hn_mw_push_rules,
    hn_mw_sweep_rules, hn_mw_tool_rules,  hn_mw_sum_rules,
};

const HnMwRule *hn_mw_rule_at(int i) {
  for (size_t f = 0; f < sizeof families / sizeof *families; f++)
    for (const HnMwRule *rule = families[f]; rule->task; rule++)
      if (i-- == 0) return rule;
  return NULL;
}

const HnMwRule *hn_mw_rule(const char *task) {
  const HnMwRule *rule;
  for (int i = 0; (rule = hn_mw_rule_at(i)); i++)
    if (!strcmp(rule->task, task)) return rule;
  return NULL;
}

double hn_mw_reward(const HnMwRule *rule, const HnMwScene *scene) {
  return rule->reward(scene, rule->numbers);
}

bool hn_mw_success(const HnMwRule *rule, const HnMwScene *scene) {
  if (rule->success) return rule->success(scene);
  return apart_by(rule->weight, scene->obj, scene->target) <= rule->radius;
}

/* ---- what reset leaves behind ---- */

static void locate(const HnMwPoint *point, const double *rand, const HnMwScene *settled,
                   const HnMwScene *scene, double *out) {
  for (int i = 0; i < 3; i++) {
    int from = point->from[i];
    double x = 0;
    if (from == HN_MW_OBJECT)
      x = rand[i];
    else if (from == HN_MW_GOAL)
      x = rand[3 + i];
    else if (from == HN_MW_OBJ)
      x = scene->obj[i];
    else if (from == HN_MW_OBJ_SETTLED)
      x = settled->obj[i];
    else if (from >= HN_MW_PLACE_SETTLED)
      x = settled->place[from - HN_MW_PLACE_SETTLED][i];
    else if (from >= HN_MW_PLACE)
      x = scene->place[from - HN_MW_PLACE][i];
    out[i] = x + point->shift[i];
  }
}

void hn_mw_begin(const HnMwRule *rule, const double *rand, const HnMwScene *settled,
                 HnMwScene *scene) {
  const HnMwStart *start = &rule->start;
  locate(&start->target, rand, settled, scene, scene->target);
  locate(&start->obj0, rand, settled, scene, scene->obj0);
  locate(&start->mark, rand, settled, scene, scene->mark);
  scene->far0 = 0;
  if (start->far_along) {
    int axis = start->far_along - 'x';
    scene->far0 = fabs(scene->target[axis] - scene->place[1][axis]);
  }
}

void hn_mw_first_step(const HnMwRule *rule, HnMwScene *scene) {
  if (rule->start.far_at_first_step) scene->far0 = apart(scene->obj, scene->target);
}
