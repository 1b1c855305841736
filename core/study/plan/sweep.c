/* sweep.c - see sweep.h. */
#include "sweep.h"
#include "param_path.h"
#include "patch.h"
#include "study.h"
#include "sweep_settings.h"
#include <string.h>

typedef struct SweepParams {
  HN_SWEEP_PARAMS(HN_FIELD)
} SweepParams;
#define SWEEP_ROW(kind, ...) HN_ROW_##kind(SweepParams, __VA_ARGS__)
static const HnParam sweep_params[] = {HN_SWEEP_PARAMS(SWEEP_ROW)};
#define KEY_ROW(name, form, doc) {#name, form, doc},
const HnSweepKey hn_sweep_keys[] = {HN_SWEEP_KEYS(KEY_ROW){NULL, NULL, NULL}};

HnSchema hn_sweep_schema(void) {
  return (HnSchema){"sweep",         sweep_params,        G_N_ELEMENTS(sweep_params),
                    sizeof(HnParam), sizeof(SweepParams), NULL};
}

/* A sweep that is being read. */
typedef struct Reader {
  HnNode *study;
  const HnNode *key, *block; /* of `sweep` */
  const HnNode *base, *arms; /* maps, or NULL */
  SweepParams params;
  GPtrArray *swept;    /* const char *: names of arms, or the base's */
  GPtrArray *settings; /* of hn_sweep_settings_new */
  GPtrArray *names;    /* GPtrArray * of char *: for each swept arm those of its settings */
  HnSweep *sweep;
  HnDiag *d;
} Reader;

#define BASE "base"

static const HnNode *patch_of(const Reader *r, const char *arm) {
  return hn_node_get(r->arms, arm);
}

/* ---- what the block says ---- */

static void read_options(Reader *r) {
#define SWEEP_NAME(name, ...) #name,
  static const char *const more[] = {HN_SWEEP_KEYS(SWEEP_NAME) NULL};
  const HnSchema schema = hn_sweep_schema();
  hn_params_fill(&schema, r->block, more, &r->params, r->d);
  const HnNode *draws = hn_node_key(r->block, "draws");
  if (draws && r->params.method < HN_SWEEP_RANDOM)
    hn_node_refuse(r->d, draws, "'draws' goes with 'method: random' or 'method: sobol'");
}

/* An arm that the list names; false with a finding. */
static bool add_named(Reader *r, const HnNode *n, const char *const *names) {
  if (n->kind != HN_NODE_TEXT) {
    hn_node_refuse(r->d, n, "'arms': expected names of arms");
  } else if (!hn_node_get(r->arms, n->text)) {
    g_autofree char *hint = hn_diag_hint(n->text, names), *cut = hn_diag_cut(n->text);
    hn_node_refuse(r->d, n, "'arms': no arm '%s'%s", cut, hint);
  } else if (g_ptr_array_find_with_equal_func(r->swept, n->text, g_str_equal, NULL)) {
    hn_node_refuse(r->d, n, "'arms': %s is there twice", n->text);
  } else {
    g_ptr_array_add(r->swept, n->text);
    return true;
  }
  return false;
}

static void read_swept(Reader *r) {
  const HnNode *list = hn_node_get(r->block, "arms");
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; r->arms && i < r->arms->keys->len; i++)
    g_ptr_array_add(names, ((HnNode *)r->arms->keys->pdata[i])->text);
  if (list && list->kind != HN_NODE_LIST) {
    hn_node_refuse(r->d, list, "'arms': expected a list of names: [..]");
  } else if (list) {
    g_ptr_array_add(names, NULL);
    for (guint i = 0; i < list->items->len; i++)
      add_named(r, list->items->pdata[i], (const char *const *)names->pdata);
    if (list->items->len == 0) hn_node_refuse(r->d, list, "'arms': expected at least one name");
  } else if (names->len > 0) {
    for (guint i = 0; i < names->len; i++) g_ptr_array_add(r->swept, names->pdata[i]);
  } else {
    g_ptr_array_add(r->swept, (gpointer)(guintptr)BASE);
  }
}

/* The row of a parameter in the first of the swept arms that has it, or NULL. */
static const HnParam *row_of(const Reader *r, const char *path) {
  const HnParam *found = NULL;
  for (guint i = 0; !found && i < r->swept->len; i++) {
    g_autoptr(HnNode) blocks = hn_patch_blocks(r->base, patch_of(r, r->swept->pdata[i]));
    found = hn_param_at(blocks, path);
  }
  return found;
}

