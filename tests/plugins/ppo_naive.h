/* ppo_naive.h - the loss of one PPO update in float64, as the papers write it: loops over elements,
 * sums written out, nothing shared with the plugin.  Made for a first update in one minibatch. */
#ifndef PPO_NAIVE_H
#define PPO_NAIVE_H
#include "policy_fixture.h"

enum { NAIVE_WIDE = 64 };

typedef struct Naive {
  PolicyFixture *f;
  const Log *g;
  int64_t n, O, D, A, S, size; /* S: that the loss sees; size: weights */
  int64_t offset[FAKE_ARRAYS];
  bool point;                                  /* the loss sees the samples' mean */
  double *obs, *belief;                        /* [n + B, O] normalised, [n + B, S, D] raw */
  double mean[NAIVE_WIDE], stddev[NAIVE_WIDE]; /* of beliefs */
  double *advantage, *target, *old_logp, *old_value;
  double *held; /* [n] values of a critic that is held fixed, or NULL */
  double ratio; /* mean of the last loss */
} Naive;

/* What one element is worth under weights x. */
typedef struct Worth {
  double logp, entropy, value;
} Worth;

static inline double naive_get(const Naive *z, const char *name) {
  return policy_fixture_get(z->f, name);
}

static inline void naive_weights(const Naive *z, double *x) {
  for (int k = 0; k < z->f->fake.array_count; k++)
    for (int64_t j = 0; z->offset[k] >= 0 && j < z->f->fake.array[k].count; j++)
      x[z->offset[k] + j] = (double)((float *)z->f->fake.array[k].data)[j];
}

/* out = f(in W + b) of layer NET.K; its width, or 0 if there is no such layer. */
static inline int64_t naive_layer(const Naive *z, const double *x, const char *net, int k,
                                  bool squash, const double *in, double *out) {
  char name[64];
  snprintf(name, sizeof name, "%s.%d.weight", net, k);
  const FakeArray *w = policy_fixture_find(z->f, name);
  snprintf(name, sizeof name, "%s.%d.bias", net, k);
  const FakeArray *b = policy_fixture_find(z->f, name);
  if (!w) return 0;
  for (int64_t o = 0; o < w->spec.dim[1]; o++) {
    double sum = x[z->offset[b - z->f->fake.array] + o];
    for (int64_t j = 0; j < w->spec.dim[0]; j++)
      sum += in[j] * x[z->offset[w - z->f->fake.array] + j * w->spec.dim[1] + o];
    double slope = naive_get(z, "activation") == 2 ? 0.01 : 0;
    out[o] = !squash ? sum : naive_get(z, "activation") == 0 ? tanh(sum) : fmax(sum, slope * sum);
  }
  return w->spec.dim[1];
}

/* in [n] as NET.norm leaves it, if there is one. */
static inline void naive_norm(const Naive *z, const double *x, const char *net, int64_t n,
                              const double *in, double *out) {
  char name[64];
  snprintf(name, sizeof name, "%s.norm.weight", net);
  const FakeArray *gain = policy_fixture_find(z->f, name);
  snprintf(name, sizeof name, "%s.norm.bias", net);
  const FakeArray *bias = policy_fixture_find(z->f, name);
  double mean = 0, square = 0;
  for (int64_t j = 0; j < n; j++) mean += in[j] / (double)n, out[j] = in[j];
  for (int64_t j = 0; j < n; j++) square += pow(in[j] - mean, 2) / (double)n;
  for (int64_t j = 0; j < n && gain; j++)
    out[j] = (in[j] - mean) / sqrt(square + 1e-6) * x[z->offset[gain - z->f->fake.array] + j] +
             x[z->offset[bias - z->f->fake.array] + j];
}

static inline void naive_network(const Naive *z, const double *x, const double *obs,
                                 const double *belief, double *out, double *value) {
  double in[2 * NAIVE_WIDE], own[2 * NAIVE_WIDE], a[NAIVE_WIDE], b[NAIVE_WIDE];
  int64_t n = naive_layer(z, x, "obs_embed", 0, true, obs, in), m;
  if (!n) memcpy(in, obs, (size_t)(n = z->O) * sizeof *in);
  m = naive_layer(z, x, "belief_embed", 0, true, belief, in + n);
  if (!m) memcpy(in + n, belief, (size_t)(m = z->D) * sizeof *in);
  const char *trunk[] = {"actor", "critic"}, *head[] = {"action", "value"};
  double *end[] = {out, value};
  for (int net = 0; net < 2; net++) {
    const double *top = own;
    naive_norm(z, x, trunk[net], n + m, in, own);
    for (int k = 0; naive_layer(z, x, trunk[net], k, true, top, k % 2 ? b : a); k++)
      top = k % 2 ? b : a;
    naive_layer(z, x, head[net], 0, false, top, end[net]);
  }
}

