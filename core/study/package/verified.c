/* verified.c - see verified.h. */
#include "verified.h"
#include "json.h"
#include <string.h>

HnAgreement hn_verified_worst(const HnVerified *v) {
  HnAgreement all = HN_AGREES_BITWISE;
  for (guint i = 0; i < v->outcomes->len; i++)
    all = MAX(all, ((const HnOutcome *)v->outcomes->pdata[i])->agreement);
  return all;
}

const char *hn_verified_verdict(const HnVerified *v) {
  if (v->intact->wrong->len) return hn_agreement_name(HN_AGREES_DIFFERS);
  return v->outcomes->len ? hn_agreement_name(hn_verified_worst(v)) : "intact";
}

const char *hn_verified_meaning(const HnVerified *v) {
  if (v->intact->wrong->len) return "it is not as it was packed";
  if (!v->outcomes->len) return "it is as it was packed; nothing was computed again";
  return hn_agreement_doc(hn_verified_worst(v));
}

char *hn_verified_fact(const HnVerified *v, const char *member, bool here) {
  g_autoptr(GPtrArray) seen = g_ptr_array_new();
  for (guint i = 0; i < v->outcomes->len; i++) {
    const HnOutcome *o = v->outcomes->pdata[i];
    const char *value = hn_json_string(here ? o->here : o->said, member, NULL);
    if (value && !g_ptr_array_find_with_equal_func(seen, value, g_str_equal, NULL))
      g_ptr_array_add(seen, (gpointer)(guintptr)value);
  }
  if (!seen->len) return NULL;
  g_ptr_array_add(seen, NULL);
  return g_strjoinv(", ", (char **)seen->pdata);
}

char *hn_verified_machine(const HnVerified *v, bool here) {
  static const char *const parts[][2] = {
      {"cpu", ""},          {"isa", "kit "},   {"blas", "kernels "}, {"blas_version", ""},
      {"libm_version", ""}, {"simulator", ""}, {"determinism", ""}};
  g_autoptr(GString) line = g_string_new(NULL);
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *value = hn_verified_fact(v, parts[i][0], here);
    if (value) g_string_append_printf(line, "%s%s%s", line->len ? ", " : "", parts[i][1], value);
  }
  return line->len ? g_strdup(line->str) : NULL;
}
