/* safetensors.c - see safetensors.h. */
#include "safetensors.h"
#include "checksum.h"
#include "error.h"
#include "instance.h"
#include "json.h"
#include "output_file.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Metadata: the names of the tensors that are weights, a line each. */
#define META_WEIGHTS "weights"
/* A line "CHECKSUM NAME" for each tensor; and the checksum of all that the header says else.  A
 * file that another program wrote has neither. */
#define META_CHECKSUMS "checksums"
#define META_HEADER    "header"

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
  for (int d = 0; d < rank; d++) g_string_append_printf(out, "%s%" PRId64, d ? ", " : "", dim[d]);
  return g_string_free(g_string_append_c(out, ']'), false);
}

char *hn_tensor_label(HnType type, int rank, const int64_t *dim) {
  return label(hn_type_name(type), rank, dim);
}

static void tensor_free(void *p) {
  HnStoredTensor *x = p;
  g_free(x->name), g_free(x->label), g_free(x);
}

HnStoredTensors *hn_stored_tensors_new(GHashTable *meta) {
  HnStoredTensors *t = g_new0(HnStoredTensors, 1);
  t->all = g_ptr_array_new_with_free_func(tensor_free);
  t->find = g_hash_table_new(g_str_hash, g_str_equal);
  t->meta = meta ? g_hash_table_ref(meta)
                 : g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  t->lists_weights = true;
  return t;
}

static HnStoredTensor *add_named(HnStoredTensors *t, const char *name) {
  HnStoredTensor *x = g_new0(HnStoredTensor, 1);
  x->name = g_strdup(name);
  g_ptr_array_add(t->all, x);
  g_hash_table_insert(t->find, x->name, x);
  return x;
}

HnStoredTensor *hn_stored_tensors_add(HnStoredTensors *t, const char *name, HnType type, int rank,
                                      const int64_t *dim, const void *data, bool weight) {
  HnStoredTensor *x = add_named(t, name);
  x->type = type, x->rank = rank, x->data = data, x->weight = weight;
  memcpy(x->dim, dim, (gsize)rank * sizeof *dim);
  x->label = hn_tensor_label(type, rank, dim);
  x->bytes = hn_type_size(type);
  for (int d = 0; d < rank; d++) x->bytes *= (gsize)dim[d];
  return x;
}

void hn_stored_tensors_free(HnStoredTensors *t) {
  if (!t) return;
  g_hash_table_unref(t->find), g_hash_table_unref(t->meta), g_ptr_array_unref(t->all);
  if (t->file) g_mapped_file_unref(t->file);
  g_free(t);
}

void hn_stored_tensors_meta(const HnStoredTensors *t, GHashTable *meta) {
  GHashTableIter each;
  gpointer key, value;
  g_hash_table_iter_init(&each, t->meta);
  while (g_hash_table_iter_next(&each, &key, &value))
    g_hash_table_insert(meta, g_strdup(key), g_strdup(value));
}

/* ---- checksums ---- */

static char *checksums_of(const GPtrArray *tensors) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < tensors->len; i++) {
    const HnStoredTensor *x = tensors->pdata[i];
    g_string_append_printf(out, "%016" PRIx64 " %s\n", hn_checksum(x->data, x->bytes), x->name);
  }
  return g_string_free(out, false);
}

/* Of the metadata but the header's own checksum, and of all names and shapes. */
static char *header_checksum(GHashTable *meta, const GPtrArray *tensors) {
  g_autoptr(GString) all = g_string_new(NULL);
  GList *keys = g_list_sort(g_hash_table_get_keys(meta), (GCompareFunc)strcmp);
  for (GList *k = keys; k; k = k->next)
    if (strcmp(k->data, META_HEADER) != 0)
      g_string_append_printf(all, "%s=%s\n", (char *)k->data,
                             (char *)g_hash_table_lookup(meta, k->data));
  g_list_free(keys);
  for (guint i = 0; i < tensors->len; i++) {
    const HnStoredTensor *x = tensors->pdata[i];
    g_string_append_printf(all, "%s %s\n", x->name, x->label);
  }
  return hn_checksum_text(all->str, all->len);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(HnStoredTensor *const *)a)->name, (*(HnStoredTensor *const *)b)->name);
}

