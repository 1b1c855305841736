/* pool.h - worker threads and the scratch memory of each. */
#ifndef HN_POOL_H
#define HN_POOL_H
#include "call_record.h"
#include <glib.h>
#include <hunch/plugin.h>

/* Scratch: chunks that are bumped through and kept, so that a steady state allocates nothing. */
typedef struct HnArena {
  char **chunk;
  gsize *room;
  guint chunks, at; /* `at` is the chunk in use */
  gsize used;       /* bytes of it */
} HnArena;
typedef struct HnMark {
  guint at;
  gsize used;
} HnMark;

void *hn_arena_take(HnArena *a, gsize bytes); /* 64-byte aligned, not zeroed */
HnMark hn_arena_mark(const HnArena *a);
void hn_arena_reset(HnArena *a, HnMark mark);
void hn_arena_clear(HnArena *a); /* frees the chunks */

/* The arena that host->scratch draws on in this thread; returns the one before. */
HnArena *hn_arena_enter(HnArena *a);
HnArena *hn_arena_current(void);

/* The text of the last failure in this thread, set by host->fail. */
enum { HN_FAIL_TEXT = 1024 };
char *hn_fail_text(void);

/* What a status alone says. */
const char *hn_status_text(HnStatus status);
/* Names plugin and call where a call failed and gave no text. */
void hn_fail_untold(int32_t call, HnStatus status);

typedef struct HnPool HnPool;
HnPool *hn_pool_new(int64_t workers);
void hn_pool_free(HnPool *p);
/* Runs task(arg, 0 .. count-1) in any order on the workers and this thread; returns the failure of
 * lowest i, its text in hn_fail_text().  A call from inside a task runs in line. */
HnStatus hn_pool_run(HnPool *p, int64_t count, HnTask *task, void *arg);

/* What the expression takes of scratch is given back. */
#define HN_WITH_SCRATCH(status, expression)              \
  do {                                                   \
    HnMark hn_mark_ = hn_arena_mark(hn_arena_current()); \
    hn_fail_text()[0] = '\0';                            \
    (status) = (expression);                             \
    hn_arena_reset(hn_arena_current(), hn_mark_);        \
  } while (0)
/* One call into a plugin, HN_CALL(status, ENV_step, methods->step(..)): recorded, with scratch. */
#define HN_CALL(status, id, expression) HN_CALL_AT(status, id, 0, expression)
#define HN_CALL_AT(status, id, depth, expression)                      \
  do {                                                                 \
    HN_RECORD_CALL_AT(id, depth, HN_WITH_SCRATCH(status, expression)); \
    HN_TELL(status, id, depth);                                        \
  } while (0)
/* What a failed call lacks in text. */
#define HN_TELL(status, id, depth)                                                              \
  do {                                                                                          \
    if (G_UNLIKELY((status) != HN_OK)) hn_fail_untold(hn_call_at(HN_CALL_##id, depth), status); \
  } while (0)
#endif
