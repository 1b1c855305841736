/* xml.c - a reader of elements and attributes that replaces includes as it goes, and a writer. */
#include "xml.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEEP = 100 }; /* elements in elements, includes in includes */

/* ---- the tree ---- */

bool hn_mw_slice_is(HnMwSlice slice, const char *text) {
  return slice.at && strlen(text) == (size_t)slice.length &&
         memcmp(slice.at, text, (size_t)slice.length) == 0;
}

bool hn_mw_slice_same(HnMwSlice a, HnMwSlice b) {
  return a.at && b.at && a.length == b.length && memcmp(a.at, b.at, (size_t)a.length) == 0;
}

bool hn_mw_xml_is(const HnMwXml *xml, int n, const char *element) {
  return hn_mw_slice_is(xml->node[n].name, element);
}

static int find(const HnMwXml *xml, int n, const char *attribute) {
  const HnMwNode *node = &xml->node[n];
  for (int k = node->attribute; k < node->attribute + node->attributes; k++)
    if (hn_mw_slice_is(xml->attribute[k].name, attribute)) return k;
  return -1;
}

HnMwSlice hn_mw_xml_get(const HnMwXml *xml, int n, const char *attribute) {
  int k = find(xml, n, attribute);
  return k < 0 ? (HnMwSlice){NULL, 0} : xml->attribute[k].value;
}

void hn_mw_xml_unset(HnMwXml *xml, int n, const char *attribute) {
  int k = find(xml, n, attribute);
  if (k >= 0) xml->attribute[k].name.at = NULL;
}

int hn_mw_xml_walk(const HnMwXml *xml, int n) {
  if (xml->node[n].child >= 0) return xml->node[n].child;
  while (n > 0 && xml->node[n].next < 0) n = xml->node[n].parent;
  return n > 0 ? xml->node[n].next : -1;
}

void hn_mw_xml_free(HnMwXml *xml) {
  for (int k = 0; k < xml->texts; k++) free(xml->text[k]);
  free(xml->text), free(xml->node), free(xml->attribute);
  *xml = (HnMwXml){.node = NULL};
}

/* ---- reading ---- */

typedef struct Reader {
  HnMwXml *xml;
  const char *folder, *file; /* the file read now */
  const char *at;
  int depth;
  char *error;
  size_t size;
} Reader;

static bool refuse(Reader *r, const char *why) {
  snprintf(r->error, r->size, "%s/%s: %s", r->folder, r->file, why);
  return false;
}

static void *grown(void *array, int count, int *room, size_t size) {
  if (count < *room) return array;
  *room = 2 * *room + 64;
  void *larger = realloc(array, (size_t)*room * size);
  if (!larger) abort(); /* as everywhere: out of memory ends the program */
  return larger;
}

/* Appends a node as the last child; `last` is the child before it, or -1. */
static int add_node(HnMwXml *xml, int parent, int last, HnMwSlice name) {
  xml->node = grown(xml->node, xml->nodes, &xml->node_room, sizeof *xml->node);
  int n = xml->nodes++;
  xml->node[n] = (HnMwNode){name, xml->attributes, 0, -1, -1, parent, false};
  if (last >= 0)
    xml->node[last].next = n;
  else if (parent >= 0)
    xml->node[parent].child = n;
  return n;
}

static char *slurp(Reader *r) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", r->folder, r->file);
  FILE *file = fopen(path, "rb");
  long length = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  char *text = length >= 0 && length < 1 << 24 ? malloc((size_t)length + 1) : NULL;
  if (text) {
    rewind(file);
    text[fread(text, 1, (size_t)length, file)] = 0;
  }
  if (file) fclose(file);
  if (!text) {
    refuse(r, "cannot be read");
    return NULL;
  }
  r->xml->text = realloc(r->xml->text, (size_t)(r->xml->texts + 1) * sizeof *r->xml->text);
  if (!r->xml->text) abort();
  return r->xml->text[r->xml->texts++] = text;
}

/* To the next tag of an element, over text, comments and <?..?>; false at the end of the file. */
static bool next_tag(Reader *r) {
  while ((r->at = strchr(r->at, '<'))) {
    const char *end = !strncmp(r->at, "<!--", 4) ? "-->" : r->at[1] == '?' ? "?>" : NULL;
    if (!end) return true;
    r->at = strstr(r->at, end);
    if (!r->at) return false;
    r->at += strlen(end);
  }
  return false;
}

static HnMwSlice word(Reader *r) {
  const char *start = r->at;
  while (isalnum((unsigned char)*r->at) || *r->at == '_' || *r->at == '-' || *r->at == ':') r->at++;
  return (HnMwSlice){start, (int)(r->at - start)};
}

static void skip_space(Reader *r) {
  while (isspace((unsigned char)*r->at)) r->at++;
}

/* Attributes of node n up to > or />; *closed is whether it was the latter. */
static bool read_attributes(Reader *r, int n, bool *closed) {
  HnMwXml *xml = r->xml;
  for (;;) {
    skip_space(r);
    *closed = r->at[0] == '/' && r->at[1] == '>';
    if (*closed) return r->at += 2, true;
    if (*r->at == '>') return r->at++, true;
    HnMwAttribute a = {.name = word(r)};
    skip_space(r);
    if (a.name.length == 0 || *r->at++ != '=') return refuse(r, "damaged: an attribute lacks '='");
    skip_space(r);
    char quote = *r->at++;
    const char *end = quote == '"' || quote == '\'' ? strchr(r->at, quote) : NULL;
    if (!end) return refuse(r, "damaged: an attribute's value has no end");
    a.value = (HnMwSlice){r->at, (int)(end - r->at)};
    r->at = end + 1;
    xml->attribute = grown(xml->attribute, xml->attributes, &xml->attribute_room, sizeof a);
    xml->attribute[xml->attributes++] = a;
    xml->node[n].attributes++;
  }
}

