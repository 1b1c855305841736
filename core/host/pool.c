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
    if (!a->chunk[a->chunks]) g_error("out of memory: %zu bytes of scratch", room);
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

/* ---- workers ---- */

typedef struct Worker {
  HnPool *pool;
  pthread_t thread;
  HnArena arena;
} Worker;

struct HnPool {
  gint64 workers; /* threads besides the caller's */
  Worker *worker;
  pthread_mutex_t lock; /* POSIX's, which a race detector understands */
  pthread_cond_t wake, rest;
  guint64 round; /* of work, so that a worker knows a new one */
  gint64 busy;
  bool stop;
  HnTask *task;
  void *arg;
  gint64 count;
  atomic_int_fast64_t next;
  gint64 failed; /* lowest index that failed, or count */
  HnStatus status;
  char text[HN_FAIL_TEXT];
};

static void take_tasks(HnPool *p) {
  inside = true;
  for (gint64 i; (i = atomic_fetch_add(&p->next, 1)) < p->count;) {
    HnStatus status;
    HN_CALL(status, p->task(p->arg, i));
    if (status == HN_OK) continue;
    pthread_mutex_lock(&p->lock);
    if (i < p->failed) p->failed = i, p->status = status, strcpy(p->text, fail_text);
    pthread_mutex_unlock(&p->lock);
  }
  inside = false;
}

static void *work(void *arg) {
  Worker *w = arg;
  HnPool *p = w->pool;
  guint64 seen = 0;
  hn_arena_enter(&w->arena);
  pthread_mutex_lock(&p->lock);
  for (;;) {
    while (p->round == seen && !p->stop) pthread_cond_wait(&p->wake, &p->lock);
    if (p->stop) break;
    seen = p->round;
    pthread_mutex_unlock(&p->lock);
    take_tasks(p);
    pthread_mutex_lock(&p->lock);
    if (--p->busy == 0) pthread_cond_signal(&p->rest);
  }
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

HnPool *hn_pool_new(gint64 workers) {
  HnPool *p = g_new0(HnPool, 1);
  p->workers = workers - 1;
  p->worker = g_new0(Worker, MAX(p->workers, 1));
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL), pthread_cond_init(&p->rest, NULL);
  for (gint64 i = 0; i < p->workers; i++) {
    p->worker[i].pool = p;
    if (pthread_create(&p->worker[i].thread, NULL, work, &p->worker[i]) != 0)
      g_error("cannot start worker thread %d", (int)i);
  }
  return p;
}

void hn_pool_free(HnPool *p) {
  if (!p) return;
  pthread_mutex_lock(&p->lock);
  p->stop = true;
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  for (gint64 i = 0; i < p->workers; i++) {
    pthread_join(p->worker[i].thread, NULL);
    hn_arena_clear(&p->worker[i].arena);
  }
  pthread_mutex_destroy(&p->lock);
  pthread_cond_destroy(&p->wake), pthread_cond_destroy(&p->rest);
  g_free(p->worker), g_free(p);
}

static HnStatus run_in_line(gint64 count, HnTask *task, void *arg) {
  HnStatus first = HN_OK;
  char text[HN_FAIL_TEXT] = "";
  for (gint64 i = 0; i < count; i++) {
    HnStatus status;
    HN_CALL(status, task(arg, i));
    if (status && !first) first = status, strcpy(text, fail_text);
  }
  if (first) strcpy(fail_text, text);
  return first;
}

HnStatus hn_pool_run(HnPool *p, gint64 count, HnTask *task, void *arg) {
  if (p->workers == 0 || count <= 1 || inside) return run_in_line(count, task, arg);
  pthread_mutex_lock(&p->lock);
  p->task = task, p->arg = arg, p->count = count, p->failed = count, p->status = HN_OK;
  atomic_store(&p->next, 0);
  p->busy = p->workers, p->round++;
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  take_tasks(p);
  pthread_mutex_lock(&p->lock);
  while (p->busy) pthread_cond_wait(&p->rest, &p->lock);
  HnStatus status = p->status;
  if (status) strcpy(fail_text, p->text);
  pthread_mutex_unlock(&p->lock);
  return status;
}