/* Whether a key is the path of a parameter; else a finding, with the path that it lacks. */
static bool is_path(const Reader *r, const HnNode *key) {
  g_auto(GStrv) part = g_strsplit(key->text, ".", -1);
  const guint n = g_strv_length(part);
  g_autofree char *cut = hn_diag_cut(key->text);
  bool whole = n >= 2;
  for (guint i = 0; i < n; i++) whole &= *part[i] != 0;
  for (guint i = 1; i + 1 < n; i++) whole &= !strcmp(part[0], "env") && !strcmp(part[i], "inner");
  if (whole && g_strv_contains(hn_cell_blocks, part[0])) return true;
  const char *block = n == 1 ? hn_param_block(r->base, key->text) : NULL;
  g_autofree char *hint = block   ? g_strdup_printf("; did you mean %s.%s?", block, cut)
                          : whole ? hn_diag_hint(part[0], hn_cell_blocks)
                                  : g_strdup(", as in policy.lr");
  hn_node_refuse(r->d, key, "'%s': expected BLOCK.KEY%s", cut, hint);
  return false;
}

/* The values of each parameter, an array of HnSweepValues. */
static bool read_values(Reader *r, GArray *values) {
  const HnNode *map = hn_node_get(r->block, "parameters");
  if (!map) {
    hn_node_refuse(r->d, r->block,
                   "sweep: missing key 'parameters': {policy.lr: [1e-4, 1e-3]}, for example");
    return false;
  }
  if (!hn_params_map("parameters", map, r->d)) return false;
  if (map->keys->len == 0) hn_node_refuse(r->d, map, "'parameters': expected at least one");
  bool ok = map->keys->len > 0;
  for (guint i = 0; i < map->keys->len; i++) {
    HnNode *key = map->keys->pdata[i];
    HnSweepValues v = {0};
    const bool right = is_path(r, key) && hn_sweep_values_read(key->text, map->items->pdata[i],
                                                               row_of(r, key->text), &v, r->d);
    g_array_append_val(values, v);
    if (right) g_ptr_array_add(r->sweep->parameters, hn_node_copy(key));
    ok &= right;
  }
  return ok;
}

/* A finding for each swept parameter that a swept arm sets itself: the arm's value would be lost.
 */
static void check_own(const Reader *r) {
  for (guint i = 0; i < r->swept->len; i++) {
    const char *arm = r->swept->pdata[i];
    for (guint k = 0; k < r->sweep->parameters->len; k++) {
      const HnNode *path = r->sweep->parameters->pdata[k];
      const HnNode *own = hn_node_at(patch_of(r, arm), path->text);
      if (own)
        hn_node_refuse(r->d, own,
                       "arm %s: %s is swept, in %s:%d:%d, so this value would be lost: remove it, "
                       "or list under the sweep's 'arms' those without it",
                       arm, path->text, path->file, path->line, path->column);
    }
  }
}

/* ---- names ---- */

/* How a parameter is called in names: its last word, or all of its path where that is not enough.
 */
static const char *short_name(const HnSweep *s, guint i) {
  const char *path = ((const HnNode *)s->parameters->pdata[i])->text, *last = strrchr(path, '.');
  for (guint k = 0; k < s->parameters->len; k++) {
    const char *other = ((const HnNode *)s->parameters->pdata[k])->text;
    if (k != i && g_str_equal(strrchr(other, '.'), last)) return path;
  }
  return last + 1;
}

/* "lr=1e-3_noise=fixed", of what names can have: of a path its last part, else '-' for the rest. */
static char *name_of(const HnSweep *s, const GPtrArray *setting) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < s->parameters->len; i++) {
    const char *text = ((const HnNode *)setting->pdata[i])->text;
    g_autofree char *value = strchr(text, '/') ? g_path_get_basename(text) : g_strdup(text);
    for (char *c = value; *c; c++)
      if (!g_ascii_isalnum(*c) && !strchr("._-", *c)) *c = '-';
    g_string_append_printf(out, "%s%s=%s", i ? "_" : "", short_name(s, i), value);
  }
  return g_string_free(out, FALSE);
}

