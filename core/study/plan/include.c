/* include.c - see include.h. */
#include "include.h"
#include "patch.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct Reader {
  GPtrArray *open; /* char *: files that are being included, canonical */
  HnDiag *d;
} Reader;

/* The path of an included file as messages show it: that of the file which names it, but for the
 * last part. */
static char *shown_path(const HnNode *n) {
  g_autofree char *folder = g_path_get_dirname(n->file);
  if (g_path_is_absolute(n->text) || strcmp(folder, ".") == 0) return g_strdup(n->text);
  return g_build_filename(folder, n->text, NULL);
}

static HnNode *resolved(Reader *r, HnNode *base);

/* The base of a study that is included, with what it includes itself, or NULL. */
static HnNode *base_of(Reader *r, const HnNode *named, HnNode *study) {
  int64_t version = 0;
  const HnNode *hunch = hn_node_get(study, "hunch");
  HnNode *base = hn_node_get(study, "base");
  if (!hunch || hn_params_int(hunch, &version) || version != 1)
    hn_node_refuse(r->d, named, "'include: %s': is no study that begins with 'hunch: 1'",
                   named->text);
  else if (!base)
    hn_node_refuse(r->d, named, "'include: %s': that study has no base", named->text);
  else if (hn_params_map("base", base, r->d))
    return resolved(r, base);
  return NULL;
}

static HnNode *included(Reader *r, const HnNode *named) {
  if (named->kind != HN_NODE_TEXT || !*named->text) {
    hn_node_refuse(r->d, named, "'include:': expected the path of a study");
    return NULL;
  }
  g_autofree char *path = shown_path(named);
  char *full = hn_node_path(named);
  if (g_ptr_array_find_with_equal_func(r->open, full, g_str_equal, NULL) ||
      r->open->len == HN_INCLUDES_MAX) {
    hn_node_refuse(r->d, named,
                   r->open->len == HN_INCLUDES_MAX ? "'include: %s': more than 8 files in a row"
                                                   : "'include: %s': would include itself",
                   named->text);
    g_free(full);
    return NULL;
  }
  g_ptr_array_add(r->open, full);
  HnNode *base = NULL;
  if (access(full, R_OK) != 0) {
    hn_node_refuse(r->d, named, "'include: %s': cannot be read: %s", named->text,
                   g_strerror(errno));
  } else {
    g_autoptr(HnNode) study = hn_yaml_read(path, r->d);
    if (study && hn_params_map("study", study, r->d)) base = base_of(r, named, study);
  }
  g_ptr_array_set_size(r->open, (gint)r->open->len - 1);
  return base;
}

static HnNode *resolved(Reader *r, HnNode *base) {
  const HnNode *named = hn_node_get(base, HN_INCLUDE);
  if (!named) return hn_node_copy(base);
  static const char *const valid[] = {HN_INCLUDE, HN_CELL_BLOCKS(HN_BLOCK_NAME) NULL};
  hn_params_check_keys(base, valid, r->d);
  g_autoptr(HnNode) below = included(r, named);
  return below ? hn_patch_blocks(below, base) : NULL;
}

bool hn_include_base(HnNode *study, HnDiag *d) {
  HnNode *base = hn_node_get(study, "base");
  if (!base || !hn_node_get(base, HN_INCLUDE)) return false;
  g_autoptr(HnNode) self = hn_node_text(NULL, 0, 0, base->file);
  Reader r = {g_ptr_array_new_with_free_func(g_free), d};
  g_ptr_array_add(r.open, hn_node_path(self));
  HnNode *whole = resolved(&r, base);
  g_ptr_array_unref(r.open);
  g_autoptr(HnNode) none = hn_node_map(base->file, base->line, base->column);
  hn_node_set(study, hn_node_key(study, "base"), whole ? whole : g_steal_pointer(&none));
  return whole != NULL;
}

/* ---- without other files ---- */

/* Where line `line`, from 1, begins. */
static const char *line_at(const char *text, int line) {
  for (; line > 1 && *text; line--) text += strcspn(text, "\n"), text += *text == '\n';
  return text;
}

/* The first line after a block that ends before `next`, whose comments stand above it. */
static const char *end_of_block(const char *begin, const char *next) {
  while (next > begin) {
    const char *above = next - 1;
    while (above > begin && above[-1] != '\n') above--;
    if (*above != '#' && *above != '\n') break;
    next = above;
  }
  return next;
}

char *hn_include_flatten(const char *text, const HnNode *study) {
  const HnNode *key = hn_node_key(study, "base");
  g_autoptr(HnNode) block = hn_node_map(NULL, 0, 0);
  hn_node_set(block, key, hn_node_copy(hn_node_get(study, "base")));
  int after = G_MAXINT;
  bool shared = key->column != 1; /* a line with others */
  for (guint i = 0; i < study->keys->len; i++) {
    const HnNode *other = study->keys->pdata[i];
    if (other == key) continue;
    shared |= other->column != 1 || other->line == key->line;
    if (other->line > key->line) after = MIN(after, other->line);
  }
  if (shared) return hn_node_write(study);
  const char *begin = line_at(text, key->line), *end = end_of_block(begin, line_at(text, after));
  g_autofree char *whole = hn_node_write(block);
  GString *out = g_string_new_len(text, begin - text);
  g_string_append_printf(out, "%s%s", whole, end);
  return g_string_free(out, FALSE);
}
