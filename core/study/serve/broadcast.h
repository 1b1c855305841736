/* broadcast.h - events for any number of watchers, each of which takes them at its own pace.  Who
 * falls behind is given the state instead of what it missed, so a slow watcher costs no memory but
 * that of the event it is in the middle of, which it shares. */
#ifndef HN_BROADCAST_H
#define HN_BROADCAST_H
#include <glib.h>
#include <stdint.h>

typedef struct HnBroadcast HnBroadcast;
typedef struct HnWatcher HnWatcher;

/* state: makes the event with which a watcher begins; asked at most once between two events. */
typedef GBytes *HnBroadcastState(void *arg);
HnBroadcast *hn_broadcast_new(HnBroadcastState *state, void *arg);
/* All watchers must be gone. */
void hn_broadcast_free(HnBroadcast *b);
/* Adds an event, which it takes over. */
void hn_broadcast_send(HnBroadcast *b, GBytes *event);
int64_t hn_broadcast_watchers(const HnBroadcast *b);

HnWatcher *hn_watcher_new(HnBroadcast *b);
void hn_watcher_free(HnWatcher *w);
/* Copies up to `most` of the bytes that come next; returns how many, 0: none until an event is
 * sent. */
gsize hn_watcher_read(HnWatcher *w, char *out, gsize most);
#endif
