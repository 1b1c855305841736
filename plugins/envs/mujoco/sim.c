/* sim.c - one model, simulators as workbenches, rows as plain numbers. */
#include "sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mjData.warning counts what matters; by default MuJoCo would write a file beside it. */
static void ignore_warning(const char *text) {
  (void)text;
}

static void abort_on_error(const char *text) {
  fprintf(stderr, "error: MuJoCo: %s\n", text);
  abort();
}

mjModel *hn_sim_compile(const char *mjcf, char *error, int error_size) {
  const char *name = "model.xml";
  mjModel *model = NULL;
  mjVFS *files = calloc(1, sizeof *files);
  if (!files) return NULL;
  mj_defaultVFS(files);
#if mjVERSION_HEADER >= 314
  int refused = mj_addBufferVFS(files, name, mjcf, (int)strlen(mjcf));
#else
  int refused = mj_makeEmptyFileVFS(files, name, (int)strlen(mjcf));
  if (!refused) memcpy(files->filedata[0], mjcf, strlen(mjcf));
#endif
  if (!refused) model = mj_loadXML(name, files, error, error_size);
  mj_deleteVFS(files);
  free(files);
  return model;
}

/* Whether a control of 1 has one meaning: see hn_sim_advance. */
static bool has_even_motors(const mjModel *m) {
  for (int k = 0; k < m->nu; k++) {
    const double *range = m->actuator_ctrlrange + 2 * k;
    if (!m->actuator_ctrllimited[k] || range[0] != -range[1]) return false;
  }
  return true;
}

/* [rows], for a slot of the call. */
static HnStatus need_simulator(const HnSim *sim, int64_t slot) {
  if (!sim->simulator[slot]) sim->simulator[slot] = mj_makeData(sim->model);
  if (sim->simulator[slot]) return HN_OK;
  return sim->host->fail(sim->host, HN_E_IO, "no memory for a MuJoCo simulator");
}

HnStatus hn_sim_prepare(const HnHost *host) {
  if (mj_version() != mjVERSION_HEADER)
    return host->fail(host, HN_E_UNSUPPORTED, "built for MuJoCo %d, but the library is %d",
                      mjVERSION_HEADER, mj_version());
  if (!mju_user_warning) mju_user_warning = ignore_warning;
  if (!mju_user_error) mju_user_error = abort_on_error;
  return HN_OK;
}

HnStatus hn_sim_create(HnSim *sim, const HnHost *host, const char *mjcf, int64_t slots) {
  *sim = (HnSim){.host = host, .slots = slots > 0 ? slots : 1};
  HnStatus prepared = hn_sim_prepare(host);
  if (prepared) return prepared;
  char error[500] = "no memory";
  sim->model = hn_sim_compile(mjcf, error, sizeof error);
  if (!sim->model) return host->fail(host, HN_E_IO, "MuJoCo rejects the model: %s", error);
  sim->own = host->alloc(host, sim->slots, sizeof *sim->own);
  sim->simulator = host->alloc(host, sim->slots, sizeof *sim->simulator);
  sim->renderer = host->alloc(host, 1, sizeof(HnRenderer *));
  HnStatus s = has_even_motors(sim->model)
                   ? need_simulator(sim, 0)
                   : host->fail(host, HN_E_UNSUPPORTED, "a motor's control range is not +-x");
  if (s) hn_sim_destroy(sim);
  return s;
}

void hn_sim_destroy(HnSim *sim) {
  if (sim->renderer) hn_renderer_free(*sim->renderer);
  for (int64_t k = 0; sim->simulator && k < sim->slots; k++)
    if (sim->simulator[k]) mj_deleteData(sim->simulator[k]);
  for (int64_t k = 0; sim->own && k < sim->slots; k++)
    if (sim->own[k]) mj_deleteModel(sim->own[k]);
  if (sim->model) mj_deleteModel(sim->model);
  *sim = (HnSim){.host = sim->host};
}

int64_t hn_sim_state_count(const HnSim *sim) {
  const mjModel *m = sim->model;
  return m->nq + 2 * m->nv + m->na + 1;
}

mjModel *hn_sim_own_model(const HnSim *sim, int64_t slot) {
  if (!sim->own[slot]) sim->own[slot] = mj_copyModel(NULL, sim->model);
  if (!sim->own[slot] || need_simulator(sim, slot))
    return (void)sim->host->fail(sim->host, HN_E_IO, "no memory for a MuJoCo model"), NULL;
  return sim->own[slot];
}

void hn_sim_set_constants(const HnSim *sim, int64_t slot) {
  mj_setConst(sim->own[slot], sim->simulator[slot]);
}

