/* tape_cases.h - every operation of the tape beside its naive float64 twin, and random inputs. */
#ifndef HN_TESTS_TAPE_CASES_H
#define HN_TESTS_TAPE_CASES_H
#include "fake_host.h"
#include <glib.h>
#include <hunch/kit/attention.h>
#include <hunch/kit/rnn.h>
#include <math.h>

enum { INPUTS = 7, MOST = 1500 };

typedef struct Case Case;
struct Case {
  const char *name;
  int inputs;
  int64_t shape[INPUTS][2], out[2];
  int32_t kind;
  HnVar *(*tape)(const Case *c, HnTape *t, HnVar **in);
  void (*naive)(const Case *c, double **in, double *y);
  bool positive;
};

/* Borrowed constants that operations take. */
static float constant[MOST];
static int32_t pick[MOST];

/* Element (i, j) of input k, broadcast. */
static double at(const Case *c, double **in, int k, int64_t i, int64_t j) {
  const int64_t rows = c->shape[k][0], cols = c->shape[k][1];
  return in[k][(rows == 1 ? 0 : i) * cols + (cols == 1 ? 0 : j)];
}

/* ---- products ---- */

static double activation(int32_t act, double x) {
  return act == HN_TANH                  ? tanh(x)
         : act == HN_RELU                ? fmax(x, 0)
         : act == HN_SIGMOID             ? 1 / (1 + exp(-x))
         : act == HN_LEAKY_RELU && x < 0 ? 0.01 * x
                                         : x;
}

static HnVar *linear(const Case *c, HnTape *t, HnVar **in) {
  return hn_linear(t, in[0], in[1], c->inputs == 3 ? in[2] : NULL, c->kind);
}
static HnVar *matmul(const Case *c, HnTape *t, HnVar **in) {
  (void)c;
  return hn_matmul(t, in[0], in[1]);
}
static void linear_naive(const Case *c, double **in, double *y) {
  for (int64_t i = 0; i < c->out[0]; i++)
    for (int64_t j = 0; j < c->out[1]; j++) {
      double sum = c->inputs == 3 ? in[2][j] : 0;
      for (int64_t p = 0; p < c->shape[0][1]; p++) sum += at(c, in, 0, i, p) * at(c, in, 1, p, j);
      y[i * c->out[1] + j] = activation(c->kind, sum);
    }
}

/* Three of the outputs for each row; repeats happen. */
static HnVar *linear_pick(const Case *c, HnTape *t, HnVar **in) {
  return hn_linear_pick(t, in[0], in[1], c->inputs == 3 ? in[2] : NULL, c->out[1], pick);
}
static void linear_pick_naive(const Case *c, double **in, double *y) {
  for (int64_t i = 0; i < c->out[0] * c->out[1]; i++) {
    y[i] = c->inputs == 3 ? in[2][pick[i]] : 0;
    for (int64_t p = 0; p < c->shape[0][1]; p++)
      y[i] += at(c, in, 0, i / c->out[1], p) * at(c, in, 1, p, pick[i]);
  }
}

/* ---- normalisation: inputs x, gain, bias ---- */

static HnVar *layer_norm(const Case *c, HnTape *t, HnVar **in) {
  return hn_layer_norm(t, in[0], c->inputs > 1 ? in[1] : NULL, c->inputs > 2 ? in[2] : NULL, 0.1f);
}
static void layer_norm_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->shape[0][1];
  for (int64_t i = 0; i < c->out[0]; i++) {
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < n; j++) mean += in[0][i * n + j] / (double)n;
    for (int64_t j = 0; j < n; j++) variance += pow(in[0][i * n + j] - mean, 2) / (double)n;
    for (int64_t j = 0; j < n; j++)
      y[i * n + j] = (in[0][i * n + j] - mean) / sqrt(variance + (double)0.1f) *
                         (c->inputs > 1 ? in[1][j] : 1) +
                     (c->inputs > 2 ? in[2][j] : 0);
  }
}

/* ---- attention: of two heads over three slots; overlapping sequences with empty slots if TABLE
 * ----
 */

enum { SLOTS = 3, HEADS = 2, TABLE = 4 };
static int32_t token[MOST];

