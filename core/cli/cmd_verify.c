/* cmd_verify.c - `hunch verify FILE.zip`: whether a package is as it was packed. */
#include "intact.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "signature.h"
#include "verbs.h"
#include <stdio.h>

typedef struct Verification {
  const HnVerb *verb;
  const char *file, *key; /* key: public, or NULL */
  HnIntact *intact;
  const char *signature; /* "good", "bad", "unchecked" or "none" */
} Verification;

/* Judges the signature; what is wrong with it is one more thing that is wrong. */
static void judge_signature(Verification *v) {
  g_autofree char *path = hn_signature_path(v->file);
  g_autoptr(GError) why = NULL;
  v->signature = g_file_test(path, G_FILE_TEST_EXISTS) ? "unchecked" : "none";
  if (!v->key) return;
  v->signature = hn_signature_check(v->file, v->key, &why) ? "good" : "bad";
  if (why) g_ptr_array_add(v->intact->wrong, g_strdup(why->message));
}

static bool is_intact(const Verification *v) {
  return v->intact->wrong->len == 0;
}

static const char *verdict(const Verification *v) {
  return is_intact(v) ? "intact" : "differs";
}

static void print_text(const Verification *v) {
  const HnIntact *x = v->intact;
  printf("%s: %s\n", v->file, verdict(v));
  printf("  %u files are as manifest.sha256 says\n  sha256 %s\n", x->files, x->sha256);
  printf("  signature: %s\n", v->signature);
  for (guint i = 0; i < x->wrong->len; i++)
    printf("  differs: %s\n", (const char *)x->wrong->pdata[i]);
  for (guint i = 0; hn_intact_note(x, i); i++) printf("  note: %s\n", hn_intact_note(x, i));
}

static void print_json(const Verification *v) {
  const HnIntact *x = v->intact;
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "file", v->file);
  hn_json_add_string(b, "verdict", verdict(v));
  hn_json_add_string(b, "sha256", x->sha256);
  hn_json_add_int(b, "files", x->files);
  hn_json_add_string(b, "signature", v->signature);
  hn_json_add_strings(b, "differs", x->wrong->len, (const char *const *)x->wrong->pdata);
  hn_json_open_array(b, "notes");
  for (guint i = 0; hn_intact_note(x, i); i++) hn_json_add_string(b, NULL, hn_intact_note(x, i));
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

int hn_cmd_verify(int argc, char **argv) {
  gboolean json = FALSE;
  g_autofree char *key = NULL;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text", NULL},
      {"public-key", 0, 0, G_OPTION_ARG_STRING, &key,
       "Have minisign check FILE.zip.minisig with this key, a text or a file", "KEY"},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one package");
  g_autoptr(GError) error = NULL;
  if (key && !hn_signature_ready(&error)) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  g_autoptr(HnIntact) intact = hn_intact_read(argv[1], &error);
  if (!intact) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  Verification v = {.verb = verb, .file = argv[1], .key = key, .intact = intact};
  judge_signature(&v);
  if (json)
    print_json(&v);
  else
    print_text(&v);
  return is_intact(&v) ? HN_EXIT_DONE : HN_EXIT_BROKEN;
}
