/* record_columns.c - see record_columns.h. */
#include "record_columns.h"
#include "diagnostics.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SOME = 100 }; /* names of a numbered column among which the nearest is looked for */

/* ---- how many there are ---- */

#define DECLARED(name, columns)                     \
  static const HnColumn *name(const HnSession *s) { \
    return s->columns;                              \
  }
#define COUNT(name, n)                      \
  static int64_t name(const HnSession *s) { \
    return n;                               \
  }
#define EMPTY(name, when)                  \
  static bool name(const HnRecordRow *r) { \
    return when;                           \
  }
DECLARED(env_info, env->info)
DECLARED(inference_info, inference->info)
DECLARED(policy_info, policy->info)
DECLARED(env_metrics, env->metric)
DECLARED(inference_metrics, inference->metric)
DECLARED(policy_metrics, policy->metric)
COUNT(trial_episodes, s->eval_trial.episodes)
COUNT(if_last_counts, (s->protocol.flags & HN_COUNTS_LAST) != 0)
COUNT(if_predictive, hn_predictive_offered(s))
COUNT(if_diagnosed, s->cell->evaluation.diagnose)
COUNT(if_discrete, s->shape.action == 0)
COUNT(members, MIN(s->eval_samples, HN_BAND_MEMBERS))
COUNT(obs_dim, s->shape.obs)
COUNT(task_dim, s->shape.task)
COUNT(action_dim, s->shape.action)
COUNT(belief_dim, s->shape.belief)
EMPTY(is_not_evaluated, !r->eval)
EMPTY(is_last_observation, r->t == r->eval->trial_steps[r->row])
EMPTY(is_seen_point, !r->band)

int64_t hn_record_map_cells(const HnSession *s) {
  return HN_CAN(HN_INFERENCE(s), map) ? s->bs.map_width * s->bs.map_height : 0;
}

/* ---- values ---- */

/* A task's name, or its number, or nothing. */
static void write_task(HnCsvWriter *w, const HnRecordRow *r, int64_t task) {
  const char *name = hn_task_list_name(&r->s->tasks[r->split], task);
  if (task < 0 || name)
    hn_csv_text(w, name ? name : "");
  else
    hn_csv_int(w, task);
}

static double mean_return(const HnEpisodeMeans *m, int64_t episode) {
  return hn_mean_of(m->reward[episode], m->reward_count[episode]);
}
static double mean_info(const HnEpisodeMeans *m, int64_t k) {
  return hn_mean_of(m->info[k], m->info_count[k]);
}
static double step_info(const HnRecordRow *r, int64_t k) {
  return r->eval->step_info[r->t * (r->s->shape.env_infos + r->s->shape.belief_infos) + k];
}
/* A field of the recorded trial at step t. */
static const void *at(const HnRecordRow *r, HnExperienceField f, int64_t t) {
  return hn_experience_at(&r->eval->trial, f, t, r->row);
}
static double real(const HnRecordRow *r, HnExperienceField f, int64_t t, int64_t k) {
  return (double)((const float *)at(r, f, t))[k];
}

/* put_NAME writes field k of row r. */
#define PUT(name, write, ...)                                               \
  static void put_##name(HnCsvWriter *w, const HnRecordRow *r, int64_t k) { \
    (void)k;                                                                \
    write(w, __VA_ARGS__);                                                  \
  }