/* How many there are. */
static int64_t sequences_of(const Case *c) {
  const int64_t n = c->out[0] / ((c->kind & 3) == HN_ATTEND_LAST ? 1 : SLOTS);
  for (int64_t k = 0; k < n * SLOTS; k++)
    token[k] = !(c->kind & TABLE) ? (int32_t)k : k % 7 == 3 ? -1 : pick[k];
  return n;
}
static HnVar *attention(const Case *c, HnTape *t, HnVar **in) {
  const int64_t n = sequences_of(c);
  return hn_attention(t, in[0], HEADS,
                      hn_sequences(t, n, SLOTS, c->kind & TABLE ? token : NULL, c->kind & 3));
}
/* One head of one question: row i of out from token `own` over `seen` tokens. */
static void attention_head(const double *x, int64_t d, int64_t h, int64_t own, const int64_t *row,
                           int64_t seen, double *y) {
  const int64_t n = d / HEADS;
  double p[SLOTS] = {0}, sum = 0;
  for (int64_t j = 0; j < seen; j++) {
    double score = 0;
    for (int64_t k = h * n; k < (h + 1) * n && row[j] >= 0; k++)
      score += x[own * 3 * d + k] * x[row[j] * 3 * d + d + k];
    sum += p[j] = row[j] < 0 ? 0 : exp(score / sqrt((double)n));
  }
  for (int64_t k = h * n; k < (h + 1) * n; k++) {
    y[k] = 0;
    for (int64_t j = 0; j < seen; j++)
      if (row[j] >= 0) y[k] += p[j] / sum * x[row[j] * 3 * d + 2 * d + k];
  }
}
static void attention_naive(const Case *c, double **in, double *y) {
  const int64_t n = sequences_of(c), d = c->out[1], attend = c->kind & 3;
  const int64_t first = attend == HN_ATTEND_LAST ? SLOTS - 1 : 0;
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = first; i < SLOTS; i++, y += d) {
      int64_t row[SLOTS];
      for (int64_t j = 0; j < SLOTS; j++) row[j] = token[k * SLOTS + j];
      memset(y, 0, (size_t)d * sizeof *y);
      for (int64_t h = 0; h < HEADS && row[i] >= 0; h++)
        attention_head(in[0], d, h, row[i], row, attend == HN_ATTEND_CAUSAL ? i + 1 : SLOTS, y);
    }
}

static HnVar *pick_rows(const Case *c, HnTape *t, HnVar **in) {
  sequences_of(c);
  return hn_pick_rows(t, in[0], c->out[0], token);
}
static void pick_rows_naive(const Case *c, double **in, double *y) {
  sequences_of(c);
  for (int64_t i = 0; i < c->out[0] * c->out[1]; i++) {
    const int32_t row = token[i / c->out[1]];
    y[i] = row < 0 ? 0 : in[0][row * c->out[1] + i % c->out[1]];
  }
}

/* ---- elementwise ---- */

enum { ADD, SUB, MUL, MIN, MAX, HUBER, AFFINE, EXP, LOG, SQUARE, SOFTPLUS, CLAMP };

static HnVar *elementwise(const Case *c, HnTape *t, HnVar **in) {
  switch (c->kind) {
  case ADD:
    return hn_add(t, in[0], in[1]);
  case SUB:
    return hn_sub(t, in[0], in[1]);
  case MUL:
    return hn_mul(t, in[0], in[1]);
  case MIN:
    return hn_min(t, in[0], in[1]);
  case MAX:
    return hn_max(t, in[0], in[1]);
  case HUBER:
    return hn_huber(t, in[0], in[1], 0.7f);
  case AFFINE:
    return hn_affine(t, in[0], -1.5f, 0.25f);
  case EXP:
    return hn_exp(t, in[0]);
  case LOG:
    return hn_log(t, in[0]);
  case SQUARE:
    return hn_square(t, in[0]);
  case SOFTPLUS:
    return hn_softplus(t, in[0]);
  default:
    return hn_clamp(t, in[0], -0.5f, 0.8f);
  }
}
static double element(int32_t kind, double a, double b) {
  const double d = fabs(a - b);
  switch (kind) {
  case ADD:
    return a + b;
  case SUB:
    return a - b;
  case MUL:
    return a * b;
  case MIN:
    return fmin(a, b);
  case MAX:
    return fmax(a, b);
  case HUBER:
    return d <= 0.7 ? 0.5 * d * d : 0.7 * (d - 0.35);
  case AFFINE:
    return -1.5 * a + 0.25;
  case EXP:
    return exp(a);
  case LOG:
    return log(a);
  case SQUARE:
    return a * a;
  case SOFTPLUS:
    return log1p(exp(a));
  default:
    return fmin(fmax(a, -0.5), 0.8);
  }
}
static void elementwise_naive(const Case *c, double **in, double *y) {
  for (int64_t i = 0; i < c->out[0]; i++)
    for (int64_t j = 0; j < c->out[1]; j++)
      y[i * c->out[1] + j] =
          element(c->kind, at(c, in, 0, i, j), c->inputs == 2 ? at(c, in, 1, i, j) : 0);
}
static HnVar *activate(const Case *c, HnTape *t, HnVar **in) {
  return hn_activate(t, in[0], c->kind);
}
static void activate_naive(const Case *c, double **in, double *y) {
  for (int64_t i = 0; i < c->out[0] * c->out[1]; i++) y[i] = activation(c->kind, in[0][i]);
}

