/* abi_test.c - the ABI's promise: what the headers lay out against tests/golden/abi.txt, and which
 * changes of them are steps that the version number allows.  After a lawful step, --regenerate
 * writes the file anew (docs/abi.md). */
#include "abi_layout.h"
#include "abi_step.h"
#include <glib/gstdio.h>
#include <hunch/plugin.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEADERS SOURCE "/core/include"
#define TEXT    GOLDEN "/abi.txt"

static char *golden(void) {
  char *text = NULL;
  return g_file_get_contents(TEXT, &text, NULL, NULL) ? text : NULL;
}

static char *now; /* layout of the headers */

/* No field, value or function has moved, changed or come in without its step. */
static void test_layout(void) {
  g_autofree char *before = golden();
  g_assert_nonnull(before);
  g_autofree char *reason = abi_step_refuse(before, now);
  if (reason) g_error("%s (docs/abi.md)", reason);
}

/* Every struct that the headers define is there, with its last field. */
static void test_complete(void) {
  static const char *const some[] = {
      "\nstruct HnArray 96\n",
      "\nfield HnArray.dim 32 32 int64_t [4]\n",
      "\nfield HnArray.end 88 8 int64_t\n",
      "\nfield HnArray.grad 64 8 float **\n",
      "\nfield HnPlugin.metrics 112 8 const HnColumn *\n",
      "\nfield HnHost.fail 48 8 HnStatus (*)(const HnHost *host, HnStatus status, const char "
      "*format, "
      "...)\n",
      "\nfield HnTrainBatch.phase 56 8 const HnHistory *const *\n",
      "\nfield HnEnvBatch.inner 136 8 struct HnEnvBatch *\n",
      "\nfield HnBeliefSpec.refresh 112 1 _Bool\n",
      "\nfield HnRng.used 40 4 uint32_t\n",
      "\nenum HN_E_UNSUPPORTED 5\n",
      "\nenum HN_WRAPPER 8\n",
      "\nkit-value HN_RNN_LSTM 1\n",
      "\ntypedef HnStatus int32_t\n",
      "\ntypedef HnTask HnStatus (void *arg, int64_t i)\n",
      "\nfunction hn_kit_layout uint64_t hn_kit_layout(void)\n",
  };
  for (guint k = 0; k < G_N_ELEMENTS(some); k++)
    if (!strstr(now, some[k])) g_error("not in the layout: %s", some[k]);
  guint structs = 0;
  for (const char *at = now; (at = strstr(at, "\nstruct Hn")); at++) structs++;
  g_assert_cmpuint(structs, ==, 18);
}

