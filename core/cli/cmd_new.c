/* cmd_new.c - `hunch new KIND NAME`: a folder with a plugin that builds, keeps the laws and runs.
 */
#include "message.h"
#include "options.h"
#include "scaffold.h"
#include "verbs.h"
#include <stdio.h>

int hn_cmd_new(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  gboolean cpp = FALSE, rust = FALSE;
  g_autofree char *folder = NULL;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &folder, "Folder to write; NAME.", "FOLDER"},
      {"cpp", 0, 0, G_OPTION_ARG_NONE, &cpp, "Write it in C++17 instead of C.", NULL},
      {"rust", 0, 0, G_OPTION_ARG_NONE, &rust, "Write it in Rust instead of C.", NULL},
      {NULL}};
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (cpp && rust) return hn_options_refuse(verb, "--cpp or --rust, not both");
  if (argc != 3)
    return hn_options_refuse(verb, "expected a kind and a name, as in 'hunch new env maze'");
  const char *to = folder ? folder : argv[2];
  g_autoptr(GError) error = NULL;
  if (!hn_scaffold_name(argv[2], &error) || !hn_scaffold_write(argv[1],
                                                               cpp    ? "cpp"
                                                               : rust ? "rust"
                                                                      : "c",
                                                               argv[2], to, &error)) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  printf("%s is there: its README.md has the commands, from meson setup to a study\n", to);
  return HN_EXIT_DONE;
}
