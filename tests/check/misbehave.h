/* misbehave.h - faults that a plugin of any kind can have: what it does to memory, to its instance
 * and to its process.  Included by each faulty plugin; every fault is one that otherwise correct
 * code is a line away from. */
#ifndef HN_MISBEHAVE_H
#define HN_MISBEHAVE_H
#include <fenv.h>
#include <hunch/plugin.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE__
#  include <xmmintrin.h>
#endif

/* X(name): a choice of parameter `fault`. */
/* clang-format off */
#define COMMON_FAULTS(X) \
  X(thread) X(child) X(orphan) X(file) X(closes) X(handler) X(blocks) X(umask) X(folder) \
  X(environment) X(limits) X(rounding) X(denormals) X(rand) X(random) X(drand48) X(clock) \
  X(reads_environment) X(reads_locale) X(uninitialised) X(address) X(crashes) X(exits) \
  X(aborts) X(loops) X(hogs) X(asks_too_much) X(stack) X(writes_params) X(self) X(allocated) \
  X(row_address) X(kept_address) X(statics) X(late_allocation) \
  X(leaks)
/* clang-format on */

#define FAULT_CHOICE_(name) "|" #name
#define FAULT_ID_(name)     F_##name,

/* What of a plugin misbehaves. */
typedef struct Misbehaving {
  const HnHost *host;
  const void *params;
  double *self;     /* a number of the instance */
  float *allocated; /* one */
  int64_t *kept;    /* one */
  void **row;       /* eight bytes of a row's memory */
} Misbehaving;

static void *misbehave_wait(void *arg) {
  pause();
  return arg;
}

static void misbehave_nothing(int number) {
  (void)number;
}

static int misbehave_dig(int depth) {
  volatile char page[4096];
  if (depth < 0) return 0;
  page[depth % 4096] = 1;
  return misbehave_dig(depth + 1) + page[depth % 4096];
}

/* Written by hand for each choice, so that the table of faults is the enum; F_none and what is not
 * known do nothing.  Returns what is added to a number that the plugin shows. */
static inline double misbehave(int fault, const char *const *names, const Misbehaving *m) {
  static volatile int *volatile nowhere;
  static int calls;
  const char *name = names[fault];
  const bool once = calls++ == 0;
  pthread_t thread;
  sigset_t set;
  struct rlimit limit;
#define IS(text) (strcmp(name, text) == 0)
  if (IS("thread") && once) pthread_create(&thread, NULL, misbehave_wait, NULL);
  if (IS("child") && once && fork() == 0)
    for (;;) pause();
  if (IS("orphan") && once && fork() == 0) {
    if (fork() == 0)
      for (;;) pause();
    _exit(0);
  }
  if (IS("file") && once && !fopen("/dev/null", "r")) abort();
  if (IS("closes") && once) close(0);
  if (IS("handler")) signal(SIGUSR1, misbehave_nothing);
  if (IS("blocks"))
    sigemptyset(&set), sigaddset(&set, SIGUSR2), pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (IS("umask")) umask(0777);
  if (IS("folder") && chdir("/") != 0) abort();
  if (IS("environment")) setenv("HUNCH_FAULT", "1", 1);
  if (IS("limits") && getrlimit(RLIMIT_NOFILE, &limit) == 0)
    limit.rlim_cur = 100, setrlimit(RLIMIT_NOFILE, &limit);
  if (IS("rounding")) fesetround(FE_UPWARD);
#ifdef __SSE__
  if (IS("denormals")) _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#endif
  if (IS("rand")) return 1e-9 * rand();
  if (IS("random")) return 1e-9 * (double)random();
  if (IS("drand48")) return drand48();
  if (IS("clock")) return 1e-3 * (double)(time(NULL) % 1000);
  if (IS("reads_environment")) return getenv("SEED") ? 1 : 0;
  if (IS("reads_locale")) return setlocale(LC_ALL, NULL)[0] == 'C' && !setlocale(LC_ALL, NULL)[1];
  if (IS("uninitialised") || IS("address")) {
    unsigned char *p = malloc(1000);
    const double x = IS("address") ? (double)((uintptr_t)p >> 4 & 0xff) : p[700];
    free(p);
    return x;
  }
  if (IS("crashes")) *nowhere = 1;
  if (IS("exits")) exit(0);
  if (IS("aborts")) abort();
  while (IS("loops")) nowhere = NULL;
  for (size_t size = 1 << 24; IS("hogs");) memset(malloc(size), 1, size);
  if (IS("stack")) return misbehave_dig(0);
  if (IS("late_allocation")) m->host->alloc(m->host, 1, 8);
  if (IS("writes_params")) *(volatile char *)(uintptr_t)m->params = *(const char *)m->params;
  if (IS("self")) ++*m->self;
  if (IS("allocated")) ++*m->allocated;
  if (IS("leaks")) *(volatile char *)malloc(48) = 1;
  if (IS("row_address") && m->row) *m->row = m->self;
  if (IS("kept_address")) *m->kept = (int64_t)(intptr_t)m->allocated;
  if (IS("statics")) return calls;
#undef IS
  return 0;
}

/* Whether this is another thread than that one, which leaves it time to come. */
static inline bool is_stranger(pthread_t home) {
  nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
  return !pthread_equal(home, pthread_self());
}

/* For create. */
static inline void misbehave_early(int fault, const char *const *names, const HnHost *host) {
  if (strcmp(names[fault], "asks_too_much") == 0) host->alloc(host, (int64_t)1 << 40, 64);
}
#endif
