/* model.c - finds, flattens, strips and compiles. */
#include "model.h"
#include "../mujoco/sim.h"
#include "compat.h"
#include "xml.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FETCH "`./dev setup --metaworld` or `pip install metaworld==3.1.1` fetches them"

/* ---- where they are ---- */

static const char probe[] = "sawyer_xyz/sawyer_reach_v3.xml"; /* tells the folder from others */

static bool holds_assets(const char *folder) {
  char path[HN_MW_PATH + sizeof probe];
  snprintf(path, sizeof path, "%s/%s", folder, probe);
  return access(path, R_OK) == 0;
}

/* The folder itself, a package or a checkout. */
static bool is_place(const char *place, char *folder) {
  const char *below[] = {"", "/assets", "/metaworld/assets"};
  for (size_t k = 0; k < sizeof below / sizeof *below; k++) {
    int length = snprintf(folder, HN_MW_PATH, "%s%s", place, below[k]);
    if (length < HN_MW_PATH && holds_assets(folder)) return true;
  }
  return false;
}

/* The pattern's $NAME at the front replaced by the variable's value; false where it is not set. */
static bool expand(const char *pattern, char *out) {
  const char *rest = pattern, *value = "";
  char name[64] = "";
  if (*pattern == '$') {
    size_t length = strcspn(++pattern, "/");
    memcpy(name, pattern, length), name[length] = 0;
    value = getenv(name), rest = pattern + length;
  }
  return value && (*value || !*name) && snprintf(out, HN_MW_PATH, "%s%s", value, rest) < HN_MW_PATH;
}

/* Packages of the Python in use, of the system, of the user; a checkout; the cache. */
static const char *const places[] = {"$VIRTUAL_ENV/lib/python3*/*-packages/metaworld",
                                     "$CONDA_PREFIX/lib/python3*/*-packages/metaworld",
                                     "$HOME/.local/lib/python3*/*-packages/metaworld",
                                     "/usr/local/lib/python3*/*-packages/metaworld",
                                     "/usr/lib/python3*/*-packages/metaworld",
                                     "./Metaworld",
                                     "../Metaworld",
                                     "$XDG_CACHE_HOME/hunch/metaworld",
                                     "$HOME/.cache/hunch/metaworld"};

static bool search(const char *pattern, char *folder) {
  char path[HN_MW_PATH];
  glob_t found;
  if (!expand(pattern, path) || glob(path, 0, NULL, &found)) return false;
  bool good = false;
  for (size_t k = 0; k < found.gl_pathc && !good; k++) good = is_place(found.gl_pathv[k], folder);
  globfree(&found);
  return good;
}

/* Meshes are named by path, so that it must not depend on the working directory. */
static bool make_absolute(char *folder) {
  char *real = realpath(folder, NULL);
  bool fits = real && strlen(real) < HN_MW_PATH;
  if (fits) memcpy(folder, real, strlen(real) + 1);
  free(real);
  return fits;
}

HnStatus hn_mw_find_assets(const HnHost *host, char *folder) {
  const char *given = getenv("METAWORLD_ASSETS");
  if (given && *given) {
    if (is_place(given, folder) && make_absolute(folder)) return HN_OK;
    return host->fail(host, HN_E_IO, "$METAWORLD_ASSETS: no %s in %s; " FETCH, probe, given);
  }
  for (size_t k = 0; k < sizeof places / sizeof *places; k++)
    if (search(places[k], folder) && make_absolute(folder)) return HN_OK;
  char looked[HN_MW_PATH] = "";
  size_t length = 0;
  for (size_t k = 0; k < sizeof places / sizeof *places && length < sizeof looked; k++)
    length += (size_t)snprintf(looked + length, sizeof looked - length, ", %s", places[k]);
  return host->fail(host, HN_E_IO,
                    "no models of Meta-World; " FETCH "; no %s in $METAWORLD_ASSETS%s", probe,
                    looked);
}

/* ---- what is left out ---- */

/* What a geom without `attribute` inherits from the classes of <default>, or NULL. */
static HnMwSlice inherited(const HnMwXml *xml, HnMwSlice class, const char *attribute) {
  for (int n = 0; n >= 0; n = hn_mw_xml_walk(xml, n)) {
    if (!hn_mw_xml_is(xml, n, "default")) continue;
    HnMwSlice name = hn_mw_xml_get(xml, n, "class");
    bool top = !hn_mw_xml_is(xml, xml->node[n].parent, "default");
    if (class.at ? !hn_mw_slice_same(name, class) : !(top && !name.at)) continue;
    /* up the classes that hold this one */
    for (int level = n; level > 0 && hn_mw_xml_is(xml, level, "default");
         level = xml->node[level].parent)
      for (int c = xml->node[level].child; c >= 0; c = xml->node[c].next) {
        HnMwSlice value = hn_mw_xml_get(xml, c, attribute);
        if (hn_mw_xml_is(xml, c, "geom") && value.at) return value;
      }
  }
  return (HnMwSlice){NULL, 0};
}

