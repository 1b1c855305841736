/* cli.h - one function per verb, thin; argv[0] is the verb.  Returns the exit code.
 * Data goes to stdout, everything else to stderr. */
#ifndef HN_CLI_H
#define HN_CLI_H
#include <glib.h>

enum {
  HN_EXIT_DONE = 0,
  HN_EXIT_FAILED = 1,
  HN_EXIT_USAGE = 2,       /* or configuration */
  HN_EXIT_PARTIAL = 4,     /* some cells failed */
  HN_EXIT_INTERRUPTED = 75 /* with a checkpoint: requeue me */
};

/* The exit code of a verb that ended with this error (docs/errors.md). */
int hn_cli_exit_code(const GError *error);

typedef struct HnVerb {
  const char *name, *usage;
  const char *summary; /* NULL: internal, not listed */
  int (*run)(int argc, char **argv);
} HnVerb;

int hn_cli_run(int argc, char **argv);
int hn_cli_cell(int argc, char **argv); /* internal: runs one cell folder */
int hn_cli_fits(int argc, char **argv); /* internal: sets plugins against a checkpoint */
int hn_cli_validate(int argc, char **argv);
int hn_cli_plan(int argc, char **argv);
int hn_cli_inspect(int argc, char **argv);
int hn_cli_compare(int argc, char **argv);
int hn_cli_report(int argc, char **argv);
int hn_cli_video(int argc, char **argv);
int hn_cli_play(int argc, char **argv);
int hn_cli_doctor(int argc, char **argv);

/* Parses options in place with the verb's usage in the help (entries end with {NULL}; may be NULL);
 * on a wrong option prints it with the nearest valid one and returns HN_EXIT_USAGE, after --help
 * HN_EXIT_DONE, else -1: go on with argv[1], argv[2], ..  `--` ends the options and is removed. */
int hn_cli_options(const HnVerb *verb, GOptionEntry *entries, int *argc, char ***argv);
const HnVerb *hn_cli_verb(const char *name);

/* The study that argv[1] names with the overrides argv[2], argv[3], ..; NULL, with every finding on
 * stderr, if it is not one: HN_EXIT_USAGE. */
struct HnStudy *hn_cli_study(const HnVerb *verb, int argc, char **argv);

/* "hunch VERB: error: TEXT" to stderr, in colour on a terminal. */
void hn_cli_error(const char *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);
void hn_cli_warning(const char *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A wrong call: the error, the verb's usage; returns HN_EXIT_USAGE. */
int hn_cli_usage(const HnVerb *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The escape sequence of a style on file descriptor fd, or "": not a terminal, NO_COLOR is set, or
 * the terminal is dumb. */
typedef enum HnStyle { HN_PLAIN, HN_BOLD, HN_RED, HN_YELLOW, HN_GREEN } HnStyle;
const char *hn_cli_style(int fd, HnStyle style);
#endif
