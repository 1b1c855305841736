/* fenced_blocks.h - the fenced blocks of a page of documentation, in their order. */
#ifndef HN_FENCED_BLOCKS_H
#define HN_FENCED_BLOCKS_H
#include <glib.h>

typedef struct Block {
  char *info; /* what stands behind the opening fence */
  char *text; /* its lines, each with its end */
  guint line; /* of the opening fence, from 1 */
} Block;

static inline void block_free(gpointer data) {
  Block *b = data;
  g_free(b->info), g_free(b->text), g_free(b);
}

/* Block *; g_ptr_array_unref. */
static inline GPtrArray *blocks_of(const char *page) {
  GPtrArray *blocks = g_ptr_array_new_with_free_func(block_free);
  g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
  Block *open = NULL;
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; lines[i]; i++) {
    if (!g_str_has_prefix(lines[i], "```")) {
      if (open) g_string_append_printf(text, "%s\n", lines[i]);
    } else if (open) {
      open->text = g_strdup(text->str);
      g_ptr_array_add(blocks, open), open = NULL;
    } else {
      open = g_new0(Block, 1);
      open->info = g_strdup(lines[i] + 3), open->line = i + 1;
      g_string_truncate(text, 0);
    }
  }
  if (open) g_error("the fence in line %u is not closed", open->line);
  return blocks;
}
#endif
