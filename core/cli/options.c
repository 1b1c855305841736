/* options.c - see options.h. */
#include "options.h"
#include "diagnostics.h"
#include "message.h"
#include "study.h"
#include "text_fold.h"
#include "text_table.h"
#include "words_meant.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 80 }; /* of help */

static const GOptionEntry help_entry = {"help", 'h',          0,   G_OPTION_ARG_NONE,
                                        NULL,   "Show this.", NULL};

/* Who asked for a verb's options, while hn_options_each is under way. */
static struct {
  HnOptionVisit *visit;
  void *arg;
} asked;

static void print_usage(const HnVerb *verb) {
  fprintf(stderr, "usage: hunch %s [OPTION..] %s\n'hunch help %s' lists the options.\n", verb->name,
          verb->usage, verb->name);
}

int hn_options_refuse(const HnVerb *verb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  hn_message_error(verb->name, "%s", text);
  print_usage(verb);
  return HN_EXIT_USAGE;
}

/* The long option nearest to what an argument says, or NULL. */
static const char *nearest_option(const char *argument, const GOptionEntry *entries) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (const GOptionEntry *e = entries; e && e->long_name; e++)
    if (*e->long_name) g_ptr_array_add(names, (gpointer)(guintptr)e->long_name);
  g_ptr_array_add(names, (gpointer)(guintptr) "help");
  g_ptr_array_add(names, NULL);
  g_autofree char *name = g_strdup(argument + strspn(argument, "-"));
  name[strcspn(name, "=")] = 0;
  return hn_diag_nearest(name, (const char *const *)names->pdata);
}

/* The block of a study that has such a key, or NULL. */
static const char *block_of(const char *key) {
  const HnSchema blocks[] = {hn_run_schema(), hn_evaluation_schema(), hn_seeds_schema(),
                             hn_report_schema()};
  for (guint i = 0; i < G_N_ELEMENTS(blocks); i++)
    if (hn_schema_find(&blocks[i], key)) return blocks[i].what;
  return NULL;
}

/* --run.frames=100, --frames: a key of the study, not an option.  Refuses it as such, or -1. */
static int refuse_key(const HnVerb *verb, const char *option, const GError *error) {
  g_autofree char *key = g_strdup(option + strspn(option, "-"));
  if (!strstr(verb->usage, "KEY=VALUE")) return -1;
  if (key[strcspn(key, ".=")] == '.')
    return hn_options_refuse(verb, "%s: did you mean %s, without dashes?", error->message, key);
  key[strcspn(key, "=")] = 0;
  const char *block = block_of(key);
  if (!block) return -1;
  return hn_options_refuse(verb, "%s: did you mean %s.%s=VALUE?", error->message, block, key);
}

/* GOption says "Unknown option --jbos"; the last word is the option. */
static int refuse_option(const HnVerb *verb, const GOptionEntry *entries, const GError *error) {
  const char *nearest = NULL, *option = strrchr(error->message, ' ');
  if (g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) && option)
    nearest = nearest_option(option + 1, entries);
  const int code = option ? refuse_key(verb, option + 1, error) : -1;
  if (code >= 0) return code;
  const char *meant = option ? hn_option_meant(option + 1) : NULL;
  if (meant) return hn_options_refuse(verb, "%s: %s", error->message, meant);
  if (nearest) return hn_options_refuse(verb, "%s: did you mean --%s?", error->message, nearest);
  return hn_options_refuse(verb, "%s", error->message);
}

/* GOption leaves a `--` in argv where the rest could be mistaken for options. */
static void drop_dashes(int *argc, char **argv) {
  for (int i = 1; i < *argc; i++) {
    if (strcmp(argv[i], "--") != 0) continue;
    memmove(argv + i, argv + i + 1, (gsize)(*argc - i) * sizeof *argv);
    --*argc;
    return;
  }
}

/* ---- what a verb takes ---- */

static void visit_all(const GOptionEntry *entries, HnOptionVisit *visit, void *arg) {
  for (const GOptionEntry *e = entries; e && e->long_name; e++)
    if (!(e->flags & G_OPTION_FLAG_HIDDEN)) visit(arg, e);
  visit(arg, &help_entry);
}

void hn_options_each(const HnVerb *verb, HnOptionVisit *visit, void *arg) {
  char name[32], help[] = "--help";
  char *argv[] = {name, help, NULL};
  g_strlcpy(name, verb->name, sizeof name);
  asked.visit = visit, asked.arg = arg;
  verb->run(2, argv);
  asked.visit = NULL;
}

char *hn_options_head(const GOptionEntry *option) {
  const char letter[] = {'-', option->short_name, ',', ' ', 0};
  const bool takes = option->arg_description != NULL;
  return g_strdup_printf("%s--%s%s%s", option->short_name ? letter : "", option->long_name,
                         takes ? "=" : "", takes ? option->arg_description : "");
}

