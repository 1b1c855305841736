/* run.c - the loop: collect, learn policy, learn inference, evaluate, record, checkpoint. */
#include "run.h"
#include "belief_diagnostics.h"
#include "call_record.h"
#include "checkpoint.h"
#include "determinism.h"
#include "error.h"
#include "json.h"
#include "learn.h"
#include "memory_budget.h"
#include "output_file.h"
#include "recorder.h"
#include "run_dir.h"
#include "run_json.h"
#include "warm_start.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct Run {
  const HnCell *cell;
  const char *dir;
  HnSession *s;
  HnEpisodeStats stats;
  HnRecorder *record;
  GPtrArray *states;
  char *from, *from_sha256;     /* the checkpoint that its weights were taken from, or NULL */
  const HnEvaluationPass *pass; /* being evaluated */
  HnEpisodeMeans train;         /* episodes finished in this update */
  int64_t started;              /* microseconds */
  double before;                /* seconds of earlier parts */
  double seconds[HN_TIMINGS];
  uint8_t digest[HN_DIGEST_BYTES]; /* of the weights after update `checked` */
  int64_t checked;                 /* -1: none yet */
  bool named;                      /* the names of its files are on the disk */
  bool prolongs;                   /* goes on beyond its former end, .. */
  bool begun;                      /* .. and is past what can keep it from that */
} Run;

static double seconds_so_far(const Run *r) {
  return r->before + (double)(g_get_monotonic_time() - r->started) * 1e-6;
}

/* Adds the time since *mark to one of the timings and moves the mark. */
static void lap(Run *r, HnTiming into, int64_t *mark) {
  int64_t now = g_get_monotonic_time();
  r->seconds[into] += (double)(now - *mark) * 1e-6;
  *mark = now;
}

/* ---- checkpoints ---- */

static void put(GHashTable *meta, const char *name, int64_t value) {
  g_hash_table_insert(meta, g_strdup(name), g_strdup_printf("%" PRId64, value));
}
static int64_t get(GHashTable *meta, const char *name) {
  const char *text = g_hash_table_lookup(meta, name);
  return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static bool due(int64_t update, int64_t every, bool last) {
  return last || (every > 0 && update % every == 0);
}

static bool is_kept(const Run *r, int64_t update) {
  int64_t every = r->cell->run.keep_every;
  return every > 0 && update % every == 0;
}

/* Whether the end of a run of so many updates is no place for a longer one to go on from: it does
 * there what the longer one would not. */
static bool ends_apart(const HnCell *cell, int64_t update) {
  return !(due(update, cell->evaluation.every, false) && due(update, cell->run.trace_every, false));
}

/* Whether the next update is the last and ends apart, so that a longer run goes on from here. */
static bool is_before_end(const Run *r) {
  const HnSession *s = r->s;
  return s->frames + hn_session_frames(s) >= r->cell->run.frames && !s->scheduled &&
         ends_apart(r->cell, s->update + 1);
}

/* Removes all checkpoints but those to be kept and the two newest: the older one is a spare in case
 * the newer is damaged. */
static void remove_old(const Run *r) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(r->dir, NULL);
  for (guint i = 0; all && i + 2 < all->len; i++)
    if (!is_kept(r, hn_run_checkpoint_update(all->pdata[i]))) g_unlink(all->pdata[i]);
}

static bool write_facts(const Run *r, const char *status, const char *reason, GError **error) {
  HnRunFacts f = {.status = status,
                  .reason = reason,
                  .update = r->s ? r->s->update : 0,
                  .frames = r->s ? r->s->frames : 0,
                  .seconds = seconds_so_far(r),
                  .scheduled = r->s ? r->s->scheduled : NULL,
                  .from = r->from,
                  .from_sha256 = r->from_sha256};
  return hn_run_json_write(r->dir, r->cell, r->s, &f, error);
}

/* Hashes the weights of this update, unless that was done; fails where they are not finite. */
static bool check_weights(Run *r, GError **error) {
  const char *not_finite;
  if (r->checked == r->s->update) return true;
  if (!hn_checkpoint_digest(r->states, r->digest, &not_finite))
    return hn_error_set(error, HN_ERROR_NUMERIC, "%s is not finite after update %" PRId64,
                        not_finite, r->s->update);
  r->checked = r->s->update;
  return true;
}

