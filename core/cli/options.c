/* options.c - what the verbs share: options, messages, colour. */
#include "cli.h"
#include "diagnostics.h"
#include "error.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *hn_cli_style(int fd, HnStyle style) {
  static const char *const escapes[] = {"\033[0m", "\033[1m", "\033[1;31m", "\033[1;33m",
                                        "\033[32m"};
  const char *no_color = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
  if ((no_color && *no_color) || !term || strcmp(term, "dumb") == 0 || !isatty(fd)) return "";
  return escapes[style];
}

G_GNUC_PRINTF(4, 0)
static void message(const char *verb, const char *what, HnStyle style, const char *format,
                    va_list args) {
  g_autofree char *text = g_strdup_vprintf(format, args);
  fflush(stdout); /* so that a shared terminal or file keeps the order */
  fprintf(stderr, "hunch%s%s: %s%s:%s %s\n", verb ? " " : "", verb ? verb : "",
          hn_cli_style(STDERR_FILENO, style), what, hn_cli_style(STDERR_FILENO, HN_PLAIN), text);
}

void hn_cli_error(const char *verb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  message(verb, "error", HN_RED, format, args);
  va_end(args);
}

void hn_cli_warning(const char *verb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  message(verb, "warning", HN_YELLOW, format, args);
  va_end(args);
}

static void print_usage(const HnVerb *verb) {
  fprintf(stderr, "usage: hunch %s [OPTION..] %s\n'hunch help %s' lists the options.\n", verb->name,
          verb->usage, verb->name);
}

int hn_cli_usage(const HnVerb *verb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  message(verb->name, "error", HN_RED, format, args);
  va_end(args);
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

/* GOption says "Unknown option --jbos"; the last word is the option. */
static int refuse_option(const HnVerb *verb, const GOptionEntry *entries, const GError *error) {
  const char *nearest = NULL, *option = strrchr(error->message, ' ');
  if (g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) && option)
    nearest = nearest_option(option + 1, entries);
  if (nearest) return hn_cli_usage(verb, "%s: did you mean --%s?", error->message, nearest);
  return hn_cli_usage(verb, "%s", error->message);
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

int hn_cli_options(const HnVerb *verb, GOptionEntry *entries, int *argc, char ***argv) {
  gboolean help = FALSE;
  GOptionEntry always[] = {{"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this.", NULL}, {NULL}};
  g_autofree char *program = g_strconcat("hunch ", verb->name, NULL);
  g_set_prgname(program);
  g_autoptr(GOptionContext) context = g_option_context_new(verb->usage);
  g_autoptr(GError) error = NULL;
  g_option_context_set_help_enabled(context, FALSE);
  if (verb->summary) g_option_context_set_summary(context, verb->summary);
  if (entries) g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_main_entries(context, always, NULL);
  if (!g_option_context_parse(context, argc, argv, &error))
    return refuse_option(verb, entries, error);
  drop_dashes(argc, *argv);
  if (!help) return -1;
  g_autofree char *text = g_option_context_get_help(context, TRUE, NULL);
  fputs(text, stdout);
  return HN_EXIT_DONE;
}

int hn_cli_exit_code(const GError *error) {
  if (error->domain != HN_ERROR) return HN_EXIT_FAILED;
  switch (error->code) {
  case HN_ERROR_REFUSED:
  case HN_ERROR_MISSING:
  case HN_ERROR_DIFFERS:
    return HN_EXIT_USAGE;
  case HN_ERROR_INTERRUPTED:
    return HN_EXIT_INTERRUPTED;
  default:
    return HN_EXIT_FAILED;
  }
}