/* ---- shape and reductions ---- */

enum { CONCAT, STACK, COLUMNS, ROWS, SUM, MEAN, SUM_COLUMNS, DOT };

static HnVar *shape(const Case *c, HnTape *t, HnVar **in) {
  switch (c->kind) {
  case CONCAT:
    return hn_concat(t, 3, in);
  case STACK:
    return hn_stack(t, 2, in);
  case COLUMNS:
    return hn_columns(t, in[0], 2, c->out[1]);
  /* a view's view, so that windows on gradients nest; times a view of other rows */
  case ROWS:
    return hn_mul(t, hn_rows_of(t, hn_rows_of(t, in[0], 1, c->out[0] + 1), 1, c->out[0]),
                  hn_rows_of(t, in[0], 0, c->out[0]));
  case SUM:
    return hn_sum(t, in[0]);
  case MEAN:
    return hn_mean(t, in[0]);
  case SUM_COLUMNS:
    return hn_sum_columns(t, in[0]);
  default:
    return hn_dot(t, in[0], constant);
  }
}
static void shape_naive(const Case *c, double **in, double *y) {
  const int64_t rows = c->shape[0][0], cols = c->shape[0][1];
  memset(y, 0, sizeof *y * (size_t)(c->out[0] * c->out[1]));
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) {
      const double x = in[0][i * cols + j];
      if (c->kind == COLUMNS && j >= 2 && j < 2 + c->out[1]) y[i * c->out[1] + j - 2] = x;
      if (c->kind == ROWS && i >= 2 && i < 2 + c->out[0])
        y[(i - 2) * cols + j] = x * in[0][(i - 2) * cols + j];
      if (c->kind == SUM) y[0] += x;
      if (c->kind == MEAN) y[0] += x / (double)(rows * cols);
      if (c->kind == SUM_COLUMNS) y[i] += x;
      if (c->kind == DOT) y[0] += x * (double)constant[i * cols + j];
    }
  if (c->kind == STACK)
    for (int64_t i = 0; i < c->out[0]; i++)
      for (int64_t j = 0; j < cols; j++)
        y[i * cols + j] = i < rows ? in[0][i * cols + j] : in[1][(i - rows) * cols + j];
  for (int64_t k = 0, from = 0; c->kind == CONCAT && k < 3; from += c->shape[k++][1])
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < c->shape[k][1]; j++)
        y[i * c->out[1] + from + j] = at(c, in, (int)k, i, j);
}

/* ---- distributions ---- */

enum { LOGP, ENTROPY, KL, SAMPLE, TANH_LOGP, TANH_SLOPE };

static HnVar *normal(const Case *c, HnTape *t, HnVar **in) {
  switch (c->kind) {
  case LOGP:
    return hn_normal_logp(t, in[0], in[1], constant);
  case ENTROPY:
    return hn_normal_entropy(t, in[0]);
  case KL:
    return hn_normal_kl(t, in[0], in[1], in[2], in[3]);
  case SAMPLE:
    return hn_normal_sample(t, in[0], in[1], constant);
  case TANH_SLOPE:
    return hn_tanh_log_slope(t, in[0]);
  default:
    return hn_tanh_normal_logp(t, in[0], in[1], constant);
  }
}
static double normal_logp(double x, double mean, double logstd) {
  const double std = exp(logstd);
  return log(exp(-(x - mean) * (x - mean) / (2 * std * std)) / (std * sqrt(2 * M_PI)));
}
static double normal_kl(double m1, double s1, double m0, double s0) {
  return log(s0 / s1) + (s1 * s1 + (m1 - m0) * (m1 - m0)) / (2 * s0 * s0) - 0.5;
}
static void normal_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->shape[0][1];
  for (int64_t i = 0; i < c->shape[0][0]; i++) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
      const double x = (double)constant[i * n + j], a = at(c, in, 0, i, j);
      const double s = c->inputs > 1 ? at(c, in, 1, i, j) : 0;
      if (c->kind == SAMPLE) y[i * n + j] = a + exp(s) * x;
      if (c->kind == LOGP) sum += normal_logp(x, a, s);
      if (c->kind == ENTROPY) sum += 0.5 * log(2 * M_PI * M_E * exp(2 * a));
      if (c->kind == TANH_LOGP) sum += normal_logp(x, a, s) - log(1 - tanh(x) * tanh(x));
      if (c->kind == TANH_SLOPE) sum += log(1 - tanh(a) * tanh(a));
      if (c->kind == KL) sum += normal_kl(a, exp(s), at(c, in, 2, i, j), exp(at(c, in, 3, i, j)));
    }
    if (c->kind != SAMPLE) y[i] = sum;
  }
}

