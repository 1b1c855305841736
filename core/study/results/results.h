/* results.h - a study folder as found on disk.  Needs no plugin, so results can be compared on a
 * machine that cannot run them.
 *
 *   study.json                     name, arms, seeds, report block, overrides: the plan
 *   study.yaml                     the source as read
 *   ARM/SEED_INDEX/                a cell: run.json config.resolved.yaml metrics.csv steps.csv ..
 */
#ifndef HN_RESULTS_H
#define HN_RESULTS_H
#include "csv_table.h"
#include "study.h"
#include <json-glib/json-glib.h>

/* One cell.  It counts, and has metrics, if it is done, or on its way in an arm of which no cell is
 * done; it then counts as far as all cells of its arm are. */
typedef struct HnResult {
  const char *arm;
  int64_t seed_index;
  char *dir;
  char *status;      /* missing, running, interrupted, failed, damaged, done */
  char *reason;      /* of failed; else NULL */
  JsonObject *facts; /* run.json, or NULL */
  HnNode *config;    /* config.resolved.yaml, or NULL */
  HnTable *metrics;  /* of cells that count, else NULL */
  int64_t counts_at; /* update up to which a cell that is on its way counts; else -1 */
  HnTable *steps, *trial, *predictions; /* of done cells, each of which may be NULL */
} HnResult;

typedef struct HnResults {
  char *dir, *study, *file;
  char *source;     /* study.yaml */
  char **arms;      /* in the study's order, NULL-terminated */
  char **overrides; /* from the command line, NULL-terminated */
  int64_t arm_count, seeds, root;
  HnReportParams report; /* texts interned */
  GPtrArray *cells;      /* HnResult *, arm-major */
  bool single;           /* of one cell's folder, whose seed index may be any */
} HnResults;

/* An empty list of cells, which it will own. */
GPtrArray *hn_result_list(void);
/* A cell of a study's folder without its tables, so that it does not count; `arm` is borrowed.
 * Damaged where a file cannot be read.  For such a list. */
HnResult *hn_result_read_facts(const char *study, const char *arm, int64_t seed);
/* The whole folder; HN_ERROR_MISSING where it is no study's, naming what may have been meant. */
HnResults *hn_results_read(const char *dir, GError **error);
/* The folder of a single cell, which run.json says all of: a study of that cell alone.
 * HN_ERROR_FILE: there is no such file, or it names no cell. */
HnResults *hn_results_read_cell(const char *dir, GError **error);
/* The same, but of the tables metrics.csv alone, which is all that a comparison needs. */
HnResults *hn_results_read_metrics(const char *dir, GError **error);
/* The plan alone: no source, no cells. */
HnResults *hn_results_read_plan(const char *dir, GError **error);
void hn_results_free(HnResults *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnResults, hn_results_free)
HnResult *hn_results_cell(const HnResults *r, int64_t arm, int64_t seed);
/* The cell that is called "ARM/SEED"; NULL with HN_ERROR_MISSING, and the nearest name. */
HnResult *hn_results_named(const HnResults *r, const char *name, GError **error);
/* "ARM/SEED"; g_free. */
char *hn_result_name(const HnResult *c);
HnResult *hn_results_first_done(const HnResults *r, int64_t arm); /* or NULL */
HnResult *hn_results_first(const HnResults *r, int64_t arm);      /* that counts, or NULL */
int64_t hn_results_arm(const HnResults *r, const char *name);     /* or -1 */
bool hn_result_done(const HnResult *c);
bool hn_result_counts(const HnResult *c);
/* The names of the files in its folder; free with g_strfreev. */
char **hn_result_files(const HnResult *c);
/* The plugins of a cell as run.json names them, below "plugins": "env", "env.inner" where that is a
 * wrapper, .., "inference", "policy"; NULL-terminated, g_strfreev. */
char **hn_result_plugins(const HnResult *c);
/* The value of a key of the cell's configuration, for people and for what is published: a plugin by
 * its name where it stands by its file, of any other place of the machine the last part; what is no
 * text on one line.  Plugins of one name are one file in what can be compared.  g_free. */
char *hn_result_shown(const HnResult *c, const char *path, const HnNode *value);
/* True if run.json says of a plugin, "env.inner", that `hunch check` had not found it to keep the
 * laws; those written before there were such records say nothing. */
bool hn_result_unchecked(const HnResult *c, const char *plugin);
/* A member of run.json by path, "plugins.env.version", or NULL. */
JsonNode *hn_result_member(const HnResult *c, const char *path);
/* The same if it is a text, else NULL. */
const char *hn_result_fact(const HnResult *c, const char *path);
/* The simulator a cell ran on, or NULL; of older cells its library's file name. */
const char *hn_result_simulator(const HnResult *c);
/* True if a plugin of the cell saw the true task. */
bool hn_result_privileged(const HnResult *c);
/* True if a plugin of the arm's cells saw the true task. */
bool hn_results_privileged(const HnResults *r, int64_t arm);
#endif
