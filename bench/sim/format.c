/* SPDX-License-Identifier: MIT */
/* Which format a trace has, by its first bytes. */
#include "format.h"

#include <errno.h>
#include <string.h>

#include "format_sample.h"
#include "lines.h"
#include "pagerd/trace.h"

#define SAMPLE_BYTES 65536u

const struct format *const formats[] = {
	&format_oracle, &format_text,	&format_hex, &format_csv,
	&format_lackey, &format_pagerd, NULL,
};

const struct format *format_find(const char *name)
{
	for (size_t i = 0; formats[i]; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

/* The first byte that no text has, or count. */
static size_t text_length(const unsigned char *bytes, size_t count)
{
	size_t i = 0;
	while (i < count && ((bytes[i] >= ' ' && bytes[i] != 0x7f) || bytes[i] == '\n' ||
			     bytes[i] == '\r' || bytes[i] == '\t'))
		i++;
	return i;
}

/* The next whole line of what is left of a sample; the last may be cut off and does not count. */
static bool sample_line(const char **text, size_t *left, const char **line, size_t *length)
{
	const char *newline = memchr(*text, '\n', *left);
	if (!newline)
		return false;
	*line = *text;
	*length = (size_t)(newline - *text);
	*left -= *length + 1;
	*text = newline + 1;
	if (*length && (*line)[*length - 1] == '\r')
		--*length;
	text_trim(line, length);
	return true;
}

/* Numbers alone: hexadecimal without 0x only if all can be, and more than a third of them cannot
 * be decimal. A few that cannot are a mistake, which the reader names; of hexadecimal numbers of
 * two digits, three in five have a letter, of longer ones more. */
static const struct format *numbers_detect(const char *text, size_t left)
{
	const char *line;
	size_t length;
	size_t numbers = 0, letters = 0;
	uint64_t number;
	while (sample_line(&text, &left, &line, &length)) {
		if (!length || *line == '#')
			continue;
		numbers++;
		if (number_parse(line, length, 10, &number))
			continue;
		letters++;
		if (!number_parse(line, length, 16, &number))
			return &format_text;
	}
	return 3 * letters > numbers ? &format_hex : &format_text;
}

static const struct format *text_detect(const char *text, size_t count)
{
	const char *rest = text, *line;
	size_t left = count, length;
	while (sample_line(&rest, &left, &line, &length)) {
		if (!length || *line == '#')
			continue;
		if (lackey_is_line(line, length))
			return &format_lackey;
		if (csv_has_separator(line, length))
			return &format_csv;
		break;
	}
	return numbers_detect(text, count);
}

int format_detect(struct input *input, const struct format_options *options,
		  const struct format **format, struct why *why)
{
	int error = input_fill(input, SAMPLE_BYTES, why);
	if (error)
		return error;
	const unsigned char *bytes = input_bytes(input);
	size_t count = input->used < SAMPLE_BYTES ? input->used : SAMPLE_BYTES;
	size_t length = text_length(bytes, count);
	if (count >= PAGERD_TRACE_MAGIC_BYTES &&
	    memcmp(bytes, PAGERD_TRACE_MAGIC, PAGERD_TRACE_MAGIC_BYTES) == 0)
		*format = &format_pagerd;
	else if (length == count && options->column)
		*format = &format_csv;
	else if (length == count)
		*format = text_detect((const char *)bytes, count);
	else if (oracle_is_plausible(bytes, count))
		*format = &format_oracle;
	else
		return why_say(why, -EILSEQ,
			       "%s: the format is not known: byte %zu is not text, and it is no "
			       "binary trace that begins in a way that could be told; --format "
			       "names one",
			       input->name, length);
	return 0;
}

int format_read(struct input *input, const struct format **format,
		const struct format_options *options, struct references *references,
		struct why *why)
{
	int error = input_fill(input, 1, why);
	if (!error && !input->used)
		return why_say(why, -ENODATA, "%s: it is empty", input->name);
	if (!error && !*format)
		error = format_detect(input, options, format, why);
	if (!error)
		error = (*format)->read(input, options, references, why);
	if (!error)
		error = references_end(references, why);
	if (!error && !references->count)
		return why_say(why, -ENODATA, "%s: there is no reference in it (read as %s)",
			       input->name, (*format)->name);
	return error;
}
