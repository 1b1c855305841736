/* registry_test.c - the plugin door: what it finds, and what it says of broken plugins. */
#include "elf_file.h"
#include "error.h"
#include "record_columns.h"
#include "registry.h"
#include "validate.h"
#include <glib/gstdio.h>
#include <hunch/kit/base.h>
#include <hunch/rng.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder; /* an empty folder per test */

static char *in_folder(const char *base) {
  return g_build_filename(folder, base, NULL);
}

static void write_file(const char *base, const char *bytes, gssize size) {
  g_autofree char *file = in_folder(base);
  g_assert_true(g_file_set_contents(file, bytes, size, NULL));
}

static char *read_fake(const char *base, gsize *size) {
  g_autofree char *file = g_build_filename(FAKES, base, NULL);
  char *bytes = NULL;
  g_assert_true(g_file_get_contents(file, &bytes, size, NULL));
  return bytes;
}

static void empty_folder(void) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  const char *base;
  while ((base = g_dir_read_name(dir))) {
    g_autofree char *file = in_folder(base);
    g_assert_cmpint(g_remove(file), ==, 0);
  }
  g_dir_close(dir);
}

static void begin(const char *plugin_path) {
  empty_folder();
  g_setenv("HUNCH_PLUGIN_PATH", plugin_path, TRUE);
}

static void expect_text(const char *text, const char *part) {
  if (!strstr(text, part)) g_error("expected \"%s\" in: %s", part, text);
}

/* Loading `name` must fail with this code and with a message that has these parts. */
static void expect_refusal(const char *name, HnKind kind, int code, const char *first,
                           const char *second) {
  g_autoptr(GError) error = NULL;
  g_assert_null(hn_plugins_load(name, kind, &error));
  g_assert_error(error, HN_ERROR, code);
  expect_text(error->message, first);
  if (second) expect_text(error->message, second);
}

