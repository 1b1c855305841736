/* xml.h - MuJoCo's XML as a tree, as much of it as Meta-World's models need: elements, attributes,
 * comments; text between elements means nothing there.  Names and values point into the text that
 * was read, so nothing is copied. */
#ifndef HN_MW_XML_H
#define HN_MW_XML_H
#include <stdbool.h>
#include <stddef.h>

typedef struct HnMwSlice {
  const char *at;
  int length;
} HnMwSlice;

typedef struct HnMwAttribute {
  HnMwSlice name, value;
} HnMwAttribute;

typedef struct HnMwNode {
  HnMwSlice name;
  int attribute, attributes; /* first of, and how many */
  int child, next, parent;   /* indices of nodes, -1: none */
  bool dropped;              /* not written, and neither is what is inside */
} HnMwNode;

typedef struct HnMwXml {
  HnMwNode *node; /* node 0 holds the document's root elements */
  HnMwAttribute *attribute;
  char **text; /* what was read, kept for the slices */
  int nodes, attributes, texts, node_room, attribute_room;
} HnMwXml;

/* Reads FOLDER/FILE with every <include file="..."> in it replaced by what is inside the root
 * of the file that it names, relative to FOLDER (as MuJoCo has it).  On failure, false: `error`
 * says which file and why.  Freed by hn_mw_xml_free either way. */
bool hn_mw_xml_read(HnMwXml *xml, const char *folder, const char *file, char *error, size_t size);
void hn_mw_xml_free(HnMwXml *xml);

/* Next node in document order after `n` (0 begins), or -1. */
int hn_mw_xml_walk(const HnMwXml *xml, int n);

bool hn_mw_slice_is(HnMwSlice slice, const char *text);
bool hn_mw_slice_same(HnMwSlice a, HnMwSlice b);
bool hn_mw_xml_is(const HnMwXml *xml, int n, const char *element);
/* The attribute's value, its slice NULL where there is none; the second drops it. */
HnMwSlice hn_mw_xml_get(const HnMwXml *xml, int n, const char *attribute);
void hn_mw_xml_unset(HnMwXml *xml, int n, const char *attribute);

/* The tree as text, to free(); attributes `file` come out as FOLDER/value, and what is `inside` the
 * document's root element first is the caller's text. */
char *hn_mw_xml_write(const HnMwXml *xml, const char *folder, const char *inside);
#endif