/* kind: turned back. */
static HnVar *rotate(const Case *c, HnTape *t, HnVar **in) {
  return hn_rotate(t, in[0], in[1], c->kind);
}
static void rotate_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->out[1];
  for (int64_t row = 0; row < c->out[0]; row++)
    for (int64_t i = 0; i < n; i++) {
      double sum = 0;
      for (int64_t j = 0; j < n; j++)
        sum += in[0][row * n * n + (c->kind ? j * n + i : i * n + j)] * in[1][row * n + j];
      y[row * n + i] = sum;
    }
}

/* Between 0 and 3 ones among up to 5 draws; kind 0: single draws that are 0 or 1. */
static void counts_of(const Case *c, int64_t i, double *ones, double *total) {
  const int32_t k = pick[i];
  *total = c->kind ? k % 6 : 1;
  *ones = fmin(c->kind ? k / 2 % 4 : k % 2, *total);
}
static HnVar *bernoulli(const Case *c, HnTape *t, HnVar **in) {
  const int64_t n = c->shape[0][0] * c->shape[0][1];
  float *ones = hn_tape_room(t, n, sizeof *ones), *total = hn_tape_room(t, n, sizeof *total);
  for (int64_t i = 0; i < n; i++) {
    double a, b;
    counts_of(c, i, &a, &b);
    ones[i] = (float)a, total[i] = (float)b;
  }
  return hn_bce_logits(t, in[0], ones, c->kind ? total : NULL);
}
static void bernoulli_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->shape[0][1];
  memset(y, 0, sizeof *y * (size_t)c->out[0]);
  for (int64_t i = 0; i < c->shape[0][0] * n; i++) {
    const double p = 1 / (1 + exp(-in[0][i]));
    double ones, total;
    counts_of(c, i, &ones, &total);
    for (int k = 0; k < (int)total; k++) y[i / n] -= k < (int)ones ? log(p) : log(1 - p);
  }
}

static HnVar *softmax(const Case *c, HnTape *t, HnVar **in) {
  (void)c;
  return hn_softmax(t, in[0]);
}
static void softmax_naive(int64_t n, const double *x, double *p) {
  double sum = 0;
  for (int64_t j = 0; j < n; j++) sum += exp(x[j]);
  for (int64_t j = 0; j < n; j++) p[j] = exp(x[j]) / sum;
}
static void softmax_rows_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->shape[0][1];
  for (int64_t i = 0; i < c->shape[0][0]; i++) softmax_naive(n, in[0] + i * n, y + i * n);
}

static HnVar *categorical(const Case *c, HnTape *t, HnVar **in) {
  return c->kind == LOGP      ? hn_categorical_logp(t, in[0], pick)
         : c->kind == ENTROPY ? hn_categorical_entropy(t, in[0])
                              : hn_categorical_kl(t, in[0], in[1]);
}
static void categorical_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->shape[0][1];
  double p[MOST], q[MOST];
  for (int64_t i = 0; i < c->shape[0][0]; i++) {
    softmax_naive(n, in[0] + i * n, p);
    if (c->kind == KL) softmax_naive(n, in[1] + i * n, q);
    y[i] = c->kind == LOGP ? log(p[pick[i]]) : 0;
    for (int64_t j = 0; j < n; j++) {
      if (c->kind == ENTROPY) y[i] -= p[j] * log(p[j]);
      if (c->kind == KL) y[i] += p[j] * log(p[j] / q[j]);
    }
  }
}

/* Three members of a mixture; kind 1: their mean. */
static HnVar *mixture(const Case *c, HnTape *t, HnVar **in) {
  return hn_mixture_logp(t, 3, in, c->kind);
}
static void mixture_naive(const Case *c, double **in, double *y) {
  for (int64_t i = 0; i < c->out[0]; i++) {
    y[i] = log((exp(in[0][i]) + exp(in[1][i]) + exp(in[2][i])) / 3);
    if (c->kind) y[i] = (in[0][i] + in[1][i] + in[2][i]) / 3;
  }
}

/* ---- recurrence: inputs x, h0, w, u, b, c; kinds in bits ---- */

