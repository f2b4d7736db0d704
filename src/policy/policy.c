/* SPDX-License-Identifier: MIT */
/* The policies that are linked in or were loaded. */
#include <errno.h>
#include <string.h>

#include "policy/policies.h"

#define POLICIES_MAX 63 /* those linked in, and room for loaded ones */

/* Not in struct pager: which code there is, is the same for the whole process. */
const struct pagerd_policy_ops *pagerd_policies[POLICIES_MAX + 1] = {
	&pagerd_policy_fifo,   &pagerd_policy_random,	 &pagerd_policy_lru,
	&pagerd_policy_mru,    &pagerd_policy_clock,	 &pagerd_policy_lfu,
	&pagerd_policy_2q,     &pagerd_policy_arc,	 &pagerd_policy_car,
	&pagerd_policy_lirs,   &pagerd_policy_clock_pro, &pagerd_policy_sieve,
	&pagerd_policy_s3fifo, &pagerd_policy_w_tinylfu, &pagerd_policy_auto,
	&pagerd_policy_min,
};

const struct pagerd_policy_ops *pagerd_policy_find(const char *spec, const char **parameters)
{
	size_t length = strcspn(spec, ":");
	for (size_t i = 0; pagerd_policies[i]; i++) {
		const char *name = pagerd_policies[i]->name;
		if (strlen(name) != length || memcmp(name, spec, length) != 0)
			continue;
		*parameters = spec[length] ? spec + length + 1 : NULL;
		return pagerd_policies[i];
	}
	return NULL;
}

int policy_register(const struct pagerd_policy_ops *ops)
{
	const char *parameters;
	size_t count = 0;
	if (pagerd_policy_find(ops->name, &parameters))
		return -EEXIST;
	while (pagerd_policies[count])
		count++;
	if (count == POLICIES_MAX)
		return -ENOSPC;
	pagerd_policies[count] = ops;
	return 0;
}
