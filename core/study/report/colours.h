/* colours.h - the colours of a report, each in a light and a dark set: a variable of the page's
 * CSS, and for gnuplot, which knows numbers only, a code. */
#ifndef HN_COLOURS_H
#define HN_COLOURS_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Codes: four with a use of their own, then the parts of one arm's figure, then the arms. */
enum { HN_INK = 1, HN_GRID, HN_HEAT, HN_PATH, HN_SERIES };
int hn_colour_of_series(int64_t i);
int hn_colour_of_arm(int64_t arm);
bool hn_colour_is_code(int64_t code);

/* "#rrggbb", on white or on black paper.  The baseline's arm is grey; the others stay apart for the
 * colour-blind (Okabe and Ito's hues, darkened or lightened to 3:1 contrast). */
const char *hn_colour(int code, int64_t baseline, bool dark);
/* Whether an arm has the hue of an arm before it. */
bool hn_colour_repeats(int64_t arm, int64_t baseline);
/* "var(--ink)", "var(--arm-0)" ..; free with g_free. */
char *hn_colour_variable(int code);
/* The CSS that defines all of them, for a page; free with g_free. */
char *hn_colour_variables(int64_t arms, int64_t baseline, bool dark);
#endif
