/* reseal_fixture.h - a file of a finished cell changed by one who also changes what is said of it.
 */
#ifndef HN_RESEAL_FIXTURE_H
#define HN_RESEAL_FIXTURE_H
#include "checksum.h"
#include "json.h"
#include "results_fixture.h"

/* Has run.json of the cell's folder give the checksum that the file now has. */
static inline void reseal(const char *cell, const char *name) {
  g_autofree char *path = g_build_filename(cell, name, NULL);
  g_autofree char *run = g_build_filename(cell, "run.json", NULL);
  g_autoptr(JsonObject) o = hn_json_read(run, NULL);
  JsonObject *of = hn_json_object(hn_json_object(o, "files"), name);
  int64_t size;
  g_autofree char *sum = hn_checksum_file(path, &size);
  json_object_set_int_member(of, "bytes", size);
  json_object_set_string_member(of, "checksum", sum);
  g_autofree char *text = hn_json_sealed_text(o);
  fake_write(cell, "run.json", text);
}
#endif
