/* SPDX-License-Identifier: MIT */
/* Values of options. */
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool number_take(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;
	errno = 0;
	uint64_t number = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || number < least || number > most)
		return false;
	*value = number;
	return true;
}

int number_read(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	if (number_take(text, least, most, value))
		return 0;
	complain("--%s: '%s' is not a whole number from %llu to %llu", name, text,
		 (unsigned long long)least, (unsigned long long)most);
	return STATUS_USAGE;
}

int small_read(const char *name, const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
	uint64_t number = 0;
	int status = number_read(name, text, least, most, &number);
	if (!status)
		*value = (uint32_t)number;
	return status;
}

/* "64M", "5000" (pages) or "10%". */
static bool size_take(const char *text, struct options_size *size)
{
	static const char units[] = "KMGT";
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	double value = strtod(text, &end);
	const char *unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	if (!(value > 0) || (*end && end[1]) || value > 1e15)
		return false;
	if (unit)
		*size = (struct options_size){SIZE_BYTES,
					      value * (double)(1ull << 10 * (unit - units + 1))};
	else if (*end == '%' && value <= 100)
		*size = (struct options_size){SIZE_PERCENT, value};
	else if (!*end)
		*size = (struct options_size){SIZE_PAGES, value};
	else
		return false;
	return true;
}

int size_read(const char *name, const char *text, struct options_size *size)
{
	if (size_take(text, size))
		return 0;
	complain("--%s: '%s' is no size (pages, bytes with K, M, G or T, or a share with %%), or 0",
		 name, text);
	return STATUS_USAGE;
}

/* A comma begins a new item where a name begins, and not where a parameter does: parameters are
 * "name=value" behind the first, and items have no = before their colon. */
static char *item_end(char *text)
{
	for (char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
		size_t name = strcspn(comma + 1, ":=,+");
		if (comma[1 + name] != '=')
			return comma;
	}
	return NULL;
}

int list_read(const char *name, char *text, struct options_list *list)
{
	while (text) {
		char *end = item_end(text);
		if (list->count == OPTIONS_LIST_MAX || !*text || end == text) {
			complain("--%s: %s", name,
				 list->count == OPTIONS_LIST_MAX ? "too many" : "a name is empty");
			return STATUS_USAGE;
		}
		list->item[list->count++] = text;
		if (end)
			*end++ = 0;
		text = end;
	}
	return 0;
}

int sizes_read(const char *name, char *text, struct options_sizes *sizes)
{
	struct options_list list = {0};
	int status = list_read(name, text, &list);
	for (size_t i = 0; !status && i < list.count; i++)
		status = size_read(name, list.item[i], &sizes->item[sizes->count++]);
	return status;
}

int choice_read(const char *name, const char *text, const char *const *choices, const char **value)
{
	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(choices[i], text))
			continue;
		*value = choices[i];
		return 0;
	}
	complain("--%s: there is no '%s'", name, text);
	return STATUS_USAGE;
}

int percent_read(const char *name, const char *text, double *value)
{
	char *end;
	double number = strtod(text, &end);
	if (*text >= '0' && *text <= '9' && !*end && number <= 100) {
		*value = number;
		return 0;
	}
	complain("--%s: '%s' is not a number from 0 to 100", name, text);
	return STATUS_USAGE;
}

int text_read(const char *name, const char *text, const char **value)
{
	*value = text;
	if (*text)
		return 0;
	complain("--%s: its value is empty", name);
	return STATUS_USAGE;
}
