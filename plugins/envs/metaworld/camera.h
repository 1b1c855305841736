/* camera.h - pictures of Meta-World, with the visual meshes that the simulator leaves out. */
#ifndef HN_MW_PICTURE_H
#define HN_MW_PICTURE_H
#include "../mujoco/render.h"
#include "world.h"

typedef struct HnMwPicture { /* zeroed: nothing drawn yet */
  HnRenderer *renderer;
  mjModel *model; /* of `task`, whole */
  mjData *data;
  int64_t task;
} HnMwPicture;

/* Draws a row as seen from the corner behind the arm, a ball at its goal.
 *   assets  folder, as hn_mw_find_assets finds it
 *   rgb     [height, width, 3] out, top row first
 * Errors: as hn_render and hn_mw_load.  [instance] */
HnStatus hn_mw_draw(HnMwPicture *p, const HnHost *host, const char *assets, const HnMwRow *row,
                    int64_t width, int64_t height, uint8_t *rgb);
void hn_mw_picture_free(HnMwPicture *p);
#endif
