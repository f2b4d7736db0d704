/* SPDX-License-Identifier: MIT */
/*
 * What a policy may give as victims.
 *
 * Victims are indices, and the user's own policies (load.c) have bugs of their own: whoever asks
 * checks what comes before anything is done with it.
 */
#ifndef PAGERD_POLICY_VICTIMS_H
#define PAGERD_POLICY_VICTIMS_H

#include "pagerd/policy.h"

struct victims {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	uint32_t frame_limit;
	/* Whether the policy holds the frame, whose number is below the limit; from then on, it is
	 * isolated. */
	bool (*take)(void *context, uint32_t frame);
	void *context;
};

/* Ask for up to count of them. Returns how many are right, and were taken: those before the first
 * that is not. What is wrong then goes into why (at most why_bytes with the zero), which is empty
 * else. */
uint32_t victims_ask(const struct victims *victims, uint32_t *frames, uint32_t count, char *why,
		     size_t why_bytes);
/* The same of so many that were given already. */
uint32_t victims_judge(const struct victims *victims, const uint32_t *frames, uint32_t count,
		       uint32_t given, char *why, size_t why_bytes);

#endif
