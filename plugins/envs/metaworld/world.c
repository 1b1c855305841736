/* world.c - sets episodes up, steps, sees. */
#include "world.h"
#include "../mujoco/sim.h"
#include "compat.h"
#include "model.h"
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  BENCHES = 64,    /* calls that can run at once on one model; more wait for each other */
  HAND_STEPS = 50, /* control steps that bring the hand to its start */
  PALM_POSES = 9,  /* qpos of the arm and the gripper */
};
#define DIAL_RADIUS 0.05

static const double hand_low[3] = {-0.525, 0.348, -0.0525}, hand_high[3] = {0.525, 1.025, 0.7};

typedef struct Bench {
  mjModel model; /* the shared one, but with body_pos of its own */
  mjData *data;
  int edited; /* body whose place is not the shared model's, or -1 */
} Bench;

struct HnMwModel {
  const char *file;
  mjModel *shared; /* as compiled and adjusted, never written */
  int hand, left_claw, right_claw, left_pad, right_pad, left_tip, right_tip;
  int left_geom, right_geom; /* of the pads */
  atomic_flag lent[BENCHES];
  Bench *bench[BENCHES]; /* NULL until used */
};

enum { NOTHING, BODY, GEOM, SITE, DIAL };

typedef struct Spot { /* a look, looked up */
  int kind, id, qpos;
  const HnMwLook *look;
} Spot;

struct HnMwSubject { /* a task, looked up in its model */
  const HnMwTask *task;
  const HnMwRule *rule;
  HnMwModel *model;
  Spot place[2], turn[2], named[HN_MW_PLACES];
  int body[HN_MW_MOVES]; /* that a move edits */
  int joint, touch;      /* qpos address, geom; -1: none */
};

/* ---- looking names up ---- */

static HnStatus find(const HnHost *host, const HnMwModel *m, int type, const char *name, int *id) {
  *id = mj_name2id(m->shared, type, name);
  if (*id >= 0) return HN_OK;
  return host->fail(host, HN_E_UNSUPPORTED, "%s has no %s named '%s'; another Meta-World than 3.1?",
                    m->file, mju_type2Str(type), name);
}

static HnStatus find_spot(const HnHost *host, const HnMwModel *m, const char *of, Spot *spot) {
  static const struct {
    const char *word;
    int kind, type;
  } kinds[] = {{"body:", BODY, mjOBJ_BODY},
               {"geom:", GEOM, mjOBJ_GEOM},
               {"site:", SITE, mjOBJ_SITE},
               {"dial:", DIAL, mjOBJ_BODY}};
  spot->kind = NOTHING;
  if (!of) return HN_OK;
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    size_t length = strlen(kinds[k].word);
    if (strncmp(of, kinds[k].word, length) != 0) continue;
    spot->kind = kinds[k].kind, spot->qpos = HN_MW_SCALARS;
    return find(host, m, kinds[k].type, of + length, &spot->id);
  }
  return host->fail(host, HN_E_UNSUPPORTED, "what is '%s'?", of);
}

static HnStatus look_up_model(const HnHost *host, HnMwModel *m) {
  const struct {
    int type;
    const char *name;
    int *id;
  } names[] = {{mjOBJ_BODY, "hand", &m->hand},
               {mjOBJ_BODY, "leftclaw", &m->left_claw},
               {mjOBJ_BODY, "rightclaw", &m->right_claw},
               {mjOBJ_BODY, "leftpad", &m->left_pad},
               {mjOBJ_BODY, "rightpad", &m->right_pad},
               {mjOBJ_SITE, "leftEndEffector", &m->left_tip},
               {mjOBJ_SITE, "rightEndEffector", &m->right_tip},
               {mjOBJ_GEOM, "leftpad_geom", &m->left_geom},
               {mjOBJ_GEOM, "rightpad_geom", &m->right_geom}};
  HnStatus s = HN_OK;
  for (size_t k = 0; k < sizeof names / sizeof *names && !s; k++)
    s = find(host, m, names[k].type, names[k].name, names[k].id);
  const mjModel *shared = m->shared;
  if (!s && (shared->nq > HN_MW_QPOS || shared->nv > HN_MW_QVEL || shared->na != 0 ||
             shared->nmocap != 1 || shared->nu != 2 || shared->neq != 1 ||
             shared->nq < HN_MW_SCALARS + 1))
    s = host->fail(host, HN_E_UNSUPPORTED, "%s has another shape than Meta-World 3.1's", m->file);
  return s;
}

