/* recorder.c - see recorder.h. */
#include "recorder.h"
#include "checksum.h"
#include "error.h"
#include "event_file.h"
#include "outputs.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 10 }; /* significant ones of every number */

struct HnRecorder {
  char *dir;
  FILE *file[HN_RUN_FILE_COUNT];     /* tables and the trace; else NULL */
  HnChecksum sum[HN_RUN_FILE_COUNT]; /* of each, from its start */
  int failure[HN_RUN_FILE_COUNT];    /* errno of the first write that failed, or 0 */
  HnCsvWriter row;
  char *metrics; /* the header of metrics.csv, where events are written */
};

/* A failure stays until the file is synchronised, which then says it. */
static void put(HnRecorder *r, HnRunFile t, const void *data, gsize n) {
  if (fwrite(data, 1, n, r->file[t]) != n && !r->failure[t]) r->failure[t] = errno;
  hn_checksum_add(&r->sum[t], data, n);
}

/* Hands what is written to the system, where others see it; a failure stays as in put(). */
static void show(HnRecorder *r, HnRunFile t) {
  if (fflush(r->file[t]) != 0 && !r->failure[t]) r->failure[t] = errno;
}

/* Writes out the row, or header, that is complete. */
static void flush_row(HnRecorder *r, HnRunFile table) {
  put(r, table, r->row.out->str, r->row.out->len);
  g_string_truncate(r->row.out, 0);
}

static void write_row(HnRecorder *r, HnRunFile table, const HnRecordRow *row) {
  hn_record_row(&r->row, table, row);
  flush_row(r, table);
}

/* Bytes of timing.csv up to the row of an update.  Its length is not in a checkpoint: seconds
 * differ between runs that are otherwise alike. */
static off_t timing_length(const char *path, int64_t update) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL)) return 0;
  const char *at = text;
  for (int64_t line = 0; line <= update && *at; line++) {
    const char *end = strchr(at, '\n');
    if (!end) break;
    at = end + 1;
  }
  return at - text;
}

/* Tables that are written at the end alone: until then they are their headers, which are written
 * anew where a run goes on. */
static bool is_of_the_end(HnRunFile t) {
  return t == HN_FILE_TRIAL || t == HN_FILE_PREDICTIONS;
}

/* Bytes of the events up to what a checkpoint has seen; their times differ between runs, too. */
static off_t events_length(const char *path, int64_t frames) {
  GMappedFile *file = g_mapped_file_new(path, FALSE, NULL);
  if (!file) return 0;
  const char *bytes = g_mapped_file_get_contents(file);
  const gsize length = bytes ? hn_event_length(bytes, g_mapped_file_get_length(file), frames) : 0;
  g_mapped_file_unref(file);
  return (off_t)length;
}

static bool has_ended(const HnSession *s) {
  return s->frames >= s->cell->run.frames;
}

/* How much of a file a checkpoint keeps. */
static off_t kept_length(const char *path, HnRunFile t, GHashTable *meta, const HnSession *s) {
  const char *length = g_hash_table_lookup(meta, hn_run_file_name(t));
  const char *update = g_hash_table_lookup(meta, "update");
  if (t == HN_FILE_TIMING && update) return timing_length(path, g_ascii_strtoll(update, NULL, 10));
  if (t == HN_FILE_EVENTS && update) return events_length(path, s->frames);
  if (!has_ended(s) && is_of_the_end(t)) return 0;
  return length ? (off_t)g_ascii_strtoll(length, NULL, 10) : 0;
}

/* Of the first `length` bytes of a file; false if it has not as many, or cannot be read. */
static bool checksum_start(const char *path, off_t length, HnChecksum *sum) {
  *sum = hn_checksum_begin();
  if (length == 0) return true;
  GMappedFile *file = g_mapped_file_new(path, FALSE, NULL);
  const bool enough = file && (off_t)g_mapped_file_get_length(file) >= length;
  if (enough) hn_checksum_add(sum, g_mapped_file_get_contents(file), (gsize)length);
  if (file) g_mapped_file_unref(file);
  return enough;
}

/* What a checkpoint says of a file: "BYTES CHECKSUM". */
static char *extent_text(const HnChecksum *sum) {
  return g_strdup_printf("%" PRIu64 " %016" PRIx64, sum->bytes, hn_checksum_so_far(sum));
}

