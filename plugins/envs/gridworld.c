/* gridworld.c - GridNavi: a square grid with a hidden goal that stays put for a whole task.
 *
 * An episode starts at (0, 0).  Each step pays goal_reward when the move ends on the goal and
 * step_reward when it does not; reaching the goal ends nothing, so standing on it pays again.  The
 * goal is uniform over all cells but the four of the start corner: (0,0), (0,1), (1,0), (1,1).
 *
 * Actions: 0 stay, 1 y+1, 2 x+1, 3 y-1, 4 x-1; a move into a wall stays.
 * Observation: x, y as whole numbers.  Task: one-hot over the cells, cell (x, y) at size * x + y,
 * so that a belief over cells compares with it entry by entry.
 * Task k is the k-th cell in that order, the start corner left out; both splits number them alike.
 *
 * Source: Zintgraf et al. 2020, VariBAD, section 5.1. */
#include <hunch/tasks.h>
#include <stdio.h>
#include <string.h>

#define PARAMS(X)                                                                     \
  X(int, size, "cell", "Width and height of the grid.", 5, 3, 32)                     \
  X(int, horizon, "step", "Episode length.", 15, 1, 100000)                           \
  X(real, goal_reward, "", "Reward of a step that ends on the goal.", 1.0, -1e6, 1e6) \
  X(real, step_reward, "", "Reward of a step that ends on any other cell.", -0.1, -1e6, 1e6)
HN_PARAMS(PARAMS);
#define INFO(X) X(success, "", "Whether the step ended on the goal.", HN_MAX)
HN_INFO(INFO);

enum { ACTIONS = 5, CORNER = 2, NAME_SIZE = 24 };

typedef struct Row {
  int32_t x, y, goal_x, goal_y;
} Row;

typedef struct Gridworld {
  const HnThisParams *p;
  const HnHost *host;
  int64_t tasks;
  char *name; /* [tasks, NAME_SIZE] */
} Gridworld;

/* Cell number of task k: cells in order, without the start corner. */
static int64_t task_cell(int64_t size, int64_t k) {
  for (int64_t x = 0; x < CORNER; x++) {
    int64_t here = size - CORNER;
    if (k < here) return size * x + CORNER + k;
    k -= here;
  }
  return size * CORNER + k;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Gridworld *e = self;
  e->p = params, e->host = host;
  int64_t size = e->p->size;
  e->tasks = size * size - CORNER * CORNER;
  e->name = host->alloc(host, e->tasks, NAME_SIZE);
  for (int64_t k = 0; k < e->tasks; k++) {
    int64_t cell = task_cell(size, k);
    snprintf(e->name + k * NAME_SIZE, NAME_SIZE, "goal-%d-%d", (int)(cell / size),
             (int)(cell % size));
  }
  spec->obs_dim = 2, spec->action_count = ACTIONS, spec->task_dim = size * size;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static void observe(const Row *row, float *obs) {
  obs[0] = (float)row->x, obs[1] = (float)row->y;
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
      int64_t cell = task_cell(size, b->task_index[i]);
      row->goal_x = (int32_t)(cell / size), row->goal_y = (int32_t)(cell % size);
    }
    float *task = b->task + i * size * size;
    memset(task, 0, (size_t)(size * size) * sizeof(float));
    task[row->goal_x * size + row->goal_y] = 1;
    row->x = row->y = 0;
    observe(row, b->obs + 2 * i);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  static const int32_t move_x[ACTIONS] = {0, 0, 1, 0, -1}, move_y[ACTIONS] = {0, 1, 0, -1, 0};
  const Gridworld *e = self;
  int32_t last = (int32_t)e->p->size - 1;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    int32_t a = b->action_index[i];
    if (a < 0 || a >= ACTIONS)
      return e->host->fail(e->host, HN_E_SHAPE, "action %d picked; there are %d, from 0", (int)a,
                           (int)ACTIONS);
    int32_t x = row->x + move_x[a], y = row->y + move_y[a];
    row->x = x < 0 ? 0 : x > last ? last : x;
    row->y = y < 0 ? 0 : y > last ? last : y;
    bool on_goal = row->x == row->goal_x && row->y == row->goal_y;
    b->reward[i] = (float)(on_goal ? e->p->goal_reward : e->p->step_reward);
    b->info[i * info_count + info_success] = on_goal ? 1 : 0;
    observe(row, b->obs + 2 * i);
  }
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)split, ((const Gridworld *)self)->tasks;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  return (void)split, ((const Gridworld *)self)->name + k * NAME_SIZE;
}

/* x to the right, y upwards; the goal green, the agent blue, grid lines grey. */
static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  static const uint8_t paper[3] = {250, 250, 248}, line[3] = {200, 200, 200},
                       goal[3] = {60, 160, 90}, agent[3] = {40, 90, 200};
  const Row *row = state;
  int64_t size = ((const Gridworld *)self)->p->size;
  for (int64_t v = 0; v < height; v++)
    for (int64_t u = 0; u < width; u++) {
      int64_t up = height - 1 - v, x = u * size / width, y = up * size / height;
      /* place inside the cell, from -1 to 1 */
      double across = 2.0 * (double)(u * size % width) / (double)width - 1;
      double along = 2.0 * (double)(up * size % height) / (double)height - 1;
      const uint8_t *ink = x == row->goal_x && y == row->goal_y ? goal : paper;
      if (fabs(across) > 0.95 || fabs(along) > 0.95) ink = line;
      if (x == row->x && y == row->y && across * across + along * along < 0.4) ink = agent;
      memcpy(rgb + 3 * (v * width + u), ink, 3);
    }
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .task_name = task_name,
                              .render = render};
HN_PLUGIN(gridworld, HN_KIND_ENV, Gridworld, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info,
          .summary = "GridNavi: a grid with a hidden goal to search and hold.",
          .source = "Zintgraf et al. 2020, VariBAD, section 5.1");
