/* figure_latent.c - the latent's mean and variance along an evaluated trial, as curves. */
#include "arm_slots.h"
#include "figure_curve.h"
#include "json.h"
#include "trial_rows.h"
#include <math.h>

enum { LATENTS_MAX = 7 };

/* The steps at which an episode but the first begins. */
static GArray *marks_of(const HnTrialRows *t) {
  GArray *marks = g_array_new(FALSE, FALSE, sizeof(double));
  for (int64_t s = 1; s + 1 < t->count; s++) {
    double x = (double)s;
    if (hn_trial_rows_begins(t, s)) g_array_append_val(marks, x);
  }
  return marks;
}

/* One dimension of the latent, from its columns of the mean and of the logarithm of the variance.
 */
static HnCurve *curve_of(const HnTrialRows *t, int64_t mean_column, int64_t log_column,
                         bool variance) {
  HnCurve *c = hn_curve_new(t->count, 0);
  for (int64_t s = 0; s < t->count; s++) {
    const double mean = hn_trial_rows_at(t, s, mean_column);
    const double stddev = exp(0.5 * hn_trial_rows_at(t, s, log_column));
    c->x[s] = (double)s;
    c->value[s] = variance ? stddev * stddev : mean;
    c->low[s] = variance ? (double)NAN : mean - stddev;
    c->high[s] = variance ? (double)NAN : mean + stddev;
  }
  return c;
}

static HnCurves *curves_of(const HnTrialRows *t, int64_t latents, bool variance) {
  const int64_t shown = MIN(latents, LATENTS_MAX);
  g_auto(GStrv) names = g_new0(char *, shown + 1);
  for (int64_t k = 0; k < shown; k++) names[k] = g_strdup_printf("z%" G_GINT64_FORMAT, k + 1);
  HnCurves *d = hn_curves_new(shown, names, "step of the trial", variance ? "variance" : "mean");
  for (int64_t k = 0; k < shown; k++)
    d->curve[k] = curve_of(t, t->belief + k, t->belief + latents + k, variance);
  d->parts = true, d->mark = marks_of(t);
  return d;
}

static void add_moments(GPtrArray *figures, const HnResults *r, int64_t arm, const HnResult *c) {
  const int64_t latents = hn_json_int(c->facts, "latent_dim", 0);
  const int64_t features = hn_json_int(c->facts, "belief_dim", 0);
  HnTrialRows t;
  if (latents < 1 || features % 2 || features / 2 != latents ||
      hn_table_numbered(c->trial, "belief", 0) != features || !hn_trial_rows_find(c->trial, 0, &t))
    return;
  g_autofree char *some =
      latents > LATENTS_MAX
          ? g_strdup_printf("; the first %d of %" G_GINT64_FORMAT, LATENTS_MAX, latents)
          : g_strdup("");
  for (int variance = 0; variance < 2; variance++) {
    g_autofree char *note =
        g_strconcat("one evaluated trial", variance ? "" : "; band: one standard deviation", some,
                    "; vertical lines: new episodes", NULL);
    hn_figure_add_of_arm(
        figures, r, arm,
        (HnFigure){.kind = &hn_figure_curve,
                   .name = variance ? "latent_variance" : "latent_mean",
                   .column = "trial.csv",
                   .title = variance ? "Variance of the latent" : "Mean of the latent",
                   .note = note,
                   .data = curves_of(&t, latents, variance)});
  }
}

static void gather(GPtrArray *figures, const HnComparison *c) {
  g_autofree int64_t *slot = hn_arm_slots(c);
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    const HnResult *cell = slot[a] < 0 ? NULL : hn_trial_rows_cell(c->results, a);
    if (cell) add_moments(figures, c->results, a, cell);
  }
}

/* Its figures are drawn as curves. */
const HnFigureKind hn_figure_latent = {.name = "latent", .gather = gather};
