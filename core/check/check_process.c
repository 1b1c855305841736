/* check_process.c - see check_process.h. */
#include "check_process.h"
#include "apart.h"
#include "check_run.h"
#include "evaluate.h"
#include "process_state.h"
#include "validate.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- runs in which every call is watched ---- */

static HnPluginChoice *choice_of(HnCell *cell, HnKind kind) {
  return kind == HN_KIND_ENV         ? &cell->env
         : kind == HN_KIND_INFERENCE ? &cell->inference
                                     : &cell->policy;
}

/* The methods that a run does not call, or not always. */
static void call_others(HnSession *s, HnWatchFor what) {
  const HnInference *q = HN_INFERENCE(s);
  enum { WIDTH = 40, HEIGHT = 30 };
  HnStatus status;
  if (hn_env_can_render(s->env) &&
      what == HN_WATCH_MEMORY) { /* drawing may start a driver's threads */
    g_autofree uint8_t *rgb = g_malloc(WIDTH * HEIGHT * 3);
    status = hn_env_render(s->env, hn_env_row(s->env, &s->rollouts.env, 0), WIDTH, HEIGHT, rgb);
  }
  if (HN_CAN(q, map) && s->bs.map_width > 0) {
    g_autofree float *map = g_new(float, s->bs.map_width * s->bs.map_height);
    HN_CALL(status, INFERENCE_map,
            q->map(s->inference->self, hn_experience_at(&s->phase[0], HN_F_BELIEF, 0, 0), map));
  }
  const HnPolicy *p = HN_POLICY(s);
  if (HN_CAN(p, divergence)) { /* at the first time, between its beliefs and those of the next */
    const HnExperience *w = &s->phase[0];
    g_autofree float *kl = g_new(float, w->h.rows);
    HN_CALL(status, POLICY_divergence,
            p->divergence(s->policy->self, w->h.rows, hn_experience_at(w, HN_F_OBS, 0, 0),
                          hn_experience_at(w, HN_F_BELIEF, 0, 0),
                          hn_experience_at(w, HN_F_BELIEF, 1, 0), s->cell->run.samples, kl));
  }
  (void)status;
}

static bool run_watched(HnSession *s, HnWatchFor what, GString *why) {
  if (!hn_check_update(s, why) || !hn_check_update(s, why)) return false;
  call_others(s, what);
  HnEvaluation e;
  const HnStatus status = hn_evaluate(s, &s->pass[0], &e, NULL, NULL);
  if (status)
    g_string_append_printf(why, "evaluating: %s", hn_fail_text());
  else
    hn_evaluation_free(&e);
  return !status;
}

HnVerdict hn_check_watched(const HnCell *cell, HnKind kind, HnWatchFor what, GString *why) {
  HnCell twin = *cell;
  HnPluginChoice *choice = choice_of(&twin, kind);
  g_autoptr(GString) found = g_string_new(NULL);
  g_autofree char *refusal = hn_descriptor_refuse(choice->plugin, choice->plugin->name);
  if (refusal) {
    g_string_append(why, refusal);
    return HN_LAW_BROKEN;
  }
  choice->plugin = hn_watch(choice->plugin, what, found);
  HnVerdict verdict = HN_LAW_BROKEN;
  HnSession *s = hn_check_session(&twin, &verdict, why);
  if (s) verdict = run_watched(s, what, why) ? HN_LAW_KEPT : HN_LAW_BROKEN;
  if (s) hn_session_free(s);
  if (!found->len) return verdict;
  g_string_assign(why, found->str);
  return HN_LAW_BROKEN;
}

/* ---- loading ---- */

/* A copy of the file, which is loaded anew though the plugin is there already. */
static void *load_copy(const char *file, GString *why) {
  g_autofree char *bytes = NULL;
  gsize length;
  if (!g_file_get_contents(file, &bytes, &length, NULL)) return NULL;
  const int fd = memfd_create("hunch-copy", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
  void *handle = NULL;
  if (fd >= 0 && write(fd, bytes, length) == (ssize_t)length)
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) g_string_append_printf(why, "a copy cannot be loaded: %s", dlerror());
  if (fd >= 0) close(fd);
  return handle;
}

