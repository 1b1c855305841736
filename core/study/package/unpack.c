/* unpack.c - see unpack.h. */
#include "unpack.h"
#include "error.h"
#include "folder.h"
#include "gather.h"
#include "run_dir.h"

void hn_unpack_remove(char *folder) {
  if (folder) hn_folder_remove(folder);
  g_free(folder);
}

bool hn_unpack(const HnIntact *x, char **folder, HnResults **results, GError **error) {
  *results = NULL;
  *folder = g_dir_make_tmp("hunch-unpacked-XXXXXX", error);
  if (*folder && hn_zip_extract(x->zip, *folder, error)) {
    g_autofree char *study = g_build_filename(*folder, HN_PACKAGE_STUDY, NULL);
    *results = hn_results_read(study, error);
  }
  if (!*results) g_clear_pointer(folder, hn_unpack_remove);
  return *results;
}

static bool open_package(HnOpened *o, const char *path, GError **error) {
  g_autoptr(HnIntact) x = hn_intact_read(path, error);
  if (!x) return false;
  if (x->wrong->len)
    return hn_error_set(error, HN_ERROR_FILE, "%s: is not as it was packed: %s", path,
                        (const char *)x->wrong->pdata[0]);
  return hn_unpack(x, &o->folder, &o->results, error);
}

HnOpened *hn_opened_new(const char *path, GError **error) {
  HnOpened *o = g_new0(HnOpened, 1);
  g_autofree char *plan = g_build_filename(path, HN_STUDY_PLAN, NULL);
  g_autofree char *run = hn_run_file(path, HN_FILE_JSON);
  const bool single =
      !g_file_test(plan, G_FILE_TEST_EXISTS) && g_file_test(run, G_FILE_TEST_EXISTS);
  if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    if (open_package(o, path, error)) return o;
  } else if ((o->results =
                  single ? hn_results_read_cell(path, error) : hn_results_read(path, error))) {
    return o;
  }
  hn_opened_free(o);
  return NULL;
}

void hn_opened_free(HnOpened *o) {
  if (!o) return;
  hn_results_free(o->results);
  hn_unpack_remove(o->folder);
  g_free(o);
}
