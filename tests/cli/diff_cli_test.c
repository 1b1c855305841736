/* diff_cli_test.c - `hunch diff`: nothing differs between a result and itself, packed or computed
 * again; of two that do differ, the update, the tensor, the row and the keys are named. */
#include "packed_fixture.h"
#include "reseal_fixture.h"
#include "safetensors.h"
#include "tiny_study_fixture.h"

/* The study in `out`: 10 updates; its package a.zip.  Arm `constant` does not anneal. */
static Folder *home;

static void must(const char *dir, const char *line) {
  g_assert_cmpint(shell(dir, line), ==, 0);
}

/* What the command prints, which ends with `code`. */
static char *says(const char *dir, const char *arguments, int code) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != code) g_error("%s: %d\n%s%s", arguments, run.code, run.out, run.err);
  return g_strdup(code == 0 || code == 3 ? run.out : run.err);
}

static JsonObject *json_of(const char *dir, const char *arguments, int code) {
  g_autofree char *line = g_strconcat(arguments, " --json", NULL), *text = says(dir, line, code);
  JsonObject *o = hn_json_parse("diff", text, strlen(text), NULL);
  g_assert_nonnull(o);
  return o;
}

static JsonObject *cell_of(JsonObject *o, guint i) {
  return json_array_get_object_element(hn_json_array(o, "cells"), i);
}

/* ---- the same ---- */

static void test_same(void) {
  static const char *const calls[] = {"diff out out",          "diff out a.zip",
                                      "diff a.zip a.zip",      "diff out/belief/1 out/belief/1",
                                      "diff a.zip out/none/0", "diff out a.zip --cell constant/1"};
  g_autoptr(Folder) temporary = folder();
  g_setenv("TMPDIR", temporary, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
    g_autofree char *out = says(home, calls[i], 0);
    expect(out, ": results are identical\n");
    g_assert_null(strstr(out, "other"));
  }
  g_unsetenv("TMPDIR");
  g_assert_cmpint(shell(temporary, "test -z \"$(ls -A)\""), ==, 0); /* nothing stays */
}

/* Two workers compute the same bits; seconds and dates are no results. */
static void test_again(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  g_auto(Run) run = hunch(dir, "run s.yaml -o again -j 1 run.frames=480 run.workers=2");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *out = says(dir, "diff a.zip again", 0);
  expect(out, "belief/0: results are identical; other configuration\n");
  expect(out, "    run.workers  1  2\n");
  expect(out, "  weights: the same after each of 10 hashed updates\n");
  expect(out, "  metrics.csv: the same; 10 rows\n");
}

/* ---- one parameter ---- */

/* The learning rate falls to nine tenths after the first update, or does not. */
static void test_parameter(void) {
  g_autofree char *out = says(home, "diff out out --cell belief/0 --cell constant/0", 3);
  expect(out, "belief/0 and constant/0: results differ, weights from update 2 on; other "
              "configuration\n");
  expect(out, "    policy.anneal  true  false\n");
  expect(out, "  weights: differ from update 2 on, of 10\n");
  expect(out, "  metrics.csv: differs from row 2 (update 2) on, ");
  g_autoptr(JsonObject) o = json_of(home, "diff out/belief/0 out/constant/0", 3);
  JsonObject *cell = cell_of(o, 0), *key;
  JsonArray *keys = hn_json_array(cell, "configuration");
  g_assert_cmpuint(json_array_get_length(keys), ==, 1);
  key = json_array_get_object_element(keys, 0);
  g_assert_cmpstr(hn_json_string(key, "key", NULL), ==, "policy.anneal");
  g_assert_cmpint(hn_json_int(cell, "first_update_that_differs", 0), ==, 2);
  g_assert_cmpint(hn_json_int(cell, "hashes", 0), ==, 10);
  /* the rate of update 2, and all that follows from it */
  JsonObject *metrics = json_array_get_object_element(hn_json_array(cell, "tables"), 0);
  JsonArray *columns = hn_json_array(metrics, "columns");
  for (guint i = 0; i < json_array_get_length(columns); i++) {
    JsonObject *c = json_array_get_object_element(columns, i);
    if (strcmp(hn_json_string(c, "column", ""), "policy.lr") != 0) continue;
    g_assert_cmpint(hn_json_int(c, "first_row", 0), ==, 2);
    g_assert_cmpstr(hn_json_string(c, "a", ""), ==, "7e-05");
    g_assert_cmpstr(hn_json_string(c, "b", ""), ==, "0.0007");
    g_assert_cmpfloat(fabs(hn_json_real(c, "difference", 0) - 6.3e-4), <, 1e-12);
    return;
  }
  g_error("no policy.lr");
}

