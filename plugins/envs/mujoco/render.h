/* render.h - pictures of MuJoCo scenes, drawn offscreen with OpenGL.
 *
 * Nothing links to OpenGL: libraries are looked for when the first picture is asked for, EGL first
 * (libEGL, which needs no display), else OSMesa (libOSMesa, in software), so environments load and
 * train without either.  HUNCH_GL=egl or osmesa asks for that one, HUNCH_GL=none for neither. Which
 * one draws is logged once.  A renderer is bound to a thread only while it draws. */
#ifndef HN_RENDER_H
#define HN_RENDER_H
#include <hunch/plugin.h>
#include <mujoco/mujoco.h>

/* A free camera and what is added to the scene. */
typedef struct HnView {
  double look_at[3], distance; /* m */
  double azimuth, elevation;   /* degrees, as in mjvCamera */
  const double *goal;          /* [3] a ball to mark it, or NULL */
  double goal_radius;          /* m */
  bool lines;                  /* on the ground, one every metre */
  bool plain;                  /* geoms of the default grey get colours */
} HnView;

typedef struct HnRenderer HnRenderer;

enum { HN_PICTURE_MAX = 4096 }; /* pixels a side */

/* Draws `data`, whose kinematics are up to date.  *renderer is NULL at first and is made, or made
 * again for another model or size; one per instance.
 *   rgb  [height, width, 3] out, top row first
 * Errors: HN_E_UNSUPPORTED without OpenGL, saying what was tried; HN_E_PARAM for a size outside 1
 * .. HN_PICTURE_MAX; HN_E_IO without memory.  [instance] */
HnStatus hn_render(HnRenderer **renderer, const HnHost *host, const mjModel *model, mjData *data,
                   const HnView *view, int64_t width, int64_t height, uint8_t *rgb);
void hn_renderer_free(HnRenderer *r); /* NULL: nothing */
#endif
