/* mutants.h - one study spoilt in one way, or harmlessly in a few: what mutation_test feeds. */
#ifndef HN_MUTANTS_H
#define HN_MUTANTS_H
#include <glib.h>
#include <stdbool.h>
#include <string.h>

typedef struct Mutant {
  GString *text;
  const char *kind, *of; /* how it was spoilt; which study */
  bool nonsense;         /* must be refused */
  char *says;            /* with these words, or NULL */
} Mutant;

static inline void mutant_clear(Mutant *m) {
  g_string_free(m->text, TRUE), g_free(m->says);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mutant, mutant_clear)

/* ---- places ---- */

/* A key with a value of one word. */
typedef struct Pair {
  gsize key, value; /* where they begin */
  gsize key_length, value_length;
  bool first; /* of its line: not in braces */
} Pair;

static inline bool mutant_in_comment(const char *text, gsize at) {
  while (at > 0 && text[at - 1] != '\n')
    if (text[--at] == '#') return true;
  return false;
}

static inline GArray *mutant_pairs(const char *text) {
  GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
  g_autoptr(GRegex) regex = g_regex_new(
      "([A-Za-z_]\\w*): +([^\\s,{}\\[\\]#\"'&*!|][^\\s,{}\\[\\]#]*)", G_REGEX_RAW, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL)) {
    int key, key_end, value, value_end;
    g_match_info_fetch_pos(match, 1, &key, &key_end);
    g_match_info_fetch_pos(match, 2, &value, &value_end);
    gsize start = (gsize)key;
    while (start > 0 && text[start - 1] == ' ') start--;
    const Pair p = {(gsize)key, (gsize)value, (gsize)(key_end - key), (gsize)(value_end - value),
                    start == 0 || text[start - 1] == '\n'};
    if (!mutant_in_comment(text, p.key) && strncmp(text + key, "description", 11) != 0)
      g_array_append_val(pairs, p);
  }
  return pairs;
}

/* One of them; where none is left, nothing at the start. */
static inline Pair mutant_pair(const Mutant *m, GRand *r) {
  g_autoptr(GArray) pairs = mutant_pairs(m->text->str);
  if (!pairs->len) return (Pair){.first = true};
  return g_array_index(pairs, Pair, g_rand_int_range(r, 0, (gint32)pairs->len));
}

static inline char *mutant_key(const Mutant *m, const Pair *p) {
  return g_strndup(m->text->str + p->key, p->key_length);
}

static inline gsize mutant_line_start(const GString *t, gsize at) {
  while (at > 0 && t->str[at - 1] != '\n') at--;
  return at;
}

static inline gsize mutant_line_end(const GString *t, gsize at) {
  const char *end = strchr(t->str + at, '\n');
  return end ? (gsize)(end - t->str) + 1 : t->len;
}

static inline gsize mutant_anywhere(const Mutant *m, GRand *r) {
  return (gsize)g_rand_int_range(r, 0, (gint32)MAX(m->text->len, 1));
}

static inline void mutant_replace(GString *t, gsize at, gsize length, const char *by) {
  g_string_erase(t, (gssize)at, (gssize)length);
  g_string_insert(t, (gssize)at, by);
}

#define PICK(r, list) ((list)[g_rand_int_range(r, 0, (gint32)G_N_ELEMENTS(list))])

/* ---- nonsense for certain ---- */

static inline void mutate_misspelt_key(Mutant *m, GRand *r) {
  const Pair p = mutant_pair(m, r);
  g_autofree char *key = mutant_key(m, &p);
  g_string_insert(m->text, (gssize)(p.key + p.key_length), "_zq");
  m->nonsense = true;
  m->says = strcmp(key, "plugin") ? g_strconcat("'", key, "_zq'", NULL) : g_strdup("plugin");
}

