/* run_dir.h - the names of all files and folders that a study and its runs leave.
 *
 *   STUDY/study.json, STUDY/study.yaml          the plan; its source
 *   STUDY/search.json                           of a search: which arms went on, and why
 *   STUDY/slurm/                                what was handed to Slurm: submission.h has more
 *   STUDY/ARM/SEED_INDEX/                       a run: HN_RUN_FILES, and
 *   STUDY/ARM/SEED_INDEX/ckpt/NNNNNNNN.safetensors   its checkpoints, by update
 *   STUDY/ARM/SEED_INDEX.replaced-N/            a run that another one replaced, from 1 */
#ifndef HN_RUN_DIR_H
#define HN_RUN_DIR_H
#include "cell.h"
#include <json-glib/json-glib.h>

/* X(ID, name, content): the files of a run, append-only unless said otherwise. */
#define HN_RUN_FILES(X)                                                                           \
  X(JSON, "run.json", "Versions, machine, plugins, sizes and status; rewritten and renamed.")     \
  X(CONFIG, "config.resolved.yaml",                                                               \
    "The configuration with every default; only run.frames may rise.")                            \
  X(METRICS, "metrics.csv", "A row per update.")                                                  \
  X(TIMING, "timing.csv", "Seconds of each update; apart, so that metrics.csv repeats exactly.")  \
  X(EPISODES, "episodes.csv", "A row per finished episode.")                                      \
  X(STEPS, "steps.csv", "Evaluation means by step of the trial.")                                 \
  X(TRIAL, "trial.csv", "Recorded rows of the last evaluation, observation by observation.")      \
  X(PREDICTIONS, "predictions.csv", "What those rows predict along a grid, in supervised tasks.") \
  X(TRACE, "trace.bin", "Digest of the weights, 16 bytes per traced update.")                     \
  X(EVENTS, "events.out.tfevents.hunch",                                                          \
    "metrics.csv for TensorBoard, with times of day; where run.tensorboard asks for it.")         \
  X(LOG, "log.txt", "Messages of the run and its plugins, and what they print.")                  \
  X(LOCK, "lock", "Held by the process that runs the cell; says which took it last.")

#define HN_RUN_FILE_ID(id, name, doc) HN_FILE_##id,
typedef enum HnRunFile { HN_RUN_FILES(HN_RUN_FILE_ID) HN_RUN_FILE_COUNT } HnRunFile;

#define HN_STUDY_PLAN   "study.json"
#define HN_STUDY_SOURCE "study.yaml"
#define HN_STUDY_SEARCH "search.json"
#define HN_STUDY_LOCK   "lock"
#define HN_STUDY_SLURM  "slurm"

/* "metrics.csv". */
const char *hn_run_file_name(HnRunFile file);
/* Paths; all free with g_free. */
char *hn_run_file(const char *dir, HnRunFile file);
char *hn_run_dir(const char *study, const char *arm, int64_t seed_index);
/* The first name for a run that is put aside that is free; NULL: none is. */
char *hn_run_aside(const char *dir);
char *hn_run_checkpoint_folder(const char *dir);
char *hn_run_checkpoint(const char *dir, int64_t update);
/* Update of a checkpoint's path; -1: not named as one. */
int64_t hn_run_checkpoint_update(const char *path);
/* Paths of all checkpoints, oldest first, none where there is no folder for them; free with
 * g_ptr_array_unref.  NULL with HN_ERROR_FILE if the folder cannot be listed. */
GPtrArray *hn_run_checkpoints(const char *dir, GError **error);

/* A file of a run's or a study's folder that holds nothing of value: a lock, messages, or what a
 * process that was killed had not yet renamed. */
bool hn_run_is_leftover(const char *name);
/* Something in a folder that is no leftover, or NULL; g_free. */
char *hn_run_some_file(const char *dir);
/* Removes what killed processes had not yet renamed; for who holds the folder's lock. */
void hn_run_sweep(const char *dir);
/* Removes a run that was refused before it began: its files, and its folder and the one above where
 * nothing else is in them. */
void hn_run_discard(const char *dir);

/* run.json, or NULL, saying what to do where it is damaged; json_object_unref. */
JsonObject *hn_run_facts(const char *dir, GError **error);
/* config.resolved.yaml, the same. */
HnNode *hn_run_config(const char *dir, GError **error);
/* run.frames of config.resolved.yaml, as it was read (NULL: it was not) or of a folder; -1: it has
 * none. */
int64_t hn_run_config_length(const HnNode *config);
int64_t hn_run_length(const char *dir);
/* The cell that config.resolved.yaml describes, with its plugins loaded; NULL with HN_ERROR_REFUSED
 * if there is none or it has findings. */
HnCell *hn_cell_open(const char *dir, GError **error);
/* The same, of another file that holds what that file would. */
HnCell *hn_cell_open_file(const char *path, GError **error);
/* The same, of a text that stands for that file. */
HnCell *hn_cell_parse(const char *dir, const char *text, gsize length, GError **error);
#endif
