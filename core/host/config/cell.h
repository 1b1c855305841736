/* cell.h - a cell, one arm with one seed: the typed configuration of a run. */
#ifndef HN_CELL_H
#define HN_CELL_H
#include "params.h"
#include "protocol.h"
#include "registry.h"

/* What it means for results that cells differ in a key.  Every row of the tables below says so. */
typedef enum HnKeyRole {
  HN_KEY_FREE = 1,    /* nothing: the key changes no result */
  HN_KEY_SEED = 2,    /* they are different seeds: each has its own */
  HN_KEY_ARM = 4,     /* they are different arms, which can be compared */
  HN_KEY_MEASURE = 8, /* they measure different things, and are not set against each other */
  HN_KEY_LENGTH = 16, /* how long they go on: a longer run continues a shorter one */
} HnKeyRole;

#define HN_RUN_PARAMS(X)                                                                           \
  X(int, frames, LENGTH, "step", "Environment steps to train on, over all rows.", 100000, 0, 1e15) \
  X(int, rows, ARM, "", "Rows that act side by side, B.", 16, 1, 65536)                            \
  X(int, steps, ARM, "step", "Steps of a row per iteration and phase, T; 0: one whole trial.", 0,  \
    0, 1e9)                                                                                        \
  X(int, episodes, MEASURE, "", "Episodes per trial, in one task.", 2, 1, 1e6)                     \
  X(int, trial_steps, MEASURE, "step",                                                             \
    "Steps per trial, counted as one episode whatever it holds; 0: as long as its episodes.", 0,   \
    0, 1e9)                                                                                        \
  X(int, workers, FREE, "",                                                                        \
    "Threads that collect and learn; results are the same for any number.", 1, 1, 256)             \
  X(choice, determinism, ARM, "",                                                                  \
    "fast: this machine's best kernels; portable: the same bits on any x86-64 with AVX2 and FMA.", \
    "portable", "fast|portable")                                                                   \
  X(int, samples, ARM, "", "Posterior samples that the policy acts on, S; 0: the point belief.",   \
    0, 0, 1024)                                                                                    \
  X(flag, stop_gradient, ARM, "", "Stops the gradient of the policy's loss at the belief.", 0)     \
  X(int, trace_every, ARM, "update",                                                               \
    "Updates between hashes of the weights in trace.bin; the last update is always hashed.", 1, 1, \
    1e9)                                                                                           \
  X(int, checkpoint_every, ARM, "update", "Updates between checkpoints; 0: only the last update.", \
    20, 0, 1e9)                                                                                    \
  X(int, keep_every, ARM, "update",                                                                \
    "Updates between checkpoints that are kept, from the first weights on; 0: the newest two.", 0, \
    0, 1e9)                                                                                        \
  X(real, call_seconds, FREE, "s",                                                                 \
    "A plugin's call that takes longer ends the cell, naming the call; 0: none does.", 3600, 0,    \
    1e9)                                                                                           \
  X(real, memory, FREE, "GB",                                                                      \
    "A cell that takes more memory is ended, naming the call; 0: nearly all that there is.", 0, 0, \
    1e6)                                                                                           \
  X(flag, tensorboard, FREE, "", "Writes the rows of metrics.csv for TensorBoard, too.", 0)
