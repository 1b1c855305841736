/* checkpoint_test.c - a table of states written and read back; files that do not fit, or are cut
 * short, are refused. */
#include "cell_fixture.h"
#include "checkpoint.h"

static void test_checkpoint(void) {
  float w[6] = {1, 2, 3, 4, 5, 6}, loaded[6] = {0};
  double v[2] = {0.25, -8}, lv[2];
  guint8 b[3] = {7, 8, 9}, lb[3];
  int64_t used = 2, lused = 0;
  HnState out[] = {{(char *)"p/w", HN_F32, 2, {3, 2}, &used, w, .weight = true},
                   {(char *)"p/v", HN_F64, 1, {2}, NULL, v, .weight = false},
                   {(char *)"p/b", HN_U8, 1, {3}, NULL, b, .weight = false}};
  HnState in[] = {{(char *)"p/w", HN_F32, 2, {3, 2}, &lused, loaded, .weight = true},
                  {(char *)"p/v", HN_F64, 1, {2}, NULL, lv, .weight = false},
                  {(char *)"p/b", HN_U8, 1, {3}, NULL, lb, .weight = false}};
  GPtrArray *a = g_ptr_array_new(), *z = g_ptr_array_new();
  for (int i = 0; i < 3; i++) g_ptr_array_add(a, &out[i]), g_ptr_array_add(z, &in[i]);
  char *dir = folder_new(), *path = g_build_filename(dir, "x.safetensors", NULL);
  GHashTable *meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  GError *error = NULL;
  g_hash_table_insert(meta, g_strdup("note"), g_strdup("a \"quoted\" one"));
  g_assert_true(hn_checkpoint_write(path, a, meta, &error));
  g_hash_table_remove_all(meta);
  g_assert_true(hn_checkpoint_read(path, z, meta, &error));
  g_assert_cmpstr(g_hash_table_lookup(meta, "note"), ==, "a \"quoted\" one");
  g_assert_cmpint(lused, ==, 2);
  g_assert_cmpmem(loaded, 16, w, 16);
  g_assert_cmpfloat(loaded[4], ==, 0);
  g_assert_cmpmem(lv, sizeof lv, v, sizeof v);
  g_assert_cmpmem(lb, 3, b, 3);

  in[0].dim[1] = 4, in[1].name = (char *)"p/u", in[2].type = HN_I32;
  g_assert_false(hn_checkpoint_read(path, z, meta, &error));
  g_assert_nonnull(strstr(error->message, "p/w has size 2 along dimension 1, expected 4"));
  g_assert_nonnull(strstr(error->message, "missing: p/u"));
  g_assert_nonnull(strstr(error->message, "extra: p/v"));
  g_assert_nonnull(strstr(error->message, "p/b is U8, expected I32"));
  g_clear_error(&error);
  gsize length;
  char *bytes = file_in(dir, "x.safetensors", &length);
  for (gsize cut = 0; cut < length; cut += 7) { /* cut short anywhere: an error, never a crash */
    g_assert_true(g_file_set_contents(path, bytes, (gssize)cut, NULL));
    g_assert_false(hn_checkpoint_read(path, z, meta, &error));
    g_clear_error(&error);
  }
  g_free(bytes), g_free(path), folder_free(dir), g_hash_table_unref(meta);
  g_ptr_array_unref(a), g_ptr_array_unref(z);
}

/* Every bit of a file flipped, one at a time: refused by name, or the same values are read. */
static void test_flipped_bits(void) {
  float w[6] = {1, 2, 3, 4, 5, 6}, loaded[6];
  int64_t n = 123456789, ln;
  HnState out[] = {{(char *)"p/w", HN_F32, 2, {3, 2}, NULL, w, .weight = true},
                   {(char *)"p/n", HN_I64, 1, {1}, NULL, &n, .weight = false}};
  HnState in[] = {{(char *)"p/w", HN_F32, 2, {3, 2}, NULL, loaded, .weight = true},
                  {(char *)"p/n", HN_I64, 1, {1}, NULL, &ln, .weight = false}};
  g_autoptr(GPtrArray) a = g_ptr_array_new(), z = g_ptr_array_new();
  for (int i = 0; i < 2; i++) g_ptr_array_add(a, &out[i]), g_ptr_array_add(z, &in[i]);
  char *dir = folder_new();
  g_autofree char *path = g_build_filename(dir, "x.safetensors", NULL);
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert(meta, g_strdup("update"), g_strdup("40"));
  g_assert_true(hn_checkpoint_write(path, a, meta, NULL));
  gsize length, refused = 0;
  g_autofree char *bytes = file_in(dir, "x.safetensors", &length);
  for (gsize bit = 0; bit < 8 * length; bit++) {
    g_autoptr(GError) error = NULL;
    bytes[bit / 8] ^= (char)(1 << bit % 8);
    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
    g_hash_table_remove_all(meta), memset(loaded, 0, sizeof loaded), ln = 0;
    if (hn_checkpoint_read(path, z, meta, &error)) {
      g_assert_cmpmem(loaded, sizeof loaded, w, sizeof w);
      g_assert_cmpint(ln, ==, n);
      g_assert_cmpstr(g_hash_table_lookup(meta, "update"), ==, "40");
    } else {
      g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
      g_assert_nonnull(strstr(error->message, "x.safetensors"));
      refused++;
    }
    bytes[bit / 8] ^= (char)(1 << bit % 8);
  }
  g_assert_cmpuint(refused, >, 7 * length); /* spaces of the header alone may change */
  folder_free(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/checkpoint/table", test_checkpoint);
  g_test_add_func("/checkpoint/flipped_bits", test_flipped_bits);
  return g_test_run();
}