HnVerdict hn_check_loads(const HnCell *cell, HnKind kind, GString *why) {
  const char *file = hn_plugins_file(hn_cell_plugin(cell, kind)->plugin);
  if (!file) {
    g_string_append(why, "it is linked into the program");
    return HN_LAW_SKIPPED;
  }
  hn_process_state_begin();
  hn_process_state_reset(); /* the plugin has been loaded here before */
  const HnProcessState before = hn_process_state();
  if (!load_copy(file, why)) return HN_LAW_SKIPPED;
  const char *change = hn_process_state_change(&before);
  if (!change) return HN_LAW_KEPT;
  g_string_append_printf(why, "loading: %s", change);
  return HN_LAW_BROKEN;
}

/* ---- addresses ---- */

typedef struct Range {
  guint64 from, end;
} Range;

/* What is mapped; addresses that a plugin could hold. */
static GArray *mapped_ranges(void) {
  GArray *ranges = g_array_new(FALSE, FALSE, sizeof(Range));
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/self/maps", &text, NULL, NULL)) return ranges;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++) {
    Range r;
    if (sscanf(*line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", &r.from, &r.end) == 2)
      g_array_append_val(ranges, r);
  }
  return ranges;
}

static bool is_address(const GArray *ranges, guint64 x) {
  for (guint k = 0; k < ranges->len; k++) {
    const Range *r = &g_array_index(ranges, Range, k);
    if (x >= r->from && x < r->end) return true;
  }
  return false;
}

/* Whether the rows, of so many bytes each, that have something at one place have an address there;
 * one number alone could look like an address. */
static bool has_addresses(const GArray *ranges, const char *what, const char *data, gsize rows,
                          gsize bytes, GString *why) {
  for (gsize at = 0; at + 8 <= bytes; at += 8) {
    gsize found = 0, other = 0;
    for (gsize i = 0; i < rows; i++) {
      guint64 x;
      memcpy(&x, data + i * bytes + at, sizeof x);
      if (is_address(ranges, x))
        found++;
      else
        other += x != 0;
    }
    if (other || found < MIN(rows, 2) || !found) continue;
    g_string_append_printf(why,
                           "byte %d of %s is an address, which means nothing in another "
                           "process",
                           (int)at, what);
    return true;
  }
  return false;
}

static bool are_plain(const HnSession *s, HnKind kind, GString *why) {
  const HnRollouts *r = &s->rollouts;
  const bool env = kind == HN_KIND_ENV, inference = kind == HN_KIND_INFERENCE;
  const char *data = env         ? hn_env_state(s->env, &r->env, s->env)
                     : inference ? r->belief
                                 : r->policy;
  const gsize bytes = env         ? s->env->own.row_size
                      : inference ? s->shape.belief_row
                                  : s->shape.policy_row;
  const HnInstance *x = env ? s->env : inference ? s->inference : s->policy;
  g_autoptr(GArray) ranges = mapped_ranges();
  bool found = has_addresses(ranges, "a row's memory", data, (gsize)r->rows, bytes, why);
  for (guint k = 0; k < x->kept->len && !found; k++) {
    const HnArrayRecord *a = x->kept->pdata[k];
    g_autofree char *what = g_strdup_printf("kept array %s", a->array.name);
    if (a->array.type == HN_I64 || a->array.type == HN_U8)
      found = has_addresses(ranges, what, a->data, 1, MIN(hn_array_record_bytes(a), 4096), why);
  }
  return !found;
}

HnVerdict hn_check_plain(const HnCell *cell, HnKind kind, GString *why) {
#ifdef __SANITIZE_ADDRESS__
  g_string_append(why, "a sanitizer has memory nearly everywhere: all numbers look like addresses");
  return HN_LAW_SKIPPED;
#endif
  HnVerdict verdict = HN_LAW_BROKEN;
  HnSession *s = hn_check_session(cell, &verdict, why);
  if (!s) return verdict;
  const bool ok = hn_check_update(s, why) && are_plain(s, kind, why);
  hn_session_free(s);
  return ok ? HN_LAW_KEPT : HN_LAW_BROKEN;
}
