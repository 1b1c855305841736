/* instance.c - see instance.h. */
#include "instance.h"
#include "diagnostics.h"
#include "machine.h"
#include "pages.h"
#include "widen.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gsize hn_type_size(HnType type) {
  return type == HN_U8 ? 1 : type == HN_F64 || type == HN_I64 ? 8 : 4;
}

guint hn_column_count(const HnColumn *columns) {
  guint n = 0;
  while (columns && columns[n].name) n++;
  return n;
}

gsize hn_array_record_bytes(const HnArrayRecord *k) {
  return (gsize)(k->array.used ? *k->array.used : k->array.dim[0]) * k->item_bytes;
}

/* ---- services ---- */

static gsize bytes_of(const HnInstance *x, int64_t count, size_t size) {
  gsize bytes;
  if (count < 0 || !g_size_checked_mul(&bytes, (gsize)count, size) || bytes > G_MAXSSIZE / 2)
    g_error("%s asks for %" PRId64 " x %zu bytes", x->plugin->name, count, size);
  return bytes;
}

static void *lend_alloc(const HnHost *host, int64_t count, size_t size) {
  HnInstance *x = host->impl;
  if (!x->creating) g_error("%s: alloc is allowed only in create", x->plugin->name);
  gsize bytes = bytes_of(x, count, size);
  double machine = hn_machine_bytes();
  if ((double)bytes > machine)
    g_error("%s asks for %.3g GB, this machine has %.3g GB: lower its parameters, or run.rows",
            x->plugin->name, 1e-9 * (double)bytes, 1e-9 * machine);
  void *p = hn_zeros(bytes);
  g_ptr_array_add(x->blocks, p), x->allocated += bytes;
  return p;
}

static void check_range(const HnInstance *x, const HnArray *a) {
  const bool integer = a->type == HN_I32 || a->type == HN_I64 || a->type == HN_U8;
  if (a->low != a->end && (!integer || a->low > a->end))
    g_error("%s: kept array %s has a wrong range", x->plugin->name, a->name);
}

static void *lend_keep(const HnHost *host, const HnArray *array) {
  HnInstance *x = host->impl;
  if (array->struct_size < HN_LEAST(HnArray, end))
    g_error("%s: keeps an array described by %u bytes, as HN_ARRAY does not", x->plugin->name,
            array->struct_size);
  if (array->rank < 1 || array->rank > 4 || array->type < HN_F32 || array->type > HN_U8)
    g_error("%s: kept array %s has a wrong rank or type", x->plugin->name, array->name);
  for (guint i = 0; i < x->kept->len; i++)
    if (!strcmp(((HnArrayRecord *)x->kept->pdata[i])->array.name, array->name))
      g_error("%s: two kept arrays are named %s", x->plugin->name, array->name);
  HnArrayRecord *k = g_new0(HnArrayRecord, 1);
  hn_widen(&k->array, sizeof k->array, array, array->struct_size);
  check_range(x, &k->array);
  k->array.name = g_strdup(array->name);
  k->item_bytes = hn_type_size(array->type);
  for (int64_t d = 1; d < array->rank; d++)
    k->item_bytes = bytes_of(x, array->dim[d], k->item_bytes);
  k->data = lend_alloc(host, array->dim[0], k->item_bytes);
  if (array->grad) *array->grad = k->grad = lend_alloc(host, array->dim[0], k->item_bytes);
  g_ptr_array_add(x->kept, k);
  return k->data;
}

static void *lend_scratch(const HnHost *host, int64_t count, size_t size) {
  return hn_arena_take(hn_arena_current(), bytes_of(host->impl, count, size));
}

static HnStatus lend_parallel(const HnHost *host, int64_t count, HnTask *task, void *arg) {
  return hn_pool_run(((HnInstance *)host->impl)->pool, count, task, arg);
}

static HnStatus lend_fail(const HnHost *host, HnStatus status, const char *format, ...) {
  const HnInstance *x = host->impl;
  va_list args;
  va_start(args, format);
  g_autofree char *said = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *line = hn_diag_printable(said); /* it may hold anything, and is one line */
  const int n = snprintf(hn_fail_text(), HN_FAIL_TEXT, "%s: %s", x->plugin->name, line);
  if (n >= HN_FAIL_TEXT) /* not in the middle of a character */
    *g_utf8_find_prev_char(hn_fail_text(), hn_fail_text() + HN_FAIL_TEXT - 1) = '\0';
  return status;
}

static void lend_log(const HnHost *host, const char *format, ...) {
  const HnInstance *x = host->impl;
  if (!x->log) return;
  va_list args;
  va_start(args, format);
  g_autofree char *said = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *line = hn_diag_printable(said);
  fprintf(x->log, "%s: %s\n", x->plugin->name, line); /* one write, whole between threads */
  fflush(x->log);
}

