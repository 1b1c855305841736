/* cmd_verify.c - `hunch verify FILE.zip [--run]`: whether a package is as it was packed, and
 * whether it still computes the same here. */
#include "error.h"
#include "intact.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "output_file.h"
#include "rerun.h"
#include "short_text.h"
#include "signature.h"
#include "verbs.h"
#include "verified_page.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct Verification {
  const HnVerb *verb;
  const char *file, *key; /* key: public, or NULL */
  const char *page;       /* to write, or NULL */
  char **cells, **rungs;  /* as asked for; NULL: the first seed of each arm, every rung */
  HnAgainOptions options;
  HnIntact *intact;
  const char *signature; /* "good", "bad", "unchecked" or "none" */
  GPtrArray *outcomes;   /* HnOutcome * */
} Verification;

/* ---- as it was packed ---- */

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

/* ---- once more ---- */

/* What is computed of a cell; of all cells of an arm there is RERUN, which only runs when asked
 * for. */
static const struct {
  const char *name;
  HnOutcome *(*run)(const HnAgain *a, const HnResult *c);
} rungs[] = {{"replay", hn_again_replay}, {"prefix", hn_again_prefix}};
#define RERUN "rerun"

static bool rungs_are_known(const Verification *v) {
  const char *const names[] = {rungs[0].name, rungs[1].name, RERUN, NULL};
  for (char **r = v->rungs; r && *r; r++) {
    if (g_strv_contains(names, *r)) continue;
    g_autofree char *hint = hn_diag_hint(*r, names);
    hn_options_refuse(v->verb, "no rung '%s'%s", *r, hint);
    return false;
  }
  return true;
}

static bool is_asked(const Verification *v, const char *rung) {
  return v->rungs && g_strv_contains((const char *const *)v->rungs, rung);
}

/* Every cell that was asked for is there. */
static bool cells_are_known(const Verification *v, const HnResults *r, GError **error) {
  for (char **cell = v->cells; cell && *cell; cell++)
    if (!hn_results_named(r, *cell, error)) return false;
  return true;
}

/* The cells to run: HnResult *, or NULL with HN_ERROR_REFUSED or HN_ERROR_MISSING. */
static GPtrArray *choose(const Verification *v, const HnAgain *a, GError **error) {
  g_autoptr(GPtrArray) chosen = g_ptr_array_new();
  const HnResults *r = a->results;
  if (!cells_are_known(v, r, error)) return NULL;
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *c = r->cells->pdata[i];
    g_autofree char *name = hn_result_name(c);
    const bool wanted = v->cells             ? g_strv_contains((const char *const *)v->cells, name)
                        : is_asked(v, RERUN) ? hn_result_done(c)
                                             : c == hn_results_first_done(r, i / r->seeds);
    if (!wanted) continue;
    if (!hn_result_done(c)) {
      hn_error_set(error, HN_ERROR_REFUSED, "cell %s is %s in the package, not done", name,
                   c->status);
      return NULL;
    }
    g_ptr_array_add(chosen, c);
  }
  return g_steal_pointer(&chosen);
}

/* Says what is about to be executed. */
static void announce(const Verification *v, const GPtrArray *cells) {
  g_auto(GStrv) binaries = hn_again_binaries(v->intact);
  g_autofree char *all = g_strjoinv(", ", binaries);
  g_printerr("%s: executes, %s: %s\n", v->file,
             v->options.sandbox ? "in a sandbox without network"
                                : "as you, with all that you may do (--sandbox confines it)",
             *all ? all : "no binary of its own, this machine's plugins");
  for (guint i = 0; i < cells->len; i++) {
    const HnResult *c = cells->pdata[i];
    g_printerr("  cell %s/%" PRId64 "\n", c->arm, c->seed_index);
  }
}

/* Arm by arm; cells of an arm stand together. */
static void rerun(Verification *v, const HnAgain *a, const GPtrArray *cells) {
  for (guint i = 0; i < cells->len;) {
    g_autoptr(GPtrArray) arm = g_ptr_array_new();
    const char *name = ((const HnResult *)cells->pdata[i])->arm;
    for (; i < cells->len && ((const HnResult *)cells->pdata[i])->arm == name; i++)
      g_ptr_array_add(arm, cells->pdata[i]);
    g_ptr_array_add(v->outcomes, hn_again_rerun(a, arm));
  }
}

