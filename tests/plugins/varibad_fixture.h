/* varibad_fixture.h - what tests of VariBAD's variants stand on: experience made up here,
 * parameters as the host would fill them in, and the whole model written out again in float64.
 * Include it after the plugin's source. */
#ifndef VARIBAD_SUBJECT_H
#define VARIBAD_SUBJECT_H
#include "window_law.h"
#include <glib.h>

enum { OBS = 2, ACT = 3, TASK = 4, LIFETIME = 9 };

/* ---- experience made up here ---- */

/* Steps 0 .. steps-1 of rows, [steps + 1, rows, ..]; windows are cut out of it.  Observations are
 * places on a grid of side 3; tasks last 5 to LIFETIME steps and their episodes 1 to 4. */
typedef struct Life {
  int64_t steps, rows;
  uint8_t *begin, *none; /* none: zeros */
  float *obs, *action, *reward, *next, *task;
} Life;

static void live_row(Life *l, int64_t i, HnRng *rng, bool equal) {
  int64_t task_left = 0, episode_left = 0, which = 0;
  float place[OBS] = {0};
  for (int64_t t = 0; t <= l->steps; t++) {
    int64_t at = t * l->rows + i;
    l->begin[at] = task_left == 0 ? HN_NEW_TASK : episode_left == 0 ? HN_NEW_EPISODE : HN_KEEP;
    if (!task_left)
      task_left = equal ? LIFETIME : 5 + hn_rng_below(rng, LIFETIME - 4),
      which = hn_rng_below(rng, TASK);
    if (l->begin[at]) {
      episode_left = 1 + hn_rng_below(rng, 4);
      place[0] = place[1] = 0;
    }
    episode_left = MIN(episode_left, task_left);
    l->task[at * TASK + which] = 1;
    memcpy(l->obs + at * OBS, place, sizeof place);
    for (int j = 0; j < ACT; j++) l->action[at * ACT + j] = (float)hn_rng_uniform(rng, -1, 1);
    place[0] = (float)hn_rng_below(rng, 3), place[1] = (float)hn_rng_below(rng, 3);
    memcpy(l->next + at * OBS, place, sizeof place);
    l->reward[at] = hn_rng_below(rng, 3) ? (float)hn_rng_uniform(rng, -1, 1) : 1;
    task_left--, episode_left--;
  }
}

/* equal: every task lasts LIFETIME steps. */
static Life life_new(int64_t steps, int64_t rows, uint64_t seed, bool equal) {
  int64_t n = (steps + 1) * rows;
  Life l = {.steps = steps, .rows = rows, .begin = g_new0(uint8_t, n)};
  l.none = g_new0(uint8_t, n);
  l.obs = g_new0(float, n *OBS), l.next = g_new0(float, n *OBS), l.action = g_new0(float, n *ACT);
  l.reward = g_new0(float, n), l.task = g_new0(float, n *TASK);
  for (int64_t i = 0; i < rows; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    live_row(&l, i, &rng, equal);
  }
  return l;
}

static void life_free(Life *l) {
  g_free(l->begin), g_free(l->obs), g_free(l->next), g_free(l->action), g_free(l->reward);
  g_free(l->task), g_free(l->none);
}

/* Steps from .. from + steps - 1 of rows first .. first + rows - 1. */
static HnHistory window(const Life *l, int64_t from, int64_t steps, int64_t first, int64_t rows) {
  int64_t at = from * l->rows + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = l->rows,
                     .begin = l->begin + at,
                     .obs = l->obs + at * OBS,
                     .action = l->action + at * ACT,
                     .reward = l->reward + at,
                     .true_reward = l->reward + at,
                     .next_obs = l->next + at * OBS,
                     .terminated = l->none + at,
                     .truncated = l->none + at,
                     .task = l->task + at * TASK};
}

/* ---- an instance ---- */

