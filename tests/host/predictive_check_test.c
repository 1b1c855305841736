/* predictive_check_test.c - predictions set against answers, on functions whose answers follow from
 * their task and beliefs whose predictions are known; how many samples an evaluation takes. */
#include "cell_fixture.h"
#include "error.h"
#include "evaluate.h"
#include "table_fixture.h"
#include <math.h>

extern const HnPlugin fourier_LTX_hn_plugin, uniform_LTX_hn_plugin;

#define PARAMS(X)                                                                \
  X(real, width, "", "Of what is predicted before anything is seen.", 1, -1, 10) \
  X(flag, silent, "", "Has nothing to say.", 0)
HN_PARAMS(PARAMS);

/* ---- an inference that predicts the mean of what it has seen ---- */

enum { D = 2 }; /* the mean, how many */
typedef struct Mean {
  const HnThisParams *p;
} Mean;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  (void)host;
  ((Mean *)self)->p = params;
  spec->belief_dim = D, spec->latent_dim = 1, spec->row_size = D * sizeof(double);
  return HN_OK;
}

static HnStatus create_point(void *self, const HnHost *host, const void *params,
                             HnBeliefSpec *spec) {
  HnStatus status = create(self, host, params, spec);
  spec->latent_dim = 0;
  return status;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  (void)self;
  const HnHistory *h = q->history;
  int64_t S = MAX(q->samples, 1);
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      double *x = (double *)q->state + i * D; /* sum, count */
      if (h->begin[hn_at(h, t, i)] != HN_NEW_TASK)
        x[0] += (double)h->next_obs[hn_at(h, t - 1, i)], x[1] += 1;
      for (int64_t s = 0; s < S; s++) {
        float *b = q->belief + ((t * h->rows + i) * S + s) * D;
        b[0] = (float)(x[0] / MAX(x[1], 1) + 0.25 * (double)s), b[1] = (float)x[1];
      }
    }
  return HN_OK;
}

/* Member s: its mean + x / 2; stddev width / (1 + how many). */
static HnStatus predict(void *self, const float *belief, int64_t samples, int64_t n,
                        const float *act, float *mean, float *stddev, float *member) {
  const HnThisParams *p = ((const Mean *)self)->p;
  int64_t S = MAX(samples, 1);
  if (p->silent) return HN_E_UNSUPPORTED;
  for (int64_t k = 0; k < n; k++) {
    double sum = 0;
    for (int64_t s = 0; s < S; s++) {
      double m = (double)belief[s * D] + 0.5 * (double)act[k];
      sum += m;
      if (member) member[s * n + k] = (float)m;
    }
    mean[k] = (float)(sum / (double)S);
    stddev[k] = (float)(p->width / (1 + (double)belief[1]));
  }
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = infer,
                                    .predict = predict};
HN_PLUGIN(mean, HN_KIND_INFERENCE, Mean, &methods, .version = "1", .license = "MIT",
          .summary = "Expects the mean.", .source = "tests");

/* ---- running ---- */

enum { HORIZON = 12, TASKS = 5, QUESTIONS = 17 };

static HnCell cell_of(const char *settings) {
  return (HnCell){.study = "ask",
                  .arm = (char *)(guintptr) "only",
                  .seed = 77,
                  .env = part_of(&fourier_LTX_hn_plugin, "horizon: 12, test_tasks: 3"),
                  .inference = part_of(&mean_LTX_hn_plugin, settings),
                  .policy = part_of(&uniform_LTX_hn_plugin, ""),
                  .run = {.rows = 4, .episodes = 1, .workers = 1},
                  .evaluation = {.tasks = TASKS,
                                 .split = "",
                                 .samples = -1,
                                 .questions = QUESTIONS,
                                 .record_rows = TASKS}};
}

static char *run_cell(const HnCell *c) {
  char *dir = folder_new();
  run_whole(c, dir);
  return dir;
}

/* y(x) of a task as the environment's header gives it, from its eight numbers. */
static double value(const double *task, double x) {
  double y = task[0] / 2;
  for (int j = 1; j <= 3; j++) y += task[j] * cos(G_PI * j * (x - task[4]) - task[4 + j] / 2);
  return y;
}

