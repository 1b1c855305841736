/* safetensors.c - see safetensors.h. */
#include "safetensors.h"
#include "error.h"
#include "instance.h"
#include "json.h"
#include <string.h>

static const char *const type_names[] = {
    [HN_F32] = "F32", [HN_F64] = "F64", [HN_I32] = "I32", [HN_I64] = "I64", [HN_U8] = "U8"};

const char *hn_type_name(HnType type) {
  return type >= HN_F32 && type <= HN_U8 ? type_names[type] : NULL;
}

static HnType type_of(const char *name) {
  for (HnType t = HN_F32; t <= HN_U8; t++)
    if (!strcmp(name, type_names[t])) return t;
  return 0;
}

static char *label(const char *type, int rank, const int64_t *dim) {
  GString *out = g_string_new(type);
  g_string_append(out, " [");
  for (int d = 0; d < rank; d++)
    g_string_append_printf(out, "%s%" G_GINT64_FORMAT, d ? ", " : "", dim[d]);
  return g_string_free(g_string_append_c(out, ']'), FALSE);
}

char *hn_tensor_label(HnType type, int rank, const int64_t *dim) {
  return label(hn_type_name(type), rank, dim);
}

static void tensor_free(void *p) {
  HnStoredTensor *x = p;
  g_free(x->name), g_free(x->label), g_free(x);
}

HnStoredTensors *hn_stored_tensors_new(void) {
  HnStoredTensors *t = g_new0(HnStoredTensors, 1);
  t->all = g_ptr_array_new_with_free_func(tensor_free);
  t->find = g_hash_table_new(g_str_hash, g_str_equal);
  t->meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return t;
}

HnStoredTensor *hn_stored_tensors_add(HnStoredTensors *t, const char *name) {
  HnStoredTensor *x = g_new0(HnStoredTensor, 1);
  x->name = g_strdup(name);
  g_ptr_array_add(t->all, x);
  g_hash_table_insert(t->find, x->name, x);
  return x;
}

void hn_stored_tensors_free(HnStoredTensors *t) {
  if (!t) return;
  g_hash_table_unref(t->find), g_hash_table_unref(t->meta), g_ptr_array_unref(t->all);
  if (t->file) g_mapped_file_unref(t->file);
  g_free(t);
}

/* ---- the header ---- */

/* Entry i of an array if it is an integer of at least 0, else -1. */
static int64_t count_at(JsonArray *a, guint i) {
  JsonNode *n = json_array_get_element(a, i);
  return JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64
             ? MAX(json_node_get_int(n), -1)
             : -1;
}

/* Type, shape and label of x, and the bytes that such a tensor takes; false: there is none such. */
static bool read_shape(HnStoredTensor *x, const char *type, JsonArray *shape, gsize *bytes) {
  x->type = type_of(type), x->rank = (int)json_array_get_length(shape);
  *bytes = x->type ? hn_type_size(x->type) : 1;
  int64_t *dim = g_new0(int64_t, (gsize)x->rank + 1);
  bool possible = true;
  for (int d = 0; d < x->rank; d++) {
    dim[d] = count_at(shape, (guint)d);
    possible &= dim[d] >= 0 && g_size_checked_mul(bytes, *bytes, (gsize)dim[d]);
    if (d < HN_RANK_MAX) x->dim[d] = dim[d];
  }
  x->label = label(type, x->rank, dim);
  g_free(dim);
  return possible;
}

/* Fills x from its entry, or says why that cannot be. */
static const char *describe(HnStoredTensor *x, JsonNode *entry, const char *data, gsize size) {
  JsonObject *o = JSON_NODE_HOLDS_OBJECT(entry) ? json_node_get_object(entry) : NULL;
  if (!o) return "is no tensor";
  JsonArray *shape = hn_json_array(o, "shape"), *at = hn_json_array(o, "data_offsets");
  if (!shape || !at || json_array_get_length(at) != 2) return "has no shape or offsets";
  gsize bytes;
  if (!read_shape(x, hn_json_string(o, "dtype", ""), shape, &bytes))
    return "has an impossible shape";
  int64_t begin = count_at(at, 0), end = count_at(at, 1);
  if (begin < 0 || end < begin || (gsize)end > size) return "has offsets outside the file";
  x->data = data + begin, x->bytes = (gsize)(end - begin);
  return !x->type || bytes == x->bytes ? NULL : "has offsets that do not fit its shape";
}

static void take_meta(HnStoredTensors *t, JsonNode *entry) {
  JsonObject *o = JSON_NODE_HOLDS_OBJECT(entry) ? json_node_get_object(entry) : NULL;
  GList *keys = o ? json_object_get_members(o) : NULL;
  for (GList *k = keys; k; k = k->next)
    g_hash_table_insert(t->meta, g_strdup(k->data), g_strdup(hn_json_string(o, k->data, "")));
  g_list_free(keys);
}

static void take(HnStoredTensors *t, JsonObject *root, const char *data, gsize size,
                 GString *wrong) {
  GList *members = json_object_get_members(root);
  for (GList *m = members; m; m = m->next) {
    JsonNode *entry = json_object_get_member(root, m->data);
    if (!strcmp(m->data, "__metadata__")) {
      take_meta(t, entry);
      continue;
    }
    HnStoredTensor *x = hn_stored_tensors_add(t, m->data);
    const char *why = describe(x, entry, data, size);
    if (why) g_string_append_printf(wrong, "; %s %s", x->name, why);
  }
  g_list_free(members);
}

/* Which of them are weights, as the writer listed them. */
static void tell_weights(HnStoredTensors *t) {
  const char *list = g_hash_table_lookup(t->meta, HN_META_WEIGHTS);
  g_auto(GStrv) names = g_strsplit(list ? list : "", "\n", -1);
  t->told = list != NULL;
  for (char **name = names; *name; name++) {
    HnStoredTensor *x = g_hash_table_lookup(t->find, *name);
    if (x) x->weight = true;
  }
}

static JsonObject *parse_header(const char *text, gsize length, gsize *data_at) {
  guint64 n;
  if (length < 8) return NULL;
  memcpy(&n, text, 8);
  n = GUINT64_FROM_LE(n);
  if (n > length - 8 || n > G_MAXSSIZE) return NULL;
  *data_at = 8 + (gsize)n;
  return hn_json_parse("header", text + 8, (gsize)n, NULL);
}

HnStoredTensors *hn_stored_tensors_open(const char *path, GError **error) {
  GError *why = NULL;
  GMappedFile *file = g_mapped_file_new(path, FALSE, &why);
  if (!file) {
    g_set_error(error, HN_RUN_ERROR, HN_RUN_IO, "%s: %s", path, why->message);
    g_error_free(why);
    return NULL;
  }
  HnStoredTensors *t = hn_stored_tensors_new();
  t->file = file;
  gsize length = g_mapped_file_get_length(file), data_at = 0;
  const char *text = g_mapped_file_get_contents(file);
  JsonObject *o = text ? parse_header(text, length, &data_at) : NULL;
  GString *wrong = g_string_new(o ? NULL : "; not a safetensors file, or cut short");
  if (o) take(t, o, text + data_at, length - data_at, wrong);
  g_clear_pointer(&o, json_object_unref);
  tell_weights(t);
  bool ok = wrong->len == 0;
  if (!ok) g_set_error(error, HN_RUN_ERROR, HN_RUN_IO, "%s: %s", path, wrong->str + 2);
  g_string_free(wrong, TRUE);
  if (ok) return t;
  hn_stored_tensors_free(t);
  return NULL;
}
