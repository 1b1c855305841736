/* diff_test.c - where two runs part, of files made by hand: hashes of updates, tensors and their
 * largest differences, rows and columns of tables. */
#include "diff_table.h"
#include "diff_weights.h"
#include "digest.h"
#include "results_fixture.h"
#include "safetensors.h"

static char *top; /* with folders a and b */
static char *dir_a, *dir_b;

static void begin(void) {
  top = g_dir_make_tmp("hunch-diff-XXXXXX", NULL);
  dir_a = g_build_filename(top, "a", NULL), dir_b = g_build_filename(top, "b", NULL);
  g_mkdir(dir_a, 0777), g_mkdir(dir_b, 0777);
}

static void end(void) {
  fake_remove(top);
  g_free(top), g_free(dir_a), g_free(dir_b);
}

/* ---- traces ---- */

/* A hash for each letter. */
static void write_trace(const char *dir, const char *letters) {
  GString *bytes = g_string_new(NULL);
  for (const char *c = letters; *c; c++)
    for (int i = 0; i < HN_DIGEST_BYTES; i++)
      g_string_append_c(bytes, i == HN_DIGEST_BYTES - 1 ? *c : 'x');
  fake_write(dir, "trace.bin", bytes->str);
  g_string_free(bytes, TRUE);
}

static void test_traces(void) {
  static const struct {
    const char *a, *b;
    int64_t every_a, last_a, every_b, last_b, hashes, updates, first;
  } cases[] = {{"abcde", "abcde", 1, 5, 1, 5, 5, 5, -1},
               {"abcde", "abxyz", 1, 5, 1, 5, 5, 5, 3},
               {"abcde", "abc", 1, 5, 1, 3, 3, 3, -1},
               {"abcd", "abxd", 3, 10, 3, 10, 4, 10, 9}, /* of updates 3, 6, 9, 10 */
               {"abcd", "abcx", 3, 10, 3, 10, 4, 10, 10},
               /* of 1 .. 10 against those of 3, 6, 9, 10 */
               {"..a..b..cd", "abcd", 1, 10, 3, 10, 4, 10, -1},
               {"..a..x..cd", "abcd", 1, 10, 3, 10, 4, 10, 6},
               {"abc", "ab", 2, INT64_MAX, 3, INT64_MAX, 1, 6, 6}, /* 6 alone: c and b */
               {"a", "b", 5, INT64_MAX, 3, INT64_MAX, 0, 0, -1},
               {"", "abc", 1, 3, 1, 3, 0, 0, -1}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    begin();
    write_trace(dir_a, cases[i].a), write_trace(dir_b, cases[i].b);
    const HnTraced a = {dir_a, cases[i].every_a, cases[i].last_a},
                   b = {dir_b, cases[i].every_b, cases[i].last_b};
    const HnTraceDiff d = hn_diff_traces(&a, &b), back = hn_diff_traces(&b, &a);
    g_assert_cmpint(d.hashes, ==, cases[i].hashes);
    g_assert_cmpint(d.updates, ==, cases[i].updates);
    g_assert_cmpint(d.first, ==, cases[i].first);
    g_assert_cmpmem(&d, sizeof d, &back, sizeof back);
    end();
  }
}

/* ---- weights ---- */

/* A checkpoint with the weights "w" [n], "k", an integer, and, unless it is 0, "u" of one element;
 * "other" is none. */
static void write_checkpoint(const char *dir, int64_t update, HnType type, const void *w, int64_t n,
                             int64_t k, double u) {
  g_autofree char *path = hn_run_checkpoint(dir, update), *folder = g_path_get_dirname(path);
  const int64_t one = 1;
  const double other = g_random_double();
  g_mkdir_with_parents(folder, 0777);
  HnStoredTensors *t = hn_stored_tensors_new(NULL);
  hn_stored_tensors_add(t, "w", type, 1, &n, w, true);
  hn_stored_tensors_add(t, "other", HN_F64, 1, &one, &other, false);
  hn_stored_tensors_add(t, "k", HN_I64, 1, &one, &k, true);
  if (u != 0) hn_stored_tensors_add(t, "u", HN_F64, 1, &one, &u, true);
  GError *error = NULL;
  hn_stored_tensors_write(t, path, &error);
  g_assert_no_error(error);
  hn_stored_tensors_free(t);
}

static const HnTensorDiff *tensor(const HnWeightsDiff *w, guint i, const char *name) {
  g_assert_cmpuint(w->tensors->len, >, i);
  const HnTensorDiff *x = w->tensors->pdata[i];
  g_assert_cmpstr(x->name, ==, name);
  return x;
}

/* |2 - 2.5| = 0.5, of 2.5 a fifth; |4 - -4| = 8, of 4 twice; a zero with another sign has other
 * bits alone. */