enum { STEPS = 4, BATCH = 3 };
enum {
  RESETS = 1,
  CELLS = 2,
  HIDDEN = 4,
  SHARED = 8,
  OWN = 16
}; /* steps pick rows of x; or each its own */
static const uint8_t resets[STEPS * BATCH] = {0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 1, 1};

/* The input of a step and row. */
static const double *input_of(const Case *c, double **in, int64_t row) {
  return in[0] + (c->kind & SHARED ? pick[row] : row) * c->shape[0][1];
}
static HnRnnRun run_cell(const Case *c, HnTape *t, HnRnnCell cell, HnVar *x, HnVar *carry,
                         HnRnnWeights k) {
  const uint8_t *reset = c->kind & RESETS ? resets : NULL;
  if (!(c->kind & (SHARED | OWN))) return hn_rnn_run(t, cell, STEPS, x, carry, k, reset);
  HnVar *sums = hn_linear(t, x, k.w, k.b, HN_LINEAR);
  return hn_rnn_run_shared(t, cell, STEPS, sums, c->kind & SHARED ? pick : NULL, carry, k.u, k.c,
                           reset);
}

static HnVar *gru(const Case *c, HnTape *t, HnVar **in) {
  const HnRnnWeights weights = {in[2], in[3], in[4], in[5]};
  return run_cell(c, t, HN_RNN_GRU, in[0], in[1], weights).state[0];
}
/* Gate k's share of unit j from v [m] by matrix m x gates n and bias. */
static double gate_of(int64_t gates, int64_t m, int64_t n, int k, int64_t j, const double *v,
                      const double *matrix, const double *bias) {
  double sum = bias[k * n + j];
  for (int64_t p = 0; p < m; p++) sum += v[p] * matrix[p * gates * n + k * n + j];
  return sum;
}
static double gate(int64_t m, int64_t n, int k, int64_t j, const double *v, const double *matrix,
                   const double *bias) {
  return gate_of(3, m, n, k, j, v, matrix, bias);
}
static void gru_naive(const Case *c, double **in, double *y) {
  const int64_t m = c->shape[0][1], n = c->shape[1][1];
  for (int64_t i = 0; i < BATCH; i++) {
    double h[MOST] = {0}, next[MOST];
    memcpy(h, in[1] + i * n, sizeof *h * (size_t)n);
    for (int64_t step = 0; step < STEPS; step++) {
      const int64_t row = step * BATCH + i;
      const double *x = input_of(c, in, row);
      if (c->kind & RESETS && resets[row]) memset(h, 0, sizeof h);
      for (int64_t j = 0; j < n; j++) {
        const double r = activation(HN_SIGMOID, gate(m, n, 0, j, x, in[2], in[4]) +
                                                    gate(n, n, 0, j, h, in[3], in[5]));
        const double z = activation(HN_SIGMOID, gate(m, n, 1, j, x, in[2], in[4]) +
                                                    gate(n, n, 1, j, h, in[3], in[5]));
        const double k =
            tanh(gate(m, n, 2, j, x, in[2], in[4]) + r * gate(n, n, 2, j, h, in[3], in[5]));
        next[j] = (1 - z) * k + z * h[j];
      }
      memcpy(h, next, sizeof *h * (size_t)n);
      memcpy(y + row * n, h, sizeof *h * (size_t)n);
    }
  }
}

/* Inputs x, h0, c0, w, u, b, c. */
static HnVar *lstm(const Case *c, HnTape *t, HnVar **in) {
  const HnRnnWeights weights = {in[3], in[4], in[5], in[6]};
  const HnRnnRun run = run_cell(c, t, HN_RNN_LSTM, in[0], hn_concat(t, 2, in + 1), weights);
  if (!(c->kind & HIDDEN)) return run.state[1];
  return c->kind & CELLS ? hn_concat(t, 2, run.state) : run.state[0];
}
/* One row over one step, in place. */
static void lstm_step_naive(const Case *c, double **in, int64_t row, double *h, double *m) {
  const int64_t width = c->shape[0][1], n = c->shape[1][1];
  double next[MOST];
  for (int64_t j = 0; j < n; j++) {
    double sum[4];
    for (int k = 0; k < 4; k++)
      sum[k] = gate_of(4, width, n, k, j, input_of(c, in, row), in[3], in[5]) +
               gate_of(4, n, n, k, j, h, in[4], in[6]);
    m[j] = m[j] / (1 + exp(-sum[1])) + tanh(sum[2]) / (1 + exp(-sum[0]));
    next[j] = tanh(m[j]) / (1 + exp(-sum[3]));
  }
  memcpy(h, next, sizeof *h * (size_t)n);
}
static void lstm_naive(const Case *c, double **in, double *y) {
  const int64_t n = c->shape[1][1];
  for (int64_t i = 0; i < BATCH; i++) {
    double h[MOST], m[MOST];
    memcpy(h, in[1] + i * n, sizeof *h * (size_t)n);
    memcpy(m, in[2] + i * n, sizeof *m * (size_t)n);
    for (int64_t step = 0; step < STEPS; step++) {
      const int64_t row = step * BATCH + i;
      for (int64_t j = 0; c->kind & RESETS && resets[row] && j < n; j++) h[j] = m[j] = 0;
      lstm_step_naive(c, in, row, h, m);
      double *out = y + row * c->out[1];
      if (c->kind & CELLS) memcpy(out + c->out[1] - n, m, sizeof *m * (size_t)n);
      if (c->kind & HIDDEN) memcpy(out, h, sizeof *h * (size_t)n);
    }
  }
}

