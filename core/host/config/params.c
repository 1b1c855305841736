/* params.c - converts YAML scalars by a parameter table, and back. */
#include "params.h"
#include "param_file.h"
#include "registry.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_NUMBER = 64 };

HnSchema hn_schema_of(const HnPlugin *plugin) {
  g_autofree char *what = g_strdup_printf("%s %s", hn_kind_name(plugin->kind), plugin->name);
  return (HnSchema){g_intern_string(what), plugin->params,      plugin->param_count,
                    plugin->param_stride,  plugin->params_size, plugin->renamed};
}

const HnParam *hn_schema_at(const HnSchema *s, guint i) {
  return (const HnParam *)(const void *)((const char *)s->params + (gsize)i * s->stride);
}

const HnParam *hn_schema_find(const HnSchema *s, const char *name) {
  for (guint i = 0; i < s->count; i++)
    if (strcmp(hn_schema_at(s, i)->name, name) == 0) return hn_schema_at(s, i);
  return NULL;
}

/* ---- numbers ---- */

/* "; write 1e6" for what follows `digits` in 1M, or "". */
static const char *spelt_out(const char *digits, gsize length, const char *rest) {
  static const char *const letters = "kKMGBT";
  static const int powers[] = {3, 3, 6, 9, 9, 12};
  const char *letter = strchr(letters, *rest);
  if (!*rest || rest[1] || !letter) return "";
  g_autofree char *text =
      g_strdup_printf("; write %.*se%d", (int)length, digits, powers[letter - letters]);
  return g_intern_string(text);
}

/* NULL if `t` is [+-] digits [. digits] [e [+-] digits], else what is wrong with it. */
static const char *malformed(const char *t) {
  const char *from = t;
  if (strlen(t) > MAX_NUMBER) return " of at most 64 characters";
  if (*t == '+' || *t == '-') t++;
  if (t[0] == '0' && g_ascii_isdigit(t[1])) return ", without leading zeros";
  if (strchr(t, '_') && strspn(t, "0123456789._eE+-") == strlen(t)) return ", without underscores";
  gsize whole = strspn(t, "0123456789"), part = 0;
  t += whole;
  if (*t == '.') part = strspn(++t, "0123456789"), t += part;
  if (whole + part == 0) return "";
  if (*t == 'e' || *t == 'E') {
    if (*++t == '+' || *t == '-') t++;
    gsize digits = strspn(t, "0123456789");
    if (digits == 0) return "";
    t += digits;
  }
  return *t ? spelt_out(from, (gsize)(t - from), t) : NULL;
}

static const char *not_plain(const HnNode *n) {
  if (n->kind != HN_NODE_TEXT) return n->kind == HN_NODE_MAP ? ", not a map" : ", not a list";
  if (n->quoted) return ", without quotes";
  return *n->text ? malformed(n->text) : ", but there is nothing";
}

const char *hn_params_real(const HnNode *n, double *value) {
  const char *why = not_plain(n);
  if (why) return why;
  *value = g_ascii_strtod(n->text, NULL) + 0.0; /* + 0.0: no negative zero */
  if (!isfinite(*value)) return " that a double can hold";
  if (*value == 0 && strcspn(n->text, "123456789") < strcspn(n->text, "eE"))
    return " that a double can hold";
  return NULL;
}

