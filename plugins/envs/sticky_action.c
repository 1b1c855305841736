/* sticky_action.c - a wrapper that now and then repeats the last action instead of taking the one
 * that was chosen.
 *
 * At each step but an episode's first the action that was executed before is executed again, with
 * the given probability.  The agent is not told: it sees what it chose.
 *
 * Source: Machado et al. 2018, Revisiting the Arcade Learning Environment (probability 0.25 there,
 * which begins an episode with a no-op as the last action). */
#include <hunch/env.h>
#include <string.h>

#define PARAMS(X) \
  X(real, probability, "", "Probability that the last action is repeated.", 0.25, 0, 1)
HN_PARAMS(PARAMS);

/* Row memory: this, then the last action and it before it was clipped, action_dim numbers each. */
typedef struct Row {
  int32_t begun; /* there is a last action */
  int32_t action_index;
} Row;

typedef struct StickyAction {
  const HnThisParams *p;
  const HnHost *host;
  const HnInner *inner;
  int64_t action_dim;
  size_t row_size;
} StickyAction;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const size_t row_size = sizeof(Row) + 2 * (size_t)spec->action_dim * sizeof(float);
  *(StickyAction *)self =
      (StickyAction){params, host, spec->inner, spec->action_dim, spec->row_size = row_size};
  return HN_OK;
}

static Row *row_at(const StickyAction *e, const HnEnvBatch *b, int64_t i) {
  return (Row *)(void *)((char *)b->state + (size_t)i * e->row_size);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const StickyAction *e = self;
  for (int64_t i = 0; i < b->rows; i++)
    if (b->begin[i] != HN_KEEP) row_at(e, b, i)->begun = 0;
  return e->inner->env->reset(e->inner->self, b->inner);
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const StickyAction *e = self;
  const int64_t A = e->action_dim;
  float *action = e->host->scratch(e->host, b->rows * A, sizeof *action);
  float *chosen = e->host->scratch(e->host, b->rows * A, sizeof *chosen);
  int32_t *action_index = e->host->scratch(e->host, b->rows, sizeof *action_index);
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = row_at(e, b, i);
    float *last = (float *)(row + 1);
    const size_t bytes = (size_t)A * sizeof *action;
    if (!row->begun || hn_rng_uniform(&b->rng[i], 0, 1) >= e->p->probability) {
      memcpy(last, b->action + i * A, bytes), memcpy(last + A, b->chosen + i * A, bytes);
      row->action_index = b->action_index[i], row->begun = 1;
    }
    memcpy(action + i * A, last, bytes), memcpy(chosen + i * A, last + A, bytes);
    action_index[i] = row->action_index;
  }
  b->inner->action = action, b->inner->chosen = chosen, b->inner->action_index = action_index;
  return e->inner->env->step(e->inner->self, b->inner);
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step};
HN_PLUGIN(sticky_action, HN_KIND_ENV, StickyAction, &methods, .flags = HN_WRAPPER, .version = "1.0",
          .license = "MIT",
          .summary = "Wrapper: the last action is repeated with some probability.",
          .source = "Machado et al. 2018, Revisiting the Arcade Learning Environment");