/* ---- the cases ---- */

#define UNARY(NAME, KIND, POSITIVE) \
  { NAME, 1, {{5, 7}}, {5, 7}, KIND, elementwise, elementwise_naive, POSITIVE }
#define BINARY(NAME, KIND)                                                                        \
  {NAME "/full", 2, {{5, 7}, {5, 7}}, {5, 7}, KIND, elementwise, elementwise_naive, false},       \
      {NAME "/row", 2, {{5, 7}, {1, 7}}, {5, 7}, KIND, elementwise, elementwise_naive, false},    \
      {NAME "/by-row", 2, {{5, 7}, {5, 1}}, {5, 7}, KIND, elementwise, elementwise_naive, false}, \
      {NAME "/scalar", 2, {{5, 7}, {1, 1}}, {5, 7}, KIND, elementwise, elementwise_naive, false}, \
      {NAME "/column", 2, {{6, 1}, {6, 1}}, {6, 1}, KIND, elementwise, elementwise_naive, false}, \
  {                                                                                               \
    NAME "/column-scalar", 2, {{6, 1}, {1, 1}}, {6, 1}, KIND, elementwise, elementwise_naive,     \
        false                                                                                     \
  }
#define GRU(ROWS, IN, N)                                           \
  {                                                                \
    {ROWS, IN}, {BATCH, N}, {IN, 3 * N}, {N, 3 * N}, {1, 3 * N}, { \
      1, 3 * N                                                     \
    }                                                              \
  }
#define LSTM(ROWS, IN, N)                                                      \
  {                                                                            \
    {ROWS, IN}, {BATCH, N}, {BATCH, N}, {IN, 4 * N}, {N, 4 * N}, {1, 4 * N}, { \
      1, 4 * N                                                                 \
    }                                                                          \
  }
