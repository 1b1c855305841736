/* checked.c - see checked.h. */
#include "checked.h"
#include "error.h"
#include "json.h"
#include "output_file.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

char *hn_checked_folder(void) {
  return g_build_filename(g_get_user_state_dir(), "hunch", "checked", NULL);
}

static char *path_in(const char *folder, const char *sha256) {
  g_autofree char *base = g_strconcat(sha256, ".json", NULL);
  return g_build_filename(folder, base, NULL);
}

char *hn_checked_write(const char *folder, const HnPlugin *plugin, const HnCheckRecord *record,
                       GError **error) {
  if (!hn_plugins_file(plugin)) return NULL;
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    hn_error_set(error, HN_ERROR_FILE, "%s: %s", folder, g_strerror(errno));
    return NULL;
  }
  g_autofree char *path = path_in(folder, hn_plugins_sha256(plugin));
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "plugin", plugin->name);
  hn_json_add_string(b, "kind", hn_kind_name(plugin->kind));
  hn_json_add_string(b, "version", plugin->version);
  hn_json_add_string(b, "sha256", hn_plugins_sha256(plugin));
  hn_json_add_int(b, "laws", record->laws);
  hn_json_add_int(b, "kept", record->kept), hn_json_add_int(b, "skipped", record->skipped);
  hn_json_add_string(b, "hunch", record->hunch ? record->hunch : HN_VERSION);
  hn_json_add_string(b, "arguments", record->arguments ? record->arguments : "");
  g_autofree char *text = hn_json_end_sealed(b);
  return hn_output_replace(path, text, error) ? g_steal_pointer(&path) : NULL;
}

void hn_checked_forget(const HnPlugin *plugin) {
  g_autofree char *folder = hn_checked_folder(), *path = path_in(folder, hn_plugins_sha256(plugin));
  g_unlink(path);
}

/* A record that is damaged, or of another file, is none. */
static bool read_record(const char *folder, const char *sha256, HnCheckRecord *record) {
  g_autofree char *path = path_in(folder, sha256);
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  const char *of = hn_json_string(o, "sha256", ""), *hunch = hn_json_string(o, "hunch", NULL);
  const int64_t laws = hn_json_int(o, "laws", 0);
  if (!o || !hn_json_is_whole(o) || strcmp(of, sha256) != 0 || laws < 1 || !hunch) return false;
  *record = (HnCheckRecord){laws, (int)hn_json_int(o, "kept", 0), (int)hn_json_int(o, "skipped", 0),
                            g_strdup(hunch), g_strdup(hn_json_string(o, "arguments", ""))};
  return true;
}

bool hn_checked_find_file(const char *file, const char *sha256, HnCheckRecord *record) {
  g_autofree char *own = hn_checked_folder(), *folder = g_path_get_dirname(file);
  g_autofree char *beside = g_build_filename(folder, "checked", NULL);
  return read_record(own, sha256, record) || read_record(beside, sha256, record);
}

bool hn_checked_find(const HnPlugin *plugin, HnCheckRecord *record) {
  const char *file = hn_plugins_file(plugin);
  return file && hn_checked_find_file(file, hn_plugins_sha256(plugin), record);
}

void hn_checked_clear(HnCheckRecord *record) {
  g_free(record->hunch), g_free(record->arguments);
  *record = (HnCheckRecord){.laws = 0};
}
