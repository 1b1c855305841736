/* run_json.h - writes run.json: what ran, on what, how it stands. */
#ifndef HN_RUN_JSON_H
#define HN_RUN_JSON_H
#include "session.h"
#include <json-glib/json-glib.h>

/* How a run stands. */
typedef struct HnRunFacts {
  const char *status, *reason; /* reason: NULL unless it failed */
  int64_t update, frames;
  double seconds;
  const char *scheduled;          /* plugin whose learning depends on run.frames, or NULL */
  const char *from, *from_sha256; /* the checkpoint that its weights were taken from, or NULL */
} HnRunFacts;
/* Rewrites run.json whole: versions, machine, plugins, status, and of `s`, unless it is NULL, the
 * sizes that its plugins agreed on. */
bool hn_run_json_write(const char *dir, const HnCell *cell, const HnSession *s, const HnRunFacts *f,
                       GError **error);
/* Has run.json say that the run goes on, and nothing of what its files hold: to be called before
 * one of them is replaced, so that whoever is killed in between leaves nothing that looks damaged.
 */
bool hn_run_json_unseal(const char *dir, GError **error);
/* Whether the files of a run (of one that is not finished, its configuration alone) are as it left
 * them, by their sizes or (thorough) by their contents, as far as `facts` (run.json, or NULL) say;
 * HN_ERROR_FILE names the first that is not.
 */
bool hn_run_files_intact(const char *dir, JsonObject *facts, bool thorough, GError **error);
#endif
