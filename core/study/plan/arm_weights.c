/* arm_weights.c - see arm_weights.h. */
#include "arm_weights.h"
#include "warm_start.h"
#include <string.h>

typedef struct Linker {
  HnStudy *s;
  HnDiag *d;
} Linker;

/* Adds a finding at a key of the arm's weights block, or at the block itself if it lacks the key.
 */
G_GNUC_PRINTF(4, 5)
static void blame(const Linker *l, guint arm, const char *key, const char *format, ...) {
  const HnNode *block = l->s->weight_blocks->pdata[arm], *n = hn_node_get(block, key);
  va_list list;
  va_start(list, format);
  g_autofree char *text = g_strdup_vprintf(format, list);
  va_end(list);
  n = n ? n : block;
  hn_node_refuse(l->d, n, "weights: %s", text);
}

/* ---- another study's ---- */

/* The file of each seed, and its hash; the first seed's findings are enough. */
static void find_files(const Linker *l, guint arm) {
  for (int64_t seed = 0; seed < l->s->seeds.count; seed++) {
    HnCell *c = hn_study_cell(l->s, arm, seed);
    const char *key = "from";
    g_autoptr(GError) error = NULL;
    g_autofree char *path = hn_warm_start_find(c, c->weights.from, &key, &error);
    g_autofree char *sum = path ? hn_warm_start_sha256(path, &error) : NULL;
    if (!sum) {
      blame(l, arm, key, "%s", error->message);
      return;
    }
    if (*c->weights.sha256 && strcmp(c->weights.sha256, sum) != 0) {
      blame(l, arm, "sha256", "%s has another sha256: %s", path, sum);
      return;
    }
    g_autofree char *full = g_canonicalize_filename(c->weights.from, NULL);
    if (!g_utf8_validate(full, -1, NULL)) {
      blame(l, arm, key, "%s is not UTF-8", full);
      return;
    }
    c->weights.from = g_intern_string(full), c->weights.sha256 = g_intern_string(sum);
  }
}

/* ---- this study's ---- */

static int64_t arm_named(const HnStudy *s, const char *name) {
  guint i;
  return g_ptr_array_find_with_equal_func(s->arms, name, g_str_equal, &i) ? (int64_t)i : -1;
}

/* The arm that `arm` starts from, or -1: none, or not of this study. */
static int64_t before(const HnStudy *s, guint arm) {
  const HnCell *c = hn_study_cell(s, arm, 0);
  return c->warm_start && !*c->weights.from ? arm_named(s, c->weights.arm) : -1;
}

/* Whether the arms lead back to `arm`. */
static bool circular(const HnStudy *s, guint arm) {
  int64_t at = before(s, arm);
  for (guint steps = 0; at >= 0 && steps <= s->arms->len; steps++) {
    if (at == (int64_t)arm) return true;
    at = before(s, (guint)at);
  }
  return false;
}

/* Whether the source's cells will keep the checkpoint that is asked for. */
static bool will_be_there(const Linker *l, guint arm, const HnCell *c, const HnCell *source) {
  int64_t every = source->run.keep_every;
  if (c->weights_at < 0 || (every > 0 && c->weights_at % every == 0)) return true;
  blame(l, arm, "at",
        "arm %s will not keep update %" G_GINT64_FORMAT ": its run.keep_every is %" G_GINT64_FORMAT,
        source->arm, c->weights_at, every);
  return false;
}

static bool check_arm(const Linker *l, guint arm, int64_t from) {
  const HnStudy *s = l->s;
  const HnCell *c = hn_study_cell(s, arm, 0);
  if (from < 0) {
    g_autoptr(GPtrArray) names = g_ptr_array_copy(s->arms, NULL, NULL);
    g_ptr_array_set_free_func(names, NULL);
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = hn_diag_hint(c->weights.arm, (const char *const *)names->pdata);
    blame(l, arm, "arm", "this study has no arm '%s'%s", c->weights.arm, hint);
  } else if (circular(s, arm)) {
    blame(l, arm, "arm", "arm %s would start from itself", (char *)s->arms->pdata[arm]);
  } else if (c->weights_seed >= s->seeds.count) {
    blame(l, arm, "seed", "this study has seeds 0 to %" G_GINT64_FORMAT, s->seeds.count - 1);
  } else {
    return will_be_there(l, arm, c, hn_study_cell(s, from, 0));
  }
  return false;
}

/* Links an arm after its source, whose cells' identities become part of its own. */
static void link_arm(const Linker *l, guint arm) {
  int64_t from = before(l->s, arm);
  if (from < 0) return;
  link_arm(l, (guint)from);
  for (int64_t seed = 0; seed < l->s->seeds.count; seed++) {
    HnCell *c = hn_study_cell(l->s, arm, seed);
    int64_t index = c->weights_seed >= 0 ? c->weights_seed : seed;
    c->source = hn_study_cell(l->s, from, index);
    g_autofree char *identity = hn_cell_identity(c->source);
    c->weights.identity = g_intern_string(identity);
  }
}

void hn_arm_weights_link(HnStudy *s, HnDiag *d) {
  Linker l = {s, d};
  guint found = hn_diag_count(d);
  for (guint arm = 0; arm < s->arms->len; arm++) {
    const HnCell *c = hn_study_cell(s, arm, 0);
    if (!c->warm_start) continue;
    if (*c->weights.from)
      find_files(&l, arm);
    else
      check_arm(&l, arm, before(s, arm));
  }
  if (hn_diag_count(d) > found) return;
  for (guint arm = 0; arm < s->arms->len; arm++) link_arm(&l, arm);
}
