/* cmd_pack.c - `hunch pack DIR -o FILE.zip`: a study as one file that proves itself elsewhere. */
#include "message.h"
#include "options.h"
#include "pack.h"
#include "verbs.h"
#include <stdio.h>

static bool read_authors(char **texts, GPtrArray *authors, GError **error) {
  for (char **t = texts; t && *t; t++) {
    HnAuthor *a = hn_author_parse(*t, error);
    if (!a) return false;
    g_ptr_array_add(authors, a);
  }
  return true;
}

static int pack(const HnVerb *verb, const char *dir, const HnPackOptions *o, const char *output) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(HnResults) r = hn_results_read(dir, &error);
  if (!r || !hn_pack(r, o, output, notes, &error)) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  for (guint i = 0; i < notes->len; i++)
    hn_message_warning(verb->name, "the package says: %s", (const char *)notes->pdata[i]);
  if (!o->license)
    hn_message_warning(verb->name, "no licence is given, so nobody may reuse it: --license");
  puts(output);
  return HN_EXIT_DONE;
}

int hn_cmd_pack(int argc, char **argv) {
  gboolean replay = FALSE, unfinished = FALSE, dirty = FALSE, unchecked = FALSE;
  g_autofree char *output = NULL, *title = NULL, *license = NULL, *sign = NULL;
  g_auto(GStrv) authors = NULL;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The package to write", "FILE.zip"},
      {"title", 0, 0, G_OPTION_ARG_STRING, &title, "Of the package; default: the study's name",
       "TEXT"},
      {"author", 0, 0, G_OPTION_ARG_STRING_ARRAY, &authors,
       "\"Name\", \"Name <ORCID>\" or \"Name <mail>\"; may be given again", "WHO"},
      {"license", 0, 0, G_OPTION_ARG_STRING, &license, "Identifier of SPDX, as CC-BY-4.0", "ID"},
      {"replay", 0, 0, G_OPTION_ARG_NONE, &replay,
       "Whole checkpoints, with replay buffers; default: weights alone", NULL},
      {"sign", 0, 0, G_OPTION_ARG_FILENAME, &sign, "Sign with this secret key of minisign", "KEY"},
      {"unfinished", 0, 0, G_OPTION_ARG_NONE, &unfinished, "Pack cells that are not done", NULL},
      {"dirty", 0, 0, G_OPTION_ARG_NONE, &dirty, "Pack results of uncommitted sources", NULL},
      {"unchecked", 0, 0, G_OPTION_ARG_NONE, &unchecked,
       "Pack although a plugin is not passed by `hunch check`, or gone", NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one study folder");
  if (!output) return hn_options_refuse(verb, "expected -o FILE.zip");
  if (!g_str_has_suffix(output, ".zip"))
    return hn_options_refuse(verb, "-o %s: a package is a ZIP file, so its name ends in .zip",
                             output);
  if (license && !hn_license_is_id(license))
    return hn_options_refuse(verb, "--license %s: expected an identifier of SPDX, as CC-BY-4.0",
                             license);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) people = g_ptr_array_new_with_free_func((GDestroyNotify)hn_author_free);
  if (!read_authors(authors, people, &error))
    return hn_options_refuse(verb, "--author %s", error->message);
  const HnPackOptions o = {.choice = {.replay = replay,
                                      .unfinished = unfinished,
                                      .dirty = dirty,
                                      .unchecked = unchecked},
                           .title = title,
                           .license = license,
                           .authors = people,
                           .sign = sign};
  return pack(verb, argv[1], &o, output);
}
