/* submission.c - see submission.h. */
#include "submission.h"
#include "error.h"
#include "json.h"
#include "output_file.h"
#include "run_dir.h"
#include <glib/gstdio.h>

#define RECORD "submission.json"

HnSubmission *hn_submission_new(const char *study, const char *study_name, int64_t number) {
  HnSubmission *s = g_new0(HnSubmission, 1);
  s->number = number;
  s->name = g_strdup_printf("%s-%" G_GINT64_FORMAT, study_name, number);
  s->folder = g_strdup(study);
  s->cells = g_ptr_array_new_with_free_func(g_free);
  s->identities = g_ptr_array_new_with_free_func(g_free);
  return s;
}

void hn_submission_free(HnSubmission *s) {
  if (!s) return;
  g_free(s->name), g_free(s->folder);
  g_ptr_array_unref(s->cells), g_ptr_array_unref(s->identities);
  g_free(s);
}

char *hn_submission_place(const HnSubmission *s) {
  return g_strdup_printf(HN_STUDY_SLURM "/%" G_GINT64_FORMAT, s->number);
}

static char *path_of(const char *dir, int64_t number) {
  g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, number);
  return g_build_filename(dir, HN_STUDY_SLURM, name, RECORD, NULL);
}

bool hn_submission_write(const HnSubmission *s, GError **error) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "name", s->name);
  hn_json_add_string(b, "folder", s->folder);
  hn_json_add_int(b, "job", s->job);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < s->cells->len; i++) hn_json_add_string(b, NULL, s->cells->pdata[i]);
  json_builder_end_array(b);
  hn_json_open_array(b, "identities");
  for (guint i = 0; i < s->cells->len; i++) hn_json_add_string(b, NULL, s->identities->pdata[i]);
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end_sealed(b), *path = path_of(s->folder, s->number);
  g_autoptr(GError) why = NULL;
  return hn_output_replace(path, text, &why) ||
         hn_error_set(error, HN_ERROR_FILE, "%s cannot be written: %s", path, why->message);
}

static HnSubmission *read_one(const char *path, int64_t number, GError **error) {
  g_autoptr(JsonObject) o = hn_json_read(path, error);
  if (!o) return NULL;
  JsonArray *cells = hn_json_array(o, "cells"), *identities = hn_json_array(o, "identities");
  const char *name = hn_json_string(o, "name", NULL), *folder = hn_json_string(o, "folder", NULL);
  g_autoptr(HnSubmission) s = hn_submission_new(folder, "", number);
  g_free(s->name), s->name = g_strdup(name);
  s->job = hn_json_int(o, "job", 0);
  bool whole = name && folder && cells && identities && s->job >= 0;
  for (guint i = 0; whole && i < json_array_get_length(cells); i++) {
    const char *cell = hn_json_string_at(cells, i), *identity = hn_json_string_at(identities, i);
    whole = cell && identity;
    g_ptr_array_add(s->cells, g_strdup(cell));
    g_ptr_array_add(s->identities, g_strdup(identity));
  }
  if (whole) return g_steal_pointer(&s);
  hn_error_set(error, HN_ERROR_FILE, "%s: is not a submission", path);
  return NULL;
}

/* The numbers of the folder's submissions. */
static GArray *numbers(const char *dir) {
  GArray *found = g_array_new(FALSE, FALSE, sizeof(int64_t));
  g_autofree char *folder = g_build_filename(dir, HN_STUDY_SLURM, NULL);
  g_autoptr(GDir) d = g_dir_open(folder, 0, NULL);
  for (const char *name; d && (name = g_dir_read_name(d));) {
    int64_t number;
    if (!g_ascii_string_to_signed(name, 10, 1, G_MAXINT32, &number, NULL)) continue;
    g_autofree char *record = path_of(dir, number);
    if (g_file_test(record, G_FILE_TEST_EXISTS)) g_array_append_val(found, number);
  }
  return found;
}

static int by_number(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

GPtrArray *hn_submissions_read(const char *dir, GError **error) {
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)hn_submission_free);
  g_autoptr(GArray) number = numbers(dir);
  g_array_sort(number, by_number);
  for (guint i = 0; i < number->len; i++) {
    const int64_t k = g_array_index(number, int64_t, i);
    g_autofree char *path = path_of(dir, k);
    HnSubmission *s = read_one(path, k, error);
    if (!s) return NULL;
    g_ptr_array_add(all, s);
  }
  return g_steal_pointer(&all);
}

void hn_submission_forget(const HnSubmission *s) {
  g_autofree char *path = path_of(s->folder, s->number);
  g_unlink(path);
}

int64_t hn_submissions_next(const char *dir) {
  g_autoptr(GArray) number = numbers(dir);
  int64_t highest = 0;
  for (guint i = 0; i < number->len; i++) highest = MAX(highest, g_array_index(number, int64_t, i));
  return highest + 1;
}
