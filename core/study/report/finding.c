/* finding.c - see finding.h. */
#include "finding.h"
#include "format.h"
#include "search.h"
#include "short_text.h"
#include <math.h>

/* So many arms are named in a sentence, with so many letters; of more one is. */
enum { NAMED_MAX = 3, LETTERS_MAX = 80 };

/* Arms by verdict. */
enum { GOOD, BAD, OPEN, UNJUDGED, GROUPS };

static int group_of(const char *verdict) {
  if (g_str_equal(verdict, "better") || g_str_equal(verdict, "higher")) return GOOD;
  if (g_str_equal(verdict, "worse") || g_str_equal(verdict, "lower")) return BAD;
  return *verdict ? OPEN : UNJUDGED;
}

/* "sees the true task; -0.66 nats [-0.91, -0.41]" */
static void add_difference(GString *out, const HnComparison *c, const HnCompared *m, int64_t arm) {
  const bool oracle = hn_results_privileged(c->results, arm);
  const HnEstimate *d = &m->estimate[arm][HN_DIFFERENCE];
  HnFormat f = hn_format_of(m, arm, HN_DIFFERENCE);
  f.written = true;
  g_autofree char *value = hn_format_number(d->value, f), *interval = hn_format_interval(d, f);
  g_string_append_printf(out, "%s%s%s%s%s%s", oracle ? "sees the true task; " : "", value,
                         *m->unit ? " " : "", m->unit, *interval ? " " : "", interval);
}

/* " (-0.66 nats; 3840 against 15360 frames)": the difference if `size`, and the lengths of training
 * where they differ. */
static void add_arm(GString *out, const HnComparison *c, const HnCompared *m, int64_t arm,
                    bool size) {
  int64_t own = 0, base = 0;
  const bool lengths = hn_compared_lengths(c, arm, &own, &base);
  g_string_append(out, c->results->arms[arm]);
  g_string_append(out, size || lengths ? " (" : "");
  if (size) add_difference(out, c, m, arm);
  if (lengths)
    g_string_append_printf(out, "%s%" G_GINT64_FORMAT " against %" G_GINT64_FORMAT " frames",
                           size ? "; " : "", own, base);
  g_string_append(out, size || lengths ? ")" : "");
}

/* The arm that differs most. */
static int64_t most_of(const HnCompared *m, const GArray *arm) {
  int64_t most = g_array_index(arm, int64_t, 0);
  for (guint i = 1; i < arm->len; i++) {
    const int64_t a = g_array_index(arm, int64_t, i);
    if (fabs(m->estimate[a][HN_DIFFERENCE].value) > fabs(m->estimate[most][HN_DIFFERENCE].value))
      most = a;
  }
  return most;
}

/* Whether a sentence names all of them. */
static bool are_named(const HnComparison *c, const GArray *arm) {
  glong letters = 0;
  for (guint i = 0; i < arm->len; i++)
    letters += g_utf8_strlen(c->results->arms[g_array_index(arm, int64_t, i)], -1);
  return arm->len == 1 || (arm->len <= NAMED_MAX && letters <= LETTERS_MAX);
}

/* "a (-0.66 nats [..]) and b (..) are", or of many "12 of the 99 other arms are". */
static void add_subject(GString *out, const HnComparison *c, const HnCompared *m, const GArray *arm,
                        bool sizes) {
  const bool named = are_named(c, arm);
  if (!named)
    g_string_append_printf(out, "%u of the %" G_GINT64_FORMAT " other arms", arm->len,
                           c->results->arm_count - 1);
  for (guint i = 0; i < arm->len && named; i++) {
    g_string_append(out, i == 0 ? "" : i + 1 < arm->len ? ", " : " and ");
    add_arm(out, c, m, g_array_index(arm, int64_t, i), sizes);
  }
  g_string_append(out, arm->len == 1 ? " is" : " are");
}

/* Where no arm is told apart from the baseline, and they are many. */
static bool add_none(GString *out, const HnComparison *c, const GArray *arm, const char *words,
                     int64_t pairs) {
  const int64_t others = c->results->arm_count - 1;
  if (are_named(c, arm) || arm->len != others) return false;
  g_string_append_printf(out,
                         "None of the %" G_GINT64_FORMAT
                         " other arms is told apart from %s by %s, with %" G_GINT64_FORMAT
                         " seed%s",
                         others, c->results->arms[c->baseline], words, pairs, hn_plural(pairs));
  return true;
}

/* Of many the one that differs most; whether one was picked so. */
static bool add_most(GString *out, const HnComparison *c, const HnCompared *m, const GArray *arm) {
  if (are_named(c, arm)) return false;
  g_string_append(out, ", most of all ");
  add_arm(out, c, m, most_of(m, arm), true);
  return true;
}

