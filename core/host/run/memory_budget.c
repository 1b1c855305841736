/* memory_budget.c - see memory_budget.h.  Sizes are doubles, whose products do not overflow. */
#include "memory_budget.h"
#include "short_text.h"
#include <inttypes.h>
#include <stdio.h>

/* Of one field, and of an episode, that nobody has to be told of. */
enum { ORDINARY_SIZE = 10000, ORDINARY_STEPS = 100000 };

static double window(const HnSession *s, double steps, double rows, int64_t samples) {
  const HnShape *x = &s->shape;
  double S = (double)MAX(samples, 1);
  double floats = 2 * (double)x->obs + (double)x->task + S * (double)x->belief + (double)x->action +
                  (double)x->aux + x->env_infos + x->belief_infos + x->policy_infos;
  double element =
      4 * floats + 3 /* begin, done, cut */ + 12 /* action_index, rewards */ + 8 /* task */;
  return ((steps + 2) * element + (double)x->belief_row) * rows;
}

static double memory_of_rows(const HnSession *s, double rows) {
  const HnShape *x = &s->shape;
  return rows * ((double)x->env_row + (double)x->belief_row + (double)x->policy_row);
}

/* What takes most of it, if that is out of the ordinary: "; obs_dim of rets is 1000000", else "".
 */
static char *blame(const HnSession *s, int64_t samples, double steps) {
  const HnShape *x = &s->shape;
  const double S = 4 * (double)MAX(samples, 1);
  const struct {
    const char *field;
    const HnInstance *of;
    double value, bytes; /* of a row */
  } part[] = {{"obs_dim", s->env, (double)x->obs, 8 * steps * (double)x->obs},
              {"task_dim", s->env, (double)x->task, 4 * steps * (double)x->task},
              {"action_dim", s->env, (double)x->action, 4 * steps * (double)x->action},
              {"belief_dim", s->inference, (double)x->belief, S * steps * (double)x->belief},
              {"aux_dim", s->policy, (double)x->aux, 4 * steps * (double)x->aux},
              {"row_size", s->env, (double)x->env_row, (double)x->env_row},
              {"row_size", s->inference, (double)x->belief_row, (double)x->belief_row},
              {"row_size", s->policy, (double)x->policy_row, (double)x->policy_row}};
  guint most = 0;
  for (guint k = 0; k < G_N_ELEMENTS(part); k++)
    if (part[k].bytes > part[most].bytes) most = k;
  if (part[most].value > ORDINARY_SIZE)
    return g_strdup_printf("; %s of %s is %.0f", part[most].field, part[most].of->plugin->name,
                           part[most].value);
  if (s->es.horizon > ORDINARY_STEPS)
    return g_strdup_printf("; horizon of %s is %" PRId64, s->env->plugin->name, s->es.horizon);
  return g_strdup("");
}

static HnStatus too_much(const HnSession *s, int64_t samples, double bytes, double limit,
                         const char *what, double rows, double steps, const char *lower) {
  g_autofree char *blamed = blame(s, samples, steps);
  g_snprintf(hn_fail_text(), HN_FAIL_TEXT,
             "%s of %.0f rows over %.0f steps takes %.3g GB, this machine has %.3g GB: lower %s%s",
             what, rows, steps, 1e-9 * bytes, 1e-9 * limit, lower, blamed);
  return HN_E_SHAPE;
}

static double training(const HnSession *s) {
  const HnRunParams *run = &s->cell->run;
  double phases = (double)MAX(s->phases, 1), rows = (double)run->rows;
  double bytes =
      (phases + 1) * window(s, (double)s->steps, rows, run->samples) + memory_of_rows(s, rows);
  if (s->cell->evaluation.diagnose) /* HnBeliefProbe, before and after */
    bytes += 2 * sizeof(float) * rows * ((double)s->steps + 2) *
             (double)(MAX(s->eval_samples, 1) * s->shape.belief);
  if (s->bs.refresh) bytes += window(s, (double)s->trial.lifetime, rows, run->samples);
  return bytes;
}

