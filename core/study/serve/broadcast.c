/* broadcast.c - see broadcast.h. */
#include "broadcast.h"
#include <string.h>

enum { KEPT = 8 /* events that a watcher may be behind */ };

struct HnBroadcast {
  HnBroadcastState *state;
  void *arg;
  GBytes *event[KEPT]; /* number i at i % KEPT */
  int64_t sent;        /* events so far */
  GBytes *whole;       /* the state after the last of them, or NULL */
  int64_t watchers;
};

struct HnWatcher {
  HnBroadcast *b;
  int64_t next;    /* number of the event it takes next; -1: it begins */
  GBytes *current; /* or NULL */
  gsize at;        /* bytes taken of that */
};

HnBroadcast *hn_broadcast_new(HnBroadcastState *state, void *arg) {
  HnBroadcast *b = g_new0(HnBroadcast, 1);
  b->state = state, b->arg = arg;
  return b;
}

void hn_broadcast_free(HnBroadcast *b) {
  if (!b) return;
  g_assert(b->watchers == 0);
  for (int i = 0; i < KEPT; i++) g_bytes_unref(b->event[i]);
  g_bytes_unref(b->whole);
  g_free(b);
}

void hn_broadcast_send(HnBroadcast *b, GBytes *event) {
  GBytes **place = &b->event[b->sent++ % KEPT];
  g_bytes_unref(*place);
  *place = event;
  g_clear_pointer(&b->whole, g_bytes_unref);
}

int64_t hn_broadcast_watchers(const HnBroadcast *b) {
  return b->watchers;
}

HnWatcher *hn_watcher_new(HnBroadcast *b) {
  HnWatcher *w = g_new0(HnWatcher, 1);
  w->b = b, w->next = -1;
  b->watchers++;
  return w;
}

void hn_watcher_free(HnWatcher *w) {
  if (!w) return;
  w->b->watchers--;
  g_bytes_unref(w->current);
  g_free(w);
}

/* The next event, or the state where that is no longer there; NULL: nothing has come. */
static GBytes *next_event(HnWatcher *w) {
  HnBroadcast *b = w->b;
  if (w->next == b->sent) return NULL;
  if (w->next >= 0 && w->next >= b->sent - KEPT) return g_bytes_ref(b->event[w->next++ % KEPT]);
  if (!b->whole) b->whole = b->state(b->arg);
  w->next = b->sent;
  return g_bytes_ref(b->whole);
}

gsize hn_watcher_read(HnWatcher *w, char *out, gsize most) {
  if (!w->current) w->current = next_event(w), w->at = 0;
  if (!w->current) return 0;
  gsize size;
  const char *data = g_bytes_get_data(w->current, &size);
  const gsize n = MIN(most, size - w->at);
  memcpy(out, data + w->at, n);
  w->at += n;
  if (w->at == size) g_clear_pointer(&w->current, g_bytes_unref);
  return n;
}
