/* my_plugin.c - a point on a line must find a place that it is not shown: the place is the hidden
 * task, and the rewards tell how far it is.
 *
 * The contract is hunch/env.h, and hunch/tasks.h helps to keep it; `hunch check` judges it. */
#include <hunch/tasks.h>

/* A row is a parameter: the field p->place_low, the key `place_low` of a study, a line of `hunch
 * inspect`.  X(kind, name, unit, doc, default, low, high). */
#define PARAMS(X)                                                                        \
  X(real, place_low, "m", "Lowest place that is drawn.", -1, -10, 10)                    \
  X(real, place_high, "m", "Highest place that is drawn.", 1, -10, 10)                   \
  X(real, step_size, "m", "How far the largest action moves the point.", 0.2, 0.001, 10) \
  X(int, test_tasks, "", "Number of fixed tasks of the split test.", 20, 1, 1000000)     \
  X(int, horizon, "step", "Steps per episode, after which the host ends it.", 10, 1, 100000)
HN_PARAMS(PARAMS);
/* What a step reports beside its reward, and how the steps of an episode become one number. */
#define INFO(X) X(success, "", "Whether the point is within 0.1 m of the place.", HN_LAST)
HN_INFO(INFO);

enum { TRAIN, TEST }; /* splits by number: spec->splits */

/* Row memory: all that a row remembers.  Plain bytes without pointers, which the host zeroes when a
 * task begins, copies and saves. */
typedef struct Row {
  double place; /* m, the task */
  double x;     /* m */
} Row;

/* The instance, zeroed by the host.  It is shared by all rows, so only `create` may write to it. */
typedef struct Line {
  const HnThisParams *p;
  const HnHost *host;
} Line;

/* Training tasks are drawn without end, test tasks have numbers. */
static int64_t task_count(void *self, int64_t split) {
  return split == TEST ? ((const Line *)self)->p->test_tasks : 0;
}

/* The host has checked each parameter against its range; here they are checked against each other.
 * Memory is taken here or never, by host->alloc. */
static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Line *e = self;
  e->p = params, e->host = host;
  if (e->p->place_low > e->p->place_high)
    return host->fail(host, HN_E_PARAM, "place_low %g is above place_high %g", e->p->place_low,
                      e->p->place_high);
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = 1; /* or action_count: discrete */
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

/* Begins rows.  Rows that are kept must not be touched.  All randomness comes from b->rng[i], so
 * that a row's results depend neither on the other rows nor on who else runs. */
static HnStatus reset(void *self, HnEnvBatch *b) {
  const Line *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) { /* task k of a split is the same in every run */
      HnRng own;
      HnStatus s = hn_task_settle(e->host, b, i, task_count(self, b->split));
      if (s) return s;
      row->place = hn_rng_uniform(hn_task_stream(b, i, &own), e->p->place_low, e->p->place_high);
    }
    row->x = 0; /* an episode begins, of a new task or of the same */
    b->obs[i] = (float)row->x;
    b->task[i] = (float)row->place; /* for evaluation; hidden from the learner */
  }
  return HN_OK;
}

/* One step of every row: writes obs, reward and info.  Actions are within [-1, 1].  Set
 * b->terminated[i] in a true terminal state; never for the horizon, which is the host's. */
static HnStatus step(void *self, HnEnvBatch *b) {
  const HnThisParams *p = ((const Line *)self)->p;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    row->x += p->step_size * (double)b->action[i];
    double distance = fabs(row->x - row->place);
    b->obs[i] = (float)row->x;
    b->reward[i] = (float)-distance;
    b->info[i * info_count + info_success] = distance < 0.1 ? 1 : 0;
  }
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count};
/* The name is the file's: my_plugin.so, `plugin: my_plugin` in a study. */
HN_PLUGIN(my_plugin, HN_KIND_ENV, Line, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Point on a line that must find a hidden place.",
          .source = "template of hunch");
