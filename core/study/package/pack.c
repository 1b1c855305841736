/* pack.c - see pack.h. */
#include "pack.h"
#include "crate.h"
#include "error.h"
#include "intact.h"
#include "json.h"
#include "manifest.h"
#include "output_file.h"
#include "short_text.h"
#include "signature.h"
#include "zip.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* ---- pages ---- */

static char *description_of(const HnResults *r) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) root = hn_yaml_parse("study.yaml", r->source, strlen(r->source), d);
  const HnNode *text = root && root->kind == HN_NODE_MAP ? hn_node_get(root, "description") : NULL;
  return g_strdup(text && text->kind == HN_NODE_TEXT ? text->text : "");
}

/* The day of the last result. */
static char *date_of(const HnResults *r) {
  const char *last = NULL;
  for (guint i = 0; i < r->cells->len; i++) {
    const char *written = hn_result_fact(r->cells->pdata[i], "written");
    if (written && (!last || strcmp(written, last) > 0)) last = written;
  }
  return last && strlen(last) >= 10 ? g_strndup(last, 10) : g_strdup("1980-01-01");
}

static char *facts_text(const HnGathered *g, const HnPackOptions *o) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_int(b, "format", 1);
  hn_json_add_string(b, "study", g->results->study);
  hn_json_add_string(b, "checkpoints", o->choice.replay ? "whole" : "weights");
  hn_json_add_strings(b, "notes", g->notes->len, (const char *const *)g->notes->pdata);
  hn_json_open_array(b, "editions");
  for (guint i = 0; i < g->editions->len; i++) {
    const HnEdition *e = g->editions->pdata[i];
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "file", e->name), hn_json_add_string(b, "original_sha256", e->sha256);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  return hn_json_end(b);
}

static void add_environment(GString *out, const HnResults *r) {
  static const char *const facts[][2] = {{"Program", "hunch"},       {"Commit", "commit"},
                                         {"Processor", "cpu"},       {"Kernel", "kernel"},
                                         {"Instruction set", "isa"}, {"BLAS kernels", "blas"},
                                         {"Simulator", "simulator"}};
  for (guint i = 0; i < G_N_ELEMENTS(facts); i++) {
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    for (guint k = 0; k < r->cells->len; k++) {
      const char *text = hn_result_fact(r->cells->pdata[k], facts[i][1]);
      if (text && !g_ptr_array_find_with_equal_func(seen, text, g_str_equal, NULL))
        g_ptr_array_add(seen, (gpointer)(guintptr)text);
    }
    if (!seen->len) continue;
    g_ptr_array_add(seen, NULL);
    g_autofree char *all = g_strjoinv(", ", (char **)seen->pdata);
    g_string_append_printf(out, "- %s: %s\n", facts[i][0], all);
  }
}

static char *readme_text(const HnGathered *g, const HnCitation *c, const HnPackOptions *o) {
  const HnResults *r = g->results;
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "# %s\n\n", c->title);
  if (*c->abstract) g_string_append_printf(out, "%s\n\n", c->abstract);
  g_string_append_printf(out,
                         "Study `%s`: %" G_GINT64_FORMAT " arm%s, %" G_GINT64_FORMAT
                         " seed%s each. Licence: %s.\n\n",
                         r->study, r->arm_count, hn_plural(r->arm_count), r->seeds,
                         hn_plural(r->seeds), c->license ? c->license : "none is given");
  for (guint i = 0; i < g->notes->len; i++)
    g_string_append_printf(out, "%s- %s\n", i ? "" : "Know before you trust it:\n\n",
                           (const char *)g->notes->pdata[i]);
  if (g->notes->len) g_string_append_c(out, '\n');
  g_string_append(
      out,
      "## To verify\n\n"
      "With hunch, which tells every changed byte and can compute the results again:\n\n"
      "    hunch verify FILE.zip\n"
      "    hunch verify FILE.zip --run\n\n"
      "Without it:\n\n"
      "    unzip FILE.zip -d package && cd package && sha256sum -c manifest.sha256\n\n"
      "## What is in it\n\n"
      "- `study/`: the study's source, its plan, and a folder for each arm and seed, which "
      "`hunch compare study` and\n  `hunch report study` read\n"
      "- `plugins/`, `lib/`: the binaries that ran; `files/`: what their parameters name\n"
      "- `package.json`: what was left out or changed on packing; `manifest.sha256`: every file\n"
      "- `ro-crate-metadata.json`: the same for machines, a Process Run Crate\n"
      "- `CITATION.cff`, `.zenodo.json`: how to cite it, and what an archive asks\n\n");
  g_string_append_printf(out,
                         "Checkpoints are %s. Paths and the name of the machine are not in "
                         "the package.\n\n## What it was computed on\n\n",
                         o->choice.replay ? "whole" : "of the last update, weights alone");
  add_environment(out, r);
  return g_string_free(out, FALSE);
}

