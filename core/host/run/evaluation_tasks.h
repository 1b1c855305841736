/* evaluation_tasks.h - which tasks the rows of an evaluation take, and whether its protocol can be
 * followed in this environment. */
#ifndef HN_EVALUATION_TASKS_H
#define HN_EVALUATION_TASKS_H
#include "session.h"

/* Finds what the evaluation's protocol needs, or says why it cannot be followed. */
gboolean hn_protocol_check(HnSession *s, GError **error);
/* The numbered task each row of an evaluation takes, wanted [rows] (-1: drawn): the split's names
 * in turn, and of a name the tasks that bear it in turn.  Returns the number of names, at least 1.
 */
int64_t hn_protocol_tasks(const HnSession *s, int64_t split, int64_t rows, int64_t *wanted);
#endif