/* The kit's file exports what its headers say, and nothing else. */
static void test_exports(void) {
  g_autofree char *out = NULL;
  g_assert_true(g_spawn_command_line_sync("nm -D --defined-only " KIT "/libhunch-kit.so", &out,
                                          NULL, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
  guint exported = 0, declared = 0;
  for (char **line = lines; *line; line++) {
    const char *name = strrchr(*line, ' ');
    if (!name || !g_str_has_prefix(name + 1, "hn_")) continue;
    g_autofree char *fact = g_strdup_printf("\nfunction %s ", name + 1);
    if (!strstr(now, fact)) g_error("libhunch-kit exports %s, which no header declares", name + 1);
    exported++;
  }
  for (const char *at = now; (at = strstr(at, "\nfunction ")); at++) declared++;
  g_assert_cmpuint(exported, ==, declared);
  g_assert_cmpuint(exported, >, 100);
}

/* ---- planted changes ---- */

typedef struct Change {
  const char *file, *from, *to; /* from NULL: no change */
} Change;

/* A copy of the headers with those changes; rm -r. */
static char *changed(const Change *change, guint count) {
  char *dir = g_dir_make_tmp("hunch-headers-XXXXXX", NULL);
  g_autofree char *copy = g_strdup_printf("cp -r '" HEADERS "/hunch' '%s'", dir);
  g_assert_true(g_spawn_command_line_sync(copy, NULL, NULL, NULL, NULL));
  for (guint k = 0; k < count && change[k].from; k++) {
    g_autofree char *path = g_build_filename(dir, "hunch", change[k].file, NULL), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_autoptr(GString) all = g_string_new(text);
    if (g_string_replace(all, change[k].from, change[k].to, 1) != 1)
      g_error("%s has no '%s'", change[k].file, change[k].from);
    g_assert_true(g_file_set_contents(path, all->str, -1, NULL));
  }
  return dir;
}

static void remove_tree(const char *dir) {
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
  g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

/* The minor version of these headers, and in a reason the one after it. */
#define THIS_MINOR G_STRINGIFY(HN_ABI_MINOR)
#define NEXT_MINOR "NEXT_MINOR"
#define MINOR \
  { "plugin.h", "#define HN_ABI_MINOR ", "#define HN_ABI_MINOR 1 + " }
#define MAJOR \
  { "plugin.h", "#define HN_ABI_MAJOR 1", "#define HN_ABI_MAJOR 2" }
#define TAIL \
  { "env.h", "} HnEnvSpec;", "  int64_t more;\n} HnEnvSpec;" }

static const struct Step {
  const char *name;
  Change change[3];
  const char *reason; /* part of why it is refused; NULL: it is not */
} steps[] = {
    {"nothing", {{NULL}}, NULL},
    {"a field in the middle",
     {{"env.h", "  size_t row_size; ", "  int64_t more;\n  size_t row_size; "}, MINOR},
     "field HnEnvSpec.row_size was '56 8 size_t', is '64 8 size_t': that takes ABI 2.0"},
    {"another type of the same size",
     {{"env.h", "int64_t horizon; ", "double horizon; "}, MINOR},
     "field HnEnvSpec.horizon was '48 8 int64_t', is '48 8 double'"},
    {"another argument of a method",
     {{"inference.h", "(*step)(void *self, double scale, double rate)",
       "(*step)(void *self, double scale)"},
      MINOR},
     "field HnInference.step was"},
    {"values that change places",
     {{"plugin.h", "HN_E_SHAPE = 2, ", "HN_E_SHAPE = 3, "},
      {"plugin.h", "HN_E_NUMERIC = 3, ", "HN_E_NUMERIC = 2, "},
      MINOR},
     "enum HN_E_SHAPE was '2', is '3'"},
    {"a field that is gone",
     {{"plugin.h", "  void *impl;\n  int64_t iteration", "  int64_t iteration"}, MINOR},
     "struct HnTrainBatch was '96', is '88'"},
    {"a field behind the others, in the same version",
     {TAIL},
     "field HnEnvSpec.more is new: that takes ABI 1." NEXT_MINOR},
    {"a value, in the same version",
     {{"plugin.h", "  HN_WRAPPER = 8, ", "  HN_MORE = 16, HN_WRAPPER = 8, "}},
     "enum HN_MORE is new: that takes ABI 1." NEXT_MINOR},
    {"a field behind the others, in a minor version", {TAIL, MINOR}, NULL},
    {"a field in what was padding",
     {{"plugin.h", "  HnFold fold;\n", "  HnFold fold;\n  int32_t better;\n"}, MINOR},
     "field HnColumn.better is new at 28, inside of the 32 bytes of before"},
    {"a longer HnRng",
     {{"rng.h", "} HnRng;", "  uint32_t more;\n} HnRng;"}, MINOR},
     "struct HnRng was '44', is '48'"},
    {"an older version",
     {MAJOR, {"plugin.h", "#define HN_ABI_MAJOR 2", "#define HN_ABI_MAJOR 0"}},
     "ABI 0." THIS_MINOR " follows 1." THIS_MINOR},
    {"a function with another argument",
     {{"kit/gemm.h", "void hn_transpose(int64_t rows, ", "void hn_transpose(int32_t rows, "},
      MINOR},
     "that takes another HN_KIT_SONAME than libhunch-kit.so.1"},
    {"the same in another kit",
     {{"kit/gemm.h", "void hn_transpose(int64_t rows, ", "void hn_transpose(int32_t rows, "},
      {"kit/base.h", "libhunch-kit.so.1", "libhunch-kit.so.2"}},
     NULL},
    {"anything in a major version",
     {{"env.h", "int64_t horizon; ", "double horizon; "}, MAJOR},
     NULL},
};

static void test_step(gconstpointer data) {
  const struct Step *s = data;
  g_autofree char *dir = changed(s->change, G_N_ELEMENTS(s->change)), *after = abi_layout(dir);
  g_autofree char *reason = abi_step_refuse(now, after);
  g_autofree char *next = g_strdup_printf("%d", HN_ABI_MINOR + 1);
  g_autoptr(GString) expected = g_string_new(s->reason);
  g_string_replace(expected, NEXT_MINOR, next, 0);
  if (!s->reason != !reason || (reason && !strstr(reason, expected->str)))
    g_error("%s: '%s', expected '%s'", s->name, reason, expected->str);
  remove_tree(dir);
}

/* ---- another judge ---- */

/* A library that takes every struct of the layout. */
static char *library_of(const char *headers) {
  g_autoptr(GString) text = g_string_new("#include <hunch/env.h>\n#include <hunch/inference.h>\n"
                                         "#include <hunch/policy.h>\n");
  for (const char *at = now; (at = strstr(at, "\nstruct Hn")); at++) {
    const char *name = at + strlen("\nstruct ");
    const int length = (int)strcspn(name, " ");
    g_string_append_printf(text, "void take_%.*s(%.*s *p) { (void)p; }\n", length, name, length,
                           name);
  }
  char *out = g_build_filename(headers, "libabi.so", NULL);
  abi_compile(headers, text->str, "-g -shared -fPIC", out);
  return out;
}

/* What it reports of steps, by their names above.  It judges structs and knows nothing of versions;
 * to it a field behind the others is a change like any other, told by there being no other. */
static const struct {
  const char *step, *says, *says_not;
} judged[] = {
    {"a field in the middle", "'size_t row_size' offset changed from 448 to 512", NULL},
    {"another type of the same size", "type of 'int64_t horizon' changed", NULL},
    {"another argument of a method", "parameter 3 of type 'double' was removed", NULL},
    {"a field that is gone", "1 data member deletion", NULL},
    {"a field behind the others, in a minor version", "'int64_t more', at offset 704",
     "offset changed"},
};

static void test_abidiff(void) {
  g_autofree char *program = g_find_program_in_path("abidiff");
  if (!program) {
    g_test_skip("abidiff (of abigail-tools) is not installed");
    return;
  }
  static const Change none[] = {{NULL}};
  g_autofree char *before = changed(none, 1), *library = library_of(before);
  for (guint k = 0; k < G_N_ELEMENTS(judged); k++) {
    const struct Step *s = steps;
    while (strcmp(s->name, judged[k].step) != 0) s++;
    g_autofree char *after = changed(s->change, G_N_ELEMENTS(s->change));
    g_autofree char *other = library_of(after), *out = NULL;
    g_autofree char *command = g_strdup_printf("abidiff '%s' '%s'", library, other);
    g_assert_true(g_spawn_command_line_sync(command, &out, NULL, NULL, NULL));
    if (!strstr(out, judged[k].says) || (judged[k].says_not && strstr(out, judged[k].says_not)))
      g_error("abidiff of %s: %s", s->name, out);
    remove_tree(after);
  }
  remove_tree(before);
}

static int regenerate(void) {
  g_autofree char *before = golden(), *reason = before ? abi_step_refuse(before, now) : NULL;
  if (reason) fprintf(stderr, "%s\n", reason);
  return reason || !g_file_set_contents(TEXT, now, -1, NULL);
}

int main(int argc, char **argv) {
  now = abi_layout(HEADERS);
  if (argc == 2 && strcmp(argv[1], "--regenerate") == 0) return regenerate();
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/abi/layout", test_layout);
  g_test_add_func("/abi/complete", test_complete);
  g_test_add_func("/abi/exports", test_exports);
  for (guint k = 0; k < G_N_ELEMENTS(steps); k++) {
    g_autofree char *path = g_strdup_printf("/abi/step/%s", steps[k].name);
    g_test_add_data_func(g_strdelimit(path, " ,", '_'), &steps[k], test_step);
  }
  g_test_add_func("/abi/abidiff", test_abidiff);
  const int result = g_test_run();
  g_free(now);
  return result;
}
