/* cmd_check.c - `hunch check PLUGIN`: is a plugin what the headers of the ABI promise of it?  Each
 * law is judged in a process of its own. */
#include "apart.h"
#include "check.h"
#include "checked.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "patch.h"
#include "short_text.h"
#include "stand_in.h"
#include "text_table.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WALL = 5 /* times the limit on a processor, since others may use it */ };

typedef struct Judged {
  const HnLaw *law;
  HnVerdict verdict;
  char *why;
} Judged;

typedef struct Check {
  char *record; /* path of what later runs find; NULL: nothing to find */
  const HnVerb *verb;
  const HnPlugin *plugin;
  HnCell *cell[2]; /* with continuous actions, and discrete ones or NULL */
  char **only;     /* names of laws, or NULL: all */
  GArray *judged;
  int count[3]; /* by verdict */
} Check;

/* ---- which cells ---- */

/* "size=7" of an environment is "env.size=7", and "inner.size=7" of a wrapper "env.inner.size=7";
 * what has a block already stays. */
static char *with_block(const HnPlugin *plugin, const char *argument) {
  const gsize key = strcspn(argument, "=");
  const bool inner = plugin->flags & HN_WRAPPER && g_str_has_prefix(argument, "inner.");
  if (memchr(argument, '.', key) && !inner) return g_strdup(argument);
  return g_strdup_printf("%s.%s", hn_kind_name(plugin->kind), argument);
}

/* The blocks that the command line is about; NULL with findings. */
static HnNode *read_arguments(const HnPlugin *plugin, const char *name, char **argument,
                              HnDiag *d) {
  const char *const none[] = {NULL};
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *path = strchr(name, '/') ? g_canonicalize_filename(name, NULL) : g_strdup(name);
  g_autofree char *own = g_strconcat(hn_kind_name(plugin->kind), ".plugin=", NULL);
  for (; *argument; argument++) {
    g_ptr_array_add(all, with_block(plugin, *argument));
    if (g_str_has_prefix(all->pdata[all->len - 1], own))
      hn_diag_add(d, NULL, 0, 0, "%s: the plugin that is judged stands before its parameters",
                  *argument);
  }
  g_ptr_array_add(all, g_strconcat(own, path, NULL));
  g_ptr_array_add(all, NULL);
  HnOverrides o = hn_overrides_read((const char *const *)all->pdata, NULL, none, d);
  if (o.top->keys->len || o.arms->keys->len)
    hn_diag_add(d, NULL, 0, 0, "expected KEY=VALUE, or BLOCK.KEY=VALUE of a cell: 'env.plugin=%s'",
                "gridworld");
  HnNode *blocks = hn_node_copy(o.all);
  hn_overrides_clear(&o);
  return blocks;
}

/* lacking: a wrapper under check, which gets the stand-in to hold. */
static HnCell *read_cell(const HnNode *blocks, bool discrete, bool lacking, HnDiag *d) {
  g_autoptr(HnNode) base = hn_stand_in_node(discrete), patched = hn_patch_blocks(base, blocks);
  g_autoptr(HnNode) stand_in = hn_node_copy(hn_node_get(base, "env"));
  for (guint i = 0; i < patched->keys->len; i++)
    hn_node_set(base, patched->keys->pdata[i], hn_node_copy(patched->items->pdata[i]));
  if (lacking) {
    g_autoptr(HnNode) key = hn_node_text("the law's own cell", 0, 0, "inner");
    hn_node_set(hn_node_get(base, "env"), key, g_steal_pointer(&stand_in));
  }
  return hn_cell_read(base, d);
}

