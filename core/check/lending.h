/* lending.h - the arrays of one call of a plugin, each on pages of its own that end where the array
 * ends: what is const cannot be written to, outputs hold what no computation yields, and once the
 * call has returned nothing of it can be touched. */
#ifndef HN_LENDING_H
#define HN_LENDING_H
#include <glib.h>
#include <hunch/plugin.h>

typedef enum HnWay {
  HN_LEND_IN,    /* to be read */
  HN_LEND_OUT,   /* all of it is to be written; floats or doubles by `item` */
  HN_LEND_INOUT, /* may be read and written */
} HnWay;

enum { HN_LENDINGS = 24, HN_LENDING_CALLS = 24 };

typedef struct HnLent {
  const char *name;
  void *pointer; /* address of the pointer that the call gets, of whatever type */
  void *own;     /* the host's array */
  gsize ahead;   /* bytes of it before what the pointer points to: the step before a window */
  gsize bytes, item;
  HnWay way;
} HnLent;

typedef struct HnLending {
  int call;   /* which method */
  bool stays; /* at the same addresses in each call of the method; else never twice in a row */
  int slots, count;
  HnLent array[HN_LENDINGS];
} HnLending;

/* Adds an array unless its pointer is NULL. */
void hn_lend(HnLending *l, const char *name, void *pointer, gsize bytes, HnWay way, gsize item);
/* Adds those of a window, whose struct must be a copy: rows of `row_size` bytes before it. */
void hn_lend_history(HnLending *l, HnHistory *h, const int64_t width[4], gsize row_size);
enum { HN_WIDE_OBS, HN_WIDE_ACTION, HN_WIDE_TASK, HN_WIDE_AUX }; /* widths of a window's arrays */

/* Points the call's pointers at the lent arrays. */
void hn_lend_begin(HnLending *l);
/* Takes over what was written and puts the pointers back.  What was done wrong, in words that begin
 * with the array; NULL: nothing.  g_free */
char *hn_lend_end(HnLending *l);
/* Why a crash at that address is one, or NULL. */
const char *hn_lend_explain(const void *address);
#endif
