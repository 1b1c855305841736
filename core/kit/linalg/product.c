/* product.c - dense products by register tiles, compiled once per instruction set.
 *
 * A tile of `rows` x `vecs` vectors of C stays in registers while k runs.  Tiles differ in shape,
 * but an element's chain of multiply-adds does not: it starts at init and takes p = 0, 1, .. in
 * order, passing through C between blocks of k.  Nothing is packed: measured on the shapes that
 * networks have, packing gains nothing once transposes are kept. */
#include "product.h"
#include "activate.h"
#include "transpose.h"

/* Columns go by panels of WIDE vectors, then by 2 and 1.  Rows of a tile: as many as registers
 * allow beside one panel row of B and one broadcast of A. */
#if defined(__AVX512F__)
enum { WIDE = 4, ROWS_4 = 6, ROWS_2 = 12, ROWS_1 = 12 };
#elif defined(__AVX2__)
enum { WIDE = 2, ROWS_4 = 0, ROWS_2 = 6, ROWS_1 = 12 };
#else
enum { WIDE = 2, ROWS_4 = 0, ROWS_2 = 4, ROWS_1 = 8 };
#endif
enum { ROWS_MAX = 12, BLOCK_K = 256 };

typedef struct Tile {
  int64_t k;
  const float *a;
  int64_t a_row, a_col;
  const float *b;
  int64_t ldb;
  const float *init;
  int64_t init_row;
  float *c;
  int64_t ldc;
  HnLaneMask part; /* lanes of the last vector */
} Tile;

HN_INLINE void tile(int rows, int vecs, bool edge, const Tile *t) {
  HnV acc[ROWS_MAX][4];
  const float *a = t->a, *b = t->b;
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++)
      acc[i][v] = t->init ? v_load_any(t->init + i * t->init_row + v * HN_LANES,
                                       !edge || v + 1 < vecs, t->part)
                          : (HnV){0};
  for (int64_t p = 0; p < t->k; p++, a += t->a_col, b += t->ldb) {
    HnV row[4];
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++)
      row[v] = v_load_any(b + v * HN_LANES, !edge || v + 1 < vecs, t->part);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      HnV x = v_all(a[i * t->a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < vecs; v++) acc[i][v] = v_fma(x, row[v], acc[i][v]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++)
      v_store_any(t->c + i * t->ldc + v * HN_LANES, acc[i][v], !edge || v + 1 < vecs, t->part);
}

/* tile_R_V and, with a partial last vector, tile_R_V_edge. */
#define TILE(R, V)                                                             \
  static __attribute__((noinline)) void tile_##R##_##V(const Tile *t) {        \
    tile(R, V, false, t);                                                      \
  }                                                                            \
  static __attribute__((noinline)) void tile_##R##_##V##_edge(const Tile *t) { \
    tile(R, V, true, t);                                                       \
  }
#define TILES_4(X, V)  X(1, V) X(2, V) X(3, V) X(4, V)
#define TILES_6(X, V)  TILES_4(X, V) X(5, V) X(6, V)
#define TILES_8(X, V)  TILES_6(X, V) X(7, V) X(8, V)
#define TILES_12(X, V) TILES_8(X, V) X(9, V) X(10, V) X(11, V) X(12, V)
#if defined(__AVX512F__)
#  define TILES_OF_4(X) TILES_6(X, 4)
#  define TILES_OF_2(X) TILES_12(X, 2)
#  define TILES_OF_1(X) TILES_12(X, 1)
#elif defined(__AVX2__)
#  define TILES_OF_4(X)
#  define TILES_OF_2(X) TILES_6(X, 2)
#  define TILES_OF_1(X) TILES_12(X, 1)
#else
#  define TILES_OF_4(X)
#  define TILES_OF_2(X) TILES_4(X, 2)
#  define TILES_OF_1(X) TILES_8(X, 1)
#endif
TILES_OF_4(TILE)
TILES_OF_2(TILE)
TILES_OF_1(TILE)

