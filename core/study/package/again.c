/* again.c - see again.h. */
#include "again.h"
#include "again_compare.h"
#include "cell.h"
#include "error.h"
#include "gather.h"
#include "json.h"
#include "output_file.h"
#include "run_dir.h"
#include "unpack.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { EXIT_INTERRUPTED = 75 }; /* of `hunch cell`: after the updates that were asked for */

#define NAME(id, name, doc) name,
const char *hn_agreement_name(HnAgreement a) {
  static const char *const names[] = {HN_AGREEMENTS(NAME)};
  return names[a];
}

#define DOC(id, name, doc) doc,
const char *hn_agreement_doc(HnAgreement a) {
  static const char *const docs[] = {HN_AGREEMENTS(DOC)};
  return docs[a];
}

void hn_outcome_free(HnOutcome *o) {
  if (!o) return;
  g_free(o->cell), g_free(o->column), g_free(o->reason);
  g_clear_pointer(&o->said, json_object_unref);
  g_clear_pointer(&o->here, json_object_unref);
  g_free(o);
}

/* ---- the folder ---- */

static bool unpack(HnAgain *a, const HnIntact *x, GError **error) {
  g_autofree char *bwrap = g_find_program_in_path("bwrap");
  if (a->options.sandbox && !bwrap)
    return hn_error_set(error, HN_ERROR_MISSING,
                        "--sandbox needs the program bwrap (bubblewrap), which is not installed");
  return hn_unpack(x, &a->folder, &a->results, error);
}

HnAgain *hn_again_new(const HnIntact *x, const HnAgainOptions *options, GError **error) {
  HnAgain *a = g_new0(HnAgain, 1);
  a->options = *options;
  if (unpack(a, x, error)) return a;
  hn_again_free(a);
  return NULL;
}

void hn_again_free(HnAgain *a) {
  if (!a) return;
  hn_unpack_remove(a->folder);
  hn_results_free(a->results);
  g_free(a);
}

char **hn_again_binaries(const HnIntact *x) {
  g_autoptr(GStrvBuilder) b = g_strv_builder_new();
  for (guint i = 0; i < x->zip->entries->len; i++) {
    const char *name = g_array_index(x->zip->entries, HnZipEntry, i).name;
    if (g_str_has_prefix(name, HN_PACKAGE_PLUGINS "/") ||
        g_str_has_prefix(name, HN_PACKAGE_LIB "/"))
      g_strv_builder_add(b, name);
  }
  return g_strv_builder_end(b);
}

/* ---- the process ---- */

/* Whether this processor has what OpenBLAS's kernels of that name need. */
static bool can_run_kernels(const char *name) {
#if defined(__x86_64__)
  static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
  static const char *const narrow[] = {"Haswell", "Zen", NULL};
  if (g_strv_contains(wide, name))
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           (strcmp(name, "Cooperlake") != 0 || __builtin_cpu_supports("avx512bf16"));
  return g_strv_contains(narrow, name) && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma");
#else
  (void)name;
  return false;
#endif
}

/* That of this process, with the package's plugins before those of this machine, and the kernels
 * that the cell ran on where this processor has them; a portable cell takes its kernels itself. */
static char **environment_of(const HnAgain *a, const HnResult *c) {
  g_autofree char *plugins = g_build_filename(a->folder, HN_PACKAGE_PLUGINS, NULL);
  g_autofree char *lib = g_build_filename(a->folder, HN_PACKAGE_LIB, NULL);
  const bool fast = g_strcmp0(hn_result_fact(c, "determinism"), "portable") != 0;
  const char *isa = fast ? hn_result_fact(c, "isa") : NULL;
  const char *blas = fast ? hn_result_fact(c, "blas") : NULL;
  char **e = g_get_environ();
  e = g_environ_setenv(e, "HUNCH_PLUGIN_PATH", plugins, TRUE);
  e = g_environ_setenv(e, "LD_LIBRARY_PATH", lib, TRUE);
  e = g_environ_setenv(e, "OPENBLAS_NUM_THREADS", "1", TRUE);
  if (isa) e = g_environ_setenv(e, "HUNCH_ISA", isa, TRUE);
  if (blas && can_run_kernels(blas)) e = g_environ_setenv(e, "OPENBLAS_CORETYPE", blas, TRUE);
  return e;
}

static char **argv_of(const HnAgain *a, const char *dir, int64_t updates) {
  g_autoptr(GStrvBuilder) b = g_strv_builder_new();
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  g_autofree char *number = g_strdup_printf("%" PRId64, updates);
  if (a->options.sandbox)
    g_strv_builder_add_many(b, "bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
                            "--bind", a->folder, a->folder, "--unshare-net", "--unshare-pid",
                            "--die-with-parent", NULL);
  g_strv_builder_add_many(b, program, "cell", dir, number, NULL);
  return g_strv_builder_end(b);
}

/* The last line of what a process said; g_free. */
static char *last_line(char *text) {
  g_strchomp(text);
  const char *line = strrchr(text, '\n');
  g_autofree char *shown = hn_diag_printable(line ? line + 1 : text);
  return g_strndup(shown, 500);
}

/* Runs `hunch cell DIR UPDATES`; why it did not come to its end, or NULL. */
static char *run_cell(const HnAgain *a, const HnResult *c, const char *dir, int64_t updates) {
  g_auto(GStrv) environment = environment_of(a, c), argv = argv_of(a, dir, updates);
  g_autofree char *err = NULL;
  g_autoptr(GError) why = NULL;
  int status = -1;
  if (!g_spawn_sync(a->folder, argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                    NULL, NULL, NULL, &err, &status, &why))
    return g_strdup(why->message);
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EXIT_INTERRUPTED))
    return NULL;
  if (WIFSIGNALED(status))
    return g_strdup_printf("killed by signal %d (%s)", WTERMSIG(status),
                           g_strsignal(WTERMSIG(status)));
  return last_line(err);
}

