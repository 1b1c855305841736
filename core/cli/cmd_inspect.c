/* cmd_inspect.c - `hunch inspect`: which plugins there are, what one of them takes and reports, and
 * which keys a study has beside.  A block's name stands for the block; a plugin of that name is
 * inspected by its path. */
#include "describe.h"
#include "error.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "registry.h"
#include "study.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL "protocol"

static void print_json(JsonBuilder *b) {
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

static void add_heading(GString *out, HnStyle style, const char *heading) {
  g_string_append_printf(out, "%s%s%s\n", hn_message_style(STDOUT_FILENO, style), heading,
                         hn_message_style(STDOUT_FILENO, HN_PLAIN));
}

static void add_kind(GString *out, const GPtrArray *all, HnKind kind, int width) {
  bool any = false;
  for (guint i = 0; i < all->len; i++) {
    const HnPlugin *p = ((const HnFound *)all->pdata[i])->plugin;
    if (!p || p->kind != kind) continue;
    if (!any) add_heading(out, HN_BOLD, hn_kind_name(kind));
    g_string_append_printf(out, "  %-*s  %s%s\n", width, p->name, p->summary,
                           p->flags & HN_PRIVILEGED ? " [privileged]" : "");
    any = true;
  }
}

/* The plugins that are rejected, or those that hide another, with the reason. */
static void add_found(GString *out, const GPtrArray *all, bool hiding, int width) {
  bool any = false;
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    const char *reason = hiding ? found->hiding : found->reason;
    if (!reason) continue;
    if (!any) add_heading(out, hiding ? HN_YELLOW : HN_RED, hiding ? "hidden" : "rejected");
    g_string_append_printf(out, "  %-*s  %s\n", width, found->name, reason);
    any = true;
  }
}

static void print_table(const GPtrArray *all) {
  g_autoptr(GString) out = g_string_new(NULL);
  int width = 0;
  for (guint i = 0; i < all->len; i++)
    width = MAX(width, (int)strlen(((const HnFound *)all->pdata[i])->name));
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) add_kind(out, all, kind, width);
  add_found(out, all, false, width);
  add_found(out, all, true, width);
  hn_message_lines(out->str);
}

/* ---- JSON of everything ---- */

