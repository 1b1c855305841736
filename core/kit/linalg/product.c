/* product.c - dense products by register tiles, compiled once per instruction set.
 *
 * A tile of `rows` x `vecs` vectors of C stays in registers while k runs.  Tiles differ in shape,
 * but an element's chain of multiply-adds does not: it starts at init and takes p = 0, 1, .. in
 * order, passing through C between blocks of k.  A block of k is short enough for a panel of B to
 * stay in the first cache; where many rows meet a panel it is packed first, because rows of B that
 * lie a power of two apart share few of the cache's sets.  So do rows of A, of which a tile reads a
 * number each at once: they are packed too, tile by tile, where several panels meet them and the
 * set leaves no time for such loads (AVX2: eight beside twelve multiply-adds). */
#include "product.h"
#include "activate.h"
#include "transpose.h"

/* Columns go by panels of WIDE vectors (3, 4, 7 and 8 rows, where registers are few: of three),
 * then by 2 and 1.  Rows of a tile: as many as registers allow beside one panel row of B and one
 * broadcast of A.
 *
 * A tile of few rows has few chains, each of which waits for its last multiply-add: eight keep two
 * units busy at a latency of four cycles.  So one or two rows alone, a recurrence's or those of
 * acting, go by panels of up to 8 vectors. */
#if defined(__AVX512F__)
enum { WIDE = 4, ROWS_8 = 1, ROWS_4 = 6, ROWS_3 = 0, ROWS_2 = 14, ROWS_1 = 24 };
enum { STEPS = 1, PACKS_A = 0 };
#elif defined(__AVX2__)
enum { WIDE = 2, ROWS_8 = 1, ROWS_4 = 2, ROWS_3 = 4, ROWS_2 = 6, ROWS_1 = 12 };
enum { STEPS = 2, PACKS_A = 1 };
#else
enum { WIDE = 2, ROWS_8 = 1, ROWS_4 = 2, ROWS_3 = 0, ROWS_2 = 4, ROWS_1 = 8 };
enum { STEPS = 1, PACKS_A = 0 };
#endif
enum { ROWS_MAX = 24, VECS_MAX = 8 };
/* A is packed in the tiles of WIDE vectors.  Panels of three read it for 3, 4, 7 and 8 rows, of
 * which both shapes make the same tiles. */
_Static_assert(!PACKS_A || (WIDE == 2 && ROWS_2 == 6 && ROWS_3 == 4), "tiles of packed rows");
/* A block of k is at most BLOCK_K long, PACKED_K where A or B is packed: B where PACK_ROWS rows
 * meet it, A, up to A_ROWS rows at once, where PACK_COLS columns do. */
enum { BLOCK_K = 256, PACKED_K = 128, A_ROWS = 264, PACK_ROWS = 96, PACK_COLS = 192, PACK_K = 64 };

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
  HnLaneMask part;  /* lanes of the last vector */
  HnActivation act; /* in the last block of k: if it is cheap, applied before c is written */
} Tile;

/* Whether an activation is one or two instructions, which a tile does itself. */
static bool is_cheap(HnActivation act) {
  return act == HN_LINEAR || act == HN_RELU || act == HN_LEAKY_RELU;
}

/* sum += a b.  Where registers are few the instruction is named: GCC would let the sum change its
 * register from one unrolled step to the next, and spill it. */
HN_INLINE void add_product(HnV a, HnV b, HnV *sum) {
#if defined(__FMA__) && !defined(__AVX512F__)
  __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b));
#else
  *sum = v_fma(a, b, *sum);
#endif
}

/* acc += one column of A times one row of B. */
HN_INLINE void add_products(int rows, int vecs, bool edge, const float *a, int64_t a_row,
                            const float *b, HnLaneMask part, HnV acc[ROWS_MAX][VECS_MAX]) {
  HnV row[VECS_MAX];
#pragma GCC unroll 8
  for (int v = 0; v < vecs; v++) row[v] = v_load_any(b + v * HN_LANES, !edge || v + 1 < vecs, part);
#pragma GCC unroll 24
  for (int i = 0; i < rows; i++) {
    const HnV x = v_all(a[i * a_row]);
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++) add_product(x, row[v], &acc[i][v]);
  }
}