static HnMwSlice of_geom(const HnMwXml *xml, int n, const char *attribute) {
  HnMwSlice value = hn_mw_xml_get(xml, n, attribute);
  HnMwSlice class = hn_mw_xml_get(xml, n, "class");
  for (int up = xml->node[n].parent; up > 0 && !class.at; up = xml->node[up].parent)
    class = hn_mw_xml_get(xml, up, "childclass");
  return value.at ? value : inherited(xml, class, attribute);
}

static bool is_invisible_mesh(const HnMwXml *xml, int n) {
  return hn_mw_xml_is(xml, n, "geom") && hn_mw_xml_get(xml, n, "mesh").at &&
         !hn_mw_xml_get(xml, n, "name").at && hn_mw_slice_is(of_geom(xml, n, "contype"), "0") &&
         hn_mw_slice_is(of_geom(xml, n, "conaffinity"), "0");
}

/* A mesh without a name is named by its file, without folder and ending. */
static HnMwSlice mesh_name(const HnMwXml *xml, int n) {
  HnMwSlice name = hn_mw_xml_get(xml, n, "name"), file = hn_mw_xml_get(xml, n, "file");
  if (name.at || !file.at) return name;
  int start = file.length, end = file.length;
  while (start > 0 && file.at[start - 1] != '/') start--;
  for (int k = start; k < file.length; k++)
    if (file.at[k] == '.') end = k;
  return (HnMwSlice){file.at + start, end - start};
}

static bool is_used(const HnMwXml *xml, HnMwSlice mesh) {
  for (int n = 0; n >= 0; n = hn_mw_xml_walk(xml, n))
    if (hn_mw_xml_is(xml, n, "geom") && !xml->node[n].dropped &&
        hn_mw_slice_same(hn_mw_xml_get(xml, n, "mesh"), mesh))
      return true;
  return false;
}

static void strip(HnMwXml *xml, bool whole) {
  for (int n = 0; n >= 0; n = hn_mw_xml_walk(xml, n)) {
    HnMwNode *node = &xml->node[n];
    if (hn_mw_xml_is(xml, n, "texture")) node->dropped = true;
    if (hn_mw_xml_is(xml, n, "material")) hn_mw_xml_unset(xml, n, "texture");
    if (!whole && is_invisible_mesh(xml, n)) node->dropped = true;
  }
  for (int n = 0; n >= 0; n = hn_mw_xml_walk(xml, n))
    if (hn_mw_xml_is(xml, n, "mesh") && !is_used(xml, mesh_name(xml, n)))
      xml->node[n].dropped = true;
}

/* ---- compiling ---- */

static HnStatus check_files(const HnHost *host, const HnMwXml *xml, const char *folder,
                            const char *model) {
  for (int n = 0; n >= 0; n = hn_mw_xml_walk(xml, n)) {
    HnMwSlice file = hn_mw_xml_get(xml, n, "file");
    char path[2 * HN_MW_PATH];
    if (!file.at || xml->node[n].dropped) continue;
    snprintf(path, sizeof path, "%s/%.*s", folder, file.length, file.at);
    if (access(path, R_OK))
      return host->fail(host, HN_E_IO,
                        "Meta-World's models are incomplete: %s, which %s needs, cannot be "
                        "read; " FETCH,
                        path, model);
  }
  return HN_OK;
}

/* MuJoCo 2 takes 14 MB for a simulator of these unless told how much can be there at once. */
#if mjVERSION_HEADER < 300
static const char sizes[] = "<size nconmax='150' njmax='700' nstack='400000'/>";
#else
static const char sizes[] = "";
#endif

HnStatus hn_mw_load(const HnHost *host, const char *assets, const char *file, bool whole,
                    mjModel **model) {
  HnMwXml xml;
  char folder[HN_MW_PATH + 16], error[1000] = "no memory";
  *model = NULL;
  snprintf(folder, sizeof folder, "%s/sawyer_xyz", assets);
  HnStatus s = HN_OK;
  if (!hn_mw_xml_read(&xml, folder, file, error, sizeof error))
    s = host->fail(host, HN_E_IO, "Meta-World's models are incomplete: %s; " FETCH, error);
  if (!s) {
    strip(&xml, whole);
    s = check_files(host, &xml, folder, file);
  }
  if (!s) {
    char *mjcf = hn_mw_xml_write(&xml, folder, sizes);
    *model = mjcf ? hn_sim_compile(mjcf, error, sizeof error) : NULL;
    free(mjcf);
    if (!*model)
      s = host->fail(host, HN_E_IO, "MuJoCo %s rejects %s/%s: %s; " FETCH, mj_versionString(),
                     folder, file, error);
  }
  hn_mw_xml_free(&xml);
  if (*model) hn_mw_adjust(*model);
  return s;
}