static void test_good(void) {
  begin(FAKES);
  g_autoptr(GError) error = NULL;
  const HnPlugin *good = hn_plugins_load("good", HN_KIND_ENV, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(good->name, ==, "good");
  g_assert_true(hn_plugins_load("good", 0, NULL) == good);
  g_assert_cmpstr(hn_plugins_file(good), ==, FAKES "/good.so");

  /* The checksum, against coreutils'. */
  g_autofree char *out = NULL;
  const char *command[] = {"sha256sum", FAKES "/good.so", NULL};
  g_assert_true(g_spawn_sync(NULL, (char **)(guintptr)command, NULL, G_SPAWN_SEARCH_PATH, NULL,
                             NULL, &out, NULL, NULL, NULL));
  g_assert_true(g_str_has_prefix(out, hn_plugins_sha256(good)));
  g_assert_cmpuint(strlen(hn_plugins_sha256(good)), ==, 64);

  /* Its function works: one step of three rows pays one each. */
  float obs[3] = {0}, reward[3] = {0};
  HnEnvBatch batch = {.struct_size = sizeof batch, .rows = 3, .obs = obs, .reward = reward};
  g_assert_cmpint(((const HnEnv *)good->methods)->step(NULL, &batch), ==, HN_OK);
  g_assert_cmpfloat(reward[0] + reward[1] + reward[2], ==, 3);
}

static void test_path(void) {
  begin("/nowhere");
  g_autoptr(GError) error = NULL;
  g_assert_nonnull(hn_plugins_load(FAKES "/good.so", HN_KIND_ENV, &error));
  g_assert_no_error(error);
  expect_refusal("./good", 0, HN_ERROR_REFUSED, "./good", "ends in .so");
  expect_refusal("./absent.so", 0, HN_ERROR_MISSING, "absent.so: ", "No such file");
}

static void test_kind(void) {
  begin(FAKES);
  expect_refusal("good", HN_KIND_POLICY, HN_ERROR_REFUSED, "plugin 'good' (" FAKES "/good.so)",
                 "is of kind env, expected policy");
}

static void test_missing(void) {
  begin(FAKES ":/nowhere/else");
  expect_refusal("goood", 0, HN_ERROR_MISSING, "no plugin named 'goood' (did you mean 'good'?)",
                 "looked in " FAKES ", /nowhere/else, ");
}

static void test_wrong_abi(void) {
  begin(FAKES);
  g_autofree char *both = g_strdup_printf("was built for plugin ABI 7.9, this hunch speaks %d.%d",
                                          HN_ABI_MAJOR, HN_ABI_MINOR);
  expect_refusal("wrong_abi", 0, HN_ERROR_PLUGIN, FAKES "/wrong_abi.so: ", both);
}

static void test_other_kit(void) {
  begin(FAKES);
  g_autofree char *both = g_strdup_printf(
      "laid out as 0123456789abcdef, this hunch has %016" G_GINT64_MODIFIER "x", HN_KIT_LAYOUT);
  expect_refusal("other_kit", 0, HN_ERROR_PLUGIN, FAKES "/other_kit.so: ", both);
}

static void test_drafts(void) {
  begin(FAKES);
  expect_refusal("drafts", 0, HN_ERROR_PLUGIN,
                 FAKES "/drafts.so: ", "was compiled with drafts of methods, number 7");
}

/* By its number, from the file alone. */
static void test_newer_kit(void) {
  begin(FAKES);
  expect_refusal("newer_kit", 0, HN_ERROR_PLUGIN, FAKES "/newer_kit.so: ",
                 "is linked to the kit libhunch-kit.so.9, this hunch has " HN_KIT_SONAME);
}

/* What the dynamic linker found under the kit's name is asked for its layout. */
static void test_stale_kit(void) {
  begin(folder);
  gsize size[2];
  g_autofree char *plugin = read_fake("stale_kit.so", &size[0]);
  g_autofree char *kit = read_fake("kits/libhunch-stale-kit.so", &size[1]);
  write_file("stale_kit.so", plugin, (gssize)size[0]);
  write_file(HN_KIT_SONAME, kit, (gssize)size[1]);
  g_autofree char *both =
      g_strdup_printf("finds the kit %s/" HN_KIT_SONAME ", whose structs are laid out as "
                      "0000000000000000, this hunch has %016" G_GINT64_MODIFIER "x",
                      folder, HN_KIT_LAYOUT);
  expect_refusal("stale_kit", 0, HN_ERROR_PLUGIN, "/stale_kit.so: ", both);
}

/* Loads the true kit into this process, and so comes last of these. */
static void test_silent_kit(void) {
  begin(FAKES);
  expect_refusal("silent_kit", 0, HN_ERROR_PLUGIN, FAKES "/silent_kit.so: ",
                 "is linked to the kit, but the file that says HN_PLUGIN includes none");
}

static void test_wrong_kind(void) {
  begin(FAKES);
  expect_refusal("no_size", 0, HN_ERROR_PLUGIN,
                 FAKES "/no_size.so: ", "has methods of 0 bytes: their .struct_size is not set");
  expect_refusal("wrong_kind", 0, HN_ERROR_PLUGIN, FAKES "/wrong_kind.so: ", "unknown kind 9");
}

static void test_wrong_name(void) {
  begin(FAKES);
  expect_refusal("wrong_name", 0, HN_ERROR_PLUGIN,
                 FAKES "/wrong_name.so: ", "calls itself 'right_name'");
}

static void test_bad_params(void) {
  begin(FAKES);
  expect_refusal("bad_params", 0, HN_ERROR_PLUGIN,
                 FAKES "/bad_params.so: ", "row 0 'gain' has a default outside its range");
}

static void test_undefined_symbol(void) {
  begin(FAKES);
  expect_refusal("undefined_symbol", 0, HN_ERROR_PLUGIN,
                 FAKES "/undefined_symbol.so: ", "undefined symbol: hunch_test_nowhere");
}

static void test_missing_dependency(void) {
  begin(FAKES);
  expect_refusal("missing_dependency", 0, HN_ERROR_PLUGIN, FAKES "/missing_dependency.so: ",
                 "libhunch-test-absent.so.9: cannot open shared object file");
}

static void test_no_plugin(void) {
  begin(FAKES);
  expect_refusal("no_plugin", 0, HN_ERROR_PLUGIN, FAKES "/no_plugin.so: ",
                 "exports no plugin: expected the data symbol no_plugin_LTX_hn_plugin");
}

/* What is refused runs no code: in the whole life of this program, neither of these two
 * constructors has left its mark. */
static void test_no_constructor_runs(void) {
  begin(FAKES);
  const char *mark = g_getenv("HUNCH_TEST_MARK");
  expect_refusal("no_plugin", 0, HN_ERROR_PLUGIN, "no_plugin.so", NULL);
  expect_refusal("wrong_abi", 0, HN_ERROR_PLUGIN, "wrong_abi.so", NULL);
  g_assert_false(g_file_test(mark, G_FILE_TEST_EXISTS));
  /* The mark would be seen: the same file, loaded in another program, leaves it. */
  const char *command[] = {"/bin/true", NULL};
  g_auto(GStrv) environment =
      g_environ_setenv(g_get_environ(), "LD_PRELOAD", FAKES "/no_plugin.so", 1);
  g_assert_true(g_spawn_sync(NULL, (char **)(guintptr)command, environment, 0, NULL, NULL, NULL,
                             NULL, NULL, NULL));
  g_assert_true(g_file_test(mark, G_FILE_TEST_EXISTS));
  g_unlink(mark);
}

static void test_no_object(void) {
  begin(folder);
  write_file("text.so", "plugin: yes\n", -1);
  write_file("nothing.so", "", 0);
  g_autofree char *pipe = in_folder("pipe.so"), *sub = in_folder("sub.so");
  g_assert_cmpint(mkfifo(pipe, 0600) | g_mkdir(sub, 0700), ==, 0);
  expect_refusal("pipe", 0, HN_ERROR_PLUGIN, "/pipe.so: ", "not a regular file");
  expect_refusal("sub", 0, HN_ERROR_PLUGIN, "/sub.so: ", "not a regular file");
  expect_refusal("text", 0, HN_ERROR_PLUGIN, "/text.so: ", "does not begin as an ELF file");
  expect_refusal("nothing", 0, HN_ERROR_PLUGIN, "/nothing.so: ", "is empty");
}

static void test_cut_short(void) {
  begin(folder);
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  const gsize sizes[] = {20, 64, 1000, size / 2, size - 1};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    write_file("good.so", bytes, (gssize)sizes[i]);
    expect_refusal("good", 0, HN_ERROR_PLUGIN, "/good.so: ", "is cut short");
  }
}

