/* cell.c - a resolved configuration becomes typed parameters, and back. */
#include "cell.h"
#include "call_record.h"
#include <inttypes.h>
#include <string.h>

#define RUN_ROW(kind, name, role, ...)        HN_ROW_##kind(HnRunParams, name, __VA_ARGS__)
#define EVALUATION_ROW(kind, name, role, ...) HN_ROW_##kind(HnEvaluationParams, name, __VA_ARGS__)
#define WEIGHTS_ROW(kind, name, role, ...)    HN_ROW_##kind(HnWeightsParams, name, __VA_ARGS__)
static const HnParam run_params[] = {HN_RUN_PARAMS(RUN_ROW)};
static const HnParam evaluation_params[] = {HN_EVALUATION_PARAMS(EVALUATION_ROW)};
static const HnParam weights_params[] = {HN_WEIGHTS_PARAMS(WEIGHTS_ROW)};

const char *const hn_cell_blocks[] = {HN_CELL_BLOCKS(HN_BLOCK_NAME) NULL};

HnSchema hn_run_schema(void) {
  return (HnSchema){"run",           run_params,          G_N_ELEMENTS(run_params),
                    sizeof(HnParam), sizeof(HnRunParams), NULL};
}

HnSchema hn_evaluation_schema(void) {
  return (HnSchema){"evaluation",    evaluation_params,          G_N_ELEMENTS(evaluation_params),
                    sizeof(HnParam), sizeof(HnEvaluationParams), NULL};
}

HnSchema hn_weights_schema(void) {
  return (HnSchema){"weights",       weights_params,          G_N_ELEMENTS(weights_params),
                    sizeof(HnParam), sizeof(HnWeightsParams), NULL};
}

/* ---- reading ---- */

typedef struct Reader {
  HnNode *map;
  HnDiag *d;
  bool partial; /* hn_cell_check */
} Reader;

static void missing(const Reader *r, const HnNode *map, const char *what, const char *key) {
  if (!r->partial) hn_node_refuse(r->d, map, "%smissing key '%s'", what, key);
}

/* A plugin's path as a full one: from the folder of the file that names it. */
static char *located(const HnNode *name) {
  return strchr(name->text, '/') ? hn_node_path(name) : g_strdup(name->text);
}

static void read_inner(const Reader *r, const char *what, const HnNode *block, guint depth,
                       HnPluginChoice *part);

/* Reads the block `key` of a map; `within` is how messages name that map: "", "env: ". */
static void read_part(const Reader *r, const HnNode *map, const char *within, const char *key,
                      HnKind kind, guint depth, HnPluginChoice *part) {
  const HnNode *block = hn_node_get(map, key), *name = hn_node_get(block, "plugin");
  g_autofree char *what = g_strconcat(within, key, ": ", NULL);
  if (!block) missing(r, map, within, key);
  if (block && block->kind == HN_NODE_TEXT && *block->text) {
    g_autofree char *cut = hn_diag_cut(block->text);
    hn_node_refuse(r->d, block, "'%s: %s': expected a map; write '%s: {plugin: %s}'", key, cut, key,
                   cut);
    return;
  }
  if (!block || !hn_params_map(key, block, r->d)) return;
  if (!name) {
    missing(r, block, what, "plugin");
    return;
  }
  if (name->kind != HN_NODE_TEXT || !*name->text) {
    hn_node_refuse(r->d, name, "'plugin:': expected the name of an %s plugin", hn_kind_name(kind));
    return;
  }
  g_autoptr(GError) error = NULL;
  part->name = located(name);
  if (!g_utf8_validate(part->name, -1, NULL)) {
    hn_node_refuse(r->d, name, "%s'%s' is not UTF-8", what, part->name);
    return;
  }
  part->plugin = hn_plugins_load(part->name, kind, &error);
  if (!part->plugin) {
    if (!r->partial) hn_node_refuse(r->d, name, "%s", error->message);
    return;
  }
  HnSchema schema = hn_schema_of(part->plugin);
  part->params = g_malloc0(MAX(schema.size, 1));
  const bool inner = part->plugin->flags & HN_WRAPPER || hn_node_get(block, "inner");
  const char *const keys[] = {"plugin", kind == HN_KIND_ENV && inner ? "inner" : NULL, NULL};
  hn_params_fill(&schema, block, keys, part->params, r->d);
  if (kind == HN_KIND_ENV) read_inner(r, what, block, depth, part);
}

