/* html.h - what every page of hunch is made of: text, a frame, lists.  A page is also well-formed
 * XML and needs nothing else. */
#ifndef HN_HTML_H
#define HN_HTML_H
#include "compare.h"

/* Appends text with &, <, >, " and ' escaped. */
void hn_html_text(GString *out, const char *text);
/* printf whose every %s (only strings are taken) is escaped. */
void hn_html_add(GString *out, const char *format, ...);
void hn_html_count(GString *out, int64_t n);
/* The marker of a slot (colours.h) before an arm's name; nothing for -1. */
void hn_html_mark(GString *out, int64_t slot);
/* Lines of text (char *) as a list. */
void hn_html_list(GString *out, const GPtrArray *lines);

/* A page up to its body, with the style and the colours; and its end. */
void hn_html_begin(GString *out, const char *title);
void hn_html_end(GString *out);
/* The cells that are not in the results, and why. */
void hn_html_warnings(GString *out, const HnComparison *c);
#endif
