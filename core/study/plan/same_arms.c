/* same_arms.c - see same_arms.h. */
#include "same_arms.h"
#include <string.h>

enum { NAMED = 4 }; /* groups, arms of a group, overrides; of more, how many */

static HnNode *node_of(const HnStudy *s, guint arm) {
  return hn_cell_node(hn_study_cell(s, arm, 0));
}

char *hn_arm_text(const HnStudy *s, guint arm) {
  g_autoptr(HnNode) node = node_of(s, arm);
  hn_params_put_text(node, "arm", "any");
  return hn_node_write(node);
}

/* GArray * of guint for each configuration that several arms have, in the order of the first. */
static GPtrArray *groups_of(const HnStudy *s) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  GPtrArray *several = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  for (guint arm = 0; arm < s->arms->len; arm++) {
    char *text = hn_arm_text(s, arm);
    GArray *group = g_hash_table_lookup(seen, text);
    if (!group) {
      group = g_array_new(FALSE, FALSE, sizeof(guint));
      g_ptr_array_add(all, group);
      g_hash_table_insert(seen, text, group);
    } else {
      g_free(text);
    }
    g_array_append_val(group, arm);
  }
  for (guint i = 0; i < all->len; i++) {
    GArray *group = all->pdata[i];
    if (group->len > 1) g_ptr_array_add(several, g_array_ref(group));
  }
  return several;
}

/* "a, b and c"; "a, b, c and 5 more" */
static char *listed(const GPtrArray *names) {
  GString *out = g_string_new(NULL);
  const guint shown = names->len > NAMED ? NAMED - 1 : names->len;
  for (guint i = 0; i < shown; i++) {
    const char *joint = i + 1 == names->len ? " and " : ", ";
    g_string_append_printf(out, "%s%s", i ? joint : "", (const char *)names->pdata[i]);
  }
  if (shown < names->len) g_string_append_printf(out, " and %u more", names->len - shown);
  return g_string_free(out, FALSE);
}

/* ---- which overrides did it ---- */

/* Whether an override of an arm of this group, or of all arms, sets the key at a path, "policy.lr",
 * or another plugin, which takes its parameters along. */
static bool sets(const char *override, const GPtrArray *arms, const char *path) {
  static const char named[] = ".plugin";
  const char *key = g_str_has_prefix(override, "arms.") ? NULL : override;
  for (guint i = 0; !key && i < arms->len; i++) {
    g_autofree char *prefix = g_strdup_printf("arms.%s.", (const char *)arms->pdata[i]);
    if (g_str_has_prefix(override, prefix)) key = override + strlen(prefix);
  }
  if (!key) return false;
  g_autofree char *whole = g_strndup(key, strcspn(key, "="));
  if (strcmp(whole, path) == 0) return true;
  if (!g_str_has_suffix(whole, named)) return false;
  whole[strlen(whole) - strlen(named) + 1] = 0; /* the block, and a dot */
  return g_str_has_prefix(path, whole);
}

/* The study as its file alone says it, or NULL. */
static HnStudy *without_overrides(const HnStudy *s) {
  g_autoptr(HnDiag) unread = hn_diag_new();
  HnStudy *plain = hn_study_parse(s->file, s->source, strlen(s->source), NULL, unread);
  if (plain && plain->arms->len == s->arms->len) return plain;
  hn_study_free(plain);
  return NULL;
}

/* Those that set what the arms of a group, by their names, differ in without them; borrowed. */
static GPtrArray *overrides_of(const HnStudy *plain, const GArray *group, const GPtrArray *arms,
                               const char *const *overrides) {
  GPtrArray *found = g_ptr_array_new();
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(HnNode) first = node_of(plain, g_array_index(group, guint, 0));
  for (guint i = 1; i < group->len; i++) {
    g_autoptr(HnNode) other = node_of(plain, g_array_index(group, guint, i));
    g_ptr_array_extend_and_steal(paths, hn_cell_differing_keys(first, other, HN_KEY_SEED));
  }
  for (; *overrides; overrides++)
    for (guint i = 0; i < paths->len; i++) {
      if (!sets(*overrides, arms, paths->pdata[i])) continue;
      g_ptr_array_add(found, (gpointer)(guintptr)*overrides);
      break;
    }
  return found;
}

/* ---- what is said ---- */

/* ": policy.lr=1e-2 sets both", or "". */
static char *cause_of(const HnStudy *plain, const GArray *group, const GPtrArray *arms,
                      const char *const *overrides) {
  if (!plain) return g_strdup("");
  g_autoptr(GPtrArray) found = overrides_of(plain, group, arms, overrides);
  g_autofree char *names = listed(found);
  bool everywhere = true;
  for (guint i = 0; i < found->len; i++) everywhere &= !g_str_has_prefix(found->pdata[i], "arms.");
  if (found->len == 0) return g_strdup("");
  if (!everywhere) return g_strconcat(", by ", names, NULL);
  return g_strdup_printf(": %s %s %s", names, found->len > 1 ? "set" : "sets",
                         group->len > 2 ? "all of them" : "both");
}

static char *words_of(const HnStudy *s, const HnStudy *plain, const GArray *group,
                      const char *const *overrides) {
  g_autoptr(GPtrArray) arms = g_ptr_array_new();
  for (guint i = 0; i < group->len; i++)
    g_ptr_array_add(arms, s->arms->pdata[g_array_index(group, guint, i)]);
  g_autofree char *names = listed(arms), *cause = cause_of(plain, group, arms, overrides);
  return g_strdup_printf("arms %s are the same%s", names, cause);
}

GPtrArray *hn_same_arms(const HnStudy *s, const char *const *overrides) {
  GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) groups = groups_of(s);
  const bool overridden = groups->len > 0 && overrides && *overrides;
  g_autoptr(HnStudy) plain = overridden ? without_overrides(s) : NULL;
  for (guint i = 0; i < MIN(groups->len, NAMED); i++)
    g_ptr_array_add(out, words_of(s, plain, groups->pdata[i], overrides));
  if (groups->len > NAMED)
    g_ptr_array_add(
        out, g_strdup_printf("%u more groups of arms are the same each", groups->len - NAMED));
  return out;
}
