/* search.c - see search.h. */
#include "search.h"
#include "alike.h"
#include "error.h"
#include "json.h"
#include "output_file.h"
#include "run_dir.h"
#include "short_text.h"
#include <math.h>
#include <string.h>

enum { NAMED = 4 }; /* arms in a line; of more, how many */

/* An arm that the sweep made. */
typedef struct Candidate {
  const char *arm, *origin;
  int64_t stopped;                    /* the rung after which it went no further, or -1 */
  int64_t frames;                     /* that its cells have trained for, all seeds together */
  double value[HN_HALVING_RUNGS_MAX]; /* at each decided rung; NaN: none */
} Candidate;

struct HnSearch {
  const HnStudy *study;
  const HnHalving *halving;
  char *path;
  int64_t decided;    /* rungs */
  GArray *candidates; /* Candidate, in the study's order */
};

static Candidate *candidate_at(const HnSearch *s, guint i) {
  return &g_array_index(s->candidates, Candidate, i);
}

/* ---- the file ---- */

/* Whether a candidate went on where another was stopped, though it had reached the same: then the
 * study's order chose between them. */
static bool outlasted(const Candidate *c, const Candidate *stopped) {
  const int64_t k = stopped->stopped;
  if (k < 0 || (c->stopped >= 0 && c->stopped <= k) || !g_str_equal(c->origin, stopped->origin))
    return false;
  const double x = c->value[k], y = stopped->value[k];
  return isfinite(x) ? x == y : !isfinite(y);
}

/* Those that outlasted it; NULL-terminated, g_strfreev. */
static char **tied_with(const HnSearch *s, const Candidate *stopped) {
  g_autoptr(GStrvBuilder) arms = g_strv_builder_new();
  for (guint i = 0; i < s->candidates->len; i++)
    if (outlasted(candidate_at(s, i), stopped)) g_strv_builder_add(arms, candidate_at(s, i)->arm);
  return g_strv_builder_end(arms);
}

static void add_candidate(JsonBuilder *b, const HnSearch *s, const Candidate *c) {
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "arm", c->arm);
  hn_json_add_string(b, "of", c->origin);
  hn_json_open_array(b, "values");
  for (int64_t k = 0; k < s->decided && (c->stopped < 0 || k <= c->stopped); k++)
    hn_json_add_real(b, NULL, c->value[k]);
  json_builder_end_array(b);
  hn_json_add_int(b, "stopped_after", c->stopped);
  g_auto(GStrv) tied = tied_with(s, c);
  hn_json_add_strv(b, "tied_with", (const char *const *)tied);
  hn_json_add_int(b, "frames", c->frames);
  json_builder_end_object(b);
}

static char *text_of(const HnSearch *s) {
  const HnHalving *h = s->halving;
  int64_t frames = 0;
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", s->study->name);
  hn_json_add_string(b, "method", "successive halving");
  hn_json_add_int(b, "root", h->root);
  hn_json_add_int(b, "seeds", s->study->seeds.count);
  hn_json_add_string(b, "metric", s->study->report.metric);
  hn_json_add_real(b, "keep", h->keep);
  hn_json_open_array(b, "at");
  for (int64_t k = 0; k < h->rungs; k++) hn_json_add_int(b, NULL, h->at[k]);
  json_builder_end_array(b);
  hn_json_add_int(b, "decided", s->decided);
  hn_json_open_array(b, "candidates");
  for (guint i = 0; i < s->candidates->len; i++) {
    add_candidate(b, s, candidate_at(s, i));
    frames += candidate_at(s, i)->frames;
  }
  json_builder_end_array(b);
  hn_json_add_int(b, "frames", frames);
  return hn_json_end_sealed(b);
}

