/* validate.c - checks a plugin's descriptor, which third parties write. */
#include "validate.h"
#include "widen.h"
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/kit/base.h>
#include <hunch/policy.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
  MOST_ROWS = 4096,    /* of a table: bounds a walk through the plugin's memory */
  MOST_LETTERS = 100,  /* of a name, which becomes part of a file's */
  MOST_STATE = 1 << 30 /* bytes of an instance */
};
#define MOST_EXACT 9007199254740992. /* 2^53: presets of integers are stored as doubles */

#define ENV_METHOD(name, ...)       {#name, offsetof(HnEnv, name), __VA_ARGS__},
#define INFERENCE_METHOD(name, ...) {#name, offsetof(HnInference, name), __VA_ARGS__},
#define POLICY_METHOD(name, ...)    {#name, offsetof(HnPolicy, name), __VA_ARGS__},
static const HnMethod env_methods[] = {HN_ENV_METHODS(ENV_METHOD){NULL}};
static const HnMethod inference_methods[] = {HN_INFERENCE_METHODS(INFERENCE_METHOD){NULL}};
static const HnMethod policy_methods[] = {HN_POLICY_METHODS(POLICY_METHOD){NULL}};

const HnMethod *hn_methods_of(HnKind kind) {
  return kind == HN_KIND_ENV         ? env_methods
         : kind == HN_KIND_INFERENCE ? inference_methods
                                     : policy_methods;
}

bool hn_method_is_offered(const HnPlugin *p, const HnMethod *method) {
  uint32_t size;
  void (*function)(void) = NULL;
  memcpy(&size, p->methods, sizeof size); /* every method struct begins with its size */
  if (size >= method->offset + sizeof function)
    memcpy(&function, (const char *)p->methods + method->offset, sizeof function);
  return function != NULL;
}

bool hn_descriptor_is_name(const char *name) {
  gsize n = 0;
  if (!name || !(g_ascii_isalpha(*name) || *name == '_')) return false;
  while (n <= MOST_LETTERS && (g_ascii_isalnum(name[n]) || name[n] == '_')) n++;
  return n <= MOST_LETTERS && name[n] == 0;
}

char *hn_descriptor_refuse_abi(uint32_t abi) {
  const guint major = abi >> 16, minor = abi & 0xFFFF;
  const bool newer = major == HN_ABI_MAJOR && minor > HN_ABI_MINOR;
  if (major == HN_ABI_MAJOR && !newer) return NULL;
  return g_strdup_printf("was built for plugin ABI %u.%u, this hunch speaks %d.%d: %s", major,
                         minor, HN_ABI_MAJOR, HN_ABI_MINOR,
                         newer ? "install a newer hunch, or rebuild it with these headers"
                               : "rebuild it with these headers");
}

/* A wrapper has the inner environment's where it has none of its own. */
static bool is_inherited(const HnPlugin *p, const HnMethod *m) {
  return p->flags & HN_WRAPPER && strcmp(m->name, "create") != 0;
}

static char *refuse_methods(const HnPlugin *p) {
  if (!p->methods) return g_strdup("has no methods");
  for (const HnMethod *m = hn_methods_of(p->kind); m->name; m++)
    if (m->required && !is_inherited(p, m) && !hn_method_is_offered(p, m))
      return g_strdup_printf("lacks the required method '%s'", m->name);
  if (p->kind != HN_KIND_INFERENCE) return NULL;
  const HnInference *q = p->methods;
  bool forward = HN_CAN(q, forward);
  if (HN_CAN(q, backward) != forward || HN_CAN(q, step) != forward)
    return g_strdup("must have all of 'forward', 'backward' and 'step', or none");
  return NULL;
}

/* Size and alignment of a field of HnThisParams; 0: no such kind. */
static uint32_t field_size(HnParamKind kind) {
  switch (kind) {
  case HN_REAL:
    return sizeof(double);
  case HN_INT:
    return sizeof(int64_t);
  case HN_FLAG:
    return sizeof(bool);
  case HN_TEXT:
  case HN_FILE:
    return sizeof(const char *);
  case HN_CHOICE:
    return sizeof(int32_t);
  default:
    return 0;
  }
}

static const char *refuse_choices(const HnParam *param) {
  if (!param->choices || !*param->choices) return "has no choices";
  if (!param->text) return "has no default";
  g_auto(GStrv) choices = g_strsplit(param->choices, "|", -1);
  for (char **c = choices; *c; c++) {
    if (!**c) return "has an empty choice";
    if (g_strv_contains((const char *const *)c + 1, *c)) return "has the same choice twice";
  }
  if (!g_strv_contains((const char *const *)choices, param->text))
    return "has a default that is none of its choices";
  return NULL;
}

