/* sobol.c - see sobol.h. */
#include "sobol.h"

/* A primitive polynomial over GF(2) of that degree, by its inner coefficients, and the first
 * direction numbers; dimension 0 has none. */
static const struct {
  unsigned degree, coefficients;
  uint32_t first[5];
} polynomials[HN_SOBOL_DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
};

static void fill_directions(unsigned dimension, uint32_t v[32]) {
  for (unsigned k = 0; k < 32; k++) v[k] = UINT32_C(1) << (31 - k);
  if (dimension == 0) return;
  const unsigned s = polynomials[dimension - 1].degree;
  const unsigned a = polynomials[dimension - 1].coefficients;
  for (unsigned k = 0; k < s; k++) v[k] = polynomials[dimension - 1].first[k] << (31 - k);
  for (unsigned k = s; k < 32; k++) {
    v[k] = v[k - s] ^ (v[k - s] >> s);
    for (unsigned i = 1; i < s; i++)
      if (a >> (s - 1 - i) & 1) v[k] ^= v[k - i];
  }
}

uint32_t hn_sobol(unsigned dimension, uint32_t index) {
  uint32_t v[32], x = 0, gray = index ^ (index >> 1);
  fill_directions(dimension, v);
  for (unsigned k = 0; gray; k++, gray >>= 1)
    if (gray & 1) x ^= v[k];
  return x;
}
