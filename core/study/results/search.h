/* search.h - a search by successive halving as it stands in a study's folder: search.json, which
 * says for every rung what each candidate reached, and which went on. */
#ifndef HN_SEARCH_H
#define HN_SEARCH_H
#include "compare.h"

typedef struct HnSearch HnSearch;

/* The search of a study that has `sweep.halving`, as far as it has come in that folder.  NULL:
 * HN_ERROR_DIFFERS where the folder holds another search, HN_ERROR_FILE where its file is damaged.
 * study: borrowed. */
HnSearch *hn_search_open(const HnStudy *study, const char *dir, GError **error);
void hn_search_free(HnSearch *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnSearch, hn_search_free)
/* Whether all rungs are decided. */
bool hn_search_over(const HnSearch *s);
/* Gives every cell of the study the frames that it trains for until the next decision. */
void hn_search_set_lengths(const HnSearch *s, HnStudy *study);
/* The arms that train now: candidates that are left, and arms that were not swept. NULL-terminated,
 * g_strfreev. */
char **hn_search_arms(const HnSearch *s);
/* Decides the next rung by the results in the folder, and writes that down: of the candidates of
 * each swept arm the best go on, by the report's metric and aggregate over seeds; one that lacks a
 * seed's value comes last.  False: HN_ERROR_REFUSED where it is not known whether higher is better,
 * HN_ERROR_FILE, or as hn_compare. */
bool hn_search_decide(HnSearch *s, GError **error);
/* Of the rung that was decided last, lines (char *) about candidates that were stopped though they
 * had reached the same as one that goes on: "b is tied with a: the first in the study goes on".
 * g_ptr_array_unref. */
GPtrArray *hn_search_ties(const HnSearch *s);
/* What a reader of a folder's results should know of a search in it, appended to `notes`, a line
 * each (char *). */
void hn_search_note(const char *dir, GPtrArray *notes);
/* Which candidates the search in a folder has kept, and that this is its own seeds' choice, in a
 * sentence; NULL: the folder holds no search.  g_free. */
char *hn_search_kept(const char *dir);
#endif
