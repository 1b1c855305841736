/* machine.c - see machine.h. */
#include "machine.h"
#include <glib.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

double hn_machine_bytes(void) {
  static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                       "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents(limits[i], &text, NULL, NULL)) continue;
    double limit = g_ascii_strtod(text, NULL); /* "max" is 0 */
    if (limit > 0) bytes = MIN(bytes, limit);
  }
  return bytes;
}

double hn_machine_resident(pid_t pid, double lent) {
  double bytes = 0, kib;
  char line[128];
  g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f)) {
    if (sscanf(line, "RssAnon: %lf", &kib) == 1 || sscanf(line, "RssFile: %lf", &kib) == 1)
      bytes += 1024 * kib;
    else if (sscanf(line, "RssShmem: %lf", &kib) == 1)
      bytes += 1024 * kib - MIN(512 * kib, lent);
  }
  if (f) fclose(f);
  return bytes;
}

/* ---- processors ---- */

/* Nanoseconds run and waited for a processor, and how often: see the kernel's sched-stats. */
double hn_machine_queued(pid_t pid) {
  double ran, waited;
  g_autofree char *path = g_strdup_printf("/proc/%d/schedstat", (int)pid), *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL)) return 0;
  return sscanf(text, "%lf %lf", &ran, &waited) == 2 ? 1e-9 * waited : 0;
}

/* Quota over period of a file such as "150000 100000" or "max 100000"; 0: none. */
static double quota_of(const char *folder) {
  g_autofree char *file = g_build_filename(folder, "cpu.max", NULL), *text = NULL;
  double quota, period;
  if (!g_file_get_contents(file, &text, NULL, NULL)) return 0;
  return sscanf(text, "%lf %lf", &quota, &period) == 2 && period > 0 ? quota / period : 0;
}

/* The same of control groups of version 1. */
static double old_quota(void) {
  static const char *const names[] = {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
                                      "/sys/fs/cgroup/cpu/cpu.cfs_period_us"};
  double value[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    g_autofree char *text = NULL;
    if (g_file_get_contents(names[i], &text, NULL, NULL)) value[i] = g_ascii_strtod(text, NULL);
  }
  return value[0] > 0 && value[1] > 0 ? value[0] / value[1] : 0;
}

/* The least quota of this process's control group and of those above it; INFINITY: none. */
static double cpu_quota(void) {
  g_autofree char *text = NULL;
  double least = INFINITY, old = old_quota();
  if (old > 0) least = old;
  if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL)) return least;
  const char *line = strstr(text, "0::");
  g_autofree char *group = g_strdup(line ? line + 3 : "/");
  group[strcspn(group, "\n")] = '\0';
  for (;;) {
    g_autofree char *folder = g_build_filename("/sys/fs/cgroup", group, NULL);
    const double quota = quota_of(folder);
    if (quota > 0) least = fmin(least, quota);
    char *end = strrchr(group, '/');
    if (!end || end[1] == '\0') return least;
    end[end == group] = '\0'; /* the folder above; of the first, the root */
  }
}

int hn_machine_processors(void) {
  cpu_set_t set;
  int n =
      sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)g_get_num_processors();
  const double quota = ceil(cpu_quota());
  if (quota < n) n = (int)quota;
  return MAX(n, 1);
}