static HnStatus look_up_task(const HnHost *host, HnMwSubject *j) {
  const HnMwModel *m = j->model;
  const HnMwTask *task = j->task;
  HnStatus s = HN_OK;
  for (int k = 0; k < 2 && !s; k++) {
    j->place[k].look = &task->place[k], j->turn[k].look = &task->turn[k];
    s = find_spot(host, m, task->place[k].of, &j->place[k]);
    if (!s) s = find_spot(host, m, task->turn[k].of, &j->turn[k]);
  }
  for (int k = 0; k < HN_MW_MOVES && !s; k++)
    if (task->move[k].body) s = find(host, m, mjOBJ_BODY, task->move[k].body, &j->body[k]);
  j->rule = hn_mw_rule(task->name);
  j->joint = j->touch = -1;
  if (!s && !j->rule)
    return host->fail(host, HN_E_UNSUPPORTED, "no reward is known for %s", task->name);
  for (int k = 0; k < HN_MW_PLACES && !s; k++)
    s = find_spot(host, m, j->rule->places[k], &j->named[k]);
  int joint;
  if (!s && j->rule->joint && !(s = find(host, m, mjOBJ_JOINT, j->rule->joint, &joint)))
    j->joint = m->shared->jnt_qposadr[joint];
  if (!s && j->rule->touch) s = find(host, m, mjOBJ_GEOM, j->rule->touch, &j->touch);
  return s;
}

/* ---- making ---- */

static HnStatus need_model(HnMwWorld *w, const char *assets, const char *file, HnMwModel **found) {
  for (int k = 0; k < w->models; k++)
    if (strcmp(w->model[k].file, file) == 0) return *found = &w->model[k], HN_OK;
  HnMwModel *m = *found = &w->model[w->models];
  m->file = file;
  HnStatus s = hn_mw_load(w->host, assets, file, false, &m->shared);
  if (s) return s;
  w->models++;
  for (int k = 0; k < BENCHES; k++) atomic_flag_clear(&m->lent[k]);
  return look_up_model(w->host, m);
}

HnStatus hn_mw_world_create(HnMwWorld *w, const HnHost *host, const char *assets, int count,
                            const int *task) {
  *w = (HnMwWorld){.host = host};
  HnStatus s = hn_sim_prepare(host);
  if (!s && !hn_mw_is_supported())
    s = host->fail(host, HN_E_UNSUPPORTED,
                   "MuJoCo %s welds the hand in a way of its own; supported are 2.2.2 to 2.3.7 and "
                   "3.0.1 or later",
                   mj_versionString());
  if (s) return s;
  w->model = host->alloc(host, HN_MW_TASKS, sizeof *w->model);
  for (int k = 0; k < count && !s; k++) {
    HnMwSubject *j = w->subject[task[k]];
    if (j) continue;
    j = w->subject[task[k]] = host->alloc(host, 1, sizeof *j);
    j->task = &hn_mw_tasks[task[k]];
    s = need_model(w, assets, j->task->model, &j->model);
    if (!s) s = look_up_task(host, j);
  }
  if (s) hn_mw_world_destroy(w);
  return s;
}

void hn_mw_world_destroy(HnMwWorld *w) {
  for (int k = 0; k < w->models; k++) {
    HnMwModel *m = &w->model[k];
    for (int b = 0; b < BENCHES; b++) {
      if (!m->bench[b]) continue;
      mj_deleteData(m->bench[b]->data);
      free(m->bench[b]->model.body_pos);
      free(m->bench[b]);
    }
    mj_deleteModel(m->shared);
  }
  *w = (HnMwWorld){.host = w->host};
}

const mjModel *hn_mw_model_of(const HnMwWorld *w, int64_t task) {
  return w->subject[task]->model->shared;
}

int hn_mw_hand_of(const HnMwWorld *w, int64_t task) {
  return w->subject[task]->model->hand;
}

/* ---- benches ---- */

static size_t bytes(int count) {
  return (size_t)count * sizeof(double);
}