/* The questions: uniform in [-1, 1] from the stream of purpose 32 of the cell's seed. */
static void questions(float x[QUESTIONS]) {
  HnRng rng = hn_rng(77, (uint64_t)32 << 40);
  for (int k = 0; k < QUESTIONS; k++) x[k] = (float)hn_rng_uniform(&rng, -1, 1);
}

/* Scores of one row at one observation, from what trial.csv says of it. */
static void expected(const Rows *trial, gint64 line, int64_t samples, double out[4]) {
  float x[QUESTIONS];
  double task[8], ce = 0, l1 = 0, l2 = 0;
  for (int k = 0; k < 8; k++) {
    g_autofree char *name = g_strdup_printf("task_%d", k);
    task[k] = rows_at(trial, line, name);
  }
  questions(x);
  /* the first sample is recorded, the others lie 1/4 apart */
  double centre = rows_at(trial, line, "belief_0") + 0.125 * (double)(MAX(samples, 1) - 1);
  double sd = 1 / (1 + rows_at(trial, line, "belief_1"));
  for (int k = 0; k < QUESTIONS; k++) {
    double off = value(task, (double)x[k]) - centre - 0.5 * (double)x[k];
    ce += off * off / (2 * sd * sd) + log(sd * sqrt(2 * G_PI));
    l1 += fabs(off), l2 += off * off;
  }
  out[0] = ce / QUESTIONS, out[1] = fmin(exp(out[0]), 1e6);
  out[2] = l1 / QUESTIONS, out[3] = l2 / QUESTIONS;
}

static const char *const names[] = {"predict.cross_entropy", "predict.perplexity", "predict.l1",
                                    "predict.l2"};

static void close_to(double a, double b) {
  g_assert_cmpfloat_with_epsilon(a, b, 2e-5 * (1 + fabs(b)));
}

/* Every observation of the trial, mean over rows; of these the mean over the trial. */
static void test_scores(gconstpointer k) {
  int64_t samples = GPOINTER_TO_INT(k);
  HnCell c = cell_of("");
  c.evaluation.samples = samples;
  char *dir = run_cell(&c);
  Rows trial = rows_read(dir, "trial.csv"), steps = rows_read(dir, "steps.csv"),
       metrics = rows_read(dir, "metrics.csv");
  double all[4] = {0};
  g_assert_cmpint(steps.count, ==, HORIZON + 1);
  g_assert_cmpint(trial.count, ==, TASKS * (HORIZON + 1));
  for (int t = 0; t <= HORIZON; t++) {
    double mean[4] = {0}, one[4];
    for (int i = 0; i < TASKS; i++) {
      expected(&trial, i * (HORIZON + 1) + t, samples, one);
      for (int n = 0; n < 4; n++) mean[n] += one[n] / TASKS, all[n] += one[n] / trial.count;
    }
    for (int n = 0; n < 4; n++) close_to(rows_at(&steps, t, names[n]), mean[n]);
  }
  for (int n = 0; n < 4; n++) {
    g_autofree char *name = g_strconcat("eval.", names[n], NULL);
    close_to(rows_at(&metrics, 0, name), all[n]);
  }
  g_assert_cmpfloat(all[0], >, 1); /* such a narrow guess is soon far off */
  rows_clear(&trial), rows_clear(&steps), rows_clear(&metrics);
  folder_free(dir), cell_clear(&c);
}

static void test_perplexity_is_bounded(void) {
  HnCell c = cell_of("width: 1e-2");
  char *dir = run_cell(&c);
  Rows steps = rows_read(dir, "steps.csv");
  close_to(rows_at(&steps, HORIZON, "predict.perplexity"), 1e6);
  g_assert_cmpfloat(rows_at(&steps, HORIZON, "predict.cross_entropy"), >, 100);
  rows_clear(&steps), folder_free(dir), cell_clear(&c);
}

