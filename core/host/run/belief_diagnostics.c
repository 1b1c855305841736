/* belief_diagnostics.c - see belief_diagnostics.h. */
#include "belief_diagnostics.h"
#include "outputs.h"
#include <math.h>
#include <string.h>

enum {
  BLOCK = 8,   /* rows whose beliefs along a window are held at once */
  POWERS = 3,  /* of a task parameter */
  ASKED = 256, /* steps on which the policy compares beliefs in one call */
};

/* ---- statistics ---- */

/* Column j of x [n, width], centred; returns its sum of squares, 0 where it is constant. */
static double centred(int64_t n, int64_t width, const float *x, int64_t j, double *out) {
  double mean = 0, square = 0, largest = 0;
  for (int64_t i = 0; i < n; i++) mean += (double)x[i * width + j] / (double)n;
  for (int64_t i = 0; i < n; i++) {
    out[i] = (double)x[i * width + j] - mean;
    square += out[i] * out[i], largest = fmax(largest, fabs((double)x[i * width + j]));
  }
  return square > 1e-10 * (double)n * largest * largest ? square : 0;
}

static double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void subtract(int64_t n, double by, const double *a, double *from) {
  for (int64_t i = 0; i < n; i++) from[i] -= by * a[i];
}

/* An orthonormal basis [rank, n] of the centred powers of the task's parameters; twice, as once
 * leaves rounding behind. */
static int64_t task_basis(int64_t n, int64_t K, const float *task, double *basis) {
  int64_t rank = 0;
  double *t = g_new(double, n);
  for (int64_t k = 0; k < K; k++) {
    const double square = centred(n, K, task, k, t), scale = sqrt(square / (double)n);
    if (square <= 0) continue;
    for (int power = 1; power <= POWERS; power++) {
      double *q = basis + rank * n, mean = 0;
      for (int64_t i = 0; i < n; i++) q[i] = pow(t[i] / scale, power), mean += q[i] / (double)n;
      for (int64_t i = 0; i < n; i++) q[i] -= mean;
      const double whole = dot(n, q, q);
      for (int pass = 0; pass < 2; pass++)
        for (int64_t b = 0; b < rank; b++) subtract(n, dot(n, q, basis + b * n), basis + b * n, q);
      const double left = dot(n, q, q);
      if (left <= 1e-8 * whole) continue;
      for (int64_t i = 0; i < n; i++) q[i] /= sqrt(left);
      rank++;
    }
  }
  g_free(t);
  return rank;
}

double hn_belief_task_share(int64_t n, int64_t D, const float *belief, int64_t K,
                            const float *task) {
  double *basis = g_new(double, MAX(K, 1) * POWERS * n + n), *z = g_new(double, n);
  const int64_t rank = task_basis(n, K, task, basis);
  double share = 0;
  int64_t used = 0;
  for (int64_t j = 0; j < D && rank > 0 && n - 1 > rank; j++) {
    const double whole = centred(n, D, belief, j, z);
    if (whole <= 0) continue;
    for (int64_t b = 0; b < rank; b++) subtract(n, dot(n, z, basis + b * n), basis + b * n, z);
    share += 1 - dot(n, z, z) / (double)(n - 1 - rank) / (whole / (double)(n - 1));
    used++;
  }
  g_free(basis), g_free(z);
  return used ? share / (double)used : (double)NAN;
}

double hn_belief_reliability(int64_t n, int64_t D, const float *first, const float *second) {
  double *x = g_new(double, n), *y = g_new(double, n), both = 0, in_x = 0, in_y = 0;
  for (int64_t j = 0; j < D; j++) {
    const double a = centred(n, D, first, j, x), b = centred(n, D, second, j, y), scale = a + b;
    if (scale <= 0) continue;
    both += dot(n, x, y) / scale, in_x += a / scale, in_y += b / scale;
  }
  g_free(x), g_free(y);
  return in_x > 0 && in_y > 0 ? both / sqrt(in_x * in_y) : (double)NAN;
}

