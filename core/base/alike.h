/* alike.h - names of which the same is said, so that it is said once for all of them. */
#ifndef HN_ALIKE_H
#define HN_ALIKE_H
#include <glib.h>

typedef struct HnAlike {
  char *said;
  GPtrArray *names; /* const char *, borrowed */
} HnAlike;

/* HnAlike *, in the order of the first name of each; g_ptr_array_unref. */
GPtrArray *hn_alike_new(void);
void hn_alike_add(GPtrArray *all, const char *said, const char *name);
/* "a, b and 3 more": at most `most` of the names; g_free. */
char *hn_alike_names(const HnAlike *a, guint most);
#endif
