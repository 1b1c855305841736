/* gl.c - see gl.h.  The few functions and constants of EGL 1.5 and OSMesa that are needed are
 * declared here, so that building takes no headers of theirs. */
#include "gl.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { /* Source: Khronos' egl.h, eglext.h */
       EGL_OPENGL_BIT = 8,
       EGL_PBUFFER_BIT = 1,
       EGL_BLUE_SIZE = 0x3022,
       EGL_GREEN_SIZE = 0x3023,
       EGL_RED_SIZE = 0x3024,
       EGL_DEPTH_SIZE = 0x3025,
       EGL_SURFACE_TYPE = 0x3033,
       EGL_NONE = 0x3038,
       EGL_RENDERABLE_TYPE = 0x3040,
       EGL_OPENGL_API = 0x30A2,
       EGL_PLATFORM_DEVICE = 0x313F,
       EGL_PLATFORM_SURFACELESS = 0x31DD,
};
enum { OSMESA_RGBA = 0x1908, GL_UNSIGNED_BYTE = 0x1401 }; /* Source: Mesa's osmesa.h, gl.h */
enum { DEVICES_MAX = 16, DEPTH_BITS = 24, SIDE = 16, WHY = 400 };

typedef void *Handle;
typedef Handle EglGetProc(const char *name);
typedef unsigned EglQueryDevices(int max, Handle *device, int *count);
typedef Handle EglGetPlatformDisplay(unsigned platform, Handle native, const int *attributes);
typedef unsigned EglInitialize(Handle display, int *major, int *minor);
typedef unsigned EglBindApi(unsigned api);
typedef unsigned EglChooseConfig(Handle display, const int *attributes, Handle *config, int size,
                                 int *count);
typedef Handle EglCreateContext(Handle display, Handle config, Handle share, const int *attributes);
typedef unsigned EglMakeCurrent(Handle display, Handle draw, Handle read, Handle context);
typedef unsigned EglDestroyContext(Handle display, Handle context);
typedef unsigned EglTerminate(Handle display);
typedef Handle OsCreateContext(int format, int depth, int stencil, int accumulate, Handle share);
typedef unsigned char OsMakeCurrent(Handle context, void *buffer, unsigned type, int width,
                                    int height);
typedef void OsDestroyContext(Handle context);

struct HnGl {
  const char *name;
  Handle display, context;
  EglMakeCurrent *egl_make_current;
  EglDestroyContext *egl_destroy_context;
  EglTerminate *egl_terminate;
  OsMakeCurrent *os_make_current;
  OsDestroyContext *os_destroy_context;
  uint8_t buffer[4 * SIDE * SIDE]; /* OSMesa wants one; MuJoCo draws into its own */
};

/* A function's address: dlsym's pointer to an object copied as bytes, as POSIX has it. */
static bool find(Handle library, const char *name, void *function) {
  void *found = dlsym(library, name);
  memcpy(function, &found, sizeof found);
  return found;
}

/* Libraries stay loaded: MuJoCo finds the functions in them, and drivers do not like to leave. */
static Handle load(const char *const *names, char *why) {
  for (; *names; names++) {
    Handle library = dlopen(*names, RTLD_NOW | RTLD_GLOBAL);
    if (library) return library;
    size_t used = strlen(why);
    snprintf(why + used, WHY - used, "%s; ", dlerror());
  }
  return NULL;
}

static void note(char *why, const char *text) {
  size_t used = strlen(why);
  snprintf(why + used, WHY - used, "%s; ", text);
}

/* ---- EGL ---- */

/* A display without a screen: software or a render node (Mesa's surfaceless), else a device. */
static Handle open_display(EglGetProc *proc, EglInitialize *initialize) {
  EglGetPlatformDisplay *get = NULL;
  EglQueryDevices *query = NULL;
  Handle device[DEVICES_MAX], found = proc("eglGetPlatformDisplayEXT");
  int count = 0;
  memcpy(&get, &found, sizeof found);
  found = proc("eglQueryDevicesEXT");
  memcpy(&query, &found, sizeof found);
  if (!get) return NULL;
  if (query && !query(DEVICES_MAX, device, &count)) count = 0;
  for (int k = -1; k < count; k++) {
    Handle display = k < 0 ? get(EGL_PLATFORM_SURFACELESS, NULL, NULL)
                           : get(EGL_PLATFORM_DEVICE, device[k], NULL);
    if (display && initialize(display, NULL, NULL)) return display;
  }
  return NULL;
}

