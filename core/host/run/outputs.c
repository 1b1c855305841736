/* outputs.c - see outputs.h. */
#include "outputs.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Bits of a float32: those of the exponent, all of which are set in infinity and NaN, and all but
 * the sign, which tell infinity from NaN. */
enum { EXPONENT = 0x7f800000, MAGNITUDE = 0x7fffffff };

/* Index of the first x whose bits under `mask` are those of infinity, or -1.  All are looked at
 * first, without a branch, which is done in vectors. */
static int64_t find_infinity(const float *x, int64_t n, uint32_t mask) {
  uint32_t bits, found = 0;
  for (int64_t k = 0; k < n; k++) {
    memcpy(&bits, &x[k], sizeof bits);
    found |= (bits & mask) == EXPONENT;
  }
  for (int64_t k = 0; found; k++) {
    memcpy(&bits, &x[k], sizeof bits);
    if ((bits & mask) == EXPONENT) return k;
  }
  return -1;
}

static const char *word_of(float x) {
  return isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
}

/* "env rets, step: WHAT of row 3 is VALUE at step 17 of its trial". */
static HnStatus wrong(const HnOutputs *o, int64_t i, const char *what, const char *value) {
  const int64_t row = o->first + (o->batch ? i % o->batch : i);
  g_autofree char *at = NULL;
  if (o->batch)
    at = g_strdup_printf(" at time %" PRId64 " of its window", i / o->batch);
  else if (o->step)
    at = g_strdup_printf(" at step %" PRId64 " of its trial", o->step[i] + o->taken);
  g_snprintf(hn_fail_text(), HN_FAIL_TEXT, "%s %s, %s: %s of row %" PRId64 " is %s%s",
             hn_kind_name(o->of->plugin->kind), o->of->plugin->name, o->call, what, row, value,
             at ? at : "");
  return HN_E_NUMERIC;
}

HnStatus hn_outputs_finite(const HnOutputs *o, const char *what, const float *x, int64_t width) {
  const int64_t k = find_infinity(x, o->rows * width, EXPONENT);
  if (k < 0) return HN_OK;
  g_autofree char *number = g_strdup_printf("%s %" PRId64, what, k % width);
  return wrong(o, k / width, width > 1 ? number : what, word_of(x[k]));
}

HnStatus hn_outputs_info(const HnOutputs *o, const float *x) {
  const int64_t infos = o->of->infos, k = find_infinity(x, o->rows * infos, MAGNITUDE);
  if (k < 0) return HN_OK;
  g_autofree char *column = g_strconcat("info ", o->of->info[k % infos].name, NULL);
  HnOutputs declares = *o; /* the column: what a wrapper holds, perhaps */
  while (declares.of->inner && k % infos < declares.of->inner->infos)
    declares.of = declares.of->inner;
  return wrong(&declares, k / infos, column, word_of(x[k]));
}

HnStatus hn_outputs_flag(const HnOutputs *o, const char *what, const uint8_t *x) {
  for (int64_t i = 0; i < o->rows; i++) {
    if (x[i] <= 1) continue;
    g_autofree char *value = g_strdup_printf("%d, not 0 or 1,", x[i]);
    return wrong(o, i, what, value);
  }
  return HN_OK;
}

HnStatus hn_outputs_index(const HnOutputs *o, const char *what, const int32_t *x, int64_t count) {
  for (int64_t i = 0; i < o->rows; i++) {
    if (x[i] >= 0 && x[i] < count) continue;
    g_autofree char *value = g_strdup_printf("%" PRId32 ", not 0 .. %" PRId64 ",", x[i], count - 1);
    return wrong(o, i, what, value);
  }
  return HN_OK;
}

HnStatus hn_outputs_task(const HnOutputs *o, int64_t k, int64_t asked, int64_t count) {
  if (k >= -1 && (k < count || !count) && (k == asked || asked < 0)) return HN_OK;
  g_autofree char *value =
      asked < 0 ? g_strdup_printf("%" PRId64 ", not -1 .. %" PRId64 ",", k, count - 1)
                : g_strdup_printf("%" PRId64 ", not %" PRId64 " as asked,", k, asked);
  return wrong(o, 0, "task_index", value);
}