/* Whether a key of the block is near to `inner`, of which there is a finding. */
static bool is_misspelt(const HnNode *block) {
  static const char *const inner[] = {"inner", NULL};
  for (guint i = 0; i < block->keys->len; i++)
    if (hn_diag_nearest(((const HnNode *)block->keys->pdata[i])->text, inner)) return true;
  return false;
}

/* The environment that a wrapper holds; no other environment holds one. */
static void read_inner(const Reader *r, const char *what, const HnNode *block, guint depth,
                       HnPluginChoice *part) {
  const HnNode *key = hn_node_key(block, "inner");
  if (!(part->plugin->flags & HN_WRAPPER)) {
    if (key)
      hn_node_refuse(
          r->d, key,
          "env %s: unknown key 'inner': it is no wrapper, and holds no other environment",
          part->plugin->name);
  } else if (depth == HN_WRAPPERS_MAX) {
    hn_node_refuse(r->d, block, "env %s: at most %d wrappers can be around an environment",
                   part->plugin->name, HN_WRAPPERS_MAX);
  } else if (key || !is_misspelt(block)) {
    part->inner = g_new0(HnPluginChoice, 1);
    read_part(r, block, what, "inner", HN_KIND_ENV, depth + 1, part->inner);
  }
}

static char *read_text(const Reader *r, const char *key) {
  const HnNode *n = hn_node_get(r->map, key);
  if (!n)
    missing(r, r->map, "", key);
  else if (n->kind == HN_NODE_TEXT && *n->text)
    return g_strdup(n->text);
  else
    hn_node_refuse(r->d, n, "'%s:': expected text", key);
  return NULL;
}

/* Decimal digits only: all 64 bits must come back. */
static uint64_t read_u64(const Reader *r, const char *key, uint64_t high) {
  uint64_t value = 0;
  const HnNode *n = hn_node_get(r->map, key);
  if (!n)
    missing(r, r->map, "", key);
  else if (n->kind != HN_NODE_TEXT || n->quoted || (n->text[0] == '0' && n->text[1]) ||
           !g_ascii_string_to_unsigned(n->text, 10, 0, high, &value, NULL)) {
    g_autofree char *shown = hn_params_shown(key, n);
    hn_node_refuse(r->d, n, "'%s': expected an integer in [0, %" PRIu64 "]", shown, high);
  }
  return value;
}

static void read_keys(const Reader *r) {
  static const char *const known[] = {"study", "arm", "seed_index", "seed",
                                      HN_CELL_BLOCKS(HN_BLOCK_NAME) NULL};
  hn_params_check_keys(r->map, r->partial ? hn_cell_blocks : known, r->d);
}

/* An evaluated trial is so many episodes or so many steps. */
static void check_trials(const Reader *r, const HnEvaluationParams *p) {
  if (!p->trial_steps) return;
  const HnNode *map = hn_node_get(r->map, "evaluation"), *at = hn_node_get(map, "trial_steps");
  const HnNode *protocol = hn_node_get(map, "protocol");
  if (!(hn_protocol_rows[p->protocol].flags & HN_AS_IN_TRAINING) && protocol)
    hn_node_refuse(r->d, at, "'trial_steps:': evaluation.protocol %s counts episodes: use trial",
                   protocol->text);
  else if (p->episodes)
    hn_node_refuse(r->d, at,
                   "'trial_steps:': a trial has a number of episodes or of steps, and "
                   "evaluation.episodes is given too");
}

/* What says itself which episodes are sampled does not listen to `greedy`. */
static void check_greedy(const Reader *r, const HnEvaluationParams *p) {
  const HnNode *map = hn_node_get(r->map, "evaluation");
  const HnNode *at = map ? hn_node_get(map, "greedy") : NULL;
  const HnProtocolRow *row = &hn_protocol_rows[p->protocol];
  if (at && !p->greedy && !(row->flags & HN_AS_IN_TRAINING))
    hn_node_refuse(r->d, at,
                   "'greedy: false': evaluation.protocol %s says which episodes are sampled: %s; "
                   "use trial",
                   row->name, row->doc);
}

