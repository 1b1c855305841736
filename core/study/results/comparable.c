/* comparable.c - see comparable.h. */
#include "comparable.h"
#include "error.h"
#include "json.h"

/* A text of nothing shows as such; g_free. */
static char *shown(const HnResult *c, const char *path, const HnNode *n) {
  return *n->text ? hn_result_shown(c, path, n) : g_strdup("''");
}

typedef struct Difference {
  const HnResult *a, *b;
  const GPtrArray *keys; /* char *: paths that may differ, or NULL */
  char *first;           /* "run.frames: 100 and 200", or NULL */
} Difference;

static void keep_first(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  Difference *d = arg;
  if (d->first) return;
  for (guint i = 0; d->keys && i < d->keys->len; i++)
    if (g_str_equal(d->keys->pdata[i], path)) return;
  if (!a || !b) {
    d->first = g_strdup_printf("%s: only in one", path);
  } else if (a->kind != HN_NODE_TEXT || b->kind != HN_NODE_TEXT) {
    d->first = g_strdup_printf("%s: of another kind", path);
  } else {
    g_autofree char *in_a = shown(d->a, path, a), *in_b = shown(d->b, path, b);
    d->first = g_strdup_printf("%s: %s and %s", path, in_a, in_b);
  }
}

/* The first key but those of a role in `ignored` in which two cells differ, or NULL. */
static char *difference(const HnResult *a, const HnResult *b, int ignored, const GPtrArray *keys) {
  Difference d = {.a = a, .b = b, .keys = keys};
  hn_cell_differences(a->config, b->config, ignored, keep_first, &d);
  return d.first;
}

static bool mixed(GError **error, const char *what, const HnResult *a, const char *in_a,
                  const HnResult *b, const char *in_b) {
  return hn_error_set(error, HN_ERROR_DIFFERS,
                      "these results cannot be compared: %s is %s in %s/%" G_GINT64_FORMAT
                      " and %s in %s/%" G_GINT64_FORMAT,
                      what, in_a ? in_a : "unknown", a->arm, a->seed_index, in_b ? in_b : "unknown",
                      b->arm, b->seed_index);
}

/* What some cell said first. */
typedef struct Said {
  const HnResult *cell;
  const char *value;
} Said;

static bool agrees(GHashTable *said, const char *what, const HnResult *c, const char *value,
                   GError **error) {
  const Said *first = g_hash_table_lookup(said, what);
  if (first)
    return !g_strcmp0(first->value, value) ||
           mixed(error, what, first->cell, first->value, c, value);
  const Said here = {c, value};
  g_hash_table_insert(said, g_strdup(what), g_memdup2(&here, sizeof here));
  return true;
}

/* The same hunch, the same simulator where cells loaded one, and the same file wherever cells name
 * the same plugin. */
static bool same_versions(GHashTable *said, const HnResult *c, GError **error) {
  g_auto(GStrv) plugins = hn_result_plugins(c);
  static const char *const facts[] = {"version", "sha256"};
  const char *sim = hn_result_simulator(c);
  bool ok = agrees(said, "the version of hunch", c, hn_result_fact(c, "hunch"), error) &&
            agrees(said, "the commit of hunch", c, hn_result_fact(c, "commit"), error) &&
            (!sim || agrees(said, "the simulator", c, sim, error));
  for (char **p = plugins; ok && *p; p++) {
    g_autofree char *named = g_strdup_printf("plugins.%s.name", *p);
    const char *name = hn_result_fact(c, named);
    for (guint f = 0; ok && name && f < G_N_ELEMENTS(facts); f++) {
      g_autofree char *path = g_strdup_printf("plugins.%s.%s", *p, facts[f]);
      g_autofree char *what = g_strdup_printf("the %s of plugin %s", facts[f], name);
      ok = agrees(said, what, c, hn_result_fact(c, path), error);
    }
  }
  return ok;
}

/* The seeds of an arm have one configuration. */
static bool same_configurations(const HnResults *r, GError **error) {
  for (int64_t arm = 0; arm < r->arm_count; arm++) {
    const HnResult *first = hn_results_first(r, arm);
    for (int64_t s = 0; first && s < r->seeds; s++) {
      const HnResult *c = hn_results_cell(r, arm, s);
      if (!hn_result_counts(c) || c == first) continue;
      g_autofree char *found = difference(first, c, HN_KEY_FREE | HN_KEY_SEED, NULL);
      if (!found) continue;
      return hn_error_set(
          error, HN_ERROR_DIFFERS,
          "these results cannot be compared: seeds %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
          " of arm %s differ in %s%s",
          first->seed_index, c->seed_index, r->arms[arm], found,
          g_str_has_prefix(found, "run.frames:") ? "; `hunch run` prolongs the shorter" : "");
    }
  }
  return true;
}

bool hn_comparable(const HnResults *r, GError **error) {
  if (!same_configurations(r, error)) return false;
  g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    if (hn_result_counts(c) && !same_versions(said, c, error)) return false;
  }
  return true;
}

char *hn_comparable_task(const HnResult *a, const HnResult *b, const GPtrArray *keys) {
  return difference(a, b, HN_KEY_FREE | HN_KEY_SEED | HN_KEY_ARM | HN_KEY_LENGTH, keys);
}

char *hn_comparable_protocol(const HnResults *r, int64_t arm, int64_t baseline) {
  const HnResult *a = hn_results_first(r, arm), *b = hn_results_first(r, baseline);
  if (!a || !b || arm == baseline) return NULL;
  return hn_comparable_task(a, b, NULL);
}
