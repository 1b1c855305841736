/* toy.h - small plugins of the run loop's tests, each made to show one promise of the host. */
#ifndef HN_TOY_H
#define HN_TOY_H
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

/* A walk with a hidden drift; episodes end early at chance; tasks are numbered in split "test". */
extern const HnPlugin toy_env_LTX_hn_plugin;
/* Row memory depends on weights, which learn changes: asks for refresh.  Keeps a replay. */
extern const HnPlugin toy_filter_LTX_hn_plugin;
/* Leaky integrators trained through the policy; belief = memory. */
extern const HnPlugin toy_memory_LTX_hn_plugin;
/* Sees the true task and checks that others do not. */
extern const HnPlugin toy_oracle_LTX_hn_plugin;
/* Linear Gaussian policy that learns by reinforcement, through the belief where it can. */
extern const HnPlugin toy_policy_LTX_hn_plugin;
/* Two phases, adapting row memory in between. */
extern const HnPlugin toy_adapter_LTX_hn_plugin;
#endif