/* The first six updates of the same run. */
static void test_length(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  g_auto(Run) run = hunch(dir, "run s.yaml -o short -j 1 run.frames=288");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *out = says(dir, "diff out short --cell constant/0", 3);
  expect(out, "constant/0: results differ; other configuration\n");
  expect(out, "    update  10   6\n    frames  480  288\n");
  expect(out, "  weights: the same after each of 6 hashed updates\n");
  expect(out, "  metrics.csv: the same as far as both go; 10 and 6 rows\n");
}

/* Names of swept arms hold '='; a cell of one can be compared and exported by itself. */
static void test_swept(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *study = g_strconcat(
      tiny_study, "sweep: {arms: [belief], parameters: {policy.lr: [1e-3, 1e-2]}}\n", NULL);
  fake_write(dir, "s.yaml", study);
  g_auto(Run) run = hunch(dir, "run s.yaml -o out -j 1");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *same = says(dir, "diff out/belief_lr=1e-3/0 out/belief_lr=1e-3/0", 0);
  expect(same, "belief_lr=1e-3/0: results are identical\n");
  g_autofree char *other = says(dir, "diff out/belief_lr=1e-3/0 out/belief_lr=1e-2/0", 3);
  expect(other, "    policy.lr  0.001  0.01\n");
  g_autofree char *e = says(dir, "export out/belief_lr=1e-3/1 -o e", 0);
  must(dir, "test -s e/belief_lr=1e-3/1/metrics.npz");
}

/* ---- one number ---- */

/* Digest 4 of 16 bytes each. */
static void test_trace(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  g_autofree char *cell = g_build_filename(dir, "out/belief/0", NULL);
  must(cell, "printf '\\001\\002' | dd of=trace.bin bs=1 seek=50 conv=notrunc status=none");
  reseal(cell, "trace.bin");
  g_autofree char *out = says(dir, "diff a.zip out", 3);
  expect(out, "belief/0: results differ, weights from update 4 on\n");
  expect(out, "belief/1: results are identical\n");
  expect(out, "  checkpoints of update 10: 0 tensors differ, ");
}

/* Element 3 of a weight is larger by a quarter, which a float holds exactly. */
static void test_tensor(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  g_autofree char *path = g_build_filename(dir, "out/none/1/ckpt/00000010.safetensors", NULL);
  HnStoredTensors *t = hn_stored_tensors_open(path, NULL), *u = hn_stored_tensors_new(t->meta);
  g_autofree float *changed = NULL;
  float was = 0;
  for (guint i = 0; i < t->all->len; i++) {
    HnStoredTensor *x = t->all->pdata[i];
    if (g_str_equal(x->name, "policy/action.0.weight")) {
      changed = g_memdup2(x->data, x->bytes);
      was = changed[3], changed[3] = was + 0.25F;
      x->data = (const char *)changed;
    }
    hn_stored_tensors_add(u, x->name, x->type, x->rank, x->dim, x->data, x->weight);
  }
  g_assert_true(hn_stored_tensors_write(u, path, NULL));
  const double by = (double)changed[3] - (double)was;
  g_autoptr(JsonObject) o = json_of(dir, "diff out a.zip --cell none/1", 3);
  JsonObject *cell = cell_of(o, 0), *w = hn_json_object(cell, "last_weights");
  JsonArray *tensors = hn_json_array(w, "tensors");
  JsonObject *x = json_array_get_object_element(tensors, 0);
  g_assert_cmpuint(json_array_get_length(tensors), ==, 1);
  g_assert_cmpint(hn_json_int(w, "update", 0), ==, 10);
  g_assert_cmpstr(hn_json_string(x, "name", NULL), ==, "policy/action.0.weight");
  g_assert_cmpint(hn_json_int(x, "differ", 0), ==, 1);
  g_assert_cmpfloat(hn_json_real(x, "absolute", 0), ==, by);
  g_assert_cmpfloat(fabs(by - 0.25), <, 1e-7);
  g_assert_cmpint(hn_json_int(cell, "first_update_that_differs", 0), ==, -1);
  g_autofree char *out = says(dir, "diff out a.zip", 3);
  expect(out, "none/1: results differ\n");
  expect(out, "    policy/action.0.weight  F32 [8, 5]  F32 [8, 5]   1 of 40     0.25 ");
  hn_stored_tensors_free(u), hn_stored_tensors_free(t);
}

