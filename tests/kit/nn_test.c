/* nn_test.c - parameters, first values, layers, Adam, clipping and the running normaliser. */
#include "fake_host.h"
#include <glib.h>
#include <hunch/kit/nn.h>
#include <math.h>

typedef struct World {
  FakeHost fake;
  HnStore store;
  HnRng rng;
} World;

static World *world_new(const char *prefix) {
  World *w = g_new0(World, 1);
  hn_store_begin(&w->store, fake_host_open(&w->fake), prefix);
  w->rng = hn_rng(11, 3);
  return w;
}

static void world_free(World *w) {
  fake_host_close(&w->fake);
  g_free(w);
}

/* ---- first values ---- */

static double dot(const float *x, const float *y, int64_t n, int64_t stride) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)x[i * stride] * (double)y[i * stride];
  return sum;
}

static void check_orthogonal(int64_t rows, int64_t cols, double gain) {
  World *w = world_new("");
  const HnTensor *p = hn_store_add(&w->store, "w", rows, cols, HN_INIT_ORTHOGONAL, gain, &w->rng);
  const bool wide = cols > rows;
  const int64_t vectors = wide ? rows : cols, n = wide ? cols : rows, stride = wide ? 1 : cols;
  const int64_t next = wide ? cols : 1;
  for (int64_t i = 0; i < vectors; i++)
    for (int64_t j = 0; j < vectors; j++) {
      const double d = dot(p->data + i * next, p->data + j * next, n, stride);
      g_assert_cmpfloat(fabs(d - (i == j ? gain * gain : 0)), <, 1e-6 * gain * gain);
    }
  world_free(w);
}

/* Square blocks side by side, each orthogonal, no two alike. */
static void test_orthogonal_each(void) {
  enum { N = 6, BLOCKS = 3, COLS = N * BLOCKS };
  World *w = world_new("");
  const float *x = hn_store_add(&w->store, "w", N, COLS, HN_INIT_ORTHOGONAL_EACH, 2, &w->rng)->data;
  for (int64_t i = 0; i < COLS; i++)
    for (int64_t j = i / N * N; j < i / N * N + N; j++)
      g_assert_cmpfloat_with_epsilon(dot(x + i, x + j, N, COLS), i == j ? 4 : 0, 4e-6);
  g_assert_cmpfloat(fabsf(x[0] - x[N]), >, 1e-3f);
  world_free(w);
}

static void test_orthogonal(void) {
  check_orthogonal(64, 64, 1);
  check_orthogonal(40, 7, 1.4142135623730951);
  check_orthogonal(7, 40, 0.01);
  check_orthogonal(1, 5, 2);
}

static void test_other_inits(void) {
  World *w = world_new("");
  const HnTensor *zero = hn_store_add(&w->store, "z", 3, 5, HN_INIT_ZERO, 1, &w->rng);
  const HnTensor *fixed = hn_store_add(&w->store, "c", 3, 5, HN_INIT_CONSTANT, -0.5, &w->rng);
  const HnTensor *normc = hn_store_add(&w->store, "n", 30, 5, HN_INIT_NORMC, 0.3, &w->rng);
  const HnTensor *fan = hn_store_add(&w->store, "f", 100, 50, HN_INIT_FAN_IN, 2, &w->rng);
  const HnTensor *lecun = hn_store_add(&w->store, "l", 100, 400, HN_INIT_LECUN, 0.5, &w->rng);
  for (int i = 0; i < 15; i++) {
    g_assert_cmpfloat(zero->data[i], ==, 0);
    g_assert_cmpfloat(fixed->data[i], ==, -0.5f);
  }
  for (int j = 0; j < 5; j++)
    g_assert_cmpfloat(fabs(dot(normc->data + j, normc->data + j, 30, 5) - 0.09), <, 1e-6);
  float least = 1, most = -1;
  for (int i = 0; i < 5000; i++) least = MIN(least, fan->data[i]), most = MAX(most, fan->data[i]);
  /* U(+-2 / sqrt(100)): 5000 draws come within 1 % of both ends */
  g_assert_true(least >= -0.2f && least < -0.198f && most <= 0.2f && most > 0.198f);
  /* deviation 0.5 / 10 within 1 %; cut at 2 / 0.8796 of it */
  double square = 0;
  for (int i = 0; i < 40000; i++) {
    square += (double)lecun->data[i] * (double)lecun->data[i] / 40000;
    g_assert_cmpfloat(fabsf(lecun->data[i]), <=, 0.113685f);
  }
  g_assert_cmpfloat(fabs(sqrt(square) - 0.05), <, 5e-4);
  world_free(w);
}