static void test_other_machine(void) {
  begin(folder);
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  bytes[18] = 8, bytes[19] = 0; /* e_machine: MIPS */
  write_file("mips.so", bytes, (gssize)size);
  expect_refusal("mips", 0, HN_ERROR_PLUGIN, "/mips.so: ", "another machine (ELF machine 8");
}

static void test_program(void) {
  begin(folder);
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  bytes[16] = 2; /* e_type: ET_EXEC */
  write_file("program.so", bytes, (gssize)size);
  expect_refusal("program", 0, HN_ERROR_PLUGIN, "/program.so: ", "no shared object");
}

static void test_renamed(void) {
  begin(folder);
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  write_file("better.so", bytes, (gssize)size);
  write_file("no-name.so", bytes, (gssize)size);
  expect_refusal("better", 0, HN_ERROR_PLUGIN,
                 "/better.so: ", "holds the plugin 'good': its file must be named good.so");
  expect_refusal("no-name", 0, HN_ERROR_PLUGIN, "/no-name.so: ", "no plugin can have this name");
}

/* Whatever the bytes are, the reader stays inside them (the sanitizer build sees it if not) and the
 * answer is yes or a reason. */
static void test_garbled(void) {
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  HnRng rng = hn_rng(7, 1);
  guint refused = 0;
  for (guint round = 0; round < 3000; round++) {
    g_autofree char *copy = g_memdup2(bytes, size);
    /* Headers, then the dynamic tables, which come first in the file. */
    gsize span = round % 2 ? 64 + 9 * 56 : size / 4;
    for (guint flip = 0; flip < 4; flip++)
      copy[hn_rng_below(&rng, (int64_t)span)] = (char)hn_rng_below(&rng, 256);
    HnElfHead head;
    g_autofree char *reason = hn_elf_refuse(copy, size, "good", &head);
    refused += reason != NULL;
  }
  g_assert_cmpuint(refused, >, 1000);
  g_assert_cmpuint(refused, <, 3000);
  /* Each word of headers and tables in turn points far away. */
  for (gsize at = 64; at + 4 <= size / 4; at += 4) {
    g_autofree char *copy = g_memdup2(bytes, size);
    memset(copy + at, 0x7F, 4);
    HnElfHead head;
    g_autofree char *reason = hn_elf_refuse(copy, size, "good", &head);
  }
}