static void add_pages(HnGathered *g, const HnCitation *c, const HnPackOptions *o) {
  g_autofree char *facts = facts_text(g, o), *readme = readme_text(g, c, o);
  g_autofree char *cff = hn_citation_cff(c), *zenodo = hn_citation_zenodo(c);
  hn_zip_add_text(g->sources, HN_PACKAGE_FACTS, facts);
  hn_zip_add_text(g->sources, "README.md", readme);
  hn_zip_add_text(g->sources, "CITATION.cff", cff);
  hn_zip_add_text(g->sources, ".zenodo.json", zenodo);
}

/* The crate lists what is there so far, the manifest the crate as well. */
static bool add_lists(HnGathered *g, const HnCitation *c, GError **error) {
  hn_zip_sort(g->sources);
  g_autofree char *crate = hn_crate_text(g, c, error);
  if (!crate) return false;
  hn_zip_add_text(g->sources, HN_CRATE_FILE, crate);
  hn_zip_sort(g->sources);
  g_autofree char *manifest = hn_manifest_text(g->sources, error);
  if (!manifest) return false;
  hn_zip_add_text(g->sources, HN_MANIFEST_FILE, manifest);
  return true;
}

/* ---- the file ---- */

/* What was written is a package, although files may have changed while they were packed. */
static bool is_whole(const char *path, GError **error) {
  g_autoptr(HnIntact) found = hn_intact_read(path, error);
  if (!found) return false;
  return found->wrong->len == 0 ||
         hn_error_set(error, HN_ERROR_FILE, "a file changed while it was packed: %s",
                      (const char *)found->wrong->pdata[0]);
}

static bool put_in_place(const char *beside, const char *path, bool is_signed, GError **error) {
  g_autofree char *signature = hn_signature_path(beside), *target = hn_signature_path(path);
  g_autofree char *folder = g_path_get_dirname(path);
  if ((is_signed && g_rename(signature, target) != 0) || g_rename(beside, path) != 0)
    return hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, g_strerror(errno));
  return hn_output_sync_folder(folder, error);
}

static bool write_package(HnGathered *g, const HnPackOptions *o, const char *path, GError **error) {
  g_autofree char *beside = hn_output_beside(path), *signature = hn_signature_path(beside);
  const bool ok = hn_zip_write(beside, g->sources, error) && is_whole(beside, error) &&
                  (!o->sign || hn_signature_make(beside, o->sign, error)) &&
                  put_in_place(beside, path, o->sign, error);
  g_unlink(beside), g_unlink(signature);
  return ok;
}

bool hn_pack(const HnResults *r, const HnPackOptions *o, const char *output, GPtrArray *notes,
             GError **error) {
  g_autofree char *path = hn_output_path(output, error);
  if (!path || (o->sign && !hn_signature_ready(error))) return false;
  g_autoptr(HnGathered) g = hn_gather(r, &o->choice, error);
  if (!g) return false;
  g_autofree char *abstract = description_of(r), *date = date_of(r);
  const HnCitation c = {o->title ? o->title : r->study, abstract, date, o->license, o->authors};
  add_pages(g, &c, o);
  if (!add_lists(g, &c, error) || !write_package(g, o, path, error)) return false;
  for (guint i = 0; notes && i < g->notes->len; i++)
    g_ptr_array_add(notes, g_strdup(g->notes->pdata[i]));
  return true;
}