/* The names of a swept arm's settings: by their values, by their numbers where that is too long. */
static GPtrArray *names_of(const Reader *r, const char *arm, GHashTable *taken) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  const char *prefix = r->arms ? arm : "", *joint = r->arms ? "_" : "";
  gsize longest = 0;
  for (guint k = 0; k < r->settings->len; k++) {
    g_autofree char *values = name_of(r->sweep, r->settings->pdata[k]);
    g_ptr_array_add(names, g_strconcat(prefix, joint, values, NULL));
    longest = MAX(longest, strlen(names->pdata[k]));
  }
  for (guint k = 0; k < names->len; k++) {
    char *name = names->pdata[k];
    if (longest > HN_NAME_MAX || g_hash_table_contains(taken, name)) {
      g_free(name);
      name = g_strdup_printf("%s%ssetting=%u", prefix, joint, k + 1);
    }
    names->pdata[k] = name;
    g_hash_table_add(taken, g_strdup(name));
  }
  return names;
}

static void name_arms(Reader *r) {
  g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; r->arms && i < r->arms->keys->len; i++)
    g_hash_table_add(taken, g_strdup(((HnNode *)r->arms->keys->pdata[i])->text));
  for (guint i = 0; i < r->swept->len; i++)
    g_ptr_array_add(r->names, names_of(r, r->swept->pdata[i], taken));
}

/* ---- arms ---- */

/* Sets the value at a path of a map, whose blocks on the way are made where they are missing; what
 * is no block stays, as it is refused elsewhere. */
static void put(HnNode *map, const HnNode *path, const HnNode *value) {
  g_auto(GStrv) part = g_strsplit(path->text, ".", -1);
  for (char **p = part; *p; p++) {
    g_autoptr(HnNode) key = hn_node_text(path->file, path->line, path->column, *p);
    if (map->kind != HN_NODE_MAP) return;
    if (!p[1])
      hn_node_set(map, key, hn_node_copy(value));
    else if (!hn_node_get(map, *p))
      hn_node_set(map, key, hn_node_map(path->file, path->line, path->column));
    map = hn_node_get(map, *p);
  }
}

/* Has weights of a swept arm come from that of the same setting. */
static void follow_weights(const Reader *r, HnNode *patch, guint setting) {
  g_autoptr(HnNode) both = hn_patch_blocks(r->base, patch);
  const HnNode *weights = hn_node_get(both, "weights"), *arm = hn_node_get(weights, "arm");
  guint from;
  if (!arm || arm->kind != HN_NODE_TEXT || hn_node_get(weights, "from") ||
      !g_ptr_array_find_with_equal_func(r->swept, arm->text, g_str_equal, &from))
    return;
  const GPtrArray *names = r->names->pdata[from];
  g_autoptr(HnNode) path = hn_node_text(arm->file, arm->line, arm->column, "weights.arm");
  g_autoptr(HnNode) name = hn_node_text(arm->file, arm->line, arm->column, names->pdata[setting]);
  put(patch, path, name);
}

static void append(HnNode *arms, HnNode *key, HnNode *patch) {
  g_ptr_array_add(arms->keys, key), g_ptr_array_add(arms->items, patch);
}

static void append_settings(const Reader *r, HnNode *arms, guint swept) {
  const char *arm = r->swept->pdata[swept];
  const HnNode *patch = patch_of(r, arm), *at = r->key;
  const GPtrArray *names = r->names->pdata[swept];
  for (guint k = 0; k < r->settings->len; k++) {
    const GPtrArray *setting = r->settings->pdata[k];
    HnNode *out = patch ? hn_node_copy(patch) : hn_node_map(at->file, at->line, at->column);
    for (guint i = 0; i < setting->len; i++)
      put(out, r->sweep->parameters->pdata[i], setting->pdata[i]);
    if (out->kind == HN_NODE_MAP) follow_weights(r, out, k);
    append(arms, hn_node_text(at->file, at->line, at->column, names->pdata[k]), out);
    g_hash_table_insert(r->sweep->origins, g_strdup(names->pdata[k]), g_strdup(arm));
  }
}

static void replace_arms(const Reader *r) {
  const HnNode *place = r->arms ? r->arms : r->block;
  HnNode *arms = hn_node_map(place->file, place->line, place->column);
  g_autoptr(HnNode) key = hn_node_text(place->file, place->line, place->column, "arms");
  if (!r->arms) append_settings(r, arms, 0);
  for (guint i = 0; r->arms && i < r->arms->keys->len; i++) {
    const HnNode *name = r->arms->keys->pdata[i];
    guint at;
    if (g_ptr_array_find_with_equal_func(r->swept, name->text, g_str_equal, &at))
      append_settings(r, arms, at);
    else
      append(arms, hn_node_copy(name), hn_node_copy(r->arms->items->pdata[i]));
  }
  hn_node_set(r->study, key, arms);
}