static void test_current_folder(void) {
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  g_autofree char *before = g_get_current_dir();
  const char *paths[] = {"", ".", ":", "./:fakes", "~/plugins"};
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
    begin(paths[i]);
    write_file("good.so", bytes, (gssize)size);
    g_assert_cmpint(chdir(folder), ==, 0);
    expect_refusal("good", 0, HN_ERROR_MISSING, "no plugin named 'good'",
                   i > 0 ? "HUNCH_PLUGIN_PATH: '" : NULL);
    g_auto(GStrv) folders = hn_plugins_folders();
    for (char **f = folders; *f; f++) {
      g_assert_true(g_path_is_absolute(*f));
      g_assert_cmpstr(*f, !=, folder);
    }
  }
  g_assert_cmpint(chdir(before), ==, 0);
  begin("relative:/nowhere:");
  g_auto(GStrv) ignored = hn_plugins_ignored();
  g_assert_cmpuint(g_strv_length(ignored), ==, 3);
  expect_text(ignored[0], "'relative' is ignored: a folder is given by its full path");
  expect_text(ignored[1], "'/nowhere' is ignored: there is no such folder");
  expect_text(ignored[2], "'' is ignored");
}

static void test_first_folder_wins(void) {
  g_autofree char *path = g_strconcat(folder, ":" FAKES, NULL);
  begin(path);
  gsize size;
  g_autofree char *bytes = read_fake("good.so", &size);
  write_file("good.so", bytes, (gssize)size);
  const HnPlugin *good = hn_plugins_load("good", 0, NULL);
  g_autofree char *first = in_folder("good.so");
  g_assert_cmpstr(hn_plugins_file(good), ==, first);
  g_auto(GStrv) names = hn_plugins_list();
  guint times = 0;
  for (char **n = names; *n; n++) times += strcmp(*n, "good") == 0;
  g_assert_cmpuint(times, ==, 1);
}

/* Every file is in the scan: the good one loaded, each broken one with a reason that names it. */
static void test_scan(void) {
  begin(FAKES);
  g_autoptr(GPtrArray) all = hn_plugins_scan();
  guint rejected = 0;
  gboolean good = FALSE;
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    g_assert_true((found->plugin != NULL) == (found->reason == NULL));
    if (i > 0) g_assert_cmpstr(((HnFound *)all->pdata[i - 1])->name, <, found->name);
    good |= found->plugin && strcmp(found->name, "good") == 0;
    g_autofree char *file = g_strdup_printf(FAKES "/%s.so", found->name);
    if (!found->reason || !g_file_test(file, G_FILE_TEST_EXISTS)) continue;
    rejected++;
    g_assert_true(g_str_has_prefix(found->reason, file));
  }
  g_assert_true(good);
  g_assert_cmpuint(rejected, ==, 14); /* thirteen plugins and the library that one of them lacks */
}

/* ---- the descriptor, fault by fault ---- */

#define PARAMS(X)                          \
  X(real, gain, "", "A number.", 1, 0, 10) \
  X(int, count, "", "A count.", 3, 1, 9)   \
  X(flag, on, "", "A switch.", 0)          \
  X(text, path, "", "A file.", "")         \
  X(choice, mode, "", "A choice.", "fast", "fast|accurate")
