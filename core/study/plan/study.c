/* study.c - see study.h. */
#include "study.h"
#include "arm_weights.h"
#include "include.h"
#include "patch.h"
#include "run_dir.h"
#include "short_text.h"
#include <string.h>

enum { MAX_CELLS = 100000, ENOUGH = 100, MAX_DRAWS = 100000000 };

#define SEEDS_ROW(kind, ...)  HN_ROW_##kind(HnSeedsParams, __VA_ARGS__)
#define REPORT_ROW(kind, ...) HN_ROW_##kind(HnReportParams, __VA_ARGS__)
static const HnParam seeds_params[] = {HN_SEEDS_PARAMS(SEEDS_ROW)};
static const HnParam report_params[] = {HN_REPORT_PARAMS(REPORT_ROW)};

HnSchema hn_seeds_schema(void) {
  return (HnSchema){"seeds",         seeds_params,          G_N_ELEMENTS(seeds_params),
                    sizeof(HnParam), sizeof(HnSeedsParams), NULL};
}

HnSchema hn_report_schema(void) {
  return (HnSchema){"report",        report_params,          G_N_ELEMENTS(report_params),
                    sizeof(HnParam), sizeof(HnReportParams), NULL};
}

const HnBlock hn_blocks[] = {HN_CELL_BLOCKS(HN_BLOCK_ROW) HN_STUDY_KEYS(HN_BLOCK_ROW){NULL}};

const HnBlock *hn_block_find(const char *name) {
  const HnBlock *b = hn_blocks;
  while (b->name && strcmp(b->name, name) != 0) b++;
  return b->name ? b : NULL;
}