double hn_belief_drift(int64_t n, int64_t D, const float *before, const float *after) {
  double *x = g_new(double, n), sum = 0;
  int64_t used = 0;
  for (int64_t j = 0; j < D; j++) {
    const double whole = centred(n, D, before, j, x);
    if (whole <= 0) continue;
    double moved = 0;
    for (int64_t i = 0; i < n; i++) {
      const double by = (double)after[i * D + j] - (double)before[i * D + j];
      moved += by * by;
    }
    sum += moved / whole, used++;
  }
  g_free(x);
  return used ? sqrt(sum / (double)used) : (double)NAN;
}

/* ---- beliefs along windows ---- */

/* Where each row's time steps begin [-1 .. steps], to be changed; free with g_free. */
static uint8_t *begins_of(const HnExperience *w, int64_t steps) {
  const gsize rows = (gsize)w->h.rows;
  uint8_t *begin = g_malloc((gsize)(steps + 2) * rows);
  memcpy(begin, hn_experience_at(w, HN_F_BEGIN, -1, 0), (gsize)(steps + 2) * rows);
  return begin;
}

/* Beliefs [steps + 1, rows, max(samples, 1), D] of rows first .. along the first `steps` steps of
 * w, with begins as in begin; state is theirs. */
static HnStatus infer_rows(HnSession *s, const HnExperience *w, const uint8_t *begin, int64_t first,
                           int64_t rows, int64_t steps, int64_t samples, char *state,
                           float *belief) {
  HnRng rng[BLOCK];
  for (int64_t i = 0; i < rows; i++) rng[i] = hn_rng(s->cell->seed, (uint64_t)(first + i));
  HnHistory h = hn_experience_view(w, s->inference, 0, first, steps, rows);
  h.begin = begin + w->h.rows + first, h.state = NULL;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = samples,
                      .rng = rng,
                      .belief = belief};
  HnStatus status;
  HN_CALL(status, INFERENCE_infer, HN_INFERENCE(s)->infer(s->inference->self, &q));
  const HnOutputs given = {
      .of = s->inference, .call = "infer", .rows = (steps + 1) * rows, .batch = rows};
  const int64_t width = MAX(samples, 1) * s->shape.belief;
  return status ? status : hn_outputs_finite(&given, "belief", belief, width);
}

struct HnBeliefWatch {
  int64_t rows, D, K;
  gsize row;                    /* bytes of row memory */
  char *state;                  /* [rows] as though every episode were a trial */
  int64_t *episode;             /* [rows] being acted in */
  float *now;                   /* [rows, D] newest belief of the episode */
  float *first, *second, *both; /* [rows, D] of each episode alone; of the whole trial */
  float *task;                  /* [rows, K] */
};

HnBeliefWatch *hn_belief_watch_new(const HnSession *s, int64_t rows) {
  HnBeliefWatch *x = g_new0(HnBeliefWatch, 1);
  const int64_t D = s->shape.belief, K = s->shape.task;
  *x = (HnBeliefWatch){.rows = rows, .D = D, .K = K, .row = s->shape.belief_row};
  x->state = g_malloc0((gsize)rows * x->row + 1);
  x->episode = g_new0(int64_t, rows);
  x->now = g_new0(float, rows *D + 1), x->first = g_new0(float, rows *D + 1);
  x->second = g_new0(float, rows *D + 1), x->both = g_new0(float, rows *D + 1);
  x->task = g_new0(float, rows *K + 1);
  return x;
}

void hn_belief_watch_free(HnBeliefWatch *x) {
  if (!x) return;
  g_free(x->state), g_free(x->episode), g_free(x->now), g_free(x->task);
  g_free(x->first), g_free(x->second), g_free(x->both), g_free(x);
}

/* Row i at observation `at`: an episode has ended before it, or this is the trial's last. */
static void take_belief(HnBeliefWatch *x, int64_t i, uint8_t begin, const float *belief, bool end) {
  const gsize size = (gsize)x->D * sizeof(float);
  float *of[] = {x->first + i * x->D, x->second + i * x->D};
  if (begin == HN_NEW_EPISODE) {
    if (x->episode[i] < 2) memcpy(of[x->episode[i]], x->now + i * x->D, size);
    x->episode[i]++;
  }
  memcpy(x->now + i * x->D, belief, size);
  if (end && x->episode[i] == 1) memcpy(of[1], belief, size), x->episode[i]++;
}

