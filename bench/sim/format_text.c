/* SPDX-License-Identifier: MIT */
/* One page a line. */
#include "format.h"
#include "lines.h"

static int read_numbers(struct input *input, unsigned base, const char *sentence,
			struct references *references, struct why *why)
{
	struct line line = {0};
	int more;
	while ((more = line_next(&line, input, why)) > 0) {
		const char *text = line.text;
		size_t length = line.length;
		uint64_t page;
		text_trim(&text, &length);
		if (!length || *text == '#')
			continue;
		if (!number_parse(text, length, base, &page))
			return line_wrong(&line, input, sentence, why);
		int error = references_add(references, page, false, why);
		if (error)
			return error;
	}
	return more;
}

static int text_read(struct input *input, const struct format_options *options,
		     struct references *references, struct why *why)
{
	(void)options;
	return read_numbers(input, 10,
			    "is not a page: a decimal number, or a hexadecimal one with 0x "
			    "(--format hex: without)",
			    references, why);
}

static int hex_read(struct input *input, const struct format_options *options,
		    struct references *references, struct why *why)
{
	(void)options;
	return read_numbers(input, 16, "is not a page: a hexadecimal number", references, why);
}

const struct format format_text = {
	.name = "text",
	.summary = "a page a line, decimal or 0x...; blank lines and # comments",
	.read = text_read,
};

const struct format format_hex = {
	.name = "hex",
	.summary = "the same, hexadecimal with or without 0x; told by its letters if more\n"
		   "                 than a third of the numbers have some, else named",
	.read = hex_read,
};