static FILE *open_file(const char *dir, HnRunFile t, GHashTable *meta, const HnSession *s,
                       HnChecksum *sum, GError **error) {
  g_autofree char *path = hn_run_file(dir, t);
  const off_t keep = kept_length(path, t, meta, s);
  FILE *f = fopen(path, "ab");
  bool cut_short = f && ftello(f) < keep;
  if (!f || cut_short || ftruncate(fileno(f), keep) != 0 || fseeko(f, 0, SEEK_END) != 0 ||
      !checksum_start(path, keep, sum)) {
    hn_error_set(error, HN_ERROR_FILE, "%s: %s", path,
                 cut_short ? "is shorter than the checkpoint says" : g_strerror(errno));
    if (f) fclose(f);
    f = NULL;
  }
  return f;
}

bool hn_recorder_check(const char *dir, GHashTable *meta, bool ended, GError **error) {
  for (HnRunFile t = 0; t < HN_RUN_FILE_COUNT; t++) {
    const char *extent = g_hash_table_lookup(meta, hn_run_file_name(t));
    g_autofree char *path = hn_run_file(dir, t), *is = NULL;
    GStatBuf file;
    HnChecksum sum;
    if (!extent || (!ended && is_of_the_end(t))) continue;
    const off_t length = (off_t)g_ascii_strtoll(extent, NULL, 10);
    if (g_stat(path, &file) != 0)
      return hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, g_strerror(errno));
    if (!S_ISREG(file.st_mode) || file.st_size < length)
      return hn_error_set(error, HN_ERROR_FILE, "%s: is shorter than the checkpoint says", path);
    if (checksum_start(path, length, &sum)) is = extent_text(&sum);
    if (g_strcmp0(is, extent) != 0)
      return hn_error_set(error, HN_ERROR_FILE, "%s: is not as the checkpoint says", path);
  }
  return true;
}

/* Whether a run has the file, and this writes it. */
static bool is_written(const HnSession *s, HnRunFile t) {
  if (t == HN_FILE_EVENTS) return s->cell->run.tensorboard;
  return t == HN_FILE_TRACE || hn_record_has(s, t);
}

static double seconds_now(void) {
  return 1e-6 * (double)g_get_real_time();
}

/* The file's first record, unless it has one, and the names of scalars. */
static void begin_events(HnRecorder *r, const HnSession *s) {
  hn_record_header(&r->row, HN_FILE_METRICS, s);
  r->metrics = g_strchomp(g_strdup(r->row.out->str));
  g_string_truncate(r->row.out, 0);
  if (r->sum[HN_FILE_EVENTS].bytes) return;
  g_autoptr(GString) record = g_string_new(NULL);
  hn_event_begin(record, seconds_now());
  put(r, HN_FILE_EVENTS, record->str, record->len);
}

/* What the row that is to be written says. */
static void put_event(HnRecorder *r) {
  g_autofree char *row = g_strchomp(g_strdup(r->row.out->str));
  g_autoptr(GString) record = g_string_new(NULL);
  hn_event_row(record, seconds_now(), r->metrics, row);
  put(r, HN_FILE_EVENTS, record->str, record->len);
  show(r, HN_FILE_EVENTS);
}

HnRecorder *hn_recorder_open(const char *dir, const HnSession *s, GHashTable *meta,
                             GError **error) {
  HnRecorder *r = g_new0(HnRecorder, 1);
  r->dir = g_strdup(dir);
  r->row = (HnCsvWriter){g_string_new(NULL), DIGITS, false};
  for (HnRunFile t = 0; t < HN_RUN_FILE_COUNT; t++) {
    if (!is_written(s, t)) continue;
    r->file[t] = open_file(dir, t, meta, s, &r->sum[t], error);
    if (!r->file[t]) {
      hn_recorder_close(r);
      return NULL;
    }
    const bool goes_on = g_hash_table_size(meta) > 0 && (has_ended(s) || !is_of_the_end(t));
    if (t == HN_FILE_EVENTS) begin_events(r, s);
    if (goes_on || t == HN_FILE_TRACE || t == HN_FILE_EVENTS) continue;
    hn_record_header(&r->row, t, s);
    flush_row(r, t);
  }
  return r;
}

void hn_recorder_close(HnRecorder *r) {
  if (!r) return;
  for (HnRunFile t = 0; t < HN_RUN_FILE_COUNT; t++)
    if (r->file[t]) fclose(r->file[t]);
  g_free(hn_csv_take(&r->row));
  g_free(r->dir), g_free(r->metrics), g_free(r);
}

