/* gridworld_belief.c - the exact posterior over the hidden goal of `gridworld`.
 *
 * The prior is uniform over the cells outside the start corner, and a reward shows for certain
 * whether the cell just entered is the goal.  So the posterior is uniform over the cells not
 * entered yet until the goal is reached, and one-hot from then on.
 *
 * Belief: the probability of each cell, cell (x, y) at size * x + y.  A sample is a one-hot draw,
 * for Thompson sampling.  Rewards that no goal explains end the run: they mean that the parameters
 * are not those of the environment.
 *
 * Source: Bayes' rule. */
#include <hunch/inference.h>
#include <string.h>

#define PARAMS(X)                                                               \
  X(int, size, "cell", "Width and height of the environment's grid.", 5, 3, 32) \
  X(real, goal_reward, "", "The environment's goal_reward.", 1.0, -1e6, 1e6)    \
  X(real, step_reward, "", "The environment's step_reward.", -0.1, -1e6, 1e6)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                               \
  X(log_predictive, "nats", "Log-probability of the last reward under the belief before it.", \
    HN_MEAN)                                                                                  \
  X(entropy, "nats", "Entropy of the belief over goals.", HN_LAST)
HN_INFO(INFO);

enum { CORNER = 2 };

/* Row memory: one byte a cell, 1 where the goal cannot be any more. */
typedef struct Belief {
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs_dim, cells;
} Belief;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Belief *m = self;
  m->p = params, m->host = host;
  m->obs_dim = spec->obs_dim, m->cells = m->p->size * m->p->size;
  if (spec->obs_dim < 2)
    return host->fail(host, HN_E_SHAPE, "needs x and y in the observation, not %lld number(s)",
                      (long long)spec->obs_dim);
  if ((float)m->p->goal_reward == (float)m->p->step_reward)
    return host->fail(host, HN_E_PARAM, "goal_reward and step_reward are equal: nothing to learn");
  spec->belief_dim = spec->latent_dim = m->cells;
  spec->row_size = (size_t)m->cells;
  spec->map_width = spec->map_height = m->p->size;
  return HN_OK;
}

static int64_t candidates(const Belief *m, const uint8_t *ruled_out) {
  int64_t n = 0;
  for (int64_t c = 0; c < m->cells; c++) n += !ruled_out[c];
  return n;
}

static void take_prior(const Belief *m, uint8_t *ruled_out) {
  memset(ruled_out, 0, (size_t)m->cells);
  for (int64_t x = 0; x < CORNER; x++)
    for (int64_t y = 0; y < CORNER; y++) ruled_out[m->p->size * x + y] = 1;
}

/* Conditions on one reward, received on entering (x, y); *log_predictive is that reward's log
 * probability under the belief before it. */
static HnStatus condition(const Belief *m, uint8_t *ruled_out, const float *place, float reward,
                          double *log_predictive) {
  int64_t x = lrintf(place[0]), y = lrintf(place[1]), size = m->p->size;
  if (x < 0 || x >= size || y < 0 || y >= size)
    return m->host->fail(m->host, HN_E_PARAM, "place (%g, %g) is outside a grid of size %lld",
                         (double)place[0], (double)place[1], (long long)size);
  bool hit = reward == (float)m->p->goal_reward;
  if (!hit && reward != (float)m->p->step_reward)
    return m->host->fail(m->host, HN_E_PARAM,
                         "reward %g is neither goal_reward %g nor step_reward %g", (double)reward,
                         m->p->goal_reward, m->p->step_reward);
  int64_t cell = size * x + y, before = candidates(m, ruled_out);
  int64_t agree = ruled_out[cell] ? (hit ? 0 : before) : (hit ? 1 : before - 1);
  if (agree == 0)
    return m->host->fail(m->host, HN_E_NUMERIC, "no goal explains reward %g at (%lld, %lld)",
                         (double)reward, (long long)x, (long long)y);
  if (hit) memset(ruled_out, 1, (size_t)m->cells);
  ruled_out[cell] = !hit;
  *log_predictive = log((double)agree / (double)before);
  return HN_OK;
}

/* The probabilities, or a one-hot draw from them where rng is given. */
static void write_belief(const Belief *m, const uint8_t *ruled_out, HnRng *rng, float *belief) {
  int64_t n = candidates(m, ruled_out), chosen = rng ? hn_rng_below(rng, n) : 0;
  for (int64_t c = 0; c < m->cells; c++) {
    belief[c] = 0;
    if (ruled_out[c]) continue;
    if (!rng)
      belief[c] = (float)(1 / (double)n);
    else if (chosen-- == 0)
      belief[c] = 1;
  }
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  const Belief *m = self;
  const HnHistory *h = q->history;
  int64_t draws = q->samples > 0 ? q->samples : 1;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      uint8_t *ruled_out = (uint8_t *)q->state + i * m->cells;
      double log_predictive = NAN;
      if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) {
        take_prior(m, ruled_out);
      } else {
        int64_t at = hn_at(h, t - 1, i);
        HnStatus s =
            condition(m, ruled_out, h->next_obs + at * m->obs_dim, h->reward[at], &log_predictive);
        if (s) return s;
      }
      for (int64_t s = 0; s < draws; s++)
        write_belief(m, ruled_out, q->samples > 0 ? &q->rng[i] : NULL,
                     q->belief + ((t * h->rows + i) * draws + s) * m->cells);
      if (q->info) {
        float *info = q->info + (t * h->rows + i) * info_count;
        info[info_log_predictive] = (float)log_predictive;
        info[info_entropy] = (float)log((double)candidates(m, ruled_out));
      }
    }
  return HN_OK;
}

/* The belief is the picture. */
static HnStatus map(void *self, const float *belief, float *cells) {
  memcpy(cells, belief, (size_t)((const Belief *)self)->cells * sizeof *cells);
  return HN_OK;
}

static const HnInference methods = {
    .struct_size = sizeof(HnInference), .create = create, .infer = infer, .map = map};
HN_PLUGIN(gridworld_belief, HN_KIND_INFERENCE, Belief, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Exact posterior over the goal of gridworld.",
          .source = "Bayes' rule");
