/* gridworld_laplace.c - a grid with a hidden goal, of which the agent sees neither reward nor goal:
 * only that it stands at the start again.
 *
 * An episode starts at (0, 0) and ends when it reaches the goal, which pays 1, or after `horizon`
 * steps; all other steps pay 0.  The goal is uniform over all other cells and stays put for the
 * task.  Trials are meant to have a fixed number of steps (run.trial_steps), with as many episodes
 * as they hold.
 *
 * Actions: 0 row-1, 1 row+1, 2 column-1, 3 column+1; a move into a wall stays.
 * Observation: the row and the column, one-hot each.  Task: one-hot over cells, size * row +
 * column.  Task k has its goal at cell k + 1; both splits number them alike.
 *
 * Regret: with the goal at distance d, 1 for each step of an episode from the d-th on, but 0 for
 * the step that ends it.  So an episode that goes straight to the goal has none, and one that never
 * gets there has horizon - d.
 *
 * Source: Laplace VRNN (arXiv 2505.18591), the gridworld study.  Its code starts about 4 % of the
 * tasks elsewhere, by an indexing slip that is not repeated here. */
#include <hunch/tasks.h>
#include <stdio.h>
#include <string.h>

#define PARAMS(X)                                                 \
  X(int, size, "cell", "Width and height of the grid.", 5, 2, 32) \
  X(int, horizon, "step", "Longest episode.", 15, 1, 100000)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                           \
  X(regret, "", "1 for each step that an agent knowing the goal would not need.", HN_SUM) \
  X(teleport, "", "Whether the step ended the episode, at the goal or not.", HN_SUM)
HN_INFO(INFO);

enum { ACTIONS = 4, NAME_SIZE = 24 };

typedef struct Row {
  int32_t row, column, goal_row, goal_column, age; /* age: steps in this episode */
} Row;

typedef struct Gridworld {
  const HnThisParams *p;
  const HnHost *host;
  int64_t tasks;
  char *name; /* [tasks, NAME_SIZE] */
} Gridworld;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Gridworld *e = self;
  e->p = params, e->host = host;
  int64_t size = e->p->size;
  e->tasks = size * size - 1;
  e->name = host->alloc(host, e->tasks, NAME_SIZE);
  for (int64_t k = 0; k < e->tasks; k++)
    snprintf(e->name + k * NAME_SIZE, NAME_SIZE, "goal-%d-%d", (int)((k + 1) / size),
             (int)((k + 1) % size));
  spec->obs_dim = 2 * size, spec->action_count = ACTIONS, spec->task_dim = size * size;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static void observe(int64_t size, const Row *row, float *obs) {
  memset(obs, 0, (size_t)(2 * size) * sizeof(float));
  obs[row->row] = 1, obs[size + row->column] = 1;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Gridworld *e = self;
  int64_t size = e->p->size;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      HnStatus s = hn_task_settle(e->host, b, i, e->tasks);
      if (s) return s;
      row->goal_row = (int32_t)((b->task_index[i] + 1) / size);
      row->goal_column = (int32_t)((b->task_index[i] + 1) % size);
    }
    float *task = b->task + i * size * size;
    memset(task, 0, (size_t)(size * size) * sizeof(float));
    task[row->goal_row * size + row->goal_column] = 1;
    row->row = row->column = row->age = 0;
    observe(size, row, b->obs + i * 2 * size);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  static const int32_t down[ACTIONS] = {-1, 1, 0, 0}, right[ACTIONS] = {0, 0, -1, 1};
  const Gridworld *e = self;
  int32_t last = (int32_t)e->p->size - 1;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    int32_t a = b->action_index[i];
    if (a < 0 || a >= ACTIONS)
      return e->host->fail(e->host, HN_E_SHAPE, "action %d picked; there are %d, from 0", (int)a,
                           (int)ACTIONS);
    int32_t r = row->row + down[a], c = row->column + right[a];
    row->row = r < 0 ? 0 : r > last ? last : r;
    row->column = c < 0 ? 0 : c > last ? last : c;
    row->age++;
    bool reached = row->row == row->goal_row && row->column == row->goal_column;
    bool ends = reached || row->age == e->p->horizon;
    b->reward[i] = reached ? 1 : 0, b->terminated[i] = reached;
    b->info[i * info_count + info_regret] =
        !ends && row->age >= row->goal_row + row->goal_column ? 1 : 0;
    b->info[i * info_count + info_teleport] = ends ? 1 : 0;
    observe(e->p->size, row, b->obs + i * 2 * e->p->size);
  }
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)split, ((const Gridworld *)self)->tasks;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  return (void)split, ((const Gridworld *)self)->name + k * NAME_SIZE;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .task_name = task_name};
HN_PLUGIN(gridworld_laplace, HN_KIND_ENV, Gridworld, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info,
          .summary = "A grid with a hidden goal that is told only by being put back to the start.",
          .source = "Laplace VRNN, arXiv 2505.18591, the gridworld study");