static Bench *new_bench(const mjModel *shared) {
  size_t size = bytes(3 * shared->nbody);
  Bench *b = malloc(sizeof *b);
  mjtNum *place = malloc(size);
  mjData *data = b && place ? mj_makeData(shared) : NULL;
  if (!data) {
    free(b), free(place);
    return NULL;
  }
  *b = (Bench){.model = *shared, .data = data, .edited = -1};
  b->model.body_pos = memcpy(place, shared->body_pos, size);
  return b;
}

/* Lends the first that nobody uses, so that a thread alone keeps to one; NULL without memory. */
static Bench *borrow(const HnMwWorld *w, HnMwModel *m, int *which) {
  int k = 0;
  while (atomic_flag_test_and_set_explicit(&m->lent[k], memory_order_acquire))
    k = (k + 1) % BENCHES;
  *which = k;
  if (!m->bench[k]) m->bench[k] = new_bench(m->shared);
  if (m->bench[k]) return m->bench[k];
  atomic_flag_clear_explicit(&m->lent[k], memory_order_release);
  w->host->fail(w->host, HN_E_IO, "no memory for a MuJoCo simulator");
  return NULL;
}

static void give_back(HnMwModel *m, int which) {
  atomic_flag_clear_explicit(&m->lent[which], memory_order_release);
}

static void value_of(const HnMwMove *move, const HnMwRow *row, double *out) {
  const double *from = move->from == HN_MW_FROM_OBJECT ? row->rand
                       : move->from == HN_MW_FROM_GOAL ? row->rand + 3
                       : move->from == HN_MW_FROM_OBJ0 ? row->obj0
                       : move->from == HN_MW_FROM_MARK ? row->mark
                                                       : NULL;
  for (int i = 0; i < 3; i++) out[i] = move->offset[i] + (from ? from[i] : 0);
}

static int edited_numbers(const HnMwMove *move) {
  return move->kind == HN_MW_DO_EDIT ? 3 : 2;
}

void hn_mw_place_bodies(const HnMwRow *row, mjModel *m) {
  for (int k = 0; k < HN_MW_MOVES; k++) {
    const HnMwMove *move = &hn_mw_tasks[row->task].move[k];
    int body = move->body ? mj_name2id(m, mjOBJ_BODY, move->body) : -1;
    double place[3];
    value_of(move, row, place);
    if (body >= 0) memcpy(m->body_pos + 3 * body, place, bytes(edited_numbers(move)));
  }
}

/* The same for a bench, by what was looked up; the shared model's place where another row left
 * its own. */
static void edit(const HnMwSubject *j, Bench *b, const HnMwRow *row) {
  const mjtNum *shared = j->model->shared->body_pos;
  if (b->edited >= 0) memcpy(b->model.body_pos + 3 * b->edited, shared + 3 * b->edited, bytes(3));
  b->edited = -1;
  for (int k = 0; k < HN_MW_MOVES; k++) {
    const HnMwMove *move = &j->task->move[k];
    double place[3];
    if (!move->body) continue;
    value_of(move, row, place);
    b->edited = j->body[k];
    memcpy(b->model.body_pos + 3 * b->edited, place, bytes(edited_numbers(move)));
  }
}

static void set_mocap(mjData *d, const double *place) {
  static const double down[4] = {1, 0, 1, 0}; /* MuJoCo scales it to length one */
  memcpy(d->mocap_pos, place, bytes(3));
  memcpy(d->mocap_quat, down, bytes(4));
}

static void push(const HnMwSubject *j, Bench *b, const HnMwRow *row) {
  const mjModel *m = &b->model;
  mjData *d = b->data;
  edit(j, b, row);
  memcpy(d->qpos, row->qpos, bytes(m->nq));
  memcpy(d->qvel, row->qvel, bytes(m->nv));
  memcpy(d->qacc_warmstart, row->warm, bytes(m->nv));
  set_mocap(d, row->mocap);
  d->time = 0;
}

static void pull(const Bench *b, HnMwRow *row) {
  const mjModel *m = &b->model;
  const mjData *d = b->data;
  memcpy(row->qpos, d->qpos, bytes(m->nq));
  memcpy(row->qvel, d->qvel, bytes(m->nv));
  memcpy(row->warm, d->qacc_warmstart, bytes(m->nv));
  memcpy(row->mocap, d->mocap_pos, bytes(3));
}

static void run(const HnMwSubject *j, Bench *b, int substeps) {
  for (int k = 0; k < substeps; k++) hn_mw_substep(&b->model, b->data, j->model->hand);
}

