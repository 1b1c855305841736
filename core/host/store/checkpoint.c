/* checkpoint.c - see checkpoint.h.  Format: https://huggingface.co/docs/safetensors */
#include "checkpoint.h"
#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- the table ---- */

static void state_free(void *p) {
  HnState *x = p;
  g_free(x->name), g_free(x);
}

static HnState *add(GPtrArray *table, const char *room, const char *name, HnType type, void *data,
                    int rank, int64_t rows, int64_t columns) {
  HnState *x = g_new0(HnState, 1);
  x->name = g_strdup_printf("%s/%s", room, name);
  x->type = type, x->data = data, x->rank = rank;
  x->dim[0] = rows, x->dim[1] = columns;
  g_ptr_array_add(table, x);
  return x;
}

static void add_kept(GPtrArray *table, const HnInstance *x) {
  for (guint i = 0; i < x->kept->len; i++) {
    const HnArrayRecord *k = x->kept->pdata[i];
    HnState *s = add(table, hn_kind_name(x->plugin->kind), k->array.name, k->array.type, k->data,
                     (int)k->array.rank, 0, 0);
    memcpy(s->dim, k->array.dim, sizeof s->dim);
    s->used = k->array.used, s->weight = k->array.role == HN_WEIGHT;
  }
}

static void add_window(GPtrArray *table, const HnExperience *w, const char *name, int64_t *used) {
  for (int f = 0; f < HN_FIELDS; f++) {
    char *label = g_strdup_printf("%s.%s", name, hn_field_label(f));
    gsize row = (gsize)w->h.rows * w->size[f] / hn_type_size(hn_field_type(f));
    HnState *s = add(table, "host", label, hn_field_type(f), hn_experience_at(w, f, -1, 0), 2,
                     w->h.steps + 2, (int64_t)row);
    s->used = used;
    g_free(label);
  }
}

GPtrArray *hn_states_of(HnSession *s, HnEpisodeStats *y) {
  GPtrArray *t = g_ptr_array_new_with_free_func(state_free);
  HnRollouts *r = &s->rollouts;
  int64_t B = r->rows, rng = sizeof(HnRng) / sizeof(uint32_t);
  add_kept(t, s->env), add_kept(t, s->inference), add_kept(t, s->policy);
  add(t, "host", "row.env", HN_U8, r->env, 2, B, (int64_t)s->shape.env_row);
  add(t, "host", "row.inference", HN_U8, r->belief, 2, B, (int64_t)s->shape.belief_row);
  add(t, "host", "row.policy", HN_U8, r->policy, 2, B, (int64_t)s->shape.policy_row);
  add(t, "host", "rng.env", HN_I32, r->env_rng, 2, B, rng);
  add(t, "host", "rng.inference", HN_I32, r->belief_rng, 2, B, rng);
  add(t, "host", "rng.policy", HN_I32, r->policy_rng, 2, B, rng);
  add(t, "host", "rng.policy_learning", HN_I32, &s->policy_learning, 1, rng, 1);
  add(t, "host", "rng.inference_learning", HN_I32, &s->inference_learning, 1, rng, 1);
  add(t, "host", "episode_step", HN_I64, r->episode_step, 1, B, 1);
  add(t, "host", "trial_step", HN_I64, r->trial_step, 1, B, 1);
  add(t, "host", "episode", HN_I64, r->episode, 1, B, 1);
  add_window(t, &r->tail, "tail", NULL);
  add(t, "host", "tail.task_index", HN_I64, r->tail.task_index, 1, B, 1);
  add(t, "host", "episode_stats.reward", HN_F64, y->reward, 1, B, 1);
  add(t, "host", "episode_stats.length", HN_I64, y->length, 1, B, 1);
  add(t, "host", "episode_stats.episode", HN_I64, y->episode, 1, B, 1);
  add(t, "host", "episode_stats.info", HN_F64, y->info, 2, B, y->infos);
  add(t, "host", "episode_stats.info_count", HN_F64, y->info_count, 2, B, y->infos);
  if (s->bs.refresh) {
    add_window(t, &s->history, "history", NULL);
    add(t, "host", "history.steps", HN_I64, s->history_steps, 1, B, 1);
  }
  return t;
}

static int64_t extent(const HnState *x, int d) {
  return d == 0 && x->used ? *x->used : x->dim[d];
}
static gsize bytes_of(const HnState *x) {
  gsize n = hn_type_size(x->type);
  for (int d = 0; d < x->rank; d++) n *= (gsize)extent(x, d);
  return n;
}

