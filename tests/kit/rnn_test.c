/* Recurrent layers of every cell: tensors of both forms, sequences cut anywhere, and carries.  What
 * a cell computes is tape_cases.h's to say. */
#include "fake_host.h"
#include <glib.h>
#include <hunch/kit/rnn.h>
#include <math.h>

/* ---- layers ---- */

enum { IN = 3, H = 5 };

typedef struct World {
  FakeHost fake;
  HnStore store;
  HnRng rng;
} World;

static World *world_new(void) {
  World *w = g_new0(World, 1);
  hn_store_begin(&w->store, fake_host_open(&w->fake), "");
  w->rng = hn_rng(31, 0);
  return w;
}

static void world_free(World *w) {
  fake_host_close(&w->fake), g_free(w);
}

/* A parameter's choices are the cells by number. */
static void test_choices(void) {
  gchar **names = g_strsplit(HN_RNN_CHOICES, "|", -1);
  g_assert_cmpint(g_strv_length(names), ==, HN_RNN_CELL_COUNT);
  for (HnRnnCell cell = 0; cell < HN_RNN_CELL_COUNT; cell++)
    g_assert_cmpstr(names[cell], ==, hn_rnn_cell_name(cell));
  g_assert_cmpstr(names[HN_RNN_GRU], ==, "gru");
  g_assert_cmpstr(names[HN_RNN_LSTM], ==, "lstm");
  g_assert_cmpint(hn_rnn_gates(HN_RNN_GRU), ==, 3);
  g_assert_cmpint(hn_rnn_gates(HN_RNN_LSTM), ==, 4);
  g_assert_cmpint(hn_rnn_states(HN_RNN_GRU), ==, 1);
  g_assert_cmpint(hn_rnn_states(HN_RNN_LSTM), ==, 2);
  g_strfreev(names);
}

/* A tensor of the host's under this name, of this shape; NULL: there must be none. */
static const float *tensor(World *w, const char *name, int64_t rows, int64_t cols) {
  const FakeArray *a = fake_host_find(&w->fake, name);
  g_assert_nonnull(a);
  g_assert_cmpint(a->spec.role, ==, HN_WEIGHT);
  g_assert_cmpint(a->spec.dim[0], ==, rows);
  g_assert_cmpint(a->spec.dim[1], ==, cols);
  return a->data;
}

static void check_zero(int64_t count, const float *x) {
  for (int64_t i = 0; i < count; i++) g_assert_cmpfloat(x[i], ==, 0);
}

/* Rows of `cols` numbers, ld apart. */
static void check_orthonormal(int64_t rows, int64_t cols, int64_t ld, const float *x) {
  for (int64_t a = 0; a < rows; a++)
    for (int64_t b = 0; b <= a; b++) {
      double dot = 0;
      for (int64_t j = 0; j < cols; j++) dot += (double)x[a * ld + j] * (double)x[b * ld + j];
      g_assert_cmpfloat(fabs(dot - (a == b)), <, 1e-6);
    }
}

static void test_torch(void) {
  World *w = world_new();
  const HnRnn gru = hn_rnn_make(&w->store, "gru", HN_RNN_GRU, HN_RNN_TORCH, IN, H, &w->rng);
  const HnRnn lstm = hn_rnn_make(&w->store, "lstm", HN_RNN_LSTM, HN_RNN_TORCH, IN, H, &w->rng);
  g_assert_true(gru.width == 3 * H && gru.carry == H && gru.in == IN && gru.hidden == H);
  g_assert_true(lstm.width == 4 * H && lstm.carry == 2 * H);
  check_orthonormal(IN, 3 * H, 3 * H, tensor(w, "gru.weight_ih", IN, 3 * H));
  check_orthonormal(H, 3 * H, 3 * H, tensor(w, "gru.weight_hh", H, 3 * H));
  check_zero(3 * H, tensor(w, "gru.bias_ih", 1, 3 * H));
  check_zero(3 * H, tensor(w, "gru.bias_hh", 1, 3 * H));
  check_orthonormal(IN, 4 * H, 4 * H, tensor(w, "lstm.weight_ih", IN, 4 * H));
  check_orthonormal(H, 4 * H, 4 * H, tensor(w, "lstm.weight_hh", H, 4 * H));
  check_zero(4 * H, tensor(w, "lstm.bias_ih", 1, 4 * H));
  check_zero(4 * H, tensor(w, "lstm.bias_hh", 1, 4 * H));
  g_assert_true(gru.u->data == tensor(w, "gru.weight_hh", H, 3 * H));
  g_assert_true(lstm.c->data == tensor(w, "lstm.bias_hh", 1, 4 * H));
  world_free(w);
}