static inline void mutate_doubled_key(Mutant *m, GRand *r) {
  const Pair p = mutant_pair(m, r);
  g_autofree char *key = mutant_key(m, &p);
  const gsize start = p.first ? mutant_line_start(m->text, p.key) : p.key;
  const gsize end = p.first ? mutant_line_end(m->text, p.key) : p.value + p.value_length;
  g_autofree char *again = g_strndup(m->text->str + start, end - start);
  if (!p.first) g_string_insert(m->text, (gssize)p.key, ", ");
  g_string_insert(m->text, (gssize)start, again);
  m->nonsense = true, m->says = g_strconcat("duplicate key '", key, "'", NULL);
}

/* Keys whose values are text, though they may look like numbers. */
static inline bool mutant_is_text(const char *key) {
  static const char *const texts[] = {"seed", "at", "hidden", "from", "arm", "name", "split", NULL};
  return g_strv_contains(texts, key) || g_str_has_suffix(key, "_layers");
}

/* The value of a number becomes what no number is. */
static inline void mutate_no_number(Mutant *m, GRand *r) {
  static const char *const none[] = {
      "NaN",   ".nan", ".inf", "inf", "1M",  "1e", "--1", "0x10", "1_0",     "1e1000", "true",
      "\"3\"", "'3'",  "[1]",  "{}",  "1,5", "",   "~",   "null", "1e-1000", "10 %",   "1:2"};
  for (int i = 0; i < 100; i++) {
    const Pair p = mutant_pair(m, r);
    g_autofree char *key = mutant_key(m, &p);
    const char first = m->text->str[p.value];
    if (mutant_is_text(key) || !(g_ascii_isdigit(first) || first == '-')) continue;
    const char *by = PICK(r, none);
    mutant_replace(m->text, p.value, p.value_length, by);
    m->nonsense = true;
    return;
  }
}

/* Numbers out of any range, of keys of which that is known. */
static inline void mutate_out_of_range(Mutant *m, GRand *r) {
  static const char *const keys[] = {"rows",     "tasks",         "count", "width", "layers",
                                     "n_epochs", "n_minibatches", "lr",    "root",  "frames"};
  static const char *const values[] = {"-1", "1e300", "99999999999999999999", "-1e15", "1e17"};
  for (int i = 0; i < 200; i++) {
    const Pair p = mutant_pair(m, r);
    g_autofree char *key = mutant_key(m, &p);
    bool known = false;
    for (guint k = 0; k < G_N_ELEMENTS(keys); k++) known |= strcmp(key, keys[k]) == 0;
    if (!known) continue;
    const char *by = PICK(r, values);
    mutant_replace(m->text, p.value, p.value_length, by);
    m->nonsense = true, m->says = g_strconcat("'", key, ": ", by, "'", NULL);
    return;
  }
}

static inline void mutate_bytes(Mutant *m, GRand *r) {
  static const char *const bytes[] = {"\xff", "\xc3(", "\xed\xa0\x80", "\x07", "\x7f", "\x1b[31m"};
  g_string_insert(m->text, (gssize)mutant_anywhere(m, r), PICK(r, bytes));
  m->nonsense = true;
}

static inline void mutate_nul(Mutant *m, GRand *r) {
  const Pair p = mutant_pair(m, r);
  if (g_rand_boolean(r))
    g_string_insert_len(m->text, (gssize)mutant_anywhere(m, r), "\0", 1);
  else
    mutant_replace(m->text, p.value, p.value_length, "\"a\\0b\"");
  m->nonsense = true;
}

static inline void mutate_mark(Mutant *m, GRand *r) {
  static const char *const marks[] = {"&a ", "!!str ", "!x ", "&a !!int "};
  const Pair p = mutant_pair(m, r);
  if (g_rand_int_range(r, 0, 4) == 0)
    mutant_replace(m->text, p.value, p.value_length, "*a");
  else
    g_string_insert(m->text, (gssize)p.value, PICK(r, marks));
  m->nonsense = true, m->says = g_strdup("not read");
}

