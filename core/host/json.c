/* json.c - see json.h. */
#include "json.h"
#include <string.h>

char *hn_json_text(JsonNode *root) {
  char *text = json_to_string(root, TRUE);
  GString *out = g_string_sized_new(strlen(text) + 1);
  gboolean quoted = FALSE, exponent = FALSE;
  for (const char *c = text; *c; c++) {
    if (quoted && *c == '\\') {
      g_string_append_c(out, *c++);
    } else if (*c == '"') {
      quoted = !quoted;
    } else if (!quoted && exponent && *c == '.') {
      c++; /* the 0 behind it */
      continue;
    }
    /* outside of strings an e after a digit is an exponent; it lasts while digits and signs do */
    if (!quoted && (*c == 'e' || *c == 'E') && c > text && g_ascii_isdigit(c[-1]))
      exponent = TRUE;
    else if (!g_ascii_isdigit(*c) && *c != '-' && *c != '+')
      exponent = FALSE;
    g_string_append_c(out, *c);
  }
  g_string_append_c(out, '\n');
  g_free(text);
  return g_string_free(out, FALSE);
}