static void test_flax(void) {
  World *w = world_new();
  hn_rnn_make(&w->store, "gru", HN_RNN_GRU, HN_RNN_FLAX, 400, H, &w->rng);
  const HnRnn lstm = hn_rnn_make(&w->store, "lstm", HN_RNN_LSTM, HN_RNN_FLAX, IN, H, &w->rng);
  const float *in = tensor(w, "gru.weight_ih", 400, 3 * H),
              *u = tensor(w, "gru.weight_hh", H, 3 * H);
  double square = 0;
  for (int i = 0; i < 400 * 3 * H; i++) square += (double)in[i] * (double)in[i];
  g_assert_cmpfloat(fabs(square / (3 * H) - 1), <, 0.05); /* variance 1 / rows; deviation 0.014 */
  for (int gate = 0; gate < 3; gate++) check_orthonormal(H, H, 3 * H, u + gate * H);
  check_zero(3 * H, tensor(w, "gru.bias", 1, 3 * H));
  check_zero(H, tensor(w, "gru.bias_state", 1, H));
  check_zero(4 * H, tensor(w, "lstm.bias", 1, 4 * H));
  g_assert_null(lstm.c);
  g_assert_null(fake_host_find(&w->fake, "lstm.bias_state"));
  g_assert_null(hn_rnn_state_bias(&lstm, &w->fake.host));
  world_free(w);
}

/* A layer with one bias is the cell with zeros in the other, whose candidate's part is its own; the
 * gradients go to the same places. */
static void test_state_bias(void) {
  World *w = world_new();
  HnRnn r = hn_rnn_make(&w->store, "gru", HN_RNN_GRU, HN_RNN_FLAX, IN, H, &w->rng);
  float x[2 * IN], carry[2 * H], full[3 * H] = {0}, grad[3 * H] = {0}, seed[2 * H];
  for (int i = 0; i < 2 * IN; i++) x[i] = (float)hn_rng_normal(&w->rng);
  for (int i = 0; i < 2 * H; i++)
    carry[i] = (float)hn_rng_normal(&w->rng), seed[i] = (float)hn_rng_normal(&w->rng);
  for (int i = 0; i < H; i++) full[2 * H + i] = r.c->data[i] = (float)hn_rng_normal(&w->rng);
  g_assert_cmpmem(hn_rnn_state_bias(&r, &w->fake.host), sizeof full, full, sizeof full);
  float *flat = hn_store_flat(&w->store, 1);
  HnTape a = hn_tape_begin(&w->fake.host, true), b = hn_tape_begin(&w->fake.host, true);
  HnVar *got =
      hn_rnn(&a, &r, 1, hn_constant(&a, 2, IN, x), hn_constant(&a, 2, H, carry), NULL, flat)
          .state[0];
  const HnRnnWeights weights = {hn_param(&b, r.w, NULL), hn_param(&b, r.u, NULL),
                                hn_param(&b, r.b, NULL), hn_leaf(&b, 1, 3 * H, full, grad)};
  HnVar *want = hn_rnn_run(&b, HN_RNN_GRU, 1, hn_constant(&b, 2, IN, x),
                           hn_constant(&b, 2, H, carry), weights, NULL)
                    .state[0];
  g_assert_cmpmem(got->data, 2 * H * sizeof(float), want->data, 2 * H * sizeof(float));
  hn_tape_backward_from(&a, got, seed), hn_tape_backward_from(&b, want, seed);
  g_assert_cmpmem(flat + r.c->offset, H * sizeof(float), grad + 2 * H, H * sizeof(float));
  g_assert_cmpfloat(fabsf(grad[2 * H]), >, 1e-4f);
  world_free(w);
}

