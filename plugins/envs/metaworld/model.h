/* model.h - Meta-World's models: where they are, and how they are compiled.
 *
 * Models and meshes are Meta-World's and never in this repository.  They are looked for in
 * $METAWORLD_ASSETS (and nowhere else where that is set), in Python packages named metaworld, in a
 * checkout beside the working directory, and in the cache that ./dev setup --metaworld fills.
 *
 * What is compiled has textures left out and meshes that nothing can touch: nothing that moves
 * changes by it (a test compares masses and inertias), and a model shrinks from 7 MB to 0.5 MB. */
#ifndef HN_MW_MODEL_H
#define HN_MW_MODEL_H
#include <hunch/plugin.h>
#include <mujoco/mujoco.h>

enum { HN_MW_PATH = 1024 };

/* Finds the folder that holds sawyer_xyz/, objects/ and scene/.
 *   folder  out [HN_MW_PATH]
 * Errors: HN_E_IO with the places looked in and the command that fetches them.  [create] */
HnStatus hn_mw_find_assets(const HnHost *host, char *folder);

/* Compiles ASSETS/sawyer_xyz/FILE; `whole` keeps the visual meshes (for pictures; no textures
 * either).  To mj_deleteModel.  Errors: HN_E_IO naming the file; NULL then in *model. [create] */
HnStatus hn_mw_load(const HnHost *host, const char *assets, const char *file, bool whole,
                    mjModel **model);
#endif