static void test_tensors(void) {
  const float a[] = {1, 2, 3, 4, 0}, b[] = {1, 2.5F, 3, -4, -0.F};
  begin();
  write_checkpoint(dir_a, 4, HN_F32, a, 5, 7, 0);
  write_checkpoint(dir_b, 4, HN_F32, b, 5, 9, 1);
  g_autoptr(HnWeightsDiff) w = hn_diff_last_weights(dir_a, dir_b);
  g_assert_cmpint(w->update, ==, 4);
  g_assert_cmpint(w->same, ==, 0);
  const HnTensorDiff *x = tensor(w, 0, "w"), *k = tensor(w, 1, "k"), *u = tensor(w, 2, "u");
  g_assert_cmpstr(x->a, ==, "F32 [5]");
  g_assert_true(x->elements == 5 && x->differ == 3 && x->absolute == 8 && x->relative == 2);
  g_assert_true(k->differ == 1 && k->absolute == 2 && k->relative == 2.0 / 9);
  g_assert_null(u->a);
  g_assert_cmpstr(u->b, ==, "F64 [1]");
  g_assert_true(isnan(u->absolute));
  g_assert_cmpuint(w->tensors->len, ==, 3);
  end();
}

static void test_not_finite(void) {
  const double a[] = {1, (double)NAN}, b[] = {1, 3};
  begin();
  write_checkpoint(dir_a, 1, HN_F64, a, 2, 0, 0), write_checkpoint(dir_b, 1, HN_F64, b, 2, 0, 0);
  g_autoptr(HnWeightsDiff) w = hn_diff_last_weights(dir_a, dir_b);
  const HnTensorDiff *x = tensor(w, 0, "w");
  g_assert_true(x->differ == 1 && isinf(x->absolute) && isinf(x->relative));
  g_assert_cmpint(w->same, ==, 1);
  g_autoptr(HnWeightsDiff) same =
      hn_diff_last_weights(dir_a, dir_a); /* NaN is the same as itself */
  g_assert_cmpuint(same->tensors->len, ==, 0);
  g_assert_cmpint(same->same, ==, 2);
  end();
}

static void test_shapes(void) {
  const float a[] = {1, 2, 3};
  const double b[] = {1, 2, 3};
  begin();
  write_checkpoint(dir_a, 1, HN_F32, a, 3, 0, 0), write_checkpoint(dir_b, 1, HN_F32, a, 2, 0, 0);
  write_checkpoint(dir_a, 2, HN_F32, a, 3, 0, 0), write_checkpoint(dir_b, 2, HN_F64, b, 3, 0, 0);
  g_autoptr(HnWeightsDiff) first = hn_diff_first_weights(dir_a, dir_b);
  g_autoptr(HnWeightsDiff) last = hn_diff_last_weights(dir_a, dir_b);
  g_assert_cmpstr(tensor(first, 0, "w")->b, ==, "F32 [2]");
  g_assert_cmpstr(tensor(last, 0, "w")->b, ==, "F64 [3]");
  g_assert_true(isnan(tensor(last, 0, "w")->relative));
  end();
}

/* Of updates 2, 4 and 6, and 2, 4 and 8: the newest of both is 4; they differ there alone. */
static void test_which_checkpoints(void) {
  const float a[] = {1}, b[] = {2};
  begin();
  for (int64_t u = 2; u <= 6; u += 2) write_checkpoint(dir_a, u, HN_F32, a, 1, 0, 0);
  write_checkpoint(dir_b, 2, HN_F32, a, 1, 0, 0), write_checkpoint(dir_b, 8, HN_F32, b, 1, 0, 0);
  g_assert_null(hn_diff_first_weights(dir_a, dir_b));
  write_checkpoint(dir_b, 4, HN_F32, b, 1, 0, 0);
  g_autoptr(HnWeightsDiff) first = hn_diff_first_weights(dir_a, dir_b);
  g_autoptr(HnWeightsDiff) last = hn_diff_last_weights(dir_a, dir_b);
  g_assert_cmpint(first->update, ==, 4);
  g_assert_cmpint(last->update, ==, 4);
  g_autofree char *path = hn_run_checkpoint(dir_b, 4);
  g_assert_true(g_file_set_contents(path, "cut", -1, NULL));
  g_autoptr(HnWeightsDiff) damaged = hn_diff_last_weights(dir_a, dir_b);
  g_assert_nonnull(strstr(damaged->damaged, "not a safetensors file"));
  g_autofree char *nowhere = g_build_filename(top, "c", NULL);
  g_assert_null(hn_diff_last_weights(dir_a, nowhere));
  end();
}

/* ---- tables ---- */

static HnTableDiff *table_of(HnRunFile table, const char *a, const char *b) {
  begin();
  if (a) fake_write(dir_a, hn_run_file_name(table), a);
  if (b) fake_write(dir_b, hn_run_file_name(table), b);
  HnTableDiff *t = hn_diff_table(dir_a, dir_b, table);
  end();
  return t;
}