/* The inputs' share of the gates' sums. */
static void test_input(void) {
  World *w = world_new();
  HnRnn r = hn_rnn_make(&w->store, "lstm", HN_RNN_LSTM, HN_RNN_FLAX, IN, H, &w->rng);
  const float x[IN] = {1, -2, 0.5f};
  for (int i = 0; i < 4 * H; i++) r.b->data[i] = (float)i;
  HnTape t = hn_tape_begin(&w->fake.host, false);
  const HnVar *y = hn_rnn_input(&t, &r, hn_constant(&t, 1, IN, x), NULL);
  for (int j = 0; j < 4 * H; j++) {
    double sum = j;
    for (int i = 0; i < IN; i++) sum += (double)x[i] * (double)r.w->data[i * 4 * H + j];
    g_assert_cmpfloat(fabs((double)y->data[j] - sum), <, 1e-5);
  }
  world_free(w);
}

/* A carry is a row's states side by side. */
static void test_carries(void) {
  World *w = world_new();
  HnTape t = hn_tape_begin(&w->fake.host, false);
  const float h[] = {1, 2, 3, 4, 5, 6}, m[] = {-1, -2, -3, -4, -5, -6};
  float carry[8];
  const HnRnnRun both = {{hn_constant(&t, 3, 2, h), hn_constant(&t, 3, 2, m)}};
  hn_rnn_carries(&both, 1, 2, carry);
  const float want[] = {3, 4, -3, -4, 5, 6, -5, -6};
  g_assert_cmpmem(carry, sizeof carry, want, sizeof want);
  const HnRnnRun one = {{hn_constant(&t, 3, 2, h)}};
  hn_rnn_carries(&one, 1, 2, carry);
  g_assert_cmpmem(carry, 4 * sizeof *carry, h + 2, 4 * sizeof *carry);
  world_free(w);
}

/* ---- sequences ---- */

/* Bits of a recurrent layer do not depend on which rows share a call, nor on where a sequence is
 * cut into windows. */
enum { SPLIT_T = 6, SPLIT_B = 7, SPLIT_IN = 3, SPLIT_H = 21, MOST_H = 4 * SPLIT_H };

typedef struct Layer {
  HnRnnCell cell;
  float x[SPLIT_T * SPLIT_B * SPLIT_IN], carry[SPLIT_B * HN_RNN_STATES * SPLIT_H];
  float w[SPLIT_IN * MOST_H], u[SPLIT_H * MOST_H], b[MOST_H], c[MOST_H];
  uint8_t reset[SPLIT_T * SPLIT_B];
} Layer;

/* Steps [from, to) of rows [row, row + rows); carry [rows, states H], overwritten with the last. */
static void run_layer(HnTape *t, const Layer *l, int64_t from, int64_t to, int64_t row,
                      int64_t rows, float *carry, float *y) {
  const int64_t steps = to - from, n = SPLIT_H, columns = hn_rnn_gates(l->cell) * n;
  float *x = hn_tape_room(t, steps * rows * SPLIT_IN, sizeof *x);
  uint8_t *reset = hn_tape_room(t, steps * rows, 1);
  for (int64_t i = 0; i < steps * rows; i++) {
    const int64_t at = (from + i / rows) * SPLIT_B + row + i % rows;
    memcpy(x + i * SPLIT_IN, l->x + at * SPLIT_IN, SPLIT_IN * sizeof *x);
    reset[i] = l->reset[at];
  }
  const HnRnnWeights weights = {hn_constant(t, SPLIT_IN, columns, l->w),
                                hn_constant(t, n, columns, l->u), hn_constant(t, 1, columns, l->b),
                                hn_constant(t, 1, columns, l->c)};
  HnVar *first = hn_constant(t, rows, hn_rnn_states(l->cell) * n, carry);
  const HnRnnRun run = hn_rnn_run(t, l->cell, steps, hn_constant(t, steps * rows, SPLIT_IN, x),
                                  first, weights, reset);
  memcpy(y, run.state[0]->data, (size_t)(steps * rows * n) * sizeof *y);
  hn_rnn_carries(&run, (steps - 1) * rows, rows, carry);
}

