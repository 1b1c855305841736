/* slurm_fixture.h - Slurm's commands as scripts that say what a test has written down and note how
 * they were called.
 *
 *   DIR/bin/sbatch    takes arrays 101, 102, .. unless DIR/refuses says why not
 *   DIR/bin/squeue    prints DIR/queue, of a single task (--jobs) DIR/state; fails where it is not
 *   DIR/bin/sacct     prints DIR/accounts; fails where it is not
 *   DIR/bin/scontrol  only notes
 *   DIR/calls         a line for each call but those of squeue and sacct */
#ifndef HN_SLURM_FIXTURE_H
#define HN_SLURM_FIXTURE_H
#include "cli_fixture.h"
#include <sys/stat.h>

static inline void slurm_fixture_command(const char *dir, const char *name, const char *body) {
  g_autofree char *bin = g_build_filename(dir, "bin", NULL);
  g_autofree char *path = g_build_filename(bin, name, NULL);
  g_autofree char *text = g_strdup_printf("#!/bin/sh\ndir='%s'\n%s", dir, body);
  fake_write(bin, name, text);
  g_assert_cmpint(chmod(path, 0755), ==, 0);
}

/* Makes the commands and puts them before all others. */
static inline Folder *slurm_fixture(void) {
  static const char said[] = " && exit 0\necho \"command: error: out of order\" >&2\nexit 1\n";
  Folder *dir = folder();
  g_autofree char *squeue = g_strdup_printf(
      "case \"$*\" in *--jobs=*) cat \"$dir/state\";; *) cat \"$dir/queue\";; esac 2>&-%s", said);
  g_autofree char *sacct = g_strdup_printf("cat \"$dir/accounts\" 2>&-%s", said);
  slurm_fixture_command(dir, "squeue", squeue);
  slurm_fixture_command(dir, "sacct", sacct);
  slurm_fixture_command(dir, "scontrol", "echo scontrol \"$@\" >>\"$dir/calls\"\n");
  slurm_fixture_command(dir, "sbatch",
                        "echo sbatch \"$@\" >>\"$dir/calls\"\n"
                        "[ -f \"$dir/refuses\" ] && cat \"$dir/refuses\" >&2 && exit 1\n"
                        "echo $((100 + $(grep -c ^sbatch \"$dir/calls\")))\n");
  g_autofree char *path = g_strdup_printf("%s/bin:/usr/bin:/bin", dir);
  g_setenv("PATH", path, TRUE);
  return dir;
}
#endif