/* A checkpoint relies on the names of the tables and of the folders that it is in. */
static bool sync_folders(Run *r, GError **error) {
  g_autofree char *dir = g_canonicalize_filename(r->dir, NULL), *arm = g_path_get_dirname(dir);
  g_autofree char *study = g_path_get_dirname(arm);
  if (!r->named)
    r->named = hn_output_sync_folder(dir, error) && hn_output_sync_folder(arm, error) &&
               hn_output_sync_folder(study, error);
  return r->named;
}

static bool save(Run *r, GError **error) {
  if (!check_weights(r, error)) return false;
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *path = hn_run_checkpoint(r->dir, r->s->update);
  put(meta, "update", r->s->update), put(meta, "frames", r->s->frames);
  g_hash_table_insert(meta, g_strdup("identity"), hn_cell_identity(r->cell));
  if (r->s->frames >= r->cell->run.frames) put(meta, "last", 1);
  if (r->s->scheduled) g_hash_table_insert(meta, g_strdup("scheduled"), g_strdup(r->s->scheduled));
  if (r->from) {
    g_hash_table_insert(meta, g_strdup(HN_META_FROM), g_strdup(r->from));
    g_hash_table_insert(meta, g_strdup(HN_META_FROM_SHA256), g_strdup(r->from_sha256));
  }
  if (!hn_recorder_sync(r->record, meta, error) || !sync_folders(r, error) ||
      !hn_checkpoint_write(path, r->states, meta, error))
    return false;
  remove_old(r);
  return write_facts(r, "running", NULL, error);
}

/* Seconds of the parts before this one, as run.json has them: a checkpoint says nothing of time, so
 * that equal runs write equal ones. */
static double seconds_before(const Run *r) {
  g_autoptr(JsonObject) facts = hn_run_facts(r->dir, NULL);
  return hn_json_real(facts, "seconds", 0);
}

/* Whether the numbers of a checkpoint's metadata agree with its name, with each other and with the
 * tables, and those of its tensors with each other. */
static bool is_consistent(const Run *r, const char *path, GHashTable *meta, GError **error) {
  const HnSession *s = r->s;
  const int64_t update = get(meta, "update"), frames = get(meta, "frames");
  const double a_step = (double)s->phases * (double)s->rollouts.rows * (double)s->steps;
  if (update != hn_run_checkpoint_update(path) || (double)frames != (double)update * a_step)
    return hn_error_set(error, HN_ERROR_FILE,
                        "%s: says update %" PRId64 " and %" PRId64 " frames, which cannot be", path,
                        update, frames);
  for (int64_t i = 0; s->history_steps && i < s->rollouts.rows; i++)
    if (s->history_steps[i] != s->rollouts.trial_step[i])
      return hn_error_set(error, HN_ERROR_FILE,
                          "%s: host/history.steps holds %" PRId64 " at element %" PRId64
                          ", host/trial_step %" PRId64,
                          path, s->history_steps[i], i, s->rollouts.trial_step[i]);
  return hn_recorder_check(r->dir, meta, frames >= r->cell->run.frames, error);
}

/* Whether a checkpoint is from the end of a shorter run, where it did what a longer one would not
 * have done there. */
static bool is_former_end(const Run *r, GHashTable *meta) {
  return get(meta, "last") && get(meta, "frames") < r->cell->run.frames &&
         ends_apart(r->cell, get(meta, "update"));
}

typedef enum Loaded { LOADED, PASSED_OVER, NOT_LOADED } Loaded;

/* Reads one checkpoint; that it is another cell's takes precedence over whatever does not fit. */
static Loaded load_one(Run *r, const char *path, GHashTable *meta, GError **error) {
  g_autofree char *identity = hn_cell_identity(r->cell);
  HnStoredTensors *t = hn_stored_tensors_open(path, error);
  g_hash_table_remove_all(meta);
  if (!t) return NOT_LOADED;
  hn_stored_tensors_meta(t, meta);
  Loaded loaded = NOT_LOADED;
  if (g_strcmp0(g_hash_table_lookup(meta, "identity"), identity))
    hn_error_set(error, HN_ERROR_DIFFERS,
                 "%s: was made by another configuration or by other plugins", path);
  else if (is_former_end(r, meta))
    loaded = PASSED_OVER;
  else if (hn_checkpoint_take(t, path, r->states, error) && is_consistent(r, path, meta, error))
    loaded = LOADED;
  hn_stored_tensors_free(t);
  return loaded;
}

