/* yaml_tree.c - see yaml_tree.h. */
#include "yaml_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 64, MAX_NODES = 20000, MAX_KEY = 128 };

/* ---- the tree ---- */

static HnNode *node_new(HnNodeKind kind, const char *file, int line, int column) {
  HnNode *n = g_new0(HnNode, 1);
  n->kind = kind, n->file = g_intern_string(file), n->line = line, n->column = column;
  if (kind == HN_NODE_MAP) n->keys = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
  if (kind != HN_NODE_TEXT) n->items = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
  return n;
}

HnNode *hn_node_map(const char *file, int line, int column) {
  return node_new(HN_NODE_MAP, file, line, column);
}

HnNode *hn_node_text(const char *file, int line, int column, const char *text) {
  HnNode *n = node_new(HN_NODE_TEXT, file, line, column);
  n->text = g_strdup(text);
  return n;
}

void hn_node_free(HnNode *n) {
  if (!n) return;
  if (n->keys) g_ptr_array_free(n->keys, true);
  if (n->items) g_ptr_array_free(n->items, true);
  g_free(n->text);
  g_free(n);
}

HnNode *hn_node_copy(const HnNode *n) {
  HnNode *copy = node_new(n->kind, n->file, n->line, n->column);
  copy->text = g_strdup(n->text);
  copy->quoted = n->quoted;
  for (guint i = 0; n->keys && i < n->keys->len; i++)
    g_ptr_array_add(copy->keys, hn_node_copy(n->keys->pdata[i]));
  for (guint i = 0; n->items && i < n->items->len; i++)
    g_ptr_array_add(copy->items, hn_node_copy(n->items->pdata[i]));
  return copy;
}

static bool find_key(const HnNode *map, const char *key, guint *at) {
  if (!map || map->kind != HN_NODE_MAP) return false;
  for (*at = 0; *at < map->keys->len; ++*at)
    if (strcmp(((const HnNode *)map->keys->pdata[*at])->text, key) == 0) return true;
  return false;
}

HnNode *hn_node_get(const HnNode *map, const char *key) {
  guint i;
  return find_key(map, key, &i) ? map->items->pdata[i] : NULL;
}

HnNode *hn_node_at(const HnNode *map, const char *path) {
  g_auto(GStrv) part = g_strsplit(path, ".", -1);
  const HnNode *n = map;
  for (char **p = part; n && *p; p++) n = hn_node_get(n, *p);
  return (HnNode *)(guintptr)n;
}

const HnNode *hn_node_key(const HnNode *map, const char *key) {
  guint i;
  return find_key(map, key, &i) ? map->keys->pdata[i] : NULL;
}

char *hn_node_path(const HnNode *n) {
  g_autofree char *folder = n->line > 0 ? g_path_get_dirname(n->file) : NULL;
  g_autofree char *base = folder ? g_canonicalize_filename(folder, NULL) : NULL;
  return g_canonicalize_filename(n->text, base);
}

void hn_node_set(HnNode *map, const HnNode *key, HnNode *value) {
  guint i;
  HnNode *copy = hn_node_copy(key);
  if (!find_key(map, key->text, &i)) {
    g_ptr_array_add(map->keys, copy);
    g_ptr_array_add(map->items, value);
    return;
  }
  hn_node_free(map->keys->pdata[i]);
  hn_node_free(map->items->pdata[i]);
  map->keys->pdata[i] = copy, map->items->pdata[i] = value;
}

void hn_node_put(HnNode *map, const char *key, const char *text) {
  HnNode *k = hn_node_text(map->file, map->line, map->column, key);
  hn_node_set(map, k, hn_node_text(map->file, map->line, map->column, text));
  hn_node_free(k);
}

/* ---- reading ---- */

typedef struct Reader {
  yaml_parser_t parser;
  yaml_event_t event;
  const char *file, *text;
  gsize length;
  HnDiag *d;
  guint nodes, depth;
} Reader;

static int line_of(const Reader *r) {
  return (int)r->event.start_mark.line + 1;
}
static int column_of(const Reader *r) {
  return (int)r->event.start_mark.column + 1;
}

static void G_GNUC_PRINTF(2, 3) add(Reader *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  hn_diag_add(r->d, r->file, line_of(r), column_of(r), "%s", text);
}

