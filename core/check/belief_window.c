/* belief_window.c - see belief_window.h. */
#include "belief_window.h"
#include <string.h>

bool hn_belief_collect(HnSession *s, GString *why) {
  HnStatus status = hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases);
  if (status) g_string_append_printf(why, "collecting: %s", hn_fail_text());
  return !status;
}

HnSession *hn_belief_session(const HnCell *cell, HnVerdict *verdict, GString *why) {
  HnSession *s = hn_check_session(cell, verdict, why);
  if (!s) return NULL;
  *verdict = HN_LAW_BROKEN;
  if (hn_check_update(s, why) && hn_belief_collect(s, why)) return s;
  hn_session_free(s);
  return NULL;
}

bool hn_beliefs_infer(HnSession *s, int64_t samples, HnBeliefs *out, GString *why) {
  const HnExperience *w = &s->phase[0];
  const gsize B = (gsize)w->h.rows, n = (gsize)(w->h.steps + 1) * B;
  const gsize numbers = n * (gsize)(MAX(samples, 1) * s->bs.belief_dim);
  HnHistory h = hn_experience_view(w, s->inference, 0, 0, w->h.steps, w->h.rows);
  char *state = g_aligned_alloc0(1, B * s->bs.row_size + 1, 64);
  g_autofree HnRng *rng = g_memdup2(s->rollouts.belief_rng, B * sizeof(HnRng));
  if (s->bs.row_size) memcpy(state, h.state, B * s->bs.row_size);
  out->samples = samples;
  out->belief = g_new(float, numbers + 1);
  out->info = g_new(float, n * s->inference->infos + 1);
  memset(out->belief, 0xff, numbers * sizeof(float)); /* NaN where not written */
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = samples,
                      .rng = rng,
                      .belief = out->belief,
                      .info = out->info};
  HnStatus status;
  HN_CALL(status, INFERENCE_infer, HN_INFERENCE(s)->infer(s->inference->self, &q));
  g_aligned_free(state);
  if (status) g_string_append_printf(why, "infer: %s", hn_fail_text());
  return !status;
}

void hn_beliefs_free(HnBeliefs *b) {
  g_clear_pointer(&b->belief, g_free);
  g_clear_pointer(&b->info, g_free);
}

bool hn_beliefs_same(const HnSession *s, const HnBeliefs *a, const HnBeliefs *b, int64_t i,
                     int64_t last, GString *why) {
  const int64_t D = s->bs.belief_dim, B = s->rollouts.rows;
  for (int64_t t = 0; t <= last; t++)
    for (int64_t k = 0; k < D; k++) {
      const int64_t at = (t * B + i) * D + k;
      if (!memcmp(a->belief + at, b->belief + at, sizeof *a->belief)) continue;
      g_string_append_printf(why, "infer: belief[%d] of row %d at time step %d depends on ", (int)k,
                             (int)i, (int)t);
      return false;
    }
  return true;
}