const char *hn_weights_word(const char *key) {
  return strcmp(key, "seed") == 0 ? "same" : strcmp(key, "at") == 0 ? "last" : NULL;
}

/* A number of at least 0, or the word for -1. */
static int64_t read_number_or_word(const Reader *r, const HnNode *block, const char *key,
                                   const char *text) {
  const char *word = hn_weights_word(key);
  int64_t value = -1;
  if (strcmp(text, word) == 0 || g_ascii_string_to_signed(text, 10, 0, INT64_MAX, &value, NULL))
    return value;
  const HnNode *n = hn_node_get(block, key);
  g_autofree char *shown = hn_params_shown(key, n);
  hn_node_refuse(r->d, n, "'%s': expected %s or an integer of at least 0", shown, word);
  return -1;
}

static void read_weights(const Reader *r, HnCell *cell) {
  const HnNode *block = hn_node_get(r->map, "weights");
  if (!block || (block->kind == HN_NODE_TEXT && strcmp(block->text, "none") == 0)) return;
  HnSchema schema = hn_weights_schema();
  HnWeightsParams *w = &cell->weights;
  hn_params_fill(&schema, block, NULL, w, r->d);
  if (block->kind != HN_NODE_MAP) return;
  cell->warm_start = true;
  cell->weights_seed = read_number_or_word(r, block, "seed", w->seed);
  cell->weights_at = read_number_or_word(r, block, "at", w->at);
  if (!*w->arm) missing(r, block, "weights: ", "arm");
}

static void read_blocks(const Reader *r, HnCell *cell) {
  HnSchema run = hn_run_schema(), evaluation = hn_evaluation_schema();
  read_keys(r);
  const struct {
    HnKind kind;
    HnPluginChoice *part;
  } all[] = {{HN_KIND_ENV, &cell->env},
             {HN_KIND_INFERENCE, &cell->inference},
             {HN_KIND_POLICY, &cell->policy}};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++)
    read_part(r, r->map, "", hn_kind_name(all[k].kind), all[k].kind, 0, all[k].part);
  hn_params_fill(&run, hn_node_get(r->map, "run"), NULL, &cell->run, r->d);
  hn_params_fill(&evaluation, hn_node_get(r->map, "evaluation"), NULL, &cell->evaluation, r->d);
  check_trials(r, &cell->evaluation), check_greedy(r, &cell->evaluation);
  read_weights(r, cell);
}

HnCell *hn_cell_read(HnNode *map, HnDiag *d) {
  Reader r = {.map = map, .d = d};
  guint before = hn_diag_count(d);
  if (!hn_params_map("configuration", map, d)) return NULL;
  HnCell *cell = g_new0(HnCell, 1);
  cell->study = read_text(&r, "study");
  cell->arm = read_text(&r, "arm");
  cell->seed_index = (int64_t)read_u64(&r, "seed_index", INT64_MAX);
  cell->seed = read_u64(&r, "seed", UINT64_MAX);
  read_blocks(&r, cell);
  /* a finding that was there before, as of a base, adds none */
  const bool whole =
      cell->study && cell->arm && cell->env.params && cell->inference.params && cell->policy.params;
  if (whole && hn_diag_count(d) == before) return cell;
  hn_cell_free(cell);
  return NULL;
}

static void clear_part(HnPluginChoice *part) {
  if (part->inner) clear_part(part->inner);
  g_free(part->params), g_free(part->name), g_free(part->inner);
}

static void clear(HnCell *cell) {
  clear_part(&cell->env), clear_part(&cell->inference), clear_part(&cell->policy);
  g_free(cell->study), g_free(cell->arm);
}

void hn_cell_check(HnNode *map, HnDiag *d) {
  Reader r = {.map = map, .d = d, .partial = true};
  HnCell cell = {.seed = 0};
  read_blocks(&r, &cell);
  clear(&cell);
}

void hn_cell_free(HnCell *cell) {
  if (!cell) return;
  clear(cell);
  g_free(cell);
}