/* tiles[vecs][rows][edge] */
#define ENTRY(R, V) [V][R] = {tile_##R##_##V, tile_##R##_##V##_edge},
static void (*const tiles[5][ROWS_MAX + 1][2])(const Tile *) = {TILES_OF_4(ENTRY) TILES_OF_2(ENTRY)
                                                                    TILES_OF_1(ENTRY)};
static const int64_t most_rows[5] = {0, ROWS_1, ROWS_2, 0, ROWS_4};

/* One panel of `vecs` vectors, of which the last may be partial, over one block of k. */
static void panel(const HnProduct *g, int64_t vecs, int64_t j, int64_t p, int64_t k) {
  const bool last = p + k == g->k;
  const int64_t width = g->n - j < vecs * HN_LANES ? g->n - j : vecs * HN_LANES;
  const bool edge = width < vecs * HN_LANES;
  const float *init = p ? g->c : g->init;
  const int64_t init_row = p ? g->ldc : g->init_row;
  const int64_t blocks = (g->m + most_rows[vecs] - 1) / most_rows[vecs];
  for (int64_t block = 0; block < blocks; block++) {
    const int64_t i = g->m * block / blocks, rows = g->m * (block + 1) / blocks - i;
    const Tile t = {.k = k,
                    .a = g->a + i * g->a_row + p * g->a_col,
                    .a_row = g->a_row,
                    .a_col = g->a_col,
                    .b = g->b + p * g->ldb + j,
                    .ldb = g->ldb,
                    .init = init ? init + i * init_row + j : NULL,
                    .init_row = init_row,
                    .c = g->c + i * g->ldc + j,
                    .ldc = g->ldc,
                    .part = v_lane_mask(width - (vecs - 1) * HN_LANES)};
    tiles[vecs][rows][edge](&t);
    if (last && g->act != HN_LINEAR)
      for (int64_t r = 0; r < rows; r++) activate(g->act, width, t.c + r * t.ldc);
  }
}

void HN_VARIANT(hn_product)(const HnProduct *g) {
  if (g->m <= 0 || g->n <= 0) return;
  int64_t p = 0;
  do {
    const int64_t k = g->k - p < BLOCK_K ? g->k - p : BLOCK_K;
    for (int64_t j = 0; j < g->n;) {
      const int64_t left = (g->n - j + HN_LANES - 1) / HN_LANES;
      const int64_t vecs = left >= WIDE ? WIDE : left >= 2 ? 2 : 1;
      panel(g, vecs, j, p, k);
      j += vecs * HN_LANES;
    }
    p += k;
  } while (p < g->k);
}

/* A square of as many rows as a vector has lanes. */
HN_INLINE void transpose_square(const float *a, int64_t lda, float *t, int64_t ldt) {
  HnV x[HN_LANES];
#pragma GCC unroll 16
  for (int i = 0; i < HN_LANES; i++) x[i] = v_load(a + i * lda);
  v_transpose(x);
#pragma GCC unroll 16
  for (int i = 0; i < HN_LANES; i++) v_store(t + i * ldt, x[i]);
}

/* Blocks of 16 x 16, so that both sides use whole cache lines. */
void HN_VARIANT(hn_product_transpose)(int64_t rows, int64_t cols, const float *a, float *t) {
  enum { BLOCK = 16 };
  for (int64_t i = 0; i < rows; i += BLOCK)
    for (int64_t j = 0; j < cols; j += BLOCK) {
      const int64_t i_end = i + BLOCK < rows ? i + BLOCK : rows;
      const int64_t j_end = j + BLOCK < cols ? j + BLOCK : cols;
      if (i_end - i == BLOCK && j_end - j == BLOCK) {
        for (int64_t q = j; q < j_end; q += HN_LANES)
          for (int64_t p = i; p < i_end; p += HN_LANES)
            transpose_square(a + p * cols + q, cols, t + q * rows + p, rows);
        continue;
      }
      for (int64_t q = j; q < j_end; q++)
        for (int64_t p = i; p < i_end; p++) t[q * rows + p] = a[p * cols + q];
    }
}
