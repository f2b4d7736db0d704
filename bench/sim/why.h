/* SPDX-License-Identifier: MIT */
/* What went wrong, as the user is going to read it. */
#ifndef PAGERSIM_WHY_H
#define PAGERSIM_WHY_H

#include <stdarg.h>
#include <stdio.h>

struct why {
	char text[512];
};

/* Note the sentence and return error, so that `return why_say(...)` is a whole failure. */
__attribute__((format(printf, 3, 4))) static inline int why_say(struct why *why, int error,
								const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why->text, sizeof why->text, format, arguments);
	va_end(arguments);
	return error;
}

#endif
