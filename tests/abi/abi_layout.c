/* abi_layout.c - see abi_layout.h.  The preprocessor's output says which structs, fields, values
 * and functions there are; a program made of their names says how large they are and where. */
#include "abi_layout.h"
#include <glib/gstdio.h>
#include <string.h>

#define ABI_HEADERS                                                                            \
  "#include <hunch/env.h>\n#include <hunch/inference.h>\n#include <hunch/policy.h>\n#include " \
  "<hunch/tasks.h>\n#include <hunch/encode.h>\n"
#define KIT_HEADERS "#include <hunch/kit.h>\n"

static char *run(const char *command) {
  g_autoptr(GError) error = NULL;
  char *out = NULL;
  g_autofree char *err = NULL;
  int status;
  g_spawn_command_line_sync(command, &out, &err, &status, &error);
  g_assert_no_error(error);
  if (!g_spawn_check_wait_status(status, NULL)) g_error("%s:\n%s", command, err);
  return out;
}

/* A file of the text, in a folder of its own. */
static char *file_of(const char *text) {
  g_autofree char *dir = g_dir_make_tmp("hunch-abi-XXXXXX", NULL);
  char *file = g_build_filename(dir, "facts.c", NULL);
  g_assert_true(g_file_set_contents(file, text, -1, NULL));
  return file;
}

static void remove_file(const char *file) {
  g_autofree char *dir = g_path_get_dirname(file);
  g_unlink(file), g_rmdir(dir);
}

void abi_compile(const char *folder, const char *text, const char *arguments, const char *out) {
  g_autofree char *file = file_of(text);
  g_autofree char *command = g_strdup_printf("cc -std=c11 -w %s -I'%s' -o '%s' '%s'",
                                             arguments ? arguments : "", folder, out, file);
  g_autofree char *said = run(command);
  remove_file(file);
}

/* One space where there is any. */
static char *squeezed(const char *text) {
  g_autoptr(GRegex) space = g_regex_new("\\s+", 0, 0, NULL);
  char *out = g_regex_replace_literal(space, text, -1, 0, " ", 0, NULL);
  return g_strstrip(out);
}

static char *preprocessed(const char *folder, const char *includes) {
  g_autofree char *file = file_of(includes);
  g_autofree char *command = g_strdup_printf("cc -std=c11 -E -P -I'%s' '%s'", folder, file);
  g_autofree char *text = run(command);
  g_autoptr(GRegex) format = g_regex_new("__attribute__\\(\\(format[^;]*\\)\\)\\)", 0, 0, NULL);
  remove_file(file);
  return g_regex_replace_literal(format, text, -1, 0, "", 0, NULL);
}

/* What is being written, and what of it has been. */
typedef struct Facts {
  GString *program;
  GHashTable *seen;
  const char *value; /* what a constant is called */
} Facts;

/* Calls `use` with each match of the pattern. */
static void each(const char *pattern, const char *text, void (*use)(const GMatchInfo *m, Facts *f),
                 Facts *f) {
  g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_DOTALL | G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GMatchInfo) m = NULL;
  for (g_regex_match(regex, text, 0, &m); g_match_info_matches(m); g_match_info_next(m, NULL))
    use(m, f);
}

/* Adds "  field STRUCT.NAME .. TYPE" for one declarator. */
static void add_field(GString *program, const char *type, const char *base,
                      const char *declarator) {
  g_autoptr(GRegex) parts =
      g_regex_new("^((?:\\*|const\\b|\\s)*)(\\w+)((?:\\[[^]]*\\])*)$", 0, 0, NULL);
  g_autoptr(GMatchInfo) m = NULL;
  if (!g_regex_match(parts, declarator, 0, &m)) g_error("%s: what is '%s'?", type, declarator);
  g_autofree char *stars = g_match_info_fetch(m, 1), *name = g_match_info_fetch(m, 2);
  g_autofree char *room = g_match_info_fetch(m, 3);
  g_autofree char *whole = g_strdup_printf("%s %s%s", base, stars, room);
  g_autofree char *said = squeezed(whole);
  g_string_append_printf(program, "  FIELD(%s, %s, \"%s\")\n", type, name, said);
}