HN_PARAMS(PARAMS);
#define METRICS(X) X(loss, "nats", "A loss.", HN_MEAN) X(entropy, "nats", "An entropy.", HN_MEAN)
HN_METRICS(METRICS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}
static HnStatus act(void *self, HnActBatch *a) {
  (void)self, (void)a;
  return HN_OK;
}
static const HnPolicy policy_methods = {sizeof(HnPolicy), .create = create, .act = act};
HN_PLUGIN(linked, HN_KIND_POLICY, int, &policy_methods, .version = "1", .summary = "Linked in.",
          .metrics = hn_this_metrics);

static void test_linked(void) {
  begin(FAKES);
  g_autoptr(GError) error = NULL;
  g_assert_true(hn_plugins_add(&linked_LTX_hn_plugin, &error));
  g_assert_no_error(error);
  g_assert_true(hn_plugins_load("linked", HN_KIND_POLICY, NULL) == &linked_LTX_hn_plugin);
  g_assert_null(hn_plugins_file(&linked_LTX_hn_plugin));
  g_assert_cmpuint(strlen(hn_plugins_sha256(&linked_LTX_hn_plugin)), ==, 64);
  g_auto(GStrv) names = hn_plugins_list();
  g_assert_true(g_strv_contains((const char *const *)names, "linked"));
  g_assert_false(hn_plugins_add(&linked_LTX_hn_plugin, &error));
  expect_text(error->message, "linked plugin 'linked': is added already");
}

static void expect_reason(const HnPlugin *p, const char *expected) {
  g_autofree char *reason = hn_descriptor_refuse(p, "linked");
  if (!reason) g_error("expected a refusal: %s", expected);
  expect_text(reason, expected);
}

/* Refused for what is done to row i of a copy of the table above. */
#define ROW_REFUSED(expected, i, ...)          \
  do {                                         \
    memcpy(rows, hn_this_params, sizeof rows); \
    HnParam *row = &rows[i];                   \
    __VA_ARGS__;                               \
    expect_reason(&p, expected);               \
  } while (0)

static void test_param_faults(void) {
  HnParam rows[5];
  HnPlugin p = linked_LTX_hn_plugin;
  p.params = rows;
  ROW_REFUSED("row 0 'gain' has a default outside its range", 0, row->preset = 2, row->high = 1);
  ROW_REFUSED("whose low end is above", 0, row->low = 2, row->high = 1);
  ROW_REFUSED("has a default outside its range", 0, row->preset = NAN, row->high = 1);
  ROW_REFUSED("whose low end is above", 0, row->low = NAN, row->high = 1);
  ROW_REFUSED("a default that is not finite", 0, row->preset = row->high = INFINITY);
  ROW_REFUSED("an integer whose default is not one", 1, row->preset = 0.5, row->low = 0);
  ROW_REFUSED("an integer whose default is not one", 1, row->preset = 1e16, row->high = 1e17);
  ROW_REFUSED("a flag whose default is not 0 or 1", 2, row->preset = 2);
  ROW_REFUSED("row 3 'path' has no default", 3, row->text = NULL);
  ROW_REFUSED("has no choices", 4, row->choices = "");
  ROW_REFUSED("has the same choice twice", 4, row->choices = "fast|slow|fast");
  ROW_REFUSED("has an empty choice", 4, row->choices = "fast||slow");
  ROW_REFUSED("none of its choices", 4, row->choices = "faster|slow");
  ROW_REFUSED("has no proper name", 1, row->name = "");
  ROW_REFUSED("has no proper name", 1, row->name = "two words");
  ROW_REFUSED("names the plugin", 1, row->name = "plugin");
  ROW_REFUSED("row 1 'gain' is there twice", 1, row->name = "gain");
  ROW_REFUSED("of an unknown kind", 1, row->kind = 7);
  ROW_REFUSED("has no unit", 1, row->unit = NULL);
  ROW_REFUSED("has no documentation", 1, row->doc = "");
  ROW_REFUSED("outside the parameter struct", 1, row->offset = 4096);
  ROW_REFUSED("outside the parameter struct", 1, row->offset = UINT32_MAX - 7);
  ROW_REFUSED("is misaligned", 1, row->offset += 1);
  ROW_REFUSED("overlaps the parameter before it", 1, row->offset = hn_this_params[0].offset);
}