/* The pictures: steps of the list that the trial reaches, what was seen by then, a grid. */
static void test_bands(void) {
  enum { S = 12, SHOWN = 10, GRID = 101 };
  static const int step[] = {0, 1, 3, 5, 10};
  HnCell c = cell_of("");
  c.evaluation.samples = S, c.evaluation.record_rows = 2;
  char *dir = run_cell(&c);
  Rows r = rows_read(dir, "predictions.csv"), trial = rows_read(dir, "trial.csv");
  g_assert_cmpstr(r.header, ==,
                  "update,row,task,step,seen,x,truth,mean,stddev,member_1,member_2,member_3,"
                  "member_4,member_5,member_6,member_7,member_8,member_9,member_10");
  gint64 line = 0;
  for (int k = 0; k < 2; k++)
    for (guint s = 0; s < G_N_ELEMENTS(step); s++) {
      gint64 at = k * (HORIZON + 1) + step[s];
      double task[8];
      for (int d = 0; d < 8; d++) {
        g_autofree char *name = g_strdup_printf("task_%d", d);
        task[d] = rows_at(&trial, at, name);
      }
      for (int t = 0; t < step[s]; t++, line++) {
        g_assert_cmpfloat(rows_at(&r, line, "seen"), ==, 1);
        g_assert_cmpfloat(rows_at(&r, line, "x"), ==, rows_at(&trial, at - step[s] + t, "act_0"));
        close_to(rows_at(&r, line, "truth"), value(task, rows_at(&r, line, "x")));
        g_assert_cmpstr(rows_text(&r, line, "mean"), ==, "");
        g_assert_cmpstr(rows_text(&r, line, "member_10"), ==, "");
      }
      for (int j = 0; j < GRID; j++, line++) {
        double x = -1 + 0.02 * j, first = rows_at(&trial, at, "belief_0") + x / 2;
        g_assert_cmpfloat(rows_at(&r, line, "seen"), ==, 0);
        g_assert_cmpfloat(rows_at(&r, line, "step"), ==, step[s]);
        g_assert_cmpfloat(rows_at(&r, line, "row"), ==, rows_at(&trial, at, "row"));
        close_to(rows_at(&r, line, "x"), x);
        close_to(rows_at(&r, line, "truth"), value(task, x));
        close_to(rows_at(&r, line, "mean"), first + 0.125 * (S - 1));
        close_to(rows_at(&r, line, "stddev"), 1 / (1.0 + step[s]));
        close_to(rows_at(&r, line, "member_1"), first);
        close_to(rows_at(&r, line, "member_10"), first + 0.25 * (SHOWN - 1));
      }
    }
  g_assert_cmpint(r.count, ==, line);
  rows_clear(&r), rows_clear(&trial), folder_free(dir), cell_clear(&c);
}

/* Windows shorter than the trial, several workers: the same. */
static void test_windows(void) {
  HnCell c = cell_of("");
  char *whole = run_cell(&c);
  c.run.steps = 5, c.run.workers = 3;
  char *parts = run_cell(&c);
  static const char *const file[] = {"steps.csv", "metrics.csv", "predictions.csv"};
  for (guint i = 0; i < G_N_ELEMENTS(file); i++) {
    Rows a = rows_read(whole, file[i]), b = rows_read(parts, file[i]);
    g_assert_cmpint(a.count, >, 0);
    g_assert_cmpstr(a.text, ==, b.text);
    rows_clear(&a), rows_clear(&b);
  }
  folder_free(whole), folder_free(parts), cell_clear(&c);
}

static void no_column(const char *dir) {
  Rows steps = rows_read(dir, "steps.csv"), metrics = rows_read(dir, "metrics.csv");
  g_assert_null(strstr(steps.header, "predict"));
  g_assert_null(strstr(metrics.header, "predict"));
  g_autofree char *path = g_build_filename(dir, "predictions.csv", NULL);
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  rows_clear(&steps), rows_clear(&metrics);
}

/* Who is not asked leaves no column; who has nothing to say leaves them empty. */
static void test_not_asked(void) {
  HnCell c = cell_of("");
  c.evaluation.questions = 0;
  char *none = run_cell(&c);
  no_column(none);
  HnEnv env = *(const HnEnv *)fourier_LTX_hn_plugin.methods;
  HnPlugin mute = fourier_LTX_hn_plugin;
  env.query = NULL, mute.methods = &env;
  c.evaluation.questions = 3, c.env.plugin = &mute;
  char *unanswered = run_cell(&c);
  no_column(unanswered);
  HnInference older = methods; /* of an ABI that ended before predict */
  HnPlugin old = mean_LTX_hn_plugin;
  older.struct_size = offsetof(HnInference, predict), old.methods = &older;
  c.env.plugin = &fourier_LTX_hn_plugin, c.inference.plugin = &old;
  char *before = run_cell(&c);
  no_column(before);
  folder_free(none), folder_free(unanswered), folder_free(before), cell_clear(&c);
  c = cell_of("silent: true");
  char *silent = run_cell(&c);
  Rows steps = rows_read(silent, "steps.csv");
  g_assert_true(isnan(rows_at(&steps, 3, "predict.l1")));
  rows_clear(&steps), folder_free(silent), cell_clear(&c);
}