static const Case cases[] = {
    {"rotate/there", 2, {{4, 25}, {4, 5}}, {4, 5}, 0, rotate, rotate_naive, false},
    {"rotate/back", 2, {{3, 121}, {3, 11}}, {3, 11}, 1, rotate, rotate_naive, false},
    {"linear/plain", 2, {{5, 7}, {7, 3}}, {5, 3}, HN_LINEAR, linear, linear_naive, false},
    {"linear/bias", 3, {{5, 7}, {7, 19}, {1, 19}}, {5, 19}, HN_LINEAR, linear, linear_naive, false},
    {"linear/tanh", 3, {{9, 6}, {6, 33}, {1, 33}}, {9, 33}, HN_TANH, linear, linear_naive, false},
    {"linear/relu", 3, {{3, 6}, {6, 70}, {1, 70}}, {3, 70}, HN_RELU, linear, linear_naive, false},
    {"linear/sigmoid",
     3,
     {{4, 5}, {5, 8}, {1, 8}},
     {4, 8},
     HN_SIGMOID,
     linear,
     linear_naive,
     false},
    {"linear/leaky-relu",
     3,
     {{4, 5}, {5, 8}, {1, 8}},
     {4, 8},
     HN_LEAKY_RELU,
     linear,
     linear_naive,
     false},
    {"linear/one", 3, {{1, 1}, {1, 1}, {1, 1}}, {1, 1}, HN_TANH, linear, linear_naive, false},
    {"linear-pick/bias",
     3,
     {{6, 5}, {5, 9}, {1, 9}},
     {6, 3},
     0,
     linear_pick,
     linear_pick_naive,
     false},
    {"linear-pick/wide", 2, {{4, 37}, {37, 7}}, {4, 1}, 0, linear_pick, linear_pick_naive, false},
    {"matmul", 2, {{6, 5}, {5, 17}}, {6, 17}, 0, matmul, linear_naive, false},
    {"layer-norm/plain", 1, {{5, 7}}, {5, 7}, 0, layer_norm, layer_norm_naive, false},
    {"layer-norm/gain", 2, {{4, 5}, {1, 5}}, {4, 5}, 0, layer_norm, layer_norm_naive, false},
    {"layer-norm/all",
     3,
     {{3, 19}, {1, 19}, {1, 19}},
     {3, 19},
     0,
     layer_norm,
     layer_norm_naive,
     false},
    {"attention/all", 1, {{6, 12}}, {6, 4}, HN_ATTEND_ALL, attention, attention_naive, false},
    {"attention/causal", 1, {{9, 12}}, {9, 4}, HN_ATTEND_CAUSAL, attention, attention_naive, false},
    {"attention/last", 1, {{9, 18}}, {3, 6}, HN_ATTEND_LAST, attention, attention_naive, false},
    {"attention/all-of",
     1,
     {{5, 12}},
     {21, 4},
     HN_ATTEND_ALL | TABLE,
     attention,
     attention_naive,
     false},
    {"attention/causal-of",
     1,
     {{5, 12}},
     {63, 4},
     HN_ATTEND_CAUSAL | TABLE,
     attention,
     attention_naive,
     false},
    {"attention/last-of",
     1,
     {{8, 114}},
     {9, 38},
     HN_ATTEND_LAST | TABLE,
     attention,
     attention_naive,
     false},
    {"pick_rows", 1, {{5, 4}}, {9, 4}, HN_ATTEND_CAUSAL | TABLE, pick_rows, pick_rows_naive, false},
    BINARY("add", ADD),
    BINARY("sub", SUB),
    BINARY("mul", MUL),
    BINARY("min", MIN),
    BINARY("max", MAX),
    {"huber", 2, {{5, 7}, {5, 7}}, {5, 7}, HUBER, elementwise, elementwise_naive, false},
    UNARY("affine", AFFINE, false),
    UNARY("exp", EXP, false),
    UNARY("log", LOG, true),
    UNARY("square", SQUARE, false),
    UNARY("softplus", SOFTPLUS, false),
    UNARY("clamp", CLAMP, false),
    {"activate/tanh", 1, {{5, 7}}, {5, 7}, HN_TANH, activate, activate_naive, false},
    {"activate/relu", 1, {{5, 7}}, {5, 7}, HN_RELU, activate, activate_naive, false},
    {"activate/sigmoid", 1, {{5, 7}}, {5, 7}, HN_SIGMOID, activate, activate_naive, false},
    {"activate/leaky-relu", 1, {{5, 7}}, {5, 7}, HN_LEAKY_RELU, activate, activate_naive, false},
    {"activate/linear", 1, {{5, 7}}, {5, 7}, HN_LINEAR, activate, activate_naive, false},
    {"concat", 3, {{4, 2}, {4, 5}, {4, 1}}, {4, 8}, CONCAT, shape, shape_naive, false},
    {"stack", 2, {{4, 3}, {2, 3}}, {6, 3}, STACK, shape, shape_naive, false},
    {"columns", 1, {{4, 7}}, {4, 3}, COLUMNS, shape, shape_naive, false},
    {"rows_of", 1, {{7, 3}}, {4, 3}, ROWS, shape, shape_naive, false},
    {"sum", 1, {{7, 5}}, {1, 1}, SUM, shape, shape_naive, false},
    {"mean", 1, {{7, 5}}, {1, 1}, MEAN, shape, shape_naive, false},
    {"sum_columns", 1, {{7, 5}}, {7, 1}, SUM_COLUMNS, shape, shape_naive, false},
    {"dot", 1, {{7, 5}}, {1, 1}, DOT, shape, shape_naive, false},
    {"normal/logp", 2, {{6, 3}, {6, 3}}, {6, 1}, LOGP, normal, normal_naive, false},
    {"normal/logp-row", 2, {{6, 3}, {1, 3}}, {6, 1}, LOGP, normal, normal_naive, false},
    {"normal/entropy", 1, {{6, 3}}, {6, 1}, ENTROPY, normal, normal_naive, false},
    {"normal/kl", 4, {{6, 3}, {6, 3}, {6, 3}, {6, 3}}, {6, 1}, KL, normal, normal_naive, false},
    {"normal/kl-row", 4, {{6, 3}, {6, 3}, {1, 3}, {1, 3}}, {6, 1}, KL, normal, normal_naive, false},
    {"normal/kl-std", 4, {{6, 3}, {1, 3}, {6, 3}, {1, 3}}, {6, 1}, KL, normal, normal_naive, false},
    {"normal/sample", 2, {{6, 3}, {6, 3}}, {6, 3}, SAMPLE, normal, normal_naive, false},
    {"normal/sample-row", 2, {{6, 3}, {1, 3}}, {6, 3}, SAMPLE, normal, normal_naive, false},
    {"tanh-normal/logp", 2, {{6, 3}, {6, 3}}, {6, 1}, TANH_LOGP, normal, normal_naive, false},
    {"tanh-normal/logp-row", 2, {{6, 3}, {1, 3}}, {6, 1}, TANH_LOGP, normal, normal_naive, false},
    {"tanh-normal/slope", 1, {{6, 3}}, {6, 1}, TANH_SLOPE, normal, normal_naive, false},
    {"bce/single", 1, {{6, 5}}, {6, 1}, 0, bernoulli, bernoulli_naive, false},
    {"bce/counts", 1, {{6, 5}}, {6, 1}, 1, bernoulli, bernoulli_naive, false},
    {"softmax", 1, {{6, 5}}, {6, 5}, 0, softmax, softmax_rows_naive, false},
    {"categorical/logp", 1, {{6, 5}}, {6, 1}, LOGP, categorical, categorical_naive, false},
    {"categorical/entropy", 1, {{6, 5}}, {6, 1}, ENTROPY, categorical, categorical_naive, false},
    {"categorical/kl", 2, {{6, 5}, {6, 5}}, {6, 1}, KL, categorical, categorical_naive, false},
    {"mixture/density", 3, {{5, 1}, {5, 1}, {5, 1}}, {5, 1}, 0, mixture, mixture_naive, false},
    {"mixture/mean", 3, {{5, 1}, {5, 1}, {5, 1}}, {5, 1}, 1, mixture, mixture_naive, false},
    {"gru/plain", 6, GRU(12, 2, 5), {12, 5}, 0, gru, gru_naive, false},
    {"gru/reset", 6, GRU(12, 2, 5), {12, 5}, RESETS, gru, gru_naive, false},
    {"gru/wide", 6, GRU(12, 3, 21), {12, 21}, RESETS, gru, gru_naive, false},
    {"gru/shared", 6, GRU(4, 2, 5), {12, 5}, RESETS | SHARED, gru, gru_naive, false},
    {"gru/own", 6, GRU(12, 2, 5), {12, 5}, RESETS | OWN, gru, gru_naive, false},
    {"lstm/plain", 7, LSTM(12, 2, 5), {12, 5}, HIDDEN, lstm, lstm_naive, false},
    {"lstm/reset", 7, LSTM(12, 2, 5), {12, 5}, HIDDEN | RESETS, lstm, lstm_naive, false},
    {"lstm/cells", 7, LSTM(12, 2, 5), {12, 5}, CELLS | RESETS, lstm, lstm_naive, false},
    {"lstm/wide", 7, LSTM(12, 3, 17), {12, 34}, HIDDEN | CELLS | RESETS, lstm, lstm_naive, false},
    {"lstm/shared", 7, LSTM(5, 3, 17), {12, 34}, HIDDEN | CELLS | SHARED, lstm, lstm_naive, false},
};

