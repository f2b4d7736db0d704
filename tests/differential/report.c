/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report(struct report *r, const char *format, ...)
{
	size_t room = sizeof(r->text) - r->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(r->text + r->length, room, format, arguments);
	va_end(arguments);
	r->length += (size_t)length < room ? (size_t)length : room - 1;
}

void report_result(struct report *r, long result)
{
	if (result == -1)
		report(r, "= %s", strerrorname_np(errno));
	else
		report(r, "= %ld", result);
}

void report_bits(struct report *r, int64_t value, const struct name *names, size_t count)
{
	const char *separator = "";

	for (size_t i = 0; i < count; i++) {
		if (names[i].value ? (value & names[i].value) != names[i].value : value != 0)
			continue;
		report(r, "%s%s", separator, names[i].name);
		separator = "|";
		value &= ~names[i].value;
	}
	if (value)
		report(r, "%s%#llx", separator, (unsigned long long)value);
}
