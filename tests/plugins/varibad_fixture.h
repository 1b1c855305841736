/* varibad_fixture.h - experience made up for tests of VariBAD, an instance of it on the fake host,
 * and the whole model written out again in float64. */
#ifndef HN_TESTS_VARIBAD_FIXTURE_H
#define HN_TESTS_VARIBAD_FIXTURE_H
#include "../../plugins/inference/varibad/elbo.h"
#include "cell_fixture.h"
#include "window_law.h"
#include <glib.h>

enum { OBS = 2, ACT = 3, TASK = 4, LIFETIME = 9 };

/* ---- experience made up here ---- */

/* Steps 0 .. steps-1 of rows, [steps + 1, rows, ..]; windows are cut out of it.  Observations are
 * places on a grid of side 3; tasks last 5 to LIFETIME steps and their episodes 1 to 4. */
typedef struct Experience {
  int64_t steps, rows;
  uint8_t *begin, *none; /* none: zeros */
  float *obs, *action, *reward, *next, *task;
} Experience;

static void fill_row(Experience *data, int64_t i, HnRng *rng, bool equal) {
  int64_t task_left = 0, episode_left = 0, which = 0;
  float place[OBS] = {0};
  for (int64_t t = 0; t <= data->steps; t++) {
    int64_t at = t * data->rows + i;
    data->begin[at] = task_left == 0 ? HN_NEW_TASK : episode_left == 0 ? HN_NEW_EPISODE : HN_KEEP;
    if (!task_left)
      task_left = equal ? LIFETIME : 5 + hn_rng_below(rng, LIFETIME - 4),
      which = hn_rng_below(rng, TASK);
    if (data->begin[at]) {
      episode_left = 1 + hn_rng_below(rng, 4);
      place[0] = place[1] = 0;
    }
    episode_left = MIN(episode_left, task_left);
    data->task[at * TASK + which] = 1;
    memcpy(data->obs + at * OBS, place, sizeof place);
    for (int j = 0; j < ACT; j++) data->action[at * ACT + j] = (float)hn_rng_uniform(rng, -1, 1);
    place[0] = (float)hn_rng_below(rng, 3), place[1] = (float)hn_rng_below(rng, 3);
    memcpy(data->next + at * OBS, place, sizeof place);
    data->reward[at] = hn_rng_below(rng, 3) ? (float)hn_rng_uniform(rng, -1, 1) : 1;
    task_left--, episode_left--;
  }
}

/* equal: every task lasts LIFETIME steps. */
static Experience experience_new(int64_t steps, int64_t rows, uint64_t seed, bool equal) {
  int64_t n = (steps + 1) * rows;
  Experience data = {.steps = steps, .rows = rows, .begin = g_new0(uint8_t, n)};
  data.none = g_new0(uint8_t, n);
  data.obs = g_new0(float, n *OBS), data.next = g_new0(float, n *OBS),
  data.action = g_new0(float, n *ACT);
  data.reward = g_new0(float, n), data.task = g_new0(float, n *TASK);
  for (int64_t i = 0; i < rows; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    fill_row(&data, i, &rng, equal);
  }
  return data;
}

static void experience_free(Experience *data) {
  g_free(data->begin), g_free(data->obs), g_free(data->next), g_free(data->action),
      g_free(data->reward);
  g_free(data->task), g_free(data->none);
}

/* Steps from .. from + steps - 1 of rows first .. first + rows - 1. */
static HnHistory window(const Experience *data, int64_t from, int64_t steps, int64_t first,
                        int64_t rows) {
  int64_t at = from * data->rows + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = data->rows,
                     .begin = data->begin + at,
                     .obs = data->obs + at * OBS,
                     .action = data->action + at * ACT,
                     .reward = data->reward + at,
                     .true_reward = data->reward + at,
                     .next_obs = data->next + at * OBS,
                     .terminated = data->none + at,
                     .truncated = data->none + at,
                     .task = data->task + at * TASK};
}

/* ---- an instance ---- */

extern const HnPlugin varibad_task_LTX_hn_plugin;

/* All parameters, the task decoder's too, from "key: value, .."; "": their defaults. */
static VaribadParams params_of(const char *settings) {
  HnPluginChoice part = part_of(&varibad_task_LTX_hn_plugin, settings);
  VaribadParams p = *(const VaribadParams *)part.params;
  g_free(part.params);
  return p;
}

static VaribadParams small(void) {
  return params_of("latent: 3, hidden: 7, obs_embed: 4, act_embed: 3, reward_embed: 2, "
                   "reward_layers: 6 5, state_layers: 5, batch: 5, buffer: 12, start: 0, "
                   "updates: 2, truncate: 0");
}

typedef struct Fixture {
  VaribadParams params;
  FakeHost fake;
  Varibad v;
  HnBeliefSpec spec;
  HnRng rng;
  int64_t iteration;
} Fixture;

