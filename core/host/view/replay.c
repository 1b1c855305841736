/* replay.c - see replay.h. */
#include "replay.h"
#include "checkpoint.h"
#include "env_layers.h"
#include "error.h"
#include "evaluate.h"
#include "run_dir.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The path of the checkpoint that is asked for, or NULL. */
static const char *find_checkpoint(const GPtrArray *all, const char *dir, int64_t update,
                                   GError **error) {
  if (!all->len)
    return hn_error_set(error, HN_ERROR_REFUSED, "%s: has no checkpoint yet", dir), NULL;
  if (update < 0) return all->pdata[all->len - 1];
  g_autoptr(GString) kept = g_string_new(NULL);
  for (guint i = 0; i < all->len; i++) {
    int64_t has = hn_run_checkpoint_update(all->pdata[i]);
    if (has == update) return all->pdata[i];
    g_string_append_printf(kept, "%s%" PRId64, i ? ", " : "", has);
  }
  hn_error_set(error, HN_ERROR_REFUSED,
               "%s: has no checkpoint of update %" PRId64
               "; it has those of %s (run.keep_every keeps "
               "more)",
               dir, update, kept->str);
  return NULL;
}

static bool load(HnReplay *r, const char *dir, int64_t update, GError **error) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(dir, error);
  const char *path = all ? find_checkpoint(all, dir, update, error) : NULL;
  if (!path) return false;
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *identity = hn_cell_identity(r->cell);
  HnEpisodeStats stats;
  hn_episode_stats_make(&stats, r->s->rollouts.rows, r->s->shape.env_infos, &r->s->trial);
  g_autoptr(GPtrArray) states = hn_states_of(r->s, &stats);
  bool ok = hn_checkpoint_read(path, states, meta, error);
  r->update = hn_run_checkpoint_update(path);
  r->same = !g_strcmp0(g_hash_table_lookup(meta, "identity"), identity);
  hn_episode_stats_free(&stats);
  return ok;
}

HnReplay *hn_replay_open(const char *dir, int64_t update, FILE *log, GError **error) {
  HnReplay *r = g_new0(HnReplay, 1);
  r->cell = hn_cell_open(dir, error);
  if (r->cell) r->s = hn_session_new(r->cell, log, error);
  if (r->s && load(r, dir, update, error)) return r;
  hn_replay_free(r);
  return NULL;
}

void hn_replay_free(HnReplay *r) {
  if (!r) return;
  hn_session_free(r->s), hn_cell_free(r->cell);
  g_free(r);
}

/* ---- the task ---- */

/* The first task of a name, or the one of a number. */
static bool find_task(const HnSession *s, int64_t split, const char *task, int64_t *k,
                      GError **error) {
  const int64_t tasks = s->tasks[split].count;
  int64_t number = 0;
  *k = tasks > 0 ? 0 : -1;
  if (!task) return true;
  if (!tasks)
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "%s has no task '%s': split %s numbers none, they are drawn (another "
                        "random stream draws another)",
                        s->env->plugin->name, task, s->splits[split]);
  g_autoptr(GStrvBuilder) b = g_strv_builder_new();
  int64_t found = -1;
  for (int64_t i = 0; i < tasks && s->tasks[split].called; i++) {
    const char *name = s->tasks[split].called[i];
    if (name) g_strv_builder_add(b, name);
    if (name && found < 0 && !strcmp(name, task)) found = i;
  }
  if (found < 0 && g_ascii_string_to_signed(task, 10, 0, tasks - 1, &number, NULL)) found = number;
  *k = found;
  if (found >= 0) return true;
  g_auto(GStrv) names = g_strv_builder_end(b);
  g_autofree char *hint = hn_diag_hint(task, (const char *const *)names);
  return hn_error_set(error, HN_ERROR_REFUSED,
                      "%s has no task '%s' in split %s, which has %" PRId64 "%s",
                      s->env->plugin->name, task, s->splits[split], tasks, hint);
}

/* ---- watching ---- */

typedef struct Watch {
  HnReplay *replay;
  HnReplaySink *sink;
  void *arg;
  HnReplayStep m;
  int64_t said[HN_REPLAY_SERIES], is[HN_REPLAY_SERIES]; /* columns, or -1 */
  float *map;                                           /* or NULL */
  bool enough;
} Watch;

#define HN_REPLAY_LABEL(id, label, ...) label,
const char *const hn_replay_label[] = {HN_REPLAY_NUMBERS(HN_REPLAY_LABEL)};

static int64_t column_of(const HnInstance *of, const char *name) {
  for (guint k = 0; name && k < of->infos; k++)
    if (!strcmp(of->info[k].name, name)) return k;
  return -1;
}

static double map_entropy(const float *map, int64_t cells) {
  double sum = 0;
  for (int64_t k = 0; k < cells; k++)
    if (map[k] > 0) sum -= (double)map[k] * log((double)map[k]);
  return sum;
}

/* Of a Gaussian whose features are means, then log variances. */
static double gaussian_entropy(const float *belief, int64_t latents) {
  double sum = 0.5 * (double)latents * (1 + log(2 * G_PI));
  for (int64_t k = latents; k < 2 * latents; k++) sum += 0.5 * (double)belief[k];
  return sum;
}

/* What is known without the belief's own column. */
static double entropy_of(const Watch *x, const float *belief) {
  const HnBeliefSpec *b = &x->replay->s->bs;
  if (x->map) return map_entropy(x->map, b->map_width * b->map_height);
  if (b->latent_dim > 0 && b->belief_dim == 2 * b->latent_dim)
    return gaussian_entropy(belief, b->latent_dim);
  return (double)NAN;
}

