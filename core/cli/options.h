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
/* Prints the error and the verb's usage; returns HN_EXIT_USAGE. */
int hn_options_refuse(const HnVerb *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);
#endif