const char *hn_params_int(const HnNode *n, int64_t *value) {
  const char *why = not_plain(n);
  if (why) return why;
  const char *t = n->text;
  bool negative = *t == '-', fraction = false;
  uint64_t digits = 0, limit = (uint64_t)INT64_MAX + negative;
  int64_t exponent = 0, zeros = 0; /* zeros seen since the last other digit */
  for (t += strspn(t, "+-"); *t && *t != 'e' && *t != 'E'; t++) {
    if (*t == '.') {
      fraction = true;
      continue;
    }
    exponent -= fraction;
    if (*t == '0') {
      zeros++;
      continue;
    }
    for (; zeros > 0 && digits; zeros--)
      if (!g_uint64_checked_mul(&digits, digits, 10)) return " that 64 bits can hold";
    zeros = 0;
    if (!g_uint64_checked_mul(&digits, digits, 10) ||
        !g_uint64_checked_add(&digits, digits, (uint64_t)(*t - '0')))
      return " that 64 bits can hold";
  }
  exponent += zeros;
  if (*t) exponent += CLAMP(g_ascii_strtoll(t + 1, NULL, 10), -1000, 1000);
  if (digits == 0) return *value = 0, NULL;
  if (exponent < 0) return ", not a fraction";
  for (; exponent > 0; exponent--)
    if (!g_uint64_checked_mul(&digits, digits, 10)) return " that 64 bits can hold";
  if (digits > limit) return " that 64 bits can hold";
  *value = negative ? (int64_t)(0 - digits) : (int64_t)digits;
  return NULL;
}

/* The shortest text by a conversion of printf that reads back to the same bits. */
static char *shortest(double value, char conversion, int from, int to) {
  char text[40];
  for (int precision = from; precision <= to; precision++) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%d%c", precision, conversion);
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, NULL) == value) break;
  }
  /* 1e-04 and 1e+06 become 1e-4 and 1e6 */
  char *e = strchr(text, 'e');
  if (!e) return g_strdup(text);
  *e = 0;
  return g_strdup_printf("%se%d", text, (int)g_ascii_strtoll(e + 1, NULL, 10));
}

char *hn_params_number(double value) {
  return shortest(value, 'g', 6, 17);
}

char *hn_params_number_with_exponent(double value) {
  return shortest(value, 'e', 0, 16);
}

/* ---- messages ---- */

char *hn_params_expected(const HnParam *p) {
  GString *out = g_string_new(p->kind == HN_INT ? "an integer" : "a number");
  switch (p->kind) {
  case HN_FLAG:
    g_string_assign(out, "true or false");
    return g_string_free(out, false);
  case HN_TEXT:
    g_string_assign(out, "text");
    return g_string_free(out, false);
  case HN_FILE:
    g_string_assign(out, "the path of a file");
    return g_string_free(out, false);
  case HN_CHOICE: {
    g_auto(GStrv) choices = g_strsplit(p->choices, "|", -1);
    g_autofree char *list = g_strjoinv(", ", choices);
    g_string_printf(out, "one of %s", list);
    return g_string_free(out, false);
  }
  default:
    break;
  }
  g_autofree char *low = hn_params_number(p->low), *high = hn_params_number(p->high);
  if (isfinite(p->low) && isfinite(p->high))
    g_string_append_printf(out, " in [%s, %s]", low, high);
  else if (isfinite(p->low))
    g_string_append_printf(out, " of at least %s", low);
  else if (isfinite(p->high))
    g_string_append_printf(out, " of at most %s", high);
  if (p->unit && *p->unit) g_string_append_printf(out, " %s", p->unit);
  return g_string_free(out, false);
}

char *hn_params_default(const HnParam *p) {
  return p->kind == HN_FLAG                        ? g_strdup(p->preset != 0 ? "true" : "false")
         : p->kind == HN_REAL || p->kind == HN_INT ? hn_params_number(p->preset)
         : *p->text                                ? g_strdup(p->text)
                                                   : g_strdup("\"\"");
}

char *hn_params_shown(const char *key, const HnNode *value) {
  if (value->kind != HN_NODE_TEXT || (!*value->text && !value->quoted))
    return g_strdup_printf("%s:", key);
  g_autofree char *cut = hn_diag_cut(value->text);
  return g_strdup_printf(value->quoted ? "%s: \"%s\"" : "%s: %s", key, cut);
}

static void G_GNUC_PRINTF(4, 5)
    complain(const HnParam *p, const HnNode *n, HnDiag *d, const char *format, ...) {
  g_autofree char *shown = hn_params_shown(p->name, n);
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  hn_node_refuse(d, n, "'%s'%s", shown, text);
}

