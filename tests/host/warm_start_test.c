/* warm_start_test.c - cells that start from a checkpoint, keep some, or only evaluate: to the bit
 * what the checkpoint's own cell was; and every way in which a checkpoint cannot be had. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "digest.h"
#include "error.h"
#include "run_dir.h"
#include "warm_start.h"
#include "warm_start_match.h"
#include <glib/gstdio.h>
#include <unistd.h>

static char *root; /* of this program's files */

static HnCell cell_of(const HnPlugin *inference, const char *arm) {
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(inference, ""),
                           part_of(&toy_policy_LTX_hn_plugin, ""));
  c.arm = (char *)(guintptr)arm;
  c.run.frames = 1000, c.run.rows = 10, c.evaluation.every = 0;
  return c;
}

/* Starts `c` from arm `arm` of the study in root. */
static void start_from(HnCell *c, const char *arm, int64_t at) {
  c->warm_start = true;
  c->weights = (HnWeightsParams){
      .from = root, .arm = arm, .seed = "same", .at = "", .sha256 = "", .identity = ""};
  c->weights_seed = -1, c->weights_at = at;
}

/* root/ARM/0, as a study would name it; g_free. */
static char *dir_of(const HnCell *c) {
  return g_build_filename(root, c->arm, "0", NULL);
}

static char *run_cell(const HnCell *c) {
  char *dir = dir_of(c);
  run_whole(c, dir);
  return dir;
}

/* Episodes name the arm. */
static void assert_same_files(const char *a, const char *b, bool same_arm) {
  static const char *const name[] = {"metrics.csv", "steps.csv", "trial.csv", "trace.bin",
                                     "episodes.csv"};
  for (guint i = 0; i < G_N_ELEMENTS(name) - !same_arm; i++) {
    gsize n = 0, m = 0;
    g_autofree char *x = file_in(a, name[i], &n), *y = file_in(b, name[i], &m);
    g_assert_cmpmem(x, n, y, m);
  }
}

/* The hash of the weights after the last update. */
static void last_digest(const char *dir, char digest[HN_DIGEST_BYTES]) {
  gsize n;
  g_autofree char *trace = file_in(dir, "trace.bin", &n);
  g_assert_cmpuint(n, >=, HN_DIGEST_BYTES);
  memcpy(digest, trace + n - HN_DIGEST_BYTES, HN_DIGEST_BYTES);
}

static void assert_digest(const char *a, const char *b, bool same) {
  char x[HN_DIGEST_BYTES], y[HN_DIGEST_BYTES];
  last_digest(a, x), last_digest(b, y);
  g_assert_true((memcmp(x, y, HN_DIGEST_BYTES) == 0) == same);
}

/* The last row of a table from its `first` column on. */
static char *last_row_from(const char *dir, const char *table, const char *first) {
  g_autofree char *text = file_in(dir, table, NULL);
  g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
  g_auto(GStrv) head = g_strsplit(lines[0], ",", -1);
  guint k = 0, last = g_strv_length(lines) - 1;
  while (head[k] && strcmp(head[k], first) != 0) k++;
  g_assert_nonnull(head[k]);
  g_auto(GStrv) fields = g_strsplit(lines[last], ",", -1);
  return g_strjoinv(",", fields + k);
}

/* The first arm of this study: trained through the policy, keeping every fourth checkpoint. */
static char *train(HnCell *c) {
  *c = cell_of(&toy_memory_LTX_hn_plugin, "trained");
  c->run.keep_every = 4;
  return run_cell(c);
}

static void finish(HnCell *c, char *dir) {
  cell_clear(c), g_free(dir);
}

/* ---- taking them ---- */

/* Another plugin with the same names, evaluated only, is what was trained: the same hash of the
 * weights, the same evaluation to the last digit. */
