/* run_size.h - what a run will take of the disk and of memory, known before its first step, because
 * plugins allocate in create all that they will ever keep. */
#ifndef HN_RUN_SIZE_H
#define HN_RUN_SIZE_H

struct HnSession; /* session.h, which is not for whoever only reads sizes */

typedef struct HnRunSize {
  double checkpoint; /* bytes of one at most, with buffers full; 0: not known */
  double kept;       /* checkpoints that stay at most; while another is written there is one more */
  double memory;     /* bytes, without scratch: see hn_memory_budget_bytes */
  double frames;     /* until the run ends: run.frames, rounded up to whole updates */
  double update;     /* frames of one update */
  double distinct;   /* different tasks among evaluation.tasks, of the split with the fewest */
} HnRunSize;

HnRunSize hn_run_size(struct HnSession *s);
/* After how many updates a run of run.frames ends. */
double hn_run_updates(const struct HnSession *s);
/* Bytes of all checkpoints of a cell at most, that which is being written among them. */
double hn_run_size_on_disk(const HnRunSize *size);
#endif
