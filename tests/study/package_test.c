/* package_test.c - the parts of a package that are made of what its author says, and how the places
 * of a machine are taken out of texts. */
#include "author.h"
#include "error.h"
#include "json.h"
#include "portable.h"
#include "yaml_tree.h"
#include <string.h>

static void check_author(const char *text, const char *family, const char *given, const char *orcid,
                         const char *mail) {
  GError *error = NULL;
  HnAuthor *a = hn_author_parse(text, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(a->family, ==, family);
  g_assert_cmpstr(a->given, ==, given);
  g_assert_cmpstr(a->orcid, ==, orcid);
  g_assert_cmpstr(a->mail, ==, mail);
  hn_author_free(a);
}

/* Identifiers of people who published theirs: the last digit, once X, checks the others. */
static void test_authors(void) {
  check_author("Ada Lovelace", "Lovelace", "Ada", NULL, NULL);
  check_author("Lovelace, Ada Augusta", "Lovelace", "Ada Augusta", NULL, NULL);
  check_author("Aristotle", "Aristotle", "", NULL, NULL);
  check_author("Josiah Carberry <0000-0002-1825-0097>", "Carberry", "Josiah", "0000-0002-1825-0097",
               NULL);
  check_author("S. Hawking <https://orcid.org/0000-0002-1694-233X>", "Hawking", "S.",
               "0000-0002-1694-233X", NULL);
  check_author("A B <a.b@c.org>", "B", "A", NULL, "a.b@c.org");
}

static void test_no_authors(void) {
  static const char *const wrong[] = {"",
                                      "<a@b.c>",
                                      "A <0000-0002-1825-0098>",
                                      "A <0000-0002-1694-2330>",
                                      "A <000000021825-0097>",
                                      "A <somebody>",
                                      "A <a@b.c",
                                      "A <a@b.c> B",
                                      "A\nB",
                                      "\xff"};
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(hn_author_parse(wrong[i], &error));
    g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  }
}

static void test_licenses(void) {
  g_assert_true(hn_license_is_id("CC-BY-4.0") && hn_license_is_id("GPL-2.0+"));
  g_assert_false(hn_license_is_id("") || hn_license_is_id("MIT or so") || hn_license_is_id("a:b"));
}

/* A title that YAML and JSON would read otherwise. */
static void test_citation(void) {
  g_autoptr(GPtrArray) authors = g_ptr_array_new_with_free_func((GDestroyNotify)hn_author_free);
  g_ptr_array_add(authors, hn_author_parse("J. Carberry <0000-0002-1825-0097>", NULL));
  const HnCitation c = {"no: \"yes\" \\ # 1\n2", "", "2026-01-02", "CC-BY-4.0", authors};
  g_autofree char *cff = hn_citation_cff(&c), *zenodo = hn_citation_zenodo(&c);
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) root = hn_yaml_parse("CITATION.cff", cff, strlen(cff), d);
  g_assert_cmpuint(hn_diag_count(d), ==, 0);
  g_assert_cmpstr(hn_node_get(root, "title")->text, ==, "no: \"yes\" \\ # 1 2");
  g_assert_cmpstr(hn_node_get(root, "date-released")->text, ==, "2026-01-02");
  const HnNode *first = hn_node_get(root, "authors")->items->pdata[0];
  g_assert_cmpstr(hn_node_get(first, "family-names")->text, ==, "Carberry");
  g_assert_cmpstr(hn_node_get(first, "orcid")->text, ==, "https://orcid.org/0000-0002-1825-0097");
  g_autoptr(JsonObject) o = hn_json_parse("zenodo", zenodo, strlen(zenodo), NULL);
  g_assert_cmpstr(hn_json_string(o, "title", NULL), ==, c.title);
  JsonObject *creator = json_array_get_object_element(hn_json_array(o, "creators"), 0);
  g_assert_cmpstr(hn_json_string(creator, "name", NULL), ==, "Carberry, J.");
}

static void test_places(void) {
  static const char *const texts[][2] = {
      {"/home/ann/runs/x", "../study"},
      {"/home/ann/runs/x/a/0/run.json", "../study/a/0/run.json"},
      {"/home/ann/runs/xy", "~/runs/xy"}, /* another folder */
      {"/home/ann/p.so", "../plugins/p.so"},
      {"/home/ann/secret", "~/secret"},
      {"/opt/data/a.bin", "a.bin"},
      {"/opt/data/a b.bin: no such file", "a b.bin: no such file"},
      {"cannot read /home/ann/runs/x/y", "cannot read ../study/y"},
      {"1/2", "1/2"},
      {"", ""}};
  g_autoptr(HnPortable) p = hn_portable_new();
  hn_portable_add(p, "/home/ann", "~");
  hn_portable_add(p, "/home/ann/p.so", "plugins/p.so");
  hn_portable_add(p, "/home/ann/runs/x", "study");
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *text = hn_portable_text(p, texts[i][0], "../");
    g_assert_cmpstr(text, ==, texts[i][1]);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/package/authors", test_authors);
  g_test_add_func("/package/no_authors", test_no_authors);
  g_test_add_func("/package/licenses", test_licenses);
  g_test_add_func("/package/citation", test_citation);
  g_test_add_func("/package/places", test_places);
  return g_test_run();
}
