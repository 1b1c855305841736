/* env_layers_test.c - environments that hold others, seen from the host: what is kept and saved
 * under which name, who is blamed, what is refused.  The wrappers here are made for it. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "checkpoint.h"
#include "env_layers.h"
#include "json.h"
#include "run_dir.h"
#include "session.h"

#define PARAMS(X)                                                           \
  X(choice, wrong, "", "What it does wrong.", "nothing",                    \
    "nothing|splits|obs|actions|task|negative|nan|flag|obs_nan|action_dim") \
  X(int, kept, "", "Numbers that it keeps.", 3, 1, 100)                     \
  X(file, chart, "", "A file.", "")
HN_PARAMS(PARAMS);
#define METRICS(X) X(calls, "", "Calls of step, counted by each.", HN_MEAN)
HN_METRICS(METRICS);
enum { NOTHING, SPLITS, OBS, ACTIONS, TASK, NEGATIVE, NAN_REWARD, FLAG, NAN_OBS, WIDER };

typedef struct Layer {
  const HnThisParams *p;
  const HnHost *host;
  const HnInner *inner;
  int64_t *count; /* kept */
} Layer;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Layer *e = self;
  *e = (Layer){.p = params, .host = host, .inner = spec->inner};
  e->count =
      host->keep(host, HN_ARRAY("count", HN_LEARNER, HN_I64, .rank = 1, .dim = {e->p->kept}));
  g_assert_cmpint(spec->task_dim, ==, 0);
  g_assert_cmpuint(spec->row_size, ==, 0);
  g_assert_cmpint(spec->horizon, ==, spec->inner->spec->horizon);
  const int32_t wrong = e->p->wrong;
  if (wrong == SPLITS) spec->splits = "train|valid";
  if (wrong == OBS) spec->obs_dim++;
  if (wrong == ACTIONS) spec->action_dim = 0, spec->action_count = 3;
  if (wrong == TASK) spec->task_dim = 1;
  if (wrong == NEGATIVE) spec->task_dim = -1;
  return HN_OK;
}

static HnStatus create_row(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  HnStatus status = create(self, host, params, spec);
  spec->row_size = 12, spec->task_dim = 1;
  return status;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Layer *e = self;
  HnStatus status = e->inner->env->reset(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows; i++)
    if (b->begin[i] != HN_KEEP) b->task[i] = 100 + (float)e->p->kept;
  return status;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Layer *e = self;
  HnStatus status = e->inner->env->step(e->inner->self, b->inner);
  const int32_t wrong = e->p->wrong;
  if (wrong == NAN_REWARD) b->reward[0] = (float)NAN;
  if (wrong == NAN_OBS) b->obs[0] = (float)NAN;
  if (wrong == FLAG) b->terminated[0] = 2;
  for (int64_t i = 0; i < b->rows; i++) { /* row memory is its own */
    uint8_t *row = (uint8_t *)b->state + i * 12;
    for (int k = 0; k < 12; k++) row[k]++;
    g_assert_cmpint(row[11], ==, row[0]);
  }
  return status;
}

static void destroy(void *self) {
  (void)self;
}

static const HnEnv plain_methods = {sizeof(HnEnv), .create = create, .destroy = destroy};
HN_PLUGIN(plain, HN_KIND_ENV, Layer, &plain_methods, .flags = HN_WRAPPER, .version = "1",
          .summary = "Has create alone.");
static const HnEnv row_methods = {sizeof(HnEnv), .create = create_row, .reset = reset,
                                  .step = step};
HN_PLUGIN(row, HN_KIND_ENV, Layer, &row_methods, .flags = HN_WRAPPER, .version = "1",
          .metrics = hn_this_metrics, .summary = "Has all.");

/* ---- steps that a wrapper repeats ---- */

