/* study_argument.c - see study_argument.h. */
#include "study_argument.h"
#include "arm_weights_check.h"
#include "message.h"
#include "options.h"
#include "run_sizes.h"
#include "same_arms.h"
#include "session_check.h"
#include <stdio.h>
#include <string.h>

/* A warning for each plugin of the study that is not the only one of its name. */
static void warn_of_hidden(const HnVerb *verb, const HnStudy *s) {
  g_autoptr(GHashTable) said = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < s->cells->len; i++) {
    const HnCell *c = s->cells->pdata[i];
    for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
      for (const HnPluginChoice *p = hn_cell_plugin(c, kind); p; p = p->inner) {
        if (strchr(p->name, '/') || !g_hash_table_add(said, p->name)) continue;
        g_autofree char *hiding = hn_plugins_hiding(p->name);
        if (hiding) hn_message_warning(verb->name, "plugin '%s': %s", p->name, hiding);
      }
  }
}

static void warn_of_same_arms(const HnVerb *verb, const HnStudy *s, const char *const *overrides) {
  g_autoptr(GPtrArray) same = hn_same_arms(s, overrides);
  for (guint i = 0; i < same->len; i++)
    hn_message_warning(verb->name, "%s", (const char *)same->pdata[i]);
}

/* Of a study that is not there nobody reads the overrides; what is none is said all the same. */
static void refuse_more(char **more, HnDiag *d) {
  for (; *more; more++) {
    g_autofree char *cut = hn_diag_cut(*more), *place = g_strconcat("command line: ", cut, NULL);
    if (!strchr(*more, '='))
      hn_diag_add(d, place, 0, 0, "expected block.key=value: one study at a time");
  }
}

HnStudy *hn_study_argument_read(const HnVerb *verb, int argc, char **argv, HnDiag *d) {
  if (argc < 2 || !*argv[1]) {
    hn_options_refuse(verb, "which study?");
    return NULL;
  }
  g_autoptr(HnStudy) study = hn_study_read(argv[1], (const char *const *)argv + 2, d);
  if (!g_file_test(argv[1], G_FILE_TEST_EXISTS)) refuse_more(argv + 2, d);
  /* a run goes on with the other arms, and says itself how a plugin died */
  if (study) hn_session_check(study, strcmp(verb->name, "run") != 0, d);
  if (study) hn_arm_weights_check(study, d);
  if (study) warn_of_hidden(verb, study);
  if (hn_diag_count(d)) return NULL;
  warn_of_same_arms(verb, study, (const char *const *)argv + 2);
  hn_run_sizes_warn_tasks(verb, study);
  return g_steal_pointer(&study);
}

HnStudy *hn_study_argument(const HnVerb *verb, int argc, char **argv) {
  g_autoptr(HnDiag) d = hn_diag_new();
  HnStudy *study = hn_study_argument_read(verb, argc, argv, d);
  g_autofree char *text = hn_diag_text(d);
  (void)fputs(text, stderr);
  return study;
}

int64_t hn_study_argument_arm(const HnVerb *verb, const HnStudy *study, const char *name,
                              const char *several) {
  guint at;
  if (g_ptr_array_find_with_equal_func(study->arms, name, g_str_equal, &at)) return at;
  g_autoptr(GPtrArray) names = g_ptr_array_copy(study->arms, NULL, NULL);
  g_ptr_array_set_free_func(names, NULL);
  g_ptr_array_add(names, NULL);
  g_autofree char *hint = hn_diag_hint(name, (const char *const *)names->pdata);
  hn_options_refuse(verb, "no arm '%s'%s", name, strchr(name, ',') ? several : hint);
  return -1;
}
