/* json_test.c - JSON that may be damaged, or of a kind that is not expected. */
#include "error.h"
#include <glib/gstdio.h>
#include <json.h>
#include <math.h>
#include <string.h>

static const char text[] =
    "{\"word\": \"a \\\"b\\\" [\", \"count\": 9007199254740993, \"real\": 0.5,"
    " \"nothing\": null, \"yes\": true, \"list\": [\"x\", 3, {}],"
    " \"object\": {\"inner\": -1}}";

static void test_members(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) o = hn_json_parse("it", text, strlen(text), &error);
  g_assert_no_error(error);
  g_assert_cmpstr(hn_json_string(o, "word", ""), ==, "a \"b\" [");
  g_assert_cmpint(hn_json_int(o, "count", 0), ==, 9007199254740993);
  g_assert_cmpfloat(hn_json_real(o, "real", 0), ==, 0.5);
  g_assert_cmpfloat(hn_json_real(hn_json_object(o, "object"), "inner", 0), ==, -1);
  JsonArray *list = hn_json_array(o, "list");
  g_assert_cmpstr(hn_json_string_at(list, 0), ==, "x");
  for (guint i = 1; i < 5; i++) g_assert_null(hn_json_string_at(list, i));
}

/* Any change of a sealed object's members is noticed; of the space between them, none needs to be.
 */
