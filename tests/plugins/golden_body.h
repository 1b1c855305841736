/* golden_body.h - reads golden/BODY.mujoco-*.bin and holds a plugin's body to it; the row of the
 * plugin must begin with the state vector of sim.h. */
#ifndef GOLDEN_BODY_READER_H
#define GOLDEN_BODY_READER_H
#include "../../plugins/envs/mujoco/sim.h"
#include "../golden/body.h"
#include "env_fixture.h"
#include "numbers.h"
#include <stdio.h>
#include <unistd.h>

typedef struct Golden {
  int nq, nv, nu, nbody, frames;
  double timestep;
  guint64 libm;
  double *states, *forces; /* [GOLDEN_RECORDS, nq + 2 nv], [GOLDEN_RECORDS, 6 nbody] */
  float *controls;         /* [GOLDEN_STEPS, nu] */
} Golden;

static inline void *golden_read(FILE *file, size_t size, int count) {
  void *data = g_malloc(size * (size_t)count);
  g_assert_cmpint((int)fread(data, size, (size_t)count, file), ==, count);
  return data;
}

/* NULL, and the test skipped, where nobody recorded this version of MuJoCo. */
static inline Golden *golden_open(const char *body) {
  char *path = g_strdup_printf(GOLDEN "/%s.mujoco-%d.bin", body, mj_version());
  FILE *file = fopen(path, "rb");
  g_free(path);
  if (!file) {
    char *reason = g_strdup_printf("no recording for MuJoCo %s", mj_versionString());
    g_test_skip(reason);
    g_free(reason);
    return NULL;
  }
  char line[200], expected[200], name[50];
  int version;
  unsigned long long libm;
  Golden *g = g_new0(Golden, 1);
  g_assert_nonnull(fgets(line, sizeof line, file));
  g_assert_cmpint(sscanf(line,
                         "%49s mujoco=%d nq=%d nv=%d nu=%d nbody=%d timestep=%lg frames=%d "
                         "steps=1000 every=10 libm=%llx",
                         name, &version, &g->nq, &g->nv, &g->nu, &g->nbody, &g->timestep,
                         &g->frames, &libm),
                  ==, 9);
  snprintf(expected, sizeof expected, GOLDEN_LINE, body, mj_version(), g->nq, g->nv, g->nu,
           g->nbody, g->timestep, g->frames, libm);
  g_assert_cmpstr(line, ==, expected);
  g->libm = libm;
  g->states = golden_read(file, sizeof(double), GOLDEN_RECORDS * (g->nq + 2 * g->nv));
  g->forces = golden_read(file, sizeof(double), GOLDEN_RECORDS * 6 * g->nbody);
  g->controls = golden_read(file, sizeof(float), GOLDEN_STEPS * g->nu);
  g_assert_cmpint(fgetc(file), ==, EOF);
  fclose(file);
  return g;
}

static inline void golden_free(Golden *g) {
  g_free(g->states), g_free(g->forces), g_free(g->controls);
  g_free(g);
}

/* qpos and qvel of record `n` must be the row's, to 1e-9. */
static inline void golden_compare(const EnvFixture *f, const Golden *g, int n) {
  const double *state = env_fixture_row(f, 0), *record = g->states + n * (g->nq + 2 * g->nv);
  for (int k = 0; k < g->nq + g->nv; k++) near(state[k], record[k], 1e-9);
}

static inline void golden_restore(const EnvFixture *f, const Golden *g, int n) {
  size_t count = (size_t)g->nq + 2 * (size_t)g->nv;
  memcpy(env_fixture_row(f, 0), g->states + (size_t)n * count, sizeof(double) * count);
}

static inline void golden_step(EnvFixture *f, const Golden *g, int t) {
  memcpy(f->action, g->controls + t * g->nu, sizeof(float) * (size_t)g->nu);
  env_fixture_step(f);
}

static inline EnvFixture *golden_env(const HnPlugin *plugin, const Setting *settings) {
  EnvFixture *f = env_fixture_new(plugin, 1, settings);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  return f;
}

/* Every recorded stretch of ten steps, from its recorded start; `look` at each end, if not NULL. */
static inline void golden_stretches(const HnPlugin *plugin, const char *body,
                                    const Setting *settings,
                                    void (*look)(const EnvFixture *f, const double *forces)) {
  Golden *g = golden_open(body);
  if (!g) return;
  EnvFixture *f = golden_env(plugin, settings);
  for (int t = 0; t < GOLDEN_STEPS; t++) {
    if (t % GOLDEN_EVERY == 0) golden_restore(f, g, t / GOLDEN_EVERY);
    golden_step(f, g, t);
    if ((t + 1) % GOLDEN_EVERY) continue;
    int n = (t + 1) / GOLDEN_EVERY;
    golden_compare(f, g, n);
    if (look) look(f, g->forces + n * 6 * g->nbody);
  }
  env_fixture_free(f);
  golden_free(g);
}

/* A thousand steps from the first recorded state, warm start and all computed by the plugin. */
static inline void golden_free_run(const HnPlugin *plugin, const char *body,
                                   const Setting *settings) {
  Golden *g = golden_open(body);
  if (!g) return;
  if (g->libm != golden_libm()) {
    g_test_skip("sine and cosine round differently here, and these bodies are chaotic");
    golden_free(g);
    return;
  }
  EnvFixture *f = golden_env(plugin, settings);
  golden_restore(f, g, 0);
  for (int t = 0; t < GOLDEN_STEPS; t++) {
    golden_step(f, g, t);
    if ((t + 1) % GOLDEN_EVERY == 0) golden_compare(f, g, (t + 1) / GOLDEN_EVERY);
  }
  env_fixture_free(f);
  golden_free(g);
}

/* The test's own model of a body. */
static inline mjModel *compile_body(const char *mjcf) {
  char *path = NULL, error[500] = "";
  int file = g_file_open_tmp("body-XXXXXX.xml", &path, NULL);
  g_assert_cmpint(file, >=, 0);
  close(file);
  g_assert_true(g_file_set_contents(path, mjcf, -1, NULL));
  mjModel *m = mj_loadXML(path, NULL, error, sizeof error);
  g_assert_cmpstr(error, ==, "");
  g_assert_nonnull(m);
  remove(path);
  g_free(path);
  return m;
}
#endif
