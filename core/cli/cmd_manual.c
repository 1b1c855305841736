/* cmd_manual.c - `hunch manual`, of the build: the page hunch(1), made of what the verbs say of
 * themselves. */
#include "message.h"
#include "options.h"
#include "verbs.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A text as troff takes it. */
static void print(const char *text) {
  if (*text == '.' || *text == '\'') fputs("\\&", stdout);
  for (; *text; text++)
    if (*text == '\\')
      fputs("\\e", stdout);
    else if (*text == '-')
      fputs("\\-", stdout);
    else
      putchar(*text);
}

/* An item of a list: its head in bold, then its text. */
static void print_item(const char *head, const char *text) {
  fputs(".TP\n.B ", stdout);
  print(head);
  putchar('\n');
  print(text);
  putchar('\n');
}

/* "  -o, --output=FOLDER   Folder to write." of what a verb's --help prints. */
static void print_option(const char *line) {
  const char *head = line + strspn(line, " "), *gap = strstr(head, "  ");
  g_autofree char *option = gap ? g_strndup(head, (gsize)(gap - head)) : g_strdup(head);
  print_item(option, gap ? gap + strspn(gap, " ") : "");
}

static bool print_verb(const HnVerb *verb, GError **error) {
  char self[] = "/proc/self/exe", help[] = "--help", name[32];
  g_strlcpy(name, verb->name, sizeof name);
  char *argv[] = {self, name, help, NULL};
  g_autofree char *text = NULL;
  if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL, NULL, error))
    return false;
  printf(".SS hunch %s", verb->name);
  if (*verb->usage) putchar(' ');
  print(verb->usage);
  putchar('\n');
  print(verb->summary);
  putchar('\n');
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++)
    if (g_str_has_prefix(*line, "  -")) print_option(*line);
  return true;
}

static void print_rest(void) {
  puts(".SH EXIT STATUS");
#define EXIT(name, code, doc) print_item(#code, doc);
  HN_EXITS(EXIT)
  puts(".SH ENVIRONMENT");
  print_item("HUNCH_PLUGIN_PATH", "Folders, by their full paths and with colons between them, in "
                                  "which plugins are looked for first.");
  print_item("HUNCH_ISA", "Instruction set of the numerics: base, v3 or v4.");
  print_item("NO_COLOR", "If set, messages have no colours.");
  puts(".SH SEE ALSO\n.BR pkg-config (1),\nfor authors of plugins:\n.BR \"pkg-config --cflags "
       "hunch\" .");
}

int hn_cmd_manual(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, NULL, &argc, &argv);
  if (code >= 0) return code;
  puts(
      ".TH HUNCH 1 \"\" \"hunch " HN_VERSION
      "\"\n.SH NAME\nhunch \\- Bayesian (meta\\-)reinforcement "
      "learning, as studies of plugins\n.SH SYNOPSIS\n.B hunch\n.I VERB\n.RI [ ARGUMENTS ]\n"
      ".SH DESCRIPTION\nA study is a YAML file that names plugins: environments, inference methods "
      "and policy learners.\nhunch runs it with paired seeds and compares its arms.\n.SH VERBS");
  g_autoptr(GError) error = NULL;
  for (const HnVerb *v = hn_verbs; v->name; v++)
    if (v->summary && !print_verb(v, &error)) {
      hn_message_error(verb->name, "%s", error->message);
      return hn_verb_exit_code(error);
    }
  print_rest();
  return HN_EXIT_DONE;
}
