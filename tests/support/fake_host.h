/* fake_host.h - the smallest host that kit and plugins run on, for tests and benches: kept arrays
 * with their names, an allocator, a scratch arena that is reset by hand and after each task, and a
 * serial `parallel`.
 *
 *   FakeHost f;
 *   const HnHost *host = fake_host_open(&f);
 *   FakeMark mark = fake_host_mark(&f);  ..  fake_host_reset(&f, mark);  (as a returning call does)
 *   fake_host_close(&f); */
#ifndef HN_TESTS_FAKE_HOST_H
#define HN_TESTS_FAKE_HOST_H
#include <hunch/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_ARRAYS = 512, FAKE_BLOCKS = 4096, FAKE_METRICS = 64 };

typedef struct FakeArray {
  HnArray spec;
  int64_t count; /* elements */
  void *data;
  float *grad; /* or NULL */
} FakeArray;

typedef struct FakeBlock {
  char *data;
  size_t size, used;
} FakeBlock;

typedef struct FakeMark {
  int64_t block;
  size_t used;
} FakeMark;

typedef struct FakeHost {
  HnHost host;
  int64_t array_count, alloc_count, block_count, block; /* block: the one being filled */
  FakeArray array[FAKE_ARRAYS];
  void *alloc[FAKE_BLOCKS];
  FakeBlock blocks[FAKE_BLOCKS];
  char error[2048]; /* of the last fail */
  char logged[512]; /* the last line to the log */
  double metric[FAKE_METRICS];
  int64_t metric_count[FAKE_METRICS];
} FakeHost;

static inline void *fake_bytes(int64_t count, size_t size) {
  size_t bytes;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes)) abort();
  bytes = (bytes + 127) / 64 * 64;
  void *p = aligned_alloc(64, bytes);
  if (!p) abort();
  memset(p, 0, bytes);
  return p;
}

static inline void *fake_alloc(const HnHost *host, int64_t count, size_t size) {
  FakeHost *f = host->impl;
  if (f->alloc_count == FAKE_BLOCKS) abort();
  return f->alloc[f->alloc_count++] = fake_bytes(count, size);
}

static inline void *fake_keep(const HnHost *host, const HnArray *array) {
  static const size_t size[] = {
      [HN_F32] = 4, [HN_F64] = 8, [HN_I32] = 4, [HN_I64] = 8, [HN_U8] = 1};
  FakeHost *f = host->impl;
  for (int64_t i = 0; i < f->array_count; i++)
    if (strcmp(f->array[i].spec.name, array->name) == 0) {
      fprintf(stderr, "fake host: array \"%s\" is kept twice\n", array->name);
      abort();
    }
  if (f->array_count == FAKE_ARRAYS) abort();
  FakeArray *a = &f->array[f->array_count++];
  *a = (FakeArray){.spec = *array, .count = 1};
  for (int64_t d = 0; d < array->rank; d++) a->count *= array->dim[d];
  a->data = fake_alloc(host, a->count, size[array->type]);
  if (array->grad) *array->grad = a->grad = fake_alloc(host, a->count, sizeof(float));
  return a->data;
}

/* Fills each use with a pattern, because real scratch is not zeroed either. */
static inline void *fake_scratch(const HnHost *host, int64_t count, size_t size) {
  FakeHost *f = host->impl;
  size_t bytes;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes)) abort();
  bytes = (bytes + 63) / 64 * 64;
  while (f->block < f->block_count && f->blocks[f->block].size - f->blocks[f->block].used < bytes)
    f->block++;
  if (f->block == f->block_count) {
    if (f->block_count == FAKE_BLOCKS) abort();
    const size_t room = bytes > ((size_t)1 << 22) ? bytes : (size_t)1 << 22;
    f->blocks[f->block_count++] = (FakeBlock){.data = fake_bytes((int64_t)room, 1), .size = room};
    memset(f->blocks[f->block].data, 0xa5, room);
  }
  FakeBlock *b = &f->blocks[f->block];
  b->used += bytes;
  return b->data + b->used - bytes;
}

static inline FakeMark fake_host_mark(const FakeHost *f) {
  return (FakeMark){.block = f->block,
                    .used = f->block < f->block_count ? f->blocks[f->block].used : 0};
}

static inline void fake_host_reset(FakeHost *f, FakeMark mark) {
  for (int64_t i = mark.block; i < f->block_count; i++) f->blocks[i].used = 0;
  if (mark.block < f->block_count) f->blocks[mark.block].used = mark.used;
  f->block = mark.block;
}

static inline HnStatus fake_parallel(const HnHost *host, int64_t count, HnTask *task, void *arg) {
  HnStatus first = HN_OK;
  for (int64_t i = 0; i < count; i++) {
    const FakeMark mark = fake_host_mark(host->impl);
    const HnStatus status = task(arg, i);
    if (first == HN_OK) first = status;
    fake_host_reset(host->impl, mark);
  }
  return first;
}

static inline HnStatus HN_PRINTF(3, 4)
    fake_fail(const HnHost *host, HnStatus status, const char *format, ...) {
  FakeHost *f = host->impl;
  va_list args;
  va_start(args, format);
  vsnprintf(f->error, sizeof f->error, format, args);
  va_end(args);
  return status;
}

static inline void HN_PRINTF(2, 3) fake_log(const HnHost *host, const char *format, ...) {
  FakeHost *f = host->impl;
  va_list args;
  va_start(args, format);
  vsnprintf(f->logged, sizeof f->logged, format, args);
  va_end(args);
}

static inline void fake_metric(const HnHost *host, int32_t metric, double value) {
  FakeHost *f = host->impl;
  if (metric < 0 || metric >= FAKE_METRICS) abort();
  f->metric[metric] += value;
  f->metric_count[metric]++;
}

static inline const HnHost *fake_host_open(FakeHost *f) {
  memset(f, 0, sizeof *f);
  f->host = (HnHost){.struct_size = sizeof(HnHost),
                     .abi = HN_ABI,
                     .impl = f,
                     .alloc = fake_alloc,
                     .keep = fake_keep,
                     .scratch = fake_scratch,
                     .parallel = fake_parallel,
                     .fail = fake_fail,
                     .log = fake_log,
                     .metric = fake_metric};
  return &f->host;
}

static inline void fake_host_close(FakeHost *f) {
  for (int64_t i = 0; i < f->alloc_count; i++) free(f->alloc[i]);
  for (int64_t i = 0; i < f->block_count; i++) free(f->blocks[i].data);
}

/* The kept array of this name, or NULL. */
static inline FakeArray *fake_host_find(FakeHost *f, const char *name) {
  for (int64_t i = 0; i < f->array_count; i++)
    if (strcmp(f->array[i].spec.name, name) == 0) return &f->array[i];
  return NULL;
}
#endif
