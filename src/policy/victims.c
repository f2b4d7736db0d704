/* SPDX-License-Identifier: MIT */
/* Victims, checked. */
#include "policy/victims.h"

#include <stdio.h>

uint32_t victims_ask(const struct victims *victims, uint32_t *frames, uint32_t count, char *why,
		     size_t why_bytes)
{
	uint32_t given = victims->ops->victims(victims->policy, frames, count);
	return victims_judge(victims, frames, count, given, why, why_bytes);
}

uint32_t victims_judge(const struct victims *victims, const uint32_t *frames, uint32_t count,
		       uint32_t given, char *why, size_t why_bytes)
{
	why[0] = 0;
	if (given > count) {
		snprintf(why, why_bytes, "it gave %u victims, asked for %u", given, count);
		return 0;
	}
	for (uint32_t i = 0; i < given; i++) {
		if (frames[i] >= victims->frame_limit) {
			snprintf(why, why_bytes, "it gave frame %u as a victim, of %u frames",
				 frames[i], victims->frame_limit);
			return i;
		}
		if (!victims->take(victims->context, frames[i])) {
			snprintf(why, why_bytes,
				 "it gave frame %u as a victim, which it does not hold", frames[i]);
			return i;
		}
	}
	return given;
}