/* Takes over how far the run was at the checkpoint that was loaded, with its metadata in meta. */
static void take_progress(Run *r, GHashTable *meta) {
  const char *scheduled = g_hash_table_lookup(meta, "scheduled");
  r->s->update = get(meta, "update"), r->s->frames = get(meta, "frames");
  r->s->scheduled = scheduled ? g_intern_string(scheduled) : NULL;
  r->before = seconds_before(r);
}

/* Restores the newest checkpoint that can be read, if there is one, with its metadata in meta. */
static bool load(Run *r, FILE *log, GHashTable *meta, GError **error) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(r->dir, error);
  if (!all) return false;
  for (guint i = all->len; i-- > 0;) {
    g_autoptr(GError) why = NULL;
    const Loaded loaded = load_one(r, all->pdata[i], meta, &why);
    if (loaded == LOADED) {
      take_progress(r, meta);
      remove_old(r); /* a killed process may not have come to that */
      return true;
    }
    g_hash_table_remove_all(meta);
    if (loaded == PASSED_OVER) continue;
    if (i == 0 || !g_error_matches(why, HN_ERROR, HN_ERROR_FILE)) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
    fprintf(log, "run: %s; going back to the one before\n", why->message);
  }
  return true;
}

/* ---- one update ---- */

static void count_train(void *arg, const HnEpisode *e) {
  Run *r = arg;
  hn_episode_means_add(&r->train, e);
  hn_recorder_episode(r->record, r->s, r->s->update + 1, "train", 0, e);
}
static void count_eval(void *arg, const HnEpisode *e) {
  const Run *r = arg;
  static const char *const phase[] = {
      [HN_COUNTED] = "eval", [HN_ADAPTATION] = "adapt", [HN_UNCOUNTED] = "uncounted"};
  const bool named = e->kind == HN_COUNTED && (r->pass->drawn || r->pass->shuffled);
  const char *name = named ? r->pass->name : phase[e->kind];
  hn_recorder_episode(r->record, r->s, r->s->update, name, r->pass->split, e);
}

static bool went_well(const Run *r, const char *doing, HnStatus status, GError **error) {
  return status == HN_OK || hn_session_failed(r->s, doing, status, error);
}

static bool learn_all(Run *r, int64_t *mark, GError **error) {
  HnSession *s = r->s;
  if (!went_well(r, "learning the policy", hn_learn_policy(s), error)) return false;
  lap(r, HN_TIME_LEARN_POLICY, mark);
  if (!went_well(r, "learning the inference", hn_learn_inference(s), error) ||
      !went_well(r, "replaying unfinished trials", hn_learn_refresh(s), error))
    return false;
  lap(r, HN_TIME_LEARN_INFERENCE, mark);
  return true;
}

/* Learns; says how far that moved beliefs, and actions by them, where this update is diagnosed. */
static bool learn(Run *r, int64_t *mark, GError **error) {
  HnSession *s = r->s;
  const HnEvaluationParams *p = &r->cell->evaluation;
  s->belief_drift = s->belief_policy_kl = (double)NAN;
  if (!p->diagnose || !due(s->update + 1, p->every, s->frames >= r->cell->run.frames))
    return learn_all(r, mark, error);
  HnBeliefProbe before = {.last = NULL}, after = {.last = NULL};
  const char *doing = "diagnosing beliefs";
  bool well = went_well(r, doing, hn_belief_probe(s, &before), error);
  lap(r, HN_TIME_EVALUATE, mark);
  well = well && learn_all(r, mark, error) &&
         went_well(r, doing, hn_belief_probe(s, &after), error) &&
         went_well(r, doing, hn_belief_policy_kl(s, &before, &after, &s->belief_policy_kl), error);
  if (well)
    s->belief_drift = hn_belief_drift(s->rollouts.rows, s->shape.belief, before.last, after.last);
  lap(r, HN_TIME_EVALUATE, mark);
  hn_belief_probe_clear(&before), hn_belief_probe_clear(&after);
  return well;
}

/* Every pass; steps and rows are recorded of the first. */
static HnStatus evaluate(Run *r, HnEvaluation *eval, bool last) {
  HnSession *s = r->s;
  HnStatus status = HN_OK;
  for (guint i = 0; i < s->passes && !status; i++) {
    r->pass = &s->pass[i];
    status = hn_evaluate(s, r->pass, &eval[i], count_eval, r);
    if (!status && i == 0) hn_recorder_steps(r->record, s, eval);
    if (status || i > 0 || !last) continue;
    hn_recorder_predictions(r->record, s, r->pass->split, eval);
    status = hn_recorder_trial(r->record, s, r->pass->split, eval);
  }
  return status;
}

