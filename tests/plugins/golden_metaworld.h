/* golden_metaworld.h - reads what golden/metaworld/record_world.py recorded. */
#ifndef GOLDEN_METAWORLD_H
#define GOLDEN_METAWORLD_H
#include "../../plugins/envs/metaworld/world.h"
#include <glib.h>
#include <stdio.h>

enum { EPISODE = 150, MOST_RECORDS = 16, MOST_NQ = HN_MW_QPOS, MOST_NV = HN_MW_QVEL };

typedef struct Pose {
  double qpos[MOST_NQ], qvel[MOST_NV], mocap[3];
} Pose;

typedef struct Record {
  int step;
  Pose before, after;
  double warm[MOST_NV], frame[HN_MW_FRAME], obs[HN_MW_OBS], reward;
  gboolean success;
} Record;

typedef struct Recording {
  char task[40];
  int nq, nv, records;
  double rand[HN_MW_RAND], tcp0[3], target[3], obj0[3], mark[3], far0; /* NaN: none */
  Pose start;
  double start_obs[HN_MW_OBS];
  Record record[MOST_RECORDS];
  float action[EPISODE][HN_MW_ACT];
  double reward[EPISODE];
  gboolean success[EPISODE];
} Recording;

static inline void read_doubles(FILE *file, double *to, int count) {
  g_assert_cmpint((int)fread(to, sizeof *to, (size_t)count, file), ==, count);
}

static inline int read_int(FILE *file) {
  double x;
  read_doubles(file, &x, 1);
  return (int)x;
}

static inline void read_pose(FILE *file, const Recording *r, Pose *p) {
  read_doubles(file, p->qpos, r->nq), read_doubles(file, p->qvel, r->nv);
  read_doubles(file, p->mocap, 3);
}

/* The next task, or FALSE at the end. */
static inline gboolean recording_read(FILE *file, Recording *r) {
  int steps;
  memset(r, 0, sizeof *r);
  if (fscanf(file, "task %39s %d %d %d %d", r->task, &r->nq, &r->nv, &steps, &r->records) != 5)
    return FALSE;
  g_assert_cmpint(fgetc(file), ==, '\n');
  g_assert_true(steps == EPISODE && r->records <= MOST_RECORDS && r->nq <= MOST_NQ &&
                r->nv <= MOST_NV);
  read_doubles(file, r->rand, HN_MW_RAND), read_doubles(file, r->tcp0, 3);
  read_doubles(file, r->target, 3), read_doubles(file, r->obj0, 3);
  read_doubles(file, r->mark, 3), read_doubles(file, &r->far0, 1);
  read_pose(file, r, &r->start), read_doubles(file, r->start_obs, HN_MW_OBS);
  for (int k = 0; k < r->records; k++) {
    Record *c = &r->record[k];
    c->step = read_int(file);
    read_pose(file, r, &c->before), read_doubles(file, c->warm, r->nv);
    read_doubles(file, c->frame, HN_MW_FRAME);
    read_pose(file, r, &c->after), read_doubles(file, c->obs, HN_MW_OBS);
    read_doubles(file, &c->reward, 1), c->success = read_int(file);
  }
  for (int t = 0; t < EPISODE; t++) {
    double action[HN_MW_ACT];
    read_doubles(file, action, HN_MW_ACT), read_doubles(file, &r->reward[t], 1);
    for (int k = 0; k < HN_MW_ACT; k++) r->action[t][k] = (float)action[k];
    r->success[t] = read_int(file);
  }
  return TRUE;
}

/* The recording of a task of hn_mw_tasks; to g_free. */
static inline Recording *recording_of(int task) {
  FILE *file = fopen(GOLDEN "/metaworld/recordings.bin", "rb");
  g_assert_nonnull(file);
  Recording *r = g_new(Recording, 1);
  do g_assert_true(recording_read(file, r));
  while (strcmp(r->task, hn_mw_tasks[task].name) != 0);
  fclose(file);
  return r;
}
#endif
