/* unusual.h - correct plugins of shapes that laws could take for faults. */
#ifndef HN_UNUSUAL_H
#define HN_UNUSUAL_H
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

extern const HnPlugin unusual_supervised_LTX_hn_plugin, /* answers with noise, and a query */
    unusual_bare_LTX_hn_plugin,                         /* no row memory, no observation, no task */
    unusual_one_action_LTX_hn_plugin,                   /* discrete, with one action */
    unusual_cache_LTX_hn_plugin,                        /* HN_ROW_CACHE */
    unusual_recurrent_LTX_hn_plugin,                    /* trained through time */
    unusual_empty_LTX_hn_plugin,                        /* a belief of no numbers */
    unusual_privileged_LTX_hn_plugin,                   /* the true task as belief */
    unusual_stochastic_LTX_hn_plugin,                   /* HN_STOCHASTIC, HN_IGNORES_BELIEF */
    unusual_adapter_LTX_hn_plugin;                      /* two phases */
#endif
