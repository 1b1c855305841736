/* text_fold.h - long lines of help and of tables, broken so that a terminal shows them whole. */
#ifndef HN_TEXT_FOLD_H
#define HN_TEXT_FOLD_H

/* `text` with every line of more than `width` characters broken at spaces.  What follows is
 * indented as the line's last column is, which two spaces or more set off, and by at most half the
 * width.  Escape sequences of colours take no room; a word longer than a line stays whole.  Free
 * with g_free.  [any] */
char *hn_text_folded(const char *text, int width);
#endif