/* ---- inputs ---- */

typedef struct Data {
  float x[INPUTS][MOST], grad[INPUTS][MOST], weight[MOST];
  double wide[INPUTS][MOST], slope[INPUTS][MOST], *in[INPUTS];
} Data;

static int64_t count(const int64_t shape_of[2]) {
  return shape_of[0] * shape_of[1];
}

static int64_t choices(const Case *c) {
  if (c->tape == linear_pick) return c->shape[1][1];
  if (c->tape == bernoulli) return 60;
  const bool rows =
      c->tape == attention || c->tape == pick_rows || c->tape == gru || c->tape == lstm;
  return c->shape[0][rows ? 0 : 1];
}

static void draw(const Case *c, Data *d) {
  HnRng rng = hn_rng(7, g_str_hash(c->name));
  for (int k = 0; k < c->inputs; k++) {
    for (int64_t i = 0; i < count(c->shape[k]); i++) {
      const double x = 0.7 * hn_rng_normal(&rng);
      d->x[k][i] = (float)(c->positive ? fabs(x) + 0.3 : x);
      d->wide[k][i] = (double)d->x[k][i];
    }
    d->in[k] = d->wide[k];
  }
  for (int64_t i = 0; i < count(c->out); i++) d->weight[i] = (float)hn_rng_normal(&rng);
  for (int64_t i = 0; i < MOST; i++) {
    constant[i] = (float)hn_rng_normal(&rng);
    pick[i] = (int32_t)hn_rng_below(&rng, choices(c));
  }
}

#endif