/* The mean over samples of the belief that row i had at observation t. */
static void take_end(HnBeliefWatch *x, const HnExperience *w, int64_t samples, int64_t t,
                     int64_t i) {
  const int64_t S = MAX(samples, 1);
  const float *belief = hn_experience_at(w, HN_F_BELIEF, t, i);
  for (int64_t j = 0; j < x->D; j++) {
    double sum = 0;
    for (int64_t k = 0; k < S; k++) sum += (double)belief[k * x->D + j];
    x->both[i * x->D + j] = (float)(sum / (double)S);
  }
  if (x->K)
    memcpy(x->task + i * x->K, hn_experience_at(w, HN_F_TASK, t, i), (gsize)x->K * sizeof(float));
}

HnStatus hn_belief_watch_window(HnBeliefWatch *x, HnSession *s, const HnRollouts *r,
                                const HnExperience *w, int64_t at, int64_t steps, bool last) {
  const int64_t B = w->h.rows,
                seen = last ? steps : steps - 1; /* the rest begins the next window */
  float *belief = g_new(float, (seen + 1) * BLOCK * x->D + 1);
  uint8_t *begin = begins_of(w, steps);
  for (int64_t k = 0; k < (steps + 2) * B; k++)
    if (begin[k] == HN_NEW_EPISODE) begin[k] = HN_NEW_TASK;
  HnStatus status = HN_OK;
  for (int64_t first = 0; first < B && !status; first += BLOCK) {
    const int64_t rows = MIN(BLOCK, B - first);
    status =
        infer_rows(s, w, begin, first, rows, seen, 0, x->state + (gsize)first * x->row, belief);
    for (int64_t t = 0; t <= seen && !status; t++)
      for (int64_t k = 0; k < rows; k++) {
        const int64_t i = first + k, end = MIN(r->ended[i], s->eval_trial.lifetime);
        if (at + t > end) continue;
        take_belief(x, i, *(const uint8_t *)hn_experience_at(w, HN_F_BEGIN, t, i),
                    belief + (t * rows + k) * x->D, at + t == end);
        if (at + t == end) take_end(x, w, r->samples, t, i);
      }
  }
  g_free(belief), g_free(begin);
  return status;
}

void hn_belief_watch_result(const HnBeliefWatch *x, double *task_share, double *reliability) {
  const gsize size = (gsize)x->D * sizeof(float);
  int64_t n = 0; /* rows that had two episodes, moved to the front */
  for (int64_t i = 0; i < x->rows; i++) {
    if (x->episode[i] < 2) continue;
    memmove(x->first + n * x->D, x->first + i * x->D, size);
    memmove(x->second + n * x->D, x->second + i * x->D, size);
    n++;
  }
  *reliability = hn_belief_reliability(n, x->D, x->first, x->second);
  *task_share = hn_belief_task_share(x->rows, x->D, x->both, x->K, x->task);
}

/* ---- what learning moves ---- */

/* Beliefs of rows first .. along the whole window, each row's trial begun with it; state has room
 * for BLOCK rows. */
static HnStatus probe_rows(HnSession *s, const uint8_t *begin, int64_t first, int64_t rows,
                           int64_t samples, char *state, float *along) {
  const HnExperience *w = &s->phase[s->phases - 1];
  memset(state, 0, (gsize)rows * s->shape.belief_row);
  return infer_rows(s, w, begin, first, rows, w->h.steps, samples, state, along);
}

/* Of a row's point beliefs along the window, [T + 1, rows, D], the last. */
static void take_last(const HnSession *s, const uint8_t *begin, int64_t first, int64_t rows,
                      const float *along, float *last) {
  const HnExperience *w = &s->phase[s->phases - 1];
  const int64_t B = w->h.rows, T = w->h.steps, D = s->shape.belief;
  for (int64_t i = 0; i < rows; i++) {
    const bool over = begin[(T + 1) * B + first + i] == HN_NEW_TASK; /* T has the next trial's */
    memcpy(last + (first + i) * D, along + ((T - over) * rows + i) * D, (gsize)D * sizeof *last);
  }
}

