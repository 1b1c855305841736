/* diag.h - what is wrong with the user's input: every finding, not only the first. */
#ifndef HN_DIAG_H
#define HN_DIAG_H
#include <glib.h>

typedef struct HnDiag HnDiag;

HnDiag *hn_diag_new(void);
void hn_diag_free(HnDiag *d);
/* Adds "FILE:LINE:COL: error: TEXT"; line 0: "FILE: error: TEXT"; file NULL: "error: TEXT". */
void hn_diag_add(HnDiag *d, const char *file, int line, int column, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
guint hn_diag_count(const HnDiag *d);
/* All findings in the order of their places, a line each; free with g_free. */
char *hn_diag_text(const HnDiag *d);

/* The candidate (NULL-terminated array) nearest to `name` by edit distance with transpositions, or
 * NULL when none is near enough to suggest. */
const char *hn_diag_nearest(const char *name, const char *const *candidates);
#endif
