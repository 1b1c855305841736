/* program_folder.c - see program_folder.h. */
#include "program_folder.h"

char *hn_program_folder(const char *in_tree, const char *from_bin) {
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  if (!program) return NULL;
  if (g_str_has_prefix(program, HN_BUILD_ROOT "/")) return g_strdup(in_tree);
  g_autofree char *bin = g_path_get_dirname(program);
  return g_canonicalize_filename(from_bin, bin);
}
