/* sbatch.c - see sbatch.h. */
#include "sbatch.h"
#include "diagnostics.h"
#include "error.h"
#include "short_text.h"
#include <stdio.h>
#include <string.h>

enum { LEAD_S = 120, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

/* ---- forms ---- */

static bool matches(const char *pattern, const char *text) {
  return text && g_regex_match_simple(pattern, text, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* Seconds of M, M:S, H:M:S, D-H, D-H:M or D-H:M:S; G_MAXINT64 of UNLIMITED; 0: of no such form. */
static int64_t seconds_of(const char *time) {
  if (matches("^(?i:UNLIMITED|INFINITE)$", time)) return G_MAXINT64;
  if (!matches(
          "^([0-9]{1,8}(:[0-5]?[0-9]){0,2}|[0-9]{1,5}-([01]?[0-9]|2[0-3])(:[0-5]?[0-9]){0,2})$",
          time))
    return 0;
  const char *dash = strchr(time, '-');
  int64_t part[3] = {0};
  const int n =
      sscanf(dash ? dash + 1 : time, "%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT,
             part, part + 1, part + 2);
  if (dash)
    return g_ascii_strtoll(time, NULL, 10) * DAY_S + part[0] * HOUR_S + part[1] * MINUTE_S +
           part[2];
  if (n == 3) return part[0] * HOUR_S + part[1] * MINUTE_S + part[2];
  return part[0] * MINUTE_S + part[1];
}

static bool refuse(const char *option, const char *value, const char *expected, GError **error) {
  if (!value)
    return hn_error_set(error, HN_ERROR_REFUSED, "%s is missing: expected %s", option, expected);
  g_autofree char *shown = hn_diag_cut(value);
  return hn_error_set(error, HN_ERROR_REFUSED, "%s '%s': expected %s", option, shown, expected);
}

/* What the script itself depends on is not to be had twice. */
static bool check_more(char **more, GError **error) {
  static const char *const ours[] = {"array",     "chdir",      "cpus-per-task", "job-name",
                                     "mem",       "open-mode",  "output",        "partition",
                                     "parsable",  "no-requeue", "requeue",       "time",
                                     "test-only", "dependency", "wrap",          NULL};
  for (char **m = more; m && *m; m++) {
    if (!matches("^--[a-z][a-z0-9-]*(=[^\\x00-\\x1f]*)?$", *m))
      return refuse("--sbatch", *m, "a long option of sbatch with its value, as --account=lab",
                    error);
    g_autofree char *name = g_strndup(*m + 2, strcspn(*m + 2, "="));
    if (g_strv_contains(ours, name))
      return hn_error_set(error, HN_ERROR_REFUSED, "--sbatch '%s': hunch sets --%s itself", *m,
                          name);
  }
  return true;
}

bool hn_sbatch_check(const HnSbatch *o, GError **error) {
  if (!matches("^[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*$", o->partition))
    return refuse("--partition", o->partition,
                  "the name of a partition, or several with commas ('sinfo' lists them)", error);
  if (seconds_of(o->time ? o->time : "") == 0)
    return refuse("--time", o->time,
                  "minutes, minutes:seconds, hours:minutes:seconds, days-hours, "
                  "days-hours:minutes or days-hours:minutes:seconds, more than none",
                  error);
  if (o->parallel < 1)
    return hn_error_set(error, HN_ERROR_REFUSED, "--max-parallel wants a number of cells, from 1");
  if (o->processors < 1)
    return hn_error_set(error, HN_ERROR_REFUSED, "--cpus wants a number of processors, from 1");
  if (o->memory && !matches("^[0-9]{1,9}[KMGT]?$", o->memory))
    return refuse("--mem", o->memory, "a size with K, M, G or T, as 4G", error);
  return check_more(o->more, error);
}

bool hn_sbatch_folder_check(const char *folder, GError **error) {
  if (matches("^[^:\\\\\\x00-\\x1f\\x7f]*$", folder)) return true;
  g_autofree char *shown = hn_diag_printable(folder);
  return hn_error_set(error, HN_ERROR_REFUSED,
                      "%s: a folder for Slurm must not have ':', '\\' or a line break in its path: "
                      "choose another with -o",
                      shown);
}

/* ---- the script ---- */

/* As a word of an #SBATCH line or of the shell. */
static char *quoted(const char *text) {
  return matches("^[A-Za-z0-9_./+=:,@%-]+$", text) ? g_strdup(text) : g_shell_quote(text);
}

/* How long before its end a task is told to write a checkpoint. */
static int64_t lead_of(const HnSbatch *o) {
  return MIN(LEAD_S, seconds_of(o->time) / 2);
}

static void add_options(GString *out, const HnSbatch *o, const HnSubmission *s) {
  g_autofree char *folder = quoted(s->folder), *place = hn_submission_place(s);
  g_string_append_printf(out,
                         "#SBATCH --job-name=%s\n"
                         "#SBATCH --chdir=%s\n"
                         "#SBATCH --output=%s/%%a.log\n"
                         "#SBATCH --open-mode=append\n"
                         "#SBATCH --partition=%s\n"
                         "#SBATCH --time=%s\n"
                         "#SBATCH --array=0-%u%%%d\n"
                         "#SBATCH --cpus-per-task=%d\n",
                         s->name, folder, place, o->partition, o->time, s->cells->len - 1,
                         o->parallel, o->processors);
  if (o->memory) g_string_append_printf(out, "#SBATCH --mem=%s\n", o->memory);
  g_string_append_printf(out, "#SBATCH --requeue\n#SBATCH --signal=B:USR1@%" G_GINT64_FORMAT "\n",
                         lead_of(o));
  for (char **more = o->more; more && *more; more++) {
    g_autofree char *word = quoted(*more);
    g_string_append_printf(out, "#SBATCH %s\n", word);
  }
}

char *hn_sbatch_script(const HnSbatch *o, const HnSubmission *s, const char *frozen, bool after) {
  g_autofree char *place = hn_submission_place(s);
  GString *out = g_string_new("#!/bin/bash\n");
  g_string_append_printf(out,
                         "# Written by 'hunch submit': %u cell%s, a task each; the same command "
                         "again submits what is left.\n",
                         s->cells->len, hn_plural(s->cells->len));
  if (after)
    g_string_append(out, "# Submitted with --dependency: it waits until arrays before it have "
                         "ended.\n");
  add_options(out, o, s);
  g_string_append(out, "\n# of task 0, 1, ..\ncells=(\n");
  for (guint i = 0; i < s->cells->len; i++)
    g_string_append_printf(out, "  %s\n", (const char *)s->cells->pdata[i]);
  g_string_append_printf(
      out,
      ")\ncell=${cells[SLURM_ARRAY_TASK_ID]}\n\n"
      "# The program, its libraries and the plugins as they were, whatever is built meanwhile.\n"
      "frozen=$PWD/%s\n"
      "export HUNCH_PLUGIN_PATH=$frozen/plugins\n"
      "export LD_LIBRARY_PATH=$frozen/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n\n"
      "# USR1 (the time limit is near) and TERM (preemption) make it write a checkpoint and go "
      "back "
      "into the\n"
      "# queue; it takes the shell's place because Slurm sends USR1 to that alone.\n"
      "exec \"$frozen/hunch\" task \"%s/cells/$cell.yaml\" .\n",
      frozen, place);
  return g_string_free(out, FALSE);
}