static bool read_children(Reader *r, int parent, int *last, bool root);

/* Puts the children of the included file's root in the place of the include. */
static bool include(Reader *r, int n, int parent, int *last) {
  HnMwSlice file = hn_mw_xml_get(r->xml, n, "file");
  char name[1024];
  if (!file.at || file.length >= (int)sizeof name) return refuse(r, "an include names no file");
  memcpy(name, file.at, (size_t)file.length), name[file.length] = 0;
  Reader inner = *r;
  inner.file = name, inner.depth++;
  if (inner.depth > MOST_DEEP) return refuse(r, "includes without end");
  inner.at = slurp(&inner);
  if (!inner.at) return false;
  int holder = add_node(r->xml, -1, -1, (HnMwSlice){"", 0}), inside = -1;
  if (!read_children(&inner, holder, &inside, true)) return false;
  for (int k = r->xml->node[holder].child; k >= 0; k = r->xml->node[k].next)
    for (int c = r->xml->node[k].child; c >= 0; c = r->xml->node[c].next) {
      r->xml->node[c].parent = parent;
      if (*last >= 0)
        r->xml->node[*last].next = c;
      else
        r->xml->node[parent].child = c;
      *last = c;
    }
  return true;
}

/* Elements up to the parent's closing tag, or to the end of the file where `root`. */
static bool read_children(Reader *r, int parent, int *last, bool root) {
  if (++r->depth > MOST_DEEP) return refuse(r, "elements nested without end");
  for (;;) {
    if (!next_tag(r)) {
      r->depth--;
      return root ? r->xml->node[parent].child >= 0 || refuse(r, "holds no element")
                  : refuse(r, "damaged: ends inside an element");
    }
    if (r->at[1] == '/') {
      r->at = strchr(r->at, '>');
      r->depth--;
      return r->at && !root ? (r->at++, true) : refuse(r, "damaged: a closing tag too many");
    }
    r->at++;
    HnMwSlice name = word(r);
    bool closed, including = hn_mw_slice_is(name, "include");
    int inside = -1, n = add_node(r->xml, including ? -1 : parent, including ? -1 : *last, name);
    if (!read_attributes(r, n, &closed)) return false;
    if (!closed && !read_children(r, n, &inside, false)) return false;
    if (including && !include(r, n, parent, last)) return false;
    if (!including) *last = n;
  }
}

bool hn_mw_xml_read(HnMwXml *xml, const char *folder, const char *file, char *error, size_t size) {
  *xml = (HnMwXml){.node = NULL};
  Reader r = {.xml = xml, .folder = folder, .file = file, .error = error, .size = size};
  int root = add_node(xml, -1, -1, (HnMwSlice){"", 0}), last = -1;
  r.at = slurp(&r);
  return r.at && read_children(&r, root, &last, true);
}

/* ---- writing ---- */

typedef struct Text {
  char *at;
  size_t length, room;
} Text;

static void put(Text *t, const char *from, size_t length) {
  if (t->length + length + 1 > t->room) {
    t->room = 2 * t->room + length + 4096;
    t->at = realloc(t->at, t->room);
    if (!t->at) abort();
  }
  memcpy(t->at + t->length, from, length);
  t->at[t->length += length] = 0;
}

static void put_text(Text *t, const char *from) {
  put(t, from, strlen(from));
}

static void put_slice(Text *t, HnMwSlice s) {
  put(t, s.at, (size_t)s.length);
}

static void put_node(Text *t, const HnMwXml *xml, int n, const char *folder, const char *inside) {
  const HnMwNode *node = &xml->node[n];
  if (node->dropped) return;
  put_text(t, "<"), put_slice(t, node->name);
  for (int k = node->attribute; k < node->attribute + node->attributes; k++) {
    const HnMwAttribute *a = &xml->attribute[k];
    if (!a->name.at) continue;
    /* the other quote, so that a value may hold one of them */
    const char *quote = memchr(a->value.at, '"', (size_t)a->value.length) ? "'" : "\"";
    put_text(t, " "), put_slice(t, a->name), put_text(t, "="), put_text(t, quote);
    if (hn_mw_slice_is(a->name, "file") && *a->value.at != '/')
      put_text(t, folder), put_text(t, "/");
    put_slice(t, a->value), put_text(t, quote);
  }
  put_text(t, ">"), put_text(t, inside);
  for (int c = node->child; c >= 0; c = xml->node[c].next) put_node(t, xml, c, folder, "");
  put_text(t, "</"), put_slice(t, node->name), put_text(t, ">\n");
}

char *hn_mw_xml_write(const HnMwXml *xml, const char *folder, const char *inside) {
  Text t = {NULL, 0, 0};
  for (int c = xml->node[0].child; c >= 0; c = xml->node[c].next)
    put_node(&t, xml, c, folder, inside);
  return t.at;
}
