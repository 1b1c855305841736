/* sdvt_test.c - SDVT against its equations, computed in float64 by golden/sdvt/record_sdvt.py, and
 * closed forms. */
#include "sdvt_fixture.h"
#include <json-glib/json-glib.h>

static JsonParser *parser;

static JsonObject *golden(void) {
  return json_node_get_object(json_parser_get_root(parser));
}
/* Holds n numbers to those of an array, nested or not, in its order. */
static void hold(JsonArray *a, const float *x, int64_t *at, double tolerance) {
  for (guint i = 0; i < json_array_get_length(a); i++) {
    JsonNode *e = json_array_get_element(a, i);
    if (JSON_NODE_HOLDS_ARRAY(e))
      hold(json_node_get_array(e), x, at, tolerance);
    else
      near((double)x[(*at)++], json_node_get_double(e), tolerance);
  }
}

/* ---- against the script ---- */

/* Over episodes and a new task, whether a window is inferred at once or step by step. */
static void test_beliefs(void) {
  Experience *x = experience_new();
  Fixture *b = fixture_new(SMALL);
  set_weights(b);
  g_assert_cmpint(b->spec.belief_dim, ==, 2 * 3 + 4);
  g_assert_cmpint(b->spec.latent_dim, ==, 3);
  for (int k = 0; k < 4; k++) {
    const int64_t samples = k / 2 * 2, steps = k % 2 ? 0 : STEPS, wide = MAX(samples, 1) * 10;
    HnRng rng[ROWS] = {hn_rng(21, 0), hn_rng(21, 1)};
    void *state = g_malloc0(ROWS * b->spec.row_size);
    JsonArray *all = json_object_get_array_member(json_object_get_object_member(golden(), "belief"),
                                                  samples ? "2" : "0");
    g_assert_cmpint(json_array_get_length(all), ==, STEPS + 1);
    for (int64_t from = 0; from <= STEPS; from += steps + 1) {
      HnHistory h = window(x, from, steps);
      float *belief = infer(b, &h, samples, state, rng);
      int64_t at = 0;
      for (int64_t t = from; t <= from + steps; t++)
        hold(json_array_get_array_element(all, (guint)t), belief, &at, 1e-6);
      g_assert_cmpint(at, ==, (steps + 1) * ROWS * wide);
      g_free(belief);
    }
    g_free(state);
  }
  fixture_free(b), g_free(x);
}

/* Parts and gradient of the batch of both finished trials, in shards of `size` trials. */
static void slope_of(Fixture *b, int64_t size, double *parts, float *encoder, float *decoders) {
  Varibad *v = &b->v;
  int64_t shards = 2 / size;
  double *part = g_new0(double, shards *VARIBAD_PARTS);
  VaribadBatch batch = {.v = v, .trials = 2, .shard_size = size, .steps = 8, .seed = 17};
  batch.encoder_flat = encoder, batch.decoder_flat = decoders, batch.parts = part;
  memcpy(v->slot, v->replay.finished, 2 * sizeof *v->slot);
  for (int64_t k = 0; k < shards; k++) {
    g_assert_cmpint(varibad_train_shard(&batch, k), ==, HN_OK);
    fake_host_reset(&b->fake, (FakeMark){0});
    for (int i = 0; i < VARIBAD_PARTS; i++) parts[i] += part[k * VARIBAD_PARTS + i];
  }
  for (int64_t i = 0; shards > 1 && i < v->encoder.size; i++)
    encoder[i] += encoder[v->encoder.size + i];
  for (int64_t i = 0; shards > 1 && i < v->decoders.size; i++)
    decoders[i] += decoders[v->decoders.size + i];
  g_free(part);
}

static void hold_gradient(const HnStore *s, const float *flat) {
  JsonObject *all = json_object_get_object_member(golden(), "gradient");
  for (int64_t k = 0; k < s->count; k++) {
    const HnTensor *w = &s->tensor[k];
    JsonArray *a = json_object_get_array_member(all, w->name);
    int64_t at = 0;
    if (!a) g_error("the script has no %s", w->name);
    double most = 0;
    for (guint i = 0; i < json_array_get_length(a); i++)
      most = MAX(most, fabs(json_array_get_double_element(a, i)));
    hold(a, flat + w->offset, &at, 1e-7 + 2e-6 * most);
    g_assert_cmpint(at, ==, w->rows * w->cols);
  }
}