#define REFUSED(expected, ...)         \
  do {                                 \
    HnPlugin p = linked_LTX_hn_plugin; \
    __VA_ARGS__;                       \
    expect_reason(&p, expected);       \
  } while (0)

#define SPEAKS "this hunch speaks " G_STRINGIFY(HN_ABI_MAJOR) "." G_STRINGIFY(HN_ABI_MINOR) ": "

static void test_descriptor_faults(void) {
  g_assert_null(hn_descriptor_refuse(&linked_LTX_hn_plugin, "linked"));
  g_autofree char *newer =
      g_strdup_printf("was built for plugin ABI %d.%d, " SPEAKS "install a newer hunch, or rebuild",
                      HN_ABI_MAJOR, HN_ABI_MINOR + 1);
  REFUSED("has a descriptor of 100 bytes, plugin ABI 1.0 has 152", p.struct_size = 100);
  REFUSED(newer, p.abi = HN_ABI + 1);
  REFUSED("was built for plugin ABI 2.0, " SPEAKS "rebuild it", p.abi = 2 << 16);
  REFUSED("was built for plugin ABI 0.7, " SPEAKS "rebuild it", p.abi = 7);
  REFUSED("has windows of 128 bytes, plugin ABI 1.0 has 144", p.history_size = 128);
  REFUSED("has columns of 24 bytes, plugin ABI 1.0 has 28", p.column_stride = 24);
  REFUSED("has no proper name", p.name = NULL);
  REFUSED("has no summary", p.summary = NULL);
  REFUSED("has no version", p.version = "");
  REFUSED("sets unknown flags 0x80", p.flags = 0x87);
  REFUSED("sets HN_STOCHASTIC, which is for policies",
          (p.flags = HN_STOCHASTIC, p.kind = HN_KIND_ENV));
  REFUSED("sets HN_IGNORES_BELIEF, which is not for environments",
          (p.flags = HN_IGNORES_BELIEF, p.kind = HN_KIND_ENV));
  REFUSED("has no methods", p.methods = NULL);
  REFUSED("counts parameters but has no table", p.params = NULL);
  REFUSED("parameters, at most", p.param_count = 1000000);
  REFUSED("has parameter rows of 8 bytes", p.param_stride = 8);
  REFUSED("row 0 'gain' lies outside the parameter struct", p.params_size = 4);
  REFUSED("renames 'old:young': expected OLD:NEW", p.renamed = "gone:gain old:young");
  REFUSED("renames 'gain:path': expected OLD:NEW", p.renamed = "gain:path");
  REFUSED("renames 'gain': expected OLD:NEW", p.renamed = "gain");
  HnPolicy methods = policy_methods;
  REFUSED("lacks the required method 'act'", (methods.act = NULL, p.methods = &methods));
  methods = policy_methods;
  methods.struct_size = offsetof(HnPolicy, act); /* an older table that ends before act */
  REFUSED("lacks the required method 'act'", p.methods = &methods);
  HnColumn columns[] = {{"a", "", "One.", HN_MEAN}, {"a", "", "Two.", HN_MEAN}, {NULL}};
  REFUSED("bad table 'info': row 1 'a' is there twice", p.info = columns);
  columns[1] = (HnColumn){"b", "", "Two.", 9};
  REFUSED("bad table 'metrics': row 1 'b' folds in an unknown way", p.metrics = columns);
  columns[1] = (HnColumn){"b,c", "", "Two.", HN_SUM};
  REFUSED("row 1 '?' has no proper name", p.metrics = columns);
  g_autofree char *just = g_strnfill(100, 'x'), *more = g_strnfill(101, 'x');
  g_assert_true(hn_descriptor_is_name(just));
  columns[1] = (HnColumn){more, "", "Two.", HN_SUM};
  REFUSED("row 1 '?' has no proper name", p.metrics = columns);
  REFUSED("has 8589934592 bytes of instance state", p.self_size = (size_t)8 << 30);
}

