/* pack_test.c - `hunch pack` and `hunch verify`: a package is the same wherever its folder lies,
 * reads without hunch, names no place of the machine, says what it lacks, and no bit of it can
 * change unnoticed.  HUNCH_FLIPS=1000 is the long form. */
#include "cli_fixture.h"
#include "json.h"
#include "python_fixture.h"
#include "safetensors.h"
#include "tiny_study_fixture.h"
#include <signal.h>
#include <sys/wait.h>

static Folder *home; /* with the study, in `out`, and a package of it, a.zip */

#define WHO \
  "--license CC-BY-4.0 --author Ada_Lovelace --dirty" /* tests run before they are committed */

static Run in(const char *dir, const char *line) {
  Run run = {NULL, NULL, -1};
  const char *argv[] = {"sh", "-c", line, NULL};
  int status = -1;
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             &run.out, &run.err, &status, NULL));
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

static void well(const char *dir, const char *line) {
  g_auto(Run) run = in(dir, line);
  if (run.code != 0) g_error("%s: %d\n%s%s", line, run.code, run.out, run.err);
}

static void packed(const char *dir, const char *arguments) {
  g_autofree char *line = g_strdup_printf("pack %s " WHO, arguments);
  g_auto(Run) run = hunch(dir, line);
  if (run.code != 0) g_error("%s: %d %s", arguments, run.code, run.err);
}

static bool exists(const char *dir, const char *name) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void test_same_bytes(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *copy = g_strdup_printf("cp -r out '%s/another place'", dir);
  g_autofree char *target = g_strdup_printf("out -o %s/again.zip", dir);
  well(home, copy);
  packed(home, target);
  well(dir, "mv 'another place' elsewhere && find elsewhere -exec touch -d 2001-02-03 {} +");
  well(dir, "chmod -R go-rwx elsewhere");
  well(dir, "mkdir -p elsewhere/report/.drawing-AbCdEf && " /* as a killed report leaves them */
            "touch elsewhere/report/.drawing-AbCdEf/x.svg elsewhere/report/x.csv.QW12ER");
  packed(dir, "elsewhere -o moved.zip");
  g_autofree char *cmp = g_strdup_printf("cmp %s/a.zip again.zip && cmp again.zip moved.zip", home);
  well(dir, cmp);
}

static void test_without_hunch(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *unzip = g_strdup_printf("unzip -q %s/a.zip", home);
  well(dir, unzip);
  well(dir, "sha256sum --quiet -c manifest.sha256");
  well(dir, "test $(find . -type f | wc -l) = $(($(wc -l < manifest.sha256) + 1))");
  g_autofree char *cmp =
      g_strdup_printf("for f in metrics.csv episodes.csv trace.bin config.resolved.yaml; do cmp "
                      "study/belief/1/$f %s/out/belief/1/$f || exit 1; done",
                      home);
  well(dir, cmp);
  g_auto(Run) before = hunch(home, "compare out"), after = hunch(dir, "compare study");
  g_assert_cmpint(after.code, ==, 0);
  g_assert_cmpstr(after.out, ==, before.out);
  g_autofree char *plugin = g_strdup_printf("cmp plugins/ppo.so %s/ppo.so", PLUGINS);
  well(dir, plugin);
}

/* Of checkpoints the weights alone, or all, and each as the run left it. */
static void test_weights(void) {
  g_autoptr(Folder) dir = folder();
  packed(home, "out -o whole.zip --replay");
  g_autofree char *unzip = g_strdup_printf(
      "unzip -q %s/a.zip -d light && unzip -q %s/whole.zip -d whole && rm %s/whole.zip", home, home,
      home);
  well(dir, unzip);
#define CKPT "study/belief/0/ckpt/00000002.safetensors"
  g_autofree char *light = g_build_filename(dir, "light/" CKPT, NULL);
  g_autofree char *of = g_build_filename(home, "out/belief/0/ckpt/00000002.safetensors", NULL);
  GError *error = NULL;
  HnStoredTensors *t = hn_stored_tensors_open(light, &error);
  g_assert_no_error(error);
  HnStoredTensors *all = hn_stored_tensors_open(of, &error);
  g_assert_no_error(error);
  guint weights = 0;
  for (guint i = 0; i < all->all->len; i++) {
    const HnStoredTensor *x = all->all->pdata[i], *y = g_hash_table_lookup(t->find, x->name);
    g_assert_true(x->weight == (y != NULL));
    if (y) g_assert_cmpmem(x->data, x->bytes, y->data, y->bytes);
    weights += x->weight;
  }
  g_assert_cmpuint(weights, >, 4);
  g_assert_cmpuint(t->all->len, ==, weights);
  g_assert_nonnull(g_hash_table_lookup(all->find, "policy/clock")); /* of the optimiser */
  g_autofree char *cmp = g_strdup_printf("cmp whole/" CKPT " %s", of);
  well(dir, cmp);
  hn_stored_tensors_free(t), hn_stored_tensors_free(all);
}

