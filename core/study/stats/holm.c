/* holm.c - see holm.h. */
#include "holm.h"
#include <glib.h>
#include <math.h>
#include <stdlib.h>

typedef struct Ranked {
  double p;
  int64_t at;
} Ranked;

static int by_p(const void *a, const void *b) {
  const Ranked *x = a, *y = b;
  return (x->p > y->p) - (x->p < y->p);
}

void hn_holm(int64_t n, double *p) {
  g_autofree Ranked *family = g_new(Ranked, (gsize)MAX(n, 1));
  int64_t m = 0;
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    if (!isnan(p[i])) family[m++] = (Ranked){p[i], i};
  qsort(family, (size_t)m, sizeof *family, by_p);
  for (int64_t i = 0; i < m; i++) {
    largest = fmax(largest, fmin(1, family[i].p * (double)(m - i)));
    p[family[i].at] = largest;
  }
}
