/* cmd_manual.c - `hunch manual [study]`, of the build: the page hunch(1), made of what the verbs
 * say of themselves, or hunch-study(5), of the tables by which studies are read. */
#include "options.h"
#include "study.h"
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

/* ---- hunch(1) ---- */

static void print_option(void *arg, const GOptionEntry *option) {
  g_autofree char *head = hn_options_head(option);
  (void)arg;
  print_item(head, option->description);
}

static void print_verb(const HnVerb *verb) {
  printf(".SS hunch %s", verb->name);
  if (*verb->usage) putchar(' ');
  print(verb->usage);
  putchar('\n');
  print(verb->summary);
  putchar('\n');
  hn_options_each(verb, print_option, NULL);
}

static void print_rest(void) {
  puts(".SH EXIT STATUS");
#define EXIT(name, code, doc) print_item(#code, doc);
  HN_EXITS(EXIT)
  puts(".SH ENVIRONMENT");
  print_item("HUNCH_PLUGIN_PATH", "Folders, by their full paths and with colons between them, in "
                                  "which plugins are looked for first.");
  print_item("HUNCH_ISA", "Instruction set of the numerics: base, v3 or v4.");
  print_item("NO_COLOR", "If set, nothing has colours.");
  puts(".SH SEE ALSO\n.BR hunch\\-study (5),\n.BR pkg\\-config (1),\nfor authors of plugins:\n"
       ".BR \"pkg\\-config \\-\\-cflags hunch\" .");
}

static void print_commands(void) {
  puts(".TH HUNCH 1 \"\" \"hunch " HN_VERSION
       "\"\n.SH NAME\nhunch \\- Bayesian (meta\\-)reinforcement learning, as studies of plugins\n"
       ".SH SYNOPSIS\n.B hunch\n.I VERB\n.RI [ ARGUMENTS ]\n.SH DESCRIPTION\n"
       "A study is a YAML file,\n.BR hunch\\-study (5),\nthat names plugins: environments, "
       "inference methods and policy learners.\n.B hunch\nruns it with paired seeds and compares "
       "its arms.\n.SH VERBS");
  for (const HnVerb *v = hn_verbs; v->name; v++)
    if (v->summary) print_verb(v);
  print_rest();
}

/* ---- hunch-study(5) ---- */

/* "frames: 100000", and what it may be and means. */
static void print_key(const HnParam *p) {
  g_autofree char *expected = hn_params_expected(p), *value = hn_params_default(p);
  g_autofree char *head = g_strdup_printf("%s: %s", p->name, value);
  g_autofree char *text = g_strdup_printf("%s (%s)", p->doc, expected);
  print_item(head, text);
}

static void print_block(const HnBlock *block) {
  const HnSchema schema = block->schema();
  printf(".SS %s\n", block->name);
  print(block->doc);
  putchar('\n');
  for (guint i = 0; i < schema.count; i++) print_key(hn_schema_at(&schema, i));
}

static void print_study(void) {
  puts(".TH HUNCH\\-STUDY 5 \"\" \"hunch " HN_VERSION
       "\"\n.SH NAME\nhunch\\-study \\- a study of hunch, as a YAML file\n.SH DESCRIPTION\n"
       "A study has a base, arms that patch it, and seeds that all arms share.\nAn arm that names "
       "another plugin than the base replaces that block.\nThe keys of plugins are said by\n"
       ".BR \"hunch inspect\" .\n.PP\n.nf\n"
       "hunch: 1\nseeds: {root: 7, count: 5}\nbase:\n  env:       {plugin: gridworld}\n"
       "  inference: {plugin: gridworld_belief}\n  policy:    {plugin: ppo, lr: 7e\\-4}\n"
       "  run:       {frames: 1e6, rows: 16, episodes: 4}\narms:\n  belief: {}\n"
       "  none:   {inference: {plugin: none}}\nreport: {baseline: none}\n.fi\n.PP\n"
       "On the command line of\n.BR hunch (1)\na word\n.I BLOCK.KEY=VALUE\npatches every arm, and\n"
       ".I arms.ARM.BLOCK.KEY=VALUE\none of them.\n.SH BLOCKS AND KEYS");
  for (const HnBlock *b = hn_blocks; b->name; b++) print_item(b->name, b->doc);
  puts(".SH KEYS OF BLOCKS\nEach with its default.");
  for (const HnBlock *b = hn_blocks; b->name; b++)
    if (b->schema) print_block(b);
  puts(".SH SEE ALSO\n.BR hunch (1)");
}

int hn_cmd_manual(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, NULL, &argc, &argv);
  if (code >= 0) return code;
  const bool study = argc == 2 && strcmp(argv[1], "study") == 0;
  if (argc > 1 && !study) return hn_options_refuse(verb, "'%s': there is the page study", argv[1]);
  if (study)
    print_study();
  else
    print_commands();
  return HN_EXIT_DONE;
}