static void test_evaluate(void) {
  HnCell source, c = cell_of(&toy_filter_LTX_hn_plugin, "evaluated");
  char *trained = train(&source);
  c.run.frames = 0;
  start_from(&c, "trained", -1);
  char *dir = run_cell(&c);
  assert_digest(trained, dir, true);
  static const char *const table[][2] = {
      {"metrics.csv", "eval.return"}, {"steps.csv", "step"}, {"trial.csv", "row"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *was = last_row_from(trained, table[i][0], table[i][1]);
    g_autofree char *is = last_row_from(dir, table[i][0], table[i][1]);
    g_assert_cmpstr(is, ==, was);
  }
  g_autofree char *metrics = file_in(dir, "metrics.csv", NULL);
  g_auto(GStrv) lines = g_strsplit(g_strchomp(metrics), "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, 2);
  g_assert_true(g_str_has_prefix(lines[1], "0,0,nan,")); /* nothing was trained on */
  g_autofree char *facts = file_in(dir, "run.json", NULL);
  g_autofree char *path = hn_run_checkpoint(trained, 10);
  g_autofree char *sum = hn_warm_start_sha256(path, NULL);
  g_assert_nonnull(strstr(facts, "\"status\" : \"done\""));
  g_assert_nonnull(strstr(facts, path));
  g_assert_nonnull(strstr(facts, sum));
  finish(&source, trained), finish(&c, dir);
}

/* The control: no frames and no weights is what the seed draws, and so is a kept update 0. */
static void test_before(void) {
  HnCell source, c = cell_of(&toy_memory_LTX_hn_plugin, "random");
  char *trained = train(&source);
  c.run.frames = 0;
  char *random = run_cell(&c);
  HnCell d = c;
  d.arm = (char *)(guintptr) "before";
  start_from(&d, "trained", 0);
  char *before = run_cell(&d);
  assert_digest(random, before, true);
  assert_digest(random, trained, false);
  assert_same_files(random, before, false);
  g_free(before), finish(&source, trained), finish(&c, random);
}

static void test_during(void) {
  HnCell source, c = cell_of(&toy_memory_LTX_hn_plugin, "during");
  char *trained = train(&source), at4[HN_DIGEST_BYTES], now[HN_DIGEST_BYTES];
  g_autoptr(GPtrArray) list = hn_run_checkpoints(trained, NULL);
  static const int64_t kept[] = {0, 4, 8, 9, 10}; /* and the newest two */
  g_assert_cmpuint(list->len, ==, G_N_ELEMENTS(kept));
  for (guint i = 0; i < list->len; i++)
    g_assert_cmpint(hn_run_checkpoint_update(list->pdata[i]), ==, kept[i]);
  c.run.frames = 0;
  start_from(&c, "trained", 4);
  char *dir = run_cell(&c);
  gsize n;
  g_autofree char *trace = file_in(trained, "trace.bin", &n);
  g_assert_cmpuint(n, ==, 10 * HN_DIGEST_BYTES);
  memcpy(at4, trace + 3 * HN_DIGEST_BYTES, HN_DIGEST_BYTES); /* after update 4 */
  last_digest(dir, now);
  g_assert_cmpmem(at4, HN_DIGEST_BYTES, now, HN_DIGEST_BYTES);
  finish(&source, trained), finish(&c, dir);
}

static const float *state_of(GPtrArray *states, const char *name) {
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    if (strcmp(x->name, name) == 0) return x->data;
  }
  g_error("no tensor %s", name);
}

/* Of both plugins, or of one: the other keeps what the seed drew. */
static void test_load(void) {
  HnCell source, c = cell_of(&toy_filter_LTX_hn_plugin, "part");
  char *trained = train(&source);
  g_autofree char *file = hn_run_checkpoint(trained, 10);
  HnStoredTensors *t = hn_stored_tensors_open(file, NULL);
  g_assert_nonnull(t);
  for (int load = HN_LOAD_BOTH; load <= HN_LOAD_POLICY; load++) {
    start_from(&c, "trained", -1);
    c.weights.load = load;
    GError *error = NULL;
    HnSession *s = hn_session_new(&c, NULL, &error);
    g_assert_no_error(error);
    HnEpisodeStats none = {.rows = 0};
    GPtrArray *states = hn_states_of(s, &none);
    GHashTable *meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *dir = dir_of(&c);
    g_assert_true(hn_warm_start_load(&c, dir, states, meta, &error));
    const HnStoredTensor *decay = g_hash_table_lookup(t->find, "inference/decay"),
                         *w = g_hash_table_lookup(t->find, "policy/w");
    g_assert_true((memcmp(state_of(states, "inference/decay"), decay->data, decay->bytes) == 0) ==
                  (load != HN_LOAD_POLICY));
    g_assert_true((memcmp(state_of(states, "policy/w"), w->data, w->bytes) == 0) ==
                  (load != HN_LOAD_INFERENCE));
    g_assert_cmpstr(g_hash_table_lookup(meta, HN_META_FROM), ==, file);
    g_hash_table_unref(meta), g_ptr_array_unref(states), hn_session_free(s);
  }
  hn_stored_tensors_free(t), finish(&source, trained), cell_clear(&c);
}

/* Training goes on from taken weights; broken off and resumed to the same bits, without asking for
 * the file again, whose name stays on record. */
static void test_fine_tune(void) {
  HnCell source, c = cell_of(&toy_filter_LTX_hn_plugin, "tuned");
  char *trained = train(&source), file[HN_DIGEST_BYTES], begun[HN_DIGEST_BYTES];
  start_from(&c, "trained", -1);
  char *whole = run_cell(&c);
  c.run.frames = 0, c.arm = (char *)(guintptr) "begun";
  char *start = run_cell(&c);
  last_digest(trained, file), last_digest(start, begun);
  g_assert_cmpmem(file, HN_DIGEST_BYTES, begun, HN_DIGEST_BYTES);
  assert_digest(trained, whole, false);
  c.run.frames = 1000, c.arm = (char *)(guintptr) "tuned";
  g_autofree char *parts = g_build_filename(root, "tuned", "parts", NULL);
  Stopper s = {.at = 400};
  GError *error = NULL;
  g_assert_false(hn_run_cell(&c, parts, &s.stop, stop_at, &s, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_INTERRUPTED);
  g_clear_error(&error);
  g_autofree char *away = g_strconcat(trained, ".away", NULL);
  g_assert_cmpint(g_rename(trained, away), ==, 0);
  run_whole(&c, parts);
  g_assert_cmpint(g_rename(away, trained), ==, 0);
  assert_same_files(whole, parts, true);
  g_autofree char *facts = file_in(parts, "run.json", NULL);
  g_assert_nonnull(strstr(facts, "00000010.safetensors"));
  g_free(start), finish(&source, trained), finish(&c, whole);
}

/* Killed before or after its only checkpoint, an evaluation leaves the same files. */
static void test_evaluate_again(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, "again"), d = c;
  c.run.frames = d.run.frames = 0, d.arm = (char *)(guintptr) "once";
  char *dir = run_cell(&c), *once = run_cell(&d);
  g_autofree char *before = file_in(dir, "metrics.csv", NULL);
  g_free(run_cell(&c));
  g_autofree char *after = file_in(dir, "metrics.csv", NULL);
  g_assert_cmpstr(after, ==, before);
  g_autofree char *saved = hn_run_checkpoint(dir, 0);
  g_assert_cmpint(g_unlink(saved), ==, 0);
  g_free(run_cell(&c));
  g_autofree char *anew = file_in(dir, "metrics.csv", NULL);
  g_assert_cmpstr(anew, ==, before);
  g_free(once), finish(&c, dir);
}

/* ---- what does not fit ---- */

static void add(HnStoredTensors *t, const char *name, HnType type, int64_t n, int64_t m,
                bool weight) {
  hn_stored_tensors_add(t, name, type, m ? 2 : 1, (int64_t[]){n, m}, NULL, weight);
}

static void assert_lines(const HnCell *c, GPtrArray *states, const HnStoredTensors *t,
                         const char *const *expected) {
  GPtrArray *wrong = hn_warm_start_misfits(c, states, t);
  guint n = 0;
  for (; expected[n]; n++) {
    g_assert_cmpuint(n, <, wrong->len);
    g_assert_cmpstr(wrong->pdata[n], ==, expected[n]);
  }
  g_assert_cmpuint(wrong->len, ==, n);
  g_ptr_array_unref(wrong);
}

static void test_misfits(void) {
  HnState table[] = {
      {(char *)"inference/core.weight", HN_F32, 2, {3, 2}, NULL, NULL, .weight = true},
      {(char *)"inference/core.bias", HN_F32, 1, {3}, NULL, NULL, .weight = true},
      {(char *)"inference/adam.m", HN_F32, 1, {9}, NULL, NULL, .weight = false},
      {(char *)"policy/mean", HN_F64, 1, {4}, NULL, NULL, .weight = true},
      {(char *)"policy/lonely", HN_F32, 1, {4}, NULL, NULL, .weight = true},
      {(char *)"env/w", HN_F32, 1, {4}, NULL, NULL, .weight = true}};
  GPtrArray *states = g_ptr_array_new();
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) g_ptr_array_add(states, &table[i]);
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, "x");
  start_from(&c, "trained", -1);
  HnStoredTensors *t = hn_stored_tensors_new(NULL);
  add(t, "inference/core.weight", HN_F32, 2, 3, true);
  add(t, "inference/core.biass", HN_F32, 3, 0, true);
  add(t, "inference/adam.v", HN_F32, 9, 0, false); /* of a learner: passed over */
  add(t, "inference/replay", HN_F32, 900, 0, false);
  add(t, "policy/mean", HN_F32, 4, 0, true);
  add(t, "env/v", HN_F32, 4, 0, true); /* an environment's are not taken */
  assert_lines(
      &c, states, t,
      (const char *const[]){
          "misshapen: inference/core.weight is F32 [2, 3] in the checkpoint, F32 [3, 2] here",
          "misshapen: policy/mean is F32 [4] in the checkpoint, F64 [4] here",
          "missing: inference/core.bias F32 [3]; nearest in the checkpoint: inference/core.biass "
          "F32 [3]",
          "missing: policy/lonely F32 [4]",
          "extra: inference/core.biass F32 [3]; nearest here: inference/core.bias F32 [3] "
          "(ignore_extra: true leaves it out)",
          NULL});
  c.weights.load = HN_LOAD_POLICY, c.weights.ignore_extra = true;
  assert_lines(
      &c, states, t,
      (const char *const[]){"misshapen: policy/mean is F32 [4] in the checkpoint, F64 [4] here",
                            "missing: policy/lonely F32 [4]", NULL});
  t->lists_weights = false, c.weights.load = HN_LOAD_BOTH, c.weights.ignore_extra = false;
  g_ptr_array_set_size(states, 0);
  assert_lines(&c, states, t,
               (const char *const[]){
                   "extra: inference/core.weight F32 [2, 3] (ignore_extra: true leaves it out)",
                   "extra: inference/core.biass F32 [3] (ignore_extra: true leaves it out)",
                   "extra: policy/mean F32 [4] (ignore_extra: true leaves it out)",
                   "toy_filter and toy_policy keep no weights that could be taken",
                   "the checkpoint does not say which of its tensors are weights: an earlier hunch "
                   "wrote it (ignore_extra: true takes it anyway)",
                   NULL});
  hn_stored_tensors_free(t), g_ptr_array_unref(states), cell_clear(&c);
}