/* With both kinds of actions, where the environment is the stand-in. */
static bool make_cells(Check *c, const char *name, char **arguments) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) blocks = read_arguments(c->plugin, name, arguments, d);
  const HnNode *env = hn_node_get(blocks, "env");
  const bool lacking = c->plugin->flags & HN_WRAPPER && !hn_node_get(env, "inner");
  const bool own_env = !lacking && hn_node_get(env, "plugin") != NULL;
  if (!hn_diag_count(d)) c->cell[0] = read_cell(blocks, false, lacking, d);
  if (!hn_diag_count(d) && !own_env) c->cell[1] = read_cell(blocks, true, lacking, d);
  g_autofree char *text = hn_diag_text(d);
  (void)fputs(text, stderr);
  return !hn_diag_count(d);
}

/* ---- judging ---- */

static bool is_wanted(const Check *c, const HnLaw *law) {
  return !c->only || g_strv_contains((const char *const *)c->only, law->name);
}

static Judged judge(const Check *c, const HnLaw *law) {
  static const char *const actions[] = {"continuous", "discrete"};
  Judged j = {.law = law, .verdict = HN_LAW_SKIPPED};
  for (int k = 0; k < 2 && c->cell[k] && j.verdict != HN_LAW_BROKEN; k++) {
    g_autoptr(GString) why = g_string_new(NULL);
    const HnVerdict verdict = hn_check_judge(law, c->cell[k], why);
    if (verdict == HN_LAW_BROKEN && c->cell[1])
      g_string_append_printf(why, " (%s actions)", actions[k]);
    if (verdict == HN_LAW_BROKEN || !j.why) g_free(j.why), j.why = g_strdup(why->str);
    j.verdict = k ? hn_check_both(j.verdict, verdict) : verdict;
  }
  if (j.verdict == HN_LAW_KEPT) j.why[0] = '\0'; /* why one of the two was skipped */
  return j;
}

static void judge_all(Check *c) {
  for (const HnLaw *law = hn_check_laws(c->plugin->kind); law->name; law++) {
    if (!is_wanted(c, law)) continue;
    const Judged j = judge(c, law);
    g_array_append_val(c->judged, j);
    c->count[j.verdict]++;
  }
}

/* Why the plugin did nothing of what was asked: it refuses the run, so that of all laws only that
 * of its loading was judged.  NULL: it did something. */
static const char *refusal(const Check *c) {
  const char *why = NULL;
  for (guint k = 0; k < c->judged->len; k++) {
    const Judged *j = &g_array_index(c->judged, Judged, k);
    const bool loads = strcmp(j->law->name, "loads") == 0;
    if (c->only || (!loads && j->verdict != HN_LAW_SKIPPED)) return NULL;
    if (!loads && !why) why = j->why;
  }
  return why;
}

/* Whether the file was found to keep more of these laws, with other arguments perhaps. */
static bool is_known_better(const Check *c) {
  HnCheckRecord known = {0};
  const bool better = hn_checked_find(c->plugin, &known) && known.laws == HN_LAWS_VERSION &&
                      known.kept > c->count[HN_LAW_KEPT];
  hn_checked_clear(&known);
  return better;
}

/* What is said of the file in later runs: all laws judged and none broken, or nothing. */
static void record(Check *c, char **arguments) {
  g_autoptr(GError) error = NULL;
  if (c->count[HN_LAW_BROKEN]) {
    hn_checked_forget(c->plugin);
  } else if (!c->only && !refusal(c) && !is_known_better(c)) {
    g_autofree char *folder = hn_checked_folder(), *with = g_strjoinv(" ", arguments);
    const HnCheckRecord all = {HN_LAWS_VERSION, c->count[HN_LAW_KEPT], c->count[HN_LAW_SKIPPED],
                               NULL, with};
    c->record = hn_checked_write(folder, c->plugin, &all, &error);
    if (error) hn_message_warning("check", "the result is not recorded: %s", error->message);
  }
}

/* ---- saying it ---- */