static bool record(Run *r, bool last, int64_t *mark, GError **error) {
  HnSession *s = r->s;
  bool evaluated = due(s->update, r->cell->evaluation.every, last);
  if (due(s->update, r->cell->run.trace_every, last)) {
    if (!check_weights(r, error)) return false;
    hn_recorder_trace(r->record, r->digest);
    lap(r, HN_TIME_TRACE, mark);
  }
  HnEvaluation *eval = g_new0(HnEvaluation, s->passes);
  bool ok = went_well(r, "evaluating", evaluated ? evaluate(r, eval, last) : HN_OK, error);
  if (ok) {
    lap(r, HN_TIME_EVALUATE, mark);
    hn_recorder_update(r->record, s, &r->train, evaluated ? eval : NULL);
  }
  for (guint i = 0; i < s->passes; i++) hn_evaluation_free(&eval[i]);
  g_free(eval);
  return ok;
}

static bool update(Run *r, GError **error) {
  HnSession *s = r->s;
  int64_t mark = g_get_monotonic_time();
  hn_episode_means_make(&r->train, s->trial.episodes, s->shape.env_infos);
  bool ok =
      went_well(r, "collecting", hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), error);
  if (ok) {
    s->frames += hn_session_frames(s);
    for (int64_t k = 0; k < s->phases; k++)
      hn_episode_stats_window(&r->stats, &s->phase[k], s->env->info, s->steps, count_train, r);
    lap(r, HN_TIME_COLLECT, &mark);
    ok = learn(r, &mark, error);
  }
  if (ok) {
    s->update++;
    bool last = s->frames >= r->cell->run.frames;
    ok = record(r, last, &mark, error);
    hn_recorder_timing(r->record, s, r->seconds); /* a checkpoint's time goes to the next row */
    memset(r->seconds, 0, sizeof r->seconds);
    if (ok && (due(s->update, r->cell->run.checkpoint_every, last) || is_kept(r, s->update) ||
               is_before_end(r)))
      ok = save(r, error);
    lap(r, HN_TIME_CHECKPOINT, &mark);
  }
  hn_episode_means_free(&r->train);
  return ok;
}

/* ---- the cell ---- */

/* Written once, and again where the run goes on beyond its former end. */
static bool write_resolved(const Run *r, GError **error) {
  g_autofree char *path = hn_run_file(r->dir, HN_FILE_CONFIG);
  if (!hn_run_json_unseal(r->dir, error)) return false;
  HnNode *node = hn_cell_node(r->cell);
  g_autofree char *yaml = hn_node_write(node);
  hn_node_free(node);
  return hn_output_replace(path, yaml, error);
}

/* A run without frames evaluates its first weights. */
static bool only_evaluate(Run *r, GError **error) {
  int64_t mark = g_get_monotonic_time();
  r->s->belief_drift = r->s->belief_policy_kl = (double)NAN; /* nothing is learnt */
  hn_episode_means_make(&r->train, r->cell->run.episodes, r->s->shape.env_infos);
  bool ok = record(r, true, &mark, error);
  hn_episode_means_free(&r->train);
  hn_recorder_timing(r->record, r->s, r->seconds);
  return ok && save(r, error);
}

/* Resumes from a checkpoint of the cell itself, with its metadata in meta, or begins: takes the
 * weights to start from, and writes the first checkpoint if it is to be kept. */
static bool begin(Run *r, FILE *log, GHashTable *meta, GError **error) {
  if (!load(r, log, meta, error) || (r->prolongs && !write_resolved(r, error))) return false;
  bool fresh = g_hash_table_size(meta) == 0;
  r->begun = true;
  g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (fresh && r->cell->warm_start && !hn_warm_start_load(r->cell, r->dir, r->states, taken, error))
    return false;
  r->from = g_strdup(g_hash_table_lookup(fresh ? taken : meta, HN_META_FROM));
  r->from_sha256 = g_strdup(g_hash_table_lookup(fresh ? taken : meta, HN_META_FROM_SHA256));
  if (!write_facts(r, "running", NULL, error) ||
      !(r->record = hn_recorder_open(r->dir, r->s, meta, error)))
    return false;
  if (fresh && r->cell->run.frames == 0) return only_evaluate(r, error);
  return !fresh || !is_kept(r, 0) || save(r, error);
}