static HnThisParams presets(void) {
  HnThisParams p = {0};
  for (const HnParam *k = hn_this_params; k->name; k++) {
    void *to = (char *)&p + k->offset;
    if (k->kind == HN_REAL) *(double *)to = k->preset;
    if (k->kind == HN_INT) *(int64_t *)to = (int64_t)k->preset;
    if (k->kind == HN_FLAG) *(bool *)to = k->preset != 0;
    if (k->kind == HN_TEXT) *(const char **)to = k->text;
    if (k->kind != HN_CHOICE) continue;
    char **choice = g_strsplit(k->choices, "|", -1);
    int32_t index = 0;
    while (choice[index] && strcmp(choice[index], k->text) != 0) index++;
    g_assert_nonnull(choice[index]);
    *(int32_t *)to = index;
    g_strfreev(choice);
  }
  return p;
}

static HnThisParams small(void) {
  HnThisParams p = presets();
  p.latent = 3, p.hidden = 7, p.obs_embed = 4, p.act_embed = 3, p.reward_embed = 2;
  p.reward_layers = "6 5", p.state_layers = "5";
  p.batch = 5, p.buffer = 12, p.start = 0, p.updates = 2, p.truncate = 0;
  return p;
}

typedef struct Subject {
  HnThisParams params;
  FakeHost fake;
  Varibad v;
  HnBeliefSpec spec;
  HnRng rng;
  int64_t iteration;
} Subject;

static HnStatus subject_try(Subject *b, HnThisParams p, int64_t rows, int64_t lifetime) {
  memset(b, 0, sizeof *b);
  const HnHost *host = fake_host_open(&b->fake);
  b->params = p, b->rng = hn_rng(7, 1);
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = OBS,
                           .action_dim = ACT,
                           .task_dim = TASK,
                           .horizon = 4,
                           .lifetime = lifetime,
                           .rows = rows,
                           .steps = LIFETIME,
                           .rng = &b->rng};
  return create(&b->v, host, &b->params, &b->spec);
}

static Subject *subject_new(HnThisParams p, int64_t rows) {
  Subject *b = g_new0(Subject, 1);
  g_assert_cmpint(subject_try(b, p, rows, LIFETIME), ==, HN_OK);
  return b;
}

static void subject_free(Subject *b) {
  fake_host_close(&b->fake);
  g_free(b);
}

/* Moves every weight, so that no bias is 0 and no two tensors share a scale. */
static void shake(Subject *b) {
  HnRng rng = hn_rng(11, 2);
  HnStore *store[] = {&b->v.encoder, &b->v.decoders};
  for (int s = 0; s < 2; s++)
    for (int64_t k = 0; k < store[s]->count; k++) {
      HnTensor *w = &store[s]->tensor[k];
      for (int64_t i = 0; i < w->rows * w->cols; i++)
        w->data[i] += (float)hn_rng_uniform(&rng, -0.3, 0.3);
    }
  hn_store_refresh(&b->v.encoder), hn_store_refresh(&b->v.decoders);
}

