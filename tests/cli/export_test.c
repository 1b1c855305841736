/* export_test.c - `hunch export`: numpy and safetensors read what the run left, bit by bit; the
 * same results give the same bytes, from a folder or a package; nobody's files are overwritten. */
#include "json.h"
#include "packed_fixture.h"
#include "python_fixture.h"
#include "tiny_study_fixture.h"

static Folder *home; /* with the study in `out`, and its package a.zip */

/* Ends well, and says nothing on standard error. */
static void well(const char *dir, const char *arguments) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 0 || *run.err) g_error("%s: %d\n%s%s", arguments, run.code, run.out, run.err);
}

static void refused(const char *dir, const char *arguments, const char *why) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 2) g_error("%s: %d\n%s%s", arguments, run.code, run.out, run.err);
  expect(run.err, why);
}

/* ---- what is in it ---- */

static void judge(const char *dir, const char *results, const char *export) {
  const char *const arguments[] = {results, export, NULL};
  g_autofree char *said = python_says(dir, SOURCE "/tests/cli/read_export.py", arguments);
  if (said)
    g_test_message("%s", said);
  else
    g_test_skip("no Python with numpy: python3-numpy has it");
}

static void test_numpy(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  well(dir, "export out -o e --npz --weights");
  judge(dir, "out", "e");
}

/* Fields that are quoted, empty, wide or no numbers; names that are equal but for case. */
static void test_odd_table(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  g_autofree char *cell = g_build_filename(dir, "cell", NULL);
  fake_write(cell, "episodes.csv",
             "phase,update,arm,seed,task,L,l,odd\ntrain,1,1,0,\"a, \"\"b\"\"\",1e308,nan,x\n"
             "eval,2,1,0,\xe2\x82\xac,-0,,inf\ntrain,3,1,0,,0.1,1e-320,0.30000000000000004\n"
             "train,4,1,0,unfinished");
  fake_write(cell, "metrics.csv", "update,eval.return\n");
  fake_write(cell, "run.json", "{\"arm\": \"1\", \"seed_index\": 0, \"status\": \"running\"}");
  well(dir, "export cell -o e");
  g_assert_cmpint(shell(dir, "sed -i '$d' cell/episodes.csv && mkdir r r/1 && mv cell r/1/0"), ==,
                  0);
  judge(dir, "r", "e");
}

/* The weights of each cell, which are those of the package. */
static void test_weights(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  well(dir, "export out --weights");
  g_assert_cmpint(shell(dir, "test $(find tiny-weights -type f | wc -l) = 5"), ==, 0);
  g_assert_cmpint(shell(dir,
                        "unzip -q a.zip -d p && for c in belief/0 belief/1 none/0 none/1; do "
                        "cmp tiny-weights/$c/weights.safetensors p/study/$c/ckpt/*2.safetensors "
                        "|| exit 1; done"),
                  ==, 0);
}

static JsonObject *column_of(JsonObject *o, const char *table, const char *name) {
  JsonArray *all = hn_json_array(hn_json_object(o, "tables"), table);
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *c = json_array_get_object_element(all, i);
    if (g_str_equal(hn_json_string(c, "column", ""), name)) return c;
  }
  g_error("%s has no column %s", table, name);
}

/* What each column means, as the host says, and the plugins' own words by `hunch inspect`. */
static void test_columns(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  well(dir, "export out -o e");
  g_autofree char *path = g_build_filename(dir, "e/export.json", NULL);
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  JsonObject *ret = column_of(o, "metrics", "eval.return");
  g_assert_cmpstr(hn_json_string(ret, "unit", NULL), ==, "reward per episode");
  g_assert_cmpstr(hn_json_string(ret, "better", NULL), ==, "higher");
  g_assert_cmpstr(hn_json_string(ret, "type", NULL), ==, "float64");
  g_assert_cmpstr(hn_json_string(column_of(o, "episodes", "task"), "type", NULL), ==, "text");
  g_assert_cmpstr(hn_json_string(column_of(o, "trial", "belief_*"), "content", NULL), ==,
                  "Belief acted on; of samples the first.");
  g_auto(Run) ppo = hunch(dir, "inspect ppo"), belief = hunch(dir, "inspect gridworld_belief");
  JsonObject *policy = column_of(o, "metrics", "policy.entropy");
  expect(ppo.out, hn_json_string(policy, "content", NULL));
  expect(belief.out, hn_json_string(column_of(o, "steps", "entropy"), "content", NULL));
  g_assert_cmpstr(hn_json_string(policy, "unit", NULL), ==, "nats");
}