PUT(update, hn_csv_int, r->update)
PUT(frames, hn_csv_int, r->s->frames)
PUT(seconds, hn_csv_number, r->seconds[k])
/* metrics */
PUT(train_return, hn_csv_number, mean_return(r->train, r->train->trial_episodes))
PUT(train_info, hn_csv_number, mean_info(r->train, k))
PUT(env_metric, hn_csv_number, hn_instance_metric(r->s->env, (guint)k))
PUT(policy_metric, hn_csv_number, hn_instance_metric(r->s->policy, (guint)k))
PUT(inference_metric, hn_csv_number, hn_instance_metric(r->s->inference, (guint)k))
PUT(eval_return, hn_csv_number, mean_return(&r->eval->episodes, r->eval->episodes.trial_episodes))
PUT(eval_return_of, hn_csv_number, mean_return(&r->eval->episodes, k - 1))
PUT(eval_info, hn_csv_number, mean_info(&r->eval->episodes, k))
PUT(eval_belief, hn_csv_number, r->eval->belief_info[k])
PUT(eval_policy, hn_csv_number, r->eval->policy_info[k])
PUT(success_last, hn_csv_number, r->eval->success_last)
PUT(task_share, hn_csv_number, r->eval->task_share)
PUT(reliability, hn_csv_number, r->eval->reliability)
PUT(drift, hn_csv_number, r->s->belief_drift)
PUT(policy_kl, hn_csv_number, r->s->belief_policy_kl)
PUT(eval_score, hn_csv_number, r->eval->predictive.mean[k])
/* episodes */
PUT(phase, hn_csv_text, r->phase)
PUT(arm, hn_csv_text, r->s->cell->arm)
PUT(seed, hn_csv_int, r->s->cell->seed_index)
PUT(split, hn_csv_text, r->s->splits[r->split])
PUT(episode_task, write_task, r, r->episode->task_index)
PUT(episode_row, hn_csv_int, r->episode->row)
PUT(trial_episode, hn_csv_int, r->episode->trial_episode)
PUT(length, hn_csv_int, r->episode->length)
PUT(episode_return, hn_csv_number, r->episode->reward)
PUT(episode_info, hn_csv_number, r->episode->info[k])
/* steps */
PUT(step, hn_csv_int, r->t)
PUT(step_reward, hn_csv_number, r->t ? r->eval->step_reward[r->t] : (double)NAN)
PUT(step_env, hn_csv_number, step_info(r, k))
PUT(step_belief, hn_csv_number, step_info(r, r->s->shape.env_infos + k))
PUT(step_score, hn_csv_number, r->eval->predictive.step[r->t * HN_PREDICTIVE_SCORES + k])
/* trial */
PUT(kept_row, hn_csv_int, hn_kept_row(r->s->cell->evaluation.tasks, r->eval->trial.h.rows, r->row))
PUT(trial_task, write_task, r, r->eval->trial.task_index[r->t * r->eval->trial.h.rows + r->row])
PUT(begin, hn_csv_int, *(const uint8_t *)at(r, HN_F_BEGIN, r->t))
PUT(obs, hn_csv_number, real(r, HN_F_OBS, r->t, k))
PUT(true_task, hn_csv_number, real(r, HN_F_TASK, r->t, k))
PUT(action, hn_csv_number, real(r, HN_F_ACTION, r->t, k))
PUT(action_index, hn_csv_int, *(const int32_t *)at(r, HN_F_ACTION_INDEX, r->t))
PUT(reward, hn_csv_number, real(r, HN_F_TRUE_REWARD, r->t, 0))
PUT(next_obs, hn_csv_number, real(r, HN_F_NEXT_OBS, r->t, k))
PUT(belief, hn_csv_number, real(r, HN_F_BELIEF, r->t, k))
PUT(map, hn_csv_number, (double)r->map[k])
/* predictions */
PUT(seen, hn_csv_int, is_seen_point(r))
PUT(x, hn_csv_number, r->band ? (double)hn_band_x(r->point) : real(r, HN_F_ACTION, r->point, 0))
PUT(truth, hn_csv_number, r->band ? (double)r->band[r->point] : real(r, HN_F_NEXT_OBS, r->point, 0))
PUT(band, hn_csv_number, (double)r->band[k * HN_BAND_POINTS + r->point])
PUT(member, hn_csv_number, (double)r->band[(HN_BAND_FIXED + k - 1) * HN_BAND_POINTS + r->point])

/* ---- the tables ---- */

#define COLUMN(name_, unit_, better_, doc_, ...) \
  { .name = name_, .unit = unit_, .better = better_, .doc = doc_, .put = __VA_ARGS__ }
