/* SPDX-License-Identifier: MIT */
/* For writers of policies: the parameters behind the colon of "name:parameters". */
#ifndef PAGERD_POLICY_PARAMETERS_H
#define PAGERD_POLICY_PARAMETERS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pagerd/policy.h"

struct policy_parameter {
	const char *name;
	uint64_t min, max;
	uint64_t *value; /* holds the default before, and the result after */
};

/* Instead of min and max: the value is the address, as a number, of a text, which reaches from
 * behind the '=' to a comma or the end. */
#define POLICY_TEXT 1, 0

/* strtoull takes signs, blanks and hexadecimal: what the user typed by mistake would pass. */
static inline int policy_number_parse(const char *text, size_t length, uint64_t *number)
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

static inline const struct policy_parameter *
policy_parameter_find(const struct policy_parameter *accepted, size_t count, const char *name,
		      size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(accepted[i].name) == length &&
		    memcmp(accepted[i].name, name, length) == 0)
			return &accepted[i];
	}
	return NULL;
}

/* One "name=number" of length bytes; seen has a bit for each parameter that was given before. */
static inline int policy_parameter_parse(const struct pagerd_policy_env *env, const char *text,
					 size_t length, const struct policy_parameter *accepted,
					 size_t count, uint64_t *seen)
{
	const char *equals = memchr(text, '=', length);
	size_t name_length = equals ? (size_t)(equals - text) : length;
	const struct policy_parameter *parameter =
		policy_parameter_find(accepted, count, text, name_length);
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
	if (parameter->min > parameter->max) {
		*parameter->value = (uintptr_t)number;
		return 0;
	}
	size_t number_length = (size_t)(text + length - number);
	uint64_t value;
	if (policy_number_parse(number, number_length, &value) || value < parameter->min ||
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

/* Read env->parameters, "name=number,name=number" with decimal numbers, into the values of
 * accepted (count of them, at most 64). 0, or -EINVAL with a sentence in env->why that names what
 * was unknown, given twice or out of range; values may then be half set. */
static inline int policy_parameters_parse(const struct pagerd_policy_env *env,
					  const struct policy_parameter *accepted, size_t count)
{
	const char *text = env->parameters;
	uint64_t seen = 0;
	if (!text || !*text)
		return 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		int error = policy_parameter_parse(env, text, length, accepted, count, &seen);
		if (error || !text[length])
			return error;
		text += length + 1;
	}
}

#endif
