/* fuzz_yaml.c - bytes become a study file and, after a NUL, overrides, a line each.
 * Nothing may crash, a refusal must come with a finding, and what is accepted must read back. */
#include "fuzz.h"
#include "yaml_fixture.h"
#include <study.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  add_fakes();
  return 0;
}

static bool same(const HnNode *a, const HnNode *b) {
  if (a->kind != b->kind || g_strcmp0(a->text, b->text) != 0) return false;
  if (a->kind == HN_NODE_TEXT) return true;
  if (a->items->len != b->items->len) return false;
  for (guint i = 0; i < a->items->len; i++)
    if ((a->keys && !same(a->keys->pdata[i], b->keys->pdata[i])) ||
        !same(a->items->pdata[i], b->items->pdata[i]))
      return false;
  return true;
}

/* Whatever tree was read, its text gives the same tree. */
static void check_write(const char *text, gsize length) {
  HnDiag *d = hn_diag_new();
  HnNode *n = hn_yaml_parse("fuzz", text, length, d);
  if (n && hn_diag_count(d) == 0) {
    g_autofree char *written = hn_node_write(n);
    HnNode *back = hn_yaml_parse("again", written, strlen(written), d);
    HnNode *copy = hn_node_copy(n);
    /* deep trees are indented, and may so grow beyond what is read */
    g_assert_true(strlen(written) > 1 << 20 || (back && hn_diag_count(d) == 0 && same(n, back)));
    g_assert_true(same(n, copy));
    hn_node_free(back);
    hn_node_free(copy);
  }
  g_assert_true(n || hn_diag_count(d));
  hn_node_free(n);
  hn_diag_free(d);
}

static void check_cell(const HnCell *cell) {
  HnDiag *d = hn_diag_new();
  HnNode *n = hn_cell_node(cell);
  g_autofree char *text = hn_node_write(n);
  HnNode *back = hn_yaml_parse("resolved", text, strlen(text), d);
  HnCell *again = hn_cell_read(back, d);
  g_assert_nonnull(again);
  g_autofree char *a = hn_cell_identity(cell), *b = hn_cell_identity(again);
  g_assert_cmpstr(a, ==, b);
  hn_cell_free(again);
  hn_node_free(back);
  hn_node_free(n);
  hn_diag_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *end = memchr(data, 0, size);
  gsize length = end ? (gsize)(end - data) : size;
  g_autofree char *rest = end ? g_strndup((const char *)end + 1, size - length - 1) : g_strdup("");
  g_autofree char *lines = g_strconcat(rest, "\nseeds.count=2", NULL); /* few cells: fast */
  g_auto(GStrv) overrides = g_strsplit(lines, "\n", -1);
  HnDiag *d = hn_diag_new();
  check_write((const char *)data, length);
  HnStudy *study =
      hn_study_parse("fuzz", (const char *)data, length, (const char *const *)overrides, d);
  g_autofree char *findings = hn_diag_text(d);
  g_assert_true(g_utf8_validate(findings, -1, NULL));
  g_assert_true(!study == (hn_diag_count(d) > 0));
  for (guint i = 0; study && i < study->cells->len; i += 2) check_cell(study->cells->pdata[i]);
  hn_study_free(study);
  hn_diag_free(d);
  return 0;
}
