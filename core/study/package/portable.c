/* portable.c - see portable.h. */
#include "portable.h"
#include <string.h>

typedef struct Known {
  char *from, *to;
} Known;

struct HnPortable {
  GPtrArray *known; /* Known *, longest first */
};

static void known_free(void *p) {
  Known *k = p;
  g_free(k->from), g_free(k->to);
  g_free(k);
}

HnPortable *hn_portable_new(void) {
  HnPortable *p = g_new0(HnPortable, 1);
  p->known = g_ptr_array_new_with_free_func(known_free);
  return p;
}

void hn_portable_free(HnPortable *p) {
  if (!p) return;
  g_ptr_array_unref(p->known);
  g_free(p);
}

static int longest_first(const void *a, const void *b) {
  const Known *x = *(Known *const *)a, *y = *(Known *const *)b;
  const gsize n = strlen(x->from), m = strlen(y->from);
  return n != m ? (n < m) - (n > m) : strcmp(x->from, y->from);
}

void hn_portable_add(HnPortable *p, const char *from, const char *to) {
  for (guint i = 0; i < p->known->len; i++)
    if (strcmp(((Known *)p->known->pdata[i])->from, from) == 0) return;
  if (strlen(from) < 2) return; /* the root folder is in every path */
  Known *k = g_new0(Known, 1);
  k->from = g_strdup(from), k->to = g_strdup(to);
  g_ptr_array_add(p->known, k);
  g_ptr_array_sort(p->known, longest_first);
}

/* Whether a path ends here: "/home/a" is not in "/home/ab". */
static bool ends(char next) {
  return !g_ascii_isalnum(next) && next != '_' && next != '-';
}

static const Known *known_at(const HnPortable *p, const char *at) {
  for (guint i = 0; i < p->known->len; i++) {
    const Known *k = p->known->pdata[i];
    if (g_str_has_prefix(at, k->from) && ends(at[strlen(k->from)])) return k;
  }
  return NULL;
}

char *hn_portable_text(const HnPortable *p, const char *text, const char *up) {
  GString *out = g_string_new(NULL);
  const char *c = text;
  while (*c) {
    const Known *k = *c == '/' ? known_at(p, c) : NULL;
    if (k) g_string_append_printf(out, "%s%s", *k->to == '~' ? "" : up, k->to);
    if (!k) g_string_append_c(out, *c);
    c += k ? strlen(k->from) : 1;
  }
  if (g_path_is_absolute(out->str)) { /* up to the colon after which messages go on */
    const char *rest = strstr(out->str, ": ");
    const gsize length = rest ? (gsize)(rest - out->str) : out->len;
    g_autofree char *path = g_strndup(out->str, length), *base = g_path_get_basename(path);
    g_string_erase(out, 0, (gssize)length);
    g_string_prepend(out, base);
  }
  return g_string_free(out, FALSE);
}

static void json_node(const HnPortable *p, JsonNode *n, const char *up) {
  if (JSON_NODE_HOLDS_OBJECT(n)) {
    hn_portable_json(p, json_node_get_object(n), up);
  } else if (JSON_NODE_HOLDS_ARRAY(n)) {
    JsonArray *a = json_node_get_array(n);
    for (guint i = 0; i < json_array_get_length(a); i++)
      json_node(p, json_array_get_element(a, i), up);
  } else if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING) {
    g_autofree char *text = hn_portable_text(p, json_node_get_string(n), up);
    json_node_set_string(n, text);
  }
}

void hn_portable_json(const HnPortable *p, JsonObject *o, const char *up) {
  GList *members = json_object_get_members(o);
  for (GList *m = members; m; m = m->next) json_node(p, json_object_get_member(o, m->data), up);
  g_list_free(members);
}

void hn_portable_yaml(const HnPortable *p, HnNode *n, const char *up) {
  if (n->kind == HN_NODE_TEXT) {
    char *text = hn_portable_text(p, n->text, up);
    g_free(n->text);
    n->text = text;
    return;
  }
  for (guint i = 0; i < n->items->len; i++) hn_portable_yaml(p, n->items->pdata[i], up);
}

bool hn_portable_is_in(const HnPortable *p, GBytes *bytes) {
  gsize size;
  const char *data = g_bytes_get_data(bytes, &size);
  for (guint i = 0; i < p->known->len; i++) {
    const Known *k = p->known->pdata[i];
    if (size && memmem(data, size, k->from, strlen(k->from))) return true;
  }
  return false;
}