/* ---- store ---- */

static void test_store(void) {
  World *w = world_new("actor.");
  char name[8] = "body";
  HnTensor *a = hn_store_add(&w->store, name, 3, 5, HN_INIT_FAN_IN, 1, &w->rng);
  strcpy(name, "gone");
  HnTensor *b = hn_store_add(&w->store, "bias", 1, 5, HN_INIT_FAN_IN, 1, &w->rng);
  const struct {
    const char *name;
    HnRole role;
    HnType type;
    const void *data;
  } kept[] = {{"actor.clock", HN_LEARNER, HN_I64, w->store.clock},
              {"actor.body", HN_WEIGHT, HN_F32, a->data},
              {"actor.body.m1", HN_LEARNER, HN_F32, a->m1},
              {"actor.body.m2", HN_LEARNER, HN_F32, a->m2},
              {"actor.bias", HN_WEIGHT, HN_F32, b->data}};
  for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
    const FakeArray *array = fake_host_find(&w->fake, kept[i].name);
    g_assert_nonnull(array);
    g_assert_cmpint(array->spec.role, ==, kept[i].role);
    g_assert_cmpint(array->spec.type, ==, kept[i].type);
    g_assert_true(array->data == kept[i].data);
  }
  g_assert_true(fake_host_find(&w->fake, "actor.body")->grad == a->grad);
  g_assert_cmpint(b->offset, >=, 15);
  g_assert_cmpint(w->store.size, >=, b->offset + 5);

  /* a resumed run overwrites the weights, then refreshes */
  for (int i = 0; i < 15; i++) a->data[i] = (float)i;
  hn_store_refresh(&w->store);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 5; j++) g_assert_cmpfloat(a->flip[j * 3 + i], ==, (float)(5 * i + j));
  for (int j = 0; j < 5; j++) g_assert_cmpfloat(b->flip[j], ==, b->data[j]);

  /* two shards come together in the tensors' own gradients */
  float *flat = hn_store_flat(&w->store, 2);
  for (int64_t i = 0; i < 2 * w->store.size; i++) g_assert_cmpfloat(flat[i], ==, 0);
  for (int shard = 0; shard < 2; shard++) {
    HnTape t = hn_tape_begin(w->store.host, true);
    float *own = flat + shard * w->store.size;
    HnVar *p = hn_param(&t, a, own), *q = hn_param(&t, b, own);
    g_assert_true(p->flip == a->flip);
    hn_tape_backward(&t, hn_affine(&t, hn_sum(&t, hn_mul(&t, p, q)), (float)(shard + 1), 0));
  }
  hn_store_reduce(&w->store, 2, flat);
  double norm2 = 0;
  for (int j = 0; j < 5; j++) {
    double column = 0;
    for (int i = 0; i < 3; i++) {
      column += 3 * (double)a->data[5 * i + j];
      g_assert_cmpfloat(fabsf(a->grad[5 * i + j] - 3 * b->data[j]), <, 1e-5f);
      norm2 += 9 * (double)b->data[j] * (double)b->data[j];
    }
    g_assert_cmpfloat(fabs((double)b->grad[j] - column), <, 1e-4);
    norm2 += column * column;
  }
  g_assert_cmpfloat(fabs(hn_store_norm2(&w->store) - norm2), <, 1e-6 * norm2);
  world_free(w);
}

