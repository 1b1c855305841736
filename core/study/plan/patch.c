/* patch.c - lays arms and command-line overrides over a base. */
#include "patch.h"
#include "param_path.h"
#include "study.h"
#include <string.h>

HnNode *hn_patch_map(const HnNode *base, const HnNode *over) {
  if (!base || !over) return hn_node_copy(base ? base : over);
  if (base->kind != HN_NODE_MAP || over->kind != HN_NODE_MAP) return hn_node_copy(over);
  HnNode *out = hn_node_copy(base);
  for (guint i = 0; i < over->keys->len; i++)
    hn_node_set(out, over->keys->pdata[i], hn_node_copy(over->items->pdata[i]));
  return out;
}

static bool other_plugin(const HnNode *base, const HnNode *over) {
  const HnNode *a = hn_node_get(base, "plugin"), *b = hn_node_get(over, "plugin");
  return a && b && g_strcmp0(a->text, b->text) != 0;
}

/* One block of a plugin over another: another plugin replaces, and so it does inside of `inner`. */
static HnNode *patch_part(const HnNode *base, const HnNode *over) {
  if (other_plugin(base, over)) return hn_node_copy(over);
  HnNode *out = hn_patch_map(base, over);
  const HnNode *a = hn_node_get(base, "inner"), *b = hn_node_get(over, "inner");
  if (a && b) hn_node_set(out, hn_node_key(over, "inner"), patch_part(a, b));
  return out;
}

HnNode *hn_patch_blocks(const HnNode *base, const HnNode *over) {
  const HnNode *place = base ? base : over;
  HnNode *out =
      hn_node_map(place ? place->file : NULL, place ? place->line : 0, place ? place->column : 0);
  for (const char *const *block = hn_cell_blocks; *block; block++) {
    const HnNode *a = hn_node_get(base, *block), *b = hn_node_get(over, *block);
    if (!a && !b) continue;
    const HnNode *key = hn_node_key(b ? over : base, *block);
    hn_node_set(out, key, patch_part(a, b));
  }
  return out;
}

/* ---- the command line ---- */

typedef struct Override {
  const char *place; /* "command line: run.frames=10" */
  char **path;       /* split at dots; names of arms, which may have dots, in one piece */
  const char *value;
} Override;

static void put(HnNode *map, const Override *o, guint from) {
  guint last = g_strv_length(o->path) - 1;
  for (guint i = from; i < last; i++) {
    HnNode *inner = hn_node_get(map, o->path[i]);
    g_autoptr(HnNode) key = hn_node_text(o->place, 0, 0, o->path[i]);
    if (!inner || inner->kind != HN_NODE_MAP) /* env.inner=x before env.inner.size=3 */
      hn_node_set(map, key, inner = hn_node_map(o->place, 0, 0));
    map = inner;
  }
  g_autoptr(HnNode) key = hn_node_text(o->place, 0, 0, o->path[last]);
  hn_node_set(map, key, hn_node_text(o->place, 0, 0, o->value));
}

/* "arms.ARM.BLOCK.KEY": the block and the key are the last two, but for `inner` between them. */
static char **split_arm(const char *path) {
  char **part = g_strsplit(path, ".", -1);
  const guint n = g_strv_length(part);
  guint block = n - MIN(n, 2);
  while (block > 2 && strcmp(part[block], "inner") == 0) block--;
  if (block <= 2) return part;
  GStrvBuilder *b = g_strv_builder_new();
  g_strv_builder_add(b, part[0]);
  char *after = part[block];
  part[block] = NULL;
  g_autofree char *arm = g_strjoinv(".", part + 1);
  part[block] = after;
  g_strv_builder_add(b, arm);
  for (; part[block]; block++) g_strv_builder_add(b, part[block]);
  char **out = g_strv_builder_end(b);
  g_strv_builder_unref(b), g_strfreev(part);
  return out;
}

/* How many `inner` stand between the block env, the `at`-th part, and the key. */
static guint inners(const Override *o, guint at) {
  guint n = 0;
  while (strcmp(o->path[at], "env") == 0 && strcmp(o->path[at + n + 1], "inner") == 0 &&
         o->path[at + n + 2])
    n++;
  return n;
}

static bool known(const Override *o, const char *what, const char *name, const char *const *valid,
                  HnDiag *d) {
  if (g_strv_contains(valid, name)) return true;
  g_autofree char *hint = hn_diag_hint(name, valid);
  hn_diag_add(d, o->place, 0, 0, "no %s '%s'%s", what, name, hint);
  return false;
}

/* The block, of an arm or of the whole study, that has such a key, or NULL. */
static const char *block_with(const HnNode *base, bool arm, const char *key) {
  const HnSchema own[] = {hn_seeds_schema(), hn_report_schema()};
  for (guint i = 0; !arm && i < G_N_ELEMENTS(own); i++)
    if (hn_schema_find(&own[i], key)) return own[i].what;
  return hn_param_block(base, key);
}

/* Whether a value is several, of a parameter that holds one: a grid, as other tools take it. */
static bool is_list(const HnNode *base, const char *path, const char *value) {
  if (!strchr(value, ',')) return false;
  const HnParam *p = hn_param_at(base, path);
  if (p) return p->kind != HN_TEXT && p->kind != HN_FILE;
  g_auto(GStrv) part = g_strsplit(value, ",", -1);
  for (char **one = part; *one; one++) {
    double number;
    g_autoptr(HnNode) n = hn_node_text(NULL, 0, 0, *one);
    if (hn_params_real(n, &number)) return false;
  }
  return true;
}