/* A cell that fails so has touched nothing, and says every line in its record. */
static void test_unfit_cell(void) {
  HnCell source, c = cell_of(&toy_filter_LTX_hn_plugin, "unfit");
  char *trained = train(&source);
  start_from(&c, "trained", -1);
  /* a checkpoint with one weight renamed */
  g_autofree char *file = hn_run_checkpoint(trained, 10);
  gsize n;
  g_autofree char *bytes = file_in(trained, "ckpt/00000010.safetensors", &n);
  HnStoredTensors *was = hn_stored_tensors_open(file, NULL);
  HnStoredTensors *renamed = hn_stored_tensors_new(was->meta);
  for (guint i = 0; i < was->all->len; i++) {
    const HnStoredTensor *x = was->all->pdata[i];
    const char *name = strcmp(x->name, "inference/decay") ? x->name : "inference/decoy";
    hn_stored_tensors_add(renamed, name, x->type, x->rank, x->dim, x->data, x->weight);
  }
  g_assert_true(hn_stored_tensors_write(renamed, file, NULL));
  hn_stored_tensors_free(renamed), hn_stored_tensors_free(was);
  g_autofree char *dir = dir_of(&c);
  GError *error = NULL;
  g_assert_false(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  g_assert_true(g_file_set_contents(file, bytes, (gssize)n, NULL));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  static const char *const says[] = {
      "00000010.safetensors does not fit:\n",
      "\nmissing: inference/decay F32 [3]; nearest in the checkpoint: inference/decoy F32 [3]",
      "\nextra: inference/decoy F32 [3]; nearest here: inference/decay F32 [3]"};
  for (guint i = 0; i < G_N_ELEMENTS(says); i++) g_assert_nonnull(strstr(error->message, says[i]));
  g_autofree char *metrics = g_build_filename(dir, "metrics.csv", NULL);
  g_assert_false(g_file_test(metrics, G_FILE_TEST_EXISTS));
  g_error_free(error), finish(&source, trained), cell_clear(&c);
}

/* ---- what cannot be found ---- */

static void assert_blames(const HnCell *c, const char *study, const char *key, const char *says) {
  GError *error = NULL;
  const char *blamed = NULL;
  g_assert_null(hn_warm_start_find(c, study, &blamed, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  if (!strstr(error->message, says)) g_error("expected \"%s\" in: %s", says, error->message);
  g_assert_cmpstr(blamed, ==, key);
  g_error_free(error);
}

static void test_find(void) {
  HnCell source, c = cell_of(&toy_filter_LTX_hn_plugin, "x");
  char *trained = train(&source);
  start_from(&c, "trained", -1);
  assert_blames(&c, "no/where", "from",
                "no/where: there is no such folder; 'hunch run STUDY.yaml -o no/where' makes it");
  g_autofree char *arm = g_path_get_dirname(trained);
  c.weights.arm = "gone";
  assert_blames(&c, arm, "from", "is not a study's folder: it has no study.json");
  assert_blames(&c, trained, "from", "it holds a single cell; give the folder two levels up");
  g_autofree char *plan = g_build_filename(root, "study.json", NULL);
  g_assert_true(g_file_set_contents(
      plan, "{\"file\": \"s.yaml\", \"arms\": [\"trained\", \"late\"], \"seeds\": {\"count\": 3}}",
      -1, NULL));
  c.weights.arm = "traind";
  assert_blames(&c, root, "arm", "has no arm 'traind'; did you mean 'trained'?");
  c.weights.arm = "trained", c.weights_seed = 3;
  assert_blames(&c, root, "seed", "has no seed 3 of arm trained; the last is 2");
  c.weights_seed = 2;
  g_autofree char *how = g_strdup_printf("has not run arm trained with seed 2: 'hunch run s.yaml "
                                         "-o %s --arm trained --seed 2'",
                                         root);
  assert_blames(&c, root, "from", how);
  c.weights_seed = -1, c.weights_at = 3;
  assert_blames(&c, root, "at", "has no checkpoint of update 3, only: 0, 4, 8, 9, 10; run.keep_ev");
  c.weights.from = "", c.weights.identity = "another", c.weights_at = -1;
  assert_blames(&c, root, "arm", "holds another configuration than this study's");
  c.weights.identity = "";
  g_autofree char *facts = file_in(trained, "run.json", NULL);
  g_autofree char *path = g_build_filename(trained, "run.json", NULL);
  g_assert_true(g_file_set_contents(path, "{\"status\": \"failed\"}", -1, NULL));
  assert_blames(&c, root, "from", "is failed, not done: 'hunch run s.yaml -o ");
  g_assert_true(g_file_set_contents(path, facts, -1, NULL));
  g_unlink(plan), finish(&source, trained), cell_clear(&c);
}

static void test_changed(void) {
  HnCell source, c = cell_of(&toy_filter_LTX_hn_plugin, "changed");
  char *trained = train(&source);
  start_from(&c, "trained", -1);
  c.weights.sha256 = "0123";
  g_autofree char *dir = dir_of(&c);
  GError *error = NULL;
  g_assert_false(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  g_assert_nonnull(strstr(error->message, "has changed: its sha256 is "));
  g_error_free(error), finish(&source, trained), cell_clear(&c);
}

/* Headers that lie are named, not believed. */
static void test_headers(void) {
  static const struct {
    const char *header, *says;
  } table[] = {
      {"{\"w\": 3}", "w is no tensor"},
      {"{\"w\": {\"dtype\": \"F32\", \"shape\": [1]}}", "w has no shape or offsets"},
      {"{\"w\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}",
       "w has offsets that do not fit its shape"},
      {"{\"w\": {\"dtype\": \"F32\", \"shape\": [9], \"data_offsets\": [0, 36]}}",
       "w has offsets outside the file"},
      {"{\"w\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 0]}}",
       "w has offsets outside the file"},
      {"{\"w\": {\"dtype\": 7, \"shape\": [-1], \"data_offsets\": [0, 4]}}",
       "w has an impossible shape"},
      {"{\"w\": {\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296, 4], \"data_offsets\": "
       "[0, 4]}}",
       "w has an impossible shape"},
      {"[1]", "not a safetensors file, or cut short"}};
  g_autofree char *path = g_build_filename(root, "lies.safetensors", NULL);
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GString) bytes = g_string_new(NULL);
    guint64 n = GUINT64_TO_LE((guint64)strlen(table[i].header));
    g_string_append_len(bytes, (const char *)&n, 8);
    g_string_append(bytes, table[i].header);
    g_string_append_len(bytes, "\0\0\0\0", 4);
    g_assert_true(g_file_set_contents(path, bytes->str, (gssize)bytes->len, NULL));
    GError *error = NULL;
    g_assert_null(hn_stored_tensors_open(path, &error));
    g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
    if (!strstr(error->message, table[i].says)) g_error("%u: %s", i, error->message);
    g_error_free(error);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  root = g_dir_make_tmp("hunch-weights-XXXXXX", NULL);
  g_test_add_func("/weights/evaluate", test_evaluate);
  g_test_add_func("/weights/before", test_before);
  g_test_add_func("/weights/during", test_during);
  g_test_add_func("/weights/load", test_load);
  g_test_add_func("/weights/fine-tune", test_fine_tune);
  g_test_add_func("/weights/evaluate-again", test_evaluate_again);
  g_test_add_func("/weights/misfits", test_misfits);
  g_test_add_func("/weights/unfit-cell", test_unfit_cell);
  g_test_add_func("/weights/find", test_find);
  g_test_add_func("/weights/changed", test_changed);
  g_test_add_func("/weights/headers", test_headers);
  int code = g_test_run();
  folder_free(root);
  return code;
}
