/* check.c - see check.h. */
#include "check.h"
#include "check_env.h"
#include "check_inference.h"
#include "check_policy.h"
#include "pool.h"

const HnLaw *hn_check_laws(HnKind kind) {
  return kind == HN_KIND_ENV         ? hn_check_env_laws
         : kind == HN_KIND_INFERENCE ? hn_check_inference_laws
                                     : hn_check_policy_laws;
}

HnVerdict hn_check_judge(const HnLaw *law, const HnCell *cell, GString *why) {
  HnArena arena = {.chunks = 0}, *before = hn_arena_enter(&arena);
  HnVerdict verdict = law->judge(cell, why);
  hn_arena_enter(before);
  hn_arena_clear(&arena);
  return verdict;
}
