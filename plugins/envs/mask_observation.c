/* mask_observation.c - a wrapper that hides some numbers of the observation: it sets them to zero,
 * or takes them out, so that observations are shorter.
 *
 * Which, `indices` says: numbers from 0 and ranges with both ends, as in "0-2 5".  The responses of
 * a supervised task are masked as its observations are. */
#include <hunch/env.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS(X)                                                                                 \
  X(text, indices, "", "Numbers of the observation to hide, from 0, as in '0-2 5'; empty: none.", \
    "")                                                                                           \
  X(choice, hide, "", "Whether they become zero or are removed.", "zero", "zero|remove")
HN_PARAMS(PARAMS);

enum { ZERO, REMOVE };

typedef struct MaskObservation {
  const HnThisParams *p;
  const HnHost *host;
  const HnInner *inner;
  int64_t from, to; /* how many numbers an observation of the inner environment has, and of ours */
  uint8_t *hidden;  /* [from] */
} MaskObservation;

/* Reads "5" or "0-2" at *text, and what follows; false: that is no such thing. */
static bool read_range(const char **text, int64_t *low, int64_t *high) {
  char *end;
  if (!strchr("0123456789", **text)) return false;
  *low = *high = strtoll(*text, &end, 10);
  if (*end == '-') {
    if (!end[1] || !strchr("0123456789", end[1])) return false;
    *high = strtoll(end + 1, &end, 10);
  }
  if (*end && *end != ' ') return false;
  *text = end + strspn(end, " ");
  return true;
}

static HnStatus read_indices(MaskObservation *e) {
  const char *text = e->p->indices + strspn(e->p->indices, " ");
  while (*text) {
    int64_t low, high;
    const char *here = text;
    if (!read_range(&text, &low, &high))
      return e->host->fail(e->host, HN_E_PARAM,
                           "indices '%s': expected numbers and ranges, as in '0-2 5', at '%s'",
                           e->p->indices, here);
    if (low > high || high >= e->from)
      return e->host->fail(e->host, HN_E_PARAM,
                           "indices '%s': observations are numbered 0 to %lld, and ranges go up",
                           e->p->indices, (long long)e->from - 1);
    memset(e->hidden + low, 1, (size_t)(high - low + 1));
  }
  return HN_OK;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  MaskObservation *e = self;
  *e = (MaskObservation){params, host, spec->inner, spec->obs_dim, 0, NULL};
  e->hidden = host->alloc(host, e->from, 1);
  HnStatus status = read_indices(e);
  for (int64_t k = 0; k < e->from; k++) e->to += e->p->hide == ZERO || !e->hidden[k];
  spec->obs_dim = e->to;
  return status;
}

/* One observation; in and out may be the same. */
static void mask(const MaskObservation *e, const float *in, float *out) {
  for (int64_t k = 0; k < e->from; k++) {
    if (e->hidden[k] && e->p->hide == REMOVE) continue;
    *out++ = e->hidden[k] ? 0 : in[k];
  }
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const MaskObservation *e = self;
  HnStatus status = e->inner->env->reset(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !status; i++)
    if (b->begin[i] != HN_KEEP) mask(e, b->inner->obs + i * e->from, b->obs + i * e->to);
  return status;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const MaskObservation *e = self;
  HnStatus status = e->inner->env->step(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !status; i++)
    mask(e, b->inner->obs + i * e->from, b->obs + i * e->to);
  return status;
}

static HnStatus query(void *self, const void *state, int64_t n, const float *action, float *obs) {
  const MaskObservation *e = self;
  float *whole = e->host->scratch(e->host, n * e->from, sizeof *whole);
  HnStatus status = e->inner->env->query(e->inner->self, state, n, action, whole);
  for (int64_t i = 0; i < n && !status; i++) mask(e, whole + i * e->from, obs + i * e->to);
  return status;
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step, .query = query};
HN_PLUGIN(mask_observation, HN_KIND_ENV, MaskObservation, &methods, .flags = HN_WRAPPER,
          .version = "1.0", .license = "MIT",
          .summary = "Wrapper: observations of which some numbers are hidden.");
