/* gather.h - what goes into a package of a study's folder.
 *
 *   study/             study.json, study.yaml, report.html, report/ ..
 *   study/ARM/SEED/    run.json, config.resolved.yaml, tables, trace.bin, ckpt/
 *   plugins/NAME.so    the plugins that ran; lib/ has the kit that they load
 *   files/SHA256/NAME  files that parameters name */
#ifndef HN_GATHER_H
#define HN_GATHER_H
#include "results.h"
#include <stdbool.h>

#define HN_PACKAGE_STUDY   "study"
#define HN_PACKAGE_PLUGINS "plugins"
#define HN_PACKAGE_LIB     "lib"
#define HN_PACKAGE_FILES   "files"
/* The package seen from a cell's folder. */
#define HN_PACKAGE_UP_CELL "../../../"

/* What may be packed although it proves less; each is then noted in the package. */
typedef struct HnPackChoice {
  bool replay;     /* whole checkpoints, with replay buffers and optimisers */
  bool unfinished; /* cells that are not done */
  bool dirty;      /* a program that was built of uncommitted sources */
  bool unchecked;  /* plugins that `hunch check` has not judged, or whose files are gone */
} HnPackChoice;

typedef struct HnGathered {
  const HnResults *results; /* borrowed */
  GPtrArray *sources;       /* HnZipSource * (core/archive/zip.h) */
  GPtrArray *editions;      /* HnEdition * */
  GPtrArray *notes;         /* char *: what a reviewer must know, a sentence each */
  char *scratch;            /* folder in which checkpoints are written anew; removed with this */
} HnGathered;

/* A file that the package holds in an edition of its own (portable.h). */
typedef struct HnEdition {
  char *name, *sha256; /* of the original */
} HnEdition;

/* NULL with HN_ERROR_REFUSED: what the choice does not allow, or a file is damaged; HN_ERROR_FILE.
 */
HnGathered *hn_gather(const HnResults *r, const HnPackChoice *choice, GError **error);
void hn_gathered_free(HnGathered *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnGathered, hn_gathered_free)
#endif