static void add_declaration(GString *program, const char *type, const char *text) {
  g_autofree char *line = squeezed(text);
  g_autoptr(GRegex) pointer = g_regex_new("^(.*)\\(\\*(\\w+)\\)(\\(.*\\))$", 0, 0, NULL);
  g_autoptr(GRegex) first =
      g_regex_new("^(.*?)((?:\\*|const\\b|\\s)*\\b\\w+(?:\\[[^]]*\\])*(?:,.*)?)$", 0, 0, NULL);
  g_autoptr(GMatchInfo) m = NULL, n = NULL;
  if (!*line) return;
  if (g_regex_match(pointer, line, 0, &m)) {
    g_autofree char *result = g_match_info_fetch(m, 1), *name = g_match_info_fetch(m, 2);
    g_autofree char *arguments = g_match_info_fetch(m, 3);
    g_string_append_printf(program, "  FIELD(%s, %s, \"%s(*)%s\")\n", type, name, result,
                           arguments);
    return;
  }
  if (!g_regex_match(first, line, 0, &n)) g_error("%s: what is '%s'?", type, line);
  g_autofree char *base = g_match_info_fetch(n, 1), *rest = g_match_info_fetch(n, 2);
  g_auto(GStrv) declarators = g_strsplit(rest, ",", -1);
  for (char **d = declarators; *d; d++) add_field(program, type, base, g_strstrip(*d));
}

static void add_struct(const GMatchInfo *m, Facts *f) {
  g_autofree char *type = g_match_info_fetch(m, 1), *body = g_match_info_fetch(m, 2);
  g_auto(GStrv) lines = g_strsplit(body, ";", -1);
  g_string_append_printf(f->program, "  STRUCT(%s)\n", type);
  for (char **line = lines; *line; line++) add_declaration(f->program, type, *line);
}

static void add_value(const GMatchInfo *m, Facts *f) {
  char *name = g_match_info_fetch(m, 1);
  /* how many of a list there are may change */
  if (g_hash_table_add(f->seen, name) && !g_str_has_suffix(name, "_COUNT"))
    g_string_append_printf(f->program, "  VALUE(\"%s\", %s)\n", f->value, name);
}

static void add_enum(const GMatchInfo *m, Facts *f) {
  g_autofree char *body = g_match_info_fetch(m, 1);
  each("\\b(HN_\\w+)\\s*(?:=|,|$)", body, add_value, f);
}

static void add_typedef(const GMatchInfo *m, Facts *f) {
  g_autofree char *what = g_match_info_fetch(m, 1), *name = g_match_info_fetch(m, 2);
  g_autofree char *rest = g_match_info_fetch(m, 3);
  g_autofree char *whole = g_strconcat(what, rest, NULL), *said = squeezed(whole);
  g_string_append_printf(f->program, "  puts(\"typedef %s %s\");\n", name, said);
}

static void add_function(const GMatchInfo *m, Facts *f) {
  g_autofree char *line = g_match_info_fetch(m, 1), *name = g_match_info_fetch(m, 2);
  g_autofree char *said = squeezed(line);
  g_string_append_printf(f->program, "  puts(\"function %s %s\");\n", name, said);
}

char *abi_layout(const char *folder) {
  g_autofree char *abi = preprocessed(folder, ABI_HEADERS);
  g_autofree char *both = preprocessed(folder, ABI_HEADERS KIT_HEADERS);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GString) program = g_string_new(
      ABI_HEADERS KIT_HEADERS
      "#include <stdio.h>\n"
      "#define STRUCT(s) printf(\"struct %s %zu\\n\", #s, sizeof(s));\n"
      "#define FIELD(s, f, t) printf(\"field %s.%s %zu %zu %s\\n\", #s, #f, offsetof(s, f), "
      "sizeof ((s *)0)->f, t);\n"
      "#define VALUE(w, e) printf(w \" %s %lld\\n\", #e, (long long)e);\n"
      "int main(void) {\n  printf(\"ABI %d.%d\\n\", HN_ABI_MAJOR, HN_ABI_MINOR);\n"
      "  puts(\"kit \" HN_KIT_SONAME);\n");
  Facts f = {program, seen, "enum"};
  each("typedef (?!struct|enum)([^;{}]*?)\\b(Hn\\w+)(\\([^;{}]*)?;", abi, add_typedef, &f);
  each("enum\\s*\\w*\\s*\\{([^{}]*)\\}", abi, add_enum, &f);
  f.value = "kit-value";
  each("enum\\s*\\w*\\s*\\{([^{}]*)\\}", both, add_enum, &f);
  each("struct (Hn\\w+) \\{([^{}]*)\\}", abi, add_struct, &f);
  each("__attribute__\\(\\(visibility\\(\"default\"\\)\\)\\)([^;{}]*?\\b(hn_\\w+)\\([^;{}]*);",
       both, add_function, &f);
  g_string_append(program, "  return 0;\n}\n");
  g_autofree char *dir = g_dir_make_tmp("hunch-abi-XXXXXX", NULL);
  g_autofree char *out = g_build_filename(dir, "facts", NULL);
  abi_compile(folder, program->str, NULL, out);
  char *text = run(out);
  g_unlink(out), g_rmdir(dir);
  return text;
}