bool hn_params_map(const char *what, const HnNode *n, HnDiag *d) {
  if (n->kind == HN_NODE_MAP) return true;
  hn_node_refuse(d, n, "%s: expected a map of keys and values, not %s%s", what,
                 n->kind == HN_NODE_LIST   ? "a list"
                 : !*n->text && !n->quoted ? "nothing"
                                           : "text",
                 n->kind == HN_NODE_TEXT && !*n->text ? "; {} is an empty one" : "");
  return false;
}

void hn_params_check_keys(HnNode *map, const char *const *valid, HnDiag *d) {
  for (guint i = 0; i < map->keys->len; i++) {
    HnNode *key = map->keys->pdata[i];
    if (g_strv_contains(valid, key->text)) continue;
    g_autofree char *hint = hn_diag_hint(key->text, valid), *cut = hn_diag_cut(key->text);
    hn_node_refuse(d, key, "unknown key '%s'%s", cut, hint);
    const char *meant = hn_diag_nearest(key->text, valid);
    if (!meant || hn_node_get(map, meant)) continue;
    g_free(key->text);
    key->text = g_strdup(meant);
  }
}

/* ---- filling ---- */

#define FIELD(type, p, values) ((type *)(void *)((char *)(values) + (p)->offset))
#define READ(type, p, values)  (*(type const *)(const void *)((const char *)(values) + (p)->offset))

static int32_t choice_index(const HnParam *p, const char *text) {
  g_auto(GStrv) choices = g_strsplit(p->choices, "|", -1);
  for (int32_t i = 0; choices[i]; i++)
    if (strcmp(choices[i], text) == 0) return i;
  return -1;
}

static void preset(const HnParam *p, void *out) {
  switch (p->kind) {
  case HN_REAL:
    *FIELD(double, p, out) = p->preset;
    break;
  case HN_INT:
    *FIELD(int64_t, p, out) = (int64_t)p->preset;
    break;
  case HN_FLAG:
    *FIELD(bool, p, out) = p->preset != 0;
    break;
  case HN_TEXT:
  case HN_FILE:
    *FIELD(const char *, p, out) = g_intern_string(p->text ? p->text : "");
    break;
  case HN_CHOICE:
    *FIELD(int32_t, p, out) = MAX(0, choice_index(p, p->text));
    break;
  }
}

/* Compares exactly: above 2^53 a double cannot tell neighbours apart. */
static bool int_in(int64_t v, const HnParam *p) {
  return (p->low < -0x1p63 || (p->low < 0x1p63 && v >= (int64_t)ceil(p->low))) &&
         (p->high >= 0x1p63 || (p->high >= -0x1p63 && v <= (int64_t)floor(p->high)));
}

static void set_number(const HnParam *p, const HnNode *n, void *out, HnDiag *d) {
  double real = 0;
  int64_t integer = 0;
  const char *why = p->kind == HN_INT ? hn_params_int(n, &integer) : hn_params_real(n, &real);
  bool in = p->kind == HN_INT ? int_in(integer, p) : real >= p->low && real <= p->high;
  if (!why && in) {
    if (p->kind == HN_INT)
      *FIELD(int64_t, p, out) = integer;
    else
      *FIELD(double, p, out) = real;
    return;
  }
  g_autofree char *expected = hn_params_expected(p);
  if (why)
    complain(p, n, d, ": expected %s%s", expected, why);
  else
    complain(p, n, d, " is out of range: expected %s", expected);
}

static void set_flag(const HnParam *p, const HnNode *n, void *out, HnDiag *d) {
  if (n->quoted)
    complain(p, n, d, ": expected true or false, without quotes");
  else if (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0)
    *FIELD(bool, p, out) = *n->text == 't';
  else
    complain(p, n, d, ": expected true or false");
}

static void set_choice(const HnParam *p, const HnNode *n, void *out, HnDiag *d) {
  int32_t index = choice_index(p, n->text);
  if (index >= 0) {
    *FIELD(int32_t, p, out) = index;
    return;
  }
  g_auto(GStrv) choices = g_strsplit(p->choices, "|", -1);
  g_autofree char *expected = hn_params_expected(p);
  const char *near = hn_diag_nearest(n->text, (const char *const *)choices);
  if (near)
    complain(p, n, d, ": expected %s; did you mean '%s'?", expected, near);
  else
    complain(p, n, d, ": expected %s", expected);
}

