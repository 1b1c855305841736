/* colours.h - the colours of a report, each in a light and a dark set: a variable of the page's
 * CSS, and for gnuplot, which knows numbers only, a code.  And how the arms that have a colour of
 * their own are told apart where there is none.
 *
 * A slot is one of HN_SLOTS looks: a colour, a marker and a dash.  Slot 0 is grey, for the baseline
 * of a study.  Every two slots are told apart under each of the three dichromacies (CIEDE2000 of at
 * least 10) and by marker or dash; lines have a contrast of at least 3:1 to the paper. */
#ifndef HN_COLOURS_H
#define HN_COLOURS_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { HN_SLOTS = 16, HN_MARKERS = 8 };

/* Codes: those with a use of their own (HN_REST: arms without a slot), then the slots. */
enum { HN_INK = 1, HN_GRID, HN_HEAT, HN_PATH, HN_PAPER, HN_REST, HN_FIRST_SLOT };
/* The code of a slot; HN_REST for -1. */
int hn_colour_of_slot(int64_t slot);
bool hn_colour_is_code(int64_t code);
/* "#rrggbb", on white or on black paper. */
const char *hn_colour(int code, bool dark);
/* "var(--ink)", "var(--slot-0)" ..; free with g_free. */
char *hn_colour_variable(int code);
/* The CSS that defines all of them, for a page; free with g_free. */
char *hn_colour_variables(bool dark);

/* 0 .. HN_MARKERS - 1. */
int hn_slot_marker(int64_t slot);
/* gnuplot's point type and dash type of a slot. */
int hn_slot_point(int64_t slot);
int hn_slot_dash(int64_t slot);
/* The marker as a path of SVG within -1 .. 1; open ones are to be drawn, the others filled. */
const char *hn_marker_path(int marker);
bool hn_marker_is_open(int marker);
#endif