static inline void mutate_deep(Mutant *m, GRand *r) {
  static const char *const open[] = {"[", "{a: ", "- ", "? "};
  const char *by = PICK(r, open);
  const int levels = g_rand_int_range(r, 65, 5000);
  g_string_append(m->text, "\nzq: ");
  for (int i = 0; i < levels; i++) g_string_append(m->text, by);
  m->nonsense = true;
}

static inline void mutate_long(Mutant *m, GRand *r) {
  const Pair p = mutant_pair(m, r);
  const gsize n = g_rand_boolean(r) ? 1 << 20 : 129;
  g_autofree char *text = g_strnfill(n, 'k');
  g_string_insert(m->text, (gssize)p.key, text);
  m->nonsense = true;
}

/* Many keys, which the file may have, but not these. */
static inline void mutate_many(Mutant *m, GRand *r) {
  const int n = g_rand_int_range(r, 100, 30000);
  for (int i = 0; i < n; i++) g_string_append_printf(m->text, "\nzq%d: 1", i);
  m->nonsense = true;
}

/* The line of an arm gets a name that its folder cannot have; not every study has arms. */
static inline void mutate_arm(Mutant *m, GRand *r) {
  static const char *const names[] = {"report",      "study.yaml", "study.json",   "report.html",
                                      "REPORT",      "..",         ".hidden",      "a/b",
                                      "/tmp/arm",    "\"a b\"",    "\"\"",         "\"a\\nb\"",
                                      "caf\xc3\xa9", "a*b",        "\"a\\u202eb\""};
  const char *arms = strstr(m->text->str, "\narms:\n  ");
  if (!arms) return;
  const gsize at = (gsize)(arms - m->text->str) + strlen("\narms:\n  ");
  mutant_replace(m->text, at, strcspn(m->text->str + at, ":"), PICK(r, names));
  m->nonsense = true;
}

static inline void mutate_second(Mutant *m, GRand *r) {
  static const char *const more[] = {"\n---\nhunch: 1\n",
                                     "\nseeds: {root: 2}\nseeds: {root: 3}\n",
                                     "\nbase: {}\nbase: {}\n",
                                     "\n]\n",
                                     "\n\"\n",
                                     "\n\thunch: 1\n"};
  g_string_append(m->text, PICK(r, more));
  m->nonsense = true;
}

/* ---- what may be right ---- */

static inline void mutate_value(Mutant *m, GRand *r) {
  static const char *const values[] = {
      "0",       "0e0",    "-0",          "-1",      "1",    "2",
      "1e300",   "1e15",   "1e9",         "65536",   "1e6",  "0.5",
      "1e-9",    "true",   "none",        "x",       "\"\"", "\"a\\nb\"",
      "\"a,b\"", "'a''b'", "[]",          "{}",      "~",    "a|b",
      "/",       "./x.so", "\"\\u202e\"", "100 100", "0 0",  "4096 4096 4096"};
  const Pair p = mutant_pair(m, r);
  mutant_replace(m->text, p.value, p.value_length, PICK(r, values));
}

static inline void mutate_swap_values(Mutant *m, GRand *r) {
  const Pair a = mutant_pair(m, r), b = mutant_pair(m, r);
  g_autofree char *by = g_strndup(m->text->str + b.value, b.value_length);
  mutant_replace(m->text, a.value, a.value_length, by);
}

static inline void mutate_remove_key(Mutant *m, GRand *r) {
  const Pair p = mutant_pair(m, r);
  mutant_replace(m->text, p.key, p.value + p.value_length - p.key, "");
}

static inline void mutate_byte(Mutant *m, GRand *r) {
  static const char bytes[] = "{}[]:,#&*!|>'\"%@`\t \n-?aZ09._~\\";
  const gsize at = mutant_anywhere(m, r);
  if (g_rand_boolean(r)) g_string_erase(m->text, (gssize)at, m->text->len > 0);
  g_string_insert_c(m->text, (gssize)at, bytes[g_rand_int_range(r, 0, sizeof bytes - 1)]);
}

