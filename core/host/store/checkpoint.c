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
    s->low = k->array.low, s->end = k->array.end;
  }
  if (x->inner) add_kept(table, x->inner, within);
}

/* Integers of which others are indexed or told apart. */
static void add_counts(GPtrArray *table, const char *name, int64_t *data, int64_t rows, int64_t low,
                       int64_t end) {
  HnState *s = add(table, "host", name, HN_I64, data, 1, rows, 1);
  s->low = low, s->end = end;
}

/* Random streams: of the words, only how many of them are consumed has a range. */
static void add_rng(GPtrArray *table, const char *name, HnRng *data, int64_t rows) {
  const int64_t words = sizeof(HnRng) / sizeof(uint32_t);
  HnState *s = rows ? add(table, "host", name, HN_I32, data, 2, rows, words)
                    : add(table, "host", name, HN_I32, data, 1, words, 1);
  G_STATIC_ASSERT(offsetof(HnRng, used) == sizeof(HnRng) - sizeof(uint32_t));
  s->end = G_N_ELEMENTS(data->word) + 1, s->last_column = true;
}

/* row.env and rng.env, row.env.inner and rng.env.inner, .. */
static void add_env_rows(GPtrArray *t, const HnSession *s) {
  const HnEnvMemory *m = &s->rollouts.env;
  g_autoptr(GString) row = g_string_new("row.env"), stream = g_string_new("rng.env");
  for (const HnInstance *x = s->env; x; x = x->inner) {
    add(t, "host", row->str, HN_U8, hn_env_state(s->env, m, x), 2, m->rows,
        (int64_t)x->own.row_size);
    add_rng(t, stream->str, hn_env_streams(m, x), m->rows);
    g_string_append(row, ".inner"), g_string_append(stream, ".inner");
  }
}

static void add_window(GPtrArray *table, const HnExperience *w, const char *name, int64_t actions) {
  const int64_t end[HN_FIELDS] = {[HN_F_BEGIN] = HN_NEW_TASK + 1,
                                  [HN_F_TERMINATED] = 2,
                                  [HN_F_TRUNCATED] = 2,
                                  [HN_F_ACTION_INDEX] = actions};
  for (int f = 0; f < HN_FIELDS; f++) {
    char *label = g_strdup_printf("%s.%s", name, hn_field_label(f));
    gsize row = (gsize)w->h.rows * w->size[f] / hn_type_size(hn_field_type(f));
    HnState *s = add(table, "host", label, hn_field_type(f), hn_experience_at(w, f, -1, 0), 2,
                     w->h.steps + 2, (int64_t)row);
    s->end = end[f];
    g_free(label);
  }
}

GPtrArray *hn_states_of(HnSession *s, HnEpisodeStats *stats) {
  GPtrArray *t = g_ptr_array_new_with_free_func(state_free);
  HnRollouts *r = &s->rollouts;
  const int64_t B = r->rows, lifetime = s->trial.lifetime, actions = s->es.action_count,
                tasks = s->tasks[r->split].count;
  add_kept(t, s->env, "env"), add_kept(t, s->inference, "inference");
  add_kept(t, s->policy, "policy");
  add_env_rows(t, s);
  add(t, "host", "row.inference", HN_U8, r->belief, 2, B, (int64_t)s->shape.belief_row);
  add(t, "host", "row.policy", HN_U8, r->policy, 2, B, (int64_t)s->shape.policy_row);
  add_rng(t, "rng.inference", r->belief_rng, B);
  add_rng(t, "rng.policy", r->policy_rng, B);
  add_rng(t, "rng.policy_learning", &s->policy_learning, 0);
  add_rng(t, "rng.inference_learning", &s->inference_learning, 0);
  add_counts(t, "episode_step", r->episode_step, B, 0, s->es.horizon);
  add_counts(t, "trial_step", r->trial_step, B, 0, lifetime);
  add_counts(t, "episode", r->episode, B, 0, lifetime);
  add_window(t, &r->tail, "tail", actions);
  add_counts(t, "tail.task_index", r->tail.task_index, B, -1, tasks ? tasks : INT64_MAX);
  add(t, "host", "episode_stats.reward", HN_F64, stats->reward, 1, B, 1);
  add_counts(t, "episode_stats.length", stats->length, B, 0, lifetime);
  add_counts(t, "episode_stats.episode", stats->episode, B, 0, lifetime);
  add(t, "host", "episode_stats.info", HN_F64, stats->info, 2, B, stats->infos);
  add(t, "host", "episode_stats.info_count", HN_F64, stats->info_count, 2, B, stats->infos);
  if (s->bs.refresh) {
    add_window(t, &s->history, "history", actions);
    add_counts(t, "history.steps", s->history_steps, B, 0, lifetime);
    add_rng(t, "history.rng", r->task_rng, B);
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

/* Of a tensor in the header: its entry with the longest numbers, its lines among the checksums and
 * the weights.  Of the rest of the header: the files of a run with their checksums, and padding. */
enum { NUMBER = 20, ENTRY = 80, HEADER = 2048 };

gsize hn_states_most_bytes(GPtrArray *states) {
  gsize bytes = HEADER;
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    gsize data = hn_type_size(x->type);
    for (int d = 0; d < x->rank; d++) data *= (gsize)x->dim[d];
    bytes += data + 3 * strlen(x->name) + ENTRY + NUMBER * ((gsize)x->rank + 2);
  }
  return bytes;
}

/* By exponents, which compilers compare many at a time. */
static bool all_finite(const HnState *x, gsize bytes) {
  int32_t most = 0, bits;
  const uint8_t *p = x->data;
  for (gsize k = 0; x->type == HN_F32 && k < bytes / sizeof bits; k++) {
    memcpy(&bits, p + k * sizeof bits, sizeof bits);
    most = MAX(most, bits & 0x7fffffff);
  }
  bool finite = most < 0x7f800000;
  const double *g = x->data;
  for (gsize k = 0; x->type == HN_F64 && k < bytes / sizeof *g; k++) finite &= isfinite(g[k]) != 0;
  return finite;
}

bool hn_checkpoint_digest(GPtrArray *states, uint8_t digest[HN_DIGEST_BYTES],
                          const char **not_finite) {
  HnDigest *sum = hn_digest_begin();
  *not_finite = NULL;
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    gsize n = hn_state_bytes(x);
    if (!x->weight) continue;
    hn_digest_add(sum, x->data, n);
    if (!*not_finite && !all_finite(x, n)) *not_finite = x->name;
  }
  hn_digest_end(sum, digest);
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

/* What this process wrote and no later one could read is the doing of a plugin. */
static bool all_in_range(const char *path, GPtrArray *states, GError **error) {
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    g_autofree char *why = hn_state_out_of_range(x, x->data, hn_state_bytes(x));
    if (why) return hn_error_set(error, HN_ERROR_PLUGIN, "%s: not written: %s", path, why);
  }
  return true;
}