/* Says which tensors, or whether the header, are not as they were written. */
static void verify(const HnStoredTensors *t, GString *wrong) {
  const char *said = g_hash_table_lookup(t->meta, META_HEADER);
  const char *list = g_hash_table_lookup(t->meta, META_CHECKSUMS);
  if (!said && !list) return;
  g_autoptr(GPtrArray) sorted = g_ptr_array_copy(t->all, NULL, NULL);
  g_ptr_array_set_free_func(sorted, NULL);
  g_ptr_array_sort(sorted, by_name);
  g_autofree char *is = header_checksum(t->meta, sorted), *sums = checksums_of(sorted);
  if (!said || !list || strcmp(said, is) != 0) {
    g_string_append(wrong, "; its header is damaged");
    return;
  }
  g_auto(GStrv) lines = g_strsplit(list, "\n", -1), now = g_strsplit(sums, "\n", -1);
  for (guint i = 0; i < sorted->len; i++)
    if (g_strcmp0(lines[i], now[i]) != 0)
      g_string_append_printf(wrong, "; %s is damaged", ((HnStoredTensor *)sorted->pdata[i])->name);
}

/* ---- reading ---- */

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
    HnStoredTensor *x = add_named(t, m->data);
    const char *why = describe(x, entry, data, size);
    if (why) g_string_append_printf(wrong, "; %s %s", x->name, why);
  }
  g_list_free(members);
}

GPtrArray *hn_stored_tensors_weights(const HnStoredTensors *t) {
  GPtrArray *weights = g_ptr_array_new();
  const char *list = g_hash_table_lookup(t->meta, META_WEIGHTS);
  g_auto(GStrv) names = g_strsplit(list ? list : "", "\n", -1);
  for (char **name = names; *name; name++) {
    HnStoredTensor *x = g_hash_table_lookup(t->find, *name);
    if (x) g_ptr_array_add(weights, x);
  }
  return weights;
}

static void mark_weights(HnStoredTensors *t) {
  g_autoptr(GPtrArray) weights = hn_stored_tensors_weights(t);
  t->lists_weights = g_hash_table_contains(t->meta, META_WEIGHTS);
  for (guint i = 0; i < weights->len; i++) ((HnStoredTensor *)weights->pdata[i])->weight = true;
}

static JsonObject *parse_header(const char *text, gsize length, gsize *data_at) {
  uint64_t n;
  if (length < 8) return NULL;
  memcpy(&n, text, 8);
  n = GUINT64_FROM_LE(n);
  if (n > length - 8 || n > G_MAXSSIZE) return NULL;
  *data_at = 8 + (gsize)n;
  return hn_json_parse("header", text + 8, (gsize)n, NULL);
}

HnStoredTensors *hn_stored_tensors_open(const char *path, GError **error) {
  GError *why = NULL;
  GMappedFile *file = g_mapped_file_new(path, false, &why);
  if (!file) {
    hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, why->message);
    g_error_free(why);
    return NULL;
  }
  HnStoredTensors *t = hn_stored_tensors_new(NULL);
  t->file = file;
  gsize length = g_mapped_file_get_length(file), data_at = 0;
  const char *text = g_mapped_file_get_contents(file);
  JsonObject *o = text ? parse_header(text, length, &data_at) : NULL;
  GString *wrong = g_string_new(o ? NULL : "; not a safetensors file, or cut short");
  if (o) take(t, o, text + data_at, length - data_at, wrong);
  g_clear_pointer(&o, json_object_unref);
  mark_weights(t);
  if (wrong->len == 0) verify(t, wrong);
  bool ok = wrong->len == 0;
  if (!ok) hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, wrong->str + 2);
  g_string_free(wrong, true);
  if (ok) return t;
  hn_stored_tensors_free(t);
  return NULL;
}

/* ---- writing ---- */

/* Widest types first; equal widths keep their order. */
static GPtrArray *by_width(GPtrArray *tensors) {
  static const gsize width[] = {8, 4, 1};
  GPtrArray *sorted = g_ptr_array_new();
  for (guint w = 0; w < G_N_ELEMENTS(width); w++)
    for (guint i = 0; i < tensors->len; i++)
      if (hn_type_size(((HnStoredTensor *)tensors->pdata[i])->type) == width[w])
        g_ptr_array_add(sorted, tensors->pdata[i]);
  return sorted;
}