/* Adds a member with the name and the reason of each that has one. */
static void add_reasons(JsonBuilder *b, const char *member, const GPtrArray *all, bool hiding) {
  hn_json_open_array(b, member);
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    const char *reason = hiding ? found->hiding : found->reason;
    if (!reason) continue;
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", found->name);
    hn_json_add_string(b, "reason", reason);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

/* The keys of a sweep that are in no table. */
static void add_sweep_keys(JsonBuilder *b) {
  hn_json_open_array(b, "keys");
  for (const HnSweepKey *k = hn_sweep_keys; k->name; k++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", k->name);
    hn_json_add_string(b, "form", k->form);
    hn_json_add_string(b, "doc", k->doc);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static bool is_sweep(const HnBlock *block) {
  return block && strcmp(block->name, "sweep") == 0;
}

static void add_block(JsonBuilder *b, const HnBlock *block) {
  hn_describe_block(b, block);
  if (is_sweep(block)) add_sweep_keys(b);
}

static void add_blocks(JsonBuilder *b) {
  hn_json_open_array(b, "blocks");
  for (const HnBlock *block = hn_blocks; block->name; block++) {
    if (!block->schema) continue;
    hn_json_open_object(b, NULL);
    add_block(b, block);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void list_json(const GPtrArray *all) {
  JsonBuilder *b = hn_json_begin();
  g_auto(GStrv) folders = hn_plugins_folders();
  g_auto(GStrv) ignored = hn_plugins_ignored();
  g_autofree char *abi = g_strdup_printf("%d.%d", HN_ABI_MAJOR, HN_ABI_MINOR);
  hn_json_add_string(b, "hunch", HN_VERSION);
  hn_json_add_string(b, "abi", abi);
  hn_json_open_array(b, "plugins");
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (!found->plugin) continue;
    hn_json_open_object(b, NULL);
    hn_describe_json(b, found->plugin);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  add_reasons(b, "rejected", all, false);
  add_reasons(b, "hidden", all, true);
  hn_json_add_strv(b, "folders", (const char *const *)folders);
  hn_json_add_strv(b, "ignored", (const char *const *)ignored);
  add_blocks(b);
  hn_describe_protocols(b);
  print_json(b);
}

/* ---- what is asked for ---- */

typedef enum Form { TEXT, JSON, MARKDOWN } Form;

static int list(Form form) {
  g_autoptr(GPtrArray) all = hn_plugins_scan();
  if (form == JSON) {
    list_json(all);
  } else if (form == MARKDOWN) {
    g_autofree char *text = hn_describe_markdown_list(all);
    fputs(text, stdout);
  } else if (all->len > 0) {
    print_table(all);
  } else {
    g_auto(GStrv) folders = hn_plugins_folders();
    g_autofree char *looked = g_strjoinv(", ", folders);
    hn_message_warning("inspect", "no plugins found; looked in %s", looked);
  }
  return HN_EXIT_DONE;
}

/* block NULL: the protocols. */
static int show_block(const HnVerb *verb, const HnBlock *block, Form form) {
  if (form == MARKDOWN)
    return hn_options_refuse(verb, "--markdown is for plugins, not for '%s'",
                             block ? block->name : PROTOCOL);
  if (form == JSON) {
    JsonBuilder *b = hn_json_begin();
    if (block)
      add_block(b, block);
    else
      hn_describe_protocols(b);
    print_json(b);
    return HN_EXIT_DONE;
  }
  g_autofree char *text = block ? hn_describe_block_text(block) : hn_describe_protocols_text();
  fputs(text, stdout);
  for (const HnSweepKey *k = hn_sweep_keys; is_sweep(block) && k->name; k++)
    printf("  # %s: %s  %s\n", k->name, k->form, k->doc);
  return HN_EXIT_DONE;
}

/* "; did you mean the block 'run'?" where a name that no plugin has is near to one, or "". */
static char *block_hint(const char *name) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (const HnBlock *b = hn_blocks; b->name; b++)
    if (b->schema) g_ptr_array_add(names, (gpointer)(guintptr)b->name);
  g_ptr_array_add(names, (gpointer)(guintptr)PROTOCOL);
  g_ptr_array_add(names, NULL);
  const char *near = hn_diag_nearest(name, (const char *const *)names->pdata);
  return near ? g_strdup_printf("; did you mean the block '%s'?", near) : g_strdup("");
}

static int show_plugin(const char *name, Form form) {
  g_autoptr(GError) error = NULL;
  const HnPlugin *plugin = hn_plugins_load(name, 0, &error);
  if (!plugin) {
    const bool missing = g_error_matches(error, HN_ERROR, HN_ERROR_MISSING);
    g_autofree char *hint = missing ? block_hint(name) : g_strdup("");
    hn_message_error("inspect", "%s%s", error->message, hint);
    return hn_verb_exit_code(error);
  }
  g_autofree char *hiding = strchr(name, '/') ? NULL : hn_plugins_hiding(name);
  if (hiding) hn_message_warning("inspect", "plugin '%s': %s", name, hiding);
  if (form == JSON) {
    JsonBuilder *b = hn_json_begin();
    hn_describe_json(b, plugin);
    print_json(b);
    return HN_EXIT_DONE;
  }
  g_autofree char *text =
      form == MARKDOWN ? hn_describe_markdown(plugin) : hn_describe_text(plugin);
  fputs(text, stdout);
  return HN_EXIT_DONE;
}

int hn_cmd_inspect(int argc, char **argv) {
  gboolean json = FALSE, markdown = FALSE;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text.", NULL},
      {"markdown", 0, 0, G_OPTION_ARG_NONE, &markdown,
       "Print the head of a plugin's page of documentation.", NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find("inspect");
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc > 2) return hn_options_refuse(verb, "at most one plugin is inspected, not %d", argc - 1);
  if (json && markdown) return hn_options_refuse(verb, "either --json or --markdown");
  const Form form = json ? JSON : markdown ? MARKDOWN : TEXT;
  if (argc < 2) return list(form);
  const HnBlock *block = hn_block_find(argv[1]);
  const bool protocol = strcmp(argv[1], PROTOCOL) == 0;
  if (protocol || (block && block->schema)) return show_block(verb, protocol ? NULL : block, form);
  return show_plugin(argv[1], form);
}