gboolean hn_checkpoint_digest(GPtrArray *states, guint8 digest[32], const char **not_finite) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  *not_finite = NULL;
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    gsize n = bytes_of(x);
    if (!x->weight) continue;
    g_checksum_update(sum, x->data, (gssize)n);
    const float *f = x->data;
    const double *g = x->data;
    bool bad = false;
    for (gsize k = 0; x->type == HN_F32 && k < n / sizeof *f; k++) bad |= !isfinite(f[k]);
    for (gsize k = 0; x->type == HN_F64 && k < n / sizeof *g; k++) bad |= !isfinite(g[k]);
    if (bad && !*not_finite) *not_finite = x->name;
  }
  gsize length = 32;
  g_checksum_get_digest(sum, digest, &length);
  g_checksum_free(sum);
  return *not_finite == NULL;
}

/* ---- files ---- */

/* Longer names hold larger numbers. */
static int by_update(const void *a, const void *b) {
  const char *x = *(char *const *)a, *y = *(char *const *)b;
  gsize n = strlen(x), m = strlen(y);
  return n != m ? (n > m) - (n < m) : strcmp(x, y);
}

GPtrArray *hn_checkpoint_list(const char *dir) {
  GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
  char *folder = g_build_filename(dir, "ckpt", NULL);
  GDir *d = g_dir_open(folder, 0, NULL);
  for (const char *n; d && (n = g_dir_read_name(d));)
    if (hn_checkpoint_update(n) >= 0) g_ptr_array_add(found, g_build_filename(folder, n, NULL));
  if (d) g_dir_close(d);
  g_free(folder);
  g_ptr_array_sort(found, by_update);
  return found;
}

char *hn_checkpoint_path(const char *dir, int64_t update) {
  g_autofree char *name = g_strdup_printf("%08" G_GINT64_FORMAT ".safetensors", update);
  return g_build_filename(dir, "ckpt", name, NULL);
}

int64_t hn_checkpoint_update(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  gsize digits = strspn(name, G_CSET_DIGITS);
  if (digits == 0 || digits > 18 || strcmp(name + digits, ".safetensors") != 0) return -1;
  return g_ascii_strtoll(name, NULL, 10);
}

/* ---- writing ---- */

/* Widest types first; equal widths keep the table's order. */
static GPtrArray *by_width(GPtrArray *states) {
  static const gsize width[] = {8, 4, 1};
  GPtrArray *sorted = g_ptr_array_new();
  for (guint w = 0; w < G_N_ELEMENTS(width); w++)
    for (guint i = 0; i < states->len; i++)
      if (hn_type_size(((HnState *)states->pdata[i])->type) == width[w])
        g_ptr_array_add(sorted, states->pdata[i]);
  return sorted;
}

static char *weights_of(GPtrArray *states) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    if (x->weight) g_string_append_printf(out, "%s%s", out->len ? "\n" : "", x->name);
  }
  return g_string_free(out, FALSE);
}

static char *header_of(GPtrArray *sorted, GHashTable *meta) {
  JsonBuilder *b = json_builder_new();
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "__metadata__");
  json_builder_begin_object(b);
  GList *keys = g_list_sort(g_hash_table_get_keys(meta), (GCompareFunc)strcmp);
  for (GList *k = keys; k; k = k->next) {
    json_builder_set_member_name(b, k->data);
    json_builder_add_string_value(b, g_hash_table_lookup(meta, k->data));
  }
  g_list_free(keys);
  json_builder_end_object(b);
  gsize at = 0;
  for (guint i = 0; i < sorted->len; i++) {
    const HnState *x = sorted->pdata[i];
    json_builder_set_member_name(b, x->name);
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "dtype");
    json_builder_add_string_value(b, hn_type_name(x->type));
    json_builder_set_member_name(b, "shape");
    json_builder_begin_array(b);
    for (int d = 0; d < x->rank; d++) json_builder_add_int_value(b, extent(x, d));
    json_builder_end_array(b);
    json_builder_set_member_name(b, "data_offsets");
    json_builder_begin_array(b);
    json_builder_add_int_value(b, (gint64)at);
    json_builder_add_int_value(b, (gint64)(at += bytes_of(x)));
    json_builder_end_array(b);
    json_builder_end_object(b);
  }
  json_builder_end_object(b);
  JsonNode *root = json_builder_get_root(b);
  char *text = json_to_string(root, FALSE);
  json_node_unref(root), g_object_unref(b);
  return text;
}

