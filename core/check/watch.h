/* watch.h - a plugin whose calls are handed on to another one and looked at: what each asks of its
 * arrays, its instance and its process.  One of them in a process. */
#ifndef HN_WATCH_H
#define HN_WATCH_H
#include "cell.h"

/* What is looked at. */
typedef enum HnWatchFor {
  HN_WATCH_SPEC,    /* what create says of the plugin */
  HN_WATCH_MEMORY,  /* what is read and written (lending.h) */
  HN_WATCH_SELF,    /* whether calls for rows write to the instance */
  HN_WATCH_PROCESS, /* what is left of the process (process_state.h) */
} HnWatchFor;

/* The watched twin.  found: gets the first fault, beginning with the call; stays empty else. */
const HnPlugin *hn_watch(const HnPlugin *plugin, HnWatchFor what, GString *found);
#endif
