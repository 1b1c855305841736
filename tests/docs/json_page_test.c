/* json_page_test.c - docs/json.md has a section for every verb that prints JSON, and in it every
 * member that the verb prints. */
#include "cli_fixture.h"
#include "json.h"
#include "tiny_study_fixture.h"
#include <string.h>

static char *page;

/* The section of a verb, or NULL. */
static char *section(const char *verb) {
  g_autofree char *heading = g_strdup_printf("\n## hunch %s\n", verb);
  const char *start = strstr(page, heading), *end = start ? strstr(start + 4, "\n## ") : NULL;
  return end ? g_strndup(start, (gsize)(end - start)) : g_strdup(start);
}

static void test_sections(void) {
  g_auto(Run) help = hunch(NULL, "--help");
  g_auto(GStrv) lines = g_strsplit(help.out, "\n", -1);
  guint n = 0;
  for (char **line = lines + 2; **line; line++) {
    char verb[32];
    g_assert_cmpint(sscanf(*line, "%31s", verb), ==, 1);
    g_autofree char *asked = g_strconcat("help ", verb, NULL);
    g_auto(Run) of_verb = hunch(NULL, asked);
    g_autofree char *text = section(verb);
    const bool prints = strstr(of_verb.out, "  --json") != NULL;
    if (prints != (text != NULL))
      g_error("hunch %s prints %s, but docs/json.md has %s of it", verb,
              prints ? "JSON" : "no JSON", text ? "a section" : "none");
    n += prints;
  }
  g_assert_cmpuint(n, >=, 7);
}

/* Every member of the object, and those of the first element of each array of objects. */
static void expect_members(const char *verb, JsonObject *o) {
  g_autofree char *text = section(verb);
  g_autoptr(GList) names = json_object_get_members(o);
  for (GList *n = names; n; n = n->next) {
    g_autofree char *quoted = g_strdup_printf("`%s`", (const char *)n->data);
    JsonArray *array = hn_json_array(o, n->data);
    if (!strstr(text, quoted)) g_error("docs/json.md does not have %s of %s", quoted, verb);
    JsonNode *first =
        array && json_array_get_length(array) ? json_array_get_element(array, 0) : NULL;
    if (first && JSON_NODE_HOLDS_OBJECT(first)) expect_members(verb, json_node_get_object(first));
  }
}

static void check_output(const char *dir, const char *arguments, int code) {
  g_auto(Run) run = hunch(dir, arguments);
  g_autofree char *verb = g_strndup(arguments, strcspn(arguments, " "));
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) o = hn_json_parse(arguments, run.out, strlen(run.out), &error);
  g_assert_no_error(error);
  g_assert_cmpint(run.code, ==, code);
  expect_members(verb, o);
}

static void test_members(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "tiny.yaml", tiny_study);
  fake_write(dir, "wrong.yaml", "hunch: 1\nbase: {run: {rowss: 4}}\n");
  check_output(dir, "validate tiny.yaml --json", 0);
  check_output(dir, "validate wrong.yaml --json", 2);
  check_output(dir, "plan tiny.yaml --json", 0);
  check_output(dir, "check uniform --only loads --json", 0);
  check_output(dir, "check --list --json", 0);
  check_output(dir, "doctor --json", 0);
  g_auto(Run) run = hunch(dir, "run tiny.yaml");
  g_assert_cmpint(run.code, ==, 0);
  check_output(dir, "compare runs/tiny --json", 0);
  check_output(dir, "compare runs/tiny --by task --json", 0);
  check_output(dir, "compare runs/tiny --by inference.plugin --json", 0);
  check_output(dir, "compare runs/tiny --reach -100 --json", 0);
  check_output(dir, "status runs/tiny --json", 0);
  check_output(dir, "runs --json", 0);
  check_output(dir, "diff runs/tiny/none/0 runs/tiny/none/1 --json", 3);
  g_auto(Run) pack = hunch(dir, "pack runs/tiny -o tiny.zip --dirty --unchecked --license MIT");
  g_assert_cmpint(pack.code, ==, 0);
  check_output(dir, "verify tiny.zip --json", 0);
  check_output(dir, "verify tiny.zip --run --rung replay --cell none/0 --json", 0);
}

/* A finding in JSON says the place that the text says. */
static void test_findings(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "wrong.yaml", "hunch: 1\nbase: {run: {rowss: 4, frames: -1}}\n");
  g_auto(Run) text = hunch(dir, "validate wrong.yaml"),
              json = hunch(dir, "validate wrong.yaml --json");
  g_autoptr(JsonObject) o = hn_json_parse("validate", json.out, strlen(json.out), NULL);
  JsonArray *all = hn_json_array(o, "findings");
  g_autoptr(GString) again = g_string_new(NULL);
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *f = json_array_get_object_element(all, i);
    g_string_append(again, hn_json_string(f, "file", "?"));
    if (hn_json_int(f, "line", -1))
      g_string_append_printf(again, ":%d:%d", (int)hn_json_int(f, "line", -1),
                             (int)hn_json_int(f, "column", -1));
    g_string_append_printf(again, ": error: %s\n", hn_json_string(f, "message", "?"));
  }
  g_assert_cmpuint(json_array_get_length(all), >, 1);
  g_assert_cmpstr(again->str, ==, text.err);
  g_assert_cmpstr(json.err, ==, "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_assert_true(g_file_get_contents(SOURCE "/docs/json.md", &page, NULL, NULL));
  g_test_add_func("/json_page/sections", test_sections);
  g_test_add_func("/json_page/members", test_members);
  g_test_add_func("/json_page/findings", test_findings);
  const int code = g_test_run();
  g_free(page);
  return code;
}
