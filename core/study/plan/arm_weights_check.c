/* arm_weights_check.c - see arm_weights_check.h. */
#include "arm_weights_check.h"
#include "error.h"
#include "warm_start.h"
#include "warm_start_match.h"
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

/* ---- the process ---- */

static HnCell *read_cell(const HnNode *root, const char *key, HnDiag *d) {
  const HnNode *n = hn_node_get(root, key);
  return n ? hn_cell_read(n, d) : NULL;
}

/* The weights of a file, or those that the source's plugins will write; NULL with an error. */
static HnStoredTensors *offered(const HnCell *cell, const HnCell *source, GError **error) {
  const char *key;
  if (!source) {
    g_autofree char *path = hn_warm_start_find(cell, cell->weights.from, &key, error);
    return path ? hn_stored_tensors_open(path, error) : NULL;
  }
  HnSession *s = hn_session_new(source, stderr, error);
  if (!s) return NULL;
  HnEpisodeStats none = {.rows = 0};
  GPtrArray *states = hn_states_of(s, &none);
  HnStoredTensors *t = hn_states_tensors(states, NULL);
  g_ptr_array_unref(states), hn_session_free(s);
  return t;
}

static bool print_misfits(const HnCell *cell, const HnCell *source) {
  g_autoptr(GError) error = NULL;
  HnStoredTensors *t = offered(cell, source, &error);
  HnSession *s = t ? hn_session_new(cell, stderr, &error) : NULL;
  if (s) {
    HnEpisodeStats none = {.rows = 0};
    GPtrArray *states = hn_states_of(s, &none), *wrong = hn_warm_start_misfits(cell, states, t);
    for (guint i = 0; i < wrong->len; i++) puts(wrong->pdata[i]);
    g_ptr_array_unref(wrong), g_ptr_array_unref(states);
  }
  /* a file that cannot be read is as wrong as one that does not fit; plugins speak in their run */
  bool file = error && error->domain == HN_ERROR && !t && !source;
  if (file) puts(error->message);
  hn_session_free(s), hn_stored_tensors_free(t);
  return s || file;
}

bool hn_arm_weights_check_answer(const char *text, gsize length) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) root = hn_yaml_parse("question", text, length, d);
  g_autoptr(HnCell) cell = read_cell(root, "cell", d), source = read_cell(root, "source", d);
  return cell && print_misfits(cell, source);
}

/* ---- asking it ---- */

static void put(HnNode *root, const char *key, const HnCell *cell) {
  g_autoptr(HnNode) k = hn_node_text("question", 0, 0, key);
  if (cell) hn_node_set(root, k, hn_cell_node(cell));
}

/* What the process prints, or NULL where it failed; free with g_free. */
static char *ask(const HnCell *cell) {
  g_autoptr(HnNode) root = hn_node_map("question", 0, 0);
  put(root, "cell", cell), put(root, "source", cell->source);
  g_autofree char *text = hn_node_write(root);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_setenv(launcher, "OPENBLAS_NUM_THREADS", "1", TRUE);
  g_autoptr(GSubprocess) p =
      g_subprocess_launcher_spawn(launcher, NULL, "/proc/self/exe", "check-weights", NULL);
  g_autofree char *out = NULL;
  bool ok = p && g_subprocess_communicate_utf8(p, text, NULL, &out, NULL, NULL) &&
            g_subprocess_get_if_exited(p) && g_subprocess_get_exit_status(p) == 0;
  return ok ? g_steal_pointer(&out) : NULL;
}

/* Names, types and shapes of the weights in a cell's file.  They are mostly the same for all seeds
 * of an arm, which then are asked about once. */
static char *signature_of(const HnCell *cell) {
  const char *key;
  g_autofree char *path =
      cell->source ? NULL : hn_warm_start_find(cell, cell->weights.from, &key, NULL);
  HnStoredTensors *t = path ? hn_stored_tensors_open(path, NULL) : NULL;
  GString *out = g_string_new(NULL);
  for (guint i = 0; t && i < t->all->len; i++) {
    const HnStoredTensor *x = t->all->pdata[i];
    if (x->weight) g_string_append_printf(out, "%s %s\n", x->name, x->label);
  }
  if (path && !t) g_string_append(out, path);
  hn_stored_tensors_free(t);
  return g_string_free(out, FALSE);
}

static void check_arm(const HnStudy *s, guint arm, HnDiag *d) {
  g_autofree char *asked = NULL;
  const HnNode *block = s->weight_blocks->pdata[arm];
  for (int64_t seed = 0; seed < s->seeds.count; seed++) {
    const HnCell *c = s->cells->pdata[arm * s->seeds.count + seed];
    if (!c->warm_start) return;
    g_autofree char *signature = signature_of(c);
    if (g_strcmp0(signature, asked) == 0) continue;
    g_autofree char *answer = ask(c);
    g_auto(GStrv) lines = g_strsplit(answer ? answer : "", "\n", -1);
    for (char **line = lines; *line; line++)
      if (**line)
        hn_diag_add(d, block->file, block->line, block->column, "weights of arm %s: %s", c->arm,
                    *line);
    g_free(asked);
    asked = g_steal_pointer(&signature);
  }
}

void hn_arm_weights_check(const HnStudy *s, HnDiag *d) {
  for (guint arm = 0; arm < s->arms->len; arm++)
    if (s->weight_blocks->pdata[arm]) check_arm(s, arm, d);
}
