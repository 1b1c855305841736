/* timing.h - the clock, medians and aligned memory of benchmarks that interleave variants in one
 * process; ROUNDS, how often, is the includer's. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Processor time, s. */
static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of x [ROUNDS], which it sorts. */
static inline double median(double *x) {
  qsort(x, ROUNDS, sizeof *x, ascending);
  return x[ROUNDS / 2];
}

/* Zeroed, 64-byte aligned, of a whole cache line more than asked for; never freed. */
static inline void *room(int64_t count, size_t size) {
  const size_t bytes = ((size_t)count * size + 127) / 64 * 64;
  void *p = aligned_alloc(64, bytes);
  if (!p) abort();
  return memset(p, 0, bytes);
}
#endif
