/* machine.c - see machine.h. */
#include "machine.h"
#include <glib.h>
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