static void test_same_tables(void) {
  static const char *const same[][2] = {
      {"update,x\n1,0.5\n", "update,x\n1,0.5\n"},
      {"update,x,y\n1,0.5,nan\n2,1e3,\n", "update,y,x\n1,nan,0.50\n2,,1000\n"},
      {"x,x\n1,2\n", "x,x\n1,2\n"}, /* two of one name */
      {"x\n1\n2", "x\n1\n"},        /* a row that is still being written */
      {"task\n\"a,\"\"b\"\n", "task\r\n\"a,\"\"b\"\r\n"}};
  for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
    HnTableDiff *t = table_of(HN_FILE_METRICS, same[i][0], same[i][1]);
    g_assert_false(hn_table_diff_any(t));
    g_assert_cmpint(t->rows_a, ==, t->rows_b);
    hn_table_diff_free(t);
  }
  g_assert_null(table_of(HN_FILE_METRICS, NULL, NULL));
  HnTableDiff *t =
      table_of(HN_FILE_EPISODES, "arm,seed,return\na,0,1\n", "arm,seed,return\nb,1,1\n");
  g_assert_false(hn_table_diff_any(t)); /* of two cells with the same episodes */
  hn_table_diff_free(t);
}

static void test_tables(void) {
  static const struct {
    const char *a, *b;
    int64_t first;
    const char *update;
    int64_t differ;
  } cases[] = {{"update,x,y\n1,1,1\n2,1,1\n", "update,x,y\n1,1,1\n2,1,2\n", 1, "2", 1},
               {"update,x\n1,1\n2,1\n", "update,x\n1,1\n", 1, "2", 0},
               {"update,x\n1,1\n", "update,x\n1,1\n2,1\n", 1, "2", 0},
               {"update,x\n1,1\n", "update,z\n1,1\n", -1, NULL, 2},
               {"update,x\n1,\n", "update,x\n1,nan\n", 0, "1", 1}, /* not measured is not NaN */
               {"x\n1\n", "x\na\n", 0, NULL, 1},
               {"x,x\n1,2\n", "x,x\n1,3\n", 0, NULL, 1},
               {"x\n1\n", NULL, 0, NULL, 1}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    HnTableDiff *t = table_of(HN_FILE_METRICS, cases[i].a, cases[i].b);
    g_assert_true(hn_table_diff_any(t));
    g_assert_cmpint(t->first, ==, cases[i].first);
    g_assert_cmpstr(t->update, ==, cases[i].update);
    g_assert_cmpint(t->differ, ==, cases[i].differ);
    g_assert_null(t->damaged);
    hn_table_diff_free(t);
  }
}

static void test_columns(void) {
  HnTableDiff *t = table_of(HN_FILE_METRICS, "update,x,y,gone\n1,1,5,0\n2,2,5,0\n3,3,,0\n",
                            "update,x,y,new\n1,1,5,8\n2,4,5,\n3,9,,\n");
  static const struct {
    const char *name, *a, *b;
    int64_t row;
  } expected[] = {{"update", "3", "3", -1},
                  {"x", "3", "9", 1},
                  {"y", "5", "5", -1}, /* the last that is filled in */
                  {"gone", "0", "", -1},
                  {"new", "", "8", -1}};
  g_assert_cmpuint(t->columns->len, ==, G_N_ELEMENTS(expected));
  for (guint i = 0; i < t->columns->len; i++) {
    const HnColumnDiff *c = t->columns->pdata[i];
    g_assert_cmpstr(c->name, ==, expected[i].name);
    g_assert_cmpstr(c->a->str, ==, expected[i].a);
    g_assert_cmpstr(c->b->str, ==, expected[i].b);
    g_assert_cmpint(c->row, ==, expected[i].row);
    g_assert_true(c->in_a == (i != 4) && c->in_b == (i != 3));
  }
  g_assert_cmpint(t->differ, ==, 3);
  hn_table_diff_free(t);
}

static void test_damaged_table(void) {
  HnTableDiff *t = table_of(HN_FILE_STEPS, "x,y\n1,2\n3\n", "x,y\n1,2\n3,4\n");
  g_assert_nonnull(strstr(t->damaged, "steps.csv:3: 1 fields, expected 2"));
  g_assert_true(hn_table_diff_any(t));
  hn_table_diff_free(t);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/diff/traces", test_traces);
  g_test_add_func("/diff/tensors", test_tensors);
  g_test_add_func("/diff/not_finite", test_not_finite);
  g_test_add_func("/diff/shapes", test_shapes);
  g_test_add_func("/diff/which_checkpoints", test_which_checkpoints);
  g_test_add_func("/diff/same_tables", test_same_tables);
  g_test_add_func("/diff/tables", test_tables);
  g_test_add_func("/diff/columns", test_columns);
  g_test_add_func("/diff/damaged_table", test_damaged_table);
  return g_test_run();
}
