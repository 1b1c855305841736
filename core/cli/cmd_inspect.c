/* cmd_inspect.c - `hunch inspect`: which plugins there are, and what one of them takes and reports.
 */
#include "describe.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "registry.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_json(JsonBuilder *b) {
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

static void print_kind(const GPtrArray *all, HnKind kind, int width) {
  bool any = false;
  for (guint i = 0; i < all->len; i++) {
    const HnPlugin *p = ((const HnFound *)all->pdata[i])->plugin;
    if (!p || p->kind != kind) continue;
    if (!any)
      printf("%s%s%s\n", hn_message_style(STDOUT_FILENO, HN_BOLD), hn_kind_name(kind),
             hn_message_style(STDOUT_FILENO, HN_PLAIN));
    printf("  %-*s  %s%s\n", width, p->name, p->summary,
           p->flags & HN_PRIVILEGED ? " [privileged]" : "");
    any = true;
  }
}

static void print_table(const GPtrArray *all) {
  int width = 0;
  bool rejected = false, hidden = false;
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    width = MAX(width, (int)strlen(found->name));
    rejected |= found->reason != NULL, hidden |= found->hiding != NULL;
  }
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) print_kind(all, kind, width);
  if (rejected)
    printf("%srejected%s\n", hn_message_style(STDOUT_FILENO, HN_RED),
           hn_message_style(STDOUT_FILENO, HN_PLAIN));
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (found->reason) printf("  %-*s  %s\n", width, found->name, found->reason);
  }
  if (hidden)
    printf("%shidden%s\n", hn_message_style(STDOUT_FILENO, HN_YELLOW),
           hn_message_style(STDOUT_FILENO, HN_PLAIN));
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (found->hiding) printf("  %-*s  %s\n", width, found->name, found->hiding);
  }
}

static void list_json(const GPtrArray *all) {
  JsonBuilder *b = hn_json_begin();
  g_auto(GStrv) folders = hn_plugins_folders();
  g_auto(GStrv) ignored = hn_plugins_ignored();
  hn_json_open_array(b, "plugins");
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (!found->plugin) continue;
    hn_json_open_object(b, NULL);
    hn_describe_json(b, found->plugin);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  hn_json_open_array(b, "rejected");
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (found->plugin) continue;
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", found->name);
    hn_json_add_string(b, "reason", found->reason);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  hn_json_open_array(b, "hidden");
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (!found->hiding) continue;
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", found->name);
    hn_json_add_string(b, "reason", found->hiding);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  hn_json_add_strv(b, "folders", (const char *const *)folders);
  hn_json_add_strv(b, "ignored", (const char *const *)ignored);
  print_json(b);
}

static int list(bool json) {
  g_autoptr(GPtrArray) all = hn_plugins_scan();
  if (json) {
    list_json(all);
  } else if (all->len > 0) {
    print_table(all);
  } else {
    g_auto(GStrv) folders = hn_plugins_folders();
    g_autofree char *looked = g_strjoinv(", ", folders);
    hn_message_warning("inspect", "no plugins found; looked in %s", looked);
  }
  return HN_EXIT_DONE;
}

int hn_cmd_inspect(int argc, char **argv) {
  gboolean json = FALSE;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text.", NULL}, {NULL}};
  const HnVerb *verb = hn_verb_find("inspect");
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc > 2) return hn_options_refuse(verb, "at most one plugin is inspected, not %d", argc - 1);
  if (argc < 2) return list(json);
  g_autoptr(GError) error = NULL;
  const HnPlugin *plugin = hn_plugins_load(argv[1], 0, &error);
  if (!plugin) {
    hn_message_error("inspect", "%s", error->message);
    return hn_verb_exit_code(error);
  }
  if (json) {
    JsonBuilder *b = hn_json_begin();
    hn_describe_json(b, plugin);
    print_json(b);
  } else {
    g_autofree char *text = hn_describe_text(plugin);
    fputs(text, stdout);
  }
  return HN_EXIT_DONE;
}
