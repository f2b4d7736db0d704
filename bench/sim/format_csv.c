/* SPDX-License-Identifier: MIT */
/* Columns, one of which has the page. */
#include <errno.h>
#include <string.h>

#include "format.h"
#include "format_sample.h"
#include "lines.h"

static bool is_separator(char c)
{
	return c == ',' || c == ';' || c == '\t';
}

/* The end of the field that begins at text: a separator, or the end of the line. */
static const char *field_end(const char *text, const char *end)
{
	bool quoted = false;
	for (; text < end && (quoted || !is_separator(*text)); text++)
		quoted ^= *text == '"';
	return text;
}

bool csv_has_separator(const char *text, size_t length)
{
	return field_end(text, text + length) < text + length;
}

/* Is there a column of this number (from 1)? */
static bool field_find(const struct line *line, unsigned column, const char **text, size_t *length)
{
	const char *begin = line->text, *end = line->text + line->length;
	for (;; column--) {
		const char *behind = field_end(begin, end);
		*text = begin;
		*length = (size_t)(behind - begin);
		if (column == 1 || behind == end)
			return column == 1;
		begin = behind + 1;
	}
}

static bool field_parse(const struct line *line, unsigned column, uint64_t *page)
{
	const char *text;
	size_t length;
	if (!field_find(line, column, &text, &length))
		return false;
	text_trim(&text, &length);
	if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
		text++;
		length -= 2;
		text_trim(&text, &length);
	}
	return number_parse(text, length, 10, page);
}

static bool is_skipped(const struct line *line)
{
	const char *text = line->text;
	size_t length = line->length;
	text_trim(&text, &length);
	return !length || *text == '#';
}

static int csv_read(struct input *input, const struct format_options *options,
		    struct references *references, struct why *why)
{
	struct line line = {0};
	bool first = true;
	int more;
	if (!options->column)
		return why_say(why, -EINVAL,
			       "%s: in CSV, --column has to say which one is the page",
			       input->name);
	while ((more = line_next(&line, input, why)) > 0) {
		uint64_t page;
		if (is_skipped(&line))
			continue;
		bool good = field_parse(&line, options->column, &page);
		if (!good && !first) {
			char sentence[80];
			snprintf(sentence, sizeof sentence, "has no page in column %u",
				 options->column);
			return line_wrong(&line, input, sentence, why);
		}
		first = false;
		int error = good ? references_add(references, page, false, why) : 0;
		if (error)
			return error;
	}
	return more;
}

const struct format format_csv = {
	.name = "csv",
	.summary = "the page is in column --column N; a header line is skipped",
	.read = csv_read,
};
