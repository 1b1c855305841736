/* sobol.h - Sobol's sequence, which fills a cube evenly however many of its points are taken. */
#ifndef HN_SOBOL_H
#define HN_SOBOL_H
#include <stdint.h>

enum { HN_SOBOL_DIMENSIONS = 10 };

/* Coordinate `dimension`, from 0 and below HN_SOBOL_DIMENSIONS, of point `index` in Gray-code
 * order, as 32 binary digits after the point: divided by 2^32 it is in [0, 1).  Point 0 is the
 * origin.  [any]  Source: Joe & Kuo 2008, direction numbers new-joe-kuo-6.21201; Antonov & Saleev
 * 1979. */
uint32_t hn_sobol(unsigned dimension, uint32_t index);
#endif