static void print_summary(const Check *c, char **argv) {
  printf("\n%u law%s: %d kept, %d broken, %d skipped\n", c->judged->len, hn_plural(c->judged->len),
         c->count[HN_LAW_KEPT], c->count[HN_LAW_BROKEN], c->count[HN_LAW_SKIPPED]);
  if (c->record) printf("recorded for later runs: %s\n", c->record);
  const char *refused = refusal(c);
  if (refused)
    printf("It refuses the run that it was to be judged in: %s\n"
           "Name what it needs, as in env.plugin=NAME, inference.plugin=NAME or run.samples=1.\n",
           refused);
  for (guint k = 0; k < c->judged->len; k++) {
    const Judged *j = &g_array_index(c->judged, Judged, k);
    if (j->verdict != HN_LAW_BROKEN) continue;
    g_autofree char *arguments = g_strjoinv(" ", argv + 1);
    printf("again: hunch check %s --only %s\n", arguments, j->law->name);
    if (c->plugin->kind != HN_KIND_ENV && c->cell[1])
      puts("It was judged with a stand-in for the environment: env.plugin=NAME names another.");
    return;
  }
}

/* The law before the k-th that was broken for the same reason, as by one crash, or NULL. */
static const HnLaw *same_reason(const Check *c, guint k) {
  const Judged *j = &g_array_index(c->judged, Judged, k);
  for (guint i = 0; i < k && j->verdict == HN_LAW_BROKEN; i++) {
    const Judged *before = &g_array_index(c->judged, Judged, i);
    if (before->verdict == HN_LAW_BROKEN && strcmp(before->why, j->why) == 0) return before->law;
  }
  return NULL;
}

static void print_text(const Check *c, char **argv) {
  const char *file = hn_plugins_file(c->plugin);
  g_autoptr(GString) out = g_string_new(NULL);
  printf("%s %s, version %s: %s\nsha256 %s, laws version %d\n\n", hn_kind_name(c->plugin->kind),
         c->plugin->name, c->plugin->version, file ? file : "linked in",
         hn_plugins_sha256(c->plugin), HN_LAWS_VERSION);
  HnTextTable t = hn_text_table("lll");
  for (guint k = 0; k < c->judged->len; k++) {
    const Judged *j = &g_array_index(c->judged, Judged, k);
    hn_text_table_add(&t, g_strdup(j->law->name));
    hn_text_table_add(&t, g_strdup(hn_verdict_name(j->verdict)));
    const HnLaw *same = same_reason(c, k);
    hn_text_table_add(&t, same ? g_strdup_printf("as %s", same->name) : hn_diag_printable(j->why));
  }
  hn_text_table_end(&t, G_MAXINT, out);
  hn_message_lines(out->str);
  print_summary(c, argv);
}

static void print_json(const Check *c) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "plugin", c->plugin->name);
  hn_json_add_string(b, "kind", hn_kind_name(c->plugin->kind));
  hn_json_add_string(b, "version", c->plugin->version);
  hn_json_add_string(b, "file", hn_plugins_file(c->plugin));
  hn_json_add_string(b, "sha256", hn_plugins_sha256(c->plugin));
  hn_json_add_int(b, "laws_version", HN_LAWS_VERSION);
  hn_json_open_array(b, "laws");
  for (guint k = 0; k < c->judged->len; k++) {
    const Judged *j = &g_array_index(c->judged, Judged, k);
    g_autofree char *why = hn_diag_printable(j->why);
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "law", j->law->name);
    hn_json_add_string(b, "promise", j->law->promise);
    hn_json_add_string(b, "verdict", hn_verdict_name(j->verdict));
    hn_json_add_string(b, "reason", *why ? why : NULL);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  hn_json_add_string(b, "record", c->record);
  for (HnVerdict v = HN_LAW_KEPT; v <= HN_LAW_SKIPPED; v++)
    hn_json_add_int(b, hn_verdict_name(v), c->count[v]);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