static void check_split(const HnHost *host, Layer *l) {
  HnTape tape = hn_tape_begin(host, false), *t = &tape;
  float whole[SPLIT_T * SPLIT_B * SPLIT_H], part[SPLIT_T * SPLIT_B * SPLIT_H];
  float carry[SPLIT_B * HN_RNN_STATES * SPLIT_H];
  const int64_t size = hn_rnn_states(l->cell) * SPLIT_H;
  HnRng rng = hn_rng(11, (uint64_t)l->cell);
  float *const drawn[] = {l->x, l->w, l->u, l->b, l->c, l->carry};
  const size_t bytes[] = {sizeof l->x, sizeof l->w, sizeof l->u,
                          sizeof l->b, sizeof l->c, sizeof l->carry};
  for (int k = 0; k < 6; k++)
    for (size_t i = 0; i < bytes[k] / sizeof(float); i++)
      drawn[k][i] = 0.5f * (float)hn_rng_normal(&rng);
  for (int i = 0; i < SPLIT_T * SPLIT_B; i++) l->reset[i] = hn_rng_below(&rng, 5) == 0;
  memcpy(carry, l->carry, sizeof carry);
  run_layer(t, l, 0, SPLIT_T, 0, SPLIT_B, carry, whole);
  memcpy(carry, l->carry, sizeof carry);
  run_layer(t, l, 0, 2, 0, SPLIT_B, carry, part);
  run_layer(t, l, 2, SPLIT_T, 0, SPLIT_B, carry, part + 2 * SPLIT_B * SPLIT_H);
  g_assert_cmpmem(part, sizeof part, whole, sizeof whole);
  for (int64_t row = 0; row < SPLIT_B; row++) {
    memcpy(carry, l->carry + row * size, (size_t)size * sizeof *carry);
    run_layer(t, l, 0, SPLIT_T, row, 1, carry, part);
    for (int64_t step = 0; step < SPLIT_T; step++)
      g_assert_cmpmem(part + step * SPLIT_H, SPLIT_H * sizeof *part,
                      whole + (step * SPLIT_B + row) * SPLIT_H, SPLIT_H * sizeof *whole);
  }
}

static void test_split(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  Layer *l = g_new0(Layer, 1);
  for (l->cell = 0; l->cell < HN_RNN_CELL_COUNT; l->cell++) check_split(host, l);
  g_free(l), fake_host_close(fake), g_free(fake);
}

/* A sequence long enough for several windows of the backward pass is what its steps are one by one,
 * gradients of all states too. */
enum { LONG_T = 40, LONG_B = 16, LONG_IN = 2, LONG_H = 5, LONG_ROWS = LONG_T * LONG_B };
typedef struct Long {
  float x[LONG_ROWS * LONG_IN], carry[LONG_B * HN_RNN_STATES * LONG_H];
  float w[LONG_IN * 4 * LONG_H], u[LONG_H * 4 * LONG_H], b[4 * LONG_H], c[4 * LONG_H];
} Long;

static HnVar *long_layer(HnTape *t, HnRnnCell cell, bool whole, const uint8_t *reset, Long *v,
                         Long *g) {
  const int64_t n = LONG_H, columns = hn_rnn_gates(cell) * n, steps = whole ? LONG_T : 1;
  const int64_t states = hn_rnn_states(cell);
  HnVar *x = hn_leaf(t, LONG_ROWS, LONG_IN, v->x, g->x);
  HnVar *carry = hn_leaf(t, LONG_B, states * n, v->carry, g->carry), *out[LONG_T];
  const HnRnnWeights weights = {
      hn_leaf(t, LONG_IN, columns, v->w, g->w), hn_leaf(t, n, columns, v->u, g->u),
      hn_leaf(t, 1, columns, v->b, g->b), hn_leaf(t, 1, columns, v->c, g->c)};
  for (int64_t step = 0; step < LONG_T; step += steps) {
    HnVar *in = hn_rows_of(t, x, step * LONG_B, steps * LONG_B);
    const HnRnnRun run = hn_rnn_run(t, cell, steps, in, carry, weights, reset + step * LONG_B);
    out[step] = run.state[0];
    for (int64_t k = 1; k < states; k++) out[step] = hn_mul(t, out[step], run.state[k]);
    carry = states > 1 ? hn_concat(t, states, run.state) : run.state[0];
  }
  return whole ? out[0] : hn_stack(t, LONG_T, out);
}

