/* run_kernels.c - see run_kernels.h. */
#include "run_kernels.h"
#include "determinism.h"
#include "json.h"
#include "kit_library.h"
#include "sha256.h"
#include <link.h>
#include <stdlib.h>
#include <string.h>

typedef struct Fact {
  const char *member, *what, *(*now)(void);
} Fact;
#define FACT(member, what, now) {#member, what, now},
static const Fact facts_of[] = {HN_KERNEL_FACTS(FACT)};

/* ---- the simulator ---- */

/* Its library's file among those loaded; g_free. */
static int find_simulator(struct dl_phdr_info *info, size_t size, void *arg) {
  char **found = arg, *real;
  (void)size;
  if (!info->dlpi_name || !strstr(info->dlpi_name, "libmujoco")) return 0;
  real = realpath(info->dlpi_name, NULL);
  *found = g_strdup(real ? real : info->dlpi_name);
  free(real);
  return 1;
}

static char *simulator_file(void) {
  char *file = NULL;
  dl_iterate_phdr(find_simulator, &file);
  return file;
}

/* "MuJoCo 2.2.2", by the name of its file; NULL if no plugin loaded one; g_free. */
static char *simulator_name(void) {
  static const char stem[] = "libmujoco.so.";
  g_autofree char *file = simulator_file();
  if (!file) return NULL;
  char *name = g_path_get_basename(file);
  if (!g_str_has_prefix(name, stem)) return name;
  char *version = g_strconcat("MuJoCo ", name + strlen(stem), NULL);
  g_free(name);
  return version;
}

/* Kept, because run.json is written at every checkpoint; no plugin is loaded once a run is on. */
const char *hn_run_simulator_sha256(void) {
  static GMutex lock;
  static char *known;
  g_autofree char *file = simulator_file();
  g_mutex_lock(&lock);
  if (file && !known) known = hn_sha256_file(file);
  g_mutex_unlock(&lock);
  return file ? known : NULL;
}

/* ---- what changed ---- */

bool hn_run_kernels_alike(const char *member, const char *a, const char *b) {
  if (!a || !b || strcmp(a, b) == 0) return true;
  return strcmp(member, "isa") == 0 && strcmp(a, "base") != 0 && strcmp(b, "base") != 0;
}

char *hn_run_kernels_changed(JsonObject *facts) {
  g_autoptr(GString) text = g_string_new(NULL);
  if (hn_json_int(facts, "update", 0) <= 0) return NULL;
  for (guint i = 0; i < G_N_ELEMENTS(facts_of); i++) {
    const Fact *f = &facts_of[i];
    const char *was = hn_json_string(facts, f->member, NULL), *is = f->now();
    if (!hn_run_kernels_alike(f->member, was, is))
      g_string_append_printf(text, "%s%s %s %s and %s %s", text->len ? "; " : "", f->what,
                             g_str_has_suffix(f->what, "kernels") ? "were" : "was", was,
                             g_str_has_suffix(f->what, "kernels") ? "are" : "is", is);
  }
  return text->len ? g_strdup(text->str) : NULL;
}

/* Of all parts so far. */
static char *changes(JsonObject *facts) {
  const char *before = hn_json_string(facts, "kernels_changed", NULL);
  g_autofree char *now = hn_run_kernels_changed(facts);
  if (!before || !now) return g_strdup(before ? before : now);
  return g_strconcat(before, "; ", now, NULL);
}

void hn_run_kernels_add(JsonBuilder *b, JsonObject *facts) {
  g_autofree char *simulator = simulator_name(), *changed = changes(facts);
  for (guint i = 0; i < G_N_ELEMENTS(facts_of); i++)
    hn_json_add_string(b, facts_of[i].member, facts_of[i].now());
  hn_json_add_string(b, "libm_version", hn_libm_version());
  hn_json_add_string(b, "simulator", simulator);
  hn_json_add_string(b, "kernels_changed", changed);
}
