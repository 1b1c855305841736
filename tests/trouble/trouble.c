/* trouble.c - an environment that is slow on request, and in create or after a number of steps
 * fails, crashes, hangs, exits, floods its output or leaves a child behind: what `hunch run` and
 * `hunch validate` must survive. */
#include <hunch/env.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PARAMS(X)                                                                         \
  X(int, horizon, "step", "Steps per episode.", 5, 1, 1000)                               \
  X(int, delay, "us", "Each call of step sleeps so long.", 0, 0, 1000000)                 \
  X(flag, named, "", "Tasks have numbers, and names that a CSV file must quote.", 0)      \
  X(flag, says, "", "A line in the log each time it is made.", 0)                         \
  X(choice, trouble, "", "What happens to a row after a few steps of one life.", "none",  \
    "none|fail|abort|kill|greed|segv|stack|exit0|exit75|loop|hog|fork|leave_child|flood|" \
    "create_segv|destroy_segv|create_exit|create_loop|stop|io|untold|odd_status|lines")
HN_PARAMS(PARAMS);

enum { NAMES = 4 };

typedef struct Trouble {
  const HnThisParams *p;
  const HnHost *host;
} Trouble;
typedef struct Row {
  double task;
  int64_t steps;
} Row;

/* In the order of the choices of `trouble`. */
enum Kind {
  NONE,
  FAIL,
  ABORT,
  KILL,
  GREED,
  SEGV,
  STACK,
  EXIT0,
  EXIT75,
  LOOP,
  HOG,
  FORK,
  LEAVE_CHILD,
  FLOOD,
  CREATE_SEGV,
  DESTROY_SEGV,
  CREATE_EXIT,
  CREATE_LOOP,
  STOP,
  IO,
  UNTOLD,
  ODD_STATUS,
  LINES
};

static volatile int *volatile nowhere; /* no compiler knows that it is NULL */

static int dig(int depth) {
  volatile char page[4096];
  if (depth < 0) return 0; /* never, but no compiler says that it does not end */
  page[depth % 4096] = 1;
  return dig(depth + 1) + page[depth % 4096];
}

static void hog(void) {
  for (size_t size = 1 << 26;;) memset(malloc(size), 1, size);
}

static void flood(void) {
  static char line[1 << 16];
  memset(line, 'x', sizeof line);
  for (int i = 0; i < 1 << 10; i++) fwrite(line, 1, sizeof line, stderr); /* 64 MiB, one line */
}

static HnStatus misbehave(const Trouble *m) {
  switch (m->p->trouble) {
  case FAIL:
    return m->host->fail(m->host, HN_E_NUMERIC, "told to fail");
  case IO:
    return m->host->fail(m->host, HN_E_IO, "told to miss a file");
  case UNTOLD:
    return HN_E_NUMERIC;
  case ODD_STATUS:
    return (HnStatus)77;
  case LINES:
    m->host->log(m->host, "first\n\033[31msecond\xff");
    return m->host->fail(m->host, HN_E_NUMERIC, "first\n\033[31msecond\xff");
  case ABORT:
    abort();
  case KILL:
    raise(SIGKILL);
    break;
  case SEGV:
    *nowhere = 1;
    break;
  case STACK:
    return dig(0);
  case EXIT0:
    exit(0);
  case EXIT75:
    exit(75);
  case LOOP:
    for (;;) nowhere = NULL;
  case HOG:
    hog();
    break;
  case FORK: /* both come back */
    fork();
    break;
  case LEAVE_CHILD: /* that holds the output open */
    if (fork() == 0)
      for (;;) pause();
    break;
  case FLOOD:
    flood();
    break;
  case STOP:
    raise(SIGSTOP);
    break;
  default:
    break;
  }
  return HN_OK;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Trouble *m = self;
  m->p = params, m->host = host;
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = 1, spec->horizon = m->p->horizon;
  spec->row_size = sizeof(Row);
  if (m->p->says) host->log(host, "made by process %d", (int)getpid());
  if (m->p->trouble == CREATE_SEGV) {
    puts(". a line that is nobody's answer");
    fflush(stdout);
    *nowhere = 1;
  }
  if (m->p->trouble == CREATE_EXIT) exit(0);
  while (m->p->trouble == CREATE_LOOP) pause();
  if (m->p->trouble == GREED) host->alloc(host, 1 << 30, 1 << 20);
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) row->task = hn_rng_normal(&b->rng[i]);
    if (((const Trouble *)self)->p->named && b->task_index[i] < 0)
      b->task_index[i] = hn_rng_below(&b->rng[i], NAMES);
    b->task[i] = (float)row->task, b->obs[i] = 0;
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Trouble *m = self;
  struct timespec delay = {m->p->delay / 1000000, m->p->delay % 1000000 * 1000};
  if (m->p->delay) nanosleep(&delay, NULL);
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    if (++row->steps == 7) {
      HnStatus status = misbehave(m);
      if (status) return status;
    }
    b->obs[i] = (float)hn_rng_normal(&b->rng[i]);
    b->reward[i] = (float)row->task * b->action[i];
  }
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)split, ((const Trouble *)self)->p->named ? NAMES : 0;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  static const char *const name[NAMES] = {"open, then close", "say \"so\"", "two\nlines",
                                          "d\u00e9j\u00e0 \u6f22"};
  return (void)split, ((const Trouble *)self)->p->named ? name[k] : "";
}

static void destroy(void *self) {
  if (((const Trouble *)self)->p->trouble == DESTROY_SEGV) *nowhere = 1;
}

static const HnEnv methods = {sizeof(HnEnv),     .create = create,         .reset = reset,
                              .step = step,      .task_count = task_count, .task_name = task_name,
                              .destroy = destroy};
HN_PLUGIN(trouble, HN_KIND_ENV, Trouble, &methods, .version = "1", .license = "MIT",
          .summary = "Slow, failing or crashing on request.", .source = "tests");