static const char *refuse_value(const HnParam *param) {
  if (param->kind == HN_CHOICE) return refuse_choices(param);
  if (param->kind == HN_TEXT) return param->text ? NULL : "has no default";
  if (param->kind == HN_FILE)
    return param->text && !*param->text ? NULL : "is a file with a default, which must be ''";
  if (param->kind == HN_FLAG)
    return param->preset == 0 || param->preset == 1 ? NULL
                                                    : "is a flag whose default is not 0 or 1";
  if (!(param->low <= param->high)) return "has a range whose low end is above its high end";
  if (!(param->low <= param->preset && param->preset <= param->high))
    return "has a default outside its range";
  if (!isfinite(param->preset)) return "has a default that is not finite: no study can write it";
  if (param->kind == HN_INT &&
      (param->preset != rint(param->preset) || fabs(param->preset) > MOST_EXACT))
    return "is an integer whose default is not one";
  return NULL;
}

static const char *refuse_param(const HnPlugin *p, const HnParam *param) {
  uint32_t size = field_size(param->kind);
  if (!hn_descriptor_is_name(param->name)) return "has no proper name";
  if (strcmp(param->name, "plugin") == 0) return "takes the key that names the plugin";
  if (p->flags & HN_WRAPPER && strcmp(param->name, "inner") == 0)
    return "takes the key of the inner environment";
  if (size == 0) return "is of an unknown kind";
  if (!param->unit) return "has no unit (\"\" says that it is a plain number)";
  if (!param->doc || !*param->doc) return "has no documentation";
  if (param->offset > p->params_size || size > p->params_size - param->offset)
    return "lies outside the parameter struct";
  if (param->offset % size) return "is misaligned in the parameter struct";
  return refuse_value(param);
}

static char *refuse_params(const HnPlugin *p) {
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  uint64_t end = 0;
  for (guint i = 0; i < p->param_count; i++) {
    const HnParam *param = &p->params[i];
    const char *wrong = refuse_param(p, param);
    const char *name = hn_descriptor_is_name(param->name) ? param->name : "?";
    if (!wrong && !g_hash_table_add(names, (gpointer)(guintptr)param->name))
      wrong = "is there twice";
    if (!wrong && param->offset < end) wrong = "overlaps the parameter before it";
    if (wrong) return g_strdup_printf("has a bad parameter table: row %u '%s' %s", i, name, wrong);
    end = (uint64_t)param->offset + field_size(param->kind);
  }
  return NULL;
}

static bool is_param(const HnPlugin *p, const char *name) {
  for (guint i = 0; i < p->param_count; i++) {
    if (strcmp(p->params[i].name, name) == 0) return true;
  }
  return false;
}

/* The key of a file's content belongs to the host. */
static char *refuse_files(const HnPlugin *p) {
  for (guint i = 0; i < p->param_count; i++) {
    const HnParam *param = &p->params[i];
    if (param->kind != HN_FILE) continue;
    g_autofree char *sha256 = g_strconcat(param->name, "_sha256", NULL);
    if (is_param(p, sha256))
      return g_strdup_printf("has a parameter '%s', which is the host's word on the file '%s'",
                             sha256, param->name);
  }
  return NULL;
}

static char *refuse_renamed(const HnPlugin *p) {
  g_auto(GStrv) pairs = g_strsplit(p->renamed ? p->renamed : "", " ", -1);
  for (char **pair = pairs; *pair; pair++) {
    g_auto(GStrv) name = g_strsplit(*pair, ":", -1);
    if (g_strv_length(name) != 2 || is_param(p, name[0]) || !is_param(p, name[1]))
      return g_strdup_printf("renames '%s': expected OLD:NEW, of which NEW alone is a parameter",
                             *pair);
  }
  return NULL;
}

bool hn_column_is_reserved(const char *name) {
  static const char *const host[] = {"arm",  "length",        "phase",  "return", "reward",
                                     "row",  "seed",          "split",  "step",   "success_last",
                                     "task", "trial_episode", "update", NULL};
  return g_strv_contains(host, name) ||
         (g_str_has_prefix(name, "return_") && g_ascii_isdigit(name[strlen("return_")]));
}

