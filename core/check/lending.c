/* lending.c - see lending.h. */
#include "lending.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY = 0xc5 };
/* A NaN that no computation yields, which as a double is one, too. */
static const uint32_t unwritten = 0x7fdeadbe;

/* The pages of one array of one method: [size] bytes, then a page that cannot be touched. */
typedef struct Slot {
  const char *name;
  char *pages, *data;
  gsize size, bytes;
  bool lent, writable;
} Slot;
static Slot slots[2 * HN_LENDING_CALLS][HN_LENDINGS];
static int turn[HN_LENDING_CALLS];

static gsize page_size(void) {
  return (gsize)sysconf(_SC_PAGESIZE);
}

static void *get(const void *pointer) {
  void *p;
  return memcpy(&p, pointer, sizeof p), p;
}
static void put(void *pointer, const void *p) {
  memcpy(pointer, &p, sizeof p);
}

/* ahead: bytes of the array that precede where the pointer points to */
static void lend_from(HnLending *l, const char *name, void *pointer, gsize ahead, gsize bytes,
                      HnWay way, gsize item) {
  char *own = get(pointer);
  if (!own) return;
  g_assert(l->count < HN_LENDINGS);
  l->array[l->count++] = (HnLent){.name = name,
                                  .pointer = pointer,
                                  .own = own - ahead,
                                  .ahead = ahead,
                                  .bytes = bytes,
                                  .way = way,
                                  .item = item};
}

void hn_lend(HnLending *l, const char *name, void *pointer, gsize bytes, HnWay way, gsize item) {
  lend_from(l, name, pointer, 0, bytes, way, item);
}

void hn_lend_history(HnLending *l, HnHistory *h, const int64_t width[4], gsize row_size) {
  const gsize O = (gsize)width[HN_WIDE_OBS] * 4, A = (gsize)width[HN_WIDE_ACTION] * 4;
  const struct {
    const char *name;
    void *pointer;
    gsize item;
    bool step; /* of steps, not of times */
  } field[] = {{"history.begin", &h->begin, 1, false},
               {"history.obs", &h->obs, O, false},
               {"history.task", &h->task, (gsize)width[HN_WIDE_TASK] * 4, false},
               {"history.action", &h->action, A, true},
               {"history.action_index", &h->action_index, 4, true},
               {"history.reward", &h->reward, 4, true},
               {"history.true_reward", &h->true_reward, 4, true},
               {"history.next_obs", &h->next_obs, O, true},
               {"history.terminated", &h->terminated, 1, true},
               {"history.truncated", &h->truncated, 1, true},
               {"history.aux", &h->aux, (gsize)width[HN_WIDE_AUX] * 4, true}};
  const int64_t before = h->state ? h->stride : 0; /* windows of the host have a step -1 */
  for (guint k = 0; k < G_N_ELEMENTS(field); k++) {
    const int64_t last = field[k].step ? h->steps - 1 : h->steps;
    const int64_t items = last < 0 ? (before ? h->rows : 0) : last * h->stride + before + h->rows;
    lend_from(l, field[k].name, field[k].pointer, (gsize)before * field[k].item,
              (gsize)items * field[k].item, HN_LEND_IN, 0);
  }
  hn_lend(l, "history.state", &h->state, (gsize)h->rows * row_size, HN_LEND_IN, 0);
}

static void make_room(Slot *s, gsize bytes) {
  const gsize page = page_size(), size = ((bytes + page - 1) & ~(page - 1)) + page;
  if (s->size < size) {
    if (s->pages) munmap(s->pages, s->size + page);
    s->size = size;
    s->pages = mmap(NULL, size + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->pages == MAP_FAILED) g_error("out of memory");
  }
  mprotect(s->pages, s->size, PROT_READ | PROT_WRITE);
  s->bytes = bytes, s->data = s->pages + s->size - bytes;
}

static void lend_one(Slot *s, const char *name, const void *own, gsize bytes, HnWay way) {
  make_room(s, bytes);
  s->name = name, s->lent = true, s->writable = way != HN_LEND_IN;
  memset(s->pages, CANARY, s->size - bytes);
  for (gsize at = 0; way == HN_LEND_OUT && at + 4 <= bytes; at += 4)
    memcpy(s->data + at, &unwritten, 4);
  if (way != HN_LEND_OUT && bytes) memcpy(s->data, own, bytes);
  if (!s->writable) mprotect(s->pages, s->size, PROT_READ);
}

void hn_lend_begin(HnLending *l) {
  if (!l->stays) turn[l->call] = !turn[l->call];
  l->slots = 2 * l->call + turn[l->call];
  for (int k = 0; k < l->count; k++) {
    Slot *s = &slots[l->slots][k];
    lend_one(s, l->array[k].name, l->array[k].own, l->array[k].bytes, l->array[k].way);
    put(l->array[k].pointer, s->data + l->array[k].ahead);
  }
}

static char *fault_of(const Slot *s, HnWay way, gsize item) {
  for (gsize at = 0; s->writable && at < s->size - s->bytes; at++)
    if ((unsigned char)s->pages[at] != CANARY)
      return g_strdup_printf("writes before the start of %s", s->name);
  for (gsize at = 0; way == HN_LEND_OUT && at + item <= s->bytes; at += item)
    if (!memcmp(s->data + at, &unwritten, 4))
      return g_strdup_printf("leaves %s[%d] unwritten", s->name, (int)(at / item));
  return NULL;
}

char *hn_lend_end(HnLending *l) {
  char *fault = NULL;
  for (int k = 0; k < l->count; k++) {
    Slot *s = &slots[l->slots][k];
    const HnWay way = l->array[k].way;
    if (!fault) fault = fault_of(s, way, l->array[k].item);
    if (s->writable && s->bytes) memcpy(l->array[k].own, s->data, s->bytes);
    mprotect(s->pages, s->size, PROT_NONE);
    s->lent = false;
    put(l->array[k].pointer, (char *)l->array[k].own + l->array[k].ahead);
  }
  return fault;
}

/* In a signal handler: only strcpy and the like. */
static const char *say(const char *before, const char *name, const char *after) {
  static char text[256];
  g_strlcpy(text, before, sizeof text);
  g_strlcat(text, name, sizeof text);
  g_strlcat(text, after, sizeof text);
  return text;
}

const char *hn_lend_explain(const void *address) {
  const char *p = address;
  for (int c = 0; c < 2 * HN_LENDING_CALLS; c++)
    for (int k = 0; k < HN_LENDINGS; k++) {
      const Slot *s = &slots[c][k];
      if (!s->pages || p < s->pages || p >= s->pages + s->size + page_size()) continue;
      if (p >= s->pages + s->size) return say("goes beyond the end of ", s->name, "");
      return s->lent ? say("writes to ", s->name, ", which is to be read")
                     : say("touches ", s->name, " after the call that it was lent for");
    }
  return NULL;
}