/* Whether a file is of this search: the same candidates, rungs and rules. */
static bool same_search(const HnSearch *s, JsonObject *o) {
  const HnHalving *h = s->halving;
  JsonArray *at = hn_json_array(o, "at"), *all = hn_json_array(o, "candidates");
  bool same = at && all && json_array_get_length(at) == (guint)h->rungs &&
              json_array_get_length(all) == s->candidates->len &&
              hn_json_int(o, "root", -1) == h->root && hn_json_real(o, "keep", -1) == h->keep &&
              hn_json_int(o, "seeds", -1) == s->study->seeds.count &&
              g_strcmp0(hn_json_string(o, "metric", NULL), s->study->report.metric) == 0;
  for (guint k = 0; same && k < (guint)h->rungs; k++)
    same = json_array_get_int_element(at, k) == h->at[k];
  for (guint i = 0; same && i < s->candidates->len; i++)
    same = g_strcmp0(hn_json_string(json_array_get_object_element(all, i), "arm", NULL),
                     candidate_at(s, i)->arm) == 0;
  return same;
}

static void take(HnSearch *s, JsonObject *o) {
  JsonArray *all = hn_json_array(o, "candidates");
  s->decided = CLAMP(hn_json_int(o, "decided", 0), 0, s->halving->rungs);
  for (guint i = 0; i < s->candidates->len; i++) {
    JsonObject *of = json_array_get_object_element(all, i);
    JsonArray *values = hn_json_array(of, "values");
    Candidate *c = candidate_at(s, i);
    c->stopped = CLAMP(hn_json_int(of, "stopped_after", -1), -1, s->decided - 1);
    c->frames = hn_json_int(of, "frames", 0);
    for (guint k = 0; values && k < MIN(json_array_get_length(values), HN_HALVING_RUNGS_MAX); k++)
      if (!json_array_get_null_element(values, k))
        c->value[k] = json_array_get_double_element(values, k);
  }
}

HnSearch *hn_search_open(const HnStudy *study, const char *dir, GError **error) {
  g_autoptr(HnSearch) s = g_new0(HnSearch, 1);
  s->study = study, s->halving = study->sweep->halving;
  s->path = g_build_filename(dir, HN_STUDY_SEARCH, NULL);
  s->candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
  for (guint i = 0; i < study->arms->len; i++) {
    Candidate c = {.arm = study->arms->pdata[i], .stopped = -1};
    for (guint k = 0; k < HN_HALVING_RUNGS_MAX; k++) c.value[k] = NAN;
    c.origin = g_hash_table_lookup(study->sweep->origins, c.arm);
    if (c.origin) g_array_append_val(s->candidates, c);
  }
  if (!g_file_test(s->path, G_FILE_TEST_EXISTS)) return g_steal_pointer(&s);
  g_autoptr(JsonObject) o = hn_json_read(s->path, error);
  if (!o) return NULL;
  if (!same_search(s, o)) {
    hn_error_set(error, HN_ERROR_DIFFERS,
                 "%s is of another search, of other candidates, rungs or seeds: choose another "
                 "folder with -o",
                 s->path);
    return NULL;
  }
  take(s, o);
  return g_steal_pointer(&s);
}

void hn_search_free(HnSearch *s) {
  if (!s) return;
  g_array_unref(s->candidates);
  g_free(s->path);
  g_free(s);
}

/* ---- what trains ---- */

bool hn_search_over(const HnSearch *s) {
  return s->decided == s->halving->rungs;
}

void hn_search_set_lengths(const HnSearch *s, HnStudy *study) {
  const HnHalving *h = s->halving;
  g_autoptr(GHashTable) stopped = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < s->candidates->len; i++) {
    Candidate *c = candidate_at(s, i);
    g_hash_table_insert(stopped, (gpointer)(guintptr)c->arm, c);
  }
  for (guint i = 0; i < study->cells->len; i++) {
    HnCell *cell = study->cells->pdata[i];
    const Candidate *c = g_hash_table_lookup(stopped, cell->arm);
    if (c && cell->run.frames > 0)
      cell->run.frames = h->at[c->stopped >= 0 ? c->stopped : MIN(s->decided, h->rungs - 1)];
  }
}

char **hn_search_arms(const HnSearch *s) {
  g_autoptr(GStrvBuilder) arms = g_strv_builder_new();
  guint next = 0;
  for (guint i = 0; i < s->study->arms->len; i++) {
    const char *arm = s->study->arms->pdata[i];
    const bool swept = g_hash_table_contains(s->study->sweep->origins, arm);
    if (!swept || candidate_at(s, next)->stopped < 0) g_strv_builder_add(arms, arm);
    next += swept;
  }
  return g_strv_builder_end(arms);
}

