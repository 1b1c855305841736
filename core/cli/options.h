/* options.h - the options of a verb, and what is said of a wrong call. */
#ifndef HN_OPTIONS_H
#define HN_OPTIONS_H
#include "verbs.h"
#include <glib.h>

/* Parses options in place with the verb's usage in the help (entries end with {NULL}; may be NULL).
 * Returns -1 where the verb goes on with argv[1], argv[2], ..; HN_EXIT_DONE after --help;
 * HN_EXIT_USAGE after an unknown option, for which the nearest known one is named.  `--` ends the
 * options and is removed. */
int hn_options_parse(const HnVerb *verb, GOptionEntry *entries, int *argc, char ***argv);
/* What a verb takes: every option that its help shows, "help" last.  Asks the verb itself, which
 * hands its options to hn_options_parse before it does anything.  Not for internal verbs, nor from
 * within a verb's own parsing. */
typedef void HnOptionVisit(void *arg, const GOptionEntry *option);
void hn_options_each(const HnVerb *verb, HnOptionVisit *visit, void *arg);
/* "-o, --output=DIR", or "--json"; g_free. */
char *hn_options_head(const GOptionEntry *option);
/* Prints the error and the verb's usage; returns HN_EXIT_USAGE. */
int hn_options_refuse(const HnVerb *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);
#endif
