/* diff_weights.c - see diff_weights.h. */
#include "diff_weights.h"
#include "digest.h"
#include "json.h"
#include "run_dir.h"
#include "safetensors.h"
#include <math.h>
#include <string.h>

/* ---- traces ---- */

HnTraced hn_traced(const HnResult *c) {
  const HnNode *every = hn_node_get(hn_node_get(c->config, "run"), "trace_every");
  HnTraced t = {c->dir, 1,
                hn_result_done(c) ? hn_json_int(c->facts, "update", INT64_MAX) : INT64_MAX};
  if (!every || hn_params_int(every, &t.every) || t.every < 1) t.every = 1;
  return t;
}

/* The hashes of a run, and which of them is next. */
typedef struct Hashes {
  const HnTraced *of;
  char *bytes; /* g_free */
  gsize count, at;
} Hashes;

static Hashes read_hashes(const HnTraced *t) {
  g_autofree char *path = hn_run_file(t->dir, HN_FILE_TRACE);
  Hashes h = {.of = t};
  if (!g_file_get_contents(path, &h.bytes, &h.count, NULL)) h.count = 0;
  h.count /= HN_DIGEST_BYTES;
  return h;
}

static int64_t update_of(const Hashes *h) {
  return MIN((int64_t)(h->at + 1) * h->of->every, h->of->last);
}

static const char *hash_of(const Hashes *h) {
  return h->bytes + h->at * HN_DIGEST_BYTES;
}

HnTraceDiff hn_diff_traces(const HnTraced *a, const HnTraced *b) {
  Hashes x = read_hashes(a), y = read_hashes(b);
  HnTraceDiff d = {.first = -1};
  while (x.at < x.count && y.at < y.count) {
    const int64_t in_x = update_of(&x), in_y = update_of(&y);
    if (in_x == in_y) {
      d.hashes++, d.updates = in_x;
      if (d.first < 0 && memcmp(hash_of(&x), hash_of(&y), HN_DIGEST_BYTES) != 0) d.first = in_x;
    }
    x.at += in_x <= in_y, y.at += in_y <= in_x;
  }
  g_free(x.bytes), g_free(y.bytes);
  return d;
}

/* ---- tensors ---- */

static gsize width_of(HnType type) {
  return type == HN_U8 ? 1 : type == HN_F32 || type == HN_I32 ? 4 : 8;
}

static double element(const HnStoredTensor *x, gsize i) {
  union {
    float f32;
    double f64;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
  } value;
  memcpy(&value, x->data + i * width_of(x->type), width_of(x->type));
  switch (x->type) {
  case HN_F32:
    return (double)value.f32;
  case HN_F64:
    return value.f64;
  case HN_I32:
    return value.i32;
  case HN_I64:
    return (double)value.i64;
  default:
    return value.u8;
  }
}

/* Counts the elements that differ, and measures by how much. */
static void measure(HnTensorDiff *d, const HnStoredTensor *x, const HnStoredTensor *y) {
  const gsize width = width_of(x->type);
  d->elements = (int64_t)(x->bytes / width);
  for (gsize i = 0; i < x->bytes / width; i++) {
    if (memcmp(x->data + i * width, y->data + i * width, width) == 0) continue;
    const double a = element(x, i), b = element(y, i), far = fabs(a - b);
    const double absolute = a == b ? 0 : isfinite(far) ? far : (double)INFINITY;
    const double relative = absolute > 0 ? absolute / fmax(fabs(a), fabs(b)) : 0;
    d->differ++;
    d->absolute = fmax(d->absolute, absolute);
    d->relative = fmax(d->relative, isfinite(relative) ? relative : (double)INFINITY);
  }
}

static void tensor_diff_free(void *p) {
  HnTensorDiff *d = p;
  g_free(d->name), g_free(d->a), g_free(d->b);
  g_free(d);
}

/* One of x and y may be NULL. */
static void compare_tensor(HnWeightsDiff *w, const HnStoredTensor *x, const HnStoredTensor *y) {
  const bool alike = x && y && x->type && strcmp(x->label, y->label) == 0;
  if (alike && memcmp(x->data, y->data, x->bytes) == 0) {
    w->same++;
    return;
  }
  HnTensorDiff *d = g_new0(HnTensorDiff, 1);
  d->name = g_strdup(x ? x->name : y->name);
  d->a = x ? g_strdup(x->label) : NULL, d->b = y ? g_strdup(y->label) : NULL;
  d->absolute = d->relative = alike ? 0 : (double)NAN;
  if (alike) measure(d, x, y);
  g_ptr_array_add(w->tensors, d);
}

static void compare_tensors(HnWeightsDiff *w, const HnStoredTensors *t, const HnStoredTensors *u) {
  g_autoptr(GPtrArray) in_t = hn_stored_tensors_weights(t), in_u = hn_stored_tensors_weights(u);
  for (guint i = 0; i < in_t->len; i++) {
    const HnStoredTensor *x = in_t->pdata[i], *y = g_hash_table_lookup(u->find, x->name);
    compare_tensor(w, x, y && y->weight ? y : NULL);
  }
  for (guint i = 0; i < in_u->len; i++) {
    const HnStoredTensor *y = in_u->pdata[i], *x = g_hash_table_lookup(t->find, y->name);
    if (!x || !x->weight) compare_tensor(w, NULL, y);
  }
}

/* ---- checkpoints ---- */

void hn_weights_diff_free(HnWeightsDiff *w) {
  if (!w) return;
  g_free(w->damaged);
  g_ptr_array_unref(w->tensors);
  g_free(w);
}

/* NULL: b has no checkpoint of that update. */
static HnWeightsDiff *compare_checkpoints(const char *path_a, const char *dir_b) {
  const int64_t update = hn_run_checkpoint_update(path_a);
  g_autofree char *path_b = hn_run_checkpoint(dir_b, update);
  g_autoptr(GError) why = NULL;
  if (!g_file_test(path_b, G_FILE_TEST_EXISTS)) return NULL;
  HnWeightsDiff *w = g_new0(HnWeightsDiff, 1);
  HnStoredTensors *t = hn_stored_tensors_open(path_a, &why);
  HnStoredTensors *u = t ? hn_stored_tensors_open(path_b, &why) : NULL;
  w->update = update, w->tensors = g_ptr_array_new_with_free_func(tensor_diff_free);
  if (u)
    compare_tensors(w, t, u);
  else
    w->damaged = g_strdup(why->message);
  hn_stored_tensors_free(t), hn_stored_tensors_free(u);
  return w;
}

HnWeightsDiff *hn_diff_first_weights(const char *dir_a, const char *dir_b) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(dir_a, NULL);
  HnWeightsDiff *w = NULL;
  for (guint i = 0; all && i < all->len && !w; i++) {
    w = compare_checkpoints(all->pdata[i], dir_b);
    if (w && !w->tensors->len) g_clear_pointer(&w, hn_weights_diff_free);
  }
  return w;
}

HnWeightsDiff *hn_diff_last_weights(const char *dir_a, const char *dir_b) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(dir_a, NULL);
  HnWeightsDiff *w = NULL;
  for (guint i = all ? all->len : 0; i > 0 && !w; i--)
    w = compare_checkpoints(all->pdata[i - 1], dir_b);
  return w;
}
