/* render.c - MuJoCo's own renderer on a context of EGL or OSMesa. */
#include "render.h"
#include "gl.h"
#include <stdlib.h>
#include <string.h>

enum { GEOMS_MAX = 5000, LINES = 21, FONT_SCALE = 100 };

struct HnRenderer {
  HnGl *gl;
  const mjModel *of; /* what `model` is a copy of */
  mjModel *model;    /* with the picture's size, light and colours */
  mjrContext context;
  mjvScene scene;
  int64_t width, height;
  float *depth; /* [height, width], bottom row first, as are pixels [height, width, 3] */
  uint8_t *pixels;
  bool made; /* context and scene */
};

/* Takes down what hangs on model and size; the context must be bound. */
static void unmake(HnRenderer *r) {
  if (r->made) mjr_freeContext(&r->context), mjv_freeScene(&r->scene);
  if (r->model) mj_deleteModel(r->model);
  free(r->depth), free(r->pixels);
  *r = (HnRenderer){.gl = r->gl};
}

void hn_renderer_free(HnRenderer *r) {
  if (!r) return;
  if (r->gl && hn_gl_bind(r->gl)) unmake(r), hn_gl_release(r->gl);
  hn_gl_free(r->gl);
  free(r);
}

/* Models of the papers come without colours: ground and limbs are told apart, as are neighbours. */
static void colour(mjModel *m) {
  static const float ground[4] = {0.80f, 0.84f, 0.80f, 1},
                     limb[][4] = {{0.85f, 0.53f, 0.25f, 1}, {0.62f, 0.35f, 0.18f, 1}};
  for (int g = 0; g < m->ngeom; g++) {
    float *rgba = m->geom_rgba + 4 * g;
    bool grey = rgba[0] == 0.5f && rgba[1] == 0.5f && rgba[2] == 0.5f;
    if (!grey || m->geom_matid[g] >= 0) continue;
    const float *ink = m->geom_bodyid[g] == 0 ? ground : limb[m->geom_bodyid[g] % 2];
    memcpy(rgba, ink, sizeof ground);
  }
}

/* The camera's light, where the model has none; and how far can be seen. */
static void light(mjModel *m, double distance) {
  const float ambient = 0.55f, diffuse = 0.55f;
  m->stat.extent = distance;
  m->vis.map.znear = 0.02f, m->vis.map.zfar = 50;
  if (m->nlight > 0) return;
  for (int k = 0; k < 3; k++) {
    m->vis.headlight.ambient[k] = ambient;
    m->vis.headlight.diffuse[k] = diffuse;
    m->vis.headlight.specular[k] = 0.1f;
  }
}

static HnStatus make(HnRenderer *r, const HnHost *host, const mjModel *model, const HnView *view,
                     int64_t width, int64_t height) {
  unmake(r);
  r->model = mj_copyModel(NULL, model);
  r->depth = calloc((size_t)(width * height), sizeof *r->depth);
  r->pixels = calloc((size_t)(width * height), 3);
  if (!r->model || !r->depth || !r->pixels)
    return host->fail(host, HN_E_IO, "no memory for a picture");
  r->model->vis.global.offwidth = (int)width, r->model->vis.global.offheight = (int)height;
  light(r->model, view->distance);
  if (view->plain) colour(r->model);
  mjv_defaultScene(&r->scene), mjr_defaultContext(&r->context);
  mjv_makeScene(r->model, &r->scene, GEOMS_MAX);
  mjr_makeContext(r->model, &r->context, FONT_SCALE);
  r->made = true, r->of = model, r->width = width, r->height = height;
  mjr_setBuffer(mjFB_OFFSCREEN, &r->context);
  if (r->context.currentBuffer == mjFB_OFFSCREEN) return HN_OK;
  return host->fail(host, HN_E_UNSUPPORTED, "%s: no framebuffer for a picture of %d x %d",
                    hn_gl_name(r->gl), (int)width, (int)height);
}

