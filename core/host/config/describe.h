/* describe.h - describes a plugin from its descriptor alone, and the keys of the host: the text,
 * the JSON and the Markdown of `hunch inspect`. */
#ifndef HN_DESCRIBE_H
#define HN_DESCRIBE_H
#include "cell.h"
#include "validate.h"
#include <json-glib/json-glib.h>

/* A commented YAML block, ready to paste into a study: every parameter with its default, range,
 * unit and meaning, then the columns it reports.  Free with g_free. */
char *hn_describe_text(const HnPlugin *p);
/* Adds the same facts to the open object; infinite bounds are left out, as JSON has none. */
void hn_describe_json(JsonBuilder *b, const HnPlugin *p);
/* Adds a member with the name, unit, doc and fold of each column.  columns may be NULL. */
void hn_describe_columns(JsonBuilder *b, const char *member, const HnColumn *columns);

/* The head of a plugin's page of documentation: what it is, its parameters and columns, without
 * where its file is.  Free with g_free. */
char *hn_describe_markdown(const HnPlugin *p);
/* Plugins (HnFound *, rejected ones are left out) by kind with their summaries, each a link to
 * NAME.md.  Free with g_free. */
char *hn_describe_markdown_list(const GPtrArray *plugins);

/* The same of a block that the host reads (with a schema). */
char *hn_describe_block_text(const HnBlock *block);
void hn_describe_block(JsonBuilder *b, const HnBlock *block);
/* The evaluation protocols; as a member "protocols". */
char *hn_describe_protocols_text(void);
void hn_describe_protocols(JsonBuilder *b);

/* A flag of plugins, as descriptions call it. */
typedef struct HnFlag {
  uint32_t flag;
  const char *name, *doc; /* "privileged"; "reads .." */
} HnFlag;
/* All of them, up to one without a name. */
extern const HnFlag hn_flags[];
/* A text of a plugin on one line; g_free. */
char *hn_describe_line(const char *text);
/* Whether a description says that the plugin has it: an optional method that it implements. */
bool hn_describes_method(const HnPlugin *p, const HnMethod *m);
const char *hn_fold_name(HnFold fold); /* "mean" */
#endif
