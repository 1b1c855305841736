/* lengths_test.c - how long a folder's plan asks its cells to be, from overrides and source, and
 * which are shorter. */
#include "lengths.h"
#include "three_arms_fixture.h"

static char *dir;

/* The three arms as the folder asks: its overrides, as in JSON, and its source below `hunch: 1`. */
static HnResults *study(const char *overrides, const char *source) {
  g_autofree char *list = g_strconcat("\"overrides\": [", overrides, "]", NULL);
  g_autofree char *text = g_strconcat("hunch: 1\n", source, NULL);
  GError *error = NULL;
  dir = temporary();
  fake_study(&three, dir);
  fake_patch(dir, "study.json", "\"overrides\": [\"run.frames=32000\"]", list);
  fake_write(dir, "study.yaml", text);
  HnResults *r = hn_results_read(dir, &error);
  g_assert_no_error(error);
  return r;
}

static void asks(const char *overrides, const char *source, int64_t a, int64_t b, int64_t c) {
  HnResults *r = study(overrides, source);
  g_autofree int64_t *asked = hn_lengths_asked(r);
  g_assert_cmpint(asked[0], ==, a);
  g_assert_cmpint(asked[1], ==, b);
  g_assert_cmpint(asked[2], ==, c);
  hn_results_free(r), done(dir);
}

#define ARMS "arms: {inferred: {run: {frames: 0}}, memory only: {run: {frames: 2e4}}, fixed: {}}\n"
#define BASE "base: {run: {frames: 9}}\n"

static void test_asked(void) {
  asks("", "", -1, -1, -1);
  asks("", BASE, 9, 9, 9);
  asks("", BASE ARMS, 0, 20000, 9);
  asks("", "base: [", -1, -1, -1);
  asks("\"policy.lr=1\", \"run.frames=48000\"", BASE, 48000, 48000, 48000);
  asks("\"run.frames=5\", \"run.frames=48000\"", BASE ARMS, 0, 48000, 48000);
  asks("\"run.frames=7\", \"arms.fixed.run.frames=8\"", "", 7, 7, 8);
  asks("\"arms.inferred.run.frames=8\"", BASE ARMS, 8, 20000, 9);
  /* arms of a sweep are not in the source */
  asks("", BASE "arms: {fixed: {}}\nsweep: {}\n", -1, -1, 9);
}

static void shorten(const char *arm, int seed, const char *config, const char *ran) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed);
  fake_patch(cell, "config.resolved.yaml", "frames: 32000", config);
  fake_patch(cell, "run.json", "\"frames\": 32000", ran);
}

static HnLengths lengths_of(HnResults **r) {
  GError *error = NULL;
  hn_results_free(*r);
  *r = hn_results_read(dir, &error);
  g_assert_no_error(error);
  return hn_lengths_new(*r);
}

/* Which cells are shorter, of nine: bit i is cell i. */
static guint shorter(HnResults **r) {
  g_auto(HnLengths) l = lengths_of(r);
  guint which = 0;
  for (guint i = 0; i < 9; i++) which |= (guint)hn_length_is_short(*r, &l, i) << i;
  g_assert_cmpint(l.shorter, ==, which != 0);
  return which;
}

static void test_shorter(void) {
  HnResults *r = study("\"run.frames=32000\"", ARMS);
  g_assert_cmphex(shorter(&r), ==, 0);
  shorten("fixed", 1, "frames: 16000", "\"frames\": 16000");
  shorten("inferred", 0, "frames: 0", "\"frames\": 0");
  shorten("memory only", 2, "frames: 31999", "\"frames\": 32000"); /* whole updates: no less */
  g_assert_cmphex(shorter(&r), ==, 1 << 7);
  /* what is not known is the longest of an arm */
  fake_patch(dir, "study.json", "\"run.frames=32000\"", "");
  fake_write(dir, "study.yaml", "hunch: 1\n");
  g_assert_cmphex(shorter(&r), ==, 1 << 7);
  fake_patch(dir, "study.json", "\"overrides\": []", "\"overrides\": [\"run.frames=48000\"]");
  g_assert_cmphex(shorter(&r), ==, 0x1ff & ~1u);
  /* in a search arms are shorter by design */
  fake_write(dir, "search.json", "{}");
  fake_write(dir, "study.yaml", "hunch: 1\n");
  shorten("fixed", 0, "frames: 16000", "\"frames\": 16000");
  shorten("fixed", 2, "frames: 16000", "\"frames\": 16000");
  g_assert_cmphex(shorter(&r), ==, 0);
  hn_results_free(r), done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/lengths/asked", test_asked);
  g_test_add_func("/lengths/shorter", test_shorter);
  return g_test_run();
}