/* Whether the settings of all swept arms fit into a study, with those that are not swept. */
static bool fits(const Reader *r, uint64_t settings) {
  const uint64_t others = (r->arms ? r->arms->keys->len : 1) - r->swept->len;
  if (settings <= HN_ARMS_MAX && settings * r->swept->len + others <= HN_ARMS_MAX) return true;
  hn_node_refuse(
      r->d, r->key, "sweep: %" G_GUINT64_FORMAT "%s settings of %u arms make more than %d arms",
      MIN(settings, 1000000), settings > 1000000 ? " or more" : "", r->swept->len, HN_ARMS_MAX);
  return false;
}

static bool expand(Reader *r, int64_t root) {
  g_autoptr(GArray) values = g_array_new(FALSE, TRUE, sizeof(HnSweepValues));
  g_array_set_clear_func(values, (GDestroyNotify)hn_sweep_values_clear);
  const guint before = hn_diag_count(r->d);
  read_options(r);
  const HnNode *halving = hn_node_get(r->block, "halving");
  if (halving) r->sweep->halving = hn_halving_read(halving, r->d);
  if (hn_diag_count(r->d) > before) return false;
  read_swept(r);
  if (read_values(r, values)) check_own(r);
  if (hn_diag_count(r->d) > before) return false;
  const HnSweepSource source = {r->params.method, r->params.draws, root, r->sweep->parameters,
                                (const HnSweepValues *)(void *)values->data};
  if (!hn_sweep_settings_check(&source, r->block, r->d) ||
      !fits(r, hn_sweep_settings_count(&source)))
    return false;
  r->settings = hn_sweep_settings_new(&source, r->block, r->d);
  if (!r->settings) return false;
  name_arms(r);
  replace_arms(r);
  return true;
}

HnSweep *hn_sweep_expand(HnNode *study, int64_t root, HnDiag *d) {
  const HnNode *base = hn_node_get(study, "base"), *arms = hn_node_get(study, "arms");
  Reader r = {.study = study,
              .key = hn_node_key(study, "sweep"),
              .block = hn_node_get(study, "sweep"),
              .d = d};
  if (!hn_params_map("sweep", r.block, d)) return NULL;
  if (base && base->kind == HN_NODE_MAP) r.base = base;
  if (arms && arms->kind == HN_NODE_MAP && arms->keys->len > 0) r.arms = arms;
  r.swept = g_ptr_array_new();
  r.names = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
  r.sweep = g_new0(HnSweep, 1);
  r.sweep->parameters = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
  r.sweep->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (!expand(&r, root)) g_clear_pointer(&r.sweep, hn_sweep_free);
  if (r.settings) g_ptr_array_unref(r.settings);
  g_ptr_array_unref(r.swept), g_ptr_array_unref(r.names);
  return r.sweep;
}

void hn_sweep_free(HnSweep *s) {
  if (!s) return;
  g_ptr_array_unref(s->parameters), g_hash_table_unref(s->origins);
  hn_halving_free(s->halving);
  g_free(s);
}

/* ---- overrides ---- */

/* The rungs of a search are its frames; an arm that is not swept may still be kept from training.
 */
static void check_frames(const HnHalving *h, const HnNode *blocks, bool swept, HnDiag *d) {
  const HnNode *frames = hn_node_at(blocks, "run.frames"), *at = h->at_rungs;
  int64_t number;
  if (!frames || (!swept && !hn_params_int(frames, &number) && number == 0)) return;
  hn_node_refuse(d, frames, "run.frames is what halving's 'at' says: change it in %s:%d:%d",
                 at->file, at->line, at->column);
}

void hn_sweep_check_overrides(const HnSweep *s, const HnNode *blocks, bool swept, HnDiag *d) {
  if (s->halving) check_frames(s->halving, blocks, swept, d);
  if (!swept) return;
  for (guint i = 0; i < s->parameters->len; i++) {
    const HnNode *path = s->parameters->pdata[i];
    g_auto(GStrv) part = g_strsplit(path->text, ".", 2);
    g_autofree char *plugin = g_strconcat(part[0], ".plugin", NULL);
    const HnNode *over = hn_node_at(blocks, path->text);
    if (!over) over = hn_node_at(blocks, plugin);
    if (over)
      hn_node_refuse(d, over, "%s is swept: change it in %s:%d:%d", path->text, path->file,
                     path->line, path->column);
  }
}
