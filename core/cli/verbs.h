/* verbs.h - the verbs of `hunch`: a row here, and a file cmd_NAME.c with one thin function.
 * Data goes to stdout, everything else to stderr. */
#ifndef HN_VERBS_H
#define HN_VERBS_H
#include <glib.h>

/* X(function, verb, what follows it, summary); a verb without a summary is internal and not listed.
 */
#define HN_VERBS(X)                                                                              \
  X(run, "run", "STUDY.yaml [BLOCK.KEY=VALUE..]", "Run a study, or what is left of it.")         \
  X(submit, "submit", "STUDY.yaml --partition P --time T --max-parallel N [BLOCK.KEY=VALUE..]",  \
    "Have Slurm run what is left of a study.")                                                   \
  X(validate, "validate", "STUDY.yaml [BLOCK.KEY=VALUE..]",                                      \
    "Say all that is wrong with a study, or what its cells will take.")                          \
  X(plan, "plan", "STUDY.yaml [BLOCK.KEY=VALUE..]",                                              \
    "Show which cells of a study would run, and why.")                                           \
  X(status, "status", "DIR", "Show what every cell of a study is doing, and how far it is.")     \
  X(serve, "serve", "DIR", "Show a study as it runs on a page of this machine alone.")           \
  X(runs, "runs", "[DIR]", "List the studies below a folder (runs), with their results.")        \
  X(compare, "compare", "DIR..", "Set the arms of studies side by side, with intervals.")        \
  X(report, "report", "DIR", "Write a study's results as one HTML page with plots.")             \
  X(pack, "pack", "DIR -o FILE.zip", "Write a study as one file that proves itself elsewhere.")  \
  X(verify, "verify", "FILE.zip", "Say whether a package is whole, and computes the same here.") \
  X(diff, "diff", "A B", "Say where two cells, studies or packages part.")                       \
  X(export, "export", "DIR [-o FOLDER]", "Write results as .npz and .safetensors.")              \
  X(inspect, "inspect", "[PLUGIN|run|evaluation|weights|seeds|sweep|report|protocol]",           \
    "Show the plugins there are, what one takes, or a block's keys.")                            \
  X(schema, "schema", "", "Print what a study may hold as JSON Schema, for editors.")            \
  X(new, "new", "KIND NAME", "Start a plugin of your own: source, tests, study, README.")        \
  X(check, "check", "PLUGIN [KEY=VALUE..] [BLOCK.KEY=VALUE..]",                                  \
    "Judge a plugin by the laws of its kind.")                                                   \
  X(video, "video", "CELL -o FILE.mp4", "Film a trial of a trained cell, with its belief.")      \
  X(play, "play", "CELL", "Show a trial of a trained cell, in a window or in the terminal.")     \
  X(completion, "completion", "bash|zsh|fish", "Print the completion script of a shell.")        \
  X(complete, "complete", "WORD..", NULL)                                                        \
  X(cell, "cell", "DIR", NULL)                                                                   \
  X(task, "task", "CONFIGURATION DIR", NULL)                                                     \
  X(check_cells, "check-cells", "METRIC", NULL)                                                  \
  X(manual, "manual", "[study]", NULL)                                                           \
  X(check_weights, "check-weights", "", NULL)                                                    \
  X(doctor, "doctor", "", "Check what hunch needs on this machine.")

/* X(name, code, what it says) */
#define HN_EXITS(X)                                                                       \
  X(DONE, 0, "done")                                                                      \
  X(FAILED, 1, "failed")                                                                  \
  X(USAGE, 2, "usage or configuration: the same command will fail again")                 \
  X(BROKEN, 3, "a plugin breaks a law, a package is not what it says, or results differ") \
  X(PARTIAL, 4, "some cells failed")                                                      \
  X(INTERRUPTED, 75, "interrupted with a checkpoint: run again to go on")
#define HN_EXIT_CODE(name, code, doc) HN_EXIT_##name = (code),
enum { HN_EXITS(HN_EXIT_CODE) };

/* The exit code of a verb that ended with this error (docs/errors.md). */
int hn_verb_exit_code(const GError *error);

/* Each takes argv[0], the verb, and what follows it, and returns the exit code. */
#define HN_VERB_FUNCTION(function, verb, usage, summary) \
  int hn_cmd_##function(int argc, char **argv);
HN_VERBS(HN_VERB_FUNCTION)

typedef struct HnVerb {
  const char *name, *usage, *summary;
  int (*run)(int argc, char **argv);
} HnVerb;

/* All, up to one without a name. */
extern const HnVerb hn_verbs[];
/* The verb of that name, or NULL. */
const HnVerb *hn_verb_find(const char *name);
#endif