static bool open_egl(HnGl *gl, char *why) {
  static const char *const names[] = {"libEGL.so.1", NULL};
  static const int wanted[] = {EGL_SURFACE_TYPE,
                               EGL_PBUFFER_BIT,
                               EGL_RED_SIZE,
                               8,
                               EGL_GREEN_SIZE,
                               8,
                               EGL_BLUE_SIZE,
                               8,
                               EGL_DEPTH_SIZE,
                               DEPTH_BITS,
                               EGL_RENDERABLE_TYPE,
                               EGL_OPENGL_BIT,
                               EGL_NONE};
  Handle library = load(names, why), config;
  EglGetProc *proc;
  EglInitialize *initialize;
  EglBindApi *bind;
  EglChooseConfig *choose;
  EglCreateContext *create;
  int count = 0;
  if (!library) return false;
  if (!find(library, "eglGetProcAddress", &proc) || !find(library, "eglInitialize", &initialize) ||
      !find(library, "eglBindAPI", &bind) || !find(library, "eglChooseConfig", &choose) ||
      !find(library, "eglCreateContext", &create) ||
      !find(library, "eglMakeCurrent", &gl->egl_make_current) ||
      !find(library, "eglDestroyContext", &gl->egl_destroy_context) ||
      !find(library, "eglTerminate", &gl->egl_terminate))
    return note(why, "libEGL.so.1 lacks a function"), false;
  gl->name = "EGL";
  gl->display = open_display(proc, initialize);
  if (!gl->display) return note(why, "EGL has no driver that draws offscreen"), false;
  if (bind(EGL_OPENGL_API) && choose(gl->display, wanted, &config, 1, &count) && count > 0)
    gl->context = create(gl->display, config, NULL, NULL);
  if (gl->context) return true;
  gl->egl_terminate(gl->display);
  return note(why, "EGL's driver has no OpenGL"), false;
}

/* ---- OSMesa ---- */

static bool open_osmesa(HnGl *gl, char *why) {
  static const char *const names[] = {"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", NULL};
  Handle library = load(names, why);
  OsCreateContext *create;
  if (!library) return false;
  if (!find(library, "OSMesaCreateContextExt", &create) ||
      !find(library, "OSMesaMakeCurrent", &gl->os_make_current) ||
      !find(library, "OSMesaDestroyContext", &gl->os_destroy_context))
    return note(why, "libOSMesa lacks a function"), false;
  gl->name = "OSMesa";
  gl->context = create(OSMESA_RGBA, DEPTH_BITS, 8, 0, NULL);
  return gl->context || (note(why, "OSMesa makes no context"), false);
}

/* ---- either ---- */

HnStatus hn_gl_open(HnGl **out, const HnHost *host) {
  const char *asked = getenv("HUNCH_GL");
  char why[WHY] = "";
  bool any = !asked || !*asked;
  if (!any && strcmp(asked, "egl") != 0 && strcmp(asked, "osmesa") != 0 &&
      strcmp(asked, "none") != 0)
    return host->fail(host, HN_E_PARAM, "HUNCH_GL is '%s': expected egl, osmesa or none", asked);
  HnGl *gl = calloc(1, sizeof *gl);
  if (!gl) return host->fail(host, HN_E_IO, "no memory for a picture");
  bool ok = (any || !strcmp(asked, "egl")) && open_egl(gl, why);
  if (!ok && (any || !strcmp(asked, "osmesa"))) {
    *gl = (HnGl){.name = NULL};
    ok = open_osmesa(gl, why);
  }
  if (ok) return *out = gl, HN_OK;
  free(gl);
  return host->fail(host, HN_E_UNSUPPORTED,
                    "drawing needs OpenGL through EGL or OSMesa (%s); on Debian: apt-get install "
                    "libegl1 libgl1-mesa-dri, or libosmesa6",
                    *why ? why : "HUNCH_GL is none");
}

const char *hn_gl_name(const HnGl *gl) {
  return gl->name;
}

bool hn_gl_bind(HnGl *gl) {
  if (gl->egl_make_current) return gl->egl_make_current(gl->display, NULL, NULL, gl->context);
  return gl->os_make_current(gl->context, gl->buffer, GL_UNSIGNED_BYTE, SIDE, SIDE);
}

void hn_gl_release(HnGl *gl) {
  if (gl->egl_make_current)
    gl->egl_make_current(gl->display, NULL, NULL, NULL);
  else
    gl->os_make_current(NULL, NULL, GL_UNSIGNED_BYTE, 0, 0);
}

void hn_gl_free(HnGl *gl) {
  if (!gl) return;
  if (gl->egl_make_current)
    gl->egl_destroy_context(gl->display, gl->context);
  else
    gl->os_destroy_context(gl->context);
  free(gl);
}