/* The bytes are not UTF-8.  libyaml gives only the offset; its line and column lag behind. */
static void encoding_error(Reader *r) {
  int line = 1, column = 1;
  gsize offset = MIN(r->parser.problem_offset, r->length);
  for (gsize i = 0; i < offset; i++) {
    bool first = ((unsigned char)r->text[i] & 0xC0) != 0x80; /* of a character */
    if (r->text[i] == '\n')
      line++, column = 1;
    else
      column += first;
  }
  hn_diag_add(r->d, r->file, line, column, "not a text file in UTF-8: %s", r->parser.problem);
}

static void syntax_error(Reader *r) {
  const yaml_parser_t *p = &r->parser;
  const char *problem = p->problem ? p->problem : "unreadable";
  int line = (int)p->problem_mark.line + 1, column = (int)p->problem_mark.column + 1;
  if (p->error == YAML_READER_ERROR)
    encoding_error(r);
  else if (strstr(problem, "cannot start any token"))
    hn_diag_add(r->d, r->file, line, column,
                "not YAML: this character cannot start a value, and tabs cannot indent");
  else if (p->context)
    hn_diag_add(r->d, r->file, line, column, "not YAML: %s, %s that began at line %zu", problem,
                p->context, p->context_mark.line + 1);
  else
    hn_diag_add(r->d, r->file, line, column, "not YAML: %s", problem);
}

/* The next event; false, with a finding, at a syntax error. */
static bool next(Reader *r) {
  yaml_event_delete(&r->event);
  if (yaml_parser_parse(&r->parser, &r->event)) return true;
  syntax_error(r);
  return false;
}

static bool next_but_one(Reader *r) {
  return next(r) ? next(r) : false;
}

static void refuse_marks(Reader *r, const yaml_char_t *anchor, const yaml_char_t *tag) {
  g_autofree char *name = hn_diag_cut((const char *)(anchor ? anchor
                                                     : tag  ? tag
                                                            : (yaml_char_t *)""));
  if (anchor)
    add(r, "anchor '&%s': anchors are not read; arms say what differs", name);
  else if (tag)
    add(r, "tag '%s': tags are not read; types follow from the key", name);
}

static HnNode *read_scalar(Reader *r) {
  const char *text = (const char *)r->event.data.scalar.value;
  refuse_marks(r, r->event.data.scalar.anchor, r->event.data.scalar.tag);
  if (strlen(text) != r->event.data.scalar.length) add(r, "a NUL character in a value");
  HnNode *n = hn_node_text(r->file, line_of(r), column_of(r), text);
  n->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return n;
}

static HnNode *read_value(Reader *r);

static HnNode *read_list(Reader *r) {
  HnNode *list = node_new(HN_NODE_LIST, r->file, line_of(r), column_of(r));
  refuse_marks(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag);
  while (next(r)) {
    if (r->event.type == YAML_SEQUENCE_END_EVENT) return list;
    HnNode *item = read_value(r);
    if (!item) break;
    g_ptr_array_add(list->items, item);
  }
  hn_node_free(list);
  return NULL;
}

/* Whether the map may have this key; if not, adds a finding. */
static bool key_allowed(Reader *r, const HnNode *key, GHashTable *seen) {
  if (key->kind != HN_NODE_TEXT || !*key->text || strlen(key->text) > MAX_KEY) {
    hn_node_refuse(r->d, key, "a key must be a word of at most %d characters", MAX_KEY);
    return false;
  }
  if (strcmp(key->text, "<<") == 0 && !key->quoted) {
    hn_node_refuse(r->d, key, "merge key '<<': not read; arms say what differs");
    return false;
  }
  const HnNode *first = g_hash_table_lookup(seen, key->text);
  if (!first) return true;
  g_autofree char *cut = hn_diag_cut(key->text);
  hn_node_refuse(r->d, key, "duplicate key '%s'; it is already at line %d, column %d", cut,
                 first->line, first->column);
  return false;
}

static HnNode *read_map(Reader *r) {
  HnNode *map = node_new(HN_NODE_MAP, r->file, line_of(r), column_of(r));
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  refuse_marks(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);
  while (next(r)) {
    if (r->event.type == YAML_MAPPING_END_EVENT) return map;
    HnNode *key = read_value(r), *value = key && next(r) ? read_value(r) : NULL;
    if (value && key_allowed(r, key, seen)) {
      g_hash_table_insert(seen, key->text, key);
      g_ptr_array_add(map->keys, key);
      g_ptr_array_add(map->items, value);
      continue;
    }
    hn_node_free(key);
    hn_node_free(value);
    if (!value) break;
  }
  hn_node_free(map);
  return NULL;
}

