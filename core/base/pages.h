/* pages.h - large zeroed memory, and memory that can be lent for reading. */
#ifndef HN_PAGES_H
#define HN_PAGES_H
#include <glib.h>
#include <stdbool.h>

/* Zeroed memory, 64-byte aligned; large blocks are mapped, so untouched pages cost nothing.  Aborts
 * when there is no more.  [any] */
void *hn_zeros(gsize bytes);
/* p may be NULL.  [any] */
void hn_zeros_free(void *p);

/* Zeroed memory at two addresses: at p for its owner, and *lent bytes further on for whomever it is
 * lent to, who can only read it there. */
void *hn_lent_new(gsize bytes, gsize *lent);
/* p may be NULL. */
void hn_lent_free(void *p, gsize lent);
/* Whether somebody wrote, at this address, to what is only lent; a signal handler may ask. */
bool hn_lent_holds(const void *address);
/* How much is lent now, which counts twice in what the process holds. */
double hn_lent_bytes(void);
#endif