static void learn_from(Subject *b, const HnHistory *h) {
  const HnHistory *phase[] = {h};
  HnTrainBatch l = {.struct_size = sizeof l,
                    .iteration = b->iteration++,
                    .frames = 1,
                    .rng = &b->rng,
                    .phases = 1,
                    .phase = phase};
  g_assert_cmpint(learn(&b->v, &l), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

static void learn_life(Subject *b, const Life *l) {
  HnHistory h = window(l, 0, l->steps, 0, l->rows);
  learn_from(b, &h);
}

/* Beliefs of steps from .. from + steps of rows first .. first + rows - 1, into [steps + 1, rows,
 * D] of the whole life; state [rows] of the whole life. */
static inline void believe_part(Subject *b, const Life *l, int64_t from, int64_t steps,
                                int64_t first, int64_t rows, char *state, float *belief) {
  HnHistory h = window(l, from, steps, first, rows);
  int64_t dim = b->spec.belief_dim;
  float *part = g_new0(float, (steps + 1) * rows * dim);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .belief = part,
                      .state = state + (size_t)first * b->spec.row_size};
  g_assert_cmpint(believe(&b->v, &q), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  for (int64_t t = 0; t <= steps; t++)
    for (int64_t i = 0; i < rows; i++)
      memcpy(belief + ((from + t) * l->rows + first + i) * dim, part + (t * rows + i) * dim,
             (size_t)dim * sizeof *part);
  g_free(part);
}

/* The window law on all of a life, for a belief of its mean or of `samples` draws. */
static inline void check_windows(Subject *b, const Life *l, int64_t samples) {
  check_window_law(&(WindowLaw){.methods = &methods,
                                .self = &b->v,
                                .spec = &b->spec,
                                .fake = &b->fake,
                                .whole = window(l, 0, l->steps, 0, l->rows),
                                .samples = samples,
                                .info_count = info_count,
                                .forward_leaves_row_memory = true});
}

/* ---- the model again, in float64 ---- */

/* Weights as kept, but for element `hook`, which counts as moved by `by`. */
typedef struct Naive {
  const Varibad *v;
  const float *hook;
  double by;
} Naive;

static double weight_of(const Naive *m, const HnTensor *w, int64_t i, int64_t j) {
  const float *e = w->data + i * w->cols + j;
  return (double)*e + (e == m->hook ? m->by : 0);
}

static void naive_mlp(const Naive *m, const HnMlp *net, const double *x, double *y) {
  double a[64], z[64];
  memcpy(a, x, (size_t)net->w[0]->rows * sizeof *a);
  for (int64_t l = 0; l < net->layers; l++) {
    const HnTensor *w = net->w[l];
    bool relu = (l + 1 == net->layers ? net->output : net->hidden) == HN_RELU;
    for (int64_t j = 0; j < w->cols; j++) {
      z[j] = weight_of(m, net->b[l], 0, j);
      for (int64_t i = 0; i < w->rows; i++) z[j] += a[i] * weight_of(m, w, i, j);
      if (relu && z[j] < 0) z[j] = 0;
    }
    memcpy(a, z, (size_t)w->cols * sizeof *a);
  }
  memcpy(y, a, (size_t)net->w[net->layers - 1]->cols * sizeof *y);
}

/* One step's number row: state, flag, action, reward. */
typedef struct NaiveStep {
  double state[OBS + 1], action[ACT], reward, before[OBS + 1];
} NaiveStep;

/* h becomes the hidden state after the step (Cho et al. 2014, PyTorch's convention). */
static void naive_step(const Naive *m, const NaiveStep *s, double *h) {
  const Varibad *v = m->v;
  int64_t n = v->hidden, at = 0;
  double x[64], next[64], gate[3][2];
  naive_mlp(m, &v->embed_action, s->action, x), at += v->p->act_embed;
  naive_mlp(m, &v->embed_state, s->state, x + at), at += v->p->obs_embed;
  naive_mlp(m, &v->embed_reward, &s->reward, x + at), at += v->p->reward_embed;
  for (int64_t j = 0; j < n; j++) {
    for (int g = 0; g < 3; g++) {
      gate[g][0] = weight_of(m, v->gru.b, 0, g * n + j);
      gate[g][1] = weight_of(m, v->gru.c, 0, g * n + j);
      for (int64_t i = 0; i < at; i++) gate[g][0] += x[i] * weight_of(m, v->gru.w, i, g * n + j);
      for (int64_t i = 0; i < n; i++) gate[g][1] += h[i] * weight_of(m, v->gru.u, i, g * n + j);
    }
    double r = 1 / (1 + exp(-gate[0][0] - gate[0][1])), z = 1 / (1 + exp(-gate[1][0] - gate[1][1]));
    next[j] = (1 - z) * tanh(gate[2][0] + r * gate[2][1]) + z * h[j];
  }
  memcpy(h, next, (size_t)n * sizeof *h);
}

static void naive_moments(const Naive *m, const double *h, double *q) {
  const Varibad *v = m->v;
  for (int64_t j = 0; j < 2 * v->d; j++) {
    q[j] = weight_of(m, v->bias, 0, j);
    for (int64_t i = 0; i < v->hidden; i++) q[j] += h[i] * weight_of(m, v->head, i, j);
  }
}

static inline double naive_kl(int64_t d, const double *q, const double *p) {
  double sum = 0;
  for (int64_t j = 0; j < d; j++) {
    double mean = p ? p[j] : 0, logvar = p ? p[d + j] : 0, apart = q[j] - mean;
    sum += 0.5 * (logvar - q[d + j] - 1 + exp(q[d + j] - logvar) + apart * apart * exp(-logvar));
  }
  return sum;
}
#endif
