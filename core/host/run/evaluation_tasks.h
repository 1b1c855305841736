/* evaluation_tasks.h - which tasks the rows of an evaluation take, and whether its protocol can be
 * followed in this environment. */
#ifndef HN_EVALUATION_TASKS_H
#define HN_EVALUATION_TASKS_H
#include "session.h"

/* Fills in the session's splits to evaluate and its success column; false where the environment
 * does not offer what the protocol needs. */
bool hn_evaluation_check(HnSession *s, GError **error);
/* The numbered task that each row of an evaluation takes, task [rows] (-1: drawn): the names of
 * the split in turn, and among the tasks of one name each in turn.  Returns the number of names, at
 * least 1. */
int64_t hn_evaluation_tasks(const HnSession *s, int64_t split, int64_t rows, int64_t *task);

/* How many of the rows of an evaluation are of different tasks: where a split has fewer tasks than
 * there are rows, the rest take them again and say little new. */
typedef struct HnTasksTaken {
  int64_t rows;
  int64_t distinct; /* all of them where tasks have no number */
  int64_t by_name;  /* distinct ones of a name, of the name that has the fewest */
} HnTasksTaken;
HnTasksTaken hn_evaluation_taken(const HnSession *s, int64_t split);
#endif
