/* figure.h - what a report draws.  A figure is of a kind; a kind is a file figure_NAME.c with a
 * table of functions, and a row in the list of kinds in meson.build. */
#ifndef HN_FIGURE_H
#define HN_FIGURE_H
#include "compare.h"
#include "figure_kinds.h"
#include "script.h"

typedef enum HnFigureGroup {
  HN_FIGURE_FINDING,    /* what decides: the forest plot, the deciding metric and its differences */
  HN_FIGURE_SWEEP,      /* against the values of swept parameters */
  HN_FIGURE_LEARNING,   /* against frames */
  HN_FIGURE_PREDICTION, /* errors of an evaluation's predictions against context length */
  HN_FIGURE_BELIEF,     /* the inference's other columns of steps.csv, likewise */
  HN_FIGURE_ADAPTATION, /* by episode; reward and the environment's columns by step of the trial */
  HN_FIGURE_TRIAL,      /* single trials out of trial.csv */
  HN_FIGURE_OTHER,      /* remaining columns of metrics.csv against frames */
  HN_FIGURE_CONSTANT,   /* those that never change: a line of text, which is the note */
  HN_FIGURE_GROUPS
} HnFigureGroup;

/* Pixels, of 13 to a line's letters: of most figures on a page, and of those that are `wide`. */
enum { HN_FIGURE_WIDTH = 500, HN_FIGURE_WIDE = 1080 };

typedef struct HnFigure HnFigure;

typedef struct HnFigureKind {
  const char *name;
  bool wide; /* fills a row of the page */
  /* Adds the figures that done cells have numbers for, of this kind or of another that draws them.
   */
  void (*gather)(GPtrArray *figures, const HnComparison *c);
  /* In pixels.  *width is what there is, on a page or in a column of a paper; a figure may take
   * less. */
  void (*size)(const HnFigure *f, double *width, double *height);
  /* Appends the commands that draw the figure in the script's size. */
  void (*script)(const HnScript *s, const HnFigure *f);
  /* The numbers as CSV; free with g_free. */
  char *(*csv)(const HnFigure *f);
  void (*free)(void *data);
} HnFigureKind;

struct HnFigure {
  const HnFigureKind *kind;
  HnFigureGroup group;
  const char *name;   /* a file's stem; no two figures of a report share one */
  const char *column; /* where the numbers are from */
  const char *title, *note;
  void *data; /* of its kind */
};

/* The kinds, in the order in which their figures come within a group. */
#define HN_FIGURE_DECLARE(name) extern const HnFigureKind hn_figure_##name;
HN_FIGURE_KINDS(HN_FIGURE_DECLARE)

/* All figures; free with g_ptr_array_unref. */
GPtrArray *hn_figures(const HnComparison *c);
/* Writes every figure but the constant ones into `folder`, which exists: NAME.svg and NAME.pdf as
 * wide as the study's report block says, and NAME.csv with the numbers.  svg[i] is figure i for a
 * page, as in svg.h, "" of a constant one.  *pdf: there are PDF files; gnuplot may be built
 * without. NULL-terminated, g_strfreev; NULL if gnuplot is missing or fails, or a file cannot be
 * written. */
char **hn_figures_draw(const GPtrArray *figures, const HnReportParams *report, const char *folder,
                       bool *pdf, GError **error);

/* For kinds: adds a figure; a name that another has gets a number.  Texts are copied, `data` is
 * taken over. */
void hn_figure_add(GPtrArray *figures, const HnFigure *f);
/* The figure that was added by that name, of that column (NULL: any), or NULL. */
const HnFigure *hn_figure_find(const GPtrArray *figures, const char *name, const char *column);
/* Adds a figure of one arm to the group of trials; the arm's name is appended to f's name and
 * title. */
void hn_figure_add_of_arm(GPtrArray *figures, const HnResults *r, int64_t arm, HnFigure f);
#endif