static void set_file(const HnParam *p, const HnNode *n, void *out, HnDiag *d) {
  g_autofree char *why = NULL;
  const char *path = *n->text ? hn_param_file_read(n, &why) : "";
  if (path)
    *FIELD(const char *, p, out) = path;
  else
    complain(p, n, d, ": expected the path of a file: %s", why);
}

static void set(const HnParam *p, const HnNode *n, void *out, HnDiag *d) {
  if (n->kind != HN_NODE_TEXT) {
    g_autofree char *expected = hn_params_expected(p);
    complain(p, n, d, ": expected %s, not a %s", expected, n->kind == HN_NODE_MAP ? "map" : "list");
    return;
  }
  switch (p->kind) {
  case HN_FLAG:
    set_flag(p, n, out, d);
    break;
  case HN_TEXT:
    *FIELD(const char *, p, out) = g_intern_string(n->text);
    break;
  case HN_CHOICE:
    set_choice(p, n, out, d);
    break;
  case HN_FILE:
    set_file(p, n, out, d);
    break;
  default:
    set_number(p, n, out, d);
  }
}

/* The name that a renamed parameter has now, or NULL; g_free. */
static char *new_name(const HnSchema *s, const char *old) {
  g_auto(GStrv) pairs = g_strsplit(s->renamed ? s->renamed : "", " ", -1);
  const gsize n = strlen(old);
  for (char **pair = pairs; *pair; pair++)
    if (strncmp(*pair, old, n) == 0 && (*pair)[n] == ':') return g_strdup(*pair + n + 1);
  return NULL;
}

/* The file whose content a key says, NAME_sha256, or NULL. */
static const HnParam *file_of(const HnSchema *s, const char *key) {
  if (!g_str_has_suffix(key, "_sha256")) return NULL;
  g_autofree char *name = g_strndup(key, strlen(key) - strlen("_sha256"));
  const HnParam *p = hn_schema_find(s, name);
  return p && p->kind == HN_FILE ? p : NULL;
}

/* Compares what a file was with what it is, once its path is read. */
static void check_file(const HnParam *p, const HnNode *map, const HnNode *key, const HnNode *n,
                       const void *out, HnDiag *d) {
  const char *path = READ(const char *, p, out);
  const HnNode *named = hn_node_get(map, p->name);
  if (!named || (named->kind == HN_NODE_TEXT && !*named->text))
    hn_node_refuse(d, key, "'%s:': there is no '%s:' beside it", key->text, p->name);
  else if (*path && (n->kind != HN_NODE_TEXT || strcmp(n->text, hn_param_file_sha256(path)) != 0))
    hn_node_refuse(d, n, "'%s:': %s has another content, of SHA-256 %s", key->text, path,
                   hn_param_file_sha256(path));
}

/* The hint for a word by which other programs call a key of this table, or one of run; NULL: it is
 * none of them.  g_free. */
static char *word_meant(const HnSchema *s, const char *word) {
  static const struct {
    const char *word, *key;
    bool of_run;
  } words[] = {{"learning_rate", "lr", false},
               {"alpha", "lr", false},
               {"total_timesteps", "frames", true},
               {"total_steps", "frames", true},
               {"n_steps", "steps", true},
               {"num_steps", "steps", true},
               {"rollout_length", "steps", true},
               {"num_envs", "rows", true},
               {"n_envs", "rows", true}};
  for (guint k = 0; k < G_N_ELEMENTS(words); k++) {
    if (strcmp(words[k].word, word) != 0) continue;
    if (hn_schema_find(s, words[k].key))
      return g_strdup_printf("; it is called '%s' here", words[k].key);
    if (words[k].of_run) return g_strdup_printf("; it is 'run: {%s: ..}' here", words[k].key);
  }
  return NULL;
}

