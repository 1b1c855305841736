/* zip_test.c - archives: what is written is what the format's description gives (archives.py) and
 * what unzip reads; whatever else comes is refused, by a reason, before anything is written. */
#include "cli_fixture.h"
#include "error.h"
#include "zip.h"

static Folder *made; /* by archives.py; NULL: there is no Python */

static char *archive(const char *name) {
  g_autofree char *base = g_strconcat(name, ".zip", NULL);
  return g_build_filename(made, base, NULL);
}

static void good_sources(GPtrArray *sources) {
  guint8 bytes[256 * 300];
  for (gsize i = 0; i < sizeof bytes; i++) bytes[i] = (guint8)i;
  g_autoptr(GBytes) all = g_bytes_new(bytes, sizeof bytes);
  hn_zip_add_bytes(sources, "b/z.bin", all); /* not in order */
  hn_zip_add_text(sources, "a.txt", "alpha\n");
  hn_zip_add_text(sources, "b/empty", "");
}

static void test_bytes(void) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) sources = hn_zip_sources_new();
  g_autofree char *path = g_build_filename(dir, "x.zip", NULL), *twin = archive("good");
  g_autofree char *got = NULL, *expected = NULL;
  gsize n, m;
  good_sources(sources);
  GError *error = NULL;
  g_assert_true(hn_zip_write(path, sources, &error));
  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(path, &got, &n, NULL));
  g_assert_true(g_file_get_contents(twin, &expected, &m, NULL));
  g_assert_cmpmem(got, n, expected, m);
}

static void test_unzip(void) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(GPtrArray) sources = hn_zip_sources_new();
  g_autofree char *path = g_build_filename(dir, "x.zip", NULL), *out = NULL;
  const char *argv[] = {"unzip", "-q", "x.zip", NULL}, *test[] = {"unzip", "-t", "x.zip", NULL};
  int status = -1;
  good_sources(sources);
  g_assert_true(hn_zip_write(path, sources, NULL));
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             NULL, NULL, &status, NULL));
  g_assert_cmpint(status, ==, 0);
  g_autofree char *text = fake_read(dir, "a.txt"), *empty = fake_read(dir, "b/empty");
  g_assert_cmpstr(text, ==, "alpha\n");
  g_assert_cmpstr(empty, ==, "");
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)test, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             &out, NULL, &status, NULL));
  expect(out, "No errors detected");
}

static void test_read(void) {
  g_autofree char *path = archive("good");
  GError *error = NULL;
  g_autoptr(HnZip) zip = hn_zip_open(path, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(zip->entries->len, ==, 3);
  const HnZipEntry *e = hn_zip_find(zip, "b/z.bin");
  g_assert_cmpuint(e->size, ==, 76800);
  g_assert_cmpint((guint8)e->data[76799], ==, 255);
  g_assert_false(hn_zip_damaged(e));
  g_assert_cmpuint(hn_zip_find(zip, "b/empty")->size, ==, 0);
  g_assert_null(hn_zip_find(zip, "b"));
  g_assert_null(hn_zip_find(zip, "c"));
}

static void test_extract(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *path = archive("good");
  g_autoptr(HnZip) zip = hn_zip_open(path, NULL);
  GError *error = NULL;
  g_assert_true(hn_zip_extract(zip, dir, &error));
  g_assert_no_error(error);
  g_autofree char *text = fake_read(dir, "a.txt");
  g_assert_cmpstr(text, ==, "alpha\n");
  g_assert_false(hn_zip_extract(zip, dir, &error)); /* over nothing that is there */
  g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
  g_error_free(error);
}

static void test_names_to_write(void) {
  static const char *const pairs[][3] = {{"a", "a", "'a' has"},
                                         {"a", "A", "'a' has"}, /* in the order of names */
                                         {"a", "a/b", "'a/b' lies"},
                                         {"a", "../b", "'../b' leads"}};
  g_autoptr(Folder) dir = folder();
  g_autofree char *path = g_build_filename(dir, "x.zip", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
    g_autoptr(GPtrArray) sources = hn_zip_sources_new();
    g_autoptr(GError) error = NULL;
    for (int k = 0; k < 2; k++) hn_zip_add_text(sources, pairs[i][k], "x");
    g_assert_false(hn_zip_write(path, sources, &error));
    expect(error->message, pairs[i][2]);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  }
}

static const struct {
  const char *name, *reason;
} wrong[] = {
    {"traversal", "'../x' leads out of the folder"},
    {"inner_traversal", "leads out of the folder"},
    {"absolute", "'/etc/x' has an absolute path"},
    {"dot", "empty part"},
    {"double", "empty part"},
    {"trailing", "empty part"},
    {"backslash", "not portable"},
    {"drive", "not portable"},
    {"control", "'a\\nb' has a character"},
    {"latin", "not portable"},
    {"nul", "a name that cannot be"},
    {"long", "a name that cannot be"},
    {"nameless", "has no name"},
    {"twice", "there already"},
    {"case", "there already, but for case"},
    {"file_as_folder", "in a folder that is a file"},
    {"order", "not in the order of names"},
    {"link", "is a symbolic link"},
    {"device", "is a device"},
    {"block", "is a device"},
    {"fifo", "is a pipe"},
    {"folder", "is a folder"},
    {"executable", "not described as"},
    {"setuid", "not described as"},
    {"dos", "not described as"},
    {"encrypted", "is encrypted"},
    {"descriptor", "not described as"},
    {"date", "not described as"},
    {"extra", "has an extra field"},
    {"comment", "not a package"},
    {"before", "does not fit its directory"},
    {"before_shifted", "does not fit its directory"},
    {"gap", "'b/empty' is not"},
    {"behind", "not a package"},
    {"overlap", "'b' is not"},
    {"fewer", "belong to no file"},
    {"more", "directory is damaged"},
    {"none", "does not fit its directory"},
    {"many", "more entries than 65534"},
    {"short", "not a package"},
    {"empty", "too short"},
    {"text", "not a package"},
    {"bomb", "is compressed"},
    {"million", "more entries than 65534"},
    {"stored", "not described as"},
};

static void test_refused(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autofree char *path = archive(wrong[i].name);
    g_autoptr(GError) error = NULL;
    g_autoptr(HnZip) zip = hn_zip_open(path, &error);
    if (zip) g_error("%s is taken", path);
    if (!strstr(error->message, wrong[i].reason)) g_error("%s", error->message);
    g_assert_true(g_str_has_prefix(error->message, path));
  }
}