static void forward(const HnMwSubject *j, Bench *b) {
  hn_mw_forward(&b->model, b->data, j->model->hand);
}

/* The first warning since the simulator was last clean, which is cleaned; or "". */
static void take_warning(Bench *b, char *text, size_t size) {
  *text = 0;
  for (int k = 0; k < mjNWARNING && !*text; k++)
    if (b->data->warning[k].number)
      snprintf(text, size, "MuJoCo: %s", mju_warningText(k, (size_t)b->data->warning[k].lastinfo));
  if (*text) mj_resetData(&b->model, b->data);
}

/* ---- seeing ---- */

static double distance(const double *a, const double *b) {
  double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return sqrt(x * x + y * y + z * z);
}

static double clip(double x, double low, double high) {
  return fmin(fmax(x, low), high);
}

static void see_place(const Spot *s, const mjData *d, double *out) {
  const mjtNum *at = s->kind == BODY || s->kind == DIAL ? d->xpos
                     : s->kind == GEOM                  ? d->geom_xpos
                                                        : d->site_xpos;
  for (int i = 0; i < 3; i++)
    out[i] = s->kind == NOTHING ? 0 : at[3 * s->id + i] + (s->look ? s->look->offset[i] : 0);
  if (s->kind != DIAL) return;
  out[0] += DIAL_RADIUS * sin(d->qpos[s->qpos]);
  out[1] -= DIAL_RADIUS * cos(d->qpos[s->qpos]);
}

/* x y z w of a rotation matrix, in the branch and with the sign that scipy takes (Markley 2008). */
static void quaternion(const mjtNum *r, double *q) {
  double trace = r[0] + r[4] + r[8];
  int i = r[4] > r[0] ? 1 : 0;
  if (r[8] > r[4 * i]) i = 2;
  if (trace > r[4 * i]) {
    q[0] = r[7] - r[5], q[1] = r[2] - r[6], q[2] = r[3] - r[1], q[3] = 1 + trace;
  } else {
    int k = (i + 1) % 3, l = (i + 2) % 3;
    q[i] = 1 - trace + 2 * r[4 * i];
    q[k] = r[3 * k + i] + r[3 * i + k];
    q[l] = r[3 * l + i] + r[3 * i + l];
    q[3] = r[3 * l + k] - r[3 * k + l];
  }
  double length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  for (int n = 0; n < 4; n++) q[n] /= length;
}

static void see_turn(const Spot *s, const mjData *d, double *out) {
  if (s->kind == NOTHING)
    memcpy(out, s->look->offset, bytes(4));
  else if (!s->look->scalar_last)
    memcpy(out, d->xquat + 4 * s->id, bytes(4)); /* only bodies have one */
  else
    quaternion((s->kind == BODY   ? d->xmat
                : s->kind == GEOM ? d->geom_xmat
                                  : d->site_xmat) +
                   9 * s->id,
               out);
}

/* What is seen now [HN_MW_FRAME]. */
static void see(const HnMwSubject *j, const mjData *d, double *frame) {
  const HnMwModel *m = j->model;
  memcpy(frame, d->xpos + 3 * m->hand, bytes(3));
  frame[3] = clip(distance(d->xpos + 3 * m->right_claw, d->xpos + 3 * m->left_claw) / 0.1, 0, 1);
  for (int k = 0; k < 2; k++) {
    see_place(&j->place[k], d, frame + 4 + 7 * k);
    see_turn(&j->turn[k], d, frame + 7 + 7 * k);
  }
}

static void clip_hand(double *frame) {
  for (int i = 0; i < 3; i++) frame[i] = clip(frame[i], hand_low[i], hand_high[i]);
}

/* Whether both pads press on the geom: normal forces of all their contacts, summed (trap 8). */
static bool is_held(const HnMwSubject *j, const mjData *d) {
  double force[2] = {0, 0};
  const int pad[2] = {j->model->left_geom, j->model->right_geom};
  for (int k = 0; k < d->ncon && j->touch >= 0; k++) {
    const mjContact *c = &d->contact[k];
    for (int side = 0; side < 2; side++)
      if ((c->geom1 == pad[side] && c->geom2 == j->touch) ||
          (c->geom2 == pad[side] && c->geom1 == j->touch))
        force[side] += c->efc_address >= 0 ? d->efc_force[c->efc_address] : 0;
  }
  return force[0] > 0 && force[1] > 0;
}