static void hold_parts(const char *name, const double *parts) {
  static const struct {
    const char *name;
    int part;
  } all[] = {{"reward", VARIBAD_PART_REWARD}, {"state", VARIBAD_PART_STATE},
             {"gauss", VARIBAD_PART_GAUSS},   {"cat", VARIBAD_PART_CAT},
             {"occ", VARIBAD_PART_OCC},       {"ext", VARIBAD_PART_EXT}};
  JsonObject *o = json_object_get_object_member(golden(), name);
  for (guint k = 0; k < G_N_ELEMENTS(all); k++)
    near(parts[all[k].part], json_object_get_double_member(o, all[k].name), 3e-7);
  g_assert_cmpfloat(parts[VARIBAD_PART_KL], ==, 0);
}

/* Every part of the loss, and its gradient by every weight of encoder and decoders, in shards of
 * any size; where time is cut into stretches, the loss and the decoders' gradient stay. */
static void test_loss_and_gradient(void) {
  Experience *x = experience_new();
  for (int64_t size = 1; size <= 2; size++)
    for (int cut = 0; cut < 2; cut++) {
      Fixture *b = fixture_new(cut ? SMALL ", updates: 0, truncate: 3" : SMALL ", updates: 0");
      set_weights(b);
      HnHistory h = window(x, 0, STEPS);
      learn(b, &h);
      g_assert_cmpint(hn_trial_replay_count(&b->v.replay), ==, 2);
      float *encoder = g_new0(float, 2 * b->v.encoder.size);
      float *decoders = g_new0(float, 2 * b->v.decoders.size);
      double parts[VARIBAD_PARTS] = {0};
      slope_of(b, size, parts, encoder, decoders);
      hold_parts("parts", parts);
      if (!cut) hold_gradient(&b->v.encoder, encoder);
      hold_gradient(&b->v.decoders, decoders);
      JsonObject *all = json_object_get_object_member(golden(), "gradient");
      g_assert_cmpint(json_object_get_size(all), ==, b->v.encoder.count + b->v.decoders.count);
      g_free(encoder), g_free(decoders), fixture_free(b);
    }
  g_free(x);
}

/* With draw_latent off the posterior's mean is decoded, and no normals are drawn. */
static void test_mean_decoded(void) {
  Experience *x = experience_new();
  Fixture *b = fixture_new(SMALL ", updates: 0, draw_latent: false");
  set_weights(b);
  HnHistory h = window(x, 0, STEPS);
  learn(b, &h);
  float *encoder = g_new0(float, b->v.encoder.size), *decoders = g_new0(float, b->v.decoders.size);
  double parts[VARIBAD_PARTS] = {0};
  slope_of(b, 2, parts, encoder, decoders);
  hold_parts("parts_of_means", parts);
  g_free(encoder), g_free(decoders), fixture_free(b), g_free(x);
}