/* A target is a copy, then follows by tau; the host keeps it as what only learning reads. */
static void test_target_store(void) {
  World *w = world_new("");
  HnStore target;
  hn_store_begin_target(&target, w->store.host, "target.");
  HnMlp mlp[2];
  const int64_t width[] = {3, 4, 2};
  for (int k = 0; k < 2; k++)
    mlp[k] = hn_mlp_make(k ? &target : &w->store, "q", 2, width, HN_RELU, HN_LINEAR, HN_INIT_FAN_IN,
                         1, 1, &w->rng);
  g_assert_cmpint(fake_host_find(&w->fake, "q.0.weight")->spec.role, ==, HN_WEIGHT);
  const FakeArray *kept = fake_host_find(&w->fake, "target.q.0.weight");
  g_assert_cmpint(kept->spec.role, ==, HN_LEARNER);
  g_assert_null(kept->grad);
  g_assert_null(fake_host_find(&w->fake, "target.q.0.weight.m1"));
  g_assert_null(fake_host_find(&w->fake, "target.clock"));

  hn_store_mix(&target, &w->store, 1);
  for (int64_t i = 0; i < 4; i++)
    g_assert_cmpmem(target.tensor[i].data,
                    (gsize)(target.tensor[i].rows * target.tensor[i].cols) * sizeof(float),
                    w->store.tensor[i].data,
                    (gsize)(target.tensor[i].rows * target.tensor[i].cols) * sizeof(float));
  mlp[1].w[0]->data[7] = 2, mlp[0].w[0]->data[7] = 6; /* row 1, column 3 of 4 */
  hn_store_mix(&target, &w->store, 0.25);
  g_assert_cmpfloat(mlp[1].w[0]->data[7], ==, 3);
  g_assert_cmpfloat(mlp[1].w[0]->flip[3 * 3 + 1], ==, 3);
  g_assert_cmpfloat(mlp[0].w[0]->data[7], ==, 6);
  world_free(w);
}

/* ---- layers ---- */

static void test_layer_norm(void) {
  World *w = world_new("");
  const HnLayerNorm norm = hn_layer_norm_make(&w->store, "in", 3, 1e-6f);
  g_assert_true(fake_host_find(&w->fake, "in.weight")->data == norm.gain->data);
  g_assert_true(fake_host_find(&w->fake, "in.bias")->data == norm.bias->data);
  for (int j = 0; j < 3; j++) {
    g_assert_cmpfloat(norm.gain->data[j], ==, 1);
    g_assert_cmpfloat(norm.bias->data[j], ==, 0);
  }
  norm.gain->data[2] = 4, norm.bias->data[1] = -3;
  const float x[3] = {1, 2, 6}; /* less 3: -2, -1, 3; variance 14 / 3 */
  HnTape t = hn_tape_begin(w->store.host, false);
  const HnVar *y = hn_layer_norm_by(&t, &norm, hn_constant(&t, 1, 3, x), NULL);
  const double unit = 1 / sqrt(14.0 / 3), want[3] = {-2 * unit, -unit - 3, 12 * unit};
  for (int j = 0; j < 3; j++) g_assert_cmpfloat(fabs((double)y->data[j] - want[j]), <, 1e-6);
  world_free(w);
}