/* ---- the same bytes ---- */

static void test_same_bytes(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  well(dir, "export out -o e --npz --weights");
  well(dir, "export a.zip -o f --npz --weights");
  g_assert_cmpint(shell(dir, "diff -r e f"), ==, 0);
  well(dir, "export out/none/1 -o g --weights");
  g_assert_cmpint(shell(dir, "cmp e/none/1/weights.safetensors g/none/1/weights.safetensors"), ==,
                  0);
  g_assert_cmpint(shell(dir, "test $(find g -type f | wc -l) = 2"), ==, 0);
}

/* ---- the folder ---- */

/* An earlier export is replaced as a whole, also where one was killed on the way. */
static void test_again(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  well(dir, "export out -o e --npz --weights");
  g_assert_cmpint(shell(dir, "mkdir -p .part-e/x && touch .part-e/x/y"), ==, 0);
  well(dir, "export out/none/1 -o e");
  well(dir, "export out/none/1 -o f/"); /* new */
  g_assert_cmpint(shell(dir, "mkdir g && diff -r e f && test ! -e .part-e -a ! -e .part-f"), ==, 0);
  well(dir, "export out/none/1 -o g"); /* empty */
  g_assert_cmpint(shell(dir, "diff -r e g"), ==, 0);
}

static void test_foreign(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  well(dir, "export out -o e");
  g_assert_cmpint(shell(dir, "echo mine > e/none/0/notes.txt && mkdir f && echo mine > f/x && echo "
                             "mine > g && cp -r e before"),
                  ==, 0);
  refused(dir, "export out -o e", "e: holds none/0/notes.txt, which is not of an export");
  refused(dir, "export out -o f", "f: holds x, which is not of an export");
  refused(dir, "export out -o g", "g: is no folder");
  refused(dir, "export out -o out", "out: holds ");
  g_assert_cmpint(shell(dir,
                        "diff -r e before && test $(cat f/x g | grep -c mine) = 2 && test ! -e "
                        ".part-e"),
                  ==, 0);
}

static void test_refusals(void) {
  g_autoptr(Folder) dir = packed_copy(home);
  refused(dir, "export", "expected one folder");
  refused(dir, "export out a.zip", "expected one folder");
  refused(dir, "export nowhere", "nowhere: not a study folder");
  refused(dir, "export out -o", "-o");
  refused(dir, "export out --weigths", "did you mean --weights?");
  g_assert_cmpint(shell(dir, "echo 9 >> out/none/0/metrics.csv"), ==, 0);
  refused(dir, "export out -o e", "none/0 is damaged: ");
  g_assert_cmpint(shell(dir, "test ! -e e && test ! -e .part-e"), ==, 0);
  g_assert_cmpint(shell(dir, "rm -r out/none/* out/belief/*"), ==, 0);
  refused(dir, "export out -o e", "no cell has run");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  home = packed_study(tiny_study, "");
  g_test_add_func("/export/numpy", test_numpy);
  g_test_add_func("/export/odd_table", test_odd_table);
  g_test_add_func("/export/weights", test_weights);
  g_test_add_func("/export/columns", test_columns);
  g_test_add_func("/export/same_bytes", test_same_bytes);
  g_test_add_func("/export/again", test_again);
  g_test_add_func("/export/foreign", test_foreign);
  g_test_add_func("/export/refusals", test_refusals);
  const int code = g_test_run();
  remove_folder(home);
  return code;
}
