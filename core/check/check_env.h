/* check_env.h - the laws of environments (hunch/env.h). */
#ifndef HN_CHECK_ENV_H
#define HN_CHECK_ENV_H
#include "check.h"

extern const HnLaw hn_check_env_laws[];
#endif
