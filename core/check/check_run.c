/* check_run.c - see check_run.h. */
#include "check_run.h"
#include "apart.h"
#include "checkpoint.h"
#include "error.h"
#include "learn.h"
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

HnSession *hn_check_session(const HnCell *cell, HnVerdict *verdict, GString *why) {
  g_autoptr(GError) error = NULL;
  HnSession *s = hn_session_new(cell, NULL, &error);
  if (s) return s;
  bool refused = error->code == HN_ERROR_REFUSED || error->code == HN_ERROR_PLUGIN;
  *verdict = refused ? HN_LAW_SKIPPED : HN_LAW_BROKEN;
  g_string_append(why, error->message);
  return NULL;
}

bool hn_check_update(HnSession *s, GString *why) {
  HnStatus status = hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases);
  s->frames += hn_session_frames(s);
  if (!status) status = hn_learn_policy(s);
  if (!status) status = hn_learn_inference(s);
  if (!status) status = hn_learn_refresh(s);
  s->update++;
  if (status) g_string_append_printf(why, "update %d: %s", (int)s->update, hn_fail_text());
  return !status;
}

/* ---- what a run leaves ---- */

enum { UPDATES = 3 };

/* Something that a checkpoint would save, within the bytes that a run left. */
typedef struct Left {
  const char *name;
  const char *data;
  int64_t used, bytes;
} Left;

static void append_states(const GPtrArray *states, GByteArray *out) {
  for (guint k = 0; k < states->len; k++) {
    const HnState *state = states->pdata[k];
    const int64_t used = state->used ? *state->used : 0, bytes = (int64_t)hn_state_bytes(state);
    g_byte_array_append(out, (const guint8 *)state->name, (guint)strlen(state->name) + 1);
    g_byte_array_append(out, (const guint8 *)&used, sizeof used);
    g_byte_array_append(out, (const guint8 *)&bytes, sizeof bytes);
    if (bytes) g_byte_array_append(out, state->data, (guint)bytes);
  }
}

/* Reads the next from *at on; false at the end. */
static bool next_left(GBytes *from, gsize *at, Left *x) {
  gsize length;
  const char *data = g_bytes_get_data(from, &length);
  if (*at >= length) return false;
  x->name = data + *at, *at += strlen(x->name) + 1;
  memcpy(&x->used, data + *at, sizeof x->used), *at += sizeof x->used;
  memcpy(&x->bytes, data + *at, sizeof x->bytes), *at += sizeof x->bytes;
  x->data = data + *at, *at += (gsize)x->bytes;
  return true;
}

static void restore_states(const GPtrArray *states, GBytes *left) {
  Left x;
  gsize at = 1;
  for (guint k = 0; k < states->len && next_left(left, &at, &x); k++) {
    const HnState *state = states->pdata[k];
    if (x.bytes) memcpy(state->data, x.data, (gsize)x.bytes);
    if (state->used) *state->used = x.used;
  }
}

/* ---- runs, each in a process of its own ---- */

typedef struct Run {
  const HnCell *cell;
  GBytes *start;   /* what another run left after its first update; NULL: from the start */
  int64_t updates; /* until so many */
  bool elsewhere;  /* where nothing is as it was but the cell */
} Run;

/* Variables by which a plugin may find files stay as they are. */
static bool may_change(const char *name) {
  static const char *const stay[] = {"HOME", "PATH", "TMPDIR", "DISPLAY"};
  static const char *const families[] = {"XDG_",    "LD_",    "HUNCH_", "OPENBLAS_",
                                         "ASAN_",   "UBSAN_", "TSAN_",  "LSAN_",
                                         "MUJOCO_", "G_",     "GCOV_"};
  for (guint k = 0; k < G_N_ELEMENTS(stay); k++)
    if (!strcmp(name, stay[k])) return false;
  for (guint k = 0; k < G_N_ELEMENTS(families); k++)
    if (g_str_has_prefix(name, families[k])) return false;
  return true;
}