/* No column of a plugin may come to have the name of one of the host's, in any table. */
static void test_reserved(void) {
  guint found = 0;
  for (HnRunFile table = 0; table < HN_RUN_FILE_COUNT; table++)
    for (const HnRecordColumn *d = hn_record_columns(table); d && d->name; d++) {
      if (!d->declared) continue;
      const gsize stem = strcspn(d->name, "*"); /* of "train.*" */
      for (const HnRecordColumn *c = hn_record_columns(table); c->name; c++) {
        if (c->declared || strncmp(c->name, d->name, stem) != 0) continue;
        g_autoptr(GString) name = g_string_new(c->name + stem);
        g_string_replace(name, "*", "1", 1);
        if (!hn_descriptor_is_name(name->str)) continue; /* a plugin's column cannot be called so */
        HnColumn columns[] = {{name->str, "", "One.", HN_MEAN}, {NULL}};
        g_autofree char *says =
            g_strdup_printf("row 0 '%s' is the name of a column of the host", name->str);
        REFUSED(says, p.info = columns);
        REFUSED(says, p.metrics = columns);
        found++;
      }
    }
  g_assert_cmpuint(found, >, 20);
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  (void)self, (void)q;
  return HN_OK;
}
static HnStatus create_belief(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d, double *norm2) {
  (void)self, (void)q, (void)d, (void)norm2;
  return HN_OK;
}
static HnStatus step_weights(void *self, double scale, double rate) {
  (void)self, (void)scale, (void)rate;
  return HN_OK;
}

static void test_gradient_methods_together(void) {
  HnInference methods = {sizeof methods, .create = create_belief, .infer = infer};
  HnPlugin p = linked_LTX_hn_plugin;
  p.kind = HN_KIND_INFERENCE, p.methods = &methods;
  g_assert_null(hn_descriptor_refuse(&p, "linked"));
  methods.forward = infer;
  expect_reason(&p, "all of 'forward', 'backward' and 'step', or none");
  methods.backward = backward;
  expect_reason(&p, "all of 'forward', 'backward' and 'step', or none");
  methods.step = step_weights;
  g_assert_null(hn_descriptor_refuse(&p, "linked"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  folder = g_dir_make_tmp("hunch-plugin-test-XXXXXX", NULL);
  g_autofree char *mark = g_strconcat(folder, ".mark", NULL);
  g_setenv("HUNCH_TEST_MARK", mark, TRUE);
  const struct {
    const char *name;
    GTestFunc run;
  } cases[] = {
      {"good", test_good},
      {"path", test_path},
      {"kind", test_kind},
      {"missing", test_missing},
      {"wrong_abi", test_wrong_abi},
      {"other_kit", test_other_kit},
      {"drafts", test_drafts},
      {"newer_kit", test_newer_kit},
      {"stale_kit", test_stale_kit},
      {"wrong_kind", test_wrong_kind},
      {"wrong_name", test_wrong_name},
      {"bad_params", test_bad_params},
      {"undefined_symbol", test_undefined_symbol},
      {"missing_dependency", test_missing_dependency},
      {"no_plugin", test_no_plugin},
      {"no_constructor_runs", test_no_constructor_runs},
      {"no_object", test_no_object},
      {"cut_short", test_cut_short},
      {"other_machine", test_other_machine},
      {"program", test_program},
      {"renamed", test_renamed},
      {"garbled", test_garbled},
      {"current_folder", test_current_folder},
      {"first_folder_wins", test_first_folder_wins},
      {"scan", test_scan},
      {"silent_kit", test_silent_kit},
      {"linked", test_linked},
      {"param_faults", test_param_faults},
      {"descriptor_faults", test_descriptor_faults},
      {"reserved", test_reserved},
      {"gradient_methods_together", test_gradient_methods_together},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat("/plugins/", cases[i].name, NULL);
    g_test_add_func(path, cases[i].run);
  }
  int failed = g_test_run();
  empty_folder();
  g_rmdir(folder);
  g_free(folder);
  return failed;
}
