/* pool.c - see pool.h. */
#include "pool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20, ALIGN = 64 };

static _Thread_local HnArena *current;
static _Thread_local char fail_text[HN_FAIL_TEXT];
static _Thread_local bool inside; /* a task of some pool is running in this thread */

void *hn_arena_take(HnArena *a, gsize bytes) {
  bytes = (bytes + ALIGN - 1) & ~(gsize)(ALIGN - 1);
  while (a->at < a->chunks && a->used + bytes > a->room[a->at]) a->at++, a->used = 0;
  if (a->at == a->chunks) {
    gsize room = MAX(bytes, (gsize)CHUNK << MIN(a->chunks, 8));
    a->chunk = g_renew(char *, a->chunk, a->chunks + 1);
    a->room = g_renew(gsize, a->room, a->chunks + 1);
    a->chunk[a->chunks] = aligned_alloc(ALIGN, room);
    if (!a->chunk[a->chunks]) g_error("out of memory: %.3g GB of scratch", 1e-9 * (double)room);
    a->room[a->chunks++] = room, a->used = 0;
  }
  char *p = a->chunk[a->at] + a->used;
  a->used += bytes;
  return p;
}
HnMark hn_arena_mark(const HnArena *a) {
  return (HnMark){a->at, a->used};
}
void hn_arena_reset(HnArena *a, HnMark mark) {
  a->at = mark.at, a->used = mark.used;
}
void hn_arena_clear(HnArena *a) {
  for (guint i = 0; i < a->chunks; i++) free(a->chunk[i]);
  g_free(a->chunk), g_free(a->room);
  *a = (HnArena){0};
}
HnArena *hn_arena_enter(HnArena *a) {
  HnArena *before = current;
  current = a;
  return before;
}
HnArena *hn_arena_current(void) {
  return current;
}
char *hn_fail_text(void) {
  return fail_text;
}

const char *hn_status_text(HnStatus status) {
  switch (status) {
  case HN_E_PARAM:
    return "parameters contradict each other";
  case HN_E_SHAPE:
    return "dimensions do not fit this plugin";
  case HN_E_NUMERIC:
    return "not a finite number, or a matrix that is not positive definite";
  case HN_E_IO:
    return "a file cannot be read";
  case HN_E_UNSUPPORTED:
    return "not supported";
  default:
    return "failed";
  }
}

void hn_fail_untold(int32_t call, HnStatus status) {
  const char *plugin = hn_call_plugin(call), *method = hn_call_method(call);
  const bool known = status > HN_OK && status <= HN_E_UNSUPPORTED;
  if (*fail_text) return;
  g_snprintf(fail_text, HN_FAIL_TEXT, "%s: %s returned %d, %s, and gave no reason",
             plugin ? plugin : "a plugin", method ? method : "a call", (int)status,
             known ? hn_status_text(status) : "which is no HnStatus");
}

/* ---- workers ---- */

typedef struct Worker {
  HnPool *pool;
  pthread_t thread;
  HnArena arena;
} Worker;

/* One word says what there is to do: the round of work, its number of tasks, the next of them.  So
 * a worker that comes late, even a round late, can never take what is not there; and as a round is
 * over when its tasks are, nobody waits for a worker that the machine keeps from running. */
enum { INDEX_BITS = 20, SPINS = 2000 }; /* spins last some 40 us, a wake-up about as long */
#define TASKS_MAX (((int64_t)1 << INDEX_BITS) - (1 << 10)) /* room for workers that come late */

static uint64_t index_of(uint64_t ticket) {
  return ticket & (((uint64_t)1 << INDEX_BITS) - 1);
}
static uint64_t count_of(uint64_t ticket) {
  return ticket >> INDEX_BITS & (((uint64_t)1 << INDEX_BITS) - 1);
}
static bool is_open(uint64_t ticket) {
  return index_of(ticket) < count_of(ticket);
}

struct HnPool {
  int64_t workers; /* threads besides the caller's */
  Worker *worker;
  pthread_mutex_t lock; /* POSIX's, which a race detector understands */
  pthread_cond_t wake, rest;
  int sleepers; /* workers that wait for `wake` */
  atomic_bool stop;
  HnTask *task;
  void *arg;
  int32_t call;  /* the plugin call that the tasks belong to */
  int64_t first; /* index of the round's task 0 */
  uint64_t round;
  atomic_uint_fast64_t ticket;
  atomic_int_fast64_t left; /* tasks of the round that have not ended */
  int64_t failed;           /* lowest index that failed */
  HnStatus status;
  char text[HN_FAIL_TEXT];
};

static void pause_briefly(void) {
#if defined __x86_64__
  __builtin_ia32_pause();
#endif
}