/* acc += A B over the tile's k, STEPS at a time. */
HN_INLINE void add_block(int rows, int vecs, bool edge, const Tile *t, int64_t a_row,
                         HnV acc[ROWS_MAX][VECS_MAX]) {
  const int64_t a_col = t->a_col, ldb = t->ldb;
  const HnLaneMask part = t->part;
  const float *a = t->a, *b = t->b;
  int64_t p = t->k;
  for (; p >= STEPS; p -= STEPS)
#pragma GCC unroll 8
    for (int q = 0; q < STEPS; q++, a += a_col, b += ldb) {
      if (STEPS > 1) __asm__ volatile("" : "+r"(a), "+r"(b)); /* no addresses ahead */
      add_products(rows, vecs, edge, a, a_row, b, part, acc);
    }
#pragma GCC unroll 1
  for (; p > 0; p--, a += a_col, b += ldb) add_products(rows, vecs, edge, a, a_row, b, part, acc);
}

HN_INLINE void tile(int rows, int vecs, bool edge, const Tile *t) {
  HnV acc[ROWS_MAX][VECS_MAX];
  const int64_t ldc = t->ldc;
  const float *init = t->init;
  float *c = t->c;
  const HnLaneMask part = t->part;
  const HnActivation act = t->act;
#pragma GCC unroll 24
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++)
      acc[i][v] =
          init ? v_load_any(init + i * t->init_row + v * HN_LANES, !edge || v + 1 < vecs, part)
               : (HnV){0};
  if (PACKS_A && t->a_row == 1) /* a packed block, or a transpose */
    add_block(rows, vecs, edge, t, 1, acc);
  else
    add_block(rows, vecs, edge, t, t->a_row, acc);
#pragma GCC unroll 24
  for (int i = 0; i < rows && act == HN_RELU; i++)
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++) acc[i][v] = v_relu(acc[i][v]);
#pragma GCC unroll 24
  for (int i = 0; i < rows && act == HN_LEAKY_RELU; i++)
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++) acc[i][v] = v_leaky_relu(acc[i][v]);
#pragma GCC unroll 24
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++)
      v_store_any(c + i * ldc + v * HN_LANES, acc[i][v], !edge || v + 1 < vecs, part);
}

/* tile_R_V and, with a partial last vector, tile_R_V_edge. */
#define TILE(R, V)                                                             \
  static __attribute__((noinline)) void tile_##R##_##V(const Tile *t) {        \
    tile(R, V, false, t);                                                      \
  }                                                                            \
  static __attribute__((noinline)) void tile_##R##_##V##_edge(const Tile *t) { \
    tile(R, V, true, t);                                                       \
  }
#define TILES_2(X, V)  X(1, V) X(2, V)
#define TILES_4(X, V)  TILES_2(X, V) X(3, V) X(4, V)
#define TILES_6(X, V)  TILES_4(X, V) X(5, V) X(6, V)
#define TILES_8(X, V)  TILES_6(X, V) X(7, V) X(8, V)
#define TILES_12(X, V) TILES_8(X, V) X(9, V) X(10, V) X(11, V) X(12, V)
#define TILES_14(X, V) TILES_12(X, V) X(13, V) X(14, V)
#define TILES_18(X, V) TILES_14(X, V) X(15, V) X(16, V) X(17, V) X(18, V)
#define TILES_24(X, V) TILES_18(X, V) X(19, V) X(20, V) X(21, V) X(22, V) X(23, V) X(24, V)
#define TILES_OF_8(X)  X(1, 8)
#if defined(__AVX512F__)
#  define TILES_OF_4(X) TILES_6(X, 4)
#  define TILES_OF_3(X)
#  define TILES_OF_2(X) TILES_14(X, 2)
#  define TILES_OF_1(X) TILES_24(X, 1)
#elif defined(__AVX2__)
#  define TILES_OF_4(X) TILES_2(X, 4)
#  define TILES_OF_3(X) TILES_4(X, 3)
#  define TILES_OF_2(X) TILES_6(X, 2)
#  define TILES_OF_1(X) TILES_12(X, 1)
#else
#  define TILES_OF_4(X) TILES_2(X, 4)
#  define TILES_OF_3(X)
#  define TILES_OF_2(X) TILES_4(X, 2)
#  define TILES_OF_1(X) TILES_8(X, 1)
#endif
TILES_OF_8(TILE)
TILES_OF_4(TILE)
TILES_OF_3(TILE)
TILES_OF_2(TILE)
TILES_OF_1(TILE)