#define UPDATE      COLUMN("update", "", 0, "Updates done.", put_update)
#define FRAMES      COLUMN("frames", "step", 0, "Environment steps trained on, over rows.", put_frames)
#define TASK        "The task's name, or its number; empty: drawn."
#define AS_DECLARED "as declared"
#define PER_EPISODE "reward per episode"
#define OBS         "observation units"
#define SCORES(prefix, ...)                                                                     \
  COLUMN(prefix "predict.cross_entropy", "nats", -1, "Of true responses under the prediction.", \
         __VA_ARGS__, .first = HN_PREDICTIVE_CE),                                               \
      COLUMN(prefix "predict.perplexity", "", -1, "exp of the cross-entropy, at most 1e6.",     \
             __VA_ARGS__, .first = HN_PREDICTIVE_PERPLEXITY),                                   \
      COLUMN(prefix "predict.l1", OBS, -1, "Mean absolute error of the mean.", __VA_ARGS__,     \
             .first = HN_PREDICTIVE_L1),                                                        \
      COLUMN(prefix "predict.l2", OBS " squared", -1, "Mean squared error of the mean.",        \
             __VA_ARGS__, .first = HN_PREDICTIVE_L2)

static const HnRecordColumn metrics[] = {
    UPDATE,
    FRAMES,
    COLUMN("train.return", PER_EPISODE, 1, "Mean over training episodes that ended in this update.",
           put_train_return),
    COLUMN("train.*", AS_DECLARED, 0, "The environment's info of those episodes.", put_train_info,
           .declared = env_info),
    COLUMN("env.*", AS_DECLARED, 0, "The environment's metrics.", put_env_metric,
           .declared = env_metrics),
    COLUMN("policy.*", AS_DECLARED, 0, "The policy's metrics.", put_policy_metric,
           .declared = policy_metrics),
    COLUMN("inference.*", AS_DECLARED, 0, "The inference's metrics.", put_inference_metric,
           .declared = inference_metrics),
    COLUMN("eval.return", PER_EPISODE, 1, "Mean over the episodes that count.", put_eval_return,
           .is_empty = is_not_evaluated, .each_pass = true),
    COLUMN("eval.return_*", PER_EPISODE, 1, "Of the k-th episode that counts, from 1.",
           put_eval_return_of, .count = trial_episodes, .first = 1, .is_empty = is_not_evaluated),
    COLUMN("eval.*", AS_DECLARED, 0, "The environment's info of the episodes that count.",
           put_eval_info, .declared = env_info, .is_empty = is_not_evaluated, .each_pass = true),
    COLUMN("eval.*", AS_DECLARED, 0, "The inference's info, folded over a trial, mean over rows.",
           put_eval_belief, .declared = inference_info, .is_empty = is_not_evaluated),
    COLUMN("eval.*", AS_DECLARED, 0, "The policy's info, folded over a trial, mean over rows.",
           put_eval_policy, .declared = policy_info, .is_empty = is_not_evaluated),
    COLUMN("eval.success_last", "", 1, "Success in the last episode that counts, mean over rows.",
           put_success_last, .count = if_last_counts, .is_empty = is_not_evaluated,
           .each_pass = true),
    COLUMN("belief.task_share", "", 1,
           "Share of the belief's variance between evaluated trials that the task explains.",
           put_task_share, .count = if_diagnosed, .is_empty = is_not_evaluated),
    COLUMN("belief.reliability", "", 1,
           "Correlation of beliefs from an evaluated trial's first episode with those from its "
           "second.",
           put_reliability, .count = if_diagnosed, .is_empty = is_not_evaluated),
    COLUMN("belief.drift", "", -1,
           "Change of beliefs by this update's learning, in standard deviations over rows.",
           put_drift, .count = if_diagnosed, .is_empty = is_not_evaluated),
    COLUMN("belief.policy_kl", "nats", -1,
           "KL divergence of actions by beliefs before this update's learning from actions by "
           "beliefs after it, at equal weights of the policy, mean over steps; of samples an upper "
           "bound.",
           put_policy_kl, .count = if_diagnosed, .is_empty = is_not_evaluated),
    SCORES("eval.", put_eval_score, .count = if_predictive, .is_empty = is_not_evaluated,
           .each_pass = true),
    {.name = NULL}};

