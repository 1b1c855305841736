/* camera.c - a model and a simulator of their own, for drawing alone. */
#include "camera.h"
#include "model.h"
#include <string.h>

void hn_mw_picture_free(HnMwPicture *p) {
  hn_renderer_free(p->renderer);
  if (p->data) mj_deleteData(p->data);
  if (p->model) mj_deleteModel(p->model);
  *p = (HnMwPicture){.renderer = NULL};
}

/* Without textures a table is white; and sites are where the model had them, not the episode. */
static void colour(mjModel *m) {
  static const float wood[4] = {0.76f, 0.62f, 0.45f, 1};
  int table = mj_name2id(m, mjOBJ_MATERIAL, "table_wood");
  if (table >= 0) memcpy(m->mat_rgba + 4 * table, wood, sizeof wood);
  for (int k = 0; k < m->nsite; k++) m->site_rgba[4 * k + 3] = 0;
}

static HnStatus need(HnMwPicture *p, const HnHost *host, const char *assets, int64_t task) {
  if (p->model && p->task == task) return HN_OK;
  hn_mw_picture_free(p);
  HnStatus s = hn_mw_load(host, assets, hn_mw_tasks[task].model, true, &p->model);
  if (s) return s;
  colour(p->model);
  p->task = task;
  p->data = mj_makeData(p->model);
  if (p->data) return HN_OK;
  hn_mw_picture_free(p);
  return host->fail(host, HN_E_IO, "no memory for a picture");
}

HnStatus hn_mw_draw(HnMwPicture *p, const HnHost *host, const char *assets, const HnMwRow *row,
                    int64_t width, int64_t height, uint8_t *rgb) {
  static const double down[4] = {1, 0, 1, 0};
  const HnView view = {.look_at = {0, 0.65, 0.1},
                       .distance = 1.5,
                       .azimuth = 125,
                       .elevation = -28,
                       .goal = row->target,
                       .goal_radius = 0.02};
  HnStatus s = need(p, host, assets, row->task);
  if (s) return s;
  mjData *d = p->data;
  hn_mw_place_bodies(row, p->model);
  memcpy(d->qpos, row->qpos, sizeof(double) * (size_t)p->model->nq);
  memcpy(d->mocap_pos, row->mocap, sizeof row->mocap);
  memcpy(d->mocap_quat, down, sizeof down);
  mj_kinematics(p->model, d), mj_comPos(p->model, d), mj_camlight(p->model, d);
  return hn_render(&p->renderer, host, p->model, d, &view, width, height, rgb);
}