static inline double naive_stddev(const Naive *z, double logstd) {
  if (naive_get(z, "std_bounds") == 0) return fmax(exp(logstd), naive_get(z, "std_floor"));
  double low = log(naive_get(z, "std_low")), high = log(naive_get(z, "std_high"));
  double o = (high + low) / 2, s = (high - low) / 2;
  return exp(o + s * tanh((logstd - o) / s));
}

/* Log-density of what was done at place k, and the entropy. */
static inline void naive_density(const Naive *z, const double *x, int64_t k, const double *out,
                                 double *logp, double *entropy) {
  *logp = *entropy = 0;
  if (z->f->spec.action_count > 0) {
    double sum = 0;
    for (int64_t a = 0; a < z->A; a++) sum += exp(out[a]);
    for (int64_t a = 0; a < z->A; a++) *entropy -= exp(out[a]) / sum * log(exp(out[a]) / sum);
    *logp = log(exp(out[z->g->action_index[k]]) / sum);
    return;
  }
  int squash = (int)naive_get(z, "squash");
  const double *logstd = x + z->offset[policy_fixture_find(z->f, "logstd") - z->f->fake.array];
  for (int64_t a = 0; a < z->A; a++) {
    const float *aux = z->g->aux + k * z->f->spec.aux_dim;
    double u = squash == 2 ? (double)aux[1 + a] : (double)z->g->action[k * z->A + a];
    double s = naive_stddev(z, logstd[a]), mean = squash == 1 ? tanh(out[a]) : out[a];
    *logp += log(exp(-(u - mean) * (u - mean) / (2 * s * s)) / (s * sqrt(2 * G_PI)));
    if (squash == 2) *logp -= log(1 - tanh(u) * tanh(u));
    *entropy += 0.5 * log(2 * G_PI * G_E * s * s);
  }
}

/* The mixture's log-density from its parts'. */
static inline double naive_mixture(const Naive *z, int64_t S, const double *logp) {
  double density = 0, mean = 0;
  for (int64_t s = 0; s < S; s++) density += exp(logp[s]) / (double)S, mean += logp[s] / (double)S;
  return naive_get(z, "upstream_mixture") != 0 ? mean : log(density);
}

/* The answer to sample s of observation k. */
static inline void naive_answer(const Naive *z, const double *x, int64_t k, int64_t s, double *out,
                                double *value) {
  double belief[NAIVE_WIDE];
  for (int64_t d = 0; d < z->D; d++) {
    double b = z->belief[(k * z->S + s) * z->D + d];
    if (naive_get(z, "normalise_belief") != 0) b = CLAMP((b - z->mean[d]) / z->stddev[d], -10, 10);
    belief[d] = b;
  }
  naive_network(z, x, z->obs + k * z->O, belief, out, value);
}

static inline double naive_value(const Naive *z, const double *x, int64_t k) {
  double mean = 0, value, out[NAIVE_WIDE];
  for (int64_t s = 0; s < z->S; s++) {
    naive_answer(z, x, k, s, out, &value);
    mean += value / (double)z->S;
  }
  return mean;
}

static inline Worth naive_worth(const Naive *z, const double *x, int64_t k) {
  Worth w = {0};
  double out[NAIVE_WIDE], logp[NAIVE_WIDE];
  for (int64_t s = 0; s < z->S; s++) {
    double value, entropy;
    naive_answer(z, x, k, s, out, &value);
    naive_density(z, x, k, out, &logp[s], &entropy);
    w.value += value / (double)z->S, w.entropy += entropy / (double)z->S;
  }
  w.logp = naive_mixture(z, z->S, logp);
  return w;
}

static inline double naive_error(const Naive *z, double value, double target) {
  double huber = naive_get(z, "huber"), d = fabs(value - target);
  return huber > 0 && d > huber ? huber * (d - huber / 2) : d * d / 2;
}

/* The loss, and of its parts the mean of r - 1 - log r. */
static inline double naive_loss(Naive *z, const double *x, double *kl) {
  double mean = 0, square = 0, loss = 0, n = (double)z->n, clip = naive_get(z, "clip_range");
  for (int64_t k = 0; k < z->n; k++) mean += z->advantage[k] / n;
  for (int64_t k = 0; k < z->n; k++) square += pow(z->advantage[k] - mean, 2);
  double stddev = sqrt(square / (n - 1)), near = naive_get(z, "clip_range_vf");
  if (naive_get(z, "advantages") == 2) mean = 0, stddev = 1;
  *kl = z->ratio = 0;
  for (int64_t k = 0; k < z->n; k++) {
    Worth w = naive_worth(z, x, k);
    if (z->held) w.value = z->held[k];
    double r = exp(w.logp - z->old_logp[k]), a = (z->advantage[k] - mean) / stddev;
    double error = naive_error(z, w.value, z->target[k]);
    if (near > 0)
      error = fmax(error,
                   naive_error(z, z->old_value[k] + CLAMP(w.value - z->old_value[k], -near, near),
                               z->target[k]));
    loss += -fmin(r * a, CLAMP(r, 1 - clip, 1 + clip) * a) / n;
    loss += naive_get(z, "vf_coef") * error / n - naive_get(z, "ent_coef") * w.entropy / n;
    *kl += (r - 1 - log(r)) / n, z->ratio += r / n;
  }
  return loss;
}