/* ---- a cell ---- */

static HnOutcome *outcome_new(const HnResult *c, const char *rung) {
  HnOutcome *o = g_new0(HnOutcome, 1);
  o->cell = g_strdup_printf("%s/%" PRId64, c->arm, c->seed_index);
  o->rung = rung, o->first = -1;
  return o;
}

static HnOutcome *failed(HnOutcome *o, char *reason) {
  o->agreement = HN_AGREES_FAILED;
  g_free(o->reason);
  o->reason = reason;
  return o;
}

void hn_again_note_machines(HnOutcome *o, const HnResult *c, const char *dir) {
  if (o->here || !dir) return;
  o->said = c->facts ? json_object_ref(c->facts) : NULL;
  o->here = hn_run_facts(dir, NULL);
}

/* Has paths into the package be full ones, as they are in the configuration of a run. */
static void settle(const HnAgain *a, HnNode *n) {
  if (n->kind != HN_NODE_TEXT) {
    for (guint i = 0; i < n->items->len; i++) settle(a, n->items->pdata[i]);
  } else if (g_str_has_prefix(n->text, HN_PACKAGE_UP_CELL HN_PACKAGE_PLUGINS "/") ||
             g_str_has_prefix(n->text, HN_PACKAGE_UP_CELL HN_PACKAGE_FILES "/")) {
    char *full = g_build_filename(a->folder, n->text + strlen(HN_PACKAGE_UP_CELL), NULL);
    g_free(n->text);
    n->text = full;
  }
}

/* The cell's configuration, as this machine has it. */
static HnNode *configuration(const HnAgain *a, const HnResult *c) {
  HnNode *config = hn_node_copy(c->config);
  settle(a, config);
  return config;
}

/* The cell's folder of a rung, with a configuration; NULL, and why in *reason. */
static char *make_folder(const HnAgain *a, const HnResult *c, const char *rung,
                         const HnNode *config, char **reason) {
  g_autofree char *root = g_build_filename(a->folder, rung, NULL);
  g_autofree char *dir = hn_run_dir(root, c->arm, c->seed_index);
  g_autofree char *path = hn_run_file(dir, HN_FILE_CONFIG), *text = hn_node_write(config);
  g_autoptr(GError) why = NULL;
  if (g_mkdir_with_parents(dir, 0777) != 0)
    *reason = g_strdup_printf("%s: %s", dir, g_strerror(errno));
  else if (!hn_output_replace(path, text, &why))
    *reason = g_strdup(why->message);
  return *reason ? NULL : g_steal_pointer(&dir);
}

/* Has a cell that starts from weights of its own study find them in the package.  False: they are
 * of another one. */
static bool find_weights(const HnAgain *a, HnNode *config) {
  HnNode *weights = hn_node_get(config, "weights");
  if (!weights || weights->kind != HN_NODE_MAP) return true;
  const HnNode *from = hn_node_get(weights, "from");
  if (from && from->text && *from->text) return false;
  hn_params_put_text(weights, "from", a->results->dir);
  hn_params_put_text(weights, "sha256", ""); /* it is of the whole checkpoint */
  return true;
}

char *hn_again_train(const HnAgain *a, const HnResult *c, const char *rung, int64_t updates,
                     char **dir) {
  g_autoptr(HnNode) config = configuration(a, c);
  char *reason = NULL;
  *dir = NULL;
  if (!find_weights(a, config))
    return g_strdup("starts from weights of another study, which are not in the package");
  *dir = make_folder(a, c, rung, config, &reason);
  return *dir ? run_cell(a, c, *dir, updates) : reason;
}

HnOutcome *hn_again_prefix(const HnAgain *a, const HnResult *c) {
  HnOutcome *o = outcome_new(c, "prefix");
  g_autofree char *dir = NULL;
  char *reason = hn_again_train(a, c, o->rung, a->options.updates, &dir);
  hn_again_note_machines(o, c, dir);
  if (reason) return failed(o, reason);
  hn_again_compare_traces(c, dir, o);
  hn_again_compare_rows(c, dir, a->options.tolerance, o);
  return o;
}

/* A block that starts a cell from its own last weights, with every default. */
static HnNode *own_weights(const HnAgain *a, const HnResult *c) {
  const HnSchema schema = hn_weights_schema();
  g_autoptr(HnNode) block = hn_node_map("verify", 0, 0);
  g_autoptr(HnDiag) d = hn_diag_new();
  HnWeightsParams w;
  hn_params_put_text(block, "from", a->results->dir);
  hn_params_put_text(block, "arm", c->arm);
  hn_params_fill(&schema, block, NULL, &w, d);
  return hn_params_node(&schema, &w);
}

HnOutcome *hn_again_replay(const HnAgain *a, const HnResult *c) {
  HnOutcome *o = outcome_new(c, "replay");
  g_autoptr(HnNode) config = configuration(a, c);
  g_autoptr(HnNode) key = hn_node_text("verify", 0, 0, "weights");
  char *reason = NULL;
  hn_node_set(config, key, own_weights(a, c));
  hn_node_put(hn_node_get(config, "run"), "frames", "0");
  g_autofree char *dir = make_folder(a, c, o->rung, config, &reason);
  if (dir) reason = run_cell(a, c, dir, 0);
  hn_again_note_machines(o, c, dir);
  if (reason) return failed(o, reason);
  hn_again_compare_evaluation(c, dir, a->options.tolerance, o);
  if (!hn_again_weights_are_traced(c)) {
    o->agreement = HN_AGREES_DIFFERS;
    o->reason = g_strdup("the weights are not those whose hash ends trace.bin");
  }
  return o;
}