static HnStatus create_odd(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = spec->action_dim = 1, spec->horizon = 9, spec->row_size = sizeof(int64_t);
  return HN_OK;
}
static HnStatus reset_odd(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++)
    if (b->begin[i] != HN_KEEP) b->obs[i] = 0;
  return HN_OK;
}
static HnStatus step_odd(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    const int64_t steps = ++((int64_t *)b->state)[i];
    b->obs[i] = b->reward[i] = (float)steps;
    if (steps % 2) b->terminated[i] = b->truncated[i] = 1; /* where true, as env.h has it */
  }
  return HN_OK;
}
/* The first number is how many steps the row has taken. */
static HnStatus render_odd(void *self, const void *state, int64_t width, int64_t height,
                           uint8_t *rgb) {
  (void)self, (void)width, (void)height;
  rgb[0] = (uint8_t) * (const int64_t *)state;
  return HN_OK;
}
static const HnEnv odd_methods = {sizeof(HnEnv), .create = create_odd, .reset = reset_odd,
                                  .step = step_odd, .render = render_odd};
HN_PLUGIN(odd, HN_KIND_ENV, char, &odd_methods, .version = "1", .summary = "Ends at odd steps.");

static HnStatus create_twice(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)host, (void)params;
  ((Layer *)self)->inner = spec->inner;
  return HN_OK;
}
static HnStatus step_twice(void *self, HnEnvBatch *b) {
  const Layer *e = self;
  HnStatus status = e->inner->env->step(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows; i++) g_assert_true(b->terminated[i] && b->truncated[i]);
  return status ? status : e->inner->env->step(e->inner->self, b->inner);
}
/* The second one counts those that draw. */
static HnStatus render_twice(void *self, const void *state, int64_t width, int64_t height,
                             uint8_t *rgb) {
  const Layer *e = self;
  rgb[1]++;
  return e->inner->env->render(e->inner->self, state, width, height, rgb);
}
static const HnEnv twice_methods = {sizeof(HnEnv), .create = create_twice, .step = step_twice,
                                    .render = render_twice};
HN_PLUGIN(twice, HN_KIND_ENV, Layer, &twice_methods, .flags = HN_WRAPPER, .version = "1",
          .summary = "Takes each step twice.");

static HnCell cell_in(HnPluginChoice env) {
  return cell_of_parts(env, part_of(&toy_filter_LTX_hn_plugin, ""),
                       part_of(&toy_policy_LTX_hn_plugin, ""));
}

static HnPluginChoice toy(const char *settings) {
  return part_of(&toy_env_LTX_hn_plugin, settings);
}
static HnPluginChoice plain(const char *settings, HnPluginChoice inner) {
  return around(part_of(&plain_LTX_hn_plugin, settings), inner);
}
static HnPluginChoice row(const char *settings, HnPluginChoice inner) {
  return around(part_of(&row_LTX_hn_plugin, settings), inner);
}

/* ---- memory ---- */

static const HnState *find(GPtrArray *states, const char *name) {
  for (guint i = 0; i < states->len; i++)
    if (!strcmp(((const HnState *)states->pdata[i])->name, name)) return states->pdata[i];
  g_error("no state %s", name);
}

