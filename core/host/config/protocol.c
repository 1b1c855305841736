/* protocol.c - see protocol.h. */
#include "protocol.h"

enum { EPISODES = 3, ROLLOUTS = 10 }; /* that count, where the configuration does not say */

HnProtocol hn_protocol_of(const HnCell *cell) {
  const HnEvaluationParams *p = &cell->evaluation;
  HnProtocol x = {.kind = (HnProtocolKind)p->protocol, .episodes = p->episodes};
  bool adapts = x.kind == HN_PROTOCOL_METAWORLD || x.kind == HN_PROTOCOL_UPSTREAM_BIASED;
  if (!x.episodes)
    x.episodes = adapts ? EPISODES : x.kind == HN_PROTOCOL_SDVT ? ROLLOUTS : cell->run.episodes;
  if (x.kind == HN_PROTOCOL_TRIAL) {
    x.steps = p->episodes ? 0 : p->trial_steps ? p->trial_steps : cell->run.trial_steps;
    if (x.steps) x.episodes = 1;
  }
  x.greedy = adapts || (x.kind == HN_PROTOCOL_TRIAL && p->greedy);
  x.restore = adapts;
  x.adapt = adapts ? p->adapt_episodes : 0;
  x.life = x.adapt + x.episodes;
  if (x.kind == HN_PROTOCOL_UPSTREAM_BIASED) {
    /* by then each of the goals has ended so many episodes that together they have enough */
    x.parallel = p->parallel;
    x.life = x.adapt + (x.episodes + x.parallel - 1) / x.parallel;
  }
  return x;
}

char *hn_protocol_text(const HnCell *cell) {
  const HnProtocol p = hn_protocol_of(cell);
  long long adapt = (long long)p.adapt, counted = (long long)p.episodes;
  switch (p.kind) {
  case HN_PROTOCOL_METAWORLD:
    return g_strdup_printf(
        "metaworld: %lld adaptation and %lld counted episodes, success at any step", adapt,
        counted);
  case HN_PROTOCOL_SDVT:
    return g_strdup_printf("sdvt: %lld sampled episodes, success at any step", counted);
  case HN_PROTOCOL_UPSTREAM_BIASED:
    return g_strdup_printf(
        "upstream_biased: %lld adaptation episodes, the first %lld of %lld goals to end", adapt,
        counted, (long long)p.parallel);
  default:
    if (p.steps)
      return g_strdup_printf("trial: %lld steps of the policy's %s", (long long)p.steps,
                             p.greedy ? "mode" : "draws");
    return g_strdup_printf("trial: %lld episodes of the policy's %s", counted,
                           p.greedy ? "mode" : "draws");
  }
}
