/* SPDX-License-Identifier: MIT */
/* Messages to standard error. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool log_verbose;

static void line(const char *format, va_list arguments)
{
	char text[512];
	vsnprintf(text, sizeof text, format, arguments);
	fprintf(stderr, "pagerd: %s\n", text); /* one write, so that lines stay whole */
}

void log_debug(const char *format, ...)
{
	va_list arguments;
	if (!log_verbose)
		return;
	va_start(arguments, format);
	line(format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line(format, arguments);
	va_end(arguments);
}

void log_warn(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line(format, arguments);
	va_end(arguments);
}

void fatal(int status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line(format, arguments);
	va_end(arguments);
	exit(status);
}