static void test_damaged(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  must(dir, "printf x | dd of=out/none/0/ckpt/00000010.safetensors bs=1 seek=3000 conv=notrunc "
            "status=none");
  g_autofree char *weights = says(dir, "diff a.zip out --cell none/0", 3);
  expect(weights, "00000010.safetensors: ");
  must(dir, "echo 99,1 >> out/belief/0/metrics.csv");
  g_autofree char *table = says(dir, "diff a.zip out --cell belief/0", 3);
  expect(table, "    status  done  damaged: ");
  must(dir, "printf x | dd of=a.zip bs=1 seek=5000 conv=notrunc status=none");
  g_autofree char *package = says(dir, "diff a.zip out", 1);
  expect(package, "a.zip: is not as it was packed: ");
}

/* ---- which cells ---- */

static void test_only_in_one(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  must(dir, "rm -r out/none/1");
  g_autofree char *out = says(dir, "diff a.zip out", 3), *back = says(dir, "diff out a.zip", 3);
  expect(out, "none/0: results are identical\nnone/1: only in A\n");
  expect(back, "none/1: only in B\n");
  g_autoptr(JsonObject) o = json_of(dir, "diff a.zip out", 3);
  g_assert_cmpstr(hn_json_string_at(hn_json_array(o, "only_a"), 0), ==, "none/1");
  g_assert_cmpuint(json_array_get_length(hn_json_array(o, "cells")), ==, 5);
  g_autofree char *missing = says(dir, "diff a.zip out --cell none/1", 2);
  expect(missing, "in B: cell none/1 has not run");
}

static void test_arms(void) {
  g_autofree char *out = says(home, "diff out out --cell belief/0 --cell none/0", 3);
  expect(out, "    inference.plugin       gridworld_belief  none\n");
  expect(out, "    inference.name     gridworld_belief ");
  expect(out, "    policy/actor.0.weight     F32 [18, 8]  F32 [2, 8]         -");
  expect(out, "    eval.log_predictive ");
}

static void test_refusals(void) {
  static const char *const calls[][2] = {
      {"diff out", "expected two"},
      {"diff out out out", "expected two"},
      {"diff out nowhere", "nowhere: not a study folder: there is no such folder"},
      {"diff out out/belief", "not a study folder"},
      {"diff out a.zip --cell belief/7", "in A: no cell 'belief/7'; did you mean 'belief/"},
      {"diff out/belief/0 a.zip --cell belif/0",
       "in B: no cell 'belif/0'; did you mean 'belief/0'"},
      {"diff out out --cell belief/0 --cell none/0 --cell none/1", "--cell is given once"},
      {"diff out s.yaml", "s.yaml"},
      {"diff out a.zip --jsn", "did you mean --json?"}};
  for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
    g_autofree char *err = says(home, calls[i][0], 2);
    expect(err, calls[i][1]);
  }
}

static void prepare(void) {
  g_auto(GStrv) parts = g_strsplit(tiny_study, "  none: ", 2);
  g_autofree char *study = g_strjoinv("  constant: {policy: {anneal: false}}\n  none: ", parts);
  home = packed_study(study, " run.frames=480");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  prepare();
  g_test_add_func("/diff_cli/same", test_same);
  g_test_add_func("/diff_cli/again", test_again);
  g_test_add_func("/diff_cli/parameter", test_parameter);
  g_test_add_func("/diff_cli/length", test_length);
  g_test_add_func("/diff_cli/swept", test_swept);
  g_test_add_func("/diff_cli/trace", test_trace);
  g_test_add_func("/diff_cli/tensor", test_tensor);
  g_test_add_func("/diff_cli/damaged", test_damaged);
  g_test_add_func("/diff_cli/only_in_one", test_only_in_one);
  g_test_add_func("/diff_cli/arms", test_arms);
  g_test_add_func("/diff_cli/refusals", test_refusals);
  const int code = g_test_run();
  remove_folder(home);
  return code;
}