/* ---- decisions ---- */

/* What a candidate reached, or NaN where a seed has no value. */
static double value_of(const HnComparison *c, const char *arm) {
  const HnCompared *m = c->columns->pdata[0];
  const int64_t at = hn_results_arm(c->results, arm);
  const HnEstimate *e = at < 0 ? NULL : &m->estimate[at][HN_VALUE];
  return e && e->n == c->results->seeds ? e->value : (double)NAN;
}

typedef struct Rank {
  const HnSearch *s;
  int better;
} Rank;

/* The best first, those without a value last, in the study's order where they are alike. */
static int by_value(gconstpointer a, gconstpointer b, gpointer arg) {
  const Rank *rank = arg;
  const guint i = *(const guint *)a, k = *(const guint *)b;
  const double x = candidate_at(rank->s, i)->value[rank->s->decided] * rank->better;
  const double y = candidate_at(rank->s, k)->value[rank->s->decided] * rank->better;
  if (isfinite(x) != isfinite(y)) return isfinite(x) ? -1 : 1;
  if (isfinite(x) && x != y) return x > y ? -1 : 1;
  return i < k ? -1 : i > k;
}

/* What the cells of an arm have trained for, as they say themselves: in whole updates. */
static int64_t frames_of(const HnResults *r, const char *arm) {
  const int64_t at = hn_results_arm(r, arm);
  int64_t frames = 0;
  for (int64_t seed = 0; at >= 0 && seed < r->seeds; seed++)
    frames += hn_json_int(hn_results_cell(r, at, seed)->facts, "frames", 0);
  return frames;
}

/* Stops all but the best of one swept arm's candidates. */
static void stop_others(HnSearch *s, const char *origin, int better) {
  Rank rank = {s, better};
  g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < s->candidates->len; i++) {
    const Candidate *c = candidate_at(s, i);
    if (c->stopped < 0 && g_str_equal(c->origin, origin)) g_array_append_val(left, i);
  }
  g_array_sort_with_data(left, by_value, &rank);
  for (guint i = hn_halving_kept(s->halving, left->len); i < left->len; i++)
    candidate_at(s, g_array_index(left, guint, i))->stopped = s->decided;
}

static void decide(HnSearch *s, const HnComparison *c) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < s->candidates->len; i++) {
    Candidate *one = candidate_at(s, i);
    if (one->stopped < 0)
      one->value[s->decided] = value_of(c, one->arm), one->frames = frames_of(c->results, one->arm);
  }
  for (guint i = 0; i < s->candidates->len && s->decided + 1 < s->halving->rungs; i++) {
    const char *origin = candidate_at(s, i)->origin;
    if (g_hash_table_add(seen, (gpointer)(guintptr)origin))
      stop_others(s, origin, ((HnCompared *)c->columns->pdata[0])->better);
  }
  s->decided++;
}

bool hn_search_decide(HnSearch *s, GError **error) {
  const char *metric = s->study->report.metric;
  g_autofree char *dir = g_path_get_dirname(s->path);
  g_autoptr(HnResults) r = hn_results_read(dir, error);
  g_autoptr(HnComparison) c = r ? hn_compare(r, NULL, metric, error) : NULL;
  if (!c) return false;
  if (!c->columns->len)
    return hn_error_set(error, HN_ERROR_REFUSED, "no candidate has a %s to be chosen by", metric);
  if (!((HnCompared *)c->columns->pdata[0])->better)
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "it is not known whether a higher %s is better: search by another metric",
                        metric);
  decide(s, c);
  g_autofree char *text = text_of(s);
  return hn_output_replace(s->path, text, error);
}

/* ---- what is said of it ---- */