#define HN_EVALUATION_PARAMS(X)                                                                    \
  X(int, every, ARM, "update", "Updates between evaluations; 0: only after the last update.", 0,   \
    0, 1e9)                                                                                        \
  X(int, tasks, MEASURE, "", "Held-out tasks, one for each row.", 20, 1, 65536)                    \
  X(choice, protocol, MEASURE, "", "How a task is acted in and what counts." HN_PROTOCOL_DOCS,     \
    "trial", HN_PROTOCOL_CHOICES)                                                                  \
  X(int, episodes, MEASURE, "",                                                                    \
    "Episodes that count; 0: as in training, or the protocol's own (hunch inspect protocol).", 0,  \
    0, 1e6)                                                                                        \
  X(int, trial_steps, MEASURE, "step",                                                             \
    "In protocol trial: steps per trial; 0: as in training, or as long as its episodes.", 0, 0,    \
    1e9)                                                                                           \
  X(int, adapt_episodes, MEASURE, "",                                                              \
    "Where the protocol adapts: sampled episodes before those that count.", 10, 0, 1e6)            \
  X(int, parallel, MEASURE, "", "Where goals of a task share a count: how many do.", 4, 1, 65536)  \
  X(text, split, MEASURE, "",                                                                      \
    "Splits to evaluate, as in 'test|train', the deciding one first; empty: the environment's "    \
    "last.",                                                                                       \
    "")                                                                                            \
  X(flag, greedy, MEASURE, "",                                                                     \
    "In protocol trial: acts by the mean or mode of the policy instead of sampling.", 1)           \
  X(flag, also_drawn, ARM, "",                                                                     \
    "Evaluates the deciding split again with sampled actions, in columns eval.drawn.*.", 0)        \
  X(flag, also_shuffled, ARM, "",                                                                  \
    "Evaluates the deciding split again, acting on beliefs of other rows, in columns "             \
    "eval.shuffled.*: what they lack is what the return owes to the belief.",                      \
    0)                                                                                             \
  X(flag, diagnose, ARM, "",                                                                       \
    "Says what the belief tells of the task, and how far learning moves it, in columns belief.*.", \
    0)                                                                                             \
  X(int, samples, ARM, "", "Posterior samples for acting and predicting; -1: as in training.", -1, \
    -1, 1024)                                                                                      \
  X(int, questions, MEASURE, "",                                                                   \
    "Query actions per step on which a supervised task's predictions are scored; 0: none.", 100,   \
    0, 65536)                                                                                      \
  X(int, record_rows, ARM, "",                                                                     \
    "Rows of the last evaluation that trial.csv records, step by step.", 3, 0, 64)

/* The checkpoint to start from.  The block may be absent, or `weights: none` where a base has it.
 */
#define HN_WEIGHTS_PARAMS(X)                                                                       \
  X(text, from, FREE, "",                                                                          \
    "Folder of the study that trained them, as given to -o; empty: this study.", "")               \
  X(text, arm, ARM, "", "Arm that trained them.", "")                                              \
  X(text, seed, ARM, "", "Index of the seed that trained them; same: the cell's own.", "same")     \
  X(text, at, ARM, "", "Update of the checkpoint; last: the last one of a finished cell.", "last") \
  X(choice, load, ARM, "", "Plugins whose weights are loaded.", "both", "both|inference|policy")   \
  X(flag, ignore_extra, ARM, "",                                                                   \
    "Leaves out weights of the checkpoint that no plugin here keeps.", 0)                          \
  X(text, sha256, SEED, "", "SHA-256 of the checkpoint; filled in if empty.", "")                  \
  X(text, identity, SEED, "", "Identity of the cell of this study that trained them; filled in.",  \
    "")

#define HN_CELL_FIELD(kind, name, role, ...) HN_FIELD(kind, name, __VA_ARGS__)
typedef struct HnRunParams {
  HN_RUN_PARAMS(HN_CELL_FIELD)
} HnRunParams;
typedef struct HnEvaluationParams {
  HN_EVALUATION_PARAMS(HN_CELL_FIELD)
} HnEvaluationParams;
typedef struct HnWeightsParams {
  HN_WEIGHTS_PARAMS(HN_CELL_FIELD)
} HnWeightsParams;
enum { HN_FAST, HN_PORTABLE }; /* of run.determinism */
enum { HN_LOAD_BOTH, HN_LOAD_INFERENCE, HN_LOAD_POLICY };
HnSchema hn_run_schema(void);
HnSchema hn_evaluation_schema(void);
HnSchema hn_weights_schema(void);
/* The word that stands for a number in `seed` and `at` of the weights: "same", "last"; or NULL. */
const char *hn_weights_word(const char *key);

