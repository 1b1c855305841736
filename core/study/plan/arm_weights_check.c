/* arm_weights_check.c - see arm_weights_check.h. */
#include "arm_weights_check.h"
#include "error.h"
#include "helper.h"
#include "run_size.h"
#include "warm_start.h"
#include "warm_start_match.h"
#include <string.h>

enum { SECONDS = 10 }; /* that making an arm's plugins may take */

/* ---- the process ---- */

static HnCell *read_cell(const HnNode *root, const char *key, HnDiag *d) {
  HnNode *n = hn_node_get(root, key);
  return n ? hn_cell_read(n, d) : NULL;
}

/* The weights of a file, or those that the source's plugins will write, which are read from *lender
 * and must not outlive it; NULL with an error. */
static HnStoredTensors *offered(const HnCell *cell, const HnCell *source, HnSession **lender,
                                GError **error) {
  const char *key;
  if (!source) {
    g_autofree char *path = hn_warm_start_find(cell, cell->weights.from, &key, error);
    return path ? hn_stored_tensors_open(path, error) : NULL;
  }
  *lender = hn_session_new(source, stderr, error);
  if (!*lender) return NULL;
  HnEpisodeStats none = {.rows = 0};
  GPtrArray *states = hn_states_of(*lender, &none);
  HnStoredTensors *t = hn_states_tensors(states, NULL);
  g_ptr_array_unref(states);
  return t;
}

/* Whether the source ends before the update whose weights are asked for. */
static void print_end(const HnCell *cell, const HnSession *lender, FILE *out) {
  const double updates = hn_run_updates(lender);
  if (updates < (double)cell->weights_at)
    fprintf(out, "arm %s ends after %.0f updates, and update %" G_GINT64_FORMAT " is asked for\n",
            lender->cell->arm, updates, cell->weights_at);
}

static void print_misfits(const HnCell *cell, const HnCell *source, FILE *out) {
  g_autoptr(GError) error = NULL;
  HnSession *lender = NULL;
  HnStoredTensors *t = offered(cell, source, &lender, &error);
  if (lender) print_end(cell, lender, out);
  HnSession *s = t ? hn_session_new(cell, stderr, &error) : NULL;
  if (s) {
    HnEpisodeStats none = {.rows = 0};
    GPtrArray *states = hn_states_of(s, &none), *wrong = hn_warm_start_misfits(cell, states, t);
    for (guint i = 0; i < wrong->len; i++) fprintf(out, "%s\n", (char *)wrong->pdata[i]);
    g_ptr_array_unref(wrong), g_ptr_array_unref(states);
  }
  /* a file that cannot be read is as wrong as one that does not fit; plugins speak in their run */
  if (error && error->domain == HN_ERROR && !t && !source) fprintf(out, "%s\n", error->message);
  hn_session_free(s), hn_stored_tensors_free(t), hn_session_free(lender);
}

void hn_arm_weights_check_answer(void) {
  g_autoptr(GString) text = hn_helper_input();
  g_autoptr(HnDiag) d = hn_diag_new();
  FILE *out = hn_helper_begin();
  g_autoptr(HnNode) root = hn_yaml_parse("question", text->str, text->len, d);
  g_autoptr(HnCell) cell = read_cell(root, "cell", d), source = read_cell(root, "source", d);
  if (cell) print_misfits(cell, source, out);
  fclose(out);
  hn_helper_end();
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
  g_autoptr(GString) input = g_string_new(text);
  const char *const argv[] = {"check-weights", NULL};
  g_auto(HnHelper) h = {.out = NULL};
  const bool answered = hn_helper_run(argv, input, SECONDS, &h, NULL) && !h.death;
  return answered ? g_steal_pointer(&h.out) : NULL;
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
    const HnCell *c = hn_study_cell(s, arm, seed);
    if (!c->warm_start) return;
    g_autofree char *signature = signature_of(c);
    if (g_strcmp0(signature, asked) == 0) continue;
    g_autofree char *answer = ask(c);
    g_auto(GStrv) lines = g_strsplit(answer ? answer : "", "\n", -1);
    for (char **line = lines; *line; line++)
      if (**line) hn_node_refuse(d, block, "weights of arm %s: %s", c->arm, *line);
    g_free(asked);
    asked = g_steal_pointer(&signature);
  }
}

void hn_arm_weights_check(const HnStudy *s, HnDiag *d) {
  for (guint arm = 0; arm < s->arms->len; arm++)
    if (s->weight_blocks->pdata[arm]) check_arm(s, arm, d);
}