static void test_no_places(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *unzip = g_strdup_printf("unzip -q %s/a.zip", home);
  well(dir, unzip);
  g_autofree char *grep = g_strdup_printf(
      "! grep -rlF -e '%s' -e '%s' -e '\"host\"' . --include='*.json' --include='*.yaml' "
      "--include='*.csv' --include='*.md' --include='*.html' --include='*.safetensors'",
      home, BUILD);
  well(dir, grep);
  g_autofree char *run = fake_read(dir, "study/none/0/run.json");
  expect(run, "\"../../../plugins/ppo.so\"");
}

/* Another program's word on the crate.  What stays is what a study does not know: where its
 * programs and authors are at home. */
static void test_crate(void) {
  static const char *const unknown[] = {
      "RECOMMENDED Application url: ", "RECOMMENDED SoftwareApplication id: ",
      "RECOMMENDED Root Data Entity: `publisher` property: ",
      "RECOMMENDED CreativeWork Author: RECOMMENDED "};
  static const char *const arguments[] = {"a.zip", SOURCE "/tests/golden/crate_contexts.json",
                                          NULL};
  g_autofree char *said = python_says(home, SOURCE "/tests/cli/validate_crate.py", arguments);
  if (!said) {
    g_test_skip("no Python with roc-validator, of PyPI");
    return;
  }
  g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), >, 1);
  for (char **line = lines; **line; line++) {
    guint i = 0;
    while (i < G_N_ELEMENTS(unknown) && !g_str_has_prefix(*line, unknown[i])) i++;
    if (i == G_N_ELEMENTS(unknown)) g_test_fail_printf("%s", *line);
  }
}

static void test_verify(void) {
  g_auto(Run) run = hunch(home, "verify a.zip"), json = hunch(home, "verify a.zip --json");
  g_assert_cmpint(run.code, ==, 0);
  g_assert_true(g_str_has_prefix(run.out, "a.zip: intact\n"));
  g_autoptr(JsonObject) o = hn_json_parse("verify", json.out, strlen(json.out), NULL);
  g_assert_cmpstr(hn_json_string(o, "verdict", NULL), ==, "intact");
  g_autofree char *line =
      g_strdup_printf("sha256sum a.zip | grep -q '^%s '", hn_json_string(o, "sha256", "?"));
  well(home, line);
}

/* A source that was changed after the run would be packed beside results that it did not give. */
static void test_source(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *copy = g_strdup_printf("cp -r out %s", dir);
  well(home, copy);
  well(dir, "sed -i 's/^name: .*/&  # changed/' out/study.yaml");
  g_auto(Run) changed = hunch(dir, "pack out -o b.zip " WHO);
  g_assert_cmpint(changed.code, ==, 2);
  expect(changed.err, "out/study.yaml is not as the run left it");
  g_assert_false(exists(dir, "b.zip"));
}

/* A package from which a file was taken, or whose file was replaced, by one who does it well. */
static void test_repacked(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *unzip =
      g_strdup_printf("unzip -q %s/a.zip && sed -i 's/1/2/' study/none/0/metrics.csv && "
                      "zip -q -0 -X -D -r ../b.zip . && mv ../b.zip .",
                      home);
  g_auto(Run) zipped = in(dir, unzip);
  if (zipped.code == 127) {
    g_test_skip("zip is not installed");
    return;
  }
  g_auto(Run) run = hunch(dir, "verify b.zip");
  g_assert_cmpint(run.code, ==, 3);
  expect(run.err, "not described as `hunch pack` describes files");
}

