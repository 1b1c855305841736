/* spec_check.c - see spec_check.h. */
#include "spec_check.h"
#include "session.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SPLIT_NAME_MAX = 64 }; /* bytes */

typedef struct Field {
  const char *name;
  int64_t value, low, high;
} Field;

/* Fields that must each be in range, the last without a name. */
static HnStatus check(const HnInstance *x, const Field *f) {
  for (; f->name; f++)
    if (f->value < f->low || f->value > f->high)
      return x->host.fail(&x->host, HN_E_SHAPE,
                          "%s is %" PRId64 ": expected %" PRId64 " .. %" PRId64, f->name, f->value,
                          f->low, f->high);
  return HN_OK;
}

static int64_t bytes_of_row(size_t size) {
  return size > INT64_MAX ? INT64_MAX : (int64_t)size;
}

/* A split's name becomes part of a column's: eval.NAME.return. */
static bool is_split(const char *name) {
  const gsize n = strlen(name);
  if (n == 0 || n > SPLIT_NAME_MAX || !g_utf8_validate(name, -1, NULL) || strpbrk(name, ",\""))
    return false;
  for (const char *c = name; *c; c = g_utf8_find_next_char(c, NULL))
    if (!g_unichar_isprint(g_utf8_get_char(c))) return false;
  return strcmp(name, "predict") != 0; /* eval.predict.l1 */
}

static HnStatus check_splits(const HnInstance *x, const char *splits) {
  g_auto(GStrv) all = g_strsplit(splits ? splits : "train", "|", -1);
  for (char **name = all; *name; name++) {
    const bool twice = g_strv_contains((const char *const *)name + 1, *name);
    if (is_split(*name) && !twice) continue;
    g_autofree char *cut = hn_diag_cut(*name), *shown = hn_diag_printable(cut);
    return x->host.fail(&x->host, HN_E_SHAPE, "has %s named '%s'", twice ? "two splits" : "a split",
                        shown);
  }
  return *all ? HN_OK : x->host.fail(&x->host, HN_E_SHAPE, "has no split");
}

HnStatus hn_spec_check_env(const HnInstance *x, const HnEnvSpec *e) {
  const Field fields[] = {{"obs_dim", e->obs_dim, 0, HN_DIM_MAX},
                          {"action_dim", e->action_dim, 0, HN_DIM_MAX},
                          {"action_count", e->action_count, 0, HN_DIM_MAX},
                          {"task_dim", e->task_dim, 0, HN_DIM_MAX},
                          {"horizon", e->horizon, 1, HN_HORIZON_MAX},
                          {"row_size", bytes_of_row(e->row_size), 0, HN_ROW_MAX},
                          {NULL}};
  HnStatus status = check(x, fields);
  if (status) return status;
  if ((e->action_dim > 0) == (e->action_count > 0))
    return x->host.fail(&x->host, HN_E_SHAPE,
                        "actions must be either continuous or discrete: action_dim is %" PRId64
                        ", action_count %" PRId64,
                        e->action_dim, e->action_count);
  if (!(e->step_seconds >= 0) || !isfinite(e->step_seconds))
    return x->host.fail(&x->host, HN_E_SHAPE, "step_seconds is %g", e->step_seconds);
  return check_splits(x, e->splits);
}

HnStatus hn_spec_check_belief(const HnInstance *x, const HnBeliefSpec *b) {
  const HnInference *q = x->plugin->methods;
  const bool drawn = HN_CAN(q, map) && (b->map_width || b->map_height);
  const Field fields[] = {{"belief_dim", b->belief_dim, 0, HN_DIM_MAX},
                          {"latent_dim", b->latent_dim, 0, b->belief_dim},
                          {"row_size", bytes_of_row(b->row_size), 0, HN_ROW_MAX},
                          {drawn ? "map_width" : NULL, b->map_width, 1, HN_DIM_MAX},
                          {"map_height", b->map_height, 1, HN_DIM_MAX / MAX(b->map_width, 1)},
                          {NULL}};
  return check(x, fields);
}

HnStatus hn_spec_check_policy(const HnInstance *x, const HnPolicySpec *p) {
  const Field fields[] = {{"aux_dim", p->aux_dim, 0, HN_DIM_MAX},
                          {"row_size", bytes_of_row(p->row_size), 0, HN_ROW_MAX},
                          {"phases", p->phases, 0, HN_PHASES_MAX},
                          {NULL}};
  return check(x, fields);
}
