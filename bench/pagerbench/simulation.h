/* SPDX-License-Identifier: MIT */
/* A plan in the simulator (bench/sim), with the policy objects that the daemon runs. */
#ifndef PAGERBENCH_SIMULATION_H
#define PAGERBENCH_SIMULATION_H

#include <stdint.h>

#include "../sim/run.h"
#include "plan.h"

/* Trace of a plan: its threads take turns. 0, or -errno with why. */
int simulation_trace(struct references *trace, const struct plan *plan, struct why *why);

/* What the simulator is to show its policies, for a daemon with this --access: "faults", or
 * "harvest" or "harvest:N". NULL: what a daemon sees by default. False if there is none such. */
bool simulation_visibility(const char *access, enum visibility *visibility, uint32_t *frames);

#endif