static double evaluation(const HnSession *s) {
  const double tasks = (double)s->cell->evaluation.tasks, life = (double)s->eval_trial.lifetime;
  const double scores =
      s->inference_created && hn_predictive_offered(s) ? HN_PREDICTIVE_SCORES * sizeof(float) : 0;
  return (double)MAX(s->phases, 1) *
             window(s, MIN((double)s->steps, life), tasks, s->eval_samples) +
         2 * memory_of_rows(s, tasks) + scores * life * tasks +
         8 * life * (1 + 2. * (s->shape.env_infos + s->shape.belief_infos));
}

/* The plugin that keeps most, the bytes of that once it is full, and its largest array. */
typedef struct Kept {
  const HnInstance *by;
  double bytes, all; /* all: of all plugins */
  const char *largest;
} Kept;

static Kept kept_by(const HnInstance *by) {
  Kept here = {by, 0, 0, ""};
  double largest = 0;
  for (guint k = 0; k < by->kept->len; k++) {
    const HnArrayRecord *x = by->kept->pdata[k];
    const double bytes = (double)x->array.dim[0] * (double)x->item_bytes;
    if (bytes > largest) largest = bytes, here.largest = x->array.name;
    here.bytes += bytes * (x->grad ? 2 : 1);
  }
  return here;
}

static Kept kept(const HnSession *s) {
  const HnInstance *const all[] = {s->env, s->inference, s->policy};
  Kept most = {NULL, 0, 0, ""};
  double sum = 0;
  for (guint i = 0; i < G_N_ELEMENTS(all); i++)
    for (const HnInstance *by = all[i]; by; by = by->inner) { /* what wrappers hold, too */
      const Kept here = kept_by(by);
      sum += here.bytes;
      if (here.bytes > most.bytes) most = here;
    }
  most.all = sum;
  return most;
}

double hn_memory_budget_bytes(const HnSession *s) {
  const HnInstance *const all[] = {s->env, s->inference, s->policy};
  double bytes = training(s) + evaluation(s);
  for (guint i = 0; i < G_N_ELEMENTS(all); i++)
    for (const HnInstance *by = all[i]; by; by = by->inner) bytes += (double)by->allocated;
  return bytes;
}

char *hn_memory_budget_text(const HnSession *s) {
  const Kept k = kept(s);
  g_autofree char *experience = hn_short_bytes(training(s) + evaluation(s));
  g_autofree char *bytes = hn_short_bytes(k.bytes);
  if (!k.by) return g_strdup_printf("%s of experience; plugins keep nothing", experience);
  return g_strdup_printf("%s of experience, %s kept by %s once full, most of it %s", experience,
                         bytes, k.by->plugin->name, k.largest);
}

HnStatus hn_memory_budget_check(const HnSession *s, double limit) {
  const HnRunParams *run = &s->cell->run;
  const double train = training(s), eval = evaluation(s), life = (double)s->eval_trial.lifetime;
  const Kept k = kept(s);
  if (train > limit)
    return too_much(s, run->samples, train, limit, "experience", (double)run->rows,
                    (double)s->steps,
                    "run.rows, run.steps, run.episodes, run.trial_steps or run.samples");
  if (train + eval > limit)
    return too_much(s, s->eval_samples, eval, limit, "an evaluation",
                    (double)s->cell->evaluation.tasks, life,
                    "evaluation.tasks, evaluation.episodes, evaluation.trial_steps or run.steps");
  if (train + eval + k.all <= limit) return HN_OK;
  g_snprintf(
      hn_fail_text(), HN_FAIL_TEXT,
      "what %s keeps takes %.3g GB once it is full, most of it %s, this machine has %.3g GB: "
      "lower the size of its buffer, or of trials",
      k.by->plugin->name, 1e-9 * k.bytes, k.largest, 1e-9 * limit);
  return HN_E_SHAPE;
}