static void add_row(void *table, const GOptionEntry *option) {
  hn_text_table_add(table, hn_options_head(option));
  hn_text_table_add(table, g_strdup(option->description));
}

static void print_help(const HnVerb *verb, const GOptionEntry *entries) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_string_printf(out, "Usage:\n  hunch %s [OPTION..] %s\n\n", verb->name, verb->usage);
  if (verb->summary) g_string_append_printf(out, "%s\n\n", verb->summary);
  g_string_append(out, "Options:\n");
  HnTextTable t = hn_text_table("ll");
  visit_all(entries, add_row, &t);
  hn_text_table_end(&t, G_MAXINT, out);
  g_autofree char *text = hn_text_folded(out->str, WIDTH);
  fputs(text, stdout);
}

/* -j2, which GOption does not take, becomes --jobs=2. */
static void spell_out(const GOptionEntry *entries, int argc, char **argv) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    for (const GOptionEntry *e = entries; e && e->long_name; e++) {
      const bool takes = e->short_name && e->arg != G_OPTION_ARG_NONE;
      if (!takes || argv[i][0] != '-' || argv[i][1] != e->short_name || !argv[i][2]) continue;
      g_autofree char *whole = g_strdup_printf("--%s=%s", e->long_name, argv[i] + 2);
      argv[i] = (char *)(guintptr)g_intern_string(whole);
      break;
    }
}

/* Whether an option was given with nothing as its value, or one of its values. */
static bool is_empty(const GOptionEntry *e) {
  if (e->arg == G_OPTION_ARG_STRING_ARRAY || e->arg == G_OPTION_ARG_FILENAME_ARRAY) {
    char **const all = *(char ***)e->arg_data;
    return all && g_strv_contains((const char *const *)all, "");
  }
  const bool one = e->arg == G_OPTION_ARG_STRING || e->arg == G_OPTION_ARG_FILENAME;
  const char *value = one ? *(char **)e->arg_data : NULL;
  return value && !*value;
}

static int refuse_nameless(const HnVerb *verb, const GOptionEntry *e) {
  const bool folder = !strcmp(e->arg_description, "DIR") || !strcmp(e->arg_description, "FOLDER");
  const char letter[] = {e->short_name, 0};
  return hn_options_refuse(verb, "%s%s wants the name of a %s", e->short_name ? "-" : "--",
                           e->short_name ? letter : e->long_name, folder ? "folder" : "file");
}

/* No option that takes a value means something without: refuses the first that has none, or -1. */
static int refuse_empty(const HnVerb *verb, const GOptionEntry *entries) {
  for (const GOptionEntry *e = entries; e && e->long_name; e++) {
    if (!is_empty(e)) continue;
    if (e->arg == G_OPTION_ARG_FILENAME) return refuse_nameless(verb, e);
    return hn_options_refuse(verb, "--%s: expected %s, but there is nothing", e->long_name,
                             e->arg_description);
  }
  return -1;
}

/* GOption ignores the value of an option that takes none, --json=X: refuses it, or -1. */
static int refuse_values(const HnVerb *verb, const GOptionEntry *entries, int argc, char **argv) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    for (const GOptionEntry *e = entries; e && e->long_name; e++) {
      const gsize n = strlen(e->long_name);
      if (e->arg == G_OPTION_ARG_NONE && g_str_has_prefix(argv[i], "--") &&
          strncmp(argv[i] + 2, e->long_name, n) == 0 && argv[i][2 + n] == '=')
        return hn_options_refuse(verb, "--%s takes no value: leave a space behind it",
                                 e->long_name);
    }
  return -1;
}

int hn_options_parse(const HnVerb *verb, GOptionEntry *entries, int *argc, char ***argv) {
  gboolean help = FALSE;
  GOptionEntry always[] = {help_entry, {NULL}};
  always[0].arg_data = &help;
  if (asked.visit) {
    visit_all(entries, asked.visit, asked.arg);
    return HN_EXIT_DONE;
  }
  g_autofree char *program = g_strconcat("hunch ", verb->name, NULL);
  g_set_prgname(program);
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  g_option_context_set_help_enabled(context, FALSE);
  if (entries) g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_main_entries(context, always, NULL);
  spell_out(entries, *argc, *argv);
  const int code = refuse_values(verb, entries, *argc, *argv);
  if (code >= 0) return code;
  if (!g_option_context_parse(context, argc, argv, &error))
    return refuse_option(verb, entries, error);
  drop_dashes(argc, *argv);
  if (!help) return refuse_empty(verb, entries);
  print_help(verb, entries);
  return HN_EXIT_DONE;
}