static void note_failure(HnPool *p, int64_t i, HnStatus status) {
  pthread_mutex_lock(&p->lock);
  if (!p->status || i < p->failed)
    p->failed = i, p->status = status, g_strlcpy(p->text, fail_text, sizeof p->text);
  pthread_mutex_unlock(&p->lock);
}

static void take_tasks(HnPool *p) {
  HnCallSlot *slot = hn_call_slot();
  const int32_t outer = slot->call;
  inside = true;
  for (uint64_t ticket; is_open(ticket = atomic_fetch_add(&p->ticket, 1));) {
    int64_t i = p->first + (int64_t)index_of(ticket);
    slot->call = p->call; /* read once a task is taken, as all that the round holds */
    HnStatus status;
    HN_WITH_SCRATCH(status, p->task(p->arg, i));
    if (status) note_failure(p, i, status);
    if (atomic_fetch_sub(&p->left, 1) > 1) continue;
    pthread_mutex_lock(&p->lock); /* the last one */
    pthread_cond_signal(&p->rest);
    pthread_mutex_unlock(&p->lock);
  }
  slot->call = outer;
  inside = false;
}

/* Waits for work, awake for a while; false: to stop. */
static bool wait_for_work(HnPool *p) {
  for (int k = 0; k < SPINS; k++) {
    if (is_open(atomic_load(&p->ticket))) return true;
    pause_briefly();
  }
  pthread_mutex_lock(&p->lock);
  p->sleepers++;
  while (!is_open(atomic_load(&p->ticket)) && !atomic_load(&p->stop))
    pthread_cond_wait(&p->wake, &p->lock);
  p->sleepers--;
  pthread_mutex_unlock(&p->lock);
  return !atomic_load(&p->stop);
}

static void *work(void *arg) {
  Worker *w = arg;
  hn_arena_enter(&w->arena);
  while (wait_for_work(w->pool)) take_tasks(w->pool);
  return NULL;
}

HnPool *hn_pool_new(int64_t workers) {
  HnPool *p = g_new0(HnPool, 1);
  p->workers = workers - 1;
  p->worker = g_new0(Worker, MAX(p->workers, 1));
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL), pthread_cond_init(&p->rest, NULL);
  for (int64_t i = 0; i < p->workers; i++) {
    p->worker[i].pool = p;
    if (pthread_create(&p->worker[i].thread, NULL, work, &p->worker[i]) == 0) continue;
    g_printerr("only %d of %d threads can be started\n", (int)i + 1, (int)workers);
    p->workers = i; /* no result depends on how many there are */
  }
  return p;
}

void hn_pool_free(HnPool *p) {
  if (!p) return;
  pthread_mutex_lock(&p->lock);
  atomic_store(&p->stop, true);
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  for (int64_t i = 0; i < p->workers; i++) {
    pthread_join(p->worker[i].thread, NULL);
    hn_arena_clear(&p->worker[i].arena);
  }
  pthread_mutex_destroy(&p->lock);
  pthread_cond_destroy(&p->wake), pthread_cond_destroy(&p->rest);
  g_free(p->worker), g_free(p);
}

static HnStatus run_in_line(int64_t count, HnTask *task, void *arg) {
  HnStatus first = HN_OK;
  char text[HN_FAIL_TEXT] = "";
  for (int64_t i = 0; i < count; i++) {
    HnStatus status;
    HN_WITH_SCRATCH(status, task(arg, i));
    if (status && !first) first = status, g_strlcpy(text, fail_text, sizeof text);
  }
  if (first) g_strlcpy(fail_text, text, sizeof fail_text);
  return first;
}

static void run_round(HnPool *p, int64_t first, int64_t count) {
  pthread_mutex_lock(&p->lock);
  p->first = first;
  atomic_store(&p->left, count);
  uint64_t ticket = ++p->round << 2 * INDEX_BITS | (uint64_t)count << INDEX_BITS;
  atomic_store(&p->ticket, ticket); /* from here on workers take tasks */
  if (p->sleepers) pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  take_tasks(p);
  for (int k = 0; k < SPINS && atomic_load(&p->left); k++) pause_briefly();
  pthread_mutex_lock(&p->lock);
  while (atomic_load(&p->left)) pthread_cond_wait(&p->rest, &p->lock);
  pthread_mutex_unlock(&p->lock);
}

HnStatus hn_pool_run(HnPool *p, int64_t count, HnTask *task, void *arg) {
  if (p->workers == 0 || count <= 1 || inside) return run_in_line(count, task, arg);
  p->task = task, p->arg = arg, p->status = HN_OK, p->call = hn_call_slot()->call;
  for (int64_t first = 0; first < count; first += TASKS_MAX)
    run_round(p, first, MIN(count - first, TASKS_MAX));
  if (p->status) g_strlcpy(fail_text, p->text, sizeof fail_text);
  return p->status;
}
