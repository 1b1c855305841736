/* scene.h - all that the 50 rewards and success tests of Meta-World read, and what a task asks of
 * the simulator for it.  The environment fills a scene from mjData; rewards are pure functions of
 * it and know nothing of MuJoCo.  Lengths in m, positions in the world's frame. */
#ifndef HN_MW_SCENE_H
#define HN_MW_SCENE_H
#include <stdbool.h>
#include <stdint.h>

enum {
  HN_MW_PLACES = 5, /* most named places that a task reads */
  HN_MW_SEEN = 18,  /* leading numbers of an observation: what is seen now, before the frame of
                       the step before */
};

typedef struct HnMwScene {
  /* -- what is seen now: the first HN_MW_SEEN numbers of the observation, clipped as step does,
   *    in the observation's order, so that one memcpy to `hand` fills it -- */
  double hand[3];
  double open;    /* gripper, 0 shut to 1 open */
  double obj[3];  /* the first object */
  double quat[4]; /* in the order that the task observes */
  double obj2[3]; /* the second object, or zeros */
  double quat2[4];
  /* -- of the simulator, each step -- */
  double tcp[3];                 /* mean of the sites rightEndEffector and leftEndEffector */
  double left[3], right[3];      /* bodies leftpad and rightpad */
  double place[HN_MW_PLACES][3]; /* what the rule's `places` name, in their order */
  double joint;                  /* position of the rule's `joint` */
  bool held;                     /* both pads press on the rule's `touch` (trap 8) */
  /* -- the action as given, neither clipped nor scaled -- */
  double grip; /* its fourth component; no reward reads the others */
  /* -- left behind by reset -- */
  double hand0[3];  /* where the task starts the hand: the table's number, not the simulator's */
  double tcp0[3];   /* tcp after the hand was reset */
  double target[3]; /* this and all below: hn_mw_begin */
  double obj0[3];   /* upstream's obj_init_pos */
  double mark[3];   /* the task's own: upstream's dial_push_position, _handle_init_pos,
                       window_handle_pos_init, _lever_pos_init, peg_head_pos_init, stick_init_pos */
  double far0;      /* distance to go at reset, or after the first step: _obj_to_target_init,
                       _target_to_obj_init */
} HnMwScene;

/* Where one coordinate of a point comes from, besides a shift. */
typedef enum HnMwFrom {
  HN_MW_ZERO,
  HN_MW_OBJECT,      /* the random vector's first three */
  HN_MW_GOAL,        /* its last three */
  HN_MW_OBJ,         /* the first object, as seen when all is placed */
  HN_MW_OBJ_SETTLED, /* as seen before anything was placed */
  HN_MW_PLACE,       /* + k: named place k, when all is placed */
  HN_MW_PLACE_SETTLED = HN_MW_PLACE + HN_MW_PLACES, /* + k: before */
} HnMwFrom;

typedef struct HnMwPoint {
  uint8_t from[3]; /* HnMwFrom of x, y, z */
  double shift[3];
} HnMwPoint;

/* What reset leaves behind for the reward of one task. */
typedef struct HnMwStart {
  HnMwPoint target, obj0, mark;
  char far_along;         /* 'y' or 'z': far0 is |target - place 1| along it; 0: no far0 */
  bool far_at_first_step; /* far0 is |obj - target| after the first step: hn_mw_first_step */
} HnMwStart;

/* How a task is rewarded.  Looked up once by name; the names in it are those of the task's model,
 * to be looked up once too. */
typedef struct HnMwRule {
  const char *task;                 /* e.g. "door-open" */
  const char *places[HN_MW_PLACES]; /* "site:pegHead" or "body:lock_link"; NULL from there on */
  const char *joint;                /* whose position is scene.joint, or NULL */
  const char *touch;                /* geom that scene.held is about, or NULL */
  HnMwStart start;
  double (*reward)(const HnMwScene *scene, const void *numbers);
  const void *numbers; /* the family's numbers for this task */
  /* Solved means: the first object is within `radius` of the target, axes weighted... */
  double radius;
  double weight[3];
  bool (*success)(const HnMwScene *scene); /* ...or this, where it is not NULL */
} HnMwRule;

/* Rule `i` of 50, NULL from there on; the rule of a task, NULL for a name that none has.  [any] */
const HnMwRule *hn_mw_rule_at(int i);
const HnMwRule *hn_mw_rule(const char *task);

/* Fills target, obj0, mark and far0: what reset leaves behind for rewards.
 *   rand     [6] the task's random vector, object then goal (three-component tasks: the first 3)
 *   settled  as seen after the hand was brought to its start (50 x 5 substeps, with the edits of
 *            body_pos of the pass before in place) and before anything else was moved
 *   scene    as seen after reset has edited, placed, and forwarded everything; hand0 and tcp0 set.
 *            Where an object goes depends on obj0 in some tasks: call once with a copy of
 *            `settled` to learn obj0, place the object, then again with what is then seen.
 * [any] */
void hn_mw_begin(const HnMwRule *rule, const double *rand, const HnMwScene *settled,
                 HnMwScene *scene);

/* After the first step of an episode and before its reward: fills far0 where a task measures it
 * then (bin-picking).  To be kept with the row, not with the goal.  [any] */
void hn_mw_first_step(const HnMwRule *rule, HnMwScene *scene);

/* Reward of the step that led to `scene`, 0 to 10, and whether the task stands solved.  [any]
 * Source: Meta-World 3.1.1, reward functions v2. */
double hn_mw_reward(const HnMwRule *rule, const HnMwScene *scene);
bool hn_mw_success(const HnMwRule *rule, const HnMwScene *scene);
#endif