/* tiles[vecs][rows][edge] */
#define ENTRY(R, V) [V][R] = {tile_##R##_##V, tile_##R##_##V##_edge},
static void (*const tiles[VECS_MAX + 1][ROWS_MAX + 1][2])(const Tile *) = {
    TILES_OF_8(ENTRY) TILES_OF_4(ENTRY) TILES_OF_3(ENTRY) TILES_OF_2(ENTRY) TILES_OF_1(ENTRY)};
static const int64_t most_rows[VECS_MAX + 1] = {
    [1] = ROWS_1, [2] = ROWS_2, [3] = ROWS_3, [4] = ROWS_4, [8] = ROWS_8};

/* Rows i .. i + m of A and columns j .. j + width of B over one block of k. */
typedef struct Panel {
  int64_t i, m, j, width, vecs, p, k;
  const float *a_packed; /* the rows, tile by tile, each [k, rows]; NULL: A is read where it lies */
  float *b_packed;       /* room for [PACKED_K, WIDE vectors]; NULL: B is read where it lies */
} Panel;

/* Calls for the next panel too, whose rows no hardware would see coming. */
static void pack_b(const Panel *s, Tile *t) {
  const int64_t ld = s->vecs * HN_LANES;
  const float *b = t->b;
  for (int64_t q = 0; q < s->k; q++, b += t->ldb) {
    __builtin_prefetch(b + ld, 0, 2);
    for (int64_t v = 0; v < s->vecs; v++)
      v_store(s->b_packed + q * ld + v * HN_LANES,
              v_load_any(b + v * HN_LANES, (v + 1) * HN_LANES <= s->width, t->part));
  }
  t->b = s->b_packed, t->ldb = ld;
}

/* Tiles of m rows differ by one row at most: the first `more` have one more than `least`. */
typedef struct Cut {
  int64_t count, least, more;
} Cut;

static Cut cut(int64_t m, int64_t vecs) {
  const int64_t count = (m + most_rows[vecs] - 1) / most_rows[vecs];
  return (Cut){count, m / count, m % count};
}

static void run_panel(const HnProduct *g, const Panel *s) {
  const Cut cut_rows = cut(s->m, s->vecs);
  const bool last = s->p + s->k == g->k, edge = s->width < s->vecs * HN_LANES;
  const bool a_packed = s->a_packed && s->vecs > 1; /* of 2 or 3 vectors: the same tiles */
  const float *init = s->p ? g->c : g->init;
  const int64_t init_row = s->p ? g->ldc : g->init_row;
  Tile t = {.k = s->k,
            .a = a_packed ? s->a_packed : g->a + s->i * g->a_row + s->p * g->a_col,
            .a_row = a_packed ? 1 : g->a_row,
            .a_col = g->a_col,
            .b = g->b + s->p * g->ldb + s->j,
            .ldb = g->ldb,
            .init = init ? init + s->i * init_row + s->j : NULL,
            .init_row = init_row,
            .c = g->c + s->i * g->ldc + s->j,
            .ldc = g->ldc,
            .part = v_lane_mask(s->width - (s->vecs - 1) * HN_LANES),
            .act = last && is_cheap(g->act) ? g->act : HN_LINEAR};
  if (s->b_packed && g->ldb > s->vecs * HN_LANES) pack_b(s, &t);
  for (int64_t block = 0; block < cut_rows.count; block++) {
    const int64_t rows = cut_rows.least + (block < cut_rows.more);
    if (a_packed) t.a_col = rows;
    tiles[s->vecs][rows][edge](&t);
    if (last && !is_cheap(g->act))
      for (int64_t r = 0; r < rows; r++) activate(g->act, s->width, t.c + r * t.ldc);
    t.a += rows * (a_packed ? s->k : t.a_row), t.c += rows * t.ldc;
    if (t.init) t.init += rows * t.init_row;
  }
}

