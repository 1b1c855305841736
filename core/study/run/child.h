/* child.h - a cell as a process of its own: started, listened to, and how it ended in words.
 *
 * What the cell and its plugins print goes to log.txt, its start and its end where it is long, and
 * never takes more than a bounded amount of memory or of this process's time.  The cell is over
 * when its process is, whatever other processes it has left; those are killed. */
#ifndef HN_CHILD_H
#define HN_CHILD_H
#include "call_record.h"
#include "jobs.h"

/* Exit code of a cell whose folder another process has. */
enum { HN_CHILD_ELSEWHERE = 73 };
/* Descriptor of the page of memory on which a cell says how far it is. */
enum { HN_CHILD_RECORD_FD = 3 };

typedef struct HnChild HnChild;
typedef struct HnChildEvents {
  void *arg;
  void (*line)(void *arg, HnChild *c, const char *line); /* printable; only the first of many */
  void (*ended)(void *arg, HnChild *c);                  /* free it there or later */
} HnChildEvents;

/* Starts `hunch cell DIR` for a job in a process group of its own, with one BLAS thread, a memory
 * page to tell how far it is, and the resolved configuration on its stdin.  Events come from the
 * main loop's default context.  NULL with the reason. */
HnChild *hn_child_start(HnJob *job, const HnChildEvents *events, GError **error);
void hn_child_free(HnChild *c);
HnJob *hn_child_job(const HnChild *c);
/* To the cell itself, and SIGSTOP, SIGCONT and SIGKILL to its whole group. */
void hn_child_signal(HnChild *c, int number);
/* How far it is, as long as it lives. */
const HnCallRecord *hn_child_record(const HnChild *c);

/* If the cell is in the same plugin call as when this was last asked: " in env NAME, step, after
 * update 3"; else NULL; g_free. */
char *hn_child_same_call(HnChild *c);

/* Whether the cell is stopped although nobody stopped it through hn_child_signal: " in env NAME,
 * step, after update 3", the first time that this is seen and NULL later; g_free.  *seconds: for
 * how long that has been seen, 0: it is not. */
char *hn_child_stopped(HnChild *c, double *seconds);
/* Kills a cell that stopped itself, which is then what ended it. */
void hn_child_end_stopped(HnChild *c);

/* How it ended: its exit code if it returned one by itself, else -1, and then, in words, what ended
 * it, in which plugin's call and after which update; g_free. */
int hn_child_code(const HnChild *c);
char *hn_child_death(const HnChild *c);
/* The signal that ended it, or 0. */
int hn_child_killer(const HnChild *c);
/* The last line that it printed, or NULL. */
const char *hn_child_said(const HnChild *c);
#endif
