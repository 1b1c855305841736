/* env_rows.h - an environment and one batch of its rows, driven by random actions: what the laws of
 * environments look at. */
#ifndef HN_ENV_ROWS_H
#define HN_ENV_ROWS_H
#include "env_layers.h"

typedef struct HnEnvRows {
  HnInstance *instance;
  HnEnvMemory memory;
  HnPool *pool;
  HnEnvSpec spec;
  HnEnvBatch b; /* rows 0 .. rows - 1, of slots b.first .., of streams 0 .. of seed 7 */
  uint8_t *begin;
  float *action;
  int32_t *action_index;
} HnEnvRows;

/* Creates the cell's environment; *status is what create said, its text in hn_fail_text(). */
HnEnvRows *hn_env_rows_new(const HnCell *cell, int64_t rows, HnStatus *status);
void hn_env_rows_free(HnEnvRows *r);
/* How many tasks the batch's split has; 0: they have no numbers. */
int64_t hn_env_rows_tasks(const HnEnvRows *r);
/* Gives row i other random streams. */
void hn_env_rows_stream(const HnEnvRows *r, int64_t i, uint64_t seed, uint64_t stream);
/* Rows first .. first + rows - 1 as a batch of their own. */
HnEnvBatch hn_env_rows_part(const HnEnvRows *r, int64_t first, int64_t rows);
/* Begins every row as `begin`; `task` as in task_index.  HN_NEW_TASK finds zeroed row memory. */
HnStatus hn_env_rows_reset(HnEnvRows *r, uint8_t begin, int64_t task);
/* Begins every row as r->begin says. */
HnStatus hn_env_rows_reset_some(HnEnvRows *r);
/* One step of part of the rows. */
HnStatus hn_env_rows_step(const HnEnvRows *r, HnEnvBatch part);
/* A random action for row i, sometimes at its bounds. */
void hn_env_rows_act(HnEnvRows *r, int64_t i, HnRng *rng);

/* Everything that row i shows and remembers: its memory, stream and outputs. */
GByteArray *hn_env_rows_record(const HnEnvRows *r, int64_t i);
/* What two records of rows of one environment first differ in, or NULL. */
const char *hn_env_rows_difference(const HnEnvRows *r, const GByteArray *a, const GByteArray *b);
#endif
