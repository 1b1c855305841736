/* lighten.c - see lighten.h. */
#include "lighten.h"
#include "error.h"
#include "gather.h"
#include "warm_start.h"

static bool take_tensor(HnStoredTensors *out, const HnStoredTensor *x, GError **error) {
  if (!x->type || x->rank > HN_RANK_MAX)
    return hn_error_set(error, HN_ERROR_REFUSED, "tensor %s is %s, which no plugin keeps", x->name,
                        x->label);
  hn_stored_tensors_add(out, x->name, x->type, x->rank, x->dim, x->data, x->weight);
  return true;
}

HnStoredTensors *hn_lighten(const HnStoredTensors *t, const HnPortable *p, bool whole,
                            GError **error) {
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  hn_stored_tensors_meta(t, meta);
  const char *from = g_hash_table_lookup(meta, HN_META_FROM);
  if (from)
    g_hash_table_insert(meta, g_strdup(HN_META_FROM),
                        hn_portable_text(p, from, HN_PACKAGE_UP_CELL "../"));
  HnStoredTensors *out = hn_stored_tensors_new(meta);
  /* weights in the order of their list, which is that of trace.bin, and not of the file */
  g_autoptr(GPtrArray) weights = hn_stored_tensors_weights(t);
  bool ok = true;
  for (guint i = 0; i < weights->len && ok; i++) ok = take_tensor(out, weights->pdata[i], error);
  for (guint i = 0; i < t->all->len && ok; i++) {
    const HnStoredTensor *x = t->all->pdata[i];
    if (!x->weight && (whole || !t->lists_weights)) ok = take_tensor(out, x, error);
  }
  if (!ok) g_clear_pointer(&out, hn_stored_tensors_free);
  return out;
}
