/* SPDX-License-Identifier: MIT */
/* Lines and numbers. */
#include "lines.h"

#include <errno.h>
#include <string.h>

int line_next(struct line *line, struct input *input, struct why *why)
{
	const char *newline = memchr(input_bytes(input), '\n', input->used);
	if (!newline) {
		int error = input_fill(input, LINE_BYTES_MAX, why);
		if (error)
			return error;
		newline = memchr(input_bytes(input), '\n', input->used);
	}
	line->number++;
	line->text = (const char *)input_bytes(input);
	line->length = newline ? (size_t)(newline - line->text) : input->used;
	line->ended = newline;
	if (line->length >= LINE_BYTES_MAX)
		return why_say(why, -EILSEQ, "%s: line %llu: longer than %u bytes", input->name,
			       (unsigned long long)line->number, LINE_BYTES_MAX);
	if (!newline && !line->length)
		return 0;
	input_consume(input, line->length + line->ended);
	if (line->length && line->text[line->length - 1] == '\r')
		line->length--;
	return 1;
}

int line_wrong(const struct line *line, const struct input *input, const char *sentence,
	       struct why *why)
{
	char shown[40];
	size_t length = line->length < sizeof shown - 4 ? line->length : sizeof shown - 4;
	for (size_t i = 0; i < length; i++)
		shown[i] = line->text[i] >= ' ' && line->text[i] <= '~' ? line->text[i] : '?';
	strcpy(shown + length, length < line->length ? "..." : "");
	return why_say(why, -EILSEQ, "%s: line %llu: '%s' %s", input->name,
		       (unsigned long long)line->number, shown, sentence);
}

static bool digit_parse(char c, unsigned base, unsigned *digit)
{
	if (c >= '0' && c <= '9')
		*digit = (unsigned)(c - '0');
	else if ((c | 32) >= 'a' && (c | 32) <= 'f')
		*digit = (unsigned)((c | 32) - 'a') + 10;
	else
		return false;
	return *digit < base;
}

bool number_parse(const char *text, size_t length, unsigned base, uint64_t *number)
{
	uint64_t value = 0;
	if (length > 2 && text[0] == '0' && (text[1] | 32) == 'x') {
		base = 16;
		text += 2;
		length -= 2;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned digit;
		if (!digit_parse(text[i], base, &digit) ||
		    __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	*number = value;
	return length > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void text_trim(const char **text, size_t *length)
{
	for (; *length && is_blank(**text); ++*text)
		--*length;
	while (*length && is_blank((*text)[*length - 1]))
		--*length;
}