static const HnRecordColumn timing[] = {
    UPDATE,
    FRAMES,
    COLUMN("collect", "s", -1, "Inferring, acting and stepping.", put_seconds,
           .first = HN_TIME_COLLECT),
    COLUMN("learn_policy", "s", -1, "The policy's learning.", put_seconds,
           .first = HN_TIME_LEARN_POLICY),
    COLUMN("learn_inference", "s", -1, "The inference's learning, and refreshed beliefs.",
           put_seconds, .first = HN_TIME_LEARN_INFERENCE),
    COLUMN("evaluate", "s", -1, "Evaluating.", put_seconds, .first = HN_TIME_EVALUATE),
    COLUMN("trace", "s", -1, "Hashing the weights.", put_seconds, .first = HN_TIME_TRACE),
    COLUMN("checkpoint", "s", -1, "Writing the checkpoint of the update before.", put_seconds,
           .first = HN_TIME_CHECKPOINT),
    {.name = NULL}};

static const HnRecordColumn episodes[] = {
    COLUMN("phase", "", 0,
           "train, eval (it counts), drawn (it counts, with sampled actions), shuffled (it counts, "
           "on beliefs of other rows), adapt or uncounted.",
           put_phase, .text = true),
    UPDATE,
    COLUMN("arm", "", 0, "Arm of the study.", put_arm, .text = true),
    COLUMN("seed", "", 0, "Index of the seed.", put_seed),
    COLUMN("split", "", 0, "Split of the task.", put_split, .text = true),
    COLUMN("task", "", 0, TASK, put_episode_task, .text = true),
    COLUMN("row", "", 0, "Row that acted.", put_episode_row),
    COLUMN("trial_episode", "", 0, "Episode of the trial, from 0.", put_trial_episode),
    COLUMN("length", "step", 0, "Steps of the episode.", put_length),
    COLUMN("return", PER_EPISODE, 1, "Sum of the environment's rewards.", put_episode_return),
    COLUMN("*", AS_DECLARED, 0, "The environment's info, folded over the episode.",
           put_episode_info, .declared = env_info),
    {.name = NULL}};

static const HnRecordColumn steps[] = {
    UPDATE,
    COLUMN("step", "step", 0, "Observation of the trial, from 0.", put_step),
    COLUMN("reward", "reward", 1,
           "Of the step before the observation, mean over rows; 0 of rows whose trial is over.",
           put_step_reward),
    COLUMN("*", AS_DECLARED, 0,
           "The environment's info of that step, mean over rows whose trial is not over.",
           put_step_env, .declared = env_info),
    COLUMN("*", AS_DECLARED, 0,
           "The inference's info at the observation, mean over rows whose trial is not over.",
           put_step_belief, .declared = inference_info),
    SCORES("", put_step_score, .count = if_predictive),
    {.name = NULL}};

static const HnRecordColumn trial[] = {
    UPDATE,
    COLUMN("row", "", 0, "Evaluated row.", put_kept_row),
    COLUMN("task", "", 0, TASK, put_trial_task, .text = true),
    COLUMN("step", "step", 0, "Observation of the trial, from 0.", put_step),
    COLUMN("begin", "", 0, "1: an episode begins here, 2: a task; else 0.", put_begin),
    COLUMN("obs_*", OBS, 0, "Observation.", put_obs, .count = obs_dim),
    COLUMN("task_*", "", 0, "The true task.", put_true_task, .count = task_dim),
    COLUMN("act_*", "", 0, "Continuous action; empty at the last observation.", put_action,
           .count = action_dim, .is_empty = is_last_observation),
    COLUMN("action_index", "", 0, "Discrete action; empty at the last observation.",
           put_action_index, .count = if_discrete, .is_empty = is_last_observation),
    COLUMN("reward", "reward", 1, "Of the step; empty at the last observation.", put_reward,
           .is_empty = is_last_observation),
    COLUMN("next_obs_*", OBS, 0, "Where the step led, before any reset.", put_next_obs,
           .count = obs_dim, .is_empty = is_last_observation),
    COLUMN("belief_*", "", 0, "Belief acted on; of samples the first.", put_belief,
           .count = belief_dim),
    COLUMN("map_*", "probability", 0,
           "The belief over cells of a grid, cell (x, y) at x * height + y.", put_map,
           .count = hn_record_map_cells),
    {.name = NULL}};