bool hn_recorder_sync(HnRecorder *r, GHashTable *meta, GError **error) {
  for (HnRunFile t = 0; t < HN_RUN_FILE_COUNT; t++) {
    FILE *f = r->file[t];
    if (!f) continue;
    if (r->failure[t] || fflush(f) != 0 || fsync(fileno(f)) != 0)
      return hn_error_set(error, HN_ERROR_FILE, "%s/%s: cannot write: %s", r->dir,
                          hn_run_file_name(t), g_strerror(r->failure[t] ? r->failure[t] : errno));
    if (t == HN_FILE_TIMING || t == HN_FILE_EVENTS) continue; /* no two runs have the same */
    g_hash_table_insert(meta, g_strdup(hn_run_file_name(t)), extent_text(&r->sum[t]));
  }
  return true;
}

void hn_recorder_episode(HnRecorder *r, HnSession *s, int64_t update, const char *phase,
                         int64_t split, const HnEpisode *e) {
  HnRecordRow row = {.s = s, .update = update, .phase = phase, .split = split, .episode = e};
  write_row(r, HN_FILE_EPISODES, &row);
}

void hn_recorder_update(HnRecorder *r, HnSession *s, const HnEpisodeMeans *train,
                        const HnEvaluation *eval) {
  HnRecordRow row = {.s = s, .update = s->update, .train = train, .eval = eval};
  hn_record_row(&r->row, HN_FILE_METRICS, &row);
  if (r->file[HN_FILE_EVENTS]) put_event(r);
  flush_row(r, HN_FILE_METRICS);
}

void hn_recorder_timing(HnRecorder *r, HnSession *s, const double seconds[HN_TIMINGS]) {
  HnRecordRow row = {.s = s, .update = s->update, .seconds = seconds};
  write_row(r, HN_FILE_TIMING, &row);
  show(r, HN_FILE_METRICS), show(r, HN_FILE_TIMING);
}

void hn_recorder_trace(HnRecorder *r, const uint8_t digest[HN_DIGEST_BYTES]) {
  put(r, HN_FILE_TRACE, digest, HN_DIGEST_BYTES);
}

void hn_recorder_steps(HnRecorder *r, HnSession *s, const HnEvaluation *eval) {
  HnRecordRow row = {.s = s, .update = s->update, .eval = eval};
  for (; row.t < eval->observations; row.t++) write_row(r, HN_FILE_STEPS, &row);
}

HnStatus hn_recorder_trial(HnRecorder *r, HnSession *s, int64_t split, const HnEvaluation *eval) {
  float *map = g_new(float, hn_record_map_cells(s) + 1);
  HnRecordRow row = {.s = s, .update = s->update, .eval = eval, .split = split, .map = map};
  HnStatus status = HN_OK;
  for (; row.row < eval->trial.h.rows && !status; row.row++)
    for (row.t = 0; row.t <= eval->trial_steps[row.row] && !status; row.t++) {
      const float *belief = hn_experience_lent(&eval->trial, HN_F_BELIEF, row.t, row.row);
      if (hn_record_map_cells(s))
        HN_CALL(status, INFERENCE_map, HN_INFERENCE(s)->map(s->inference->self, belief, map));
      const HnOutputs o = {
          .of = s->inference, .call = "map", .first = row.row, .rows = 1, .step = &row.t};
      if (!status) status = hn_outputs_finite(&o, "map", map, hn_record_map_cells(s));
      if (!status) write_row(r, HN_FILE_TRIAL, &row);
    }
  g_free(map);
  return status;
}

void hn_recorder_predictions(HnRecorder *r, HnSession *s, int64_t split, const HnEvaluation *eval) {
  HnRecordRow row = {.s = s, .update = s->update, .eval = eval, .split = split};
  for (; row.row < eval->predictive.kept; row.row++)
    for (int64_t i = 0; i < HN_BAND_STEPS && hn_band_step[i] <= eval->trial_steps[row.row]; i++) {
      row.t = hn_band_step[i], row.band = NULL;
      for (row.point = 0; row.point < row.t; row.point++) write_row(r, HN_FILE_PREDICTIONS, &row);
      row.band = hn_predictive_band(&eval->predictive, row.row, i);
      for (row.point = 0; row.point < HN_BAND_POINTS; row.point++)
        write_row(r, HN_FILE_PREDICTIONS, &row);
    }
}
