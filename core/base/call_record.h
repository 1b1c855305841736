/* call_record.h - which plugin call each thread of a cell is in, on a page of memory that outlives
 * the cell: its scheduler reads there how far it is and, whatever ended it, what it was doing.
 *
 * The page is a file in memory (memfd) that the scheduler makes and the cell maps.  Without one the
 * record goes to a page of the process's own. */
#ifndef HN_CALL_RECORD_H
#define HN_CALL_RECORD_H
#include <glib.h>
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

/* Every method of every contract: HN_CALL_ENV_step, ..; 0: no call. */
#define HN_CALL_ENV_ID(name, required, doc)       HN_CALL_ENV_##name,
#define HN_CALL_INFERENCE_ID(name, required, doc) HN_CALL_INFERENCE_##name,
#define HN_CALL_POLICY_ID(name, required, doc)    HN_CALL_POLICY_##name,
typedef enum HnCallId {
  HN_CALL_NONE,
  HN_ENV_METHODS(HN_CALL_ENV_ID) HN_INFERENCE_METHODS(HN_CALL_INFERENCE_ID)
      HN_POLICY_METHODS(HN_CALL_POLICY_ID) HN_CALL_COUNT
} HnCallId;

/* Why a cell ended itself. */
typedef enum HnCellEnd {
  HN_END_NONE,    /* it did not: it was ended, or is at work */
  HN_END_RETURN,  /* by the end of its main function, with its own exit code */
  HN_END_CRASH,   /* by a fatal signal, caught on its way */
  HN_END_STUCK,   /* a call took longer than run.call_seconds */
  HN_END_MEMORY,  /* it took more than run.memory */
  HN_END_ORPHAN,  /* its scheduler is gone */
  HN_END_STOPPED, /* it stopped itself, and its scheduler ended it */
} HnCellEnd;

enum { HN_CALL_SLOTS = 320 }; /* threads that can be told apart: run.workers and a few */

typedef struct HnCallSlot {
  int32_t call;    /* HnCallId */
  uint32_t serial; /* counts calls, so that a long one can be told from many */
} HnCallSlot;

typedef struct HnCallRecord {
  int64_t update, frames, frames_total; /* finished updates and environment steps; at the end */
  int32_t end;                          /* HnCellEnd */
  int32_t slot;                         /* of the thread that crashed or was stuck; -1: not known */
  HnCallSlot call[HN_CALL_SLOTS];
} HnCallRecord;

/* The record of this process.  [any] */
extern HnCallRecord *hn_call_record;

/* A new page's descriptor, close-on-exec, or -1 with errno. */
int hn_call_record_new(void);
/* Maps it, NULL with errno; munmap() takes it away. */
HnCallRecord *hn_call_record_map(int fd);
/* Makes the page of fd the record of this process; false: it keeps its own. */
bool hn_call_record_use(int fd);
/* This thread's slot.  [any] */
HnCallSlot *hn_call_slot(void);

/* Sends a signal to the thread of a slot. */
void hn_call_interrupt(int slot, int number);

/* A call of an environment that wrappers hold says how many do: HN_CALL_ENV_step of the third. */
enum { HN_CALL_DEPTH_SHIFT = 16 };
static inline int32_t hn_call_at(HnCallId id, guint depth) {
  return (int32_t)id | (int32_t)depth << HN_CALL_DEPTH_SHIFT;
}
/* How many wrappers hold the plugin of a call. */
guint hn_call_depth(int32_t call);

/* "env", "step" of HN_CALL_ENV_step; NULL of HN_CALL_NONE and what is out of range. */
const char *hn_call_kind(int32_t call);
const char *hn_call_method(int32_t call);
/* HN_KIND_ENV .. of a call, 0 if it is none. */
HnKind hn_call_plugin_kind(int32_t call);
/* The plugin that calls of a kind go to below so many wrappers: the last one made.  NULL of
 * HN_CALL_NONE, and where none was made. */
void hn_call_name_plugin(HnKind kind, guint depth, const char *name);
const char *hn_call_plugin(int32_t call);
/* The call that the record blames: of the slot that it names, else of the first that is busy. */
int32_t hn_call_blamed(const HnCallRecord *r);

/* One call into a plugin: recorded for as long as it lasts.  A process that a plugin forked ends
 * where the call returns, before it can run the cell a second time. */
#define HN_RECORD_CALL(id, statement) HN_RECORD_CALL_AT(id, 0, statement)
#define HN_RECORD_CALL_AT(id, depth, statement)         \
  do {                                                  \
    HnCallSlot *hn_slot_ = hn_call_slot();              \
    const int32_t hn_outer_ = hn_slot_->call;           \
    hn_slot_->call = hn_call_at(HN_CALL_##id, depth);   \
    hn_slot_->serial++;                                 \
    statement;                                          \
    hn_slot_->call = hn_outer_;                         \
    if (G_UNLIKELY(hn_call_forked)) hn_call_end_fork(); \
  } while (0)
extern volatile int hn_call_forked;
G_NORETURN void hn_call_end_fork(void);
#endif
