/* record_columns.h - the columns that the host writes into a run's tables.  A row of these tables
 * is a column's header, its values, its documentation and what a report knows of it. */
#ifndef HN_RECORD_COLUMNS_H
#define HN_RECORD_COLUMNS_H
#include "csv.h"
#include "evaluate.h"
#include "run_dir.h"

/* Seconds of an update by what they went into. */
typedef enum HnTiming {
  HN_TIME_COLLECT,
  HN_TIME_LEARN_POLICY,
  HN_TIME_LEARN_INFERENCE,
  HN_TIME_EVALUATE,
  HN_TIME_TRACE,
  HN_TIME_CHECKPOINT,
  HN_TIMINGS
} HnTiming;

/* What a row of a table is made from; each table reads what it needs. */
typedef struct HnRecordRow {
  HnSession *s;
  int64_t update;              /* that it is of */
  const HnEpisodeMeans *train; /* metrics: training episodes that ended in the update */
  const HnEvaluation *eval;    /* of one split, or NULL: not evaluated in this update */
  const double *seconds;       /* timing: [HN_TIMINGS] */
  const char *phase;           /* episodes: "train", "eval" (it counts), "adapt", "uncounted" */
  const HnEpisode *episode;    /* episodes */
  int64_t split;               /* episodes, trial, predictions: index */
  int64_t row, t;              /* trial: k-th kept row, observation; steps: observation */
  const float *map;            /* trial: the belief's map */
  const float *band;           /* predictions: of row and t, or NULL: a point that was seen */
  int64_t point;               /* predictions: of the grid, or the step that was seen */
} HnRecordRow;

typedef struct HnRecordColumn {
  const char *name; /* '*' stands for a number or a declared column: there are several */
  const char *unit;
  int better; /* 1: higher, -1: lower, 0: neither */
  const char *doc;
  /* Writes field k, counted from `first`. */
  void (*put)(HnCsvWriter *w, const HnRecordRow *r, int64_t k);
  /* What a plugin declares, or how many fields there are; both NULL: one. */
  const HnColumn *(*declared)(const HnSession *s);
  int64_t (*count)(const HnSession *s);
  int64_t first;
  bool (*is_empty)(const HnRecordRow *r); /* or NULL: never */
  bool each_pass;                         /* again as eval.PASS.NAME for every pass but the first */
  bool text;                              /* its fields are texts, which may look like numbers */
} HnRecordColumn;

/* The columns of a table in their order, up to one without a name; NULL: not a table. */
const HnRecordColumn *hn_record_columns(HnRunFile table);
/* The column of a table that a header means by `name`, of those that plugins declare as well; NULL:
 * none. */
const HnRecordColumn *hn_record_column(HnRunFile table, const char *name);
/* The host's column of that name in metrics.csv, else steps.csv, else episodes.csv, or NULL. */
const HnRecordColumn *hn_record_find(const char *name);
/* Of the columns (NULL-terminated) the one that `name` may have meant: `return` is eval.return,
 * `value_loss` is policy.value_loss; or NULL. */
const char *hn_record_nearest(const char *name, const char *const *columns);
/* Whether metrics.csv has a column of that name in this session. */
bool hn_record_has_metric(const HnSession *s, const char *name);
/* The columns of metrics.csv in this session, of those that are numbered the first hundred;
 * g_strfreev. */
char **hn_record_some_metrics(const HnSession *s);
/* Whether a table is written at all in this session. */
bool hn_record_has(const HnSession *s, HnRunFile table);
/* Cells of the map that the inference draws of its belief, or 0. */
int64_t hn_record_map_cells(const HnSession *s);

/* The header; one row.  metrics.csv takes an evaluation for each split. */
void hn_record_header(HnCsvWriter *w, HnRunFile table, const HnSession *s);
void hn_record_row(HnCsvWriter *w, HnRunFile table, const HnRecordRow *r);
#endif