static HnStatus fixture_try(Fixture *b, VaribadParams p, int64_t rows, int64_t lifetime) {
  memset(b, 0, sizeof *b);
  const HnHost *host = fake_host_open(&b->fake);
  b->params = p, b->rng = hn_rng(7, 1);
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = OBS,
                           .action_dim = ACT,
                           .task_dim = TASK,
                           .horizon = 4,
                           .lifetime = lifetime,
                           .episodes = lifetime,
                           .rows = rows,
                           .steps = LIFETIME,
                           .rng = &b->rng};
  return varibad_create(&b->v, host, &b->params, &b->spec);
}

static Fixture *fixture_new(VaribadParams p, int64_t rows) {
  Fixture *b = g_new0(Fixture, 1);
  g_assert_cmpint(fixture_try(b, p, rows, LIFETIME), ==, HN_OK);
  return b;
}

static void fixture_free(Fixture *b) {
  fake_host_close(&b->fake);
  g_free(b);
}

/* Moves every weight, so that no bias is 0 and no two tensors share a scale. */
static void shake(Fixture *b) {
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

static void learn_window(Fixture *b, const HnHistory *h) {
  const HnHistory *phase[] = {h};
  HnTrainBatch batch = {.struct_size = sizeof batch,
                        .iteration = b->iteration++,
                        .frames = 1,
                        .rng = &b->rng,
                        .phases = 1,
                        .phase = phase};
  g_assert_cmpint(varibad_learn(&b->v, &batch), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

static void learn_all(Fixture *b, const Experience *data) {
  HnHistory h = window(data, 0, data->steps, 0, data->rows);
  learn_window(b, &h);
}

/* Beliefs [steps + 1, rows, D] at the first time steps, of the posteriors' means. */
static inline float *infer_first(Fixture *b, const Experience *data, int64_t steps) {
  HnHistory h = window(data, 0, steps, 0, data->rows);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h};
  q.belief = g_new0(float, (steps + 1) * data->rows * b->spec.belief_dim);
  q.state = g_malloc0((gsize)data->rows * b->spec.row_size);
  g_assert_cmpint(varibad_infer(&b->v, &q), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_free(q.state);
  return q.belief;
}

/* The window law for a belief of the posterior's mean, or of `samples` draws. */
static inline void check_windows(Fixture *b, const HnPlugin *plugin, const Experience *data,
                                 int64_t samples) {
  assert_window_law((HnWindowCheck){.methods = plugin->methods,
                                    .self = &b->v,
                                    .spec = &b->spec,
                                    .whole = window(data, 0, data->steps, 0, data->rows),
                                    .samples = samples,
                                    .info_count = VARIBAD_INFO_COUNT,
                                    .forward_leaves_state = true},
                    &b->fake);
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

/* As varibad.c: the task is not decoded. */
static inline VaribadParams quiet(void) {
  VaribadParams p = small();
  p.task_weight = 0;
  return p;
}

/* Gradients and parts of one batch of `trials` under the present weights. */
typedef struct Slope {
  VaribadBatch b;
  float *encoder, *decoders;
  double parts[VARIBAD_PARTS];
} Slope;

static inline Slope slope_of(Fixture *s, int64_t trials, int64_t size, uint64_t seed) {
  Varibad *v = &s->v;
  Slope r = {.b = {.v = v, .trials = trials, .shard_size = size, .seed = seed}};
  int64_t shards = (trials + size - 1) / size;
  r.encoder = g_new0(float, shards * v->encoder.size);
  r.decoders = g_new0(float, shards * v->decoders.size);
  double *parts = g_new0(double, shards *VARIBAD_PARTS);
  r.b.encoder_flat = r.encoder, r.b.decoder_flat = r.decoders, r.b.parts = parts;
  for (int64_t i = 0; i < trials; i++) {
    v->slot[i] = v->replay.finished[i];
    r.b.steps = MAX(r.b.steps, v->replay.steps[v->slot[i]]);
  }
  for (int64_t k = 0; k < shards; k++) {
    g_assert_cmpint(varibad_train_shard(&r.b, k), ==, HN_OK);
    fake_host_reset(&s->fake, (FakeMark){0});
    for (int i = 0; i < VARIBAD_PARTS; i++) r.parts[i] += parts[k * VARIBAD_PARTS + i];
    for (int64_t i = 0; k && i < v->encoder.size; i++)
      r.encoder[i] += r.encoder[k * v->encoder.size + i];
    for (int64_t i = 0; k && i < v->decoders.size; i++)
      r.decoders[i] += r.decoders[k * v->decoders.size + i];
  }
  g_free(parts);
  return r;
}

static inline void slope_free(Slope *r) {
  g_free(r->encoder), g_free(r->decoders);
}

static inline VaribadParams all_of(VaribadParams p) {
  p.elbo_terms = p.decoded_steps = 0;
  return p;
}
#endif
