/* feed.h - a study's folder as a stream of server-sent events: all of it once, then what changes.
 * One feed serves any number of watchers.
 *
 *   event: study     name, metric, how it is called, its unit, arms with their slots (colours.h);
 *                    and as a change, of all cells
 *   event: change    how many cells are in which state, the time left, whether there is a report;
 *                    cells, each with its index (arm-major), what `hunch status --json` says of it,
 *                    and the points of its curve from the index `from` on
 *
 * The data of an event is a JSON object.  Source: WHATWG, HTML, section 9.2, server-sent events. */
#ifndef HN_FEED_H
#define HN_FEED_H
#include "live.h"

typedef struct HnFeed HnFeed;

/* Looks at the folder once.  NULL as hn_results_read_plan. */
HnFeed *hn_feed_new(const char *dir, GError **error);
void hn_feed_free(HnFeed *f);
/* Looks again.  An event of what has changed; NULL: nothing has.  A study whose plan has changed is
 * told whole.  g_bytes_unref. */
GBytes *hn_feed_look(HnFeed *f);
/* The event of all that the last look found; g_bytes_unref. */
GBytes *hn_feed_state(HnFeed *f);
/* Its cells, until the next look. */
const HnLive *hn_feed_live(const HnFeed *f);
#endif