static void test_windows(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  const HnHost *host = fake_host_open(fake);
  Long *v = g_new(Long, 1), *g = g_new0(Long, 2);
  float *const value = (float *)v, weight[LONG_ROWS * LONG_H];
  uint8_t reset[LONG_ROWS];
  HnRng rng = hn_rng(12, 0);
  for (gsize i = 0; i < sizeof *v / sizeof(float); i++) value[i] = (float)hn_rng_normal(&rng);
  for (int i = 0; i < LONG_ROWS * LONG_H; i++) weight[i] = 0.1f * (float)hn_rng_normal(&rng);
  for (int i = 0; i < LONG_ROWS; i++) reset[i] = hn_rng_below(&rng, 9) == 0;
  for (HnRnnCell cell = 0; cell < HN_RNN_CELL_COUNT; cell++) {
    memset(g, 0, 2 * sizeof *g);
    for (int whole = 0; whole < 2; whole++) {
      HnTape t = hn_tape_begin(host, true);
      hn_tape_backward(&t, hn_dot(&t, long_layer(&t, cell, whole, reset, v, &g[whole]), weight));
    }
    const float *want = (const float *)&g[0], *got = (const float *)&g[1];
    for (gsize i = 0; i < sizeof *g / sizeof(float); i++)
      g_assert_cmpfloat(fabsf(got[i] - want[i]), <=, 2e-5f * (1 + fabsf(want[i])));
    g_assert_cmpfloat(fabsf(g[0].u[0]), >, 1e-3f);
    g_assert_cmpfloat(fabsf(g[0].carry[0]), >, 1e-6f);
  }
  g_free(v), g_free(g), fake_host_close(fake), g_free(fake);
}

/* Rows picked from few or from many distinct inputs are what rows given one by one are: states bit
 * for bit, gradients as sums in another order. */
enum { PICK_T = 6, PICK_B = 4, PICK_ROWS = PICK_T * PICK_B };
static void check_picked(HnRnnCell cell, HnRnnForm form, int64_t distinct) {
  World *w = world_new();
  HnRnn r = hn_rnn_make(&w->store, "rnn", cell, form, IN, H, &w->rng);
  float x[PICK_ROWS * IN], all[PICK_ROWS * IN], dx[2][PICK_ROWS * IN] = {{0}},
                                                                  carry[PICK_B * 2 * H];
  float seed[PICK_ROWS * H];
  int32_t row[PICK_ROWS];
  for (int64_t i = 0; i < PICK_ROWS * IN; i++) x[i] = (float)hn_rng_normal(&w->rng);
  for (int64_t i = 0; i < PICK_B * 2 * H; i++) carry[i] = (float)hn_rng_normal(&w->rng);
  for (int64_t i = 0; i < PICK_ROWS * H; i++) seed[i] = (float)hn_rng_normal(&w->rng);
  for (int64_t j = 0; j < r.width; j++) r.b->data[j] = (float)hn_rng_normal(&w->rng);
  for (int64_t j = 0; r.c && j < r.c->cols; j++) r.c->data[j] = (float)hn_rng_normal(&w->rng);
  for (int64_t k = 0; k < PICK_ROWS; k++) {
    row[k] = (int32_t)(k < distinct ? k : hn_rng_below(&w->rng, (uint64_t)distinct));
    memcpy(all + k * IN, x + row[k] * IN, IN * sizeof *all);
  }
  float *flat = hn_store_flat(&w->store, 2), *picked = flat + w->store.size;
  HnTape a = hn_tape_begin(&w->fake.host, true), b = hn_tape_begin(&w->fake.host, true);
  HnVar *want = hn_rnn(&a, &r, PICK_T, hn_leaf(&a, PICK_ROWS, IN, all, dx[0]),
                       hn_constant(&a, PICK_B, r.carry, carry), NULL, flat)
                    .state[0];
  HnVar *got = hn_rnn_picked(&b, &r, PICK_T, hn_leaf(&b, distinct, IN, x, dx[1]), row,
                             hn_constant(&b, PICK_B, r.carry, carry), NULL, picked)
                   .state[0];
  g_assert_cmpmem(got->data, sizeof seed, want->data, sizeof seed);
  hn_tape_backward_from(&a, want, seed), hn_tape_backward_from(&b, got, seed);
  for (int64_t i = 0; i < w->store.size; i++)
    g_assert_cmpfloat(fabsf(picked[i] - flat[i]), <=, 1e-5f * (1 + fabsf(flat[i])));
  for (int64_t k = 0; k < PICK_ROWS; k++)
    for (int64_t j = 0; j < IN; j++) dx[1][row[k] * IN + j] -= dx[0][k * IN + j];
  for (int64_t i = 0; i < PICK_ROWS * IN; i++) g_assert_cmpfloat(fabsf(dx[1][i]), <, 1e-5f);
  world_free(w);
}

