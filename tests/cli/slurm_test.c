/* slurm_test.c - `hunch submit` on a real Slurm: slurmctld, munged and three slurmd that the
 * test starts.  One array loses a node in its middle, one runs into its time limit, one is
 * preempted, one cancelled; what is left in the folders are the bits of a run at once on this
 * machine. */
#include "cluster_fixture.h"
#include "slurm.h"
#include <sys/stat.h>

#define OPTIONS " --time 1 --max-parallel 4 --partition "

/* A cell of `plain` has 8 updates and 100 calls of step, `delay` us each, and as many to evaluate.
 */
static const char study[] =
    "hunch: 1\nname: %s\nseeds: {root: 3, count: %d}\nbase:\n"
    "  env: {plugin: trouble, says: true, delay: %d}\n"
    "  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
    "  run: {frames: 400, rows: 4, checkpoint_every: 1}\n  evaluation: {tasks: 5, every: 4}\n"
    "arms: {plain: {}%s}\n";

static Run hunch_in(const char *dir, const char *arguments, int code) {
  Run run = hunch(dir, arguments);
  if (run.code != code) g_error("%s: %d %s", arguments, run.code, run.err);
  return run;
}

/* Submits a study as an array, whose number it returns. */
static int submit(const char *dir, const char *name, const char *partition) {
  g_autofree char *arguments = g_strdup_printf("submit %s.yaml" OPTIONS "%s", name, partition);
  g_auto(Run) run = hunch_in(dir, arguments, 0);
  g_assert_cmpint(atoi(run.out), >, 0);
  return atoi(run.out);
}

static GHashTable *jobs_of(const char *dir, const char *name) {
  g_autofree char *place = g_build_filename(dir, "runs", name, NULL);
  g_autoptr(GError) error = NULL;
  GHashTable *jobs = hn_slurm_jobs(place, &error);
  g_assert_no_error(error);
  return jobs;
}

/* How often Slurm has started a task again. */
static int restarts(int job, int task) {
  g_autofree char *out = cluster_ask("scontrol show job %d_%d", job, task);
  const char *at = strstr(out, "Restarts=");
  g_assert_nonnull(at);
  return atoi(at + strlen("Restarts="));
}

static bool is_done(const char *dir, const char *name, const char *cell) {
  g_autofree char *path = g_build_filename(dir, "runs", name, cell, "run.json", NULL), *text = NULL;
  return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, "\"status\" : \"done\"");
}

static bool has_checkpoint(const char *dir, const char *name, const char *cell) {
  g_autofree char *path = g_build_filename(dir, "runs", name, cell, "ckpt", NULL);
  g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
  for (const char *file; d && (file = g_dir_read_name(d));)
    if (g_str_has_suffix(file, ".safetensors")) return true;
  return false;
}

/* Waits until a cell is done, or has a checkpoint. */
static void wait_for(bool (*what)(const char *, const char *, const char *), const char *dir,
                     const char *name, const char *cell) {
  for (int i = 0; i < 1200; i++, g_usleep(100000))
    if (what(dir, name, cell)) return;
  g_autofree char *queue = cluster_ask("squeue --array --states=all");
  g_error("%s of %s: not in time\n%s", cell, name, queue);
}

/* The same bits as a run at once, in which step does not wait. */
static void same_bits(const char *dir, const char *name, const char *const *cells) {
  static const char *const files[] = {"metrics.csv", "episodes.csv", "trace.bin"};
  g_autofree char *arguments = g_strdup_printf("run %s.yaml -o local-%s env.delay=0", name, name);
  g_auto(Run) run = hunch_in(dir, arguments, 0);
  for (; *cells; cells++)
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
      g_autofree char *a = g_build_filename(dir, "runs", name, *cells, files[i], NULL);
      g_autofree char *local = g_strconcat("local-", name, NULL);
      g_autofree char *b = g_build_filename(dir, local, *cells, files[i], NULL);
      g_autofree char *in_a = NULL, *in_b = NULL;
      gsize n, m;
      g_assert_true(g_file_get_contents(a, &in_a, &n, NULL) && n > 0);
      g_assert_true(g_file_get_contents(b, &in_b, &m, NULL));
      g_assert_cmpmem(in_a, n, in_b, m);
    }
}

/* ---- the cases ---- */

static const char *const cells[] = {"plain/0", "other/0", "plain/1", "other/1",
                                    "plain/2", "other/2", NULL};

/* What a dry run shows is what Slurm is given. */
static int submit_as_shown(const char *dir) {
  g_auto(Run) shown = hunch_in(dir, "submit six.yaml --dry-run" OPTIONS "cpu", 0);
  const int job = submit(dir, "six", "cpu");
  g_autofree char *has = cluster_ask("scontrol write batch_script %d -", job);
  if (!g_str_has_prefix(has, shown.out)) g_error("%s instead of %s", has, shown.out);
  g_assert_cmpstr(g_strchomp(has), ==, g_strchomp(shown.out));
  return job;
}