/* Every layer's arrays and rows are saved under names of their own. */
static void test_names(void) {
  HnCell c = cell_in(row("kept: 5", plain("kept: 7", toy(""))));
  GError *error = NULL;
  HnSession *s = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  HnEpisodeStats stats;
  hn_episode_stats_make(&stats, s->rollouts.rows, s->shape.env_infos, &s->trial);
  g_autoptr(GPtrArray) states = hn_states_of(s, &stats);
  const HnState *outer = find(states, "env/count"), *inner = find(states, "env/inner/count");
  g_assert_cmpint(outer->dim[0], ==, 5);
  g_assert_cmpint(inner->dim[0], ==, 7);
  g_assert_true(outer->data == ((const Layer *)s->env->self)->count);
  g_assert_true(inner->data == ((const Layer *)s->env->inner->self)->count);
  static const struct {
    const char *row, *stream;
    int64_t bytes;
  } layers[] = {{"host/row.env", "host/rng.env", 12},
                {"host/row.env.inner", "host/rng.env.inner", 0},
                {"host/row.env.inner.inner", "host/rng.env.inner.inner", 24}};
  for (guint k = 0; k < G_N_ELEMENTS(layers); k++) {
    g_assert_cmpint(find(states, layers[k].row)->dim[0], ==, 19);
    g_assert_cmpint(find(states, layers[k].row)->dim[1], ==, layers[k].bytes);
    g_assert_cmpint(find(states, layers[k].stream)->dim[0], ==, 19);
  }
  g_assert_cmpuint(s->es.row_size, ==, 36);
  /* tasks stand side by side, the innermost's first */
  const float *task = hn_experience_at(&s->rollouts.tail, HN_F_TASK, 0, 3);
  g_assert_cmpint(s->es.task_dim, ==, 2);
  g_assert_cmpfloat(fabs((double)task[0]), <=, 1);
  g_assert_cmpfloat((double)task[1], ==, 105);
  hn_episode_stats_free(&stats), hn_session_free(s), cell_clear(&c);
}

/* The innermost has the streams of a run without wrappers, the others have others. */
static void test_streams(void) {
  HnCell bare = cell_in(toy("")), c = cell_in(row("", plain("", toy(""))));
  GError *error = NULL;
  HnSession *a = hn_session_new(&bare, NULL, &error), *b = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  const gsize bytes = 19 * sizeof(HnRng);
  const HnEnvMemory *m = &b->rollouts.env;
  const HnInstance *outer = b->env, *middle = outer->inner, *inner = middle->inner;
  g_assert_cmpmem(hn_env_streams(&a->rollouts.env, a->env), bytes, hn_env_streams(m, inner), bytes);
  g_assert_cmpint(memcmp(hn_env_streams(m, outer), hn_env_streams(m, middle), bytes), !=, 0);
  g_assert_cmpint(memcmp(hn_env_streams(m, outer), hn_env_streams(m, inner), bytes), !=, 0);
  g_assert_cmpint(memcmp(hn_env_streams(m, middle), hn_env_streams(m, inner), bytes), !=, 0);
  hn_session_free(a), hn_session_free(b), cell_clear(&bare), cell_clear(&c);
}

static void test_same_bits(void) {
  HnCell c = cell_in(row("", plain("", row("", toy("")))));
  GError *error = NULL;
  g_assert_null(hn_session_new(&c, NULL, &error)); /* the same metric twice */
  g_assert_cmpstr(error->message, ==, "row: reports a metric 'calls', and so does row");
  g_clear_error(&error), cell_clear(&c);
  c = cell_in(plain("", row("", toy(""))));
  assert_same_bits(&c);
  cell_clear(&c);
}

/* A wrapper may step as often as it likes; each call says of ends what is true of it alone. */
static void test_repeated(void) {
  enum { N = 3 };
  HnCell c = cell_in(around(part_of(&twice_LTX_hn_plugin, ""), part_of(&odd_LTX_hn_plugin, "")));
  HnPool *pool = hn_pool_new(1);
  HnArena arena = {.chunks = 0};
  HnInstance *x = hn_instance_new(&c.env, pool, NULL);
  HnEnvSpec spec = {.struct_size = sizeof spec, .rows = N};
  hn_arena_enter(&arena);
  g_assert_cmpint(hn_env_create(x, &spec), ==, HN_OK);
  HnEnvMemory m = hn_env_memory_new(x, N);
  float obs[N], reward[N], action[N] = {0};
  int64_t index[N] = {-1, -1, -1};
  int32_t choice[N] = {0};
  uint8_t begin[N] = {HN_NEW_TASK, HN_NEW_TASK, HN_NEW_TASK}, terminated[N] = {0},
          truncated[N] = {0};
  HnEnvBatch b = {.struct_size = sizeof b,
                  .rows = N,
                  .begin = begin,
                  .task_index = index,
                  .action = action,
                  .chosen = action,
                  .action_index = choice,
                  .obs = obs,
                  .reward = reward,
                  .terminated = terminated,
                  .truncated = truncated};
  g_assert_cmpint(hn_env_reset(x, &m, &b), ==, HN_OK);
  for (int t = 1; t <= 4; t++) {
    g_assert_cmpint(hn_env_step(x, &m, &b), ==, HN_OK);
    for (int i = 0; i < N; i++) {
      g_assert_cmpfloat((double)obs[i], ==, 2 * t);
      g_assert_cmpfloat((double)reward[i], ==, 2 * t);
      g_assert_cmpint(terminated[i] + truncated[i], ==, 0);
    }
  }
  hn_env_memory_free(&m), hn_instance_free(x, x->created), hn_pool_free(pool);
  hn_arena_enter(NULL), hn_arena_clear(&arena), cell_clear(&c);
}