/* Whether tiles of m rows have at most as many rows beside two vectors as they can beside three. */
static bool few_rows(int64_t m) {
  return m <= ROWS_3 || (m > ROWS_2 && m <= 2 * ROWS_3);
}

/* Vectors of the panel where `left` are left, for m rows. */
static int64_t panel_vecs(int64_t m, int64_t left) {
  if (m <= ROWS_8 && left >= 8) return 8;
  if ((WIDE >= 4 || m <= 2) && left >= 4) return 4;
  if (few_rows(m) && left >= 3 && left != 4) return 3;
  return left >= 2 ? 2 : 1;
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

/* to [k, rows] of at most HN_LANES rows, a_row apart; a vector's worth behind it may be written. */
static void pack_rows(int64_t rows, int64_t k, const float *a, int64_t a_row, float *to) {
  int64_t p = 0;
  for (; p + HN_LANES <= k; p += HN_LANES) {
    HnV x[HN_LANES];
    for (int64_t i = 0; i < HN_LANES; i++) x[i] = i < rows ? v_load(a + i * a_row + p) : (HnV){0};
    v_transpose(x);
    for (int64_t q = 0; q < HN_LANES; q++) v_store(to + (p + q) * rows, x[q]);
  }
  for (; p < k; p++)
    for (int64_t i = 0; i < rows; i++) to[p * rows + i] = a[i * a_row + p];
}

static void pack_a(const HnProduct *g, const Panel *s, float *to) {
  const Cut cut_rows = cut(s->m, WIDE);
  const float *a = g->a + s->i * g->a_row + s->p;
  for (int64_t block = 0; block < cut_rows.count; block++) {
    const int64_t rows = cut_rows.least + (block < cut_rows.more);
    pack_rows(rows, s->k, a, g->a_row, to);
    a += rows * g->a_row, to += rows * s->k;
  }
}

/* All panels of the rows and the block of k of s. */
static void run_panels(const HnProduct *g, Panel *s) {
  for (s->j = 0; s->j < g->n; s->j += s->width) {
    const int64_t left = (g->n - s->j + HN_LANES - 1) / HN_LANES;
    s->vecs = panel_vecs(g->m, left);
    s->width = g->n - s->j < s->vecs * HN_LANES ? g->n - s->j : s->vecs * HN_LANES;
    run_panel(g, s);
  }
}

/* Blocks of k are equally long, or nearly; blocks of packed rows are whole tiles. */
void HN_VARIANT(hn_product)(const HnProduct *g) {
  _Alignas(64) float b_packed[PACKED_K * WIDE * HN_LANES];
  _Alignas(64) float a_packed[PACKS_A ? PACKED_K * A_ROWS + HN_LANES : 1];
  if (g->m <= 0 || g->n <= 0) return;
  const bool packs_b = g->m >= PACK_ROWS && g->k >= PACK_K;
  const bool packs_a =
      PACKS_A && g->a_col == 1 && g->m > ROWS_4 && g->n >= PACK_COLS && g->k >= 2 * HN_LANES;
  const int64_t most = packs_a || packs_b ? PACKED_K : BLOCK_K;
  const int64_t blocks = g->k > most ? (g->k + most - 1) / most : 1;
  const int64_t least = g->k / blocks, more = g->k - least * blocks;
  Panel s = {.m = g->m, .b_packed = packs_b ? b_packed : NULL};
  for (int64_t block = 0; block < blocks; block++, s.p += s.k) {
    s.k = least + (block < more);
    for (s.i = 0; s.i < g->m; s.i += s.m) {
      if (packs_a) {
        s.m = g->m - s.i < A_ROWS ? g->m - s.i : A_ROWS;
        pack_a(g, &s, a_packed);
        s.a_packed = a_packed;
      }
      run_panels(g, &s);
    }
  }
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