/* The value that the current event begins; NULL, with a finding, if reading must end. */
static HnNode *read_value(Reader *r) {
  HnNode *n = NULL;
  if (++r->nodes > MAX_NODES) {
    add(r, "too large: more than %d keys and values", MAX_NODES);
    return NULL;
  }
  if (r->depth == MAX_DEPTH) {
    add(r, "nested more than %d levels deep", MAX_DEPTH);
    return NULL;
  }
  r->depth++;
  switch (r->event.type) {
  case YAML_ALIAS_EVENT: {
    g_autofree char *name = hn_diag_cut((const char *)r->event.data.alias.anchor);
    add(r, "alias '*%s': aliases are not read; arms say what differs", name);
    n = hn_node_text(r->file, line_of(r), column_of(r), "");
    break;
  }
  case YAML_SCALAR_EVENT:
    n = read_scalar(r);
    break;
  case YAML_SEQUENCE_START_EVENT:
    n = read_list(r);
    break;
  case YAML_MAPPING_START_EVENT:
    n = read_map(r);
    break;
  default:
    g_assert_not_reached();
  }
  r->depth--;
  return n;
}

static HnNode *read_document(Reader *r) {
  if (!next_but_one(r)) return NULL; /* skips the start of the stream */
  if (r->event.type == YAML_STREAM_END_EVENT) {
    hn_diag_add(r->d, r->file, 0, 0, "empty file");
    return NULL;
  }
  HnNode *root = next(r) ? read_value(r) : NULL;
  if (!root) return NULL;
  if (next_but_one(r)) { /* skips the end of the document */
    if (r->event.type == YAML_STREAM_END_EVENT) return root;
    add(r, "a second document: a file holds one");
  }
  hn_node_free(root);
  return NULL;
}

HnNode *hn_yaml_parse(const char *file, const char *text, gsize length, HnDiag *d) {
  static const char mark[] = "\xef\xbb\xbf"; /* of the order of bytes, which UTF-8 does not need */
  Reader r = {.file = file, .text = text, .length = length, .d = d};
  guint before = hn_diag_count(d);
  if (length > MAX_BYTES) {
    hn_diag_add(d, file, 0, 0, "too large: %zu bytes, at most %d are read", length, MAX_BYTES);
    return NULL;
  }
  if (!yaml_parser_initialize(&r.parser)) g_error("out of memory");
  if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
    r.text = text += strlen(mark), r.length = length -= strlen(mark);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
  HnNode *root = read_document(&r);
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  g_assert(root || hn_diag_count(d) > before);
  return root;
}

/* Up to MAX_BYTES + 1 bytes of an open file. */
static bool read_all(int fd, GString *out) {
  char buffer[65536];
  while (out->len <= MAX_BYTES) {
    ssize_t n = read(fd, buffer, MIN(sizeof buffer, MAX_BYTES + 1 - out->len));
    if (n == 0) return true;
    if (n > 0)
      g_string_append_len(out, buffer, n);
    else if (errno != EINTR)
      return false;
  }
  return true;
}

static int by_name(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "; did you mean 'belief.yaml'?" where a file of such a name is beside what is not there, or "".
 */
static char *nearest_file(const char *path) {
  g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  for (const char *n; dir && (n = g_dir_read_name(dir));)
    if (g_str_has_suffix(n, ".yaml") || g_str_has_suffix(n, ".yml"))
      g_ptr_array_add(names, g_strdup(n));
  g_ptr_array_sort(names, by_name);
  g_ptr_array_add(names, NULL);
  const char *near = hn_diag_nearest(name, (const char *const *)names->pdata);
  if (!near) return g_strdup("");
  g_autofree char *full = strchr(path, '/') ? g_build_filename(folder, near, NULL) : g_strdup(near);
  return g_strdup_printf("; did you mean '%s'?", full);
}

char *hn_yaml_load(const char *path, gsize *length, HnDiag *d) {
  struct stat st;
  /* non-blocking: a pipe must be refused, not waited for */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &st) < 0) {
    const int why = errno;
    g_autofree char *near = why == ENOENT ? nearest_file(path) : g_strdup("");
    hn_diag_add(d, path, 0, 0, "cannot be read: %s%s", g_strerror(why), near);
    if (fd >= 0) close(fd);
    return NULL;
  }
  GString *text = g_string_new(NULL);
  if (!S_ISREG(st.st_mode))
    hn_diag_add(d, path, 0, 0, S_ISDIR(st.st_mode) ? "is a folder" : "not a regular file");
  else if (!read_all(fd, text))
    hn_diag_add(d, path, 0, 0, "cannot be read: %s", g_strerror(errno));
  else if (text->len > MAX_BYTES)
    hn_diag_add(d, path, 0, 0, "too large: %" PRId64 " bytes, at most %d are read",
                MAX(st.st_size, (off_t)text->len), MAX_BYTES);
  else {
    close(fd);
    *length = text->len;
    return g_string_free(text, false);
  }
  close(fd);
  g_string_free(text, true);
  return NULL;
}