/* One bit anywhere: whoever reads the archive refuses it, or the verdict is that it differs. */
static void test_flips(void) {
  g_autoptr(GRand) random = g_rand_new_with_seed(84);
  g_autoptr(Folder) dir = folder();
  g_autofree char *path = g_build_filename(home, "a.zip", NULL), *bytes = NULL;
  g_autofree char *flipped = g_build_filename(dir, "f.zip", NULL);
  const char *setting = g_getenv("HUNCH_FLIPS");
  const int flips = setting ? atoi(setting) : 100;
  gsize n;
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  for (int i = 0; i < flips; i++) {
    /* every third among the directory at the end, which is a hundredth of the file */
    const gsize span = i % 3 ? n : MIN(n, 8192);
    const gsize at = n - 1 - (gsize)g_rand_int_range(random, 0, (gint32)span);
    const int bit = g_rand_int_range(random, 0, 8);
    bytes[at] ^= (char)(1 << bit);
    g_assert_true(
        g_file_set_contents_full(flipped, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0666, NULL));
    bytes[at] ^= (char)(1 << bit);
    g_auto(Run) run = hunch(dir, "verify f.zip");
    if (run.code != 3 || (!strstr(run.out, "f.zip: differs\n") && !strstr(run.err, "f.zip: ")))
      g_error("bit %d of byte %d: %d\n%s%s", bit, (int)at, run.code, run.out, run.err);
  }
}

static void refuses(const char *dir, const char *arguments, const char *reason) {
  g_autofree char *line = g_strdup_printf("pack %s", arguments);
  g_auto(Run) run = hunch(dir, line);
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, reason);
  g_assert_false(exists(dir, "x.zip"));
  g_assert_false(exists(dir, ".part-x.zip"));
}

/* What a run says of itself, changed and sealed again. */
static void change_facts(const char *cell, const char *member, const char *value) {
  g_autofree char *path = g_build_filename(cell, "run.json", NULL);
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  json_object_set_string_member(o, member, value);
  g_autofree char *text = hn_json_sealed_text(o);
  fake_write(cell, "run.json", text);
}

static void test_refusals(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *copy = g_strdup_printf("cp -r out %s", dir);
  g_autofree char *cell = g_build_filename(dir, "out/none/1", NULL);
  well(home, copy);
  refuses(dir, "out", "expected -o FILE.zip");
  refuses(dir, "nowhere -o x.zip", "nowhere: not a study folder");
  refuses(dir, "out -o x.zip --license GPL:3", "expected an identifier of SPDX");
  refuses(dir, "out -o x.zip --author Ada<0000-0002-1825-0098>", "whose last digit checks");
  change_facts(cell, "commit", "0123456789ab-dirty");
  refuses(dir, "out -o x.zip", "uncommitted changes");
  change_facts(cell, "status", "interrupted");
  refuses(dir, "out -o x.zip --dirty", "none/1 is interrupted");
  packed(dir, "out -o y.zip --unfinished");
  g_auto(Run) run = hunch(dir, "verify y.zip");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.out, "note: Cell none/1 is unfinished: interrupted.");
  change_facts(cell, "status", "done");
  well(cell, "echo >> metrics.csv");
  refuses(dir, "out -o x.zip --dirty --unfinished", "none/1 is damaged");
}

/* Runs s.yaml into `out`; the learning rate does not hang on the length. */
static void ran(const char *dir, const char *arguments) {
  g_autofree char *line =
      g_strconcat("run s.yaml -o out -j 1 policy.anneal=false", arguments, NULL);
  g_auto(Run) run = hunch(dir, line);
  if (run.code != 0) g_error("%s: %d %s", line, run.code, run.err);
}

/* Arms that were not prolonged with the others are done, but not as far as the plan asks; an arm
 * that only evaluates is. */
static void test_lengths(void) {
  g_autoptr(Folder) dir = folder();
  g_auto(GStrv) part = g_strsplit(tiny_study, "arms:\n", 2);
  g_autofree char *more = g_strconcat(
      part[0], "arms:\n  still: {run: {frames: 0}}\n  rest: {policy: {lr: 1e-3}}\n", part[1], NULL);
  fake_write(dir, "s.yaml", more);
  ran(dir, "");
  packed(dir, "out -o whole.zip");
  ran(dir, " run.frames=192 --arm none");
  refuses(dir, "out -o x.zip --dirty",
          "arm rest: its cells have 96 of 192 frames (and 1 more arm has fewer than the study asks "
          "for): finish the study, or say --unfinished");
  packed(dir, "out -o y.zip --unfinished");
  g_auto(Run) run = hunch(dir, "verify y.zip");
  expect(run.out, "note: Unfinished: arm rest: its cells have 96 of 192 frames (and 1 more arm");
  ran(dir, " run.frames=192 --arm belief --arm rest");
  packed(dir, "out -o z.zip");
}