/* The laws of a kind, or of all kinds (0). */
static int list(HnKind only, bool json) {
  JsonBuilder *b = json ? hn_json_begin() : NULL;
  g_autoptr(GString) out = g_string_new(NULL);
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    if (only && kind != only) continue;
    HnTextTable t = hn_text_table("ll");
    if (b) hn_json_open_object(b, hn_kind_name(kind));
    for (const HnLaw *law = hn_check_laws(kind); law->name; law++) {
      if (b) hn_json_add_string(b, law->name, law->promise);
      hn_text_table_add(&t, g_strdup(law->name));
      hn_text_table_add(&t, g_strdup(law->promise));
    }
    if (b) json_builder_end_object(b);
    g_string_append_printf(out, "%s\n", hn_kind_name(kind));
    hn_text_table_end(&t, G_MAXINT, out);
  }
  g_autofree char *text = b ? hn_json_end(b) : NULL;
  if (text)
    fputs(text, stdout);
  else
    hn_message_lines(out->str);
  return HN_EXIT_DONE;
}

static bool laws_are_known(const Check *c) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (const HnLaw *law = hn_check_laws(c->plugin->kind); law->name; law++)
    g_ptr_array_add(names, (gpointer)(guintptr)law->name);
  g_ptr_array_add(names, NULL);
  for (char **name = c->only; name && *name; name++) {
    if (g_strv_contains((const char *const *)names->pdata, *name)) continue;
    g_autofree char *hint = hn_diag_hint(*name, (const char *const *)names->pdata);
    hn_options_refuse(c->verb, "no law '%s' of kind %s%s", *name, hn_kind_name(c->plugin->kind),
                      hint);
    return false;
  }
  return true;
}

static void clear(Check *c) {
  for (guint k = 0; k < c->judged->len; k++) g_free(g_array_index(c->judged, Judged, k).why);
  g_array_unref(c->judged);
  for (int k = 0; k < 2; k++) hn_cell_free(c->cell[k]);
  g_strfreev(c->only), g_free(c->record);
}

static int check(Check *c, char **argv, bool json) {
  if (!laws_are_known(c) || !make_cells(c, argv[1], argv + 2)) return HN_EXIT_USAGE;
  judge_all(c);
  record(c, argv + 2);
  if (json)
    print_json(c);
  else
    print_text(c, argv);
  if (c->count[HN_LAW_BROKEN]) return HN_EXIT_BROKEN;
  return refusal(c) ? HN_EXIT_USAGE : HN_EXIT_DONE;
}

int hn_cmd_check(int argc, char **argv) {
  gboolean json = FALSE, listed = FALSE;
  double seconds = hn_apart_limits.cpu_seconds, memory = 1e-9 * hn_apart_limits.bytes;
  Check c = {.verb = hn_verb_find("check"), .judged = g_array_new(FALSE, FALSE, sizeof(Judged))};
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text.", NULL},
      {"list", 0, 0, G_OPTION_ARG_NONE, &listed, "List the laws and what they promise.", NULL},
      {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &c.only, "Judge this law; may be given again.",
       "LAW"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
       "Time of a processor that a law may take; 30. Of a clock five times as much.", "S"},
      {"memory", 0, 0, G_OPTION_ARG_DOUBLE, &memory, "Memory that a law may take; 4 GB.", "GB"},
      {NULL}};
  int code = hn_options_parse(c.verb, entries, &argc, &argv);
  g_autoptr(GError) error = NULL;
  if (code >= 0) {
  } else if (argc < 2 && !listed) {
    code = hn_options_refuse(c.verb, "which plugin?");
  } else if (!(seconds >= 1 && seconds <= 1e6) || !(memory > 0 && memory <= 1e6)) {
    code = hn_options_refuse(c.verb, "--seconds is a number in [1, 1e6], --memory in (0, 1e6]");
  } else if (argc < 2) {
    code = list(0, json);
  } else if (!(c.plugin = hn_plugins_load(argv[1], 0, &error))) {
    hn_message_error(c.verb->name, "%s", error->message);
    code = hn_verb_exit_code(error);
  } else {
    hn_apart_limits = (HnHelperLimits){WALL * seconds, seconds, 1e9 * memory};
    code = listed ? list(c.plugin->kind, json) : check(&c, argv, json);
  }
  hn_apart_end_children();
  clear(&c);
  return code;
}
