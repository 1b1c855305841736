/* coverage.c - how often 95 % intervals hold what they should, as the tables of docs/statistics.md.
 * Standard errors: 0.15 % of 20,000 studies, 0.5 % of 2,000. */
#include "coverage.h"
#include <stdio.h>

enum { STUDIES = 20000, FEWER = 2000, RESAMPLES = 400 };
static const int64_t seeds[] = {3, 5, 10, 20, 50};

static void print(Coverage c) {
  if (c.given == 0)
    printf(" - |");
  else
    printf(" %.1f |", 100 * c.held);
}

static void scores_of_seeds(void) {
  static const HnAggregate aggregate[] = {HN_AGGREGATE_MEAN, HN_AGGREGATE_IQM, HN_AGGREGATE_MEDIAN};
  printf(
      "| scores | seeds | mean | its difference | iqm | its difference | median | its difference "
      "|\n|---|---|---|---|---|---|---|---|\n");
  for (int shape = 0; shape < COVERAGE_SHAPES; shape++)
    for (guint n = 0; n < G_N_ELEMENTS(seeds); n++) {
      printf("| %s | %d |", coverage_shape[shape], (int)seeds[n]);
      for (guint k = 0; k < G_N_ELEMENTS(aggregate); k++) {
        HnStats *s = hn_stats_new(aggregate[k], 0.95, RESAMPLES);
        for (int paired = 0; paired < 2; paired++)
          print(coverage_of(s, (CoverageShape)shape, seeds[n], paired, 1, STUDIES));
        hn_stats_free(s);
      }
      printf("\n");
    }
}

static void rates(void) {
  static const CoverageRates of[] = {{1, 0.5, 0.5, 0},  {1, 0.9, 0.8, 0},    {20, 0.5, 0.5, 0},
                                     {20, 0.9, 0.8, 0}, {20, 0.5, 0.5, 0.3}, {20, 0.9, 0.8, 0.1},
                                     {20, 0.98, 0.9, 0}};
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, RESAMPLES);
  printf("\n| trials a seed | rate, baseline's, of seeds +- |");
  for (guint n = 0; n < G_N_ELEMENTS(seeds); n++) printf(" %d seeds |", (int)seeds[n]);
  printf("\n|---|---|---|---|---|---|---|\n");
  for (guint k = 0; k < G_N_ELEMENTS(of); k++)
    for (int paired = 0; paired < 2; paired++) {
      printf("| %d | %s %g, %g, %g |", of[k].trials, paired ? "difference of" : "first of", of[k].a,
             of[k].b, of[k].spread);
      for (guint n = 0; n < G_N_ELEMENTS(seeds); n++)
        print(coverage_of_rates(s, of[k], seeds[n], paired, STUDIES));
      printf("\n");
    }
  hn_stats_free(s);
}

static void scores_of_tasks(void) {
  static const HnScoreStatistic of[] = {HN_SCORE_IQM, HN_SCORE_GAP, HN_SCORE_IMPROVEMENT};
  static const int64_t few[] = {3, 5, 10, 20};
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, RESAMPLES);
  printf("\n| of 10 tasks | common to a seed's tasks |");
  for (guint n = 0; n < G_N_ELEMENTS(few); n++)
    printf(" jackknife, %d seeds | stratified |", (int)few[n]);
  printf("\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (guint k = 0; k < G_N_ELEMENTS(of); k++)
    for (int half = 0; half < 2; half++) {
      printf("| %s | %s of the variance |", hn_score_name(of[k]), half ? "half" : "none");
      for (guint n = 0; n < G_N_ELEMENTS(few); n++)
        for (int stratified = 0; stratified < 2; stratified++) {
          const HnScoreQuestion q = {of[k], 1, 1, stratified};
          print(coverage_of_scores(s, &q, COVERAGE_NORMAL, few[n], 10, half / 2.0,
                                   stratified ? FEWER / 4 : FEWER));
        }
      printf("\n");
    }
  hn_stats_free(s);
}

int main(void) {
  scores_of_seeds(), rates(), scores_of_tasks();
  return 0;
}
