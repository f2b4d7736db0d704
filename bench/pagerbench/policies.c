/* SPDX-License-Identifier: MIT */
/* The policies that a comparison is of. */
#include "policies.h"

#include <string.h>

#include "../sim/run.h"

bool policies_know_future(const char *name)
{
	return !strncmp(name, "min", 3) && (!name[3] || name[3] == ':');
}

static int policy_check(const char *name)
{
	struct why why;
	struct run_config config = {.spec = name, .visibility = VISIBILITY_EXACT};
	config.ops = pagerd_policy_find(name, &config.parameters);
	if (!config.ops) {
		complain("there is no policy '%s'", name);
		return STATUS_USAGE;
	}
	if (!run_check(&config, &why))
		return 0;
	complain("policy %s", why.text);
	return STATUS_USAGE;
}

int policies_check(const struct options_list *policies, bool live)
{
	int status = 0;
	for (size_t i = 0; !status && i < policies->count; i++) {
		status = policy_check(policies->item[i]);
		if (!status && live && policies_know_future(policies->item[i])) {
			complain("policy %s knows the future: only the simulator can run it",
				 policies->item[i]);
			status = STATUS_USAGE;
		}
	}
	return status;
}
