/* half_cheetah_record.c - records a run of Gymnasium's half_cheetah.xml as golden data.
 *
 *   half_cheetah_record .../gymnasium/envs/mujoco/assets/half_cheetah.xml OUT.bin
 *
 * Starts as Gymnasium starts (state set, mj_forward), then steps without interruption.  For another
 * version of MuJoCo than the system's, compile this file against its headers and library. */
#include "half_cheetah.h"
#include <hunch/rng.h>
#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>

static void write_state(const mjData *d, FILE *file) {
  fwrite(d->qpos, sizeof(double), GOLDEN_JOINTS, file);
  fwrite(d->qvel, sizeof(double), GOLDEN_JOINTS, file);
  fwrite(d->qacc_warmstart, sizeof(double), GOLDEN_JOINTS, file);
}

static void record(const mjModel *m, mjData *d, FILE *file) {
  HnRng rng = hn_rng(20200613, 1);
  static double control[GOLDEN_STEPS][GOLDEN_MOTORS];
  for (int k = 0; k < GOLDEN_JOINTS; k++) d->qpos[k] += hn_rng_uniform(&rng, -0.1, 0.1);
  for (int k = 0; k < GOLDEN_JOINTS; k++) d->qvel[k] = 0.1 * hn_rng_normal(&rng);
  mj_forward(m, d);
  fprintf(file, GOLDEN_LINE, mj_version(), (unsigned long long)golden_libm());
  write_state(d, file);
  for (int t = 0; t < GOLDEN_STEPS; t++) {
    for (int k = 0; k < GOLDEN_MOTORS; k++)
      control[t][k] = d->ctrl[k] = (double)(float)hn_rng_uniform(&rng, -1.25, 1.25);
    for (int k = 0; k < GOLDEN_FRAMES; k++) mj_step(m, d);
    if ((t + 1) % GOLDEN_EVERY == 0) write_state(d, file);
  }
  fwrite(control, sizeof control, 1, file);
}

int main(int argc, char **argv) {
  char error[500] = "";
  if (argc != 3) return fprintf(stderr, "usage: half_cheetah_record MODEL.xml OUT.bin\n"), 2;
  mjModel *m = mj_loadXML(argv[1], NULL, error, sizeof error);
  if (!m) return fprintf(stderr, "%s: %s\n", argv[1], error), 1;
  if (m->nq != GOLDEN_JOINTS || m->nv != GOLDEN_JOINTS || m->nu != GOLDEN_MOTORS)
    return fprintf(stderr, "%s: not a half-cheetah\n", argv[1]), 1;
  mjData *d = mj_makeData(m);
  FILE *file = fopen(argv[2], "wb");
  if (!file) return perror(argv[2]), 1;
  record(m, d, file);
  mj_deleteData(d);
  mj_deleteModel(m);
  if (fclose(file)) return perror(argv[2]), 1;
  return 0;
}