/* A finding for a key that the table does not have. */
static void unknown_key(const HnSchema *s, const HnNode *key, const GPtrArray *names, HnDiag *d) {
  g_autofree char *cut = hn_diag_cut(key->text), *now = new_name(s, key->text);
  g_autofree char *hint =
      now ? g_strdup_printf("; it is now called '%s'", now) : word_meant(s, key->text);
  if (!hint) hint = hn_diag_hint(key->text, (const char *const *)names->pdata);
  hn_node_refuse(d, key, "%s: unknown key '%s'%s", s->what, cut, hint);
}

void hn_params_fill(const HnSchema *s, const HnNode *map, const char *const *except, void *out,
                    HnDiag *d) {
  memset(out, 0, s->size);
  for (guint i = 0; i < s->count; i++) preset(hn_schema_at(s, i), out);
  if (!map || !hn_params_map(s->what, map, d)) return;

  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < s->count; i++)
    g_ptr_array_add(names, (void *)(guintptr)hn_schema_at(s, i)->name);
  for (const char *const *e = except; e && *e; e++) g_ptr_array_add(names, (void *)(guintptr)*e);
  g_ptr_array_add(names, NULL);
  for (guint i = 0; i < map->keys->len; i++) {
    const HnNode *key = map->keys->pdata[i];
    if (except && g_strv_contains(except, key->text)) continue;
    const HnParam *p = hn_schema_find(s, key->text);
    if (p)
      set(p, map->items->pdata[i], out, d);
    else if (!file_of(s, key->text))
      unknown_key(s, key, names, d);
  }
  for (guint i = 0; i < map->keys->len; i++) {
    const HnNode *key = map->keys->pdata[i];
    const HnParam *file = file_of(s, key->text);
    if (file) check_file(file, map, key, map->items->pdata[i], out, d);
  }
}

/* ---- writing ---- */

/* Whether every YAML reader takes `text` for text without quotes. */
static bool is_word(const char *text) {
  static const char *const taken[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};
  if (!g_ascii_isalpha(*text)) return false;
  for (guint i = 0; i < G_N_ELEMENTS(taken); i++)
    if (g_ascii_strcasecmp(text, taken[i]) == 0) return false;
  for (; *text; text++)
    if (!g_ascii_isalnum(*text) && !strchr("._-/", *text)) return false;
  return true;
}

void hn_params_put_text(HnNode *map, const char *key, const char *text) {
  hn_node_put(map, key, text);
  hn_node_get(map, key)->quoted = !is_word(text);
}

const char *hn_params_choice(const HnSchema *s, const char *name, int32_t value) {
  g_auto(GStrv) choices = g_strsplit(hn_schema_find(s, name)->choices, "|", -1);
  return g_intern_string(choices[value]);
}

static void put_file(HnNode *map, const char *name, const char *path) {
  g_autofree char *sha256 = g_strconcat(name, "_sha256", NULL);
  hn_params_put_text(map, name, path);
  if (*path) hn_params_put_text(map, sha256, hn_param_file_sha256(path));
}

HnNode *hn_params_node(const HnSchema *s, const void *values) {
  HnNode *map = hn_node_map("resolved configuration", 0, 0);
  for (guint i = 0; i < s->count; i++) {
    const HnParam *p = hn_schema_at(s, i);
    g_autofree char *text = NULL;
    switch (p->kind) {
    case HN_REAL:
      text = hn_params_number(READ(double, p, values));
      break;
    case HN_INT:
      text = g_strdup_printf("%" PRId64, READ(int64_t, p, values));
      break;
    case HN_FLAG:
      text = g_strdup(READ(bool, p, values) ? "true" : "false");
      break;
    case HN_TEXT:
      hn_params_put_text(map, p->name, READ(const char *, p, values));
      continue;
    case HN_CHOICE:
      hn_params_put_text(map, p->name, hn_params_choice(s, p->name, READ(int32_t, p, values)));
      continue;
    case HN_FILE:
      put_file(map, p->name, READ(const char *, p, values));
      continue;
    default:
      continue;
    }
    hn_node_put(map, p->name, text);
  }
  return map;
}
