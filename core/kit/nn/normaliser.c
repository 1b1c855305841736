/* normaliser.c - running mean and variance by column. */
#include "hunch/kit/nn.h"
#include "kernels.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static double *keep(const HnHost *host, const char *name, const char *part, int64_t n) {
  const size_t size = strlen(name) + strlen(part) + 2;
  char *text = host->alloc(host, (int64_t)size, 1);
  snprintf(text, size, "%s.%s", name, part);
  return host->keep(host, HN_ARRAY(text, HN_WEIGHT, HN_F64, .rank = 1, .dim = {n}));
}

HnNormaliser hn_normaliser_make(const HnHost *host, const char *name, int64_t n) {
  return (HnNormaliser){.n = n,
                        .count = keep(host, name, "count", 1),
                        .mean = keep(host, name, "mean", n),
                        .m2 = keep(host, name, "m2", n)};
}

/* Columns are taken in blocks that fit on the stack, wide enough to read rows contiguously.  Rows
 * are read twice, so that a batch's squared deviations are from its own mean. */
enum { BLOCK = 512 };

void hn_normaliser_update(HnNormaliser *z, int64_t rows, const float *x, int64_t ld) {
  if (rows <= 0) return;
  const HnKernels *kernels = hn_kernels();
  const double before = *z->count, batch = (double)rows, total = before + batch;
  for (int64_t from = 0; from < z->n; from += BLOCK) {
    const int64_t width = z->n - from < BLOCK ? z->n - from : BLOCK;
    double mean[BLOCK] = {0}, m2[BLOCK] = {0};
    kernels->column_sums(rows, width, x + from, ld, mean);
    for (int64_t j = 0; j < width; j++) mean[j] /= batch;
    kernels->column_squares(rows, width, x + from, ld, mean, m2);
    for (int64_t j = 0; j < width; j++) {
      const double d = mean[j] - z->mean[from + j];
      z->mean[from + j] += d * batch / total;
      z->m2[from + j] += m2[j] + d * d * before * batch / total;
    }
  }
  *z->count = total;
}

double hn_normaliser_stddev(const HnNormaliser *z, int64_t column) {
  return *z->count > 0 ? sqrt(z->m2[column] / *z->count + 1e-8) : 1;
}

void hn_normaliser_apply(const HnNormaliser *z, int64_t rows, const float *x, int64_t ldx,
                         float clip, float *y, int64_t ldy) {
  const HnKernels *kernels = hn_kernels();
  for (int64_t from = 0; from < z->n; from += BLOCK) {
    const int64_t width = z->n - from < BLOCK ? z->n - from : BLOCK;
    double inverse[BLOCK];
    for (int64_t j = 0; j < width; j++) inverse[j] = 1 / hn_normaliser_stddev(z, from + j);
    kernels->standardise(rows, width, x + from, ldx, z->mean + from, inverse, clip, y + from, ldy);
  }
}