static void test_picked(void) {
  for (HnRnnCell cell = 0; cell < HN_RNN_CELL_COUNT; cell++)
    for (HnRnnForm form = HN_RNN_TORCH; form <= HN_RNN_FLAX; form++)
      check_picked(cell, form, 5), check_picked(cell, form, 20);
}

/* Rows that are equal have one number, by first appearance; -0 differs from 0. */
static void test_distinct(void) {
  World *w = world_new();
  HnTape t = hn_tape_begin(&w->fake.host, false);
  const float x[] = {1, 2, 0, 0, 1, 2, -0.0f, 0, 2, 1, 0, 0};
  const float kept[] = {1, 2, 0, 0, -0.0f, 0, 2, 1};
  const int32_t row[] = {0, 1, 0, 2, 3, 1};
  const float *found;
  const int32_t *number;
  g_assert_cmpint(hn_distinct_rows(&t, 6, 2, x, &found, &number), ==, 4);
  g_assert_cmpmem(found, sizeof kept, kept, sizeof kept);
  g_assert_cmpmem(number, sizeof row, row, sizeof row);
  g_assert_cmpint(hn_shared_rows(&t, 6, 2, x, &found, &number), ==, 6);
  g_assert_true(found == x && !number);
  enum { MANY = 3000, VALUES = 700 };
  float *many = g_new(float, MANY);
  for (int k = 0; k < MANY; k++) many[k] = (float)(k * 7919 % VALUES);
  g_assert_cmpint(hn_distinct_rows(&t, MANY, 1, many, &found, &number), ==, VALUES);
  for (int k = 0; k < MANY; k++) {
    g_assert_cmpfloat(found[number[k]], ==, many[k]);
    g_assert_cmpint(number[k], ==, k % VALUES);
  }
  g_assert_cmpint(hn_shared_rows(&t, MANY, 1, many, &found, &number), ==, VALUES);
  g_assert_true(found != many && number);
  g_assert_cmpint(hn_distinct_rows(&t, 0, 3, NULL, &found, &number), ==, 0);
  g_free(many), world_free(w);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rnn/choices", test_choices);
  g_test_add_func("/rnn/torch", test_torch);
  g_test_add_func("/rnn/flax", test_flax);
  g_test_add_func("/rnn/state_bias", test_state_bias);
  g_test_add_func("/rnn/input", test_input);
  g_test_add_func("/rnn/carries", test_carries);
  g_test_add_func("/rnn/split", test_split);
  g_test_add_func("/rnn/windows", test_windows);
  g_test_add_func("/rnn/picked", test_picked);
  g_test_add_func("/rnn/distinct", test_distinct);
  return g_test_run();
}