static void tell_progress(const HnSession *s, int64_t total) {
  HnCallRecord *r = hn_call_record;
  r->update = s->update, r->frames = s->frames, r->frames_total = total;
}

static bool loop(Run *r, volatile int *stop, HnRunProgress *progress, void *arg, GError **error) {
  HnSession *s = r->s;
  int64_t total = r->cell->run.frames;
  tell_progress(s, total);
  while (s->frames < total) {
    if (!update(r, error)) return false;
    tell_progress(s, total);
    if (progress) progress(arg, MIN(s->frames, total), total);
    if (stop && *stop && s->frames < total) {
      if (!save(r, error)) return false;
      return hn_error_set(error, HN_ERROR_INTERRUPTED,
                          "interrupted after update %" PRId64 "; a checkpoint is written",
                          s->update);
    }
  }
  return true;
}

/* Whether the kernels that the plugins have loaded are what the cell asks for. */
static bool kernels_fit(const HnCell *cell, GError **error) {
  g_autofree char *misses = cell->run.determinism == HN_PORTABLE ? hn_portable_misses() : NULL;
  return !misses || hn_error_set(error, HN_ERROR_REFUSED, "run.determinism: portable: %s", misses);
}

static bool run_in(Run *r, FILE *log, volatile int *stop, HnRunProgress *progress, void *arg,
                   GError **error) {
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (!kernels_fit(r->cell, error) || !(r->s = hn_session_new(r->cell, log, error))) return false;
  hn_episode_stats_make(&r->stats, r->s->rollouts.rows, r->s->shape.env_infos, &r->s->trial);
  r->states = hn_states_of(r->s, &r->stats);
  g_autofree char *memory = hn_memory_budget_text(r->s);
  fprintf(log, "run: memory: %s\n", memory);
  return begin(r, log, meta, error) && loop(r, stop, progress, arg, error);
}

bool hn_run_cell(const HnCell *cell, const char *dir, volatile int *stop, HnRunProgress *progress,
                 void *arg, GError **error) {
  Run r = {.cell = cell, .dir = dir, .checked = -1, .started = g_get_monotonic_time()};
  g_autofree char *ckpt = hn_run_checkpoint_folder(dir), *path = hn_run_file(dir, HN_FILE_LOG);
  FILE *log = NULL;
  GError *why = NULL;
  const int64_t was = hn_run_length(dir);
  r.prolongs = was >= 0 && was != cell->run.frames;
  /* The configuration first: by it others know whose folder this is.  That of a shorter run stays
   * until it is known that it goes on, or what it left would be no result any more. */
  if (g_mkdir_with_parents(dir, 0777) != 0)
    hn_error_set(&why, HN_ERROR_FILE, "%s: %s", dir, g_strerror(errno));
  else if ((was >= 0 || write_resolved(&r, &why)) &&
           ((g_mkdir(ckpt, 0777) != 0 && errno != EEXIST) || !(log = fopen(path, "a"))))
    hn_error_set(&why, HN_ERROR_FILE, "%s: %s", dir, g_strerror(errno));
  bool ok = !why && run_in(&r, log, stop, progress, arg, &why);
  bool waiting = g_error_matches(why, HN_ERROR, HN_ERROR_INTERRUPTED);
  if (log) {
    if (why) fprintf(log, "run: %s\n", why->message);
    const char *status = ok ? "done" : waiting ? "interrupted" : "failed";
    if (!r.prolongs || r.begun)
      write_facts(&r, status, why ? why->message : NULL, ok ? &why : NULL);
    fclose(log);
  }
  if (why && r.prolongs && !r.begun) { /* what is there is no failed run */
    g_autoptr(GError) refused = g_steal_pointer(&why);
    hn_error_set(&why, HN_ERROR_DIFFERS, "cannot go on from %" PRId64 " to %" PRId64 " steps: %s",
                 was, cell->run.frames, refused->message);
  }
  hn_recorder_close(r.record);
  if (r.states) g_ptr_array_unref(r.states);
  hn_episode_stats_free(&r.stats), hn_session_free(r.s);
  g_free(r.from), g_free(r.from_sha256);
  if (why) g_propagate_error(error, why);
  return ok && !why;
}
