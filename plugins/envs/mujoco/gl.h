/* gl.h - an offscreen OpenGL context from EGL or OSMesa, found when asked for. */
#ifndef HN_GL_H
#define HN_GL_H
#include <hunch/plugin.h>

typedef struct HnGl HnGl;

/* EGL, else OSMesa; HUNCH_GL=egl, osmesa or none leaves less to choose from.  HN_E_UNSUPPORTED with
 * what was tried and what Debian calls it. */
HnStatus hn_gl_open(HnGl **out, const HnHost *host);
const char *hn_gl_name(const HnGl *gl); /* "EGL" or "OSMesa" */
/* Makes it this thread's current context; false if it cannot be. */
bool hn_gl_bind(HnGl *gl);
void hn_gl_release(HnGl *gl);
void hn_gl_free(HnGl *gl); /* released, or NULL */
#endif
