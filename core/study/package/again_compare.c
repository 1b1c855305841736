/* again_compare.c - see again_compare.h. */
#include "again_compare.h"
#include "cell.h"
#include "json.h"
#include "run_dir.h"
#include "safetensors.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DIGEST = 32 };

/* ---- weights ---- */

static double element(const HnStoredTensor *x, gsize i) {
  float narrow;
  double wide = 0;
  if (x->type == HN_F32) {
    memcpy(&narrow, x->data + i * sizeof narrow, sizeof narrow);
    return (double)narrow;
  }
  if (x->type == HN_F64) memcpy(&wide, x->data + i * sizeof wide, sizeof wide);
  return x->type == HN_F64 ? wide : (double)(uint8_t)x->data[i];
}

static gsize width_of(HnType type) {
  return type == HN_F32 ? sizeof(float) : type == HN_F64 ? sizeof(double) : 1;
}

/* By how much two tensors of one shape differ at most. */
static double distance(const HnStoredTensor *x, const HnStoredTensor *y) {
  double most = 0;
  for (gsize i = 0; i < x->bytes / width_of(x->type); i++)
    most = fmax(most, fabs(element(x, i) - element(y, i)));
  return most;
}

/* "policy/actor.0.weight differs by up to 1e-3", of the first weight that does; NULL: none. */
static char *tensor_that_differs(const HnStoredTensors *t, const HnStoredTensors *u) {
  g_autoptr(GPtrArray) weights = hn_stored_tensors_weights(t);
  for (guint i = 0; i < weights->len; i++) {
    const HnStoredTensor *x = weights->pdata[i], *y = g_hash_table_lookup(u->find, x->name);
    if (!y || x->type != y->type || x->bytes != y->bytes)
      return g_strdup_printf("tensor %s has another shape", x->name);
    if (memcmp(x->data, y->data, x->bytes) != 0)
      return g_strdup_printf("tensor %s %s differs by up to %.3g", x->name, x->label,
                             distance(x, y));
  }
  return NULL;
}

static char *first_tensor(const HnResult *c, const char *dir) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(c->dir, NULL);
  char *found = NULL;
  for (guint i = 0; all && i < all->len && !found; i++) {
    const int64_t update = hn_run_checkpoint_update(all->pdata[i]);
    g_autofree char *path = hn_run_checkpoint(dir, update);
    HnStoredTensors *t = hn_stored_tensors_open(all->pdata[i], NULL);
    HnStoredTensors *u = t ? hn_stored_tensors_open(path, NULL) : NULL;
    g_autofree char *tensor = u ? tensor_that_differs(t, u) : NULL;
    if (tensor) found = g_strdup_printf("after update %" PRId64 ", %s", update, tensor);
    if (t) hn_stored_tensors_free(t);
    if (u) hn_stored_tensors_free(u);
  }
  return found;
}

/* The update of hash k. */
static int64_t update_of(const HnResult *c, gsize k) {
  const HnNode *every = hn_node_get(hn_node_get(c->config, "run"), "trace_every");
  const int64_t last = hn_json_int(c->facts, "update", INT64_MAX);
  int64_t n;
  if (!every || hn_params_int(every, &n) || n < 1) n = 1;
  return MIN((int64_t)(k + 1) * n, last);
}

void hn_again_compare_traces(const HnResult *c, const char *dir, HnOutcome *o) {
  g_autofree char *path = hn_run_file(c->dir, HN_FILE_TRACE), *expected = NULL;
  g_autofree char *again = hn_run_file(dir, HN_FILE_TRACE), *got = NULL;
  gsize n = 0, m = 0, k = 0;
  if (g_file_get_contents(path, &expected, &n, NULL)) g_file_get_contents(again, &got, &m, NULL);
  const gsize count = MIN(n, m) / DIGEST;
  while (k < count && memcmp(expected + k * DIGEST, got + k * DIGEST, DIGEST) == 0) k++;
  if (count) o->updates = update_of(c, count - 1);
  if (k == count) return;
  o->first = update_of(c, k);
  o->reason = first_tensor(c, dir);
}