static void test_mlp(void) {
  World *w = world_new("");
  const int64_t width[] = {4, 9, 6, 3};
  const HnMlp mlp = hn_mlp_make(&w->store, "pi", 3, width, HN_TANH, HN_LINEAR, HN_INIT_ORTHOGONAL,
                                1, 0.01, &w->rng);
  g_assert_nonnull(fake_host_find(&w->fake, "pi.2.bias"));
  g_assert_cmpint(fake_host_find(&w->fake, "pi.1.weight")->spec.dim[0], ==, 9);
  g_assert_cmpint(fake_host_find(&w->fake, "pi.1.weight")->spec.dim[1], ==, 6);
  for (int l = 0; l < 3; l++)
    for (int64_t j = 0; j < width[l + 1]; j++) mlp.b[l]->data[j] = (float)hn_rng_normal(&w->rng);
  float x[8];
  for (int i = 0; i < 8; i++) x[i] = (float)hn_rng_normal(&w->rng);
  HnTape t = hn_tape_begin(w->store.host, false);
  const HnVar *y = hn_mlp(&t, &mlp, hn_constant(&t, 2, 4, x), NULL);
  for (int row = 0; row < 2; row++) {
    double h[9], next[9];
    for (int i = 0; i < 4; i++) h[i] = (double)x[4 * row + i];
    for (int l = 0; l < 3; l++) {
      for (int64_t j = 0; j < width[l + 1]; j++) {
        next[j] = (double)mlp.b[l]->data[j];
        for (int64_t i = 0; i < width[l]; i++)
          next[j] += h[i] * (double)mlp.w[l]->data[i * width[l + 1] + j];
        if (l < 2) next[j] = tanh(next[j]);
      }
      memcpy(h, next, sizeof h);
    }
    for (int j = 0; j < 3; j++)
      g_assert_cmpfloat(fabs((double)y->data[3 * row + j] - h[j]), <, 1e-6);
  }
  const HnMlp other =
      hn_mlp_make(&w->store, "q", 1, width, HN_RELU, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, &w->rng);
  for (int j = 0; j < 9; j++)
    g_assert_true(other.b[0]->data[j] != 0 && fabsf(other.b[0]->data[j]) <= 0.5f);
  world_free(w);
}

static void test_widths(void) {
  int64_t w[3] = {0};
  g_assert_cmpint(hn_widths("256 128,64", 3, w), ==, 3);
  g_assert_true(w[0] == 256 && w[1] == 128 && w[2] == 64);
  g_assert_cmpint(hn_widths(" 7 ", 3, w), ==, 1);
  g_assert_cmpint(w[0], ==, 7);
  static const char *const bad[] = {"", " ", "0", "-3", "65537", "64x", "64 a", "1.5", "1 2 3 4"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) g_assert_cmpint(hn_widths(bad[i], 3, w), ==, -1);
}

/* ---- Adam ---- */

/* The paper's algorithm in float64, with PyTorch's place for eps and decoupled decay. */
typedef struct Reference {
  double w, m1, m2;
} Reference;

static void reference_step(Reference *r, const HnAdam *a, int step, double g, double rate) {
  r->m1 = a->beta1 * r->m1 + (1 - a->beta1) * g;
  r->m2 = a->beta2 * r->m2 + (1 - a->beta2) * g * g;
  const double m1 = r->m1 / (1 - pow(a->beta1, step)), m2 = r->m2 / (1 - pow(a->beta2, step));
  r->w -= rate * a->lr * a->weight_decay * r->w;
  r->w -= rate * a->lr * m1 / (sqrt(m2) + a->eps);
}

static void test_adam(void) {
  enum { N = 37 };
  const HnAdam adam = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.1};
  World *w = world_new("");
  HnTensor *p = hn_store_add(&w->store, "w", N, 1, HN_INIT_FAN_IN, 3, &w->rng);
  HnTensor *q = hn_store_add(&w->store, "v", 2, 3, HN_INIT_FAN_IN, 3, &w->rng);
  Reference want[N] = {{0}};
  for (int i = 0; i < N; i++) want[i].w = (double)p->data[i];
  for (int step = 1; step <= 200; step++) {
    const double scale = step % 3 ? 1 : 0.25, rate = step <= 100 ? 1 : 0.5;
    for (int i = 0; i < N; i++) {
      p->grad[i] = (float)(hn_rng_normal(&w->rng) * (i + 1) * 0.01);
      reference_step(&want[i], &adam, step, scale * (double)p->grad[i], rate);
    }
    hn_adam_step(&w->store, &adam, scale, rate);
    for (int i = 0; i < N; i++) {
      g_assert_cmpfloat(fabs((double)p->data[i] - want[i].w), <, 2e-6 * (1 + fabs(want[i].w)));
      g_assert_cmpfloat(p->grad[i], ==, 0);
    }
  }
  g_assert_cmpint(*w->store.clock, ==, 200);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++) g_assert_cmpfloat(q->flip[j * 2 + i], ==, q->data[i * 3 + j]);
  world_free(w);
}