static void lend_metric(const HnHost *host, int32_t metric, double value) {
  HnInstance *x = host->impl;
  if (metric < 0 || (guint)metric >= x->metrics)
    g_error("%s: metric %d is not declared", x->plugin->name, metric);
  x->metric_sum[metric] += value, x->metric_count[metric] += 1;
  if (isfinite(value) || x->odd_metric) return;
  x->odd_metric = x->plugin->metrics[metric].name;
  if (x->log)
    fprintf(x->log, "%s: metric %s is %g, here first\n", x->plugin->name, x->odd_metric, value);
}

/* Two tables in one, with an end. */
static const HnColumn *joined(const HnColumn *first, const HnColumn *second) {
  HnColumn *all = g_new0(HnColumn, hn_column_count(first) + hn_column_count(second) + 1);
  guint n = 0;
  for (; first && first->name; first++) all[n++] = *first;
  for (; second && second->name; second++) all[n++] = *second;
  return all;
}

static void hold(HnInstance *x, const HnPluginChoice *inner) {
  x->inner = hn_instance_new(inner, x->pool, x->log);
  x->inner->outer = x;
  for (HnInstance *y = x->inner; y; y = y->inner) y->depth++;
}

HnInstance *hn_instance_new(const HnPluginChoice *part, HnPool *pool, FILE *log) {
  HnInstance *x = g_new0(HnInstance, 1);
  x->plugin = part->plugin, x->params = part->params, x->pool = pool, x->log = log;
  x->creating = true;
  if (part->inner) hold(x, part->inner);
  x->info = joined(x->inner ? x->inner->info : NULL, part->plugin->info);
  x->metric = joined(x->inner ? x->inner->metric : NULL, part->plugin->metrics);
  x->blocks = g_ptr_array_new_with_free_func(hn_zeros_free);
  x->kept = g_ptr_array_new();
  x->self = hn_zeros(part->plugin->self_size);
  x->infos = hn_column_count(x->info);
  x->metrics = hn_column_count(part->plugin->metrics);
  x->metric_sum = g_new0(double, x->metrics + 1);
  x->metric_count = g_new0(double, x->metrics + 1);
  x->host = (HnHost){.struct_size = sizeof x->host,
                     .abi = HN_ABI,
                     .impl = x,
                     .alloc = lend_alloc,
                     .keep = lend_keep,
                     .scratch = lend_scratch,
                     .parallel = lend_parallel,
                     .fail = lend_fail,
                     .log = lend_log,
                     .metric = lend_metric};
  for (const HnInstance *y = x; y; y = y->inner)
    hn_call_name_plugin(y->plugin->kind, y->depth, y->plugin->name);
  return x;
}

static void destroy(const HnInstance *x) {
  const void *methods = x->plugin->methods;
  const HnEnv *e = methods;
  const HnInference *q = methods;
  const HnPolicy *p = methods;
  if (x->plugin->kind == HN_KIND_ENV) {
    if (HN_CAN(e, destroy)) HN_RECORD_CALL_AT(ENV_destroy, x->depth, e->destroy(x->self));
  } else if (x->plugin->kind == HN_KIND_INFERENCE) {
    if (HN_CAN(q, destroy)) HN_RECORD_CALL(INFERENCE_destroy, q->destroy(x->self));
  } else if (HN_CAN(p, destroy)) {
    HN_RECORD_CALL(POLICY_destroy, p->destroy(x->self));
  }
}

void hn_instance_free(HnInstance *x, bool created) {
  if (!x) return;
  if (created) destroy(x);
  if (x->inner) hn_instance_free(x->inner, x->inner->created);
  for (guint i = 0; i < x->kept->len; i++) {
    HnArrayRecord *k = x->kept->pdata[i];
    g_free((char *)(guintptr)k->array.name), g_free(k);
  }
  g_ptr_array_unref(x->kept), g_ptr_array_unref(x->blocks);
  hn_zeros_free(x->self);
  g_free((void *)(guintptr)x->info), g_free((void *)(guintptr)x->metric);
  g_free(x->metric_sum), g_free(x->metric_count), g_free(x);
}

double hn_instance_metric(HnInstance *x, guint metric) {
  const guint held = x->inner ? hn_column_count(x->inner->metric) : 0;
  if (metric < held) return hn_instance_metric(x->inner, metric);
  metric -= held;
  double mean =
      x->metric_count[metric] > 0 ? x->metric_sum[metric] / x->metric_count[metric] : (double)NAN;
  x->metric_sum[metric] = x->metric_count[metric] = 0;
  return mean;
}
