/* inspect_test.c - `hunch inspect` as its users meet it: blocks of the host, everything as JSON,
 * heads of pages, plugins of the same name. */
#include "cli_fixture.h"
#include "json.h"
#include <hunch/plugin.h>

/* "  " before every line, without comments' own lines. */
static char *indented(const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  GString *out = g_string_new(NULL);
  for (char **line = lines; *line; line++)
    if (**line && **line != '#') g_string_append_printf(out, "  %s\n", *line);
  return g_string_free(out, FALSE);
}

static char *inspected(const char *dir, const char *what) {
  g_autofree char *arguments = g_strconcat("inspect ", what, NULL);
  g_auto(Run) run = hunch(dir, arguments);
  g_assert_cmpstr(run.err, ==, "");
  g_assert_cmpint(run.code, ==, 0);
  return g_steal_pointer(&run.out);
}

/* A study of what is printed of three plugins and the host's blocks. */
static char *pasted(const char *dir) {
  static const char *const base[] = {"gridworld", "none", "uniform", "run", "evaluation"};
  GString *out = g_string_new("hunch: 1\nname: s\nbase:\n");
  for (guint i = 0; i < G_N_ELEMENTS(base); i++) {
    g_autofree char *text = inspected(dir, base[i]), *block = indented(text);
    g_string_append(out, block);
  }
  g_autofree char *seeds = inspected(dir, "seeds"), *report = inspected(dir, "report");
  g_string_append(g_string_append(out, seeds), report);
  return g_string_free(out, FALSE);
}

/* "frames: 1000" of "  frames: 1000   # an integer ..". */
static char *key_and_value(const char *line) {
  const char *comment = strstr(line, "  #");
  return g_strstrip(g_strndup(line, comment ? (gsize)(comment - line) : strlen(line)));
}

/* What is printed is a study, and its values are those that a run has where none is given. */
static void blocks(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *whole = pasted(dir);
  fake_write(dir, "s.yaml", whole);
  g_auto(Run) valid = hunch(dir, "validate s.yaml");
  g_assert_cmpstr(valid.err, ==, "");
  /* 3 x 100000 frames, in whole updates of 16 rows of 30 steps */
  g_assert_true(g_str_has_prefix(valid.out, "s: cells 3, arms 1, seeds 3, frames 300960\n"));
  fake_write(dir, "bare.yaml",
             "hunch: 1\nbase:\n  env: {plugin: gridworld}\n  inference: {plugin: none}\n"
             "  policy: {plugin: uniform}\nseeds: {count: 1}\n");
  g_auto(Run) run = hunch(dir, "run bare.yaml -o out run.frames=480");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *resolved = fake_read(dir, "out/base/0/config.resolved.yaml");
  guint keys = 0;
  for (int b = 0; b < 2; b++) {
    g_autofree char *text = inspected(dir, b ? "evaluation" : "run");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
      if (**line != ' ' || g_str_has_prefix(*line, "  frames")) continue;
      g_autofree char *pair = key_and_value(*line);
      g_autofree char *entry = g_strdup_printf("\n  %s\n", pair);
      expect(resolved, entry);
      keys++;
    }
  }
  g_assert_cmpuint(keys, >=, 20);
}

static void protocols(void) {
  g_autofree char *text = inspected(NULL, "protocol");
  expect(text, "\n#   trial            whole trials, of which every episode counts; as many "
               "episodes as in training\n");
  expect(text,
         "\n#   sdvt             sampled episodes that all count, with the belief carried on; "
         "10 episodes count by default\n");
  g_assert_true(g_str_has_suffix(text, "evaluation:\n  protocol: trial\n"));
}

static JsonObject *named(JsonArray *all, const char *name) {
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *o = json_array_get_object_element(all, i);
    if (g_strcmp0(hn_json_string(o, "name", NULL), name) == 0) return o;
  }
  g_error("no '%s'", name);
}

static JsonObject *parsed(const char *text) {
  GError *error = NULL;
  JsonObject *o = hn_json_parse("it", text, strlen(text), &error);
  g_assert_no_error(error);
  return o;
}

/* Every plugin of the folder, with what its source says. */
static void check_plugins(JsonArray *plugins) {
  static const struct {
    const char *name, *flag, *method, *old, *now;
  } table[] = {{"oracle", "privileged", NULL, NULL, NULL},
               {"uniform", "stochastic", NULL, NULL, NULL},
               {"time_limit", "wrapper", NULL, NULL, NULL},
               {"fourier", NULL, "query", NULL, NULL},
               {"ppo", NULL, "learn", "discount", "gamma"}};
  static const char *const members[] = {"kind", "version", "summary", "license", "file", "sha256"};
  static const char abi[] = G_STRINGIFY(HN_ABI_MAJOR) "." G_STRINGIFY(HN_ABI_MINOR);
  g_autoptr(GDir) dir = g_dir_open(PLUGINS, 0, NULL);
  for (const char *file; (file = g_dir_read_name(dir));) {
    if (!g_str_has_suffix(file, ".so")) continue;
    g_autofree char *stem = g_strndup(file, strlen(file) - strlen(".so"));
    JsonObject *p = named(plugins, stem);
    for (guint m = 0; m < G_N_ELEMENTS(members); m++)
      if (!hn_json_string(p, members[m], NULL)) g_error("%s has no %s", stem, members[m]);
    g_assert_nonnull(hn_json_array(p, "params"));
    g_assert_nonnull(hn_json_array(p, "info"));
    g_assert_nonnull(hn_json_array(p, "metrics"));
    g_assert_cmpstr(hn_json_string(p, "abi", NULL), ==, abi);
  }
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    JsonObject *p = named(plugins, table[i].name);
    JsonArray *methods = hn_json_array(p, "methods");
    bool offered = !table[i].method;
    if (table[i].flag) g_assert_true(json_object_get_boolean_member(p, table[i].flag));
    for (guint m = 0; m < json_array_get_length(methods); m++)
      offered |= g_strcmp0(hn_json_string_at(methods, m), table[i].method) == 0;
    g_assert_true(offered);
    if (table[i].old)
      g_assert_cmpstr(hn_json_string(hn_json_object(p, "renamed"), table[i].old, NULL), ==,
                      table[i].now);
  }
}

