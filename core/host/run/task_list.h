/* task_list.h - the numbered tasks of a split: how many there are, and what they are called. */
#ifndef HN_TASK_LIST_H
#define HN_TASK_LIST_H
#include "instance.h"

enum {
  HN_NAMED_TASKS_MAX = 1 << 20, /* of a split, because each is asked for its name */
  HN_TASK_NAME_MAX = 256        /* bytes */
};

typedef struct HnTaskList {
  int64_t count;       /* 0: tasks have no number */
  const char **called; /* [count] interned, NULL where a task has no name; NULL: none has */
} HnTaskList;

/* Asks an environment for those of a split.  Names are UTF-8, without control characters but line
 * breaks, and no numbers; one that is empty is none.  HN_E_SHAPE, with its text in hn_fail_text():
 * there cannot be so many, or they cannot be called that. */
HnStatus hn_task_list_read(const HnInstance *env, int64_t split, const char *split_name,
                           HnTaskList *out);
void hn_task_list_clear(HnTaskList *t);
/* The name of task k, or NULL. */
const char *hn_task_list_name(const HnTaskList *t, int64_t k);
#endif
