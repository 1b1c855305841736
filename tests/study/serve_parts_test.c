/* serve_parts_test.c - what `hunch serve` is made of: curves of tables that grow, are cut back and
 * replaced; events for watchers of every pace; what a study's folder says; paths and names. */
#include "broadcast.h"
#include "feed.h"
#include "growing_curve.h"
#include "json.h"
#include "request.h"
#include "results_fixture.h"
#include <fcntl.h>
#include <unistd.h>

static char *dir, *table;

static void append(const char *text) {
  FILE *f = fopen(table, "a");
  g_assert_nonnull(f);
  g_assert_cmpint(fputs(text, f), >=, 0);
  g_assert_cmpint(fclose(f), ==, 0);
}

/* ---- curves ---- */

static void expect_points(const HnGrowingCurve *c, int64_t n, const double *steps,
                          const double *values) {
  g_assert_cmpint(hn_growing_curve_length(c), ==, n);
  for (int64_t i = 0; i < n; i++) {
    g_assert_cmpfloat(hn_growing_curve_steps(c)[i], ==, steps[i]);
    g_assert_cmpfloat(hn_growing_curve_values(c)[i], ==, values[i]);
  }
}

/* Rows as they come; those without a number, and the half of one, are none. */
static void test_curve_grows(void) {
  g_unlink(table);
  HnGrowingCurve *c = hn_growing_curve_new(table, "x", 100);
  g_assert_cmpint(hn_growing_curve_look(c), ==, 0);
  append("update,frames,x\n1,10,\n2,20,0.5\n3,3");
  g_assert_cmpint(hn_growing_curve_look(c), ==, 0);
  expect_points(c, 1, (double[]){20}, (double[]){0.5});
  append("0,-2\n4,40,nan\n");
  g_assert_cmpint(hn_growing_curve_look(c), ==, 1);
  expect_points(c, 2, (double[]){20, 30}, (double[]){0.5, -2});
  g_assert_cmpint(hn_growing_curve_look(c), ==, 2);
  hn_growing_curve_free(c);
}

/* A cell that goes on from a checkpoint cuts its table back; one that is run anew has another. */
static void test_curve_again(void) {
  HnGrowingCurve *c = hn_growing_curve_new(table, "x", 100);
  fake_write(dir, "metrics.csv", "frames,x\n10,1\n20,2\n30,3\n");
  hn_growing_curve_look(c);
  g_assert_cmpint(truncate(table, (off_t)strlen("frames,x\n10,1\n")), ==, 0);
  g_assert_cmpint(hn_growing_curve_look(c), ==, 0);
  expect_points(c, 1, (double[]){10}, (double[]){1});
  fake_write(dir, "metrics.csv", "x,frames\n5,10\n6,20\n7,30\n8,40\n");
  g_assert_cmpint(hn_growing_curve_look(c), ==, 0);
  expect_points(c, 4, (double[]){10, 20, 30, 40}, (double[]){5, 6, 7, 8});
  g_unlink(table);
  g_assert_cmpint(hn_growing_curve_look(c), ==, 0);
  g_assert_cmpint(hn_growing_curve_length(c), ==, 0);
  hn_growing_curve_free(c);
}

/* Of a long run every 2^k-th point, evenly from its beginning on, whether it is read at once or row
 * by row; in a table of more than one part. */
static void test_curve_thins(void) {
  enum { ROWS = 60000, MOST = 64 };
  HnGrowingCurve *slow = hn_growing_curve_new(table, "x", MOST);
  HnGrowingCurve *once = hn_growing_curve_new(table, "x", MOST);
  fake_write(dir, "metrics.csv", "frames,x,other\n");
  GString *rows = g_string_new(NULL);
  for (int i = 0; i < ROWS; i++) {
    g_string_append_printf(rows, "%d,%d.25,0.123456789012345\n", 10 * i, i);
    if (i % 1500) continue;
    append(rows->str);
    g_string_truncate(rows, 0);
    const int64_t before = hn_growing_curve_length(slow), kept = hn_growing_curve_look(slow);
    g_assert_true(kept == before || kept == 0);
  }
  append(rows->str);
  hn_growing_curve_look(slow), hn_growing_curve_look(once);
  const int64_t n = hn_growing_curve_length(once), each = 1024; /* 60000 / 1024 = 58.6 */
  g_assert_cmpint(n, ==, 59);
  expect_points(slow, n, hn_growing_curve_steps(once), hn_growing_curve_values(once));
  for (int64_t i = 0; i < n; i++) {
    g_assert_cmpfloat(hn_growing_curve_steps(once)[i], ==, (double)(10 * each * i));
    g_assert_cmpfloat(hn_growing_curve_values(once)[i], ==, (double)(each * i) + 0.25);
  }
  g_string_free(rows, TRUE);
  hn_growing_curve_free(slow), hn_growing_curve_free(once);
}