/* Runs every rung that was asked for on every cell; false with the error of setting that up. */
static bool run(Verification *v, GError **error) {
  g_autoptr(HnAgain) a = hn_again_new(v->intact, &v->options, error);
  g_autoptr(GPtrArray) cells = a ? choose(v, a, error) : NULL;
  if (!cells) return false;
  announce(v, cells);
  for (gsize k = 0; k < G_N_ELEMENTS(rungs); k++) {
    if (v->rungs && !is_asked(v, rungs[k].name)) continue;
    for (guint i = 0; i < cells->len; i++)
      g_ptr_array_add(v->outcomes, rungs[k].run(a, cells->pdata[i]));
  }
  if (is_asked(v, RERUN)) rerun(v, a, cells);
  return true;
}

/* ---- what is said ---- */

static HnVerified verified(const Verification *v) {
  return (HnVerified){v->file, hn_intact_sha256(v->intact), v->intact, v->signature, v->outcomes};
}

static int exit_code(const HnVerified *x) {
  const HnAgreement worst = hn_verified_worst(x);
  if (x->intact->wrong->len || worst == HN_AGREES_DIFFERS) return HN_EXIT_BROKEN;
  return worst == HN_AGREES_FAILED ? HN_EXIT_FAILED : HN_EXIT_DONE;
}

static void print_outcome(const HnOutcome *o) {
  printf("  %s %s: %s", o->rung, o->cell, hn_agreement_name(o->agreement));
  if (o->updates) printf(", %" PRId64 " update%s", o->updates, hn_plural(o->updates));
  if (o->first >= 0) printf("; weights differ from update %" PRId64 " on", o->first);
  if (o->column) printf("; %s by %.3g", o->column, o->most);
  printf("%s%s\n", o->reason ? "; " : "", o->reason ? o->reason : "");
}

/* What a package says may hold anything. */
static void print_line(const char *head, const char *text) {
  g_autofree char *shown = hn_diag_printable(text);
  printf("  %s: %s\n", head, shown);
}

static void print_machine(const HnVerified *v, const char *where, bool here) {
  g_autofree char *machine = hn_verified_machine(v, here);
  if (machine) print_line(where, machine);
}

static void print_text(const HnVerified *v) {
  const HnIntact *x = v->intact;
  printf("%s: %s\n", v->file, hn_verified_verdict(v));
  printf("  %u file%s %s as manifest.sha256 says\n  sha256 %s\n", x->files, hn_plural(x->files),
         hn_is_or_are(x->files), v->sha256);
  printf("  signature: %s\n", v->signature);
  print_machine(v, "packed on", false), print_machine(v, "here", true);
  for (guint i = 0; i < x->wrong->len; i++) print_line("differs", x->wrong->pdata[i]);
  for (guint i = 0; i < v->outcomes->len; i++) print_outcome(v->outcomes->pdata[i]);
  for (guint i = 0; hn_intact_note(x, i); i++) print_line("note", hn_intact_note(x, i));
}

/* What bits hang on, of one side. */
static void add_machine(JsonBuilder *b, const char *side, JsonObject *facts) {
  if (!facts) return;
  hn_json_open_object(b, side);
#define FACT(member, what) hn_json_add_string(b, #member, hn_json_string(facts, #member, NULL));
  HN_MACHINE_FACTS(FACT)
#undef FACT
  json_builder_end_object(b);
}

static void add_outcome(JsonBuilder *b, const HnOutcome *o) {
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "rung", o->rung), hn_json_add_string(b, "cell", o->cell);
  hn_json_add_string(b, "verdict", hn_agreement_name(o->agreement));
  hn_json_add_int(b, "updates", o->updates);
  if (o->first >= 0) hn_json_add_int(b, "first_update_that_differs", o->first);
  hn_json_add_string(b, "column", o->column), hn_json_add_real(b, "difference", o->most);
  hn_json_add_string(b, "reason", o->reason);
  add_machine(b, "packed", o->said), add_machine(b, "here", o->here);
  json_builder_end_object(b);
}

static void print_json(const HnVerified *v) {
  const HnIntact *x = v->intact;
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "file", v->file);
  hn_json_add_string(b, "verdict", hn_verified_verdict(v));
  hn_json_add_string(b, "sha256", v->sha256);
  hn_json_add_int(b, "files", x->files);
  hn_json_add_string(b, "signature", v->signature);
  hn_json_add_strings(b, "differs", x->wrong->len, (const char *const *)x->wrong->pdata);
  hn_json_open_array(b, "runs");
  for (guint i = 0; i < v->outcomes->len; i++) add_outcome(b, v->outcomes->pdata[i]);
  json_builder_end_array(b);
  hn_json_open_array(b, "notes");
  for (guint i = 0; hn_intact_note(x, i); i++) hn_json_add_string(b, NULL, hn_intact_note(x, i));
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

