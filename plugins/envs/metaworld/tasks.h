/* tasks.h - the 50 tasks of Meta-World as a table: model, random vector, where the hand may go and
 * starts, what is observed, and how an episode is set up; and the benchmarks made of them.
 * Lengths in m, angles in rad.  Source: Meta-World 3.1.1, names without their "-v3". */
#ifndef HN_MW_TASKS_H
#define HN_MW_TASKS_H
#include <stdbool.h>

enum {
  HN_MW_TASKS = 50,
  HN_MW_RAND = 6,    /* most components of a random vector: object, then goal */
  HN_MW_GOALS = 50,  /* per task and half of a benchmark */
  HN_MW_MOVES = 3,   /* most steps of a set-up */
  HN_MW_SCALARS = 9, /* where the positions of most tasks' own joints begin, after the arm's */
};

/* A thing of the model whose place or orientation is observed: "body:NAME", "geom:NAME",
 * "site:NAME"; "dial:NAME" is the point 0.05 m from a body where its joint points; NULL: `offset`
 * alone. */
typedef struct HnMwLook {
  const char *of;
  double offset[4];
  bool scalar_last; /* orientations: x y z w, as scipy has them, else w x y z */
} HnMwLook;

enum {
  HN_MW_DO_END,
  HN_MW_DO_EDIT,
  HN_MW_DO_EDIT_XY,
  HN_MW_DO_FORWARD,
  HN_MW_DO_STEPS,
  HN_MW_DO_PLACE,
  HN_MW_DO_SET
};
enum { HN_MW_FROM_CONST, HN_MW_FROM_OBJECT, HN_MW_FROM_GOAL, HN_MW_FROM_OBJ0, HN_MW_FROM_MARK };

/* One step of setting up an episode, after the hand is at its start.
 *   EDIT     writes the place of `body` into the model (EDIT_XY: without z)
 *   FORWARD  mj_forward;  STEPS: five substeps
 *   PLACE    qpos[q .. q + n) and zeroes qvel[v .. v + zero), then forward; `upright`: qpos[q + 3
 *            .. q + 7) too
 *   SET      as PLACE without forward: what is seen stays as it was (trap 4)
 * The value is `offset` plus: nothing, a part of the random vector, or what the reward's
 * hn_mw_begin says of the object. */
typedef struct HnMwMove {
  int kind, from;
  double offset[3];
  const char *body;
  int q, n, v, zero;
  bool upright;
} HnMwMove;

typedef struct HnMwTask {
  const char *name, *model;
  int count; /* components of the random vector, 3 or 6 */
  double low[HN_MW_RAND], high[HN_MW_RAND];
  double apart;    /* drawn anew while object and goal are closer than this in xy; 0: no */
  bool from_fixed; /* and the goal that counts there is (0, 0.84) */
  double mocap_low[3], mocap_high[3];
  double hand[3];                   /* the start; some files hold it as float32 (trap 2) */
  double goal_low[3], goal_high[3]; /* clip a visible goal */
  HnMwLook place[2], turn[2];
  HnMwMove move[HN_MW_MOVES];
} HnMwTask;

extern const HnMwTask hn_mw_tasks[HN_MW_TASKS];

/* Index in hn_mw_tasks, or -1.  [any] */
int hn_mw_task_find(const char *name);

enum { HN_MW_ML1, HN_MW_ML10, HN_MW_ML45, HN_MW_MT1, HN_MW_MT10, HN_MW_MT50 };

/* Tasks of a half (0 train, 1 test) of a benchmark, in its order.
 *   task  index of the task of ML1 or MT1, else not read
 *   list  out [HN_MW_TASKS]
 * Returns how many; 0 for the test half of an MT benchmark.  [any] */
int hn_mw_split(int benchmark, int half, int task, int *list);
#endif