/* A task that somebody cancels writes its checkpoint and stays away, until it is submitted again.
 */
static void cancel(const char *dir, int job) {
  wait_for(has_checkpoint, dir, "cancelled", "plain/0");
  g_free(cluster_ask("scancel %d", job));
  for (int i = 0; i < 200; i++, g_usleep(100000)) {
    g_autoptr(GHashTable) jobs = jobs_of(dir, "cancelled");
    const HnSlurmJob *j = g_hash_table_lookup(jobs, "plain/0");
    if (j->live) continue;
    g_assert_cmpstr(j->state, ==, "CANCELLED");
    g_assert_cmpint(j->job, ==, job);
    g_autofree char *queue = cluster_ask("squeue --noheader --jobs=%d", job);
    g_assert_cmpstr(queue, ==, "");
    g_free(cluster_ask("scancel %d", submit(dir, "cancelled", "cpu")));
    return;
  }
  g_error("a cancelled task goes on");
}

/* A job that counts more takes the node of a task that has a checkpoint. */
static void preempt(const char *dir) {
  wait_for(has_checkpoint, dir, "preempted", "plain/0");
  g_autofree char *job = cluster_ask("sbatch --parsable --partition=urgent --exclusive --time=1 "
                                     "--output=/dev/null --wrap=true");
  g_assert_cmpint(atoi(job), >, 0);
}

/* Kills a node under tasks that have a checkpoint; returns which tasks they were, as bits. */
static guint lose_node(Cluster *c, const char *dir, int job) {
  guint lost = 0;
  while (!lost) {
    g_autoptr(GHashTable) jobs = jobs_of(dir, "six");
    for (int task = 0; cells[task]; task++) {
      const HnSlurmJob *j = g_hash_table_lookup(jobs, cells[task]);
      g_assert_cmpint(j->job, ==, job);
      g_assert_cmpint(j->task, ==, task);
      g_assert_true(j->live);
      if (g_str_equal(j->node, "node2") && g_str_equal(j->state, "RUNNING")) lost |= 1u << task;
    }
  }
  for (int task = 0; cells[task]; task++)
    if (lost >> task & 1) wait_for(has_checkpoint, dir, "six", cells[task]);
  cluster_fail(c, 1);
  for (int task = 0; cells[task]; task++)
    if (lost >> task & 1) g_assert_false(is_done(dir, "six", cells[task]));
  return lost;
}

/* Nobody else runs what Slurm has. */
static void leave_alone(const char *dir) {
  g_auto(Run) again = hunch_in(dir, "submit six.yaml" OPTIONS "cpu", 0);
  g_assert_cmpstr(again.out, ==, "");
  expect(again.err, "nothing is left to submit");
  g_auto(Run) local = hunch_in(dir, "run six.yaml -j 6", 4);
  expect(local.err, "6 cells are with Slurm (");
}

static void write_study(const char *dir, const char *name, int seeds, int delay, const char *arms) {
  g_autofree char *file = g_strconcat(name, ".yaml", NULL);
  g_autofree char *text = g_strdup_printf(study, name, seeds, delay, arms);
  fake_write(dir, file, text);
}

static void test_cluster(void) {
  const char *lacks = cluster_lacks();
  static const char *const single[] = {"plain/0", NULL};
  if (lacks) {
    g_test_skip(lacks);
    return;
  }
  g_autoptr(Folder) top = folder();
  g_autofree char *dir = g_build_filename(top, "it's 100% mine", NULL);
  write_study(dir, "six", 3, 40000, ", other: {run: {rows: 8}}");
  write_study(dir, "limited", 1, 400000, ""); /* 34 to 52 s; limits are looked at twice a minute */
  write_study(dir, "cancelled", 1, 100000, "");
  write_study(dir, "preempted", 1, 100000, "");
  Cluster c = cluster_begin();
  const int limited_job = submit(dir, "limited", "cpu"),
            cancelled = submit(dir, "cancelled", "cpu");
  const int spare = submit(dir, "preempted", "spare");
  const int six = submit_as_shown(dir);
  preempt(dir);
  const guint lost = lose_node(&c, dir, six);
  leave_alone(dir);
  cancel(dir, cancelled);
  for (int task = 0; cells[task]; task++) wait_for(is_done, dir, "six", cells[task]);
  for (int task = 0; cells[task]; task++)
    if (lost >> task & 1) g_assert_cmpint(restarts(six, task), >=, 1);
  same_bits(dir, "six", cells);
  wait_for(is_done, dir, "preempted", "plain/0");
  g_assert_cmpint(restarts(spare, 0), ==, 1);
  same_bits(dir, "preempted", single);
  wait_for(is_done, dir, "limited", "plain/0");
  g_assert_cmpint(restarts(limited_job, 0), >=, 1);
  same_bits(dir, "limited", single);
  cluster_end(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/slurm/cluster", test_cluster);
  return g_test_run();
}
