/* main.c - `hunch VERB ...`: finds the verb and hands over. */
#include "cli.h"
#include "diagnostics.h"
#include "registry.h"
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const HnVerb verbs[] = {
    {"run", "STUDY.yaml [BLOCK.KEY=VALUE..]", "Run a study, or what is left of it.", hn_cli_run},
    {"validate", "STUDY.yaml [BLOCK.KEY=VALUE..]", "Check a study; say all that is wrong with it.",
     hn_cli_validate},
    {"plan", "STUDY.yaml [BLOCK.KEY=VALUE..]", "Show which cells of a study would run, and why.",
     hn_cli_plan},
    {"compare", "DIR", "Set the arms of a study side by side, with intervals.", hn_cli_compare},
    {"report", "DIR", "Write a study's results as one HTML page with plots.", hn_cli_report},
    {"inspect", "[PLUGIN]", "Show the plugins there are, or the parameters of one.",
     hn_cli_inspect},
    {"video", "CELL -o FILE.mp4", "Film a trial of a trained cell, with its belief.", hn_cli_video},
    {"play", "CELL", "Show a trial of a trained cell, in a window or in the terminal.",
     hn_cli_play},
    {"cell", "DIR", NULL, hn_cli_cell},
    {"fits", "", NULL, hn_cli_fits},
    {"doctor", "", "Check what hunch needs on this machine.", hn_cli_doctor},
};

const HnVerb *hn_cli_verb(const char *name) {
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
    if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
  return NULL;
}

static void print_help(FILE *out) {
  fputs("usage: hunch VERB ...\n\n", out);
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
    if (verbs[i].summary) fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
  fputs("\n  hunch help VERB   what a verb does and its options\n"
        "  hunch --version   version of hunch and of its plugin ABI\n\n"
        "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 verification differs,\n"
        "4 some cells failed, 75 interrupted with a checkpoint (run again to go on).\n",
        out);
}

static int refuse_verb(const char *name) {
  const char *names[G_N_ELEMENTS(verbs) + 1] = {NULL};
  for (guint i = 0, n = 0; i < G_N_ELEMENTS(verbs); i++)
    if (verbs[i].summary) names[n++] = verbs[i].name;
  const char *nearest = hn_diag_nearest(name, names);
  if (nearest)
    hn_cli_error(NULL, "no verb '%s': did you mean '%s'?", name, nearest);
  else
    hn_cli_error(NULL, "no verb '%s': 'hunch --help' lists them", name);
  return HN_EXIT_USAGE;
}

static int help(int argc, char **argv) {
  if (argc < 2) {
    print_help(stdout);
    return HN_EXIT_DONE;
  }
  const HnVerb *verb = hn_cli_verb(argv[1]);
  if (!verb) return refuse_verb(argv[1]);
  char name[32], option[] = "--help";
  g_strlcpy(name, verb->name, sizeof name);
  char *asked[] = {name, option, NULL};
  return verb->run(2, asked);
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
  const HnVerb *verb = hn_cli_verb(argv[1]);
  if (!verb) return refuse_verb(argv[1]);
  if (verb->summary) { /* an internal verb was started by one that has said it already */
    g_auto(GStrv) ignored = hn_plugins_ignored();
    for (char **text = ignored; *text; text++) hn_cli_warning(NULL, "%s", *text);
  }
  return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");                     /* numbers stay in the C locale */
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE); /* parallelism is run.workers and -j */
  signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of writing, told as such */
  int code = dispatch(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    hn_cli_error(NULL, "standard output cannot be written: %s", g_strerror(errno));
    if (code == HN_EXIT_DONE) code = HN_EXIT_FAILED;
  }
  return code;
}
