/* collect_cell.h - the cell whose collection of experience is measured: cheetah_vel with beliefs of
 * 16 and 64 features. */
#ifndef BENCH_COLLECT_CELL_H
#define BENCH_COLLECT_CELL_H
#include "session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLLECT_ROWS = 16, COLLECT_STEPS = 400 }; /* as the text below has them */

static const char *const collect_yaml =
    "study: bench\narm: collect\nseed_index: 0\nseed: 1\n"
    "env: {plugin: cheetah_vel, reward_noise_low: 0.05, reward_noise_high: 1}\n"
    "inference: {plugin: glibrl, transition_features: 16, reward_features: 64}\n"
    "policy: {plugin: ppo}\n"
    "run: {frames: 1e6, rows: 16, steps: 400, episodes: 2, workers: %d, determinism: fast}\n"
    "evaluation: {tasks: 16}\n"; /* fast: this process loads whatever kernels it is told to */

/* A mistake goes to stderr and ends the program. */
static inline HnCell *collect_cell(int workers) {
  char *text = g_strdup_printf(collect_yaml, workers);
  HnDiag *d = hn_diag_new();
  HnNode *node = hn_yaml_parse("bench", text, strlen(text), d);
  HnCell *cell = node ? hn_cell_read(node, d) : NULL;
  if (!cell) {
    char *why = hn_diag_text(d);
    fprintf(stderr, "%s", why);
    exit(1);
  }
  hn_node_free(node), hn_diag_free(d), g_free(text);
  return cell;
}

static inline HnSession *collect_session(const HnCell *cell) {
  GError *error = NULL;
  HnSession *s = hn_session_new(cell, NULL, &error);
  if (s) return s;
  fprintf(stderr, "%s\n", error->message);
  exit(1);
}

/* One window of all rows. */
static inline void collect_window(HnSession *s) {
  if (!hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases)) return;
  fprintf(stderr, "collecting failed: %s\n", hn_fail_text());
  exit(1);
}
#endif