/* A block of keys, or a key of the top level. */
typedef struct HnBlock {
  const char *name, *doc;
  HnSchema (*schema)(void); /* where the host itself reads it; else NULL */
} HnBlock;
/* X(name, doc, schema): the blocks of a cell in the order in which they are written. */
#define HN_CELL_BLOCKS(X)                                                                       \
  X(env, "Environment that tasks are drawn from: a plugin and its parameters.", NULL)           \
  X(inference, "Method that turns experience into beliefs: a plugin and its parameters.", NULL) \
  X(policy, "Policy learner: a plugin and its parameters.", NULL)                               \
  X(run, "How a cell trains: its length, its rows and trials, what it keeps.", hn_run_schema)   \
  X(evaluation, "How held-out tasks are evaluated, and how often.", hn_evaluation_schema)       \
  X(weights,                                                                                    \
    "Checkpoint that a cell starts from; none: initial weights, also where the base has "       \
    "a checkpoint.",                                                                            \
    hn_weights_schema)
#define HN_BLOCK_ROW(name, doc, schema) {#name, doc, schema},
#define HN_BLOCK_NAME(name, ...)        #name,

/* A plugin and its filled parameter struct. */
typedef struct HnPluginChoice {
  const HnPlugin *plugin;
  void *params;
  char *name;                   /* as configured: a bare name, or the full path of a .so */
  struct HnPluginChoice *inner; /* the environment that a wrapper holds; else NULL */
} HnPluginChoice;
enum { HN_WRAPPERS_MAX = 8 }; /* around one environment */

typedef struct HnCell HnCell;
struct HnCell {
  char *study, *arm;
  int64_t seed_index; /* from 0; the same in every arm */
  uint64_t seed; /* hash of root and index, of which all random streams are made; arms share it */
  HnPluginChoice env, inference, policy;
  HnRunParams run;
  HnEvaluationParams evaluation;
  bool warm_start; /* begins with the weights of a checkpoint: */
  HnWeightsParams weights;
  int64_t weights_seed, weights_at; /* as numbers; the cell's own seed, or last: -1 */
  const HnCell *source;             /* the cell that trained them if it is of this study, or NULL */
};

/* Reads a resolved cell: a map with study, arm, seed_index, seed, env, inference, policy, run,
 * evaluation and perhaps weights.  Loads the plugins; a plugin's path is relative to the folder of
 * the file that names it.  NULL with findings in d. */
HnCell *hn_cell_read(HnNode *map, HnDiag *d);
/* Adds findings about the keys that are there: a base need not be complete, and a plugin that
 * cannot be found matters only once an arm uses it. */
void hn_cell_check(HnNode *map, HnDiag *d);
/* The tree that config.resolved.yaml holds: the configuration with every default. */
HnNode *hn_cell_node(const HnCell *cell);
void hn_cell_free(HnCell *cell);
/* The cell's plugin of a kind; NULL for what is no kind.  [any], in signal handlers too. */
const HnPluginChoice *hn_cell_plugin(const HnCell *cell, HnKind kind);
/* The plugin of a call (core/base/call_record.h), which may be one that wrappers hold; NULL of no
 * call.  [any], in signal handlers too. */
const HnPluginChoice *hn_cell_called(const HnCell *cell, int32_t call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnCell, hn_cell_free)
/* What a difference in a key means, by its path: "run.workers".  Parameters of the environment are
 * HN_KEY_MEASURE, those of other plugins HN_KEY_ARM. */
HnKeyRole hn_cell_key_role(const char *path);
/* Calls `found` for each key in which two resolved cells differ but those of a role in `ignored`, a
 * sum of them.  A node is NULL where a cell lacks the key. */
typedef void HnKeyDiffers(void *arg, const char *path, const HnNode *a, const HnNode *b);
void hn_cell_differences(const HnNode *a, const HnNode *b, int ignored, HnKeyDiffers *found,
                         void *arg);
/* The paths (char *) of those keys, but for the arm's name; g_ptr_array_unref. */
GPtrArray *hn_cell_differing_keys(const HnNode *a, const HnNode *b, int ignored);
/* SHA-256 in hex of the resolved configuration (without keys that change no result or only how
 * long it goes on, and with plugins named, not located) and of the plugins' files: what makes two
 * cells the same.  Free with
 * g_free. */
char *hn_cell_identity(const HnCell *cell);
/* "env/time_limit/SHA256,..": the files of the cell's plugins as they were loaded, wrappers before
 * what they hold; g_free. */
char *hn_cell_builds(const HnCell *cell);
/* Blocks of a cell, in the order in which they are written; NULL-terminated. */
extern const char *const hn_cell_blocks[];
#endif
