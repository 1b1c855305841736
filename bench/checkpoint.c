/* checkpoint.c - `./dev bench checkpoint [STUDY.yaml [ARM]]`: what a checkpoint takes, in bytes and
 * in time, of cells whose buffers are full: a few studies with different state, or the arms of one.
 *
 * Each is made as a run makes it, filled (floats with noise, buffers to their end), written and
 * read back, ROUNDS times; numbers are the least, which is less disturbed by whatever else runs: by
 * the clock, and of processor time, the kernel's too.  Below stands the same for a plain file of as
 * many bytes, by write and fsync, and by read: what the disk and the page cache allow.  The file is
 * in $TMPDIR, and is in the page cache when it is read.  Writing includes the digest of the
 * weights, and fsync. */
#include "checkpoint.h"
#include "cells.h"
#include "run_size.h"
#include <fcntl.h>
#include <hunch/rng.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5 };
enum { WRITE, PLAIN_WRITE, READ, PLAIN_READ, TIMED };

typedef struct Taken {
  double clock, processor; /* s */
} Taken;

static double seconds_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static Taken now(void) {
  return (Taken){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}
static Taken since(Taken start) {
  const Taken end = now();
  return (Taken){end.clock - start.clock, end.processor - start.processor};
}
static void take_least(Taken *least, Taken x) {
  least->clock = MIN(least->clock, x.clock), least->processor = MIN(least->processor, x.processor);
}

/* As it is once every buffer is full.  Zeros are in the range of all integers that buffers hold. */
static void fill(GPtrArray *states) {
  HnRng rng = hn_rng(1, 0);
  for (guint i = 0; i < states->len; i++) {
    const HnState *x = states->pdata[i];
    if (x->used) *x->used = x->dim[0];
    const gsize bytes = hn_state_bytes(x);
    float *f = x->data;
    double *g = x->data;
    for (gsize k = 0; x->type == HN_F32 && k < bytes / sizeof *f; k++)
      f[k] = (float)hn_rng_uniform(&rng, -1, 1);
    for (gsize k = 0; x->type == HN_F64 && k < bytes / sizeof *g; k++)
      g[k] = hn_rng_uniform(&rng, -1, 1);
    if (x->used && x->type != HN_F32 && x->type != HN_F64) memset(x->data, 0, bytes);
  }
}

static Taken write_one(GPtrArray *states, const char *path) {
  g_autoptr(GError) error = NULL;
  uint8_t digest[32];
  const char *not_finite;
  const Taken start = now();
  if (!hn_checkpoint_digest(states, digest, &not_finite) ||
      !hn_checkpoint_write(path, states, NULL, &error))
    g_error("%s", error ? error->message : not_finite);
  return since(start);
}

static Taken read_one(GPtrArray *states, const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  const Taken start = now();
  if (!hn_checkpoint_read(path, states, meta, &error)) g_error("%s", error->message);
  return since(start);
}

/* Bytes of the file, from memory or to it. */
static Taken plain(const char *path, char *bytes, gsize length, bool writing) {
  const Taken start = now();
  const int fd = open(path, writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
  if (fd < 0) g_error("%s cannot be opened", path);
  for (gsize at = 0; at < length;) {
    const ssize_t n =
        writing ? write(fd, bytes + at, length - at) : read(fd, bytes + at, length - at);
    if (n <= 0) g_error("%s: cannot be %s", path, writing ? "written" : "read");
    at += (gsize)n;
  }
  if (writing && fsync(fd) != 0) g_error("%s: no fsync", path);
  close(fd);
  return since(start);
}

/* The least of each in `least`; returns the bytes of the file. */
static gsize measure(GPtrArray *states, Taken least[TIMED]) {
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp("hunch-bench-XXXXXX", &error), *bytes = NULL;
  if (!dir) g_error("%s", error->message);
  g_autofree char *path = g_build_filename(dir, "x.safetensors", NULL);
  g_autofree char *beside = g_build_filename(dir, "plain", NULL);
  gsize length = 0;
  for (int k = 0; k < TIMED; k++) least[k] = (Taken){G_MAXDOUBLE, G_MAXDOUBLE};
  for (int r = 0; r < ROUNDS; r++) {
    take_least(&least[WRITE], write_one(states, path));
    take_least(&least[READ], read_one(states, path));
    if (r == 0 && !g_file_get_contents(path, &bytes, &length, &error))
      g_error("%s", error->message);
    unlink(path); /* each is written anew */
    take_least(&least[PLAIN_WRITE], plain(beside, bytes, length, true));
    take_least(&least[PLAIN_READ], plain(beside, bytes, length, false));
    unlink(beside);
  }
  rmdir(dir);
  return length;
}

static void print_times(const Taken x[TIMED], int write, double bytes) {
  for (int k = write; k < TIMED; k += READ - WRITE)
    printf(" %9.2f %9.2f %6.2f", 1e3 * x[k].clock, 1e3 * x[k].processor, 1e-9 * bytes / x[k].clock);
  printf("\n"), fflush(stdout);
}

static void bench(const char *study, const HnCell *cell) {
  g_autoptr(GError) error = NULL;
  printf("%-20.20s %-16.16s ", study, cell->arm), fflush(stdout);
  HnSession *s = hn_session_new(cell, NULL, &error);
  if (!s) {
    printf("left out: %s\n", error->message);
    return;
  }
  HnEpisodeStats stats;
  hn_episode_stats_make(&stats, s->rollouts.rows, s->shape.env_infos, &s->trial);
  GPtrArray *states = hn_states_of(s, &stats);
  const double most = hn_run_size(s).checkpoint;
  Taken least[TIMED];
  fill(states);
  const double bytes = (double)measure(states, least);
  printf("%11.0f %11.0f", bytes, most), print_times(least, WRITE, bytes);
  printf("%-20s %-16s %11s %11s", "", "plain file", "", "");
  print_times(least, PLAIN_WRITE, bytes);
  g_ptr_array_unref(states), hn_episode_stats_free(&stats), hn_session_free(s);
}

/* The first cell of each arm, or of one. */
static void run_study(const char *path, const char *arm) {
  HnStudy *s = study_of(path);
  for (guint k = 0; k < s->cells->len; k++) {
    HnCell *cell = s->cells->pdata[k];
    cell->run.workers = 1;
    if (!cell->seed_index && (!arm || !strcmp(arm, cell->arm))) bench(s->name, cell);
  }
  hn_study_free(s);
}

int main(int argc, char **argv) {
  static const char *const some[][2] = {{"varibad_gridworld", "none"},
                                        {"laplace_bandit", "laplace"},
                                        {"varibad_gridworld", "varibad"},
                                        {"sac_half_cheetah", "sac"},
                                        {"glibrl_ml10", "glibrl"}};
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE); /* as cells have it */
  printf("%-20s %-16s %11s %11s %9s %9s %6s %9s %9s %6s\n", "study", "arm", "bytes", "at most",
         "write, ms", "processor", "GB/s", "read, ms", "processor", "GB/s");
  if (argc > 1) run_study(argv[1], argc > 2 ? argv[2] : NULL);
  for (guint k = 0; argc < 2 && k < G_N_ELEMENTS(some); k++) {
    g_autofree char *path = g_strdup_printf("%s/%s.yaml", EXPERIMENTS, some[k][0]);
    run_study(path, some[k][1]);
  }
  return 0;
}
