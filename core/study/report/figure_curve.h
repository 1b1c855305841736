/* figure_curve.h - what a report draws, as numbers: one curve per arm with an interval over seeds. */
#ifndef HN_FIGURES_H
#define HN_FIGURES_H
#include "compare.h"

typedef enum HnFigureGroup {
  HN_FIGURE_LEARNING,   /* against frames */
  HN_FIGURE_PREDICTION, /* errors of held-out predictions against context length */
  HN_FIGURE_BELIEF,     /* the inference's other columns of steps.csv, likewise */
  HN_FIGURE_ADAPTATION, /* by episode; reward and the environment's columns by step of the trial */
  HN_FIGURE_TRIAL,      /* single trials out of trial.csv */
  HN_FIGURE_OTHER,      /* remaining columns of metrics.csv against frames */
  HN_FIGURE_GROUPS
} HnFigureGroup;

typedef struct HnCurve {
  gint64 n, seeds;
  double *x, *value, *low, *high; /* [n]; low, high NaN without an interval */
  double *each;                   /* [seeds, n] */
} HnCurve;

/* One moment of a trial as a picture of a grid. */
typedef struct HnPicture {
  gint64 step, goal; /* goal: cell of the true task, or -1 */
  double *cell;      /* [width * height] probabilities, cell (x, y) at x * height + y */
  gint64 points;
  double *way; /* [points, 2] places of the agent since the episode began */
} HnPicture;

typedef struct HnPictures {
  gint64 rows, columns, width, height;
  GArray *picture; /* HnPicture [rows, columns] */
} HnPictures;

/* What a belief predicts of a function, and what it has seen of it. */
typedef struct HnPanel {
  gint64 step, n, seen;
  double *x, *truth, *mean, *stddev; /* [n] */
  double *member;                    /* [members, n] */
  double *point;                     /* [seen, 2] x and answer */
} HnPanel;

typedef struct HnPanels {
  gint64 rows, columns, members, arm;
  GArray *panel; /* HnPanel [rows, columns] */
} HnPanels;

typedef struct HnFigure {
  HnFigureGroup group;
  char *name;   /* a file's stem */
  char *column; /* where the numbers are from */
  char *title, *x_label, *y_label;
  gint64 merged; /* neighbouring points averaged into one; 1: none */
  bool log_x, log_y;
  bool so_far;    /* each point is the sum of the column up to it */
  bool quartiles; /* bands: of the seeds; else an interval */
  gint64 arms;
  HnCurve **curve; /* [arms]; NULL where the arm has no such numbers */

  /* of trials: */
  char **names;         /* of the curves, where they are not arms; bands are not of seeds */
  char *note;           /* what is seen */
  GArray *mark;         /* double: x where something begins */
  HnPictures *pictures; /* instead of curves */
  HnPanels *panels;     /* likewise */
} HnFigure;

/* All figures that done cells have numbers for, in the order of their groups; free with
 * g_ptr_array_unref. */
GPtrArray *hn_figures(const HnComparison *c);
/* The numbers as CSV: arm,x,value,low,high,seed_0,..; free with g_free. */
char *hn_figure_csv(const HnFigure *f, const HnResults *r);

/* A curve of n points whose values over seeds are in each [seeds, n]. */
HnCurve *hn_curve_new(gint64 n, gint64 seeds);
/* Adds the figures of single trials, for every arm whose first recorded cell has some. */
void hn_figures_trials(GPtrArray *figures, const HnResults *r);
/* Starts such a figure of an arm: its name from `stem`, its title followed by the arm's name. */
HnFigure *hn_figure_of_arm(const HnResults *r, gint64 arm, const char *stem, const char *title);
/* How many columns NAME_0, NAME_1, .. from NAME_first on stand side by side. */
gint64 hn_table_numbered(const HnTable *t, const char *name, gint64 first);
/* Adds predictions.csv as panels, likewise. */
void hn_figures_panels(GPtrArray *figures, const HnResults *r);
void hn_panels_free(HnPanels *p);
/* trial,step,seen,x,truth,mean,stddev,member_1,.. */
char *hn_panels_csv(const HnPanels *p);
void hn_pictures_free(HnPictures *p);
/* trial,step,x,y,probability */
char *hn_pictures_csv(const HnPictures *p);
#endif
