/* body_record.c - records a run of one of Gymnasium's models as golden data.
 *
 *   body_record NAME FRAMES TIMESTEP .../gymnasium/envs/mujoco/assets/MODEL.xml OUT.bin
 *
 *   half_cheetah 5 0.01 half_cheetah.xml     ant      5 0.01  ant.xml
 *   walker       4 0.004 walker2d.xml        humanoid 5 0.003 humanoid.xml
 *
 * The walker's time step is VariBAD's and not the file's.  Starts as Gymnasium starts (state set,
 * mj_forward), then steps without interruption.  For another version of MuJoCo than the system's,
 * compile this file against its headers and library. */
#include "body.h"
#include <hunch/rng.h>
#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOTORS = 32 }; /* more than any has */

typedef struct Record {
  double states[GOLDEN_RECORDS][256], forces[GOLDEN_RECORDS][256];
  float controls[GOLDEN_STEPS][MOTORS];
} Record;

/* Contact forces as Gymnasium asks for them: of the last evaluation of the dynamics. */
static void note(const mjModel *m, mjData *d, double *state, double *force) {
  mj_rnePostConstraint(m, d);
  memcpy(state, d->qpos, sizeof(double) * (size_t)m->nq);
  memcpy(state + m->nq, d->qvel, sizeof(double) * (size_t)m->nv);
  memcpy(state + m->nq + m->nv, d->qacc_warmstart, sizeof(double) * (size_t)m->nv);
  memcpy(force, d->cfrc_ext, sizeof(double) * 6 * (size_t)m->nbody);
}

static void run(const mjModel *m, mjData *d, int frames, Record *r) {
  HnRng rng = hn_rng(20200613, 1);
  for (int k = 0; k < m->nq; k++) d->qpos[k] += hn_rng_uniform(&rng, -0.1, 0.1);
  for (int k = 0; k < m->nv; k++) d->qvel[k] = 0.1 * hn_rng_normal(&rng);
  mj_forward(m, d);
  note(m, d, r->states[0], r->forces[0]);
  for (int t = 0; t < GOLDEN_STEPS; t++) {
    for (int k = 0; k < m->nu; k++) {
      r->controls[t][k] = (float)hn_rng_uniform(&rng, -1.25, 1.25);
      d->ctrl[k] = (double)r->controls[t][k] * m->actuator_ctrlrange[2 * k + 1];
    }
    for (int k = 0; k < frames; k++) mj_step(m, d);
    int n = (t + 1) / GOLDEN_EVERY;
    if ((t + 1) % GOLDEN_EVERY == 0) note(m, d, r->states[n], r->forces[n]);
  }
}

static void write_rows(FILE *file, const void *data, size_t stride, size_t bytes, int rows) {
  for (int k = 0; k < rows; k++)
    (void)fwrite((const char *)data + stride * (size_t)k, bytes, 1, file);
}

static void write_record(FILE *file, const char *name, const mjModel *m, int frames,
                         const Record *r) {
  (void)fprintf(file, GOLDEN_LINE, name, mj_version(), m->nq, m->nv, m->nu, m->nbody,
                m->opt.timestep, frames, (unsigned long long)golden_libm());
  write_rows(file, r->states, sizeof r->states[0], sizeof(double) * (size_t)(m->nq + 2 * m->nv),
             GOLDEN_RECORDS);
  write_rows(file, r->forces, sizeof r->forces[0], sizeof(double) * 6 * (size_t)m->nbody,
             GOLDEN_RECORDS);
  write_rows(file, r->controls, sizeof r->controls[0], sizeof(float) * (size_t)m->nu, GOLDEN_STEPS);
}

int main(int argc, char **argv) {
  char error[500] = "";
  if (argc != 6)
    return fprintf(stderr, "usage: body_record NAME FRAMES TIMESTEP MODEL.xml OUT.bin\n"), 2;
  int frames = atoi(argv[2]);
  mjModel *m = mj_loadXML(argv[4], NULL, error, sizeof error);
  if (!m) return fprintf(stderr, "%s: %s\n", argv[4], error), 1;
  if (m->nu > MOTORS || m->nq + 2 * m->nv > 256 || 6 * m->nbody > 256 || frames < 1)
    return fprintf(stderr, "%s: too large\n", argv[4]), 1;
  m->opt.timestep = atof(argv[3]);
  mjData *d = mj_makeData(m);
  static Record r;
  FILE *file = fopen(argv[5], "wb");
  if (!d || !file) return perror(argv[5]), 1;
  run(m, d, frames, &r);
  for (int w = 0; w < mjNWARNING; w++)
    if (d->warning[w].number)
      (void)fprintf(stderr, "%s\n", mju_warningText(w, d->warning[w].lastinfo));
  write_record(file, argv[1], m, frames, &r);
  mj_deleteData(d);
  mj_deleteModel(m);
  int failed = ferror(file);
  if (fclose(file) || failed) return perror(argv[5]), 1;
  return 0;
}
