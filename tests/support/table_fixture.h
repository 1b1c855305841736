/* table_fixture.h - the tables of a run folder, read without the program's own reader. */
#ifndef HN_TABLE_FIXTURE_H
#define HN_TABLE_FIXTURE_H
#include <glib.h>
#include <string.h>

typedef struct Rows {
  char *text, *header;
  char **names, **lines;
  gint64 count; /* of lines below the header */
} Rows;

static inline Rows rows_read(const char *dir, const char *name) {
  Rows r = {NULL, NULL, NULL, NULL, 0};
  g_autofree char *path = g_build_filename(dir, name, NULL);
  g_assert_true(g_file_get_contents(path, &r.text, NULL, NULL));
  g_autofree char *copy = g_strdup(r.text);
  char **all = g_strsplit(g_strchomp(copy), "\n", -1);
  r.count = (gint64)g_strv_length(all) - 1;
  g_assert_cmpint(r.count, >=, 0);
  r.header = g_strdup(all[0]), r.names = g_strsplit(all[0], ",", -1), r.lines = all;
  return r;
}

static inline void rows_clear(Rows *r) {
  g_free(r->text), g_free(r->header), g_strfreev(r->names), g_strfreev(r->lines);
}

/* A field as it is written; valid until the next four calls. */
static inline const char *rows_text(const Rows *r, gint64 line, const char *name) {
  static char out[4][64];
  static guint turn;
  guint k = 0;
  g_assert_cmpint(line, <, r->count);
  while (r->names[k] && strcmp(r->names[k], name) != 0) k++;
  if (!r->names[k]) g_error("no column %s in %s", name, r->header);
  g_auto(GStrv) fields = g_strsplit(r->lines[line + 1], ",", -1);
  g_assert_cmpuint(g_strv_length(fields), ==, g_strv_length(r->names));
  char *text = out[turn++ % 4];
  g_strlcpy(text, fields[k], sizeof out[0]);
  return text;
}

static inline double rows_at(const Rows *r, gint64 line, const char *name) {
  const char *text = rows_text(r, line, name);
  g_assert_cmpstr(text, !=, "");
  return g_ascii_strtod(text, NULL);
}
#endif
