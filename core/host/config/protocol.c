/* protocol.c - see protocol.h. */
#include "protocol.h"
#include "cell.h"
#include "short_text.h"
#include <inttypes.h>

#define ROW(id, name, flags, episodes, doc) {name, flags, episodes, doc},
const HnProtocolRow hn_protocol_rows[HN_PROTOCOL_COUNT + 1] = {HN_PROTOCOLS(ROW)};

HnProtocol hn_protocol_of(const HnCell *cell) {
  const HnEvaluationParams *p = &cell->evaluation;
  int64_t preset = hn_protocol_rows[p->protocol].episodes;
  HnProtocol x = {.flags = hn_protocol_rows[p->protocol].flags};
  x.episodes = p->episodes ? p->episodes : preset ? preset : cell->run.episodes;
  if (x.flags & HN_AS_IN_TRAINING) {
    x.trial_steps = p->episodes ? 0 : p->trial_steps ? p->trial_steps : cell->run.trial_steps;
    if (x.trial_steps) x.episodes = 1;
    x.greedy = p->greedy;
  }
  if (x.flags & HN_ADAPTS) x.adapt = p->adapt_episodes, x.greedy = true;
  x.row_episodes = x.adapt + x.episodes;
  if (cell->policy.plugin->flags & HN_STOCHASTIC) x.greedy = false;
  if (x.flags & HN_SHARES_COUNT) {
    /* by then each of the goals has ended so many episodes that together they have enough */
    x.parallel = p->parallel;
    x.row_episodes = x.adapt + (x.episodes + x.parallel - 1) / x.parallel;
  }
  return x;
}

char *hn_protocol_text(const HnCell *cell) {
  const HnProtocol p = hn_protocol_of(cell);
  const char *name = hn_protocol_rows[cell->evaluation.protocol].name,
             *how = p.greedy ? "mode" : "draws";
  int64_t adapt = p.adapt, counted = p.episodes;
  if (p.flags & HN_SHARES_COUNT)
    return g_strdup_printf(
        "%s: %" PRId64 " adaptation episode%s, the first %" PRId64 " of %" PRId64 " goal%s to end",
        name, adapt, hn_plural(adapt), counted, p.parallel, hn_plural(p.parallel));
  if (p.flags & HN_ADAPTS)
    return g_strdup_printf("%s: %" PRId64 " adaptation and %" PRId64
                           " counted episode%s, success at any step",
                           name, adapt, counted, hn_plural(counted));
  const char *success = p.flags & HN_COUNTS_SUCCESS ? ", success at any step" : "";
  if (!(p.flags & HN_AS_IN_TRAINING)) /* always sampled: evaluation.greedy does not apply */
    return g_strdup_printf("%s: %" PRId64 " sampled episode%s%s", name, counted, hn_plural(counted),
                           success);
  const int64_t length = p.trial_steps ? p.trial_steps : counted;
  return g_strdup_printf("%s: %" PRId64 " %s%s of the policy's %s%s", name, length,
                         p.trial_steps ? "step" : "episode", hn_plural(length), how, success);
}
