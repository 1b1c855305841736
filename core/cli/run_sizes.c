/* run_sizes.c - see run_sizes.h. */
#include "run_sizes.h"
#include "alike.h"
#include "message.h"
#include "run_dir.h"
#include "short_text.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/statvfs.h>

/* ---- what an arm's cells take ---- */

enum { NAMED = 3 }; /* arms of a line; of more, how many */

/* "a checkpoint at most 12.1 kB, 2 kept; memory 1.2 MB plus scratch" and, where the two differ,
 * "; 1000 frames are rounded up to 1024, whole updates of 128" */
static char *takes(const HnStudy *study, guint arm) {
  const HnRunSize *size = &study->sizes[arm];
  const double asked = (double)hn_study_cell(study, arm, 0)->run.frames;
  g_autofree char *checkpoint = hn_short_bytes(size->checkpoint);
  g_autofree char *memory = hn_short_bytes(size->memory);
  GString *out = g_string_new(NULL);
  g_string_printf(out, "a checkpoint at most %s, %.0f kept; memory %s plus scratch", checkpoint,
                  size->kept, memory);
  if (size->frames > asked) /* 0: the arm could not be tried */
    g_string_append_printf(out, "; %.0f frames are rounded up to %.0f, whole updates of %.0f",
                           asked, size->frames, size->update);
  return g_string_free(out, FALSE);
}

/* HnAlike * of the arms, by what `say` says of one, or NULL; g_ptr_array_unref. */
static GPtrArray *grouped(const HnStudy *study, char *(*say)(const HnStudy *study, guint arm)) {
  GPtrArray *all = hn_alike_new();
  for (guint arm = 0; arm < study->arms->len; arm++) {
    g_autofree char *text = say(study, arm);
    if (text) hn_alike_add(all, text, study->arms->pdata[arm]);
  }
  return all;
}

/* "arms a, b and 3 more"; g_free. */
static char *named(const HnAlike *a) {
  g_autofree char *names = hn_alike_names(a, NAMED);
  return g_strconcat(a->names->len > 1 ? "arms " : "arm ", names, NULL);
}

void hn_run_sizes_print(const HnStudy *study) {
  g_autoptr(GPtrArray) all = grouped(study, takes);
  g_autoptr(GString) out = g_string_new(NULL);
  double disk = 0;
  for (guint arm = 0; arm < study->arms->len; arm++)
    disk += (double)study->seeds.count * hn_run_size_on_disk(&study->sizes[arm]);
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *a = all->pdata[i];
    g_autofree char *names = named(a);
    g_string_append_printf(out, "%s: %s\n", names, a->said);
  }
  g_autofree char *most = hn_short_bytes(disk);
  g_string_append_printf(out, "all cells: checkpoints at most %s on disk\n", most);
  hn_message_lines(out->str);
}

void hn_run_sizes_add(JsonBuilder *b, const HnStudy *study) {
  hn_json_open_array(b, "sizes");
  for (guint arm = 0; arm < study->arms->len; arm++) {
    const HnRunSize *size = &study->sizes[arm];
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "arm", study->arms->pdata[arm]);
    hn_json_add_real(b, "checkpoint_bytes", size->checkpoint);
    hn_json_add_real(b, "checkpoints_kept", size->kept);
    hn_json_add_real(b, "disk_bytes", hn_run_size_on_disk(size));
    hn_json_add_real(b, "memory_bytes", size->memory);
    hn_json_add_real(b, "frames", size->frames);
    hn_json_add_real(b, "frames_per_update", size->update);
    hn_json_add_real(b, "distinct_tasks", size->distinct);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

/* ---- tasks that are evaluated again ---- */

static char *repeats(const HnStudy *study, guint arm) {
  const double distinct = study->sizes[arm].distinct;
  const double rows = (double)hn_study_cell(study, arm, 0)->evaluation.tasks;
  if (distinct < 1 || distinct >= rows) return NULL; /* 0: the arm could not be tried */
  return g_strdup_printf(
      "evaluation.tasks is %.0f, of %.0f different task%s: those that come again "
      "are no trials of their own, and intervals of rates count %.0f a seed",
      rows, distinct, hn_plural((int64_t)distinct), distinct);
}

void hn_run_sizes_warn_tasks(const HnVerb *verb, const HnStudy *study) {
  g_autoptr(GPtrArray) all = grouped(study, repeats);
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *a = all->pdata[i];
    g_autofree char *names = named(a);
    hn_message_warning(verb->name, "%s: %s", names, a->said);
  }
}

/* ---- what the disk has ---- */

/* Bytes that are free where a folder is, or will be; infinite where that cannot be known. */
static double free_at(const char *dir) {
  g_autofree char *path = g_canonicalize_filename(dir, NULL);
  struct statvfs at;
  while (statvfs(path, &at) != 0) {
    char *above = g_path_get_dirname(path);
    const bool missing = errno == ENOENT && strcmp(above, path) != 0;
    g_free(path), path = above;
    if (!missing) return (double)INFINITY;
  }
  return (double)at.f_bavail * (double)at.f_frsize;
}

static double bytes_of_checkpoints(const char *dir) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(dir, NULL);
  double bytes = 0;
  GStatBuf file;
  for (guint i = 0; all && i < all->len; i++)
    if (g_stat(all->pdata[i], &file) == 0) bytes += (double)file.st_size;
  return bytes;
}

static bool is_done(const HnJob *job) {
  g_autofree char *status = NULL, *reason = NULL;
  hn_job_recorded(job, &status, &reason);
  return g_strcmp0(status, "done") == 0;
}

void hn_run_sizes_warn(const HnVerb *verb, const HnStudy *study, const char *dir,
                       const GPtrArray *jobs) {
  double more = 0, largest = 0; /* one is being written beside those that stay */
  guint arm, left = 0;
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *j = jobs->pdata[i];
    if (is_done(j) ||
        !g_ptr_array_find_with_equal_func(study->arms, j->cell->arm, g_str_equal, &arm))
      continue;
    const HnRunSize *size = &study->sizes[arm];
    left++;
    more += MAX(size->kept * size->checkpoint - bytes_of_checkpoints(j->dir), 0);
    largest = MAX(largest, size->checkpoint);
  }
  const double room = free_at(dir);
  if (more + largest <= room) return;
  g_autofree char *wanted = hn_short_bytes(more + largest), *has = hn_short_bytes(room);
  hn_message_warning(verb->name,
                     "%s: checkpoints of %u cell%s may take %s more, and %s of the disk are free",
                     dir, left, hn_plural(left), wanted, has);
}