/* ---- writing ---- */

static void set(HnNode *map, const char *key, HnNode *value) {
  HnNode *k = hn_node_text(map->file, 0, 0, key);
  hn_node_set(map, k, value);
  hn_node_free(k);
}

static void set_part(HnNode *map, const char *key, const HnPluginChoice *part) {
  HnSchema schema = hn_schema_of(part->plugin);
  HnNode *block = hn_node_map(map->file, 0, 0), *params = hn_params_node(&schema, part->params);
  hn_params_put_text(block, "plugin", part->name);
  for (guint i = 0; i < params->keys->len; i++)
    hn_node_set(block, params->keys->pdata[i], hn_node_copy(params->items->pdata[i]));
  hn_node_free(params);
  if (part->inner) set_part(block, "inner", part->inner);
  set(map, key, block);
}

HnNode *hn_cell_node(const HnCell *cell) {
  HnSchema run = hn_run_schema(), evaluation = hn_evaluation_schema(),
           weights = hn_weights_schema();
  HnNode *map = hn_node_map("resolved configuration", 0, 0);
  g_autofree char *index = g_strdup_printf("%" PRId64, cell->seed_index);
  g_autofree char *seed = g_strdup_printf("%" PRIu64, cell->seed);
  hn_params_put_text(map, "study", cell->study);
  hn_params_put_text(map, "arm", cell->arm);
  hn_node_put(map, "seed_index", index);
  hn_node_put(map, "seed", seed);
  set_part(map, "env", &cell->env);
  set_part(map, "inference", &cell->inference);
  set_part(map, "policy", &cell->policy);
  set(map, "run", hn_params_node(&run, &cell->run));
  set(map, "evaluation", hn_params_node(&evaluation, &cell->evaluation));
  if (cell->warm_start) set(map, "weights", hn_params_node(&weights, &cell->weights));
  return map;
}

/* ---- what makes cells differ ---- */

#define RUN_ROLE(kind, name, role, ...)        {"run." #name, HN_KEY_##role},
#define EVALUATION_ROLE(kind, name, role, ...) {"evaluation." #name, HN_KEY_##role},
#define WEIGHTS_ROLE(kind, name, role, ...)    {"weights." #name, HN_KEY_##role},
static const struct {
  const char *path;
  HnKeyRole role;
} key_roles[] = {HN_RUN_PARAMS(RUN_ROLE) HN_EVALUATION_PARAMS(EVALUATION_ROLE)
                     HN_WEIGHTS_PARAMS(WEIGHTS_ROLE){"seed", HN_KEY_SEED},
                 {"seed_index", HN_KEY_SEED}};

HnKeyRole hn_cell_key_role(const char *path) {
  for (guint i = 0; i < G_N_ELEMENTS(key_roles); i++)
    if (strcmp(key_roles[i].path, path) == 0) return key_roles[i].role;
  bool measured = g_str_has_prefix(path, "env") || g_str_has_prefix(path, "evaluation");
  return measured ? HN_KEY_MEASURE : HN_KEY_ARM;
}

static bool same_leaf(const HnNode *a, const HnNode *b) {
  if (!a || !b || a->kind != b->kind) return a == b;
  if (a->kind == HN_NODE_TEXT) return strcmp(a->text, b->text) == 0;
  g_autofree char *first = hn_node_write(a), *second = hn_node_write(b);
  return strcmp(first, second) == 0;
}

typedef struct Walk {
  int ignored;
  HnKeyDiffers *found;
  void *arg;
} Walk;

/* Whether a key names files of the same content, wherever they are. */
static bool same_file(const HnNode *a, const HnNode *b, const char *key) {
  g_autofree char *sha256 = g_strconcat(key, "_sha256", NULL);
  const HnNode *one = hn_node_get(a, sha256), *other = hn_node_get(b, sha256);
  return one && other && same_leaf(one, other);
}

