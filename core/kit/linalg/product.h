/* product.h - the functions of product.c, for the table of its instruction set. */
#ifndef HN_KIT_PRODUCT_H
#define HN_KIT_PRODUCT_H
#include "isa.h"
#include "kernels.h"

void HN_VARIANT(hn_product)(const HnProduct *g);
void HN_VARIANT(hn_product_transpose)(int64_t rows, int64_t cols, const float *a, float *t);
#endif