static void fails(const HnCell *c, int code, const char *says) {
  char *dir = g_dir_make_tmp("hunch-ask-XXXXXX", NULL);
  GError *error = NULL;
  g_assert_false(hn_run_cell(c, dir, NULL, NULL, NULL, &error));
  g_assert_error(error, HN_ERROR, code);
  if (!strstr(error->message, says)) g_error("expected \"%s\" in: %s", says, error->message);
  g_error_free(error), folder_free(dir);
}

/* No response: the environment's, not the inference's. */
static HnStatus query_nothing(void *self, const void *state, int64_t n, const float *action,
                              float *obs) {
  (void)self, (void)state, (void)action;
  for (int64_t k = 0; k < n; k++) obs[k] = k == 2 ? NAN : 0;
  return HN_OK;
}

/* Would that it were asked about 0 alone, in this call and all that follow. */
static HnStatus predict_zero(void *self, const float *belief, int64_t samples, int64_t n,
                             const float *action, float *mean, float *stddev, float *member) {
  memset((void *)(guintptr)action, 0, (gsize)n * sizeof *action);
  return predict(self, belief, samples, n, action, mean, stddev, member);
}

/* The actions of an evaluation's questions are those of the stream in every call. */
static HnStatus query_same(void *self, const void *state, int64_t n, const float *action,
                           float *obs) {
  float asked[QUESTIONS];
  const HnEnv *fourier = fourier_LTX_hn_plugin.methods;
  questions(asked);
  if (n == QUESTIONS) g_assert_cmpmem(action, sizeof asked, asked, sizeof asked);
  return fourier->query(self, state, n, action, obs);
}

static void test_query_actions(void) {
  HnCell c = cell_of("");
  HnInference meddler = methods;
  HnEnv env = *(const HnEnv *)fourier_LTX_hn_plugin.methods;
  HnPlugin inference = mean_LTX_hn_plugin, fourier = fourier_LTX_hn_plugin;
  meddler.predict = predict_zero, inference.methods = &meddler, c.inference.plugin = &inference;
  env.query = query_same, fourier.methods = &env, c.env.plugin = &fourier;
  folder_free(run_cell(&c));
  env.query = query_nothing;
  fails(&c, HN_ERROR_NUMERIC, "env fourier, query: response 2 of row 0 is nan at step 0 of its");
  cell_clear(&c);
}

static void test_failures(void) {
  HnCell c = cell_of("width: -1");
  fails(&c, HN_ERROR_NUMERIC, "mean: predicts mean ");
  fails(&c, HN_ERROR_NUMERIC, "stddev -1 for a response of ");
  cell_clear(&c);
  c = cell_of("");
  HnInference pointlike = methods;
  HnPlugin point = mean_LTX_hn_plugin;
  pointlike.create = create_point, point.methods = &pointlike;
  c.inference.plugin = &point, c.evaluation.samples = 3;
  fails(&c, HN_ERROR_REFUSED, "mean: has no posterior samples; set evaluation.samples: 0");
  cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/ask/scores/point", GINT_TO_POINTER(0), test_scores);
  g_test_add_data_func("/ask/scores/samples", GINT_TO_POINTER(4), test_scores);
  g_test_add_func("/ask/perplexity", test_perplexity_is_bounded);
  g_test_add_func("/ask/bands", test_bands);
  g_test_add_func("/ask/windows", test_windows);
  g_test_add_func("/ask/not-asked", test_not_asked);
  g_test_add_func("/ask/query-actions", test_query_actions);
  g_test_add_func("/ask/failures", test_failures);
  return g_test_run();
}