/* Column means and standard deviations, with a guard of 1e-8 in the variance. */
static inline void naive_moments(const float *x, int64_t n, int64_t width, int64_t column,
                                 double *mean, double *stddev) {
  *mean = *stddev = 0;
  for (int64_t k = 0; k < n; k++) *mean += (double)x[k * width + column] / (double)n;
  for (int64_t k = 0; k < n; k++)
    *stddev += pow((double)x[k * width + column] - *mean, 2) / (double)n;
  *stddev = sqrt(*stddev + 1e-8);
}

/* Rewards over the deviation of the discounted return, each return summed from where it starts. */
static inline void naive_rewards(const Naive *z, double *reward) {
  const Log *g = z->g;
  bool terminal = naive_get(z, "episode_boundary") != 0;
  float *total = g_new0(float, (gsize)z->n);
  for (int64_t t = 0; t < g->T; t++)
    for (int64_t i = 0; i < g->B; i++) {
      double sum = 0;
      for (int64_t u = t; u >= 0; u--) {
        sum += pow(naive_get(z, "gamma"), (double)(t - u)) * (double)g->true_reward[u * g->B + i];
        uint8_t begin = g->begin[u * g->B + i];
        if (begin == HN_NEW_TASK || (terminal && begin == HN_NEW_EPISODE)) break;
      }
      total[t * g->B + i] = (float)sum;
    }
  double mean, stddev;
  naive_moments(total, z->n, 1, 0, &mean, &stddev);
  for (int64_t k = 0; k < z->n; k++) {
    reward[k] = (double)g->reward[k];
    if (naive_get(z, "normalise_reward") != 0) reward[k] = CLAMP(reward[k] / stddev, -10, 10);
  }
  g_free(total);
}

/* The advantage as the sum of its discounted residuals; value [n + B]. */
static inline void naive_advantages(Naive *z, const double *reward, const double *value) {
  const Log *g = z->g;
  double gamma = naive_get(z, "gamma"), lambda = naive_get(z, "gae_lambda");
  bool terminal = naive_get(z, "episode_boundary") != 0;
  bool limits = naive_get(z, "time_limit_bootstrap") != 0;
  for (int64_t i = 0; i < g->B; i++)
    for (int64_t t = 0; t < g->T; t++) {
      double sum = 0, weight = 1;
      for (int64_t u = t; u < g->T; u++) {
        int64_t k = u * g->B + i;
        uint8_t next = g->begin[k + g->B];
        if (limits && g->truncated[k] && !g->terminated[k]) break;
        bool ends = next == HN_NEW_TASK || (terminal && next == HN_NEW_EPISODE);
        sum += weight * (reward[k] + (ends ? 0 : gamma * value[k + g->B]) - value[k]);
        if (ends) break;
        weight *= gamma * lambda;
      }
      int64_t k = t * g->B + i;
      z->advantage[k] = sum, z->target[k] = sum + value[k];
    }
}

/* Values of the observations after the last step, seen through statistics that saw nothing yet. */
static inline void naive_last(const Naive *z, const double *x, double *last) {
  const Log *g = z->g;
  double obs[NAIVE_WIDE], belief[NAIVE_WIDE], out[NAIVE_WIDE], value;
  for (int64_t i = 0; i < g->B; i++) {
    last[i] = 0;
    for (int64_t k = 0; k < z->O; k++) obs[k] = (double)g->obs[(z->n + i) * z->O + k];
    for (int64_t s = 0; s < z->S && !z->point; s++) {
      for (int64_t d = 0; d < z->D; d++)
        belief[d] = (double)g->belief[((z->n + i) * z->S + s) * z->D + d];
      naive_network(z, x, obs, belief, out, &value);
      last[i] += value / (double)z->S;
    }
  }
}