static HnStatus look_at_belief(Watch *x, const HnExperience *w, int64_t t) {
  const HnSession *s = x->replay->s;
  const float *belief = hn_experience_lent(w, HN_F_BELIEF, t, 0);
  const float *info = w->belief_info + t * s->shape.belief_infos;
  HnStatus status = HN_OK;
  x->m.belief = belief, x->m.belief_dim = s->bs.belief_dim;
  if (x->map)
    HN_CALL(status, INFERENCE_map, HN_INFERENCE(s)->map(s->inference->self, belief, x->map));
  for (int k = 0; k < HN_REPLAY_SERIES; k++)
    x->m.series[k].said = x->said[k] >= 0 && !(k == HN_REPLAY_REWARD && x->m.begin)
                              ? (double)info[x->said[k]]
                              : (double)NAN;
  if (x->said[HN_REPLAY_ENTROPY] < 0 && !status)
    x->m.series[HN_REPLAY_ENTROPY].said = entropy_of(x, belief);
  return status;
}

/* What the numbers are, of which the belief spoke. */
static void look_at_truth(Watch *x, const HnExperience *w, int64_t step) {
  const int64_t infos = x->replay->s->shape.env_infos;
  for (int k = 0; k < HN_REPLAY_SERIES; k++)
    x->m.series[k].is =
        x->is[k] < 0 || x->m.begin ? (double)NAN : (double)w->env_info[step * infos + x->is[k]];
  x->m.series[HN_REPLAY_REWARD].is = (double)x->m.reward;
}

/* Called at every observation, and (over) after an episode has ended. */
static HnStatus watch(void *arg, const HnRollouts *rollouts, const HnExperience *w, int64_t t,
                      bool over) {
  Watch *x = arg;
  HnReplayStep *m = &x->m;
  HnStatus status = HN_OK;
  if (!over && !x->replay->s->eval_trial.by_steps &&
      rollouts->episode[0] >= x->replay->s->protocol.row_episodes)
    return x->enough = true, HN_ENOUGH; /* episodes ended early and left time for more */
  uint8_t begin = *(const uint8_t *)hn_experience_at(w, HN_F_BEGIN, t, 0);
  m->env = hn_env_row(x->replay->s->env, &rollouts->env, 0), m->over = over,
  m->begin = !over && begin != HN_KEEP;
  m->episode_step = over ? m->episode_step + 1 : rollouts->episode_step[0];
  if (over) m->step++;
  m->reward =
      m->begin ? NAN : *(const float *)hn_experience_at(w, HN_F_TRUE_REWARD, over ? t : t - 1, 0);
  if (m->begin) m->episode_return = 0;
  if (!over) m->episode = rollouts->episode[0], m->step = rollouts->trial_step[0];
  m->adapting = m->episode < x->replay->s->protocol.adapt;
  if (!m->begin) m->episode_return += (double)m->reward;
  if (!over) status = look_at_belief(x, w, t), look_at_truth(x, w, t - 1);
  m->map = x->map;
  if (!status && !x->sink(x->arg, m)) x->enough = true;
  return status ? status : x->enough ? HN_ENOUGH : HN_OK;
}

#define HN_REPLAY_COLUMNS(id, label, belief, truth)                       \
  x->said[HN_REPLAY_##id] = column_of(x->replay->s->inference, (belief)), \
  x->is[HN_REPLAY_##id] = column_of(x->replay->s->env, (truth));
static void watch_numbers(Watch *x) {
  HN_REPLAY_NUMBERS(HN_REPLAY_COLUMNS)
}

bool hn_replay_trial(HnReplay *r, const HnReplayOptions *options, HnReplaySink *sink, void *arg,
                     GError **error) {
  HnSession *s = r->s;
  int64_t split, task;
  HnRollouts c;
  if (!hn_env_can_render(s->env))
    return hn_error_set(error, HN_ERROR_REFUSED, "%s cannot be rendered", s->env->plugin->name);
  split = s->pass[0].split;
  if (options->split && !hn_session_find_split(s, options->split, &split, error)) return false;
  if (!find_task(s, split, options->task, &task, error)) return false;
  Watch x = {.replay = r, .sink = sink, .arg = arg, .m = {.replay = r}};
  watch_numbers(&x);
  if (task >= 0 && s->tasks[split].called) x.m.task = s->tasks[split].called[task];
  if (HN_CAN(HN_INFERENCE(s), map) && s->bs.map_width > 0)
    x.map = g_new0(float, s->bs.map_width * s->bs.map_height);
  HnStatus status = hn_rollouts_make(s, &c, 1, split, &s->eval_trial, false);
  if (!status) status = hn_rollouts_begin(s, &c, options->stream, task);
  c.watch = watch, c.watch_arg = &x;
  if (!status) status = hn_evaluate_trial(s, &c, NULL, NULL);
  hn_rollouts_free(&c), g_free(x.map);
  if (!status || x.enough) return true;
  return hn_session_failed(s, "replaying a trial", status, error);
}

bool hn_replay_render(HnReplay *r, const HnReplayStep *m, int64_t width, int64_t height,
                      uint8_t *rgb, GError **error) {
  HnSession *s = r->s;
  HnStatus status = hn_env_render(s->env, m->env, width, height, rgb);
  return !status || hn_session_failed(s, "rendering", status, error);
}