/* Any bit of an archive: the headers are refused, contents are found damaged. */
static void test_every_bit(void) {
  g_autofree char *good = archive("good"), *bytes = NULL;
  g_autoptr(Folder) dir = folder();
  g_autofree char *path = g_build_filename(dir, "x.zip", NULL);
  gsize n;
  int noticed = 0, tried = 0;
  g_assert_true(g_file_get_contents(good, &bytes, &n, NULL));
  for (gsize at = 0; at < n; at += at < 400 || n - at < 400 ? 1 : 197)
    for (int bit = 0; bit < 8; bit++) {
      bytes[at] ^= (char)(1 << bit);
      g_assert_true(
          g_file_set_contents_full(path, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0666, NULL));
      g_autoptr(HnZip) zip = hn_zip_open(path, NULL);
      bool damaged = !zip;
      for (guint i = 0; zip && i < zip->entries->len; i++)
        damaged |= hn_zip_damaged(&g_array_index(zip->entries, HnZipEntry, i));
      if (!damaged) g_error("bit %d of byte %d goes unnoticed", bit, (int)at);
      noticed += damaged, tried++;
      bytes[at] ^= (char)(1 << bit);
    }
  g_assert_cmpint(tried, >, 8 * 900);
  g_assert_cmpint(noticed, ==, tried);
}

static void test_no_file(void) {
  g_autoptr(GError) missing = NULL, directory = NULL;
  g_assert_null(hn_zip_open("/nonexistent/x.zip", &missing));
  expect(missing->message, "/nonexistent/x.zip: No such file");
  g_assert_null(hn_zip_open("/tmp", &directory));
  expect(directory->message, "not a regular file");
}

static bool make(void) {
  made = folder();
  const char *argv[] = {"python3", SOURCE "/tests/archive/archives.py", made, NULL};
  g_autofree char *err = NULL;
  int status = -1;
  if (!g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                    &err, &status, NULL))
    return false;
  if (status != 0) g_error("%s", err);
  return true;
}

static void test_without_python(void) {
  g_test_skip("archives are made by Python, which is not installed");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (make()) {
    g_test_add_func("/zip/bytes", test_bytes);
    g_test_add_func("/zip/unzip", test_unzip);
    g_test_add_func("/zip/read", test_read);
    g_test_add_func("/zip/extract", test_extract);
    g_test_add_func("/zip/names_to_write", test_names_to_write);
    g_test_add_func("/zip/refused", test_refused);
    g_test_add_func("/zip/every_bit", test_every_bit);
    g_test_add_func("/zip/no_file", test_no_file);
  } else {
    g_test_add_func("/zip/skipped", test_without_python);
  }
  const int code = g_test_run();
  remove_folder(made);
  return code;
}
