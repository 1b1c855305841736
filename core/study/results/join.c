/* join.c - see join.h. */
#include "join.h"
#include "comparable.h"
#include "error.h"
#include "short_text.h"
#include <string.h>

/* An arm of the whole: where it comes from and what it will be called. */
typedef struct Arm {
  HnResults *of;
  int64_t index;
  char *name, *full; /* "inferred", "noise/inferred" */
  bool kept;
} Arm;

static void arm_clear(gpointer p) {
  Arm *a = p;
  g_free(a->name), g_free(a->full);
}

/* The study's name, its folder's where another has that name. */
static const char *name_of(const GPtrArray *parts, const HnResults *r) {
  for (guint i = 0; i < parts->len; i++) {
    const HnResults *other = parts->pdata[i];
    if (other != r && g_str_equal(other->study, r->study)) return r->dir;
  }
  return r->study;
}

static GArray *list_arms(const GPtrArray *parts) {
  GArray *all = g_array_new(FALSE, TRUE, sizeof(Arm));
  g_array_set_clear_func(all, arm_clear);
  g_autoptr(GHashTable) count = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < parts->len; i++) {
    HnResults *r = parts->pdata[i];
    for (int64_t a = 0; a < r->arm_count; a++) {
      const char *name = r->arms[a];
      const guint seen = GPOINTER_TO_UINT(g_hash_table_lookup(count, name));
      g_hash_table_insert(count, (gpointer)(guintptr)name, GUINT_TO_POINTER(seen + 1));
      const Arm arm = {r, a, g_strdup(name), g_strjoin("/", name_of(parts, r), name, NULL), false};
      g_array_append_val(all, arm);
    }
  }
  for (guint i = 0; i < all->len; i++) {
    Arm *a = &g_array_index(all, Arm, i);
    if (GPOINTER_TO_UINT(g_hash_table_lookup(count, a->of->arms[a->index])) < 2) continue;
    g_free(a->name);
    a->name = g_strdup(a->full);
  }
  return all;
}

/* Marks what is asked for: a short name asks for the arms of all studies that have it. */
static bool choose(GArray *all, const char *const *names, GError **error) {
  if (names && !*names) return hn_error_set(error, HN_ERROR_MISSING, "no arm is asked for");
  for (guint i = 0; i < all->len; i++) g_array_index(all, Arm, i).kept = !names;
  for (const char *const *n = names; n && *n; n++) {
    bool found = false;
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (guint i = 0; i < all->len; i++) {
      Arm *a = &g_array_index(all, Arm, i);
      const bool here = g_str_equal(*n, a->full) || g_str_equal(*n, a->of->arms[a->index]);
      a->kept |= here, found |= here;
      g_ptr_array_add(known, a->name);
    }
    if (found) continue;
    g_ptr_array_add(known, NULL);
    g_autofree char *hint = hn_diag_hint(*n, (const char *const *)known->pdata);
    return hn_error_set(error, HN_ERROR_MISSING, "no arm '%s'%s", *n, hint);
  }
  return true;
}

/* What stands for a seed that another study has and this one was not to have. */
static HnResult *absent_cell(const HnResults *r, int64_t seed) {
  HnResult *c = g_new0(HnResult, 1);
  c->seed_index = seed, c->counts_at = -1;
  c->dir = g_strdup(""), c->status = g_strdup("missing");
  c->reason = g_strdup_printf("%s has %" G_GINT64_FORMAT " seed%s", r->study, r->seeds,
                              hn_plural(r->seeds));
  return c;
}

/* Moves the cells of an arm to the end of the whole's. */
static void move_cells(HnResults *whole, const Arm *arm, const char *name) {
  for (int64_t s = 0; s < whole->seeds; s++) {
    gpointer *from =
        s < arm->of->seeds ? &arm->of->cells->pdata[arm->index * arm->of->seeds + s] : NULL;
    HnResult *c = from ? g_steal_pointer(from) : absent_cell(arm->of, s);
    c->arm = name;
    g_ptr_array_add(whole->cells, c);
  }
}

static HnResults *gather(const GPtrArray *parts, const GArray *all) {
  const HnResults *first = parts->pdata[0];
  HnResults *r = g_new0(HnResults, 1);
  g_autoptr(GPtrArray) studies = g_ptr_array_new(), names = g_ptr_array_new();
  for (guint i = 0; i < parts->len; i++) {
    const HnResults *part = parts->pdata[i];
    g_ptr_array_add(studies, part->study);
    r->seeds = MAX(r->seeds, part->seeds);
  }
  for (guint i = 0; i < all->len; i++) {
    const Arm *a = &g_array_index(all, Arm, i);
    if (a->kept) g_ptr_array_add(names, g_strdup(a->name));
  }
  g_ptr_array_add(studies, NULL), g_ptr_array_add(names, NULL);
  r->study = g_strjoinv(" and ", (char **)studies->pdata);
  r->dir = g_strdup(first->dir), r->file = g_strdup(first->file);
  r->source = g_strdup(first->source), r->overrides = g_strdupv(first->overrides);
  r->root = first->root, r->report = first->report;
  r->arms = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
  r->cells = hn_result_list();
  for (guint i = 0; i < all->len; i++) {
    const Arm *a = &g_array_index(all, Arm, i);
    if (a->kept) move_cells(r, a, r->arms[r->arm_count++]);
  }
  return r;
}

/* The first study's baseline under its new name; the first arm where that was not kept. */
static const char *default_baseline(const HnResults *whole, const GPtrArray *parts,
                                    const GArray *all) {
  const HnResults *first = parts->pdata[0];
  for (guint i = 0; i < all->len; i++) {
    const Arm *a = &g_array_index(all, Arm, i);
    if (a->kept && a->of == first && g_str_equal(first->arms[a->index], first->report.baseline))
      return g_intern_string(a->name);
  }
  return g_intern_string(whole->arms[0]);
}

/* Arms of one study may differ in what they do, and the table says so; two studies may not. */
static bool agree(const HnResults *whole, const GArray *all, const char *baseline, GError **error) {
  const int64_t base = hn_results_arm(whole, baseline);
  const HnResults *home = NULL;
  if (base < 0) return true; /* hn_compare says so */
  for (guint i = 0; i < all->len; i++) {
    const Arm *a = &g_array_index(all, Arm, i);
    if (a->kept && g_str_equal(a->name, baseline)) home = a->of;
  }
  for (guint i = 0; i < all->len; i++) {
    const Arm *a = &g_array_index(all, Arm, i);
    if (!a->kept || a->of == home) continue;
    g_autofree char *key = hn_comparable_protocol(whole, hn_results_arm(whole, a->name), base);
    if (key)
      return hn_error_set(error, HN_ERROR_DIFFERS,
                          "these studies cannot be compared: %s and %s differ in %s", a->full,
                          baseline, key);
  }
  return true;
}

static bool distinct(const GArray *all, GError **error) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < all->len; i++)
    if (!g_hash_table_add(seen, g_array_index(all, Arm, i).full))
      return hn_error_set(error, HN_ERROR_DIFFERS, "%s is there twice",
                          g_array_index(all, Arm, i).of->dir);
  return true;
}

HnResults *hn_results_join(const GPtrArray *parts, const char *const *arms, const char *baseline,
                           GError **error) {
  g_autoptr(GArray) all = list_arms(parts);
  if (!distinct(all, error) || !choose(all, arms, error)) return NULL;
  g_autoptr(HnResults) r = gather(parts, all);
  r->report.baseline = default_baseline(r, parts, all);
  if (!agree(r, all, baseline ? baseline : r->report.baseline, error)) return NULL;
  return g_steal_pointer(&r);
}
