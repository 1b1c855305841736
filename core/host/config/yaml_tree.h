/* yaml_tree.h - reads a YAML file into a tree whose nodes know their line and column, and writes it
 * back.  libyaml parses; params.h converts.  Anchors, aliases and merge keys are refused, so that
 * no alias can expand without bound.  Limits: 1 MiB a file, 64 levels, 20,000 nodes. */
#ifndef HN_YAML_TREE_H
#define HN_YAML_TREE_H
#include "diagnostics.h"
#include <stdbool.h>

typedef enum HnNodeKind { HN_NODE_TEXT, HN_NODE_MAP, HN_NODE_LIST } HnNodeKind;

typedef struct HnNode HnNode;
struct HnNode {
  HnNodeKind kind;
  const char *file; /* interned */
  int line, column; /* from 1; line 0: not from a file, and `file` names the origin */
  char *text;       /* TEXT: the scalar as written, else NULL */
  bool quoted;      /* TEXT: quoted, so never a number or a flag */
  GPtrArray *keys;  /* MAP: TEXT nodes, unique, in file order; else NULL */
  GPtrArray *items; /* MAP: values; LIST: elements; else NULL */
};

/* Reads one document; NULL, with findings in `d`, if it cannot be used.  Duplicate keys are
 * findings. */
HnNode *hn_yaml_read(const char *path, HnDiag *d);
/* The bytes of a regular file of at most 1 MiB, NUL-terminated; NULL with a finding. g_free. */
char *hn_yaml_load(const char *path, gsize *length, HnDiag *d);
HnNode *hn_yaml_parse(const char *file, const char *text, gsize length, HnDiag *d);
void hn_node_free(HnNode *n);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnNode, hn_node_free)
HnNode *hn_node_copy(const HnNode *n);

/* The value of `key` in a map, or NULL. */
HnNode *hn_node_get(const HnNode *map, const char *key);
/* The value at a path of keys, "policy.lr", or NULL. */
HnNode *hn_node_at(const HnNode *map, const char *path);
/* That key's own node, which knows its line, or NULL. */
const HnNode *hn_node_key(const HnNode *map, const char *key);
/* Replaces or appends; takes ownership of value. */
void hn_node_set(HnNode *map, const HnNode *key, HnNode *value);
/* Replaces or appends a plain text, with the map's line and column. */
void hn_node_put(HnNode *map, const char *key, const char *text);
HnNode *hn_node_map(const char *file, int line, int column);
HnNode *hn_node_text(const char *file, int line, int column, const char *text);
/* The full path of what a text names: from the folder of the file that it stands in, or from the
 * current one where it stands in none; g_free. */
char *hn_node_path(const HnNode *n);
/* The tree as YAML that reads back to the same tree; free with g_free. */
char *hn_node_write(const HnNode *n);
/* Adds to d what is wrong with a node, at its place. */
void hn_node_refuse(HnDiag *d, const HnNode *at, const char *format, ...) G_GNUC_PRINTF(3, 4);
#endif