/* ---- watchers ---- */

static int states;

static GBytes *state(void *arg) {
  g_autofree char *text = g_strdup_printf("<state after %d>", *(int *)arg);
  states++;
  return g_bytes_new(text, strlen(text));
}

static char *read_all(HnWatcher *w, gsize most) {
  GString *out = g_string_new(NULL);
  char part[64];
  for (gsize n; (n = hn_watcher_read(w, part, MIN(most, sizeof part))) > 0;)
    g_string_append_len(out, part, (gssize)n);
  return g_string_free(out, FALSE);
}

static void expect_read(HnWatcher *w, gsize most, const char *text) {
  g_autofree char *is = read_all(w, most);
  g_assert_cmpstr(is, ==, text);
}

static void send_number(HnBroadcast *b, int *number) {
  g_autofree char *text = g_strdup_printf("<%d>", ++*number);
  hn_broadcast_send(b, g_bytes_new(text, strlen(text)));
}

static void test_broadcast(void) {
  int number = 0;
  states = 0;
  HnBroadcast *b = hn_broadcast_new(state, &number);
  HnWatcher *fast = hn_watcher_new(b), *slow = hn_watcher_new(b), *late;
  char first;
  expect_read(fast, 64, "<state after 0>");
  g_assert_cmpuint(hn_watcher_read(slow, &first, 1), ==, 1);
  for (int i = 0; i < 3; i++) {
    send_number(b, &number);
    g_autofree char *event = g_strdup_printf("<%d>", number);
    expect_read(fast, 2, event);
  }
  late = hn_watcher_new(b);
  g_assert_cmpint(hn_broadcast_watchers(b), ==, 3);
  expect_read(late, 64, "<state after 3>");
  expect_read(slow, 1, "state after 0><1><2><3>"); /* the rest of what it had begun first */
  for (int i = 0; i < 40; i++) send_number(b, &number);
  expect_read(slow, 64, "<state after 43>"); /* not forty events */
  expect_read(fast, 64, "<state after 43>");
  g_assert_cmpint(states, ==, 3); /* made once for all who need it */
  send_number(b, &number);
  expect_read(slow, 64, "<44>");
  hn_watcher_free(fast), hn_watcher_free(slow), hn_watcher_free(late);
  hn_broadcast_free(b);
}

/* ---- a study ---- */

static const FakeArm arms[] = {{.name = "belief", .inference = "gridworld_belief", .level = 8},
                               {.name = "none", .inference = "none", .level = 4}};

/* The object of an event of that name. */
static JsonObject *data_of(GBytes *event, const char *name) {
  gsize size;
  const char *text = g_bytes_get_data(event, &size);
  g_autofree char *head = g_strdup_printf("event: %s\ndata: ", name);
  g_autofree char *whole = g_strndup(text, size);
  g_assert_true(g_str_has_prefix(whole, head));
  g_assert_true(g_str_has_suffix(whole, "}\n\n"));
  g_assert_true(strchr(whole + strlen(head), '\n') == whole + size - 2); /* data is one line */
  JsonObject *o = hn_json_parse("event", text + strlen(head), size - strlen(head) - 2, NULL);
  g_assert_nonnull(o);
  g_bytes_unref(event);
  return o;
}