bool hn_checkpoint_write(const char *path, GPtrArray *states, GHashTable *meta, GError **error) {
  if (!all_in_range(path, states, error)) return false;
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

static int64_t integer_at(HnType type, const char *data, gsize i) {
  int32_t narrow;
  int64_t wide;
  if (type == HN_U8) return ((const uint8_t *)data)[i];
  if (type == HN_I32) return memcpy(&narrow, data + i * sizeof narrow, sizeof narrow), narrow;
  return memcpy(&wide, data + i * sizeof wide, sizeof wide), wide;
}

char *hn_state_out_of_range(const HnState *x, const void *data, gsize bytes) {
  const gsize count = bytes / hn_type_size(x->type);
  const gsize columns = x->last_column ? (gsize)x->dim[x->rank - 1] : 1;
  if (x->low == x->end) return NULL;
  for (gsize i = columns - 1; i < count; i += columns) {
    const int64_t value = integer_at(x->type, data, i);
    if (value >= x->low && value < x->end) continue;
    return g_strdup_printf("%s holds %" PRId64 " at element %" G_GSIZE_FORMAT ", expected %" PRId64
                           " to %" PRId64,
                           x->name, value, i, x->low, x->end - 1);
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
    if (tensor && !why) why = hn_state_out_of_range(x, tensor->data, tensor->bytes);
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

bool hn_checkpoint_take(const HnStoredTensors *t, const char *path, GPtrArray *states,
                        GError **error) {
  GString *wrong = g_string_new(NULL);
  compare(states, t, wrong);
  bool ok = wrong->len == 0;
  if (!ok) hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, wrong->str + 2);
  for (guint i = 0; ok && i < states->len; i++) {
    HnState *x = states->pdata[i];
    hn_state_take(x, g_hash_table_lookup(t->find, x->name));
  }
  g_string_free(wrong, true);
  return ok;
}

bool hn_checkpoint_whole(const char *path, GError **error) {
  HnStoredTensors *t = hn_stored_tensors_open(path, error);
  if (!t) return false;
  bool more = false;
  for (guint i = 0; i < t->all->len && !more; i++)
    more = !((const HnStoredTensor *)t->all->pdata[i])->weight;
  hn_stored_tensors_free(t);
  return more ||
         hn_error_set(error, HN_ERROR_FILE,
                      "%s: holds weights only, as in a package, and no state of a run", path);
}

bool hn_checkpoint_read(const char *path, GPtrArray *states, GHashTable *meta, GError **error) {
  HnStoredTensors *t = hn_stored_tensors_open(path, error);
  if (!t) return false;
  hn_stored_tensors_meta(t, meta);
  bool ok = hn_checkpoint_take(t, path, states, error);
  hn_stored_tensors_free(t);
  return ok;
}