/* A picture is of the row that was asked for, below wrappers that remember something of it too. */
static void test_render(void) {
  HnCell c = cell_in(row(
      "", around(part_of(&twice_LTX_hn_plugin, ""), plain("", part_of(&odd_LTX_hn_plugin, "")))));
  GError *error = NULL;
  HnSession *s = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  const HnEnvMemory *m = &s->rollouts.env;
  const HnInstance *odd = s->env->inner->inner->inner;
  for (int64_t i = 0; i < m->rows; i++) ((int64_t *)hn_env_state(s->env, m, odd))[i] = 40 + i;
  g_assert_true(hn_env_can_render(s->env));
  for (int64_t i = 0; i < m->rows; i++) {
    uint8_t rgb[3] = {0};
    const HnMark mark = hn_arena_mark(hn_arena_current());
    g_assert_cmpint(hn_env_render(s->env, hn_env_row(s->env, m, i), 1, 1, rgb), ==, HN_OK);
    hn_arena_reset(hn_arena_current(), mark);
    g_assert_cmpint(rgb[0], ==, 40 + i);
    g_assert_cmpint(rgb[1], ==, 1);
  }
  hn_session_free(s), cell_clear(&c);
  c = cell_in(around(part_of(&twice_LTX_hn_plugin, ""), toy("")));
  s = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  g_assert_false(hn_env_can_render(s->env)); /* there is nothing to draw */
  hn_session_free(s), cell_clear(&c);
}

/* ---- blame ---- */

static void refuses(HnPluginChoice env, int code, const char *text) {
  HnCell c = cell_in(env);
  GError *error = NULL;
  g_assert_null(hn_session_new(&c, NULL, &error));
  g_assert_error(error, HN_ERROR, code);
  g_assert_cmpstr(error->message, ==, text);
  g_error_free(error), cell_clear(&c);
}

static void test_refused(void) {
  static const char needs[] =
      "plain: lacks 'reset' or 'step', which a wrapper needs that has task parameters or columns, "
      "or changes the sizes of observations or actions";
  refuses(plain("wrong: splits", toy("")), HN_ERROR_REFUSED,
          "plain: is a wrapper, and changes the splits of toy_env");
  refuses(plain("wrong: obs", toy("")), HN_ERROR_REFUSED, needs);
  refuses(plain("wrong: actions", toy("")), HN_ERROR_REFUSED, needs);
  refuses(plain("wrong: task", toy("")), HN_ERROR_REFUSED, needs);
  refuses(plain("wrong: negative", toy("")), HN_ERROR_REFUSED,
          "plain: task_dim is -1: expected 0 .. 1048576");
  /* the inner one's mistakes are its own */
  refuses(row("", plain("wrong: splits", toy(""))), HN_ERROR_REFUSED,
          "plain: is a wrapper, and changes the splits of toy_env");
}