uint64_t hn_study_seed(int64_t root, int64_t i) {
  uint64_t z = (uint64_t)root + ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* ---- reading ---- */

typedef struct Reader {
  HnNode *root;
  const HnNode *base, *arms; /* maps, or NULL */
  HnOverrides over;
  HnStudy *study;
  bool partial; /* what is included, or arms of a sweep, is missing: what follows is not judged */
  HnDiag *d;
} Reader;

static void add_at(HnDiag *d, const HnNode *n, const char *text) {
  hn_node_refuse(d, n, "%s", text);
}

static void read_keys(const Reader *r) {
  static const char *const valid[] = {HN_STUDY_KEYS(HN_BLOCK_NAME) NULL};
  hn_params_check_keys(r->root, valid, r->d);
}

static void read_version(const Reader *r) {
  int64_t version = 0;
  const HnNode *n = hn_node_get(r->root, "hunch");
  if (!n) {
    add_at(r->d, r->root, "missing key 'hunch': a study begins with 'hunch: 1'");
    return;
  }
  g_autofree char *shown = hn_params_shown("hunch", n);
  const char *why = hn_params_int(n, &version);
  if (why || version != 1)
    hn_node_refuse(r->d, n, "'%s': expected 1, the format this hunch reads", shown);
}

/* Whether a text can name a folder, by that pattern. */
static bool is_name(const char *text, const char *pattern) {
  return g_regex_match_simple(pattern, text, G_REGEX_DOLLAR_ENDONLY, 0);
}

#define NAME_RULE "at most 100 letters, digits, '.', '_' or '-', not beginning with '.'"
#define ARM_RULE  "at most 100 letters, digits, '.', '_', '-' or '=', not beginning with '.' or '='"

/* A text of the top level, from the command line if it is there, else from the file; NULL: absent
 * or refused. */
static const HnNode *read_text(const Reader *r, const char *key) {
  const HnNode *n = hn_node_get(r->over.top, key);
  if (!n) n = hn_node_get(r->root, key);
  if (!n || n->kind == HN_NODE_TEXT) return n;
  hn_node_refuse(r->d, n, "'%s:': expected text", key);
  return NULL;
}

static char *read_name(const Reader *r) {
  const HnNode *n = read_text(r, "name");
  if (n) {
    g_autofree char *shown = hn_params_shown("name", n);
    if (!is_name(n->text, HN_NAME_PATTERN))
      hn_node_refuse(r->d, n, "'%s': expected " NAME_RULE, shown);
    return g_strdup(n->text);
  }
  char *stem = g_path_get_basename(r->study->file);
  if (g_str_has_suffix(stem, ".yaml"))
    stem[strlen(stem) - 5] = 0;
  else if (g_str_has_suffix(stem, ".yml"))
    stem[strlen(stem) - 4] = 0;
  if (!is_name(stem, HN_NAME_PATTERN))
    add_at(r->d, r->root, "the file's name cannot name the study: set 'name' to " NAME_RULE);
  return stem;
}

/* Fills a table from a block of the top level, twice: the file must be right by itself. */
static void read_table(const Reader *r, const HnSchema *schema, void *out) {
  const HnNode *file = hn_node_get(r->root, schema->what);
  const HnNode *line = hn_node_get(r->over.top, schema->what);
  hn_params_fill(schema, file, NULL, out, r->d);
  if (!line || (file && file->kind != HN_NODE_MAP)) return;
  g_autoptr(HnNode) both = hn_patch_map(file, line);
  hn_params_fill(schema, both, NULL, out, r->d);
}

static void add_arm(HnStudy *s, HnNode *key) {
  g_ptr_array_add(s->arms, g_strdup(key->text));
  g_ptr_array_add(s->arm_keys, key);
}

const char *const hn_names_taken[] = {
    HN_STUDY_PLAN, HN_STUDY_SOURCE, HN_STUDY_SEARCH, HN_STUDY_SLURM, "report", "report.html", NULL};

static bool is_taken(const char *name) {
  for (const char *const *taken = hn_names_taken; *taken; taken++)
    if (g_ascii_strcasecmp(name, *taken) == 0) return true;
  return hn_run_is_leftover(name);
}

static void read_include(Reader *r) {
  const guint before = hn_diag_count(r->d);
  HnStudy *s = r->study;
  if (hn_include_base(r->root, r->d)) {
    char *whole = hn_include_flatten(s->source, r->root);
    g_free(s->source);
    s->source = whole;
  }
  r->partial = hn_diag_count(r->d) > before;
}

/* Makes arms of the sweep.  What is drawn comes from the root that the file says. */
static void read_sweep(Reader *r) {
  const HnSchema schema = hn_seeds_schema();
  HnSeedsParams seeds;
  g_autoptr(HnDiag) later = hn_diag_new(); /* read_table finds what is wrong with seeds */
  if (r->partial || !hn_node_get(r->root, "sweep")) return;
  hn_params_fill(&schema, hn_node_get(r->root, "seeds"), NULL, &seeds, later);
  r->study->sweep = hn_sweep_expand(r->root, seeds.root, r->d);
  r->partial = !r->study->sweep;
}

/* A search has seeds of its own, and may have a metric of its own. */
static void read_halving(const Reader *r) {
  HnStudy *s = r->study;
  const HnHalving *h = s->sweep ? s->sweep->halving : NULL;
  if (!h) return;
  if (h->root == s->seeds.root)
    add_at(r->d, h->at_root,
           "a search needs a root of its own: this is seeds.root, whose seeds are for the study of "
           "what it finds");
  s->seeds.root = h->root;
  if (!*h->metric) return;
  hn_node_free(s->metric);
  s->metric = hn_node_copy(h->at_metric);
  s->report.metric = g_intern_string(h->metric);
}

/* What the command line says of swept parameters would make names of arms untrue; what it says of
 * a search's frames would be lost. */
static void check_overrides(const Reader *r) {
  const HnSweep *sweep = r->study->sweep;
  if (!sweep) return;
  hn_sweep_check_overrides(sweep, r->over.all, true, r->d);
  for (guint i = 0; i < r->over.arms->keys->len; i++) {
    const HnNode *arm = r->over.arms->keys->pdata[i];
    hn_sweep_check_overrides(sweep, r->over.arms->items->pdata[i],
                             g_hash_table_contains(sweep->origins, arm->text), r->d);
  }
}

static void read_arms(Reader *r) {
  const HnNode *arms = hn_node_get(r->root, "arms");
  r->study->arms = g_ptr_array_new_with_free_func(g_free);
  if (arms && hn_params_map("arms", arms, r->d)) r->arms = arms;
  for (guint i = 0; r->arms && i < arms->keys->len; i++) {
    const HnNode *name = arms->keys->pdata[i];
    HnNode *patch = arms->items->pdata[i];
    g_autofree char *cut = hn_diag_cut(name->text), *what = g_strconcat("arm ", cut, NULL);
    if (i == HN_ARMS_MAX) {
      hn_node_refuse(r->d, name, "more than %d arms", HN_ARMS_MAX);
      return;
    }
    if (!is_name(name->text, HN_ARM_PATTERN))
      hn_node_refuse(r->d, name, "arm '%s': expected " ARM_RULE, cut);
    else if (is_taken(name->text))
      hn_node_refuse(r->d, name, "arm '%s': the study's folder has a file or folder of that name",
                     cut);
    if (hn_params_map(what, patch, r->d)) hn_cell_check(patch, r->d);
    add_arm(r->study, hn_node_copy(name));
  }
  if (r->study->arms->len == 0) {
    const HnNode *base = hn_node_get(r->root, "base"), *n = base ? base : r->root;
    add_arm(r->study, hn_node_text(n->file, n->line, n->column, "base"));
  }
}

static char **names_of(const GPtrArray *arms) {
  char **names = g_new0(char *, arms->len + 1);
  for (guint i = 0; i < arms->len; i++) names[i] = g_strdup(arms->pdata[i]);
  return names;
}

/* What the command line, else the file, says of the report, or NULL. */
static const HnNode *report_node(const Reader *r, const char *key) {
  const HnNode *n = hn_node_get(hn_node_get(r->over.top, "report"), key);
  return n ? n : hn_node_get(hn_node_get(r->root, "report"), key);
}

static void read_baseline(const Reader *r, const char *const *arms) {
  HnReportParams *report = &r->study->report;
  if (!*report->baseline) report->baseline = g_intern_string(arms[0]);
  if (g_strv_contains(arms, report->baseline)) return;
  const HnNode *n = report_node(r, "baseline");
  g_autofree char *hint = hn_diag_hint(report->baseline, arms);
  g_autofree char *shown = hn_params_shown("baseline", n);
  hn_node_refuse(r->d, n, "'%s': no arm of that name%s", shown, hint);
}

/* ---- cells ---- */

static bool some_arm_has(const Reader *r, const char *block) {
  for (guint i = 0; r->arms && i < r->arms->items->len; i++)
    if (hn_node_get(r->arms->items->pdata[i], block)) return true;
  return false;
}

/* An arm with frames: 0 only evaluates, also where the command line sets run.frames for all arms.
 */
static void keep_untrained(HnNode *cell, const HnNode *patch) {
  const HnNode *run = hn_node_get(patch, "run"), *frames = hn_node_get(run, "frames");
  int64_t number;
  if (frames && !hn_params_int(frames, &number) && number == 0)
    hn_node_put(hn_node_get(cell, "run"), "frames", "0");
}

/* The arm's configuration, without a seed yet. */
static HnNode *resolve(const Reader *r, guint arm) {
  const char *name = r->study->arms->pdata[arm];
  const HnNode *patch = r->arms && arm < r->arms->items->len ? r->arms->items->pdata[arm] : NULL;
  g_autoptr(HnNode) a = hn_patch_blocks(r->base, patch);
  if (!r->base) a->file = r->root->file, a->line = r->root->line, a->column = r->root->column;
  g_autoptr(HnNode) b = hn_patch_blocks(a, r->over.all);
  keep_untrained(b, patch);
  HnNode *out = hn_patch_blocks(b, hn_node_get(r->over.arms, name));
  /* a block that only other arms have is reported missing in this arm, not in the base */
  for (const char *const *block = hn_cell_blocks; patch && *block; block++) {
    if (hn_node_get(out, *block) || !some_arm_has(r, *block)) continue;
    if (strcmp(*block, "weights") == 0) continue; /* may be absent */
    g_autoptr(HnNode) key = hn_node_text(patch->file, patch->line, patch->column, *block);
    hn_node_set(out, key, hn_node_map(patch->file, patch->line, patch->column));
  }
  hn_params_put_text(out, "study", *r->study->name ? r->study->name : "?");
  hn_params_put_text(out, "arm", name);
  return out;
}

/* What a bootstrap would draw for each task must be done within a minute. */
static bool draws_fit(const Reader *r) {
  const HnStudy *s = r->study;
  if (s->report.resamples * s->seeds.count <= MAX_DRAWS) return true;
  const HnNode *n = hn_node_get(r->root, "report");
  n = n ? n : r->root;
  hn_node_refuse(r->d, n,
                 "report.resamples %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                 " seeds are more than %d draws",
                 s->report.resamples, s->seeds.count, MAX_DRAWS);
  return false;
}

/* Of a search: every cell that trains does so to the last rung, unless the search ends it before.
 */
static void set_lengths(const Reader *r) {
  const HnStudy *s = r->study;
  const HnHalving *h = s->sweep->halving;
  for (guint i = 0; i < s->cells->len; i++) {
    HnCell *cell = s->cells->pdata[i];
    if (cell->source) {
      add_at(r->d, h->at_root,
             "in a search no arm can start from the weights of another of the same study");
      return;
    }
    if (cell->run.frames > 0) cell->run.frames = h->at[h->rungs - 1];
  }
}

static void put_seed(const Reader *r, HnNode *map, int64_t i) {
  g_autofree char *index = g_strdup_printf("%" G_GINT64_FORMAT, i);
  g_autofree char *seed =
      g_strdup_printf("%" G_GUINT64_FORMAT, hn_study_seed(r->study->seeds.root, i));
  hn_node_put(map, "seed_index", index);
  hn_node_put(map, "seed", seed);
}

static bool is_well(const Reader *r, guint arm) {
  g_autoptr(HnNode) map = resolve(r, arm);
  g_autoptr(HnDiag) unread = hn_diag_new();
  put_seed(r, map, 0);
  HnCell *cell = hn_cell_read(map, unread);
  if (cell) hn_cell_free(cell);
  return cell != NULL;
}

/* Where some arms take what the command line says of all, and others refuse it: which do, and how
 * one arm is patched. */
static void suggest_arm(const Reader *r) {
  enum { NAMED = 4 };
  const GPtrArray *arms = r->study->arms;
  const char *taker = NULL;
  Reader alone = *r;
  alone.over.all = NULL;
  g_autoptr(GPtrArray) refusing = g_ptr_array_new();
  for (guint arm = 0; arm < arms->len; arm++) {
    if (is_well(r, arm))
      taker = taker ? taker : arms->pdata[arm];
    else if (is_well(&alone, arm))
      g_ptr_array_add(refusing, arms->pdata[arm]);
  }
  g_autofree char *names =
      hn_short_list((const char *const *)refusing->pdata, refusing->len, NAMED);
  if (taker && refusing->len > 0)
    hn_diag_add(r->d, "command line", 0, 0,
                "arms that refuse it, where others do not: %s; arms.%s.BLOCK.KEY=VALUE patches one "
                "arm alone",
                names, taker);
}

static void read_cells(const Reader *r) {
  HnStudy *s = r->study;
  const guint before = hn_diag_count(r->d);
  if (s->seeds.count * s->arms->len > MAX_CELLS) {
    const HnNode *n = hn_node_get(r->root, "seeds");
    n = n ? n : r->root;
    hn_node_refuse(r->d, n, "%u arms with %" G_GINT64_FORMAT " seeds are more than %d cells",
                   s->arms->len, s->seeds.count, MAX_CELLS);
    return;
  }
  if (!draws_fit(r)) return;
  for (guint arm = 0; arm < s->arms->len; arm++) {
    /* a thousand wrong keys in the base times a thousand arms would take minutes */
    if (arm > 0 && r->arms && hn_diag_count(r->d) >= ENOUGH) {
      add_at(r->d, r->arms->keys->pdata[arm],
             "this arm and those after it were checked by themselves, but not over the base: there "
             "are 100 findings already");
      return;
    }
    g_autoptr(HnNode) map = resolve(r, arm);
    const HnNode *weights = hn_node_get(map, "weights");
    g_ptr_array_add(s->weight_blocks, weights ? hn_node_copy(weights) : NULL);
    for (int64_t i = 0; i < s->seeds.count; i++) {
      put_seed(r, map, i);
      HnCell *cell = hn_cell_read(map, r->d);
      if (!cell) break;
      g_ptr_array_add(s->cells, cell);
    }
  }
  if (hn_diag_count(r->d) > before && r->over.all->keys->len > 0) suggest_arm(r);
  if (s->cells->len != s->arms->len * s->seeds.count) return;
  hn_arm_weights_link(s, r->d);
  if (s->sweep && s->sweep->halving) set_lengths(r);
}

static void read_study(Reader *r, const char *const *overrides) {
  HnStudy *s = r->study;
  HnSchema seeds = hn_seeds_schema(), report = hn_report_schema();
  read_keys(r);
  read_version(r);
  read_include(r);
  read_sweep(r);
  read_arms(r);
  g_auto(GStrv) names = names_of(s->arms);
  const char *const *arms = (const char *const *)names;
  r->over = hn_overrides_read(overrides, hn_node_get(r->root, "base"), arms, r->d);
  check_overrides(r);
  s->name = read_name(r);
  const HnNode *description = read_text(r, "description");
  s->description = g_strdup(description ? description->text : "");
  read_table(r, &seeds, &s->seeds);
  read_table(r, &report, &s->report);
  if (!r->partial) read_baseline(r, arms);
  const HnNode *metric = report_node(r, "metric");
  if (metric && metric->kind == HN_NODE_TEXT && !*metric->text)
    hn_node_refuse(r->d, metric,
                   "'metric:': expected a column of metrics.csv, as eval.return, "
                   "but there is nothing");
  s->metric = metric ? hn_node_copy(metric) : NULL;
  read_halving(r);
  HnNode *base = hn_node_get(r->root, "base");
  if (base && hn_params_map("base", base, r->d)) r->base = base, hn_cell_check(base, r->d);
  if (!r->partial) read_cells(r);
  hn_overrides_clear(&r->over);
}

HnStudy *hn_study_parse(const char *file, const char *text, gsize length,
                        const char *const *overrides, HnDiag *d) {
  guint before = hn_diag_count(d);
  g_autoptr(HnNode) root = hn_yaml_parse(file, text, length, d);
  g_autoptr(HnStudy) study = NULL;
  if (root && hn_params_map("study", root, d)) {
    study = g_new0(HnStudy, 1);
    study->file = g_strdup(file);
    study->source = g_strndup(text, length);
    study->cells = g_ptr_array_new_with_free_func((GDestroyNotify)hn_cell_free);
    study->arm_keys = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
    study->weight_blocks = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
    Reader r = {.root = root, .study = study, .d = d};
    read_study(&r, overrides);
  }
  return hn_diag_count(d) == before ? g_steal_pointer(&study) : NULL;
}

HnStudy *hn_study_read(const char *path, const char *const *overrides, HnDiag *d) {
  gsize length;
  g_autofree char *text = hn_yaml_load(path, &length, d);
  return text ? hn_study_parse(path, text, length, overrides, d) : NULL;
}

void hn_study_free(HnStudy *s) {
  if (!s) return;
  g_ptr_array_free(s->arms, TRUE);
  g_ptr_array_free(s->cells, TRUE);
  g_ptr_array_free(s->arm_keys, TRUE);
  g_ptr_array_free(s->weight_blocks, TRUE);
  hn_node_free(s->metric);
  hn_sweep_free(s->sweep);
  g_free(s->name), g_free(s->description), g_free(s->file), g_free(s->source), g_free(s->sizes);
  g_free(s);
}
