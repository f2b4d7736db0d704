/* SPDX-License-Identifier: MIT */
/* The policies that auto chooses among. */
#include "policy/candidate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/policies.h"

__attribute__((format(printf, 2, 3))) static int refuse(const struct pagerd_policy_env *env,
							const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(env->why, env->why_bytes, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int candidate_parse(struct candidate *candidate, const char *text, size_t length,
			   const struct pagerd_policy_env *env)
{
	if (length >= sizeof candidate->name)
		return refuse(env, "candidate '%.*s' is too long", (int)length, text);
	memcpy(candidate->name, text, length);
	candidate->name[length] = 0;
	candidate->ops = pagerd_policy_find(candidate->name, &candidate->parameters);
	if (!candidate->ops)
		return refuse(env, "there is no policy '%s' to choose", candidate->name);
	if (candidate->ops->current)
		return refuse(env, "'%s' itself chooses", candidate->name);
	return 0;
}

int candidates_parse(struct candidates *candidates, const char *text,
		     const struct pagerd_policy_env *env)
{
	candidates->count = 0;
	for (;;) {
		size_t length = strcspn(text, "+,");
		if (candidates->count == CANDIDATES_MOST)
			return refuse(env, "more than %u candidates", CANDIDATES_MOST);
		struct candidate *candidate = &candidates->list[candidates->count++];
		int error = candidate_parse(candidate, text, length, env);
		if (error || text[length] != '+')
			return error;
		text += length + 1;
	}
}