/* Another time, environment, locale, rand(), and memory at other places with other contents. */
static void go_elsewhere(void) {
  static const char *const added[] = {"SEED", "DEBUG", "LANG", "TZ", "USER", "HOSTNAME"};
  g_auto(GStrv) names = g_listenv();
  for (char **name = names; *name; name++)
    if (may_change(*name)) g_setenv(*name, "elsewhere", TRUE);
  for (guint k = 0; k < G_N_ELEMENTS(added); k++) g_setenv(added[k], "elsewhere", TRUE);
  if (!setlocale(LC_ALL, "de_DE.UTF-8")) setlocale(LC_ALL, "C.UTF-8");
  srand(4711), srand48(4711);
  mallopt(M_PERTURB, 0x5a);
  for (gsize size = 16; size < 1 << 20; size *= 2)
    memset(g_malloc(size), 0x5a, size); /* lost, so that what follows lies elsewhere */
  if (mmap(NULL, 0x123000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) abort();
}

/* The verdict's byte, then what the run left, or why it did not come so far. */
static void run(void *arg, GByteArray *out) {
  const Run *r = arg;
  uint8_t head = HN_LAW_KEPT;
  HnVerdict verdict = HN_LAW_BROKEN;
  g_autoptr(GString) why = g_string_new(NULL);
  if (r->elsewhere) go_elsewhere();
  HnSession *s = hn_check_session(r->cell, &verdict, why);
  if (s) {
    HnEpisodeStats stats;
    hn_episode_stats_make(&stats, s->rollouts.rows, s->shape.env_infos, &s->trial);
    g_autoptr(GPtrArray) states = hn_states_of(s, &stats);
    bool ok = true;
    if (r->start) {
      restore_states(states, r->start);
      s->update = 1, s->frames = hn_session_frames(s);
    }
    while (s->update < r->updates && ok) ok = hn_check_update(s, why);
    g_byte_array_append(out, &head, 1);
    if (ok) append_states(states, out);
    verdict = ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
    hn_episode_stats_free(&stats), hn_session_free(s);
  }
  if (verdict == HN_LAW_KEPT) return;
  head = (uint8_t)verdict;
  g_byte_array_set_size(out, 0);
  g_byte_array_append(out, &head, 1);
  g_byte_array_append(out, (const guint8 *)why->str, (guint)why->len);
}

/* What the run left, or NULL with the verdict. */
static GBytes *left_by(const Run *r, HnVerdict *verdict, GString *why) {
  Run copy = *r;
  gsize length = 0;
  GBytes *left = hn_apart_bytes(r->cell, run, &copy, why);
  const char *text = left ? g_bytes_get_data(left, &length) : NULL;
  *verdict = length ? (HnVerdict)*text : HN_LAW_BROKEN;
  if (*verdict == HN_LAW_KEPT) return left;
  if (length) g_string_append_len(why, text + 1, (gssize)length - 1);
  if (left) g_bytes_unref(left);
  return NULL;
}

/* Names the first thing that differs. */
static HnVerdict compare(GBytes *a, GBytes *b, const char *doing, GString *why) {
  Left x, y;
  for (gsize at = 1, other = 1; next_left(a, &at, &x) && next_left(b, &other, &y);) {
    if (x.used == y.used && x.bytes == y.bytes && !memcmp(x.data, y.data, (gsize)x.bytes)) continue;
    g_string_append_printf(why, "%s: %s differs after %d updates", doing, x.name, UPDATES);
    return HN_LAW_BROKEN;
  }
  return HN_LAW_KEPT;
}

/* Three updates, and again as `other` says. */
static HnVerdict judge_twice(const HnCell *cell, const Run *other, const char *doing,
                             GString *why) {
  HnVerdict verdict;
  const Run plain = {.cell = cell, .updates = UPDATES};
  g_autoptr(GBytes) a = left_by(&plain, &verdict, why);
  g_autoptr(GBytes) b = a ? left_by(other, &verdict, why) : NULL;
  return b ? compare(a, b, doing, why) : verdict;
}

bool hn_check_lets_time_pass = true;

HnVerdict hn_check_repeats(const HnCell *cell, GString *why) {
  const Run other = {.cell = cell, .updates = UPDATES, .elsewhere = true};
  const int64_t second = G_USEC_PER_SEC, tick = 20000; /* by which time() may lag */
  HnVerdict verdict;
  const Run plain = {.cell = cell, .updates = UPDATES};
  g_autoptr(GBytes) a = left_by(&plain, &verdict, why);
  if (a && hn_check_lets_time_pass) /* into the next second, whatever the first was in */
    g_usleep((gulong)(second - g_get_real_time() % second + tick));
  g_autoptr(GBytes) b = a ? left_by(&other, &verdict, why) : NULL;
  return b ? compare(a, b, "run again later, in another environment", why) : verdict;
}

enum { ROWS = 18 }; /* more than act in one block */

HnVerdict hn_check_workers(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  HnCell more = *cell;
  more.run.rows = MAX(more.run.rows, ROWS);
  const Run run_more = {.cell = &more, .updates = UPDATES};
  g_autoptr(GBytes) one = left_by(&run_more, &verdict, why);
  for (int workers = 2; one && workers <= 4 && verdict == HN_LAW_KEPT; workers += 2) {
    more.run.workers = workers;
    g_autofree char *doing = g_strdup_printf("with %d workers", workers);
    g_autoptr(GBytes) other = left_by(&run_more, &verdict, why);
    if (other) verdict = compare(one, other, doing, why);
  }
  return verdict;
}

HnVerdict hn_check_resumes(const HnCell *cell, GString *why) {
  HnVerdict verdict;
  const Run first = {.cell = cell, .updates = 1};
  g_autoptr(GBytes) middle = left_by(&first, &verdict, why);
  const Run other = {.cell = cell, .start = middle, .updates = UPDATES, .elsewhere = true};
  if (!middle) return verdict;
  return judge_twice(cell, &other, "saved and resumed in another process after one update", why);
}