static const HnRecordColumn predictions[] = {
    UPDATE,
    COLUMN("row", "", 0, "Evaluated row.", put_kept_row),
    COLUMN("task", "", 0, TASK, put_trial_task, .text = true),
    COLUMN("step", "step", 0, "Steps before the prediction: 0, 1, 3, 5, 10, 30 or 100.", put_step),
    COLUMN("seen", "", 0, "1: a point observed by then, 0: a point of the grid.", put_seen),
    COLUMN("x", "", 0, "Action of the point.", put_x),
    COLUMN("truth", OBS, 0, "What was observed; on the grid the response without noise.",
           put_truth),
    COLUMN("mean", OBS, 0, "Predictive mean; empty where seen.", put_band, .first = 1,
           .is_empty = is_seen_point),
    COLUMN("stddev", OBS, 0, "Predictive standard deviation; empty where seen.", put_band,
           .first = 2, .is_empty = is_seen_point),
    COLUMN("member_*", OBS, 0, "Mean under one sample, from 1; empty where seen.", put_member,
           .count = members, .first = 1, .is_empty = is_seen_point),
    {.name = NULL}};

static const HnRecordColumn *const tables[HN_RUN_FILE_COUNT] = {
    [HN_FILE_METRICS] = metrics, [HN_FILE_TIMING] = timing, [HN_FILE_EPISODES] = episodes,
    [HN_FILE_STEPS] = steps,     [HN_FILE_TRIAL] = trial,   [HN_FILE_PREDICTIONS] = predictions};

const HnRecordColumn *hn_record_columns(HnRunFile table) {
  return tables[table];
}

bool hn_record_has(const HnSession *s, HnRunFile table) {
  return table == HN_FILE_PREDICTIONS ? hn_predictive_has_curves(s) : tables[table] != NULL;
}

/* Whether `name` is the column, or one of its numbers, perhaps of a further pass. */
static bool is_named(const HnRecordColumn *c, const char *name) {
  gsize stem = strcspn(c->name, "*"), dot = strcspn(c->name, ".");
  if (c->declared) return false;
  if (c->name[stem]) return strncmp(name, c->name, stem) == 0 && g_ascii_isdigit(name[stem]);
  if (c->each_pass && g_str_has_prefix(name, "eval.") && g_str_has_suffix(name, c->name + dot))
    return true;
  return strcmp(name, c->name) == 0;
}

const HnRecordColumn *hn_record_column(HnRunFile table, const char *name) {
  const HnRecordColumn *all = hn_record_columns(table);
  for (const HnRecordColumn *c = all; c && c->name; c++)
    if (is_named(c, name)) return c;
  for (const HnRecordColumn *c = all; c && c->name; c++)
    if (c->declared && strncmp(name, c->name, strcspn(c->name, "*")) == 0) return c;
  return NULL;
}

const HnRecordColumn *hn_record_find(const char *name) {
  static const HnRecordColumn *const reported[] = {metrics, steps, episodes};
  for (guint i = 0; i < G_N_ELEMENTS(reported); i++)
    for (const HnRecordColumn *c = reported[i]; c->name; c++)
      if (is_named(c, name)) return c;
  return NULL;
}

const char *hn_record_nearest(const char *name, const char *const *columns) {
  g_autofree char *evaluated = g_strconcat("eval.", name, NULL),
                  *end = g_strconcat(".", name, NULL);
  for (const char *const *c = columns; *c; c++)
    if (strcmp(*c, evaluated) == 0) return *c;
  for (const char *const *c = columns; *c; c++)
    if (g_str_has_suffix(*c, end)) return *c;
  return hn_diag_nearest(name, columns);
}

/* ---- writing ---- */

static int64_t count_of(const HnRecordColumn *c, const HnSession *s) {
  return c->declared ? hn_column_count(c->declared(s)) : c->count ? c->count(s) : 1;
}