static bool write_page(const HnVerified *x, const char *path, GError **error) {
  g_autofree char *text = hn_verified_page(x);
  return hn_output_replace(path, text, error);
}

static int fail(const Verification *v, const GError *error) {
  hn_message_error(v->verb->name, "%s", error->message);
  return hn_verb_exit_code(error);
}

/* Nothing of a package that is not intact is executed. */
static int verify(Verification *v, bool again, bool json) {
  g_autoptr(GError) error = NULL;
  g_autofree char *page = v->page ? hn_output_path(v->page, &error) : NULL;
  if (error) return fail(v, error);
  if (v->key && !hn_signature_ready(&error)) return fail(v, error);
  if (!(v->intact = hn_intact_read(v->file, &error))) {
    const int code = fail(v, error); /* a file that cannot be opened, or one that is no package */
    return g_error_matches(error, HN_ERROR, HN_ERROR_REFUSED) ? HN_EXIT_BROKEN : code;
  }
  judge_signature(v);
  if (again && is_intact(v) && !run(v, &error)) return fail(v, error);
  const HnVerified x = verified(v);
  if (json)
    print_json(&x);
  else
    print_text(&x);
  if (page && !write_page(&x, page, &error)) return fail(v, error);
  return exit_code(&x);
}

int hn_cmd_verify(int argc, char **argv) {
  gboolean json = FALSE, again = FALSE, sandbox = FALSE;
  const gint64 no_updates = G_MININT64; /* not given */
  const double no_tolerance = -G_MAXDOUBLE;
  gint64 updates = no_updates;
  double tolerance = no_tolerance;
  g_autofree char *key = NULL, *page = NULL;
  g_auto(GStrv) cells = NULL, asked = NULL;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text", NULL},
      {"page", 0, 0, G_OPTION_ARG_FILENAME, &page, "Write what was found as a page of HTML as well",
       "FILE"},
      {"public-key", 0, 0, G_OPTION_ARG_STRING, &key,
       "Have minisign check FILE.zip.minisig with this key, a text or a file", "KEY"},
      {"run", 0, 0, G_OPTION_ARG_NONE, &again,
       "Compute parts again; this executes the plugins in the package", NULL},
      {"sandbox", 0, 0, G_OPTION_ARG_NONE, &sandbox,
       "With --run: by bubblewrap, without network, writing nothing", NULL},
      {"rung", 0, 0, G_OPTION_ARG_STRING_ARRAY, &asked,
       "With --run: 'replay' (evaluate the weights), 'prefix' (the first updates), which are the "
       "default, or 'rerun' (whole cells, judged by report.margin)",
       "replay|prefix|rerun"},
      {"cell", 0, 0, G_OPTION_ARG_STRING_ARRAY, &cells,
       "With --run: this cell; may be given again; default: each arm's first, of rerun all",
       "ARM/SEED"},
      {"updates", 0, 0, G_OPTION_ARG_INT64, &updates, "Of prefix; 0: all; default: 10", "N"},
      {"tolerance", 0, 0, G_OPTION_ARG_DOUBLE, &tolerance,
       "Up to which numbers agree, relative above 1; default: 1e-3", "X"},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one package");
  if (!again && (sandbox || asked || cells || updates != no_updates || tolerance != no_tolerance))
    return hn_options_refuse(verb,
                             "--sandbox, --rung, --cell, --updates and --tolerance go with --run");
  if (updates == no_updates) updates = 10;
  if (tolerance == no_tolerance) tolerance = 1e-3;
  if (updates < 0 || !(tolerance >= 0))
    return hn_options_refuse(verb, "--updates and --tolerance are not negative");
  Verification v = {.verb = verb,
                    .file = argv[1],
                    .key = key,
                    .page = page,
                    .cells = cells,
                    .rungs = asked,
                    .options = {sandbox, updates, tolerance},
                    .outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)hn_outcome_free)};
  if (!rungs_are_known(&v))
    code = HN_EXIT_USAGE;
  else
    code = verify(&v, again, json);
  g_ptr_array_unref(v.outcomes);
  hn_intact_free(v.intact);
  return code;
}