static char *weights_of(const HnStoredTensors *t) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < t->all->len; i++) {
    const HnStoredTensor *x = t->all->pdata[i];
    if (x->weight) g_string_append_printf(out, "%s%s", out->len ? "\n" : "", x->name);
  }
  return g_string_free(out, false);
}

/* What the caller says, and what this format adds to it. */
static GHashTable *full_meta(const HnStoredTensors *t) {
  GHashTable *meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter each;
  gpointer key, value;
  g_hash_table_iter_init(&each, t->meta);
  while (g_hash_table_iter_next(&each, &key, &value))
    g_hash_table_insert(meta, g_strdup(key), g_strdup(value));
  g_autoptr(GPtrArray) sorted = g_ptr_array_copy(t->all, NULL, NULL);
  g_ptr_array_set_free_func(sorted, NULL);
  g_ptr_array_sort(sorted, by_name);
  g_hash_table_insert(meta, g_strdup(META_WEIGHTS), weights_of(t));
  g_hash_table_insert(meta, g_strdup(META_CHECKSUMS), checksums_of(sorted));
  g_hash_table_remove(meta, META_HEADER);
  g_hash_table_insert(meta, g_strdup(META_HEADER), header_checksum(meta, sorted));
  return meta;
}

static void add_meta(JsonBuilder *b, const HnStoredTensors *t) {
  g_autoptr(GHashTable) meta = full_meta(t);
  GList *keys = g_list_sort(g_hash_table_get_keys(meta), (GCompareFunc)strcmp);
  hn_json_open_object(b, "__metadata__");
  for (GList *k = keys; k; k = k->next)
    hn_json_add_string(b, k->data, g_hash_table_lookup(meta, k->data));
  json_builder_end_object(b);
  g_list_free(keys);
}

static char *header_of(const HnStoredTensors *t, GPtrArray *sorted) {
  JsonBuilder *b = hn_json_begin();
  gsize at = 0;
  add_meta(b, t);
  for (guint i = 0; i < sorted->len; i++) {
    const HnStoredTensor *x = sorted->pdata[i];
    hn_json_open_object(b, x->name);
    hn_json_add_string(b, "dtype", hn_type_name(x->type));
    hn_json_open_array(b, "shape");
    for (int d = 0; d < x->rank; d++) hn_json_add_int(b, NULL, x->dim[d]);
    json_builder_end_array(b);
    hn_json_open_array(b, "data_offsets");
    hn_json_add_int(b, NULL, (int64_t)at), hn_json_add_int(b, NULL, (int64_t)(at += x->bytes));
    json_builder_end_array(b);
    json_builder_end_object(b);
  }
  json_builder_end_object(b);
  JsonNode *root = json_builder_get_root(b);
  char *text = json_to_string(root, false);
  json_node_unref(root), g_object_unref(b);
  return text;
}

static bool write_all(FILE *f, GPtrArray *sorted, const char *header) {
  /* spaces pad the header, so that the data begins at a multiple of 64 */
  gsize length = strlen(header), padded = (8 + length + 63) / 64 * 64 - 8;
  uint64_t little = GUINT64_TO_LE((uint64_t)padded);
  if (fwrite(&little, 8, 1, f) != 1 || fprintf(f, "%-*s", (int)padded, header) < 0) return false;
  for (guint i = 0; i < sorted->len; i++) {
    const HnStoredTensor *x = sorted->pdata[i];
    if (x->bytes && fwrite(x->data, x->bytes, 1, f) != 1) return false;
  }
  return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

bool hn_stored_tensors_write(const HnStoredTensors *t, const char *path, GError **error) {
  g_autofree char *beside = g_strconcat(path, ".part", NULL), *folder = g_path_get_dirname(path);
  g_autoptr(GPtrArray) sorted = by_width(t->all);
  g_autofree char *header = header_of(t, sorted);
  FILE *f = fopen(beside, "wb");
  bool ok = f && write_all(f, sorted, header);
  if (f) ok = fclose(f) == 0 && ok;
  if (ok && g_rename(beside, path) == 0) return hn_output_sync_folder(folder, error);
  hn_error_set(error, HN_ERROR_FILE, "%s: cannot write: %s", path, g_strerror(errno));
  g_unlink(beside);
  return false;
}