static char *refuse_columns(const HnColumn *columns, const char *table) {
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; columns && columns[i].name; i++) {
    const HnColumn *c = &columns[i];
    const char *wrong = NULL;
    if (i == MOST_ROWS) return g_strdup_printf("has a table '%s' without an end", table);
    if (!hn_descriptor_is_name(c->name))
      wrong = "has no proper name";
    else if (!c->unit || !c->doc || !*c->doc)
      wrong = "has no unit or documentation";
    else if (c->fold < HN_MEAN || c->fold > HN_LAST)
      wrong = "folds in an unknown way";
    else if (hn_column_is_reserved(c->name))
      wrong = "is the name of a column of the host";
    else if (!g_hash_table_add(names, (gpointer)(guintptr)c->name))
      wrong = "is there twice";
    if (wrong)
      return g_strdup_printf("has a bad table '%s': row %u '%s' %s", table, i,
                             hn_descriptor_is_name(c->name) ? c->name : "?", wrong);
  }
  return NULL;
}

/* Structs that are not of the ABI's promise: the kit's, and drafts. */
static char *refuse_headers(const HnPlugin *p) {
  if (p->kit_layout && p->kit_layout != HN_KIT_LAYOUT)
    return g_strdup_printf("was compiled with structs of the kit laid out as %016" PRIx64
                           ", this hunch has %016" PRIx64 ": rebuild it with these headers",
                           p->kit_layout, HN_KIT_LAYOUT);
  if (p->drafts)
    return g_strdup_printf("was compiled with drafts of methods, number %u, which no other hunch "
                           "has: rebuild it with these headers",
                           p->drafts);
  return NULL;
}

static char *refuse_facts(const HnPlugin *p, const char *stem) {
  if (p->kind < HN_KIND_ENV || p->kind > HN_KIND_POLICY)
    return g_strdup_printf(
        "is of unknown kind %d: expected an env (%d), inference (%d) or policy (%d)", p->kind,
        HN_KIND_ENV, HN_KIND_INFERENCE, HN_KIND_POLICY);
  if (!hn_descriptor_is_name(p->name)) return g_strdup("has no proper name");
  if (strcmp(p->name, stem) != 0)
    return g_strdup_printf("calls itself '%s', but its file and symbol say '%s'", p->name, stem);
  if (!p->summary || !*p->summary) return g_strdup("has no summary");
  if (!p->version || !*p->version) return g_strdup("has no version");
  if (p->self_size > MOST_STATE || p->params_size > MOST_STATE)
    return g_strdup_printf("has %zu bytes of instance state and %zu of parameters, at most %d each",
                           p->self_size, p->params_size, MOST_STATE);
  uint32_t unknown = p->flags & ~(uint32_t)(HN_PRIVILEGED | HN_ROW_CACHE | HN_STOCHASTIC |
                                            HN_WRAPPER | HN_IGNORES_BELIEF);
  if (unknown) return g_strdup_printf("sets unknown flags 0x%x", unknown);
  if (p->flags & HN_STOCHASTIC && p->kind != HN_KIND_POLICY)
    return g_strdup("sets HN_STOCHASTIC, which is for policies");
  if (p->flags & HN_WRAPPER && p->kind != HN_KIND_ENV)
    return g_strdup("sets HN_WRAPPER, which is for environments");
  if (p->flags & HN_IGNORES_BELIEF && p->kind == HN_KIND_ENV)
    return g_strdup("sets HN_IGNORES_BELIEF, which is not for environments");
  return NULL;
}

const HnPlugin *hn_descriptor_read(const HnPlugin *own, const char *stem, char **why) {
  char *reason = hn_descriptor_refuse_abi(own->abi);
  const HnPlugin *p = reason ? NULL : hn_plugin_widen(own, &reason);
  if (!reason) reason = refuse_facts(p, stem);
  if (!reason) reason = refuse_headers(p);
  if (!reason) reason = refuse_methods(p);
  if (!reason) reason = refuse_params(p);
  if (!reason) reason = refuse_files(p);
  if (!reason) reason = refuse_renamed(p);
  if (!reason) reason = refuse_columns(p->info, "info");
  if (!reason) reason = refuse_columns(p->metrics, "metrics");
  *why = reason;
  if (!reason) return p;
  hn_plugin_widened_free(p, own);
  return NULL;
}

char *hn_descriptor_refuse(const HnPlugin *p, const char *stem) {
  char *reason;
  hn_plugin_widened_free(hn_descriptor_read(p, stem, &reason), p);
  return reason;
}
