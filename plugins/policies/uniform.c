/* Uniform actions, blind to observation and belief: the query policy of supervised tasks, and the
 * floor that a learner must rise above.  No action is likelier than another, so there is no greedy
 * one: they are drawn in evaluation too.
 *
 * With `regions` each number of a continuous action comes from one of several intervals, all
 * equally often however long they are: contexts that leave a part of the range out. */
#include <hunch/policy.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS(X)                                                                                \
  X(text, regions, "",                                                                           \
    "Ends of the intervals that continuous actions come from, as in -1 -0.5 0.5 1; empty: all.", \
    "")
HN_PARAMS(PARAMS);

typedef struct Region {
  double low, high, logp; /* logp: log-density of an action in it, nats */
} Region;

typedef struct Uniform {
  int64_t dim, count; /* of a continuous action; of discrete actions */
  int64_t regions;
  Region *region;
} Uniform;

/* One number of `text`, which moves past it. */
static bool read_end(const char **text, double *x) {
  char *end;
  *x = strtod(*text, &end);
  bool read = end != *text && (!*end || strchr(" \t\n", *end));
  return *text = end, read;
}

static HnStatus read_regions(Uniform *u, const HnHost *host, const char *text) {
  int64_t room = (int64_t)strlen(text) / 4 + 1; /* an interval takes four characters: "0 1 " */
  u->region = host->alloc(host, room, sizeof *u->region);
  const char *at = text;
  double last = -1;
  for (at += strspn(at, " \t\n"); *at; at += strspn(at, " \t\n")) {
    Region *r = &u->region[u->regions++];
    if (!read_end(&at, &r->low) || (at += strspn(at, " \t\n"), !read_end(&at, &r->high)))
      return host->fail(host, HN_E_PARAM,
                        "regions '%s': expected pairs of numbers, low and high of each interval",
                        text);
    if (!(r->low >= last && r->low < r->high && r->high <= 1))
      return host->fail(host, HN_E_PARAM,
                        "regions '%s': intervals must ascend within [-1, 1], %g to %g does not",
                        text, r->low, r->high);
    last = r->high;
  }
  if (!u->regions) u->region[u->regions++] = (Region){.low = -1, .high = 1};
  for (int64_t k = 0; k < u->regions; k++)
    u->region[k].logp = -log((double)u->regions * (u->region[k].high - u->region[k].low));
  return HN_OK;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Uniform *u = self;
  const HnThisParams *p = params;
  u->dim = spec->action_dim, u->count = spec->action_count;
  if (u->dim < 1 && u->count < 1)
    return host->fail(host, HN_E_SHAPE, "the environment takes no actions");
  if (u->count > 0 && *p->regions)
    return host->fail(host, HN_E_PARAM, "regions need continuous actions, these are discrete");
  spec->aux_dim = 1; /* log-density, nats */
  spec->row_size = 0;
  return read_regions(u, host, p->regions);
}

/* Draws a number; returns its log-density. */
static double draw(const Uniform *u, HnRng *rng, float *x) {
  const Region *r = &u->region[u->regions > 1 ? hn_rng_below(rng, u->regions) : 0];
  *x = (float)hn_rng_uniform(rng, r->low, r->high);
  return r->logp;
}

static HnStatus act(void *self, HnActBatch *a) {
  const Uniform *u = self;
  for (int64_t i = 0; i < a->rows; i++) {
    HnRng *rng = &a->rng[i];
    double logp = u->count > 0 ? -log((double)u->count) : 0;
    if (u->count > 0) a->action_index[i] = (int32_t)hn_rng_below(rng, u->count);
    for (int64_t k = 0; k < u->dim && u->count < 1; k++)
      logp += draw(u, rng, &a->action[i * u->dim + k]);
    a->aux[i] = (float)logp;
  }
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act};
HN_PLUGIN(uniform, HN_KIND_POLICY, Uniform, &methods, .version = "0.3", .license = "MIT",
          .flags = HN_STOCHASTIC | HN_IGNORES_BELIEF,
          .summary = "Uniformly random actions, as a control; learns nothing.");
