/* check.c - see check.h. */
#include "check.h"
#include "apart.h"
#include "check_env.h"
#include "check_inference.h"
#include "check_policy.h"
#include "pool.h"
#include <string.h>

const HnLaw *hn_check_laws(HnKind kind) {
  return kind == HN_KIND_ENV         ? hn_check_env_laws
         : kind == HN_KIND_INFERENCE ? hn_check_inference_laws
                                     : hn_check_policy_laws;
}

bool hn_check_is_common(const HnLaw *law) {
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    const HnLaw *other = hn_check_laws(kind);
    while (other->name && strcmp(other->promise, law->promise) != 0) other++;
    if (!other->name) return false;
  }
  return true;
}

typedef struct Case {
  const HnLaw *law;
  const HnCell *cell;
} Case;

/* In the fork: the verdict's byte, then why. */
static void judge(void *arg, GByteArray *out) {
  const Case *c = arg;
  g_autoptr(GString) why = g_string_new(NULL);
  HnArena arena = {.chunks = 0}, *before = hn_arena_enter(&arena);
  const uint8_t verdict = (uint8_t)c->law->judge(c->cell, why);
  hn_arena_enter(before);
  hn_arena_clear(&arena);
  g_byte_array_append(out, &verdict, 1);
  g_byte_array_append(out, (const guint8 *)why->str, (guint)why->len);
}

HnVerdict hn_check_judge(const HnLaw *law, const HnCell *cell, GString *why) {
  Case c = {law, cell};
  g_autoptr(GBytes) told = hn_apart_bytes(cell, judge, &c, why);
  gsize length = 0;
  const char *text = told ? g_bytes_get_data(told, &length) : NULL;
  if (!length) return HN_LAW_BROKEN;
  g_string_append_len(why, text + 1, (gssize)length - 1);
  return (HnVerdict)text[0];
}

HnVerdict hn_check_both(HnVerdict a, HnVerdict b) {
  if (a == HN_LAW_BROKEN || b == HN_LAW_BROKEN) return HN_LAW_BROKEN;
  return a == HN_LAW_KEPT || b == HN_LAW_KEPT ? HN_LAW_KEPT : HN_LAW_SKIPPED;
}

const char *hn_verdict_name(HnVerdict verdict) {
  static const char *const names[] = {"kept", "broken", "skipped"};
  return names[verdict];
}
