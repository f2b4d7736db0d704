/* SPDX-License-Identifier: MIT */
/* The policies that a comparison is of. */
#include "policies.h"

#include <stdlib.h>

#include "pagerd/policy.h"

#define CAPACITY 1024u /* of an instance that is made to see whether it can be */

static int policy_try(const struct pagerd_policy_ops *ops, const char *parameters, const char *name)
{
	char why[200] = "";
	struct pagerd_policy *policy = NULL;
	struct pagerd_policy_env env = {
		.frame_limit = CAPACITY,
		.capacity_pages = CAPACITY,
		.frame_bytes = calloc(CAPACITY, ops->frame_bytes + 1),
		.parameters = parameters,
		.why = why,
		.why_bytes = sizeof why,
	};
	int error = env.frame_bytes ? ops->create(&policy, &env) : 0;
	if (!error && policy)
		ops->destroy(policy);
	free(env.frame_bytes);
	if (!error)
		return 0;
	complain("policy %s: %s", name, why);
	return STATUS_USAGE;
}

int policies_check(const struct options_list *policies)
{
	int status = 0;
	for (size_t i = 0; !status && i < policies->count; i++) {
		const char *parameters, *name = policies->item[i];
		const struct pagerd_policy_ops *ops = pagerd_policy_find(name, &parameters);
		if (!ops)
			complain("there is no policy '%s'", name);
		status = ops ? policy_try(ops, parameters, name) : STATUS_USAGE;
	}
	return status;
}
