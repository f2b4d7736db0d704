/* SPDX-License-Identifier: MIT */
/* Lists in options. */
#include "list.h"

#include <string.h>

#include "lines.h"

#define MILLIONTHS_OF_PERCENT 10000u
#define DECIMALS	      4u

/* Cut text at the comma and go behind it; at the last item's end, to NULL. */
static char *cut(char **text, char *comma)
{
	char *item = *text;
	*text = comma ? comma + 1 : NULL;
	if (comma)
		*comma = 0;
	return item;
}

char *list_next(char **text)
{
	return *text ? cut(text, strchr(*text, ',')) : NULL;
}

/* Is the item that begins here name=value, and not name or name:name=value? */
static bool is_parameter(const char *item)
{
	return item[strcspn(item, ",:=")] == '=';
}

char *list_next_policy(char **text)
{
	if (!*text)
		return NULL;
	char *comma = strchr(*text, ',');
	while (comma && is_parameter(comma + 1))
		comma = strchr(comma + 1, ',');
	return cut(text, comma);
}

/* "12.5" in millionths of the whole that 100 is. */
static bool percentage_parse(const char *text, size_t length, uint64_t *millionth)
{
	const char *point = memchr(text, '.', length);
	size_t whole_length = point ? (size_t)(point - text) : length;
	size_t decimals = point ? length - whole_length - 1 : 0;
	uint64_t whole, part = 0;
	if (!number_parse(text, whole_length, 10, &whole) || whole > UINT32_MAX ||
	    decimals > DECIMALS || (point && !number_parse(point + 1, decimals, 10, &part)))
		return false;
	for (; decimals < DECIMALS; decimals++)
		part *= 10;
	*millionth = whole * MILLIONTHS_OF_PERCENT + part;
	return *millionth > 0;
}

bool size_parse(const char *text, struct size *size)
{
	size_t length = strlen(text);
	size->text = text;
	if (length && text[length - 1] == '%')
		return percentage_parse(text, length - 1, &size->millionth);
	return number_parse(text, length, 10, &size->pages) && size->pages > 0;
}