/* Calls relabel on step t, whose belief is already inferred, and holds what it gives. */
static void relabel(Fixture *b, Experience *x, int64_t t, void *state, HnRng *rng, float *reward) {
  HnHistory now = window(x, t, 1);
  memcpy(reward, now.reward, ROWS * sizeof *reward);
  g_assert_cmpint(varibad_relabel(&b->v, &now, state, rng, reward), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

static JsonArray *row_of(const char *name, guint i) {
  return json_array_get_array_element(json_object_get_array_member(golden(), name), i);
}

/* Rewards of two steps of a virtual trial; the belief in between rolls on the first of them. */
static void test_virtual_rewards(void) {
  static const double usage[] = {0.1, 0.2, 0.3, 0.4};
  Experience *x = experience_new();
  Fixture *b = fixture_new(SMALL);
  set_weights(b);
  HnRng own[ROWS] = {hn_rng(21, 0), hn_rng(21, 1)}, rng[ROWS] = {hn_rng(33, 0), hn_rng(33, 1)};
  void *state = g_malloc0(ROWS * b->spec.row_size);
  float reward[2][ROWS];
  HnHistory h = window(x, 0, 3), next = window(x, 4, 0);
  g_free(infer(b, &h, 0, state, own));
  relabel(b, x, 3, state, rng, reward[0]); /* not in an iteration that is real */
  g_assert_cmpmem(reward[0], sizeof reward[0], x->reward + 3 * ROWS, sizeof reward[0]);
  *b->v.virtual.active = *b->v.virtual.count = 1;
  memcpy(b->v.virtual.usage.mean, usage, sizeof usage);
  relabel(b, x, 3, state, rng, reward[0]);
  memcpy(x->reward + 3 * ROWS, reward[0], sizeof reward[0]);
  g_free(infer(b, &next, 0, state, own));
  relabel(b, x, 4, state, rng, reward[1]);
  for (guint i = 0; i < ROWS; i++) {
    int64_t at = 0;
    for (guint k = 0; k < 2; k++)
      near((double)reward[k][i], json_array_get_double_element(row_of("virtual", i), k), 1.2e-7);
    hold(row_of("virtual_y", i), varibad_code_of(&b->v, state, i), &at, 1e-6);
  }
  g_free(state), fixture_free(b), g_free(x);
}

/* As in the reference code, the first step may be decoded from the belief's own y. */
static void test_virtual_first_own(void) {
  Experience *x = experience_new();
  Fixture *b = fixture_new(SMALL ", virtual_first_own: true");
  set_weights(b);
  HnRng own[ROWS] = {hn_rng(21, 0), hn_rng(21, 1)}, rng[ROWS] = {hn_rng(33, 0), hn_rng(33, 1)};
  void *state = g_malloc0(ROWS * b->spec.row_size);
  float reward[ROWS];
  HnHistory h = window(x, 0, 0);
  g_free(infer(b, &h, 0, state, own));
  *b->v.virtual.active = *b->v.virtual.count = 1;
  for (int k = 0; k < 4; k++) b->v.virtual.usage.mean[k] = 0.1 * (k + 1);
  relabel(b, x, 0, state, rng, reward);
  for (guint i = 0; i < ROWS; i++)
    near((double)reward[i], json_array_get_double_element(row_of("virtual_first_own", i), 0),
         1.2e-7);
  g_free(state), fixture_free(b), g_free(x);
}

/* Rewards stay within their bounds; with dropout, as in the reference code, they differ. */
static void test_virtual_bounds(void) {
  Experience *x = experience_new();
  float reward[3][ROWS];
  static const char *settings[] = {SMALL, SMALL ", virtual_dropout: true",
                                   SMALL ", virtual_high: -1"};
  for (int k = 0; k < 3; k++) {
    Fixture *b = fixture_new(settings[k]);
    set_weights(b);
    HnRng own[ROWS] = {hn_rng(21, 0), hn_rng(21, 1)}, rng[ROWS] = {hn_rng(33, 0), hn_rng(33, 1)};
    void *state = g_malloc0(ROWS * b->spec.row_size);
    HnHistory h = window(x, 0, 0);
    g_free(infer(b, &h, 0, state, own));
    *b->v.virtual.active = 1;
    relabel(b, x, 0, state, rng, reward[k]);
    g_free(state), fixture_free(b);
  }
  for (int i = 0; i < ROWS; i++) {
    g_assert_true(reward[0][i] != reward[1][i]);
    g_assert_cmpfloat(reward[0][i], >, -1);
    g_assert_cmpfloat(reward[2][i], ==, -1);
  }
  g_free(x);
}

/* ---- closed forms ---- */

enum { PAPER_K = 10 };

static double cat_of(Fixture *b, const float *logits) {
  static const float one = 1;
  HnTape t = hn_tape_begin(&b->fake.host, false);
  return (double)varibad_cat_loss(&t, hn_constant(&t, 1, PAPER_K, logits), &one)->data[0];
}
static double occ_of(Fixture *b, const float *y) {
  static const float one = 1;
  HnTape t = hn_tape_begin(&b->fake.host, false);
  return (double)varibad_occ_loss(&t, hn_constant(&t, 1, PAPER_K, y), &one)->data[0];
}

static void test_losses(void) {
  Fixture *b = fixture_new(SMALL);
  float logits[PAPER_K] = {0}, y[PAPER_K];
  near(cat_of(b, logits), 0, 1e-6);
  logits[3] = 60;
  near(cat_of(b, logits), 2.302585, 1e-6);
  for (int k = 0; k < PAPER_K; k++) y[k] = 0.1f;
  near(occ_of(b, y), 0.364247, 1e-6);
  memset(y, 0, sizeof y), y[PAPER_K - 1] = 1;
  near(occ_of(b, y), 2.302585, 1e-6);
  memset(y, 0, sizeof y), y[0] = 1;
  near(occ_of(b, y), 2.8416e-4, 1e-8);
  /* q = p: nothing; else twice ln N(1; 1, 4) - ln N(1; 0, 1) = ln(1/2) + 1/2 */
  const float z[] = {1, 1}, mean[] = {1, 1}, four[] = {4, 4}, zero[] = {0, 0}, unit[] = {1, 1};
  static const float weight = 1;
  HnTape t = hn_tape_begin(&b->fake.host, false);
  HnVar *at = hn_constant(&t, 1, 2, z), *m = hn_constant(&t, 1, 2, mean);
  HnVar *v = hn_constant(&t, 1, 2, four), *o = hn_constant(&t, 1, 2, zero);
  g_assert_cmpfloat(varibad_gauss_loss(&t, at, m, v, m, v, &weight)->data[0], ==, 0);
  HnVar *other = varibad_gauss_loss(&t, at, m, v, o, hn_constant(&t, 1, 2, unit), &weight);
  near((double)other->data[0], 2 * (0.5 - log(2)), 1e-6);
  /* (3 - 1)^2 and 0: mean over two numbers */
  const float dispersed[] = {3, 1};
  HnVar *ext = varibad_ext_loss(&t, at, hn_constant(&t, 1, 2, dispersed), &weight);
  near((double)ext->data[0], 2, 1e-6);
  fixture_free(b);
}

static int64_t elements(const HnStore *s) {
  int64_t count = 0;
  for (int64_t k = 0; k < s->count; k++) count += s->tensor[k].rows * s->tensor[k].cols;
  return count;
}

/* The sizes of the published networks, K = 10 on Meta-World. */
static void test_sizes(void) {
  static const struct {
    const char *settings;
    int64_t encoder, decoders, belief;
  } all[] = {
      /* reward: embeddings 1312 + 80, 336 -> 64 64 32 1; state 1312 + 80, 53 -> 64 64 32 39; prior
       * 11 x 10; dispersion 5 -> 256 256 256 */
      {"", 1052580,
       1392 + 21568 + 4160 + 2080 + 33 + 1392 + 3456 + 4160 + 2080 + 1287 + 110 + 133120, 20},
      /* SD: the reward decoder reads 85 numbers */
      {"dispersion_weight: 0, virtual_growth: 0", 1052580,
       1392 + 5504 + 4160 + 2080 + 33 + 1392 + 3456 + 4160 + 2080 + 1287 + 110, 20},
      /* LDM: VariBAD's encoder */
      {"subtasks: 1, virtual_source: latents, virtual_probability: 0.1, virtual_growth: 0", 251290,
       1392 + 5504 + 4160 + 2080 + 33 + 1392 + 3456 + 4160 + 2080 + 1287, 10}};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++) {
    Fixture *b = g_new0(Fixture, 1);
    g_assert_cmpint(fixture_try(b, all[k].settings, 39, 4), ==, HN_OK);
    g_assert_cmpint(elements(&b->v.encoder), ==, all[k].encoder);
    g_assert_cmpint(elements(&b->v.decoders), ==, all[k].decoders);
    g_assert_cmpint(b->spec.belief_dim, ==, all[k].belief);
    fixture_free(b);
  }
}

static void refused(const char *settings, const char *why) {
  Fixture *b = g_new0(Fixture, 1);
  g_assert_cmpint(fixture_try(b, settings, OBS, ACT), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(b->fake.error, why));
  fixture_free(b);
}

static void test_refusals(void) {
  refused("head_layers: 64 x", "head_layers: '64 x'");
  refused("dispersion_layers: ''", "dispersion_layers");
  refused("reward_weight: 0", "virtual training needs reward_weight");
  refused("subtasks: 1", "virtual_source: subtasks needs subtasks > 1");
  refused("virtual_low: 11", "virtual_low is above");
}

int main(int argc, char **argv) {
  GError *error = NULL;
  g_test_init(&argc, &argv, NULL);
  parser = json_parser_new();
  json_parser_load_from_file(parser, GOLDEN "/sdvt_golden.json", &error);
  g_assert_no_error(error);
  g_test_add_func("/sdvt/beliefs", test_beliefs);
  g_test_add_func("/sdvt/loss_and_gradient", test_loss_and_gradient);
  g_test_add_func("/sdvt/mean_decoded", test_mean_decoded);
  g_test_add_func("/sdvt/virtual_rewards", test_virtual_rewards);
  g_test_add_func("/sdvt/virtual_first_own", test_virtual_first_own);
  g_test_add_func("/sdvt/virtual_bounds", test_virtual_bounds);
  g_test_add_func("/sdvt/losses", test_losses);
  g_test_add_func("/sdvt/sizes", test_sizes);
  g_test_add_func("/sdvt/refusals", test_refusals);
  int status = g_test_run();
  g_object_unref(parser);
  return status;
}
