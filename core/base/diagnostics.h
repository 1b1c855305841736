/* diagnostics.h - what is wrong with the user's input: every finding, not only the first. */
#ifndef HN_DIAG_H
#define HN_DIAG_H
#include <glib.h>

typedef struct HnDiag HnDiag;

HnDiag *hn_diag_new(void);
void hn_diag_free(HnDiag *d);
/* Adds "FILE:LINE:COL: error: TEXT"; line 0: "FILE: error: TEXT"; file NULL: "error: TEXT".  The
 * same finding at the same place is kept once: a base is checked with every arm.  Characters that
 * do not print are written as escapes, so that no file can play with the terminal. */
void hn_diag_add(HnDiag *d, const char *file, int line, int column, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
guint hn_diag_count(const HnDiag *d);
/* All findings in the order of their places (files as first met, then line, column), a line each;
 * free with g_free. */
char *hn_diag_text(const HnDiag *d);

/* `text` as valid UTF-8 in which everything prints, escapes for the rest; free with g_free. */
char *hn_diag_printable(const char *text);
/* `text` for a message: at most 40 characters, then "...".  Free with g_free. */
char *hn_diag_cut(const char *text);
/* The candidate (NULL-terminated array) nearest to `name` by edit distance with transpositions,
 * where case and '-' for '_' count nothing, or NULL when none is near enough to suggest: more than
 * a third of the name wrong, unless one is the beginning of the other. */
const char *hn_diag_nearest(const char *name, const char *const *candidates);
/* What to say after an unknown name: "; did you mean 'x'?", or "; valid: a, b, c", at most eight
 * and then how many more.  Free with g_free. */
char *hn_diag_hint(const char *name, const char *const *candidates);
#endif