HnStatus hn_belief_probe(HnSession *s, HnBeliefProbe *x) {
  const HnExperience *w = &s->phase[s->phases - 1];
  const int64_t B = w->h.rows, T = w->h.steps, D = s->shape.belief, S = s->eval_samples;
  const int64_t width = MAX(S, 1) * D;
  *x = (HnBeliefProbe){.last = g_new0(float, B *D + 1)};
  if (HN_CAN(HN_POLICY(s), divergence)) x->acted = g_new(float, (T + 1) * B * width + 1);
  g_autofree float *along = g_new(float, (T + 1) * BLOCK * D + 1);
  g_autofree char *state = g_malloc(BLOCK * s->shape.belief_row + 1);
  g_autofree uint8_t *begin = begins_of(w, T);
  memset(begin + B, HN_NEW_TASK, (gsize)B);
  HnStatus status = HN_OK;
  for (int64_t first = 0; first < B && !status; first += BLOCK) {
    const int64_t rows = MIN(BLOCK, B - first);
    float *acted = x->acted ? x->acted + first * (T + 1) * width : NULL;
    float *point = acted && !S ? acted : along;
    status = probe_rows(s, begin, first, rows, 0, state, point);
    if (!status) take_last(s, begin, first, rows, point, x->last);
    if (!status && acted && S) status = probe_rows(s, begin, first, rows, S, state, acted);
  }
  return status;
}

void hn_belief_probe_clear(HnBeliefProbe *x) {
  g_clear_pointer(&x->last, g_free);
  g_clear_pointer(&x->acted, g_free);
}

/* Steps `from` .. of rows first .. of the window, counted along time first: at most ASKED of them.
 * a, b [count, max(S, 1), D] are their beliefs. */
static HnStatus compare_steps(HnSession *s, int64_t first, int64_t rows, int64_t from,
                              int64_t count, const float *a, const float *b, double *sum) {
  const HnExperience *w = &s->phase[s->phases - 1];
  const int64_t O = s->shape.obs;
  g_autofree float *obs = g_new(float, count *O + 1), *kl = g_new(float, count);
  for (int64_t k = 0; k < count; k++)
    memcpy(obs + k * O, hn_experience_at(w, HN_F_OBS, (from + k) / rows, first + (from + k) % rows),
           (gsize)O * sizeof *obs);
  HnStatus status;
  HN_CALL(status, POLICY_divergence,
          HN_POLICY(s)->divergence(s->policy->self, count, obs, a, b, s->eval_samples, kl));
  const HnOutputs given = {.of = s->policy, .call = "divergence", .rows = count, .batch = count};
  if (!status) status = hn_outputs_finite(&given, "KL divergence", kl, 1);
  for (int64_t k = 0; k < count && !status; k++) *sum += (double)kl[k];
  return status;
}

HnStatus hn_belief_policy_kl(HnSession *s, const HnBeliefProbe *before, const HnBeliefProbe *after,
                             double *kl) {
  const HnExperience *w = &s->phase[s->phases - 1];
  const int64_t B = w->h.rows, T = w->h.steps, width = MAX(s->eval_samples, 1) * s->shape.belief;
  double sum = 0;
  HnStatus status = HN_OK;
  *kl = (double)NAN;
  if (!before->acted) return HN_OK;
  for (int64_t first = 0; first < B && !status; first += BLOCK) {
    const int64_t rows = MIN(BLOCK, B - first), block = first * (T + 1) * width;
    for (int64_t from = 0; from < T * rows && !status; from += ASKED)
      status = compare_steps(s, first, rows, from, MIN(ASKED, T * rows - from),
                             before->acted + block + from * width,
                             after->acted + block + from * width, &sum);
  }
  if (!status) *kl = sum / (double)(T * B);
  return status == HN_E_UNSUPPORTED ? HN_OK : status;
}