static void fails(HnPluginChoice env, const char *text) {
  HnCell c = cell_in(env);
  char *dir = folder_new();
  GError *error = NULL;
  g_assert_false(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  if (!strstr(error->message, text)) g_error("expected \"%s\" in: %s", text, error->message);
  g_error_free(error), folder_free(dir), cell_clear(&c);
}

static void test_blame(void) {
  fails(plain("", toy("fail: true")), "toy_env: told to fail");
  fails(plain("", toy("poison_at: -9")), "env toy_env, step: reward of row 0 is nan at step 1");
  fails(row("", toy("poison_at: -9")), "env toy_env, step: reward of row 0 is nan");
  fails(row("wrong: nan", toy("")), "env row, step: reward of row 0 is nan at step 1");
  fails(plain("", row("wrong: obs_nan", toy(""))),
        "env row, step: observation 0 of row 0 is nan at");
  fails(plain("", row("wrong: flag", toy(""))),
        "env row, step: terminated of row 0 is 2, not 0 or 1, at");
}

/* A call says how deep its plugin lies, which is how a death is told. */
static void test_calls(void) {
  HnCell c = cell_in(row("", plain("", toy(""))));
  const int32_t call[] = {hn_call_at(HN_CALL_ENV_step, 0), hn_call_at(HN_CALL_ENV_step, 1),
                          hn_call_at(HN_CALL_ENV_step, 2), hn_call_at(HN_CALL_POLICY_act, 0)};
  const char *const names[] = {"row", "plain", "toy_env", "toy_policy"};
  for (guint k = 0; k < G_N_ELEMENTS(call); k++) {
    g_assert_cmpstr(hn_cell_called(&c, call[k])->plugin->name, ==, names[k]);
    g_assert_cmpstr(hn_call_method(call[k]), ==, k < 3 ? "step" : "act");
    g_assert_cmpstr(hn_call_kind(call[k]), ==, k < 3 ? "env" : "policy");
    g_assert_cmpuint(hn_call_depth(call[k]), ==, k % 3);
  }
  g_assert_null(hn_call_kind(HN_CALL_NONE));
  g_assert_null(hn_call_kind(-1));
  g_assert_null(hn_cell_called(&c, HN_CALL_NONE));
  cell_clear(&c);
}

/* run.json names every layer, and says what was in the files that parameters name. */
static void test_run_json(void) {
  char *dir = folder_new();
  g_autofree char *path = g_build_filename(dir, "abc", NULL);
  g_autofree char *settings = g_strdup_printf("chart: %s", path);
  g_assert_true(g_file_set_contents(path, "abc", -1, NULL));
  HnCell c = cell_in(row("", plain(settings, toy(""))));
  run_whole(&c, dir);
  g_autoptr(JsonObject) facts = hn_run_facts(dir, NULL);
  JsonObject *env = hn_json_object(hn_json_object(facts, "plugins"), "env");
  JsonObject *inner = hn_json_object(env, "inner"), *innermost = hn_json_object(inner, "inner");
  g_assert_cmpstr(hn_json_string(env, "name", NULL), ==, "row");
  g_assert_cmpstr(hn_json_string(inner, "name", NULL), ==, "plain");
  g_assert_cmpstr(hn_json_string(innermost, "name", NULL), ==, "toy_env");
  g_assert_null(hn_json_object(innermost, "inner"));
  JsonObject *chart = hn_json_object(hn_json_object(inner, "files"), "chart");
  g_assert_cmpstr(hn_json_string(chart, "path", NULL), ==, path);
  g_assert_cmpstr(hn_json_string(chart, "sha256", NULL), ==,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  g_assert_null(hn_json_object(hn_json_object(env, "files"), "chart"));
  folder_free(dir), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/env_layers/names", test_names);
  g_test_add_func("/env_layers/streams", test_streams);
  g_test_add_func("/env_layers/same_bits", test_same_bits);
  g_test_add_func("/env_layers/refused", test_refused);
  g_test_add_func("/env_layers/blame", test_blame);
  g_test_add_func("/env_layers/render", test_render);
  g_test_add_func("/env_layers/repeated", test_repeated);
  g_test_add_func("/env_layers/calls", test_calls);
  g_test_add_func("/env_layers/run_json", test_run_json);
  return g_test_run();
}