/* What is done in tasks where a store is large has the bits that each element has alone: three
 * shards added in their order, then the first step in closed form, which clears the gradient. */
static void test_large(void) {
  enum { ROWS = 301, COLS = 331, SHARDS = 3 }; /* six tasks and a rest, after a tensor of one */
  const HnAdam adam = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-12};
  World *w = world_new("");
  const HnTensor *const small = hn_store_add(&w->store, "a", 3, 5, HN_INIT_FAN_IN, 1, &w->rng);
  const HnTensor *const large =
      hn_store_add(&w->store, "b", ROWS, COLS, HN_INIT_FAN_IN, 1, &w->rng);
  const HnTensor *const both[] = {small, large};
  float *flat = hn_store_flat(&w->store, SHARDS);
  for (int64_t k = 0; k < SHARDS * w->store.size; k++) flat[k] = (float)hn_rng_normal(&w->rng);
  hn_store_reduce(&w->store, SHARDS, flat);
  for (int t = 0; t < 2; t++) {
    const HnTensor *p = both[t];
    for (int64_t k = 0; k < p->rows * p->cols; k++) {
      float sum = 0;
      for (int64_t s = 0; s < SHARDS; s++) sum += flat[s * w->store.size + p->offset + k];
      g_assert_cmpfloat(p->grad[k], ==, sum);
    }
  }
  float *before = g_memdup2(large->data, sizeof(float) * ROWS * COLS);
  float *g = g_memdup2(large->grad, sizeof(float) * ROWS * COLS);
  hn_adam_step(&w->store, &adam, 1, 1);
  for (int64_t k = 0; k < ROWS * COLS; k++) {
    g_assert_cmpfloat(fabsf(large->data[k] - (before[k] - (g[k] > 0 ? 0.1f : -0.1f))), <, 1e-6f);
    g_assert_cmpfloat(large->grad[k], ==, 0);
  }
  g_free(before), g_free(g), world_free(w);
}

/* Closed form: the first step moves by lr sign(g), whatever g, when eps is small beside it. */
static void test_adam_first(void) {
  const HnAdam adam = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-12};
  const float g[4] = {1e-3f, -5, 700, -2e-5f};
  World *w = world_new("");
  HnTensor *p = hn_store_add(&w->store, "w", 1, 4, HN_INIT_CONSTANT, 2, &w->rng);
  memcpy(p->grad, g, sizeof g);
  hn_adam_step(&w->store, &adam, 1, 1);
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat(fabsf(p->data[i] - (g[i] > 0 ? 1.9f : 2.1f)), <, 1e-6f);
  world_free(w);
}

static void test_clip(void) {
  g_assert_cmpfloat(hn_clip_scale(4, 1), ==, 0.5);
  g_assert_cmpfloat(hn_clip_scale(0.25, 1), ==, 1);
  g_assert_cmpfloat(hn_clip_scale(0, 1), ==, 1);
  g_assert_cmpfloat(hn_clip_scale(1e10, 0), ==, 1);
  g_assert_cmpfloat(hn_clip_scale(1e10, -1), ==, 1);
  g_assert_true(isnan(hn_clip_scale((double)INFINITY, 1)));
  g_assert_true(isnan(hn_clip_scale((double)NAN, 0)));
}

/* Elements beyond the bound come to it, others stay, NaN is not hidden. */
static void test_clamp(void) {
  const float g[6] = {0.5f, -0.5f, 3, -7, -INFINITY, NAN}, want[5] = {0.5f, -0.5f, 1, -1, -1};
  World *w = world_new("");
  HnTensor *p = hn_store_add(&w->store, "w", 2, 3, HN_INIT_ZERO, 0, &w->rng);
  HnTensor *q = hn_store_add(&w->store, "v", 1, 1, HN_INIT_ZERO, 0, &w->rng);
  memcpy(p->grad, g, sizeof g);
  *q->grad = 2;
  hn_store_clamp(&w->store, 0);
  g_assert_cmpfloat(*q->grad, ==, 2);
  hn_store_clamp(&w->store, 1);
  for (int i = 0; i < 5; i++) g_assert_cmpfloat(p->grad[i], ==, want[i]);
  g_assert_true(isnan(p->grad[5]));
  g_assert_cmpfloat(*q->grad, ==, 1);
  world_free(w);
}

