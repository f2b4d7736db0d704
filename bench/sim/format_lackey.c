/* SPDX-License-Identifier: MIT */
/*
 * What valgrind's lackey writes with --trace-mem=yes: "I  0401ab70,3", " L 1ffefff8a0,8", and
 * likewise S (store) and M (both), between valgrind's own lines.
 */
#include <errno.h>
#include <string.h>

#include "format.h"
#include "format_sample.h"
#include "lines.h"

#define ACCESS_BYTES_MAX 65536 /* far more than an instruction transfers */

struct access {
	uint64_t first_page, last_page;
	bool write;
};

static bool is_valgrind(const char *text, size_t length)
{
	return length >= 2 && (memcmp(text, "==", 2) == 0 || memcmp(text, "--", 2) == 0 ||
			       memcmp(text, "**", 2) == 0);
}

/* text begins with the letter. */
static bool access_parse(const char *text, size_t length, struct access *access)
{
	if (length < 2 || !strchr("ILSM", text[0]) || !text[0] || text[1] != ' ')
		return false;
	access->write = text[0] == 'S' || text[0] == 'M';
	text++;
	length--;
	text_trim(&text, &length);
	const char *comma = memchr(text, ',', length);
	uint64_t address, bytes;
	if (!comma || !number_parse(text, (size_t)(comma - text), 16, &address) ||
	    !number_parse(comma + 1, (size_t)(text + length - comma - 1), 10, &bytes))
		return false;
	if (!bytes || bytes > ACCESS_BYTES_MAX || address > UINT64_MAX - (bytes - 1))
		return false;
	access->first_page = address >> FORMAT_PAGE_SHIFT;
	access->last_page = (address + bytes - 1) >> FORMAT_PAGE_SHIFT;
	return true;
}

bool lackey_is_line(const char *text, size_t length)
{
	struct access access;
	return is_valgrind(text, length) || access_parse(text, length, &access);
}

static int access_add(struct references *references, const struct access *access, struct why *why)
{
	for (uint64_t page = access->first_page; page <= access->last_page; page++) {
		int error = references_add(references, page, access->write, why);
		if (error)
			return error;
	}
	return 0;
}

static int lackey_read(struct input *input, const struct format_options *options,
		       struct references *references, struct why *why)
{
	struct line line = {0};
	int more;
	(void)options;
	while ((more = line_next(&line, input, why)) > 0) {
		const char *text = line.text;
		size_t length = line.length;
		struct access access;
		text_trim(&text, &length);
		if (!line.ended)
			return line_wrong(&line, input, "is cut off: the trace is truncated", why);
		if (!length || is_valgrind(text, length))
			continue;
		if (!access_parse(text, length, &access))
			return line_wrong(&line, input, "is not lackey's: want \" L 1ffefff8a0,8\"",
					  why);
		int error = access_add(references, &access, why);
		if (error)
			return error;
	}
	return more;
}

const struct format format_lackey = {
	.name = "lackey",
	.summary = "valgrind --tool=lackey --trace-mem=yes, by pages of 4 KiB",
	.read = lackey_read,
};