/* The mixture's density of what was done, under statistics that saw nothing yet. */
static inline double naive_acted(const Naive *z, const double *x, int64_t k) {
  double obs[NAIVE_WIDE], belief[NAIVE_WIDE], out[NAIVE_WIDE], logp[NAIVE_WIDE], value, entropy;
  for (int64_t o = 0; o < z->O; o++) obs[o] = (double)z->g->obs[k * z->O + o];
  for (int64_t s = 0; s < z->g->S; s++) {
    for (int64_t d = 0; d < z->D; d++)
      belief[d] = (double)z->g->belief[(k * z->g->S + s) * z->D + d];
    naive_network(z, x, obs, belief, out, &value);
    naive_density(z, x, k, out, &logp[s], &entropy);
  }
  return naive_mixture(z, z->g->S, logp);
}

static inline void naive_size(Naive *z) {
  for (int k = 0; k < z->f->fake.array_count; k++) {
    const FakeArray *array = &z->f->fake.array[k];
    bool weight = array->spec.role == HN_WEIGHT && array->spec.type == HN_F32;
    z->offset[k] = weight ? z->size : -1;
    z->size += weight ? array->count : 0;
  }
}

static inline void naive_inputs(Naive *z) {
  const Log *g = z->g;
  int64_t all = z->n + g->B;
  double mean, stddev;
  float *seen = g_new(float, (gsize)(all * z->S * z->D) + 1);
  for (int64_t k = 0; k < all; k++)
    log_beliefs(g, z->D, z->point ? 0 : g->S, k, seen + k * z->S * z->D);
  z->obs = g_new(double, (gsize)(all * z->O) + 1);
  z->belief = g_new(double, (gsize)(all * z->S * z->D) + 1);
  for (int64_t o = 0; o < z->O; o++) {
    naive_moments(g->obs, z->n, z->O, o, &mean, &stddev);
    bool on = naive_get(z, "normalise_obs") != 0;
    for (int64_t k = 0; k < all; k++) {
      double v = (double)g->obs[k * z->O + o];
      z->obs[k * z->O + o] = on ? CLAMP((v - mean) / stddev, -10, 10) : v;
    }
  }
  for (int64_t d = 0; d < z->D; d++)
    naive_moments(seen, z->n * z->S, z->D, d, &z->mean[d], &z->stddev[d]);
  for (int64_t k = 0; k < all * z->S * z->D; k++) z->belief[k] = (double)seen[k];
  g_free(seen);
}

/* Before the update: all that its loss holds fixed. */
static inline Naive *naive_new(PolicyFixture *f, const Log *g) {
  Naive *z = g_new0(Naive, 1);
  z->f = f, z->g = g, z->n = g->T * g->B, z->O = f->spec.obs_dim, z->D = f->spec.belief_dim;
  z->A = f->spec.action_count > 0 ? f->spec.action_count : f->spec.action_dim;
  z->point = naive_get(z, "loss_belief") != 0 && g->S > 0;
  z->S = g->S > 1 && !z->point ? g->S : 1;
  naive_size(z);
  double *x = g_new(double, (gsize)z->size), *reward = g_new(double, (gsize)z->n);
  double *value = g_new(double, (gsize)(z->n + g->B));
  z->advantage = g_new(double, (gsize)z->n), z->target = g_new(double, (gsize)z->n);
  z->old_logp = g_new(double, (gsize)z->n), z->old_value = g_new(double, (gsize)z->n);
  naive_weights(z, x);
  naive_inputs(z);
  naive_last(z, x, value + z->n);
  for (int64_t k = 0; k < z->n; k++) {
    Worth w = naive_worth(z, x, k);
    z->old_logp[k] = z->point ? naive_acted(z, x, k) : w.logp, z->old_value[k] = w.value;
    value[k] = (double)g->aux[k * f->spec.aux_dim];
  }
  for (int64_t k = 0; k < z->n + g->B && z->point; k++) value[k] = naive_value(z, x, k);
  naive_rewards(z, reward);
  naive_advantages(z, reward, value);
  g_free(x), g_free(reward), g_free(value);
  return z;
}

/* The critic as it is under weights x, where nothing shall pass it. */
static inline void naive_hold(Naive *z, const double *x) {
  if (naive_get(z, "upstream_critic") == 0) return;
  z->held = g_new(double, (gsize)z->n);
  for (int64_t k = 0; k < z->n; k++) z->held[k] = naive_value(z, x, k);
}

static inline void naive_free(Naive *z) {
  g_free(z->obs), g_free(z->belief), g_free(z->advantage), g_free(z->target);
  g_free(z->old_logp), g_free(z->old_value), g_free(z->held), g_free(z);
}

/* Central difference of the loss in *at, which it reads. */
static inline double naive_slope(Naive *z, const double *x, double *at) {
  double keep = *at, h = 1e-5, kl, up, down;
  *at = keep + h, up = naive_loss(z, x, &kl);
  *at = keep - h, down = naive_loss(z, x, &kl);
  *at = keep;
  return (up - down) / (2 * h);
}
#endif
