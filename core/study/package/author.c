/* author.c - see author.h. */
#include "author.h"
#include "error.h"
#include "json.h"
#include <string.h>

/* ORCID ends in a check digit by ISO 7064 MOD 11-2. */
static bool is_orcid(const char *text) {
  int total = 0, digits = 0;
  if (!text || strlen(text) != 19) return false;
  for (int i = 0; i < 18; i++) {
    if (i % 5 == 4) {
      if (text[i] != '-') return false;
      continue;
    }
    if (!g_ascii_isdigit(text[i])) return false;
    total = (total + text[i] - '0') * 2, digits++;
  }
  const int check = (12 - total % 11) % 11;
  return digits == 15 && text[18] == (check == 10 ? 'X' : '0' + check);
}

static bool is_mail(const char *text) {
  const char *at = text ? strchr(text, '@') : NULL;
  return at && at > text && strchr(at, '.') && !strpbrk(text, " \t<>\"");
}

static void split_name(HnAuthor *a) {
  const char *comma = strchr(a->name, ','), *space = strrchr(a->name, ' ');
  if (comma) {
    a->family = g_strstrip(g_strndup(a->name, (gsize)(comma - a->name)));
    a->given = g_strstrip(g_strdup(comma + 1));
    g_free(a->name);
    a->name = g_strdup_printf("%s %s", a->given, a->family);
  } else {
    a->family = g_strdup(space ? space + 1 : a->name);
    a->given = space ? g_strndup(a->name, (gsize)(space - a->name)) : g_strdup("");
  }
}

HnAuthor *hn_author_parse(const char *text, GError **error) {
  const char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
  g_autofree char *name = g_strstrip(open ? g_strndup(text, (gsize)(open - text)) : g_strdup(text));
  g_autofree char *in = close ? g_strstrip(g_strndup(open + 1, (gsize)(close - open - 1))) : NULL;
  const char *id = in && g_str_has_prefix(in, "https://orcid.org/") ? in + 18 : in;
  if (!*name || !g_utf8_validate(text, -1, NULL) || strpbrk(text, "\n\r\t") ||
      (open && (!close || close[1] || !(is_orcid(id) || is_mail(id))))) {
    hn_error_set(
        error, HN_ERROR_REFUSED,
        "'%s': expected \"Name\", \"Name <ORCID>\", whose last digit checks the others, or "
        "\"Name <mail>\"",
        text);
    return NULL;
  }
  HnAuthor *a = g_new0(HnAuthor, 1);
  a->name = g_steal_pointer(&name);
  if (is_orcid(id))
    a->orcid = g_strdup(id);
  else
    a->mail = g_strdup(id);
  split_name(a);
  return a;
}

void hn_author_free(HnAuthor *a) {
  if (!a) return;
  g_free(a->name), g_free(a->family), g_free(a->given);
  g_free(a->orcid), g_free(a->mail);
  g_free(a);
}

bool hn_license_is_id(const char *text) {
  return *text && strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".+-") == strlen(text);
}

/* In double quotes, on one line. */
static void cff_line(GString *out, const char *key, const char *value) {
  g_autoptr(GString) quoted = g_string_new(NULL);
  for (const char *c = value; *c; c++) {
    if (*c == '"' || *c == '\\') g_string_append_c(quoted, '\\');
    g_string_append_c(quoted, g_ascii_iscntrl(*c) ? ' ' : *c);
  }
  g_string_append_printf(out, "%s: \"%s\"\n", key, quoted->str);
}

char *hn_citation_cff(const HnCitation *c) {
  GString *out = g_string_new("cff-version: 1.2.0\n");
  cff_line(out, "message", "If you use these results, please cite them as below.");
  g_string_append(out, "type: dataset\n");
  cff_line(out, "title", c->title);
  if (*c->abstract) cff_line(out, "abstract", c->abstract);
  g_string_append(out, "authors:\n");
  if (c->authors->len == 0) g_string_append(out, "  - name: anonymous\n");
  for (guint i = 0; i < c->authors->len; i++) {
    const HnAuthor *a = c->authors->pdata[i];
    cff_line(out, "  - family-names", a->family);
    if (*a->given) cff_line(out, "    given-names", a->given);
    if (a->mail) cff_line(out, "    email", a->mail);
    if (a->orcid) g_string_append_printf(out, "    orcid: \"https://orcid.org/%s\"\n", a->orcid);
  }
  if (c->license) g_string_append_printf(out, "license: %s\n", c->license);
  if (c->date) g_string_append_printf(out, "date-released: \"%s\"\n", c->date);
  return g_string_free(out, FALSE);
}

char *hn_citation_zenodo(const HnCitation *c) {
  g_autofree char *license = c->license ? g_ascii_strdown(c->license, -1) : NULL;
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "title", c->title);
  hn_json_add_string(b, "upload_type", "dataset");
  hn_json_add_string(b, "description", *c->abstract ? c->abstract : c->title);
  hn_json_open_array(b, "creators");
  for (guint i = 0; i < MAX(c->authors->len, 1); i++) {
    const HnAuthor *a = c->authors->len ? c->authors->pdata[i] : NULL;
    g_autofree char *name = !a          ? g_strdup("anonymous")
                            : *a->given ? g_strdup_printf("%s, %s", a->family, a->given)
                                        : g_strdup(a->family);
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", name);
    if (a && a->orcid) hn_json_add_string(b, "orcid", a->orcid);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  if (license) hn_json_add_string(b, "license", license);
  if (c->date) hn_json_add_string(b, "publication_date", c->date);
  return hn_json_end(b);
}