bool hn_again_weights_are_traced(const HnResult *c) {
  g_autofree char *trace = hn_run_file(c->dir, HN_FILE_TRACE), *digests = NULL;
  g_autofree char *path = hn_run_checkpoint(c->dir, hn_json_int(c->facts, "update", -1));
  gsize n = 0, length = DIGEST;
  uint8_t digest[DIGEST];
  HnStoredTensors *t = hn_stored_tensors_open(path, NULL);
  if (!t) return false;
  g_autoptr(GPtrArray) weights = hn_stored_tensors_weights(t);
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (guint i = 0; i < weights->len; i++) {
    const HnStoredTensor *x = weights->pdata[i];
    g_checksum_update(sum, (const guchar *)x->data, (gssize)x->bytes);
  }
  g_checksum_get_digest(sum, digest, &length);
  hn_stored_tensors_free(t);
  return g_file_get_contents(trace, &digests, &n, NULL) && n >= DIGEST &&
         memcmp(digests + n - DIGEST, digest, DIGEST) == 0;
}

/* ---- numbers ---- */

/* Relative above 1, absolute below; two that are not finite are the same or infinitely far apart.
 */
static double difference(double a, double b) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  const double d = fabs(a - b) / fmax(1, fmax(fabs(a), fabs(b)));
  return isfinite(d) ? d : (double)INFINITY;
}

typedef struct Rows {
  const HnTable *said, *again;
  HnOutcome *o;
  int64_t compared;
} Rows;

static void compare_row(Rows *x, int64_t row, int64_t other, const char *prefix) {
  for (int64_t k = 0; k < x->said->width; k++) {
    const char *column = x->said->columns[k];
    const int64_t j = hn_table_find(x->again, column);
    if (!g_str_has_prefix(column, prefix) || !hn_table_filled(x->said, row, k)) continue;
    const bool there = j >= 0 && hn_table_filled(x->again, other, j);
    const double a = hn_table_at(x->said, row, k);
    const double d = there ? difference(a, hn_table_at(x->again, other, j)) : (double)INFINITY;
    x->compared++;
    if (d <= x->o->most) continue;
    x->o->most = d;
    g_free(x->o->column);
    x->o->column = g_strdup(column);
  }
}

static HnTable *read_again(const char *dir) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_METRICS);
  return hn_table_read(path, NULL);
}

static void judge(Rows *x, double tolerance) {
  HnOutcome *o = x->o;
  if (!x->again || x->compared == 0) {
    o->agreement = HN_AGREES_FAILED;
    if (!o->reason) o->reason = g_strdup("left no number to compare");
  } else {
    o->agreement = o->most > tolerance            ? HN_AGREES_DIFFERS
                   : o->most > 0 || o->first >= 0 ? HN_AGREES_NUMERIC
                                                  : HN_AGREES_BITWISE;
  }
}

void hn_again_compare_rows(const HnResult *c, const char *dir, double tolerance, HnOutcome *o) {
  HnTable *again = read_again(dir);
  Rows x = {c->metrics, again, o, 0};
  const int64_t rows = again ? MIN(c->metrics->rows, again->rows) : 0;
  for (int64_t row = 0; row < rows; row++) compare_row(&x, row, row, "");
  judge(&x, tolerance);
  if (again) hn_table_free(again);
}

void hn_again_compare_evaluation(const HnResult *c, const char *dir, double tolerance,
                                 HnOutcome *o) {
  HnTable *again = read_again(dir);
  Rows x = {c->metrics, again, o, 0};
  if (again && again->rows && c->metrics->rows)
    compare_row(&x, c->metrics->rows - 1, again->rows - 1, "eval.");
  judge(&x, tolerance);
  if (again) hn_table_free(again);
}
