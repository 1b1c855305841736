/* anchors.c - see anchors.h. */
#include "anchors.h"
#include "model.h"
#include "view.h"
#include <math.h>
#include <string.h>

enum { CANDIDATES = 2048 };

static double *keep_features(const Glibrl *g, const char *name, int64_t d) {
  return g->host->keep(g->host, HN_ARRAY(name, HN_WEIGHT, HN_F64, .rank = 2,
                                         .dim = {g->p->anchors, hn_mnw_probe_width(d)}));
}

void glibrl_keep_anchors(Glibrl *g) {
  GlibrlModel *tr = &g->transition, *re = &g->reward;
  const int64_t width = 2 * g->obs_dim + g->action_dim;
  g->anchor = g->host->keep(
      g->host, HN_ARRAY("anchor", HN_WEIGHT, HN_F32, .rank = 2, .dim = {g->p->anchors, width}));
  if (glibrl_policy_sees(g, tr)) tr->anchor_c = keep_features(g, "anchor.transition", tr->d);
  if (glibrl_policy_sees(g, re)) re->anchor_c = keep_features(g, "anchor.reward", re->d);
}

/* The state of choosing rows of c [n, d]: a Cholesky factorisation of c c' with pivots. */
typedef struct Choice {
  int64_t n, d;
  const float *c;
  double *left; /* [n] squared norms of what chosen rows leave of a row; of those themselves -1 */
  double *l;    /* [count, n] columns of the factor */
  float *inner; /* [n] */
} Choice;

static int64_t largest_left(const Choice *x) {
  int64_t best = 0;
  for (int64_t i = 1; i < x->n; i++)
    if (x->left[i] > x->left[best]) best = i;
  return best;
}

/* Takes row `pivot` as number k, where rows from .. k - 1 count as chosen. */
static void take_row(const Choice *x, int64_t pivot, int64_t from, int64_t k) {
  const double root = sqrt(fmax(x->left[pivot], 0));
  double *to = x->l + k * x->n;
  hn_gemm(x->n, 1, x->d, x->c, x->d, 1, x->c + pivot * x->d, 1, 0, x->inner, 1);
  for (int64_t i = 0; i < x->n; i++) to[i] = (double)x->inner[i];
  for (int64_t j = from; j < k; j++) {
    const double *l = x->l + j * x->n, weight = l[pivot];
    for (int64_t i = 0; i < x->n; i++) to[i] -= weight * l[i];
  }
  for (int64_t i = 0; i < x->n; i++) {
    to[i] = root > 0 ? to[i] / root : 0;
    if (x->left[i] >= 0) x->left[i] = fmax(x->left[i] - to[i] * to[i], 0);
  }
  x->left[pivot] = -1;
}

/* Chooses `count` <= n rows of c [n, d], each the one of which those before leave most.  Once they
 * leave nothing of any row, choosing starts anew among the others. */
static void choose_rows(const HnHost *host, int64_t n, int64_t d, const float *c, int64_t count,
                        int64_t *chosen) {
  const double nothing = 1e-5;
  Choice x = {.n = n, .d = d, .c = c};
  x.left = host->scratch(host, n, sizeof *x.left);
  x.l = host->scratch(host, count * n, sizeof *x.l);
  x.inner = host->scratch(host, n, sizeof *x.inner);
  memset(x.left, 0, (size_t)n * sizeof *x.left);
  double first = 0;
  for (int64_t k = 0, from = 0; k < count; k++) {
    int64_t pivot = largest_left(&x);
    if (x.left[pivot] <= nothing * first) {
      for (int64_t i = 0; i < n; i++)
        if (x.left[i] >= 0) x.left[i] = hn_vec_norm2(d, c + i * d);
      from = k, pivot = largest_left(&x), first = x.left[pivot];
    }
    take_row(&x, pivot, from, k);
    chosen[k] = pivot;
  }
}

void glibrl_choose_anchors(Glibrl *g, int64_t iteration, HnRng *rng) {
  const bool power_of_two = !(iteration & (iteration - 1));
  if (!power_of_two || iteration > g->p->anchors_until) return;
  const int64_t count = g->p->anchors, width = 2 * g->obs_dim + g->action_dim;
  if (g->p->anchor_choice == GLIBRL_ANCHORS_RANDOM) {
    const float *steps = glibrl_draw_steps(g, count, rng);
    memcpy(g->anchor, steps, (size_t)(count * width) * sizeof *steps);
    return;
  }
  const int64_t candidates = CANDIDATES > count ? CANDIDATES : count;
  const GlibrlModel *k = glibrl_policy_sees(g, &g->reward) ? &g->reward : &g->transition;
  const float *steps = glibrl_draw_steps(g, candidates, rng);
  const float *c = glibrl_step_features(g, k, candidates, steps);
  int64_t *chosen = g->host->scratch(g->host, count, sizeof *chosen);
  choose_rows(g->host, candidates, k->d, c, count, chosen);
  for (int64_t i = 0; i < count; i++)
    memcpy(g->anchor + i * width, steps + chosen[i] * width, (size_t)width * sizeof *steps);
}

void glibrl_update_anchors(Glibrl *g) {
  GlibrlModel *model[] = {&g->transition, &g->reward};
  for (int m = 0; m < 2; m++) {
    const GlibrlModel *k = model[m];
    if (!k->anchor_c) continue;
    const float *c = glibrl_step_features(g, k, g->p->anchors, g->anchor);
    double *to = k->anchor_c;
    for (int64_t i = 0; i < g->p->anchors; i++, c += k->d, to += hn_mnw_probe_width(k->d))
      for (int64_t j = 0; j < k->d; j++) to[j] = (double)c[j];
  }
}
