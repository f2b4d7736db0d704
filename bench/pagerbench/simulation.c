/* SPDX-License-Identifier: MIT */
/* A plan in the simulator. */
#include "simulation.h"

#include <stdlib.h>
#include <string.h>

#define HARVEST_FRAMES 1u /* looked at for each eviction, as the daemon does where nobody says */

int simulation_trace(struct references *trace, const struct plan *plan, struct why *why)
{
	struct plan_cursor cursor = {0};
	struct reference reference;
	uint32_t thread;
	int error = references_init(trace, false, why);
	if (error)
		return error;
	while (!error && plan_next(plan, &cursor, &reference, &thread))
		error = references_add(trace, reference.page, reference.write, why);
	if (!error)
		error = references_end(trace, why);
	if (error)
		references_finish(trace);
	return error;
}

bool simulation_visibility(const char *access, enum visibility *visibility, uint32_t *frames)
{
	*visibility = VISIBILITY_FAULTS;
	*frames = 0;
	if (!access || !strcmp(access, "faults"))
		return true;
	if (strncmp(access, "harvest", 7))
		return false;
	*visibility = VISIBILITY_HARVEST;
	*frames = HARVEST_FRAMES;
	if (!access[7])
		return true;
	char *end;
	unsigned long number = strtoul(access + 8, &end, 10);
	*frames = (uint32_t)number;
	return access[7] == ':' && access[8] >= '1' && access[8] <= '9' && !*end &&
	       number <= UINT32_MAX;
}
