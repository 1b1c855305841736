/* checkpoint.c - see checkpoint.h. */
#include "checkpoint.h"
#include "error.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

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

/* "env/inner/" is the room of what a wrapper holds. */
static void add_kept(GPtrArray *table, const HnInstance *x, const char *room) {
  g_autofree char *within = g_strconcat(room, "/inner", NULL);
  for (guint i = 0; i < x->kept->len; i++) {
    const HnArrayRecord *k = x->kept->pdata[i];
    HnState *s = add(table, room, k->array.name, k->array.type, k->data, (int)k->array.rank, 0, 0);
    memcpy(s->dim, k->array.dim, sizeof s->dim);
    s->used = k->array.used, s->weight = k->array.role == HN_WEIGHT;
  }
  if (x->inner) add_kept(table, x->inner, within);
}

/* row.env and rng.env, row.env.inner and rng.env.inner, .. */
static void add_env_rows(GPtrArray *t, const HnSession *s) {
  const HnEnvMemory *m = &s->rollouts.env;
  const int64_t rng = sizeof(HnRng) / sizeof(uint32_t);
  g_autoptr(GString) row = g_string_new("row.env"), stream = g_string_new("rng.env");
  for (const HnInstance *x = s->env; x; x = x->inner) {
    add(t, "host", row->str, HN_U8, hn_env_state(s->env, m, x), 2, m->rows,
        (int64_t)x->own.row_size);
    add(t, "host", stream->str, HN_I32, hn_env_streams(m, x), 2, m->rows, rng);
    g_string_append(row, ".inner"), g_string_append(stream, ".inner");
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

GPtrArray *hn_states_of(HnSession *s, HnEpisodeStats *stats) {
  GPtrArray *t = g_ptr_array_new_with_free_func(state_free);
  HnRollouts *r = &s->rollouts;
  int64_t B = r->rows, rng = sizeof(HnRng) / sizeof(uint32_t);
  add_kept(t, s->env, "env"), add_kept(t, s->inference, "inference");
  add_kept(t, s->policy, "policy");
  add_env_rows(t, s);
  add(t, "host", "row.inference", HN_U8, r->belief, 2, B, (int64_t)s->shape.belief_row);
  add(t, "host", "row.policy", HN_U8, r->policy, 2, B, (int64_t)s->shape.policy_row);
  add(t, "host", "rng.inference", HN_I32, r->belief_rng, 2, B, rng);
  add(t, "host", "rng.policy", HN_I32, r->policy_rng, 2, B, rng);
  add(t, "host", "rng.policy_learning", HN_I32, &s->policy_learning, 1, rng, 1);
  add(t, "host", "rng.inference_learning", HN_I32, &s->inference_learning, 1, rng, 1);
  add(t, "host", "episode_step", HN_I64, r->episode_step, 1, B, 1);
  add(t, "host", "trial_step", HN_I64, r->trial_step, 1, B, 1);
  add(t, "host", "episode", HN_I64, r->episode, 1, B, 1);
  add_window(t, &r->tail, "tail", NULL);
  add(t, "host", "tail.task_index", HN_I64, r->tail.task_index, 1, B, 1);
  add(t, "host", "episode_stats.reward", HN_F64, stats->reward, 1, B, 1);
  add(t, "host", "episode_stats.length", HN_I64, stats->length, 1, B, 1);
  add(t, "host", "episode_stats.episode", HN_I64, stats->episode, 1, B, 1);
  add(t, "host", "episode_stats.info", HN_F64, stats->info, 2, B, stats->infos);
  add(t, "host", "episode_stats.info_count", HN_F64, stats->info_count, 2, B, stats->infos);
  if (s->bs.refresh) {
    add_window(t, &s->history, "history", NULL);
    add(t, "host", "history.steps", HN_I64, s->history_steps, 1, B, 1);
  }
  return t;
}

static int64_t extent(const HnState *x, int d) {
  return d == 0 && x->used ? *x->used : x->dim[d];
}
gsize hn_state_bytes(const HnState *x) {
  gsize n = hn_type_size(x->type);
  for (int d = 0; d < x->rank; d++) n *= (gsize)extent(x, d);
  return n;
}

bool hn_checkpoint_digest(GPtrArray *states, uint8_t digest[32], const char **not_finite) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  *not_finite = NULL;
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    gsize n = hn_state_bytes(x);
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

HnStoredTensors *hn_states_tensors(GPtrArray *states, GHashTable *meta) {
  HnStoredTensors *t = hn_stored_tensors_new(meta);
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    int64_t dim[HN_RANK_MAX];
    for (int d = 0; d < x->rank; d++) dim[d] = extent(x, d);
    hn_stored_tensors_add(t, x->name, x->type, x->rank, dim, x->data, x->weight);
  }
  return t;
}

bool hn_checkpoint_write(const char *path, GPtrArray *states, GHashTable *meta, GError **error) {
  HnStoredTensors *t = hn_states_tensors(states, meta);
  bool ok = hn_stored_tensors_write(t, path, error);
  hn_stored_tensors_free(t);
  return ok;
}

char *hn_state_misfit(const HnState *x, const HnStoredTensor *t) {
  if (t->type != x->type)
    return g_strdup_printf("%s is %.*s, expected %s", x->name, (int)strcspn(t->label, " "),
                           t->label, hn_type_name(x->type));
  if (t->rank != x->rank)
    return g_strdup_printf("%s has %d dimensions, expected %d", x->name, t->rank, x->rank);
  for (int d = 0; d < x->rank; d++) {
    bool room = d == 0 && x->used; /* dim[0] is the most there can be */
    if (!(room ? t->dim[d] <= x->dim[0] : t->dim[d] == x->dim[d]))
      return g_strdup_printf("%s has size %" PRId64 " along dimension %d, expected %s%" PRId64,
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

bool hn_checkpoint_read(const char *path, GPtrArray *states, GHashTable *meta, GError **error) {
  HnStoredTensors *t = hn_stored_tensors_open(path, error);
  if (!t) return false;
  GHashTableIter each;
  gpointer key, value;
  g_hash_table_iter_init(&each, t->meta);
  while (g_hash_table_iter_next(&each, &key, &value))
    g_hash_table_insert(meta, g_strdup(key), g_strdup(value));
  GString *wrong = g_string_new(NULL);
  compare(states, t, wrong);
  bool ok = wrong->len == 0;
  if (!ok) hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, wrong->str + 2);
  for (guint i = 0; ok && i < states->len; i++) {
    HnState *x = states->pdata[i];
    hn_state_take(x, g_hash_table_lookup(t->find, x->name));
  }
  g_string_free(wrong, true), hn_stored_tensors_free(t);
  return ok;
}