static void walk(const Walk *w, const char *path, const HnNode *a, const HnNode *b) {
  if (!a || !b || a->kind != HN_NODE_MAP || b->kind != HN_NODE_MAP) {
    if (!same_leaf(a, b) && !(w->ignored & (int)hn_cell_key_role(path)))
      w->found(w->arg, path, a, b);
    return;
  }
  for (int side = 0; side < 2; side++) {
    const HnNode *keys = side ? b : a;
    for (guint i = 0; i < keys->keys->len; i++) {
      const char *key = ((const HnNode *)keys->keys->pdata[i])->text;
      if ((side && hn_node_get(a, key)) || same_file(a, b, key)) continue;
      g_autofree char *inner = *path ? g_strconcat(path, ".", key, NULL) : g_strdup(key);
      walk(w, inner, hn_node_get(a, key), hn_node_get(b, key));
    }
  }
}

void hn_cell_differences(const HnNode *a, const HnNode *b, int ignored, HnKeyDiffers *found,
                         void *arg) {
  walk(&(Walk){ignored, found, arg}, "", a, b);
}

static void add_path(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  (void)a, (void)b;
  if (strcmp(path, "arm") != 0) g_ptr_array_add(arg, g_strdup(path));
}

GPtrArray *hn_cell_differing_keys(const HnNode *a, const HnNode *b, int ignored) {
  GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
  hn_cell_differences(a, b, ignored, add_path, paths);
  return paths;
}

/* Keys that change no result, or only how long it goes on, count as one and the same, unless they
 * are empty. */
static void level_keys(HnNode *map) {
  for (guint i = 0; i < G_N_ELEMENTS(key_roles); i++) {
    if (!(key_roles[i].role & (HN_KEY_FREE | HN_KEY_LENGTH))) continue;
    g_auto(GStrv) part = g_strsplit(key_roles[i].path, ".", 2);
    HnNode *block = hn_node_get(map, part[0]), *value = hn_node_get(block, part[1]);
    if (value && *value->text) hn_node_put(block, part[1], "any");
  }
}

const HnPluginChoice *hn_cell_plugin(const HnCell *cell, HnKind kind) {
  switch (kind) {
  case HN_KIND_ENV:
    return &cell->env;
  case HN_KIND_INFERENCE:
    return &cell->inference;
  case HN_KIND_POLICY:
    return &cell->policy;
  default:
    return NULL;
  }
}

const HnPluginChoice *hn_cell_called(const HnCell *cell, int32_t call) {
  const HnPluginChoice *part = hn_cell_plugin(cell, hn_call_plugin_kind(call));
  for (guint depth = hn_call_depth(call); part && part->inner && depth > 0; depth--)
    part = part->inner;
  return part;
}

/* Names the plugins of a block instead of saying where they are, and says what is in their files;
 * of files that parameters name it is said already. */
static void identify(HnNode *block, const HnPluginChoice *part) {
  const HnSchema schema = hn_schema_of(part->plugin);
  for (guint i = 0; i < schema.count; i++) {
    const HnParam *p = hn_schema_at(&schema, i);
    if (p->kind == HN_FILE && *hn_node_get(block, p->name)->text)
      hn_node_put(block, p->name, "a file");
  }
  const char *sha256 = hn_plugins_sha256(part->plugin);
  hn_params_put_text(block, "plugin", part->plugin->name);
  hn_node_put(block, "plugin sha256", sha256 ? sha256 : "linked in");
  if (part->inner) identify(hn_node_get(block, "inner"), part->inner);
}

char *hn_cell_identity(const HnCell *cell) {
  const HnPluginChoice *parts[] = {&cell->env, &cell->inference, &cell->policy};
  HnNode *map = hn_cell_node(cell);
  level_keys(map);
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
    identify(hn_node_get(map, hn_kind_name(parts[i]->plugin->kind)), parts[i]);
  g_autofree char *text = hn_node_write(map);
  hn_node_free(map);
  return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

char *hn_cell_builds(const HnCell *cell) {
  GString *out = g_string_new(NULL);
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    for (const HnPluginChoice *p = hn_cell_plugin(cell, kind); p; p = p->inner) {
      const char *sha256 = hn_plugins_sha256(p->plugin);
      g_string_append_printf(out, "%s%s/%s/%s", out->len ? "," : "", hn_kind_name(kind),
                             p->plugin->name, sha256 ? sha256 : "linked in");
    }
  return g_string_free(out, FALSE);
}
