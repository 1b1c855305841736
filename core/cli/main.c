/* main.c - `hunch VERB ...`: finds the verb and hands over. */
#include "diagnostics.h"
#include "message.h"
#include "registry.h"
#include "verbs.h"
#include "words_meant.h"
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static void print_help(FILE *out) {
  fputs("usage: hunch VERB ...\n\n", out);
  for (const HnVerb *v = hn_verbs; v->name; v++)
    if (v->summary) fprintf(out, "  %-10s %s\n", v->name, v->summary);
  fputs("\n  hunch help VERB   what a verb does and its options\n"
        "  hunch --version   version of hunch and of its plugin ABI\n\n"
        "Exit codes:\n",
        out);
#define PRINT_EXIT(name, code, doc) fprintf(out, "  %-3d %s\n", code, doc);
  HN_EXITS(PRINT_EXIT)
}

static int refuse_verb(const char *name) {
  static const char *const options[] = {"--help", "--version", NULL};
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (const HnVerb *v = hn_verbs; v->name; v++)
    if (v->summary) g_ptr_array_add(names, (gpointer)(guintptr)v->name);
  g_ptr_array_add(names, NULL);
  const char *nearest =
      hn_diag_nearest(name, *name == '-' ? options : (const char *const *)names->pdata);
  g_autofree char *shown = hn_diag_cut(name);
  if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml"))
    hn_message_error(NULL, "no verb '%s': did you mean 'hunch run %s'?", shown, shown);
  else if (hn_verb_meant(name + strspn(name, "-")))
    hn_message_error(NULL, "no verb '%s': %s", shown, hn_verb_meant(name + strspn(name, "-")));
  else if (nearest)
    hn_message_error(NULL, "no verb '%s': did you mean '%s'?", shown, nearest);
  else
    hn_message_error(NULL, "no verb '%s': 'hunch --help' lists them", shown);
  return HN_EXIT_USAGE;
}

static int help(int argc, char **argv) {
  if (argc < 2) {
    print_help(stdout);
    return HN_EXIT_DONE;
  }
  const HnVerb *verb = hn_verb_find(argv[1]);
  if (!verb) return refuse_verb(argv[1]);
  char name[32], option[] = "--help";
  g_strlcpy(name, verb->name, sizeof name);
  char *asked[] = {name, option, NULL};
  return verb->run(2, asked);
}

/* What is written down of a run, paths and overrides too, is UTF-8.  The first argument that is
 * not, or NULL. */
static const char *not_utf8(int argc, char **argv) {
  for (int i = 0; i < argc; i++)
    if (!g_utf8_validate(argv[i], -1, NULL)) return argv[i];
  return NULL;
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    print_help(stderr);
    return HN_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
    printf("hunch %s (plugin ABI %d.%d)\n", HN_VERSION, HN_ABI_MAJOR, HN_ABI_MINOR);
    return HN_EXIT_DONE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
    return help(argc - 1, argv + 1);
  const HnVerb *verb = hn_verb_find(argv[1]);
  if (!verb) return refuse_verb(argv[1]);
  if (verb->summary) { /* an internal verb was started by one that has said it already */
    g_auto(GStrv) ignored = hn_plugins_ignored();
    for (char **text = ignored; *text; text++) hn_message_warning(NULL, "%s", *text);
    const char *bad = not_utf8(argc, argv);
    if (bad) {
      g_autofree char *shown = hn_diag_printable(bad);
      hn_message_error(verb->name, "'%s' is not UTF-8", shown);
      return HN_EXIT_USAGE;
    }
  }
  return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
  prctl(PR_SET_NAME, "hunch");                 /* of cells too, which are started through /proc */
  setlocale(LC_CTYPE, "");                     /* numbers stay in the C locale */
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE); /* parallelism is run.workers and -j */
  signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of writing, told as such */
  int code = dispatch(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    hn_message_error(NULL, "standard output cannot be written: %s", g_strerror(errno));
    if (code == HN_EXIT_DONE) code = HN_EXIT_FAILED;
  }
  return code;
}
