/* warm_start_match.c - see warm_start_match.h. */
#include "warm_start_match.h"
#include "error.h"
#include <string.h>

/* Whether tensors of this name are asked for: those of the inference, of the policy, or of both. */
static bool wanted(const HnCell *cell, const char *name) {
  bool inference = g_str_has_prefix(name, "inference/"), policy = g_str_has_prefix(name, "policy/");
  return (inference && cell->weights.load != HN_LOAD_POLICY) ||
         (policy && cell->weights.load != HN_LOAD_INFERENCE);
}

/* One side's weights without a partner on the other: names for hn_diag_nearest. */
typedef struct Lonely {
  GPtrArray *names, *labels; /* names NULL-terminated once complete */
} Lonely;

static void lonely_add(Lonely *l, const char *name, char *label) {
  g_ptr_array_add(l->names, (gpointer)(guintptr)name);
  g_ptr_array_add(l->labels, label);
}

/* "; nearest in the checkpoint: policy/w F32 [2]", or "" if none is near; the kind is the same. */
static char *nearest(const Lonely *l, const char *name, const char *where) {
  gsize kind = strcspn(name, "/") + 1;
  g_autoptr(GPtrArray) same = g_ptr_array_new();
  for (guint i = 0; i < l->names->len; i++)
    if (strncmp(l->names->pdata[i], name, kind) == 0)
      g_ptr_array_add(same, (char *)l->names->pdata[i] + kind);
  g_ptr_array_add(same, NULL);
  const char *found = hn_diag_nearest(name + kind, (const char *const *)same->pdata);
  for (guint i = 0; found && i < l->names->len; i++)
    if ((const char *)l->names->pdata[i] + kind == found)
      return g_strdup_printf("; nearest %s: %s %s", where, (char *)l->names->pdata[i],
                             (char *)l->labels->pdata[i]);
  return g_strdup("");
}

static void tell_lonely(const Lonely *l, const Lonely *others, const char *what, const char *where,
                        const char *advice, GPtrArray *out) {
  for (guint i = 0; i < l->names->len; i++) {
    const char *name = l->names->pdata[i];
    g_autofree char *near = nearest(others, name, where);
    g_ptr_array_add(out, g_strdup_printf("%s: %s %s%s%s", what, name, (char *)l->labels->pdata[i],
                                         near, advice));
  }
}

/* Sorts the table's weights: those that fit, those that do not (out), those that are missing. */
static guint look_at_table(const HnCell *cell, GPtrArray *states, const HnStoredTensors *t,
                           GHashTable *known, Lonely *missing, GPtrArray *out) {
  guint asked = 0;
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    if (!x->weight || !wanted(cell, x->name)) continue;
    const HnStoredTensor *tensor = g_hash_table_lookup(t->find, x->name);
    g_autofree char *label = hn_tensor_label(x->type, x->rank, x->dim);
    asked++;
    g_hash_table_add(known, x->name);
    if (!tensor) {
      lonely_add(missing, x->name, g_steal_pointer(&label));
      continue;
    }
    g_autofree char *why = hn_state_misfit(x, tensor);
    if (why)
      g_ptr_array_add(out, g_strdup_printf("misshapen: %s is %s in the checkpoint, %s here",
                                           x->name, tensor->label, label));
    char *outside = why ? NULL : hn_state_out_of_range(x, tensor->data, tensor->bytes);
    if (outside) g_ptr_array_add(out, outside);
  }
  return asked;
}

GPtrArray *hn_warm_start_misfits(const HnCell *cell, GPtrArray *states, const HnStoredTensors *t) {
  GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
  Lonely missing = {g_ptr_array_new(), g_ptr_array_new_with_free_func(g_free)};
  Lonely extra = {g_ptr_array_new(), g_ptr_array_new_with_free_func(g_free)};
  guint asked = look_at_table(cell, states, t, known, &missing, out);
  for (guint i = 0; i < t->all->len; i++) {
    const HnStoredTensor *x = t->all->pdata[i];
    if (x->weight && wanted(cell, x->name) && !g_hash_table_contains(known, x->name))
      lonely_add(&extra, x->name, g_strdup(x->label));
  }
  tell_lonely(&missing, &extra, "missing", "in the checkpoint", "", out);
  if (!cell->weights.ignore_extra)
    tell_lonely(&extra, &missing, "extra", "here", " (ignore_extra: true leaves it out)", out);
  if (!asked)
    g_ptr_array_add(out, g_strdup_printf("%s and %s keep no weights that could be taken",
                                         cell->inference.plugin->name, cell->policy.plugin->name));
  if (!t->lists_weights && !cell->weights.ignore_extra)
    g_ptr_array_add(out,
                    g_strdup("the checkpoint does not say which of its tensors are weights: an "
                             "earlier hunch wrote it (ignore_extra: true takes it anyway)"));
  g_ptr_array_unref(missing.names), g_ptr_array_unref(missing.labels);
  g_ptr_array_unref(extra.names), g_ptr_array_unref(extra.labels);
  return out;
}

/* ---- taking them ---- */

static char *lines(GPtrArray *list) {
  g_ptr_array_add(list, NULL);
  return g_strjoinv("\n", (char **)list->pdata);
}

bool hn_warm_start_take(const HnCell *cell, GPtrArray *states, const char *path, GError **error) {
  g_autoptr(GError) why = NULL;
  HnStoredTensors *t = hn_stored_tensors_open(path, &why);
  if (!t) return hn_error_set(error, HN_ERROR_REFUSED, "%s", why->message);
  g_autoptr(GPtrArray) wrong = hn_warm_start_misfits(cell, states, t);
  bool ok = wrong->len == 0;
  if (!ok) {
    g_autofree char *text = lines(wrong);
    hn_error_set(error, HN_ERROR_REFUSED, "%s does not fit:\n%s", path, text);
  }
  for (guint i = 0; ok && i < states->len; i++) {
    HnState *x = states->pdata[i];
    if (x->weight && wanted(cell, x->name)) hn_state_take(x, g_hash_table_lookup(t->find, x->name));
  }
  hn_stored_tensors_free(t);
  return ok;
}
