/* call_record.c - see call_record.h. */
#include "call_record.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static HnCallRecord own = {.slot = -1};
HnCallRecord *hn_call_record = &own;

static const struct {
  const char *kind, *method;
  HnKind plugin;
} calls[HN_CALL_COUNT] = {
#define ENV_CALL(name, required, doc) [HN_CALL_ENV_##name] = {"env", #name, HN_KIND_ENV},
#define INFERENCE_CALL(name, required, doc) \
  [HN_CALL_INFERENCE_##name] = {"inference", #name, HN_KIND_INFERENCE},
#define POLICY_CALL(name, required, doc) \
  [HN_CALL_POLICY_##name] = {"policy", #name, HN_KIND_POLICY},
    HN_ENV_METHODS(ENV_CALL) HN_INFERENCE_METHODS(INFERENCE_CALL) HN_POLICY_METHODS(POLICY_CALL)};

static int32_t id_of(int32_t call) {
  return call & ((1 << HN_CALL_DEPTH_SHIFT) - 1);
}
static bool is_call(int32_t call) {
  return call > HN_CALL_NONE && id_of(call) > HN_CALL_NONE && id_of(call) < HN_CALL_COUNT;
}
guint hn_call_depth(int32_t call) {
  return is_call(call) ? (guint)call >> HN_CALL_DEPTH_SHIFT : 0;
}
const char *hn_call_kind(int32_t call) {
  return is_call(call) ? calls[id_of(call)].kind : NULL;
}
const char *hn_call_method(int32_t call) {
  return is_call(call) ? calls[id_of(call)].method : NULL;
}
HnKind hn_call_plugin_kind(int32_t call) {
  return is_call(call) ? calls[id_of(call)].plugin : 0;
}

enum { DEPTHS = 16 }; /* at least as many wrappers as can hold one another */
static const char *plugins[HN_KIND_POLICY + 1][DEPTHS];

void hn_call_name_plugin(HnKind kind, guint depth, const char *name) {
  if (kind <= HN_KIND_POLICY && depth < DEPTHS) plugins[kind][depth] = name;
}
const char *hn_call_plugin(int32_t call) {
  const guint depth = hn_call_depth(call);
  return depth < DEPTHS ? plugins[hn_call_plugin_kind(call)][depth] : NULL;
}

int32_t hn_call_blamed(const HnCallRecord *r) {
  if (r->slot >= 0 && r->slot < HN_CALL_SLOTS) return r->call[r->slot].call;
  for (int i = 0; i < HN_CALL_SLOTS; i++)
    if (is_call(r->call[i].call)) return r->call[i].call;
  return HN_CALL_NONE;
}

int hn_call_record_new(void) {
  int fd = memfd_create("hunch-call-record", MFD_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, sizeof(HnCallRecord)) != 0) close(fd), fd = -1;
  HnCallRecord *r = fd < 0 ? NULL : hn_call_record_map(fd);
  if (!r) return -1;
  r->slot = -1;
  munmap(r, sizeof *r);
  return fd;
}

HnCallRecord *hn_call_record_map(int fd) {
  void *p = mmap(NULL, sizeof(HnCallRecord), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return p == MAP_FAILED ? NULL : p;
}

bool hn_call_record_use(int fd) {
  HnCallRecord *r = hn_call_record_map(fd);
  if (r) hn_call_record = r;
  return r != NULL;
}

/* ---- threads ---- */

static atomic_int threads;
static _Thread_local int thread = -1;
static pthread_t thread_of[HN_CALL_SLOTS];

/* Threads beyond the last slot share it. */
HnCallSlot *hn_call_slot(void) {
  if (G_UNLIKELY(thread < 0)) {
    thread = MIN(atomic_fetch_add(&threads, 1), HN_CALL_SLOTS - 1);
    thread_of[thread] = pthread_self();
  }
  return &hn_call_record->call[thread];
}

void hn_call_interrupt(int slot, int number) {
  pthread_kill(thread_of[slot], number);
}

/* ---- forks ---- */

volatile int hn_call_forked;

static void note_fork(void) {
  hn_call_forked = 1;
}

__attribute__((constructor)) static void watch_forks(void) {
  pthread_atfork(NULL, NULL, note_fork);
}

void hn_call_end_fork(void) {
  static const char words[] =
      "a process that a plugin forked came back from the call and was ended\n";
  if (write(STDERR_FILENO, words, sizeof words - 1) < 0) _exit(1);
  _exit(1);
}
