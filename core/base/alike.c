/* alike.c - see alike.h. */
#include "alike.h"
#include "short_text.h"

static void alike_free(gpointer p) {
  HnAlike *a = p;
  g_free(a->said), g_ptr_array_unref(a->names), g_free(a);
}

GPtrArray *hn_alike_new(void) {
  return g_ptr_array_new_with_free_func(alike_free);
}

void hn_alike_add(GPtrArray *all, const char *said, const char *name) {
  HnAlike *a = NULL;
  for (guint i = 0; i < all->len && !a; i++)
    if (g_str_equal(((HnAlike *)all->pdata[i])->said, said)) a = all->pdata[i];
  if (!a) {
    a = g_new0(HnAlike, 1);
    a->said = g_strdup(said), a->names = g_ptr_array_new();
    g_ptr_array_add(all, a);
  }
  g_ptr_array_add(a->names, (gpointer)(guintptr)name);
}

char *hn_alike_names(const HnAlike *a, guint most) {
  return hn_short_list((const char *const *)a->names->pdata, a->names->len, most);
}
