/* complete.c - see complete.h. */
#include "complete.h"
#include "check.h"
#include "complete_keys.h"
#include "options.h"
#include "scaffold.h"
#include <stdbool.h>
#include <string.h>

enum { GROUPS = 16 }; /* of what follows a verb */

/* What follows a verb is said by its usage, as "PLUGIN [KEY=VALUE..]". */
typedef struct Group {
  char *words; /* alternatives, "PLUGIN|run": capitals stand for something, others for themselves */
  bool repeats;
} Group;

typedef struct Completion {
  GString *out;
  const char *const *words; /* those before the cursor's, the verb first, up to NULL */
  const char *prefix;       /* of the candidates: what is written of the word */
  const HnVerb *verb;
  char **positional; /* words that are neither options nor their values */
} Completion;

void hn_complete_add(GString *out, const char *prefix, const char *word, const char *doc) {
  if (!g_str_has_prefix(word, prefix)) return;
  g_string_append_printf(out, "%s%s%s\n", word, doc ? "\t" : "", doc ? doc : "");
}

/* ---- what a word stands for ---- */

static HnNode *study_of(const Completion *c) {
  return c->positional[0] ? hn_complete_study(c->positional[0]) : NULL;
}

static void add_plugins(const Completion *c) {
  if (strchr(c->prefix, '/'))
    g_string_append(c->out, ":file so\n");
  else
    hn_complete_plugins(c->out, c->prefix, 0);
}

static void add_overrides(const Completion *c) {
  g_autoptr(HnNode) study = study_of(c);
  hn_complete_override(c->out, c->prefix, study);
}

static void add_parameters(const Completion *c) {
  if (c->positional[0]) hn_complete_parameter(c->out, c->prefix, c->positional[0]);
}

static void add_arms(const Completion *c) {
  g_autoptr(HnNode) study = study_of(c);
  hn_complete_arms(c->out, c->prefix, study);
}

static void add_kinds(const Completion *c) {
  for (const char *const *kind = hn_scaffold_kinds; *kind; kind++)
    hn_complete_add(c->out, c->prefix, *kind, NULL);
}

static void add_laws(const Completion *c) {
  g_autoptr(GHashTable) said = g_hash_table_new(g_str_hash, g_str_equal); /* of several kinds */
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    for (const HnLaw *law = hn_check_laws(kind); law->name; law++)
      if (g_hash_table_add(said, (gpointer)(guintptr)law->name))
        hn_complete_add(c->out, c->prefix, law->name, law->promise);
}

static void add_folders(const Completion *c) {
  g_string_append(c->out, ":folder\n");
}

static void add_files(const Completion *c) {
  g_string_append(c->out, ":file\n");
}

/* Words of usages and of options' values that stand for something; others in capitals are the
 * user's to know.  FILE.zip and STUDY.yaml are files of that ending. */
static const struct {
  const char *word;
  void (*add)(const Completion *c);
} meanings[] = {
    {"DIR", add_folders},
    {"FOLDER", add_folders},
    {"CELL", add_folders},
    {"FILE", add_files},
    {"A", add_files},
    {"B", add_files},
    {"PLUGIN", add_plugins},
    {"KIND", add_kinds},
    {"LAW", add_laws},
    {"ARM", add_arms},
    {"KEY=VALUE", add_parameters},
    {"BLOCK.KEY=VALUE", add_overrides},
};

static void add_meaning(const Completion *c, const char *word) {
  const char *dot = strrchr(word, '.');
  for (guint i = 0; i < G_N_ELEMENTS(meanings); i++) {
    if (strcmp(meanings[i].word, word) != 0) continue;
    meanings[i].add(c);
    return;
  }
  if (dot && g_ascii_islower(dot[1]))
    g_string_append_printf(c->out, ":file %s\n", dot + 1);
  else if (g_ascii_islower(*word))
    hn_complete_add(c->out, c->prefix, word, NULL);
}

static void add_alternatives(const Completion *c, const char *words) {
  g_auto(GStrv) all = g_strsplit(words, "|", -1);
  for (char **word = all; *word; word++) add_meaning(c, *word);
}

/* ---- options ---- */

static void add_option(void *arg, const GOptionEntry *option) {
  const Completion *c = arg;
  g_autofree char *word =
      g_strconcat("--", option->long_name, option->arg_description ? "=" : "", NULL);
  const char letter[] = {'-', option->short_name, 0};
  hn_complete_add(c->out, c->prefix, word, option->description);
  if (option->short_name && !c->prefix[1])
    hn_complete_add(c->out, c->prefix, letter, option->description);
}

typedef struct Wanted {
  const char *word;  /* "-o", "--output" or "--output=runs" */
  const char *value; /* what the option wants, or NULL */
} Wanted;