/* What is picked for being the most has good luck among its reasons. */
static void add_caution(GString *out, const HnComparison *c) {
  g_string_append_printf(
      out,
      " The arm named most of all was picked out of %" G_GINT64_FORMAT
      " by these same seeds, so part of its difference is that choice: run it on "
      "another root.",
      c->results->arm_count - 1);
}

/* The seeds that differences were taken over: the most of any arm. */
static int64_t pairs_of(const HnCompared *m) {
  int64_t pairs = 0;
  for (int64_t a = 0; a < m->arms; a++) pairs = MAX(pairs, m->estimate[a][HN_DIFFERENCE].n);
  return pairs;
}

/* Arms with too few seeds where others have enough. */
static void add_lacking(GString *out, const HnComparison *c, const HnCompared *m,
                        const GArray *arm) {
  if (!arm->len) return;
  g_string_append(out, ". ");
  add_subject(out, c, m, arm, false);
  g_string_append(out, " not judged, for want of seeds");
}

/* No arm has enough. */
static void add_unjudged(GString *out, const HnComparison *c, const HnCompared *m,
                         const char *words, const GArray *arm) {
  const int64_t pairs = pairs_of(m);
  g_string_append_printf(out,
                         "%" G_GINT64_FORMAT " seed%s too few to judge any arm against %s by %s. ",
                         pairs, pairs == 1 ? " is" : "s are", c->results->arms[c->baseline], words);
  g_string_append(out, arm->len > 1 ? "The largest difference is that of "
                                    : "The difference is that of ");
  add_arm(out, c, m, most_of(m, arm), true);
}

/* Of a study of one arm, or one whose arms cannot be set against each other. */
static void add_alone(GString *out, const HnComparison *c, const HnCompared *m, const char *words) {
  const HnEstimate *own = &m->estimate[c->baseline][HN_VALUE];
  HnFormat f = hn_format_of(m, c->baseline, HN_VALUE);
  f.written = true;
  g_autofree char *value = hn_format_number(own->value, f), *interval = hn_format_interval(own, f);
  if (!own->n) {
    g_string_append_printf(out, "%s has no %s yet: nothing can be set against it",
                           c->results->arms[c->baseline], words);
    return;
  }
  g_string_append_printf(out, "%s reaches %s%s%s%s%s in %s; there is no arm to set against it",
                         c->results->arms[c->baseline], value, *m->unit ? " " : "", m->unit,
                         *interval ? " " : "", interval, words);
}

char *hn_finding(const HnComparison *c) {
  const HnCompared *m = c->columns->len ? c->columns->pdata[0] : NULL;
  if (!m) return g_strdup("No cell has been evaluated yet: there is nothing to compare.");
  const char *const standing[] = {m->better ? "better than " : "higher than ",
                                  m->better ? "worse than " : "lower than ",
                                  "not told apart from "};
  const char *base = c->results->arms[c->baseline];
  g_autofree char *words = hn_metric_words(c->results->cells, m->column);
  GArray *group[GROUPS];
  bool picked = false;
  GString *out = g_string_new(NULL);
  for (int k = 0; k < GROUPS; k++) group[k] = g_array_new(FALSE, FALSE, sizeof(int64_t));
  for (int64_t a = 0; a < m->arms; a++)
    if (a != c->baseline && m->estimate[a][HN_DIFFERENCE].n > 0)
      g_array_append_val(group[group_of(hn_compared_verdict(m, a))], a);
  for (int k = GOOD; k <= OPEN; k++) {
    if (!group[k]->len) continue;
    if (k == OPEN && add_none(out, c, group[k], words, pairs_of(m))) continue;
    const bool first = !out->len;
    if (!first) g_string_append(out, ". ");
    add_subject(out, c, m, group[k], first || k != OPEN);
    g_string_append_printf(out, " %s%s", standing[k], first ? base : "it");
    if (first) g_string_append_printf(out, " by %s", words);
    if (k == OPEN)
      g_string_append_printf(out, ", with %" G_GINT64_FORMAT " seed%s", pairs_of(m),
                             hn_plural(pairs_of(m)));
    else
      picked |= add_most(out, c, m, group[k]);
  }
  if (out->len) add_lacking(out, c, m, group[UNJUDGED]);
  if (!out->len && group[UNJUDGED]->len) add_unjudged(out, c, m, words, group[UNJUDGED]);
  if (!out->len) add_alone(out, c, m, words);
  g_string_append_c(out, '.');
  if (picked) add_caution(out, c);
  if (!g_str_equal(m->column, c->results->report.metric))
    g_string_append_printf(out, " No done cell reports %s, which was to decide.",
                           c->results->report.metric);
  if (c->partial->len) g_string_append(out, " So far: not all cells have ended.");
  g_autofree char *kept = hn_search_kept(c->results->dir);
  if (kept) g_string_prepend_c(out, ' '), g_string_prepend(out, kept);
  for (int k = 0; k < GROUPS; k++) g_array_unref(group[k]);
  return g_string_free(out, FALSE);
}
