/* widen.c - see widen.h. */
#include "widen.h"
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>
#include <string.h>

enum { MOST_ROWS = 4096 /* of a table: bounds a walk through the plugin's memory */ };

void hn_widen(void *to, gsize size, const void *from, gsize from_size) {
  const gsize known = MIN(size, from_size);
  memcpy(to, from, known);
  memset((char *)to + known, 0, size - known);
}

static gsize methods_size(HnKind kind) {
  return kind == HN_KIND_ENV         ? sizeof(HnEnv)
         : kind == HN_KIND_INFERENCE ? sizeof(HnInference)
                                     : sizeof(HnPolicy);
}

/* Every method struct begins with its size, which is true of the copy too. */
static const void *wide_methods(const HnPlugin *p) {
  uint32_t size, wide = (uint32_t)methods_size(p->kind);
  if (!p->methods) return NULL;
  memcpy(&size, p->methods, sizeof size);
  if (size >= wide) return p->methods;
  void *methods = g_malloc0(wide);
  hn_widen(methods, wide, p->methods, size);
  memcpy(methods, &wide, sizeof wide);
  return methods;
}

/* Rows of `stride` bytes as rows of `wide`. */
static void *wide_rows(const void *rows, gsize count, gsize stride, gsize wide) {
  char *all = g_malloc0_n(count, wide);
  for (gsize i = 0; i < count; i++)
    hn_widen(all + i * wide, wide, (const char *)rows + i * stride, stride);
  return all;
}

/* Rows of a table, its end included, or 0: it has none. */
static gsize column_rows(const HnColumn *columns, gsize stride) {
  for (gsize i = 0; i < MOST_ROWS; i++)
    if (!((const HnColumn *)(const void *)((const char *)columns + i * stride))->name) return i + 1;
  return 0;
}

static const HnColumn *wide_columns(const HnColumn *columns, gsize stride) {
  if (!columns || stride == sizeof(HnColumn)) return columns;
  return wide_rows(columns, column_rows(columns, stride), stride, sizeof(HnColumn));
}

static char *wrong_stride(const char *what, gsize stride, gsize least) {
  return g_strdup_printf("has %s of %zu bytes, plugin ABI %d.0 has %zu", what, stride, HN_ABI_MAJOR,
                         least);
}

static char *refuse_sizes(const HnPlugin *p) {
  uint32_t size = 0;
  if (p->methods) memcpy(&size, p->methods, sizeof size);
  if (p->methods && size < HN_LEAST(HnEnv, create)) /* which is as far in all kinds */
    return g_strdup_printf("has methods of %u bytes: their .struct_size is not set", size);
  if (p->param_count > MOST_ROWS)
    return g_strdup_printf("has %u parameters, at most %d are read", p->param_count, MOST_ROWS);
  if (p->param_count && !p->params) return g_strdup("counts parameters but has no table of them");
  if (p->param_count &&
      (p->param_stride < HN_LEAST(HnParam, choices) || p->param_stride % _Alignof(HnParam)))
    return wrong_stride("parameter rows", p->param_stride, HN_LEAST(HnParam, choices));
  if ((p->info || p->metrics) &&
      (p->column_stride < HN_LEAST(HnColumn, fold) || p->column_stride % _Alignof(HnColumn)))
    return wrong_stride("columns", p->column_stride, HN_LEAST(HnColumn, fold));
  if ((p->info && !column_rows(p->info, p->column_stride)) ||
      (p->metrics && !column_rows(p->metrics, p->column_stride)))
    return g_strdup("has a table of columns without an end");
  if (p->history_size < HN_LEAST(HnHistory, aux))
    return wrong_stride("windows", p->history_size, HN_LEAST(HnHistory, aux));
  if (p->flags & HN_WRAPPER && p->env_batch_size < HN_LEAST(HnEnvBatch, inner))
    return wrong_stride("batches", p->env_batch_size, HN_LEAST(HnEnvBatch, inner));
  return NULL;
}

const HnPlugin *hn_plugin_widen(const HnPlugin *p, char **reason) {
  HnPlugin wide;
  *reason = p->struct_size < HN_LEAST(HnPlugin, drafts)
                ? wrong_stride("a descriptor", p->struct_size, HN_LEAST(HnPlugin, drafts))
                : NULL;
  if (*reason) return NULL;
  hn_widen(&wide, sizeof wide, p, p->struct_size);
  if ((*reason = refuse_sizes(&wide))) return NULL;
  wide.info = wide_columns(wide.info, wide.column_stride);
  wide.metrics = wide_columns(wide.metrics, wide.column_stride);
  wide.methods = wide_methods(&wide);
  if (wide.param_count && wide.param_stride != sizeof(HnParam))
    wide.params = wide_rows(wide.params, wide.param_count, wide.param_stride, sizeof(HnParam));
  const bool same = p->struct_size == sizeof wide && wide.methods == p->methods &&
                    wide.params == p->params && wide.info == p->info && wide.metrics == p->metrics;
  if (same) return p;
  wide.param_stride = sizeof(HnParam), wide.column_stride = sizeof(HnColumn);
  wide.struct_size = sizeof wide;
  return g_memdup2(&wide, sizeof wide);
}

static void free_other(const void *copy, const void *own) {
  if (copy != own) g_free((void *)(guintptr)copy);
}

void hn_plugin_widened_free(const HnPlugin *wide, const HnPlugin *p) {
  if (!wide || wide == p) return;
  free_other(wide->methods, p->methods), free_other(wide->params, p->params);
  free_other(wide->info, p->info), free_other(wide->metrics, p->metrics);
  free_other(wide, p);
}
