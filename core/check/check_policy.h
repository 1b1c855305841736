/* check_policy.h - the laws of policies (hunch/policy.h). */
#ifndef HN_CHECK_POLICY_H
#define HN_CHECK_POLICY_H
#include "check.h"

extern const HnLaw hn_check_policy_laws[];
#endif
