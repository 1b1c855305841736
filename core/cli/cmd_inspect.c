/* cmd_inspect.c - `hunch inspect`: which plugins there are, and what one of them takes and reports.
 */
#include "cli.h"
#include "describe.h"
#include "json.h"
#include "registry.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_json(JsonNode *root) {
  g_autofree char *text = hn_json_text(root);
  fputs(text, stdout);
  json_node_unref(root);
}

static void print_kind(const GPtrArray *all, HnKind kind, int width) {
  gboolean any = FALSE;
  for (guint i = 0; i < all->len; i++) {
    const HnPlugin *p = ((const HnFound *)all->pdata[i])->plugin;
    if (!p || p->kind != kind) continue;
    if (!any)
      printf("%s%s%s\n", hn_cli_style(STDOUT_FILENO, HN_BOLD), hn_kind_name(kind),
             hn_cli_style(STDOUT_FILENO, HN_PLAIN));
    printf("  %-*s  %s%s\n", width, p->name, p->summary,
           p->flags & HN_PRIVILEGED ? " [privileged]" : "");
    any = TRUE;
  }
}

static void print_table(const GPtrArray *all) {
  int width = 0;
  gboolean rejected = FALSE;
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    width = MAX(width, (int)strlen(found->name));
    rejected |= found->reason != NULL;
  }
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) print_kind(all, kind, width);
  if (rejected)
    printf("%srejected%s\n", hn_cli_style(STDOUT_FILENO, HN_RED),
           hn_cli_style(STDOUT_FILENO, HN_PLAIN));
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (found->reason) printf("  %-*s  %s\n", width, found->name, found->reason);
  }
}

static void add_strings(JsonBuilder *b, const char *name, char **strings) {
  json_builder_set_member_name(b, name);
  json_builder_begin_array(b);
  for (char **s = strings; *s; s++) json_builder_add_string_value(b, *s);
  json_builder_end_array(b);
}

static JsonNode *list_json(const GPtrArray *all) {
  g_autoptr(JsonBuilder) b = json_builder_new();
  g_auto(GStrv) folders = hn_plugins_folders();
  g_auto(GStrv) ignored = hn_plugins_ignored();
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "plugins");
  json_builder_begin_array(b);
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (found->plugin) json_builder_add_value(b, hn_describe_json(found->plugin));
  }
  json_builder_end_array(b);
  json_builder_set_member_name(b, "rejected");
  json_builder_begin_array(b);
  for (guint i = 0; i < all->len; i++) {
    const HnFound *found = all->pdata[i];
    if (found->plugin) continue;
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "name");
    json_builder_add_string_value(b, found->name);
    json_builder_set_member_name(b, "reason");
    json_builder_add_string_value(b, found->reason);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  add_strings(b, "folders", folders);
  add_strings(b, "ignored", ignored);
  json_builder_end_object(b);
  return json_builder_get_root(b);
}

static int list(gboolean json) {
  g_autoptr(GPtrArray) all = hn_plugins_scan();
  if (json) {
    print_json(list_json(all));
  } else if (all->len > 0) {
    print_table(all);
  } else {
    g_auto(GStrv) folders = hn_plugins_folders();
    g_autofree char *looked = g_strjoinv(", ", folders);
    hn_cli_warning("inspect", "no plugins found; looked in %s", looked);
  }
  return HN_EXIT_DONE;
}

int hn_cli_inspect(int argc, char **argv) {
  gboolean json = FALSE;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text.", NULL}, {NULL}};
  const HnVerb *verb = hn_cli_verb("inspect");
  int code = hn_cli_options(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc > 2) return hn_cli_usage(verb, "at most one plugin is inspected, not %d", argc - 1);
  if (argc < 2) return list(json);
  g_autoptr(GError) error = NULL;
  const HnPlugin *plugin = hn_plugins_load(argv[1], 0, &error);
  if (!plugin) {
    hn_cli_error("inspect", "%s", error->message);
    return g_error_matches(error, HN_PLUGIN_ERROR, HN_PLUGIN_MISSING) ? HN_EXIT_USAGE
                                                                      : HN_EXIT_FAILED;
  }
  if (json) {
    print_json(hn_describe_json(plugin));
  } else {
    g_autofree char *text = hn_describe_text(plugin);
    fputs(text, stdout);
  }
  return HN_EXIT_DONE;
}