static void add(mjvScene *scene, int type, const double size[3], const double place[3],
                const float rgba[4]) {
  if (scene->ngeom >= scene->maxgeom) return;
  mjvGeom *g = &scene->geoms[scene->ngeom++];
  mjv_initGeom(g, type, size, place, NULL, rgba);
  g->category = mjCAT_DECOR;
}

/* Lines at whole metres of the ground about the camera's target, so that motion can be seen. */
static void add_lines(mjvScene *scene, const HnView *view) {
  static const float ink[4] = {0.62f, 0.67f, 0.62f, 1};
  const double half = (LINES - 1) / 2.0, wide = 0.012, flat = 0.002;
  double x0 = floor(view->look_at[0] + 0.5), y0 = floor(view->look_at[1] + 0.5);
  for (int k = 0; k < LINES; k++) {
    double off = k - half;
    add(scene, mjGEOM_BOX, (double[]){wide, half, flat}, (double[]){x0 + off, y0, 0}, ink);
    add(scene, mjGEOM_BOX, (double[]){half, wide, flat}, (double[]){x0, y0 + off, 0}, ink);
  }
}

/* What the camera sees of nothing is sky, and the first row is the top one. */
static void finish(const HnRenderer *r, uint8_t *rgb) {
  static const uint8_t sky[3] = {226, 236, 245};
  for (int64_t v = 0; v < r->height; v++)
    for (int64_t u = 0; u < r->width; u++) {
      int64_t from = (r->height - 1 - v) * r->width + u;
      memcpy(rgb + 3 * (v * r->width + u), r->depth[from] >= 1 ? sky : r->pixels + 3 * from, 3);
    }
}

static void draw(HnRenderer *r, mjData *data, const HnView *view, uint8_t *rgb) {
  static const float goal_ink[4] = {0.15f, 0.55f, 0.30f, 0.6f};
  const mjrRect all = {0, 0, (int)r->width, (int)r->height};
  mjvOption option;
  mjvCamera camera;
  mjv_defaultOption(&option), mjv_defaultCamera(&camera);
  memcpy(camera.lookat, view->look_at, sizeof camera.lookat);
  camera.distance = view->distance;
  camera.azimuth = view->azimuth, camera.elevation = view->elevation;
  mjv_updateScene(r->model, data, &option, NULL, &camera, mjCAT_ALL, &r->scene);
  if (view->lines) add_lines(&r->scene, view);
  if (view->goal)
    add(&r->scene, mjGEOM_SPHERE,
        (double[]){view->goal_radius, view->goal_radius, view->goal_radius}, view->goal, goal_ink);
  mjr_setBuffer(mjFB_OFFSCREEN, &r->context);
  mjr_render(all, &r->scene, &r->context);
  mjr_readPixels(r->pixels, r->depth, all, &r->context);
  finish(r, rgb);
}

HnStatus hn_render(HnRenderer **renderer, const HnHost *host, const mjModel *model, mjData *data,
                   const HnView *view, int64_t width, int64_t height, uint8_t *rgb) {
  if (width < 1 || height < 1 || width > HN_PICTURE_MAX || height > HN_PICTURE_MAX)
    return host->fail(host, HN_E_PARAM, "a picture of %lld x %lld: each side has 1 to %d pixels",
                      (long long)width, (long long)height, HN_PICTURE_MAX);
  HnRenderer *r = *renderer;
  if (!r) {
    r = calloc(1, sizeof *r);
    if (!r) return host->fail(host, HN_E_IO, "no memory for a picture");
    HnStatus s = hn_gl_open(&r->gl, host);
    if (s) return free(r), s;
    host->log(host, "pictures are drawn with %s", hn_gl_name(r->gl));
    *renderer = r;
  }
  if (!hn_gl_bind(r->gl))
    return host->fail(host, HN_E_UNSUPPORTED, "%s: the context cannot be used here",
                      hn_gl_name(r->gl));
  HnStatus s = HN_OK;
  if (r->of != model || r->width != width || r->height != height)
    s = make(r, host, model, view, width, height);
  if (s)
    unmake(r);
  else
    draw(r, data, view, rgb);
  hn_gl_release(r->gl);
  return s;
}
