/* layout_fixture.h - the layout of structs as text: "STRUCT size", then "  field offset size"
 * lines. */
#ifndef HN_LAYOUT_FIXTURE_H
#define HN_LAYOUT_FIXTURE_H
#include <glib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Both add to the GString `out`.  TABLE(X) is X(field) for every field of a struct, in order. */
#define FIELD(type, field)                                                     \
  g_string_append_printf(out, "  %s %zu %zu\n", #field, offsetof(type, field), \
                         sizeof(((type *)0)->field))
#define THIS_FIELD(field) FIELD(This, field);
#define LAYOUT(type, TABLE)                                       \
  do {                                                            \
    typedef type This;                                            \
    g_string_append_printf(out, "%s %zu\n", #type, sizeof(type)); \
    TABLE(THIS_FIELD)                                             \
  } while (0)

/* A field that no table names would leave a hole between its neighbours or at the end. */
static inline void check_no_field_forgotten(const char *layout) {
  g_auto(GStrv) lines = g_strsplit(layout, "\n", -1);
  char type[64] = "", field[64];
  gsize size = 0, end = 0, offset, bytes;
  for (char **line = lines; *line; line++) {
    if (sscanf(*line, "  %63s %zu %zu", field, &offset, &bytes) == 3 && **line == ' ') {
      if (offset >= end + 8) g_error("%s: a field before %s is not in the tables", type, field);
      end = offset + bytes;
    } else {
      if (end + 8 <= size) g_error("%s: a field at its end is not in the tables", type);
      end = 0;
      if (sscanf(*line, "%63s %zu", type, &size) != 2) break;
    }
  }
}
#endif
