/* faulty.h - plugins with a fault to choose: each breaks a law of core/check on purpose. */
#ifndef HN_FAULTY_H
#define HN_FAULTY_H
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

/* The faults are the choices of parameter `fault`; "none" keeps every law. */
extern const HnPlugin faulty_column_LTX_hn_plugin, faulty_env_LTX_hn_plugin,
    faulty_inference_LTX_hn_plugin, faulty_policy_LTX_hn_plugin;
#endif