static void test_seal(void) {
  g_autofree char *dir = g_dir_make_tmp("hunch-json-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "it.json", NULL);
  g_autoptr(JsonObject) o = hn_json_parse("it", text, strlen(text), NULL);
  g_autofree char *sealed = hn_json_sealed_text(o), *again = hn_json_sealed_text(o);
  g_assert_cmpstr(sealed, ==, again);
  const gsize length = strlen(sealed);
  guint taken = 0;
  for (gsize bit = 0; bit < 8 * length; bit++) {
    g_autoptr(GError) error = NULL;
    sealed[bit / 8] ^= (char)(1 << bit % 8);
    g_assert_true(g_file_set_contents_full(path, sealed, (gssize)length, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
    g_autoptr(JsonObject) read = hn_json_read(path, &error);
    if (read) {
      g_assert_cmpint(hn_json_int(read, "count", 0), ==, 9007199254740993);
      g_assert_cmpstr(hn_json_string(read, "word", ""), ==, "a \"b\" [");
      g_assert_cmpfloat(hn_json_real(read, "real", 0), ==, 0.5);
      g_assert_cmpfloat(hn_json_real(hn_json_object(read, "object"), "inner", 0), ==, -1);
      taken++;
    } else {
      g_assert_nonnull(strstr(error->message, "it.json"));
    }
    sealed[bit / 8] ^= (char)(1 << bit % 8);
  }
  g_assert_cmpuint(taken, <, 2 * length); /* spaces, and the member's name "checksum" */
  g_assert_cmpint(g_unlink(path), ==, 0);
  g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* What is written can be read back, whatever its bytes. */
static void test_bytes(void) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "path", "/caf\xe9/\n"), hn_json_add_string(b, "none", NULL);
  g_autofree char *written = hn_json_end(b);
  g_autoptr(JsonObject) o = hn_json_parse("it", written, strlen(written), NULL);
  g_assert_cmpstr(hn_json_string(o, "path", ""), ==, "/caf\xef\xbf\xbd/\n");
  g_assert_cmpstr(hn_json_string(o, "none", "null"), ==, "null");
}

/* Whatever a member is, asking for another kind gives what was to be had otherwise. */
static void test_other_kinds(void) {
  static const char *const keys[] = {"word", "count", "real",   "nothing",
                                     "yes",  "list",  "object", "absent"};
  g_autoptr(JsonObject) o = hn_json_parse("it", text, strlen(text), NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
    const char *k = keys[i];
    if (i != 0) g_assert_cmpstr(hn_json_string(o, k, "other"), ==, "other");
    if (i != 1) g_assert_cmpint(hn_json_int(o, k, 7), ==, 7);
    if (i != 1 && i != 2) g_assert_cmpfloat(hn_json_real(o, k, 7), ==, 7);
    if (i != 5) g_assert_null(hn_json_array(o, k));
    if (i != 6) g_assert_null(hn_json_object(o, k));
    g_assert_null(hn_json_string(NULL, k, NULL));
  }
}

static void refused(const char *name, const char *what, gsize length, const char *why) {
  g_autoptr(GError) error = NULL;
  g_assert_null(hn_json_parse(name, what, length, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
  g_assert_true(g_str_has_prefix(error->message, name));
  g_assert_nonnull(strstr(error->message, why));
}

static void test_refusals(void) {
  refused("a.json", "", 0, "not a JSON object");
  refused("a.json", "[1]", 3, "not a JSON object");
  refused("a.json", "{\"a\": }", 7, "a.json:1:");
  refused("a.json", "{\"a\": \"\xff\"}", 10, "UTF-8");
  refused("a.json", "{\"a\": \"}\"}\n /* */\n", 18, "a.json:2:2: expected nothing after");
  refused("a.json", "{\"a\": 1}{}", 10, "a.json:1:9: expected nothing after");
  g_autoptr(GError) error = NULL;
  g_assert_null(hn_json_read("/nowhere/run.json", &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

/* The parser descends by recursion: a file of brackets alone would end the program. */
static void test_depth(void) {
  enum { DEEP = 1000000 };
  g_autofree char *all = g_malloc(2 * DEEP);
  memset(all, '[', DEEP), memset(all + DEEP, ']', DEEP);
  refused("deep.json", all, 2 * DEEP, "64 deep");
  for (int more = 0; more < 2; more++) {
    const gsize n = 63 + (gsize)more;
    g_autofree char *open = g_strnfill(n, '['), *shut = g_strnfill(n, ']');
    g_autofree char *edge = g_strconcat("{\"[[[\\\"[\": ", open, shut, "}", NULL);
    if (more) {
      refused("edge.json", edge, strlen(edge), "64 deep");
      continue;
    }
    g_autoptr(JsonObject) o = hn_json_parse("edge.json", edge, strlen(edge), NULL);
    g_assert_nonnull(o);
  }
}

/* ---- writing ---- */

static void test_numbers(void) {
  JsonNode *root = json_from_string(
      "{\"a\": [1e-8, 1e300, 2.5e-7, 3.0, -1e-5, 7], \"1e-8.0\\\"e\": \"x1e5.0\"}", NULL);
  char *shown = hn_json_text(root);
  JsonNode *back = json_from_string(shown, NULL);
  g_assert_nonnull(back);
  g_assert_true(json_node_equal(root, back));
  g_assert_nonnull(strstr(shown, " 1e-08,"));
  g_assert_nonnull(strstr(shown, " -1"));
  g_assert_nonnull(strstr(shown, "x1e5.0"));
  json_node_unref(root);
  json_node_unref(back);
  g_free(shown);
}

static void test_writing(void) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "word", "a \"b\""), hn_json_add_string(b, "none", NULL);
  hn_json_add_int(b, "int", 9007199254740993), hn_json_add_bool(b, "bool", true);
  hn_json_open_array(b, "reals");
  const double x[] = {0.5, (double)NAN, INFINITY, 1e-8};
  for (guint i = 0; i < G_N_ELEMENTS(x); i++) hn_json_add_real(b, NULL, x[i]);
  json_builder_end_array(b);
  hn_json_open_object(b, "inner");
  hn_json_add_strv(b, "some", (const char *const[]){"x", "y", NULL});
  hn_json_add_strv(b, "no", NULL);
  hn_json_add_strings(b, "two", 2, (const char *const[]){"x", NULL, "z"});
  json_builder_end_object(b);
  g_autofree char *made = hn_json_end(b);
  GString *bare = g_string_new(NULL); /* without the white space between */
  for (const char *c = made; *c; c++)
    if (!g_ascii_isspace(*c) || c[-1] == 'a') g_string_append_c(bare, *c);
  g_autofree char *line = g_string_free(bare, FALSE);
  g_assert_cmpstr(line, ==,
                  "{\"word\":\"a \\\"b\\\"\",\"none\":null,\"int\":9007199254740993,\"bool\":true,"
                  "\"reals\":[0.5,null,null,1e-08],"
                  "\"inner\":{\"some\":[\"x\",\"y\"],\"no\":[],\"two\":[\"x\",null]}}");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/json/seal", test_seal);
  g_test_add_func("/json/members", test_members);
  g_test_add_func("/json/bytes", test_bytes);
  g_test_add_func("/json/other_kinds", test_other_kinds);
  g_test_add_func("/json/refusals", test_refusals);
  g_test_add_func("/json/depth", test_depth);
  g_test_add_func("/json/numbers", test_numbers);
  g_test_add_func("/json/writing", test_writing);
  return g_test_run();
}