static void test_feed(void) {
  const FakeStudy study = {.name = "s",
                           .arms = arms,
                           .arm_count = 2,
                           .seeds = 2,
                           .updates = 10,
                           .every = 5,
                           .aggregate = "mean"};
  g_autofree char *folder = g_build_filename(dir, "s", NULL);
  fake_study(&study, folder);
  HnFeed *f = hn_feed_new(folder, NULL);
  g_autoptr(JsonObject) all = data_of(hn_feed_state(f), "study");
  g_assert_cmpstr(hn_json_string(all, "metric", NULL), ==, "eval.return");
  g_assert_cmpint(hn_json_int(hn_json_object(all, "count"), "done", 0), ==, 4);
  JsonArray *cells = hn_json_array(all, "cells"), *named = hn_json_array(all, "arms");
  g_assert_cmpuint(json_array_get_length(cells), ==, 4);
  g_assert_cmpuint(
      json_array_get_length(hn_json_array(json_array_get_object_element(cells, 0), "steps")), ==,
      2);
  g_assert_cmpint(hn_json_int(json_array_get_object_element(named, 1), "slot", -1), ==, 0);
  g_assert_cmpint(hn_json_int(json_array_get_object_element(named, 0), "slot", -1), ==, 1);
  g_assert_null(hn_feed_look(f)); /* nothing has happened */

  g_autofree char *cell = fake_cell_dir(folder, "none", 1);
  fake_patch(cell, "run.json", "\"status\": \"done\"", "\"status\": \"failed\"");
  g_autoptr(JsonObject) failed = data_of(hn_feed_look(f), "change");
  JsonObject *one = json_array_get_object_element(hn_json_array(failed, "cells"), 0);
  g_assert_cmpuint(json_array_get_length(hn_json_array(failed, "cells")), ==, 1);
  g_assert_cmpint(hn_json_int(one, "index", -1), ==, 3);
  g_assert_cmpstr(hn_json_string(one, "state", NULL), ==, "failed");
  g_assert_cmpuint(json_array_get_length(hn_json_array(one, "steps")), ==, 0);
  g_assert_cmpint(hn_json_int(hn_json_object(failed, "count"), "failed", 0), ==, 1);
  fake_write(folder, "report.html", "<p>");
  g_autoptr(JsonObject) written = data_of(hn_feed_look(f), "change");
  g_assert_true(json_object_get_boolean_member(written, "report"));

  fake_patch(folder, "study.json", "[\"belief\", \"none\"]", "[\"none\", \"other\", \"belief\"]");
  g_autoptr(JsonObject) again = data_of(hn_feed_look(f), "study");
  g_assert_cmpuint(json_array_get_length(hn_json_array(again, "cells")), ==, 6);
  fake_write(folder, "study.json", "{"); /* as it was, until there is a plan again */
  g_assert_null(hn_feed_look(f));
  g_assert_cmpuint(hn_feed_live(f)->cells->len, ==, 6);
  hn_feed_free(f);
}

/* ---- requests ---- */

static void test_hosts(void) {
  g_assert_true(hn_request_host_is_local("localhost:80", 80));
  g_assert_true(hn_request_host_is_local("localhost", 80)); /* what browsers say of that port */
  g_assert_false(hn_request_host_is_local("localhost", 81));
  g_assert_false(hn_request_host_is_local("", 80));
}

static void test_open(void) {
  const int folder = open(dir, O_RDONLY | O_DIRECTORY);
  g_autofree char *link = g_build_filename(dir, "link.csv", NULL);
  g_autofree char *away = g_build_filename(dir, "away", NULL);
  fake_write(dir, "metrics.csv", "x\n");
  g_assert_cmpint(symlink("metrics.csv", link), ==, 0);
  g_assert_cmpint(symlink("/", away), ==, 0);
  const int fd = hn_request_open(folder, "metrics.csv");
  g_assert_cmpint(fd, >=, 0);
  close(fd);
  static const char *const refused[] = {
      "link.csv", "away/etc/passwd", "s/../metrics.csv", "..",          ".", "",
      "s",        "s/none",          "nothing.csv",      "metrics.csv/"};
  for (guint i = 0; i < G_N_ELEMENTS(refused); i++)
    g_assert_cmpint(hn_request_open(folder, refused[i]), ==, -1);
  close(folder);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dir = g_dir_make_tmp("hunch-serve-XXXXXX", NULL);
  table = g_build_filename(dir, "metrics.csv", NULL);
  g_test_add_func("/serve-parts/curve-grows", test_curve_grows);
  g_test_add_func("/serve-parts/curve-again", test_curve_again);
  g_test_add_func("/serve-parts/curve-thins", test_curve_thins);
  g_test_add_func("/serve-parts/broadcast", test_broadcast);
  g_test_add_func("/serve-parts/feed", test_feed);
  g_test_add_func("/serve-parts/hosts", test_hosts);
  g_test_add_func("/serve-parts/open", test_open);
  const int result = g_test_run();
  fake_remove(dir);
  g_free(table), g_free(dir);
  return result;
}