GPtrArray *hn_search_ties(const HnSearch *s) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) all = hn_alike_new();
  for (guint i = 0; i < s->candidates->len; i++) {
    const Candidate *c = candidate_at(s, i);
    g_auto(GStrv) tied = tied_with(s, c);
    const guint count = g_strv_length(tied);
    if (c->stopped != s->decided - 1 || !count) continue;
    g_autofree char *names = hn_short_list((const char *const *)tied, count, NAMED);
    g_autofree char *said = g_strdup_printf("tied with %s: the first in the study %s", names,
                                            count == 1 ? "goes on" : "go on");
    hn_alike_add(all, said, c->arm);
  }
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *a = all->pdata[i];
    g_autofree char *arms = hn_alike_names(a, NAMED);
    g_ptr_array_add(lines, g_strdup_printf("%s %s %s", arms, hn_is_or_are(a->names->len), a->said));
  }
  return lines;
}

/* The search of a study's folder as its file says; NULL: it has none. */
static JsonObject *read_file(const char *dir) {
  g_autofree char *path = g_build_filename(dir, HN_STUDY_SEARCH, NULL);
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  return hn_json_array(o, "candidates") && hn_json_array(o, "at") ? g_steal_pointer(&o) : NULL;
}

/* "a, b and 3 more": the candidates that no rung has stopped; g_free. */
static char *names_left(JsonArray *all, guint most) {
  g_autoptr(GPtrArray) left = g_ptr_array_new();
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *c = json_array_get_object_element(all, i);
    if (hn_json_int(c, "stopped_after", -1) < 0)
      g_ptr_array_add(left, (gpointer)(guintptr)hn_json_string(c, "arm", "?"));
  }
  return hn_short_list((const char *const *)left->pdata, left->len, most);
}

static void note_ties(JsonArray *all, GPtrArray *notes) {
  g_autoptr(GPtrArray) tied = g_ptr_array_new();
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *c = json_array_get_object_element(all, i);
    if (hn_json_string_at(hn_json_array(c, "tied_with"), 0))
      g_ptr_array_add(tied, (gpointer)(guintptr)hn_json_string(c, "arm", "?"));
  }
  if (!tied->len) return;
  g_autofree char *arms = hn_short_list((const char *const *)tied->pdata, tied->len, NAMED);
  g_ptr_array_add(notes, g_strdup_printf("Stopped though another that had reached the same went "
                                         "on, as it comes first in the study: %s.",
                                         arms));
}

void hn_search_note(const char *dir, GPtrArray *notes) {
  g_autoptr(JsonObject) o = read_file(dir);
  if (!o) return;
  JsonArray *all = hn_json_array(o, "candidates"), *at = hn_json_array(o, "at");
  g_autofree char *frames = hn_params_number((double)hn_json_int(o, "frames", 0)),
                  *left = names_left(all, G_MAXUINT);
  g_ptr_array_add(notes,
                  g_strdup_printf("A search by successive halving on root %" G_GINT64_FORMAT
                                  ": %u candidates, %s frames, %" G_GINT64_FORMAT
                                  " of %u rungs decided; left: %s.",
                                  hn_json_int(o, "root", 0), json_array_get_length(all), frames,
                                  hn_json_int(o, "decided", 0), json_array_get_length(at), left));
  note_ties(all, notes);
  g_ptr_array_add(notes, g_strdup("Arms that the search stopped trained for fewer frames, and its "
                                  "seeds chose the others: run what is left on another root."));
}

char *hn_search_kept(const char *dir) {
  g_autoptr(JsonObject) o = read_file(dir);
  if (!o) return NULL;
  JsonArray *all = hn_json_array(o, "candidates");
  const int64_t decided = hn_json_int(o, "decided", 0);
  const guint rungs = json_array_get_length(hn_json_array(o, "at")),
              count = json_array_get_length(all);
  g_autofree char *left = names_left(all, NAMED);
  if (decided < rungs)
    return g_strdup_printf("The search has decided %" G_GINT64_FORMAT
                           " of %u rungs; of its %u candidates are left: %s.",
                           decided, rungs, count, left);
  return g_strdup_printf("The search kept %s, chosen out of %u candidates by these same seeds: run "
                         "what it kept on another root.",
                         left, count);
}