/* Refuses a list; path: "policy.lr". */
static bool refuses_list(const Override *o, const HnNode *base, const char *path, HnDiag *d) {
  if (!is_list(base, path, o->value)) return false;
  g_auto(GStrv) part = g_strsplit(o->value, ",", -1);
  g_autofree char *values = g_strjoinv(", ", part);
  hn_diag_add(d, o->place, 0, 0,
              "%s takes one value; for several write into the study 'sweep: {parameters: {%s: "
              "[%s]}}'",
              path, path, values);
  return true;
}

/* Where the block was left out: a finding with the one that has such a key. */
static bool suggests_block(const Override *o, const HnNode *base, bool arm, HnDiag *d) {
  const char *key = o->path[arm ? 2 : 0], *block = block_with(base, arm, key);
  if (!block) return false;
  g_autofree char *path = g_strconcat(block, ".", key, NULL);
  if (refuses_list(o, base, path, d)) return true;
  hn_diag_add(d, o->place, 0, 0, "no block '%s'; did you mean %s%s%s%s=%s?", key,
              arm ? "arms." : "", arm ? o->path[1] : "", arm ? "." : "", path, o->value);
  return true;
}

const char *const hn_override_heads[] = {"env",        "inference", "policy",      "run",
                                         "evaluation", "weights",   "arms",        "seeds",
                                         "report",     "name",      "description", NULL};

static void read_override(const Override *o, const HnNode *base, const char *const *arms,
                          HnOverrides *out, HnDiag *d) {
  guint n = g_strv_length(o->path);
  const char *head = o->path[0];
  bool text = strcmp(head, "name") == 0 || strcmp(head, "description") == 0;
  bool arm = strcmp(head, "arms") == 0;
  const bool blockless = arm ? n == 3 : n == 1 && !g_strv_contains(hn_override_heads, head);
  if (blockless && suggests_block(o, base, arm, d)) return;
  if (!known(o, "block", head, hn_override_heads, d)) return;
  const guint at = arm ? 2 : 0, deeper = n > at + 1 ? inners(o, at) : 0;
  if (n != (text ? 1U : arm ? 4U : 2U) + deeper) {
    hn_diag_add(d, o->place, 0, 0, "expected %s%s=value", head,
                text  ? ""
                : arm ? ".ARM.BLOCK.KEY"
                      : ".KEY");
    return;
  }
  if (arm &&
      (!known(o, "arm", o->path[1], arms, d) || !known(o, "block", o->path[2], hn_cell_blocks, d)))
    return;
  g_autofree char *path = g_strjoinv(".", o->path + at);
  if (g_strv_contains(hn_cell_blocks, o->path[at]) && refuses_list(o, base, path, d)) return;
  if (arm)
    put(out->arms, o, 1);
  else if (text || strcmp(head, "seeds") == 0 || strcmp(head, "report") == 0)
    put(out->top, o, 0);
  else
    put(out->all, o, 0);
}

/* The length of "arms.NAME." at the start of an override, where that is an arm; else 0.  Names of
 * swept arms hold '=' and dots. */
static gsize name_length(const char *text, const char *const *arms) {
  gsize longest = 0;
  if (!g_str_has_prefix(text, "arms.")) return 0;
  const char *name = text + strlen("arms.");
  for (; *arms; arms++) {
    const gsize n = strlen(*arms);
    if (strncmp(name, *arms, n) == 0 && name[n] == '.') longest = MAX(longest, n + 6);
  }
  return longest;
}

HnOverrides hn_overrides_read(const char *const *overrides, const HnNode *base,
                              const char *const *arms, HnDiag *d) {
  HnOverrides out = {hn_node_map("command line", 0, 0), hn_node_map("command line", 0, 0),
                     hn_node_map("command line", 0, 0)};
  for (; overrides && *overrides; overrides++) {
    g_autofree char *cut = hn_diag_cut(*overrides), *text = g_strdup(*overrides);
    g_autofree char *place = g_strconcat("command line: ", cut, NULL);
    if (!g_utf8_validate(text, -1, NULL)) {
      hn_diag_add(d, place, 0, 0, "not UTF-8");
      continue;
    }
    char *equals = strchr(text + name_length(text, arms), '=');
    if (!equals && strpbrk(text, ".:") && overrides[1] && !strchr(overrides[1], '=')) {
      /* run.frames 100 */
      g_autofree char *value = hn_diag_cut(*++overrides);
      hn_diag_add(d, place, 0, 0, "expected block.key=value; did you mean %.*s=%s?",
                  (int)strcspn(cut, ":"), cut, value);
      continue;
    }
    if (!equals || equals == text) {
      hn_diag_add(d, place, 0, 0, "expected block.key=value");
      continue;
    }
    *equals = 0;
    g_auto(GStrv) path =
        g_str_has_prefix(text, "arms.") ? split_arm(text) : g_strsplit(text, ".", -1);
    Override o = {place, path, equals + 1};
    read_override(&o, base, arms, &out, d);
  }
  return out;
}

void hn_overrides_clear(HnOverrides *o) {
  hn_node_free(o->top);
  hn_node_free(o->all);
  hn_node_free(o->arms);
}
