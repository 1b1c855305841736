/* include.h - a base that begins with that of another study.
 *
 *   base: {include: reach.yaml, env: {task: push}}
 *
 * The file is a study by itself, of which the base alone counts; the path is from the folder of the
 * file that names it.  What stands beside `include` is laid over that base as an arm is: a block
 * that names another plugin replaces.  Included bases may include, up to HN_INCLUDES_MAX files. */
#ifndef HN_INCLUDE_H
#define HN_INCLUDE_H
#include "yaml_tree.h"

#define HN_INCLUDE "include"
#define HN_INCLUDE_DOC \
  "Another study, by its path from this file: its base, under the keys beside it."
enum { HN_INCLUDES_MAX = 8 };

/* Puts what is included into the base of a study's tree, where every node knows the file and line
 * that it comes from.  Whether anything was included; false too with findings. */
bool hn_include_base(HnNode *study, HnDiag *d);
/* The study's text with the whole base in place of the one that includes, so that it needs no other
 * file; study: its tree after hn_include_base.  Free with g_free. */
char *hn_include_flatten(const char *text, const HnNode *study);
#endif
