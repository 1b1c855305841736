/* diagnostics.h - collects everything that is wrong with the user's input, not only the first
 * error.
 */
#ifndef HN_DIAGNOSTICS_H
#define HN_DIAGNOSTICS_H
#include <glib.h>

typedef struct HnDiag HnDiag;

HnDiag *hn_diag_new(void);
void hn_diag_free(HnDiag *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnDiag, hn_diag_free)
/* Adds "FILE:LINE:COL: error: TEXT"; line 0: "FILE: error: TEXT"; file NULL: "error: TEXT".  The
 * same finding at the same place is kept once: a base is checked with every arm.  Unprintable
 * characters are escaped, so that no file can send control sequences to the terminal. */
void hn_diag_add(HnDiag *d, const char *file, int line, int column, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
guint hn_diag_count(const HnDiag *d);
/* The i-th of them, in the order of the last hn_diag_text; what it points to lives as long as d. */
typedef struct HnFinding {
  const char *file;    /* or NULL */
  int line, column;    /* 0: none */
  const char *message; /* printable, without the place */
} HnFinding;
HnFinding hn_diag_at(const HnDiag *d, guint i);
/* All findings, a line each, ordered by file (as first met), line and column; free with g_free. */
char *hn_diag_text(const HnDiag *d);

/* `text` as printable UTF-8, everything else escaped; free with g_free. */
char *hn_diag_printable(const char *text);
/* The first line of a message of several, such as findings are, as printable text, and how many
 * more there are; free with g_free. */
char *hn_diag_first_line(const char *text);
/* `text` for a message, cut after 40 characters with "..."; free with g_free. */
char *hn_diag_cut(const char *text);
/* The candidate (NULL-terminated array) nearest to `name` by edit distance with transpositions,
 * ignoring case and '-' for '_'; NULL if more than a third of the name differs, unless one is a
 * prefix of the other. */
const char *hn_diag_nearest(const char *name, const char *const *candidates);
/* The end of a message about an unknown name: "; did you mean 'x'?", or "; valid: a, b, c and 4
 * more"; free with g_free. */
char *hn_diag_hint(const char *name, const char *const *candidates);
#endif