/* What is already there stays, whatever goes wrong. */
static void test_over_what_is_there(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *copy = g_strdup_printf("cp -r out %s && rm %s/out/none/0/ckpt/*", dir, dir);
  well(home, copy);
  fake_write(dir, "y.zip", "precious");
  g_auto(Run) run = hunch(dir, "pack out -o y.zip " WHO);
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "its weights cannot be packed");
  g_autofree char *text = fake_read(dir, "y.zip");
  g_assert_cmpstr(text, ==, "precious");
}

/* A study in dir, s.yaml, with a plugin of its own, made of `none` by the commands of sed. */
static void third_party_study(const char *dir, const char *sed) {
  g_autofree char *build = g_strdup_printf(
      "sed 's/HN_PLUGIN(none,/HN_PLUGIN(mine,/;%s' " SOURCE "/plugins/inference/none.c > mine.c && "
      "cc -shared -fPIC -I" SOURCE "/core/include mine.c -o mine.so",
      sed);
  well(dir, build);
  g_auto(GStrv) parts = g_strsplit(tiny_study, "{plugin: none}", 2);
  g_autofree char *study = g_strjoinv("{plugin: ./mine.so}", parts);
  fake_write(dir, "s.yaml", study);
}

/* A plugin from elsewhere is judged, and its path stays out of the package. */
static void test_third_party(void) {
  g_autoptr(Folder) dir = folder();
  third_party_study(dir, "");
  g_auto(Run) run = hunch(dir, "run s.yaml -o out -j 1");
  g_assert_cmpint(run.code, ==, 0);
  packed(dir, "out -o a.zip");
  g_autofree char *grep = g_strdup_printf(
      "unzip -q a.zip -d u && cmp mine.so u/plugins/mine.so && ! grep -rF '%s' u/study "
      "--include='*.json' --include='*.yaml' && grep -qE \"plugin: "
      ".?[.][.]/[.][.]/[.][.]/plugins/mine.so\" "
      "u/study/none/0/config.resolved.yaml",
      dir);
  well(dir, grep);
  g_auto(Run) before = hunch(dir, "compare out"), after = hunch(dir, "compare u/study");
  g_assert_cmpint(after.code, ==, 0);
  g_assert_cmpstr(after.out, ==, before.out);
  well(dir, "echo >> mine.so");
  refuses(dir, "out -o x.zip --dirty", "Plugin mine is not packed: its file has changed since");
  packed(dir, "out -o z.zip --unchecked");
  g_auto(Run) verified = hunch(dir, "verify z.zip");
  expect(verified.out, "note: Plugin mine is not packed");
}

/* What `hunch check` has passed is not judged again, which would write its record again: as the run
 * says, or as the record does.  Whose laws are broken is refused. */
static void test_judged_before(void) {
  g_autoptr(Folder) dir = folder(), bad = folder();
  third_party_study(dir, "");
  g_auto(Run) unchecked = hunch(dir, "run s.yaml -o before -j 1"),
              check = hunch(dir, "check ./mine.so"),
              checked = hunch(dir, "run s.yaml -o after -j 1");
  g_assert_cmpint(unchecked.code | check.code | checked.code, ==, 0);
  well(dir, "touch -d 2001-02-03 .state/hunch/checked/*.json");
  packed(dir, "before -o x.zip");
  well(dir, "test -z \"$(find .state -name '*.json' -newermt 2002-01-01)\"");
  well(dir, "rm -r .state");
  packed(dir, "after -o y.zip");
  g_assert_false(exists(dir, ".state"));
  g_auto(Run) allowed = hunch(dir, "pack before -o w.zip --unchecked " WHO);
  g_assert_cmpint(allowed.code, ==, 0); /* nothing to wait for */
  g_assert_null(strstr(allowed.err, "judging"));
  g_assert_false(exists(dir, ".state"));
  g_auto(Run) judged = hunch(dir, "pack before -o z.zip " WHO);
  g_assert_cmpint(judged.code, ==, 0);
  expect(judged.err, "mine.so, of which no passed check is on record\n");
  g_assert_true(exists(dir, ".state"));
  well(dir, "cmp x.zip z.zip");

  third_party_study(bad, "s/(void)self, (void)host/extern int dup(int); dup(0), (void)host/");
  g_auto(Run) run = hunch(bad, "run s.yaml -o out -j 1");
  g_assert_cmpint(run.code, ==, 0);
  refuses(bad, "out -o x.zip --dirty", "Plugin mine has not passed `hunch check`");
}