static inline void mutate_truncate(Mutant *m, GRand *r) {
  g_string_truncate(m->text, mutant_anywhere(m, r));
}

/* A line is removed, doubled, moved or indented otherwise. */
static inline void mutate_line(Mutant *m, GRand *r) {
  const gsize at = mutant_anywhere(m, r), start = mutant_line_start(m->text, at);
  const gsize end = mutant_line_end(m->text, at);
  g_autofree char *line = g_strndup(m->text->str + start, end - start);
  switch (g_rand_int_range(r, 0, 5)) {
  case 0:
    g_string_erase(m->text, (gssize)start, (gssize)(end - start));
    break;
  case 1:
    g_string_insert(m->text, (gssize)start, line);
    break;
  case 2:
    g_string_erase(m->text, (gssize)start, (gssize)(end - start));
    g_string_insert(m->text, (gssize)mutant_line_start(m->text, mutant_anywhere(m, r)), line);
    break;
  case 3:
    g_string_insert(m->text, (gssize)start, g_rand_boolean(r) ? "  " : "\t");
    break;
  default:
    if (*line == ' ') g_string_erase(m->text, (gssize)start, 1);
  }
}

static inline void mutate_mark_of_order(Mutant *m, GRand *r) {
  g_string_insert(m->text, g_rand_boolean(r) ? 0 : (gssize)mutant_anywhere(m, r), "\xef\xbb\xbf");
}

static inline void mutate_endings(Mutant *m, GRand *r) {
  g_string_replace(m->text, "\n", g_rand_boolean(r) ? "\r\n" : "\r", 0);
}

static inline void mutate_empty(Mutant *m, GRand *r) {
  static const char *const texts[] = {"",
                                      "\n",
                                      "# nothing\n",
                                      "---\n",
                                      "hunch: 1\n",
                                      "{}",
                                      "[]\n",
                                      "text",
                                      "hunch: 1\nbase: {}\n",
                                      "- hunch: 1\n",
                                      "hunch: 1\narms: {a: {}, b: {}}\n",
                                      "%YAML 1.2\n---\n{}\n"};
  g_string_assign(m->text, PICK(r, texts));
  m->nonsense = true;
}

/* ---- one of them ---- */

typedef struct Mutation {
  const char *kind;
  void (*apply)(Mutant *m, GRand *r);
} Mutation;

static inline Mutant mutant_of(const char *study, GRand *r) {
  static const Mutation certain[] = {{"misspelt key", mutate_misspelt_key},
                                     {"doubled key", mutate_doubled_key},
                                     {"no number", mutate_no_number},
                                     {"out of range", mutate_out_of_range},
                                     {"bytes", mutate_bytes},
                                     {"NUL", mutate_nul},
                                     {"mark", mutate_mark},
                                     {"deep", mutate_deep},
                                     {"long", mutate_long},
                                     {"many", mutate_many},
                                     {"arm", mutate_arm},
                                     {"second", mutate_second},
                                     {"empty", mutate_empty}};
  static const Mutation maybe[] = {{"value", mutate_value},
                                   {"value", mutate_value},
                                   {"value", mutate_value},
                                   {"swapped values", mutate_swap_values},
                                   {"removed key", mutate_remove_key},
                                   {"byte", mutate_byte},
                                   {"truncated", mutate_truncate},
                                   {"line", mutate_line},
                                   {"mark of order", mutate_mark_of_order},
                                   {"line endings", mutate_endings}};
  Mutant m = {.text = g_string_new(study)};
  if (g_rand_boolean(r)) {
    const Mutation one = PICK(r, certain);
    m.kind = one.kind, one.apply(&m, r);
    return m;
  }
  Mutation one = PICK(r, maybe);
  m.kind = one.kind, one.apply(&m, r);
  for (int more = g_rand_int_range(r, 0, 3); more > 0; more--) {
    one = PICK(r, maybe);
    one.apply(&m, r);
  }
  return m;
}
#endif