/* What the simulator of this slot runs. */
static const mjModel *model_at(const HnSim *sim, int64_t slot) {
  return sim->own[slot] ? sim->own[slot] : sim->model;
}

static size_t bytes(int count) {
  return (size_t)count * sizeof(double);
}

static void push(const mjModel *m, mjData *d, const double *state) {
  const double *qvel = state + m->nq, *act = qvel + m->nv, *warm = act + m->na;
  memcpy(d->qpos, state, bytes(m->nq));
  memcpy(d->qvel, qvel, bytes(m->nv));
  if (m->na > 0) memcpy(d->act, act, bytes(m->na));
  memcpy(d->qacc_warmstart, warm, bytes(m->nv));
  d->time = warm[m->nv];
}

static void pull(const mjModel *m, const mjData *d, double *state) {
  double *qvel = state + m->nq, *act = qvel + m->nv, *warm = act + m->na;
  memcpy(state, d->qpos, bytes(m->nq));
  memcpy(qvel, d->qvel, bytes(m->nv));
  if (m->na > 0) memcpy(act, d->act, bytes(m->na));
  memcpy(warm, d->qacc_warmstart, bytes(m->nv));
  warm[m->nv] = d->time;
}

/* Fails on the first warning since the simulator was last clean, and cleans it. */
static HnStatus check_warnings(const HnSim *sim, mjData *d) {
  for (int w = 0; w < mjNWARNING; w++) {
    if (!d->warning[w].number) continue;
    int info = d->warning[w].lastinfo;
    mj_resetData(sim->model, d);
    return sim->host->fail(sim->host, HN_E_NUMERIC, "MuJoCo: %s", mju_warningText(w, (size_t)info));
  }
  return HN_OK;
}

HnStatus hn_sim_begin(const HnSim *sim, int64_t slot, double *state) {
  HnStatus s = need_simulator(sim, slot);
  if (s) return s;
  const mjModel *m = model_at(sim, slot);
  mjData *d = sim->simulator[slot];
  memset(state + m->nq + m->nv, 0, bytes(m->na + m->nv + 1));
  push(m, d, state);
  memset(d->ctrl, 0, bytes(m->nu));
  mj_forward(m, d);
  pull(m, d, state);
  return check_warnings(sim, d);
}

const mjData *hn_sim_place(const HnSim *sim, const double *state) {
  push(sim->model, sim->simulator[0], state);
  mj_kinematics(sim->model, sim->simulator[0]);
  return sim->simulator[0];
}

HnStatus hn_sim_render(const HnSim *sim, const double *state, const HnView *view, int64_t width,
                       int64_t height, uint8_t *rgb) {
  mjData *d = sim->simulator[0];
  hn_sim_place(sim, state);
  mj_comPos(sim->model, d), mj_camlight(sim->model, d);
  return hn_render(sim->renderer, sim->host, sim->model, d, view, width, height, rgb);
}

HnStatus hn_sim_advance(const HnSim *sim, int64_t slot, double *state, const float *control,
                        int frames) {
  HnStatus s = need_simulator(sim, slot);
  if (s) return s;
  const mjModel *m = model_at(sim, slot);
  mjData *d = sim->simulator[slot];
  for (int k = 0; k < m->nu; k++) {
    double u = (double)control[k];
    if (!isfinite(u)) return sim->host->fail(sim->host, HN_E_NUMERIC, "action %d is %g", k, u);
    d->ctrl[k] = (u < -1 ? -1 : u > 1 ? 1 : u) * m->actuator_ctrlrange[2 * k + 1];
  }
  push(m, d, state);
  for (int k = 0; k < frames; k++) mj_step(m, d);
  pull(m, d, state);
  return check_warnings(sim, d);
}

const double *hn_sim_forces(const HnSim *sim, int64_t slot) {
  mj_rnePostConstraint(model_at(sim, slot), sim->simulator[slot]);
  return sim->simulator[slot]->cfrc_ext;
}

const mjData *hn_sim_look(const HnSim *sim, int64_t slot) {
  const mjModel *m = model_at(sim, slot);
  mjData *d = sim->simulator[slot];
  mj_kinematics(m, d);
  mj_comPos(m, d);
  mj_comVel(m, d);
  return d;
}

void hn_sim_draw_pose(const HnSim *sim, double noise, HnRng *rng, double *qpos) {
  const mjModel *m = sim->model;
  for (int k = 0; k < m->nq; k++) qpos[k] = m->qpos0[k] + hn_rng_uniform(rng, -noise, noise);
  mj_normalizeQuat(m, qpos);
}
