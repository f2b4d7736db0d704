/* SPDX-License-Identifier: MIT */
/* Sizes as people type them. */
#include "size.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

int size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	uint64_t value = 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	if (*text) {
		const char *unit = strchr(units, *text >= 'a' ? *text - 'a' + 'A' : *text);
		if (!unit || (text[1] && strcmp(text + 1, "iB") != 0 && strcmp(text + 1, "B") != 0))
			return -EINVAL;
		if (__builtin_mul_overflow(value, 1ull << (10 * (unit - units + 1)), &value))
			return -ERANGE;
	}
	*bytes = value;
	return 0;
}
