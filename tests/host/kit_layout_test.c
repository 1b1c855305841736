/* kit_layout_test.c - the layout of the kit's public structs, against a golden file and its hash in
 * hunch/kit/base.h; and that plugins compiled with the kit carry it.  After a change of a struct
 * run this program with --regenerate and put the number that it prints into HN_KIT_LAYOUT. */
#include "layout_fixture.h"
#include "registry.h"
#include <hunch/kit.h>

/* clang-format off */
#define VAR(X)        X(rows) X(cols) X(data) X(grad) X(flip) X(touched) X(jvp) X(tangent) X(whole)
#define TANGENT(X)    X(size) X(base) X(v)
#define TAPE(X)       X(host) X(recording) X(room) X(left) X(last) X(jvps) X(tangent)
#define TENSOR(X)     X(name) X(rows) X(cols) X(offset) X(data) X(flip) X(grad) X(m1) X(m2)
#define STORE(X)      X(host) X(prefix) X(count) X(size) X(clock) X(tensor)
#define ADAM(X)       X(lr) X(beta1) X(beta2) X(eps) X(weight_decay)
#define MLP(X)        X(layers) X(hidden) X(output) X(w) X(b)
#define LAYER_NORM(X) X(gain) X(bias) X(eps)
#define NORMALISER(X) X(n) X(count) X(mean) X(m2)
#define WEIGHTS(X)    X(w) X(u) X(b) X(c)
#define RUN(X)        X(state)
#define RNN(X)        X(cell) X(in) X(hidden) X(width) X(carry) X(w) X(u) X(b) X(c)
#define REUSE(X)      X(host_room) X(real) X(blocks) X(at) X(used) X(asked) X(block) X(size)
#define PRECISION(X)  X(rows) X(dim) X(diagonal) X(p) X(p_row) X(jitter)
#define STATS(X)      X(entropy) X(marginal) X(trace) X(mahalanobis) X(logdet) X(kl)
#define CORE(X)       X(cell) X(hidden) X(latent) X(u) X(c) X(w) X(gram)
#define CARRY(X) \
  X(rows) X(h) X(m) X(h_row) X(m_row) X(x) X(x_row) X(window) X(filled) X(normalise)
#define MNW(X) \
  X(d) X(m) X(nu) X(logdet_xi) X(logdet_psi) X(mean) X(xi) X(v) X(psi) X(omega)
#define GRADIENT(X)   X(c) X(y) X(mean0) X(xi0) X(psi0) X(nu0) X(sigma)
#define PRIOR(X)      X(noise) X(xi) X(psi) X(nu0) X(variance)
#define TRIAL(X)      X(n) X(d) X(m) X(c) X(ldc) X(y32) X(y64) X(ldy)
#define EVIDENCE(X) \
  X(path) X(dc) X(lddc) X(evidence) X(d_log_xi) X(d_log_psi) X(d_log_variance) X(xi) \
  X(jitter_retries) X(float_error)
#define SCORE(X)      X(s) X(logp) X(l1)
#define SUMMARY(X)    X(d) X(m) X(n) X(nu) X(logdet_xi) X(logdet_psi) X(trace_v)
/* clang-format on */

static char *layout(void) {
  GString *out = g_string_new(NULL);
  LAYOUT(HnVar, VAR);
  LAYOUT(HnTangent, TANGENT);
  LAYOUT(HnTape, TAPE);
  LAYOUT(HnTensor, TENSOR);
  LAYOUT(HnStore, STORE);
  LAYOUT(HnAdam, ADAM);
  LAYOUT(HnMlp, MLP);
  LAYOUT(HnLayerNorm, LAYER_NORM);
  LAYOUT(HnNormaliser, NORMALISER);
  LAYOUT(HnRnnWeights, WEIGHTS);
  LAYOUT(HnRnnRun, RUN);
  LAYOUT(HnRnn, RNN);
  LAYOUT(HnReuse, REUSE);
  LAYOUT(HnPrecision, PRECISION);
  LAYOUT(HnPrecisionStats, STATS);
  LAYOUT(HnCore, CORE);
  LAYOUT(HnCarry, CARRY);
  LAYOUT(HnMnw, MNW);
  LAYOUT(HnMnwGradient, GRADIENT);
  LAYOUT(HnMnwPrior, PRIOR);
  LAYOUT(HnMnwTrial, TRIAL);
  LAYOUT(HnMnwEvidence, EVIDENCE);
  LAYOUT(HnMnwScore, SCORE);
  LAYOUT(HnMnwSummary, SUMMARY);
  return g_string_free(out, FALSE);
}

static guint64 hash_of(const char *text) {
  g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  hex[16] = 0;
  return g_ascii_strtoull(hex, NULL, 16);
}

static void test_layout(void) {
  g_autofree char *now = layout(), *golden = NULL;
  g_autoptr(GError) error = NULL;
  g_file_get_contents(GOLDEN "/kit_layout.txt", &golden, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(now, ==, golden);
  g_assert_cmphex(hash_of(golden), ==, HN_KIT_LAYOUT);
  check_no_field_forgotten(now);
}

/* Every struct that a header of the kit defines is in the text. */
static void test_no_struct_forgotten(void) {
  static const char folder[] = SOURCE "/core/include/hunch/kit";
  g_autofree char *text = layout();
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_autoptr(GRegex) pattern =
      g_regex_new("^(?:typedef )?struct (\\w+) {", G_REGEX_MULTILINE, 0, NULL);
  const char *base;
  int found = 0;
  while ((base = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, base, NULL), *header = NULL;
    g_autoptr(GMatchInfo) match = NULL;
    g_assert_true(g_file_get_contents(path, &header, NULL, NULL));
    for (g_regex_match(pattern, header, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
      g_autofree char *name = g_match_info_fetch(match, 1), *line = g_strdup_printf("%s ", name);
      const char *at = strstr(text, line);
      if (!at || (at > text && at[-1] != '\n'))
        g_error("%s of %s is not in the layout", name, base);
      found++;
    }
  }
  g_assert_cmpint(found, ==, 24);
}

/* A plugin carries the layout if it links to the kit, and only then. */
static void test_plugins(void) {
  g_autoptr(GDir) dir = g_dir_open(PLUGINS, 0, NULL);
  const char *base;
  int with = 0, without = 0;
  while ((base = g_dir_read_name(dir))) {
    if (!g_str_has_suffix(base, ".so")) continue;
    g_autofree char *file = g_build_filename(PLUGINS, base, NULL), *bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(file, &bytes, &size, NULL));
    const HnPlugin *plugin = hn_plugins_load(file, 0, &error);
    g_assert_no_error(error);
    const bool needs = memmem(bytes, size, HN_KIT_SONAME, sizeof HN_KIT_SONAME) != NULL;
    g_assert_cmphex(plugin->kit_layout, ==, needs ? HN_KIT_LAYOUT : 0);
    *(needs ? &with : &without) += 1;
  }
  g_assert_true(with > 0 && without > 0);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--regenerate") == 0) {
    g_autofree char *now = layout();
    printf("#define HN_KIT_LAYOUT UINT64_C(0x%016" G_GINT64_MODIFIER "x)\n", hash_of(now));
    return !g_file_set_contents(GOLDEN "/kit_layout.txt", now, -1, NULL);
  }
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kit-layout/layout", test_layout);
  g_test_add_func("/kit-layout/no_struct_forgotten", test_no_struct_forgotten);
  g_test_add_func("/kit-layout/plugins", test_plugins);
  return g_test_run();
}
