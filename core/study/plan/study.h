/* study.h - a study file: a base, named arms that patch it, paired seeds, a report block.
 *
 *   hunch: 1
 *   name: quick_noise_ablation          (default: the file's stem)
 *   seeds: {root: 7, count: 3}
 *   base: {env: .., inference: .., policy: .., run: .., evaluation: ..}
 *   arms: {inferred: {}, fixed: {inference: {noise: fixed}}}
 *   report: {baseline: fixed, metric: eval.return, aggregate: mean}
 *
 * An arm, or the base, may start from the weights of another study's cells, or of another arm's:
 *
 *   weights: {from: runs/deterministic, arm: rl2}     the newest checkpoint of the same seed
 *   weights: {arm: deterministic, at: 5000}           this study's; its cells run first
 *
 * An arm that names a `plugin` other than the base's replaces that block, otherwise it patches it
 * key by key.  No arms: one arm named `base`.  A study has at most 1000 arms and 100000 cells; its
 * name and those of its arms are folders, so of letters, digits, '.', '_' and '-', arms' of '='
 * too.
 *
 * A base may begin with that of another study (include.h), and arms may come from values of
 * parameters (sweep.h).
 *
 * Overrides from the command line patch by the same rule and pass the same checks:
 *   run.frames=1000                        every arm, whatever the arm says
 *   arms.fixed.inference.noise=inferred    one arm, after those
 *   seeds.count=5, report.metric=.., name=..
 * Of several for one key the last counts. */
#ifndef HN_STUDY_H
#define HN_STUDY_H
#include "cell.h"
#include "run_size.h"
#include "stats.h"
#include "sweep.h"

#define HN_REPORT_PARAMS(X)                                                                       \
  X(text, baseline, "", "Arm that the others are compared with; empty: the first.", "")           \
  X(text, metric, "", "Column of metrics.csv that decides.", "eval.return")                       \
  X(choice, aggregate, "", "How seeds become one number.", "mean", HN_AGGREGATE_CHOICES)          \
  X(choice, scores, "",                                                                           \
    "How seeds scatter; of skewed scores a mean and an iqm have no interval, but their "          \
    "differences and medians have.",                                                              \
    "normal", "normal|skewed")                                                                    \
  X(choice, adjust, "",                                                                           \
    "Verdicts of a metric on several arms: adjusted for being many, or each for itself.", "holm", \
    "holm|none")                                                                                  \
  X(choice, resample, "",                                                                         \
    "Intervals over seeds and tasks: the jackknife over seeds, or rliable's bootstrap, "          \
    "stratified by task, which is too narrow where a seed's tasks go together.",                  \
    "jackknife", "jackknife|stratified")                                                          \
  X(choice, band, "", "What plots show around it.", "interval", "interval|quartiles")             \
  X(real, confidence, "", "Of intervals.", 0.95, 0.5, 0.999)                                      \
  X(int, resamples, "", "Of the bootstrap.", 10000, 100, 1e7)                                     \
  X(real, figure_width, "mm",                                                                     \
    "Of figures as PDF and SVG: a column of the journal; wide ones take two.", 89, 40, 400)       \
  X(text, figure_font, "", "Of figures as PDF and SVG.", "Helvetica")                             \
  X(real, figure_font_size, "pt", "Of all letters in them.", 8, 4, 24)                            \
  X(real, margin, "",                                                                             \
    "Of the metric: a change of its mean over seeds that does not matter, by which "              \
    "'hunch verify' judges a study that was run again; 0: none is declared.",                     \
    0, 0, 1e300)
#define HN_SEEDS_PARAMS(X)                                               \
  X(int, root, "", "Seeds are derived from it.", 1, 0, 9007199254740992) \
  X(int, count, "", "Seeds per arm.", 3, 1, 100000)

HnSchema hn_seeds_schema(void);
HnSchema hn_report_schema(void);

/* X(name, doc, schema): the keys of a study's top level. */
#define HN_STUDY_KEYS(X)                                                                           \
  X(hunch, "Format of the file: 1.", NULL)                                                         \
  X(name, "Name of the study and of its folder; by default that of the file without .yaml.", NULL) \
  X(description, "What the study is for, in a sentence.", NULL)                                    \
  X(seeds, "Seeds that every arm runs with, the same in each.", hn_seeds_schema)                   \
  X(base, "Configuration that the arms change.", NULL)                                             \
  X(arms,                                                                                          \
    "Variants by name, each with what it changes of the base; an arm that names another "          \
    "plugin replaces that block. None: one arm, base.",                                            \
    NULL)                                                                                          \
  X(sweep, "Parameters whose values make arms: docs/tutorials/sweep.md.", hn_sweep_schema)         \
  X(report, "What is compared, and how seeds become one number.", hn_report_schema)
/* The blocks of a cell, then the keys of the top level, up to one without a name. */
extern const HnBlock hn_blocks[];
/* The one of that name, or NULL. */
const HnBlock *hn_block_find(const char *name);

/* What can name a study, and what an arm, as regular expressions; and the names that no arm can
 * have, in any case, because a study's folder has something of that name. */
#define HN_NAME_PATTERN "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"
#define HN_ARM_PATTERN  "^[A-Za-z0-9_-][A-Za-z0-9._=-]{0,99}$"
extern const char *const hn_names_taken[];
enum { HN_ARMS_MAX = 1000, HN_NAME_MAX = 100 };

typedef struct HnReportParams {
  HN_REPORT_PARAMS(HN_FIELD)
} HnReportParams;
enum { HN_BAND_INTERVAL, HN_BAND_QUARTILES };
enum { HN_SHAPE_NORMAL, HN_SHAPE_SKEWED };
enum { HN_ADJUST_HOLM, HN_ADJUST_NONE };
typedef struct HnSeedsParams {
  HN_SEEDS_PARAMS(HN_FIELD)
} HnSeedsParams;

typedef struct HnStudy {
  char *name, *description; /* description may be "" */
  char *file;
  char *source; /* the file as read; where its base includes another, with the whole base */
  HnSeedsParams seeds;
  HnReportParams report;
  GPtrArray *arms;  /* char *, in file order */
  GPtrArray *cells; /* HnCell *, arm-major */
  HnRunSize *sizes; /* of a cell of each arm; NULL: nobody has made one (session_check.h) */
  /* where findings stand: */
  GPtrArray *arm_keys;      /* HnNode * per arm: its name */
  GPtrArray *weight_blocks; /* HnNode * per arm; NULL: the arm has none */
  HnNode *metric;           /* of the report; NULL: the default */
  HnSweep *sweep;           /* NULL: none */
} HnStudy;

/* The cell of an arm and a seed, both by index. */
static inline HnCell *hn_study_cell(const HnStudy *s, int64_t arm, int64_t seed) {
  return s->cells->pdata[arm * s->seeds.count + seed];
}

/* NULL with findings in d.  overrides: NULL-terminated "block.key=value", or NULL. */
HnStudy *hn_study_read(const char *path, const char *const *overrides, HnDiag *d);
/* The same from memory; `file` is for messages and for plugins' paths. */
HnStudy *hn_study_parse(const char *file, const char *text, gsize length,
                        const char *const *overrides, HnDiag *d);
void hn_study_free(HnStudy *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnStudy, hn_study_free)
/* The seed of index i: output i of SplitMix64 started at root, the same in every arm.
 * Source: Steele, Lea & Flood 2014, constants of Vigna's splitmix64.c. */
uint64_t hn_study_seed(int64_t root, int64_t i);
#endif