HnNode *hn_yaml_read(const char *path, HnDiag *d) {
  gsize length;
  g_autofree char *text = hn_yaml_load(path, &length, d);
  return text ? hn_yaml_parse(path, text, length, d) : NULL;
}

/* ---- writing ---- */

/* Whether a block scalar may be written without quotes and read back the same. */
static bool plain(const char *text) {
  gsize n = strlen(text);
  if (n == 0 || strchr(" ,[]{}#&*!|>'\"%@`~", text[0]) || text[n - 1] == ' ') return false;
  if (strchr("-?:", text[0]) && (text[1] == 0 || text[1] == ' ')) return false;
  if (g_str_has_prefix(text, "---") || g_str_has_prefix(text, "...")) return false;
  if (strstr(text, ": ") || strstr(text, " #") || text[n - 1] == ':') return false;
  for (const char *c = text; *c; c = g_utf8_find_next_char(c, NULL))
    if (!g_unichar_isprint(g_utf8_get_char(c))) return false;
  return true;
}

static void write_scalar(GString *out, const HnNode *n) {
  if (!n->quoted && (!*n->text || plain(n->text))) {
    g_string_append(out, n->text);
    return;
  }
  g_string_append_c(out, '"');
  for (const char *c = n->text; *c; c = g_utf8_find_next_char(c, NULL)) {
    gunichar u = g_utf8_get_char(c);
    if (u == '"' || u == '\\')
      g_string_append_printf(out, "\\%c", (char)u);
    else if (u == '\n')
      g_string_append(out, "\\n");
    else if (g_unichar_isprint(u))
      g_string_append_unichar(out, u);
    else
      /* libyaml cannot read a key of more than 1024 characters back */
      g_string_append_printf(out, u < 0x100 ? "\\x%02x" : u < 0x10000 ? "\\u%04x" : "\\U%08x", u);
  }
  g_string_append_c(out, '"');
}

static void write_items(GString *out, const HnNode *n, int indent);

static void write_value(GString *out, const HnNode *n, int indent) {
  if (n->kind == HN_NODE_TEXT) {
    if (*n->text || n->quoted) g_string_append_c(out, ' ');
    write_scalar(out, n);
    g_string_append_c(out, '\n');
  } else if (n->items->len == 0)
    g_string_append(out, n->kind == HN_NODE_MAP ? " {}\n" : " []\n");
  else {
    g_string_append_c(out, '\n');
    write_items(out, n, indent);
  }
}

static void write_items(GString *out, const HnNode *n, int indent) {
  for (guint i = 0; i < n->items->len; i++) {
    g_string_append_printf(out, "%*s", indent, "");
    if (n->kind == HN_NODE_MAP) write_scalar(out, n->keys->pdata[i]);
    g_string_append_c(out, n->kind == HN_NODE_MAP ? ':' : '-');
    write_value(out, n->items->pdata[i], indent + 2);
  }
}

char *hn_node_write(const HnNode *n) {
  GString *out = g_string_new(NULL);
  if (n->kind != HN_NODE_TEXT && n->items->len)
    write_items(out, n, 0);
  else {
    g_string_append(out, "---");
    write_value(out, n, 0);
  }
  return g_string_free(out, false);
}

void hn_node_refuse(HnDiag *d, const HnNode *at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  hn_diag_add(d, at->file, at->line, at->column, "%s", text);
}
