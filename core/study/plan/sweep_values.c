/* sweep_values.c - see sweep_values.h. */
#include "sweep_values.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DIGITS = 4, SCALE_LOG = 1 };

typedef struct Range {
  HN_RANGE_PARAMS(HN_FIELD)
} Range;
#define RANGE_ROW(kind, ...) HN_ROW_##kind(Range, __VA_ARGS__)
static const HnParam range_params[] = {HN_RANGE_PARAMS(RANGE_ROW)};

HnSchema hn_range_schema(void) {
  return (HnSchema){"range",         range_params,  G_N_ELEMENTS(range_params),
                    sizeof(HnParam), sizeof(Range), NULL};
}

/* ---- ranges ---- */

/* x to a multiple of 10^exponent. */
static double rounded(double x, double exponent) {
  const double unit = pow(10, exponent);
  g_autofree char *text = g_strdup_printf("%.15g", round(x / unit) * unit);
  return g_ascii_strtod(text, NULL);
}

static HnNode *number(const HnSweepValues *v, double x) {
  g_autofree char *text = v->integer ? g_strdup_printf("%" PRId64, (int64_t)round(x))
                          : v->log   ? hn_params_number_with_exponent(x)
                                     : hn_params_number(x);
  return hn_node_text(v->at->file, v->at->line, v->at->column, text);
}

/* The number a share u of the way from one end to the other; the ends as they were written. */
static HnNode *between(const HnSweepValues *v, double u) {
  if (u <= 0 || u >= 1) return number(v, u <= 0 ? v->from : v->to);
  const double x = v->log ? v->from * pow(v->to / v->from, u) : v->from + u * (v->to - v->from);
  if (v->integer) return number(v, x);
  const double exponent = (v->log ? floor(log10(x)) + 1 : ceil(log10(v->to - v->from))) - DIGITS;
  return number(v, CLAMP(rounded(x, exponent), v->from, v->to));
}

HnNode *hn_sweep_values_draw(const HnSweepValues *v, double u) {
  if (v->values) return hn_node_copy(v->values->pdata[(guint)(u * v->values->len)]);
  if (!v->integer) return between(v, u);
  /* each integer has a share of its own, those at the ends whole ones */
  const double x =
      v->log ? v->from * pow((v->to + 1) / v->from, u) : v->from + u * (v->to - v->from + 1);
  return number(v, CLAMP(floor(x), v->from, v->to));
}

/* What a value is, however it is written: 1e-2 and 0.01 are one number; g_free. */
static char *meaning(const HnNode *n, const HnParam *p) {
  double real = 0;
  const bool number = p && (p->kind == HN_INT || p->kind == HN_REAL) && !hn_params_real(n, &real);
  return number && fabs(real) <= 0x1p53 ? hn_params_number(real) : g_strdup(n->text);
}

static void refuse_again(const char *path, const HnSweepValues *v, const HnNode *n,
                         const char *first, HnDiag *d) {
  g_autofree char *cut = hn_diag_cut(n->text), *before = hn_diag_cut(first);
  if (v->at->kind == HN_NODE_MAP)
    hn_node_refuse(d, n, "%s: %s would come twice: lower 'count'", path, cut);
  else if (strcmp(n->text, first) == 0)
    hn_node_refuse(d, n, "%s: %s comes twice", path, cut);
  else
    hn_node_refuse(d, n, "%s: %s would come twice: it is %s", path, cut, before);
}

/* A finding where a value comes twice; p: the parameter's row, or NULL. */
static bool all_differ(const char *path, const HnSweepValues *v, const HnParam *p, HnDiag *d) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < v->values->len; i++) {
    const HnNode *n = v->values->pdata[i];
    char *same = meaning(n, p);
    const char *first = g_hash_table_lookup(seen, same);
    if (first) {
      refuse_again(path, v, n, first, d);
      g_free(same);
      return false;
    }
    g_hash_table_insert(seen, same, n->text);
  }
  return true;
}

static bool range_is_right(const char *path, const HnNode *node, const Range *r, HnDiag *d) {
  static const char *const needed[] = {"from", "to"};
  for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
    if (!hn_node_get(node, needed[i])) {
      hn_node_refuse(d, node,
                     "%s: a range is missing '%s': {from: .., to: .., count: .., scale: log}", path,
                     needed[i]);
      return false;
    }
  if (!(r->from < r->to))
    hn_node_refuse(d, hn_node_get(node, "to"), "%s: 'to' must be above 'from'", path);
  else if (r->scale == SCALE_LOG && r->from <= 0)
    hn_node_refuse(d, hn_node_get(node, "from"), "%s: a logarithmic scale begins above 0", path);
  else if (r->count == 1)
    hn_node_refuse(d, hn_node_get(node, "count"), "%s: a range has at least its two ends", path);
  else
    return true;
  return false;
}

static bool read_range(const char *path, const HnNode *node, const HnParam *p, HnSweepValues *out,
                       HnDiag *d) {
  const HnSchema schema = hn_range_schema();
  const guint before = hn_diag_count(d);
  Range r;
  hn_params_fill(&schema, node, NULL, &r, d);
  if (hn_diag_count(d) > before || !range_is_right(path, node, &r, d)) return false;
  if (p && p->kind != HN_INT && p->kind != HN_REAL) {
    g_autofree char *expected = hn_params_expected(p);
    hn_node_refuse(d, node, "%s: a range is of numbers, but this is %s: list its values", path,
                   expected);
    return false;
  }
  out->integer = p && p->kind == HN_INT;
  out->from = out->integer ? ceil(r.from) : r.from, out->to = out->integer ? floor(r.to) : r.to;
  out->log = r.scale == SCALE_LOG;
  if (out->integer && (out->from >= out->to || fmax(fabs(out->from), fabs(out->to)) > 0x1p53)) {
    hn_node_refuse(d, node, "%s: expected a range of several integers below 2^53", path);
    return false;
  }
  if (!r.count) return true;
  out->values = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
  for (int64_t i = 0; i < r.count; i++)
    g_ptr_array_add(out->values, between(out, (double)i / (double)(r.count - 1)));
  return all_differ(path, out, p, d);
}

/* ---- lists ---- */

static bool read_list(const char *path, const HnNode *node, const HnParam *p, HnSweepValues *out,
                      HnDiag *d) {
  if (node->items->len == 0) hn_node_refuse(d, node, "%s: expected at least one value", path);
  out->values = g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
  for (guint i = 0; i < node->items->len; i++) {
    const HnNode *one = node->items->pdata[i];
    if (one->kind != HN_NODE_TEXT) {
      hn_node_refuse(d, one, "%s: expected a value, not a %s", path,
                     one->kind == HN_NODE_MAP ? "map" : "list");
      return false;
    }
    g_ptr_array_add(out->values, hn_node_copy(one));
  }
  return node->items->len > 0 && all_differ(path, out, p, d);
}

bool hn_sweep_values_read(const char *path, const HnNode *node, const HnParam *p,
                          HnSweepValues *out, HnDiag *d) {
  *out = (HnSweepValues){.at = node};
  if (node->kind == HN_NODE_MAP) return read_range(path, node, p, out, d);
  if (node->kind == HN_NODE_LIST) return read_list(path, node, p, out, d);
  g_autofree char *cut = hn_diag_cut(node->text);
  hn_node_refuse(d, node,
                 "%s: expected a list, [%s, ..], or a range, {from: .., to: .., count: ..}", path,
                 cut);
  return false;
}

void hn_sweep_values_clear(HnSweepValues *v) {
  if (v->values) g_ptr_array_unref(v->values);
  v->values = NULL;
}