/* ---- normaliser ---- */

enum { ROWS = 300, COLS = 530, LD = 535 };

/* Batches of many sizes come out as one pass over all of it; the offset spoils naive sums. */
static void test_normaliser(void) {
  World *w = world_new("");
  HnNormaliser z = hn_normaliser_make(&w->fake.host, "obs", COLS);
  static const char *const names[] = {"obs.count", "obs.mean", "obs.m2"};
  for (int i = 0; i < 3; i++) {
    const FakeArray *array = fake_host_find(&w->fake, names[i]);
    g_assert_nonnull(array);
    g_assert_cmpint(array->spec.role, ==, HN_WEIGHT);
    g_assert_cmpint(array->spec.type, ==, HN_F64);
  }
  float *x = g_new0(float, ROWS *LD), y[3 * COLS];
  for (int i = 0; i < ROWS * LD; i++)
    x[i] = (float)(1000 * (i % LD) + (1 + i % LD) * hn_rng_normal(&w->rng));
  hn_normaliser_apply(&z, 3, x, LD, 1500, y, COLS);
  g_assert_cmpfloat(y[0], ==, x[0]);
  g_assert_cmpfloat(y[5], ==, 1500);
  g_assert_cmpfloat(hn_normaliser_stddev(&z, 0), ==, 1);
  for (int from = 0, size = 1; from < ROWS; from += size, size = MIN(2 * size, ROWS - from))
    hn_normaliser_update(&z, size, x + from * LD, LD);
  g_assert_cmpfloat(*z.count, ==, ROWS);
  hn_normaliser_apply(&z, 3, x, LD, 1.25f, y, COLS);
  for (int j = 0; j < COLS; j++) {
    double mean = 0, variance = 0;
    for (int i = 0; i < ROWS; i++) mean += (double)x[i * LD + j] / ROWS;
    for (int i = 0; i < ROWS; i++) {
      const double d = (double)x[i * LD + j] - mean;
      variance += d * d / ROWS;
    }
    g_assert_cmpfloat(fabs(z.mean[j] - mean), <, 1e-11 * (1 + fabs(mean)));
    g_assert_cmpfloat(fabs(z.m2[j] / ROWS - variance), <, 1e-10 * variance);
    g_assert_cmpfloat(fabs(hn_normaliser_stddev(&z, j) - sqrt(variance + 1e-8)), <, 1e-8);
    for (int i = 0; i < 3; i++) {
      const double v = ((double)x[i * LD + j] - mean) / sqrt(variance + 1e-8);
      g_assert_cmpfloat(fabs((double)y[i * COLS + j] - CLAMP(v, -1.25, 1.25)), <, 1e-6);
    }
  }
  g_free(x);
  world_free(w);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/nn/orthogonal", test_orthogonal);
  g_test_add_func("/nn/orthogonal_each", test_orthogonal_each);
  g_test_add_func("/nn/inits", test_other_inits);
  g_test_add_func("/nn/store", test_store);
  g_test_add_func("/nn/target_store", test_target_store);
  g_test_add_func("/nn/layer-norm", test_layer_norm);
  g_test_add_func("/nn/mlp", test_mlp);
  g_test_add_func("/nn/widths", test_widths);
  g_test_add_func("/nn/adam", test_adam);
  g_test_add_func("/nn/adam-first", test_adam_first);
  g_test_add_func("/nn/large", test_large);
  g_test_add_func("/nn/clip", test_clip);
  g_test_add_func("/nn/clamp", test_clamp);
  g_test_add_func("/nn/normaliser", test_normaliser);
  return g_test_run();
}