static void look_at_option(void *arg, const GOptionEntry *option) {
  Wanted *w = arg;
  const gsize n = strlen(option->long_name);
  const bool is_long = g_str_has_prefix(w->word, "--") &&
                       strncmp(w->word + 2, option->long_name, n) == 0 &&
                       (!w->word[2 + n] || w->word[2 + n] == '=');
  const bool is_short = w->word[0] == '-' && w->word[1] == option->short_name && !w->word[2];
  if (is_long || (is_short && option->short_name)) w->value = option->arg_description;
}

/* What the option that a word names wants as its value, or NULL. */
static const char *value_of(const HnVerb *verb, const char *word) {
  Wanted w = {.word = word};
  if (*word == '-') hn_options_each(verb, look_at_option, &w);
  return w.value;
}

/* The words behind the verb that are no options. */
static char **positional(const HnVerb *verb, const char *const *words) {
  g_autoptr(GStrvBuilder) all = g_strv_builder_new();
  for (; *words; words++) {
    if (**words != '-')
      g_strv_builder_add(all, *words);
    else if (value_of(verb, *words) && !strchr(*words, '=') && words[1])
      words++;
  }
  return g_strv_builder_end(all);
}

/* ---- what follows a verb ---- */

/* Splits a usage; options in it stand in the table of options. */
static int read_usage(const char *usage, Group groups[GROUPS]) {
  g_auto(GStrv) words = g_strsplit_set(usage, " []", -1);
  int n = 0;
  for (char **word = words; *word && n < GROUPS; word++) {
    if (**word == '-') {
      word += word[1] != NULL;
    } else if (**word) {
      const bool repeats = g_str_has_suffix(*word, "..");
      groups[n++] = (Group){g_strndup(*word, strlen(*word) - (repeats ? 2 : 0)), repeats};
    }
  }
  return n;
}

static void add_positional(const Completion *c) {
  Group groups[GROUPS];
  const int n = read_usage(c->verb->usage, groups), at = (int)g_strv_length(c->positional);
  int first = 0; /* that may come next */
  while (first < n && first < at && !groups[first].repeats) first++;
  for (int i = first; i < n; i++) {
    add_alternatives(c, groups[i].words);
    if (!groups[i].repeats) break;
  }
  for (int i = 0; i < n; i++) g_free(groups[i].words);
}

static void add_verbs(const Completion *c) {
  for (const HnVerb *v = hn_verbs; v->name; v++)
    if (v->summary) hn_complete_add(c->out, c->prefix, v->name, v->summary);
}

static void add_first(const Completion *c) {
  add_verbs(c);
  hn_complete_add(c->out, c->prefix, "help", "What a verb does and its options.");
  if (*c->prefix != '-') return;
  hn_complete_add(c->out, c->prefix, "--help", "The verbs there are.");
  hn_complete_add(c->out, c->prefix, "--version", "Version of hunch and of its plugin ABI.");
}

/* The value of an option, behind its '=' or as a word of its own. */
static void add_value(Completion *c, const char *value, bool behind) {
  const char *whole = c->prefix;
  GString *out = c->out;
  if (!behind) {
    add_alternatives(c, value);
    return;
  }
  const gsize head = (gsize)(strchr(whole, '=') + 1 - whole);
  c->out = g_string_new(NULL), c->prefix = whole + head;
  add_alternatives(c, value);
  g_auto(GStrv) lines = g_strsplit(c->out->str, "\n", -1);
  for (char **line = lines; **line; line++)
    g_string_append_printf(out, "%.*s%s\n", **line == ':' ? 0 : (int)head, whole, *line);
  g_string_free(c->out, TRUE);
  c->out = out, c->prefix = whole;
}

static void add_of_verb(Completion *c, const char *before) {
  const char *value = value_of(c->verb, c->prefix);
  const bool behind = value && strchr(c->prefix, '=');
  if (!behind) value = strchr(before, '=') ? NULL : value_of(c->verb, before);
  if (value)
    add_value(c, value, behind);
  else if (*c->prefix == '-')
    hn_options_each(c->verb, add_option, c);
  else
    add_positional(c);
}

char *hn_complete(const char *const *words) {
  g_autoptr(GString) out = g_string_new(NULL);
  const guint n = g_strv_length((char **)(guintptr)words);
  Completion c = {.out = out, .prefix = n ? words[n - 1] : ""};
  g_autofree const char **before = g_new0(const char *, n + 1);
  if (n) memcpy(before, words, (n - 1) * sizeof *before);
  c.words = before;
  if (n < 2) {
    add_first(&c);
  } else if (strcmp(words[0], "help") == 0) {
    if (n == 2) add_verbs(&c);
  } else if ((c.verb = hn_verb_find(words[0])) && c.verb->summary) {
    c.positional = positional(c.verb, c.words + 1);
    add_of_verb(&c, before[n - 2]);
    g_strfreev(c.positional);
  }
  return g_strdup(out->str);
}
