/* toy_env.c - see toy.h. */
#include "toy.h"

#define PARAMS(X)                                                             \
  X(int, horizon, "step", "Steps per episode.", 7, 1, 1000)                   \
  X(real, quit, "", "Chance that a step ends the episode.", 0.05, 0, 1)       \
  X(real, poison_at, "", "Task drift above which rewards are NaN.", 9, -9, 9) \
  X(flag, fail, "", "Steps fail.", 0)
HN_PARAMS(PARAMS);
#define INFO(X)                              \
  X(speed, "", "Size of the move.", HN_MEAN) \
  X(success, "", "Ever far out.", HN_MAX)
HN_INFO(INFO);

typedef struct Toy {
  const HnThisParams *p;
  const HnHost *host;
} Toy;
typedef struct Row {
  double drift, x, y;
} Row;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Toy *m = self;
  m->p = params, m->host = host;
  spec->obs_dim = 2, spec->action_dim = 2, spec->task_dim = 1, spec->horizon = m->p->horizon;
  spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  (void)self;
  return split == 1 ? 5 : 0;
}
static const char *task_name(void *self, int64_t split, int64_t k) {
  static const char *const name[] = {"calm", "breeze", "wind", "storm", "gale"};
  (void)self, (void)split;
  return name[k];
}

static void observe(const Row *row, float *obs) {
  obs[0] = (float)row->x, obs[1] = (float)row->y;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      double drawn = hn_rng_uniform(&b->rng[i], -1, 1);
      row->drift = b->task_index[i] < 0 ? drawn : 0.2 * (double)b->task_index[i];
    }
    row->x = hn_rng_uniform(&b->rng[i], -1, 1), row->y = 0;
    b->task[i] = (float)row->drift;
    observe(row, b->obs + 2 * i);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Toy *m = self;
  if (m->p->fail) return m->host->fail(m->host, HN_E_NUMERIC, "told to fail");
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double dx = 0.1 * (double)b->action[2 * i] + 0.1 * row->drift,
           dy = 0.1 * (double)b->action[2 * i + 1];
    row->x += dx, row->y += dy;
    b->reward[i] =
        (float)(row->drift > m->p->poison_at ? (double)NAN : -row->x * row->x - 0.1 * dy * dy);
    b->terminated[i] = hn_rng_uniform(&b->rng[i], 0, 1) < m->p->quit;
    b->info[i * info_count + info_speed] = (float)hypot(dx, dy);
    b->info[i * info_count + info_success] = fabs(row->x) > 1;
    observe(row, b->obs + 2 * i);
  }
  return HN_OK;
}

static const HnEnv methods = {sizeof(HnEnv), .create = create,         .reset = reset,
                              .step = step,  .task_count = task_count, .task_name = task_name};
HN_PLUGIN(toy_env, HN_KIND_ENV, Toy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .summary = "A walk with a hidden drift.", .source = "tests");