/* Whether a process is gone, or has ended without anybody asking how. */
static bool has_ended(int pid) {
  return kill(pid, 0) != 0 || is_in_state(pid, 'Z');
}

/* Nobody goes on judging for a pack that was ended. */
static void test_ended(void) {
  g_autoptr(Folder) dir = folder();
  third_party_study(dir, "");
  g_auto(Run) run = hunch(dir, "run s.yaml -o out -j 1");
  g_assert_cmpint(run.code, ==, 0);
  GSubprocess *p = begin(dir, "pack out -o x.zip " WHO);
  int check = 0;
  for (int i = 0; i < 1000 && !check; i++, g_usleep(5000)) check = child_of(p);
  g_assert_cmpint(check, >, 0);
  g_subprocess_send_signal(p, SIGTERM);
  g_subprocess_wait(p, NULL, NULL);
  g_object_unref(p);
  for (int i = 0; i < 1000 && !has_ended(check); i++) g_usleep(5000);
  g_assert_true(has_ended(check));
  g_assert_false(exists(dir, "x.zip"));
}

static void test_signature(void) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *program = g_find_program_in_path("minisign");
  g_autofree char *copy = g_strdup_printf("cp -r out %s", dir);
  well(home, copy);
  if (!program) {
    g_auto(Run) run = hunch(dir, "pack out -o x.zip --sign key " WHO);
    g_assert_cmpint(run.code, ==, 2);
    expect(run.err, "minisign, which is not installed");
    return;
  }
  well(dir, "minisign -G -W -p public -s secret && minisign -G -W -f -p other -s othersecret");
  packed(dir, "out -o x.zip --sign secret");
  g_auto(Run) good = hunch(dir, "verify x.zip --public-key public"),
              bad = hunch(dir, "verify x.zip --public-key other"),
              not_asked = hunch(dir, "verify x.zip");
  g_assert_cmpint(good.code, ==, 0);
  expect(good.out, "signature: good");
  g_assert_cmpint(bad.code, ==, 3);
  expect(bad.out, "signature: bad");
  g_assert_cmpint(not_asked.code, ==, 0);
  expect(not_asked.out, "signature: unchecked");
}

static void prepare(void) {
  home = folder();
  fake_write(home, "s.yaml", tiny_study);
  g_auto(Run) run = hunch(home, "run s.yaml -o out -j 1");
  if (run.code != 0) g_error("%d %s", run.code, run.err);
  packed(home, "out -o a.zip");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  prepare();
  g_test_add_func("/pack/source", test_source);
  g_test_add_func("/pack/same_bytes", test_same_bytes);
  g_test_add_func("/pack/without_hunch", test_without_hunch);
  g_test_add_func("/pack/weights", test_weights);
  g_test_add_func("/pack/no_places", test_no_places);
  g_test_add_func("/pack/crate", test_crate);
  g_test_add_func("/pack/verify", test_verify);
  g_test_add_func("/pack/repacked", test_repacked);
  g_test_add_func("/pack/flips", test_flips);
  g_test_add_func("/pack/refusals", test_refusals);
  g_test_add_func("/pack/lengths", test_lengths);
  g_test_add_func("/pack/over_what_is_there", test_over_what_is_there);
  g_test_add_func("/pack/third_party", test_third_party);
  g_test_add_func("/pack/judged_before", test_judged_before);
  g_test_add_func("/pack/ended", test_ended);
  g_test_add_func("/pack/signature", test_signature);
  const int code = g_test_run();
  remove_folder(home);
  return code;
}
