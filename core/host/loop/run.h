/* run.h - runs one cell in a folder: collect, learn policy, learn inference, evaluate, record,
 * checkpoint. */
#ifndef HN_RUN_H
#define HN_RUN_H
#include "cell.h"

/* Called after every update, on the thread that runs the cell. */
typedef void HnRunProgress(void *arg, int64_t frames, int64_t frames_total);

/* Runs `cell` in folder `dir`, which exists and is empty or holds an earlier part of the same cell,
 * then resumed from its last checkpoint with the same bits.  *stop, where given, is read after
 * every update: non-zero writes a checkpoint and returns HN_ERROR_INTERRUPTED.
 *
 * Leaves in dir, append-only unless said otherwise: run.json (rewritten: facts, status, reason),
 * config.resolved.yaml, metrics.csv (a row per update), timing.csv (seconds, kept apart so that
 * metrics.csv repeats byte for byte), episodes.csv, steps.csv (evaluation means by step of the
 * trial), trial.csv (the last evaluation: a few rows, observation by observation), predictions.csv
 * (what they predict along a line, where tasks are supervised), trace.bin (16 bytes per update:
 * digest of the weights), ckpt/NNNNNNNN.safetensors, log.txt.
 *
 * run.frames 0 evaluates once, as update 0, and writes the same files.  A cell whose weights do not
 * fit ends with HN_ERROR_REFUSED, a line per tensor. */
bool hn_run_cell(const HnCell *cell, const char *dir, volatile int *stop, HnRunProgress *progress,
                 void *arg, GError **error);
#endif
