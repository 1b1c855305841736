/* apart.h - forks in which plugins are judged: what a plugin does to its process ends with the
 * fork, and whatever ends the fork is a reason that names the call.  A fork of a process in which
 * no plugin has been called yet is as good as a new one. */
#ifndef HN_APART_H
#define HN_APART_H
#include "cell.h"
#include "helper.h"

/* What each fork may take, for the whole process. */
extern HnHelperLimits hn_apart_limits;

/* Runs act(arg) in a fork.  False with a reason where that did not come back. */
bool hn_apart(const HnCell *cell, void (*act)(void *arg), void *arg, GString *why);
/* As hn_apart; what act appends to its bytes is returned, or NULL with a reason.  g_bytes_unref */
typedef void HnApartBytes(void *arg, GByteArray *out);
GBytes *hn_apart_bytes(const HnCell *cell, HnApartBytes *act, void *arg, GString *why);

/* In a fork: what is asked of the plugin, a literal; said where the fork ends by it.  NULL: nothing
 * that its call does not say. */
void hn_apart_doing(const char *words);

/* Ends what a constructor has left of processes when the plugin was loaded into this one. */
void hn_apart_end_children(void);

/* In a fork: what a crash at an address is due to, NULL: not known.  Called in a signal handler. */
extern const char *(*hn_apart_explain)(const void *address);
#endif