static gboolean write_all(FILE *f, GPtrArray *sorted, const char *header) {
  /* spaces pad the header, so that the data begins at a multiple of 64 */
  gsize length = strlen(header), padded = (8 + length + 63) / 64 * 64 - 8;
  guint64 little = GUINT64_TO_LE((guint64)padded);
  if (fwrite(&little, 8, 1, f) != 1 || fprintf(f, "%-*s", (int)padded, header) < 0) return FALSE;
  for (guint i = 0; i < sorted->len; i++) {
    const HnState *x = sorted->pdata[i];
    gsize n = bytes_of(x);
    if (n && fwrite(x->data, n, 1, f) != 1) return FALSE;
  }
  return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

gboolean hn_checkpoint_write(const char *path, GPtrArray *states, GHashTable *meta,
                             GError **error) {
  char *beside = g_strconcat(path, ".part", NULL);
  GPtrArray *sorted = by_width(states);
  g_hash_table_insert(meta, g_strdup(HN_META_WEIGHTS), weights_of(states));
  char *header = header_of(sorted, meta);
  FILE *f = fopen(beside, "wb");
  gboolean ok = f && write_all(f, sorted, header);
  if (f) ok = fclose(f) == 0 && ok;
  if (!ok || g_rename(beside, path) != 0) {
    g_set_error(error, HN_RUN_ERROR, HN_RUN_IO, "%s: cannot write: %s", path, g_strerror(errno));
    g_unlink(beside);
    ok = FALSE;
  }
  g_free(header), g_free(beside), g_ptr_array_unref(sorted);
  return ok;
}

/* ---- reading ---- */

char *hn_state_misfit(const HnState *x, const HnStoredTensor *t) {
  if (t->type != x->type)
    return g_strdup_printf("%s is %.*s, expected %s", x->name, (int)strcspn(t->label, " "),
                           t->label, hn_type_name(x->type));
  if (t->rank != x->rank)
    return g_strdup_printf("%s has %d dimensions, expected %d", x->name, t->rank, x->rank);
  for (int d = 0; d < x->rank; d++) {
    bool room = d == 0 && x->used; /* dim[0] is the most there can be */
    if (!(room ? t->dim[d] <= x->dim[0] : t->dim[d] == x->dim[d]))
      return g_strdup_printf("%s has size %" G_GINT64_FORMAT
                             " along dimension %d, expected %s%" G_GINT64_FORMAT,
                             x->name, t->dim[d], d, room ? "at most " : "", x->dim[d]);
  }
  return NULL;
}

void hn_state_take(HnState *x, const HnStoredTensor *t) {
  if (x->used) *x->used = t->dim[0];
  if (t->bytes) memcpy(x->data, t->data, t->bytes);
}

/* What keeps the table from taking the file's tensors. */
static void compare(GPtrArray *states, const HnStoredTensors *t, GString *wrong) {
  g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    const HnStoredTensor *tensor = g_hash_table_lookup(t->find, x->name);
    g_autofree char *why = tensor ? hn_state_misfit(x, tensor) : NULL;
    g_hash_table_add(known, x->name);
    if (!tensor) g_string_append_printf(wrong, "; missing: %s", x->name);
    if (why) g_string_append_printf(wrong, "; %s", why);
  }
  for (guint i = 0; i < t->all->len; i++) {
    const HnStoredTensor *x = t->all->pdata[i];
    if (!g_hash_table_contains(known, x->name))
      g_string_append_printf(wrong, "; extra: %s", x->name);
  }
}

gboolean hn_checkpoint_read(const char *path, GPtrArray *states, GHashTable *meta, GError **error) {
  HnStoredTensors *t = hn_stored_tensors_open(path, error);
  if (!t) return FALSE;
  GHashTableIter each;
  gpointer key, value;
  g_hash_table_iter_init(&each, t->meta);
  while (g_hash_table_iter_next(&each, &key, &value))
    g_hash_table_insert(meta, g_strdup(key), g_strdup(value));
  GString *wrong = g_string_new(NULL);
  compare(states, t, wrong);
  gboolean ok = wrong->len == 0;
  if (!ok) g_set_error(error, HN_RUN_ERROR, HN_RUN_IO, "%s: %s", path, wrong->str + 2);
  for (guint i = 0; ok && i < states->len; i++) {
    HnState *x = states->pdata[i];
    hn_state_take(x, g_hash_table_lookup(t->find, x->name));
  }
  g_string_free(wrong, TRUE), hn_stored_tensors_free(t);
  return ok;
}
