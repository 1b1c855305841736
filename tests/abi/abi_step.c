/* abi_step.c - see abi_step.h. */
#include "abi_step.h"
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct Layout {
  int major, minor;
  const char *kit;
  GHashTable *facts; /* "struct HnArray" -> "96", "field HnArray.name" -> "8 8 const char *" */
  GPtrArray *keys;   /* of the facts, in order */
} Layout;

static Layout read_layout(const char *text) {
  Layout l = {.kit = "",
              .keys = g_ptr_array_new(),
              .facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++) {
    if (sscanf(*line, "ABI %d.%d", &l.major, &l.minor) == 2) continue;
    if (g_str_has_prefix(*line, "kit ")) l.kit = g_intern_string(*line + 4);
    g_auto(GStrv) part = g_strsplit(*line, " ", 3);
    if (g_strv_length(part) < 3) continue;
    char *key = g_strdup_printf("%s %s", part[0], part[1]);
    g_ptr_array_add(l.keys, key);
    g_hash_table_insert(l.facts, key, g_strdup(part[2]));
  }
  return l;
}

static void clear(Layout *l) {
  g_ptr_array_unref(l->keys), g_hash_table_unref(l->facts);
}

static gint64 number(const Layout *l, const char *key) {
  const char *value = g_hash_table_lookup(l->facts, key);
  return value ? g_ascii_strtoll(value, NULL, 10) : -1;
}

/* Bytes of the struct that "field STRUCT.NAME" is in; -1: there is none. */
static gint64 size_around(const Layout *l, const char *key) {
  g_autofree char *around = g_strconcat("struct ", key + strlen("field "), NULL);
  *strchr(around, '.') = '\0';
  return number(l, around);
}

/* Why a fact of before may not be gone or changed. */
static char *refuse_change(const Layout *a, const Layout *b, const char *key) {
  const char *was = g_hash_table_lookup(a->facts, key), *is = g_hash_table_lookup(b->facts, key);
  if (is && strcmp(was, is) == 0) return NULL;
  if (g_str_has_prefix(key, "struct ") && is && number(b, key) > number(a, key) &&
      strcmp(key, "struct HnRng") != 0)
    return NULL; /* by fields, which are looked at */
  if (g_str_has_prefix(key, "function ") || g_str_has_prefix(key, "kit-value "))
    return strcmp(a->kit, b->kit) ? NULL
                                  : g_strdup_printf("%s was '%s', is '%s': that takes another "
                                                    "HN_KIT_SONAME than %s",
                                                    key, was, is ? is : "gone", a->kit);
  return g_strdup_printf("%s was '%s', is '%s': that takes ABI %d.0", key, was, is ? is : "gone",
                         a->major + 1);
}

/* Why a fact may not be added. */
static char *refuse_addition(const Layout *a, const Layout *b, const char *key) {
  if (g_hash_table_contains(a->facts, key)) return NULL;
  if (b->minor <= a->minor)
    return g_strdup_printf("%s is new: that takes ABI %d.%d", key, a->major, a->minor + 1);
  if (g_str_has_prefix(key, "field ") && number(b, key) < size_around(a, key))
    return g_strdup_printf("%s is new at %" G_GINT64_FORMAT ", inside of the %" G_GINT64_FORMAT
                           " bytes of before, padding among them: a field is added behind them",
                           key, number(b, key), size_around(a, key));
  return NULL;
}

char *abi_step_refuse(const char *before, const char *after) {
  Layout a = read_layout(before), b = read_layout(after);
  char *reason = NULL;
  if (b.major < a.major || (b.major == a.major && b.minor < a.minor))
    reason = g_strdup_printf("ABI %d.%d follows %d.%d", b.major, b.minor, a.major, a.minor);
  const bool free_to = b.major > a.major;
  for (guint k = 0; k < a.keys->len && !reason && !free_to; k++)
    reason = refuse_change(&a, &b, a.keys->pdata[k]);
  for (guint k = 0; k < b.keys->len && !reason && !free_to; k++)
    reason = refuse_addition(&a, &b, b.keys->pdata[k]);
  clear(&a), clear(&b);
  return reason;
}