static void everything(void) {
  static const char *const blocks[][2] = {{"run", "frames"},  {"evaluation", "protocol"},
                                          {"weights", "arm"}, {"seeds", "count"},
                                          {"sweep", "draws"}, {"report", "metric"}};
  static const char *const protocols[] = {"trial", "metaworld", "sdvt", "upstream_biased"};
  g_auto(Run) run = hunch_among(FAKES, NULL, "inspect --json");
  g_autoptr(JsonObject) o = parsed(run.out);
  g_auto(Run) version = hunch(NULL, "--version");
  g_autofree char *said = g_strdup_printf(
      "hunch %s (plugin ABI %s)\n", hn_json_string(o, "hunch", "?"), hn_json_string(o, "abi", "?"));
  g_assert_cmpstr(said, ==, version.out);
  check_plugins(hn_json_array(o, "plugins"));
  named(hn_json_array(o, "plugins"), "good");
  named(hn_json_array(o, "rejected"), "wrong_abi");
  g_assert_cmpuint(json_array_get_length(hn_json_array(o, "blocks")), ==, G_N_ELEMENTS(blocks));
  for (guint i = 0; i < G_N_ELEMENTS(blocks); i++) {
    JsonObject *block = named(hn_json_array(o, "blocks"), blocks[i][0]);
    named(hn_json_array(block, "params"), blocks[i][1]);
    g_autofree char *arguments = g_strconcat("inspect --json ", blocks[i][0], NULL);
    g_auto(Run) alone = hunch(NULL, arguments);
    g_autoptr(JsonObject) it = parsed(alone.out);
    g_assert_cmpuint(json_array_get_length(hn_json_array(it, "params")), ==,
                     json_array_get_length(hn_json_array(block, "params")));
  }
  for (guint i = 0; i < G_N_ELEMENTS(protocols); i++)
    named(hn_json_array(o, "protocols"), protocols[i]);
}

static void wrong_calls(void) {
  static const struct {
    const char *call, *says;
  } table[] = {{"inspect rnu", "; did you mean the block 'run'?\n"},
               {"inspect protocols", "; did you mean the block 'protocol'?\n"},
               {"inspect run --markdown", "error: --markdown is for plugins, not for 'run'\n"},
               {"inspect --json --markdown", "error: either --json or --markdown\n"},
               {"inspect base", "no plugin named 'base'"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Run) run = hunch(NULL, table[i].call);
    g_assert_cmpint(run.code, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    expect(run.err, table[i].says);
  }
}

/* A plugin that hides another of its name is named by every verb that uses it. */
static void hidden(void) {
  static const char *const verbs[] = {"inspect good", "inspect good --json", "validate s.yaml",
                                      "plan s.yaml", "run s.yaml -o out"};
  g_autoptr(Folder) dir = folder();
  g_autofree char *bytes = NULL, *file = g_build_filename(dir, "good.so", NULL);
  g_autofree char *path = g_strconcat(dir, ":" FAKES, NULL);
  gsize length;
  g_assert_true(g_file_get_contents(FAKES "/good.so", &bytes, &length, NULL));
  g_assert_true(g_file_set_contents(file, bytes, (gssize)length, NULL));
  fake_write(dir, "s.yaml",
             "hunch: 1\nbase: {env: {plugin: good}, inference: {plugin: none}, policy: {plugin: "
             "uniform}, run: {frames: 0}}\nseeds: {count: 1}\n");
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
    g_auto(GStrv) words = g_strsplit(verbs[i], " ", 2);
    g_autofree char *says = g_strdup_printf(
        "hunch %s: warning: plugin 'good': %s hides " FAKES "/good.so\n", words[0], file);
    g_auto(Run) run = hunch_among(path, dir, verbs[i]);
    expect(run.err, says);
    g_assert_cmpint(run.code, ==, 0);
  }
  g_autofree char *by_path = g_strconcat("inspect ", file, NULL);
  g_auto(Run) run = hunch_among(path, dir, by_path); /* no other is meant */
  g_assert_cmpstr(run.err, ==, "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/inspect/blocks", blocks);
  g_test_add_func("/inspect/protocols", protocols);
  g_test_add_func("/inspect/everything", everything);
  g_test_add_func("/inspect/wrong_calls", wrong_calls);
  g_test_add_func("/inspect/hidden", hidden);
  return g_test_run();
}
