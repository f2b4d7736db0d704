/* SPDX-License-Identifier: MIT */
/* The policies that are linked in, and the parameters in their names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_util.h"

const struct pagerd_policy_ops *const pagerd_policies[] = {
	&pagerd_policy_fifo,
	&pagerd_policy_lru,
	&pagerd_policy_lfu,
	NULL,
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

void policy_bug(uint32_t frame, const char *broken)
{
	fprintf(stderr, "pagerd: policy: frame %u: broken invariant: %s\n", frame, broken);
	abort();
}

/* strtoull takes signs, blanks and hexadecimal: what the user typed by mistake would pass. */
static int number_parse(const char *text, size_t length, uint64_t *number)
{
	uint64_t value = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -EINVAL;
	}
	if (!length)
		return -EINVAL;
	*number = value;
	return 0;
}

static const struct policy_parameter *parameter_find(const struct policy_parameter *accepted,
						     size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(accepted[i].name) == length &&
		    memcmp(accepted[i].name, name, length) == 0)
			return &accepted[i];
	}
	return NULL;
}

/* One "name=number" of length bytes; seen has a bit for each parameter that was given before. */
static int parameter_parse(const struct pagerd_policy_env *env, const char *text, size_t length,
			   const struct policy_parameter *accepted, size_t count, uint64_t *seen)
{
	const char *equals = memchr(text, '=', length);
	size_t name_length = equals ? (size_t)(equals - text) : length;
	const struct policy_parameter *parameter =
		parameter_find(accepted, count, text, name_length);
	if (!parameter) {
		snprintf(env->why, env->why_bytes, "there is no parameter '%.*s'", (int)name_length,
			 text);
		return -EINVAL;
	}
	uint64_t bit = 1ull << (parameter - accepted);
	if (*seen & bit) {
		snprintf(env->why, env->why_bytes, "parameter '%s' is given twice",
			 parameter->name);
		return -EINVAL;
	}
	*seen |= bit;
	const char *number = equals ? equals + 1 : text + length;
	size_t number_length = (size_t)(text + length - number);
	uint64_t value;
	if (number_parse(number, number_length, &value) || value < parameter->min ||
	    value > parameter->max) {
		snprintf(env->why, env->why_bytes,
			 "parameter '%s' is '%.*s', not a number from %llu to %llu",
			 parameter->name, (int)number_length, number,
			 (unsigned long long)parameter->min, (unsigned long long)parameter->max);
		return -EINVAL;
	}
	*parameter->value = value;
	return 0;
}

int policy_parameters_parse(const struct pagerd_policy_env *env,
			    const struct policy_parameter *accepted, size_t count)
{
	const char *text = env->parameters;
	uint64_t seen = 0;
	if (!text || !*text)
		return 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		int error = parameter_parse(env, text, length, accepted, count, &seen);
		if (error || !text[length])
			return error;
		text += length + 1;
	}
}