/* The first `most` names of one column, with `pass` inserted behind "eval." unless it is NULL. */
static void put_names(HnCsvWriter *w, const HnRecordColumn *c, const HnSession *s, const char *pass,
                      int64_t most) {
  const int64_t n = MIN(count_of(c, s), most);
  for (int64_t k = 0; k < n; k++) {
    g_autofree char *number = g_strdup_printf("%" PRId64, c->first + k);
    const char *star = c->declared ? c->declared(s)[k].name : number;
    GString *name = g_string_new(c->name);
    g_string_replace(name, "*", star, 1);
    if (pass) g_string_insert(name, strlen("eval."), ".");
    if (pass) g_string_insert(name, strlen("eval."), pass);
    hn_csv_text(w, name->str);
    g_string_free(name, true);
  }
}

static void put_fields(HnCsvWriter *w, const HnRecordColumn *c, const HnRecordRow *r) {
  int64_t n = count_of(c, r->s);
  if (c->is_empty && c->is_empty(r)) {
    hn_csv_blanks(w, n);
    return;
  }
  for (int64_t k = 0; k < n; k++) c->put(w, r, c->first + k);
}

static void put_header(HnCsvWriter *w, HnRunFile table, const HnSession *s, int64_t most) {
  const HnRecordColumn *all = hn_record_columns(table);
  for (const HnRecordColumn *c = all; c->name; c++) put_names(w, c, s, NULL, most);
  for (guint i = 1; table == HN_FILE_METRICS && i < s->passes; i++)
    for (const HnRecordColumn *c = all; c->name; c++)
      if (c->each_pass) put_names(w, c, s, s->pass[i].name, most);
  hn_csv_end_row(w);
}

void hn_record_header(HnCsvWriter *w, HnRunFile table, const HnSession *s) {
  put_header(w, table, s, INT64_MAX);
}

/* Whether `name` is one of the column's names. */
static bool has_name(const HnRecordColumn *c, const HnSession *s, const char *name) {
  const gsize stem = strcspn(c->name, "*");
  const int64_t n = count_of(c, s);
  if (!c->name[stem]) return n > 0 && strcmp(name, c->name) == 0;
  if (strncmp(name, c->name, stem) != 0) return false;
  name += stem;
  for (int64_t k = 0; c->declared && k < n; k++)
    if (strcmp(name, c->declared(s)[k].name) == 0) return true;
  guint64 number;
  return !c->declared && n > 0 && (*name != '0' || !name[1]) &&
         g_ascii_string_to_unsigned(name, 10, (guint64)c->first, (guint64)(c->first + n - 1),
                                    &number, NULL);
}

bool hn_record_has_metric(const HnSession *s, const char *name) {
  for (const HnRecordColumn *c = metrics; c->name; c++)
    if (has_name(c, s, name)) return true;
  for (guint i = 1; i < s->passes; i++) {
    g_autofree char *prefix = g_strconcat("eval.", s->pass[i].name, ".", NULL);
    if (!g_str_has_prefix(name, prefix)) continue;
    g_autofree char *first = g_strconcat("eval.", name + strlen(prefix), NULL);
    for (const HnRecordColumn *c = metrics; c->name; c++)
      if (c->each_pass && has_name(c, s, first)) return true;
  }
  return false;
}

char **hn_record_some_metrics(const HnSession *s) {
  HnCsvWriter w = {g_string_new(NULL), 1, false};
  put_header(&w, HN_FILE_METRICS, s, SOME);
  g_autofree char *header = g_strchomp(hn_csv_take(&w));
  return g_strsplit(header, ",", -1);
}

void hn_record_row(HnCsvWriter *w, HnRunFile table, const HnRecordRow *r) {
  const HnRecordColumn *all = hn_record_columns(table);
  HnRecordRow further = *r;
  for (const HnRecordColumn *c = all; c->name; c++) put_fields(w, c, r);
  for (guint i = 1; table == HN_FILE_METRICS && i < r->s->passes; i++) {
    if (r->eval) further.eval = &r->eval[i];
    for (const HnRecordColumn *c = all; c->name; c++)
      if (c->each_pass) put_fields(w, c, &further);
  }
  hn_csv_end_row(w);
}