/* The scene but for what the action and the reset leave in it. */
static void set_scene(const HnMwSubject *j, const mjData *d, const double *frame, HnMwScene *s) {
  const HnMwModel *m = j->model;
  memcpy(s->hand, frame, bytes(3)), s->open = frame[3];
  memcpy(s->obj, frame + 4, bytes(3)), memcpy(s->quat, frame + 7, bytes(4));
  memcpy(s->obj2, frame + 11, bytes(3)), memcpy(s->quat2, frame + 14, bytes(4));
  const double *left = d->site_xpos + 3 * m->left_tip, *right = d->site_xpos + 3 * m->right_tip;
  for (int i = 0; i < 3; i++) s->tcp[i] = (right[i] + left[i]) / 2;
  memcpy(s->left, d->xpos + 3 * m->left_pad, bytes(3));
  memcpy(s->right, d->xpos + 3 * m->right_pad, bytes(3));
  for (int k = 0; k < HN_MW_PLACES; k++) see_place(&j->named[k], d, s->place[k]);
  s->joint = j->joint < 0 ? 0 : d->qpos[j->joint];
  s->held = is_held(j, d);
  memcpy(s->hand0, j->task->hand, bytes(3));
}

static void remember(const HnMwScene *s, HnMwRow *row) {
  memcpy(row->tcp0, s->tcp0, bytes(3)), memcpy(row->target, s->target, bytes(3));
  memcpy(row->obj0, s->obj0, bytes(3)), memcpy(row->mark, s->mark, bytes(3));
  row->far0 = s->far0;
}

static void recall(const HnMwRow *row, HnMwScene *s) {
  memcpy(s->tcp0, row->tcp0, bytes(3)), memcpy(s->target, row->target, bytes(3));
  memcpy(s->obj0, row->obj0, bytes(3)), memcpy(s->mark, row->mark, bytes(3));
  s->far0 = row->far0;
}

/* ---- an episode begins ---- */

static void move(const HnMwSubject *j, Bench *b, const HnMwMove *move, const HnMwRow *row) {
  static const double identity[4] = {1, 0, 0, 0};
  mjData *d = b->data;
  double value[3];
  switch (move->kind) {
  case HN_MW_DO_FORWARD:
    forward(j, b);
    break;
  case HN_MW_DO_STEPS:
    run(j, b, HN_MW_FRAMES);
    break;
  case HN_MW_DO_PLACE:
  case HN_MW_DO_SET:
    value_of(move, row, value);
    memcpy(d->qpos + move->q, value, bytes(move->n));
    if (move->upright) memcpy(d->qpos + move->q + 3, identity, bytes(4));
    memset(d->qvel + move->v, 0, bytes(move->zero));
    if (move->kind == HN_MW_DO_PLACE) forward(j, b);
    break;
  default: /* edits are in the model all along: see set_up */
    break;
  }
}

/* Meta-World sets every episode up twice, and only the simulator forgets the first time: the hand
 * comes to its start among bodies that are already in their places.  So the first time is its
 * edits.  Later edits of the second time write the same again. */
static void set_up(const HnMwSubject *j, Bench *b, HnMwRow *row) {
  mjData *d = b->data;
  HnMwScene settled = {.open = 0}, scene = {.open = 0};
  double frame[HN_MW_FRAME];
  edit(j, b, row);
  mj_resetData(&b->model, d);
  for (int k = 0; k < HAND_STEPS; k++) {
    set_mocap(d, j->task->hand);
    d->ctrl[0] = -1, d->ctrl[1] = 1;
    run(j, b, HN_MW_FRAMES);
  }
  see(j, d, frame);
  set_scene(j, d, frame, &settled);
  memcpy(settled.tcp0, settled.tcp, bytes(3));
  scene = settled;
  hn_mw_begin(j->rule, row->rand, &settled, &scene);
  remember(&scene, row);
  for (int k = 0; k < HN_MW_MOVES; k++) move(j, b, &j->task->move[k], row);
  see(j, d, row->frame);
  set_scene(j, d, row->frame, &scene);
  hn_mw_begin(j->rule, row->rand, &settled, &scene);
  remember(&scene, row);
}

