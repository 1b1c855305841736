/* diagnostics.c - collects findings, orders them by place, and finds the nearest valid name. */
#include "diagnostics.h"
#include "short_text.h"
#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 64, CUT = 40, LISTED = 8 };

typedef struct Finding {
  guint file, order; /* index in files, and of arrival */
  int line, column;
  char *text;
  gsize message; /* where it begins in the text */
} Finding;

struct HnDiag {
  GPtrArray *files;    /* interned names in the order they were met; the first is NULL */
  GArray *findings;    /* Finding */
  GHashTable *written; /* lines already there */
};

static void finding_clear(void *finding) {
  g_free(((Finding *)finding)->text);
}

HnDiag *hn_diag_new(void) {
  HnDiag *d = g_new0(HnDiag, 1);
  d->files = g_ptr_array_new();
  g_ptr_array_add(d->files, NULL);
  d->findings = g_array_new(false, false, sizeof(Finding));
  g_array_set_clear_func(d->findings, finding_clear);
  d->written = g_hash_table_new(g_str_hash, g_str_equal);
  return d;
}

void hn_diag_free(HnDiag *d) {
  if (!d) return;
  g_hash_table_destroy(d->written);
  g_array_free(d->findings, true);
  g_ptr_array_free(d->files, true);
  g_free(d);
}

char *hn_diag_printable(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *out = g_string_new(NULL);
  for (const char *c = valid; *c; c = g_utf8_find_next_char(c, NULL)) {
    gunichar u = g_utf8_get_char(c);
    if (g_unichar_isprint(u))
      g_string_append_unichar(out, u);
    else if (u < 0x80)
      g_string_append_printf(out, "\\x%02x", u);
    else
      g_string_append_printf(out, "\\u%04x", u);
  }
  return g_string_free(out, false);
}

char *hn_diag_first_line(const char *text) {
  g_auto(GStrv) line = g_strsplit(text, "\n", -1);
  guint more = 0;
  for (char **l = line; *l; l++) more += l > line && **l;
  g_autofree char *first = hn_diag_printable(*line ? *line : "");
  return more ? g_strdup_printf("%s (and %u more)", first, more) : g_steal_pointer(&first);
}

static guint file_index(HnDiag *d, const char *file) {
  guint i;
  if (!file) return 0;
  file = g_intern_string(file);
  for (i = 1; i < d->files->len; i++)
    if (d->files->pdata[i] == file) return i;
  g_ptr_array_add(d->files, (void *)(guintptr)file);
  return i;
}

void hn_diag_add(HnDiag *d, const char *file, int line, int column, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);

  g_autofree char *where = !file      ? g_strdup("")
                           : line > 0 ? g_strdup_printf("%s:%d:%d: ", file, line, column)
                                      : g_strdup_printf("%s: ", file);
  g_autofree char *head = g_strconcat(where, "error: ", NULL);
  g_autofree char *place = hn_diag_printable(head), *message = hn_diag_printable(text);
  char *full = g_strconcat(place, message, NULL);
  if (g_hash_table_contains(d->written, full)) {
    g_free(full);
    return;
  }
  g_hash_table_add(d->written, full);
  Finding f = {file_index(d, file), d->findings->len, line, column, full, strlen(place)};
  g_array_append_val(d->findings, f);
}

guint hn_diag_count(const HnDiag *d) {
  return d->findings->len;
}

static int compare(const void *a, const void *b) {
  const Finding *x = a, *y = b;
  if (x->file != y->file) return x->file < y->file ? -1 : 1;
  if (x->line != y->line) return x->line < y->line ? -1 : 1;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

HnFinding hn_diag_at(const HnDiag *d, guint i) {
  const Finding *f = &g_array_index(d->findings, Finding, i);
  return (HnFinding){d->files->pdata[f->file], f->line, f->column, f->text + f->message};
}

char *hn_diag_text(const HnDiag *d) {
  GString *out = g_string_new(NULL);
  g_array_sort(d->findings, compare);
  for (guint i = 0; i < d->findings->len; i++)
    g_string_append_printf(out, "%s\n", g_array_index(d->findings, Finding, i).text);
  return g_string_free(out, false);
}

char *hn_diag_cut(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  if (g_utf8_strlen(valid, -1) <= CUT) return g_steal_pointer(&valid);
  g_autofree char *head = g_utf8_substring(valid, 0, CUT);
  return g_strconcat(head, "...", NULL);
}

static char folded(char c) {
  if (c == '-') return '_';
  return g_ascii_tolower(c);
}

/* Optimal string alignment: insert, delete, replace, swap neighbours, one each. */
static guint distance(const char *a, guint n, const char *b, guint m) {
  guint row[3][NAME_MAX_LENGTH + 1], *before = row[0], *above = row[1], *here = row[2];
  for (guint j = 0; j <= m; j++) above[j] = j;
  for (guint i = 1; i <= n; i++) {
    here[0] = i;
    for (guint j = 1; j <= m; j++) {
      char x = folded(a[i - 1]), y = folded(b[j - 1]);
      guint least = above[j - 1] + (x != y);
      least = MIN(least, MIN(above[j], here[j - 1]) + 1);
      if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
        least = MIN(least, before[j - 2] + 1);
      here[j] = least;
    }
    guint *free_row = before;
    before = above, above = here, here = free_row;
  }
  return above[m];
}

const char *hn_diag_nearest(const char *name, const char *const *candidates) {
  const char *best = NULL;
  gsize n = strlen(name);
  guint least = G_MAXUINT;
  if (n == 0 || n > NAME_MAX_LENGTH) return NULL;
  for (; *candidates; candidates++) {
    gsize m = strlen(*candidates), shorter = MIN(n, m);
    if (m == 0 || m > NAME_MAX_LENGTH) continue;
    guint near = MAX(1, (guint)MAX(n, m) / 3);
    guint far = distance(name, (guint)n, *candidates, (guint)m);
    if (far > near && shorter >= 3 && g_ascii_strncasecmp(name, *candidates, shorter) == 0)
      far = near;
    /* a wrong letter in a name of one or two is no match */
    if (far > near || (far > 0 && shorter < 2)) continue;
    if (far < least) least = far, best = *candidates;
  }
  return best;
}

char *hn_diag_hint(const char *name, const char *const *candidates) {
  const char *near = hn_diag_nearest(name, candidates);
  if (near) return g_strdup_printf("; did you mean '%s'?", near);
  guint n = g_strv_length((char **)(guintptr)candidates);
  if (n == 0) return g_strdup("; none is valid here");
  g_autofree char *names = hn_short_list(candidates, n, LISTED);
  return g_strconcat("; valid: ", names, NULL);
}