HnStatus hn_mw_start(const HnMwWorld *w, HnMwRow *row) {
  const HnMwSubject *j = w->subject[row->task];
  int which;
  Bench *b = borrow(w, j->model, &which);
  if (!b) return HN_E_IO;
  char warning[120];
  row->steps = 0;
  set_up(j, b, row);
  pull(b, row);
  take_warning(b, warning, sizeof warning);
  give_back(j->model, which);
  if (!*warning) return HN_OK;
  return w->host->fail(w->host, HN_E_NUMERIC, "%s, setting %s up", warning, j->task->name);
}

void hn_mw_first_obs(const HnMwRow *row, double *obs) {
  memcpy(obs, row->frame, bytes(HN_MW_FRAME));
  memcpy(obs + HN_MW_FRAME, row->frame, bytes(HN_MW_FRAME));
  memcpy(obs + 2 * HN_MW_FRAME, row->target, bytes(3));
}

/* ---- a step ---- */

/* Upstream adds a product of float32 numbers to a float64. */
static void move_hand(const HnMwTask *task, const float *action, double *mocap) {
  for (int i = 0; i < 3; i++) {
    float by = fminf(fmaxf(action[i], -1), 1) * 0.01f;
    mocap[i] = clip(mocap[i] + (double)by, task->mocap_low[i], task->mocap_high[i]);
  }
}

static bool is_finite(const HnMwOutcome *out) {
  for (int k = 0; k < HN_MW_OBS; k++)
    if (!isfinite(out->obs[k])) return false;
  return isfinite(out->reward);
}

/* What was seen last stands for what cannot be seen any more. */
static void show_last(const HnMwSubject *j, const HnMwRow *row, HnMwOutcome *out) {
  hn_mw_first_obs(row, out->obs);
  clip_hand(out->obs), clip_hand(out->obs + HN_MW_FRAME);
  for (int i = 0; i < 3; i++)
    out->obs[2 * HN_MW_FRAME + i] =
        clip(row->target[i], j->task->goal_low[i], j->task->goal_high[i]);
  out->reward = 0, out->success = false;
}

/* Fills out->obs and pays; row->frame is still that of the step before. */
static void judge(const HnMwSubject *j, const mjData *d, HnMwRow *row, const float *action,
                  HnMwOutcome *out) {
  HnMwScene scene;
  double frame[HN_MW_FRAME];
  show_last(j, row, out);
  see(j, d, frame);
  memcpy(out->obs, frame, bytes(HN_MW_FRAME));
  clip_hand(out->obs);
  set_scene(j, d, out->obs, &scene);
  recall(row, &scene);
  scene.grip = (double)action[3];
  if (row->steps == 0) hn_mw_first_step(j->rule, &scene);
  out->reward = hn_mw_reward(j->rule, &scene);
  out->success = hn_mw_success(j->rule, &scene);
  if (!*out->trouble && !is_finite(out))
    snprintf(out->trouble, sizeof out->trouble, "what is seen is not finite");
  if (*out->trouble) {
    show_last(j, row, out);
    return;
  }
  memcpy(row->frame, frame, bytes(HN_MW_FRAME));
  row->far0 = scene.far0;
  row->steps++;
}

static HnStatus advance(const HnMwWorld *w, HnMwRow *row, const float *action, int substeps,
                        HnMwOutcome *out) {
  const HnMwSubject *j = w->subject[row->task];
  for (int k = 0; k < HN_MW_ACT; k++)
    if (!isfinite(action[k]))
      return w->host->fail(w->host, HN_E_NUMERIC, "action %d is %g", k, (double)action[k]);
  int which;
  Bench *b = borrow(w, j->model, &which);
  if (!b) return HN_E_IO;
  if (substeps) move_hand(j->task, action, row->mocap);
  push(j, b, row);
  b->data->ctrl[0] = (double)action[3], b->data->ctrl[1] = -(double)action[3];
  run(j, b, substeps);
  forward(j, b);
  pull(b, row);
  take_warning(b, out->trouble, sizeof out->trouble);
  judge(j, b->data, row, action, out);
  give_back(j->model, which);
  return HN_OK;
}

HnStatus hn_mw_step(const HnMwWorld *w, HnMwRow *row, const float *action, HnMwOutcome *out) {
  return advance(w, row, action, HN_MW_FRAMES, out);
}

HnStatus hn_mw_look(const HnMwWorld *w, HnMwRow *row, const float *action, HnMwOutcome *out) {
  return advance(w, row, action, 0, out);
}
